# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual router bound to a link of this host: frames, announcements, counters. Layer L3.

The machine in fsm/ knows no link and no frame, the router beside this file knows all virtual
routers: here is what one of them has beyond its machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, Optional, Set, Tuple, Union

from ..config.model import ChecksumMode, VirtualRouterConfig
from ..config.resolve import NO_PRIMARY_ADDRESS, NotReady
from ..facts import InterfaceAddress, LinkFacts
from ..fsm.actions import Transition
from ..fsm.parameters import RELEASE_PRIORITY, RouterParameters
from ..fsm.states import State
from ..fsm.timing import lease_s, skew_time_ns
from ..fsm.virtual_router import VirtualRouter
from ..invariant import require
from ..units import NS_PER_S, ns_from_cs
from ..wire.checksum import ChecksumForm
from ..wire.constants import virtual_mac
from .actions import TransmitFrame
from .desired import DEVICE_PREFIX, DesiredDataplane, ParentSettings, VirtualDevice
from .latest import Latest
from .log_limit import LogLimit
from .peers import Peers
from .receive import Accepted
from .router_advertiser import RouterAdvertiser
from .transmit import (
    advertisement_frame,
    announcement_frames,
    prefix_length,
    router_advertisement_frame,
)

# Announcements can be lost, and a switch may learn a late frame of the old master: say it again
# after milliseconds and after seconds, and once a minute for whoever was away.
ANNOUNCE_AGAIN_NS = (10_000_000, NS_PER_S, 5 * NS_PER_S)
ANNOUNCE_REFRESH_NS = 60 * NS_PER_S
# A successor may be a little late: its own wake-up, the switch.
LEAVE_MARGIN_NS = NS_PER_S // 10
# An interface that is configured anew loses its addresses for some hundredths of a second. That is
# no reason to give the role away; being without them for longer is.
PATIENCE_NS = NS_PER_S // 4
HISTORY_LENGTH = 16
OCCURRENCES_LENGTH = 32
# Twice renewed before it would end; short of a third, so that each advertisement of the usual
# second renews a lease of three.
RENEWALS_PER_LEASE = 4


@dataclass(frozen=True)
class PastTransition:
    """A transition of the history with its explanation."""

    at_ns: int
    transition: Transition
    detail: str


@dataclass(frozen=True)
class Occurrence:
    """Something that a person who asks why would want to know. kind: as of Notify."""

    at_ns: int
    kind: str
    sentence: str


@dataclass(frozen=True)
class Longest:
    """The longest time of its kind so far, and when it ended."""

    duration_ns: int
    at_ns: int


