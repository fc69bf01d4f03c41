# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links, configuration and trackers change under a running router."""

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V3
from engine_kit.values import NS_PER_S, T0, VIP, config, group, group6, ip, link, ping

from vrrp.config.model import TrackerConfig, TrackerKind, TrackReference
from vrrp.facts import InterfaceAddress
from vrrp.fsm.states import State
from vrrp.router.bound_router import PATIENCE_NS

INITIALIZE, BACKUP, MASTER = State.INITIALIZE, State.BACKUP, State.MASTER
DOWN_NS = 3_609_375_000
LAN1 = link("lan1", 8, addresses=("198.18.11.5/24",))
OTHER = group("other", interface="lan1", vrid=11, addresses=("198.18.11.254",))


def words(outcome):
    """Kinds and reasons of the notes of a step."""
    return [(each.kind, each.data.get("reason", each.data.get("code"))) for each in outcome.notes]


# Links


def test_a_missing_interface_waits_without_failing_the_others():
    driver = Driver(config(group(), OTHER), links=(link(),))
    assert driver.state("vlan10") is BACKUP
    assert driver.state("other") is INITIALIZE
    assert ("waiting", "no-interface") in words(driver.first)
    driver.run(T0 + 5 * NS_PER_S)
    assert driver.state("vlan10") is MASTER


def test_a_missing_interface_starts_when_it_appears():
    driver = Driver(config(group(), OTHER), links=(link(),))
    driver.run(T0 + 5 * NS_PER_S)
    vlan10_ns = driver.bound().deadline_ns()
    outcome = driver.links(link(), LAN1)
    assert words(outcome) == [("transition", "startup")]
    assert [each.name for each in outcome.desired.devices] == ["vg-other", "vg-vlan10"]
    assert driver.bound("other").deadline_ns() == T0 + 5 * NS_PER_S + DOWN_NS
    assert (driver.state(), driver.bound().deadline_ns()) == (MASTER, vlan10_ns)
    assert [each.name for each in driver.router.listening_links()] == ["lan0", "lan1"]


def test_a_virtual_router_that_waits_is_told_once():
    driver = Driver(config(OTHER), links=())
    assert words(driver.first) == [("waiting", "no-interface")]
    assert driver.links(link()).notes == []
    assert words(driver.links(link("lan1", 8, is_up=False))) == [("waiting", "interface-down")]
    assert driver.router.deadline_ns is None


def test_a_link_that_vanishes_ends_mastership_and_its_device():
    driver = master(config(group()))
    outcome = driver.links()
    assert [each.priority for each in outcome.adverts] == [0]
    assert outcome.desired.devices == ()
    assert words(outcome) == [("transition", "shutdown"), ("waiting", "no-interface")]
    assert (driver.state(), driver.router.deadline_ns) == (INITIALIZE, None)
    assert driver.router.listening_links() == ()


def test_a_link_that_returns_starts_anew():
    driver = master(config(group()))
    driver.links()
    outcome = driver.links(link(ifindex=9))
    assert words(outcome) == [("transition", "startup")]
    assert outcome.desired.devices[0].parent_ifindex == 9
    assert (driver.state(), driver.bound().waiting) == (BACKUP, None)
    assert driver.run_to_master().actions[0].ifindex == 9


def test_a_link_that_was_recreated_at_once_starts_anew():
    driver = master(config(group()))
    outcome = driver.links(link(ifindex=9))
    assert [each.priority for each in outcome.adverts] == [0]
    assert outcome.actions[0].ifindex == 7
    assert words(outcome) == [("transition", "shutdown"), ("transition", "startup")]
    assert "replaced" in outcome.notes[0].message
    (device,) = outcome.desired.devices
    assert (device.parent_ifindex, device.addresses) == (9, ())
    driver.hear(V3.but(priority=200), ifindex=9)
    assert driver.count("advertisement-rcvd") == 1
    driver.hear(V3.but(priority=200), ifindex=7)
    assert driver.router.counters == {"vrid-errors": 1}


@pytest.mark.parametrize(
    "changes, code",
    (
        ({"is_up": False}, "interface-down"),
        ({"has_carrier": False}, "no-carrier"),
        ({"addresses": ("198.18.10.5/24", "198.18.10.254/24")}, "address-conflict"),
        ({"mtu": 39}, "mtu"),
    ),
)
def test_a_link_that_is_not_ready_ends_mastership(changes, code):
    driver = master(config(group()))
    outcome = driver.links(link(**changes))
    assert [each.priority for each in outcome.adverts] == [0]
    assert words(outcome) == [("transition", "shutdown"), ("waiting", code)]
    (device,) = outcome.desired.devices
    assert (device.is_master, device.addresses) == (False, ())
    assert driver.router.deadline_ns is None
    assert words(driver.links(link())) == [("transition", "startup")]


