# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N802 - the names begin with the row that they test
"""D, N, F, M and G rows that need no kernel: what the router asks for, and in which order.

What the kernel makes of it is seen on the wire: tests/netns.
"""

import struct

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V3, ones_complement_sum
from engine_kit.values import NS_PER_S, OURS, T0, VIP, config, group, group6, ip, link, ping

from vrrp.config.hosts import host_problems
from vrrp.config.model import TrackReference
from vrrp.config.parse import parse
from vrrp.config.resolve import NotReady, generated_link_local, resolve
from vrrp.discards import DiscardReason
from vrrp.errors import ConfigError
from vrrp.fsm.states import State
from vrrp.fsm.timing import skew_time_ns
from vrrp.router.bound_router import PATIENCE_NS
from vrrp.router.events import Stop
from vrrp.router.snapshot import snapshot

MAC4, MAC6 = bytes.fromhex("00005e00010a"), bytes.fromhex("00005e00020a")
TWO = ("198.18.10.254", "198.18.10.253")
FAMILIES = pytest.mark.parametrize("made", (group(), group6("vlan10")), ids=("ipv4", "ipv6"))


@pytest.mark.rfc("D7", positive=True)
def test_D7_version_2_refuses_what_is_sent_to_an_address_that_it_does_not_own():
    driver = master(config(group(version=2, accept=False)))
    assert driver.router.desired().refused == (VIP,)


@pytest.mark.rfc("D7", positive=False)
def test_D7_an_owner_accepts():
    links = (link(addresses=("198.18.10.254/24",)),)
    driver = master(config(group(version=2, accept=False, priority=255)), links=links)
    assert driver.router.desired().refused == ()
    assert driver.router.desired().devices[0].is_master


@pytest.mark.rfc("D9", positive=True)
def test_D9_a_new_master_announces_each_address_by_gratuitous_arp():
    frames = Driver(config(group(addresses=TWO))).run_to_master().announcements
    assert len(frames) == 2
    for frame, address in zip(frames, map(ip, TWO)):
        assert (frame[:6], frame[6:12], frame[12:14]) == (b"\xff" * 6, MAC4, b"\x08\x06")
        head, sender_mac, sender, target_mac, target = struct.unpack("!8s6s4s6s4s", frame[14:42])
        assert head == bytes.fromhex("0001080006040001"), "an ARP request for IPv4 over Ethernet"
        assert (sender_mac, target_mac, sender, target) == (MAC4, MAC4, address, address)


@pytest.mark.rfc("D9", positive=False)
def test_D9_nobody_else_announces():
    backup = Driver(config(group(addresses=TWO)))
    for _count in range(10):
        outcome = backup.hear(V3.but(priority=200), now_ns=backup.now_ns + NS_PER_S)
        assert outcome.announcements == []
    leaving = master(config(group(addresses=TWO)))
    assert leaving.hear(V3.but(priority=200)).announcements == []


@pytest.mark.rfc("D11", "N9", positive=True)
@FAMILIES
def test_D11_announcements_wait_for_address_and_virtual_mac(made):
    outcome = Driver(config(made)).run_to_master()
    assert outcome.kinds() == "ADUN", "the data plane is told before anything is announced"
    (device,) = outcome.desired.devices
    assert device.mac == (MAC4 if made.family.value == "ipv4" else MAC6)
    assert [each.address for each in device.addresses] == list(made.addresses)


@pytest.mark.rfc("D11", "N9", positive=False)
@FAMILIES
def test_D11_without_them_nothing_is_announced(made):
    for links in ((), (link(is_up=False),), (link(has_carrier=False),), (link(addresses=()),)):
        driver = Driver(config(made), links=links)
        assert driver.first.frames == []
        assert driver.run(driver.now_ns + 60 * NS_PER_S) == []


@pytest.mark.rfc("D12", positive=True)
def test_D12_an_owner_announces_as_soon_as_its_interface_is_there():
    driver = Driver(config(group(priority=255)), links=())
    outcome = driver.links(link(addresses=("198.18.10.254/24",)))
    assert [frame[28:32] for frame in outcome.announcements] == [VIP]


