# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPv6 as the LAN sees it: who answers, accepts and forwards in which state (RFC 9568 6.4)."""

from __future__ import annotations

import pytest
from frames import Wire, echo
from hosts import LINK_LOCAL_VIP, MAC6, VIP6, Host
from namespaces import LAN, WAN, Site
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, ICMPv6TimeExceeded, IPv6

from vrrp.facts import Family

FAR = "2001:db8:f::2"
CLIENT = "2001:db8:a::10"
CLIENT_LINK_LOCAL = "fe80::10"
REAL = "2001:db8:a::252"
# The kernel reports groups, probes addresses and looks for routers within about a second.
LATE_TALK_S = 1.3


def assert_silent(wire: Wire) -> None:
    """Nothing that is sent to the virtual router has an effect (RFC 9568 section 6.4.2)."""
    assert wire.ask_neighbour(VIP6) == []
    assert wire.ask_neighbour(LINK_LOCAL_VIP, sender=CLIENT_LINK_LOCAL) == []
    for to_mac in (MAC6, wire.router_mac):
        assert wire.ask_echo(echo(wire, to_mac, CLIENT, VIP6)) == []
        assert wire.ask_echo(echo(wire, to_mac, CLIENT_LINK_LOCAL, LINK_LOCAL_VIP)) == []
    assert wire.ask_echo(echo(wire, MAC6, CLIENT, FAR)) == []
    assert wire.ask_echo(echo(wire, MAC6, CLIENT, REAL)) == []


def assert_answers_neighbours(wire: Wire) -> None:
    """RFC 9568 section 6.4.3: from the virtual MAC only, with the router flag."""
    for target, sender in ((VIP6, CLIENT), (LINK_LOCAL_VIP, CLIENT_LINK_LOCAL)):
        answers = wire.ask_neighbour(target, sender)
        assert [answer.src for answer in answers] == [MAC6]
        assert answers[0][ICMPv6NDOptDstLLAddr].lladdr == MAC6
        assert answers[0][ICMPv6ND_NA].R == 1


def assert_serving(wire: Wire) -> None:
    """The virtual router answers with the virtual MAC only, accepts and forwards (6.4.3)."""
    assert_answers_neighbours(wire)
    assert len(wire.ask_echo(echo(wire, MAC6, CLIENT, VIP6))) == 1
    assert len(wire.ask_echo(echo(wire, MAC6, CLIENT_LINK_LOCAL, LINK_LOCAL_VIP))) == 1
    assert len(wire.ask_echo(echo(wire, MAC6, CLIENT, FAR))) == 1


def test_only_the_master_serves(host: Host, wire: Wire) -> None:
    host.apply(host.backup(Family.IPV6))
    assert_silent(wire)
    host.apply(host.master(Family.IPV6))
    assert_serving(wire)
    host.apply(host.backup(Family.IPV6))
    assert_silent(wire)


def test_a_backup_sends_nothing_from_the_virtual_mac(host: Host, wire: Wire) -> None:
    """No MLD, no probe for duplicates, no router solicitation, also not on leaving."""
    host.apply(host.backup(Family.IPV6))
    wire.listen(LATE_TALK_S)
    assert wire.from_mac(MAC6) == []
    host.apply(host.master(Family.IPV6))
    wire.listen(LATE_TALK_S)
    assert wire.ask_neighbour(VIP6) and wire.from_mac(MAC6)
    wire.forget()
    host.apply(host.backup(Family.IPV6))
    wire.listen(LATE_TALK_S)
    assert wire.from_mac(MAC6) == []


def test_the_kernel_makes_no_address_of_its_own(host: Host, site: Site) -> None:
    """RFC 9568 section 7.4: nothing is derived from the virtual MAC."""
    host.apply(host.master(Family.IPV6))
    shown = site.router.ip("-6", "-o", "addr", "show", "dev", "vg-lan-ipv6")
    assert sorted(line.split()[3] for line in shown.splitlines()) == [
        VIP6 + "/128",
        LINK_LOCAL_VIP + "/64",
    ]
    assert "tentative" not in shown


