# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true of every step of every host, whatever goes wrong. Layer L4.

The checkers know the RFCs' promises and the site; of the engine they see states, kernels and
frames. A violation is a sentence with its time.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Set, Tuple

from ..config.model import RouterConfig, VirtualRouterConfig
from ..facts import Family, LinkFacts
from ..fsm.states import State
from ..router.actions import DataplaneChanged, Notify, RouterAction, TransmitFrame
from ..router.events import ConfigReplaced, LinksChanged, PacketReceived, RouterEvent, Stop
from ..units import format_ns
from .expectation import MARGIN_NS, Expectation
from .frames import ETHERNET_HEADER, Advert, Reader, announced_address, carries_vrrp
from .frames import virtual_router_of as router_of
from .host import SimHost
from .masters import TwoMasters
from .world import World

# Violations of one history; the first ones tell the most.
_ENOUGH = 50

Members = Dict[Tuple[str, str], Expectation]


class Checker:
    """Watches the hosts of one history. violations is empty when all was well."""

    def __init__(self, world: World, hosts: Sequence[SimHost], reader: Reader) -> None:
        self.violations: List[str] = []
        # By host and virtual router; of daemons that live.
        self.members: Members = {}
        # Set by the run when all faults have long healed: nothing changes any more.
        self.settled = False
        self._said: Set[str] = set()
        self._world = world
        self._reader = reader
        self._by_wire: Dict[Tuple[str, int, Family, int], Expectation] = {}
        self._two_masters = TwoMasters(world, self.members, self.complain)
        for host in hosts:
            host.observers.append(self)

    def complain(self, text: str) -> None:
        """Note a violation; the same one again tells nothing new."""
        if text not in self._said and len(self._said) < _ENOUGH:
            self._said.add(text)
            self.violations.append("%s: %s" % (format_ns(self._world.now_ns), text))

    # What hosts tell

    def started(self, host: SimHost) -> None:
        """See Observer."""
        self._configure(host)

    def ended(self, host: SimHost) -> None:
        """See Observer."""
        for _name, member in self._of(host):
            member.left(host.local_ns())
        self._forget(host, {name for name, _member in self._of(host)})

    def stepped(self, host: SimHost, event: RouterEvent, actions: Tuple[RouterAction, ...]) -> None:
        """See Observer."""
        gone: Set[str] = set()
        reader: Optional[Expectation] = None
        advert: Optional[Advert] = None
        if isinstance(event, PacketReceived):
            reader, advert = self._hear(host, event)
        elif isinstance(event, ConfigReplaced):
            gone = self._configure(host)
        elif isinstance(event, LinksChanged):
            self._configure(host)
        was_master = reader is not None and reader.state is State.MASTER
        sent_ns = reader.sent_ns if reader is not None else 0
        if actions or host.is_leaving:
            self._examine(host, actions, advert)
        if reader is not None and advert is not None and was_master:
            self._master_has_answered(reader, advert, sent_ns)
        if isinstance(event, Stop):
            for _name, member in self._of(host):
                if member.state is not State.INITIALIZE:
                    self._complain_of(member, "has not left at Stop")
        if gone:
            self._forget(host, gone)

    # Reading

    def _hear(
        self, host: SimHost, event: PacketReceived
    ) -> Tuple[Optional[Expectation], Optional[Advert]]:
        packet = event.packet
        advert = self._reader.advert(packet.data)
        if advert is None:
            return None, None
        member = self._by_wire.get((host.name, packet.ifindex, advert.family, advert.vrid))
        if member is None or not member.understands(advert):
            return None, None
        if member.state is State.BACKUP:
            member.hear(advert, host.local_ns())
        elif member.state is State.MASTER:
            member.provoked(advert, host.local_ns())
        elif advert.priority > 0:
            member.leaves_ns = None  # this is the successor
        return member, advert

    def _master_has_answered(self, member: Expectation, advert: Advert, sent_ns: int) -> None:
        """RFC 9568 and RFC 3768 section 6.4.3."""
        if advert.priority == 0:
            if member.sent_ns != member.host.local_ns():
                self._complain_of(member, "did not answer priority 0")
        elif member.better(advert) != (member.state is State.BACKUP):
            what = "better" if member.better(advert) else "worse"
            self._complain_of(member, "is %s after a %s one" % (member.state.value, what))

    # Doing

    def _examine(
        self, host: SimHost, actions: Tuple[RouterAction, ...], advert: Optional[Advert]
    ) -> None:
        notes = [
            action
            for action in actions
            if isinstance(action, Notify) and action.kind == "transition"
        ]
        entering = {note.name for note in notes if note.data["current"] == "master"}
        leaving = {note.name for note in notes if note.data["previous"] == "master"}
        for action in actions:
            if isinstance(action, TransmitFrame):
                self._frame(host, action, entering, leaving)
        for note in notes:
            self._transition(host, note, advert)
            if host.is_leaving and note.data["previous"] == "master":
                self.members[host.name, note.name].leave(host.local_ns())
        for name in sorted(entering):
            self._announced_at_once(self.members[host.name, name], actions)
        for name in sorted(leaving):
            self._left_in_good_order(self.members[host.name, name], actions)
        for action in actions:
            if isinstance(action, DataplaneChanged):
                self._leavers(host, action)
                self.kernel_is_right(host)
        if notes or host.is_leaving:
            self.kernel_is_right(host)

    def _leavers(self, host: SimHost, action: DataplaneChanged) -> None:
        """Who has left at last?"""
        for name, member in self._of(host):
            if member.leaves_ns is not None and not _held(action, name):
                member.left(host.local_ns())

    def _frame(
        self, host: SimHost, action: TransmitFrame, entering: Set[str], leaving: Set[str]
    ) -> None:
        frame = action.frame
        member = self._sender(host, action)
        if member is None:
            self.complain("%s sends from %s" % (host.name, frame[6:12].hex(":")))
            return
        if member.state is not State.MASTER and member.name not in entering:
            self._complain_of(member, "sends as %s" % member.state.value)
        if not carries_vrrp(frame):
            if announced_address(frame) == member.config.addresses[0]:
                member.announce(host.local_ns())
            return
        advert = self._reader.advert(frame[ETHERNET_HEADER:])
        wrong = "no advertisement" if advert is None else self._wrong(member, advert, leaving)
        if wrong:
            self._complain_of(member, "advertises with " + wrong)
        member.send(host.local_ns())

    def _sender(self, host: SimHost, action: TransmitFrame) -> Optional[Expectation]:
        claimed = router_of(action.frame[6:12])
        return None if claimed is None else self._by_wire.get((host.name, action.ifindex, *claimed))

    def _wrong(self, member: Expectation, advert: Advert, leaving: Set[str]) -> str:
        """In a word what is wrong with an advertisement of this virtual router."""
        ours = member.config
        priority = 0 if member.name in leaving else member.priority
        said = (advert.version, advert.family, advert.vrid, advert.priority, advert.source)
        right = (ours.version, ours.family, ours.vrid, priority, member.source)
        if said != right:
            return "%s and not %s" % (said, right)
        if advert.interval_cs != ours.advertisement_interval_cs:
            return "the interval %d cs" % advert.interval_cs
        return "" if set(ours.addresses) <= set(advert.addresses) else "other addresses"

    def _transition(self, host: SimHost, note: Notify, advert: Optional[Advert]) -> None:
        if self.settled:
            text = "%s: %s %s after everything had settled"
            self.complain(text % (host.name, note.name, note.data["current"]))
        member = self.members[host.name, note.name]
        state = State(note.data["current"])
        was_master = note.data["previous"] == "master"
        if state is State.MASTER:
            self._in_order_of_priority(member)
        yielded_to = advert if was_master and state is State.BACKUP else None
        member.enter(state, host.local_ns(), yielded_to)
        self._two_masters.changed(note.name)

    def _in_order_of_priority(self, member: Expectation) -> None:
        """Nobody better was set back by the same advertisement and is still waiting."""
        if member.state is not State.BACKUP or member.is_owner or member.armed_by is None:
            return
        for (_host, name), other in self.members.items():
            if name != member.name or other.armed_by is not member.armed_by:
                continue
            if other.state is not State.BACKUP or other.is_held_up():
                continue
            drift_ns = abs(other.host.rate - member.host.rate) * member.waited_ns()
            earlier_ns = member.skew_ns() - other.skew_ns() - 2 * MARGIN_NS - int(drift_ns)
            together = abs(other.waited_ns() - member.waited_ns()) < MARGIN_NS + drift_ns
            if earlier_ns > 0 and together:
                self._complain_of(member, "overtook %s, which is better" % other.host.name)

    def _announced_at_once(self, member: Expectation, actions: Sequence[RouterAction]) -> None:
        """Advertisement, kernel, announcements of all addresses, in this order."""
        wanted = set(member.config.addresses)
        advertised = applied = -1
        for index, action in enumerate(actions):
            if isinstance(action, DataplaneChanged):
                held = _held(action, member.name)
                applied = index if wanted <= held and advertised >= 0 else applied
            elif isinstance(action, TransmitFrame) and self._sender(member.host, action) is member:
                if carries_vrrp(action.frame):
                    advertised = index
                elif applied >= 0:
                    wanted.discard(announced_address(action.frame))
        if wanted:
            self._complain_of(member, "became master without announcing it in good order")

    def _left_in_good_order(self, member: Expectation, actions: Sequence[RouterAction]) -> None:
        """Who leaves says so with priority 0; who was overruled says nothing any more."""
        said = [
            self._reader.advert(action.frame[ETHERNET_HEADER:])
            for action in actions
            if isinstance(action, TransmitFrame)
            and carries_vrrp(action.frame)
            and self._sender(member.host, action) is member
        ]
        released = any(advert is not None and advert.priority == 0 for advert in said)
        if released != (member.state is not State.BACKUP):
            self._complain_of(member, "left%s with priority 0" % ("" if released else " not"))

    def kernel_is_right(self, host: SimHost) -> None:
        """Addresses are held by masters, all of theirs, and by nobody else."""
        if host.kernel_is_behind:
            return
        held = {
            device.alias: {address.address for address in device.addresses}
            for device in host.kernel.devices
        }
        for name, member in self._of(host):
            found = held.pop(name, set())
            if member.leaves_ns is not None:
                continue
            wanted = set(member.config.addresses) if member.state is State.MASTER else set()
            if not wanted <= found or bool(wanted) != bool(found):
                text = "is %s, and its kernel holds %d addresses"
                self._complain_of(member, text % (member.state.value, len(found)))
        if any(held.values()):
            self.complain("%s holds addresses of %s" % (host.name, ", ".join(sorted(held))))

    # Whom it watches

    def _of(self, host: SimHost) -> List[Tuple[str, Expectation]]:
        return [(name, member) for (of, name), member in self.members.items() if of == host.name]

    def _complain_of(self, member: Expectation, text: str) -> None:
        self.complain("%s: %s %s" % (member.host.name, member.name, text))

    def _configure(self, host: SimHost) -> Set[str]:
        """The daemon learned of a configuration or of links; which members it gives up."""
        config = host.seen_config
        links = {link.name: link for link in host.seen_links}
        gone = {name for name, _member in self._of(host)}
        for ours in config.virtual_routers:
            link = links[ours.interface]
            key = (host.name, ours.name)
            if key not in self.members:
                self.members[key] = self._member(host, ours, link)
                wire = (host.name, link.ifindex, ours.family, ours.vrid)
                self._by_wire[wire] = self.members[key]
            self.members[key].configure(ours, _priority(config, ours, links), _source(ours, link))
            self._two_masters.changed(ours.name)
            gone.discard(ours.name)
        return gone

    def _member(self, host: SimHost, ours: VirtualRouterConfig, link: LinkFacts) -> Expectation:
        def complain(text: str) -> None:
            self.complain("%s: %s %s" % (host.name, ours.name, text))

        return Expectation(host, host.segment_of(link.ifindex), ours, complain)

    def _forget(self, host: SimHost, names: Set[str]) -> None:
        for name in sorted(names):
            member = self.members.pop((host.name, name))
            self._by_wire = {w: kept for w, kept in self._by_wire.items() if kept is not member}
            self._two_masters.changed(name)


def _held(action: DataplaneChanged, name: str) -> Set[bytes]:
    return {
        address.address
        for device in action.desired.devices
        if device.alias == name
        for address in device.addresses
    }


def _priority(config: RouterConfig, ours: VirtualRouterConfig, links: Dict[str, LinkFacts]) -> int:
    """Less the penalties of trackers whose interface has no carrier; at least 1."""
    if ours.priority == 255:
        return 255
    interfaces = {tracker.name: tracker.interface for tracker in config.trackers}
    lost = sum(
        reference.penalty
        for reference in ours.track
        if not links[interfaces[reference.tracker]].has_carrier
    )
    return max(1, ours.priority - lost)


def _source(ours: VirtualRouterConfig, link: LinkFacts) -> bytes:
    """Links of the simulation have one address of each family."""
    width = ours.family.address_length
    return next(each.address for each in link.addresses if len(each.address) == width)
