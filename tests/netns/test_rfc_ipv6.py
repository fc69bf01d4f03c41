# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N802 - the names begin with the row that they test
"""N rows of docs/rfc/ledger.md as the LAN sees them: where each rule holds, and where not."""

from __future__ import annotations

import socket
from typing import List, Tuple

import pytest
from frames import Wire, echo
from hosts import LINK_LOCAL_VIP, MAC6, VIP6, Host, packed
from namespaces import LAN, Site
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_Redirect,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from vrrp.facts import Family

FAR = "2001:db8:f::2"
CLIENT = "2001:db8:a::10"
CLIENT_LINK_LOCAL = "fe80::10"
REAL = "2001:db8:a::252"
REAL_LINK_LOCAL = "fe80::252"
NOBODY = "2001:db8:a::77"
IPV6 = Family.IPV6
VIPS = ((VIP6, CLIENT), (LINK_LOCAL_VIP, CLIENT_LINK_LOCAL))


def told_macs(answers: List[Packet]) -> List[Tuple[str, str]]:
    """Ethernet source and target link-layer address of neighbour advertisements."""
    return [(answer[Ether].src, answer[ICMPv6NDOptDstLLAddr].lladdr) for answer in answers]


@pytest.mark.rfc("N1", positive=True)
def test_N1_a_backup_answers_no_solicitation_for_a_virtual_address(host: Host, wire: Wire) -> None:
    host.apply(host.backup(IPV6))
    for target, sender in VIPS:
        assert wire.ask_neighbour(target, sender) == []
        assert wire.ask_neighbour(target, sender, directly_at=MAC6) == []
        assert wire.ask_neighbour(target, sender, directly_at=wire.router_mac) == []


@pytest.mark.rfc("N1", positive=False)
def test_N1_it_answers_for_its_own(host: Host, wire: Wire) -> None:
    host.apply(host.backup(IPV6))
    for target, sender in ((REAL, CLIENT), (REAL_LINK_LOCAL, CLIENT_LINK_LOCAL)):
        answers = wire.ask_neighbour(target, sender)
        assert told_macs(answers) == [(wire.router_mac, wire.router_mac)]


def groups_of(site: Site, device: str) -> List[str]:
    """The IPv6 groups that a device has joined."""
    lines = site.router.ip("-6", "maddr", "show", "dev", device).splitlines()
    return [line.split()[1] for line in lines if "inet6" in line]


@pytest.mark.rfc("N4", positive=True)
def test_N4_a_master_joins_the_solicited_node_group_of_each_virtual_address(
    host: Host, site: Site
) -> None:
    host.apply(host.master(IPV6))
    joined = groups_of(site, "vg-lan-ipv6")
    for address in (VIP6, LINK_LOCAL_VIP):
        group = packed("ff02::1:ff00:0")[:13] + packed(address)[13:]
        assert socket.inet_ntop(socket.AF_INET6, group) in joined


@pytest.mark.rfc("N4", positive=False)
def test_N4_a_backup_joins_none(host: Host, site: Site) -> None:
    host.apply(host.backup(IPV6))
    assert not [group for group in groups_of(site, "vg-lan-ipv6") if group.startswith("ff02::1:ff")]


@pytest.mark.rfc("N5", positive=True)
def test_N5_a_master_answers_as_a_router_with_the_virtual_mac(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV6))
    for target, sender in VIPS:
        (answer,) = wire.ask_neighbour(target, sender)
        assert told_macs([answer]) == [(MAC6, MAC6)]
        said = answer[ICMPv6ND_NA]
        assert (said.R, said.S, answer[IPv6].hlim) == (1, 1, 255)


@pytest.mark.rfc("N5", positive=False)
def test_N5_not_for_an_address_that_is_not_virtual(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV6))
    assert wire.ask_neighbour(NOBODY) == []
    assert told_macs(wire.ask_neighbour(REAL)) == [(wire.router_mac, wire.router_mac)]


@pytest.mark.rfc("N7", positive=True)
@pytest.mark.kernel("nftables")
def test_N7_neighbour_discovery_goes_on_without_accept_mode(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV6, refused=True))
    for target, sender in VIPS:
        assert told_macs(wire.ask_neighbour(target, sender)) == [(MAC6, MAC6)]
        assert len(wire.ask_neighbour(target, sender, directly_at=MAC6)) == 1


@pytest.mark.rfc("N7", positive=False)
@pytest.mark.kernel("nftables")
def test_N7_other_packets_are_refused_then(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV6, refused=True))
    for target, sender in VIPS:
        assert wire.ask_echo(echo(wire, MAC6, sender, target)) == []


@pytest.mark.rfc("N8", positive=True)
def test_N8_nothing_tells_a_virtual_address_with_the_physical_mac(
    host: Host, site: Site, wire: Wire
) -> None:
    host.apply(host.master(IPV6))
    site.router.ip("neigh", "del", CLIENT, "dev", LAN)
    site.router.run("ping", "-6", "-c1", "-W2", CLIENT)
    for target, sender in VIPS:
        wire.ask_neighbour(target, sender)
    for frame in wire.frames_now():
        if ICMPv6ND_NA in frame and frame[ICMPv6ND_NA].tgt in (VIP6, LINK_LOCAL_VIP):
            assert told_macs([frame]) == [(MAC6, MAC6)]
        if ICMPv6ND_NS in frame and frame[IPv6].src in (VIP6, LINK_LOCAL_VIP):
            assert frame[ICMPv6NDOptSrcLLAddr].lladdr == MAC6
    assert [frame for frame in wire.frames if ICMPv6ND_NS in frame], "it did ask for the client"


