# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VRRP router: the whole host with its virtual routers. Layer L3. RFC 9568 section 1.6.

Pure. The shell calls step() with what happened and the time, carries out the actions in their
order, and comes back with Tick at deadline_ns. Its duties are listed in daemon/shell.py.
"""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, List, Optional, Set, Tuple

from ..config.model import RouterConfig, TrackerKind, VirtualRouterConfig
from ..config.resolve import NotReady, resolve
from ..discards import DiscardReason
from ..errors import DecodeError
from ..facts import Family, LinkFacts, format_address
from ..fsm import actions as fsm_actions
from ..fsm.events import AdvertisementReceived, Event, ParametersChanged, Shutdown, Startup
from ..fsm.events import Tick as MachineTick
from ..fsm.parameters import RELEASE_PRIORITY, RouterParameters
from ..fsm.states import State
from ..fsm.virtual_router import VirtualRouter
from ..wire.ndp import read_solicitation
from .actions import DataplaneChanged, Notify, RouterAction, TransmitFrame
from .bound_router import BoundRouter, PastTransition
from .deadlines import DeadlineQueue
from .desired import DesiredDataplane, ParentSettings
from .events import (
    ConfigReplaced,
    LinksChanged,
    PacketReceived,
    RouterEvent,
    SolicitationReceived,
    Stop,
    Tick,
    TrackerReported,
)
from .explain import explain
from .log_limit import LogLimit
from .receive import Accepted, Discard, Listener, accept
from .tracking import TrackerState, penalty

# Advertisements of a steady master are the same bytes each time. A few per virtual router are
# enough; the limit only keeps a hostile LAN from filling memory.
MAXIMUM_KNOWN_PACKETS = 8192


class VrrpRouter:
    """Many virtual routers on many links. config has to be valid: see config/parse.py."""

    def __init__(self, config: RouterConfig, links: Tuple[LinkFacts, ...], now_ns: int) -> None:
        self.config = RouterConfig()
        self.trackers: Dict[str, TrackerState] = {}
        self.counters: Dict[str, int] = {}
        self._bound: Dict[str, BoundRouter] = {}
        self._sorted: Tuple[BoundRouter, ...] = ()
        self._links: Dict[str, LinkFacts] = {}
        self._own_addresses: Dict[int, FrozenSet[bytes]] = {}
        self._by_wire: Dict[Tuple[int, Family, int], BoundRouter] = {}
        self._advertising: Dict[int, List[BoundRouter]] = {}
        self._known_packets: Dict[Tuple[int, bytes], Accepted] = {}
        self._log_limit = LogLimit()
        self._deadlines = DeadlineQueue()
        self._emitted = DesiredDataplane()
        self._dataplane_touched = False
        self._stopped = False
        self._advertisements: List[TransmitFrame] = []
        self._announcements: List[TransmitFrame] = []
        self._notes: List[Notify] = []
        self._replace_links(links)
        self._replace_config(config, now_ns)
        # What starting brought about is handed out by the first step.
        self._deadlines.set("", now_ns)

    @property
    def deadline_ns(self) -> Optional[int]:
        """When to call step(Tick()) at the latest; None: only when something happens."""
        return self._deadlines.next_ns()

    def bound_routers(self) -> Tuple[BoundRouter, ...]:
        """All virtual routers, sorted by name."""
        return self._sorted

    @property
    def is_leaving(self) -> bool:
        """After Stop: somebody still forwards until a successor is heard. Go on stepping."""
        return any(bound.is_leaving for bound in self._sorted)

    def step(self, event: RouterEvent, now_ns: int) -> Tuple[RouterAction, ...]:
        """Everything to do because of the event, in order."""
        if isinstance(event, PacketReceived):
            self._receive(event, now_ns)
        elif isinstance(event, Tick):
            self._tick(now_ns)
        elif isinstance(event, SolicitationReceived):
            self._solicited(event, now_ns)
        elif isinstance(event, LinksChanged):
            self._replace_links(event.links)
            self._refresh_all(now_ns)
        elif isinstance(event, TrackerReported):
            result = event.result
            if self._report(result.tracker, result.ok, result.detail):
                self._refresh_all(now_ns)
        elif isinstance(event, ConfigReplaced):
            self._replace_config(event.config, now_ns)
        elif isinstance(event, Stop):
            self._stopped = True
            for bound in self.bound_routers():
                bound.leave(now_ns)
                self._run(bound, Shutdown("stop"), now_ns)
        return self._collect()

    def desired(self) -> DesiredDataplane:
        """Everything that the kernel should have because of us."""
        devices = []
        parents: Dict[str, ParentSettings] = {}
        refused: Set[bytes] = set()
        for bound in self.bound_routers():
            device = bound.device()
            if device is None or bound.link is None:
                continue
            devices.append(device)
            refused.update(bound.refused())
            name = bound.link.name
            owns = bound.owns_address() or (name in parents and parents[name].owns_address)
            parents[name] = ParentSettings(bound.link.ifindex, name, owns)
        return DesiredDataplane(
            devices=tuple(devices),
            parents=tuple(parents[name] for name in sorted(parents)),
            refused=tuple(sorted(refused)),
        )

    @property
    def emitted(self) -> DesiredDataplane:
        """What the last DataplaneChanged said."""
        return self._emitted

    def listening_links(self) -> Tuple[LinkFacts, ...]:
        """The links that carry virtual routers, sorted by name."""
        links = {bound.link.name: bound.link for bound in self._bound.values() if bound.link}
        return tuple(links[name] for name in sorted(links))

    def advertising_links(self) -> Tuple[LinkFacts, ...]:
        """Those of them whose hosts may ask us for routers, sorted by name."""
        return tuple(link for link in self.listening_links() if link.ifindex in self._advertising)

    def _collect(self) -> Tuple[RouterAction, ...]:
        changed: List[RouterAction] = []
        if self._dataplane_touched:
            self._dataplane_touched = False
            desired = self.desired()
            if desired != self._emitted:
                self._emitted = desired
                changed.append(DataplaneChanged(desired))
        collected = (*self._advertisements, *changed, *self._announcements, *self._notes)
        self._advertisements.clear()
        self._announcements.clear()
        self._notes.clear()
        return collected

    # Packets

    def _receive(self, event: PacketReceived, now_ns: int) -> None:
        packet = event.packet
        verdict = self._known_packets.get((packet.ifindex, packet.data))
        if verdict is None:
            own = self._own_addresses.get(packet.ifindex, frozenset())
            climbed = accept(packet, own, self._listener)
            if isinstance(climbed, Discard):
                self._discard(climbed, now_ns)
                return
            verdict = climbed
            if len(self._known_packets) >= MAXIMUM_KNOWN_PACKETS:
                self._known_packets.clear()
            self._known_packets[packet.ifindex, packet.data] = verdict
        bound = self._bound[verdict.name]
        bound.count("advertisement-rcvd")
        if verdict.event.priority == RELEASE_PRIORITY:
            bound.count("priority-zero-pkts-rcvd")
        bound.peers.heard(verdict, now_ns)
        for remark in verdict.remarks:
            bound.count(remark.value)
            self._remark(bound, remark, verdict.event, now_ns)
        if not bound.is_leaving:
            self._run(bound, verdict.event, now_ns)
        elif verdict.event.priority != RELEASE_PRIORITY:
            self._release(bound)

    def _listener(self, ifindex: int, family: Family, vrid: int) -> Optional[Listener]:
        bound = self._by_wire.get((ifindex, family, vrid))
        if bound is None or bound.machine is None:
            return None
        state = State.BACKUP if bound.is_leaving else bound.state  # it listens for a successor
        return Listener(bound.config.name, state, bound.parameters)

    def _discard(self, discard: Discard, now_ns: int) -> None:
        reason = discard.reason
        bound = self._bound.get(discard.name)
        if bound is None:
            self.counters[reason.value] = self.counters.get(reason.value, 0) + 1
        else:
            bound.count(reason.value)
        log_limit = bound.log_limit if bound else self._log_limit
        if log_limit.may_log(reason, now_ns):
            source = format_address(discard.source)
            data = {"reason": reason.value, "source": source, "detail": discard.detail}
            message = "discarded a packet from %s: %s" % (source or "?", discard.detail)
            self._notes.append(Notify("discard", discard.name, message, data))

    def _remark(
        self, bound: BoundRouter, remark: DiscardReason, event: AdvertisementReceived, now_ns: int
    ) -> None:
        if bound.log_limit.may_log(remark, now_ns):
            source = format_address(event.source)
            message = "%s differs from our configuration: %s" % (source, remark.value)
            data = {"reason": remark.value, "source": source}
            self._notes.append(Notify("discard", bound.config.name, message, data))

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
            self._deadlines.set(bound.config.name, bound.deadline_ns())

    # Time

    def _tick(self, now_ns: int) -> None:
        for name in self._deadlines.due(now_ns):
            bound = self._bound.get(name)
            if bound is None:
                continue
            if bound.link is not None:
                self._announcements += [
                    TransmitFrame(bound.link.ifindex, frame)
                    for frame in bound.announce_when_due(now_ns)
                ]
            self._run(bound, MachineTick(), now_ns)
            if bound.leaves_ns is not None and now_ns >= bound.leaves_ns:
                self._release(bound)

    # Machines

    def _run(self, bound: BoundRouter, event: Event, now_ns: int) -> None:
        if bound.machine is None:
            return
        for action in bound.machine.step(event, now_ns):
            self._carry_out(bound, action, now_ns)
        self._deadlines.set(bound.config.name, bound.deadline_ns())

    def _carry_out(self, bound: BoundRouter, action: fsm_actions.Action, now_ns: int) -> None:
        ifindex = bound.link.ifindex if bound.link else 0
        if isinstance(action, fsm_actions.SendAdvertisement):
            frame = bound.advertisement(action.priority, action.interval_cs)
            self._advertisements.append(TransmitFrame(ifindex, frame))
            bound.count("advertisement-sent")
            if action.priority == RELEASE_PRIORITY:
                bound.count("priority-zero-pkts-sent")
        elif isinstance(action, fsm_actions.ClaimAddresses):
            bound.holds_addresses = True
            self._dataplane_touched = True
        elif isinstance(action, fsm_actions.ReleaseAddresses):
            if bound.is_leaving:
                bound.stop_announcing()
            else:
                self._release(bound)
        elif isinstance(action, fsm_actions.AnnounceAddresses):
            self._announcements += [
                TransmitFrame(ifindex, frame) for frame in bound.announce(now_ns)
            ]
        else:
            self._record(bound, action, now_ns)

    def _release(self, bound: BoundRouter) -> None:
        bound.release_addresses()
        self._deadlines.set(bound.config.name, bound.deadline_ns())
        self._dataplane_touched = True

    def _record(self, bound: BoundRouter, transition: fsm_actions.Transition, now_ns: int) -> None:
        detail = explain(transition, bound.parameters)
        bound.history.append(PastTransition(now_ns, transition, detail))
        if transition.current is State.MASTER:
            bound.count("master-transitions")
        data: Dict[str, Any] = {
            "previous": transition.previous.value,
            "current": transition.current.value,
            "reason": transition.reason.value,
            "detail": detail,
            "priority": bound.parameters.priority,
        }
        message = "%s -> %s: %s" % (data["previous"], data["current"], detail)
        self._notes.append(Notify("transition", bound.config.name, message, data))

    # Links, trackers, configuration

    def _replace_links(self, links: Tuple[LinkFacts, ...]) -> None:
        self._links = {link.name: link for link in links}
        self._own_addresses = {
            link.ifindex: frozenset(address.address for address in link.addresses) for link in links
        }

    def _replace_config(self, config: RouterConfig, now_ns: int) -> None:
        self.config = config
        self.trackers = {
            tracker.name: self._kept_tracker(tracker.name) or TrackerState(tracker)
            for tracker in config.trackers
        }
        wanted = {virtual_router.name: virtual_router for virtual_router in config.virtual_routers}
        for bound in self.bound_routers():
            replacement = wanted.get(bound.config.name)
            if replacement is None:
                self._remove(bound, "removed", now_ns)
            elif _is_another(bound.config, replacement):
                self._remove(bound, "reconfigured", now_ns)
        for name, virtual_router in wanted.items():
            if name in self._bound:
                self._reconfigure(self._bound[name], virtual_router, now_ns)
            else:
                self._bound[name] = BoundRouter(virtual_router)
        self._sorted = tuple(self._bound[name] for name in sorted(self._bound))
        self._refresh_all(now_ns)

    def _reconfigure(self, bound: BoundRouter, config: VirtualRouterConfig, now_ns: int) -> None:
        ifindex = bound.link.ifindex if bound.link else 0
        self._announcements += [
            TransmitFrame(ifindex, frame) for frame in bound.reconfigure(config, now_ns)
        ]
        self._deadlines.set(config.name, bound.deadline_ns())

    def _kept_tracker(self, name: str) -> Optional[TrackerState]:
        kept = self.trackers.get(name)
        if kept is None:
            return None
        return kept if kept.config in self.config.trackers else None

    def _remove(self, bound: BoundRouter, cause: str, now_ns: int) -> None:
        self._run(bound, Shutdown(cause), now_ns)
        self._deadlines.set(bound.config.name, None)
        del self._bound[bound.config.name]

    def _report(self, name: str, ok: bool, detail: str, at_once: bool = False) -> bool:
        """Tell a tracker; True when the virtual routers have to be looked at again."""
        tracker = self.trackers.get(name)
        if tracker is None or not tracker.report(ok, detail, at_once):
            return False
        message = "%s: %s" % ("up" if ok else "failed", detail)
        self._notes.append(Notify("tracker", name, message, {"ok": ok, "detail": detail}))
        return True

    def _report_links(self) -> None:
        for tracker in self.trackers.values():
            if tracker.config.kind is TrackerKind.LINK:
                interface = tracker.config.interface
                link = self._links.get(interface)
                ok = link is not None and link.is_up and link.has_carrier
                detail = "%s is %s" % (interface, "up" if ok else "down")
                self._report(tracker.config.name, ok, detail, at_once=True)

    def _refresh_all(self, now_ns: int) -> None:
        """Hold every virtual router against links and trackers as they are now."""
        self._report_links()
        self._known_packets.clear()
        for bound in self.bound_routers():
            self._refresh(bound, now_ns)
        self._by_wire = {
            (bound.link.ifindex, bound.config.family, bound.config.vrid): bound
            for bound in self._bound.values()
            if bound.link is not None
        }
        self._advertising = {}
        for bound in self._sorted:
            if bound.link is not None and bound.config.router_advertisements.enabled:
                self._advertising.setdefault(bound.link.ifindex, []).append(bound)
        self._dataplane_touched = True

    def _refresh(self, bound: BoundRouter, now_ns: int) -> None:
        link = self._links.get(bound.config.interface)
        resolved = resolve(bound.config, link, penalty(bound.config.track, self.trackers))
        if isinstance(resolved, NotReady):
            self._run(bound, Shutdown(resolved.sentence), now_ns)
            if bound.is_leaving:
                self._release(bound)
            self._wait(bound, resolved)
            bound.link = link
            return
        if bound.link is not None and link is not None and bound.link.ifindex != link.ifindex:
            self._run(bound, Shutdown("interface-replaced"), now_ns)
        bound.link = link
        bound.waiting = None
        self._provide(bound, resolved, now_ns)

    def _wait(self, bound: BoundRouter, reason: NotReady) -> None:
        if bound.waiting != reason:
            data = {"code": reason.code, "detail": reason.sentence}
            message = "waits in initialize: %s" % reason.sentence
            self._notes.append(Notify("waiting", bound.config.name, message, data))
        bound.waiting = reason

    def _provide(self, bound: BoundRouter, parameters: RouterParameters, now_ns: int) -> None:
        if bound.machine is None:
            bound.machine = VirtualRouter(bound.config.key, parameters)
        elif bound.parameters != parameters:
            self._run(bound, ParametersChanged(parameters), now_ns)
        if bound.state is State.INITIALIZE and not self._stopped:
            self._run(bound, Startup(), now_ns)


def _is_another(old: VirtualRouterConfig, new: VirtualRouterConfig) -> bool:
    """Whether the change makes it another virtual router, which starts anew."""
    return old.key != new.key or old.version != new.version
