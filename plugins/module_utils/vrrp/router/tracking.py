# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trackers: what their results cost the virtual routers that follow them. Layer L3."""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, Mapping, Optional

from ..config.model import TrackerConfig, TrackerKind, TrackReference
from ..facts import LinkFacts, ProbeResult
from .actions import Notify


class TrackerState:
    """Counts results: `fall` bad ones in a row make a tracker fail, `rise` good ones mend it.

    ok is None until the first result, which decides alone. An unknown tracker costs nothing: a
    router listens for a Master_Down_Interval before it takes over, and by then it knows.
    """

    def __init__(self, config: TrackerConfig) -> None:
        self.config = config
        self.ok: Optional[bool] = None
        self.detail = "no result yet"
        self._contrary = 0

    def report(self, ok: bool, detail: str, at_once: bool = False) -> bool:
        """Take in one result; True when the tracker changed its mind."""
        self.detail = detail
        if ok == self.ok:
            self._contrary = 0
            return False
        self._contrary += 1
        needed = self.config.rise if ok else self.config.fall
        if not at_once and self.ok is not None and self._contrary < needed:
            return False
        self.ok = ok
        self._contrary = 0
        return True


def penalty(track: Iterable[TrackReference], trackers: Mapping[str, TrackerState]) -> int:
    """What failing trackers take off the priority, added up."""
    return sum(reference.penalty for reference in track if trackers[reference.tracker].ok is False)


def replaced(
    trackers: Mapping[str, TrackerState], configs: Iterable[TrackerConfig]
) -> Dict[str, TrackerState]:
    """The trackers of another configuration; one that did not change keeps what it knows."""
    return {
        config.name: trackers[config.name]
        if config.name in trackers and trackers[config.name].config == config
        else TrackerState(config)
        for config in configs
    }


def report(
    trackers: Mapping[str, TrackerState], result: ProbeResult, at_once: bool = False
) -> Optional[Notify]:
    """Tell a tracker; what there is to tell when it changed its mind."""
    name, ok, detail = result.tracker, result.ok, result.detail
    if name not in trackers or not trackers[name].report(ok, detail, at_once):
        return None
    message = "%s: %s" % ("up" if ok else "failed", detail)
    return Notify("tracker", name, message, {"ok": ok, "detail": detail})


def report_links(
    trackers: Mapping[str, TrackerState], links: Mapping[str, LinkFacts]
) -> Iterator[Notify]:
    """Tell the trackers that follow links, which have no probe."""
    for name, tracker in trackers.items():
        if tracker.config.kind is not TrackerKind.LINK:
            continue
        interface = tracker.config.interface
        link = links.get(interface)
        ok = link is not None and link.is_up and link.has_carrier
        detail = "%s is %s" % (interface, "up" if ok else "down")
        note = report(trackers, ProbeResult(name, ok, detail), at_once=True)
        if note is not None:
            yield note