def test_the_router_does_not_speak_from_the_virtual_address(host: Host, site: Site) -> None:
    host.apply(host.master(Family.IPV6))
    for target in (CLIENT, FAR):
        route = site.router.ip("-6", "route", "get", target)
        assert VIP6 not in route
        site.router.run("ping", "-6", "-c1", "-W2", target)


def test_real_addresses_are_answered_for_once_with_their_own_mac(host: Host, wire: Wire) -> None:
    for desired in (host.backup(Family.IPV6), host.master(Family.IPV6)):
        host.apply(desired)
        answers = wire.ask_neighbour(REAL)
        assert [answer[ICMPv6NDOptDstLLAddr].lladdr for answer in answers] == [wire.router_mac]


def test_a_neighbour_keeps_the_virtual_mac_when_the_router_speaks(host: Host, site: Site) -> None:
    host.apply(host.master(Family.IPV6))
    site.client.run("ping", "-6", "-c1", "-W2", VIP6)
    site.router.run("ping", "-6", "-c1", "-W2", CLIENT)
    site.router.ip("neigh", "flush", "dev", LAN)
    site.router.run("ping", "-6", "-c1", "-W2", CLIENT)
    assert MAC6 in site.client.ip("-6", "neigh", "show", VIP6)


def test_errors_come_from_the_real_address(host: Host, wire: Wire) -> None:
    """Traceroute shows which router stands behind the gateway."""
    host.apply(host.master(Family.IPV6))
    wire.send(echo(wire, MAC6, CLIENT, FAR, hops=1))
    error = wire.wait_for(lambda frame: ICMPv6TimeExceeded in frame, "time exceeded")
    assert error[IPv6].src == REAL


@pytest.mark.kernel("nftables")
def test_accept_mode_off(host: Host, wire: Wire) -> None:
    """RFC 9568 section 6.1: neighbour discovery goes on, packets are forwarded, none accepted."""
    host.apply(host.master(Family.IPV6, refused=True))
    assert_answers_neighbours(wire)
    # Whoever has the address in its cache asks it directly whether it is still there.
    assert len(wire.ask_neighbour(VIP6, CLIENT, directly_at=MAC6)) == 1
    assert len(wire.ask_echo(echo(wire, MAC6, CLIENT, FAR))) == 1
    assert wire.ask_echo(echo(wire, MAC6, CLIENT, VIP6)) == []
    assert wire.ask_echo(echo(wire, MAC6, CLIENT_LINK_LOCAL, LINK_LOCAL_VIP)) == []
    host.apply(host.master(Family.IPV6, refused=False))
    assert len(wire.ask_echo(echo(wire, MAC6, CLIENT, VIP6))) == 1


@pytest.mark.kernel("nftables")
def test_a_refused_link_local_address_may_be_real_elsewhere(
    host: Host, site: Site, wire: Wire
) -> None:
    site.router.ip("addr", "add", LINK_LOCAL_VIP + "/64", "dev", WAN, "nodad")
    host.apply(host.master(Family.IPV6, refused=True))
    site.far.run("ping", "-6", "-c1", "-W2", LINK_LOCAL_VIP + "%eth0")
    assert wire.ask_echo(echo(wire, MAC6, CLIENT_LINK_LOCAL, LINK_LOCAL_VIP)) == []


@pytest.mark.kernel("nftables")
def test_an_owner_answers_with_the_virtual_mac_only(host: Host, wire: Wire) -> None:
    """RFC 9568 section 8.2.2: the virtual address is a real one, too."""
    assert len(wire.ask_neighbour(REAL)) == 1
    host.apply(host.desired(host.device(Family.IPV6, [LINK_LOCAL_VIP, REAL]), owner=True))
    assert not host.reconcile()
    answers = wire.ask_neighbour(REAL)
    assert [answer[ICMPv6NDOptDstLLAddr].lladdr for answer in answers] == [MAC6]
    other = wire.ask_neighbour("fe80::252", sender=CLIENT_LINK_LOCAL)
    assert [answer[ICMPv6NDOptDstLLAddr].lladdr for answer in other] == [wire.router_mac]
    assert len(wire.ask_echo(echo(wire, MAC6, CLIENT, REAL))) == 1
    host.cleanup()
    assert len(wire.ask_neighbour(REAL)) == 1
    assert wire.from_mac(MAC6)
