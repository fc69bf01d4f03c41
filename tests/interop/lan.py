# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The LAN of an interop test: us, a peer and a host at one switch, and who speaks VRRP on it."""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List, Optional, Tuple

from tests.lab.shell import LabError, end, identify, in_namespace, ip, namespaces, run

LOOK = Path(__file__).resolve().parents[1] / "lab" / "look.py"
US, PEER, HOST = "us", "peer", "host"
HOST_NUMBERS = {US: 252, PEER: 253, HOST: 1}
VRID = 30
VIRTUAL = {4: ("198.18.30.254",), 6: ("fe80::254", "2001:db8:30::fe")}
# What a list has that differs from the other side's.
ADDITIONAL = {4: "198.18.30.240", 6: "2001:db8:30::f0"}
VIRTUAL_MAC = {4: "00:00:5e:00:01:1e", 6: "00:00:5e:00:02:1e"}
REAL = {4: "198.18.30.%d/24", 6: "2001:db8:30::%x/64"}

VRRP_PROTOCOL = 112
ETHERTYPES = {0x0800: 4, 0x86DD: 6}
# RFC 5798 section 5.2.8 was read as the first for IPv4, RFC 9568 says the second.
PSEUDO_HEADER, MESSAGE_ALONE, WRONG = "pseudo-header", "message alone", "wrong"
# From asm-generic/socket.h: the kernel's own receive time beside each frame.
SO_TIMESTAMPNS = 35
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Advert:
    """One advertisement as it was on the wire; read with our own few lines, not the engine's."""

    seconds: float
    source_mac: str
    source: str
    hops: int
    version: int
    vrid: int
    priority: int
    interval_cs: int
    addresses: Tuple[str, ...]
    checksum: str  # PSEUDO_HEADER, MESSAGE_ALONE or WRONG


class Lan:
    """Three namespaces at a bridge in a fourth, with a capture at the host's port."""

    def __init__(self) -> None:
        self._prefix = "i%d-%d-" % (os.getpid(), next(_numbers))
        for name in (US, PEER, HOST, "switch"):
            run(["ip", "netns", "add", self.namespace(name)])
        switch = self.namespace("switch")
        ip(switch, ["link add br0 type bridge forward_delay 0 mcast_snooping 0",
                    "link set br0 addrgenmode none up"])  # fmt: skip
        for name, number in HOST_NUMBERS.items():
            there = self.namespace(name)
            ip(switch, ["link add %s type veth peer name eth0 netns %s" % (name, there),
                        "link set %s addrgenmode none master br0 up" % name])  # fmt: skip
            ip(there, ["link set lo up", "link set eth0 addrgenmode none up",
                       "addr add %s dev eth0" % (REAL[4] % number),
                       "addr add %s dev eth0 nodad" % (REAL[6] % number),
                       "addr add fe80::%d/64 dev eth0 nodad" % number])  # fmt: skip
        self.capture = Capture(in_other_namespace(self.namespace(HOST), _open_tap))

    def namespace(self, name: str) -> str:
        return self._prefix + name

    def plug(self, name: str, up: bool) -> None:
        """The cable of one of them, in or out."""
        ip(self.namespace("switch"), ["link set %s %s" % (name, "up" if up else "down")])

    def part(self, parted: bool) -> None:
        """Whether we and the peer hear each other; the host hears both, no carrier is lost."""
        word = "on" if parted else "off"
        ip(self.namespace("switch"),
           ["link set %s type bridge_slave isolated %s" % (name, word)
            for name in (US, PEER)])  # fmt: skip

    def answering_macs(self, version: int) -> List[str]:
        """Who answers the host for the virtual address."""
        argv = [sys.executable, "-ISE", str(LOOK), "answers", "eth0", VIRTUAL[version][-1]]
        return list(json.loads(run(in_namespace(self.namespace(HOST), argv))))

    def remove(self) -> None:
        """Take the LAN away; a process that is left in it is ended, and a failure."""
        self.capture.close()
        left = []
        for name in [name for name in namespaces() if name.startswith(self._prefix)]:
            for pid in run(["ip", "netns", "pids", name]).split():
                process = identify(int(pid))
                if process is not None:
                    left.append("%s in %s" % (pid, name))
                    end(process)
            run(["ip", "netns", "del", name])
        if left:
            raise LabError("processes were left: " + ", ".join(left))


