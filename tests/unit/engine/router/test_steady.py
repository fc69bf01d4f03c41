# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The short ways of steady masters and backups do what the long ones do."""

import random
from dataclasses import replace

import pytest
from engine_kit.driver import Driver
from engine_kit.histories import configurations, first_links, history
from engine_kit.packets import V3, solicitation
from engine_kit.values import NS_PER_MS, NS_PER_S, T0, config, group, group6, link, ping

from vrrp.config.model import ChecksumMode, LeaseMode, RouterAdvertisements
from vrrp.facts import ProbeResult
from vrrp.fsm.parameters import Profile
from vrrp.fsm.virtual_router import VirtualRouter
from vrrp.router import bound_router
from vrrp.router.events import (
    ConfigReplaced,
    DrainChanged,
    LinksChanged,
    PacketReceived,
    PacketsReceived,
    SolicitationReceived,
    Stop,
    Tick,
    TrackerReported,
)
from vrrp.router.masks import NoMasks
from vrrp.router.snapshot import snapshot as router_snapshot
from vrrp.router.state import frozen, pieces
from vrrp.router.steady import SteadyMasters
from vrrp.router.vrrp_router import VrrpRouter
from vrrp.wire.checksum import internet_checksum

SEEDS = range(12)


def told(seed, has_short_ways, monkeypatch):
    """What a router did in a history, when it wanted to be woken, and what it counted."""
    with monkeypatch.context() as patch:
        router = VrrpRouter(configurations()[0], first_links(), T0)
        if not has_short_ways:
            patch.setattr(SteadyMasters, "gather", lambda *_: None)
            patch.setattr(VirtualRouter, "hears_again", lambda *_: False)
        done = []
        for event, now_ns in history(seed, 400):
            # Whoever advertises does so again and again.
            for again in (event,) * (3 if isinstance(event, PacketReceived) else 1):
                done.append((router.step(again, now_ns), router.deadline_ns))
        counters = [bound.counters for bound in router.bound_routers()]
        return done, counters


@pytest.mark.parametrize("seed", SEEDS)
def test_any_history_is_the_same_by_the_short_and_the_long_way(seed, monkeypatch):
    short, long = (told(seed, each, monkeypatch) for each in (True, False))
    assert short[0] == long[0]
    assert short[1] == long[1]


def test_those_histories_go_the_short_ways(monkeypatch):
    """Otherwise the test above proves nothing."""
    heard, said = [], []
    hears = bound_router.BoundRouter.hears_again
    advertises = SteadyMasters.advertise
    monkeypatch.setattr(
        bound_router.BoundRouter,
        "hears_again",
        lambda *words: heard.append(hears(*words)) or heard[-1],
    )
    monkeypatch.setattr(
        SteadyMasters, "advertise", lambda *words: said.append(words) or advertises(*words)
    )
    for seed in SEEDS:
        told(seed, True, monkeypatch)
    assert heard.count(True) > 20
    assert len(said) > 10


