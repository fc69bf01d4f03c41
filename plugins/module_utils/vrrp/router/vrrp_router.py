# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VRRP router: the whole host with its virtual routers. Layer L3. RFC 9568 section 1.6.

Pure. The shell calls step() with what happened and the time, carries out the actions in their
order, and comes back with Tick at deadline_ns. Its duties are listed in daemon/shell.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Tuple

from ..config.model import RouterConfig, VirtualRouterConfig
from ..config.resolve import NotReady, resolve
from ..errors import DecodeError
from ..facts import LinkFacts, ProbeResult, ReceivedPacket
from ..fsm import actions as fsm_actions
from ..fsm.actions import Reason
from ..fsm.events import Event, HandOver, ParametersChanged, Resume, Shutdown, Startup, Takeover
from ..fsm.events import Tick as MachineTick
from ..fsm.parameters import OWNER_PRIORITY, RELEASE_PRIORITY, RouterParameters
from ..fsm.states import State
from ..fsm.virtual_router import VirtualRouter
from ..wire.ndp import read_solicitation
from .actions import Notify, RouterAction
from .bound_router import BoundRouter, Occurrence, PastTransition, desired_dataplane
from .deadlines import DeadlineQueue
from .desired import DesiredDataplane
from .events import (
    ALL,
    ConfigReplaced,
    DrainChanged,
    LinksChanged,
    PacketReceived,
    PacketsReceived,
    Repaired,
    RouterEvent,
    SolicitationReceived,
    Stop,
    Tick,
    TrackerReported,
)
from .explain import discarded, explain, remarked, told
from .gaps import LATE_NS, GapWatch
from .inheritance import Inheritance
from .log_limit import LogLimit
from .outbox import Outbox, succeeds
from .phases import Phases
from .receive import Discard
from .steady import Burst, SteadyMasters
from .sync_group import WAITS_FOR_GROUP, Resolved, SyncGroup, SyncGroups
from .tracking import TrackerState, penalty, replaced, report, report_links
from .wires import Wires

# Of a drained virtual router: the last one to be asked.
DRAINED_PRIORITY = 1
# Why it hands over; see explain.py.
FOR_GROUP = "sync-group"


