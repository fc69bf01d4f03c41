# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon that is held up: stopped, without a processor, without memory. Never two owners for
long, and the role does not go to and fro."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import Callable, Iterator, List, Tuple

import pytest
from cages import cage
from daemons import Daemon
from gateways import NAMES, Pair, all_are, document, held
from namespaces import Namespace, connect
from probing import Prober
from taps import Tap, advertised_gaps_ns

from tests.harness import stalls

STOPPED_S = 5.0
# A lease is of whole seconds, and the kernel looks for those that are over a little later.
LEASE_S, LATE_S = 3, 1.0
HOG = "while True: pass"
MEMORY = 96 << 20
DEVICES = 60
# Waits until it is in its cage, and then takes what there is.
GREEDY = "import sys; sys.stdin.read(); held = [bytearray(1 << 20) for _ in range(10000)]"


def begin(pair: Pair, interval_cs: int, preempt: bool = True) -> Tuple[Daemon, Daemon]:
    """Both run; the first one is master of all."""
    more = {"advertisement_interval_cs": interval_cs, "preempt": preempt}
    first = pair.first.start(document(240, **more))
    first.wait_for_state(**dict.fromkeys(NAMES, "master"))
    second = pair.second.start(document(220, **more))
    second.wait_for(
        lambda shown: all(each["master_priority"] == 240 for each in shown["routers"]), "a master"
    )
    return first, second


def changes(daemon: Daemon, name: str = "lan4") -> List[str]:
    """The roles that a virtual router went through."""
    return [past["current"] for past in daemon.router(name)["transitions"]]


@pytest.mark.parametrize("preempt", [True, False], ids=["preempting", "not preempting"])
def test_a_stopped_master_loses_its_addresses_and_yields_when_it_goes_on(
    pair: Pair, preempt: bool
) -> None:
    first, second = begin(pair, 100, preempt)
    stopped_s = time.monotonic()
    first.process.send_signal(signal.SIGSTOP)
    gone_s, both_s = 0.0, 0.0
    while time.monotonic() < stopped_s + STOPPED_S:
        before_s = time.monotonic()
        owners = [bool(held(gateway)) for gateway in (pair.first, pair.second)]
        time.sleep(0.02)
        if all(owners):
            both_s += time.monotonic() - before_s
        if not owners[0] and not gone_s:
            gone_s = before_s - stopped_s
    print("addresses gone %.2f s after SIGSTOP, two owners for %.2f s" % (gone_s, both_s))
    assert 0 < gone_s <= LEASE_S + LATE_S
    assert both_s <= LATE_S
    assert all_are("master", second)
    first.process.send_signal(signal.SIGCONT)
    if preempt:
        first.wait_for_state(**dict.fromkeys(NAMES, "master"))
        assert changes(first) == ["backup", "master", "backup", "master"]
        second.wait_for_state(**dict.fromkeys(NAMES, "backup"))
        assert changes(second) == ["backup", "master", "backup"]
    else:
        first.wait_for_state(**dict.fromkeys(NAMES, "backup"))
        assert changes(first) == ["backup", "master", "backup"]
        assert all_are("master", second) and changes(second) == ["backup", "master"]
    for name in NAMES:
        reasons = [past["reason"] for past in first.router(name)["transitions"]]
        assert reasons[2] == "stalled", "it stepped back by itself: %s" % reasons


def test_a_master_that_is_alone_goes_on_after_it_was_stopped(pair: Pair) -> None:
    """Its addresses were taken from it, and nobody else has them."""
    first = pair.first.start(document(240, advertisement_interval_cs=100))
    first.wait_for_state(**dict.fromkeys(NAMES, "master"))
    first.process.send_signal(signal.SIGSTOP)
    end_s = time.monotonic() + LEASE_S + LATE_S + 1
    while held(pair.first):
        assert time.monotonic() < end_s, "the lease has no end"
        time.sleep(0.05)
    first.process.send_signal(signal.SIGCONT)
    end_s = time.monotonic() + 10
    while len(held(pair.first)) < 6:
        assert time.monotonic() < end_s, "put back: %s" % held(pair.first)
        time.sleep(0.01)
    assert changes(first) == ["backup", "master"]


def test_busy_processors_move_no_role(pair: Pair) -> None:
    """Twice as many loops as processors, at ten advertisements a second."""
    first, second = begin(pair, 10)
    assert os.sched_getscheduler(first.process.pid) == os.SCHED_RR, "as the service runs"
    prober = Prober(pair.client, "198.51.100.2", "10.0.0.254")
    tap = Tap(pair.switch.namespace, pair.switch.router_ports()[0])
    with processes(2 * (os.cpu_count() or 1), HOG):
        time.sleep(5)
    assert changes(first) == ["backup", "master"] and changes(second) == ["backup"]
    assert tap.releases() == 0
    tap.close()
    prober.close()


def test_who_keeps_the_kernel_busy_delays_no_advertisement(
    pair: Pair, namespace: Callable[[str], Namespace]
) -> None:
    """The kernel has one lock for the links and addresses of all namespaces, and each removal of a
    device holds it for milliseconds. Leases are renewed all the while, in a queue for that lock."""
    first, second = begin(pair, 10)
    tap = Tap(pair.switch.namespace, pair.switch.router_ports()[0])
    begun_ns = time.monotonic_ns()
    busy = namespace("busy")
    names = ["m%d" % number for number in range(DEVICES)]
    connect(busy, "eth0", namespace("other"), "eth0")
    made = "link add link eth0 name %s up type macvlan mode bridge"
    for _round in range(8):
        busy.batch(*(made % each for each in names))
        busy.batch(*("link del %s" % each for each in names))
    gaps = [gap for found in advertised_gaps_ns(tap).values() for gap in found]
    print("%d gaps, %.1f ms at most" % (len(gaps), max(gaps) / 1e6))
    # None is missed; how long a processor takes for a removal is its own affair.
    assert len(gaps) > 100 and max(gaps) < 200_000_000 + stalls.late_ns(begun_ns)
    assert changes(first) == ["backup", "master"] and changes(second) == ["backup"]
    assert len(held(pair.first)) == 6
    tap.close()


@pytest.mark.kernel("memory_limits")
def test_a_host_without_memory_kills_others_first(pair: Pair) -> None:
    """Somebody who wants all memory is killed again and again. The unit asks for OOMScoreAdjust
    besides, which not every host lets a test do. What is read from the disk anew takes time."""
    first, second = begin(pair, 50)
    with cage(MEMORY) as shared:
        shared.put(first.process.pid)
        for _round in range(3):
            greedy = subprocess.Popen([sys.executable, "-c", GREEDY], stdin=subprocess.PIPE)
            shared.put(greedy.pid)
            greedy.communicate(b"go")
            assert greedy.returncode == -signal.SIGKILL
            first.show()
    assert changes(first) == ["backup", "master"] and changes(second) == ["backup"]


def test_looking_at_it_costs_no_memory(pair: Pair) -> None:
    first, _second = begin(pair, 10)
    first.show()
    before = first.resident_octets()
    for _round in range(200):
        first.show()
    grown = first.resident_octets() - before
    print("grown by %d KiB over 200 looks" % (grown // 1024))
    assert grown < 1 << 20


@contextlib.contextmanager
def processes(count: int, code: str) -> Iterator[None]:
    """So many of them, for a while."""
    started = [subprocess.Popen([sys.executable, "-c", code]) for _each in range(count)]
    try:
        yield
    finally:
        for each in started:
            each.kill()
            each.wait()
