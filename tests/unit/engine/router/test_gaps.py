# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How late it was, the longest gaps of advertisements, and who is warned before a takeover."""

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V3
from engine_kit.values import NS_PER_MS, NS_PER_S, T0, config, group, ip

from vrrp.fsm.states import State
from vrrp.router.events import PacketsReceived, Tick
from vrrp.router.gaps import BOUNDS_NS, LATE_NS, Lateness
from vrrp.router.log_limit import LOG_AGAIN_NS

MASTER = V3.but(priority=200)


def filled(lateness: Lateness):
    """The buckets that are not empty."""
    return {number: count for number, count in enumerate(lateness.counts) if count}


@pytest.mark.parametrize("number", range(len(BOUNDS_NS)))
def test_a_bucket_ends_with_its_bound(number):
    lateness = Lateness()
    lateness.add(BOUNDS_NS[number], T0)
    assert filled(lateness) == {number: 1}
    lateness.add(BOUNDS_NS[number] + 1, T0)
    assert filled(lateness) == {number: 1, number + 1: 1}


def test_punctual_is_the_first_bucket_and_hours_are_the_last():
    lateness = Lateness()
    for late_ns in (0, 1, 3600 * NS_PER_S):
        lateness.add(late_ns, T0)
    assert filled(lateness) == {0: 2, len(BOUNDS_NS): 1}


def test_bounds_are_doubled_from_an_eighth_of_a_millisecond_to_four_seconds():
    assert BOUNDS_NS[0] == NS_PER_MS // 8
    assert BOUNDS_NS[-1] == 4_096 * NS_PER_MS
    assert all(later == 2 * earlier for earlier, later in zip(BOUNDS_NS, BOUNDS_NS[1:]))


def test_the_latest_one_and_their_sum_are_known():
    lateness = Lateness()
    assert lateness.document(T0)["longest"] is None
    for second, late_ns in enumerate((5, 9, 9, 2)):
        lateness.add(late_ns, T0 + second)
    document = lateness.document(T0 + 10)
    assert document["longest"] == {"duration_ns": 9, "age_ns": 9}, "of equals the first"
    assert document["sum_ns"] == 25
    assert sum(document["counts"]) == 4


# Its own advertisements


def late(driver: Driver, late_ns: int):
    """The next deadline, so late."""
    assert driver.router.deadline_ns is not None
    return driver.step(Tick(), driver.router.deadline_ns + late_ns)


def gap_notes(outcome):
    return [note for note in outcome.notes if note.kind == "gap"]


def sent_ns(driver: Driver, name: str = "vlan10"):
    gap = driver.bound(name).sent_gap
    return gap.duration_ns if gap else None


def steady(*groups):
    """A master that has done with everything but advertising."""
    driver = master(config(*(groups or (group(),))))
    driver.run(driver.now_ns + 70 * NS_PER_S)
    return driver


def test_a_punctual_master_has_no_gap():
    assert sent_ns(steady()) is None


def test_a_late_advertisement_leaves_a_gap_and_the_grid_stays():
    driver = steady()
    assert late(driver, 40 * NS_PER_MS).adverts
    assert sent_ns(driver) == 1_040 * NS_PER_MS
    assert driver.bound().sent_gap.at_ns == driver.now_ns
    late(driver, 39 * NS_PER_MS)
    assert sent_ns(driver) == 1_040 * NS_PER_MS, "the next gap is an interval less a millisecond"


def test_what_nobody_notices_is_not_looked_at():
    driver = steady()
    late(driver, LATE_NS - 1)
    assert sent_ns(driver) is None
    late(driver, LATE_NS)
    assert sent_ns(driver) == NS_PER_S + 1


def test_more_than_two_intervals_are_told_and_counted():
    driver = steady()
    assert gap_notes(late(driver, NS_PER_S)) == []
    assert driver.count("gaps-sent") == 0
    driver.run(driver.now_ns + 10 * NS_PER_S)
    (note,) = gap_notes(late(driver, NS_PER_S + 1))
    sentence = "2s passed between two advertisements of its own; others take over after 3s"
    assert (note.name, note.message) == ("vlan10", sentence)
    assert note.data == {"counter": "gaps-sent", "gap_ns": 2 * NS_PER_S + 1, "others": 0}
    assert driver.bound().occurrences[-1].sentence == sentence
    assert driver.count("gaps-sent") == 1


