# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advertisements built octet by octet, so that a test does not trust the codec that it tests."""

import struct
from dataclasses import dataclass, replace
from typing import Any, Optional, Tuple

from engine_kit.values import HIGHER, VIP, ip
from vrrp.facts import Family, ReceivedPacket

GROUP4, GROUP6 = ip("224.0.0.18"), ip("ff02::12")


def ones_complement_sum(data: bytes) -> int:
    """RFC 1071, word by word."""
    total = 0
    for at in range(0, len(data), 2):
        total += data[at] << 8 | (data[at + 1] if at + 1 < len(data) else 0)
        total = (total & 0xFFFF) + (total >> 16)
    return total


@dataclass(frozen=True)
class Packet:
    """One advertisement; every field of it can be made wrong."""

    version: int = 3
    type: int = 1
    vrid: int = 10
    priority: int = 100
    count: Optional[int] = None
    interval: int = 100
    auth_type: int = 0
    auth_data: bytes = bytes(8)
    addresses: Tuple[bytes, ...] = (VIP,)
    checksum_error: int = 0
    message_only: bool = False
    tail: bytes = b""
    source: bytes = HIGHER
    destination: bytes = GROUP4
    ttl: int = 255
    protocol: int = 112
    fragment: int = 0

    def but(self, **changes: Any) -> "Packet":
        """The same packet with other contents."""
        return replace(self, **changes)

    def message(self) -> bytes:
        """The VRRP message with its checksum."""
        count = len(self.addresses) if self.count is None else self.count
        word = self.auth_type << 8 | self.interval if self.version == 2 else self.interval
        head = struct.pack(
            "!BBBBH", self.version << 4 | self.type, self.vrid, self.priority, count, word
        )
        body = b"".join(self.addresses) + (self.auth_data if self.version == 2 else b"") + self.tail
        pseudo = b""
        if self.version == 3 and not self.message_only:
            length = 8 + len(body)
            pseudo = self.source + self.destination
            if len(self.source) == 4:
                pseudo += struct.pack("!BBH", 0, 112, length)
            else:
                pseudo += struct.pack("!II", length, 112)
        checksum = ~ones_complement_sum(pseudo + head + b"\0\0" + body) & 0xFFFF
        return head + struct.pack("!H", checksum ^ self.checksum_error) + body

    def octets(self) -> bytes:
        """The whole packet from its IP header on."""
        message = self.message()
        if len(self.source) == 16:
            head = struct.pack("!IHBB", 6 << 28, len(message), self.protocol, self.ttl)
            return head + self.source + self.destination + message
        head = struct.pack(
            "!BBHHHBBH", 0x45, 0, 20 + len(message), 1, self.fragment, self.ttl, self.protocol, 0
        )
        return head + self.source + self.destination + message

    def received(self, ifindex: int = 7, now_ns: int = 0) -> ReceivedPacket:
        """As the adapter hands it over."""
        return ReceivedPacket(ifindex, self.octets())


V3 = Packet()
V2 = Packet(version=2, interval=1)
V3_IPV6 = Packet(
    source=ip("fe80::6"),
    destination=GROUP6,
    addresses=(ip("fe80::10"), ip("2001:db8:10::254")),
)


@dataclass(frozen=True)
class Advert:
    """What a test wants to know of a frame that the router sends."""

    family: Family
    source: bytes
    version: int
    vrid: int
    priority: int
    interval: int
    addresses: Tuple[bytes, ...]


def is_advert(frame: bytes) -> bool:
    """True when the frame goes to the group of the VRRP routers."""
    return frame[:6] in (b"\x01\0\x5e\0\0\x12", b"\x33\x33\0\0\0\x12")


def read_advert(frame: bytes) -> Advert:
    """The advertisement in a frame, read octet by octet."""
    is_v4 = frame[12:14] == b"\x08\0"
    ip_length, width = (20, 4) if is_v4 else (40, 16)
    packet = frame[14:]
    source = packet[12:16] if is_v4 else packet[8:24]
    message = packet[ip_length:]
    version, count = message[0] >> 4, message[3]
    interval = message[5] if version == 2 else struct.unpack("!H", message[4:6])[0] & 0x0FFF
    return Advert(
        Family.IPV4 if is_v4 else Family.IPV6,
        source,
        version,
        message[1],
        message[2],
        interval,
        tuple(message[8 + at * width : 8 + (at + 1) * width] for at in range(count)),
    )


def solicitation(
    source: bytes = ip("fe80::5"),
    options: bytes = b"",
    hop_limit: int = 255,
    kind: int = 133,
    code: int = 0,
    reserved: int = 0,
    checksum_error: int = 0,
    next_header: int = 58,
    cut: int = 0,
) -> bytes:
    """A router solicitation to all routers, from its IPv6 header on. cut: octets off its end."""
    group = ip("ff02::2")
    body = (struct.pack("!I", reserved) + options)[: 4 + len(options) - cut]
    head = struct.pack("!BB", kind, code)
    pseudo = source + group + struct.pack("!II", 4 + len(body), 58)
    data = pseudo + head + b"\0\0" + body
    checksum = ~ones_complement_sum(data + b"\0" * (len(data) % 2)) & 0xFFFF
    message = head + struct.pack("!H", checksum ^ checksum_error) + body
    start = struct.pack("!IHBB", 6 << 28, len(message), next_header, hop_limit)
    return start + source + group + message


@dataclass(frozen=True)
class ToHosts:
    """What a test wants to know of a router advertisement."""

    source: bytes
    mac: bytes
    hop_limit: int
    lifetime_s: int
    link_address: bytes


def is_to_hosts(frame: bytes) -> bool:
    """True for a router advertisement."""
    return frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] == 134


def read_to_hosts(frame: bytes) -> ToHosts:
    """The router advertisement in a frame, read octet by octet."""
    assert frame[:6] == b"\x33\x33\0\0\0\x01" and frame[38:54] == ip("ff02::1")
    assert frame[70:72] == b"\x01\x01", "the first option is the link-layer address"
    (lifetime_s,) = struct.unpack("!H", frame[60:62])
    return ToHosts(frame[22:38], frame[6:12], frame[21], lifetime_s, frame[72:78])