def test_an_interface_that_is_configured_anew_costs_no_role():
    """Its address is away for some hundredths of a second."""
    driver = master(config(group()))
    outcome = driver.links(link(addresses=()))
    assert (outcome.adverts, outcome.notes) == ([], [])
    driver.run(driver.now_ns + PATIENCE_NS - 1)
    assert (driver.state(), driver.bound().waiting) == (MASTER, None)
    assert driver.device().is_master
    assert words(driver.links(link())) == []
    driver.run(driver.now_ns + 5 * NS_PER_S)
    assert driver.state() is MASTER


def test_an_interface_without_address_ends_mastership_when_patience_does():
    driver = master(config(group()))
    driver.links(link(addresses=()))
    lost_ns = driver.now_ns
    outcomes = driver.run(lost_ns + PATIENCE_NS)
    assert [each.priority for each in outcomes[-1].adverts][-1] == 0
    assert words(outcomes[-1]) == [("transition", "shutdown"), ("waiting", "no-primary-address")]
    assert driver.router.deadline_ns is None
    assert words(driver.links(link())) == [("transition", "startup")]


def test_another_interface_of_the_same_name_gets_no_patience():
    driver = master(config(group()))
    driver.links(link("lan0", 9, addresses=()))
    assert driver.state() is INITIALIZE


def test_who_never_had_an_address_waits_for_one():
    driver = Driver(config(group()), links=(link(addresses=()),))
    assert words(driver.first) == [("waiting", "no-primary-address")]


def test_ipv6_needs_a_link_local_address_and_ipv4_does_not():
    driver = master(config(group(), group6()))
    driver.links(link(addresses=("198.18.10.5/24", "2001:db8:10::5/64")))
    driver.run(driver.now_ns + PATIENCE_NS)
    assert (driver.state("vlan10"), driver.state("vlan10-v6")) == (MASTER, INITIALIZE)


def test_another_primary_address_of_a_master_is_advertised_at_once():
    driver = master(config(group()))
    outcome = driver.links(link(addresses=("198.18.10.7/24",)))
    assert [each.source for each in outcome.adverts] == [ip("198.18.10.7")]
    assert driver.state() is MASTER


def test_a_change_of_another_link_changes_nothing():
    driver = master(config(group()))
    deadline_ns = driver.router.deadline_ns
    assert driver.links(link(), LAN1).actions == ()
    assert driver.router.deadline_ns == deadline_ns


# Configuration


def test_the_same_configuration_changes_nothing():
    driver = master(config(group(), OTHER), links=(link(), LAN1))
    deadline_ns = driver.router.deadline_ns
    assert driver.configure(config(group(), OTHER)).actions == ()
    assert driver.router.deadline_ns == deadline_ns


CHANGES = {
    "priority": {"priority": 150},
    "addresses": {"addresses": ("198.18.11.253",)},
    "interval": {"advertisement_interval_cs": 20},
    "version": {"version": 2},
    "vrid": {"vrid": 12},
    "accept": {"accept": False},
}


@pytest.mark.parametrize("name", (*CHANGES, "removed"))
def test_changing_one_virtual_router_leaves_the_others_untouched(name):
    driver = master(config(group(), OTHER), links=(link(), LAN1))
    bound, deadline_ns = driver.bound(), driver.bound().deadline_ns()
    values = {"interface": "lan1", "vrid": 11, "addresses": ("198.18.11.254",)}
    others = [] if name == "removed" else [group("other", **{**values, **CHANGES[name]})]
    outcome = driver.configure(config(group(), *others))
    assert 10 not in [each.vrid for each in outcome.adverts]
    assert not any(frame[6:12] == b"\0\0\x5e\0\x01\x0a" for frame in outcome.frames)
    assert not any(note.name == "vlan10" for note in outcome.notes)
    assert driver.bound() is bound
    assert (driver.state(), bound.deadline_ns()) == (MASTER, deadline_ns)
    devices = driver.router.desired().devices
    (kept,) = (each for each in devices if each.name == "vg-vlan10")
    assert kept.is_master


