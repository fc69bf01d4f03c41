# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N802 - the names begin with the row that they test
"""The rules of RFC 9568 section 6 (RFC 3768 section 6), row by row: where they hold, where not.

F rows: state machine. M rows: timers. F17, F18 and M7's discards need a whole router: see router/.
"""

import pytest
from engine_kit.machines import advert, adverts, machine
from engine_kit.values import HIGHER, LOWER, NS_PER_MS, NS_PER_S, T0

from vrrp.config.model import VirtualRouterConfig
from vrrp.facts import Family
from vrrp.fsm.actions import AnnounceAddresses, ClaimAddresses, SendAdvertisement, Transition
from vrrp.fsm.events import Shutdown, Startup, Tick
from vrrp.fsm.parameters import Profile
from vrrp.fsm.states import State
from vrrp.fsm.timing import master_down_interval_ns, skew_time_ns

INITIALIZE, BACKUP, MASTER = State.INITIALIZE, State.BACKUP, State.MASTER
SKEW_NS, DOWN_NS = 609_375_000, 3_609_375_000  # priority 100, an interval of one second
LATER = T0 + 500 * NS_PER_MS
BOTH = pytest.mark.parametrize("version", (2, 3))


@BOTH
@pytest.mark.rfc("F1", positive=True)
def test_F1_the_owner_is_master_at_startup(version):
    router = machine(INITIALIZE, priority=255, version=version)
    first, second, third, transition = router.step(Startup(), T0)
    assert first == SendAdvertisement(255, 100)
    assert (second, third) == (ClaimAddresses(), AnnounceAddresses())
    assert transition.current is router.state is MASTER
    assert router.deadline_ns == T0 + NS_PER_S


@BOTH
@pytest.mark.rfc("F1", positive=False)
def test_F1_nobody_else_is_master_at_startup(version):
    router = machine(INITIALIZE, priority=254, version=version)
    assert not adverts(router.step(Startup(), T0))
    assert router.state is BACKUP


@BOTH
@pytest.mark.rfc("F2", positive=True)
def test_F2_startup_waits_a_master_down_interval(version):
    router = machine(INITIALIZE, version=version)
    router.step(Startup(), T0)
    assert (router.state, router.deadline_ns) == (BACKUP, T0 + DOWN_NS)


@pytest.mark.rfc("F2", positive=False)
def test_F2_a_lonely_router_takes_no_short_cut():
    router = machine(BACKUP)
    assert router.step(Tick(), T0 + DOWN_NS - 1) == ()
    assert router.state is BACKUP


@pytest.mark.rfc("F3", positive=True)
def test_F3_a_backup_leaves_in_silence():
    router = machine(BACKUP)
    (transition,) = router.step(Shutdown(), LATER)
    assert transition.current is router.state is INITIALIZE
    assert router.deadline_ns is None


@pytest.mark.rfc("F3", positive=False)
def test_F3_after_leaving_no_timer_brings_it_back():
    router = machine(BACKUP)
    router.step(Shutdown(), LATER)
    assert router.step(Tick(), T0 + 1000 * DOWN_NS) == ()
    assert router.state is INITIALIZE


@pytest.mark.rfc("F4", positive=True)
def test_F4_an_expired_timer_advertises_before_anything_else():
    router = machine(BACKUP)
    actions = router.step(Tick(), T0 + DOWN_NS)
    assert actions[:3] == (SendAdvertisement(100, 100), ClaimAddresses(), AnnounceAddresses())
    assert router.state is MASTER
    assert T0 + DOWN_NS + 750 * NS_PER_MS <= router.deadline_ns <= T0 + DOWN_NS + NS_PER_S


@pytest.mark.rfc("F4", positive=False)
def test_F4_a_timer_that_was_set_anew_does_not_expire_at_its_old_time():
    router = machine(BACKUP)
    router.step(advert(100), T0 + DOWN_NS - 1)
    assert router.step(Tick(), T0 + DOWN_NS) == ()


