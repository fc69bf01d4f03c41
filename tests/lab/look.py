# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look from a host at its gateway: who answers for an address, and which real routers lie behind.

    python3 look.py answers DEVICE ADDRESS     MAC addresses that answer ARP or ND for an address
    python3 look.py trace ADDRESS              the routers on the way, by their own addresses

Prints JSON. Root, inside a network namespace. Nothing of the lab is imported: it runs as one file.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, TypeVar

Received = TypeVar("Received")

ANSWER_SECONDS = 0.3
# A router sends at most one such error a second to a host, so a second try has to wait longer.
TRACE_SECONDS, TRACE_TRIES, MAXIMUM_HOPS = 1.2, 3, 8
TRACE_PORT = 33434

ETHERTYPE_ARP = 0x0806
ARP = struct.Struct("!HHBBH6s4s6s4s")
NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT = 135, 136
TIME_EXCEEDED, UNREACHABLE = {4: 11, 6: 3}, {4: 3, 6: 1}


def answers(device: str, address: str) -> List[str]:
    """Every MAC address that answers for an address within a short time; one is right."""
    found = _answers_v6 if ":" in address else _answers_v4
    return sorted({mac.hex(":") for mac in found(device, address)})


def _answers_v4(device: str, address: str) -> Iterator[bytes]:
    """RFC 826: ask everybody, from the device's own address."""
    target = socket.inet_aton(address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as chosen:
        chosen.connect((address, 9))
        source = socket.inet_aton(chosen.getsockname()[0])
    kind = socket.htons(ETHERTYPE_ARP)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, kind) as wire:
        wire.bind((device, ETHERTYPE_ARP))
        mac = wire.getsockname()[4]
        request = ARP.pack(1, 0x0800, 6, 4, 1, mac, source, b"\0" * 6, target)
        wire.send(b"\xff" * 6 + mac + struct.pack("!H", ETHERTYPE_ARP) + request)
        for frame in _received(wire, lambda: wire.recv(128), ANSWER_SECONDS):
            if len(frame) < 14 + ARP.size:
                continue
            operation, sender, said = ARP.unpack_from(frame, 14)[4:7]
            if operation == 2 and said == target:
                yield sender


def _answers_v6(device: str, address: str) -> Iterator[bytes]:
    """RFC 4861: ask the solicited-node group, and read the answer's link-layer address."""
    target = socket.inet_pton(socket.AF_INET6, address)
    group = socket.inet_ntop(
        socket.AF_INET6, bytes.fromhex("ff0200000000000000000001ff") + target[13:]
    )
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as wire:
        index = socket.if_nametoindex(device)
        wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        mac = _mac(device)
        request = struct.pack("!BBHI", NEIGHBOUR_SOLICITATION, 0, 0, 0) + target + b"\x01\x01" + mac
        wire.sendto(request, (group, 0, 0, index))
        for message in _received(wire, lambda: wire.recv(256), ANSWER_SECONDS):
            is_answer = len(message) >= 32 and message[0] == NEIGHBOUR_ADVERTISEMENT
            if is_answer and message[8:24] == target and message[24] == 2:
                yield message[26:32]


def _mac(device: str) -> bytes:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as wire:
        wire.bind((device, 0))
        return bytes(wire.getsockname()[4])


def trace(address: str) -> List[Optional[str]]:
    """The addresses that routers use for themselves, hop by hop; None where nobody said."""
    hops: List[Optional[str]] = []
    for distance in range(1, MAXIMUM_HOPS + 1):
        hop = None
        for _attempt in range(TRACE_TRIES):
            hop = _hop(address, distance)
            if hop is not None:
                break
        hops.append(hop)
        if hop == address:
            break
    return hops


def _hop(address: str, distance: int) -> Optional[str]:
    """Who says that a datagram with this time to live went no further."""
    version = 6 if ":" in address else 4
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    protocol = socket.IPPROTO_ICMPV6 if version == 6 else socket.IPPROTO_ICMP
    port = TRACE_PORT + int.from_bytes(os.urandom(1), "big")
    with socket.socket(family, socket.SOCK_RAW, protocol) as errors:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            if version == 6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, distance)
            else:
                probe.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, distance)
            probe.sendto(b"trace", (address, port))
            local = probe.getsockname()[1]
            wanted = struct.pack("!HH", local, port)
            for message, sender in _received(errors, lambda: errors.recvfrom(512), TRACE_SECONDS):
                # The error quotes our datagram: its IP header and the two ports.
                start = (message[0] & 15) * 4 if version == 4 else 0
                quoted = start + 8 + (20 if version == 4 else 40)
                is_ours = message[quoted : quoted + 4] == wanted
                if is_ours and message[start] in (TIME_EXCEEDED[version], UNREACHABLE[version]):
                    return str(sender[0])
    return None


def _received(
    opened: socket.socket, receive: Callable[[], Received], seconds: float
) -> Iterator[Received]:
    """What comes in a time."""
    deadline = time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([opened], [], [], left)[0]:
            return
        yield receive()


if __name__ == "__main__":
    QUESTIONS: Dict[str, Callable[..., Any]] = {"answers": answers, "trace": trace}
    print(json.dumps(QUESTIONS[sys.argv[1]](*sys.argv[2:])))
