# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A data plane that begins on what an earlier process left: what is right is not touched."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Iterator, List

import pytest
from frames import Wire, echo
from hosts import LINK_LOCAL_VIP, MAC4, VIP4, VIP6, Host, held
from namespaces import LAN, WAN, Site

from vrrp.facts import Family
from vrrp.linux import rtnl
from vrrp.linux.links import RTM_DELADDR, RTM_DELLINK, read_address
from vrrp.linux.netlink import Message, NetlinkSocket
from vrrp.router.desired import DesiredDataplane, ParentSettings

_ROUTE_NETLINK = 0
# RTNLGRP of links, IPv4 and IPv6 addresses and routes.
_GROUPS = (1, 5, 9, 7, 11)
_RTM_DELROUTE = 25
_DELETIONS = (RTM_DELLINK, RTM_DELADDR, _RTM_DELROUTE)
_CALM_S = 0.5

ACCEPT_OFF = pytest.mark.parametrize(
    "refused", [(), pytest.param((VIP4, VIP6), marks=pytest.mark.kernel("nftables"))]
)


class Monitor:
    """What `ip monitor` would tell of the router."""

    def __init__(self, site: Site) -> None:
        with site.router.inside():
            self._socket = NetlinkSocket(_ROUTE_NETLINK, _GROUPS)

    def events(self) -> List[Message]:
        """All since it was last asked."""
        found, lost = self._socket.events()
        assert not lost
        return found

    def calm(self) -> None:
        """Until the kernel has told all: of a new link it tells more by a queue, a moment later."""
        quiet_since_s = time.monotonic()
        while time.monotonic() < quiet_since_s + _CALM_S:
            if self.events():
                quiet_since_s = time.monotonic()
            time.sleep(0.02)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture
def monitor(site: Site) -> Iterator[Monitor]:
    made = Monitor(site)
    yield made
    made.close()


def test_our_devices_are_found_without_reading_all_links(host: Host, site: Site) -> None:
    host.apply(masters(host))
    site.router.ip("link", "add", "foreign", "link", LAN, "type", "macvlan")
    with site.router.inside():
        socket = NetlinkSocket(_ROUTE_NETLINK)
        everything = rtnl.read_table(socket)
        found = rtnl.read_our_links(socket)
        without_addresses = rtnl.read_our_links(socket, with_addresses=False)
        socket.close()
    assert len(found.ours()) == 2
    assert found.ours() == everything.ours() == without_addresses.ours()
    assert {link.kind for link in found.links.values()} == {"macvlan"}
    for link in found.ours():
        assert found.addresses_of(link.ifindex) == everything.addresses_of(link.ifindex) != ()
        assert without_addresses.addresses_of(link.ifindex) == ()


def masters(host: Host, lease_s: int = 0) -> DesiredDataplane:
    """An IPv4 and an IPv6 master."""
    devices = (
        host.device(Family.IPV4, [VIP4]),
        host.device(Family.IPV6, [LINK_LOCAL_VIP, VIP6]),
    )
    return host.desired(*(replace(device, lease_s=lease_s) for device in devices))


@ACCEPT_OFF
@pytest.mark.parametrize("lease_s", [0, 60])
def test_what_is_as_desired_is_not_touched_at_all(
    host: Host, monitor: Monitor, refused: List[str], lease_s: int
) -> None:
    packed = tuple(sorted(held(address).address for address in refused))
    desired = replace(masters(host, lease_s), refused=packed)
    host.apply(desired)
    host.restart()
    monitor.calm()
    host.apply(desired)
    assert monitor.events() == []
    assert host.reconcile() == ()
    assert monitor.events() == []


@ACCEPT_OFF
def test_a_process_that_died_after_shortening_its_leases_is_adopted(
    host: Host, monitor: Monitor, refused: List[str]
) -> None:
    """Its addresses are given their lease again, and are there all the time."""
    packed = tuple(sorted(held(address).address for address in refused))
    desired = replace(masters(host), refused=packed)
    host.apply(desired)
    with host.namespace.inside():
        host.dataplane.expire(30)
    host.restart()
    monitor.calm()
    host.apply(desired)
    assert [event for event in monitor.events() if event.kind in _DELETIONS] == []
    assert host.reconcile() == ()


def test_only_what_differs_is_put_right(host: Host, site: Site, monitor: Monitor) -> None:
    """One master is adopted, one is not, one has another name; the rest is damaged or unknown."""
    kept = host.device(Family.IPV4, [VIP4])
    left = host.device(Family.IPV6, [LINK_LOCAL_VIP, VIP6])
    named = host.device(Family.IPV4, ["10.0.0.253"], name="old", mac="00:00:5e:00:01:14")
    gone = host.device(Family.IPV4, ["10.0.0.251"], name="gone", mac="00:00:5e:00:01:15")
    elsewhere = host.device(
        Family.IPV4, ["198.51.100.254"], name="wan", mac="00:00:5e:00:01:16", parent=WAN
    )
    first = host.desired(kept, left, named, gone, elsewhere)
    parents = (*first.parents, ParentSettings(elsewhere.parent_ifindex, WAN, False))
    host.apply(replace(first, parents=parents))
    assert site.router.read_sysctl("net/ipv4/conf/%s/arp_ignore" % WAN) == "1"
    host.restart()
    site.router.batch("addr add 10.0.0.77/32 dev vg-lan-ipv4", "link set vg-lan-ipv4 alias damaged")
    monitor.events()

    backup = replace(left, is_master=False, addresses=())
    renamed = replace(named, name="vg-new", alias="new", lease_s=60)
    fresh = host.device(Family.IPV4, ["10.0.0.250"], name="fresh", mac="00:00:5e:00:01:17")
    host.apply(host.desired(kept, backup, renamed, fresh))

    deleted = {
        address.value
        for event in monitor.events()
        if event.kind == RTM_DELADDR
        for address in [read_address(event.body)]
        if address is not None
    }
    assert held(VIP4) not in deleted and held("10.0.0.253") not in deleted
    assert {held("10.0.0.77"), held(VIP6), held("10.0.0.251")} <= deleted
    with host.namespace.inside():
        found = {device.name: device.addresses for device in host.dataplane.held()}
    assert found == {
        "vg-lan-ipv4": (held(VIP4),),
        "vg-lan-ipv6": (),
        "vg-new": (held("10.0.0.253"),),
        "vg-fresh": (held("10.0.0.250"),),
    }
    assert "alias vlangate:lan-ipv4" in site.router.ip("link", "show", "dev", "vg-lan-ipv4")
    # The sysctls of the interface that nobody needs any more are the operator's again.
    assert site.router.read_sysctl("net/ipv4/conf/%s/arp_ignore" % WAN) == "0"
    assert site.router.read_sysctl("net/ipv4/conf/%s/arp_ignore" % LAN) == "1"
    assert host.reconcile() == ()


@pytest.mark.kernel("nftables")
def test_a_filter_that_nobody_wants_any_more_goes(host: Host, wire: Wire, tmp_path: Path) -> None:
    master = host.master(Family.IPV4, refused=True)
    host.apply(master)
    assert wire.ask_echo(echo(wire, MAC4, "10.0.0.10", VIP4)) == []
    host.restart()
    host.apply(replace(master, refused=()))
    assert len(wire.ask_echo(echo(wire, MAC4, "10.0.0.10", VIP4))) == 1
    host.apply(DesiredDataplane())
    assert list(tmp_path.iterdir()) == []
