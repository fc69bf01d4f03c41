# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step brought about, in the order in which it has to leave. Layer L3."""

from __future__ import annotations

from typing import Iterable, List, Optional, Tuple

from ..fsm import actions as fsm_actions
from ..fsm.parameters import RELEASE_PRIORITY
from ..fsm.states import State
from .actions import DataplaneChanged, Notify, RenewLeases, RouterAction, TransmitFrame
from .desired import DesiredDataplane

# The kernel takes a millisecond for so many; other backups have to be told in time.
MOST_SUCCESSIONS = 32
# What the kernel is to look like for so many takes a millisecond to work out.
CROWD = 100


class Outbox:
    """Advertisements first: they stop the other routers. Then the kernel, then announcements of
    what it holds now, then words.

    What belongs to a hand-over comes after the kernel: who leaves answers for nothing any more when
    it says so, and a successor is ready when its first advertisement draws the traffic to it.
    """

    def __init__(self) -> None:
        self._advertisements: List[TransmitFrame] = []
        self._releases: List[TransmitFrame] = []
        self._successions: List[TransmitFrame] = []
        self._announcements: List[TransmitFrame] = []
        self._renewals: List[str] = []
        self._notes: List[Notify] = []

    def advertise(self, transmit: TransmitFrame) -> None:
        """An advertisement."""
        self._advertisements.append(transmit)

    def release(self, transmit: TransmitFrame) -> None:
        """The last advertisement of a master that is leaving."""
        self._releases.append(transmit)

    def succeed(self, transmit: TransmitFrame) -> None:
        """The first advertisement of a master that follows one which is leaving."""
        self._successions.append(transmit)

    def announce(self, ifindex: int, frames: Iterable[bytes]) -> None:
        """Announcements and router advertisements."""
        self._announcements += [TransmitFrame(ifindex, frame) for frame in frames]

    def renew(self, *devices: str) -> None:
        """The leases of devices."""
        self._renewals += devices

    def note(self, *notes: Notify) -> None:
        """Something to tell."""
        self._notes += notes

    @property
    def is_crowded(self) -> bool:
        """So many advertisements that each of them counts."""
        return len(self._advertisements) > CROWD

    def take_advertisements(self) -> Tuple[RouterAction, ...]:
        """What comes first of everything."""
        taken, self._advertisements = tuple(self._advertisements), []
        return taken

    def take(self, changed: Optional[DesiredDataplane]) -> Tuple[RouterAction, ...]:
        """Everything in order, with the data plane where it changed; empty afterwards."""
        kernel: List[RouterAction] = [] if changed is None else [DataplaneChanged(changed)]
        if self._renewals:
            kernel.append(RenewLeases(tuple(self._renewals)))
        if len(self._successions) > MOST_SUCCESSIONS:
            self._advertisements += self._successions
            self._successions.clear()
        handed_over = (*self._releases, *self._successions)
        said = (*self._advertisements, *kernel, *handed_over, *self._announcements)
        taken = (*said, *self._notes)
        self._advertisements.clear()
        self._releases.clear()
        self._successions.clear()
        self._announcements.clear()
        self._renewals.clear()
        self._notes.clear()
        return taken


def succeeds(actions: Tuple[fsm_actions.Action, ...]) -> bool:
    """Whether these make it the master after one that has just given its role away."""
    last = actions[-1]
    if not isinstance(last, fsm_actions.Transition) or last.current is not State.MASTER:
        return False
    return last.peer_priority == RELEASE_PRIORITY
