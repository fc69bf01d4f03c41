# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses with an end: the kernel takes them from a daemon that is dead or stopped."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from dataclasses import replace
from typing import Dict, List, Optional, Tuple

import pytest
from hosts import LINK_LOCAL_VIP, MAC4, MAC6, VIP4, VIP6, Host, held
from namespaces import LAN, WAN, Site

from vrrp.facts import Family, HeldDevice, Repair
from vrrp.linux import routes
from vrrp.linux.netlink import NetlinkSocket
from vrrp.router.desired import DesiredDataplane

DEVICES = ("vg-lan-ipv4", "vg-lan-ipv6")
FOREVER = 2**32 - 1
# The kernel looks for what has run out by a timer of its own: later by so much at most.
KERNEL_LATENESS_S = 1.5


def masters(host: Host, lease_s: int) -> DesiredDataplane:
    """An IPv4 and an IPv6 master with leases."""
    devices = (
        host.device(Family.IPV4, [VIP4]),
        host.device(Family.IPV6, [LINK_LOCAL_VIP, VIP6]),
    )
    return host.desired(*(replace(device, lease_s=lease_s) for device in devices))


def look(host: Host, *names: str) -> Tuple[Repair, ...]:
    """Reconcile these, the routes of their addresses included."""
    with host.namespace.inside():
        return host.dataplane.reconcile(frozenset(names))


def lifetimes(site: Site, name: str) -> Dict[str, int]:
    """The seconds that the addresses of a device have, and for "preferred ADDRESS" those too."""
    (link,) = json.loads(site.router.ip("-j", "addr", "show", "dev", name))
    found = {}
    for address in link["addr_info"]:
        found[address["local"]] = address["valid_life_time"]
        found["preferred " + address["local"]] = address["preferred_life_time"]
    return found


def all_lifetimes(site: Site) -> Dict[str, int]:
    """Of both virtual routers."""
    return {key: value for name in DEVICES for key, value in lifetimes(site, name).items()}


def seconds_until_gone(site: Site, begun: float, patience_s: float) -> Optional[float]:
    """When the last address went, counted from begun; None: not within patience_s."""
    while time.monotonic() < begun + patience_s:
        if not all_lifetimes(site):
            return time.monotonic() - begun
        time.sleep(0.02)
    return None


def test_addresses_go_when_nobody_renews_them(host: Host, site: Site) -> None:
    host.apply(masters(host, 2))
    begun = time.monotonic()
    found = all_lifetimes(site)
    assert set(found.values()) <= {0, 1, 2} and 2 in found.values()
    # An IPv4 or link-local address is as good as any other; a global one is never a source.
    assert found["preferred " + VIP4] and found["preferred " + LINK_LOCAL_VIP]
    assert found["preferred " + VIP6] == 0
    gone_s = seconds_until_gone(site, begun, 2 + 2 * KERNEL_LATENESS_S)
    assert gone_s is not None
    print("lease of 2 s: the last address was gone after %.2f s" % gone_s)
    assert 1 < gone_s <= 2 + KERNEL_LATENESS_S
    # The daemon woke up: the router decides, and until then nothing comes back by itself.
    clauses = {repair.what for repair in host.reconcile()}
    assert {VIP4 + " was missing", VIP6 + " was missing"} <= clauses
    assert set(found) == set(all_lifetimes(site))


def test_renewed_addresses_stay(host: Host, site: Site) -> None:
    desired = masters(host, 2)
    host.apply(desired)
    end = time.monotonic() + 2 + 2 * KERNEL_LATENESS_S
    while time.monotonic() < end:
        with host.namespace.inside():
            host.dataplane.renew(DEVICES)
        assert {VIP4, LINK_LOCAL_VIP, VIP6} <= set(all_lifetimes(site))
        time.sleep(0.4)
    assert host.reconcile() == ()
    # The renewals of one do nothing for the other.
    begun = time.monotonic()
    while VIP6 in lifetimes(site, DEVICES[1]):
        assert time.monotonic() < begun + 2 + 2 * KERNEL_LATENESS_S
        with host.namespace.inside():
            host.dataplane.renew(DEVICES[:1])
        time.sleep(0.1)
    assert VIP4 in lifetimes(site, DEVICES[0])


