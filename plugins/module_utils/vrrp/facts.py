# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the outside world says, as values. Layer L0."""

from __future__ import annotations

import enum
import ipaddress
from dataclasses import dataclass
from typing import FrozenSet, Tuple


class Family(enum.Enum):
    """The address family of a virtual router."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"

    @property
    def address_length(self) -> int:
        """Octets in an address."""
        return 4 if self is Family.IPV4 else 16

    @property
    def host_prefix_length(self) -> int:
        """Bits in the prefix of a single address."""
        return self.address_length * 8


def family_of(address: bytes) -> Family:
    """The family of an address in network order."""
    return Family.IPV4 if len(address) == 4 else Family.IPV6


def format_address(address: bytes) -> str:
    """The text form of an address in network order; "" for none."""
    return str(ipaddress.ip_address(address)) if address else ""


def is_link_local(address: bytes) -> bool:
    """True for an IPv6 address in fe80::/10 (RFC 4291 section 2.5.6)."""
    return len(address) == 16 and address[0] == 0xFE and address[1] & 0xC0 == 0x80


@dataclass(frozen=True)
class InterfaceAddress:
    """An address of an interface with the length of its prefix in bits."""

    address: bytes
    prefix_length: int


@dataclass(frozen=True)
class LinkFacts:
    """One link as the kernel shows it. is_up: administratively up; has_carrier: running.

    upper: the link that this one is a part of, empty if none; upper_kind: what that is in the
    kernel's words, "bridge", "bond" or "vrf", say.
    """

    ifindex: int
    name: str
    mac: bytes
    mtu: int
    is_up: bool
    has_carrier: bool
    addresses: Tuple[InterfaceAddress, ...] = ()
    upper: str = ""
    upper_kind: str = ""


@dataclass(frozen=True)
class ReceivedPacket:
    """A packet of IP protocol 112, or a router solicitation, and the link it came in by.

    data begins at the IP header, IPv4 or IPv6 (the adapter rebuilds the IPv6 header from what the
    kernel tells beside the payload).
    """

    ifindex: int
    data: bytes


@dataclass(frozen=True)
class ProbeResult:
    """The outcome of one probe of a tracker, before rise and fall counting."""

    tracker: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class HeldDevice:
    """A device with a virtual MAC that an earlier process left, and what it holds there."""

    name: str
    parent_ifindex: int
    mac: bytes
    addresses: Tuple[InterfaceAddress, ...]


@dataclass(frozen=True)
class Repair:
    """Something of ours in the kernel was not as it should be, and was put right.

    device is the one concerned, empty for what all share; what is a clause ("10.0.10.254 was
    missing").
    """

    device: str
    what: str


@dataclass(frozen=True)
class AddressNews:
    """An address came to, or went from, a device of ours."""

    ifindex: int
    address: InterfaceAddress
    is_there: bool


@dataclass(frozen=True)
class KernelNews:
    """What the kernel told since the last time.

    links: links that are not ours, or their addresses, differ from before. touched: indexes of
    links with a change that matters to the devices of ours on them, or that are such devices;
    addresses: what came to and went from those. packet_filter: somebody else changed it.
    is_lost: the kernel told more than could be kept, so anything may have changed.
    """

    links: bool = False
    touched: FrozenSet[int] = frozenset()
    addresses: Tuple[AddressNews, ...] = ()
    packet_filter: bool = False
    is_lost: bool = False
