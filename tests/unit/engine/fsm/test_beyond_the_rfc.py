# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand-over, stalls, groups and memories over more than one event; the matrix has single ones."""

import pytest
from engine_kit.machines import advert, adverts, machine
from engine_kit.values import HIGHER, KEY, LOWER, NS_PER_MS, NS_PER_S, T0, parameters

from vrrp.fsm.actions import (
    AnnounceAddresses,
    ClaimAddresses,
    Reason,
    ReleaseAddresses,
    SendAdvertisement,
    Transition,
)
from vrrp.fsm.events import HandOver, ParametersChanged, Resume, Startup, Takeover, Tick
from vrrp.fsm.states import State
from vrrp.fsm.virtual_router import VirtualRouter
from vrrp.invariant import InvariantViolation

BACKUP, MASTER = State.BACKUP, State.MASTER
DOWN_NS = 3_609_375_000
GROUP = {"waits_for_group": True}


def transitions(actions):
    return [each for each in actions if isinstance(each, Transition)]


# A stall


@pytest.mark.rfc("B2", positive=False)
def test_a_stall_is_over_with_the_first_advertisement_that_is_sent():
    """What came late is read before time passes; once it has advertised, it is master again."""
    router = machine(MASTER)
    assert adverts(router.step(Tick(), T0 + 60 * NS_PER_S))
    router.step(advert(99), T0 + 60 * NS_PER_S + NS_PER_MS)
    assert router.state is MASTER


def test_after_a_stall_the_other_one_is_left_alone_for_the_preempt_delay():
    router = machine(MASTER, preempt_delay_ns=15 * NS_PER_S)
    now_ns = T0 + 10 * NS_PER_S
    router.step(advert(99), now_ns)
    assert router.state is BACKUP
    for second in range(1, 16):
        router.step(advert(99), now_ns + second * NS_PER_S)
        router.step(Tick(), router.deadline_ns - 1)
        assert router.state is BACKUP
    router.step(advert(99), now_ns + 16 * NS_PER_S)
    router.step(Tick(), router.deadline_ns)
    assert router.state is MASTER, "and no longer"


@pytest.mark.rfc("B2", positive=True)
@pytest.mark.parametrize("interval_cs", (1, 10, 100, 4095))
def test_a_stall_begins_after_three_silent_intervals(interval_cs):
    interval_ns = interval_cs * 10 * NS_PER_MS
    for late_ns, state in ((-1, MASTER), (0, BACKUP)):
        router = machine(MASTER, advertisement_interval_cs=interval_cs)
        router.step(Tick(), router.deadline_ns)
        advertised_ns = router.deadline_ns - interval_ns
        router.step(advert(1, LOWER), advertised_ns + 3 * interval_ns + late_ns)
        assert router.state is state


def test_what_other_events_a_stalled_master_meets_do_not_hide_the_stall():
    router = machine(MASTER)
    now_ns = T0 + 10 * NS_PER_S
    router.step(ParametersChanged(parameters(accept=False)), now_ns)
    assert router.step(advert(99), now_ns)[0] == ReleaseAddresses()


# Hand-over


def test_who_handed_over_listens_on_and_is_there_when_nobody_comes():
    router = machine(MASTER)
    router.step(HandOver("drained"), T0 + 500 * NS_PER_MS)
    assert router.deadline_ns == T0 + 500 * NS_PER_MS + DOWN_NS
    (transition,) = transitions(router.step(Tick(), router.deadline_ns))
    assert (router.state, transition.reason) == (MASTER, Reason.NO_RESPONSE)


def test_who_handed_over_stays_backup_of_its_successor():
    router = machine(MASTER)
    router.step(HandOver("drained"), T0)
    router.step(ParametersChanged(parameters(priority=1)), T0)
    for second in range(1, 30):
        router.step(advert(2, LOWER), T0 + second * NS_PER_S)
        assert router.step(Tick(), T0 + second * NS_PER_S) == ()
    assert router.deadline_ns == T0 + 29 * NS_PER_S + 3 * NS_PER_S + 255 * NS_PER_S // 256


# Groups


def test_a_member_wants_mastership_until_somebody_better_is_heard():
    router = machine(BACKUP, **GROUP)
    assert not router.wants_mastership
    router.step(Tick(), router.deadline_ns)
    assert router.wants_mastership
    router.step(advert(99), T0 + 4 * NS_PER_S)
    router.step(advert(0), T0 + 4 * NS_PER_S)
    assert router.wants_mastership, "neither a worse one nor one that leaves changes that"
    router.step(advert(100), T0 + 5 * NS_PER_S)
    assert not router.wants_mastership


def test_a_member_that_waits_is_silent():
    router = machine(BACKUP, **GROUP)
    for _count in range(10):
        assert router.step(Tick(), router.deadline_ns) == ()


