# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests as bytes, and links and addresses read from bytes: pyroute2 reads what we write and
writes what we read."""

from __future__ import annotations

import socket
import struct
from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.facts import InterfaceAddress, LinkFacts
from vrrp.linux import attributes, rtnl
from vrrp.linux.constants import LINK_GROUP
from vrrp.linux.links import (
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
    LinkTable,
    read_link,
)
from vrrp.linux.netlink import HEADER, Message
from vrrp.linux.templates import codec

UP_AND_RUNNING = 0x1 | 0x40 | 0x10000


def decoded(message: bytes, kind: str) -> Any:
    """A request as pyroute2 reads it."""
    found = getattr(codec(), kind)(message)
    found.decode()
    assert len(message) == found["header"]["length"]
    return found


def link(ifindex: int = 2, flags: int = UP_AND_RUNNING, **attrs: Any) -> bytes:
    """The body of a message of the kernel about a link, written by pyroute2."""
    values: Dict[str, Any] = {
        "IFLA_IFNAME": "eth0",
        "IFLA_ADDRESS": "02:00:00:00:00:01",
        "IFLA_MTU": 1500,
        **attrs,
    }
    message = codec().link()
    message["index"] = ifindex
    message["flags"] = flags
    message["attrs"] = [[name, value] for name, value in values.items()]
    message.reset()
    message.encode()
    return bytes(message.data[HEADER.size :])


def address(text: str, length: int, ifindex: int = 2, flags: int = 0) -> bytes:
    """The body of a message of the kernel about an address, written by pyroute2."""
    message = codec().address()
    message["family"] = socket.AF_INET6 if ":" in text else socket.AF_INET
    message["prefixlen"] = length
    message["index"] = ifindex
    message["attrs"] = [["IFA_ADDRESS", text], ["IFA_FLAGS", flags]]
    message.reset()
    message.encode()
    return bytes(message.data[HEADER.size :])


def held(text: str, length: int) -> InterfaceAddress:
    """An address as a value."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return InterfaceAddress(socket.inet_pton(family, text), length)


@pytest.mark.parametrize(
    ("text", "length", "preferred"),
    [("10.0.0.254", 32, True), ("fe80::254", 64, True), ("2001:db8::254", 128, False)],
)
def test_an_address_request(text: str, length: int, preferred: bool) -> None:
    """The second one comes from the template of the first."""
    for ifindex, lease_s, lifetime_s in ((7, 0, 2**32 - 1), (70000, 3, 3)):
        message = decoded(rtnl.add_address(ifindex, held(text, length), lease_s), "address")
        assert (message["index"], message["prefixlen"]) == (ifindex, length)
        assert message.get_attr("IFA_ADDRESS") == text
        assert (message.get_attr("IFA_LOCAL") == text) == ("." in text)
        lifetime = message.get_attr("IFA_CACHEINFO")
        assert lifetime["ifa_valid"] == lifetime_s
        # No duplicate address detection; no route to a prefix of one address.
        flags = {"10.0.0.254": None, "fe80::254": 0x02, "2001:db8::254": 0x202}
        assert message.get_attr("IFA_FLAGS") == flags[text]
        assert lifetime["ifa_preferred"] == (lifetime_s if preferred else 0)
        assert message["header"]["type"] == RTM_NEWADDR
        assert message["header"]["flags"] & 0x700 == 0x600  # create, exclusively
        renewal = decoded(rtnl.renew_address(ifindex, held(text, length), lease_s), "address")
        assert renewal["header"]["flags"] & 0x700 == 0x500  # create or replace
        assert renewal.get_attr("IFA_CACHEINFO")["ifa_valid"] == lifetime_s
        gone = decoded(rtnl.delete_address(ifindex, held(text, length)), "address")
        assert gone["header"]["type"] == RTM_DELADDR
        assert gone.get_attr("IFA_ADDRESS") == text
        assert gone.get_attr("IFA_CACHEINFO") is None


def test_a_macvlan_request() -> None:
    request = rtnl.create_macvlan("vg-lan", 5, bytes.fromhex("00005e00010a"))
    message = decoded(request, "link")
    assert message.get_attr("IFLA_IFNAME") == "vg-lan"
    assert message.get_attr("IFLA_LINK") == 5
    assert message.get_attr("IFLA_ADDRESS") == "00:00:5e:00:01:0a"
    assert message.get_attr("IFLA_GROUP") == LINK_GROUP
    info = message.get_attr("IFLA_LINKINFO")
    assert info.get_attr("IFLA_INFO_KIND") == "macvlan"
    assert info.get_attr("IFLA_INFO_DATA").get_attr("IFLA_MACVLAN_MODE") == "bridge"


def test_settings_are_nested_as_the_kernel_wants_them() -> None:
    request = rtnl.settle_link(7, "vlangate:lan", {19: 1, 8: 2}, with_ipv6=True)
    assert struct.unpack_from("=I", request) == (len(request),)
    assert decoded(request, "link")["index"] == 7
    outer = attributes.payloads(request, HEADER.size + 16)
    families = attributes.payloads(outer[26])
    settings = attributes.payloads(attributes.payloads(families[socket.AF_INET])[1])
    assert settings == {8: struct.pack("=I", 2), 19: struct.pack("=I", 1)}
    assert attributes.payloads(families[socket.AF_INET6]) == {8: b"\1"}


