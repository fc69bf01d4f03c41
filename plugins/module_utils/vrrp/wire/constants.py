# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers that the VRRP standards fix. Layer L1.

RFC 9568 sections 5.1 (IP header) and 7.3 (virtual MAC); the same in RFC 3768 for IPv4.
"""

from __future__ import annotations

from ..facts import Family
from ..invariant import require

IP_PROTOCOL = 112
# Only a packet that no router has forwarded arrives with it (RFC 9568 section 5.1.1.3).
TTL = 255
# Class selector 6, network control: what the other implementations send too.
TRAFFIC_CLASS = 0xC0

MULTICAST_GROUP = {
    Family.IPV4: b"\xe0\x00\x00\x12",  # 224.0.0.18
    Family.IPV6: b"\xff\x02" + bytes(13) + b"\x12",  # ff02::12
}
MULTICAST_MAC = {
    Family.IPV4: b"\x01\x00\x5e\x00\x00\x12",
    Family.IPV6: b"\x33\x33\x00\x00\x00\x12",
}

_VIRTUAL_MAC_PREFIX = {
    Family.IPV4: b"\x00\x00\x5e\x00\x01",
    Family.IPV6: b"\x00\x00\x5e\x00\x02",
}


def virtual_mac(family: Family, vrid: int) -> bytes:
    """The MAC address of a virtual router: 00-00-5E-00-01-VRID or 00-00-5E-00-02-VRID."""
    require(1 <= vrid <= 255, "a VRID is 1..255, not %d" % vrid)
    return _VIRTUAL_MAC_PREFIX[family] + bytes((vrid,))