class Capture:
    """Collects every advertisement that reaches the host's port."""

    def __init__(self, tap: socket.socket) -> None:
        self._tap = tap
        self._adverts: List[Advert] = []
        self._closing = False
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def adverts(self, since: float = 0.0) -> List[Advert]:
        """What was heard after a time, which is an advertisement's."""
        return [advert for advert in list(self._adverts) if advert.seconds > since]

    def wait_for(self, wanted: Callable[[Advert], bool], seconds: float, since: float) -> Advert:
        """The first such advertisement after a time; the test fails when none comes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for advert in self.adverts(since):
                if wanted(advert):
                    return advert
            time.sleep(0.02)
        heard = "\n".join(str(advert) for advert in self.adverts(since)[-10:])
        raise AssertionError("no such advertisement within %.1f s; heard:\n%s" % (seconds, heard))

    def close(self) -> None:
        self._closing = True
        self._thread.join()
        self._tap.close()

    def _collect(self) -> None:
        while not self._closing:
            try:
                frame, extra, _rest, _rest = self._tap.recvmsg(2048, 64)
            except TimeoutError:
                continue
            for _rest, kind, data in extra:
                if kind == SO_TIMESTAMPNS:
                    whole, fraction = struct.unpack("qq", data)
                    advert = decode(frame, whole + fraction / 1e9)
                    if advert is not None:
                        self._adverts.append(advert)


def decode(frame: bytes, seconds: float) -> Optional[Advert]:
    """The VRRP advertisement in an Ethernet frame, or None."""
    version = ETHERTYPES.get(int.from_bytes(frame[12:14], "big"))
    packet = frame[14:]
    if version == 4 and packet[9] == VRRP_PROTOCOL:
        start, hops, source, family, size = (packet[0] & 15) * 4, packet[8], packet[12:16], 2, 4
        end = int.from_bytes(packet[2:4], "big")
        pseudo_header = packet[12:20] + struct.pack("!xBH", VRRP_PROTOCOL, end - start)
    elif version == 6 and packet[6] == VRRP_PROTOCOL:
        start, hops, source, family, size = 40, packet[7], packet[8:24], 10, 16
        end = 40 + int.from_bytes(packet[4:6], "big")
        pseudo_header = packet[8:40] + struct.pack("!I3xB", end - start, VRRP_PROTOCOL)
    else:
        return None
    kind, vrid, priority, count, high, low = packet[start : start + 6]
    # RFC 3768 §5.3: authentication type, then seconds; RFC 9568 §5.2: 12 bits of centiseconds.
    interval_cs = low * 100 if kind >> 4 == 2 else (high & 15) << 8 | low
    message = packet[start:end]
    body = message[8:]
    return Advert(
        seconds, frame[6:12].hex(":"), socket.inet_ntop(family, source), hops, kind >> 4, vrid,
        priority, interval_cs,
        tuple(socket.inet_ntop(family, body[n * size : (n + 1) * size]) for n in range(count)),
        checksum_form(message, pseudo_header),
    )  # fmt: skip


def checksum_form(message: bytes, pseudo_header: bytes) -> str:
    """What the message's checksum covers beside the message."""
    if is_sound(message):
        return MESSAGE_ALONE
    return PSEUDO_HEADER if is_sound(pseudo_header + message) else WRONG


def is_sound(octets: bytes) -> bool:
    """RFC 1071: with its checksum in it, the sum of the 16-bit words is 0xffff."""
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF


def _open_tap() -> socket.socket:
    # Deaf until it is bound: it would hear every interface before.
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    tap.bind(("eth0", 3))
    tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    tap.settimeout(0.2)
    return tap


def in_other_namespace(name: str, work: Callable[[], socket.socket]) -> socket.socket:
    """What `work` returns, done by a thread of its own inside a network namespace."""
    made: List[socket.socket] = []

    def there() -> None:
        enter_namespace(name)
        made.append(work())

    thread = threading.Thread(target=there)
    thread.start()
    thread.join()
    return made[0]


def enter_namespace(name: str) -> None:
    """Move the calling thread into a network namespace."""
    with open("/run/netns/" + name) as target:
        if ctypes.CDLL(None, use_errno=True).setns(target.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns to " + name)