class VrrpRouter:
    """Many virtual routers on many links. config has to be valid: see config/parse.py.

    inheritance: of the process that was this router until now. drained: see DrainChanged.
    """

    def __init__(
        self,
        config: RouterConfig,
        links: Tuple[LinkFacts, ...],
        now_ns: int,
        inheritance: Optional[Inheritance] = None,
        drained: FrozenSet[str] = frozenset(),
    ) -> None:
        self.config = RouterConfig()
        self.drained = drained
        self.trackers: Dict[str, TrackerState] = {}
        self.counters: Dict[str, int] = {}
        # By id. Those that were removed stay with us until they have handed over.
        self._bound: Dict[str, BoundRouter] = {}
        self._parting: Dict[str, BoundRouter] = {}
        self._groups = SyncGroups()
        self._sorted: Tuple[BoundRouter, ...] = ()
        self._links: Dict[str, LinkFacts] = {}
        self._wires = Wires()
        self._advertising: Dict[int, List[BoundRouter]] = {}
        self._steady = SteadyMasters()
        self._log_limit = LogLimit()
        self._deadlines = DeadlineQueue()
        self._phases = Phases()
        self._emitted = DesiredDataplane()
        self._dataplane_touched = False
        self._stopped = False
        self._uses_leases = False
        self._outbox = Outbox()
        self._gaps = GapWatch()
        self._replace_links(links)
        self._inherited = inheritance or Inheritance()
        self._replace_config(config, now_ns)
        self._inherited = Inheritance()
        bounds = self.bound_routers()
        self._outbox.renew(*(each.device_name for each in bounds if each.has_fresh_lease))
        # What starting brought about is handed out by the first step.
        self._deadlines.set("", now_ns)

    @property
    def deadline_ns(self) -> Optional[int]:
        """When to call step(Tick()) at the latest; None: only when something happens."""
        return self._deadlines.next_ns()

    def come_to_rest(self) -> None:
        """Put each deadline into the queue by itself; what is done later stays the same."""
        self._steady.scatter_all(self._deadlines)

    def next_due(self) -> Optional[BoundRouter]:
        """One of those for which there is something to do at deadline_ns."""
        return self._bound.get(self._deadlines.next_name())

    def bound_routers(self) -> Tuple[BoundRouter, ...]:
        """All virtual routers, sorted by name."""
        return self._sorted

    @property
    def is_leaving(self) -> bool:
        """After Stop: somebody still forwards until a successor is heard. Go on stepping."""
        return any(bound.is_leaving for bound in self._all())

    @property
    def parting(self) -> int:
        """How many were removed and still forward; their links are among listening_links()."""
        return len(self._parting)

    def _all(self) -> Iterator[BoundRouter]:
        yield from self._sorted
        yield from self._parting.values()

    def step(self, event: RouterEvent, now_ns: int) -> Tuple[RouterAction, ...]:
        """Everything to do because of the event, in order."""
        if isinstance(event, Tick):
            burst = self._steady.only_due(self._deadlines, now_ns)
            if burst is not None:
                return self._advertise_together(burst, now_ns)
            self._tick(now_ns)
        elif isinstance(event, (PacketsReceived, PacketReceived)):
            for packet in event.packets:
                self._receive(packet, now_ns)
        else:
            self._change(event, now_ns)
        return self._collect(now_ns)

    def _change(self, event: RouterEvent, now_ns: int) -> None:
        """What happens seldom."""
        if isinstance(event, SolicitationReceived):
            self._solicited(event, now_ns)
        elif isinstance(event, LinksChanged):
            self._replace_links(event.links)
            self._refresh_all(now_ns)
        elif isinstance(event, TrackerReported):
            if self._note(report(self.trackers, event.result)):
                self._refresh_all(now_ns)
        elif isinstance(event, ConfigReplaced):
            self._replace_config(event.config, now_ns)
        elif isinstance(event, DrainChanged):
            self._change_drained(event, now_ns)
        elif isinstance(event, Repaired):
            self._repaired(event, now_ns)
        elif isinstance(event, Stop):
            self._stop(now_ns)

    def _stop(self, now_ns: int) -> None:
        self._stopped = True
        self._wires.known.clear()
        for bound in self.bound_routers():
            self._part(bound, "stop", now_ns)

    def desired(self) -> DesiredDataplane:
        """Everything that the kernel should have because of us."""
        return desired_dataplane(self._all(), self._uses_leases)

    @property
    def emitted(self) -> DesiredDataplane:
        """What the last DataplaneChanged said."""
        return self._emitted

    def listening_links(self) -> Tuple[LinkFacts, ...]:
        """The links that carry virtual routers, sorted by name."""
        links = {bound.link.name: bound.link for bound in self._all() if bound.link}
        return tuple(links[name] for name in sorted(links))

    def advertising_links(self) -> Tuple[LinkFacts, ...]:
        """Those of them whose hosts may ask us for routers, sorted by name."""
        return tuple(link for link in self.listening_links() if link.ifindex in self._advertising)

    def _collect(self, now_ns: int) -> Tuple[RouterAction, ...]:
        if self._dataplane_touched and self._outbox.is_crowded:
            # What else there is to do would keep them waiting: a step of its own, at once.
            self._deadlines.set("", now_ns)
            return self._outbox.take_advertisements()
        changed: Optional[DesiredDataplane] = None
        if self._dataplane_touched:
            self._dataplane_touched = False
            desired = self.desired()
            if desired != self._emitted:
                self._emitted = changed = desired
        self._outbox.note(*self._gaps.notes())
        return self._outbox.take(changed)

    def _tell(
        self, bound: BoundRouter, kind: str, message: str, data: Mapping[str, Any], now_ns: int
    ) -> None:
        """To those who listen now, and to those who ask why later."""
        bound.occurrences.append(Occurrence(now_ns, kind, message))
        self._outbox.note(Notify(kind, bound.config.name, message, data))

    # Packets

    def _receive(self, packet: ReceivedPacket, now_ns: int) -> None:
        known = self._wires.known.get((packet.ifindex, packet.data)) or self._wires.judge(packet)
        if isinstance(known, Discard):
            self._discard(known, now_ns)
            return
        bound, verdict = known
        if bound.hears_again(verdict, now_ns):
            self._deadlines.set(bound.id, bound.deadline_ns())
            return
        self._steady.scatter(bound, self._deadlines)  # it may want another checksum from now on
        bound.hears(verdict, now_ns)
        self._gaps.hears(bound, verdict.event, now_ns)
        for remark in verdict.remarks:
            bound.count(remark.value)
            if bound.log_limit.may_log(remark, now_ns):
                self._outbox.note(remarked(remark, verdict.event.source, bound.config.name))
        self._run_in_group(bound, verdict.event, now_ns)
        if bound.is_leaving:
            self._heard_while_leaving(bound, verdict.event.priority, now_ns)

    def _discard(self, discard: Discard, now_ns: int) -> None:
        reason = discard.reason
        bound = self._bound.get(discard.id)
        owner, limit = (bound, bound.log_limit) if bound else (self, self._log_limit)
        owner.counters[reason.value] = owner.counters.get(reason.value, 0) + 1
        if not self._stopped and limit.may_log(reason, now_ns):
            self._outbox.note(discarded(discard, bound.config.name if bound else ""))

    def _solicited(self, event: SolicitationReceived, now_ns: int) -> None:
        """RFC 4861 section 6.2.6, by every virtual router of the link that advertises."""
        advertising = self._advertising.get(event.ifindex, [])
        if not advertising:
            return
        try:
            read_solicitation(event.data)
        except DecodeError as error:
            self._discard(Discard(error.reason, error.detail), now_ns)
            return
        for bound in advertising:
            bound.solicited(now_ns)
            self._steady.wake_in_time(bound, self._deadlines)

    # Time

    def _tick(self, now_ns: int) -> None:
        is_late = self._deadlines.late_ns(now_ns) >= LATE_NS
        self._steady.scatter_due(self._deadlines, now_ns)
        for name in self._deadlines.due(now_ns):
            if is_late and name in self._bound:
                self._gaps.advertises(self._bound[name], now_ns)
            bound = self._parting.get(name) or self._bound.get(name)
            if bound is None:
                continue
            if bound.link is not None:
                self._outbox.announce(bound.link.ifindex, bound.announce_when_due(now_ns))
            self._run_in_group(bound, MachineTick(), now_ns)
            if bound.leaves_ns is not None and now_ns >= bound.leaves_ns:
                self._left_alone(bound, "no other router took over", now_ns)
            if bound.is_out_of_patience(now_ns):
                self._refresh_all(now_ns)
        self._steady.gather(self._deadlines)

    def _advertise_together(self, burst: Burst, now_ns: int) -> Tuple[RouterAction, ...]:
        if self._deadlines.late_ns(now_ns) >= LATE_NS:
            for bound in burst.bounds:
                self._gaps.advertises(bound, now_ns)
        frames = self._steady.advertise(burst, self._deadlines, now_ns)
        notes = self._gaps.notes()
        return (*frames, *notes) if notes else frames

    # Machines

    def _run(self, bound: BoundRouter, event: Event, now_ns: int) -> None:
        if bound.machine is None:
            return
        self._follow(bound, bound.machine.step(event, now_ns), now_ns)

    def _follow(
        self, bound: BoundRouter, actions: Tuple[fsm_actions.Action, ...], now_ns: int
    ) -> None:
        """Carry out what the machine of a virtual router asks for."""
        if actions or not self._steady.keeps(bound):
            self._steady.scatter(bound, self._deadlines)
        for action in actions:
            if isinstance(action, fsm_actions.SendAdvertisement):
                self._advertise(bound, action, succeeds(actions), now_ns)
            else:
                self._carry_out(bound, action, now_ns)
        self._phases.settle(bound, now_ns)
        self._steady.wake_in_time(bound, self._deadlines)
        self._steady.note(bound, actions)

    def _run_in_group(self, bound: BoundRouter, event: Event, now_ns: int) -> None:
        """As _run(); then the rest of its sync group follows."""
        was_master = bound.state is State.MASTER
        self._run(bound, event, now_ns)
        group = self._groups.of(bound)
        if group is None:
            return
        if was_master and bound.state is not State.MASTER:
            for other in group.others(bound):
                self._hand_over(other, FOR_GROUP, now_ns)
        elif bound.wants_mastership and group.may_take_over():
            self._take_over(group.members, Reason.SYNC_GROUP, now_ns)

    def _take_over(self, members: Iterable[BoundRouter], reason: Reason, now_ns: int) -> None:
        for bound in members:
            self._run(bound, Takeover(reason), now_ns)

    def _hand_over(
        self, bound: BoundRouter, cause: str, now_ns: int, returns: bool = False
    ) -> None:
        """Give the role away without losing a packet: see BoundRouter.leave()."""
        bound.leave(now_ns, returns)
        self._run(bound, HandOver(cause, still_wants=cause == FOR_GROUP), now_ns)

    def _part(self, bound: BoundRouter, cause: str, now_ns: int) -> None:
        """The same, for good."""
        bound.leave(now_ns)
        bound.returns = False
        self._run(bound, Shutdown(cause), now_ns)

    def _end(self, bound: BoundRouter, cause: str, now_ns: int) -> None:
        """The same at once: its link or its device is no longer its own."""
        self._run(bound, Shutdown(cause), now_ns)
        if bound.is_leaving:
            self._release(bound)

    def _advertise(
        self, bound: BoundRouter, action: fsm_actions.SendAdvertisement, succeeds: bool, now_ns: int
    ) -> None:
        transmit = bound.advertisement(action.priority, action.interval_cs)
        if succeeds:
            self._outbox.succeed(transmit)
        elif action.priority == RELEASE_PRIORITY and bound.is_leaving:
            self._outbox.release(transmit)
        else:
            self._outbox.advertise(transmit)
        bound.count("advertisement-sent")
        if action.priority == RELEASE_PRIORITY:
            bound.count("priority-zero-pkts-sent")
        elif bound.must_renew(bound.lease_s(self._uses_leases), now_ns):
            self._outbox.renew(bound.device_name)

    def _carry_out(self, bound: BoundRouter, action: fsm_actions.Action, now_ns: int) -> None:
        if isinstance(action, fsm_actions.ClaimAddresses):
            bound.claim_addresses(bound.lease_s(self._uses_leases), now_ns)
            self._dataplane_touched = True
        elif isinstance(action, fsm_actions.ReleaseAddresses):
            if bound.is_leaving:
                bound.stop_announcing()
                self._dataplane_touched = True
            else:
                self._release(bound)
        elif isinstance(action, fsm_actions.AnnounceAddresses):
            self._outbox.announce(bound.link.ifindex if bound.link else 0, bound.announce(now_ns))
        elif isinstance(action, fsm_actions.Transition):
            self._record(bound, action, now_ns)

    def _release(self, bound: BoundRouter) -> None:
        bound.release_addresses()
        self._dataplane_touched = True
        self._deadlines.set(bound.id, bound.deadline_ns())
        if self._parting.get(bound.id) is bound:
            del self._parting[bound.id]
            self._wires.learn(self._all())
        self._wires.known.clear()

    def _heard_while_leaving(self, bound: BoundRouter, priority: int, now_ns: int) -> None:
        if priority == RELEASE_PRIORITY:
            return
        if bound.returns and priority <= DRAINED_PRIORITY:
            # It is drained itself, or has lost all that it tracks.
            self._left_alone(bound, "only a router with priority %d took over" % priority, now_ns)
        else:
            self._release(bound)

    def _left_alone(self, bound: BoundRouter, why: str, now_ns: int) -> None:
        """It has left, and nobody has come who can stay."""
        members = self._groups.together(bound)
        running = [each for each in members if each.state is not State.INITIALIZE]
        if not bound.returns or not all(each.is_leaving for each in running):
            self._release(bound)
            return
        for member in members:
            if self.is_drained(member):  # or it is no longer, meanwhile
                message = "not drained: %s, so it is master again" % why
                data = {"drained": False, "code": "no-successor"}
                self._tell(member, "drain", message, data, now_ns)
        drained = frozenset(self._bound) if ALL in self.drained else self.drained
        self.drained = drained - {member.id for member in members}
        self._refresh_all(now_ns)
        self._take_over(members, Reason.NO_SUCCESSOR, now_ns)

    def _record(self, bound: BoundRouter, transition: fsm_actions.Transition, now_ns: int) -> None:
        detail = explain(transition, bound.parameters)
        bound.history.append(PastTransition(now_ns, transition, detail))
        if transition.reason is Reason.RESUMED:
            bound.doubt_lease()
        elif transition.current is State.MASTER:
            bound.count("master-transitions")
        self._tell(bound, "transition", *told(transition, detail, bound.parameters), now_ns)

    # Links, trackers, configuration

    def _replace_links(self, links: Tuple[LinkFacts, ...]) -> None:
        self._links = {link.name: link for link in links}
        self._wires.replace_links(links)

    def _replace_config(self, config: RouterConfig, now_ns: int) -> None:
        self.config = config
        self._uses_leases = config.uses_leases
        self.trackers = replaced(self.trackers, config.trackers)
        for name, ok in self._inherited.trackers.items():
            self._note(report(self.trackers, ProbeResult(name, ok, "as before"), at_once=True))
        wanted = {str(each.key): each for each in config.virtual_routers}
        self._remove_all_but(wanted, now_ns)
        for key, virtual_router in wanted.items():
            if key in self._parting:  # wanted again before it has left
                self._bound[key] = self._parting.pop(key)
            if key in self._bound:
                self._reconfigure(self._bound[key], virtual_router, now_ns)
            else:
                self._bound[key] = BoundRouter(virtual_router)
        self._sorted = tuple(sorted(self._bound.values(), key=lambda each: each.config.name))
        self._groups.replace(config.sync_groups, self._sorted)
        self._refresh_all(now_ns)

    def _remove_all_but(self, wanted: Mapping[str, VirtualRouterConfig], now_ns: int) -> None:
        names = {each.name for each in wanted.values()}
        for bound in tuple(self._all()):
            replacement = wanted.get(bound.id)
            if replacement is None:
                self._remove(bound, "removed", bound.config.name not in names, now_ns)
            elif bound.config.version != replacement.version:
                self._remove(bound, "reconfigured", False, now_ns)

    def _join(self, group: SyncGroup, was_master: bool, now_ns: int) -> None:
        """Members that are new take the state of those that were there."""
        masters = [each for each in group.members if each.state is State.MASTER]
        backups = [each for each in group.members if each.state is State.BACKUP]
        if backups and (group.may_take_over() or (masters and was_master)):
            self._take_over(backups, Reason.SYNC_GROUP, now_ns)
        elif backups:
            for member in masters:
                self._hand_over(member, FOR_GROUP, now_ns)

    def _reconfigure(self, bound: BoundRouter, config: VirtualRouterConfig, now_ns: int) -> None:
        ifindex = bound.link.ifindex if bound.link else 0
        self._outbox.announce(ifindex, bound.reconfigure(config, now_ns))
        self._deadlines.set(bound.id, bound.deadline_ns())

    def _remove(self, bound: BoundRouter, cause: str, gently: bool, now_ns: int) -> None:
        """gently: nobody else wants its device, so it may stay until a successor is heard."""
        if gently:
            self._part(bound, cause, now_ns)
        else:
            self._end(bound, cause, now_ns)
        self._bound.pop(bound.id, None)
        if bound.is_leaving:
            self._parting[bound.id] = bound
        else:
            self._deadlines.set(bound.id, None)

    # Drained virtual routers, repairs

    def sync_group_of(self, bound: BoundRouter) -> Optional[str]:
        """The name of its sync group, if it has one."""
        group = self._groups.of(bound)
        return group.name if group else None

    def is_drained(self, bound: BoundRouter) -> bool:
        """Whether it shall be master only if nobody else is; an address owner never."""
        if not self.drained or bound.config.priority == OWNER_PRIORITY:
            return False
        ids = {member.id for member in self._groups.together(bound)}
        return ALL in self.drained or not self.drained.isdisjoint(ids)

    def _change_drained(self, event: DrainChanged, now_ns: int) -> None:
        before = {bound.id for bound in self._sorted if self.is_drained(bound)}
        self.drained = event.drained
        for bound in self._sorted:
            drained = self.is_drained(bound)
            if drained is (bound.id in before):
                continue
            message = "drained: master only if nobody else is" if drained else "no longer drained"
            self._tell(bound, "drain", message, {"drained": drained}, now_ns)
            if drained:
                self._hand_over(bound, "drained", now_ns, returns=not event.forced)
        self._refresh_all(now_ns)

    def _repaired(self, event: Repaired, now_ns: int) -> None:
        by_device = {bound.device_name: bound for bound in self._sorted}
        for repair in event.repairs:
            bound = by_device.get(repair.device)
            owner, limit = (bound, bound.log_limit) if bound else (self, self._log_limit)
            owner.counters["repairs"] = owner.counters.get("repairs", 0) + 1
            message = "put right in the kernel: %s" % repair.what
            is_new = limit.may_log("%s %s" % (repair.device, message), now_ns)
            if is_new and bound is not None:
                self._tell(bound, "repair", message, {"what": repair.what}, now_ns)
            elif is_new:
                self._outbox.note(Notify("repair", "", message, {"what": repair.what}))

    def _note(self, note: Optional[Notify]) -> bool:
        """True when there was something to tell."""
        if note is not None:
            self._outbox.note(note)
        return note is not None

    def _refresh_all(self, now_ns: int) -> None:
        """Hold every virtual router against links and trackers as they are now."""
        self._steady.scatter_all(self._deadlines)
        self._outbox.note(*report_links(self.trackers, self._links))
        self._wires.known.clear()
        resolved = {bound.id: self._resolve(bound, now_ns) for bound in self._sorted}
        memories = self._inherited.memories
        groups = [(group, group.is_master(memories)) for group in self._groups]
        for group, _was_master in groups:
            group.hold_together(resolved)
        for bound in self._sorted:
            self._refresh(bound, resolved[bound.id], now_ns)
        for bound in tuple(self._parting.values()):
            self._refresh_parting(bound)
        for group, was_master in groups:
            self._join(group, was_master, now_ns)
        self._wires.learn(self._all())
        self._advertising = {}
        for bound in self._sorted:
            if bound.link is not None and bound.config.router_advertisements.enabled:
                self._advertising.setdefault(bound.link.ifindex, []).append(bound)
        self._dataplane_touched = True

    def _resolve(self, bound: BoundRouter, now_ns: int) -> Resolved:
        link = self._links.get(bound.config.interface)
        lost = penalty(self._groups.track(bound), self.trackers)
        resolved = bound.put_up_with(resolve(bound.config, link, lost), link, now_ns)
        if isinstance(resolved, RouterParameters) and self.is_drained(bound):
            return replace(resolved, priority=DRAINED_PRIORITY)
        return resolved

    def _refresh(self, bound: BoundRouter, resolved: Resolved, now_ns: int) -> None:
        link = self._links.get(bound.config.interface)
        if isinstance(resolved, NotReady) and resolved.code != WAITS_FOR_GROUP:
            self._end(bound, resolved.sentence, now_ns)
        elif bound.link is not None and link is not None and bound.link.ifindex != link.ifindex:
            self._end(bound, "interface-replaced", now_ns)
        if isinstance(resolved, NotReady):
            self._part(bound, resolved.sentence, now_ns)  # its own link may be well
            self._wait(bound, resolved, now_ns)
            bound.link = link
            return
        bound.link = link
        bound.waiting = None
        self._provide(bound, resolved, now_ns)
        self._deadlines.set(bound.id, bound.deadline_ns())

    def _refresh_parting(self, bound: BoundRouter) -> None:
        link = self._links.get(bound.config.interface)
        lost = isinstance(resolve(bound.config, link, 0), NotReady)
        if lost or link is None or bound.link is None or bound.link.ifindex != link.ifindex:
            self._release(bound)
        else:
            bound.link = link

    def _wait(self, bound: BoundRouter, reason: NotReady, now_ns: int) -> None:
        if bound.waiting != reason:
            data = {"code": reason.code, "detail": reason.sentence}
            message = "waits in initialize: %s" % reason.sentence
            self._tell(bound, "waiting", message, data, now_ns)
        bound.waiting = reason

    def _provide(self, bound: BoundRouter, parameters: RouterParameters, now_ns: int) -> None:
        if bound.machine is None:
            bound.machine = VirtualRouter(bound.config.key, parameters)
        elif bound.parameters != parameters:
            self._run(bound, ParametersChanged(parameters), now_ns)
        if bound.state is State.INITIALIZE and not self._stopped:
            memory = self._inherited.memories.get(bound.id)
            self._run(bound, Startup() if memory is None else Resume(memory), now_ns)
