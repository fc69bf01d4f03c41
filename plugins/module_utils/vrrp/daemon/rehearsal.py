# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A takeover is rehearsed just before it may be due. Layer L5.

A backup does the same few things for weeks, and what it does when its master falls silent has left
all caches long before: the very same code is several times slower then. So a stand-in takes over a
moment earlier: a router of its own, with the virtual router in question and its link, nothing of
which is the real one's, over ports that do everything but what somebody would notice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping, Optional, Sequence

from ..errors import PlatformError
from ..fsm.states import State
from ..ports import Dataplane, FrameIO
from ..router.actions import RouterAction, TransmitFrame
from ..router.bound_router import BoundRouter
from ..router.desired import DesiredDataplane
from ..router.events import Tick
from ..router.vrrp_router import VrrpRouter
from .log import Log
from .shell import Shell

# So long before the deadline: a rehearsal takes 1 ms when it is worth it, and what it leaves in the
# caches has mostly gone again after some milliseconds.
EARLY_NS = 3_000_000
# With less than that left it would make the takeover late, which is what it is meant to avoid.
LEAST_NS = 1_000_000
# The processor is not left idle for the last bit: to wake up takes a tenth of that, and more on
# processors that sleep deeply.
WATCH_NS = 200_000
# Not again for one silence, nor for each of a crowd: nothing is forgotten that quickly.
AGAIN_NS = 100_000_000


class Rehearsal:
    """Says when a takeover is due, and when to rehearse it."""

    def __init__(self, shell: Shell, io: FrameIO, dataplane: Dataplane, log: Log) -> None:
        self._shell = shell
        self._log = log
        self._stage: Any = _Stage(shell, io, dataplane)
        self._again_ns = 0
        self.count = 0

    def takeover_ns(self) -> Optional[int]:
        """When a backup takes over unless it hears something; None: that is not what comes next."""
        router = self._shell.router
        due = router.next_due()
        return router.deadline_ns if due is not None and due.state is State.BACKUP else None

    def is_wanted(self, takeover_ns: int) -> bool:
        """Whether it has not been rehearsed."""
        return takeover_ns >= self._again_ns

    def play(self, takeover_ns: int, now_ns: int) -> None:
        """Rehearse it, if there is still time."""
        self._again_ns = takeover_ns + AGAIN_NS
        due = self._shell.router.next_due()
        if due is not None and due.link is not None and now_ns <= takeover_ns - LEAST_NS:
            self.count += 1
            try:
                self._take_over(due, now_ns)
            except Exception as error:  # whatever it is: the takeover itself must not hang on this
                self._log.write("warning", "the rehearsal of a takeover failed: %r" % error)

    def _take_over(self, due: BoundRouter, now_ns: int) -> None:
        alone = replace(due.config, track=())
        config = replace(
            self._shell.router.config, virtual_routers=(alone,), trackers=(), sync_groups=()
        )
        links = () if due.link is None else (due.link,)
        router = VrrpRouter(config, links, now_ns)
        stand_in = Shell(router, self._stage, self._stage, self._stage)
        stand_in.heartbeat = self._stage
        stand_in.step(Tick(), now_ns)
        deadline_ns = router.deadline_ns
        if deadline_ns is not None:
            stand_in.lateness.add(0, deadline_ns)
            stand_in.step(Tick(), deadline_ns)


class _Stage:
    """What a stand-in finds where a router has its ports, its heartbeat and its log: as much of
    them as a takeover needs."""

    def __init__(self, shell: Shell, io: FrameIO, dataplane: Dataplane) -> None:
        self._shell, self._io, self._dataplane = shell, io, dataplane

    # FrameIO

    def send(self, frame: TransmitFrame) -> None:
        self._io.rehearse((frame,))

    def send_again(self, frames: Sequence[TransmitFrame]) -> Mapping[int, PlatformError]:
        self._io.rehearse(frames)
        return {}

    # Dataplane

    def apply(self, desired: DesiredDataplane) -> None:
        self._dataplane.rehearse(desired)

    def renew(self, devices: Sequence[str]) -> None:
        pass

    def lacks(self, ifindex: int, mac: bytes) -> bool:
        return self._dataplane.lacks(ifindex, mac)

    # Heartbeat

    def steady(self, actions: Sequence[RouterAction]) -> Sequence[TransmitFrame]:
        return self._shell.heartbeat.steady(actions)

    def beat_again(self, frames: Sequence[TransmitFrame], now_ns: int) -> None:
        pass

    def beat(self, ifindex: int, frame: bytes, now_ns: int) -> None:
        pass

    # Log

    def write(self, level: str, message: str) -> None:
        pass
