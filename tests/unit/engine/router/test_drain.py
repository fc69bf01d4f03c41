# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drained virtual routers: master only if nobody else is, and never at the cost of a packet."""

import pytest
from engine_kit.driver import Driver, master
from engine_kit.lan import Lan
from engine_kit.packets import V3
from engine_kit.values import NS_PER_MS, NS_PER_S, T0, config, group, group6, link

from vrrp.fsm.states import State
from vrrp.router.events import ALL, DrainChanged, Stop, Tick

BACKUP, MASTER = State.BACKUP, State.MASTER
LEAVING_NS = 255 * NS_PER_S // 256 + 100 * NS_PER_MS
SECOND = group("second", vrid=11, addresses=("198.18.10.253",))


def identities(*wanted):
    return frozenset(str(each.key) for each in wanted)


def told(outcome):
    """What is said of drains: name, drained, code."""
    notes = [each for each in outcome.notes if each.kind == "drain"]
    return [(each.name, each.data["drained"], each.data.get("code")) for each in notes]


def priority(driver: Driver, name: str = "vlan10") -> int:
    return driver.bound(name).parameters.priority


# Draining


def test_a_drained_master_gives_its_role_away_and_is_the_last_resort():
    driver = master(config(group(priority=200)))
    outcome = driver.drain("vlan10")
    assert [each.priority for each in outcome.adverts] == [0]
    assert told(outcome) == [("vlan10", True, None)]
    assert (driver.state(), priority(driver)) == (BACKUP, 1)
    driver.hear(V3.but(priority=50))
    assert driver.router.deadline_ns == driver.now_ns + 3 * NS_PER_S + 255 * NS_PER_S // 256
    assert driver.drained() == {"vlan10"}


def test_only_those_named_are_drained():
    driver = master(config(group(), SECOND))
    outcome = driver.drain("second")
    assert [(each.vrid, each.priority) for each in outcome.adverts] == [(11, 0)]
    assert (priority(driver), priority(driver, "second")) == (100, 1)
    assert driver.state() is MASTER


def test_all_are_drained_those_to_come_included():
    driver = master(config(group()))
    driver.drain(ALL)
    driver.hear(V3.but(priority=50))
    driver.configure(config(group(), SECOND))
    assert (priority(driver), priority(driver, "second")) == (1, 1)
    assert driver.drained() == {ALL}


def test_a_name_that_nobody_has_changes_nothing():
    driver = master(config(group()))
    assert driver.drain("nobody").actions == ()
    assert priority(driver) == 100


def test_draining_twice_says_and_does_nothing_more():
    driver = master(config(group()))
    driver.drain("vlan10")
    driver.hear(V3.but(priority=50))
    assert driver.drain("vlan10").actions == ()
    assert driver.drain(ALL).actions == ()


def test_a_drained_backup_waits_longest():
    driver = Driver(config(group(priority=254)))
    outcome = driver.drain("vlan10")
    assert (outcome.adverts, told(outcome)) == ([], [("vlan10", True, None)])
    assert driver.router.deadline_ns == T0 + 3 * NS_PER_S + 255 * NS_PER_S // 256


@pytest.mark.rfc("B3", positive=True)
def test_a_drained_backup_takes_over_when_nobody_else_does():
    driver = Driver(config(group(priority=254)))
    driver.drain("vlan10")
    (advert,) = driver.run_to_master().adverts
    assert advert.priority == 1
    driver.hear(V3.but(priority=2))
    assert driver.state() is BACKUP, "and leaves it to anybody"


@pytest.mark.rfc("B3", positive=False)
def test_an_owner_is_never_drained():
    owner = group(priority=255, addresses=("198.18.10.5",))
    driver = master(config(owner, SECOND))
    outcome = driver.drain(ALL)
    assert [each.vrid for each in outcome.adverts] == [11]
    assert told(outcome) == [("second", True, None)]
    assert (driver.state(), priority(driver)) == (MASTER, 255)
    assert not driver.router.is_drained(driver.bound())


def test_failing_trackers_cost_a_drained_one_nothing_more():
    driver = master(config(group(priority=200)))
    driver.drain("vlan10")
    driver.configure(config(group(priority=150)))
    assert priority(driver) == 1


def test_one_that_waits_is_drained_when_it_starts():
    driver = Driver(config(group()), links=())
    driver.drain("vlan10")
    driver.links(link())
    assert priority(driver) == 1


