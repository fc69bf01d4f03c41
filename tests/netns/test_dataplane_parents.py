# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of interfaces that carry virtual routers: ports of VRFs and of bridges."""

from __future__ import annotations

import pytest
from frames import Wire, echo
from hosts import LINK_LOCAL_VIP, MAC4, MAC6, VIP4, VIP6, Host
from namespaces import LAN, WAN, Site

from vrrp.errors import PlatformError
from vrrp.facts import Family, Repair
from vrrp.router.desired import DesiredDataplane

VRF, TABLE = "blue", "100"
CLIENT, CLIENT6 = "10.0.0.10", "2001:db8:a::10"
FAR, FAR6 = "198.51.100.2", "2001:db8:f::2"
JOINED = "the device was not in the VRF of its interface"
WITH_VRF = pytest.mark.kernel("vrf")


def masters(host: Host) -> DesiredDataplane:
    """An IPv4 and an IPv6 master."""
    return host.desired(
        host.device(Family.IPV4, [VIP4]), host.device(Family.IPV6, [LINK_LOCAL_VIP, VIP6])
    )


def enslave(site: Site, master: str) -> None:
    """Put the router's links and the sentinel into a VRF ("nomaster": out of it); IPv6 addresses,
    which the kernel drops at that, are there again."""
    site.router.batch(
        *("link set %s %s" % (name, master) for name in (LAN, WAN, "sentinel")),
        "addr add 2001:db8:a::252/64 dev %s nodad" % LAN,
        "addr add fe80::252/64 dev %s nodad" % LAN,
        "addr add 2001:db8:f::1/64 dev %s nodad" % WAN,
        "addr add fe80::1/64 dev %s nodad" % WAN,
    )


def add_vrf(site: Site) -> None:
    """A VRF without ports."""
    site.router.batch("link add %s type vrf table %s" % (VRF, TABLE), "link set %s up" % VRF)


def local_routes(site: Site, *table: str) -> str:
    """The addresses that are taken for the router's own in a routing table."""
    return site.router.ip("route", "show", *table, "type", "local") + site.router.ip(
        "-6", "route", "show", *table, "type", "local"
    )


def assert_serving(wire: Wire) -> None:
    """Both virtual routers answer from the virtual MAC, accept and forward."""
    assert [frame.src for frame in wire.ask_arp(VIP4)] == [MAC4]
    assert [frame.src for frame in wire.ask_neighbour(VIP6)] == [MAC6]
    for target in (VIP4, FAR):
        assert len(wire.ask_echo(echo(wire, MAC4, CLIENT, target))) == 1
    for target in (VIP6, FAR6):
        assert len(wire.ask_echo(echo(wire, MAC6, CLIENT6, target))) == 1


def assert_silent(wire: Wire) -> None:
    """Neither answers, accepts or forwards."""
    assert wire.ask_arp(VIP4) == [] and wire.ask_neighbour(VIP6) == []
    for target in (VIP4, FAR):
        assert wire.ask_echo(echo(wire, MAC4, CLIENT, target)) == []
    for target in (VIP6, FAR6):
        assert wire.ask_echo(echo(wire, MAC6, CLIENT6, target)) == []


@WITH_VRF
def test_an_interface_in_a_vrf(host: Host, site: Site, wire: Wire) -> None:
    add_vrf(site)
    enslave(site, "master " + VRF)
    host.apply(masters(host))
    assert_serving(wire)
    found = local_routes(site, "table", TABLE)
    assert VIP4 in found and VIP6 in found
    assert VIP4 not in local_routes(site, "table", "local")
    assert host.reconcile() == ()
    host.apply(host.desired(host.device(Family.IPV4), host.device(Family.IPV6)))
    assert_silent(wire)


@WITH_VRF
def test_devices_follow_their_interface(host: Host, site: Site, wire: Wire) -> None:
    add_vrf(site)
    host.apply(masters(host))
    assert_serving(wire)
    for master, table in (("master " + VRF, TABLE), ("nomaster", "local")):
        enslave(site, master)
        assert host.reconcile() == (Repair("vg-lan-ipv4", JOINED), Repair("vg-lan-ipv6", JOINED))
        host.apply(masters(host))
        assert_serving(wire)
        found = local_routes(site, "table", table)
        assert VIP4 in found and VIP6 in found
        assert host.reconcile() == ()


@WITH_VRF
def test_backups_stay_silent_in_a_vrf(host: Host, site: Site, wire: Wire) -> None:
    add_vrf(site)
    host.apply(host.desired(host.device(Family.IPV4), host.device(Family.IPV6)))
    enslave(site, "master " + VRF)
    assert host.reconcile()
    assert_silent(wire)
    host.apply(masters(host))
    assert_serving(wire)


def test_a_bridge_port_is_refused_with_the_remedy(host: Host, site: Site) -> None:
    site.router.ip("link", "del", "sentinel")
    site.router.batch("link add br0 type bridge", "link set %s master br0" % LAN)
    with pytest.raises(PlatformError) as caught:
        host.apply(masters(host))
    assert caught.value.target == "vg-lan-ipv4"
    assert "is a port of a bridge" in str(caught.value)
    assert "use the bridge itself" in str(caught.value)
    site.router.ip("link", "set", LAN, "nomaster")
    host.apply(masters(host))
    assert VIP4 in site.router.ip("addr", "show", "dev", "vg-lan-ipv4")


def test_an_interface_with_virtual_routers_cannot_become_a_bridge_port(
    host: Host, site: Site
) -> None:
    """The kernel keeps it from happening."""
    host.apply(masters(host))
    site.router.ip("link", "add", "br0", "type", "bridge")
    with pytest.raises(AssertionError, match="busy"):
        site.router.ip("link", "set", LAN, "master", "br0")


def test_a_link_of_somebody_else_with_our_name_is_left_alone(host: Host, site: Site) -> None:
    site.router.ip("link", "add", "vg-lan-ipv4", "type", "bridge")
    before = site.router.ip("-d", "link", "show", "dev", "vg-lan-ipv4")
    with pytest.raises(PlatformError) as caught:
        host.apply(masters(host))
    assert caught.value.target == "vg-lan-ipv4"
    assert "another link has that name" in str(caught.value)
    assert site.router.ip("-d", "link", "show", "dev", "vg-lan-ipv4") == before
    assert site.router.read_sysctl("net/ipv4/conf/vg-lan-ipv4/rp_filter") == "0"
    assert VIP6 in site.router.ip("addr", "show", "dev", "vg-lan-ipv6")
