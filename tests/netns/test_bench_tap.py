# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make bench` measures with: its tap sees each advert once and nothing else, with the
direction, the interface and the kernel's time; its counter counts what a router sent."""

from __future__ import annotations

import socket
import struct
import sys
import time
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest
from namespaces import Namespace, connect

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.figures import Advert
from tests.bench.shapes import BACKUP, MASTER, ONE_INTERFACE, Shape
from tests.bench.tap import Tap
from tests.bench.wiring import Wiring, link_name, wait_for_carriers

MAC = bytes.fromhex("00005e000107")


def frame(vrid: int = 7, priority: int = 200, protocol: int = 112, kind: int = 0x0800) -> bytes:
    """An advert, as far as the tap looks at it."""
    target = bytes.fromhex("01005e000012")
    head = struct.pack("!BBHHHBBH8x", 0x45, 0, 32, 0, 0, 255, protocol, 0)
    return (
        target + MAC + struct.pack("!H", kind) + head + bytes([0x31, vrid, priority, 1]) + bytes(20)
    )


def send(namespace: Namespace, interface: str, *frames: bytes) -> None:
    with namespace.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
        sender.bind((interface, 0))
        for each in frames:
            sender.send(each)


@pytest.fixture
def ends() -> Iterator[Tuple[Namespace, Namespace, int]]:
    """Two namespaces, joined twice; of the second, the index of the first cable."""
    left, right = Namespace("left"), Namespace("right")
    try:
        connect(left, "eth0", right, "eth0")
        with right.inside():
            index = socket.if_nametoindex("eth0")
        connect(left, "eth1", right, "eth1")
        for end in (left, right):
            wait_for_carriers(end, ("eth0", "eth1"))
        yield left, right, index
    finally:
        left.remove()
        right.remove()


def heard(tap: Tap, count: int) -> List[Advert]:
    """So many adverts, and all that came with them: a kernel may pass them on a moment later."""
    found, end = tap.adverts(), time.monotonic() + 5
    while len(found) < count and time.monotonic() < end:
        time.sleep(0.01)
        found += tap.adverts()
    return found


def test_it_sees_adverts_both_ways_up_to_an_interface_and_nothing_else(ends):
    left, right, index = ends
    tap = Tap(right, index, 100)
    try:
        send(left, "eth1", frame(vrid=9))
        send(left, "eth0", frame(protocol=17), frame(kind=0x86DD), frame(), frame(8, priority=0))
        assert [each[1:] for each in heard(tap, 2)] == [
            (False, (index, 7), 200),
            (False, (index, 8), 0),
        ]
        send(right, "eth1", frame(vrid=9))
        send(right, "eth0", frame(priority=100))
        assert [each[1:] for each in heard(tap, 1)] == [(True, (index, 7), 100)]
        assert tap.adverts() == []
    finally:
        tap.close()


def test_its_times_are_of_the_day_and_when_they_came(ends):
    left, right, index = ends
    tap = Tap(right, index, 100)
    before_ns = time.time_ns()
    send(left, "eth0", frame())
    try:
        (advert,) = heard(tap, 1)
        assert before_ns <= advert.time_ns <= time.time_ns()
    finally:
        tap.close()


def test_it_goes_round_and_complains_when_nobody_reads(ends):
    left, right, index = ends
    tap = Tap(right, index, 8192)
    try:
        for _turn in range(3):
            send(left, "eth0", *[frame()] * 5000)
            assert len(heard(tap, 5000)) == 5000
        send(left, "eth0", *[frame()] * 9000)
        with pytest.raises(AssertionError, match="too small"):
            heard(tap, 9000)
    finally:
        tap.close()


def test_a_wiring_counts_what_its_master_sent_and_is_gone_at_the_end():
    shape = Shape("some", ONE_INTERFACE, 2, 1.0, ())
    with Wiring(shape) as wiring:
        names = [router.name for router in wiring.routers.values()]
        master = wiring.routers[MASTER]
        before = wiring.sent(MASTER)
        send(master, link_name(0), *[frame()] * 5)
        assert wiring.sent(MASTER) - before == 5
        assert wiring.leftovers(MASTER) == 0
        master.batch("link add vm0 link %s type macvlan" % link_name(0))
        master.batch("addr add %s dev vm0" % shape.groups()[1].address)
        assert wiring.leftovers(MASTER) == 2
        assert wiring.leftovers(BACKUP) == 0
    assert not [name for name in names if (Path("/run/netns") / name).exists()]
