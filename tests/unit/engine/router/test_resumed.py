# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A router goes on where another process stopped, and the LAN does not notice."""

from typing import Dict, Optional

import pytest
from engine_kit.driver import Driver, Outcome, master
from engine_kit.packets import V3
from engine_kit.values import HIGHER, NS_PER_MS, NS_PER_S, T0, config, group, group6, link, ping

from vrrp.config.model import TrackReference
from vrrp.fsm.events import AdvertisementReceived, Memory
from vrrp.fsm.states import State
from vrrp.router.events import PacketReceived
from vrrp.router.inheritance import Inheritance
from vrrp.router.vrrp_router import VrrpRouter

BACKUP, MASTER = State.BACKUP, State.MASTER
DOWN_NS = 3_609_375_000
ID = "lan0/ipv4/10"


def left_behind(driver: Driver) -> Inheritance:
    """What a process knows between two steps."""
    memories: Dict[str, Memory] = {}
    for bound in driver.router.bound_routers():
        memory: Optional[Memory] = bound.machine.memory() if bound.machine else None
        if memory is not None:
            memories[bound.id] = memory
    trackers = {
        name: tracker.ok
        for name, tracker in driver.router.trackers.items()
        if tracker.ok is not None
    }
    return Inheritance(memories, trackers)


def heir(driver: Driver, **more) -> Driver:
    """The next process, a moment later."""
    wanted = more.pop("wanted", driver.router.config)
    links = more.pop("links", (link(),))
    now_ns = driver.now_ns + 5 * NS_PER_MS
    return Driver(wanted, links, now_ns, left_behind(driver), **more)


@pytest.mark.rfc("B6", positive=True)
def test_a_master_goes_on_with_the_next_advertisement():
    old = master(config(group(), group6()))
    deadline_ns = old.router.deadline_ns
    new = heir(old)
    assert new.first.adverts == []
    assert new.first.desired == old.router.desired()
    assert {new.state("vlan10"), new.state("vlan10-v6")} == {MASTER}
    (outcome,) = [each for each in new.run(deadline_ns) if each.adverts]
    assert outcome.at_ns == deadline_ns
    assert sorted(each.family.value for each in outcome.adverts) == ["ipv4", "ipv6"]


def test_what_it_says_is_what_the_other_one_would_have_said():
    old = master(config(group()))
    new = heir(old)
    until_ns = old.now_ns + 100 * NS_PER_S
    wanted = [each.adverts for each in old.run(until_ns) if each.adverts]
    found = [each.adverts for each in new.run(until_ns) if each.adverts]
    assert found == wanted


def test_it_is_no_new_mastership():
    new = heir(master(config(group())))
    assert new.bound().counters == {}
    (note,) = [each for each in new.first.notes if each.kind == "transition"]
    assert (note.data["current"], note.data["reason"]) == ("master", "resumed")
    new.run(new.now_ns + 10 * NS_PER_S)
    assert new.count("master-transitions") == 0


def test_its_age_is_that_of_the_mastership():
    old = master(config(group()))
    new = heir(old)
    ages = [each.bound().machine.snapshot(new.now_ns).state_age_ns for each in (old, new)]
    assert ages[0] == ages[1] > 5 * NS_PER_S


@pytest.mark.rfc("B6", positive=True)
def test_a_backup_goes_on_with_its_timer_and_what_it_learned():
    old = Driver(config(group()))
    old.hear(V3.but(priority=200, interval=50), now_ns=T0 + NS_PER_S)
    new = heir(old)
    assert new.first.kinds() == "DN"
    assert new.router.deadline_ns == old.router.deadline_ns
    assert new.bound().machine.snapshot(new.now_ns) == old.bound().machine.snapshot(new.now_ns)
    (taken,) = new.run(new.router.deadline_ns)
    assert "heard for 1.805s" in taken.notes[0].message


def test_a_peer_that_is_better_still_wins():
    new = heir(master(config(group())))
    assert new.hear(V3.but(priority=200)).adverts == []
    assert new.state() is BACKUP


