# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""While a virtual router changes its state: asked without a pause, it never answers wrongly."""

from __future__ import annotations

import threading
import time
from typing import Dict, List, Tuple

import pytest
from frames import Wire, arp_request, echo, is_advertisement, is_arp_reply, solicitation
from hosts import MAC4, MAC6, VIP4, VIP6, Host
from namespaces import Site
from scapy.layers.inet import ICMP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6NDOptDstLLAddr
from scapy.layers.l2 import ARP
from scapy.packet import Packet

from vrrp.facts import Family

CHANGES = 20
HOLD_S = 0.08
# A packet that is sent a moment before the change may meet the new state.
ON_THE_WAY_S = 0.03
MAC = {Family.IPV4: MAC4, Family.IPV6: MAC6}
CLIENT = {Family.IPV4: "10.0.0.10", Family.IPV6: "2001:db8:a::10"}
VIP = {Family.IPV4: VIP4, Family.IPV6: VIP6}
FAR = {Family.IPV4: "198.51.100.2", Family.IPV6: "2001:db8:f::2"}


class Asker:
    """Asks who has the address, and sends numbered echo requests for it and through it."""

    def __init__(self, wire: Wire, family: Family) -> None:
        # Just before and just after each one was sent.
        self.sent_s: Dict[int, Tuple[float, float]] = {}
        self._wire = wire
        self._family = family
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "Asker":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()

    def _ask(self) -> None:
        family, wire = self._family, self._wire
        ask = arp_request if family is Family.IPV4 else solicitation
        question = ask(wire.mac, CLIENT[family], VIP[family])
        packets = [
            echo(wire, mac, CLIENT[family], target)
            for mac in (MAC[family], wire.router_mac)
            for target in (VIP[family], FAR[family])
        ]
        number = 0
        while not self._done.wait(0.002):
            wire.send(question)
            # By the physical MAC and beyond it is no matter of the state.
            for packet in packets[:3]:
                number += 1
                kind = ICMP if ICMP in packet else ICMPv6EchoRequest
                packet[kind].seq = number
                before_s = time.monotonic()
                wire.send(packet)
                self.sent_s[number] = (before_s, time.monotonic())


@pytest.mark.parametrize("family", list(Family))
def test_no_wrong_answer_while_the_state_changes(
    host: Host, site: Site, wire: Wire, family: Family
) -> None:
    host.apply(host.backup(family))
    quiet_s: List[Tuple[float, float]] = []
    since_s = time.monotonic()
    with Asker(wire, family) as asker:
        for _turn in range(CHANGES):
            time.sleep(HOLD_S)
            quiet_s.append((since_s, time.monotonic()))
            host.apply(host.master(family))
            time.sleep(HOLD_S)
            host.apply(host.backup(family))
            since_s = time.monotonic()
    wire.listen(0.3)
    told = {said for frame in wire.frames for said in told_macs(frame, family)}
    assert told == {MAC[family]}
    answered = [asker.sent_s[found] for frame in wire.frames for found in numbers(frame)]
    assert len(answered) > CHANGES, "as master it has answered"
    wrong = [
        (before, after)
        for before, after in answered
        for begin, end in quiet_s
        if begin < before and after < end - ON_THE_WAY_S
    ]
    assert wrong == []


def told_macs(frame: Packet, family: Family) -> List[str]:
    """With which MACs an answer tells the virtual address."""
    if is_arp_reply(frame, VIP4):
        return [frame.src, frame[ARP].hwsrc]
    if is_advertisement(frame, VIP6):
        return [frame.src, frame[ICMPv6NDOptDstLLAddr].lladdr]
    return []


def numbers(frame: Packet) -> List[int]:
    """The number of an echo reply."""
    if ICMPv6EchoReply in frame:
        return [frame[ICMPv6EchoReply].seq]
    return [frame[ICMP].seq] if ICMP in frame and frame[ICMP].type == 0 else []
