# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal: what happened to a router and what it did, line by line, to be replayed. Layer L3.

The first line holds the exact state in which the lines after it begin, so each file stands for
itself. A line is a JSON object:

    {"journal": 1, "engine": "0.2.0", "at": ns, "step": n, "state": {..}}
    {"step": n, "at": ns, "event": {..}, "actions": [..]}        actions null: the step never ended

Values are written as in values.py, but for the data plane: only what changed in it, because a
thousand virtual routers would fill a line of a megabyte at each transition.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any, Dict, Iterable, Iterator, Optional, Tuple, Union, get_args

from ..errors import JournalError
from ..version import VERSION
from .actions import DataplaneChanged, RouterAction
from .desired import DesiredDataplane
from .events import RouterEvent
from .masks import Masks, NoMasks
from .state import restore, save
from .values import PLAIN_NOTATION, Notation
from .vrrp_router import VrrpRouter

FORMAT = 1


@dataclass(frozen=True)
class Beginning:
    """The first line, but for the router: where the recording starts."""

    engine: str
    at_ns: int
    step: int


@dataclass(frozen=True)
class Step:
    """One step. actions as Recorder wrote them; None: it never ended."""

    number: int
    at_ns: int
    event: RouterEvent
    actions: Optional[Tuple[Any, ...]]


class Recorder:
    """Turns the steps of one router into lines. Both sides of a comparison use one."""

    def __init__(self, masks: Optional[Masks] = None) -> None:
        self._masks = masks or NoMasks()
        self._notation = Notation(self._masks)
        self._dataplane = DesiredDataplane()
        self.next_step = 0

    def beginning(self, router: VrrpRouter, now_ns: int) -> str:
        """The first line of a file: between two steps."""
        # The first change in a file is told whole: whoever reads it knows no earlier one.
        self._dataplane = DesiredDataplane()
        return _line(
            {
                "journal": FORMAT,
                "engine": VERSION,
                "at": now_ns,
                "step": self.next_step,
                "state": save(router, self._masks),
            }
        )

    def step(
        self, event: RouterEvent, now_ns: int, actions: Optional[Tuple[RouterAction, ...]]
    ) -> str:
        """The line of a step."""
        written = {
            "step": self.next_step,
            "at": now_ns,
            "event": self._notation.write(event),
            "actions": None if actions is None else self.actions(actions),
        }
        self.next_step += 1
        return _line(written)

    def actions(self, actions: Tuple[RouterAction, ...]) -> Tuple[Any, ...]:
        """The documents of the actions of the next step."""
        return tuple(self._action(action) for action in actions)

    def _action(self, action: RouterAction) -> Any:
        if not isinstance(action, DataplaneChanged):
            return self._notation.write(action)
        before, self._dataplane = self._dataplane, action.desired
        return {"DataplaneChanged": _difference(before, action.desired, self._notation)}


def _difference(
    before: DesiredDataplane, after: DesiredDataplane, notation: Notation
) -> Dict[str, Any]:
    """Per part: what is gone and what is new. Values, so a change is one of each."""
    difference = {}
    for part in fields(DesiredDataplane):
        old, new = getattr(before, part.name), getattr(after, part.name)
        if old != new:
            gone, added = set(old) - set(new), set(new) - set(old)
            difference[part.name] = {
                "gone": [notation.write(each) for each in old if each in gone],
                "new": [notation.write(each) for each in new if each in added],
            }
    return difference


def _line(document: Any) -> str:
    return json.dumps(document, separators=(",", ":")) + "\n"


def read(lines: Iterable[str]) -> Iterator[Union[Tuple[Beginning, VrrpRouter], Step]]:
    """The beginning with its router, then the steps, one by one. Raises JournalError.

    A last line without its end is what a killed daemon leaves: it is passed over.
    """
    expected = 0
    for number, line in enumerate(lines, 1):
        if not line.endswith("\n"):
            return
        try:
            document = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise JournalError("line %d is no JSON: %s" % (number, error)) from None
        try:
            if number == 1:
                beginning = _beginning(document)
                yield beginning, restore(document["state"])
                expected = beginning.step
                continue
            step = _step(document)
        except JournalError as error:
            raise JournalError("line %d: %s" % (number, error)) from None
        if step.number != expected:
            message = "line %d: step %d, where step %d should be: lines are missing"
            raise JournalError(message % (number, step.number, expected))
        expected += 1
        yield step


def _beginning(document: Any) -> Beginning:
    if not isinstance(document, dict) or document.get("journal") != FORMAT:
        raise JournalError("a journal begins with its format, %d is spoken here" % FORMAT)
    engine, at_ns, step = document.get("engine"), document.get("at"), document.get("step")
    if not isinstance(engine, str) or type(at_ns) is not int or type(step) is not int:
        raise JournalError("the beginning has no engine, time or step")
    if "state" not in document:
        raise JournalError("the beginning has no state")
    return Beginning(engine, at_ns, step)


def _step(document: Any) -> Step:
    if not isinstance(document, dict) or set(document) != {"step", "at", "event", "actions"}:
        raise JournalError("a step has the keys step, at, event and actions")
    number, at_ns, actions = document["step"], document["at"], document["actions"]
    if type(number) is not int or type(at_ns) is not int:
        raise JournalError("the step or its time is no number")
    if actions is not None and not isinstance(actions, list):
        raise JournalError("the actions are no list")
    event = PLAIN_NOTATION.read(document["event"])
    if not isinstance(event, get_args(RouterEvent)):
        raise JournalError("%.60r is no event" % (event,))
    return Step(number, at_ns, event, None if actions is None else tuple(actions))
