# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkers' own reading of frames, apart from the engine's decoders. Layer L4.

It expects what an honest router sends: no options, no padding. What is forged is named as such by
who forges it, see hostile.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from ..facts import Family
from ..units import NS_PER_S

ETHERNET_HEADER = 14
_VRRP = 112
_IPV4_HEADER, _IPV6_HEADER = 20, 40
_ARP, _IPV4, _IPV6 = b"\x08\x06", b"\x08\x00", b"\x86\xdd"
_MAC_PREFIXES = {b"\x00\x00\x5e\x00\x01": Family.IPV4, b"\x00\x00\x5e\x00\x02": Family.IPV6}
_GROUPS = {
    Family.IPV4: bytes((224, 0, 0, 18)),
    Family.IPV6: b"\xff\x02" + bytes(13) + b"\x12",
}


@dataclass(frozen=True)
class Advert:
    """An advertisement as the checkers read it."""

    family: Family
    version: int
    vrid: int
    priority: int
    interval_cs: int
    source: bytes
    addresses: Tuple[bytes, ...]


class Reader:
    """Reads packets of protocol 112 and remembers them: most are the same bytes again."""

    def __init__(self) -> None:
        self._known: Dict[bytes, Optional[Advert]] = {}

    def forged(self, packet: bytes) -> None:
        """These bytes, from their IP header on, are no advertisement, whatever they look like."""
        self._known[packet] = None

    def advert(self, packet: bytes) -> Optional[Advert]:
        """The advertisement that these bytes are, or None."""
        known = self._known
        if packet not in known:
            known[packet] = _advert(packet)
        return known[packet]


def _advert(packet: bytes) -> Optional[Advert]:
    if packet[0] >> 4 == 4:
        family, header, width, source = Family.IPV4, _IPV4_HEADER, 4, packet[12:16]
        sound = packet[8] == 255 and packet[16:20] == _GROUPS[family]
    else:
        family, header, width, source = Family.IPV6, _IPV6_HEADER, 16, packet[8:24]
        sound = packet[7] == 255 and packet[24:40] == _GROUPS[family]
    message = packet[header:]
    if not sound or len(message) < 8:
        return None
    version, vrid, priority, count = message[0] >> 4, message[1], message[2], message[3]
    interval_cs = 100 * message[5] if version == 2 else (message[4] & 15) << 8 | message[5]
    addresses = tuple(message[at : at + width] for at in range(8, 8 + count * width, width))
    return Advert(family, version, vrid, priority, interval_cs, source, addresses)


def carries_vrrp(frame: bytes) -> bool:
    """Whether protocol 112 is inside."""
    kind = frame[12:14]
    if kind == _IPV4:
        return frame[ETHERNET_HEADER + 9] == _VRRP
    return kind == _IPV6 and frame[ETHERNET_HEADER + 6] == _VRRP


def advertised(frame: bytes) -> Optional[Tuple[int, int]]:
    """Priority and interval in centiseconds of an advertisement; None for another frame."""
    if not carries_vrrp(frame):
        return None
    width = _IPV4_HEADER if frame[12:14] == _IPV4 else _IPV6_HEADER
    message = frame[ETHERNET_HEADER + width :]
    if message[0] >> 4 == 2:
        return message[2], 100 * message[5]
    return message[2], (message[4] & 15) << 8 | message[5]


def announced_address(frame: bytes) -> bytes:
    """The address that a gratuitous ARP or an unsolicited NA is about."""
    if frame[12:14] == _ARP:
        sender, target = frame[28:32], frame[38:42]
        return sender if sender == target and frame[22:28] == frame[6:12] else b""
    icmp = frame[ETHERNET_HEADER + _IPV6_HEADER :]
    return icmp[8:24] if icmp[:1] == b"\x88" and icmp[26:32] == frame[6:12] else b""


def virtual_router_of(mac: bytes) -> Optional[Tuple[Family, int]]:
    """Family and VRID of a virtual MAC; None for any other."""
    family = _MAC_PREFIXES.get(mac[:5])
    return None if family is None else (family, mac[5])


def skew_ns(version: int, priority: int, interval_cs: int) -> int:
    """Skew_Time: RFC 3768 section 6.1, RFC 9568 section 6.1."""
    whole_ns = NS_PER_S if version == 2 else interval_cs * NS_PER_S // 100
    return whole_ns * (256 - priority) // 256


def down_ns(version: int, priority: int, interval_cs: int) -> int:
    """Master_Down_Interval."""
    return 3 * interval_cs * NS_PER_S // 100 + skew_ns(version, priority, interval_cs)