def test_all_that_were_held_up_together_share_a_line():
    names = ["g%d" % number for number in range(5)]
    groups = [group(name, vrid=vrid) for vrid, name in enumerate(names, 1)]
    driver = steady(*groups)
    (note,) = gap_notes(late(driver, 5 * NS_PER_S // 2))
    assert note.message.endswith("(and 4 more)")
    for name in names:
        assert driver.bound(name).occurrences[-1].kind == "gap"
        assert driver.count("gaps-sent", name) == 1


def test_it_is_told_once_a_minute_and_counted_each_time():
    driver = steady()
    began_ns = driver.now_ns
    told = []
    while driver.now_ns < began_ns + 2 * LOG_AGAIN_NS:
        late(driver, 0)
        told += gap_notes(late(driver, 3 * NS_PER_S // 2))
    assert len(told) == 2
    assert driver.count("gaps-sent") == 40


def test_becoming_master_again_is_no_gap():
    driver = steady()
    driver.hear(MASTER)
    assert driver.state() is State.BACKUP
    driver.run(driver.now_ns + 60 * NS_PER_S)
    assert driver.state() is State.MASTER
    assert sent_ns(driver) is None
    assert driver.count("gaps-sent") == 0


def test_a_takeover_that_is_late_is_no_gap_of_advertisements():
    driver = Driver(config(group()))
    late(driver, NS_PER_S)
    assert driver.state() is State.MASTER
    assert sent_ns(driver) is None


# Those of its master


def backup(*after_ms: int):
    """A backup that has heard its master at these times, in milliseconds after T0."""
    driver = Driver(config(group()))
    told = []
    for at_ms in after_ms:
        told += gap_notes(driver.hear(MASTER, now_ns=T0 + at_ms * NS_PER_MS))
    return driver, told


def heard_ms(driver: Driver):
    gap = driver.bound().heard_gap
    return gap.duration_ns / NS_PER_MS if gap else None


def test_the_first_advertisement_ends_no_gap():
    assert heard_ms(backup(500)[0]) is None


def test_the_longest_gap_of_the_master_is_known():
    driver, told = backup(0, 1000, 2000, 3100, 4000, 5900, 7000)
    assert heard_ms(driver) == 1900
    assert driver.bound().heard_gap.at_ns == T0 + 5900 * NS_PER_MS
    assert told == []


def test_a_master_that_was_almost_taken_for_dead_is_told_of():
    driver, told = backup(0, 1000, 2000, 5000)
    (note,) = told
    sentence = (
        "3s passed between two advertisements of 198.18.10.6; it is taken for dead after 3.609s"
    )
    assert (note.name, note.message) == ("vlan10", sentence)
    assert driver.state() is State.BACKUP
    assert driver.bound().occurrences[-1].sentence == sentence
    assert driver.count("gaps-heard") == 1


def test_each_long_gap_counts_though_another_one_was_longer():
    driver, told = backup(0, 3500, 4500, 6600, 7600, 9601)
    assert driver.count("gaps-heard") == 3
    assert len(told) == 1, "once a minute"
    assert heard_ms(driver) == 3500


def test_a_batch_that_was_read_late_counts_as_heard_together():
    driver = Driver(config(group()))
    packet = MASTER.received(7)
    driver.step(PacketsReceived((packet,)), T0)
    outcome = driver.step(PacketsReceived((packet,) * 3), T0 + 3 * NS_PER_S)
    assert len(gap_notes(outcome)) == 1
    assert driver.count("gaps-heard") == 1


def test_another_master_begins_anew():
    driver, _told = backup(0, 1000)
    driver.hear(MASTER.but(source=ip("198.18.10.7")), now_ns=T0 + 4 * NS_PER_S)
    assert (heard_ms(driver), driver.count("gaps-heard")) == (1000, 0)
    driver.hear(MASTER.but(source=ip("198.18.10.7")), now_ns=T0 + 7 * NS_PER_S)
    assert (heard_ms(driver), driver.count("gaps-heard")) == (3000, 1)


def test_another_interval_has_another_limit():
    driver, _told = backup(0, 1000)
    quick = MASTER.but(interval=10)
    for at_ms, count in ((1900, 0), (2000, 0), (2200, 0), (2401, 1)):
        driver.hear(quick, now_ns=T0 + at_ms * NS_PER_MS)
        assert driver.count("gaps-heard") == count


def test_a_master_that_released_its_role_is_not_missed():
    driver, _told = backup(0, 1000)
    driver.hear(MASTER.but(priority=0), now_ns=T0 + 1100 * NS_PER_MS)
    driver.hear(MASTER, now_ns=T0 + 1200 * NS_PER_MS)
    assert heard_ms(driver) == 1000
    assert driver.state() is State.BACKUP


def test_whoever_is_not_followed_is_not_measured():
    driver, _told = backup(0, 1000)
    lower = V3.but(priority=50, source=ip("198.18.10.9"))
    driver.hear(lower, now_ns=T0 + 1100 * NS_PER_MS)
    driver.hear(lower, now_ns=T0 + 1300 * NS_PER_MS)
    driver.hear(MASTER, now_ns=T0 + 2500 * NS_PER_MS)
    assert heard_ms(driver) == 1500


def test_who_is_about_to_be_preempted_is_not_missed():
    """Its advertisements come all the while; they no longer count."""
    driver, _told = backup(0, 1000)
    driver.configure(config(group(priority=MASTER.priority + 20)))
    for after_ms in (2000, 3000, 4000):
        outcome = driver.hear(MASTER, now_ns=T0 + after_ms * NS_PER_MS)
        assert not [note for note in outcome.notes if note.kind == "gap"]
    assert heard_ms(driver) == 1000
    assert driver.count("gaps-heard") == 0