@pytest.mark.parametrize("source", (LOWER, HIGHER))
@pytest.mark.rfc("F5", positive=True)
def test_F5_priority_0_sets_the_timer_to_the_skew_time_from_any_sender(source):
    router = machine(BACKUP)
    router.step(advert(200, b"\xc0\0\x02\x01"), T0)
    router.step(advert(0, source), LATER)
    assert router.deadline_ns == LATER + SKEW_NS


@pytest.mark.rfc("F5", positive=False)
def test_F5_the_lowest_real_priority_is_no_release():
    router = machine(BACKUP)
    router.step(advert(1), LATER)
    assert router.deadline_ns == T0 + DOWN_NS


@pytest.mark.parametrize("source", (LOWER, HIGHER))
@pytest.mark.rfc("F6", positive=True)
def test_F6_equal_priority_resets_the_timer(source):
    router = machine(BACKUP)
    router.step(advert(100, source), LATER)
    assert router.deadline_ns == LATER + DOWN_NS


@pytest.mark.rfc("F6", positive=True)
def test_F6_without_preemption_a_lower_priority_resets_the_timer():
    router = machine(BACKUP, preempt=False)
    router.step(advert(1), LATER)
    assert router.deadline_ns == LATER + DOWN_NS


@pytest.mark.rfc("F6", positive=False)
def test_F6_with_preemption_a_lower_priority_does_not():
    router = machine(BACKUP)
    router.step(advert(99), LATER)
    assert router.deadline_ns == T0 + DOWN_NS


@pytest.mark.rfc("F7", positive=True)
def test_F7_a_lower_priority_is_preempted_when_the_timer_has_run_out():
    router = machine(BACKUP)
    for second in (1, 2, 3):
        router.step(advert(99), T0 + second * NS_PER_S)
    assert adverts(router.step(Tick(), T0 + DOWN_NS)) == (SendAdvertisement(100, 100),)
    assert router.state is MASTER


@pytest.mark.rfc("F7", positive=False)
def test_F7_a_higher_priority_is_never_preempted():
    router = machine(BACKUP)
    for second in range(1, 100):
        router.step(advert(101), T0 + second * NS_PER_S)
        assert router.step(Tick(), T0 + second * NS_PER_S + 999 * NS_PER_MS) == ()
    assert router.state is BACKUP


@pytest.mark.rfc("F8", positive=True)
def test_F8_a_backup_compares_no_addresses():
    router = machine(BACKUP)
    router.step(advert(100, LOWER), LATER)
    assert router.deadline_ns == LATER + DOWN_NS, "although our address is higher"


@pytest.mark.rfc("F8", positive=False)
def test_F8_a_master_does_compare_them():
    assert machine(MASTER).step(advert(100, LOWER), LATER)[0] == SendAdvertisement(100, 100)
    beaten = machine(MASTER)
    beaten.step(advert(100, HIGHER), LATER)
    assert beaten.state is BACKUP


@BOTH
@pytest.mark.rfc("F9", positive=True)
def test_F9_a_master_releases_with_priority_0(version):
    router = machine(MASTER, version=version)
    actions = router.step(Shutdown(), LATER)
    assert adverts(actions) == (SendAdvertisement(0, 100),)
    assert isinstance(actions[0], SendAdvertisement)
    assert (router.state, router.deadline_ns) == (INITIALIZE, None)


@pytest.mark.parametrize("state", (INITIALIZE, BACKUP))
@pytest.mark.rfc("F9", positive=False)
def test_F9_nobody_else_sends_priority_0(state):
    assert not adverts(machine(state).step(Shutdown(), LATER))


@pytest.mark.rfc("F10", positive=True)
def test_F10_a_master_advertises_in_each_interval():
    router = machine(MASTER)
    for second in range(1, 10):
        assert router.step(Tick(), T0 + second * NS_PER_S) == (SendAdvertisement(100, 100),)
        assert router.deadline_ns == T0 + (second + 1) * NS_PER_S


