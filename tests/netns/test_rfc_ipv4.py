# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N802 - the names begin with the row that they test
"""D rows of docs/rfc/ledger.md as the LAN sees them: where each rule holds, and where not."""

from __future__ import annotations

from typing import List

import pytest
from frames import Wire, echo
from hosts import MAC4, VIP4, Host
from namespaces import LAN, WAN, Site
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from vrrp.facts import Family

FAR = "198.51.100.2"
CLIENT = "10.0.0.10"
REAL = "10.0.0.252"
NOBODY = "10.0.0.77"
OTHER_MAC = "00:00:5e:00:01:0b"
IPV4 = Family.IPV4


def answering_macs(wire: Wire, address: str) -> List[str]:
    """Who says that the address is at which MAC."""
    return [answer[ARP].hwsrc for answer in wire.ask_arp(address)]


@pytest.mark.rfc("D1", positive=True)
def test_D1_a_backup_answers_no_request_for_the_virtual_address(host: Host, wire: Wire) -> None:
    host.apply(host.backup(IPV4))
    assert wire.ask_arp(VIP4) == []
    assert wire.ask_arp(VIP4, sender="0.0.0.0") == []


@pytest.mark.rfc("D1", positive=False)
def test_D1_it_answers_for_its_own_address(host: Host, wire: Wire) -> None:
    host.apply(host.backup(IPV4))
    assert answering_macs(wire, REAL) == [wire.router_mac]


@pytest.mark.rfc("D2", positive=True)
def test_D2_a_backup_neither_takes_nor_forwards_frames_to_the_virtual_mac(
    host: Host, wire: Wire
) -> None:
    host.apply(host.backup(IPV4))
    for target in (VIP4, REAL, FAR):
        assert wire.ask_echo(echo(wire, MAC4, CLIENT, target)) == []


@pytest.mark.rfc("D2", positive=False)
def test_D2_frames_to_its_own_mac_it_does(host: Host, wire: Wire) -> None:
    host.apply(host.backup(IPV4))
    for target in (REAL, FAR):
        assert len(wire.ask_echo(echo(wire, wire.router_mac, CLIENT, target))) == 1


@pytest.mark.rfc("D3", positive=True)
def test_D3_a_backup_accepts_nothing_for_the_virtual_address(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV4))
    host.apply(host.backup(IPV4))
    for mac in (MAC4, wire.router_mac):
        assert wire.ask_echo(echo(wire, mac, CLIENT, VIP4)) == []


@pytest.mark.rfc("D3", positive=False)
def test_D3_a_master_accepts_it_by_its_virtual_mac(host: Host, wire: Wire) -> None:
    host.apply(host.backup(IPV4))
    host.apply(host.master(IPV4))
    assert len(wire.ask_echo(echo(wire, MAC4, CLIENT, VIP4))) == 1


@pytest.mark.rfc("D4", positive=True)
def test_D4_a_master_answers_with_the_virtual_mac(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV4))
    (answer,) = wire.ask_arp(VIP4)
    assert (answer[Ether].src, answer[ARP].hwsrc) == (MAC4, MAC4)
    assert (answer[ARP].pdst, answer[ARP].hwdst) == (CLIENT, wire.mac)


@pytest.mark.rfc("D4", positive=False)
def test_D4_for_no_address_that_is_not_virtual(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV4))
    assert MAC4 not in answering_macs(wire, REAL)
    assert wire.ask_arp(NOBODY) == []
    assert wire.ask_arp("198.51.100.1") == []


@pytest.mark.rfc("D5", positive=True)
def test_D5_a_master_never_answers_with_the_physical_mac(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV4))
    for sender in (CLIENT, "0.0.0.0", NOBODY):
        for answer in wire.ask_arp(VIP4, sender=sender):
            assert wire.router_mac not in (answer[Ether].src, answer[ARP].hwsrc)


@pytest.mark.rfc("D5", "D16", positive=False)
def test_D5_its_real_address_keeps_it(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV4))
    (answer,) = wire.ask_arp(REAL)
    assert (answer[Ether].src, answer[ARP].hwsrc) == (wire.router_mac, wire.router_mac)


@pytest.mark.rfc("D6", positive=True)
def test_D6_a_master_forwards_what_is_sent_to_the_virtual_mac(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV4))
    assert len(wire.ask_echo(echo(wire, MAC4, CLIENT, FAR))) == 1


@pytest.mark.rfc("D6", positive=False)
def test_D6_not_what_is_sent_to_that_of_another_group(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV4))
    assert wire.ask_echo(echo(wire, OTHER_MAC, CLIENT, FAR)) == []


@pytest.mark.rfc("D8", positive=True)
@pytest.mark.kernel("nftables")
def test_D8_without_accept_mode_nothing_is_accepted(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV4, refused=True))
    for mac in (MAC4, wire.router_mac):
        assert wire.ask_echo(echo(wire, mac, CLIENT, VIP4)) == []