class BoundRouter:
    """One configured virtual router and the link it lives on, if that exists."""

    def __init__(self, config: VirtualRouterConfig) -> None:
        self.config = config
        # Its identity on this host, whatever it is called.
        self.id = str(config.key)
        self.link: Optional[LinkFacts] = None
        self.machine: Optional[VirtualRouter] = None
        self.waiting: Optional[NotReady] = None
        self.history: Latest[PastTransition] = Latest(HISTORY_LENGTH)
        self.occurrences: Latest[Occurrence] = Latest(OCCURRENCES_LENGTH)
        self.counters: Dict[str, int] = {}
        self.peers = Peers()
        self.log_limit = LogLimit()
        # See gaps.py. heard_limit_ns: a longer one has to be looked at.
        self.sent_gap: Optional[Longest] = None
        self.heard_gap: Optional[Longest] = None
        self.heard_limit_ns = 0
        self.holds_addresses = False
        self.leaves_ns: Optional[int] = None
        self._patient_until_ns: Optional[int] = None
        # When leaving ends without a successor: take the role back.
        self.returns = False
        # Its sync group waits for it.
        self.is_awaited = True
        # A sync group takes over when its slowest member can, so leaving and leases last as long.
        self.slowest_cs = 0
        self.longest_skew_ns = 0
        self.router_advertiser = RouterAdvertiser()
        self._advertised_source = b""
        self._announce_ns: Optional[int] = None
        self._announced = 0
        self._frame: Tuple[object, TransmitFrame] = (None, TransmitFrame(0, b""))
        self._lease: Optional[Tuple[int, int]] = None

    @property
    def device_name(self) -> str:
        """Of the device with the virtual MAC."""
        return DEVICE_PREFIX + self.config.name

    @property
    def state(self) -> State:
        """Initialize while there is no machine to ask."""
        return self.machine.state if self.machine else State.INITIALIZE

    @property
    def is_leaving(self) -> bool:
        """Has released its mastership, and forwards until a successor is heard."""
        return self.leaves_ns is not None

    @property
    def wants_mastership(self) -> bool:
        """Nobody better is there: its sync group may take over as far as it is concerned."""
        return self.machine is not None and self.machine.wants_mastership

    @property
    def parameters(self) -> RouterParameters:
        """Of the machine, which has to exist."""
        require(self.machine is not None, "a virtual router without a link has no parameters")
        return self.machine.parameters  # type: ignore[union-attr]

    def deadline_ns(self) -> Optional[int]:
        """When to come back: for the machine, for something to announce, or to leave at last."""
        first_ns = self.machine.deadline_ns if self.machine else None
        other_ns = self.other_deadline_ns()
        if first_ns is None or (other_ns is not None and other_ns < first_ns):
            return other_ns
        return first_ns

    def other_deadline_ns(self) -> Optional[int]:
        """The same but for the machine."""
        first_ns = self._announce_ns
        # One after the other: this is asked with each advertisement.
        other_ns = self.router_advertiser.deadline_ns
        if other_ns is not None and (first_ns is None or other_ns < first_ns):
            first_ns = other_ns
        other_ns = self.leaves_ns
        if other_ns is not None and (first_ns is None or other_ns < first_ns):
            first_ns = other_ns
        other_ns = self._patient_until_ns
        if other_ns is not None and (first_ns is None or other_ns < first_ns):
            first_ns = other_ns
        return first_ns

    def hears_again(self, accepted: Accepted, now_ns: int) -> bool:
        """Take in what a steady master says each time; False when there may be more to do."""
        machine = self.machine
        if machine is None or accepted.remarks or self.leaves_ns is not None:
            return False
        if now_ns - machine.peer_heard_ns > self.heard_limit_ns:
            return False
        if not machine.hears_again(accepted.event, now_ns):
            return False
        self.counters["advertisement-rcvd"] += 1
        self.peers.heard(accepted, now_ns)
        return True

    def hears(self, accepted: Accepted, now_ns: int) -> None:
        """An advertisement that its machine is told of next."""
        self.count("advertisement-rcvd")
        if accepted.event.priority == RELEASE_PRIORITY:
            self.count("priority-zero-pkts-rcvd")
        self.peers.heard(accepted, now_ns)
        if self.state is State.BACKUP:
            # Built while there is time: when the master falls silent, it only has to be sent.
            said = self.parameters
            self.advertisement(said.priority, said.advertisement_interval_cs)

    def count(self, counter: str) -> None:
        """Add one to a counter of RFC 8347."""
        self.counters[counter] = self.counters.get(counter, 0) + 1

    def keep_pace_with(self, members: Iterable[BoundRouter]) -> None:
        """Of its sync group, itself included, or with itself alone; after each reload."""
        paces = [(each.config.version, each.config.advertisement_interval_cs) for each in members]
        self.slowest_cs = max(interval_cs for _version, interval_cs in paces)
        self.longest_skew_ns = max(skew_time_ns(version, 1, cs) for version, cs in paces)

    def leave(self, now_ns: int, returns: bool = False) -> None:
        """Before it gives its role away: a master goes on forwarding until a successor is heard, or
        has had the longest Skew_Time and nobody came. returns: then it takes the role back."""
        if self.state is State.MASTER:
            # Before its own Master_Down_Interval has passed, however short.
            margin_ns = min(LEAVE_MARGIN_NS, 2 * ns_from_cs(self.slowest_cs))
            self.leaves_ns = now_ns + self.longest_skew_ns + margin_ns
            self.returns = returns

    def put_up_with(
        self, resolved: Union[RouterParameters, NotReady], link: Optional[LinkFacts], now_ns: int
    ) -> Union[RouterParameters, NotReady]:
        """What it runs with for a moment though its interface has no real address just now."""
        is_known = link is not None and self.link is not None and link.ifindex == self.link.ifindex
        is_missing = isinstance(resolved, NotReady) and resolved.code == NO_PRIMARY_ADDRESS
        is_over = self.is_out_of_patience(now_ns) or self.state is State.INITIALIZE
        if not is_missing or not is_known or is_over:
            self._patient_until_ns = None
            return resolved
        if self._patient_until_ns is None:
            self._patient_until_ns = now_ns + PATIENCE_NS
        return self.parameters

    def is_out_of_patience(self, now_ns: int) -> bool:
        """Whether it is time to look again."""
        return self._patient_until_ns is not None and now_ns >= self._patient_until_ns

    def claim_addresses(self, lease_s: int, now_ns: int) -> None:
        """They are ours; leaving, if it was about to, is off."""
        if not self.holds_addresses:
            self._lease = (lease_s, now_ns)
        self.holds_addresses = True
        self.leaves_ns = None
        self.returns = False

    @property
    def has_fresh_lease(self) -> bool:
        """The kernel has been asked for a whole lease. Where a process that died has left the
        addresses, they go with the rest of its own all the same, so a new process says it again."""
        return self._lease is not None

    def doubt_lease(self) -> None:
        """Another process claimed the addresses, and nobody knows for how long."""
        self._lease = None

    def release_addresses(self) -> None:
        """Nothing is held and nothing announced any more."""
        self.holds_addresses = False
        self.leaves_ns = None
        self.returns = False
        self._lease = None
        self.stop_announcing()

    def must_renew(self, lease_s: int, now_ns: int) -> bool:
        """With an advertisement that is sent now: whether the lease has to begin anew."""
        if not self.holds_addresses:
            return False
        if self._lease is not None and self._lease[0] == lease_s:
            fresh_until_ns = self.fresh_until_ns()
            if fresh_until_ns is None or now_ns < fresh_until_ns:
                return False
        self._lease = (lease_s, now_ns)
        return True

    def fresh_until_ns(self) -> Optional[int]:
        """When the present lease has to begin anew; None: never, or there is none."""
        if self._lease is None or not self._lease[0]:
            return None
        known_s, renewed_ns = self._lease
        return renewed_ns + known_s * NS_PER_S // RENEWALS_PER_LEASE

    def lease_s(self, uses_leases: bool) -> int:
        """Of its addresses in the kernel; 0 is for ever."""
        if not uses_leases or self.machine is None:
            return 0
        return lease_s(self.slowest_cs)

    # What it sends

    def advertisement(self, priority: int, interval_cs: int) -> TransmitFrame:
        """What to send, built again only when something in it changed. It has a link then."""
        inputs = (self.parameters, priority, interval_cs, self._checksum_form())
        ifindex = self.link.ifindex if self.link else 0
        said, transmit = self._frame
        if said != inputs or transmit.ifindex != ifindex:
            transmit = TransmitFrame(ifindex, advertisement_frame(*inputs))
            self._frame = (inputs, transmit)
        return transmit

    def _checksum_form(self) -> ChecksumForm:
        mode = self.config.checksum
        if mode is ChecksumMode.AUTO:
            # What most Linux routers check when the other side has not spoken yet.
            return self.peers.checksum_heard or ChecksumForm.PSEUDO_HEADER
        return ChecksumForm(mode.value)

    def announce(self, now_ns: int) -> Tuple[bytes, ...]:
        """The announcements to send now; they are repeated by announce_when_due."""
        self._announced = 0
        self._announce_ns = now_ns
        source = self.parameters.addresses[0]
        if self.config.router_advertisements.enabled and (
            self.router_advertiser.deadline_ns is None or source != self._advertised_source
        ):
            self._advertised_source = source
            self.router_advertiser.start(now_ns)
        return self.announce_when_due(now_ns)

    def announce_when_due(self, now_ns: int) -> Tuple[bytes, ...]:
        """The announcements that are due for repetition, then a router advertisement if due."""
        frames: Tuple[bytes, ...] = ()
        if self._announce_ns is not None and now_ns >= self._announce_ns:
            frames = self._announce(now_ns)
        settings = self.config.router_advertisements
        advertises = self.router_advertiser.deadline_ns is not None
        if advertises and self.router_advertiser.take(settings, self._seed(), now_ns):
            self.count("router-advertisements-sent")
            frames += (router_advertisement_frame(self.parameters, settings),)
        return frames

    def solicited(self, now_ns: int) -> None:
        """A host asks for routers: a master answers, a backup is silent (RFC 9568 6.4.2)."""
        self.count("router-solicitations-rcvd")
        self.router_advertiser.solicited(self._seed(), now_ns)

    def reconfigure(self, config: VirtualRouterConfig, now_ns: int) -> Tuple[bytes, ...]:
        """Take another configuration of the same virtual router; what has to be said at once."""
        before, after = self.config.router_advertisements, config.router_advertisements
        self.config = config
        if before == after or self._announce_ns is None:
            return ()
        if after.enabled:
            self.router_advertiser.start(now_ns)
        elif before.enabled:
            self.router_advertiser.stop()
            # The operator wants no default router here; a hand-over never says this.
            return (router_advertisement_frame(self.parameters, before, final=True),)
        return ()

    def stop_announcing(self) -> None:
        """The addresses are no longer ours to announce."""
        self._announce_ns = None
        self.router_advertiser.stop()

    def _seed(self) -> bytes:
        """Octets that no other router of the LAN has for this virtual router."""
        if self.machine is None:
            return b""
        return self.parameters.primary_address + bytes((self.config.vrid,))

    def _announce(self, now_ns: int) -> Tuple[bytes, ...]:
        repeats = ANNOUNCE_AGAIN_NS[self._announced : self._announced + 1]
        self._announce_ns = now_ns + (repeats[0] if repeats else ANNOUNCE_REFRESH_NS)
        self._announced += 1
        return announcement_frames(self.parameters)

    # What it wants in the kernel

    def device(self, uses_leases: bool) -> Optional[VirtualDevice]:
        """The device with the virtual MAC; it exists as long as the link does."""
        if self.link is None:
            return None
        config = self.config
        addresses = self.parameters.addresses if self.holds_addresses else ()
        return VirtualDevice(
            name=self.device_name,
            alias=config.name,
            parent_ifindex=self.link.ifindex,
            mac=virtual_mac(config.family, config.vrid),
            family=config.family,
            is_master=self.holds_addresses,
            addresses=tuple(InterfaceAddress(a, prefix_length(a)) for a in addresses),
            is_quiet=self.holds_addresses and self.is_leaving,
            lease_s=self.lease_s(uses_leases) if self.holds_addresses else 0,
        )

    def owns_address(self) -> bool:
        """True when a virtual address is a real one of the link (address owner)."""
        if self.link is None or self.machine is None or not self.parameters.is_owner:
            return False
        real = {address.address for address in self.link.addresses}
        return any(address in real for address in self.parameters.addresses)

    def refused(self) -> Tuple[bytes, ...]:
        """Virtual addresses that accept nothing (RFC 9568 section 6.1, Accept_Mode)."""
        if self.machine is None or self.config.accept or self.parameters.is_owner:
            return ()
        return self.parameters.addresses


def desired_dataplane(bounds: Iterable[BoundRouter], uses_leases: bool) -> DesiredDataplane:
    """Everything that the kernel should have because of these virtual routers."""
    devices = []
    parents: Dict[str, ParentSettings] = {}
    refused: Set[bytes] = set()
    for bound in bounds:
        device = bound.device(uses_leases)
        if device is None or bound.link is None:
            continue
        devices.append(device)
        refused.update(bound.refused())
        name = bound.link.name
        owns = bound.owns_address() or (name in parents and parents[name].owns_address)
        parents[name] = ParentSettings(bound.link.ifindex, name, owns)
    return DesiredDataplane(
        devices=tuple(sorted(devices, key=lambda device: device.name)),
        parents=tuple(parents[name] for name in sorted(parents)),
        refused=tuple(sorted(refused)),
    )
