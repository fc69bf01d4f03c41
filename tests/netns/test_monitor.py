# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The monitor sees links and addresses come, change and go."""

from __future__ import annotations

import contextlib
import dataclasses
import select
import time
from typing import FrozenSet, Iterator, Optional, Tuple

import pytest
from hosts import LINK_LOCAL_VIP, VIP4, VIP6, Host, packed
from namespaces import LAN, TRUNK, TRUNKED, WAN, Namespace, Site

from vrrp.facts import Family, InterfaceAddress, KernelNews, LinkFacts
from vrrp.linux.monitor import RtnlMonitor

NO_NEWS = KernelNews()


@contextlib.contextmanager
def monitoring(namespace: Namespace) -> Iterator[RtnlMonitor]:
    """A monitor in a namespace that has read everything once."""
    with namespace.inside():
        monitor = RtnlMonitor()
        monitor.links()
    monitor.drain()
    try:
        yield monitor
    finally:
        monitor.close()


def link(monitor: RtnlMonitor, name: str) -> Optional[LinkFacts]:
    """One link by name."""
    return {found.name: found for found in monitor.links()}.get(name)


def until(monitor: RtnlMonitor, name: str, **wanted: object) -> None:
    """Follow the events until a link is as wanted; fails when no event makes it so."""
    while True:
        found = link(monitor, name)
        if found is not None and all(getattr(found, key) == wanted[key] for key in wanted):
            return
        readable, _rest, _rest = select.select([monitor.fileno()], (), (), 3)
        assert readable, "%s is still %s" % (name, found)
        monitor.drain()


def test_links_are_shown_with_all_that_matters(site: Site) -> None:
    with monitoring(site.router) as monitor:
        names = [found.name for found in monitor.links()]
        trunk = [TRUNK] if TRUNKED else []
        assert names == sorted(names) == sorted([LAN, "lo", "sentinel", WAN, *trunk])
        found = link(monitor, LAN)
        assert found is not None
        assert found.mac.hex(":") == site.router.mac(LAN)
        assert (found.mtu, found.is_up, found.has_carrier) == (1500, True, True)
        assert set(found.addresses) == {
            InterfaceAddress(packed("10.0.0.252"), 24),
            InterfaceAddress(packed("2001:db8:a::252"), 64),
            InterfaceAddress(packed("fe80::252"), 64),
        }


def test_events_keep_the_picture_true(site: Site) -> None:
    with monitoring(site.router) as monitor:
        assert monitor.drain() == NO_NEWS
        site.unplug_wan()
        until(monitor, WAN, is_up=True, has_carrier=False)
        site.plug_wan()
        until(monitor, WAN, has_carrier=True)
        site.router.ip("link", "set", WAN, "down")
        until(monitor, WAN, is_up=False)
        # IPv4 addresses survive that, IPv6 ones do not.
        until(monitor, WAN, addresses=(InterfaceAddress(packed("198.51.100.1"), 24),))
        site.router.ip("addr", "flush", "dev", WAN)
        until(monitor, WAN, addresses=())
        site.router.ip("link", "set", WAN, "mtu", "1400", "name", "uplink")
        until(monitor, "uplink", mtu=1400)
        assert link(monitor, WAN) is None
        site.router.ip("link", "del", "uplink")
        assert select.select([monitor.fileno()], (), (), 3)[0] and monitor.drain().links
        assert link(monitor, "uplink") is None


def test_the_picture_from_events_is_that_of_a_fresh_look(site: Site) -> None:
    with monitoring(site.router) as monitor:
        for number in range(20):
            site.router.ip("addr", "add", "10.2.0.%d/24" % number, "dev", LAN)
        site.router.ip("addr", "del", "10.2.0.0/24", "dev", LAN)
        monitor.drain()
        with monitoring(site.router) as fresh:
            assert [f.name for f in monitor.links()] == [f.name for f in fresh.links()]
            for one, other in zip(monitor.links(), fresh.links()):
                assert set(one.addresses) == set(other.addresses)


