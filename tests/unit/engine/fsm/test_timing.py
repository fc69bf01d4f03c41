# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Timers against values worked out by hand from RFC 3768 and RFC 9568 section 6.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.fsm.timing import (
    SLOT_NS,
    master_down_interval_ns,
    skew_time_ns,
    slot_ns,
    slotted_ns,
    spread_ns,
)

NS_PER_CS = 10_000_000

# version, priority, interval in centiseconds; skew and master down interval in nanoseconds.
BY_HAND = (
    # (256 - priority) / 256 of a second
    (2, 255, 100, 3_906_250, 3_003_906_250),
    (2, 254, 100, 7_812_500, 3_007_812_500),
    (2, 200, 100, 218_750_000, 3_218_750_000),
    (2, 100, 100, 609_375_000, 3_609_375_000),
    (2, 1, 100, 996_093_750, 3_996_093_750),
    # the same part of one second, although the interval is another
    (2, 100, 500, 609_375_000, 15_609_375_000),
    (2, 100, 25_500, 609_375_000, 765_609_375_000),
    # (256 - priority) / 256 of the interval
    (3, 255, 100, 3_906_250, 3_003_906_250),
    (3, 200, 100, 218_750_000, 3_218_750_000),
    (3, 100, 100, 609_375_000, 3_609_375_000),
    (3, 1, 100, 996_093_750, 3_996_093_750),
    (3, 100, 10, 60_937_500, 360_937_500),
    (3, 254, 1, 78_125, 30_078_125),
    (3, 100, 500, 3_046_875_000, 18_046_875_000),
    (3, 100, 4095, 24_953_906_250, 147_803_906_250),
    (3, 1, 4095, 40_790_039_062, 163_640_039_062),  # and a half: rounded down
)


@pytest.mark.parametrize("version, priority, interval_cs, skew_ns, down_ns", BY_HAND)
def test_the_timers_are_those_of_the_rfc(version, priority, interval_cs, skew_ns, down_ns):
    assert skew_time_ns(version, priority, interval_cs) == skew_ns
    assert master_down_interval_ns(version, priority, interval_cs) == down_ns


def test_version_2_skew_does_not_depend_on_the_interval():
    assert len({skew_time_ns(2, 77, seconds * 100) for seconds in range(1, 256)}) == 1


def test_version_3_skew_grows_with_the_interval():
    skews = [skew_time_ns(3, 77, interval_cs) for interval_cs in range(1, 4096)]
    assert skews == sorted(set(skews))


@pytest.mark.parametrize("version", (2, 3))
def test_a_higher_priority_is_always_faster(version):
    skews = [skew_time_ns(version, priority, 100) for priority in range(1, 256)]
    assert skews == sorted(set(skews), reverse=True)
    assert skews[-1] > 0, "also the owner leaves the others time to say that they are there"


INTERVALS_CS = (*range(1, 4096), *range(4100, 25501, 100))


def test_a_slot_never_makes_a_deadline_late_nor_takes_more_than_a_quarter_of_the_interval():
    for interval_cs in INTERVALS_CS:
        interval_ns = interval_cs * NS_PER_CS
        for deadline_ns in (1, interval_ns, 10**12 + 1, 10**12 - 1, 987_654_321_987_654_321):
            early_ns = deadline_ns - slotted_ns(deadline_ns, interval_cs)
            assert 0 <= early_ns < min(20_000_000, interval_ns / 4 + 1), (interval_cs, deadline_ns)


@given(st.integers(0, 2**63), st.sampled_from(INTERVALS_CS))
def test_deadlines_in_a_slot_share_its_start(deadline_ns, interval_cs):
    start_ns = slotted_ns(deadline_ns, interval_cs)
    assert 4 * (deadline_ns - start_ns) <= interval_cs * NS_PER_CS
    assert slotted_ns(start_ns, interval_cs) == start_ns, "slotting twice is slotting once"


def test_groups_of_one_interval_meet_in_the_slots():
    deadlines_ns = [slotted_ns(10**12 + offset_ns, 100) for offset_ns in range(0, SLOT_NS, 999_983)]
    assert set(deadlines_ns) == {10**12}


def test_the_shortest_interval_has_slots_of_its_quarter():
    assert slotted_ns(10**12 + 2_499_999, 1) == 10**12
    assert slotted_ns(10**12 + 2_500_000, 1) == 10**12 + 2_500_000


def test_a_crowd_has_slots_in_the_last_quarter_of_its_interval_and_nowhere_else():
    for interval_cs in INTERVALS_CS:
        interval_ns = interval_cs * NS_PER_CS
        for now_ns in (0, 10**12, 10**12 + 1, 10**12 - 1, 987_654_321_987_654_321):
            slots_ns = spread_ns(now_ns, interval_cs)
            for deadline_ns in (*slots_ns[:2], *slots_ns[-2:]):
                assert now_ns + interval_ns * 3 / 4 <= deadline_ns <= now_ns + interval_ns
            room = interval_ns // 4 // slot_ns(interval_cs)
            assert len(slots_ns) in (room, room + 1), "all that are there"


@given(st.integers(0, 2**53), st.sampled_from(INTERVALS_CS))
def test_those_begin_with_the_slot_of_who_is_alone(now_ns, interval_cs):
    slots_ns = spread_ns(now_ns, interval_cs)
    alone_ns = slotted_ns(now_ns + interval_cs * NS_PER_CS, interval_cs)
    assert slots_ns[0] == alone_ns
    assert list(slots_ns) == sorted(slots_ns, reverse=True)
    assert {slotted_ns(each, interval_cs) for each in slots_ns} == set(slots_ns)


def test_the_slots_of_a_quarter_by_hand():
    found_ms = [(each - 10**12) // 1_000_000 for each in spread_ns(10**12, 40)]
    assert found_ms == [400, 380, 360, 340, 320, 300]
    found_ms = [(each - 10**12) // 1_000_000 for each in spread_ns(10**12 + 1, 40)]
    assert found_ms == [400, 380, 360, 340, 320], "300 would be earlier than three quarters"
