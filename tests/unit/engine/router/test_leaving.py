# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A former master forwards until its successor is heard, and answers for nothing meanwhile."""

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V2, V3, V3_IPV6, solicitation
from engine_kit.values import NS_PER_MS, NS_PER_S, config, group, group6, ip, link

from vrrp.config.model import RouterAdvertisements
from vrrp.fsm.states import State
from vrrp.router.events import SolicitationReceived, Stop

BACKUP, MASTER = State.BACKUP, State.MASTER
LONGEST_SKEW_NS = 255 * NS_PER_S // 256
LEAVING_NS = LONGEST_SKEW_NS + 100 * NS_PER_MS
LAN1 = link("lan1", 8, addresses=("198.18.11.5/24",))
OTHER = group("other", interface="lan1", vrid=11, addresses=("198.18.11.254",))
BOTH = (link(), LAN1)


def leaving() -> Driver:
    """A master that has just been drained."""
    driver = master(config(group()))
    driver.drain("vlan10", forced=True)
    return driver


def forwards(driver: Driver, name: str = "vlan10") -> bool:
    """With addresses, and as silent as one that leaves has to be."""
    device = driver.device(name)
    assert device.is_master == bool(device.addresses) == device.is_quiet
    return device.is_master


# Until when


@pytest.mark.rfc("B5", positive=True)
def test_it_is_quiet_before_it_says_that_it_leaves():
    driver = master(config(group()))
    assert not driver.device().is_quiet
    outcome = driver.drain("vlan10")
    assert outcome.kinds() == "DAN"
    assert [each.priority for each in outcome.adverts] == [0]
    assert forwards(driver)
    assert driver.state() is BACKUP


@pytest.mark.rfc("B1", positive=True)
@pytest.mark.parametrize("priority", (2, 99, 255))
def test_a_successor_ends_it(priority):
    driver = leaving()
    outcome = driver.hear(V3.but(priority=priority), now_ns=driver.now_ns + 5 * NS_PER_MS)
    assert outcome.kinds() == "D"
    assert not forwards(driver)
    assert not driver.router.is_leaving


@pytest.mark.rfc("B1", positive=False)
def test_another_one_that_leaves_is_no_successor():
    driver = leaving()
    assert driver.hear(V3.but(priority=0)).desired is None
    assert forwards(driver)


def test_what_is_no_advertisement_is_no_successor():
    driver = leaving()
    for packet in (V3.but(checksum_error=1), V3.but(ttl=1), V3.but(vrid=11), V2, V3_IPV6):
        assert driver.hear(packet).desired is None
    assert forwards(driver)


