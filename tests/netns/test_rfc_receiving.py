# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N802 - the names begin with the row that they test
"""R rows that the kernel has a part in: what real sockets hand to the ladder."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from typing import Iterator, List, Union

import pytest
from frames import Wire, arp_request
from hosts import MAC4, VIP4
from namespaces import LAN, SENTINEL_ADDRESS, SENTINEL_MAC, Site
from scapy.layers.inet import IP, IPOption_NOP, fragment
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Packet, Raw

from vrrp.discards import DiscardReason as Why
from vrrp.facts import Family
from vrrp.fsm.parameters import RouterParameters
from vrrp.fsm.states import State
from vrrp.linux.monitor import RtnlMonitor
from vrrp.linux.packet_socket import PacketIO
from vrrp.router.receive import Accepted, Discard, Listener, accept

PEER = "10.0.0.253"
OURS = RouterParameters(
    version=3,
    family=Family.IPV4,
    vrid=10,
    priority=100,
    advertisement_interval_cs=100,
    preempt=True,
    preempt_delay_ns=0,
    accept=True,
    primary_address=socket.inet_aton("10.0.0.252"),
    addresses=(socket.inet_aton(VIP4),),
)


def message() -> bytes:
    """An advertisement of version 3 with the checksum of RFC 9568."""
    head = bytes((0x31, 10, 200, 1, 0, 100))
    data = head + b"\0\0" + socket.inet_aton(VIP4)
    total = sum(struct.unpack("!6H", data))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return data[:6] + struct.pack("!H", checksum) + data[8:]


def frame(**header: object) -> Packet:
    """A frame as a peer sends it."""
    values = {"src": PEER, "dst": "224.0.0.18", "ttl": 255, "proto": 112, **header}
    return Ether(dst="01:00:5e:00:00:12", src=MAC4) / IP(**values) / Raw(message())


@contextlib.contextmanager
def ears(site: Site) -> Iterator[PacketIO]:
    """The sockets of the daemon, listening on LAN."""
    with site.router.inside():
        monitor = RtnlMonitor()
        opened = PacketIO()
        opened.listen([link for link in monitor.links() if link.name == LAN])
        monitor.close()
    try:
        yield opened
    finally:
        opened.close()


def climb(opened: PacketIO) -> List[Union[Accepted, Discard]]:
    """What the ladder makes of everything that came in."""
    listener = Listener("vlan10", State.BACKUP, OURS)
    own = frozenset((OURS.primary_address,))
    return [accept(packet, own, lambda *_key: listener) for packet in opened.receive(64)]


def outcomes(opened: PacketIO, wire: Wire, *sent: Packet) -> List[Union[Accepted, Discard]]:
    """The same for these frames; ends when a later question was answered."""
    for each in sent:
        wire.send(each)
    before = len(wire.frames_now())
    wire.send(arp_request(wire.mac, "10.0.0.10", SENTINEL_ADDRESS))
    wire.wait_for(lambda found: found.src == SENTINEL_MAC, "answer of the sentinel", before)
    return climb(opened)


def is_heard(found: List[Union[Accepted, Discard]]) -> bool:
    """True for exactly one advertisement that was accepted."""
    return [type(each) for each in found] == [Accepted]


@pytest.mark.rfc("R7", positive=True)
def test_R7_the_padding_of_a_short_frame_is_no_part_of_the_message(site: Site, wire: Wire) -> None:
    with ears(site) as opened:
        padded = bytes(frame()) + b"\xff" * 14
        assert is_heard(outcomes(opened, wire, Ether(padded)))


@pytest.mark.rfc("R29", positive=True)
def test_R29_a_lone_fragment_is_never_a_packet(site: Site, wire: Wire) -> None:
    first, second = fragment(frame(), fragsize=8)
    with ears(site) as opened:
        assert outcomes(opened, wire, first) == []
        first[IP].id = second[IP].id = 7
        assert outcomes(opened, wire, second) == []


@pytest.mark.rfc("R29", positive=False)
def test_R29_all_fragments_together_are(site: Site, wire: Wire) -> None:
    with ears(site) as opened:
        assert is_heard(outcomes(opened, wire, *fragment(frame(), fragsize=8)))


@pytest.mark.rfc("R30", positive=True)
@pytest.mark.parametrize("words", (1, 10))
def test_R30_options_are_skipped(site: Site, wire: Wire, words: int) -> None:
    options = [IPOption_NOP()] * (4 * words)
    with ears(site) as opened:
        assert is_heard(outcomes(opened, wire, frame(options=options)))


@pytest.mark.rfc("R31", positive=True)
@pytest.mark.parametrize("vlan", (1, 30, 4094))
def test_R31_a_tagged_frame_is_of_another_lan(site: Site, wire: Wire, vlan: int) -> None:
    plain = frame()
    tagged = Ether(dst=plain.dst, src=plain.src) / Dot1Q(vlan=vlan) / plain[IP]
    with ears(site) as opened:
        assert outcomes(opened, wire, tagged) == []


@pytest.mark.rfc("R31", positive=False)
def test_R31_an_untagged_one_and_one_of_the_priority_tag_are_of_ours(
    site: Site, wire: Wire
) -> None:
    plain = frame()
    # VLAN 0 only carries a priority: IEEE 802.1Q, section 6.9.
    priority = Ether(dst=plain.dst, src=plain.src) / Dot1Q(vlan=0, prio=7) / plain[IP]
    with ears(site) as opened:
        assert is_heard(outcomes(opened, wire, plain))
        assert is_heard(outcomes(opened, wire, priority))


@pytest.mark.rfc("R28", positive=True)
def test_R28_frames_for_somebody_else_are_not_ours(site: Site, wire: Wire) -> None:
    with ears(site) as opened:
        elsewhere = frame()
        elsewhere[Ether].dst = "02:00:00:00:00:42"
        assert outcomes(opened, wire, elsewhere) == []
        unicast = frame(dst="10.0.0.252")
        unicast[Ether].dst = wire.router_mac
        (outcome,) = outcomes(opened, wire, unicast)
        assert outcome.reason is Why.WRONG_DESTINATION


@pytest.mark.rfc("R1", positive=True)
@pytest.mark.parametrize("ttl", (1, 254))
def test_R1_a_forwarded_packet_is_seen_as_one(site: Site, wire: Wire, ttl: int) -> None:
    with ears(site) as opened:
        (outcome,) = outcomes(opened, wire, frame(ttl=ttl))
        assert outcome.reason is Why.IP_TTL


@pytest.mark.rfc("R33", positive=True)
def test_R33_the_sockets_take_whatever_comes(site: Site, wire: Wire) -> None:
    """Each prefix and each changed octet of a packet, read to the last one."""
    right = bytes(frame())
    sent = [right[:length] + bytes(max(0, 60 - length)) for length in range(34, len(right))]
    for at in range(14, len(right)):
        sent.append(right[:at] + bytes((right[at] ^ 0xFF,)) + right[at + 1 :])
    with ears(site) as opened:
        found = outcomes(opened, wire, *map(Ether, sent), frame())
        end = time.monotonic() + 3
        while not any(isinstance(each, Accepted) for each in found):
            left = end - time.monotonic()
            assert left > 0, "the right packet behind them never came"
            select.select(opened.filenos(), (), (), left)
            found += climb(opened)
        assert len([each for each in found if isinstance(each, Discard)]) > 10
