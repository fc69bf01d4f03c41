# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine over time: preempt delay, exact intervals, stalls, limits, other parameters."""

import pytest
from engine_kit.machines import advert, adverts, machine
from engine_kit.values import HIGHER, KEY, LOWER, NS_PER_MS, NS_PER_S, OURS, T0, parameters

from vrrp.fsm.actions import AnnounceAddresses, Reason, SendAdvertisement, Transition
from vrrp.fsm.events import ParametersChanged, Shutdown, Startup, Tick
from vrrp.fsm.states import State, parse_state
from vrrp.fsm.timing import master_down_interval_ns
from vrrp.fsm.virtual_router import VirtualRouter
from vrrp.invariant import InvariantViolation

BACKUP, MASTER = State.BACKUP, State.MASTER
DOWN_NS = 3_609_375_000
DELAY_NS = 15 * NS_PER_S


def hear(router: VirtualRouter, priority: int, second: int) -> None:
    router.step(advert(priority), T0 + second * NS_PER_S)


def transition_of(actions) -> Transition:
    (transition,) = (each for each in actions if isinstance(each, Transition))
    return transition


# Preempt delay


def test_preempt_delay_leaves_a_living_master_of_lower_priority_alone():
    router = machine(BACKUP, preempt_delay_ns=DELAY_NS)
    for second in range(1, 16):  # first heard in second 1
        hear(router, 99, second)
        assert router.deadline_ns == T0 + second * NS_PER_S + DOWN_NS
    for second in (16, 17, 18):
        hear(router, 99, second)
        assert router.deadline_ns == T0 + 15 * NS_PER_S + DOWN_NS
    transition = transition_of(router.step(Tick(), T0 + 15 * NS_PER_S + DOWN_NS))
    assert (transition.reason, router.state) == (Reason.PREEMPTED_LOWER, MASTER)


def test_preempt_delay_never_delays_the_takeover_of_a_dead_master():
    router = machine(BACKUP, preempt_delay_ns=DELAY_NS)
    hear(router, 99, 1)
    actions = router.step(Tick(), T0 + NS_PER_S + DOWN_NS)
    assert router.state is MASTER
    assert transition_of(actions).reason is Reason.NO_RESPONSE


def test_preempt_delay_never_delays_the_takeover_after_a_release():
    router = machine(BACKUP, preempt_delay_ns=DELAY_NS)
    hear(router, 99, 1)
    hear(router, 0, 2)
    assert router.deadline_ns == T0 + 2 * NS_PER_S + 609_375_000
    assert transition_of(router.step(Tick(), router.deadline_ns)).reason is Reason.PRIORITY_ZERO


def test_preempt_delay_never_delays_a_first_start_without_a_master():
    router = machine(BACKUP, preempt_delay_ns=DELAY_NS)
    assert router.deadline_ns == T0 + DOWN_NS


@pytest.mark.parametrize("priority", (100, 101))
def test_preempt_delay_starts_again_after_a_master_that_is_as_good(priority):
    router = machine(BACKUP, preempt_delay_ns=DELAY_NS)
    hear(router, 99, 1)
    hear(router, priority, 14)
    hear(router, 99, 20)
    hear(router, 99, 34)
    assert router.deadline_ns == T0 + 34 * NS_PER_S + DOWN_NS, "20 + 15 have not passed"
    hear(router, 99, 35)
    assert router.deadline_ns == T0 + 34 * NS_PER_S + DOWN_NS


def test_preempt_delay_starts_again_with_a_new_start():
    router = machine(BACKUP, preempt_delay_ns=DELAY_NS)
    hear(router, 99, 1)
    router.step(Shutdown(), T0 + 2 * NS_PER_S)
    router.step(Startup(), T0 + 16 * NS_PER_S)
    hear(router, 99, 17)
    assert router.deadline_ns == T0 + 17 * NS_PER_S + DOWN_NS


def test_a_dead_master_that_was_left_alone_is_not_called_preempted():
    # The delay ended while nobody was there any more.
    router = machine(BACKUP, preempt_delay_ns=2 * NS_PER_S)
    hear(router, 99, 1)
    actions = router.step(Tick(), T0 + NS_PER_S + DOWN_NS)
    assert transition_of(actions).reason is Reason.NO_RESPONSE