def test_it_stays_drained_over_a_restart():
    driver = Driver(config(group(), SECOND), drained=identities(SECOND))
    assert (priority(driver), priority(driver, "second")) == (100, 1)
    assert told(driver.first) == [], "nothing new"
    assert driver.drained() == {"second"}


def test_it_stays_drained_under_another_name():
    driver = master(config(group(), SECOND))
    driver.drain("vlan10")
    driver.hear(V3.but(priority=50))
    driver.configure(config(group("gateway"), SECOND))
    assert driver.drained() == {"gateway"}
    assert (priority(driver, "gateway"), priority(driver, "second")) == (1, 100)


def test_it_stays_drained_when_names_change_places():
    a, b = group("a", vrid=11), group("b", vrid=12, addresses=("198.18.10.9",))
    driver = Driver(config(a, b), drained=identities(a))
    driver.configure(config(group("b", vrid=11), group("a", vrid=12, addresses=("198.18.10.9",))))
    assert told(driver.step(Tick())) == []
    assert driver.drained() == {"b"}
    assert (priority(driver, "a"), priority(driver, "b")) == (100, 1)


def test_a_restart_under_other_names_mixes_nobody_up():
    """Who was drained is known by its identity, whatever has its name now."""
    old = Driver(config(group("a", vrid=11), group("b", vrid=12, addresses=("198.18.10.9",))))
    old.drain("a")
    wanted = config(group("b", vrid=11), group("a", vrid=12, addresses=("198.18.10.9",)))
    driver = Driver(wanted, drained=old.router.drained)
    assert (priority(driver, "a"), priority(driver, "b")) == (100, 1)
    assert driver.drained() == {"b"}


def test_removed_and_back_it_is_still_drained():
    """Who forgets it is the daemon: a rollback has to find what was before."""
    driver = Driver(config(group(), SECOND), drained=identities(group()))
    driver.configure(config(SECOND))
    driver.configure(config(group(), SECOND))
    assert (priority(driver), priority(driver, "second")) == (1, 100)


# No successor


def test_without_a_successor_it_is_master_again_and_lost_nothing():
    driver = master(config(group(priority=200)))
    driver.drain("vlan10")
    drained_ns = driver.now_ns
    (outcome,) = driver.run(drained_ns + LEAVING_NS)
    assert outcome.at_ns == drained_ns + LEAVING_NS
    assert told(outcome) == [("vlan10", False, "no-successor")]
    assert [each.priority for each in outcome.adverts] == [200]
    assert outcome.kinds() == "ADLUN"
    (device,) = outcome.desired.devices
    assert (device.is_master, device.is_quiet) == (True, False), "it never was without addresses"
    assert driver.drained() == set()
    assert [each.data["reason"] for each in outcome.notes if each.kind == "transition"] == [
        "no-successor"
    ]


def test_the_others_stay_drained_when_one_has_no_successor():
    driver = master(config(group(), SECOND))
    driver.drain(ALL)
    driver.hear(V3.but(priority=50))
    driver.run(driver.now_ns + LEAVING_NS)
    assert driver.drained() == {"vlan10"}
    assert (driver.state(), driver.state("second")) == (BACKUP, MASTER)


def test_without_a_successor_only_that_one_is_drained_no_longer():
    driver = master(config(group()))
    driver.drain("vlan10", "eth9/ipv4/99")
    driver.run(driver.now_ns + LEAVING_NS)
    assert driver.router.drained == {"eth9/ipv4/99"}, "who is removed for now stays drained"


def test_who_is_drained_itself_is_no_successor():
    """Two routers are drained one after the other: the second one refuses."""
    driver = master(config(group(priority=200)))
    driver.drain("vlan10")
    outcome = driver.hear(V3.but(priority=1), now_ns=driver.now_ns + 997 * NS_PER_MS)
    assert told(outcome) == [("vlan10", False, "no-successor")]
    assert [each.priority for each in outcome.adverts] == [200]
    assert driver.state() is MASTER
    assert driver.device().is_quiet is False


def test_forced_it_is_released_all_the_same():
    driver = master(config(group(priority=200)))
    driver.drain("vlan10", forced=True)
    outcomes = driver.run(driver.now_ns + LEAVING_NS)
    assert [each.kinds() for each in outcomes] == ["D"]
    assert not driver.device().is_master
    assert driver.drained() == {"vlan10"}


def test_forced_it_leaves_also_for_who_is_drained_itself():
    driver = master(config(group(priority=200)))
    driver.drain("vlan10", forced=True)
    assert driver.hear(V3.but(priority=1)).kinds() == "D"
    assert driver.drained() == {"vlan10"}