@pytest.mark.rfc("N3", positive=True)
def test_N3_a_new_master_tells_all_nodes_each_address():
    made = group6("vlan10")
    frames = Driver(config(made)).run_to_master().announcements
    assert len(frames) == 2
    for frame, address in zip(frames, made.addresses):
        assert (frame[:6], frame[6:12]) == (bytes.fromhex("333300000001"), MAC6)
        packet, message = frame[14:], frame[54:]
        assert (packet[6], packet[7], packet[24:40]) == (58, 255, ip("ff02::1"))
        kind, code, _checksum, flags = struct.unpack("!BBHI", message[:8])
        assert (kind, code, flags >> 29) == (136, 0, 0b101), "router and override, not solicited"
        assert (message[8:24], message[24:26], message[26:]) == (address, b"\x02\x01", MAC6)
        pseudo = packet[8:40] + struct.pack("!II", len(message), 58)
        assert ones_complement_sum(pseudo + message) == 0xFFFF


@pytest.mark.rfc("N3", positive=False)
def test_N3_a_backup_tells_nobody():
    driver = Driver(config(group6("vlan10")))
    driver.links(link(addresses=("fe80::5/64", "2001:db8:10::5/64")))
    assert not any(each.frames for each in driver.run(T0 + 3 * NS_PER_S))


@pytest.mark.rfc("N15", positive=True)
def test_N15_all_routers_generate_the_same_link_local_address():
    made = group6("vlan10", addresses=("2001:db8:10::254",))
    routers = [
        resolve(made, link(addresses=("fe80::%d/64" % number,)), 0).addresses[0]
        for number in (1, 2)
    ]
    assert routers == [generated_link_local(10)] * 2


@pytest.mark.rfc("N15", positive=False)
def test_N15_two_virtual_routers_cannot_share_one():
    assert len({generated_link_local(vrid) for vrid in range(1, 256)}) == 255
    row = {"interface": "lan0", "family": "ipv6"}
    two = [
        dict(row, name="r%d" % vrid, vrid=vrid, addresses=["fe80::fe", "2001:db8::%d" % vrid])
        for vrid in (1, 2)
    ]
    with pytest.raises(ConfigError, match="addresses of its own"):
        parse({"virtual_routers": two})


# What RFC 8347 adds to the machine


@pytest.mark.rfc("F19", positive=True)
@pytest.mark.parametrize(
    "gone, words",
    (
        ((), "does not exist"),
        ((link(is_up=False),), "is down"),
        ((link(has_carrier=False),), "no carrier"),
        ((link(addresses=("fe80::5/64",)),), "no IPv4 address"),
    ),
)
def test_F19_a_link_that_cannot_serve_means_initialize_and_back(gone, words):
    driver = master(config(group()))
    outcome = driver.links(*gone)
    if words == "no IPv4 address":  # an interface that is configured anew is given a moment
        outcome = driver.run(driver.now_ns + PATIENCE_NS)[-1]
    assert driver.state() is State.INITIALIZE
    assert words in driver.bound().waiting.sentence
    assert not outcome.desired or not any(each.addresses for each in outcome.desired.devices)
    driver.links(link())
    assert driver.state() is State.BACKUP
    driver.run_to_master()


@pytest.mark.rfc("F19", positive=True)
def test_F19_no_virtual_address_means_initialize_and_back():
    driver = master(config(group()))
    outcome = driver.configure(config(group(addresses=())))
    assert driver.state() is State.INITIALIZE
    assert [advert.priority for advert in outcome.adverts] == [0]
    assert not any(each.addresses for each in driver.router.desired().devices)
    driver.configure(config(group()))
    assert driver.state() is State.BACKUP
    none = resolve(group(addresses=()), link(), 0)
    assert isinstance(none, NotReady) and none.code == "no-virtual-address"