def test_a_better_master_that_dies_after_a_worse_one_was_ignored_is_not_called_preempted():
    router = machine(BACKUP)
    hear(router, 99, 1)
    hear(router, 101, 2)
    actions = router.step(Tick(), T0 + 2 * NS_PER_S + DOWN_NS)
    assert transition_of(actions).reason is Reason.NO_RESPONSE


def test_a_preemption_of_the_past_is_forgotten():
    router = machine(BACKUP)
    hear(router, 99, 1)
    router.step(Tick(), T0 + DOWN_NS)
    hear(router, 101, 5)
    actions = router.step(Tick(), T0 + 5 * NS_PER_S + DOWN_NS)
    assert transition_of(actions).reason is Reason.NO_RESPONSE


def test_a_lower_master_learned_during_the_delay_gives_its_interval():
    router = machine(BACKUP, preempt_delay_ns=DELAY_NS)
    router.step(advert(99, HIGHER, 50), T0 + NS_PER_S)
    assert router.snapshot(T0).master_adver_interval_cs == 50


# Exact intervals


def test_ten_thousand_adverts_do_not_drift():
    # 999,983 ns apart from a slot, and every wake-up late by another amount.
    router = machine(State.INITIALIZE, priority=255, advertisement_interval_cs=10)
    router.step(Startup(), T0 + 999_983)
    first_ns = router.deadline_ns
    for count in range(10_000):
        assert router.deadline_ns == first_ns + count * 100 * NS_PER_MS
        late_ns = count * 7_919 % (90 * NS_PER_MS)
        assert len(router.step(Tick(), router.deadline_ns + late_ns)) == 1
    assert router.deadline_ns == first_ns + 10_000 * 100 * NS_PER_MS


def test_a_stall_gives_one_advert_and_keeps_the_phase():
    router = machine(MASTER)
    now_ns = T0 + 1000 * NS_PER_S + 1
    assert router.step(Tick(), now_ns) == (SendAdvertisement(100, 100),)
    assert router.step(Tick(), now_ns) == ()
    assert router.deadline_ns == T0 + 1001 * NS_PER_S


def test_a_stall_that_ends_on_a_deadline_does_not_advertise_twice_for_it():
    router = machine(MASTER)
    assert len(router.step(Tick(), T0 + 5 * NS_PER_S)) == 1
    assert router.deadline_ns == T0 + 6 * NS_PER_S


# Against a worse master


@pytest.mark.parametrize("version", (2, 3))
def test_announcements_against_a_worse_master_are_limited_to_one_in_an_interval(version):
    router = machine(MASTER, version=version)
    announced = [
        offset
        for offset in range(0, 3000, 100)
        if AnnounceAddresses() in router.step(advert(99), T0 + offset * NS_PER_MS)
    ]
    assert announced == [0, 1000, 2000]


def test_worse_adverts_are_answered_at_once_but_a_queue_of_them_once():
    router = machine(MASTER)
    answered = [
        offset
        for offset in range(500, 560)  # one in each millisecond
        if adverts(router.step(advert(99), T0 + offset * NS_PER_MS))
    ]
    assert answered == [500, 520, 540]


def test_an_answer_to_a_worse_advert_does_not_stand_for_the_next_advert():
    router = machine(MASTER)
    assert adverts(router.step(advert(99), T0 + NS_PER_S - 1))
    assert adverts(router.step(Tick(), T0 + NS_PER_S))


# Other parameters


def test_the_skew_follows_the_priority_while_the_timer_runs():
    router = machine(BACKUP)
    router.step(ParametersChanged(parameters(priority=1)), T0 + 2 * NS_PER_S)
    assert router.deadline_ns == T0 + 3 * NS_PER_S + 996_093_750
    router.step(ParametersChanged(parameters(priority=100)), T0 + 3 * NS_PER_S)
    assert router.deadline_ns == T0 + DOWN_NS


def test_the_skew_follows_the_priority_after_a_release():
    router = machine(BACKUP)
    router.step(advert(0), T0)
    router.step(ParametersChanged(parameters(priority=200)), T0)
    assert router.deadline_ns == T0 + 218_750_000


def test_our_interval_does_not_replace_the_one_that_was_learned():
    router = machine(BACKUP)
    router.step(advert(200, HIGHER, 300), T0)
    router.step(ParametersChanged(parameters(advertisement_interval_cs=10)), T0)
    assert router.snapshot(T0).master_adver_interval_cs == 300
    assert router.deadline_ns == T0 + 3 * DOWN_NS


