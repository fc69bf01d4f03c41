# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes of the kernel in bytes: requests about them, and what is read of them. Layer L4. Pure."""

from __future__ import annotations

import socket
import struct
from typing import Dict, Tuple

from ..facts import InterfaceAddress
from .attributes import attribute, payloads
from .netlink import NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, request

RTM_NEWROUTE = 24
RTM_DELROUTE = 25
_RTM_GETROUTE = 26
RTN_LOCAL = 2
_RTN_UNICAST = 1
RTPROT_KERNEL = 2
_RT_TABLE_MAIN = 254
_RT_TABLE_LOCAL = 255
_RTM_F_FIB_MATCH = 0x2000
RTA_DST = 1
RTA_OIF = 4
RTA_PRIORITY = 6
_RTA_EXPIRES = 23
_ROUTE = struct.Struct("=BBBBBBBBI")
# Where a route has the length of its prefix, who made it and its type.
PREFIX_AT, PROTOCOL_AT, TYPE_AT = 1, 5, 7
# The kernel's own route is there after milliseconds.
_BRIDGE_S = 1


def bridge_route(ifindex: int, address: InterfaceAddress) -> bytes:
    """Let the kernel take an IPv6 address for its own at once: it makes the route of a new address
    in a queue, milliseconds later, and drops what comes until then."""
    return _bridge(ifindex, address.address, 128, (_RT_TABLE_LOCAL, RTPROT_KERNEL, 0, RTN_LOCAL))


def bridge_prefix_route(ifindex: int, address: InterfaceAddress) -> bytes:
    """The same for the other addresses of its prefix while the kernel's own route is unusable."""
    length = address.prefix_length
    unused = 8 * len(address.address) - length
    prefix = int.from_bytes(address.address, "big") >> unused << unused
    kinds = (_RT_TABLE_MAIN, RTPROT_KERNEL, 0, _RTN_UNICAST)
    return _bridge(ifindex, prefix.to_bytes(len(address.address), "big"), length, kinds)


def _bridge(ifindex: int, prefix: bytes, length: int, kinds: Tuple[int, int, int, int]) -> bytes:
    header = _ROUTE.pack(socket.AF_INET6, length, 0, 0, *kinds, 0)
    where = attribute(RTA_DST, prefix)
    where += attribute(RTA_OIF, struct.pack("=I", ifindex))
    until = attribute(_RTA_EXPIRES, struct.pack("=I", _BRIDGE_S))
    # The kernel's own has another metric. An earlier one of this device, which may have run out,
    # lasts on; a replacement would be that of any device with this prefix.
    flags = NLM_F_CREATE | NLM_F_ACK
    return request(RTM_NEWROUTE, flags, header + where + until)


def which_route(ifindex: int, address: bytes) -> bytes:
    """Ask for the route that a packet to this address would take by that link."""
    header = _ROUTE.pack(_family(address), 8 * len(address), 0, 0, 0, 0, 0, 0, _RTM_F_FIB_MATCH)
    where = attribute(RTA_DST, address) + attribute(RTA_OIF, struct.pack("=i", ifindex))
    return request(_RTM_GETROUTE, 0, header + where)


def local_routes(ifindex: int, address: bytes) -> bytes:
    """Ask for all local routes of the family of this address by that link."""
    header = _ROUTE.pack(_family(address), 0, 0, 0, _RT_TABLE_LOCAL, 0, 0, RTN_LOCAL, 0)
    where = attribute(RTA_OIF, struct.pack("=i", ifindex))
    return request(_RTM_GETROUTE, NLM_F_DUMP, header + where)


def read_route(body: bytes) -> Dict[int, bytes]:
    """The attributes of a route."""
    return payloads(body, _ROUTE.size)


def _family(address: bytes) -> int:
    return int(socket.AF_INET if len(address) == 4 else socket.AF_INET6)
