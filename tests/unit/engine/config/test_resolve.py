# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual router meets its link."""

import dataclasses
import ipaddress

import pytest

from vrrp.config.model import VirtualRouterConfig
from vrrp.config.resolve import NotReady, effective_priority, generated_link_local, resolve
from vrrp.facts import Family, InterfaceAddress, LinkFacts
from vrrp.fsm.parameters import RouterParameters


def packed(text):
    return ipaddress.ip_address(text).packed


def link(*addresses, **changes):
    facts = LinkFacts(
        ifindex=7,
        name="vlan10",
        mac=bytes(6),
        mtu=1500,
        is_up=True,
        has_carrier=True,
        addresses=tuple(
            InterfaceAddress(packed(text.split("/")[0]), int(text.split("/")[1]))
            for text in addresses
        ),
    )
    return dataclasses.replace(facts, **changes)


def router(*addresses, family=Family.IPV4, **changes):
    config = VirtualRouterConfig(
        "a", "vlan10", family, 10, tuple(packed(address) for address in addresses)
    )
    return dataclasses.replace(config, **changes)


V4 = router("198.18.10.254")
V6 = router("2001:db8:10::fe", family=Family.IPV6)
GENERATED = packed("fe80::7672:7270:0:a")


def test_ready():
    config = dataclasses.replace(V4, preempt_delay_cs=1500, accept=True, priority=200)
    assert resolve(config, link("198.18.10.252/24"), 101) == RouterParameters(
        version=3,
        family=Family.IPV4,
        vrid=10,
        priority=99,
        advertisement_interval_cs=100,
        preempt=True,
        preempt_delay_ns=15_000_000_000,
        accept=True,
        primary_address=packed("198.18.10.252"),
        addresses=(packed("198.18.10.254"),),
    )


def test_a_vrf_is_no_obstacle():
    facts = link("198.18.10.252/24", upper="red", upper_kind="vrf")
    assert isinstance(resolve(V4, facts, 0), RouterParameters)


@pytest.mark.parametrize(
    ("config", "facts", "code", "words"),
    [
        (V4, None, "no-interface", ["vlan10", "does not exist", "create it"]),
        (V4, link(is_up=False, has_carrier=False), "interface-down", ["vlan10", "is down"]),
        (V4, link("198.18.10.252/24", has_carrier=False), "no-carrier", ["vlan10"]),
        (
            V4,
            link("198.18.10.252/24", upper="br0", upper_kind="bridge"),
            "bridge-port",
            ["vlan10 is a port of the bridge br0", "take vlan10 out of it"],
        ),
        (
            V4,
            link("198.18.10.252/24", upper="bond0", upper_kind="bond", is_up=False),
            "part-of-link",
            ["vlan10 is a part of bond0", "configure the virtual router on bond0"],
        ),
        (V4, link("2001:db8::1/64", "fe80::1/64"), "no-primary-address", ["IPv4 address"]),
        (V6, link("198.18.10.252/24", "2001:db8::1/64"), "no-primary-address", ["link-local"]),
        (
            V4,
            link("198.18.10.252/24", "198.18.10.254/32"),
            "address-conflict",
            ["198.18.10.254", "remove it", "255"],
        ),
        (V6, link("fe80::1/64", "2001:db8:10::fe/64"), "address-conflict", ["2001:db8:10::fe"]),
    ],
)
def test_not_ready(config, facts, code, words):
    answer = resolve(config, facts, 0)
    assert isinstance(answer, NotReady)
    assert answer.code == code
    assert all(word in answer.sentence for word in words)


@pytest.mark.parametrize(
    ("addresses", "primary"),
    [
        (["10.0.0.1/8", "198.18.10.252/24", "198.18.10.251/24"], "198.18.10.252"),
        (["10.0.0.1/8", "192.0.2.1/24"], "10.0.0.1"),
        (["fe80::1/64", "192.0.2.1/24"], "192.0.2.1"),
        (["10.0.0.1/8", "192.0.2.1/0"], "192.0.2.1"),
        (["10.0.0.1/32", "198.18.10.255/31"], "198.18.10.255"),
    ],
)
def test_primary_address_shares_the_network_of_the_first_virtual_one(addresses, primary):
    assert resolve(V4, link(*addresses), 0).primary_address == packed(primary)


def test_ipv6_sends_from_the_link_local_address():
    answer = resolve(V6, link("2001:db8:10::fc/64", "fe80::252/64"), 0)
    assert answer.primary_address == packed("fe80::252")
    assert answer.addresses == (GENERATED, packed("2001:db8:10::fe"))


def test_a_listed_link_local_address_is_kept():
    config = router("fe80::fe", "2001:db8:10::fe", family=Family.IPV6)
    assert resolve(config, link("fe80::252/64"), 0).addresses == config.addresses


@pytest.mark.rfc("N14", positive=False)
def test_generated_link_local_is_unique_on_a_lan_and_no_eui64():
    addresses = [generated_link_local(vrid) for vrid in range(1, 256)]
    assert len(set(addresses)) == 255
    assert addresses[9] == GENERATED
    for address in addresses:
        assert ipaddress.IPv6Address(address) in ipaddress.IPv6Network("fe80::/64")
        assert address[11:13] != b"\xff\xfe"


def test_owner_sends_from_its_virtual_address():
    owner = dataclasses.replace(V4, priority=255)
    answer = resolve(owner, link("198.18.10.252/24", "198.18.10.254/24"), 101)
    assert (answer.primary_address, answer.priority) == (packed("198.18.10.254"), 255)
    only = resolve(owner, link("198.18.10.254/24"), 0)
    assert only.primary_address == packed("198.18.10.254")


def test_owner_without_its_address_is_ready_all_the_same():
    owner = dataclasses.replace(V4, priority=255)
    answer = resolve(owner, link("198.18.10.252/24"), 0)
    assert answer.primary_address == packed("198.18.10.252")


@pytest.mark.parametrize(
    ("priority", "penalty", "effective"),
    [(200, 0, 200), (200, 101, 99), (100, 101, 1), (1, 254, 1), (254, 0, 254), (255, 254, 255)],
)
def test_effective_priority(priority, penalty, effective):
    assert effective_priority(priority, penalty) == effective


@pytest.mark.parametrize(("count", "fits"), [(90, True), (91, False)])
def test_an_advertisement_fits_into_one_packet(count, fits):
    # 40 octets of IPv6 and 8 of VRRP leave room for 90 addresses in 1500, one of them generated.
    addresses = ["2001:db8:10::%x" % number for number in range(1, count)]
    answer = resolve(router(*addresses, family=Family.IPV6), link("fe80::252/64"), 0)
    assert isinstance(answer, RouterParameters) is fits
    if not fits:
        assert answer.code == "mtu" and "1500" in answer.sentence