def test_lost_events_mean_a_fresh_look(site: Site) -> None:
    with site.router.inside():
        monitor = RtnlMonitor()
        monitor._events._socket.setsockopt(1, 33, 1)  # SO_RCVBUFFORCE: as small as can be
        monitor.links()
        for number in range(60):
            site.router.ip("addr", "add", "10.3.%d.1/24" % number, "dev", WAN)
        site.router.ip("addr", "flush", "dev", WAN)
        assert monitor.drain() == KernelNews(links=True, is_lost=True)
        found = link(monitor, WAN)
        assert found is not None and not [a for a in found.addresses if len(a.address) == 4]
        monitor.close()


def test_our_devices_are_news_but_no_links(host: Host, site: Site) -> None:
    with monitoring(site.router) as monitor:
        before = monitor.links()
        host.apply(host.master(Family.IPV4))
        assert monitor.drain().touched
        assert monitor.links() == before
        host.apply(host.desired(host.device(Family.IPV6, [LINK_LOCAL_VIP, VIP6])))
        assert monitor.drain().touched
        assert monitor.links() == before
        site.router.ip("addr", "add", VIP4 + "/24", "dev", LAN)
        assert monitor.drain().links
        assert monitor.links() != before


# What others do to what is ours


@pytest.fixture(name="watched")
def monitor_of_a_master(host: Host, site: Site) -> Iterator[Tuple[RtnlMonitor, int]]:
    """A monitor beside a master of both families, and the index of its IPv4 device."""
    devices = (
        host.device(Family.IPV4, [VIP4]),
        host.device(Family.IPV6, [LINK_LOCAL_VIP, VIP6]),
    )
    host.apply(host.desired(*devices))
    with monitoring(site.router) as monitor:
        yield monitor, host.ifindex("vg-lan-ipv4")


def suspects(host: Host, monitor: RtnlMonitor) -> FrozenSet[str]:
    """What the data plane makes of the news that come within a second."""
    end = time.monotonic() + 1
    while time.monotonic() < end:
        if select.select([monitor.fileno()], (), (), 0.02)[0]:
            found = host.dataplane.suspects(monitor.drain())
            if found:
                return found
        elif time.monotonic() > end - 0.8:
            break
    return frozenset()


def test_our_own_changes_are_no_news_to_the_data_plane(host: Host, site: Site) -> None:
    host.apply(host.backup(Family.IPV4))
    with monitoring(site.router) as monitor:
        for desired in (host.master(Family.IPV4), host.backup(Family.IPV4)):
            host.apply(desired)
            assert suspects(host, monitor) == frozenset()
        site.router.ip("addr", "add", "10.9.9.9/32", "dev", "vg-lan-ipv4")
        assert suspects(host, monitor) == {"vg-lan-ipv4"}


def test_the_renewal_of_a_lease_is_no_news(host: Host, site: Site) -> None:
    device = dataclasses.replace(host.device(Family.IPV4, [VIP4]), lease_s=30)
    host.apply(host.desired(device))
    with monitoring(site.router) as monitor:
        for _renewal in range(3):
            with site.router.inside():
                host.dataplane.renew([device.name])
            assert select.select([monitor.fileno()], (), (), 1)[0], "the kernel tells"
            assert monitor.drain() == NO_NEWS


@pytest.mark.parametrize(
    "words",
    [
        ("addr", "del", VIP4 + "/32", "dev", "vg-lan-ipv4"),
        ("addr", "add", "10.0.0.77/32", "dev", "vg-lan-ipv4"),
        ("route", "del", "local", VIP4, "table", "local"),
        ("link", "set", "vg-lan-ipv4", "down"),
        pytest.param(
            ("link", "set", "vg-lan-ipv4", "name", "stolen"),
            marks=pytest.mark.kernel("live_rename"),
        ),
        ("link", "del", "vg-lan-ipv4"),
    ],
)
def test_whoever_touches_a_device_of_ours_is_seen(
    watched: Tuple[RtnlMonitor, int], host: Host, site: Site, words: Tuple[str, ...]
) -> None:
    monitor, _ifindex = watched
    site.router.ip(*words)
    assert suspects(host, monitor) == {"vg-lan-ipv4"}


