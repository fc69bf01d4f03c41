# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advertisements out and in, through real sockets."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import time
from typing import Callable, Iterator, List, Sequence

import pytest
from frames import Wire
from hosts import MAC4, MAC6, VIP4, Host
from namespaces import LAN, TRUNK, TRUNKED, WAN, Namespace, Site, connect, tag
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from vrrp.errors import PlatformError
from vrrp.facts import Family, LinkFacts, ReceivedPacket
from vrrp.linux.monitor import RtnlMonitor
from vrrp.linux.packet_socket import PacketIO
from vrrp.router.actions import TransmitFrame

GROUP4_MAC = "01:00:5e:00:00:12"
GROUP6_MAC = "33:33:00:00:00:12"
MESSAGE = bytes.fromhex("310a640100640000") + socket.inet_aton(VIP4)


def advertisement(family: Family, hops: int = 255, source: str = "") -> Packet:
    """A frame as a peer sends it (its checksum is no matter here)."""
    if family is Family.IPV4:
        header = IP(src=source or "10.0.0.253", dst="224.0.0.18", ttl=hops, proto=112)
        return Ether(dst=GROUP4_MAC, src=MAC4) / header / Raw(MESSAGE)
    header6 = IPv6(src=source or "fe80::253", dst="ff02::12", hlim=hops, nh=112, tc=0xC0)
    return Ether(dst=GROUP6_MAC, src=MAC6) / header6 / Raw(MESSAGE)


@contextlib.contextmanager
def packet_io(namespace: Namespace, *names: str) -> Iterator[PacketIO]:
    """A PacketIO that listens on links of a namespace."""
    with namespace.inside():
        opened = PacketIO()
        opened.listen(link_facts(namespace, *names))
    try:
        yield opened
    finally:
        opened.close()


def link_facts(namespace: Namespace, *names: str) -> List[LinkFacts]:
    """The facts of links by name."""
    with namespace.inside():
        monitor = RtnlMonitor()
        found = [link for link in monitor.links() if link.name in names]
        monitor.close()
    assert len(found) == len(names)
    return found


def received(opened: PacketIO, count: int) -> List[ReceivedPacket]:
    """The next packets; fails when they do not come."""
    packets: List[ReceivedPacket] = []
    end = time.monotonic() + 3
    while len(packets) < count:
        left = end - time.monotonic()
        assert left > 0, "only %d of %d packets came" % (len(packets), count)
        select.select(opened.filenos(), (), (), left)
        packets += opened.receive(64)
    return packets


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("with_device", [False, True])
def test_what_a_peer_sends_is_received_once_on_the_parent(
    host: Host, site: Site, wire: Wire, family: Family, with_device: bool
) -> None:
    """Also when we have a device with the very MAC that the frame comes from."""
    if with_device:
        host.apply(host.backup(family))
    with packet_io(site.router, LAN) as opened:
        wire.send(advertisement(family))
        wire.send(advertisement(family, hops=254))
        packets = received(opened, 2)
        assert [packet.ifindex for packet in packets] == [host.ifindex(LAN)] * 2
        kind = IP if family is Family.IPV4 else IPv6
        for packet, hops in zip(packets, (255, 254)):
            expected = advertisement(family, hops=hops)[kind]
            assert packet.data == bytes(expected)
        assert opened.receive(64) == []


@pytest.mark.parametrize("family", list(Family))
def test_what_we_send_arrives_as_it_is_and_not_at_ourselves(
    site: Site, wire: Wire, host: Host, family: Family
) -> None:
    with packet_io(site.router, LAN) as opened, site.router.inside():
        frame = bytes(advertisement(family))
        opened.send(TransmitFrame(host.ifindex(LAN), frame))
        seen = wire.wait_for(lambda found: bytes(found) == frame, "advertisement")
        assert seen.src in (MAC4, MAC6)
        assert opened.receive(64) == []


def test_one_socket_sends_on_all_links(site: Site, host: Host, wire: Wire) -> None:
    """The kernel takes 15 ms for each packet socket that a process leaves behind."""
    frame = bytes(advertisement(Family.IPV4))
    with packet_io(site.router, LAN, WAN) as opened, site.router.inside():
        before = os.listdir("/proc/self/fd")
        opened.send(TransmitFrame(host.ifindex(WAN), bytes(60)))
        opened.send(TransmitFrame(host.ifindex(LAN), frame))
        assert os.listdir("/proc/self/fd") == before
        wire.wait_for(lambda found: bytes(found) == frame, "advertisement")


