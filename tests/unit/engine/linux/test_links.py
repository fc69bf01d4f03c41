# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message of the kernel changes, and what it merely repeats."""

import socket
import struct
from ipaddress import ip_interface

import pytest

from vrrp.facts import AddressNews, InterfaceAddress, KernelNews
from vrrp.linux import attributes
from vrrp.linux.constants import LINK_GROUP
from vrrp.linux.links import RTM_DELADDR, RTM_DELLINK, RTM_NEWADDR, RTM_NEWLINK, LinkTable
from vrrp.linux.netlink import Message

UP_AND_RUNNING = 0x1 | 0x40 | 0x10000
NOTHING = KernelNews()
BRIDGE, LAN, OURS = 2, 3, 4


def number(kind, value):
    return attributes.attribute(kind, struct.pack("=I", value))


def families(arp_ignore=1, packets=0):
    """arp_ignore is a setting; packets of IPv6 are counted in the same place."""
    conf = attributes.attribute(1, struct.pack("=20i", *([0] * 18), arp_ignore, 0))
    six = attributes.attribute(2, bytes(4 * 30)) + attributes.attribute(
        3, struct.pack("=Q", packets)
    )
    return attributes.nested(
        26, attributes.nested(socket.AF_INET, conf), attributes.nested(socket.AF_INET6, six)
    )


def link(ifindex, name, group=0, mtu=1500, master=0, kind="", flags=UP_AND_RUNNING, **more):
    body = struct.pack("=BxHiII", 0, 1, ifindex, flags, 0) + attributes.text(3, name)
    body += number(4, mtu) + number(27, group) + families(**more)
    if master:
        body += number(10, master)
    if kind:
        body += attributes.nested(18, attributes.text(1, kind))
    return body


def address(ifindex, text, flags=0x80, valid_s=0xFFFFFFFF):
    interface = ip_interface(text)
    family = socket.AF_INET if interface.version == 4 else socket.AF_INET6
    body = struct.pack("=BBBBI", family, interface.network.prefixlen, flags, 0, ifindex)
    body += attributes.attribute(1, interface.ip.packed) + attributes.attribute(
        2, interface.ip.packed
    )
    return body + attributes.attribute(6, struct.pack("=IIII", 0, valid_s, 0, 0))


def value(text):
    interface = ip_interface(text)
    return InterfaceAddress(interface.ip.packed, interface.network.prefixlen)


@pytest.fixture(name="table")
def table_with_a_device_of_ours():
    table = LinkTable()
    tell(table, RTM_NEWLINK, link(LAN, "lan0"), link(OURS, "vg-lan", LINK_GROUP))
    tell(table, RTM_NEWADDR, address(LAN, "10.0.0.252/24"), address(OURS, "10.0.0.254/32"))
    return table


def tell(table, kind, *bodies):
    return table.learn([Message(kind, body) for body in bodies])


def test_what_is_repeated_is_no_news(table):
    assert tell(table, RTM_NEWLINK, link(LAN, "lan0"), link(OURS, "vg-lan", LINK_GROUP)) == NOTHING
    assert tell(table, RTM_NEWADDR, address(LAN, "10.0.0.252/24")) == NOTHING


def test_counters_are_no_news(table):
    assert tell(table, RTM_NEWLINK, link(LAN, "lan0", packets=7)) == NOTHING


def test_the_renewal_of_a_lease_is_no_news(table):
    leased = address(OURS, "10.0.0.254/32", flags=0, valid_s=3)
    assert tell(table, RTM_NEWADDR, leased).addresses, "it was for ever before"
    again = address(OURS, "10.0.0.254/32", flags=0, valid_s=2)
    assert tell(table, RTM_NEWADDR, again) == NOTHING


def test_a_setting_is_news(table):
    news = tell(table, RTM_NEWLINK, link(OURS, "vg-lan", LINK_GROUP, arp_ignore=0))
    assert news == KernelNews(touched=frozenset({OURS}))


@pytest.mark.parametrize("change", [{"mtu": 1400}, {"flags": 1}, {"arp_ignore": 0}])
def test_a_changed_link_is_news_for_the_router_too(table, change):
    news = tell(table, RTM_NEWLINK, link(LAN, "lan0", **change))
    assert news == KernelNews(links=True, touched=frozenset({LAN}))


def test_an_address_of_ours_is_told_as_such(table):
    news = tell(table, RTM_DELADDR, address(OURS, "10.0.0.254/32"))
    assert news == KernelNews(addresses=(AddressNews(OURS, value("10.0.0.254/32"), False),))
    news = tell(table, RTM_NEWADDR, address(OURS, "10.0.0.7/32"))
    assert news == KernelNews(addresses=(AddressNews(OURS, value("10.0.0.7/32"), True),))


def test_an_address_of_another_link_is_news_for_the_router(table):
    news = tell(table, RTM_DELADDR, address(LAN, "10.0.0.252/24"))
    assert news == KernelNews(links=True, touched=frozenset({LAN}))


def test_a_device_of_ours_that_was_renamed_is_ours_still(table):
    news = tell(table, RTM_NEWLINK, link(OURS, "stolen", LINK_GROUP))
    assert news == KernelNews(touched=frozenset({OURS}))
    assert [found.name for found in table.ours()] == ["stolen"]
    assert [facts.name for facts in table.facts()] == ["lan0"]


def test_a_device_that_left_our_group_is_a_link_like_others(table):
    assert tell(table, RTM_NEWLINK, link(OURS, "vg-lan", 0)).links
    assert [facts.name for facts in table.facts()] == ["lan0", "vg-lan"]


@pytest.mark.parametrize("kind", ["bridge", "vrf", "bond"])
def test_a_link_says_what_it_is_a_part_of(table, kind):
    tell(table, RTM_NEWLINK, link(BRIDGE, "upper0", kind=kind))
    assert tell(table, RTM_NEWLINK, link(LAN, "lan0", master=BRIDGE)).links
    (facts,) = (facts for facts in table.facts() if facts.name == "lan0")
    assert (facts.upper, facts.upper_kind) == ("upper0", kind)
    assert tell(table, RTM_NEWLINK, link(LAN, "lan0")).links
    (facts,) = (facts for facts in table.facts() if facts.name == "lan0")
    assert (facts.upper, facts.upper_kind) == ("", "")


def test_a_link_that_went_away_is_news_once(table):
    assert tell(table, RTM_DELLINK, link(OURS, "vg-lan", LINK_GROUP)).touched == {OURS}
    assert table.ours() == []