@pytest.mark.rfc("F10", positive=False)
def test_F10_not_more_often():
    router = machine(MASTER)
    router.step(Tick(), T0 + NS_PER_S)
    assert router.step(Tick(), T0 + NS_PER_S) == ()
    assert router.step(Tick(), T0 + 2 * NS_PER_S - 1) == ()


@pytest.mark.parametrize("heard", (advert(101, LOWER), advert(100, HIGHER), advert(255, LOWER)))
@pytest.mark.rfc("F11", positive=True)
def test_F11_a_better_master_wins_without_an_answer(heard):
    router = machine(MASTER)
    assert not adverts(router.step(heard, LATER))
    assert (router.state, router.deadline_ns) == (BACKUP, LATER + DOWN_NS)


@pytest.mark.rfc("F11", positive=True)
def test_F11_addresses_compare_as_unsigned_octets_in_network_order():
    router = machine(MASTER, primary_address=b"\x0a\0\0\x7f")
    router.step(advert(100, b"\x0a\0\0\x80"), LATER)
    assert router.state is BACKUP
    router = machine(MASTER, primary_address=b"\x0a\0\x01\0")
    router.step(advert(100, b"\x0a\0\0\xff"), LATER)
    assert router.state is MASTER


@pytest.mark.parametrize("heard", (advert(99, HIGHER), advert(100, LOWER), advert(1, HIGHER)))
@pytest.mark.rfc("F11", positive=False)
def test_F11_a_worse_one_does_not(heard):
    router = machine(MASTER)
    router.step(heard, LATER)
    assert router.state is MASTER


@pytest.mark.rfc("F12", positive=True)
@pytest.mark.parametrize("older", ({"version": 2}, {"profile": Profile.RFC5798}))
def test_F12_the_older_rfcs_are_silent_on_a_losing_advert(older):
    router = machine(MASTER, **older)
    assert not adverts(router.step(advert(99), LATER))
    assert (router.state, router.deadline_ns) == (MASTER, T0 + NS_PER_S)


@pytest.mark.rfc("F12", positive=False)
def test_F12_a_release_is_answered_in_every_profile():
    for older in ({"version": 2}, {"profile": Profile.RFC5798}):
        assert adverts(machine(MASTER, **older).step(advert(0), LATER))


@pytest.mark.rfc("F13", positive=True)
def test_F13_version_3_asserts_itself_at_once():
    router = machine(MASTER)
    actions = router.step(advert(99), LATER)
    assert actions[0] == SendAdvertisement(100, 100)
    assert router.deadline_ns == T0 + NS_PER_S, "and keeps its phase"


@pytest.mark.rfc("F13", positive=False)
def test_F13_not_against_a_better_one_nor_by_an_older_rfc():
    older = machine(MASTER, profile=Profile.RFC5798)
    assert not adverts(older.step(advert(99), LATER))
    assert not adverts(machine(MASTER).step(advert(101), LATER))


@pytest.mark.parametrize("heard", (advert(101), advert(100, LOWER), advert(99), advert(0)))
@pytest.mark.rfc("F14", positive=True)
def test_F14_the_preempt_flag_plays_no_role_in_master(heard):
    answers = []
    for preempt in (True, False):
        router = machine(MASTER, preempt=preempt)
        answers.append((router.step(heard, LATER), router.state, router.deadline_ns))
    assert answers[0] == answers[1]


@pytest.mark.rfc("F14", positive=False)
def test_F14_it_does_in_backup():
    deadlines = set()
    for preempt in (True, False):
        router = machine(BACKUP, preempt=preempt)
        router.step(advert(99), LATER)
        deadlines.add(router.deadline_ns)
    assert deadlines == {T0 + DOWN_NS, LATER + DOWN_NS}


def owner_in_backup(**changes):
    """An owner that lost to another owner with a higher address (RFC 9568 erratum 8298)."""
    router = machine(MASTER, priority=255, **changes)
    router.step(advert(255, HIGHER), T0)
    assert router.state is BACKUP
    return router