@pytest.mark.rfc("D8", positive=False)
@pytest.mark.kernel("nftables")
def test_D8_forwarding_and_arp_go_on(host: Host, wire: Wire) -> None:
    host.apply(host.master(IPV4, refused=True))
    assert len(wire.ask_echo(echo(wire, MAC4, CLIENT, FAR))) == 1
    assert answering_macs(wire, VIP4) == [MAC4]


@pytest.mark.rfc("D13", positive=True)
def test_D13_proxy_arp_answers_with_the_virtual_mac(host: Host, site: Site, wire: Wire) -> None:
    host.apply(host.master(IPV4))
    site.router.sysctl("net/ipv4/conf/vg-lan-ipv4/proxy_arp", "1")
    site.router.sysctl("net/ipv4/neigh/vg-lan-ipv4/proxy_delay", "0")
    assert answering_macs(wire, FAR) == [MAC4]


@pytest.mark.rfc("D13", positive=False)
def test_D13_nobody_proxies_unasked_and_no_backup_does(host: Host, site: Site, wire: Wire) -> None:
    host.apply(host.master(IPV4))
    assert answering_macs(wire, FAR) == []
    host.apply(host.backup(IPV4))
    site.router.sysctl("net/ipv4/conf/vg-lan-ipv4/proxy_arp", "1")
    site.router.sysctl("net/ipv4/neigh/vg-lan-ipv4/proxy_delay", "0")
    assert answering_macs(wire, FAR) == []


def redirects(wire: Wire, to_mac: str) -> List[Packet]:
    """What comes back when a packet for a neighbour is sent through the router."""
    wire.forget()
    wire.ask_echo(echo(wire, to_mac, CLIENT, NOBODY))
    return [frame for frame in wire.frames_now() if ICMP in frame and frame[ICMP].type == 5]


@pytest.mark.rfc("D14", positive=True)
def test_D14_what_is_sent_to_the_virtual_mac_is_not_redirected(
    host: Host, site: Site, wire: Wire
) -> None:
    site.router.ip("neigh", "add", NOBODY, "lladdr", wire.mac, "dev", LAN)
    host.apply(host.master(IPV4))
    assert redirects(wire, MAC4) == []
    forwarded = [frame for frame in wire.frames_now() if ICMP in frame and frame[IP].dst == NOBODY]
    assert len(forwarded) == 1, "it is delivered all the same"


@pytest.mark.rfc("D14", positive=False)
def test_D14_a_redirect_for_the_real_router_comes_from_its_real_address(
    host: Host, site: Site, wire: Wire
) -> None:
    site.router.ip("neigh", "add", NOBODY, "lladdr", wire.mac, "dev", LAN)
    host.apply(host.master(IPV4))
    assert [frame[IP].src for frame in redirects(wire, wire.router_mac)] == [REAL]


@pytest.mark.rfc("D15", positive=True)
@pytest.mark.kernel("nftables")
def test_D15_nothing_for_the_virtual_address_is_forwarded(
    host: Host, site: Site, wire: Wire
) -> None:
    host.apply(host.master(IPV4, refused=True))
    far = Wire(site.far, "eth0")
    mac = site.router.mac(WAN)
    for target in (VIP4, CLIENT):
        ethernet = Ether(dst=mac, src=far.mac)
        far.send(ethernet / IP(src=FAR, dst=target, ttl=9) / ICMP(id=7, seq=1))
    wire.wait_for(lambda frame: IP in frame and frame[IP].dst == CLIENT, "the packet behind it")
    assert not [frame for frame in wire.frames_now() if IP in frame and frame[IP].dst == VIP4]
    far.close()


def advertisement() -> Packet:
    """As a peer sends it, of another group: the switch shall not look for ours at the client."""
    header = IP(src="10.0.0.253", dst="224.0.0.18", ttl=255, proto=112)
    return Ether(dst="01:00:5e:00:00:12", src=OTHER_MAC) / header / Raw(b"advert")


@pytest.mark.rfc("T25", positive=True)
def test_T25_adverts_are_not_forwarded_whatever_their_ttl(
    host: Host, site: Site, wire: Wire
) -> None:
    host.apply(host.master(IPV4))
    far = Wire(site.far, "eth0")
    for mac in ("01:00:5e:00:00:12", MAC4, wire.router_mac):
        frame = advertisement()
        frame[Ether].dst = mac
        wire.send(frame)
    wire.ask_echo(echo(wire, MAC4, CLIENT, FAR))
    far.wait_for(lambda frame: ICMP in frame, "the packet behind them")
    assert not [frame for frame in far.frames_now() if IP in frame and frame[IP].proto == 112]
    far.close()


@pytest.mark.rfc("T25", positive=False)
def test_T25_the_same_protocol_to_a_host_is(host: Host, site: Site, wire: Wire) -> None:
    host.apply(host.master(IPV4))
    far = Wire(site.far, "eth0")
    frame = advertisement()
    frame[Ether].dst, frame[IP].dst, frame[IP].src = MAC4, FAR, CLIENT
    wire.send(frame)
    far.wait_for(lambda found: IP in found and found[IP].proto == 112, "forwarded packet")
    far.close()
