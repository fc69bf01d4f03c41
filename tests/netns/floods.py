# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets that nobody should send, as frames for the wire, and a sender with a steady rate.

The IP headers are right, or the kernel would drop the packet before the engine sees it; for packets
with wrong headers see tests/unit/engine/router/.
"""

from __future__ import annotations

import random
import select
import socket
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List

from namespaces import Namespace

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "engine"))

from engine_kit.packets import GROUP4, GROUP6, Packet
from engine_kit.values import ip

from vrrp.discards import DiscardReason as Reason
from vrrp.errors import DecodeError
from vrrp.wire.advertisement import decode_advertisement
from vrrp.wire.checksum import internet_checksum
from vrrp.wire.ip import split_packet

_SENDER_MAC = bytes.fromhex("020000000001")
_IPV4_HEADER = 20
# One that would be good for each of the three virtual routers of the tests; priority 254 would end
# the mastership of whoever believed it.
V4 = Packet(interval=10, priority=254, addresses=(ip("10.0.0.254"),), source=ip("10.0.0.66"))
V6 = Packet(
    interval=10,
    priority=254,
    addresses=(ip("fe80::254"),),
    source=ip("fe80::66"),
    destination=GROUP6,
)
V2 = Packet(
    version=2,
    vrid=20,
    interval=1,
    priority=254,
    auth_type=1,
    auth_data=b"hunter2\0",
    addresses=(ip("10.0.0.253"),),
    source=ip("10.0.0.66"),
)

# One for each rung of the ladder that a kernel lets through, and more than one for most.
MALFORMED: Dict[Reason, List[Packet]] = {
    Reason.WRONG_DESTINATION: [V4.but(destination=ip("10.0.0.252"))],
    Reason.WRONG_SOURCE: [V6.but(source=ip("2001:db8::66"))],
    Reason.IP_TTL: [V4.but(ttl=254), V4.but(ttl=1), V6.but(ttl=64), V2.but(ttl=254)],
    Reason.PACKET_LENGTH: [
        V4.but(count=2),
        V4.but(tail=b"\0"),
        V4.but(tail=bytes(1000)),
        V4.but(count=255),
        V6.but(count=0),
        V2.but(tail=bytes(8)),
    ],
    Reason.VERSION: [V4.but(version=0), V4.but(version=15), V6.but(version=2), V4.but(version=4)],
    Reason.INVALID_TYPE: [V4.but(type=0), V6.but(type=2), V2.but(type=15)],
    Reason.CHECKSUM: [each.but(checksum_error=0x5A5A) for each in (V4, V6, V2)],
    Reason.VRID: [V4.but(vrid=99), V6.but(vrid=1), V4.but(vrid=0), V2.but(vrid=21)],
    Reason.NO_ADDRESSES: [V4.but(addresses=()), V6.but(addresses=()), V2.but(addresses=())],
    Reason.INTERVAL_ZERO: [each.but(interval=0) for each in (V4, V6, V2)],
    Reason.AUTH_TYPE: [V2.but(auth_type=0, auth_data=bytes(8)), V2.but(auth_type=2)],
    Reason.AUTH_DATA: [V2.but(auth_data=b"another\0"), V2.but(auth_data=bytes(8))],
    Reason.INTERVAL_MISMATCH: [V2.but(interval=2), V2.but(interval=255)],
    Reason.ADDRESS_LIST: [V2.but(addresses=(ip("10.0.0.1"),))],
}


def frame(octets: bytes, router_mac: bytes) -> bytes:
    """An Ethernet frame around an IP packet, whose IPv4 header is summed."""
    if octets[0] >> 4 == 6:
        return b"\x33\x33\0\0\0\x12" + _SENDER_MAC + b"\x86\xdd" + octets
    head = octets[:10] + b"\0\0" + octets[12:_IPV4_HEADER]
    summed = head[:10] + internet_checksum(head).to_bytes(2, "big") + head[12:]
    mac = b"\x01\0\x5e\0\0\x12" if octets[16:20] == GROUP4 else router_mac
    return mac + _SENDER_MAC + b"\x08\0" + summed + octets[_IPV4_HEADER:]


def malformed_frames(router_mac: bytes) -> List[bytes]:
    """All of MALFORMED."""
    return [frame(each.octets(), router_mac) for kind in MALFORMED.values() for each in kind]


def fuzzed_frames(seed: int, count: int, router_mac: bytes) -> List[bytes]:
    """Good messages with octets changed, cut off or added; none of them decodes."""
    choose = random.Random(seed)
    frames: List[bytes] = []
    while len(frames) < count:
        packet = choose.choice((V4, V6, V2))
        message = bytearray(packet.message())
        for _change in range(choose.randint(1, 4)):
            message[choose.randrange(len(message))] = choose.randrange(256)
        message = message[: choose.randint(0, len(message))] or message
        message += choose.choice((b"", b"", bytes(choose.randrange(1300))))
        octets = _around(packet, bytes(message))
        try:
            header, decoded = split_packet(octets)
            decode_advertisement(decoded, header)
        except DecodeError:
            frames.append(frame(octets, router_mac))
    return frames


def _around(packet: Packet, message: bytes) -> bytes:
    octets = packet.octets()
    if octets[0] >> 4 == 6:
        return octets[:4] + len(message).to_bytes(2, "big") + octets[6:40] + message
    length = _IPV4_HEADER + len(message)
    return octets[:2] + length.to_bytes(2, "big") + octets[4:_IPV4_HEADER] + message


class Sender:
    """Puts frames on the wire by an interface of a namespace."""

    def __init__(self, namespace: Namespace, interface: str) -> None:
        with namespace.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.bind((interface, 0))

    def send(self, octets: bytes) -> None:
        """One frame."""
        self._socket.send(octets)

    def flood(
        self, frames: List[bytes], rate: int, seconds: float, meanwhile: Callable[[float], None]
    ) -> int:
        """Send the frames in turn, so many a second; how many were sent. meanwhile gets the time
        that is left until the next burst of a hundredth of a second."""
        begin = time.monotonic()
        sent = 0
        while time.monotonic() < begin + seconds:
            due = int((time.monotonic() - begin) * rate)
            # After a pause of this process the rate stays, and what was missed is left out.
            for _frame in range(min(due - sent, rate // 50)):
                self.send(frames[sent % len(frames)])
                sent += 1
            meanwhile(0.01)
        return sent

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


class Capture:
    """When frames from a MAC address came in, by the clock of the kernel."""

    _TIMESTAMP_NS = 35  # SO_TIMESTAMPNS
    _EVERY_PROTOCOL = 3

    def __init__(self, namespace: Namespace, interface: str, source: bytes) -> None:
        self._source = source
        self.times_s: List[float] = []
        with namespace.inside():
            # Deaf until it is bound: it would hear every interface before.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.bind((interface, self._EVERY_PROTOCOL))
        self._socket.setsockopt(socket.SOL_SOCKET, self._TIMESTAMP_NS, 1)
        self._socket.setblocking(False)

    def listen(self, seconds: float) -> None:
        """Take in what comes for so long."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return
            if select.select([self._socket], (), (), left)[0]:
                self._take()

    def _take(self) -> None:
        data, ancillary, _flags, _address = self._socket.recvmsg(2048, 64)
        if data[6:12] != self._source or data[23:24] != b"\x70":
            return
        for level, kind, stamp in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, self._TIMESTAMP_NS):
                seconds, nanoseconds = (
                    int.from_bytes(part, sys.byteorder) for part in (stamp[:8], stamp[8:16])
                )
                self.times_s.append(seconds + nanoseconds / 1e9)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()
