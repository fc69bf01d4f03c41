# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reload touches what it is about, and nothing else: at 1,000 packets a second, from the wire."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, Iterator, List

import pytest
from daemons import Daemon
from engine_kit.bad_files import bad_files
from gateways import Pair, all_are, document
from namespaces import LAN
from probing import Prober
from taps import Tap, advertised_gaps_ns

from tests.harness import stalls

MANY = 100
INTERVAL_CS = 20
INTERVAL_NS = INTERVAL_CS * 10_000_000
# A deadline is moved by a slot of 20 ms at most once; what is beyond this is lateness, of the
# engine or of the machine (see stalls.py).
LATE_NS = 20_000_000
CHANGED = "g50"
WATCHED = ("10.0.0.101", "10.0.0.150", "10.0.0.200")


@pytest.fixture
def tap(pair: Pair) -> Iterator[Tap]:
    """At the first gateway's port in the LAN."""
    made = Tap(pair.switch.namespace, pair.switch.router_ports()[0])
    yield made
    made.close()


@pytest.fixture
def prober(pair: Pair) -> Iterator[Callable[..., Prober]]:
    made: List[Prober] = []

    def make(*targets: str) -> Prober:
        made.append(Prober(pair.client, *targets))
        return made[-1]

    yield make
    for each in made:
        each.close()


def many() -> Dict[str, Any]:
    """A hundred virtual routers of a LAN, each with an address of its own."""
    return {
        "format": 1,
        "virtual_routers": [
            {
                "name": "g%d" % vrid,
                "interface": LAN,
                "family": "ipv4",
                "vrid": vrid,
                "addresses": ["10.0.0.%d" % (100 + vrid)],
                "priority": 200,
                "advertisement_interval_cs": INTERVAL_CS,
                "accept": True,
            }
            for vrid in range(1, MANY + 1)
        ],
    }


def change(config: Dict[str, Any], **fields: Any) -> Dict[str, Any]:
    """The same with another middle one."""
    for router in config["virtual_routers"]:
        if router["name"] == CHANGED:
            router.update(fields)
    return config


def is_all_master(shown: Dict[str, Any]) -> bool:
    return {each["state"] for each in shown["routers"]} == {"master"}


def test_one_of_a_hundred_changes_and_the_others_do_not_notice(
    pair: Pair, tap: Tap, prober: Callable[..., Prober]
) -> None:
    daemon = pair.first.start(many())
    daemon.wait_for(is_all_master, "mastership of all")
    probes = prober(*WATCHED)
    probes.wait_until_steady()
    tap.forget()
    probes.begin()
    begun_ns = time.monotonic_ns()
    changes: List[Dict[str, Any]] = [
        {"addresses": ["10.0.0.150", "10.0.0.250"]},
        {"addresses": ["10.0.0.150"]},
        {"priority": 190},
        {"name": "renamed"},
        {"preempt_delay_cs": 1500},
    ]
    for fields in changes:
        daemon.reload(change(many(), **fields))
        seen = len(tap.frames())
        while len(tap.frames()) < seen + 2 * MANY:
            time.sleep(INTERVAL_CS / 100)
    assert is_all_master(daemon.show())
    lost = probes.lost()
    gaps = {
        mac: max(found)
        for mac, found in advertised_gaps_ns(tap).items()
        if mac[-1] != int(CHANGED[1:])
    }
    assert len(gaps) == MANY - 1
    late_ns = max(gaps.values()) - INTERVAL_NS
    print("latest advertisement of the others: %.1f ms; lost: %s" % (late_ns / 1e6, lost))
    assert late_ns <= LATE_NS + stalls.late_ns(begun_ns)
    assert lost == dict.fromkeys(WATCHED, 0)
    assert tap.releases() == 0


def test_no_bad_file_changes_anything(pair: Pair, tap: Tap, prober: Callable[..., Prober]) -> None:
    daemon = pair.first.start(document(200, advertisement_interval_cs=10))
    daemon.wait_for(is_all_master, "mastership of all")
    probes = prober("198.51.100.2", "10.0.0.254")
    probes.wait_until_steady()
    tap.forget()
    probes.begin()
    begun_ns = time.monotonic_ns()
    before = what_counts(daemon)
    count = 0
    for bad in bad_files():
        bad.write(daemon.config_file)
        refusal = daemon.refused("do.reload")
        assert bad.unnamed(refusal, daemon.config_file) == [], bad.name
        count += 1
    assert count >= 50
    assert what_counts(daemon) == before
    time.sleep(0.5)  # as long as it took is too short for a second advertisement of each
    late_ns = max(max(found) for found in advertised_gaps_ns(tap).values()) - 100_000_000
    lost = probes.lost()
    print("%d bad files: %.1f ms late at most; lost: %s" % (count, late_ns / 1e6, lost))
    assert lost == {"198.51.100.2": 0, "10.0.0.254": 0}
    assert late_ns <= LATE_NS + stalls.late_ns(begun_ns)


def what_counts(daemon: Daemon) -> List[Any]:
    """Of each virtual router, what no refused reload may change."""
    return [
        (each["name"], each["state"], each["addresses"], each["transitions"][-1]["reason"])
        for each in daemon.show()["routers"]
    ] + [daemon.show()["engine"]["config_sha256"]]


def test_a_member_joins_a_sync_group_and_nothing_is_lost(
    pair: Pair, tap: Tap, prober: Callable[..., Prober]
) -> None:
    """keepalived takes the whole group down for three seconds here."""
    first, second = (
        gateway.start(grouped(priority, "lan4", "wan4"))
        for gateway, priority in ((pair.first, 200), (pair.second, 100))
    )
    names = ("lan4", "wan4", "lan6", "wan6")
    first.wait_for(is_all_master, "mastership of all")
    second.wait_for(lambda _shown: all_are("backup", second, names=names), "a backup")
    probes = prober("198.51.100.2", "2001:db8:f::2", "10.0.0.254", "2001:db8:a::254")
    probes.wait_until_steady()
    tap.forget()
    probes.begin()
    # Backups first, as a roll-out does.
    for members in (("lan4", "wan4", "lan6"), ("lan4", "wan4", "lan6", "wan6"), ("lan4", "lan6")):
        for daemon, priority in ((second, 100), (first, 200)):
            daemon.reload(grouped(priority, *members))
    lost = probes.lost()
    print("lost: %s" % lost)
    assert max(lost.values()) == 0
    assert all_are("master", first, names=names)
    assert all_are("backup", second, names=names)
    assert tap.releases() == 0


def test_a_new_member_follows_its_group(pair: Pair, prober: Callable[..., Prober]) -> None:
    """A virtual router that was not there before is master as soon as its group is."""
    routers = document(200)["virtual_routers"]
    without = {"format": 1, "virtual_routers": routers[:3]}
    without["sync_groups"] = [{"name": "both", "members": ["lan4", "wan4"]}]
    daemon = pair.first.start(without)
    daemon.wait_for(is_all_master, "mastership of all")
    probes = prober("198.51.100.2", "10.0.0.254")
    probes.wait_until_steady()
    probes.begin()
    daemon.reload(grouped(200, "lan4", "wan4", "wan6"))
    assert all_are("master", daemon, names=("lan4", "lan6", "wan4", "wan6"))
    assert daemon.router("wan6")["transitions"][-1]["reason"] == "sync-group"
    assert probes.lost() == {"198.51.100.2": 0, "10.0.0.254": 0}


def grouped(priority: int, *members: str) -> Dict[str, Any]:
    """The usual virtual routers, some of which move together."""
    config = document(priority)
    config["sync_groups"] = [{"name": "both", "members": list(members)}]
    return config