# The priority of those with the other interval puts them into the same slots, each second.
CROWD = config(
    *(group("a%d" % number, vrid=number, advertisement_interval_cs=10) for number in range(1, 9)),
    *(group("b%d" % number, vrid=20 + number, priority=85) for number in range(4)),
    group("old", vrid=40, profile=Profile.RFC5798),
    group("late", vrid=30, advertisement_interval_cs=10, interface="lan1"),
    group6("six", router_advertisements=RouterAdvertisements(enabled=True, max_interval_cs=400)),
    sync={"g": ("b2", "b3")},
    trackers=(ping(fall=2, rise=2),),
    leases=LeaseMode.OFF,
)
OTHERWISE = tuple(replace(each, checksum=ChecksumMode.RFC9568) for each in CROWD.virtual_routers)
LAN1 = link("lan1", 8, addresses=("198.18.20.5/24",))
SELDOM = (
    PacketReceived(V3.but(vrid=3, priority=50, interval=10).received(7)),
    PacketReceived(V3.but(vrid=4, priority=200, interval=10).received(7)),
    PacketReceived(V3.but(vrid=5, priority=0, interval=10).received(7)),
    PacketReceived(V3.but(vrid=21, priority=50).received(7)),
    PacketReceived(V3.but(vrid=22, priority=200).received(7)),
    # It is discarded by RFC 5798, but tells the checksum that its router wants.
    PacketReceived(V3.but(vrid=40, priority=50, message_only=True).received(7)),
    PacketReceived(V3.but(vrid=40, priority=50).received(7)),
    SolicitationReceived(7, solicitation()),
    TrackerReported(ProbeResult("uplink", False, "said so")),
    TrackerReported(ProbeResult("uplink", True, "said so")),
    LinksChanged((link(), LAN1)),
    LinksChanged((link(mtu=1400), LAN1)),
    LinksChanged((link(),)),
    DrainChanged(frozenset({"lan0/ipv4/6"})),
    DrainChanged(frozenset()),
    ConfigReplaced(CROWD),
    ConfigReplaced(config(*CROWD.virtual_routers[1:], leases=LeaseMode.OFF)),
    # Of these no machine hears.
    ConfigReplaced(replace(CROWD, leases=LeaseMode.ON)),
    ConfigReplaced(replace(CROWD, virtual_routers=OTHERWISE)),
)


def life_of_masters(seed, has_short_ways, monkeypatch):
    """All that is seen of many masters to whom little happens; and how many bursts they sent."""
    choose, bursts = random.Random(seed), []
    advertise = SteadyMasters.advertise
    with monkeypatch.context() as patch:
        patch.setattr(
            SteadyMasters, "advertise", lambda *words: bursts.append(words) or advertise(*words)
        )
        if not has_short_ways:
            patch.setattr(SteadyMasters, "gather", lambda *_: None)
        router, now_ns, done = VrrpRouter(CROWD, (link(), LAN1), T0), T0, []
        for _step in range(1_500):
            event = Tick() if choose.random() < 0.985 else choose.choice(SELDOM)
            late_ns = choose.choice((0, 0, 0, 0, 0, 30_000, 500_000, 1_500_000, 25 * NS_PER_MS))
            if isinstance(event, Tick):
                now_ns = max(now_ns, router.deadline_ns) + late_ns
            done.append((event, now_ns, router.step(event, now_ns), router.deadline_ns))
            if choose.random() < 0.01:
                done.append(router_snapshot(router, now_ns))
                frozen(router)
        *bounds, _router = pieces(frozen(router), NoMasks())
        done += [bounds, router._deadlines._deadlines]
        done += [vars(bound.machine) for bound in router.bound_routers() if bound.machine]
    return done, len(bursts)


@pytest.mark.parametrize("seed", SEEDS)
def test_masters_in_bursts_do_what_they_would_do_one_by_one(seed, monkeypatch):
    (short, bursts), (long, none) = (
        life_of_masters(seed, each, monkeypatch) for each in (True, False)
    )
    assert bursts > 300 and none == 0
    for number, (left, right) in enumerate(zip(short, long)):
        assert left == right, (seed, number)
    assert len(short) == len(long)


def crowd_of_masters(count=250):
    """All masters in one slot, steady."""
    wanted = [
        group("g%d" % number, vrid=1 + number, advertisement_interval_cs=10)
        for number in range(count)
    ]
    driver = Driver(config(*wanted))
    driver.run_to_master()
    driver.run(driver.now_ns + 8 * NS_PER_S)
    return driver


def test_a_burst_is_the_very_same_tuple_each_time():
    """Who sends it knows it by that."""
    driver = crowd_of_masters()
    first, second = (driver.step(Tick(), driver.router.deadline_ns).actions for _time in range(2))
    assert first is second and len(first) == 250


def test_what_one_has_to_announce_does_not_scatter_the_others():
    """Announcements are repeated each minute, by each at a time of its own."""
    driver = crowd_of_masters()
    before = driver.step(Tick(), driver.router.deadline_ns).actions
    announced = [each for each in driver.run(driver.now_ns + 60 * NS_PER_S) if each.announcements]
    assert len(announced) == 1
    assert driver.step(Tick(), driver.router.deadline_ns).actions is before


