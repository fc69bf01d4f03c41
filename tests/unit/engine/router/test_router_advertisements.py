# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router advertisements of a virtual router: who sends them, when, and who never does."""

from typing import Any, List, Tuple

import pytest
from engine_kit.driver import Driver, Outcome, master
from engine_kit.packets import (
    V3_IPV6,
    ToHosts,
    is_advert,
    is_to_hosts,
    read_to_hosts,
    solicitation,
)
from engine_kit.values import NS_PER_MS, NS_PER_S, T0, config, group, group6, ip, link

from vrrp.config.model import RoutePreference, RouterAdvertisements
from vrrp.fsm.states import State
from vrrp.router.actions import TransmitFrame
from vrrp.router.events import SolicitationReceived, Stop
from vrrp.router.router_advertiser import RouterAdvertiser
from vrrp.router.snapshot import snapshot

VIRTUAL_MAC = bytes.fromhex("00005e00020a")
NAME = "vlan10-v6"
DAY_NS = 86_400 * NS_PER_S
ON = RouterAdvertisements(enabled=True)
SHORT = RouterAdvertisements(enabled=True, max_interval_cs=1000, lifetime_s=30)
OTHERS_LINK = link(addresses=("198.18.10.6/24", "fe80::6/64"))


def advertising(settings: RouterAdvertisements = ON, **changes: Any) -> Driver:
    """A master that has just become one."""
    driver = Driver(config(group6(router_advertisements=settings, **changes)))
    driver.run_to_master()
    return driver


def told(outcomes: List[Outcome]) -> List[Tuple[int, ToHosts]]:
    """The router advertisements with their times."""
    return [
        (outcome.at_ns, read_to_hosts(frame))
        for outcome in outcomes
        for frame in outcome.frames
        if is_to_hosts(frame)
    ]


def times(outcomes: List[Outcome]) -> List[int]:
    return [at_ns for at_ns, _told in told(outcomes)]


def ask(driver: Driver, data: bytes = solicitation(), ifindex: int = 7) -> Outcome:
    return driver.step(SolicitationReceived(ifindex, data))


# What a master says


@pytest.mark.rfc("N6", positive=True)
def test_a_new_master_tells_its_hosts_after_it_announced_itself():
    driver = Driver(config(group6(router_advertisements=ON)))
    outcome = driver.run_to_master()
    kinds = [
        "advert" if is_advert(frame) else "hosts" if is_to_hosts(frame) else "announcement"
        for frame in outcome.frames
    ]
    assert kinds == ["advert", "announcement", "announcement", "hosts"]
    assert outcome.kinds() == "ADUN", "addresses are there before hosts are told"
    ((_now_ns, seen),) = told([outcome])
    source = driver.bound(NAME).parameters.addresses[0]
    assert seen == ToHosts(source, VIRTUAL_MAC, 255, 1800, VIRTUAL_MAC)


@pytest.mark.rfc("N6", positive=False)
def test_who_is_not_asked_to_tells_hosts_nothing():
    for changes in ({}, {"router_advertisements": RouterAdvertisements()}):
        driver = Driver(config(group6(**changes), group(vrid=11)))
        outcomes = [driver.first, *driver.run(driver.now_ns + NS_PER_S * 1000), ask(driver)]
        assert driver.state(NAME) is State.MASTER
        assert told([*outcomes, *driver.run(driver.now_ns + NS_PER_S)]) == []
        assert driver.router.advertising_links() == ()


@pytest.mark.rfc("N2", positive=True)
def test_a_backup_is_silent():
    driver = Driver(config(group6(router_advertisements=ON)))
    outcomes = []
    for _second in range(1000):
        outcomes.append(driver.hear(V3_IPV6.but(priority=200)))
        outcomes.append(ask(driver))
        outcomes += driver.run(driver.now_ns + NS_PER_S)
    assert driver.state(NAME) is State.BACKUP
    assert [outcome.frames for outcome in outcomes if outcome.frames] == []
    assert driver.count("router-solicitations-rcvd", NAME) == 1000


@pytest.mark.rfc("N2", positive=False)
def test_a_master_that_becomes_backup_falls_silent_until_it_is_master_again():
    driver = advertising()
    driver.hear(V3_IPV6.but(priority=200), now_ns=driver.now_ns + NS_PER_S)
    assert driver.state(NAME) is State.BACKUP
    asked = ask(driver)
    alone = driver.run(driver.now_ns + 2 * NS_PER_S)
    assert told([asked, *alone]) == []
    outcome = driver.run_to_master()
    assert len(told([outcome])) == 1


@pytest.mark.rfc("N11", positive=True)
def test_all_routers_of_a_group_send_the_same_octets():
    settings = RouterAdvertisements(enabled=True, rdnss=(ip("2001:db8::53"),), hop_limit=32)
    frames = set()
    for links, priority in (((link(),), 100), ((OTHERS_LINK,), 90)):
        driver = Driver(config(group6(router_advertisements=settings, priority=priority)), links)
        frames.update(frame for frame in driver.run_to_master().frames if is_to_hosts(frame))
    assert len(frames) == 1


