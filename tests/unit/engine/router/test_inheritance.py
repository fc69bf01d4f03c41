# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one process writes of a router, another one, of another release perhaps, goes on with."""

import json

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V3
from engine_kit.values import NS_PER_S, T0, config, group, group6, ping

from vrrp.config.model import TrackReference
from vrrp.facts import ProbeResult
from vrrp.fsm.states import State
from vrrp.router.events import TrackerReported
from vrrp.router.inheritance import (
    Inheritance,
    Past,
    read,
    read_pasts,
    recall,
    written,
    written_pasts,
)
from vrrp.wire.checksum import ChecksumForm

ID4, ID6 = "lan0/ipv4/10", "lan0/ipv6/10"
BOTH = config(group(), group6(priority=50))


def over_the_wire(document):
    return json.loads(json.dumps(document))


def go_on(driver, wanted=BOTH, now_ns=None):
    """Another process, with what this one leaves."""
    inheritance = read(over_the_wire(written(driver.router)))
    later_ns = driver.now_ns if now_ns is None else now_ns
    return Driver(wanted, now_ns=later_ns, inheritance=inheritance, drained=inheritance.drained)


def states(driver):
    return {each.id: each.state for each in driver.router.bound_routers()}


def test_a_master_goes_on_with_its_next_advertisement():
    before = master(BOTH)
    due_ns = before.router.bound_routers()[0].machine.deadline_ns
    after = go_on(before)
    assert states(after) == dict.fromkeys((ID4, ID6), State.MASTER)
    assert after.first.adverts == [], "it is not due yet"
    woken = [step for step in after.run(due_ns) if step.adverts]
    assert [(step.at_ns, len(step.adverts)) for step in woken] == [(due_ns, 1)]
    memories = [each.machine.memory() for each in before.router.bound_routers()]
    assert [each.since_ns for each in memories] == [
        each.machine.memory().since_ns for each in after.router.bound_routers()
    ]


def test_a_backup_goes_on_waiting_for_the_same_master():
    before = Driver(BOTH)
    before.hear(V3.but(priority=200), now_ns=T0 + NS_PER_S)
    now_ns = T0 + 2 * NS_PER_S
    after = go_on(before, now_ns=now_ns)
    assert states(after) == dict.fromkeys((ID4, ID6), State.BACKUP)
    bound = after.router.bound_routers()[0]
    shown = bound.machine.snapshot(now_ns)
    assert (shown.master_priority, shown.master) == (200, V3.source)
    assert bound.machine.deadline_ns == before.router.bound_routers()[0].machine.deadline_ns


def test_what_failed_still_costs_its_penalty():
    wanted = config(group(track=(TrackReference("uplink", 40),)), trackers=(ping(),))
    before = master(wanted)
    before.step(TrackerReported(ProbeResult("uplink", False, "no answer")))
    after = go_on(before, wanted)
    assert after.router.trackers["uplink"].ok is False
    assert [each.parameters.priority for each in after.router.bound_routers()] == [60]
    unknown = go_on(master(wanted), wanted)
    assert unknown.router.trackers["uplink"].ok is None


def test_who_is_drained_stays_drained():
    before = Driver(BOTH)
    before.drain("vlan10")
    after = go_on(before)
    assert after.drained() == {"vlan10"}
    priorities = {each.id: each.parameters.priority for each in after.router.bound_routers()}
    assert priorities == {ID4: 1, ID6: 50}


def test_others_still_get_the_checksum_that_they_can_read():
    before = master(config(group()))
    (bound,) = before.router.bound_routers()
    bound.peers.checksum_heard = ChecksumForm.MESSAGE
    frame = bound.advertisement(100, 100)
    inheritance = read(over_the_wire(written(before.router)))
    after = Driver(config(group()), now_ns=before.now_ns, inheritance=inheritance)
    (heir,) = after.router.bound_routers()
    assert heir.advertisement(100, 100) != frame
    recall(after.router, inheritance.pasts)
    assert heir.advertisement(100, 100) == frame


