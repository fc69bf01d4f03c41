# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links and addresses as the kernel tells them, read from bytes. Layer L4. Pure.

pyroute2 decodes every attribute of a link, about half a millisecond for each; a router with two
thousand links has no second for that. So the few attributes that are needed are read here.
"""

from __future__ import annotations

import functools
import struct
import sys
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Mapping, Optional, Set, Tuple

from ..facts import AddressNews, InterfaceAddress, KernelNews, LinkFacts
from . import attributes
from .constants import is_ours
from .netlink import Message

RTM_NEWLINK = 16
RTM_DELLINK = 17
RTM_NEWADDR = 20
RTM_DELADDR = 21

IFF_UP = 0x1
_IFF_RUNNING = 0x40
_IFF_LOWER_UP = 0x10000
_IFA_F_DADFAILED = 0x08
_IFA_F_TENTATIVE = 0x40

_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_IFLA_ADDRESS = 1
_IFLA_IFNAME = 3
_IFLA_MTU = 4
_IFLA_LINK = 5
_IFLA_MASTER = 10
_IFLA_LINKINFO = 18
_IFLA_IFALIAS = 20
_IFLA_AF_SPEC = 26
_IFLA_GROUP = 27
_INFO_KIND = 1
_IFA_ADDRESS = 1
_IFA_LOCAL = 2
_IFA_CACHEINFO = 6
_IFA_FLAGS = 8
_AF_INET = 2
_AF_INET6 = 10
_AF_BRIDGE = 7
_FOREVER = 0xFFFFFFFF
_CONF = 1
_INET6_CONF = 2
_INET6_DISABLE_IPV6 = 26
# Different settings of links; a host has a handful.
_SHARED = 256


@dataclass(frozen=True)
class Link:
    """A link of the kernel; conf4 and conf6 are its sysctls, unread (see below).

    master_ifindex: the bridge, bond or VRF that it is a port of; 0: none. kind: "vlan", "bridge",
    "vrf" and so on; empty for hardware.
    """

    ifindex: int
    flags: int
    name: str
    mac: bytes
    mtu: int
    parent_ifindex: int
    group: int
    alias: str
    conf4: bytes
    conf6: bytes
    master_ifindex: int = 0
    kind: str = ""

    @property
    def is_up(self) -> bool:
        """Administratively up."""
        return bool(self.flags & IFF_UP)

    @property
    def has_carrier(self) -> bool:
        """The kernel would send on it now."""
        return self.flags & (_IFF_RUNNING | _IFF_LOWER_UP) == _IFF_RUNNING | _IFF_LOWER_UP

    def ipv4_settings(self) -> Mapping[int, int]:
        """The IPv4 sysctls of this link by their number in <linux/ip.h>."""
        return _numbered(self.conf4, 1)

    def has_ipv6(self) -> bool:
        """False when disable_ipv6 is set, or when the kernel knows no IPv6 at all."""
        return self.ipv6_settings().get(_INET6_DISABLE_IPV6) == 0

    def ipv6_settings(self) -> Mapping[int, int]:
        """The IPv6 sysctls of this link by their number in <linux/ipv6.h>."""
        return _numbered(self.conf6, 0)


@dataclass(frozen=True)
class Address:
    """An address of a link of the kernel.

    lifetime_s: when the kernel will take it away, 0: never. It runs down all the time, so it is no
    difference between two of them.
    """

    ifindex: int
    value: InterfaceAddress
    flags: int
    lifetime_s: int = field(default=0, compare=False)

    @property
    def is_usable(self) -> bool:
        """False while, or because, duplicate address detection says no (RFC 4862 5.4)."""
        return not self.flags & (_IFA_F_TENTATIVE | _IFA_F_DADFAILED)


def read_link(body: bytes) -> Optional[Link]:
    """The link in the body of RTM_NEWLINK or RTM_DELLINK; None when it is about something else: a
    bridge port, or news of a radio."""
    family, _kind, ifindex, flags, _change = _LINK.unpack_from(body)
    if family == _AF_BRIDGE:
        return None
    found = attributes.payloads(body, _LINK.size)
    if _IFLA_MTU not in found:
        return None
    families = attributes.payloads(found.get(_IFLA_AF_SPEC, b""))
    return Link(
        ifindex=ifindex,
        flags=flags,
        name=_text(found.get(_IFLA_IFNAME, b"")),
        mac=found.get(_IFLA_ADDRESS, b""),
        mtu=_number(found.get(_IFLA_MTU)),
        parent_ifindex=_number(found.get(_IFLA_LINK)),
        group=_number(found.get(_IFLA_GROUP)),
        alias=_text(found.get(_IFLA_IFALIAS, b"")),
        conf4=_conf(families, _AF_INET, _CONF),
        conf6=_conf(families, _AF_INET6, _INET6_CONF),
        master_ifindex=_number(found.get(_IFLA_MASTER)),
        kind=_link_kind(found.get(_IFLA_LINKINFO, b"")),
    )


def read_address(body: bytes) -> Optional[Address]:
    """The address in the body of RTM_NEWADDR or RTM_DELADDR; None for other families than IP."""
    family, prefix_length, flags, _scope, ifindex = _ADDRESS.unpack_from(body)
    if family not in (_AF_INET, _AF_INET6):
        return None
    found = attributes.payloads(body, _ADDRESS.size)
    # On a point-to-point IPv4 link IFA_ADDRESS is the peer; IFA_LOCAL is always ourselves.
    value = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS, b"")
    if _IFA_FLAGS in found:
        flags = _number(found[_IFA_FLAGS])
    lifetime_s = _lifetime_s(found.get(_IFA_CACHEINFO, b""))
    return Address(ifindex, InterfaceAddress(value, prefix_length), flags, lifetime_s)


def _conf(families: Mapping[int, bytes], family: int, kind: int) -> bytes:
    """The sysctls among what the kernel says about a family: counters of packets lie there, too."""
    return _shared(attributes.payloads(families.get(family, b"")).get(kind, b""))


@functools.lru_cache(maxsize=_SHARED)
def _shared(conf: bytes) -> bytes:
    """One of those that are equal: thousands of links have the same few settings."""
    return conf


@functools.lru_cache(maxsize=_SHARED)
def _numbered(conf: bytes, first: int) -> Mapping[int, int]:
    """Read it once for all links that have it."""
    return dict(enumerate(struct.unpack_from("=%di" % (len(conf) // 4), conf), start=first))


def _link_kind(info: bytes) -> str:
    return sys.intern(_text(attributes.payloads(info).get(_INFO_KIND, b"")))


def _lifetime_s(cache: bytes) -> int:
    """Seconds, at least 1 for an address that has any end."""
    if len(cache) < 8:
        return 0
    (valid_s,) = struct.unpack_from("=4xI", cache)
    return 0 if valid_s == _FOREVER else max(1, valid_s)


@functools.lru_cache(maxsize=_SHARED)
def _number(payload: Optional[bytes]) -> int:
    """Groups, sizes and flags are the same few, so that they are kept once."""
    return struct.unpack("=I", payload)[0] if payload else 0


def _text(payload: bytes) -> str:
    return payload.rstrip(b"\0").decode(errors="replace")


class _News:
    """Collects what a KernelNews tells."""

    def __init__(self) -> None:
        self.links = False
        self.touched: Set[int] = set()
        self.addresses: List[AddressNews] = []


class LinkTable:
    """All links and addresses, from a dump and then from every event since."""

    def __init__(self) -> None:
        self.links: Dict[int, Link] = {}
        self._addresses: Dict[int, Dict[InterfaceAddress, Address]] = {}

    def learn(self, messages: Iterable[Message]) -> KernelNews:
        """Take in messages of a dump or of the monitor; what they changed."""
        news = _News()
        for message in messages:
            if message.kind in (RTM_NEWLINK, RTM_DELLINK):
                self._learn_link(message, news)
            elif message.kind in (RTM_NEWADDR, RTM_DELADDR):
                self._learn_address(message, news)
        return KernelNews(news.links, frozenset(news.touched), tuple(news.addresses))

    def _learn_link(self, message: Message, news: "_News") -> None:
        link = read_link(message.body)
        if link is None:
            return
        before = self.links.get(link.ifindex)
        if message.kind == RTM_NEWLINK:
            self.links[link.ifindex] = link
            if link == before:
                return
        else:
            self.links.pop(link.ifindex, None)
            self._addresses.pop(link.ifindex, None)
        news.touched.add(link.ifindex)
        # A device of ours may have been renamed.
        if not all(is_ours(each.group) for each in (link, before or link)):
            news.links = True

    def _learn_address(self, message: Message, news: "_News") -> None:
        address = read_address(message.body)
        if address is None:
            return
        held = self._addresses.setdefault(address.ifindex, {})
        before = held.get(address.value)
        if message.kind == RTM_NEWADDR:
            held[address.value] = address
            # The kernel tells of each renewal of a lease, ours or a DHCP client's.
            if before == address:
                return
        else:
            held.pop(address.value, None)
        link = self.links.get(address.ifindex)
        if link is None or not is_ours(link.group):
            news.links = True
            # An address owner's real address: whether it needs a guard.
            news.touched.add(address.ifindex)
        else:
            is_there = message.kind == RTM_NEWADDR
            news.addresses.append(AddressNews(address.ifindex, address.value, is_there))

    def addresses_of(self, ifindex: int) -> Tuple[Address, ...]:
        """The addresses of one link, in the kernel's order."""
        return tuple(self._addresses.get(ifindex, {}).values())

    def facts(self) -> Tuple[LinkFacts, ...]:
        """Every link that is not ours, sorted by name."""
        found = [
            _facts(link, self._addresses.get(link.ifindex, {}), self.links.get(link.master_ifindex))
            for link in self.links.values()
            if not is_ours(link.group)
        ]
        return tuple(sorted(found, key=lambda facts: facts.name))

    def ours(self) -> List[Link]:
        """Every device that we made."""
        return [link for link in self.links.values() if is_ours(link.group)]


def _facts(
    link: Link, addresses: Mapping[InterfaceAddress, Address], upper: Optional[Link]
) -> LinkFacts:
    return LinkFacts(
        ifindex=link.ifindex,
        name=link.name,
        mac=link.mac,
        mtu=link.mtu,
        is_up=link.is_up,
        has_carrier=link.has_carrier,
        addresses=tuple(value for value, address in addresses.items() if address.is_usable),
        upper=upper.name if upper is not None else "",
        upper_kind=upper.kind if upper is not None else "",
    )
