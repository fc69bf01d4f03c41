# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases: the kernel takes an address away unless advertisements go on."""

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V3
from engine_kit.values import NS_PER_CS, NS_PER_MS, NS_PER_S, T0, config, group, link

from vrrp.config.model import MOST_LEASES, LeaseMode
from vrrp.fsm.events import Memory
from vrrp.fsm.states import State
from vrrp.fsm.timing import lease_s
from vrrp.router.events import Tick
from vrrp.router.inheritance import Inheritance

ON, OFF, AUTO = {"leases": LeaseMode.ON}, {"leases": LeaseMode.OFF}, {"leases": LeaseMode.AUTO}


def renewals(driver: Driver, seconds: float):
    """When leases are renewed."""
    outcomes = driver.run(driver.now_ns + round(seconds * NS_PER_S))
    return [each.at_ns for each in outcomes if each.renewed]


@pytest.mark.parametrize(
    ("interval_cs", "seconds"), ((1, 1), (33, 1), (34, 2), (100, 3), (101, 4), (4095, 123))
)
def test_a_lease_is_three_intervals_in_whole_seconds(interval_cs, seconds):
    assert lease_s(interval_cs) == seconds
    driver = Driver(config(group(advertisement_interval_cs=interval_cs)))
    assert driver.device().lease_s == 0, "a backup holds nothing"
    driver.run_to_master()
    assert driver.device().lease_s == seconds


@pytest.mark.rfc("B7", positive=True)
@pytest.mark.parametrize("interval_cs", (1, 5, 10, 25, 50, 100, 150, 1000, 4095))
def test_it_is_renewed_with_advertisements_alone_and_long_before_it_ends(interval_cs):
    driver = Driver(config(group(advertisement_interval_cs=interval_cs)))
    first = driver.run_to_master()
    claimed_ns, lease_ns = first.at_ns, lease_s(interval_cs) * NS_PER_S
    outcomes = driver.run(claimed_ns + 12 * lease_ns)
    assert all(each.adverts for each in outcomes if each.renewed)
    times = [each.at_ns for each in outcomes if each.renewed]
    gaps = [later - earlier for earlier, later in zip([claimed_ns, *times], times)]
    assert max(gaps) <= max(lease_ns // 4 + interval_cs * NS_PER_CS, interval_cs * NS_PER_CS)
    assert max(gaps) <= lease_ns // 2, "one renewal may fail"
    assert min(gaps[1:]) >= lease_ns // 4, "not with each of many"


def test_a_takeover_renews_nothing_because_it_claims():
    driver = Driver(config(group()))
    assert driver.run_to_master().renewed == ()


def test_it_is_renewed_behind_the_advertisement_and_before_announcements():
    driver = Driver(config(group()))
    driver.run_to_master()
    driver.run(driver.now_ns + 900 * NS_PER_MS)
    outcome = driver.step(Tick(), driver.now_ns + 200 * NS_PER_MS)
    assert outcome.kinds() == "ALU"


def test_those_that_are_due_together_are_renewed_together():
    driver = master(config(group(), group("b", vrid=11, addresses=("198.18.10.9",))))
    assert {each.renewed for each in driver.run(driver.now_ns + 10 * NS_PER_S) if each.adverts} == {
        ("vg-vlan10", "vg-b")
    }


@pytest.mark.rfc("B7", positive=False)
def test_without_leases_nothing_is_renewed():
    driver = master(config(group(), **OFF))
    assert driver.device().lease_s == 0
    assert renewals(driver, 100) == []


def test_answers_to_others_renew_no_more_than_needed():
    driver = master(config(group()))
    start_ns = driver.now_ns
    count = 0
    for step in range(1, 1000):
        heard = driver.hear(V3.but(priority=50), now_ns=start_ns + step * 25 * NS_PER_MS)
        count += len(heard.renewed)
    assert count <= 25 * 4 / 3 + 1


@pytest.mark.parametrize("before", (ON, OFF))
def test_a_reload_turns_leases_on_and_off_with_the_next_advertisement_at_the_latest(before):
    after = OFF if before == ON else ON
    driver = master(config(group(), **before))
    outcome = driver.configure(config(group(), **after))
    assert outcome.kinds() == "D"
    assert (driver.device().lease_s, driver.state()) == (0 if before == ON else 3, State.MASTER)
    changed = renewals(driver, 1)
    assert len(changed) == 1
    assert len(renewals(driver, 10)) == (0 if before == ON else 10)


def test_auto_means_while_they_are_few():
    few = [group("g%d" % vrid, vrid=vrid) for vrid in range(1, MOST_LEASES + 1)]
    one_more = group("more", vrid=200)
    assert config(*few, **AUTO).uses_leases
    assert not config(*few, one_more, **AUTO).uses_leases
    driver = master(config(*few))
    assert driver.device("g1").lease_s == 3
    driver.configure(config(*few, one_more))
    assert {each.lease_s for each in driver.router.desired().devices} == {0}


def test_another_interval_is_another_lease():
    driver = master(config(group()))
    driver.run(driver.now_ns + 100 * NS_PER_MS)
    outcome = driver.configure(config(group(advertisement_interval_cs=500)))
    assert driver.device().lease_s == 15
    assert outcome.kinds() == "ADL"
    assert outcome.renewed == ("vg-vlan10",)


def test_another_address_keeps_the_cadence():
    driver = master(config(group()))
    driver.configure(config(group(addresses=("198.18.10.254", "198.18.10.253"))))
    assert driver.device().lease_s == 3
    assert len(renewals(driver, 10)) in (10, 11)


def test_the_lease_of_another_process_is_renewed_with_the_first_advertisement():
    memory = Memory(State.MASTER, T0 + 10 * NS_PER_MS, 100, T0 - NS_PER_S)
    inheritance = Inheritance({"lan0/ipv4/10": memory})
    driver = Driver(config(group()), (link(),), inheritance=inheritance)
    assert driver.first.renewed == ()
    outcomes = driver.run(T0 + 10 * NS_PER_MS)
    assert [each.at_ns for each in outcomes if each.renewed] == [T0 + 10 * NS_PER_MS]


def test_who_is_no_master_any_more_renews_nothing():
    driver = master(config(group()))
    driver.hear(V3.but(priority=200))
    assert driver.device().lease_s == 0
    for _count in range(10):
        driver.hear(V3.but(priority=200), now_ns=driver.now_ns + NS_PER_S)
        assert not any(each.renewed for each in driver.run(driver.now_ns))