@pytest.mark.rfc("F20", positive=True)
def test_F20_a_preempt_delay_leaves_a_living_master_alone_for_a_while():
    driver = Driver(config(group(preempt_delay_cs=1500)))
    times = []
    for _second in range(30):
        driver.run(driver.now_ns + NS_PER_S)
        if driver.state() is State.MASTER:
            times.append(driver.now_ns)
            break
        driver.hear(V3.but(priority=50))
    (took_over_ns,) = times
    assert 15 * NS_PER_S <= took_over_ns - T0 <= 21 * NS_PER_S


@pytest.mark.rfc("F20", positive=False)
def test_F20_a_dead_one_is_replaced_without_delay():
    driver = Driver(config(group(preempt_delay_cs=1500)))
    driver.hear(V3.but(priority=50), now_ns=T0 + NS_PER_S)
    outcome = driver.run_to_master()
    assert outcome.at_ns == T0 + NS_PER_S + 3_609_375_000


# Timers that the RFC leaves to us


@pytest.mark.rfc("M10", positive=True)
def test_M10_the_skew_is_not_rounded_to_centiseconds():
    assert skew_time_ns(3, 100, 100) == 609_375_000
    assert skew_time_ns(3, 255, 1) == 39_062


@pytest.mark.rfc("M11", positive=True)
def test_M11_time_comes_in_and_is_never_asked_for():
    histories = []
    for start_ns in (T0, T0 + 10**15):
        driver = Driver(config(group()), now_ns=start_ns)
        outcomes = driver.run(start_ns + 10 * NS_PER_S)
        histories.append([(each.at_ns - start_ns, each.kinds()) for each in outcomes])
    assert histories[0] == histories[1]


# Management


@pytest.mark.rfc("G2", positive=True)
def test_G2_names_of_rfc_8347():
    driver = master(config(group()))
    driver.hear(V3.but(ttl=3))
    driver.hear(V3.but(type=2))
    driver.hear(V3.but(tail=b"more"))
    driver.step(Stop())
    document = snapshot(driver.router, driver.now_ns)
    (router,) = document["routers"]
    assert {"ip-ttl-errors"} == set(document["counters"])
    assert {"invalid-type-pkts-rcvd", "packet-length-errors"} <= set(router["counters"])
    assert {"master-transitions", "priority-zero-pkts-sent"} <= set(router["counters"])
    assert {state.value for state in State} == {"initialize", "backup", "master"}
    assert {"checksum-errors", "version-errors", "vrid-errors", "address-list-errors"} <= {
        reason.value for reason in DiscardReason
    }


@pytest.mark.rfc("G3", positive=True)
def test_G3_two_owners_or_equal_priorities_are_refused_over_the_fleet():
    for priority, code in ((255, "host-owners"), (150, "host-priority")):
        made = config(group(priority=priority))
        assert [each.code for each in host_problems({"gw1": made, "gw2": made})] == [code]


@pytest.mark.rfc("G3", positive=False)
def test_G3_distinct_ones_are_not():
    configs = {"gw1": config(group(priority=255)), "gw2": config(group(priority=254))}
    assert host_problems(configs) == ()


@pytest.mark.rfc("D8", positive=True)
@FAMILIES
def test_D8_without_accept_mode_version_3_refuses_too(made):
    closed = type(made)(**{**vars(made), "accept": False})
    assert master(config(closed)).router.desired().refused == tuple(sorted(made.addresses))


@pytest.mark.rfc("D8", positive=False)
@FAMILIES
def test_D8_accept_mode_or_ownership_lifts_it(made):
    assert master(config(made)).router.desired().refused == ()
    owner = type(made)(**{**vars(made), "accept": False, "priority": 255})
    links = (link(addresses=("198.18.10.254/24", "fe80::10/64")),)
    assert master(config(owner), links=links).router.desired().refused == ()


@pytest.mark.rfc("T5", positive=False)
def test_T5_the_source_of_a_penalized_owner_stays_its_own():
    """Tracking takes no ownership away: the source would have to change with it."""
    tracked = group(priority=255, track=(TrackReference("uplink", 200),))
    links = (link(addresses=("198.18.10.254/24", "198.18.10.5/24")),)
    driver = master(config(tracked, trackers=(ping(),)), links=links)
    driver.report("uplink", False)
    assert driver.bound().parameters.primary_address == VIP != OURS