@pytest.mark.rfc("N8", positive=False)
def test_N8_its_own_questions_carry_the_physical_mac_and_its_real_address(
    host: Host, site: Site, wire: Wire
) -> None:
    host.apply(host.master(IPV6))
    site.router.ip("neigh", "del", CLIENT, "dev", LAN)
    site.router.run("ping", "-6", "-c1", "-W2", CLIENT)
    questions = [
        frame
        for frame in wire.frames_now()
        if ICMPv6ND_NS in frame and frame[ICMPv6ND_NS].tgt == CLIENT
    ]
    assert questions
    for frame in questions:
        assert frame[IPv6].src in (REAL, REAL_LINK_LOCAL)
        assert frame[ICMPv6NDOptSrcLLAddr].lladdr == wire.router_mac


def redirects(wire: Wire, to_mac: str) -> List[Packet]:
    """What comes back when a packet for a neighbour is sent through the router."""
    wire.forget()
    wire.ask_echo(echo(wire, to_mac, CLIENT, NOBODY))
    return [frame for frame in wire.frames_now() if ICMPv6ND_Redirect in frame]


@pytest.mark.rfc("N12", positive=True)
def test_N12_what_is_sent_to_the_virtual_mac_is_not_redirected(
    host: Host, site: Site, wire: Wire
) -> None:
    site.router.ip("neigh", "add", NOBODY, "lladdr", wire.mac, "dev", LAN)
    host.apply(host.master(IPV6))
    assert redirects(wire, MAC6) == []
    forwarded = [
        frame for frame in wire.frames_now() if IPv6 in frame and frame[IPv6].dst == NOBODY
    ]
    assert len(forwarded) == 1, "it is delivered all the same"


@pytest.mark.rfc("N12", positive=False)
def test_N12_a_redirect_for_the_real_router_comes_from_its_own_address(
    host: Host, site: Site, wire: Wire
) -> None:
    site.router.ip("neigh", "add", NOBODY, "lladdr", wire.mac, "dev", LAN)
    host.apply(host.master(IPV6))
    assert [frame[IPv6].src for frame in redirects(wire, wire.router_mac)] == [REAL_LINK_LOCAL]


@pytest.mark.rfc("N13", positive=True)
@pytest.mark.parametrize("is_master", (False, True))
def test_N13_an_unsolicited_advertisement_changes_what_the_router_knows(
    host: Host, site: Site, wire: Wire, is_master: bool
) -> None:
    host.apply(host.master(IPV6) if is_master else host.backup(IPV6))
    site.router.ip("neigh", "replace", CLIENT, "lladdr", wire.mac, "dev", LAN, "nud", "stale")
    moved = "02:00:00:00:00:77"
    wire.send(
        Ether(dst="33:33:00:00:00:01", src=moved)
        / IPv6(src=CLIENT, dst="ff02::1", hlim=255)
        / ICMPv6ND_NA(tgt=CLIENT, R=0, S=0, O=1)
        / ICMPv6NDOptDstLLAddr(lladdr=moved)
    )
    wire.ask_arp("10.0.0.252")
    assert moved in site.router.ip("-6", "neigh", "show", CLIENT)


@pytest.mark.rfc("N14", positive=True)
def test_N14_no_address_is_made_of_the_virtual_mac(host: Host, site: Site) -> None:
    host.apply(host.master(IPV6))
    site.router.sysctl("net/ipv6/conf/vg-lan-ipv6/accept_ra", "2")
    shown = site.router.ip("-6", "-o", "addr", "show", "dev", "vg-lan-ipv6")
    addresses = [line.split()[3].partition("/")[0] for line in shown.splitlines()]
    assert sorted(addresses) == sorted([VIP6, LINK_LOCAL_VIP])
    assert not [each for each in addresses if packed(each)[8:] == bytes.fromhex("02005efffe00020a")]


@pytest.mark.rfc("T25", positive=True)
def test_T25_adverts_of_ipv6_are_not_forwarded_whatever_their_hop_limit(
    host: Host, site: Site, wire: Wire
) -> None:
    host.apply(host.master(IPV6))
    far = Wire(site.far, "eth0")
    for mac in ("33:33:00:00:00:12", MAC6, wire.router_mac):
        wire.send(Ether(dst=mac, src=wire.mac) / IPv6(src=CLIENT, dst="ff02::12", nh=112, hlim=255))
    wire.ask_echo(echo(wire, MAC6, CLIENT, FAR))
    far.wait_for(lambda frame: IPv6 in frame and frame[IPv6].dst == FAR, "the packet behind them")
    assert not [frame for frame in far.frames_now() if IPv6 in frame and frame[IPv6].nh == 112]
    far.close()
