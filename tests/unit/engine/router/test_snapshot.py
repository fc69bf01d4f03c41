# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of show.routers: exactly what docs/control.md promises."""

import json
import re
from pathlib import Path

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V3
from engine_kit.values import NS_PER_S, T0, config, group, group6, link, ping

from vrrp.config.model import LeaseMode
from vrrp.facts import Repair
from vrrp.fsm.states import State
from vrrp.router.events import Repaired, Stop
from vrrp.router.snapshot import snapshot

DOCS = Path(__file__).resolve().parents[4] / "docs" / "control.md"
(EXAMPLE,) = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
PROMISED = json.loads(EXAMPLE)


def shown(driver: Driver):
    """As a client sees it."""
    return json.loads(json.dumps(snapshot(driver.router, driver.now_ns)))


def stories():
    waiting = Driver(config(group()), links=())
    backup = Driver(config(group()))
    backup.hear(V3.but(priority=200), now_ns=T0 + NS_PER_S)
    ours = master(config(group(priority=200), trackers=(ping(),)))
    stopped = master(config(group6()))
    stopped.step(Stop())
    return {"waiting": waiting, "backup": backup, "master": ours, "stopped": stopped}


@pytest.mark.parametrize("story", stories())
def test_the_keys_are_the_promised_ones_in_every_state(story):
    document = shown(stories()[story])
    assert set(document) == set(PROMISED) - {"engine"}, "the daemon adds its own part"
    (router,) = document["routers"]
    assert set(router) == set(PROMISED["routers"][0])
    assert set(router["counters"]) == set(PROMISED["routers"][0]["counters"])
    for transition in router["transitions"]:
        assert set(transition) == set(PROMISED["routers"][0]["transitions"][0])
    for tracker in document["trackers"]:
        assert set(tracker) == set(PROMISED["trackers"][0])


def test_the_example_of_the_documentation_is_of_the_right_types():
    (router,) = shown(stories()["master"])["routers"]
    for key, value in PROMISED["routers"][0].items():
        if value is not None:
            assert type(router[key]) is type(value), key


def test_a_master():
    driver = stories()["master"]
    (router,) = shown(driver)["routers"]
    assert (router["name"], router["state"], router["waiting"]) == ("vlan10", "master", None)
    assert (router["priority"], router["effective_priority"]) == (200, 200)
    assert (router["virtual_mac"], router["device"]) == ("00:00:5e:00:01:0a", "vg-vlan10")
    assert (router["master_address"], router["master_priority"]) == ("198.18.10.5", 200)
    assert router["addresses"] == ["198.18.10.254"]
    assert (router["skew_time_ns"], router["master_down_interval_ns"]) == (
        218_750_000,
        3_218_750_000,
    )
    assert router["new_master_reason"] == "no-response"
    assert [each["current"] for each in router["transitions"]] == ["backup", "master"]
    assert router["state_age_ns"] == router["transitions"][-1]["age_ns"]


def test_a_backup_names_the_master_that_it_hears():
    (router,) = shown(stories()["backup"])["routers"]
    assert (router["master_address"], router["master_priority"]) == ("198.18.10.6", 200)
    assert router["new_master_reason"] == "not-master"
    assert router["counters"]["advertisement-rcvd"] == 1
    assert router["checksum_heard"] == "rfc5798"


def test_one_that_waits_says_why():
    (router,) = shown(stories()["waiting"])["routers"]
    assert router["state"] == "initialize"
    assert "lan0 does not exist" in router["waiting"]
    assert router["addresses"] == ["198.18.10.254"]
    assert router["effective_priority"] is None


def only(driver: Driver, *keys: str):
    (router,) = shown(driver)["routers"]
    return tuple(router[key] for key in keys)


def test_one_that_leaves_and_one_that_is_drained_say_so():
    driver = master(config(group()))
    assert only(driver, "drained", "leaving") == (False, False)
    driver.drain("vlan10")
    assert only(driver, "drained", "leaving", "effective_priority") == (True, True, 1)
    driver.hear(V3.but(priority=50))
    assert only(driver, "drained", "leaving") == (True, False)
    driver.drain()
    assert only(driver, "drained", "leaving", "effective_priority") == (False, False, 100)