def test_only_what_is_desired_is_renewed(host: Host, site: Site) -> None:
    host.apply(masters(host, 30))
    host.apply(host.desired(host.device(Family.IPV4), host.device(Family.IPV6)))
    with host.namespace.inside():
        host.dataplane.renew((*DEVICES, "vg-nobody"))
    assert all_lifetimes(site) == {}


def test_a_renewal_puts_back_what_somebody_took(host: Host, site: Site) -> None:
    host.apply(masters(host, 30))
    site.router.ip("addr", "del", VIP4 + "/32", "dev", DEVICES[0])
    with host.namespace.inside():
        host.dataplane.renew(DEVICES)
    assert VIP4 in lifetimes(site, DEVICES[0])
    # A device that has gone is no error: the next look makes it again.
    site.router.ip("link", "del", DEVICES[0])
    with host.namespace.inside():
        host.dataplane.renew(DEVICES)
    assert [repair.what for repair in host.reconcile()] == ["the device was missing"]


@pytest.mark.parametrize(("before_s", "after_s"), [(0, 30), (30, 0), (60, 20), (20, 60)])
def test_a_lease_is_changed_in_place(host: Host, site: Site, before_s: int, after_s: int) -> None:
    host.apply(masters(host, before_s))
    host.apply(masters(host, after_s))
    found = all_lifetimes(site)
    expected = {FOREVER} if not after_s else {after_s - 1, after_s}
    assert {found[VIP4], found[LINK_LOCAL_VIP], found[VIP6]} <= expected
    assert found["preferred " + VIP6] == 0
    host.restart()
    host.apply(masters(host, after_s))
    assert host.reconcile() == ()


def test_a_changed_lease_is_no_missing_route(host: Host, site: Site) -> None:
    """Another lease may not cost the link-local address the route to its prefix, which would be
    repaired by taking the address away for a moment: not at once, and not when it is renewed."""
    host.apply(masters(host, 0))
    for lease_s in (60, 20, 0, 30):
        host.apply(masters(host, lease_s))
        for _renewal in range(3):
            assert look(host, *DEVICES) == ()
            assert " dev %s " % DEVICES[1] in neighbour_route(site)
            with host.namespace.inside():
                host.dataplane.renew(DEVICES)
    # Nor when a daemon died, and another one goes on.
    host.restart()
    with host.namespace.inside():
        host.dataplane.expire(5)
    assert " dev %s " % DEVICES[1] in neighbour_route(site)
    host.apply(masters(host, 30))
    assert look(host, *DEVICES) == ()


def neighbour_route(site: Site) -> str:
    """Where the kernel would send to a link-local neighbour of the virtual router."""
    return site.router.ip("-6", "route", "get", "fe80::77", "oif", DEVICES[1])


def test_leases_that_come_and_go_lose_no_packet(host: Host, site: Site) -> None:
    """All three addresses answer all the while, each asked five hundred times a second."""
    host.apply(masters(host, 0))
    targets = (VIP4, VIP6, LINK_LOCAL_VIP + "%eth0")
    for target in targets:
        site.client.run("ping", "-c1", "-W2", target)
    words = ("ip", "netns", "exec", site.client.name, "ping", "-q", "-i", "0.002", "-c", "1000")
    pings = [
        subprocess.Popen([*words, target], stdout=subprocess.PIPE, text=True) for target in targets
    ]
    try:
        changes = 0
        while any(ping.poll() is None for ping in pings):
            changes += 1
            host.apply(masters(host, 60 * (changes % 2)))
            time.sleep(0.01)
        told = [ping.communicate()[0] for ping in pings]
    finally:
        for ping in pings:
            ping.kill()
            ping.wait()
    print("%d changes" % changes)
    assert changes > 20
    for summary in told:
        assert "1000 received" in summary, summary


