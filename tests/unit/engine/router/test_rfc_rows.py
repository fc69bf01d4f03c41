# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N802 - the names begin with the row that they test
"""Rules of RFC 9568 that need a whole router: where they hold, where not. Others: fsm/."""

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V2, V3, V3_IPV6
from engine_kit.values import NS_PER_S, OURS, T0, config, group, group6, link

from vrrp.fsm.states import State

BACKUP, MASTER = State.BACKUP, State.MASTER
LAN1 = link("lan1", 8, addresses=("198.18.11.5/24",))
# One VRID, three virtual routers: two families, two interfaces.
SAME_VRID = (
    group(),
    group6(),
    group("other", interface="lan1", addresses=("198.18.11.254",)),
)


@pytest.mark.parametrize(
    "packet, ifindex, name",
    ((V3, 7, "vlan10"), (V3_IPV6, 7, "vlan10-v6"), (V3, 8, "other")),
)
@pytest.mark.rfc("F17", positive=True)
def test_F17_one_machine_for_each_interface_family_and_vrid(packet, ifindex, name):
    driver = master(config(*SAME_VRID), links=(link(), LAN1))
    driver.hear(packet.but(priority=200), ifindex=ifindex)
    backups = [each.config.name for each in driver.router.bound_routers() if each.state is BACKUP]
    assert backups == [name]


@pytest.mark.rfc("F17", positive=False)
def test_F17_another_vrid_reaches_none_of_them():
    driver = master(config(*SAME_VRID), links=(link(), LAN1))
    driver.hear(V3.but(priority=200, vrid=11))
    driver.hear(V3.but(priority=200), ifindex=99)
    assert {each.state for each in driver.router.bound_routers()} == {MASTER}


@pytest.mark.parametrize("priority", (0, 99, 100, 255))
@pytest.mark.rfc("F18", positive=True)
def test_F18_a_reflected_own_advert_causes_nothing(priority):
    driver = master(config(group()))
    deadline_ns = driver.router.deadline_ns
    for _count in range(100):
        outcome = driver.hear(V3.but(source=OURS, priority=priority))
        assert (outcome.frames, outcome.desired) == ([], None)
    assert (driver.state(), driver.router.deadline_ns) == (MASTER, deadline_ns)


@pytest.mark.rfc("F18", positive=False)
def test_F18_the_advert_of_a_neighbour_does_not_pass_for_an_own_one():
    driver = master(config(group()))
    assert driver.hear(V3.but(priority=99)).adverts


@pytest.mark.parametrize(
    "discarded",
    (
        V3.but(ttl=254, interval=1),
        V3.but(checksum_error=1, interval=1),
        V3.but(interval=0),
        V3.but(addresses=(), interval=1),
        V3.but(vrid=11, interval=1),
        V2.but(interval=200),
    ),
)
@pytest.mark.rfc("M7", positive=True)
def test_M7_a_discarded_advert_teaches_nothing(discarded):
    driver = Driver(config(group()))
    deadline_ns = driver.router.deadline_ns
    driver.hear(discarded.but(priority=200), now_ns=T0 + NS_PER_S)
    assert driver.router.deadline_ns == deadline_ns
    assert driver.bound().machine.snapshot(T0).master_adver_interval_cs == 100


@pytest.mark.rfc("M7", positive=False)
def test_M7_an_accepted_one_does():
    driver = Driver(config(group()))
    driver.hear(V3.but(priority=200, interval=1), now_ns=T0 + NS_PER_S)
    assert driver.bound().machine.snapshot(T0).master_adver_interval_cs == 1