def test_our_new_interval_does_not_touch_a_timer_that_runs():
    faster = ParametersChanged(parameters(advertisement_interval_cs=10))
    router = machine(BACKUP)
    router.step(faster, T0)
    assert router.snapshot(T0).master_adver_interval_cs == 100
    assert router.deadline_ns == T0 + DOWN_NS
    router = machine(MASTER)
    router.step(faster, T0)
    assert router.snapshot(T0).master_adver_interval_cs == 10


def test_a_new_priority_moves_the_timer_by_the_skew_it_runs_with():
    """Found by the simulator: with the skew of the new interval it was due at once."""
    router = machine(BACKUP, advertisement_interval_cs=10, priority=1)
    router.step(advert(200, HIGHER, 10), T0)
    slower = parameters(advertisement_interval_cs=4000, priority=150)
    router.step(ParametersChanged(slower), T0)
    assert router.deadline_ns == T0 + master_down_interval_ns(3, 150, 10)


def test_a_new_start_uses_parameters_changed_meanwhile():
    router = VirtualRouter(KEY, parameters())
    router.step(ParametersChanged(parameters(advertisement_interval_cs=200)), T0)
    router.step(Startup(), T0)
    assert router.deadline_ns == T0 + 2 * DOWN_NS


def test_an_owner_that_ceases_to_be_one_stays_master_until_somebody_is_better():
    router = machine(MASTER, priority=255)
    router.step(ParametersChanged(parameters(priority=50)), T0)
    assert router.state is MASTER
    router.step(advert(51, LOWER), T0)
    assert router.state is BACKUP


def test_another_interval_of_a_master_starts_a_new_phase_and_is_told_at_once():
    router = machine(MASTER)
    slower = parameters(advertisement_interval_cs=200)
    assert adverts(router.step(ParametersChanged(slower), T0)) == (SendAdvertisement(100, 200),)
    assert router.deadline_ns == T0 + 2 * NS_PER_S


def test_another_version_is_our_own_mistake():
    with pytest.raises(InvariantViolation):
        machine(MASTER).step(ParametersChanged(parameters(version=2)), T0)


# What it tells


def test_transitions_tell_who_was_heard_last_and_how_long_ago():
    router = machine(BACKUP)
    router.step(advert(150, LOWER), T0)
    transition = transition_of(router.step(Tick(), T0 + DOWN_NS))
    assert transition == Transition(BACKUP, MASTER, Reason.NO_RESPONSE, LOWER, 150, DOWN_NS)


def test_the_snapshot_names_the_master():
    router = machine(BACKUP)
    assert (router.snapshot(T0).master, router.snapshot(T0).master_priority) == (b"", None)
    router.step(advert(150, LOWER), T0)
    assert (router.snapshot(T0).master, router.snapshot(T0).master_priority) == (LOWER, 150)
    router.step(Tick(), T0 + DOWN_NS)
    shown = router.snapshot(T0 + DOWN_NS + 7)
    assert (shown.master, shown.master_priority, shown.state_age_ns) == (OURS, 100, 7)
    router.step(Shutdown(), T0 + DOWN_NS)
    assert (router.snapshot(T0).master, router.snapshot(T0).master_priority) == (b"", None)


def test_one_that_has_left_knows_no_master():
    router = machine(BACKUP)
    router.step(advert(150, LOWER), T0)
    router.step(Shutdown(), T0)
    assert (router.snapshot(T0).master, router.snapshot(T0).master_priority) == (b"", None)


def test_a_master_that_leaves_names_no_peer_of_the_past():
    router = machine(BACKUP)
    router.step(advert(150, LOWER), T0)
    router.step(Tick(), T0 + DOWN_NS)
    transition = transition_of(router.step(Shutdown(), T0 + 2 * DOWN_NS))
    assert (transition.peer, transition.peer_priority, transition.silence_ns) == (b"", None, None)


def test_our_own_priority_and_address_do_not_beat_us():
    router = machine(MASTER)
    router.step(advert(100, OURS), T0)
    assert router.state is MASTER


@pytest.mark.parametrize(
    "text, state", (("master", MASTER), (" Active ", MASTER), ("BACKUP", BACKUP))
)
def test_states_are_read_with_the_word_of_rfc_9568_too(text, state):
    assert parse_state(text) is state


def test_other_words_are_no_states():
    with pytest.raises(ValueError, match="slave"):
        parse_state("slave")
