# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two and three routers on one LAN, in one process, on a clock that only the test moves."""

import pytest
from engine_kit.lan import Lan
from engine_kit.values import NS_PER_S, config, group, group6

from vrrp.config.model import RouterConfig
from vrrp.router.events import ConfigReplaced


def ipv4(version: int):
    def make(priority: int, **changes) -> RouterConfig:
        return config(group(priority=priority, version=version, **changes))

    return make


def ipv6(priority: int, **changes) -> RouterConfig:
    return config(group6(priority=priority, **changes))


PROTOCOLS = pytest.mark.parametrize(
    "gateway", (ipv4(2), ipv4(3), ipv6), ids=("v2-ipv4", "v3-ipv4", "v3-ipv6")
)


def two(gateway, **first):
    """A preferred router with priority 200 and one with 100, settled."""
    lan = Lan()
    lan.add("a", gateway(200, **first), 2)
    lan.add("b", gateway(100), 3)
    lan.run(10)
    assert lan.masters() == {"a"}
    return lan


def three(gateway):
    lan = Lan()
    for number, (name, priority) in enumerate((("a", 200), ("b", 150), ("c", 100)), 2):
        lan.add(name, gateway(priority), number)
    lan.run(10)
    return lan


@PROTOCOLS
def test_one_master_comes_out_of_a_common_start(gateway):
    lan = three(gateway)
    assert lan.masters() == {"a"}
    for name in "bc":
        reached = [current for _at, current, _reason in lan.hosts[name].transitions]
        assert reached == ["backup"], "the others were never master"
    assert [name for name, host in lan.hosts.items() if host.holds_addresses] == ["a"]


@PROTOCOLS
def test_a_dead_master_is_replaced_after_its_master_down_interval(gateway):
    lan = two(gateway)
    last_ns = max(at for at, name, _advert in lan.adverts if name == "a")
    lan.kill("a")
    lan.run(10)
    assert lan.masters() == {"b"}
    assert lan.hosts["b"].transitions[-1] == (last_ns + 3_609_375_000, "master", "no-response")


@PROTOCOLS
def test_of_two_backups_the_better_one_takes_over_and_the_other_stays(gateway):
    lan = three(gateway)
    lan.kill("a")
    lan.run(10)
    assert lan.masters() == {"b"}
    assert len(lan.hosts["c"].transitions) == 1
    lan.kill("b")
    lan.run(10)
    assert lan.masters() == {"c"}


@PROTOCOLS
def test_a_stopped_master_is_replaced_after_the_skew_time(gateway):
    lan = two(gateway)
    stopped_ns = lan.now_ns
    lan.stop("a")
    lan.run(1)
    assert lan.masters() == {"b"}
    assert lan.hosts["b"].transitions[-1] == (stopped_ns + 609_375_000, "master", "priority-zero")


@PROTOCOLS
def test_a_preferred_master_comes_back_after_its_preempt_delay_without_a_gap(gateway):
    lan = two(gateway, preempt_delay_cs=1500)
    lan.kill("a")
    lan.run(10)
    assert lan.masters() == {"b"}
    back_ns = lan.now_ns
    lan.add("a", gateway(200, preempt_delay_cs=1500), 2)
    lan.run(15)
    assert lan.masters() == {"b"}, "it waits for its delay"
    lan.run(6)
    assert lan.masters() == {"a"}
    taken_ns, current, reason = lan.hosts["a"].transitions[-1]
    assert (current, reason) == ("master", "lower-priority-master")
    assert 15 * NS_PER_S <= taken_ns - back_ns <= 15 * NS_PER_S + 1 * NS_PER_S + 3_218_750_000
    # In the same instant the other one went back: nobody was missing, nobody was twice.
    assert lan.hosts["b"].transitions[-1] == (taken_ns, "backup", "higher-priority")
    assert (lan.hosts["a"].holds_addresses, lan.hosts["b"].holds_addresses) == (True, False)


@PROTOCOLS
def test_a_master_that_dies_during_the_preempt_delay_is_replaced_in_time(gateway):
    lan = Lan()
    lan.add("b", gateway(100), 3)
    lan.run(10)
    lan.add("a", gateway(200, preempt_delay_cs=6000), 2)
    lan.run(10)
    assert lan.masters() == {"b"}
    last_ns = max(at for at, name, _advert in lan.adverts if name == "b")
    lan.kill("b")
    lan.run(10)
    assert lan.hosts["a"].transitions[-1] == (last_ns + 3_218_750_000, "master", "no-response")


@PROTOCOLS
def test_without_preempt_the_better_router_stays_backup(gateway):
    lan = Lan()
    lan.add("b", gateway(100), 3)
    lan.run(10)
    lan.add("a", gateway(200, preempt=False), 2)
    lan.run(60)
    assert lan.masters() == {"b"}


@PROTOCOLS
def test_a_split_lan_has_two_masters_and_a_healed_one_has_one(gateway):
    lan = two(gateway)
    lan.cut = {"a"}
    lan.run(10)
    assert lan.masters() == {"a", "b"}
    lan.cut = set()
    lan.run(1)
    assert lan.masters() == {"a"}
    assert lan.hosts["b"].transitions[-1][1:] == ("backup", "higher-priority")


@PROTOCOLS
def test_equal_priorities_are_decided_by_the_higher_address_after_a_split(gateway):
    lan = Lan()
    lan.add("low", gateway(100), 2)
    lan.add("high", gateway(100), 3)
    lan.cut = {"low"}
    lan.run(10)
    assert lan.masters() == {"low", "high"}
    lan.cut = set()
    lan.run(2)
    assert lan.masters() == {"high"}
    lan.run(60)
    assert lan.masters() == {"high"}


@PROTOCOLS
def test_a_lowered_priority_hands_over_and_a_raised_one_takes_back(gateway):
    lan = two(gateway)
    lan.step("a", ConfigReplaced(gateway(50)))
    lan.run(5)
    assert lan.masters() == {"b"}
    lan.step("a", ConfigReplaced(gateway(200)))
    lan.run(5)
    assert lan.masters() == {"a"}


@PROTOCOLS
def test_a_steady_lan_hears_one_advert_a_second_and_nothing_else(gateway):
    lan = two(gateway)
    lan.adverts.clear()
    lan.run(1000)
    assert len(lan.adverts) == 1000
    assert {name for _at, name, _advert in lan.adverts} == {"a"}
    times = [at for at, _name, _advert in lan.adverts]
    assert {later - earlier for earlier, later in zip(times, times[1:])} == {NS_PER_S}


def test_sub_second_failover_of_version_3():
    lan = two(ipv4(3), advertisement_interval_cs=10)
    lan.kill("a")
    killed_ns = lan.now_ns
    lan.run(1)
    # The backup has learned the master's interval, although its own is a second.
    assert lan.masters() == {"b"}
    assert lan.hosts["b"].transitions[-1][0] - killed_ns <= 360_937_500


def test_groups_of_a_lan_are_shared_and_fail_over_one_by_one():
    def both(first, second):
        return config(
            group("one", vrid=1, priority=first),
            group("two", vrid=2, priority=second, addresses=("198.18.10.253",)),
        )

    lan = Lan()
    lan.add("a", both(200, 100), 2)
    lan.add("b", both(100, 200), 3)
    lan.run(10)

    def states(name):
        return [each.state.value for each in lan.hosts[name].router.bound_routers()]

    assert (states("a"), states("b")) == (["master", "backup"], ["backup", "master"])
    lan.kill("b")
    lan.run(10)
    assert states("a") == ["master", "master"]
