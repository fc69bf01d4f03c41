# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines that are wrong on purpose: what the simulator and the tests must notice.

Each entry replaces a piece of the real engine while its context is entered. `caught_by` names a
unit test for what a simulated LAN cannot show; all others have to be caught by a checker.

As a pytest plugin (`-p broken_engines`, with BROKEN_ENGINE=name) it breaks the engine for a whole
run, which then has to fail.
"""

import contextlib
import os
from dataclasses import replace
from typing import Any, Callable
from unittest import mock

import broken_changes
from breaking import BROKEN_ENGINES, Context, broken, instead

from vrrp.daemon.loop import Loop
from vrrp.discards import DiscardReason
from vrrp.errors import DecodeError
from vrrp.fsm import virtual_router
from vrrp.fsm.actions import (
    AnnounceAddresses,
    ClaimAddresses,
    Reason,
    ReleaseAddresses,
    SendAdvertisement,
)
from vrrp.fsm.events import Shutdown, Startup
from vrrp.fsm.states import State
from vrrp.fsm.timing import skew_time_ns, slot_ns
from vrrp.fsm.virtual_router import VirtualRouter
from vrrp.router import bound_router, phases, receive
from vrrp.router.actions import DataplaneChanged
from vrrp.router.bound_router import BoundRouter
from vrrp.router.vrrp_router import VrrpRouter
from vrrp.sim.host import SimHost
from vrrp.units import ns_from_cs
from vrrp.wire import advertisement as wire_advertisement
from vrrp.wire.checksum import ChecksumForm

__all__ = ["BROKEN_ENGINES", "broken_changes"]


def pytest_configure(config: Any) -> None:
    name = os.environ.get("BROKEN_ENGINE")
    if name:
        BROKEN_ENGINES[name].apply().__enter__()


# Timers


@broken("skew forgotten")
def skew_forgotten() -> Context:
    return mock.patch.object(virtual_router, "skew_time_ns", lambda *_: 0)


@broken("master down interval without skew")
def master_down_interval_without_skew() -> Context:
    return mock.patch.object(
        virtual_router, "master_down_interval_ns", lambda _v, _p, interval: 3 * ns_from_cs(interval)
    )


@broken("skew of version 3 in whole seconds")
def skew_of_version_3_in_whole_seconds() -> Context:
    return mock.patch.object(
        virtual_router, "skew_time_ns", lambda _v, priority, cs: skew_time_ns(2, priority, cs)
    )


@broken("learned interval ignored")
def learned_interval_ignored() -> Context:
    def make(hears: Any) -> Any:
        def deaf(self: Any, advert: Any, now_ns: int) -> None:
            own_cs = self.parameters.advertisement_interval_cs
            hears(self, replace(advert, interval_cs=own_cs), now_ns)

        return deaf

    return instead(VirtualRouter, "_backup_hears", make)


@broken("timer reset by a lower advertisement")
def timer_reset_by_a_lower_advertisement() -> Context:
    return mock.patch.object(VirtualRouter, "_must_respect", lambda *_: True)


@broken("preempt delay applied to a dead master")
def preempt_delay_applied_to_a_dead_master() -> Context:
    def make(backup: Any) -> Any:
        def patient(self: Any, now_ns: int) -> Any:
            due_ns = self.deadline_ns or 0
            waits = due_ns <= now_ns < due_ns + self.parameters.preempt_delay_ns
            return () if waits else backup(self, now_ns)

        return patient

    return instead(VirtualRouter, "_take_over_when_due", make)


@broken("preempt delay forgotten")
def preempt_delay_forgotten() -> Context:
    def make(respects: Any) -> Any:
        def hasty(self: Any, advert: Any, now_ns: int) -> bool:
            ours = self.parameters
            lower = ours.preempt and advert.priority < ours.priority
            return not lower and respects(self, advert, now_ns)

        return hasty

    return instead(VirtualRouter, "_must_respect", make)


def later_by(later_ns: Callable[[int], int]) -> Context:
    """Of an interval: by how much the next advertisement is due later than it should be."""

    def make(advertise: Any) -> Any:
        def shifted(self: Any, now_ns: int) -> Any:
            actions = advertise(self, now_ns)
            if actions:
                interval_ns = ns_from_cs(self.parameters.advertisement_interval_cs)
                self.deadline_ns += later_ns(interval_ns)
            return actions

        return shifted

    return instead(VirtualRouter, "_advertise_when_due", make)


@broken("advertises only each second interval")
def advertises_only_each_second_interval() -> Context:
    return later_by(lambda interval_ns: interval_ns)


@broken("advertises after three quarters of each interval")
def advertises_after_three_quarters_of_each_interval() -> Context:
    return later_by(lambda interval_ns: -(interval_ns // 4))


@broken("a crowd advertises after half of its interval")
def a_crowd_advertises_after_half_of_its_interval() -> Context:
    def far_ns(now_ns: int, interval_cs: int) -> range:
        return range(now_ns + ns_from_cs(interval_cs) // 2, now_ns, -slot_ns(interval_cs))

    patches = contextlib.ExitStack()
    patches.enter_context(mock.patch.object(phases, "CROWD", 1))
    for module in (phases, virtual_router):
        patches.enter_context(mock.patch.object(module, "spread_ns", far_ns))
    return patches


@broken("another priority and interval moves a running timer too far")
def another_priority_and_interval_moves_a_running_timer_too_far() -> Context:
    def make(change: Any) -> Any:
        def careless(self: Any, new: Any, now_ns: int) -> Any:
            backup = self.state is State.BACKUP
            if backup:
                self._master_adver_interval_cs = new.advertisement_interval_cs
            return change(self, new, now_ns)

        return careless

    return instead(VirtualRouter, "_change_parameters", make)


# States


@broken("priority 0 ignored by backups")
def priority_0_ignored_by_backups() -> Context:
    def make(hears: Any) -> Any:
        def deaf(self: Any, advert: Any, now_ns: int) -> None:
            if advert.priority:
                hears(self, advert, now_ns)

        return deaf

    return instead(VirtualRouter, "_backup_hears", make)


@broken("priority 0 not answered by a master")
def priority_0_not_answered_by_a_master() -> Context:
    def make(hears: Any) -> Any:
        return lambda self, advert, now_ns: hears(self, advert, now_ns) if advert.priority else ()

    return instead(VirtualRouter, "_master_hears", make)


@broken("tie-break reversed")
def tie_break_reversed() -> Context:
    def make(hears: Any) -> Any:
        def reversed_(self: Any, advert: Any, now_ns: int) -> Any:
            ours = self.parameters
            if advert.priority != ours.priority:
                return hears(self, advert, now_ns)
            if advert.source > ours.primary_address:
                return self._assert_mastership(now_ns)
            self._remember(advert, now_ns)
            return (ReleaseAddresses(), *self._become_backup(Reason.HIGHER_ADDRESS, now_ns))

        return reversed_

    return instead(VirtualRouter, "_master_hears", make)


@broken("never yields")
def never_yields() -> Context:
    return mock.patch.object(
        VirtualRouter,
        "_master_hears",
        lambda self, _advert, now_ns: self._assert_mastership(now_ns),
    )


@broken("yields to a lower priority")
def yields_to_a_lower_priority() -> Context:
    def make(hears: Any) -> Any:
        def meek(self: Any, advert: Any, now_ns: int) -> Any:
            if 0 < advert.priority < self.parameters.priority:
                return (ReleaseAddresses(), *self._become_backup(Reason.HIGHER_PRIORITY, now_ns))
            return hears(self, advert, now_ns)

        return meek

    return instead(VirtualRouter, "_master_hears", make)


@broken("a master without preemption never yields")
def a_master_without_preemption_never_yields() -> Context:
    def make(hears: Any) -> Any:
        def stubborn(self: Any, advert: Any, now_ns: int) -> Any:
            if self.parameters.preempt:
                return hears(self, advert, now_ns)
            return self._assert_mastership(now_ns)

        return stubborn

    return instead(VirtualRouter, "_master_hears", make)


@broken("straight to master at startup")
def straight_to_master_at_startup() -> Context:
    def eager(self: Any, event: Any, now_ns: int) -> Any:
        if isinstance(event, Startup):
            return self._become_master(Reason.STARTUP, now_ns)
        return ()

    return mock.patch.object(VirtualRouter, "_initialize", eager)


@broken("failed trackers cost nothing")
def failed_trackers_cost_nothing() -> Context:
    return mock.patch("vrrp.router.vrrp_router.penalty", lambda *_: 0)


# What is sent and done


@broken("no announcements")
def no_announcements() -> Context:
    return mock.patch("vrrp.router.bound_router.announcement_frames", lambda _parameters: ())


@broken("no advertisement on a takeover")
def no_advertisement_on_a_takeover() -> Context:
    def make(become: Any) -> Any:
        return lambda self, reason, now_ns: become(self, reason, now_ns)[1:]

    return instead(VirtualRouter, "_become_master", make)


@broken("addresses kept in backup")
def addresses_kept_in_backup() -> Context:
    def make(step: Any) -> Any:
        def greedy(self: Any, event: Any, now_ns: int) -> Any:
            actions = step(self, event, now_ns)
            return tuple(a for a in actions if not isinstance(a, ReleaseAddresses))

        return greedy

    return instead(VirtualRouter, "step", make)


@broken("priority 0 not sent on a stop")
def priority_0_not_sent_on_a_stop() -> Context:
    def make(leave: Any) -> Any:
        def silent(self: Any, event: Any, now_ns: int) -> Any:
            actions = leave(self, event, now_ns)
            return tuple(a for a in actions if not isinstance(a, SendAdvertisement))

        return silent

    return instead(VirtualRouter, "_become_initialize", make)


@broken("addresses never claimed")
def addresses_never_claimed() -> Context:
    def make(step: Any) -> Any:
        def modest(self: Any, event: Any, now_ns: int) -> Any:
            actions = step(self, event, now_ns)
            return tuple(a for a in actions if not isinstance(a, ClaimAddresses))

        return modest

    return instead(VirtualRouter, "step", make)


@broken("a lower priority than configured is advertised")
def a_lower_priority_than_configured_is_advertised() -> Context:
    def make(advertisement: Any) -> Any:
        def shy(self: Any, now_ns: int) -> Any:
            (said,) = advertisement(self, now_ns)
            return (replace(said, priority=max(1, said.priority - 1)),)

        return shy

    return instead(VirtualRouter, "_advertisement", make)


@broken("a backup advertises")
def a_backup_advertises() -> Context:
    def make(hear: Any) -> Any:
        def loud(self: Any, advert: Any, now_ns: int) -> Any:
            was_backup = self.state is State.BACKUP
            actions = hear(self, advert, now_ns)
            if was_backup and advert.priority == 0:
                return (*actions, *self._advertisement(now_ns))
            return actions

        return loud

    return instead(VirtualRouter, "hear", make)


@broken("adverts leave with the real MAC")
def adverts_leave_with_the_real_mac() -> Context:
    def make(frame: Any) -> Any:
        def plain(*arguments: Any) -> bytes:
            made: bytes = frame(*arguments)
            return made[:6] + bytes((2, 0, 0, 0, 0, 1)) + made[12:]

        return plain

    return instead(bound_router, "advertisement_frame", make)


@broken("changes its mind each ten seconds")
def changes_its_mind_each_ten_seconds() -> Context:
    def make(advertise: Any) -> Any:
        def moody(self: Any, now_ns: int) -> Any:
            actions = advertise(self, now_ns)
            if actions and now_ns // 10**9 % 10 == 0:
                return (*actions, ReleaseAddresses(), *self._become_backup(Reason.STARTUP, now_ns))
            return actions

        return moody

    return instead(VirtualRouter, "_advertise_when_due", make)


@broken("deaf to Stop")
def deaf_to_stop() -> Context:
    def make(step: Any) -> Any:
        def deaf(self: Any, event: Any, now_ns: int) -> Any:
            stops = isinstance(event, Shutdown) and event.cause == "stop"
            return () if stops else step(self, event, now_ns)

        return deaf

    return instead(VirtualRouter, "step", make)


@broken("answers everything three times")
def answers_everything_three_times() -> Context:
    def noisy(self: Any, now_ns: int) -> Any:
        return (*self._advertisement(now_ns), AnnounceAddresses()) * 3

    return mock.patch.object(VirtualRouter, "_assert_mastership", noisy)


@broken("data plane after the announcements")
def data_plane_after_the_announcements() -> Context:
    def make(collect: Any) -> Any:
        def late(self: Any, now_ns: int) -> Any:
            return tuple(
                sorted(collect(self, now_ns), key=lambda a: isinstance(a, DataplaneChanged))
            )

        return late

    return instead(VrrpRouter, "_collect", make)


@broken("forwards for ever after a stop")
def forwards_for_ever_after_a_stop() -> Context:
    def make(leave: Any) -> Any:
        def lingering(self: Any, now_ns: int, returns: bool = False) -> None:
            leave(self, now_ns, returns)
            if self.leaves_ns is not None:
                self.leaves_ns += 3600 * ns_from_cs(100)

        return lingering

    return instead(BoundRouter, "leave", make)


@broken("a successor is not heard while leaving")
def a_successor_is_not_heard_while_leaving() -> Context:
    def make(receive_: Any) -> Any:
        def deaf(self: Any, event: Any, now_ns: int) -> None:
            if not self.is_leaving:
                receive_(self, event, now_ns)

        return deaf

    return instead(VrrpRouter, "_receive", make)


@broken("answers ARP while it leaves")
def answers_arp_while_it_leaves() -> Context:
    def make(device: Any) -> Any:
        def talkative(self: Any, uses_leases: bool) -> Any:
            made = device(self, uses_leases)
            return made and replace(made, is_quiet=False)

        return talkative

    return instead(BoundRouter, "device", make)


@broken("stops forwarding when it has said priority 0")
def stops_forwarding_when_it_has_said_priority_0() -> Context:
    return mock.patch.object(BoundRouter, "leave", lambda self, now_ns, returns=False: None)


@broken("each member of a sync group leaves at its own pace")
def each_member_of_a_sync_group_leaves_at_its_own_pace() -> Context:
    def make(keep: Any) -> Any:
        return lambda self, _members: keep(self, (self,))

    return instead(BoundRouter, "keep_pace_with", make)


# What is believed


@broken("one form of the checksum only")
def one_form_of_the_checksum_only() -> Context:
    def make(verify: Any) -> Any:
        def strict(version: int, payload: bytes, ip: Any) -> Any:
            form = verify(version, payload, ip)
            if form is ChecksumForm.MESSAGE:
                raise DecodeError(DiscardReason.CHECKSUM, "not as in RFC 5798")
            return form

        return strict

    return instead(wire_advertisement, "_verify_checksum", make)


@broken("checksum not verified")
def checksum_not_verified() -> Context:
    return mock.patch.object(wire_advertisement, "_verify_checksum", lambda *_: None)


@broken("TTL not checked")
def ttl_not_checked() -> Context:
    def make(discard: Any) -> Any:
        return lambda header, own: discard(replace(header, ttl=255), own)

    return instead(receive, "_header_discard", make)


@broken(
    "its own advertisements believed",
    "router/test_receive.py",
)
def its_own_advertisements_believed() -> Context:
    def make(discard: Any) -> Any:
        return lambda header, _own: discard(header, frozenset())

    return instead(receive, "_header_discard", make)


@broken("falls when it is told to stop")
def falls_when_it_is_told_to_stop() -> Context:
    def fall(self: Any, now_ns: int) -> None:
        raise KeyError("stop")

    return mock.patch.object(VrrpRouter, "_stop", fall)


@broken(
    "known packets kept over a reconfiguration",
    "router/test_vrrp_router.py::test_nothing_is_known_after_a_change",
)
def known_packets_kept_over_a_reconfiguration() -> Context:
    class Kept(dict):
        def clear(self) -> None:
            pass

    def make(init: Any) -> Any:
        def remember(self: Any, *arguments: Any) -> None:
            init(self, *arguments)
            self._wires.known = Kept()

        return remember

    return instead(VrrpRouter, "__init__", make)


# The loop around the router: that of the simulator is watched by checkers, the real one by a test


@broken("the simulated loop believes timers before packets")
def the_simulated_loop_believes_timers_before_packets() -> Context:
    def make(read: Any) -> Any:
        def after(self: Any) -> None:
            self._tick()
            read(self)

        return after

    return instead(SimHost, "_read_packets", make)


@broken(
    "the loop believes timers before packets",
    "daemon/test_loop.py::test_packets_are_read_before_timers_are_believed",
)
def the_loop_believes_timers_before_packets() -> Context:
    from vrrp.router import events

    def make(read: Any) -> Any:
        def after(self: Any) -> None:
            now_ns = self._clock.now_ns()
            deadline_ns = self._shell.router.deadline_ns
            if deadline_ns is not None and deadline_ns <= now_ns:
                self._shell.step(events.Tick(), now_ns)
            read(self)

        return after

    return instead(Loop, "_read_packets", make)


@broken(
    "a refused data plane is not tried again",
    "daemon/test_loop.py::test_a_refused_data_plane_is_tried_each_second_until_it_works",
)
def a_refused_data_plane_is_not_tried_again() -> Context:
    return mock.patch.object(Loop, "_retry", lambda self: None)