@pytest.mark.rfc("F15", positive=True)
def test_F15_the_owner_preempts_whatever_preempt_mode_says():
    router = owner_in_backup(preempt=False, preempt_delay_ns=15 * NS_PER_S)
    deadline_ns = router.deadline_ns
    router.step(advert(254), LATER)
    assert router.deadline_ns == deadline_ns
    router.step(Tick(), deadline_ns)
    assert router.state is MASTER


@pytest.mark.rfc("F15", positive=False)
def test_F15_it_does_not_preempt_another_owner():
    router = owner_in_backup(preempt=False)
    router.step(advert(255, LOWER), LATER)
    assert router.deadline_ns == LATER + master_down_interval_ns(3, 255, 100)


@pytest.mark.rfc("F16", positive=True)
def test_F16_defaults():
    made = VirtualRouterConfig("a", "lan0", Family.IPV4, 1, (b"\xc6\x12\x0a\xfe",))
    assert (made.priority, made.preempt, made.accept) == (100, True, False)
    assert made.advertisement_interval_cs == 100


@pytest.mark.rfc("F16", positive=False)
def test_F16_defaults_give_way_to_what_is_written():
    made = VirtualRouterConfig(
        "a", "lan0", Family.IPV4, 1, (b"\xc6\x12\x0a\xfe",), 2, 7, 300, False, 0, True
    )
    assert (made.priority, made.preempt, made.accept) == (7, False, True)
    assert made.advertisement_interval_cs == 300


@pytest.mark.rfc("M1", positive=True)
def test_M1_version_2_skew_is_a_part_of_one_second():
    assert skew_time_ns(2, 100, 100) == SKEW_NS
    router = machine(BACKUP, version=2, advertisement_interval_cs=1000)
    router.step(advert(0, HIGHER, 1000), LATER)
    assert router.deadline_ns == LATER + SKEW_NS


@pytest.mark.rfc("M1", positive=False)
def test_M1_version_3_skew_is_not():
    router = machine(BACKUP, version=3, advertisement_interval_cs=1000)
    router.step(advert(0, HIGHER, 1000), LATER)
    assert router.deadline_ns == LATER + 10 * SKEW_NS


@pytest.mark.rfc("M2", positive=True)
def test_M2_version_2_waits_three_intervals_and_the_skew():
    router = machine(BACKUP, version=2, advertisement_interval_cs=1000)
    assert router.deadline_ns == T0 + 30 * NS_PER_S + SKEW_NS


@pytest.mark.rfc("M2", positive=False)
def test_M2_not_a_nanosecond_less():
    router = machine(BACKUP, version=2, advertisement_interval_cs=1000)
    assert router.step(Tick(), T0 + 30 * NS_PER_S + SKEW_NS - 1) == ()


@pytest.mark.rfc("M3", positive=True)
def test_M3_version_3_skew_follows_the_masters_interval():
    router = machine(BACKUP)
    router.step(advert(200, HIGHER, 400), LATER)
    router.step(advert(0, HIGHER, 400), LATER)
    assert router.deadline_ns == LATER + 4 * SKEW_NS


@pytest.mark.rfc("M3", positive=False)
def test_M3_not_the_configured_one():
    router = machine(BACKUP, advertisement_interval_cs=10)
    router.step(advert(200, HIGHER, 100), LATER)
    router.step(advert(0, HIGHER, 100), LATER)
    assert router.deadline_ns == LATER + SKEW_NS


@pytest.mark.rfc("M4", positive=True)
def test_M4_version_3_waits_three_of_the_masters_intervals_and_the_skew():
    router = machine(BACKUP)
    router.step(advert(200, HIGHER, 10), LATER)
    assert router.deadline_ns == LATER + 360_937_500


@pytest.mark.rfc("M4", positive=False)
def test_M4_not_a_nanosecond_less():
    router = machine(BACKUP)
    router.step(advert(200, HIGHER, 10), LATER)
    assert router.step(Tick(), LATER + 360_937_499) == ()


