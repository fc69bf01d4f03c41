# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's router: order of actions, announcements, discards, the data plane it asks for."""

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V3, is_advert
from engine_kit.values import NS_PER_MS, NS_PER_S, OURS, T0, VIP, config, group, group6, ip, link

from vrrp.discards import DiscardReason
from vrrp.facts import Family, InterfaceAddress
from vrrp.fsm.states import State
from vrrp.router import vrrp_router, wires
from vrrp.router.actions import DataplaneChanged, Notify, TransmitFrame
from vrrp.router.desired import DesiredDataplane, ParentSettings, VirtualDevice
from vrrp.router.events import PacketReceived, Stop, Tick
from vrrp.router.outbox import CROWD, MOST_SUCCESSIONS

DOWN_NS = 3_609_375_000
MAC = b"\0\0\x5e\0\x01\x0a"


def many(count: int):
    return config(
        *(
            group("vlan%d" % vrid, vrid=vrid, addresses=("198.18.%d.254" % vrid,))
            for vrid in range(1, count + 1)
        )
    )


# The order of a step


def test_the_first_step_gives_the_data_plane_of_a_backup():
    driver = Driver(config(group()))
    assert driver.first.kinds() == "DN"
    assert driver.first.desired.devices[0].addresses == ()
    assert driver.first.notes[0].data["current"] == "backup"


def test_what_starting_brought_about_is_handed_out_at_once_also_when_all_wait():
    router = vrrp_router.VrrpRouter(config(group()), (), T0)
    assert router.deadline_ns == T0
    (note,) = router.step(Tick(), T0)
    assert note.kind == "waiting"
    assert router.deadline_ns is None


def test_a_takeover_advertises_then_claims_then_announces_then_tells():
    outcome = Driver(config(group())).run_to_master()
    assert outcome.at_ns == T0 + DOWN_NS
    assert [type(each) for each in outcome.actions] == [
        TransmitFrame,
        DataplaneChanged,
        TransmitFrame,
        Notify,
    ]
    assert outcome.kinds() == "ADUN"
    assert outcome.desired.devices[0].addresses == (InterfaceAddress(VIP, 32),)


@pytest.mark.rfc("B5", positive=False)
def test_fifty_groups_that_expire_together_keep_that_order():
    driver = Driver(many(50))
    outcome = driver.run_to_master()
    assert outcome.kinds() == "ADUN"
    assert sorted(each.vrid for each in outcome.adverts) == list(range(1, 51))
    assert all(device.is_master for device in outcome.desired.devices)
    assert len(outcome.announcements) == len(outcome.notes) == len(outcome.desired.devices) == 50


def test_hundreds_that_expire_together_advertise_before_anything_else_is_worked_out():
    """The advertisements stop the other routers; the kernel follows at once, then hosts."""
    driver = Driver(many(CROWD + 1))
    first = driver.run_to_master()
    assert first.kinds() == "A"
    assert len(first.adverts) == CROWD + 1
    assert driver.router.deadline_ns == driver.now_ns
    rest = driver.step(Tick())
    assert rest.kinds() == "DUN"
    assert all(device.is_master for device in rest.desired.devices)
    assert len(rest.announcements) == len(rest.desired.devices) == CROWD + 1
    assert driver.router.deadline_ns > driver.now_ns


@pytest.mark.rfc("B5", positive=True)
@pytest.mark.parametrize(
    ("count", "order"), ((1, "DAUN"), (MOST_SUCCESSIONS, "DAUN"), (MOST_SUCCESSIONS + 1, "ADUN"))
)
def test_successors_are_ready_when_they_speak_unless_others_would_wait_too_long(count, order):
    driver = Driver(many(count))
    for vrid in range(1, count + 1):
        driver.hear(V3.but(priority=0, vrid=vrid, addresses=(ip("198.18.%d.254" % vrid),)))
    outcome = driver.run_to_master()
    assert outcome.kinds() == order
    assert len(outcome.adverts) == count


def test_steady_groups_of_one_phase_share_one_wake_up_without_touching_the_data_plane():
    driver = Driver(many(50))
    driver.run_to_master()
    driver.run(T0 + 100 * NS_PER_S)
    outcomes = [each for each in driver.run(T0 + 110 * NS_PER_S) if each.adverts]
    assert [len(each.adverts) for each in outcomes] == [50] * 10
    assert {each.kinds() for each in outcomes} == {"AL"}
    assert {len(each.renewed) for each in outcomes} == {50}