def test_the_past_comes_along_and_is_not_counted_twice():
    before = master(config(group()))
    after = go_on(before, config(group()))
    after.run(before.now_ns + NS_PER_S)
    ((old,), (new,)) = before.router.bound_routers(), after.router.bound_routers()
    since = new.counters["advertisement-sent"]
    recall(after.router, read_pasts(over_the_wire(written_pasts(before.router))))
    assert new.counters["advertisement-sent"] == old.counters["advertisement-sent"] + since
    assert new.counters["master-transitions"] == 1
    told = [each.sentence for each in new.occurrences]
    assert told[: len(old.occurrences)] == [each.sentence for each in old.occurrences]
    assert "goes on where the process before it stopped" in told[-1]


def test_who_has_no_memory_starts_as_usual():
    document = written(master(config(group())).router)
    after = Driver(BOTH, now_ns=T0 + 60 * NS_PER_S, inheritance=read(document))
    assert states(after) == {ID4: State.MASTER, ID6: State.BACKUP}


def test_who_is_gone_is_forgotten():
    after = go_on(master(BOTH), config(group(vrid=11)))
    assert states(after) == {"lan0/ipv4/11": State.BACKUP}


# Other releases


def document_of_a_master():
    return over_the_wire(written(master(config(group())).router))


def test_what_is_new_is_passed_over():
    document = document_of_a_master()
    document["colour"] = "blue"
    document["routers"][ID4]["mood"] = ["good"]
    document["routers"][ID4]["checksum_heard"] = "rfc9999"
    found = read(document)
    assert found.memories[ID4].state is State.MASTER
    assert found.pasts[ID4].checksum_heard is None


@pytest.mark.parametrize("key", ("since_ns", "peer", "peer_heard_ns", "checksum_heard"))
def test_what_is_missing_has_a_default(key):
    document = document_of_a_master()
    del document["routers"][ID4][key]
    assert read(document).memories[ID4].state is State.MASTER


@pytest.mark.parametrize("key", ("state", "deadline_ns", "master_adver_interval_cs"))
def test_without_what_it_needs_a_virtual_router_starts_as_usual(key):
    document = document_of_a_master()
    del document["routers"][ID4][key]
    assert read(document).memories == {}


def test_almost_nothing_is_enough():
    assert read({"format": 1}) == Inheritance()
    assert read_pasts({ID4: {}}) == {ID4: Past()}


@pytest.mark.parametrize(
    "document",
    (
        None,
        [],
        "text",
        {},
        {"format": 2},
        {"format": 1, "routers": []},
        {"format": 1, "routers": {ID4: 7}},
        {"format": 1, "routers": {ID4: {"state": "king", "deadline_ns": 1,
                                        "master_adver_interval_cs": 1}}},
        {"format": 1, "routers": {ID4: {"state": "master", "deadline_ns": "x",
                                        "master_adver_interval_cs": 1}}},
        {"format": 1, "routers": {ID4: {"state": "backup", "deadline_ns": 1,
                                        "master_adver_interval_cs": 1, "peer": {"source": "zz"}}}},
        {"format": 1, "trackers": 7},
        {"format": 1, "drained": 7},
    ),
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(document):
    with pytest.raises(ValueError):
        read(document)


@pytest.mark.parametrize("document", (None, [], {ID4: []}, {ID4: {"occurrences": [[1]]}}))
def test_a_past_that_cannot_be_understood_is_refused(document):
    with pytest.raises(ValueError):
        read_pasts(document)


def test_the_document_stays_small():
    """Everybody waits for it."""
    groups = [group("v%d" % vrid, vrid=vrid, addresses=("198.18.20.%d" % vrid,))
              for vrid in range(1, 251)]  # fmt: skip
    driver = master(config(*groups))
    assert len(json.dumps(written(driver.router))) < 250 * 300