def test_what_cannot_be_sent_is_told_and_the_link_named(site: Site, host: Host) -> None:
    with packet_io(site.router, LAN) as opened, site.router.inside():
        with pytest.raises(PlatformError, match="send frame on link 99999") as refused:
            opened.send(TransmitFrame(99999, bytes(60)))
        assert refused.value.errno == errno.ENXIO
        site.router.ip("link", "set", LAN, "down")
        with pytest.raises(PlatformError, match="send frame on " + LAN) as refused:
            opened.send(TransmitFrame(host.ifindex(LAN), bytes(60)))
        assert refused.value.errno == errno.ENETDOWN
        site.router.ip("link", "set", LAN, "up")
        opened.send(TransmitFrame(host.ifindex(LAN), bytes(60)))


def test_receive_takes_no_more_than_asked_for(site: Site, wire: Wire) -> None:
    with packet_io(site.router, LAN) as opened:
        for number in range(5):
            wire.send(advertisement(Family.IPV4, source="10.0.0.%d" % (100 + number)))
        wire.ask_arp("10.0.0.252")  # its answer comes behind them
        assert len(opened.receive(3)) == 3
        rest = opened.receive(64)
        assert [packet.data[15] for packet in rest] == [103, 104]


def test_a_long_packet_is_received_as_it_is(site: Site, wire: Wire) -> None:
    """One octet more or less than what lies where the usual lies, and a full frame."""
    with packet_io(site.router, LAN) as opened:
        for size in (1, 107, 108, 109, 1_400):
            header = IP(src="10.0.0.253", dst="224.0.0.18", proto=112)
            payload = Raw((bytes(range(1, 200)) * 8)[:size])
            frame = Ether(dst=GROUP4_MAC, src=MAC4) / header / payload
            wire.send(frame)
            (packet,) = received(opened, 1)
            assert packet.data == bytes(frame[IP])


def test_more_than_one_call_reads_and_the_same_as_before_is_the_same(
    site: Site, wire: Wire
) -> None:
    with packet_io(site.router, LAN) as opened:
        for number in range(150):
            wire.send(advertisement(Family.IPV4, source="10.0.0.%d" % (1 + number % 3)))
        packets = []
        while len(packets) < 150:
            packets += received(opened, 1)
        assert [packet.data[15] for packet in packets] == [1, 2, 3] * 50
        assert len({id(packet) for packet in packets[64:]}) == 3


def test_what_is_sent_again_arrives_again_and_a_link_that_refuses_stops_no_other(
    site: Site, host: Host, wire: Wire
) -> None:
    frames = [
        TransmitFrame(host.ifindex(LAN), bytes(advertisement(Family.IPV4, hops=1))),
        TransmitFrame(99999, bytes(60)),
        TransmitFrame(host.ifindex(LAN), bytes(advertisement(Family.IPV4, hops=2))),
    ]
    burst, same = tuple(frames), tuple(frames)
    with packet_io(site.router, LAN) as opened, site.router.inside():
        for again in (frames, frames, burst, burst, same, burst):
            refused = opened.send_again(again)
            assert set(refused) == {99999}
            assert refused[99999].errno == errno.ENXIO
            for frame in (frames[0].frame, frames[2].frame):
                wire.wait_for(lambda found, sent=frame: bytes(found) == sent, "advertisement")
        site.router.ip("link", "set", LAN, "down")
        assert set(opened.send_again(frames)) == {99999, host.ifindex(LAN)}
        site.router.ip("link", "set", LAN, "up")


def test_what_is_rehearsed_leaves_nothing_and_is_counted_by_nobody(
    site: Site, host: Host, wire: Wire
) -> None:
    def counted() -> List[str]:
        base = "/sys/class/net/%s/statistics/" % LAN
        return [site.router.run("cat", base + name) for name in ("tx_errors", "tx_dropped")]

    frames = [TransmitFrame(host.ifindex(LAN), bytes(advertisement(Family.IPV4, hops=7)))]
    with packet_io(site.router, LAN) as opened, site.router.inside():
        opened.send_again(frames)
        wire.wait_for(lambda found: bytes(found) == frames[0].frame, "advertisement")
        wire.forget()
        before = counted()
        for _time in range(3):
            opened.rehearse([*frames, TransmitFrame(99999, bytes(60))])
        assert counted() == before
        last = TransmitFrame(frames[0].ifindex, bytes(advertisement(Family.IPV4, hops=8)))
        opened.send(last)
        wire.wait_for(lambda found: bytes(found) == last.frame, "the next frame")
        assert [bytes(found) for found in wire.from_mac(MAC4)] == [last.frame]
        # What was laid out before is still good.
        assert opened.send_again(frames) == {}
        wire.wait_for(lambda found: bytes(found) == frames[0].frame, "advertisement")


