# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A crowd of masters is spread over the last quarter of the interval; fewer stay together."""

from collections import Counter
from typing import Dict, List, Sequence, Tuple

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V3, is_advert
from engine_kit.values import NS_PER_CS, NS_PER_MS, NS_PER_S, T0, config, group, link

from vrrp.config.model import RouterConfig
from vrrp.fsm.events import Memory
from vrrp.fsm.states import State
from vrrp.fsm.timing import slot_ns
from vrrp.router import phases
from vrrp.router.events import PacketsReceived, Stop, Tick
from vrrp.router.inheritance import Inheritance, read, written
from vrrp.router.journal import Recorder
from vrrp.router.phases import CROWD
from vrrp.router.replay import replay

# Between two slots.
BEGIN_NS = T0 + 13_777_777
LINKS = tuple(link("lan%d" % number, 7 + number) for number in range(16))
VRID_AT = 14 + 20 + 1
# So that hundreds are enough to tell.
SMALL = 256

Wire = Tuple[int, int]


@pytest.fixture
def small_crowds(monkeypatch):
    monkeypatch.setattr(phases, "CROWD", SMALL)


def site(count: int, interval_cs: int = 100, **changes) -> RouterConfig:
    """So many groups, 250 on a link."""
    return config(*groups(range(count), interval_cs, **changes))


def groups(numbers: Sequence[int], interval_cs: int = 100, **changes):
    values = {"advertisement_interval_cs": interval_cs, "priority": 200, **changes}
    for number in numbers:
        where, vrid = divmod(number, 250)
        yield group("g%04d" % number, interface="lan%d" % where, vrid=vrid + 1, **values)


def wire_of(number: int) -> Wire:
    return 7 + number // 250, number % 250 + 1


def sent(driver: Driver, until_ns: int) -> Dict[Wire, List[int]]:
    """When each virtual router advertised, by link and VRID."""
    found: Dict[Wire, List[int]] = {}
    for outcome in driver.run(until_ns):
        for action in outcome.actions:
            frame = getattr(action, "frame", b"")
            if is_advert(frame):
                found.setdefault((action.ifindex, frame[VRID_AT]), []).append(outcome.at_ns)
    return found


def taken_over(count: int, interval_cs: int, intervals: int = 5, **changes):
    """What masters of so many send, from their takeover on."""
    driver = Driver(site(count, interval_cs, **changes), LINKS, now_ns=BEGIN_NS)
    interval_ns = interval_cs * NS_PER_CS
    return sent(driver, BEGIN_NS + (4 + intervals) * interval_ns)


def bursts(times: Dict[Wire, List[int]], turn: int) -> Counter:
    """How many advertise at the same time; turn 0 is the takeover."""
    return Counter(each[turn] for each in times.values())