def test_who_was_away_too_long_yields_to_who_took_over():
    """What has arrived meanwhile is read before time passes."""
    memory = Memory(MASTER, T0 - 3 * NS_PER_S, 100, T0 - 60 * NS_PER_S)
    router = VrrpRouter(config(group()), (link(),), T0, Inheritance({ID: memory}))
    heard = PacketReceived(V3.but(priority=50).received(7))
    outcome = Outcome(T0, router.step(heard, T0))
    assert (outcome.adverts, router.bound_routers()[0].state) == ([], BACKUP)
    reasons = [each.data["reason"] for each in outcome.notes if each.kind == "transition"]
    assert reasons == ["resumed", "stalled"]


def test_an_id_that_nobody_has_is_ignored():
    memory = Memory(MASTER, T0, 100, T0)
    driver = Driver(config(group()), inheritance=Inheritance({"lan9/ipv4/10": memory}))
    assert (driver.state(), driver.router.deadline_ns) == (BACKUP, T0 + DOWN_NS)


@pytest.mark.rfc("B6", positive=False)
def test_who_has_no_memory_starts_as_usual():
    new = heir(
        master(config(group())),
        wanted=config(group(), group("new", vrid=11, addresses=("198.18.10.9",))),
    )
    assert (new.state(), new.state("new")) == (MASTER, BACKUP)


@pytest.mark.parametrize("links", ((), (link(is_up=False),)))
def test_a_link_that_is_gone_ends_it_and_a_later_start_is_a_usual_one(links):
    new = heir(master(config(group())), links=links)
    assert new.state() is State.INITIALIZE
    outcome = new.links(link())
    assert [each.data["reason"] for each in outcome.notes] == ["startup"]
    assert new.router.deadline_ns == new.now_ns + DOWN_NS


def test_names_and_priorities_may_be_others():
    new = heir(master(config(group())), wanted=config(group("gateway", priority=120)))
    assert new.state("gateway") is MASTER
    (advert,) = [advert for each in new.run(new.now_ns + NS_PER_S) for advert in each.adverts]
    assert advert.priority == 120


def test_another_version_is_another_virtual_router_of_the_same_id():
    """The others cannot hear the difference before the next advertisement."""
    new = heir(master(config(group())), wanted=config(group(version=2)))
    assert new.state() is MASTER
    (advert,) = [advert for each in new.run(new.now_ns + NS_PER_S) for advert in each.adverts]
    assert advert.version == 2


def test_what_trackers_said_counts_from_the_first_moment():
    track = (TrackReference("uplink", 30),)
    old = master(config(group(priority=150, track=track), trackers=(ping(fall=1),)))
    old.report("uplink", ok=False)
    new = heir(old)
    assert new.bound().parameters.priority == 120
    assert new.first.adverts == []
    new.report("uplink", ok=True)
    assert [each.priority for each in new.report("uplink", ok=True).adverts] == [150]


def test_a_drained_one_goes_on_drained():
    old = Driver(config(group()), drained=frozenset({str(group().key)}))
    old.run_to_master()
    new = heir(old, drained=frozenset({str(group().key)}))
    assert (new.state(), new.bound().parameters.priority) == (MASTER, 1)
    old = Driver(config(group()), drained=frozenset({str(group().key)}))
    old.hear(V3.but(priority=50))
    assert heir(old, drained=frozenset({str(group().key)})).state() is BACKUP


def test_an_owner_goes_on():
    owner = config(group(priority=255, addresses=("198.18.10.5",)))
    new = heir(master(owner))
    assert (new.first.adverts, new.state()) == ([], MASTER)


def test_the_memory_is_used_once():
    new = heir(master(config(group())))
    new.links()
    new.links(link())
    assert new.state() is BACKUP


def test_a_memory_of_a_peer_explains_the_next_takeover():
    peer = AdvertisementReceived(HIGHER, 0, 100)
    memory = Memory(BACKUP, T0 + 300 * NS_PER_MS, 100, T0 - NS_PER_S, peer, T0 - 100 * NS_PER_MS)
    driver = Driver(config(group()), inheritance=Inheritance({ID: memory}))
    outcome = driver.run_to_master()
    assert outcome.at_ns == T0 + 300 * NS_PER_MS
    assert "released its mastership (priority 0) 400ms ago" in outcome.notes[-1].message