def test_requests_about_a_link_that_is_there() -> None:
    rename = decoded(rtnl.rename_link(7, "vg-new", "vlangate:new"), "link")
    assert (rename["index"], rename.get_attr("IFLA_IFNAME")) == (7, "vg-new")
    assert rename.get_attr("IFLA_IFALIAS") == "vlangate:new"
    for ifindex in (7, 70000):
        up, down = (
            decoded(request(ifindex), "link") for request in (rtnl.set_link_up, rtnl.set_link_down)
        )
        assert (up["index"], up["flags"] & 1, up["change"]) == (ifindex, 1, 1)
        assert (down["index"], down["flags"] & 1, down["change"]) == (ifindex, 0, 1)
        for master in (0, 9):
            joined = decoded(rtnl.set_link_master(ifindex, master), "link")
            assert (joined["index"], joined.get_attr("IFLA_MASTER")) == (ifindex, master)
        for value in (1, 8):
            request = rtnl.set_arp_ignore(ifindex, value)
            assert decoded(request, "link")["index"] == ifindex
            families = attributes.payloads(attributes.payloads(request, HEADER.size + 16)[26])
            settings = attributes.payloads(attributes.payloads(families[socket.AF_INET])[1])
            assert settings == {19: struct.pack("=I", value)}


def test_a_macvlan_in_a_vrf() -> None:
    mac = bytes.fromhex("00005e00010a")
    assert decoded(rtnl.create_macvlan("vg-lan", 5, mac, 9), "link").get_attr("IFLA_MASTER") == 9
    assert decoded(rtnl.create_macvlan("vg-lan", 5, mac), "link").get_attr("IFLA_MASTER") is None


def test_a_link_is_read_as_it_was_written() -> None:
    found = read_link(link(IFLA_LINK=9, IFLA_GROUP=3, IFLA_IFALIAS="the LAN"))
    assert found is not None
    assert (found.ifindex, found.name, found.mtu, found.parent_ifindex) == (2, "eth0", 1500, 9)
    assert (found.group, found.alias, found.mac.hex()) == (3, "the LAN", "020000000001")
    assert found.is_up and found.has_carrier


@pytest.mark.parametrize("missing", [0x40, 0x10000])
def test_carrier_needs_both_flags(missing: int) -> None:
    found = read_link(link(flags=UP_AND_RUNNING & ~missing))
    assert found is not None and found.is_up and not found.has_carrier


def test_news_of_bridge_ports_and_radios_are_no_links() -> None:
    port = bytes((7,)) + link()[1:]
    assert read_link(port) is None
    name = attributes.text(3, "wlan0")
    assert read_link(link()[:16] + name) is None


def messages(kind: int, *bodies: bytes) -> List[Message]:
    """Messages of one kind."""
    return [Message(kind, body) for body in bodies]


def test_the_table_follows_events() -> None:
    table = LinkTable()
    assert table.learn(messages(RTM_NEWLINK, link(), link(3, IFLA_IFNAME="alpha"))).links
    assert table.learn(messages(RTM_NEWADDR, address("10.0.0.1", 24), address("fe80::1", 64))).links
    assert [facts.name for facts in table.facts()] == ["alpha", "eth0"]
    eth0 = LinkFacts(
        2, "eth0", bytes.fromhex("020000000001"), 1500, True, True,
        (held("10.0.0.1", 24), held("fe80::1", 64)),
    )  # fmt: skip
    assert table.facts()[1] == eth0
    assert table.learn(messages(RTM_DELADDR, address("10.0.0.1", 24))).links
    assert table.facts()[1].addresses == (held("fe80::1", 64),)
    assert table.learn(messages(RTM_DELLINK, link())).links
    assert [facts.name for facts in table.facts()] == ["alpha"]
    # The addresses went with the link: another one with its index has none of them.
    table.learn(messages(RTM_NEWLINK, link(IFLA_IFNAME="new")))
    assert table.facts()[1].addresses == ()


@pytest.mark.parametrize(("flags", "usable"), [(0x80, True), (0x40, False), (0x88, False)])
def test_tentative_and_duplicate_addresses_do_not_count(flags: int, usable: bool) -> None:
    table = LinkTable()
    table.learn(messages(RTM_NEWLINK, link()))
    table.learn(messages(RTM_NEWADDR, address("2001:db8::1", 64, flags=flags)))
    assert bool(table.facts()[0].addresses) == usable


@pytest.mark.parametrize(
    ("name", "group", "ours"),
    [("vg-lan", LINK_GROUP, True), ("vg-lan", 0, False), ("lan", LINK_GROUP, True)],
)
def test_ours_is_what_is_in_our_group_whatever_somebody_called_it(
    name: str, group: int, ours: bool
) -> None:
    table = LinkTable()
    table.learn(messages(RTM_NEWLINK, link(IFLA_IFNAME=name, IFLA_GROUP=group)))
    assert bool(table.ours()) == ours
    assert bool(table.facts()) == (not ours)


@given(st.binary(max_size=200))
def test_no_bytes_confuse_the_attribute_reader(data: bytes) -> None:
    for kind, begin, end in attributes.walk(data, 0, len(data)):
        assert 0 <= kind <= 0x3FFF
        assert 4 <= begin <= end <= len(data)


@given(
    st.lists(st.tuples(st.integers(1, 0x3FFF), st.binary(max_size=20)), unique_by=lambda x: x[0])
)
def test_attributes_come_back(items: List[Any]) -> None:
    data = b"".join(attributes.attribute(kind, payload) for kind, payload in items)
    assert attributes.payloads(data) == dict(items)