@pytest.mark.parametrize("interval_cs", (100, 101, 200, 1000, 4095))
def test_4000_masters_are_spread_over_the_last_quarter_of_the_interval(interval_cs):
    interval_ns = interval_cs * NS_PER_CS
    times = taken_over(4000, interval_cs)
    assert len(times) == 4000
    (taken_over_ns,) = bursts(times, 0)
    for turn in (1, 2, 3):
        found = bursts(times, turn)
        assert max(found.values()) <= CROWD
        assert len(found) == -(-4000 // CROWD), "no more wake-ups than it takes"
        earliest_ns = min(found) - (turn - 1) * interval_ns - taken_over_ns
        latest_ns = max(found) - (turn - 1) * interval_ns - taken_over_ns
        assert interval_ns * 3 / 4 <= earliest_ns
        assert latest_ns <= interval_ns, "nobody waits for longer than an interval"
        moments = sorted(found)
        apart_ns = [later - earlier for earlier, later in zip(moments, moments[1:])]
        assert min(apart_ns) >= slot_ns(interval_cs)
    for each in times.values():
        gaps_ns = {later - earlier for earlier, later in zip(each[1:], each[2:])}
        assert gaps_ns == {interval_ns}, "afterwards the interval is exact"


@pytest.mark.parametrize(
    "count, version, interval_cs",
    (
        *((250, 2, interval_cs) for interval_cs in (100, 25500)),
        *((250, 3, interval_cs) for interval_cs in (1, 2, 3, 7, 10, 100, 4095)),
        *((1000, 3, interval_cs) for interval_cs in (10, 100)),
    ),
)
def test_a_site_that_is_no_crowd_keeps_its_single_burst(count, version, interval_cs):
    times = taken_over(count, interval_cs, version=version)
    interval_ns = interval_cs * NS_PER_CS
    (begin_ns,) = bursts(times, 0)
    first_ns = begin_ns + interval_ns
    first_ns -= first_ns % min(20 * NS_PER_MS, interval_ns // 4)
    for turn in (1, 2, 3):
        assert bursts(times, turn) == {first_ns + (turn - 1) * interval_ns: count}


def test_the_last_one_that_is_no_crowd_and_the_first_one_that_is():
    assert len(bursts(taken_over(CROWD, 100), 1)) == 1
    assert sorted(bursts(taken_over(CROWD + 1, 100), 1).values()) == [1, CROWD]


@pytest.mark.parametrize("interval_cs", (1, 2, 3, 5, 7, 10, 20, 33))
def test_where_a_quarter_has_not_enough_room_it_is_shared_evenly(interval_cs, small_crowds):
    interval_ns = interval_cs * NS_PER_CS
    times = taken_over(1500, interval_cs, intervals=3)
    (begin_ns,) = bursts(times, 0)
    found = bursts(times, 1)
    assert begin_ns + interval_ns * 3 / 4 <= min(found)
    assert max(found) <= begin_ns + interval_ns
    room = interval_ns // 4 // slot_ns(interval_cs)
    assert room <= len(found) <= room + 1
    if len(found) * SMALL < 1500:
        assert max(found.values()) - min(found.values()) <= 1
    else:
        assert max(found.values()) <= SMALL


def test_other_intervals_have_their_own_crowds(small_crowds):
    slow, fast = groups(range(250), 100), groups(range(250, 500), 50)
    driver = Driver(config(*slow, *fast), LINKS, now_ns=BEGIN_NS)
    times = sent(driver, BEGIN_NS + 8 * NS_PER_S)
    assert len(bursts({wire_of(n): times[wire_of(n)] for n in range(250)}, 1)) == 1
    assert len(bursts({wire_of(n): times[wire_of(n)] for n in range(250, 500)}, 1)) == 1
    counted = {cs: count for (cs, _slot), count in driver.router._phases._counts.items()}
    assert counted == {100: 250, 50: 250}


def test_crowds_of_several_intervals_are_all_spread(small_crowds):
    wanted = config(*groups(range(2000), 100), *groups(range(2000, 4000), 200))
    times = sent(Driver(wanted, LINKS, now_ns=BEGIN_NS), BEGIN_NS + 14 * NS_PER_S)
    for numbers in (range(2000), range(2000, 4000)):
        found = bursts({wire_of(n): times[wire_of(n)] for n in numbers}, 1)
        assert max(found.values()) <= SMALL


def test_who_takes_over_later_finds_the_phases_that_are_taken(small_crowds):
    """Half of the site is master for long, in one slot; the other half takes over in the same."""
    own, others = groups(range(1000)), groups(range(1000, 2000))
    driver = Driver(config(*own), LINKS, now_ns=BEGIN_NS)
    driver.run(BEGIN_NS + 20 * NS_PER_S)
    driver.configure(config(*groups(range(1000)), *others))
    times = sent(driver, BEGIN_NS + 40 * NS_PER_S)
    assert len(times) == 2000
    assert max(bursts(times, -1).values()) <= SMALL
    assert max(each[0] for each in times.values()) < BEGIN_NS + 24 * NS_PER_S


def test_a_gap_is_filled_by_the_next_one(small_crowds):
    driver = Driver(site(600), LINKS, now_ns=BEGIN_NS)
    driver.run(BEGIN_NS + 10 * NS_PER_S)
    at_once, interval_ns = driver.now_ns, NS_PER_S
    before = bursts(sent(driver, at_once + interval_ns), 0)
    assert sorted(before.values()) == [600 - 2 * SMALL, SMALL, SMALL]
    gone = range(10)
    better = tuple(V3.but(priority=255, vrid=n + 1).received(7) for n in gone)
    driver.step(PacketsReceived(better), driver.now_ns + 1)
    assert [driver.state("g%04d" % n) for n in gone] == [State.BACKUP] * len(gone)
    assert sum(driver.router._phases._counts.values()) == 590
    driver.run(driver.now_ns + 10 * NS_PER_S)  # nobody speaks, so they come back
    after = bursts(sent(driver, driver.now_ns + interval_ns), 0)
    assert sum(after.values()) == 600
    assert max(after.values()) <= SMALL


def test_nothing_is_left_of_those_that_went(small_crowds):
    driver = Driver(site(600), LINKS, now_ns=BEGIN_NS)
    driver.run(BEGIN_NS + 10 * NS_PER_S)
    driver.configure(site(300))
    assert sum(driver.router._phases._counts.values()) == 300
    driver.step(Stop())
    assert driver.router._phases._counts == driver.router._phases._taken == {}


def test_who_hears_priority_0_and_begins_a_new_phase_is_spread_again(small_crowds):
    driver = Driver(site(600), LINKS, now_ns=BEGIN_NS)
    driver.run(BEGIN_NS + 10 * NS_PER_S)
    leaving = tuple(
        V3.but(priority=0, vrid=vrid).received(ifindex)
        for ifindex, vrid in (wire_of(number) for number in range(600))
    )
    now_ns = driver.now_ns + 77 * NS_PER_MS
    assert len(driver.step(PacketsReceived(leaving), now_ns).adverts) == 600
    found = bursts(sent(driver, now_ns + NS_PER_S), 0)
    assert sum(found.values()) == 600
    assert max(found.values()) <= SMALL
    assert min(found) >= now_ns + NS_PER_S * 3 // 4
    assert sum(driver.router._phases._counts.values()) == 600


def test_a_new_interval_of_all_is_a_new_beginning(small_crowds):
    driver = Driver(site(1000), LINKS, now_ns=BEGIN_NS)
    driver.run(BEGIN_NS + 10 * NS_PER_S)
    outcome = driver.configure(site(1000, 200))
    assert len(outcome.adverts) == 1000
    found = bursts(sent(driver, driver.now_ns + 2 * NS_PER_S), 0)
    assert max(found.values()) <= SMALL
    assert min(found) >= outcome.at_ns + NS_PER_S * 3 // 2
    assert sum(driver.router._phases._counts.values()) == 1000


# Other processes


def test_another_process_keeps_the_phases_that_were_spread(small_crowds):
    old = master(site(1000), LINKS, now_ns=BEGIN_NS)
    new = Driver(old.router.config, LINKS, old.now_ns + 1, read(written(old.router)))
    until_ns = old.now_ns + 5 * NS_PER_S
    assert sent(new, until_ns) == sent(old, until_ns)


@pytest.mark.parametrize("due_ms", (0, 100, 600, 990))
def test_another_process_spreads_a_crowd_that_was_left_to_it(due_ms):
    """By a release that did not, or one that died: all of them are due at once then."""
    due_ns = BEGIN_NS + due_ms * NS_PER_MS
    memory = Memory(State.MASTER, due_ns, 100, BEGIN_NS - NS_PER_S)
    ids = ["lan%d/ipv4/%d" % (n // 250, n % 250 + 1) for n in range(4000)]
    inheritance = Inheritance(dict.fromkeys(ids, memory))
    driver = Driver(site(4000), LINKS, BEGIN_NS, inheritance)
    assert len(driver.first.adverts) == (0 if due_ms else 4000)
    times = sent(driver, BEGIN_NS + 4 * NS_PER_S)
    found = bursts(times, 1 if due_ms else 0)
    assert max(found.values()) <= CROWD
    assert due_ns + NS_PER_S * 3 // 4 <= min(found)
    assert max(found) <= due_ns + NS_PER_S


def test_a_master_that_was_held_up_keeps_its_phase(small_crowds):
    driver = Driver(site(600), LINKS, now_ns=BEGIN_NS)
    driver.run(BEGIN_NS + 10 * NS_PER_S)
    wanted = {
        wire: each[0] % NS_PER_S for wire, each in sent(driver, driver.now_ns + NS_PER_S).items()
    }
    driver.now_ns += 2 * NS_PER_S + 333 * NS_PER_MS  # stopped meanwhile
    times = sent(driver, driver.now_ns + 4 * NS_PER_S)
    assert set(bursts(times, 0)) == {driver.now_ns - 4 * NS_PER_S}
    assert {wire: each[1] % NS_PER_S for wire, each in times.items()} == wanted


def test_those_who_hear_them_are_not_alarmed(small_crowds):
    masters = Driver(site(1000), LINKS, now_ns=BEGIN_NS)
    backups = Driver(site(1000, priority=100), LINKS, now_ns=BEGIN_NS)
    moments = 0
    while masters.now_ns < BEGIN_NS + 10 * NS_PER_S:
        outcome = masters.step(Tick(), max(masters.router.deadline_ns, masters.now_ns))
        heard = tuple(
            V3.but(priority=200, vrid=each.frame[VRID_AT]).received(each.ifindex)
            for each in outcome.actions
            if is_advert(getattr(each, "frame", b""))
        )
        moments += bool(heard)
        told = backups.step(PacketsReceived(heard), outcome.at_ns)
        assert [note for note in told.notes if note.kind == "gap"] == []
    assert moments > 4 * 5, "they are spread"
    assert {bound.state for bound in backups.router.bound_routers()} == {State.BACKUP}


def test_a_journal_that_begins_among_a_crowd_is_replayed(small_crowds):
    driver = Driver(site(600), LINKS, now_ns=BEGIN_NS)
    driver.run(BEGIN_NS + 10 * NS_PER_S)
    recorder = Recorder(driver.router)
    lines = list(recorder.beginning(driver.now_ns))
    better = tuple(V3.but(priority=255, vrid=n + 1).received(7) for n in range(100))
    event, now_ns = PacketsReceived(better), driver.now_ns + 1
    while now_ns < driver.now_ns + 6 * NS_PER_S:
        actions = driver.router.step(event, now_ns)
        lines.append(recorder.step(event, now_ns, actions))
        event, now_ns = Tick(), driver.router.deadline_ns
    assert replay(lines).difference is None
