# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true of every step of every host, whatever goes wrong. Layer L4.

The checkers know the RFCs' promises and the site; of the engine they see states, kernels and
frames. A violation is a sentence with its time.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, List, Optional, Sequence, Set, Tuple

from ..config.model import VirtualRouterConfig
from ..facts import Family, LinkFacts
from ..fsm.states import State
from ..router.actions import DataplaneChanged, Notify, RenewLeases, RouterAction, TransmitFrame
from ..router.desired import VirtualDevice
from ..router.events import (
    ALL,
    ConfigReplaced,
    DrainChanged,
    LinksChanged,
    PacketReceived,
    RouterEvent,
    Stop,
    Tick,
)
from ..units import NS_PER_S, format_ns, ns_from_cs
from ..wire.constants import virtual_mac
from .expectation import MARGIN_NS, Expectation
from .frames import ETHERNET_HEADER, Advert, Reader, announced_address, carries_vrrp
from .frames import virtual_router_of as router_of
from .host import SimHost
from .kernel import identity
from .masters import TwoMasters
from .site_view import effective_priority, group_of, source_address
from .world import World

# Violations of one history; the first ones tell the most.
_ENOUGH = 50
# Until what somebody else removed is back.
_REPAIR_NS = 20_000_000
# Beside a lease: clocks that drift, and the last second that a kernel counts.
_LEASE_MARGIN_NS = 150_000_000
# A kernel that refuses may have refused to renew a lease.
_REFUSAL_FORGOTTEN_NS = 10 * NS_PER_S
# A master that was silent so long is no longer one for the others; its phase was cut to a slot, and
# an answer to somebody worse does not count.
_STALL_INTERVALS, _SURE_INTERVALS = 3, 2
_SLOT_NS = 20_000_000

Members = Dict[Tuple[str, str], Expectation]