def test_what_is_left_alone_runs_out(host: Host, site: Site) -> None:
    """After the daemon's end another process shortens the life of its addresses."""
    host.apply(masters(host, 0))
    host.restart()
    with host.namespace.inside():
        host.dataplane.expire(1)
    begun = time.monotonic()
    assert set(all_lifetimes(site).values()) <= {0, 1}
    gone_s = seconds_until_gone(site, begun, 1 + 2 * KERNEL_LATENESS_S)
    assert gone_s is not None and gone_s <= 1 + KERNEL_LATENESS_S
    # The devices stay, silent, for whoever comes next.
    with host.namespace.inside():
        assert [device.addresses for device in host.dataplane.held()] == [(), ()]
        host.dataplane.expire(1)


def test_no_life_is_made_longer(host: Host, site: Site) -> None:
    host.apply(masters(host, 20))
    host.restart()
    with host.namespace.inside():
        host.dataplane.expire(300)
    found = all_lifetimes(site)
    assert max(found.values()) <= 20
    with host.namespace.inside():
        host.dataplane.expire(0)
    assert max(all_lifetimes(site).values()) <= 1


def test_what_another_process_left_is_told(host: Host, site: Site) -> None:
    with host.namespace.inside():
        assert host.dataplane.held() == ()
    host.apply(masters(host, 0))
    host.restart()
    parent = host.device(Family.IPV4).parent_ifindex
    mac4, mac6 = (bytes.fromhex(mac.replace(":", "")) for mac in (MAC4, MAC6))
    with host.namespace.inside():
        four, six = host.dataplane.held()
    assert four == HeldDevice("vg-lan-ipv4", parent, mac4, (held(VIP4),))
    assert six == HeldDevice("vg-lan-ipv6", parent, mac6, six.addresses)
    assert set(six.addresses) == {held(LINK_LOCAL_VIP), held(VIP6)}


def test_bridges_of_devices_stand_side_by_side(site: Site) -> None:
    """The same address may be that of many devices, and its prefix is that of every link: neither
    another device's bridge nor somebody's own route is replaced. What ran out stands again."""
    site.router.batch(
        "link add link %s name one type macvlan mode bridge" % LAN,
        "link add link %s name two type macvlan mode bridge" % LAN,
        *("link set %s addrgenmode none" % name for name in ("one", "two")),
        *("link set %s up" % name for name in ("one", "two")),
        "route add fe80::/64 dev %s metric 1024" % WAN,
    )
    with site.router.inside(), contextlib.closing(NetlinkSocket(0)) as netlink:
        indexes = [socket.if_nametoindex(name) for name in ("one", "two")]
        address = held(LINK_LOCAL_VIP)

        def bridge() -> None:
            for index in indexes:
                netlink.transact([routes.bridge_route(index, address)])
                netlink.transact([routes.bridge_prefix_route(index, address)])

        bridge()
        assert stands(site, "one") == stands(site, "two") == [True, True]
        end = time.monotonic() + 5
        while any(stands(site, "one") + stands(site, "two")):
            assert time.monotonic() < end, "the bridges have no end"
            time.sleep(0.05)
        bridge()
        assert stands(site, "one") == stands(site, "two") == [True, True]
    shown = site.router.ip("-6", "route", "show", "fe80::/64")
    assert " dev %s metric 1024 " % WAN in shown


def stands(site: Site, device: str) -> List[bool]:
    """Whether the kernel takes the address for its own, and reaches its neighbours."""
    found = []
    for target, words in ((LINK_LOCAL_VIP, "local"), ("fe80::77", "fe80::/64")):
        route = subprocess.run(
            ("ip", "-n", site.router.name, "-6", "route", "get", "fibmatch", target, "oif", device),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        ).stdout
        found.append(route.startswith(words) and " dev %s " % device in route)
    return found
