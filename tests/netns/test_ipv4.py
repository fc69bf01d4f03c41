# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPv4 as the LAN sees it: who answers, accepts and forwards in which state (RFC 9568 6.4)."""

from __future__ import annotations

import pytest
from frames import Wire, echo
from hosts import MAC4, VIP4, Host
from namespaces import LAN, Site
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP
from scapy.packet import Packet

from vrrp.facts import Family

FAR = "198.51.100.2"
CLIENT = "10.0.0.10"
REAL = "10.0.0.252"
# The kernel reports groups and looks for routers within a second of raising a device.
LATE_TALK_S = 1.3


def assert_silent(wire: Wire) -> None:
    """Nothing that is sent to the virtual router has an effect (RFC 9568 section 6.4.2)."""
    assert wire.ask_arp(VIP4) == []
    assert wire.ask_arp(VIP4, sender="0.0.0.0") == []
    for to_mac in (MAC4, wire.router_mac):
        assert wire.ask_echo(echo(wire, to_mac, CLIENT, VIP4)) == []
    assert wire.ask_echo(echo(wire, MAC4, CLIENT, FAR)) == []
    assert wire.ask_echo(echo(wire, MAC4, CLIENT, REAL)) == []


def assert_serving(wire: Wire) -> None:
    """The virtual router answers with the virtual MAC only, accepts and forwards (6.4.3)."""
    answers = wire.ask_arp(VIP4)
    assert [(answer.src, answer[ARP].hwsrc) for answer in answers] == [(MAC4, MAC4)]
    assert len(wire.ask_echo(echo(wire, MAC4, CLIENT, VIP4))) == 1
    assert len(wire.ask_echo(echo(wire, MAC4, CLIENT, FAR))) == 1


@pytest.mark.parametrize("rp_filter", ["0", "1", "2"])
def test_only_the_master_serves(host: Host, site: Site, wire: Wire, rp_filter: str) -> None:
    for name in ("all", "default", LAN):
        site.router.sysctl("net/ipv4/conf/%s/rp_filter" % name, rp_filter)
    host.apply(host.backup(Family.IPV4))
    assert_silent(wire)
    host.apply(host.master(Family.IPV4))
    assert_serving(wire)
    host.apply(host.backup(Family.IPV4))
    assert_silent(wire)


def test_a_backup_sends_nothing_from_the_virtual_mac(host: Host, wire: Wire) -> None:
    host.apply(host.backup(Family.IPV4))
    wire.listen(LATE_TALK_S)
    assert wire.from_mac(MAC4) == []
    host.apply(host.master(Family.IPV4))
    wire.listen(LATE_TALK_S)
    assert wire.ask_arp(VIP4) and wire.from_mac(MAC4)
    wire.forget()
    host.apply(host.backup(Family.IPV4))
    wire.listen(LATE_TALK_S)
    assert wire.from_mac(MAC4) == []


def test_real_addresses_are_answered_for_once_with_their_own_mac(host: Host, wire: Wire) -> None:
    for desired in (host.backup(Family.IPV4), host.master(Family.IPV4)):
        host.apply(desired)
        answers = wire.ask_arp(REAL)
        assert [answer[ARP].hwsrc for answer in answers] == [wire.router_mac]
        # An address of another link of the router is no business of this LAN.
        assert wire.ask_arp("198.51.100.1") == []


def test_two_masters_on_one_lan_do_not_answer_for_each_other(host: Host, wire: Wire) -> None:
    other = "00:00:5e:00:01:14"
    host.apply(
        host.desired(
            host.device(Family.IPV4, [VIP4]),
            host.device(Family.IPV4, ["10.0.0.253"], name="second", mac=other),
        )
    )
    assert [answer[ARP].hwsrc for answer in wire.ask_arp(VIP4)] == [MAC4]
    assert [answer[ARP].hwsrc for answer in wire.ask_arp("10.0.0.253")] == [other]


