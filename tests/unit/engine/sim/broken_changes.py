# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines that are wrong about planned changes, restarts and leases. See broken_engines."""

from typing import Any
from unittest import mock

from breaking import Context, broken, instead

from vrrp.fsm.events import HandOver
from vrrp.fsm.states import State
from vrrp.fsm.virtual_router import VirtualRouter
from vrrp.router import bound_router, vrrp_router
from vrrp.router.actions import RenewLeases
from vrrp.router.bound_router import BoundRouter
from vrrp.router.inheritance import Inheritance
from vrrp.router.outbox import Outbox
from vrrp.router.sync_group import SyncGroup
from vrrp.router.vrrp_router import VrrpRouter
from vrrp.sim.host import SimHost
from vrrp.units import ns_from_cs

# Sync groups and drained routers


@broken("a member of a sync group does not wait for the others")
def a_member_of_a_sync_group_does_not_wait_for_the_others() -> Context:
    return mock.patch.object(SyncGroup, "may_take_over", lambda self: True)


@broken("the rest of a sync group stays master")
def the_rest_of_a_sync_group_stays_master() -> Context:
    def make(hand_over: Any) -> Any:
        def stay(self: Any, bound: Any, cause: str, now_ns: int, returns: bool = False) -> None:
            if cause != "sync-group":
                hand_over(self, bound, cause, now_ns, returns)

        return stay

    return instead(VrrpRouter, "_hand_over", make)


@broken("a drained master keeps its role")
def a_drained_master_keeps_its_role() -> Context:
    def make(hand_over: Any) -> Any:
        def keep(self: Any, bound: Any, cause: str, now_ns: int, returns: bool = False) -> None:
            if cause != "drained":
                hand_over(self, bound, cause, now_ns, returns)

        return keep

    return instead(VrrpRouter, "_hand_over", make)


@broken("a drained router has its usual priority")
def a_drained_router_has_its_usual_priority() -> Context:
    return mock.patch.object(vrrp_router, "DRAINED_PRIORITY", 200)


@broken("takes its role back at once")
def takes_its_role_back_at_once() -> Context:
    def make(leave: Any) -> Any:
        def impatient(self: Any, now_ns: int, returns: bool = False) -> None:
            leave(self, now_ns, returns)
            if returns and self.leaves_ns is not None:
                self.leaves_ns = now_ns + ns_from_cs(1)

        return impatient

    return instead(BoundRouter, "leave", make)


@broken("hands over whenever the configuration changes")
def hands_over_whenever_the_configuration_changes() -> Context:
    def make(change: Any) -> Any:
        def nervous(self: Any, new: Any, now_ns: int) -> Any:
            if self.state is State.MASTER:
                return self._hand_over(HandOver("nervous"), now_ns)
            return change(self, new, now_ns)

        return nervous

    return instead(VirtualRouter, "_change_parameters", make)


# Processes that follow one another, and leases


@broken("a new release begins anew")
def a_new_release_begins_anew() -> Context:
    return mock.patch("vrrp.sim.host.read", lambda _document: Inheritance())


@broken("a new release forgets its deadlines")
def a_new_release_forgets_its_deadlines() -> Context:
    def make(resume: Any) -> Any:
        def forgetful(self: Any, memory: Any, now_ns: int) -> Any:
            actions = resume(self, memory, now_ns)
            self.deadline_ns = now_ns + 20 * ns_from_cs(self._master_adver_interval_cs)
            return actions

        return forgetful

    return instead(VirtualRouter, "_resume", make)


@broken("adopts however long it was dead")
def adopts_however_long_it_was_dead() -> Context:
    return mock.patch("vrrp.sim.host.ns_from_cs", lambda _interval_cs: 10**12)


@broken("renews no lease")
def renews_no_lease() -> Context:
    return mock.patch.object(BoundRouter, "must_renew", lambda *_: False)


@broken("renews leases whatever it sends")
def renews_leases_whatever_it_sends() -> Context:
    def make(take: Any) -> Any:
        def generous(self: Any, changed: Any) -> Any:
            taken = take(self, changed)
            devices = tuple(each.name for each in changed.devices) if changed else ()
            return (*taken, RenewLeases(devices)) if devices else taken

        return generous

    return instead(Outbox, "take", make)


@broken("leases of an hour")
def leases_of_an_hour() -> Context:
    return mock.patch.object(bound_router, "lease_s", lambda _interval_cs: 3600)


@broken("goes on after a stall as if nothing had happened")
def goes_on_after_a_stall_as_if_nothing_had_happened() -> Context:
    return mock.patch.object(VirtualRouter, "_was_stalled", lambda *_: False)


@broken("the simulated loop does not put back what was taken")
def the_simulated_loop_does_not_put_back_what_was_taken() -> Context:
    return mock.patch.object(SimHost, "_reconcile", lambda self: None)


@broken("another name is another virtual router")
def another_name_is_another_virtual_router() -> Context:
    def make(reconfigure: Any) -> Any:
        def strict(self: Any, bound: Any, config: Any, now_ns: int) -> None:
            if bound.config.name != config.name:
                self._end(bound, "renamed", now_ns)
            reconfigure(self, bound, config, now_ns)

        return strict

    return instead(VrrpRouter, "_reconfigure", make)