# When


def timer_times(settings: RouterAdvertisements, seed: bytes, end_ns: int) -> List[int]:
    """The times of a timer that starts at 0 and is never asked."""
    timer, seen = RouterAdvertiser(), []
    timer.start(0)
    while timer.deadline_ns is not None and timer.deadline_ns <= end_ns:
        seen.append(timer.deadline_ns)
        assert not timer.take(settings, seed, seen[-1] - 1)
        assert timer.take(settings, seed, seen[-1])
    return seen


@pytest.mark.parametrize("shortest_cs", [0, 30000])
@pytest.mark.parametrize("seed", [b"", b"one", b"two"])
def test_the_times_between_are_random_and_within_bounds(shortest_cs, seed):
    settings = RouterAdvertisements(enabled=True, min_interval_cs=shortest_cs)
    seen = timer_times(settings, seed, 10 * DAY_NS)
    gaps = [later - earlier for earlier, later in zip(seen, seen[1:])]
    assert gaps[:2] == [16 * NS_PER_S] * 2, "MAX_INITIAL_RTR_ADVERT_INTERVAL"
    low_ns, high_ns = (shortest_cs or 20000) * 10 * NS_PER_MS, 600 * NS_PER_S
    assert all(low_ns <= gap <= high_ns for gap in gaps[2:])
    assert len(set(gaps[2:])) == len(gaps) - 2 > 1500
    # Evenly spread: each fifth of the range has its share.
    width_ns = (high_ns - low_ns) // 5 + 1
    shares = [sum((gap - low_ns) // width_ns == part for gap in gaps[2:]) for part in range(5)]
    assert min(shares) > len(gaps) * 0.16, shares


def test_two_routers_of_a_lan_do_not_keep_step():
    runs = [set(timer_times(ON, seed, DAY_NS)[3:]) for seed in (b"one", b"two", b"one")]
    assert runs[0] == runs[2], "a replay finds the same times"
    assert not runs[0] & runs[1]


def test_routers_draw_by_their_own_address():
    nexts = set()
    for links in ((link(),), (OTHERS_LINK,), (link(),)):
        driver = Driver(config(group6(router_advertisements=SHORT)), links)
        driver.run_to_master()
        nexts.add(tuple(times(driver.run(T0 + 60 * NS_PER_S))))
    assert len(nexts) == 2


def test_a_solicitation_is_answered_to_all_within_half_a_second():
    delays = set()
    for vrid in range(1, 101):
        driver = advertising(vrid=vrid)
        driver.run(driver.now_ns + 8 * NS_PER_S)
        asked_ns = driver.now_ns
        assert told([ask(driver)]) == [], "a random delay keeps routers apart"
        (answer_ns,) = times(driver.run(asked_ns + NS_PER_S // 2))
        delays.add((answer_ns - asked_ns) // (100 * NS_PER_MS))
    assert delays == {0, 1, 2, 3, 4}


def test_an_answer_counts_as_one_in_turn():
    """RFC 4861 section 6.2.6: the timer starts anew."""
    driver = advertising()
    driver.run(driver.now_ns + 1000 * NS_PER_S)
    ask(driver)
    (answer_ns,) = times(driver.run(driver.now_ns + NS_PER_S // 2))
    after = times(driver.run(driver.now_ns + 601 * NS_PER_S))
    assert answer_ns + 200 * NS_PER_S <= after[0] <= answer_ns + 600 * NS_PER_S


def test_hosts_that_ask_without_end_get_one_in_three_seconds():
    driver = advertising()
    start_ns, seen = driver.now_ns, [driver.now_ns]
    while driver.now_ns < start_ns + 60 * NS_PER_S:
        for _count in range(10):
            ask(driver)
        seen += times(driver.run(driver.now_ns + 50 * NS_PER_MS))
    gaps = [later - earlier for earlier, later in zip(seen, seen[1:])]
    assert min(gaps) >= 3 * NS_PER_S
    assert max(gaps) <= 3 * NS_PER_S + 550 * NS_PER_MS
    assert driver.count("router-advertisements-sent", NAME) == len(seen)


def test_a_role_that_flaps_is_no_reason_to_flood():
    driver = advertising()
    seen = [driver.now_ns]
    for _count in range(10):
        driver.hear(V3_IPV6.but(priority=200, interval=1))
        driver.hear(V3_IPV6.but(priority=0, interval=1))
        outcome = driver.run_to_master()
        seen += times([outcome, *driver.run(driver.now_ns + NS_PER_S)])
    assert min(later - earlier for earlier, later in zip(seen, seen[1:])) >= 3 * NS_PER_S


def test_only_the_link_that_asks_is_answered():
    other = link("lan1", 8)
    both = config(
        group6(router_advertisements=ON),
        group6("second", interface="lan1", vrid=11, router_advertisements=ON),
    )
    driver = master(both, (link(), other))
    driver.run(driver.now_ns + 100 * NS_PER_S)
    assert [each.name for each in driver.router.advertising_links()] == ["lan0", "lan1"]
    ask(driver, ifindex=8)
    answers = driver.run(driver.now_ns + NS_PER_S // 2)
    sent = [
        action.ifindex
        for outcome in answers
        for action in outcome.actions
        if isinstance(action, TransmitFrame) and is_to_hosts(action.frame)
    ]
    assert sent == [8]
    assert told([ask(driver, ifindex=9), *driver.run(driver.now_ns + NS_PER_S // 2)]) == []


def test_an_unsound_solicitation_has_no_effect_but_its_counter():
    driver = advertising()
    driver.run(driver.now_ns + 100 * NS_PER_S)
    before_ns = driver.router.deadline_ns
    first = ask(driver, solicitation(hop_limit=64))
    again = ask(driver, solicitation(hop_limit=64))
    assert driver.router.deadline_ns == before_ns
    assert driver.router.counters == {"router-solicitation-errors": 2}
    assert driver.count("router-solicitations-rcvd", NAME) == 0
    assert [note.data["reason"] for note in first.notes] == ["router-solicitation-errors"]
    assert again.notes == [], "one line in a minute"


# Leaving, and changes


def test_a_successor_is_never_spoiled_by_a_farewell():
    """The link-local address goes on living elsewhere: hosts must keep their default route."""
    stopped = advertising()
    outcomes = [stopped.step(Stop()), *stopped.run(stopped.now_ns + 10 * NS_PER_S)]
    removed = advertising()
    outcomes += [removed.configure(config()), *removed.run(removed.now_ns + 10 * NS_PER_S)]
    unplugged = advertising()
    outcomes += [unplugged.links(link(has_carrier=False)), *unplugged.run(T0 + 100 * NS_PER_S)]
    preempted = advertising()
    outcomes.append(preempted.hear(V3_IPV6.but(priority=200)))
    assert told(outcomes) == []


def test_while_it_leaves_it_answers_nobody():
    driver = advertising()
    driver.step(Stop(), driver.now_ns + 100 * NS_PER_S)
    assert driver.router.is_leaving
    assert told([ask(driver), *driver.run(driver.now_ns + 10 * NS_PER_S)]) == []


def test_an_operator_who_wants_none_takes_the_default_route_back():
    driver = advertising(
        RouterAdvertisements(enabled=True, preference=RoutePreference.HIGH, dnssl=("example.com",))
    )
    outcome = driver.configure(config(group6()))
    ((_at_ns, farewell),) = told([outcome])
    assert farewell.lifetime_s == 0
    (frame,) = (frame for frame in outcome.frames if is_to_hosts(frame))
    assert frame[59] == 0, "no flags, and RFC 4191 section 2.2: no preference"
    assert told(driver.run(driver.now_ns + 1000 * NS_PER_S)) == []
    assert driver.router.advertising_links() == ()


def test_news_are_told_at_once_but_not_within_three_seconds_of_the_last():
    driver = advertising()
    start_ns = driver.now_ns
    driver.configure(
        config(group6(router_advertisements=RouterAdvertisements(enabled=True, lifetime_s=900)))
    )
    ((at_ns, seen),) = told(driver.run(start_ns + 5 * NS_PER_S))
    assert (at_ns, seen.lifetime_s) == (start_ns + 3 * NS_PER_S, 900)
    driver.run(start_ns + 100 * NS_PER_S)
    same = RouterAdvertisements(enabled=True, lifetime_s=900)
    driver.configure(config(group6(priority=150, router_advertisements=same)))
    assert told(driver.run(driver.now_ns + 10 * NS_PER_S)) == [], "nothing new for hosts"


def test_a_running_master_can_begin():
    driver = advertising(RouterAdvertisements())
    driver.run(driver.now_ns + 100 * NS_PER_S)
    driver.configure(config(group6(router_advertisements=ON)))
    assert times(driver.run(driver.now_ns)) == [driver.now_ns]
    assert [each.name for each in driver.router.advertising_links()] == ["lan0"]


def test_another_virtual_link_local_address_is_told_at_once():
    driver = advertising(addresses=("fe80::10", "2001:db8::254"))
    driver.run(driver.now_ns + 100 * NS_PER_S)
    outcome = driver.configure(
        config(group6(router_advertisements=ON, addresses=("fe80::11", "2001:db8::254")))
    )
    ((_at_ns, seen),) = told([outcome])
    assert seen.source == ip("fe80::11")


def test_the_snapshot_tells_when_the_next_one_comes():
    driver = advertising()
    (router,) = snapshot(driver.router, driver.now_ns)["routers"]
    assert router["router_advertisements"] == {
        "lifetime_s": 1800,
        "prefixes": [],
        "next_ns": 16 * NS_PER_S,
    }
    driver.hear(V3_IPV6.but(priority=200))
    (router,) = snapshot(driver.router, driver.now_ns)["routers"]
    assert router["router_advertisements"]["next_ns"] is None