def test_a_neighbour_keeps_the_virtual_mac_when_the_router_speaks(
    host: Host, site: Site, wire: Wire
) -> None:
    host.apply(host.master(Family.IPV4))
    site.client.run("ping", "-c1", "-W2", VIP4)
    assert MAC4 in site.client.ip("neigh", "show", VIP4)
    # Now the router itself asks for the client, and answers to the client from the VIP.
    site.router.ip("neigh", "del", CLIENT, "dev", LAN)
    site.router.run("ping", "-c1", "-W2", CLIENT)
    site.router.ip("neigh", "del", CLIENT, "dev", LAN)
    site.router.run("ping", "-c1", "-W2", "-I", VIP4, CLIENT)
    site.client.run("ping", "-c1", "-W2", VIP4)
    assert MAC4 in site.client.ip("neigh", "show", VIP4)
    questions = [frame for frame in wire.frames_now() if ARP in frame and frame[ARP].op == 1]
    assert {frame[ARP].psrc for frame in questions if frame.src == wire.router_mac} == {REAL}


def test_errors_come_from_the_real_address(host: Host, wire: Wire) -> None:
    """Traceroute shows which router stands behind the gateway."""
    host.apply(host.master(Family.IPV4))
    wire.send(echo(wire, MAC4, CLIENT, FAR, hops=1))
    error = wire.wait_for(_is_time_exceeded, "time exceeded")
    assert error[IP].src == REAL


def _is_time_exceeded(frame: Packet) -> bool:
    return ICMP in frame and frame[ICMP].type == 11


@pytest.mark.kernel("nftables")
def test_accept_mode_off(host: Host, site: Site, wire: Wire) -> None:
    """RFC 9568 section 6.4.3: ARP is answered, packets are forwarded, none is accepted."""
    host.apply(host.master(Family.IPV4, refused=True))
    assert [answer[ARP].hwsrc for answer in wire.ask_arp(VIP4)] == [MAC4]
    assert len(wire.ask_echo(echo(wire, MAC4, CLIENT, FAR))) == 1
    assert wire.ask_echo(echo(wire, MAC4, CLIENT, VIP4)) == []
    assert wire.ask_echo(echo(wire, wire.router_mac, CLIENT, VIP4)) == []
    host.apply(host.master(Family.IPV4, refused=False))
    assert len(wire.ask_echo(echo(wire, MAC4, CLIENT, VIP4))) == 1


@pytest.mark.parametrize(
    "with_arp_filter", [pytest.param(True, marks=pytest.mark.kernel("nftables")), False]
)
def test_an_owner_answers_with_the_virtual_mac_only(
    host: Host, site: Site, wire: Wire, with_arp_filter: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9568 section 8.1.2: the virtual address is a real one, too."""
    if not with_arp_filter:
        monkeypatch.setattr("vrrp.linux.nftables.can_filter_arp", lambda: False)
    site.router.ip("addr", "add", "10.0.0.251/24", "dev", LAN)
    assert [a[ARP].hwsrc for a in wire.ask_arp(REAL)] == [wire.router_mac]
    owning = host.desired(host.device(Family.IPV4, [REAL]), owner=True)
    host.apply(owning)
    assert not host.reconcile()
    assert [(a.src, a[ARP].hwsrc) for a in wire.ask_arp(REAL)] == [(MAC4, MAC4)]
    # Another real address stays reachable; with the filter, by its own MAC.
    expected = wire.router_mac if with_arp_filter else MAC4
    assert [a[ARP].hwsrc for a in wire.ask_arp("10.0.0.251")] == [expected]
    assert len(wire.ask_echo(echo(wire, MAC4, CLIENT, REAL))) == 1
    assert len(wire.ask_echo(echo(wire, MAC4, CLIENT, FAR))) == 1
    if with_arp_filter:
        _assert_questions_name_no_sender(site, wire)
    host.cleanup()
    assert [a[ARP].hwsrc for a in wire.ask_arp(REAL)] == [wire.router_mac]


def _assert_questions_name_no_sender(site: Site, wire: Wire) -> None:
    wire.forget()
    site.router.ip("neigh", "del", CLIENT, "dev", LAN)
    site.router.run("ping", "-c1", "-W2", CLIENT)
    questions = [frame for frame in wire.frames_now() if ARP in frame and frame[ARP].op == 1]
    assert {(frame[ARP].psrc, frame[ARP].hwsrc) for frame in questions} == {
        ("0.0.0.0", wire.router_mac)
    }