def test_the_data_plane_is_worked_out_only_when_something_changed(monkeypatch):
    driver = master(many(3))
    monkeypatch.setattr(driver.router, "desired", None)
    assert len(driver.run(driver.now_ns + 100 * NS_PER_S)) >= 100
    assert driver.hear(V3.but(priority=99, vrid=3)).adverts


def test_a_tick_too_early_does_nothing():
    driver = Driver(config(group()))
    deadline_ns = driver.router.deadline_ns
    assert driver.step(Tick(), deadline_ns - 1).actions == ()
    assert driver.router.deadline_ns == deadline_ns


def test_the_advert_is_what_the_configuration_says():
    driver = Driver(config(group(priority=130, advertisement_interval_cs=50)))
    (advert,) = driver.run_to_master().adverts
    assert (advert.version, advert.vrid, advert.priority, advert.interval) == (3, 10, 130, 50)
    assert (advert.source, advert.addresses) == (OURS, (VIP,))


def test_ipv6_adverts_leave_from_the_link_local_address_and_list_it_first():
    driver = Driver(config(group6(addresses=("2001:db8:10::254",))))
    (advert,) = driver.run_to_master().adverts
    assert advert.source == ip("fe80::5")
    generated, written = advert.addresses
    assert generated[:2] == b"\xfe\x80"
    assert written == ip("2001:db8:10::254")


def test_families_are_independent():
    driver = Driver(config(group(), group6(priority=200)))
    outcome = driver.run_to_master()
    assert [each.family for each in outcome.adverts] == [Family.IPV6]
    assert driver.state("vlan10-v6") is State.MASTER
    assert driver.state("vlan10") is State.BACKUP


# Announcements