class Checker:
    """Watches the hosts of one history. violations is empty when all was well."""

    def __init__(self, world: World, hosts: Sequence[SimHost], reader: Reader) -> None:
        self.violations: List[str] = []
        # By host and identity of the virtual router; of daemons that live.
        self.members: Members = {}
        # Set by the run when nothing may change any more: what is going on, in a word.
        self.calm = ""
        # Virtual routers, by identity, for which that does not hold.
        self.restless: FrozenSet[str] = frozenset()
        self._said: Set[str] = set()
        self._world = world
        self._reader = reader
        self._by_host: Dict[str, Dict[str, Expectation]] = {}
        self._by_wire: Dict[Tuple[str, int, Family, int], Expectation] = {}
        # Names change, and a note may use the one before.
        self._ids: Dict[Tuple[str, str], str] = {}
        # By host: identities, or ALL.
        self._drained: Dict[str, FrozenSet[str]] = {}
        # When a master that died was last heard, and the interval it promised.
        self._last_words: Dict[Tuple[str, str], Tuple[int, int]] = {}
        self._two_masters = TwoMasters(world, self.members, self.complain)
        for host in hosts:
            host.observers.append(self)

    def complain(self, text: str) -> None:
        """Note a violation; the same one again tells nothing new."""
        if text not in self._said and len(self._said) < _ENOUGH:
            self._said.add(text)
            self.violations.append("%s: %s" % (format_ns(self._world.now_ns), text))

    def is_drained(self, host: SimHost, ours: VirtualRouterConfig) -> bool:
        """Whether it shall be master only if nobody else is."""
        drained = self._drained.get(host.name, frozenset())
        group = {str(each.key) for each in group_of(host.seen_config, ours)}
        return ours.priority != 255 and (ALL in drained or bool(group & drained))

    # What hosts tell

    def started(self, host: SimHost) -> None:
        """See Observer."""
        self._drained[host.name] = host.drained
        self._configure(host)
        for key in host.adopted:
            member = self.members[host.name, key]
            if member.has_carrier and all(o.id in host.adopted for o in member.companions):
                member.resumes = State.MASTER
            self._is_missed(member)

    def _is_missed(self, member: Expectation) -> None:
        """Nobody can have taken over from one that goes on so soon."""
        key = (member.host.name, member.id)
        sent_ns, interval_cs = self._last_words.pop(key, (0, 0))
        silence_ns = member.host.local_ns() - sent_ns
        if silence_ns >= 3 * ns_from_cs(interval_cs):
            self._complain_of(member, "goes on as master after %s" % format_ns(silence_ns))

    def upgraded(self, host: SimHost) -> None:
        """See Observer."""
        for _id, member in self._of(host):
            if member.state is not State.INITIALIZE:
                member.resumes = member.state

    def ended(self, host: SimHost) -> None:
        """See Observer."""
        for key, member in self._of(host):
            member.left(host.local_ns())
            if member.state is State.MASTER:
                interval_cs = member.config.advertisement_interval_cs
                self._last_words[host.name, key] = (member.sent_ns, interval_cs)
        self._forget(host, {key for key, _member in self._of(host)})

    def halted(self, host: SimHost, lease_s: int) -> None:
        """See Observer."""
        halts = host.halts

        def look() -> None:
            if host.halts == halts and host.is_halted() and host.owns_something():
                text = "%s is halted for longer than the lease, and owns addresses"
                self.complain(text % host.name)

        if lease_s:
            self._world.after(lease_s * NS_PER_S * 102 // 100 + _LEASE_MARGIN_NS, look)

    def kernel_changed(self, host: SimHost, expired: bool) -> None:
        """See Observer."""
        if not host.alive or host.stalled():
            return
        robbed_ns = host.robbed_ns
        refused_ns = self._world.now_ns - host.refused_ns
        for _key, member in self._of(host):
            if not expired or member.state is not State.MASTER or member.is_held_up():
                continue
            if not host.holds_all(member.device) and refused_ns > _REFUSAL_FORGOTTEN_NS:
                self._complain_of(member, "let the lease of its addresses end")

        def look() -> None:
            unwell = host.stalled() or host.kernel_is_behind or not host.alive
            if not unwell and robbed_ns is not None and host.robbed_ns == robbed_ns:
                self.complain("%s has not put back what was taken away" % host.name)

        self._world.after(_REPAIR_NS, look)

    def stepped(self, host: SimHost, event: RouterEvent, actions: Tuple[RouterAction, ...]) -> None:
        """See Observer."""
        reader: Optional[Expectation] = None
        advert: Optional[Advert] = None
        if isinstance(event, PacketReceived):
            reader, advert = self._hear(host, event)
        elif isinstance(event, (ConfigReplaced, LinksChanged)):
            self._configure(host)
        elif isinstance(event, DrainChanged):
            before = {key for key, member in self._of(host) if self.is_drained(host, member.config)}
            self._drained[host.name] = event.drained
            self._configure(host)
        was_master = reader is not None and reader.state is State.MASTER
        before_ns = (reader.sent_ns, reader.asked_ns) if reader is not None else (0, 0)
        if actions or host.is_leaving:
            self._examine(host, event, actions, advert)
        if reader is not None and advert is not None and was_master:
            self._master_has_answered(reader, advert, before_ns)
        if isinstance(event, DrainChanged):
            for key, member in self._of(host):
                is_new = key not in before and self.is_drained(host, member.config)
                if is_new and member.state is State.MASTER:
                    self._complain_of(member, "was drained, and stays master")
        if isinstance(event, Stop):
            for _key, member in self._of(host):
                if member.state is not State.INITIALIZE:
                    self._complain_of(member, "has not left at Stop")
        if actions or not isinstance(event, PacketReceived):
            self._clear_up(host)

    def _clear_up(self, host: SimHost) -> None:
        """What has to be true after each step."""
        gone = set()
        for key, member in self._of(host):
            if member.resumes is not None:
                self._complain_of(member, "did not go on as %s" % member.resumes.value)
                member.resumes = None
            if member.is_removed and member.state is not State.INITIALIZE:
                self._complain_of(member, "was removed and is %s" % member.state.value)
            if member.is_removed and member.leaves_ns is None:
                gone.add(key)
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
        if advert.priority > 0:
            member.heard_a_drained_one = member.leaves_ns is not None and advert.priority == 1
            member.leaves_ns = None  # this is the successor
        return member, advert

    def _master_has_answered(
        self, member: Expectation, advert: Advert, before_ns: Tuple[int, int]
    ) -> None:
        """RFC 9568 and RFC 3768 section 6.4.3."""
        if advert.priority == 0:
            if member.sent_ns != member.host.local_ns():
                self._complain_of(member, "did not answer priority 0")
        elif member.better(advert):
            if member.state is not State.BACKUP:
                self._complain_of(member, "is %s after a better one" % member.state.value)
        elif not self._may_be(member, before_ns):
            self._complain_of(member, "is %s after a worse one" % member.state.value)

    def _may_be(self, member: Expectation, before_ns: Tuple[int, int]) -> bool:
        """A master stays what it is; but who was silent for long yields to whoever took over."""
        sent_ns, asked_ns = before_ns
        now_ns = member.host.local_ns()
        interval_ns = ns_from_cs(member.config.advertisement_interval_cs)
        if member.state is State.MASTER:
            return member.is_owner or now_ns - sent_ns < _STALL_INTERVALS * interval_ns
        silent_ns = now_ns - asked_ns
        return not member.is_owner and silent_ns >= _SURE_INTERVALS * interval_ns - _SLOT_NS

    # Doing

    def _examine(
        self,
        host: SimHost,
        event: RouterEvent,
        actions: Tuple[RouterAction, ...],
        advert: Optional[Advert],
    ) -> None:
        notes: List[Tuple[Expectation, Notify]] = []
        for action in actions:
            if isinstance(action, Notify) and action.kind == "transition":
                notes.append((self._member_of(host, action.name), action))
            elif isinstance(action, Notify) and action.kind == "drain":
                self._drain(host, action)
        entering = {member.id for member, note in notes if note.data["current"] == "master"}
        leaving = {member.id for member, note in notes if note.data["previous"] == "master"}
        resuming = {member.id for member, note in notes if note.data["reason"] == "resumed"}
        before = {key: member.state for key, member in self._of(host)}
        for action in actions:
            if isinstance(action, TransmitFrame):
                unasked = isinstance(event, (ConfigReplaced, LinksChanged, DrainChanged))
                self._frame(host, action, entering, leaving, unasked, isinstance(event, Tick))
            elif isinstance(action, RenewLeases):
                self._renewed(host, action, actions)
        for key in sorted(entering):
            if before[key] is State.BACKUP and not self.members[host.name, key].is_owner:
                self.members[host.name, key].must_not_be_late(host.local_ns())
        for member, note in notes:
            self._transition(member, note, advert, before, resuming)
        for member, note in notes:
            self._reasoned(member, note, event)
        for key in sorted(entering - resuming):
            self._announced_at_once(self.members[host.name, key], actions)
        for key in sorted(leaving):
            self._left_in_good_order(self.members[host.name, key], actions)
        if notes:
            self._undivided(host)
        for action in actions:
            if isinstance(action, DataplaneChanged):
                self._leavers(host, action)
                self.kernel_is_right(host)
        if notes or host.is_leaving:
            self.kernel_is_right(host)

    def _drain(self, host: SimHost, note: Notify) -> None:
        """The router may undo it alone, when nobody took over."""
        if note.data.get("code") != "no-successor":
            return
        ours = self._member_of(host, note.name).config
        drained = self._drained[host.name]
        if ALL in drained:
            drained = frozenset(str(each.key) for each in host.seen_config.virtual_routers)
        group = {str(each.key) for each in group_of(host.seen_config, ours)}
        self._drained[host.name] = drained - group
        self._configure(host)

    def _leavers(self, host: SimHost, action: DataplaneChanged) -> None:
        """Who leaves forwards and answers no ARP, until it has left; who is master answers."""
        devices = {identity(device): device for device in action.desired.devices}
        for _key, member in self._of(host):
            device = devices.get(member.device)
            held = device is not None and bool(device.addresses)
            is_quiet = device is not None and device.is_quiet
            if member.leaves_ns is None:
                if is_quiet:
                    self._complain_of(member, "is %s and quiet" % member.state.value)
            elif held and not is_quiet:
                self._complain_of(member, "answers ARP while it leaves")
            elif not held:
                if member.leaves_too_soon(host.local_ns()):
                    self._complain_of(member, "stopped forwarding before a successor was there")
                member.left(host.local_ns())

    def _renewed(
        self, host: SimHost, action: RenewLeases, actions: Tuple[RouterAction, ...]
    ) -> None:
        """A lease says that advertisements leave; so one has to be in the same step."""
        said = {
            member.id
            for sent in actions
            if isinstance(sent, TransmitFrame) and carries_vrrp(sent.frame)
            for member in (self._sender(host, sent),)
            if member is not None
        }
        for _key, member in self._of(host):
            device = host.kernel.device(member.device)
            if device is not None and device.name in action.devices and member.id not in said:
                self._complain_of(member, "renews a lease without an advertisement")

    def _frame(
        self,
        host: SimHost,
        action: TransmitFrame,
        entering: Set[str],
        leaving: Set[str],
        unasked: bool,
        timed: bool,
    ) -> None:
        frame = action.frame
        member = self._sender(host, action)
        if member is None:
            self.complain("%s sends from %s" % (host.name, frame[6:12].hex(":")))
            return
        if member.state is not State.MASTER and member.id not in entering:
            self._complain_of(member, "sends as %s" % member.state.value)
        if not carries_vrrp(frame):
            if announced_address(frame) == member.config.addresses[0]:
                member.announce(host.local_ns())
            return
        advert = self._reader.advert(frame[ETHERNET_HEADER:])
        if unasked and advert is not None and advert.priority == member.priority:
            leaving = set()  # it says the new priority before it leaves
        wrong = "no advertisement" if advert is None else self._wrong(member, advert, leaving)
        if wrong:
            self._complain_of(member, "advertises with " + wrong)
        member.send(host.local_ns(), unasked, timed)

    def _sender(self, host: SimHost, action: TransmitFrame) -> Optional[Expectation]:
        claimed = router_of(action.frame[6:12])
        return None if claimed is None else self._by_wire.get((host.name, action.ifindex, *claimed))

    def _wrong(self, member: Expectation, advert: Advert, leaving: Set[str]) -> str:
        """In a word what is wrong with an advertisement of this virtual router."""
        ours = member.config
        priority = 0 if member.id in leaving else member.priority
        said = (advert.version, advert.family, advert.vrid, advert.priority, advert.source)
        right = (ours.version, ours.family, ours.vrid, priority, member.source)
        if said != right:
            return "%s and not %s" % (said, right)
        if advert.interval_cs != ours.advertisement_interval_cs:
            return "the interval %d cs" % advert.interval_cs
        return "" if set(ours.addresses) <= set(advert.addresses) else "other addresses"

    def _transition(
        self,
        member: Expectation,
        note: Notify,
        advert: Optional[Advert],
        before: Dict[str, State],
        resuming: Set[str],
    ) -> None:
        host, reason = member.host, note.data["reason"]
        state = State(note.data["current"])
        if reason == "resumed":
            self._resumes(member, state)
            return
        was_master = note.data["previous"] == "master"
        calm = self.calm and member.id not in self.restless
        if calm and (was_master or state is State.MASTER or self.calm == "peace"):
            text = "%s: %s became %s during %s"
            self.complain(text % (host.name, note.name, state.value, self.calm))
        if state is State.MASTER and reason != "no-successor":
            self._in_order_of_priority(member)
        gave_way = reason in ("higher-priority", "higher-address", "stalled")
        joins = any(
            before.get(other.id) is State.MASTER or other.id in resuming
            for other in member.companions
        )
        member.enter(state, reason, host.local_ns(), advert if gave_way else None, joins)
        if was_master and not gave_way and member.has_carrier:
            member.leave(host.local_ns())
        if reason == "hand-over" and "sync group" in note.data["detail"]:
            member.may_return()
        self._two_masters.changed(member.id)

    def _resumes(self, member: Expectation, state: State) -> None:
        """Another process goes on: nobody may notice."""
        if member.resumes is not None and member.resumes is not state:
            self._complain_of(member, "went on as %s" % state.value)
        elif member.resumes is None and member.id not in member.host.adopted:
            self._complain_of(member, "resumed what it was not")
        member.resume(state, member.host.local_ns())
        self._two_masters.changed(member.id)

    def _reasoned(self, member: Expectation, note: Notify, event: RouterEvent) -> None:
        """A master gives its role away only when it was told to, or cannot be it any more."""
        split = any(other.state is not State.MASTER for other in member.companions)
        if note.data["reason"] == "hand-over":
            if not split and not self.is_drained(member.host, member.config):
                self._complain_of(member, "gave its role away for no reason")
        elif note.data["reason"] == "shutdown" and note.data["previous"] == "master":
            cannot = not member.has_carrier or any(not o.has_carrier for o in member.companions)
            if not (cannot or member.is_removed or isinstance(event, Stop)):
                self._complain_of(member, "stopped being master for no reason")

    def _undivided(self, host: SimHost) -> None:
        """The members of a sync group are master together or not at all."""
        for _key, member in self._of(host):
            if member.state is not State.MASTER or member.is_removed:
                continue
            for other in member.companions:
                if other.state is not State.MASTER and other.has_carrier:
                    text = "is master, and %s of its sync group is %s"
                    self._complain_of(member, text % (other.config.name, other.state.value))

    def _in_order_of_priority(self, member: Expectation) -> None:
        """Nobody better was set back by the same advertisement and is still waiting."""
        if member.state is not State.BACKUP or member.is_owner or member.armed_by is None:
            return
        if member.companions:
            return
        for (_host, key), other in self.members.items():
            if key != member.id or other.armed_by is not member.armed_by or other.companions:
                continue
            if other.state is not State.BACKUP or other.is_held_up():
                continue
            drift_ns = abs(other.host.rate - member.host.rate) * member.waited_ns()
            earlier_ns = member.skew_ns() - other.skew_ns() - 2 * MARGIN_NS - int(drift_ns)
            together = abs(other.waited_ns() - member.waited_ns()) < MARGIN_NS + drift_ns
            if earlier_ns > 0 and together:
                self._complain_of(member, "overtook %s, which is better" % other.host.name)

    def _announced_at_once(self, member: Expectation, actions: Sequence[RouterAction]) -> None:
        """Advertisement and kernel, then announcements of all addresses. The kernel comes first
        where somebody else still forwards."""
        wanted = set(member.config.addresses)
        advertised = applied = False
        for action in actions:
            if isinstance(action, DataplaneChanged):
                device = next((d for d in action.desired.devices if _is(d, member)), None)
                held = {each.address for each in device.addresses} if device else set()
                applied = applied or wanted <= held
            elif isinstance(action, TransmitFrame) and self._sender(member.host, action) is member:
                if carries_vrrp(action.frame):
                    advertised = True
                elif applied and advertised:
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
        if released != (member.leaves_ns is not None or member.state is not State.BACKUP):
            self._complain_of(member, "left%s with priority 0" % ("" if released else " not"))

    def kernel_is_right(self, host: SimHost) -> None:
        """Addresses are held by masters, all of theirs, and by nobody else."""
        if host.kernel_is_behind or host.robbed_ns is not None:
            return
        held = {
            identity(device): {address.address for address in device.addresses}
            for device in host.kernel.devices
        }
        for _key, member in self._of(host):
            found = held.pop(member.device, set())
            if member.leaves_ns is not None:
                continue
            wanted = set(member.config.addresses) if member.state is State.MASTER else set()
            if not wanted <= found or bool(wanted) != bool(found):
                text = "is %s, and its kernel holds %d addresses"
                self._complain_of(member, text % (member.state.value, len(found)))
        if any(held.values()):
            self.complain("%s holds addresses of nobody" % host.name)

    # Whom it watches

    def _of(self, host: SimHost) -> List[Tuple[str, Expectation]]:
        return list(self._by_host.get(host.name, {}).items())

    def _member_of(self, host: SimHost, name: str) -> Expectation:
        return self.members[host.name, self._ids[host.name, name]]

    def _complain_of(self, member: Expectation, text: str) -> None:
        self.complain("%s: %s %s" % (member.host.name, member.config.name, text))

    def _configure(self, host: SimHost) -> None:
        """The daemon learned of a configuration, of links or of what is drained."""
        config = host.seen_config
        links = {link.name: link for link in host.seen_links}
        gone = {key for key, _member in self._of(host)}
        for ours in config.virtual_routers:
            link = links[ours.interface]
            key = (host.name, str(ours.key))
            self._ids[host.name, ours.name] = str(ours.key)
            if key not in self.members:
                self.members[key] = self._member(host, ours, link)
                self._by_host.setdefault(host.name, {})[str(ours.key)] = self.members[key]
                wire = (host.name, link.ifindex, ours.family, ours.vrid)
                self._by_wire[wire] = self.members[key]
            gone.discard(str(ours.key))
        for ours in config.virtual_routers:
            self._configure_one(host, ours, links)
        for key_gone in gone:
            member = self.members[host.name, key_gone]
            if not links[member.config.interface].has_carrier:
                member.leaves_ns = None
            member.is_removed = True
            member.companions = ()

    def _configure_one(
        self, host: SimHost, ours: VirtualRouterConfig, links: Dict[str, LinkFacts]
    ) -> None:
        member = self.members[host.name, str(ours.key)]
        config, link = host.seen_config, links[ours.interface]
        drained = self.is_drained(host, ours)
        priority = 1 if drained else effective_priority(config, ours, links)
        before = member.companions
        others = [self.members[host.name, str(each.key)] for each in group_of(config, ours)]
        member.companions = tuple(other for other in others if other is not member) or before
        member.configure(ours, priority, source_address(ours, link), link.has_carrier)
        member.companions = tuple(other for other in others if other is not member)
        self._two_masters.changed(member.id)

    def _member(self, host: SimHost, ours: VirtualRouterConfig, link: LinkFacts) -> Expectation:
        def complain(text: str) -> None:
            self.complain("%s: %s %s" % (host.name, ours.name, text))

        device = (link.ifindex, virtual_mac(ours.family, ours.vrid))
        return Expectation(host, host.segment_of(link.ifindex), device, ours, complain)

    def _forget(self, host: SimHost, keys: Set[str]) -> None:
        for key in sorted(keys):
            member = self.members.pop((host.name, key))
            del self._by_host[host.name][key]
            self._by_wire = {w: kept for w, kept in self._by_wire.items() if kept is not member}
            self._two_masters.changed(key)


def _is(device: VirtualDevice, member: Expectation) -> bool:
    return identity(device) == member.device
