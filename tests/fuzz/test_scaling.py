# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No decoder takes time with the square of its input.

Sizes are compared, not times: eight times the input may take 32 times as long, four times what is
fair; a square would be 64.
"""

import gc
import io
import json
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import seeds
from engine_kit.histories import configurations, first_links, history
from engine_kit.packets import V2, V3
from engine_kit.values import T0
from fuzz_targets import LISTENERS, OWN_ADDRESSES

from vrrp.config.parse import parse_json
from vrrp.control.schema import MAXIMUM_REQUEST, parse_request
from vrrp.daemon import control_server
from vrrp.errors import ConfigError, ControlError
from vrrp.facts import ReceivedPacket
from vrrp.router.journal import Recorder
from vrrp.router.masks import Masks
from vrrp.router.receive import accept
from vrrp.router.replay import replay
from vrrp.router.vrrp_router import VrrpRouter

FACTOR, ALLOWED = 8, 32
# Shorter than this a clock tells nothing, and all memory is in a cache.
SHORTEST_S = 0.01

ROUTER = {"interface": "lan0", "family": "ipv4", "vrid": 10, "addresses": ["198.18.10.254"]}


def routers(count: int, **more: Callable[[int], Any]) -> str:
    each = [
        {"name": "r%d" % number, **ROUTER, **{key: value(number) for key, value in more.items()}}
        for number in range(count)
    ]
    return json.dumps({"virtual_routers": each})


def one(**more: Any) -> str:
    return json.dumps({"virtual_routers": [{"name": "r", **ROUTER, **more}]})


DOCUMENTS: Dict[str, Callable[[int], str]] = {
    "routers that are all alike": lambda n: routers(n, name=lambda _number: "same"),
    "routers of one VRID": routers,
    "routers on interfaces of their own": lambda n: routers(
        n, interface=lambda number: "i%d" % number
    ),
    "routers that are no objects": lambda n: json.dumps({"virtual_routers": list(range(n))}),
    "addresses": lambda n: one(addresses=["10.%d.%d.1" % divmod(i, 256) for i in range(n)]),
    "one address": lambda n: one(addresses=["198.18.10.254"] * n),
    "bad addresses": lambda n: one(addresses=["nowhere"] * n),
    "unknown keys": lambda n: one(**{"key%d" % number: number for number in range(n)}),
    "one key": lambda n: "{" + ",".join(['"trackers":[]'] * n) + "}",
    "a long name": lambda n: one(name="x" * n * 100),
    "a long key": lambda n: one(**{"x" * n * 100: 1}),
    "a long interval": lambda n: one(advertisement_interval="0." + "1" * n * 100 + "s"),
    "a long number": lambda n: one(vrid=0).replace("0", "1" * n * 100, 1),
    "a long address": lambda n: one(addresses=["1." * n * 100]),
    "a deep list": lambda n: "[" * n * 100,
    "references": lambda n: one(track=[{"tracker": "t%d" % i} for i in range(n)]),
    "trackers": lambda n: json.dumps(
        {"trackers": [{"name": "t", "kind": "link", "interface": "a"}] * n}
    ),
    "a sync group": lambda n: json.dumps(
        {
            "virtual_routers": [{"name": "r%d" % i, **ROUTER} for i in range(n)],
            "sync_groups": [{"name": "all", "members": ["r%d" % i for i in range(n)]}],
        }
    ),
    "sync groups of unknown members": lambda n: json.dumps(
        {
            "virtual_routers": [{"name": "r%d" % i, **ROUTER} for i in range(n)],
            "sync_groups": [
                {"name": "g%d" % i, "members": ["a%d" % i, "b%d" % i]} for i in range(n)
            ],
        }
    ),
    "sync groups of the same members": lambda n: json.dumps(
        {
            "virtual_routers": [{"name": "r%d" % i, **ROUTER} for i in range(2)],
            "sync_groups": [{"name": "g%d" % i, "members": ["r0", "r1"]} for i in range(n)],
        }
    ),
    "unknown references": lambda n: json.dumps(
        {
            "virtual_routers": [
                {"name": "r%d" % i, **ROUTER, "track": [{"tracker": "u%d" % i}]} for i in range(n)
            ],
            "trackers": [
                {"name": "t%d" % i, "kind": "link", "interface": "eth0"} for i in range(n)
            ],
        }
    ),
    "targets": lambda n: json.dumps(
        {"trackers": [{"name": "t", "kind": "ping", "targets": ["10.0.0.1"] * n}]}
    ),
}


def seconds(work: Callable[[], Any], tries: int) -> float:
    """The least of a few tries: what else the machine does only adds. Without the collector, which
    looks at everything that the tests before have left."""
    taken = []
    gc.disable()
    try:
        for _try in range(tries):
            begin = time.process_time()
            work()
            taken.append(time.process_time() - begin)
    finally:
        gc.enable()
    return min(taken)


def assert_scales(make: Callable[[int], Callable[[], Any]]) -> None:
    """make gives the work for a size. The size grows until it can be measured."""
    size = 64
    while size < 1 << 15 and seconds(make(size), 1) < SHORTEST_S:
        size *= 2
    small, large = seconds(make(size), 3), seconds(make(size * FACTOR), 2)
    assert large <= max(small, SHORTEST_S) * ALLOWED, "%d: %.1f ms, %d: %.1f ms" % (
        size,
        small * 1e3,
        size * FACTOR,
        large * 1e3,
    )


def test_a_square_is_found():
    with pytest.raises(AssertionError, match="ms"):
        assert_scales(lambda size: lambda: [number in [-1] * size for number in range(size)])


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
def test_a_document(kind):
    def make(size):
        text = DOCUMENTS[kind](size)

        def work():
            try:
                parse_json(text)
            except ConfigError as error:
                str(error)

        return work

    assert_scales(make)


@pytest.mark.parametrize(
    "line",
    [
        lambda n: b'{"v":1,"id":%s}' % (b"1" * n * 100),
        lambda n: b'{"v":1,"params":{%s}}' % b",".join(b'"k%d":0' % i for i in range(n)),
        lambda n: b"{%s}" % b",".join(b'"k%d":0' % i for i in range(n)),
        lambda n: b"[" * n * 100,
        lambda n: b"\xff" * n * 100,
        lambda n: b'"' + b"\\u0000" * n,
    ],
)
def test_a_request(line):
    def make(size):
        text = line(size)

        def work():
            try:
                parse_request(text)
            except ControlError as error:
                str(error)

        return work

    assert_scales(make)


@pytest.mark.parametrize("octets_at_once", [1, 7, 4096])
def test_a_line_in_pieces(octets_at_once):
    """Without a socket, which would take most of the time."""

    def make(size):
        line = b"x" * min(size * 100, MAXIMUM_REQUEST)

        def work():
            client = control_server._Client(None)
            for at in range(0, len(line), octets_at_once):
                client.received += line[at : at + octets_at_once]
                assert not client.find_line()

        return work

    assert_scales(make)


def test_lines_in_one_piece():
    def make(size):
        def work():
            client = control_server._Client(None)
            client.received += b"{}\n" * size
            while client.find_line():
                client.take_line()

        return work

    assert_scales(make)


@pytest.mark.parametrize("packet", [V3, V2, V3.but(checksum_error=1), V3.but(count=255)])
def test_a_packet(packet):
    """At most 64 KiB ever, but the work for one should not stand out."""

    def lookup(_ifindex, family, vrid):
        return LISTENERS.get((family, vrid))

    def make(size):
        octets = packet.but(tail=bytes(min(size, 8000))).octets() + bytes(max(0, size - 8000))

        def work():
            for _time in range(20):
                accept(ReceivedPacket(7, octets), OWN_ADDRESSES, lookup)
                Masks().packet(octets)

        return work

    assert_scales(make)


def test_a_journal():
    def make(size):
        router = VrrpRouter(configurations()[0], first_links(), T0)
        recorder = Recorder(router, Masks())
        lines = list(recorder.beginning(T0))
        for event, now_ns in history(1, size):
            lines.append(recorder.step(event, now_ns, router.step(event, now_ns)))
        text = "".join(lines)
        return lambda: replay(io.StringIO(text, newline="\n"))

    assert_scales(make)


def test_the_seeds_are_small():
    """Or the fuzzer would spend its time on them."""
    for target in ("packets", "config", "control", "journal"):
        assert all(len(data) < 32768 for data in seeds.seeds(target))
