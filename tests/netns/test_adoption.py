# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon that dies and is there again: nobody notices. One that stays dead: its addresses go.

The test does what systemd does: `vlangate cleanup --after-crash` when a daemon has ended, then the
next one.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from typing import Dict, Iterator, List, Set

import pytest
from daemons import Daemon
from gateways import NAMES, Gateway, Pair, all_are, document, held
from namespaces import LAN
from probing import Prober
from taps import Tap

TARGETS = ("198.51.100.2", "2001:db8:f::2", "10.0.0.254")
ROUNDS = 5
NS_PER_S = 1_000_000_000


def config(priority: int, interval_cs: int) -> Dict[str, object]:
    return document(priority, advertisement_interval_cs=interval_cs)


def begin(pair: Pair, interval_cs: int) -> Daemon:
    """The first one is master of everything; the daemon of the second."""
    pair.first.start(config(240, interval_cs)).wait_for_state(**dict.fromkeys(NAMES, "master"))
    return pair.second.start(config(220, interval_cs))


def daemon_of(gateway: Gateway) -> Daemon:
    assert gateway.daemon is not None
    return gateway.daemon


def transitions(daemon: Daemon) -> List[str]:
    shown = daemon.show()["routers"]
    return ["%(previous)s>%(current)s" % past for each in shown for past in each["transitions"]]


def test_a_killed_daemon_is_there_again_before_anybody_misses_it(pair: Pair) -> None:
    second = begin(pair, interval_cs=100)
    prober = Prober(pair.client, *TARGETS)
    taps = [Tap(pair.switch.namespace, port) for port in pair.switch.router_ports()]
    silences_ms = []
    for _round in range(ROUNDS):
        prober.wait_until_steady()
        prober.begin()
        with real_time():
            pair.first.kill()
            assert pair.first.clean_up("--after-crash").wait(60) == 0
            first = pair.first.start(config(240, 100))
        assert all_are("master", first), first.log()
        silences_ms.append(adopted(first, len(NAMES)))
        time.sleep(0.2)
        lost = prober.lost()
        assert lost == dict.fromkeys(TARGETS, 0), first.log()
    print("silent for %s ms in %d rounds, nothing lost" % (silences_ms, ROUNDS))
    assert transitions(second) == ["initialize>backup"] * len(NAMES)
    assert sum(tap.releases() for tap in taps) == 0
    prober.close()
    for tap in taps:
        tap.close()


@contextlib.contextmanager
def real_time() -> Iterator[None]:
    """What is started here is so from its beginning, as what the unit of the service starts."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(20))
    except PermissionError:
        yield  # a container without a share of real time
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def adopted(daemon: Daemon, count: int) -> int:
    """For how many ms the log says that they were silent."""
    found = re.search(r"adopted (\d+) virtual routers, silent for (\d+) ms", daemon.log())
    assert found is not None and int(found[1]) == count, daemon.log()
    return int(found[2])


@pytest.mark.parametrize("is_fenced", (True, False), ids=("fenced", "left alone"))
@pytest.mark.parametrize("interval_cs", (100, 20), ids=("1s", "200ms"))
def test_who_stays_dead_has_no_address_after_the_lease(
    pair: Pair, interval_cs: int, is_fenced: bool
) -> None:
    second = begin(pair, interval_cs)
    second.wait_for_state(**dict.fromkeys(NAMES, "backup"))
    assert len(held(pair.first)) == 6
    died_ns = time.monotonic_ns()
    pair.first.kill()
    if is_fenced:
        assert pair.first.clean_up("--after-crash").wait(60) == 0
    lease_s = max(1, -(-3 * interval_cs // 100))
    while held(pair.first):
        after_s = (time.monotonic_ns() - died_ns) / NS_PER_S
        # The kernel looks for addresses that have expired up to a second late.
        assert after_s < lease_s + 1.5, "still there: %s" % held(pair.first)
        time.sleep(0.02)
    gone_s = (time.monotonic_ns() - died_ns) / NS_PER_S
    print("gone after %.2f s, with a lease of %d s" % (gone_s, lease_s))
    second.wait_for_state(**dict.fromkeys(NAMES, "master"))
    assert len(held(pair.second)) == 6 and held(pair.first) == []


def test_what_was_given_a_short_life_lives_on_when_it_is_adopted(pair: Pair) -> None:
    """Without leases, too: then it is for ever again."""
    wanted = {**config(240, 100), "leases": "off"}
    pair.first.start(wanted).wait_for_state(**dict.fromkeys(NAMES, "master"))
    assert lives(pair.first) == {"forever"}
    with real_time():
        pair.first.kill()
        assert pair.first.clean_up("--after-crash").wait(60) == 0
        assert "forever" not in lives(pair.first)
        first = pair.first.start(wanted)
    adopted(first, len(NAMES))
    assert lives(pair.first) == {"forever"}
    assert len(held(pair.first)) == 6


def lives(gateway: Gateway) -> Set[str]:
    """How long its virtual addresses live, in the kernel's words."""
    shown = gateway.namespace.ip("-o", "addr", "show")
    return set(re.findall(r"vg-\S+ .*valid_lft (\S+)", shown))