def test_forced_and_alone_it_is_the_last_resort_again():
    driver = master(config(group(priority=200)))
    driver.drain("vlan10", forced=True)
    driver.run(driver.now_ns + 4 * NS_PER_S)
    assert (driver.state(), priority(driver)) == (MASTER, 1)
    assert driver.drained() == {"vlan10"}


def test_stop_while_it_is_drained_is_not_taken_back():
    driver = master(config(group(priority=200)))
    driver.drain("vlan10")
    driver.step(Stop())
    outcomes = driver.run(driver.now_ns + 100 * NS_PER_S)
    assert [each.kinds() for each in outcomes] == ["D"]
    assert driver.router.deadline_ns is None
    assert driver.drained() == {"vlan10"}, "it starts drained the next time"


# Undraining


def test_undrained_it_has_its_priority_and_preempts():
    driver = Driver(config(group(priority=200)), drained=identities(group()))
    driver.hear(V3.but(priority=50))
    outcome = driver.drain()
    assert told(outcome) == [("vlan10", False, None)]
    assert priority(driver) == 200
    driver.hear(V3.but(priority=50), now_ns=T0 + NS_PER_S)
    driver.run(T0 + 4 * NS_PER_S)
    assert driver.state() is MASTER


def test_undrained_it_waits_for_its_preempt_delay():
    settings = group(priority=200, preempt_delay_cs=1500)
    driver = Driver(config(settings), drained=identities(group()))
    driver.hear(V3.but(priority=50))
    driver.drain()
    for second in range(1, 16):
        driver.run(T0 + second * NS_PER_S)
        driver.hear(V3.but(priority=50), now_ns=T0 + second * NS_PER_S)
        assert driver.state() is BACKUP
    driver.run(T0 + 20 * NS_PER_S)
    assert driver.state() is MASTER


def test_undrained_while_it_leaves_it_takes_its_role_back_unless_there_is_a_successor():
    driver = master(config(group(priority=200)))
    driver.drain("vlan10")
    driver.drain()
    outcomes = driver.run(driver.now_ns + LEAVING_NS)
    assert [told(each) for each in outcomes] == [[]], "it was not drained any more"
    assert driver.state() is MASTER


def test_a_last_resort_that_is_undrained_says_so():
    driver = Driver(config(group(priority=200)), drained=identities(group()))
    driver.run_to_master()
    assert [each.priority for each in driver.drain().adverts] == [200]


# On a LAN


def two(version_of=group):
    lan = Lan()
    lan.add("a", config(version_of(priority=200)), 2)
    lan.add("b", config(version_of(priority=100)), 3)
    lan.run(10)
    assert lan.masters() == {"a"}
    return lan


DRAINED = DrainChanged(frozenset({ALL}))
UNDRAINED = DrainChanged(frozenset())


@pytest.mark.parametrize("version_of", (group, group6, lambda **more: group(version=2, **more)))
def test_a_lan_is_served_by_the_other_one_until_the_drain_ends(version_of):
    lan = two(version_of)
    lan.step("a", DRAINED)
    lan.run(0.6)
    assert [name for name, host in lan.hosts.items() if host.holds_addresses] == ["a"]
    lan.run(0.1)
    assert [name for name, host in lan.hosts.items() if host.holds_addresses] == ["b"]
    lan.run(60)
    assert lan.masters() == {"b"}
    lan.step("a", UNDRAINED)
    lan.run(10)
    assert lan.masters() == {"a"}


def test_the_last_healthy_router_cannot_be_drained():
    lan = two()
    lan.step("b", DRAINED)
    lan.step("a", DRAINED)
    lan.run(0.99)
    assert lan.masters() == set()
    assert lan.hosts["a"].holds_addresses, "it forwards all the while"
    lan.run(60)
    assert lan.masters() == {"a"}
    assert lan.hosts["a"].router.drained == frozenset()
    assert lan.hosts["b"].router.drained == {ALL}


def test_when_both_are_drained_by_force_one_of_them_serves():
    lan = two()
    lan.step("b", DRAINED)
    lan.step("a", DrainChanged(frozenset({ALL}), forced=True))
    lan.run(60)
    assert lan.masters() == {"b"}
    lan.stop("b")
    lan.run(2)
    assert lan.masters() == {"a"}, "the last resort"


def test_a_drained_router_survives_the_one_that_stands_in():
    lan = two()
    lan.step("a", DRAINED)
    lan.run(5)
    lan.kill("b")
    lan.run(4)
    assert lan.masters() == {"a"}
    assert lan.hosts["a"].router.drained == {ALL}