def test_a_late_burst_tells_its_gap():
    driver = crowd_of_masters()
    outcome = driver.step(Tick(), driver.router.deadline_ns + 130 * NS_PER_MS)
    assert len(outcome.adverts) == 250
    assert [note.kind for note in outcome.notes] == ["gap"]
    gaps = {bound.sent_gap.duration_ns for bound in driver.router.bound_routers()}
    assert gaps == {230 * NS_PER_MS}


def test_a_newcomer_joins_the_burst_of_its_slot():
    driver = crowd_of_masters(3)
    wanted = group("new", vrid=99, advertisement_interval_cs=10)
    # Its Master_Down_Interval is 361 ms, and an interval later is 461 ms: the slot is that of 500.
    driver.run(driver.router.deadline_ns + 40 * NS_PER_MS)
    driver.configure(config(*driver.router.config.virtual_routers, wanted, leases=LeaseMode.OFF))
    driver.run(driver.now_ns + 10 * NS_PER_S)
    sizes = {len(outcome.adverts) for outcome in driver.run(driver.now_ns + NS_PER_S)}
    assert sizes - {0} == {4}


def test_a_burst_is_as_one_after_the_other():
    packets = (V3, V3.but(priority=0), V3.but(priority=200), V3, V3.but(vrid=99), V3)
    received = tuple(each.received(7) for each in packets)
    one, other = Driver(config(group(priority=150))), Driver(config(group(priority=150)))
    now_ns = T0 + NS_PER_S
    for packet in packets:
        one.hear(packet, now_ns=now_ns)
    other.step(PacketsReceived(received), now_ns)
    assert one.router.deadline_ns == other.router.deadline_ns
    (left,), (right,) = one.router.bound_routers(), other.router.bound_routers()
    assert left.counters == right.counters
    assert one.router.counters == other.router.counters == {"vrid-errors": 1}


def steady_driver():
    driver = Driver(config(group(), leases=LeaseMode.OFF))
    driver.run_to_master()
    for _time in range(8):
        driver.step(Tick(), driver.router.deadline_ns)
    return driver


@pytest.mark.parametrize(
    "event", (Stop(), ConfigReplaced(config(group(priority=90)))), ids=("stop", "another priority")
)
def test_what_happens_ends_it(event):
    driver = steady_driver()
    assert driver.router._steady.keeps(driver.bound()), "it is steady until then"
    driver.step(event, driver.router.deadline_ns - 1)
    assert not driver.router._steady.keeps(driver.bound())


def test_a_packet_of_a_lesser_router_ends_it_until_its_next_advertisement():
    driver = steady_driver()
    driver.hear(V3.but(priority=50), now_ns=driver.router.deadline_ns - 1)
    assert not driver.router._steady.keeps(driver.bound())
    driver.run(driver.now_ns + NS_PER_S)
    assert driver.router._steady.keeps(driver.bound())


def next_advertisement(driver):
    """The message of it."""
    while True:
        outcome = driver.step(Tick(), driver.router.deadline_ns)
        if outcome.adverts:
            return outcome.actions[0].frame[34:]


def test_a_packet_without_consequence_may_change_the_checksum():
    """RFC 5798 discards that of a lesser router; others want to be answered in their own form."""
    driver = Driver(config(group(profile=Profile.RFC5798), leases=LeaseMode.OFF))
    driver.run_to_master()
    driver.run(driver.now_ns + 8 * NS_PER_S)
    lesser = V3.but(priority=50)
    # The first one is answered by announcements, the other one comes too soon for that.
    driver.hear(lesser, now_ns=driver.router.deadline_ns - NS_PER_MS)
    assert internet_checksum(next_advertisement(driver)) != 0
    outcome = driver.hear(lesser.but(message_only=True), now_ns=driver.now_ns)
    assert outcome.actions == ()
    assert internet_checksum(next_advertisement(driver)) == 0