def test_an_added_virtual_router_starts_in_backup():
    driver = master(config(group()), links=(link(), LAN1))
    outcome = driver.configure(config(group(), OTHER))
    assert words(outcome) == [("transition", "startup")]
    assert driver.state("other") is BACKUP
    assert driver.router.deadline_ns == driver.bound().deadline_ns()
    assert [each.name for each in driver.router.listening_links()] == ["lan0", "lan1"]


def test_a_removed_master_says_so_on_the_wire():
    driver = master(config(group(), OTHER), links=(link(), LAN1))
    outcome = driver.configure(config(group()))
    assert [(each.vrid, each.priority) for each in outcome.adverts] == [(11, 0)]
    assert "removed from the configuration" in outcome.notes[0].message
    assert [each.name for each in driver.router.listening_links()] == ["lan0", "lan1"]
    driver.run(driver.now_ns + 2 * NS_PER_S)
    assert [each.name for each in driver.router.desired().devices] == ["vg-vlan10"]
    assert [each.name for each in driver.router.listening_links()] == ["lan0"]
    driver.run(driver.now_ns + 100 * NS_PER_S)


def test_the_last_one_removed_leaves_nothing_to_wait_for():
    driver = master(config(group()))
    driver.configure(config())
    (*_before, outcome) = driver.run(driver.now_ns + 2 * NS_PER_S)
    assert (outcome.desired.devices, outcome.desired.parents) == ((), ())
    assert driver.router.deadline_ns is None


def test_another_priority_of_a_master_is_advertised_at_once():
    driver = master(config(group()))
    outcome = driver.configure(config(group(priority=42)))
    assert [each.priority for each in outcome.adverts] == [42]
    assert (outcome.kinds(), driver.state()) == ("A", MASTER)


def test_an_address_is_added_in_place():
    driver = master(config(group()))
    outcome = driver.configure(config(group(addresses=("198.18.10.254", "198.18.10.253"))))
    assert outcome.kinds() == "ADU"
    assert outcome.adverts[0].addresses == (VIP, ip("198.18.10.253"))
    assert [each.address for each in outcome.desired.devices[0].addresses] == [
        VIP,
        ip("198.18.10.253"),
    ]
    assert len(outcome.announcements) == 2
    assert driver.state() is MASTER


def test_an_address_is_removed_in_place():
    driver = master(config(group(addresses=("198.18.10.254", "198.18.10.253"))))
    outcome = driver.configure(config(group()))
    assert outcome.desired.devices[0].addresses == (InterfaceAddress(VIP, 32),)
    assert (driver.state(), words(outcome)) == (MASTER, [])


@pytest.mark.parametrize("change", ({"version": 2}, {"vrid": 12}, {"interface": "lan1"}))
def test_another_identity_starts_anew(change):
    changed = group(**change)
    links = (link(), link("lan1", 8, addresses=("198.18.10.7/24",)))
    driver = master(config(group()), links=links)
    outcome = driver.configure(config(changed))
    assert [(each.vrid, each.priority) for each in outcome.adverts] == [(10, 0)]
    assert words(outcome) == [("transition", "shutdown"), ("transition", "startup")]
    assert driver.state() is BACKUP
    assert driver.count("master-transitions") == 0, "counters are those of the new one"


def test_two_names_can_change_places():
    a, b = group("a", vrid=11), group("b", vrid=12, addresses=("198.18.10.9",))
    driver = master(config(a, b))
    swapped = (
        group("b", vrid=11),
        group("a", vrid=12, addresses=("198.18.10.9",)),
    )
    deadline_ns = driver.router.deadline_ns
    outcome = driver.configure(config(*swapped))
    assert outcome.kinds() == "D"
    assert [(each.name, each.mac[5]) for each in outcome.desired.devices] == [
        ("vg-a", 12),
        ("vg-b", 11),
    ]
    assert (driver.bound("a").config.vrid, driver.bound("b").config.vrid) == (12, 11)
    assert (driver.state("a"), driver.state("b")) == (MASTER, MASTER)
    assert driver.router.deadline_ns == deadline_ns


def test_accept_mode_changes_without_a_word():
    driver = master(config(group()))
    outcome = driver.configure(config(group(accept=False)))
    assert (outcome.kinds(), outcome.desired.refused) == ("D", (VIP,))


def test_a_backup_takes_another_checksum_and_preempt_without_an_action():
    driver = Driver(config(group()))
    deadline_ns = driver.router.deadline_ns
    assert driver.configure(config(group(preempt=False))).actions == ()
    assert driver.router.deadline_ns == deadline_ns