@pytest.mark.rfc("M5", positive=True)
def test_M5_the_interval_starts_as_ours_and_is_learned_in_backup():
    router = machine(BACKUP, advertisement_interval_cs=50)
    assert router.snapshot(T0).master_adver_interval_cs == 50
    router.step(advert(200, HIGHER, 70), LATER)
    assert router.snapshot(LATER).master_adver_interval_cs == 70


@pytest.mark.rfc("M5", positive=True)
def test_M5_it_is_learned_when_mastership_is_lost():
    router = machine(MASTER)
    router.step(advert(200, HIGHER, 300), LATER)
    assert router.deadline_ns == LATER + 3 * DOWN_NS


@pytest.mark.rfc("M5", positive=False)
def test_M5_a_losing_advert_teaches_a_master_nothing():
    router = machine(MASTER)
    router.step(advert(99, HIGHER, 300), LATER)
    assert router.snapshot(LATER).master_adver_interval_cs == 100


@pytest.mark.rfc("M5", positive=True)
def test_M5_a_new_master_uses_its_own_interval_and_so_does_a_new_start():
    router = machine(BACKUP)
    router.step(advert(200, HIGHER, 300), LATER)
    router.step(Tick(), LATER + 3 * DOWN_NS)
    assert router.snapshot(LATER).master_adver_interval_cs == 100
    router = machine(BACKUP)
    router.step(advert(200, HIGHER, 300), LATER)
    router.step(Shutdown(), LATER)
    router.step(Startup(), LATER)
    assert router.deadline_ns == LATER + DOWN_NS


@pytest.mark.rfc("M6", positive=True)
def test_M6_learning_recomputes_the_skew_too():
    router = machine(BACKUP)
    router.step(advert(200, HIGHER, 200), LATER)
    shown = router.snapshot(LATER)
    assert shown.skew_time_ns == 2 * SKEW_NS
    assert shown.master_down_interval_ns == 2 * DOWN_NS
    assert router.deadline_ns == LATER + 2 * DOWN_NS


@pytest.mark.rfc("M6", positive=False)
def test_M6_version_2_has_no_interval_in_its_skew():
    router = machine(BACKUP, version=2, advertisement_interval_cs=200)
    assert router.snapshot(T0).skew_time_ns == SKEW_NS


@pytest.mark.rfc("M7", positive=True)
def test_M7_a_discarded_advert_teaches_nothing():
    router = machine(BACKUP)
    router.step(advert(99, HIGHER, 1), LATER)
    assert router.snapshot(LATER).master_adver_interval_cs == 100
    assert router.deadline_ns == T0 + DOWN_NS


@pytest.mark.rfc("M7", positive=False)
def test_M7_an_accepted_one_does():
    router = machine(BACKUP, preempt=False)
    router.step(advert(99, HIGHER, 1), LATER)
    assert router.snapshot(LATER).master_adver_interval_cs == 1


@pytest.mark.rfc("M8", positive=True)
def test_M8_each_priority_0_sets_the_skew_time_again():
    router = machine(BACKUP)
    for milliseconds in (0, 300, 900, 1300):
        now_ns = T0 + milliseconds * NS_PER_MS
        router.step(advert(0), now_ns)
        assert router.deadline_ns == now_ns + SKEW_NS


@pytest.mark.rfc("M8", positive=False)
def test_M8_an_equal_priority_ends_the_short_wait():
    router = machine(BACKUP)
    router.step(advert(0), T0)
    router.step(advert(100), LATER)
    assert router.deadline_ns == LATER + DOWN_NS


@pytest.mark.rfc("M9", positive=True)
def test_M9_a_master_answers_priority_0_at_once_and_restarts_its_timer():
    router = machine(MASTER)
    assert router.step(advert(0), LATER) == (SendAdvertisement(100, 100),)
    assert router.deadline_ns == LATER + NS_PER_S


@pytest.mark.rfc("M9", positive=False)
def test_M9_priority_0_ends_no_mastership():
    router = machine(MASTER)
    actions = router.step(advert(0, HIGHER), LATER)
    assert router.state is MASTER
    assert not [each for each in actions if isinstance(each, Transition)]
