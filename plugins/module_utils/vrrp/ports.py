# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seams between the pure router and a host, real or simulated. Layer L3."""

from __future__ import annotations

from typing import AbstractSet, FrozenSet, List, Mapping, Optional, Protocol, Sequence, Tuple

from .config.model import TrackerConfig
from .errors import PlatformError
from .facts import HeldDevice, KernelNews, LinkFacts, ProbeResult, ReceivedPacket, Repair
from .router.actions import RouterAction, TransmitFrame
from .router.desired import DesiredDataplane
from .router.events import RouterEvent


class Clock(Protocol):
    """Monotonic time."""

    def now_ns(self) -> int:
        """Nanoseconds; never goes back."""


class FrameIO(Protocol):
    """Advertisements and announcements out, packets of protocol 112 in. Raises PlatformError."""

    def listen(self, links: Sequence[LinkFacts]) -> None:
        """Send and receive on exactly these links from now on (memberships, sockets)."""

    def send(self, frame: TransmitFrame) -> None:
        """Send one whole Ethernet frame."""

    def send_again(self, frames: Sequence[TransmitFrame]) -> Mapping[int, PlatformError]:
        """Send all of these, quicker if they were sent together before. Those that could not be
        sent, by their links."""

    def rehearse(self, frames: Sequence[TransmitFrame]) -> None:
        """Everything that send_again() does with these, but nothing leaves, and nothing is said of
        what would be refused."""

    def receive(self, maximum: int) -> List[ReceivedPacket]:
        """At most so many waiting packets, oldest first; never blocks."""

    def filenos(self) -> Tuple[int, ...]:
        """Readable when receive has something."""

    def close(self) -> None:
        """Give everything back."""


class SolicitationIO(Protocol):
    """Router solicitations in. Raises PlatformError."""

    def listen(self, links: Sequence[LinkFacts]) -> None:
        """Receive on exactly these links from now on; without links nothing is kept open."""

    def receive(self, maximum: int) -> List[ReceivedPacket]:
        """At most so many waiting ones, oldest first; never blocks."""

    def filenos(self) -> Tuple[int, ...]:
        """Readable when receive has something."""

    def close(self) -> None:
        """Give everything back."""


class LinkMonitor(Protocol):
    """The links of this host and their addresses, and what others do to what is ours."""

    def links(self) -> Tuple[LinkFacts, ...]:
        """All links now, without our own virtual devices, sorted by name."""

    def fileno(self) -> int:
        """Readable when something may have changed."""

    def drain(self) -> KernelNews:
        """Read what is waiting, and say what it means."""

    def close(self) -> None:
        """Give everything back."""


class Dataplane(Protocol):
    """Makes the kernel look like a DesiredDataplane."""

    def apply(self, desired: DesiredDataplane) -> None:
        """Idempotent: compare with what is, apply the difference. Raises PlatformError."""

    def rehearse(self, desired: DesiredDataplane) -> None:
        """Everything that apply() does for the devices in there, but the kernel stays as it is, and
        so does what is known of it. Raises PlatformError."""

    def names(self) -> Tuple[str, ...]:
        """What reconcile can look at: the names of all devices, and "" for what they share."""

    def suspects(self, news: KernelNews) -> FrozenSet[str]:
        """Those of names() that somebody else may have changed; our own changes are known."""

    def drifted(self, names: AbstractSet[str]) -> FrozenSet[str]:
        """Those of names() that somebody changed in a way of which there is no news. Never waits
        for who changes links meanwhile."""

    def reconcile(self, names: Optional[AbstractSet[str]] = None) -> Tuple[Repair, ...]:
        """Compare these (None: everything) with the last desired value, and put right what
        differs. Raises PlatformError."""

    def renew(self, devices: Sequence[str]) -> None:
        """Let the leases of these devices' addresses begin anew (VirtualDevice.lease_s)."""

    def held(self) -> Tuple[HeldDevice, ...]:
        """What an earlier process left; before the first apply, which keeps what is desired."""

    def expire(self, lifetime_s: int) -> None:
        """Let the kernel take all our addresses away so much later, unless somebody renews them;
        needs no earlier apply."""

    def lacks(self, ifindex: int, mac: bytes) -> bool:
        """True when the device with this MAC on that link is not as it should be: the last call
        failed there, so what it holds must not be announced (RFC 9568 sections 8.1.2, 8.2.2)."""

    def cleanup(self) -> None:
        """Remove all that is ours and restore what was changed; needs no earlier apply."""


class Prober(Protocol):
    """Runs the probes of trackers without blocking."""

    def configure(self, trackers: Sequence[TrackerConfig], now_ns: int) -> None:
        """Run exactly these from now on; a tracker that did not change goes on undisturbed."""

    def deadline_ns(self) -> Optional[int]:
        """When poll wants to be called at the latest."""

    def filenos(self) -> Tuple[int, ...]:
        """Readable when an answer is waiting."""

    def poll(self, now_ns: int) -> List[ProbeResult]:
        """Send what is due, read what has come; the results that are known now."""

    def close(self) -> None:
        """Give everything back."""


class Journal(Protocol):
    """Remembers what happened to the router, to be replayed. Never raises, never waits."""

    def append(
        self, event: RouterEvent, now_ns: int, actions: Optional[Tuple[RouterAction, ...]]
    ) -> None:
        """A step, after its actions have been carried out; without actions: it raised."""

    def flush(self, now_ns: int) -> None:
        """The turn of the loop is over: write what was collected."""

    def close(self) -> None:
        """Write what is left, and end."""
