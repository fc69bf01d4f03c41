# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that this host should have in its kernel because of us, as one value. Layer L3.

The data plane adapter reads what is, compares with this and applies the difference. Nothing here
says how: see linux/dataplane.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from ..config import devices
from ..facts import Family, InterfaceAddress

# For linux/, which knows the desired dataplane but no configuration.
DEVICE_PREFIX = devices.DEVICE_PREFIX


@dataclass(frozen=True)
class VirtualDevice:
    """The macvlan that carries one virtual MAC.

    addresses are the virtual addresses while this router is master and empty otherwise: a device
    without addresses is silent, it answers nothing, accepts nothing and forwards nothing.
    is_master says which of the two is meant (an IPv6 device is fenced as a whole).
    is_quiet: it forwards and accepts as a master's does, but answers no ARP and no neighbour
    solicitation: the addresses are being left to a successor.
    lease_s: the kernel takes an address away so long after it was added or renewed; 0: never.
    """

    name: str
    alias: str
    parent_ifindex: int
    mac: bytes
    family: Family
    is_master: bool
    addresses: Tuple[InterfaceAddress, ...]
    is_quiet: bool = False
    lease_s: int = 0


@dataclass(frozen=True)
class ParentSettings:
    """An interface that carries virtual routers: its ARP behaviour belongs to us meanwhile.

    owns_address: a virtual address is also a real address here (address owner), so the interface
    itself must leave ARP for its addresses to the device with the virtual MAC.
    """

    ifindex: int
    name: str
    owns_address: bool


@dataclass(frozen=True)
class DesiredDataplane:
    """devices and parents are sorted by name. refused: virtual addresses that are answered for by
    ARP and ND but accept nothing else (accept mode off, RFC 9568 section 6.4.3)."""

    devices: Tuple[VirtualDevice, ...] = ()
    parents: Tuple[ParentSettings, ...] = ()
    refused: Tuple[bytes, ...] = ()