def test_a_member_that_became_master_does_not_want_it_any_more():
    router = machine(BACKUP, **GROUP)
    router.step(Tick(), router.deadline_ns)
    router.step(Takeover(Reason.SYNC_GROUP), T0 + 4 * NS_PER_S)
    assert (router.state, router.wants_mastership) == (MASTER, False)


def test_a_member_that_has_left_its_group_waits_for_nobody():
    router = machine(BACKUP, **GROUP)
    router.step(Tick(), router.deadline_ns)
    router.step(ParametersChanged(parameters()), router.deadline_ns - 1)
    assert router.step(Tick(), router.deadline_ns)[0] == SendAdvertisement(100, 100)


# Memory


def heir(router, now_ns, **changes):
    """The machine of the next process, and what it does first."""
    made = VirtualRouter(KEY, parameters(**changes))
    return made, made.step(Resume(router.memory()), now_ns)


def test_there_is_nothing_to_remember_of_initialize():
    assert machine(State.INITIALIZE).memory() is None


def test_a_master_goes_on_with_the_very_next_advertisement():
    router = machine(MASTER)
    router.step(Tick(), router.deadline_ns)
    now_ns = router.deadline_ns - 300 * NS_PER_MS
    again, actions = heir(router, now_ns)
    assert actions[:2] == (ClaimAddresses(), AnnounceAddresses()), "and nothing on the wire"
    assert again.deadline_ns == router.deadline_ns
    assert again.snapshot(now_ns) == router.snapshot(now_ns)
    assert again.step(Tick(), again.deadline_ns) == router.step(Tick(), router.deadline_ns)
    assert again.deadline_ns == router.deadline_ns


def test_a_backup_goes_on_with_timer_interval_and_peer():
    router = machine(BACKUP)
    router.step(advert(200, HIGHER, 50), T0 + NS_PER_S)
    now_ns = T0 + NS_PER_S + 400 * NS_PER_MS
    again, actions = heir(router, now_ns)
    assert transitions(actions) == list(actions), "no advertisement, no claim"
    assert again.deadline_ns == router.deadline_ns
    assert again.snapshot(now_ns) == router.snapshot(now_ns)
    assert again.step(Tick(), again.deadline_ns) == router.step(Tick(), router.deadline_ns)


def test_a_master_that_got_another_interval_meanwhile_works_with_that_one():
    router = machine(MASTER, advertisement_interval_cs=300)
    again, _actions = heir(router, T0 + NS_PER_S, advertisement_interval_cs=100)
    assert again.snapshot(T0 + NS_PER_S).master_adver_interval_cs == 100
    assert again.deadline_ns == T0 + 2 * NS_PER_S


def test_a_memory_of_a_memory_is_the_same():
    router = machine(BACKUP)
    router.step(advert(200, HIGHER, 50), T0 + NS_PER_S)
    again, _actions = heir(router, T0 + 2 * NS_PER_S)
    assert again.memory() == router.memory()


def test_a_resumed_master_that_was_away_too_long_yields_to_who_took_over():
    """Another process was master three intervals ago, and could not know that it is gone."""
    router = machine(MASTER)
    again, _actions = heir(router, T0 + 10 * NS_PER_S)
    assert again.step(advert(99), T0 + 10 * NS_PER_S)[0] == ReleaseAddresses()


def test_nothing_is_resumed_twice():
    router = machine(MASTER)
    memory = router.memory()
    for made in (machine(BACKUP), machine(MASTER)):
        before = (made.state, made.deadline_ns)
        assert made.step(Resume(memory), T0 + NS_PER_MS) == ()
        assert (made.state, made.deadline_ns) == before
        assert made.step(Startup(), T0 + NS_PER_MS) == ()


# One of a crowd


def test_one_of_a_crowd_advertises_earlier_once_and_keeps_that_phase():
    router = machine(MASTER)
    router.advertise_at(T0 + 800 * NS_PER_MS, T0)
    assert router.step(Tick(), T0 + 800 * NS_PER_MS - 1) == ()
    for count in range(5):
        due_ns = T0 + 800 * NS_PER_MS + count * NS_PER_S
        assert len(adverts(router.step(Tick(), due_ns + 3))) == 1
        assert router.deadline_ns == due_ns + NS_PER_S


@pytest.mark.parametrize("after_ms", (0, 745, 751, 1005, 1750))
def test_nobody_is_moved_beyond_an_interval_nor_by_more_than_its_quarter(after_ms):
    router = machine(MASTER)
    with pytest.raises(InvariantViolation):
        router.advertise_at(T0 + after_ms * NS_PER_MS, T0)
    assert router.deadline_ns == T0 + NS_PER_S


def test_who_is_no_master_is_not_moved():
    router = machine(BACKUP)
    with pytest.raises(InvariantViolation):
        router.advertise_at(T0 + 800 * NS_PER_MS, T0)
