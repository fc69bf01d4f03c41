# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Short ways to the values that most tests need, each with ordinary contents."""

from ipaddress import ip_address
from typing import Any, Dict, Iterable, Optional, Tuple

from vrrp.config.model import (
    RouterConfig,
    SyncGroupConfig,
    TrackerConfig,
    TrackerKind,
    VirtualRouterConfig,
)
from vrrp.facts import Family, InterfaceAddress, LinkFacts
from vrrp.fsm.parameters import Profile, RouterKey, RouterParameters

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
NS_PER_CS = 10_000_000
# The start of every story: a whole number of slots, so that expected deadlines are round.
T0 = 1_000 * NS_PER_S


def ip(text: str) -> bytes:
    """An address in network order."""
    return ip_address(text).packed


KEY = RouterKey("lan0", Family.IPV4, 10)
OURS, LOWER, HIGHER = ip("198.18.10.5"), ip("198.18.10.4"), ip("198.18.10.6")
VIP = ip("198.18.10.254")
LINK_LOCAL = ip("fe80::5")
VIP6 = ip("fe80::10")


def parameters(**changes: Any) -> RouterParameters:
    """Those of an ordinary IPv4 virtual router of version 3."""
    values = {
        "version": 3,
        "family": Family.IPV4,
        "vrid": 10,
        "priority": 100,
        "advertisement_interval_cs": 100,
        "preempt": True,
        "preempt_delay_ns": 0,
        "accept": True,
        "primary_address": OURS,
        "addresses": (VIP,),
    }
    values.update(changes)
    values.setdefault("profile", Profile.RFC3768 if values["version"] == 2 else Profile.RFC9568)
    return RouterParameters(**values)


def link(name: str = "lan0", ifindex: int = 7, **changes: Any) -> LinkFacts:
    """A link that is up, with an IPv4 address and a link-local one; addresses may be text."""
    values = {"mac": b"\x02\0\0\0\0\x05", "mtu": 1500, "is_up": True, "has_carrier": True}
    values.update(changes)
    texts = values.pop("addresses", ("198.18.10.5/24", "fe80::5/64"))
    return LinkFacts(ifindex, name, addresses=interface_addresses(texts), **values)


def interface_addresses(texts: Iterable[str]) -> Tuple[InterfaceAddress, ...]:
    """From "address/length" each."""
    pairs = (text.split("/") for text in texts)
    return tuple(InterfaceAddress(ip(address), int(length)) for address, length in pairs)


def group(name: str = "vlan10", **changes: Any) -> VirtualRouterConfig:
    """An ordinary IPv4 virtual router on lan0; addresses may be text."""
    values = {
        "interface": "lan0",
        "family": Family.IPV4,
        "vrid": 10,
        "addresses": ("198.18.10.254",),
        "accept": True,
    }
    values.update(changes)
    addresses = tuple(ip(a) if isinstance(a, str) else a for a in values.pop("addresses"))
    return VirtualRouterConfig(name=name, addresses=addresses, **values)


def group6(name: str = "vlan10-v6", **changes: Any) -> VirtualRouterConfig:
    """An ordinary IPv6 virtual router on lan0."""
    values = {"family": Family.IPV6, "addresses": ("fe80::10", "2001:db8:10::254")}
    values.update(changes)
    return group(name, **values)


def config(
    *groups: VirtualRouterConfig,
    trackers: Tuple[TrackerConfig, ...] = (),
    sync: Optional[Dict[str, Tuple[str, ...]]] = None,
    **more: Any,
) -> RouterConfig:
    """A host with these virtual routers. sync: groups of them, name to members."""
    sync_groups = tuple(
        SyncGroupConfig(name, tuple(sorted(members)))
        for name, members in sorted((sync or {}).items())
    )
    routers = tuple(sorted(groups, key=lambda each: each.name))
    return RouterConfig(routers, trackers, sync_groups, **more)


def ping(name: str = "uplink", **changes: Any) -> TrackerConfig:
    """A tracker that pings."""
    values = {"kind": TrackerKind.PING, "targets": (ip("198.51.100.1"),)}
    values.update(changes)
    return TrackerConfig(name=name, **values)