def test_only_the_links_asked_for_are_heard(site: Site, wire: Wire) -> None:
    """Another program's membership opens the other link's ear on the socket, not ours."""
    with packet_io(site.router, WAN) as opened:
        with site.router.inside():
            foreign = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            request = socket.inet_aton("224.0.0.18") + socket.inet_aton("10.0.0.252")
            foreign.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        wire.send(advertisement(Family.IPV4))
        readable, _rest, _rest = select.select(opened.filenos(), (), (), 3)
        assert readable
        assert opened.receive(64) == []
        with site.router.inside():
            opened.listen(link_facts(site.router, LAN))
        wire.send(advertisement(Family.IPV4))
        assert len(received(opened, 1)) == 1
        foreign.close()


def test_more_links_than_one_socket_may_join(
    namespace: Callable[[str], Namespace], host: Host
) -> None:
    """The kernel allows 20 memberships for a socket."""
    count = 45
    router, peer = namespace("router"), namespace("peer")
    names = ["lan%d" % number for number in range(count)]
    if TRUNKED:
        connect(router, TRUNK, peer, TRUNK)
        vlans = {name: 100 + number for number, name in enumerate(names)}
        tag(router, TRUNK, vlans)
        tag(peer, TRUNK, vlans)
    else:
        for name in names:
            connect(router, name, peer, name)
    with packet_io(router, *names) as opened:
        for name in names:
            send_from(peer, name, advertisement(Family.IPV4))
            send_from(peer, name, advertisement(Family.IPV6))
        packets = received(opened, 2 * count)
        heard = [packet.ifindex for packet in packets]
        links = link_facts(router, *names)
        assert sorted(heard) == sorted([link.ifindex for link in links] * 2)
        # What is left is not heard any more, what remains is.
        with router.inside():
            opened.listen(links[:1])
        for name in names:
            send_from(peer, name, advertisement(Family.IPV4))
        assert [packet.ifindex for packet in received(opened, 1)] == [links[0].ifindex]


def send_from(namespace: Namespace, name: str, frame: Packet) -> None:
    """Put one frame on a cable."""
    with namespace.inside():
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        sender.bind((name, 0))
        sender.send(bytes(frame))
        sender.close()


def test_a_vanished_link_does_not_disturb_the_others(site: Site, wire: Wire, host: Host) -> None:
    gone = host.ifindex(WAN)
    frame = bytes(advertisement(Family.IPV4))
    with packet_io(site.router, LAN, WAN) as opened, site.router.inside():
        opened.send(TransmitFrame(gone, frame))
        site.router.ip("link", "del", WAN)
        with pytest.raises(PlatformError) as caught:
            opened.send(TransmitFrame(gone, frame))
        assert WAN in str(caught.value)
        opened.send(TransmitFrame(host.ifindex(LAN), frame))
        wire.wait_for(lambda found: bytes(found) == frame, "advertisement")
        opened.listen(link_facts(site.router, LAN))
        wire.send(advertisement(Family.IPV4))
        assert len(received(opened, 1)) == 1


def test_a_link_that_comes_back_is_used_again(site: Site, host: Host) -> None:
    """Even under the same name and index."""
    frame = bytes(advertisement(Family.IPV4))
    index = host.ifindex(WAN)
    with packet_io(site.router, LAN, WAN) as opened, site.router.inside():
        opened.send(TransmitFrame(index, frame))
        site.router.ip("link", "del", WAN)
        opened.listen(link_facts(site.router, LAN))
        site.remake_wan(index)
        far = Wire(site.far, "eth0")
        opened.listen(link_facts(site.router, LAN, WAN))
        opened.send(TransmitFrame(index, frame))
        far.wait_for(lambda found: bytes(found) == frame, "advertisement")
        far.send(advertisement(Family.IPV4))
        assert [packet.ifindex for packet in received(opened, 1)] == [index]
        far.close()


def test_a_link_that_is_down_refuses_and_recovers(site: Site, wire: Wire, host: Host) -> None:
    frame = bytes(advertisement(Family.IPV4))
    lan = host.ifindex(LAN)
    with packet_io(site.router, LAN) as opened, site.router.inside():
        site.router.ip("link", "set", LAN, "down")
        with pytest.raises(PlatformError):
            opened.send(TransmitFrame(lan, frame))
        site.router.ip("link", "set", LAN, "up")
        opened.send(TransmitFrame(lan, frame))
        wire.wait_for(lambda found: bytes(found) == frame, "advertisement")
        wire.send(advertisement(Family.IPV4))
        assert len(received(opened, 1)) == 1


def memberships(namespace: Namespace) -> Sequence[str]:
    """The groups of VRRP that are joined on links, as ip shows them."""
    shown = namespace.ip("maddr", "show").splitlines()
    return [line.strip() for line in shown if "224.0.0.18" in line or "ff02::12" in line]


def test_close_leaves_nothing_behind(site: Site) -> None:
    with packet_io(site.router, LAN, WAN):
        assert len(memberships(site.router)) == 4
    assert memberships(site.router) == []
