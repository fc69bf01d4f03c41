# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal: what happened to a router and what it did, line by line, to be replayed. Layer L3.

It begins with the exact state before its first step, so each file stands for itself. A line is a
JSON object:

    {"journal": 1, "engine": "0.2.0", "at": ns, "step": n, "pieces": n}      the first line
    {"piece": {..}}                                                          of the state
    {"step": n, "at": ns, "event": {..}, "actions": [..], "deadline": ns}

A step that never ended has null for its actions. deadline is when the router wants to be woken
then: without it a timer that is wrong would show only at the next event.
Steps may come between the pieces, which tell of the time before them all the same. Values are
written as in values.py, but for the data plane: only what changed in it, because a thousand virtual
routers would fill a line of a megabyte at each transition.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, get_args

from ..errors import JournalError
from ..version import VERSION
from .actions import DataplaneChanged, RouterAction
from .desired import DesiredDataplane
from .events import RouterEvent
from .masks import Masks, NoMasks
from .state import Restoring, frozen, pieces
from .values import PLAIN_NOTATION, Notation
from .vrrp_router import VrrpRouter

FORMAT = 2
_STEP_KEYS = {"step", "at", "event", "actions", "deadline"}


@dataclass(frozen=True)
class Beginning:
    """The first line: by which engine, when, before which step, and of how many pieces."""

    engine: str
    at_ns: int
    step: int
    pieces: int


@dataclass(frozen=True)
class Step:
    """One step. actions as Recorder wrote them; None: it never ended. deadline_ns: after it."""

    number: int
    at_ns: int
    event: RouterEvent
    actions: Optional[Tuple[Any, ...]]
    deadline_ns: Optional[int]


class Recorder:
    """Turns the steps of one router into lines. Both sides of a comparison use one.

    It is made between two steps, and sees all steps from then on.
    """

    def __init__(self, router: VrrpRouter, masks: Optional[Masks] = None) -> None:
        self._router = router
        self._masks = masks or NoMasks()
        self._notation = Notation(self._masks)
        self._dataplane = router.emitted
        self.next_step = 0

    def beginning(self, now_ns: int) -> Iterator[str]:
        """The lines that a file begins with, each made when it is asked for. Between two steps."""
        copy = frozen(self._router)
        first = {
            "journal": FORMAT,
            "engine": VERSION,
            "at": now_ns,
            "step": self.next_step,
            "pieces": len(copy.bound_routers()) + 1,
        }
        return chain(
            (_line(first),), (_line({"piece": each}) for each in pieces(copy, self._masks))
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
            "deadline": self._router.deadline_ns,
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
    """Per part: what is new or another one, and the names of what is gone."""
    difference = {}
    for part in fields(DesiredDataplane):
        old = {_name(each): each for each in getattr(before, part.name)}
        new = {_name(each): each for each in getattr(after, part.name)}
        if old != new:
            gone = [name for name in old if name not in new]
            fresh = [each for name, each in new.items() if old.get(name) != each]
            difference[part.name] = {
                "gone": [notation.write(each) for each in gone],
                "new": [notation.write(each) for each in fresh],
            }
    return difference


def _name(thing: Any) -> Any:
    """Of a device or a parent; an address is its own name."""
    return thing if isinstance(thing, bytes) else thing.name


def _line(document: Any) -> str:
    return json.dumps(document, separators=(",", ":")) + "\n"


def read(lines: Iterable[str]) -> Tuple[Beginning, VrrpRouter, Iterator[Step]]:
    """The beginning, the router as it was then, and the steps, read one by one.

    Raises JournalError, the steps too. A last line without its end is what a killed daemon leaves:
    it is passed over.
    """
    documents = _documents(lines)
    beginning = _beginning(next(documents, None))
    restoring = Restoring()
    early: List[Any] = []
    for _piece in range(beginning.pieces):
        for document in documents:
            if isinstance(document, dict) and "piece" in document:
                restoring.take(document["piece"])
                break
            early.append(document)
        else:
            raise JournalError("the state at the beginning is not complete")
    if restoring.router is None:
        raise JournalError("the pieces of the state are no router")
    return beginning, restoring.router, _steps(chain(early, documents), beginning.step)


def _documents(lines: Iterable[str]) -> Iterator[Any]:
    for number, line in enumerate(lines, 1):
        if not line.endswith("\n"):
            return
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            raise JournalError("line %d is no JSON: %s" % (number, error)) from None


def _steps(documents: Iterable[Any], expected: int) -> Iterator[Step]:
    for number, document in enumerate(documents, expected):
        try:
            step = _step(document)
        except JournalError as error:
            raise JournalError("where step %d should be: %s" % (number, error)) from None
        if step.number != number:
            message = "step %d, where step %d should be: lines are missing"
            raise JournalError(message % (step.number, number))
        yield step


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _beginning(document: Any) -> Beginning:
    if not isinstance(document, dict) or document.get("journal") != FORMAT:
        raise JournalError("a journal begins with its format, %d is spoken here" % FORMAT)
    engine = document.get("engine")
    numbers: List[Any] = [document.get(name) for name in ("at", "step", "pieces")]
    if not isinstance(engine, str) or not all(map(_is_integer, numbers)):
        raise JournalError("the first line has no engine, time, step or number of pieces")
    return Beginning(engine, *numbers)


def _step(document: Any) -> Step:
    if not isinstance(document, dict) or set(document) != _STEP_KEYS:
        raise JournalError("a step has the keys %s" % ", ".join(sorted(_STEP_KEYS)))
    number, at_ns, actions = document["step"], document["at"], document["actions"]
    deadline_ns = document["deadline"]
    if not (_is_integer(number) and _is_integer(at_ns)):
        raise JournalError("the step or its time is no number")
    if deadline_ns is not None and not _is_integer(deadline_ns):
        raise JournalError("the deadline is no number")
    if actions is not None and not isinstance(actions, list):
        raise JournalError("the actions are no list")
    event = PLAIN_NOTATION.read(document["event"])
    if not isinstance(event, get_args(RouterEvent)):
        raise JournalError("%.60r is no event" % (event,))
    written = None if actions is None else tuple(actions)
    return Step(number, at_ns, event, written, deadline_ns)