def test_who_comes_too_late_starts_anew(pair: Pair) -> None:
    second = begin(pair, interval_cs=20)
    pair.first.kill()
    second.wait_for_state(**dict.fromkeys(NAMES, "master"))
    first = pair.first.start(document(240, advertisement_interval_cs=20, preempt=False))
    assert "adopted" not in first.log()
    assert all_are("backup", first) and held(pair.first) == [], "what is left goes at once"
    assert all_are("master", second)


def test_who_is_killed_while_it_hands_over_is_no_master(pair: Pair) -> None:
    first = pair.first.start(config(240, 100))
    first.wait_for_state(**dict.fromkeys(NAMES, "master"))
    first.process.send_signal(signal.SIGTERM)
    end_s = time.monotonic() + 5
    while "master -> initialize" not in first.log():
        assert time.monotonic() < end_s, first.log()
        time.sleep(0.01)
    pair.first.kill()
    assert held(pair.first) != [], "it was still leaving"
    first = pair.first.start(config(240, 100))
    assert "adopted" not in first.log()
    assert held(pair.first) == []


def test_a_changed_configuration_is_adopted_in_part(pair: Pair) -> None:
    """What the file no longer has goes, what it has another address for keeps its role."""
    first = pair.first.start(config(240, 100))
    first.wait_for_state(**dict.fromkeys(NAMES, "master"))
    pair.first.kill()
    changed = config(240, 100)
    routers = {each["name"]: each for each in changed["virtual_routers"]}  # type: ignore
    del routers["wan4"]
    routers["lan4"]["addresses"] = ["10.0.0.254", "10.0.0.250"]
    routers["lan6"]["name"] = "renamed"
    changed["virtual_routers"] = list(routers.values())
    first = pair.first.start(changed)
    adopted(first, 3)
    assert "10.0.0.250" in held(pair.first) and "198.51.100.254" not in held(pair.first)
    links = pair.first.namespace.ip("-br", "link")
    assert "vg-renamed@%s" % LAN in links and "vg-wan4" not in links


def test_nothing_is_left_of_virtual_routers_that_nobody_wants_any_more(pair: Pair) -> None:
    first = pair.first.start(config(240, 100))
    first.wait_for_state(**dict.fromkeys(NAMES, "master"))
    pair.first.kill()
    pair.first.start({"format": 1, "virtual_routers": []})
    assert "vg-" not in pair.first.namespace.ip("-br", "link")


def test_after_a_clean_end_fencing_leaves_nothing(pair: Pair) -> None:
    first = pair.first.start(config(240, 20))
    first.wait_for_state(**dict.fromkeys(NAMES, "master"))
    assert first.stop() == 0
    assert pair.first.clean_up("--after-crash").wait(60) == 0
    assert "vg-" not in pair.first.namespace.ip("-br", "link")
