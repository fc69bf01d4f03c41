# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Echo probes against hosts that answer, are silent, or cannot be reached."""

from __future__ import annotations

import contextlib
import select
import time
from typing import Iterator, List

import pytest
from hosts import packed
from namespaces import LAN, WAN, Site

from vrrp.config.model import TrackerConfig, TrackerKind
from vrrp.facts import ProbeResult
from vrrp.linux.probes import PingProber

FAR = "198.51.100.2"
FAR6 = "2001:db8:f::2"
NOBODY = "198.51.100.99"


def tracker(*targets: str, name: str = "uplink", interface: str = "") -> TrackerConfig:
    """A tracker with a short interval."""
    return TrackerConfig(
        name=name,
        kind=TrackerKind.PING,
        interface=interface,
        targets=tuple(packed(target) for target in targets),
        interval_cs=20,
        timeout_cs=20,
    )


@contextlib.contextmanager
def prober(site: Site, *trackers: TrackerConfig) -> Iterator[PingProber]:
    """A prober in the router; the whole test runs inside, as sockets are opened when needed."""
    with site.router.inside():
        opened = PingProber()
        opened.configure(trackers, time.monotonic_ns())
        try:
            yield opened
        finally:
            opened.close()


def results(opened: PingProber, count: int) -> List[ProbeResult]:
    """The next results, with waiting only as long as the prober says."""
    found: List[ProbeResult] = []
    give_up = time.monotonic() + 5
    while len(found) < count:
        assert time.monotonic() < give_up, "only %s" % found
        found += opened.poll(time.monotonic_ns())
        deadline_ns = opened.deadline_ns()
        assert deadline_ns is not None
        left = max(0.0, (deadline_ns - time.monotonic_ns()) / 1e9)
        if len(found) < count:
            select.select(opened.filenos(), (), (), left)
    return found


@pytest.mark.parametrize("target", [FAR, FAR6])
@pytest.mark.parametrize("interface", ["", WAN])
def test_an_answer_is_a_success(site: Site, target: str, interface: str) -> None:
    with prober(site, tracker(target, interface=interface)) as opened:
        for result in results(opened, 3):
            assert result == ProbeResult("uplink", True, "answer from " + target)


def test_one_answer_of_many_is_enough(site: Site) -> None:
    with prober(site, tracker(NOBODY, FAR)) as opened:
        assert all(result.ok for result in results(opened, 3))


def test_silence_is_a_failure_after_the_timeout(site: Site) -> None:
    site.router.ip("neigh", "add", NOBODY, "lladdr", "02:00:00:00:00:01", "dev", WAN)
    with prober(site, tracker(NOBODY)) as opened:
        started = time.monotonic()
        (result,) = results(opened, 1)
        assert result == ProbeResult("uplink", False, "no answer from " + NOBODY)
        assert 0.2 <= time.monotonic() - started < 1.0


def test_no_route_is_a_failure_at_once(site: Site) -> None:
    with prober(site, tracker("203.0.113.1"), tracker("2001:db8:dead::1", name="six")) as opened:
        found = {result.tracker: result for result in opened.poll(time.monotonic_ns())}
        assert not found["uplink"].ok and not found["six"].ok
        assert found["uplink"].detail == "203.0.113.1: Network is unreachable"


def test_the_probe_leaves_by_the_interface_or_not_at_all(site: Site) -> None:
    """The far host is reached by WAN: asked through LAN nobody answers."""
    with prober(site, tracker(FAR, interface=LAN)) as opened:
        assert not results(opened, 1)[0].ok


def test_an_interface_that_is_missing_and_comes(site: Site) -> None:
    with prober(site, tracker(FAR, interface="later0")) as opened:
        (result,) = results(opened, 1)
        assert (result.ok, result.detail) == (False, FAR + " by later0: No such device")
        site.router.ip("link", "set", WAN, "down")
        site.router.ip("link", "set", WAN, "name", "later0")
        site.router.ip("link", "set", "later0", "up")
        assert any(result.ok for result in results(opened, 5))


def test_failure_and_recovery_of_the_uplink(site: Site) -> None:
    with prober(site, tracker(FAR)) as opened:
        assert results(opened, 1)[0].ok
        site.far.ip("addr", "flush", "dev", "eth0")
        assert not results(opened, 2)[1].ok
        site.far.ip("addr", "add", FAR + "/24", "dev", "eth0")
        assert any(result.ok for result in results(opened, 5))


def test_another_programs_answers_are_not_ours(site: Site) -> None:
    site.router.ip("neigh", "add", NOBODY, "lladdr", "02:00:00:00:00:01", "dev", WAN)
    with prober(site, tracker(NOBODY)) as opened:
        opened.poll(time.monotonic_ns())
        site.router.run("ping", "-c2", "-i0.01", "-W2", FAR)
        assert not results(opened, 1)[0].ok


def test_an_unchanged_tracker_goes_on_undisturbed(site: Site) -> None:
    with prober(site, tracker(FAR)) as opened:
        opened.poll(time.monotonic_ns())
        before = opened.deadline_ns()
        link = TrackerConfig(name="port", kind=TrackerKind.LINK, interface=WAN)
        opened.configure([tracker(FAR), link], time.monotonic_ns())
        assert opened.deadline_ns() == before
        assert {result.tracker for result in results(opened, 3)} == {"uplink"}
        opened.configure([link], time.monotonic_ns())
        assert opened.deadline_ns() is None
        assert opened.filenos() == ()
