# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire as a test sees it: frames sent as they are, frames captured, decoded by scapy."""

from __future__ import annotations

import select
import socket
import time
from typing import Callable, List, Optional

from namespaces import SENTINEL_ADDRESS, SENTINEL_MAC, Namespace
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

_EVERY_PROTOCOL = 3
_OUTGOING = 4
_PATIENCE_S = 15.0


class Wire:
    """One interface of a namespace: sends any frame, remembers every frame that came in."""

    def __init__(self, namespace: Namespace, interface: str) -> None:
        with namespace.inside():
            # Deaf until it is bound: it would hear every interface before.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.bind((interface, _EVERY_PROTOCOL))
        self._socket.setblocking(False)
        self.mac = namespace.mac(interface)
        self.router_mac = ""
        self.frames: List[Packet] = []

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def send(self, frame: Packet) -> None:
        """Put a frame on the wire."""
        self._socket.send(bytes(frame))

    def frames_now(self) -> List[Packet]:
        """All frames that came in so far."""
        while True:
            try:
                data, address = self._socket.recvfrom(65536)
            except BlockingIOError:
                return self.frames
            if address[2] != _OUTGOING:
                self.frames.append(Ether(data))

    def forget(self) -> None:
        """Start anew with an empty memory."""
        self.frames_now()
        self.frames = []

    def wait_for(self, wanted: Callable[[Packet], bool], what: str, first: int = 0) -> Packet:
        """The first frame of that kind, past (from number `first`) or to come within seconds."""
        found = self.look_for(wanted, _PATIENCE_S, first)
        if found is None:
            seen = "\n".join(frame.summary() for frame in self.frames)
            raise AssertionError("no %s on the wire; seen:\n%s" % (what, seen))
        return found

    def look_for(
        self, wanted: Callable[[Packet], bool], patience_s: float, first: int = 0
    ) -> Optional[Packet]:
        """As wait_for, but None when it does not come."""
        end = time.monotonic() + patience_s
        while True:
            for frame in self.frames_now()[first:]:
                if wanted(frame):
                    return frame
            left = end - time.monotonic()
            if left <= 0:
                return None
            select.select([self._socket], (), (), left)

    def listen(self, seconds: float) -> List[Packet]:
        """All frames until so many seconds have passed (for what the kernel sends late)."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.frames_now()
            select.select([self._socket], (), (), max(0.0, end - time.monotonic()))
        return self.frames_now()

    def from_mac(self, mac: str) -> List[Packet]:
        """What came in from a MAC address so far."""
        return [frame for frame in self.frames_now() if frame.src == mac]

    # Questions, and how to know that there is no answer: a macvlan gets broadcasts by a queue, in
    # order. So once the sentinel (a macvlan that is none of ours) has answered a later question,
    # the earlier one will never be answered.

    # A LAN without a sentinel, or with bad cables, is given some patience instead.

    def ask_arp(
        self, target: str, sender: str = "10.0.0.10", patience_s: float = 0
    ) -> List[Packet]:
        """Who has an address? All answers."""
        answers = self._ask(arp_request(self.mac, sender, target), patience_s)
        return [frame for frame in answers if is_arp_reply(frame, target)]

    def ask_neighbour(
        self,
        target: str,
        sender: str = "2001:db8:a::10",
        directly_at: str = "",
        patience_s: float = 0,
    ) -> List[Packet]:
        """Who has an IPv6 address? All answers. directly_at: a MAC to ask instead of the LAN."""
        question = solicitation(self.mac, sender, target)
        if directly_at:
            question[Ether].dst = directly_at
            question[IPv6].dst = target
        answers = self._ask(question, patience_s)
        return [frame for frame in answers if is_advertisement(frame, target)]

    def ask_echo(self, frame: Packet) -> List[Packet]:
        """All echo replies (of either family) to a frame with an echo request in it."""
        request = frame[IP] if IP in frame else frame[IPv6]
        return [reply for reply in self._ask(frame) if is_echo_reply(reply, request.dst)]

    def _ask(self, question: Packet, patience_s: float = 0) -> List[Packet]:
        """All frames that came after a question, until the marker's answer."""
        before = len(self.frames_now())
        self.send(question)
        if patience_s:
            return self.listen(patience_s)[before:]
        self.send(arp_request(self.mac, "10.0.0.10", SENTINEL_ADDRESS))
        self.wait_for(lambda frame: frame.src == SENTINEL_MAC, "answer of the sentinel", before)
        return [frame for frame in self.frames[before:] if frame.src != SENTINEL_MAC]


def arp_request(mac: str, sender: str, target: str) -> Packet:
    """A broadcast request for target."""
    return Ether(dst="ff:ff:ff:ff:ff:ff", src=mac) / ARP(
        op=1, hwsrc=mac, psrc=sender, hwdst="00:00:00:00:00:00", pdst=target
    )


def solicitation(mac: str, sender: str, target: str) -> Packet:
    """A multicast neighbour solicitation for target."""
    tail = socket.inet_pton(socket.AF_INET6, target)[-3:]
    group = "ff02::1:ff%02x:%02x%02x" % tuple(tail)
    destination = "33:33:ff:%02x:%02x:%02x" % tuple(tail)
    return (
        Ether(dst=destination, src=mac)
        / IPv6(src=sender, dst=group, hlim=255)
        / ICMPv6ND_NS(tgt=target)
        / ICMPv6NDOptSrcLLAddr(lladdr=mac)
    )


def echo(wire: Wire, to_mac: str, source: str, target: str, hops: int = 64) -> Packet:
    """An echo request in a frame to any MAC address."""
    ethernet = Ether(dst=to_mac, src=wire.mac)
    if ":" in target:
        return ethernet / IPv6(src=source, dst=target, hlim=hops) / ICMPv6EchoRequest(id=7, seq=1)
    return ethernet / IP(src=source, dst=target, ttl=hops) / ICMP(id=7, seq=1)


def is_arp_reply(frame: Packet, address: str) -> bool:
    """True for an answer that says who has the address."""
    return ARP in frame and frame[ARP].op == 2 and frame[ARP].psrc == address


def is_advertisement(frame: Packet, address: str) -> bool:
    """True for a neighbour advertisement of the address."""
    return ICMPv6ND_NA in frame and frame[ICMPv6ND_NA].tgt == address


def is_echo_reply(frame: Packet, source: str) -> bool:
    """True for an echo reply from the address."""
    if ICMPv6EchoReply in frame:
        return frame[IPv6].src == source
    return ICMP in frame and frame[ICMP].type == 0 and frame[IP].src == source