def announced_ms(driver: Driver, until_s: float):
    """Milliseconds after the takeover at which announcements leave."""
    first = driver.run_to_master()
    found = [first, *(each for each in driver.run(first.at_ns + int(until_s * NS_PER_S)))]
    return [(each.at_ns - first.at_ns) // NS_PER_MS for each in found if each.announcements]


def test_announcements_are_repeated_soon_then_each_minute():
    # 10 ms after the first, 1 s after that, 5 s after that, then each 60 s.
    assert announced_ms(Driver(config(group())), 200) == [
        0,
        10,
        1_010,
        6_010,
        66_010,
        126_010,
        186_010,
    ]


def test_announcements_name_every_address_with_the_virtual_mac():
    driver = Driver(config(group(addresses=("198.18.10.254", "198.18.10.253"))))
    frames = driver.run_to_master().announcements
    assert [frame[28:32] for frame in frames] == [VIP, ip("198.18.10.253")]
    for frame in frames:
        assert (frame[:6], frame[6:12], frame[12:14]) == (b"\xff" * 6, MAC, b"\x08\x06")


def test_ipv6_announcements_go_to_all_nodes():
    driver = Driver(config(group6()))
    frames = driver.run_to_master().announcements
    assert [frame[62:78] for frame in frames] == [ip("fe80::10"), ip("2001:db8:10::254")]
    assert {frame[:6] for frame in frames} == {b"\x33\x33\0\0\0\x01"}


def test_announcements_stop_when_mastership_is_lost():
    driver = Driver(config(group()))
    first = driver.run_to_master()
    driver.hear(V3.but(priority=200), now_ns=first.at_ns + 5 * NS_PER_MS)
    assert driver.router.deadline_ns == first.at_ns + 5 * NS_PER_MS + DOWN_NS
    assert not any(each.announcements for each in driver.run(first.at_ns + 3 * NS_PER_S))


def test_announcements_start_anew_with_the_next_mastership():
    driver = Driver(config(group()))
    first = driver.run_to_master()
    driver.hear(V3.but(priority=200), now_ns=first.at_ns + 5 * NS_PER_MS)
    second = driver.run_to_master()
    assert second.announcements
    again = driver.run(second.at_ns + 10 * NS_PER_MS)
    assert [bool(each.announcements) for each in again] == [True]


def test_an_announcement_does_not_move_the_adverts():
    driver = master(config(group()))
    times = [each.at_ns for each in driver.run(T0 + 100 * NS_PER_S) if each.adverts]
    assert {later - earlier for earlier, later in zip(times, times[1:])} == {NS_PER_S}


# Own packets


def test_an_own_or_reflected_advert_causes_nothing():
    driver = master(config(group()))
    deadline_ns, state = driver.router.deadline_ns, driver.state()
    for priority in (0, 1, 100, 255):
        outcome = driver.hear(V3.but(source=OURS, priority=priority))
        assert not outcome.frames
        assert outcome.desired is None
    assert (driver.router.deadline_ns, driver.state()) == (deadline_ns, state)
    assert driver.router.counters == {"own-source-packets": 4}
    assert driver.count("advertisement-rcvd") == 0


def test_what_it_sends_itself_is_known_as_its_own():
    driver = Driver(config(group(), group6()))
    frames = driver.run_to_master().frames
    for frame in filter(is_advert, frames):
        packet = V3.received()
        driver.step(PacketReceived(type(packet)(7, frame[14:])))
    assert driver.router.counters == {"own-source-packets": 2}


# Discards


def test_a_reason_without_a_virtual_router_is_counted_always_and_told_once():
    driver = Driver(config(group()))
    notes = [driver.hear(V3.but(vrid=99)).notes for _count in range(5)]
    assert driver.router.counters == {"vrid-errors": 5}
    assert [len(each) for each in notes] == [1, 0, 0, 0, 0]
    (note,) = notes[0]
    assert (note.kind, note.name) == ("discard", "")
    assert note.data["reason"] == "vrid-errors"
    assert note.data["source"] == "198.18.10.6"
    assert "from 198.18.10.6" in note.message
    assert "99" in note.message


def test_reasons_are_told_apart():
    driver = Driver(config(group()))
    for packet in (V3.but(vrid=99), V3.but(ttl=1), V3.but(checksum_error=1)):
        assert len(driver.hear(packet).notes) == 1
    assert set(driver.router.counters.values()) == {1}


def test_a_discard_of_a_virtual_router_is_told_once_a_minute():
    driver = Driver(config(group(version=2)))
    told = []
    for second in range(130):
        if driver.hear(V3, now_ns=T0 + second * NS_PER_S).notes:
            told.append(second)
        driver.now_ns = T0 + second * NS_PER_S
    assert told == [0, 60, 120]
    assert driver.count("version-errors") == 130
    assert driver.router.counters == {}


def test_a_discard_changes_nothing_else():
    driver = Driver(config(group(version=2)))
    deadline_ns = driver.router.deadline_ns
    driver.hear(V3.but(priority=255))
    assert (driver.router.deadline_ns, driver.state()) == (deadline_ns, State.BACKUP)
    assert driver.count("advertisement-rcvd") == 0


def test_remarks_are_counted_and_told_once_a_minute():
    driver = Driver(config(group()))
    told = 0
    for second in range(61):
        heard = driver.hear(V3.but(interval=300), now_ns=T0 + second * NS_PER_S)
        told += len(heard.notes)
    assert told == 2
    assert driver.count("interval-errors") == driver.count("advertisement-rcvd") == 61


def test_a_packet_for_a_virtual_router_that_waits_is_no_advert():
    driver = Driver(config(group()), links=(link(is_up=False),))
    driver.hear(V3)
    assert driver.router.counters == {DiscardReason.VRID.value: 1}
    driver.links(link())
    driver.links(link(is_up=False))
    driver.hear(V3)
    assert driver.count(DiscardReason.NOT_RUNNING.value) == 1


# Counters


def test_counters_of_rfc_8347():
    driver = Driver(config(group()))
    driver.run_to_master()
    driver.hear(V3.but(priority=0))
    driver.hear(V3.but(priority=200))
    driver.hear(V3.but(priority=0))
    driver.run_to_master()
    driver.step(Stop())
    assert driver.bound().counters == {
        "advertisement-sent": 4,  # two takeovers, an answer to the release, the release
        "master-transitions": 2,
        "advertisement-rcvd": 3,
        "priority-zero-pkts-rcvd": 2,
        "priority-zero-pkts-sent": 1,
    }


# The data plane


def device(**changes):
    values = {
        "name": "vg-vlan10",
        "alias": "vlan10",
        "parent_ifindex": 7,
        "mac": MAC,
        "family": Family.IPV4,
        "is_master": False,
        "addresses": (),
    }
    values.update(changes)
    return VirtualDevice(**values)


PARENT = ParentSettings(7, "lan0", owns_address=False)
HELD = {"is_master": True, "addresses": (InterfaceAddress(VIP, 32),), "lease_s": 3}


def test_desired_of_a_backup():
    driver = Driver(config(group()))
    assert driver.router.desired() == DesiredDataplane((device(),), (PARENT,))


def test_desired_of_a_master():
    driver = master(config(group()))
    assert driver.router.desired() == DesiredDataplane((device(**HELD),), (PARENT,))


def test_desired_without_accept_mode_refuses_the_addresses():
    driver = master(config(group(accept=False)))
    assert driver.router.desired() == DesiredDataplane((device(**HELD),), (PARENT,), (VIP,))


def test_desired_of_an_owner():
    driver = master(
        config(group(priority=255, accept=False)), links=(link(addresses=("198.18.10.254/24",)),)
    )
    owns = ParentSettings(7, "lan0", owns_address=True)
    assert driver.router.desired() == DesiredDataplane((device(**HELD),), (owns,))


def test_desired_of_ipv6_gives_the_link_local_address_its_subnet():
    (made,) = master(config(group6())).router.desired().devices
    assert made.addresses == (
        InterfaceAddress(ip("fe80::10"), 64),
        InterfaceAddress(ip("2001:db8:10::254"), 128),
    )
    assert made.mac == b"\0\0\x5e\0\x02\x0a"


def test_desired_leaves_out_interfaces_that_do_not_exist():
    driver = Driver(config(group(), group("b", interface="lan9", vrid=11)))
    assert [each.name for each in driver.router.desired().devices] == ["vg-vlan10"]
    assert [each.name for each in driver.router.desired().parents] == ["lan0"]


def test_a_parent_with_an_owner_among_its_groups_owns_an_address():
    links = (link(addresses=("198.18.10.254/24",)),)
    for other in ("a", "z"):
        groups = (group(priority=255), group(other, vrid=11, addresses=("198.18.10.9",)))
        (parent,) = Driver(config(*groups), links=links).router.desired().parents
        assert parent.owns_address


# Stop


LONGEST_SKEW_NS = 255 * NS_PER_S // 256


def test_stop_releases_every_mastership_and_claims_nothing():
    driver = Driver(config(group(), group("low", vrid=11, priority=1, addresses=("198.18.10.9",))))
    driver.run_to_master()
    assert (driver.state("vlan10"), driver.state("low")) == (State.MASTER, State.BACKUP)
    outcome = driver.step(Stop())
    assert outcome.kinds() == "DAN", "it answers nothing any more when it says so"
    assert [(each.vrid, each.priority) for each in outcome.adverts] == [(10, 0)]
    assert [each.is_quiet for each in outcome.desired.devices] == [False, True]
    assert driver.router.is_leaving


def test_stop_of_fifty_masters_releases_each():
    driver = Driver(many(50))
    driver.run_to_master()
    outcome = driver.step(Stop())
    assert [each.priority for each in outcome.adverts] == [0] * 50
    assert outcome.kinds() == "DAN"
    assert all(device.is_quiet for device in outcome.desired.devices)


def test_a_leaving_master_forwards_until_its_successor_is_heard():
    driver = master(config(group()))
    driver.step(Stop())
    assert driver.router.desired().devices[0].is_master
    assert driver.hear(V3.but(priority=0)).actions == ()
    assert driver.router.is_leaving
    outcome = driver.hear(V3.but(priority=1))
    assert outcome.kinds() == "D"
    assert outcome.desired.devices[0].addresses == ()
    assert not driver.router.is_leaving
    assert driver.router.deadline_ns is None


def test_a_leaving_master_without_a_successor_leaves_after_the_longest_skew():
    driver = master(config(group()))
    driver.step(Stop())
    driver.run(driver.now_ns + LONGEST_SKEW_NS)
    assert driver.router.is_leaving
    (outcome,) = driver.run(driver.now_ns + NS_PER_S // 5)
    assert outcome.kinds() == "D"
    assert not outcome.desired.devices[0].is_master
    assert not driver.router.is_leaving


def test_a_leaving_master_says_nothing_more():
    driver = master(config(group()))
    driver.step(Stop())
    assert [each.frames for each in driver.run(driver.now_ns + 2 * NS_PER_S)] == [[]]


def test_a_leaving_master_whose_link_fails_leaves_at_once():
    driver = master(config(group()))
    driver.step(Stop())
    outcome = driver.links(link(has_carrier=False))
    assert outcome.desired is not None
    assert not driver.router.is_leaving


def test_a_backup_that_stops_does_not_linger():
    driver = Driver(config(group()))
    assert driver.step(Stop()).frames == []
    assert not driver.router.is_leaving


def test_after_stop_nothing_brings_it_back():
    driver = master(config(group()))
    driver.step(Stop())
    assert driver.hear(V3.but(priority=0)).frames == []
    driver.links(link(has_carrier=False))
    assert driver.links(link()).frames == []
    assert driver.state("vlan10") is State.INITIALIZE
    assert driver.step(Tick(), T0 + 10**15).actions == ()


# The cache of known packets


@pytest.fixture(name="climbs")
def climbs_of_the_ladder(monkeypatch):
    """How often the ladder was climbed."""
    climbed = []

    def counted(packet, own_addresses, lookup):
        climbed.append(packet)
        return accept(packet, own_addresses, lookup)

    accept = wires.accept
    monkeypatch.setattr(wires, "accept", counted)
    return climbed


def test_the_same_bytes_climb_the_ladder_once(climbs):
    driver = Driver(config(group()))
    for second in range(1, 4):
        driver.hear(V3, now_ns=T0 + second * NS_PER_S)
        assert driver.router.deadline_ns == T0 + second * NS_PER_S + DOWN_NS
    assert len(climbs) == 1
    assert driver.count("advertisement-rcvd") == 3


def test_discarded_bytes_are_never_known(climbs):
    driver = Driver(config(group()))
    for _count in range(3):
        driver.hear(V3.but(ttl=1))
    assert len(climbs) == driver.router.counters["ip-ttl-errors"] == 3


def test_the_same_bytes_on_another_link_are_another_packet(climbs):
    links = (link(), link("lan1", 8, addresses=("198.18.11.5/24",)))
    driver = Driver(config(group(), group("b", interface="lan1")), links=links)
    driver.hear(V3, ifindex=7)
    driver.hear(V3, ifindex=8)
    assert len(climbs) == 2
    assert driver.count("advertisement-rcvd", "b") == 1


@pytest.mark.parametrize(
    "event",
    (
        lambda driver: driver.configure(config(group(priority=255))),
        lambda driver: driver.links(link(addresses=("198.18.10.6/24",))),
        lambda driver: driver.links(link(is_up=False)),
        lambda driver: driver.configure(config(group(version=2))),
        lambda driver: driver.configure(config()),
    ),
)
def test_nothing_is_known_after_a_change(climbs, event):
    driver = Driver(config(group()))
    driver.hear(V3)
    event(driver)
    driver.hear(V3)
    assert len(climbs) == 2


def test_a_hostile_lan_does_not_fill_memory(climbs, monkeypatch):
    monkeypatch.setattr(wires, "MAXIMUM_KNOWN_PACKETS", 10)
    driver = Driver(config(group()))
    for interval in range(1, 100):
        driver.hear(V3.but(interval=interval))
        assert len(driver.router._wires.known) <= 10


class Forgetful(dict):
    """A cache that knows nothing."""

    def __setitem__(self, key, value):
        pass


def test_the_cache_gives_the_same_results_as_the_ladder():
    packets = (V3, V3, V3.but(priority=0), V3.but(interval=300), V3.but(priority=200), V3)
    results = []
    for cache in ({}, Forgetful()):
        driver = Driver(config(group(priority=150)))
        driver.router._wires.known = cache
        story = []
        for count in range(60):
            packet = packets[count % len(packets)]
            story.append(driver.hear(packet, now_ns=T0 + count * 700 * NS_PER_MS).actions)
            story += [each.actions for each in driver.run(driver.now_ns + 600 * NS_PER_MS)]
        results.append((story, driver.bound().counters, driver.state()))
    assert results[0] == results[1]