@pytest.mark.parametrize(
    "words",
    [
        ("addr", "del", VIP6 + "/128", "dev", "vg-lan-ipv6"),
        ("-6", "route", "del", "local", VIP6, "table", "local", "dev", "vg-lan-ipv6"),
        ("-6", "route", "del", "fe80::/64", "dev", "vg-lan-ipv6"),
    ],
)
def test_so_it_is_with_ipv6(
    watched: Tuple[RtnlMonitor, int], host: Host, site: Site, words: Tuple[str, ...]
) -> None:
    monitor, _ifindex = watched
    site.router.ip(*words)
    assert suspects(host, monitor) == {"vg-lan-ipv6"}


@pytest.mark.parametrize("key", ["%s/forwarding" % LAN, "vg-lan-ipv4/rp_filter"])
def test_settings_that_the_kernel_tells_of_are_news(
    watched: Tuple[RtnlMonitor, int], host: Host, site: Site, key: str
) -> None:
    monitor, _ifindex = watched
    key = "net/ipv4/conf/" + key
    site.router.sysctl(key, "1" if site.router.read_sysctl(key) != "1" else "0")
    assert "vg-lan-ipv4" in suspects(host, monitor)


@pytest.mark.kernel("nftables")
def test_the_packet_filter_is_looked_at_when_somebody_else_changed_one(
    watched: Tuple[RtnlMonitor, int], host: Host, site: Site
) -> None:
    monitor, _ifindex = watched
    assert not monitor.drain().packet_filter
    host.apply(host.desired(host.device(Family.IPV4, [VIP4]), refused=["10.0.0.9"]))
    monitor.drain()
    site.router.run("nft", "add", "table", "inet", "other")
    assert select.select([monitor.fileno()], (), (), 1)[0]
    assert monitor.drain().packet_filter


def test_routes_of_others_do_not_wake_us(
    watched: Tuple[RtnlMonitor, int], host: Host, site: Site
) -> None:
    """A router with a full table sees hundreds of them a second."""
    monitor, _ifindex = watched
    site.router.batch(
        *("route add 203.0.113.%d/32 via 10.0.0.10" % number for number in range(50)),
        *("route del 203.0.113.%d/32 via 10.0.0.10" % number for number in range(50)),
    )
    assert not select.select([monitor.fileno()], (), (), 0.1)[0]
    site.router.ip("addr", "del", VIP4 + "/32", "dev", "vg-lan-ipv4")
    assert select.select([monitor.fileno()], (), (), 1)[0]


def test_an_address_counts_once_it_is_known_to_be_unique(site: Site) -> None:
    """RFC 4862 section 5.4: a tentative address is not yet one."""
    site.router.sysctl("net/ipv6/conf/%s/accept_dad" % WAN, "1")
    wanted = InterfaceAddress(packed("2001:db8:f::77"), 64)
    with monitoring(site.router) as monitor:
        site.router.ip("addr", "add", "2001:db8:f::77/64", "dev", WAN)
        monitor.drain()
        found = link(monitor, WAN)
        assert found is not None and wanted not in found.addresses
        while wanted not in found.addresses:
            assert select.select([monitor.fileno()], (), (), 5)[0], "it never became usable"
            monitor.drain()
            found = link(monitor, WAN)
            assert found is not None
        assert "tentative" not in site.router.ip("addr", "show", "to", "2001:db8:f::77")


def test_a_duplicate_address_does_not_count(site: Site) -> None:
    site.router.sysctl("net/ipv6/conf/%s/accept_dad" % WAN, "1")
    taken = InterfaceAddress(packed("2001:db8:f::2"), 64)
    with monitoring(site.router) as monitor:
        site.router.ip("addr", "add", "2001:db8:f::2/64", "dev", WAN)
        while "dadfailed" not in site.router.ip("addr", "show", "dev", WAN):
            assert select.select([monitor.fileno()], (), (), 3)[0]
            monitor.drain()
        monitor.drain()
        found = link(monitor, WAN)
        assert found is not None and taken not in found.addresses
