# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of a sync group with different intervals: nobody leaves or expires before the slowest."""

import pytest
from engine_kit.driver import Driver, master
from engine_kit.values import NS_PER_MS, NS_PER_S, config, group, link

from vrrp.config.model import LeaseMode
from vrrp.fsm.states import State
from vrrp.router.events import Stop, Tick

LINKS = (link(), link("lan1", 8, addresses=("198.18.11.5/24",)))
QUICK = group("quick", advertisement_interval_cs=10)
SLOW = group("slow", interface="lan1", addresses=("198.18.11.254",), advertisement_interval_cs=200)
TOGETHER = {"g": ("quick", "slow")}
SLOWEST_LEAVING_NS = 2 * 255 * NS_PER_S // 256 + 100 * NS_PER_MS


def grouped(**more) -> Driver:
    return master(config(QUICK, SLOW, sync=TOGETHER), LINKS, **more)


@pytest.mark.parametrize("event", ["stop", "drain"])
def test_the_quick_one_forwards_until_the_slow_one_has_a_successor(event):
    driver = grouped()
    driver.step(Stop()) if event == "stop" else driver.drain("quick", forced=True)
    end_ns = driver.now_ns + SLOWEST_LEAVING_NS
    driver.run(end_ns - 1)
    assert driver.device("quick").addresses and driver.device("quick").is_quiet
    driver.run(end_ns)
    assert not driver.device("quick").addresses


def test_a_drained_group_takes_its_roles_back_together_and_not_before_the_slowest_had_its_time():
    driver = grouped()
    driver.drain("quick")
    driver.run(driver.now_ns + SLOWEST_LEAVING_NS - 1)
    assert driver.state("quick") is driver.state("slow") is State.BACKUP
    driver.run(driver.now_ns + 1)
    assert driver.state("quick") is driver.state("slow") is State.MASTER


def test_the_lease_is_that_of_the_slowest_and_its_own_again_outside_the_group():
    driver = grouped()
    assert (driver.device("quick").lease_s, driver.device("slow").lease_s) == (6, 6)
    driver.configure(config(QUICK, SLOW))
    assert driver.device("quick").lease_s == 1
    renewals = [each.renewed for each in driver.run(driver.now_ns + NS_PER_S) if each.renewed]
    assert "vg-quick" in renewals[0]


def test_who_waited_for_its_group_is_master_as_soon_as_there_is_no_group():
    driver = Driver(config(QUICK, SLOW, sync=TOGETHER), LINKS)
    driver.run(driver.now_ns + NS_PER_S)
    assert driver.bound("quick").wants_mastership
    driver.configure(config(QUICK, SLOW))
    driver.step(Tick(), driver.now_ns)
    assert driver.state("quick") is State.MASTER
    assert driver.state("slow") is State.BACKUP


@pytest.mark.parametrize("leases", [LeaseMode.ON, LeaseMode.OFF])
def test_an_owner_that_starts_renews_what_a_dead_process_left_to_expire(leases):
    owner = group(addresses=("198.18.10.5",), priority=255)
    driver = Driver(config(owner, leases=leases))
    assert driver.state() is State.MASTER
    assert driver.first.renewed == ("vg-vlan10",)