@pytest.mark.rfc("B1", positive=True)
@pytest.mark.parametrize("interval_cs", (1, 2, 10, 100, 4095))
def test_it_ends_by_itself_when_every_backup_had_its_time(interval_cs):
    driver = Driver(config(group(advertisement_interval_cs=interval_cs)))
    driver.run_to_master()
    driver.run(driver.now_ns + NS_PER_S)
    driver.drain("vlan10", forced=True)
    left_ns = driver.now_ns
    interval_ns = interval_cs * 10 * NS_PER_MS
    driver.run(left_ns + 255 * interval_ns // 256)
    assert forwards(driver)
    margin_ns = min(100 * NS_PER_MS, 2 * interval_ns)
    outcomes = driver.run(left_ns + 255 * interval_ns // 256 + margin_ns)
    assert not forwards(driver)
    assert [each.kinds() for each in outcomes] == ["D"]
    assert driver.state() is BACKUP, "it takes over again, if alone, as any backup does"


def test_version_2_leaves_within_a_second_whatever_its_interval():
    driver = Driver(config(group(version=2, advertisement_interval_cs=25500)))
    driver.run_to_master()
    driver.drain("vlan10", forced=True)
    driver.run(driver.now_ns + LEAVING_NS)
    assert not forwards(driver)


def test_it_announces_nothing_while_it_leaves():
    """A gratuitous ARP now would call the hosts back from the successor."""
    driver = Driver(config(group()))
    driver.run_to_master()
    assert driver.router.deadline_ns == driver.now_ns + 10 * NS_PER_MS, "of the next announcement"
    driver.drain("vlan10", forced=True)
    outcomes = driver.run(driver.now_ns + LEAVING_NS - 1)
    assert [each.frames for each in outcomes] == []


def test_it_tells_hosts_of_no_router_while_it_leaves():
    told = RouterAdvertisements(enabled=True, max_interval_cs=400)
    driver = master(config(group6(router_advertisements=told)))
    driver.drain("vlan10-v6", forced=True)
    asked = SolicitationReceived(7, solicitation())
    assert driver.step(asked).frames == []
    assert not any(each.frames for each in driver.run(driver.now_ns + LEAVING_NS))


def test_it_is_no_longer_quiet_when_it_takes_over_again():
    driver = Driver(config(group(advertisement_interval_cs=4095)))
    driver.run_to_master()
    driver.drain("vlan10", forced=True)
    outcome = driver.configure(config(group(priority=255, advertisement_interval_cs=4095)))
    assert driver.state() is MASTER
    assert outcome.adverts and outcome.announcements
    device = driver.device()
    assert (device.is_master, device.is_quiet) == (True, False)
    driver.run(driver.now_ns + 200 * NS_PER_S)
    assert driver.device().is_master, "its leaving is off"


def test_its_lease_is_not_renewed_and_lasts():
    driver = leaving()
    assert driver.device().lease_s == 3
    assert not any(each.renewed for each in driver.run(driver.now_ns + LEAVING_NS))


def test_a_backup_does_not_leave():
    driver = Driver(config(group()))
    outcome = driver.drain("vlan10")
    assert (outcome.adverts, outcome.desired) == ([], None)
    assert not driver.router.is_leaving


def test_a_change_of_the_link_that_does_not_matter_ends_nothing():
    driver = leaving()
    driver.links(link(mtu=1400), LAN1)
    assert forwards(driver)


@pytest.mark.rfc("B1", positive=False)
@pytest.mark.parametrize("links", ((), (link(is_up=False),), (link(ifindex=9),)))
def test_a_link_that_fails_or_is_another_one_ends_it_at_once(links):
    driver = leaving()
    outcome = driver.links(*links)
    assert outcome.adverts == [], "it has said so already"
    assert not any(device.is_master for device in driver.router.desired().devices)
    assert not driver.router.is_leaving


def test_stop_while_it_leaves_changes_nothing_for_it():
    driver = leaving()
    left_ns = driver.now_ns
    driver.run(left_ns + 500 * NS_PER_MS)
    assert driver.step(Stop()).adverts == []
    assert forwards(driver)
    driver.run(left_ns + LEAVING_NS)
    assert not forwards(driver)
    assert driver.router.deadline_ns is None


# Parting: removed from the configuration


def parting() -> Driver:
    """OTHER, a master, has just been removed."""
    driver = master(config(group(), OTHER), links=BOTH)
    driver.configure(config(group()))
    return driver


def test_a_removed_master_forwards_until_its_successor_is_heard():
    driver = parting()
    assert [each.config.name for each in driver.router.bound_routers()] == ["vlan10"]
    assert driver.router.parting == 1
    assert forwards(driver, "other")
    outcome = driver.hear(V3.but(vrid=11, priority=50), ifindex=8)
    assert [device.name for device in outcome.desired.devices] == ["vg-vlan10"]
    assert [each.name for each in driver.router.listening_links()] == ["lan0"]
    assert driver.router.parting == 0
    driver.hear(V3.but(vrid=11, priority=50), ifindex=8)
    assert driver.router.counters == {"vrid-errors": 1}


def test_a_removed_master_is_gone_after_its_time_and_wakes_nobody_then():
    driver = parting()
    removed_ns = driver.now_ns
    driver.run(removed_ns + LEAVING_NS - 1)
    assert forwards(driver, "other")
    driver.run(removed_ns + LEAVING_NS)
    assert [device.name for device in driver.router.desired().devices] == ["vg-vlan10"]
    assert driver.router.deadline_ns == driver.bound().deadline_ns()


def test_a_removed_backup_is_gone_at_once():
    driver = Driver(config(group(), OTHER), links=BOTH)
    outcome = driver.configure(config(group()))
    assert [device.name for device in outcome.desired.devices] == ["vg-vlan10"]
    assert driver.router.parting == 0


def test_nothing_else_is_late_because_somebody_parts():
    driver = parting()
    deadline_ns = driver.bound().deadline_ns()
    outcomes = [each for each in driver.run(driver.now_ns + 5 * NS_PER_S) if each.adverts]
    assert outcomes[0].at_ns == deadline_ns
    assert len(outcomes) == 5


def test_who_wants_its_name_gets_it_at_once():
    """Another VRID under the same name: one device cannot be both."""
    driver = master(config(group()))
    outcome = driver.configure(config(group(vrid=12)))
    assert [(each.vrid, each.priority) for each in outcome.adverts] == [(10, 0)]
    (device,) = driver.router.desired().devices
    assert (device.name, device.mac[5], device.is_master) == ("vg-vlan10", 12, False)
    assert driver.router.parting == 0


def test_who_wants_its_name_later_gets_it_then():
    driver = parting()
    assert forwards(driver, "other")
    driver.configure(config(group("other")))
    devices = driver.router.desired().devices
    assert [(each.name, each.mac[5], each.is_master) for each in devices] == [
        ("vg-other", 10, True)
    ]
    assert driver.router.parting == 0


def test_who_was_leaving_already_gives_its_name_to_another_one():
    driver = leaving()
    driver.configure(config(group(vrid=12)))
    (device,) = driver.router.desired().devices
    assert (device.mac[5], device.is_master) == (12, False)
    assert not driver.router.is_leaving


def test_one_that_was_leaving_is_removed_and_leaves_on():
    driver = master(config(group(), OTHER), links=BOTH)
    driver.drain("other")
    left_ns = driver.now_ns
    driver.run(left_ns + 500 * NS_PER_MS)
    assert driver.configure(config(group())).adverts == []
    assert forwards(driver, "other")
    driver.run(left_ns + LEAVING_NS)
    assert driver.router.parting == 0, "and does not come back though it was drained"
    assert driver.router.deadline_ns > driver.now_ns


def test_who_is_wanted_again_goes_on_leaving_and_listens():
    driver = parting()
    parted_ns = driver.now_ns
    driver.run(parted_ns + 500 * NS_PER_MS)
    outcome = driver.configure(config(group(), OTHER))
    assert outcome.adverts == []
    assert forwards(driver, "other")
    assert driver.state("other") is BACKUP
    driver.hear(V3.but(vrid=11, priority=50), ifindex=8)
    assert not forwards(driver, "other")
    assert driver.router.parting == 0


def test_who_is_wanted_again_with_another_version_starts_anew():
    driver = parting()
    again = group("other", interface="lan1", vrid=11, addresses=("198.18.11.254",), version=2)
    driver.configure(config(group(), again))
    assert not forwards(driver, "other")
    assert driver.bound("other").parameters.version == 2
    assert driver.router.parting == 0


@pytest.mark.parametrize(
    "gone", ((link(),), (link(), link("lan1", 9)), (link(), link("lan1", 8, is_up=False)))
)
def test_a_link_that_fails_while_it_parts_ends_it_at_once(gone):
    driver = parting()
    outcome = driver.links(*gone)
    assert outcome.adverts == []
    assert [device.name for device in driver.router.desired().devices] == ["vg-vlan10"]


def test_news_of_its_link_that_do_not_matter_leave_it_alone():
    driver = parting()
    driver.links(link(), link("lan1", 8, addresses=("198.18.11.5/24", "198.18.12.5/24")))
    assert forwards(driver, "other")


def test_stop_waits_for_those_that_part():
    driver = parting()
    driver.step(Stop())
    driver.hear(V3.but(priority=50))
    assert driver.router.is_leaving
    driver.hear(V3.but(vrid=11, priority=50), ifindex=8)
    assert not driver.router.is_leaving


def test_a_removed_owner_parts_too():
    owner = group(priority=255, addresses=("198.18.10.5",))
    driver = master(config(owner))
    assert [each.priority for each in driver.configure(config()).adverts] == [0]
    assert driver.router.parting == 1
    driver.hear(V3.but(priority=50, addresses=(ip("198.18.10.5"),)))
    assert driver.router.parting == 0


# Names are no identity


def test_a_renamed_master_is_master_all_the_time():
    driver = master(config(group(), OTHER), links=BOTH)
    bound, deadline_ns = driver.bound(), driver.router.deadline_ns
    outcome = driver.configure(config(group("gateway"), OTHER))
    assert outcome.kinds() == "D"
    device = driver.device("gateway")
    assert (device.name, device.is_master, device.is_quiet) == ("vg-gateway", True, False)
    assert driver.bound("gateway") is bound
    assert driver.router.deadline_ns == deadline_ns
    assert driver.run(driver.now_ns + NS_PER_S)[0].renewed == ("vg-gateway", "vg-other")


def test_a_renamed_backup_keeps_its_timer():
    driver = Driver(config(group()))
    deadline_ns = driver.router.deadline_ns
    driver.configure(config(group("gateway")))
    assert (driver.state("gateway"), driver.router.deadline_ns) == (BACKUP, deadline_ns)


def test_what_was_known_is_refused_after_stop():
    driver = Driver(config(group()))
    driver.hear(V3)
    driver.step(Stop())
    assert driver.hear(V3).actions == ()
    assert driver.count("not-running-packets") == 1
    assert driver.count("advertisement-rcvd") == 1


def test_after_stop_packets_are_refused_without_a_word():
    driver = master(config(group(), OTHER), links=BOTH)
    driver.hear(V3.but(priority=99))
    driver.step(Stop())
    for _count in range(3):
        assert driver.hear(V3.but(priority=99)).notes == []
    assert driver.count("not-running-packets") == 2, "the first one was its successor's"