# Trackers

UPLINK = ping()
TRACKING = {"track": (TrackReference("uplink", 30),)}


def tracked(*trackers: TrackerConfig, **changes):
    return config(group(**{"priority": 150, **TRACKING, **changes}), trackers=trackers or (UPLINK,))


def fail(driver: Driver, name: str = "uplink"):
    """Enough bad results; the step of the last one."""
    for _count in range(2):
        driver.report(name, ok=False)
    return driver.report(name, ok=False)


def test_an_unknown_tracker_costs_nothing():
    assert master(tracked()).bound().parameters.priority == 150


def test_a_failing_tracker_lowers_the_priority_and_a_mended_one_restores_it():
    driver = master(tracked())
    assert driver.report("uplink", ok=True).adverts == []
    outcome = fail(driver)
    assert [each.priority for each in outcome.adverts] == [120]
    assert [(each.kind, each.name, each.data["ok"]) for each in outcome.notes] == [
        ("tracker", "uplink", False)
    ]
    assert driver.report("uplink", ok=True).actions == ()
    outcome = driver.report("uplink", ok=True)
    assert [each.priority for each in outcome.adverts] == [150]
    assert driver.state() is MASTER


def test_results_that_change_no_mind_change_nothing():
    driver = master(tracked())
    driver.report("uplink", ok=True)
    assert driver.report("uplink", ok=False).actions == ()
    assert driver.report("uplink", ok=False).actions == ()
    assert driver.report("uplink", ok=True).actions == ()
    assert fail(driver).adverts


def test_a_tracker_that_nobody_configured_is_ignored():
    assert master(tracked()).report("other", ok=False).actions == ()


def test_the_lowered_priority_stays_a_priority():
    driver = master(tracked(priority=20))
    fail(driver)
    assert driver.bound().parameters.priority == 1


def test_an_owner_stays_an_owner():
    driver = master(tracked(priority=255), links=(link(addresses=("198.18.10.254/24",)),))
    assert fail(driver).adverts == []
    assert driver.bound().parameters.priority == 255


def test_only_those_that_follow_a_tracker_change():
    free = group("free", vrid=11, addresses=("198.18.10.9",))
    both = config(group(priority=150, **TRACKING), free, trackers=(UPLINK,))
    driver = master(both)
    driver.report("uplink", ok=True)
    assert [each.vrid for each in fail(driver).adverts] == [10]


def link_tracker(name="uplink"):
    return TrackerConfig(name, TrackerKind.LINK, interface="wan0")


WAN = link("wan0", 3, addresses=())


def test_a_tracked_link_counts_at_once():
    driver = master(tracked(link_tracker()), links=(link(), WAN))
    assert driver.router.trackers["uplink"].ok is True
    down = link("wan0", 3, addresses=(), has_carrier=False)
    assert [each.priority for each in driver.links(link(), down).adverts] == [120]
    assert [each.priority for each in driver.links(link(), WAN).adverts] == [150]
    assert [each.priority for each in driver.links(link()).adverts] == [120]
    assert driver.router.trackers["uplink"].detail == "wan0 is down"


def test_a_tracked_link_that_never_was_is_down_from_the_start():
    driver = Driver(tracked(link_tracker()))
    assert driver.bound().parameters.priority == 120


def test_a_tracker_that_did_not_change_keeps_what_it_knows_over_a_reload():
    driver = master(tracked())
    fail(driver)
    assert driver.configure(tracked(priority=151)).adverts[0].priority == 121
    assert driver.router.trackers["uplink"].ok is False


def test_a_tracker_that_changed_is_unknown_again():
    driver = master(tracked())
    fail(driver)
    outcome = driver.configure(tracked(ping(fall=9)))
    assert driver.router.trackers["uplink"].ok is None
    assert [each.priority for each in outcome.adverts] == [150]


def test_a_tracker_can_be_removed():
    driver = master(tracked())
    fail(driver)
    outcome = driver.configure(config(group(priority=150)))
    assert [each.priority for each in outcome.adverts] == [150]
    assert driver.router.trackers == {}


def test_a_backup_with_a_failing_tracker_waits_longer():
    driver = Driver(tracked())
    before_ns = driver.router.deadline_ns
    fail(driver)
    assert driver.router.deadline_ns - before_ns == 30 * NS_PER_S // 256
