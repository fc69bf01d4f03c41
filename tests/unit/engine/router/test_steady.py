# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The short ways of steady masters and backups do what the long ones do."""

import pytest
from engine_kit.driver import Driver
from engine_kit.histories import configurations, first_links, history
from engine_kit.packets import V3
from engine_kit.values import NS_PER_S, T0, config, group

from vrrp.fsm.virtual_router import VirtualRouter
from vrrp.router import bound_router
from vrrp.router.events import ConfigReplaced, PacketReceived, PacketsReceived, Stop, Tick
from vrrp.router.vrrp_router import VrrpRouter

SEEDS = range(12)


class Nothing(dict):
    """Keeps nothing."""

    def __setitem__(self, key, value):
        pass


def told(seed, has_short_ways, monkeypatch):
    """What a router did in a history, when it wanted to be woken, and what it counted."""
    with monkeypatch.context() as patch:
        router = VrrpRouter(configurations()[0], first_links(), T0)
        if not has_short_ways:
            router._steady = Nothing()
            patch.setattr(VirtualRouter, "hears_again", lambda *_: False)
        done = []
        for event, now_ns in history(seed, 400):
            # Whoever advertises does so again and again.
            for again in (event,) * (3 if isinstance(event, PacketReceived) else 1):
                done.append((router.step(again, now_ns), router.deadline_ns))
        counters = [bound.counters for bound in router.bound_routers()]
        return done, counters


@pytest.mark.parametrize("seed", SEEDS)
def test_any_history_is_the_same_by_the_short_and_the_long_way(seed, monkeypatch):
    short, long = (told(seed, each, monkeypatch) for each in (True, False))
    assert short[0] == long[0]
    assert short[1] == long[1]


def test_those_histories_go_the_short_ways(monkeypatch):
    """Otherwise the test above proves nothing."""
    heard, said = [], []
    hears = bound_router.BoundRouter.hears_again
    advertises = VrrpRouter._advertise_again
    monkeypatch.setattr(
        bound_router.BoundRouter,
        "hears_again",
        lambda *words: heard.append(hears(*words)) or heard[-1],
    )
    monkeypatch.setattr(
        VrrpRouter, "_advertise_again", lambda *words: said.append(advertises(*words))
    )
    for seed in SEEDS:
        told(seed, True, monkeypatch)
    assert heard.count(True) > 20
    assert len(said) > 10


def test_a_burst_is_as_one_after_the_other():
    packets = (V3, V3.but(priority=0), V3.but(priority=200), V3, V3.but(vrid=99), V3)
    received = tuple(each.received(7) for each in packets)
    one, other = Driver(config(group(priority=150))), Driver(config(group(priority=150)))
    now_ns = T0 + NS_PER_S
    for packet in packets:
        one.hear(packet, now_ns=now_ns)
    other.step(PacketsReceived(received), now_ns)
    assert one.router.deadline_ns == other.router.deadline_ns
    (left,), (right,) = one.router.bound_routers(), other.router.bound_routers()
    assert left.counters == right.counters
    assert one.router.counters == other.router.counters == {"vrid-errors": 1}


def steady_driver():
    driver = Driver(config(group()))
    driver.run_to_master()
    for _time in range(8):
        driver.step(Tick(), driver.router.deadline_ns)
    return driver


@pytest.mark.parametrize(
    "event", (Stop(), ConfigReplaced(config(group(priority=90)))), ids=("stop", "another priority")
)
def test_what_happens_ends_it(event):
    driver = steady_driver()
    assert driver.router._steady, "it is steady until then"
    driver.step(event, driver.router.deadline_ns - 1)
    assert driver.router._steady == {}


def test_another_packet_of_a_lesser_router_ends_it_for_one_advertisement():
    driver = steady_driver()
    (before,) = driver.router._steady.values()
    driver.hear(V3.but(priority=50), now_ns=driver.router.deadline_ns - 1)
    after = driver.router._steady.get(before.bound.id)
    assert after is not before
