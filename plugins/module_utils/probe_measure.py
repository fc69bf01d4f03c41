# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what is lost while something else happens: echo requests at a rate, for a time."""

from __future__ import annotations

import os
import time
import typing as t

from .outages import NS_PER_S, TIMEOUT_NS, figures, together
from .probe_echo import Echo, Schedule, ask_for_realtime
from .probe_places import HOW_TO_WRITE, parse, places
from .vrrp.errors import ConfigError, Problem
from .vrrp.facts import format_address, is_link_local

#: Beyond this, no figure is better, and memory is full.
FASTEST, MOST_PROBES = 1000, 10_000_000
#: For so long all have to answer before the marker is made.
STEADY_S = 0.3
_LOOK_NS = 100_000_000
_PAUSE_S = 0.01


class NeverSteady(Exception):
    """A target did not answer to begin with, so nobody could tell what was lost later."""


class Measurement:
    """Probes a few targets for so many seconds.

    marker: a file, or nothing. With one, it counts from when all of them answer, which is when it
    makes the file, and ends when somebody has removed that.
    """

    def __init__(self, targets: t.Sequence[Echo], rate: int, seconds: float, marker: str) -> None:
        self._targets = targets
        self._marker = marker
        self._length_ns = round(seconds * NS_PER_S)
        self._schedule = Schedule(time.monotonic_ns(), NS_PER_S // rate)

    def run(self) -> t.Dict[str, t.Any]:
        """The figures, when the time is over. Raises NeverSteady, OSError."""
        epoch_ns = time.time_ns() - time.monotonic_ns()
        since_ns = time.monotonic_ns()
        if self._marker:
            if not self._probe_until(self._is_steady):
                raise NeverSteady("no steady answers from %s" % self._unsteady())
            since_ns = time.monotonic_ns()
            self._make_marker()
        self._schedule.latest_ns = 0
        try:
            self._probe_until(self._is_over)
        finally:
            self._remove_marker()
        self._wait_for_answers()
        result = together(
            [figures(each.address, each.probes, since_ns, epoch_ns) for each in self._targets]
        )
        result["late"] = round(self._schedule.latest_ns / NS_PER_S, 6)
        return result

    def _probe_until(self, is_enough: t.Callable[[int], bool]) -> bool:
        """Probe for the time at most; whether it was enough before that."""
        look_ns = time.monotonic_ns()
        end_ns = look_ns + self._length_ns
        while True:
            time.sleep(self._schedule.wait_s(time.monotonic_ns()))
            now_ns = time.monotonic_ns()
            if now_ns >= end_ns:
                return False
            if now_ns >= look_ns:
                look_ns = now_ns + _LOOK_NS
                if is_enough(now_ns):
                    return True
            for target in self._targets:
                target.drain(now_ns)
                target.send(now_ns)
            self._schedule.advance(now_ns)

    def _is_steady(self, now_ns: int) -> bool:
        return not self._unsteady(now_ns)

    def _unsteady(self, now_ns: int = 0) -> str:
        now_ns = now_ns or time.monotonic_ns()
        return ", ".join(
            each.address for each in self._targets if each.probes.steady_seconds(now_ns) < STEADY_S
        )

    def _is_over(self, _now_ns: int) -> bool:
        return bool(self._marker) and not os.path.lexists(self._marker)

    def _wait_for_answers(self) -> None:
        """Of the last probes."""
        end_ns = time.monotonic_ns() + TIMEOUT_NS
        while time.monotonic_ns() < end_ns:
            now_ns = time.monotonic_ns()
            for target in self._targets:
                target.drain(now_ns)
            if all(each.probes.all_answered() for each in self._targets):
                return
            time.sleep(_PAUSE_S)

    def _make_marker(self) -> None:
        os.close(os.open(self._marker, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    def _remove_marker(self) -> None:
        try:
            if self._marker:
                os.unlink(self._marker)
        except FileNotFoundError:
            pass  # that is how it was ended


def measured(params: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """What was lost. Without targets, the gateways themselves are probed."""
    options = params["measure"]
    _refuse_measure(options)
    targets: t.List[t.Tuple[str, str]] = []
    for text in options["targets"] or ():
        plain, _sign, scope = text.partition("%")
        targets.append((plain, scope or params["interface"] or ""))
    if not targets:
        for place in places(params):
            interface = place.interface if is_link_local(place.address) else ""
            targets.append((format_address(place.address), interface))
    echoes: t.List[Echo] = []
    try:
        for address, interface in targets:
            echoes.append(Echo(address, interface))
        ask_for_realtime()
        marker = options["marker"] or ""
        return Measurement(echoes, options["rate"], options["seconds"], marker).run()
    finally:
        for each in echoes:
            each.close()


def _refuse_measure(options: t.Mapping[str, t.Any]) -> None:
    """Raise ConfigError with all that is wrong."""
    problems = []
    rate, seconds, marker = options["rate"], options["seconds"], options["marker"]
    if not 1 <= rate <= FASTEST:
        hint = "choose 1 to %d probes a second" % FASTEST
        problems.append(Problem("measure.rate", "range", "is %d" % rate, hint))
    if not 0 < seconds <= MOST_PROBES / max(rate, 1):
        hint = "choose more than 0, and at most %d probes" % MOST_PROBES
        problems.append(Problem("measure.seconds", "range", "is %g" % seconds, hint))
    if marker and os.path.lexists(marker):
        hint = "remove it, unless another measurement is at work"
        problems.append(Problem("measure.marker", "exists", "%s is there" % marker, hint))
    for number, text in enumerate(options["targets"] or ()):
        if not parse(text)[0]:
            path = "measure.targets[%d]" % number
            problems.append(Problem(path, "address", "%r is no address" % text, HOW_TO_WRITE))
    if problems:
        raise ConfigError(tuple(problems))