def test_an_owner_is_not_shown_as_drained():
    driver = master(config(group(priority=255, addresses=("198.18.10.5",))))
    driver.drain("*")
    assert only(driver, "drained", "state") == (False, "master")


def test_a_sync_group_is_shown_by_its_name():
    pair = config(group(), group6(), group("z", vrid=3), sync={"both": ("vlan10", "vlan10-v6")})
    found = {each["name"]: each["sync_group"] for each in shown(Driver(pair))["routers"]}
    assert found == {"vlan10": "both", "vlan10-v6": "both", "z": None}


def test_leases_are_shown():
    assert only(master(config(group())), "lease_s") == (3,)
    assert only(master(config(group(), leases=LeaseMode.OFF)), "lease_s") == (0,)


def test_occurrences_are_shown_oldest_first_with_their_age():
    driver = Driver(config(group()))
    driver.run_to_master()
    driver.step(Repaired((Repair("vg-vlan10", "it was down"),)), driver.now_ns + NS_PER_S)
    (occurrences, counters) = only(driver, "occurrences", "counters")
    assert [each["kind"] for each in occurrences] == ["transition", "transition", "repair"]
    assert [each["age_ns"] for each in occurrences] == [4_609_375_000, NS_PER_S, 0]
    assert occurrences[-1]["sentence"] == "put right in the kernel: it was down"
    assert counters["repairs"] == 1


def test_what_made_it_master_is_told_as_far_as_rfc_8347_has_a_word():
    driver = master(config(group()))
    driver.drain("vlan10")
    driver.run(driver.now_ns + 2 * NS_PER_S)
    assert only(driver, "state", "new_master_reason") == ("master", "no-response")
    pair = config(group(), group6(), sync={"both": ("vlan10", "vlan10-v6")})
    reasons = {each["new_master_reason"] for each in shown(master(pair))["routers"]}
    assert reasons == {None}


def test_reasons_are_those_of_rfc_8347():
    owner = master(config(group(priority=255)), links=(link(addresses=("198.18.10.254/24",)),))
    assert shown(owner)["routers"][0]["new_master_reason"] == "priority"
    assert shown(owner)["routers"][0]["owner"] is True
    preempting = Driver(config(group()))
    for second in (1, 2, 3):
        preempting.hear(V3.but(priority=50), now_ns=T0 + second * NS_PER_S)
    preempting.run_to_master()
    assert shown(preempting)["routers"][0]["new_master_reason"] == "preempted"
    released = Driver(config(group()))
    released.hear(V3.but(priority=0), now_ns=T0 + NS_PER_S)
    released.run_to_master()
    assert shown(released)["routers"][0]["new_master_reason"] == "no-response"


def test_counters_beyond_the_five_appear_with_their_first_event():
    driver = Driver(config(group(version=2)))
    driver.hear(V3)
    driver.hear(V3.but(ttl=3))
    document = shown(driver)
    assert document["routers"][0]["counters"]["version-errors"] == 1
    assert document["counters"] == {"ip-ttl-errors": 1}


def test_routers_and_trackers_are_sorted_by_name():
    groups = [group(name, vrid=vrid) for vrid, name in enumerate(("c", "a", "b"), 1)]
    document = shown(Driver(config(*groups, trackers=(ping("z"), ping("y")))))
    assert [each["name"] for each in document["routers"]] == ["a", "b", "c"]
    assert [each["name"] for each in document["trackers"]] == ["y", "z"]
    assert document["trackers"][0]["ok"] is None


def test_history_is_short():
    driver = Driver(config(group()))
    for _count in range(20):
        driver.links(link(is_up=False))
        driver.links(link())
    assert driver.state() is State.BACKUP
    assert len(shown(driver)["routers"][0]["transitions"]) == 16
