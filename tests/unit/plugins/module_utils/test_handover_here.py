# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draining ends when the role is given away, not when it was asked for."""

from __future__ import annotations

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils import handover_here
from ansible_collections.vlangate.vrrp.plugins.module_utils.handover_here import (
    Handover,
    HandoverFailed,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.errors import ControlError

ROUTER = {
    "name": "vlan10-v4",
    "state": "master",
    "drained": False,
    "leaving": False,
    "owner": False,
    "sync_group": None,
    "priority": 200,
    "preempt_delay_cs": 1500,
    "master_address": "198.18.10.252",
}
DRAINED = {"drained": True}
LEAVING = {"drained": True, "leaving": True, "state": "backup", "master_address": None}
GIVEN = {"drained": True, "state": "backup", "master_address": "198.18.10.253"}


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(handover_here, "POLL_S", 0)


def shown(*routers, drained_all=False):
    return {
        "routers": [{**ROUTER, **router} for router in routers],
        "engine": {"drained_all": drained_all},
    }


class Story:
    """What the daemon shows, look by look; the last one for ever. Notes what it is asked to do."""

    def __init__(self, daemon, *looks):
        self.looks = list(looks)
        self.asked = []
        daemon.answers["show.routers"] = lambda params: (
            self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        )
        for method in ("do.drain", "do.undrain"):
            daemon.answers[method] = lambda params, method=method: (
                self.asked.append((method, params)) or {}
            )


@pytest.fixture
def handover(module_for, runtime_dir):
    """One run with options; a generous timeout, for what is tested ends before it."""

    def run(check_mode=False, **given):
        spec = handover_here.argument_spec()
        params = {name: option.get("default") for name, option in spec.items()}
        params.update(runtime_dir=runtime_dir, timeout=60)
        params.update(given)
        return Handover(module_for(check_mode, **params)).run()

    return run


def test_it_waits_until_another_master_is_heard(handover, daemon):
    unheard = {**GIVEN, "master_address": None}
    looks = [shown(each) for each in ({}, DRAINED, LEAVING, unheard, GIVEN)]
    story = Story(daemon, *looks)
    facts = handover(names=["vlan10-v4"])
    assert story.asked == [("do.drain", {"names": ["vlan10-v4"]})]
    assert daemon.asked.count("show.routers") == 5
    assert facts["changed"]
    assert facts["changes"] == ["vlan10-v4: gives its role as master away"]
    assert facts["seconds"] >= 0
    assert facts["groups"] == [
        {
            "name": "vlan10-v4",
            "previous": "master",
            "current": "backup",
            "drained": True,
            "master_address": "198.18.10.253",
        }
    ]


def test_a_second_run_changes_nothing(handover, daemon):
    story = Story(daemon, shown(GIVEN))
    facts = handover(names=["vlan10-v4"])
    assert (facts["changed"], facts["changes"], story.asked) == (False, [], [])
    assert facts["diff"]["before"] == facts["diff"]["after"]


def test_the_whole_router_is_more_than_its_parts(handover, daemon):
    story = Story(daemon, shown(GIVEN), shown(GIVEN, drained_all=True))
    assert handover()["changed"]
    assert story.asked == [("do.drain", {"all": True})]
    assert not handover()["changed"]
    assert len(story.asked) == 1


def test_a_drain_that_the_daemon_took_back_fails_with_the_remedy(handover, daemon):
    Story(daemon, shown({}), shown(LEAVING), shown({}))
    with pytest.raises(HandoverFailed) as caught:
        handover(names=["vlan10-v4"])
    (sentence,) = caught.value.facts["unmet"]
    assert sentence.startswith("vlan10-v4: no healthy router took over, so this one is")
    assert "force=true" in str(caught.value)
    assert caught.value.facts["groups"][0]["current"] == "master"


@pytest.mark.parametrize(
    "router, words",
    [
        (DRAINED, "still master"),
        (LEAVING, "still leaving"),
        ({**GIVEN, "master_address": None}, "hears no master"),
    ],
)
def test_the_time_is_bounded_and_told(handover, daemon, router, words):
    Story(daemon, shown({}), shown(router))
    with pytest.raises(HandoverFailed, match=words):
        handover(names=["vlan10-v4"], timeout=0)


def test_only_the_names_that_failed_are_complained_of(handover, daemon):
    other = {"name": "vlan20-v4", "state": "backup"}
    Story(daemon, shown({}, other), shown({}, {**other, "drained": True}))
    with pytest.raises(HandoverFailed) as caught:
        handover()
    assert [sentence[:9] for sentence in caught.value.facts["unmet"]] == ["vlan10-v4"]
    assert [group["drained"] for group in caught.value.facts["groups"]] == [False, True]


def test_forced_nobody_has_to_be_heard(handover, daemon):
    story = Story(daemon, shown({}), shown({**GIVEN, "master_address": None}))
    facts = handover(names=["vlan10-v4"], force=True)
    assert story.asked == [("do.drain", {"names": ["vlan10-v4"], "force": True})]
    assert facts["groups"][0]["master_address"] is None


def test_the_last_resort_tries_again_unless_it_was_forced(handover, daemon):
    last = DRAINED
    story = Story(daemon, shown(last), shown(LEAVING), shown(GIVEN))
    assert handover(names=["vlan10-v4"])["changed"]
    assert story.asked == [("do.drain", {"names": ["vlan10-v4"]})]
    story = Story(daemon, shown(last))
    facts = handover(names=["vlan10-v4"], force=True)
    assert (facts["changed"], story.asked) == (False, [])
    assert facts["groups"][0]["current"] == "master"


def test_an_owner_in_the_whole_router_is_told(handover, daemon):
    owner = {"name": "own", "owner": True, "priority": 255}
    Story(daemon, shown({}, owner), shown(GIVEN, owner, drained_all=True))
    with pytest.raises(HandoverFailed, match="own: owns its addresses") as caught:
        handover()
    assert caught.value.facts["changes"] == ["vlan10-v4: gives its role as master away"]


def test_members_of_a_sync_group_go_together(handover, daemon):
    one = {"sync_group": "lan"}
    two = {"sync_group": "lan", "name": "vlan20-v4"}
    rest = {"name": "vlan30-v4"}
    Story(daemon, shown(one, two, rest), shown({**GIVEN, **one}, {**GIVEN, **two}, rest))
    facts = handover(names=["vlan10-v4"])
    assert [group["name"] for group in facts["groups"]] == ["vlan10-v4", "vlan20-v4"]


def test_check_mode_predicts_and_asks_for_nothing(handover, daemon):
    backup = {"name": "vlan20-v4", "state": "backup"}
    story = Story(daemon, shown({}, backup))
    facts = handover(check_mode=True)
    assert (facts["changed"], story.asked, daemon.asked) == (True, [], ["show.routers"])
    assert facts["changes"] == [
        "vlan10-v4: gives its role as master away",
        "vlan20-v4: stays backup, and is master only if nobody else is",
    ]
    assert facts["diff"] == {
        "before": "vlan10-v4: not drained\nvlan20-v4: not drained\n",
        "after": "vlan10-v4: drained\nvlan20-v4: drained\n",
    }
    assert "seconds" not in facts


def test_undrained_does_not_wait_for_the_role(handover, daemon):
    story = Story(daemon, shown(GIVEN), shown({**GIVEN, "drained": False}))
    facts = handover(state="undrained", names=["vlan10-v4"], force=True)
    assert story.asked == [("do.undrain", {"names": ["vlan10-v4"]})]
    assert facts["changes"] == [
        "vlan10-v4: takes part again with priority 200, after a preempt delay of 15 s"
    ]
    assert facts["groups"][0]["current"] == "backup"


def test_undrained_of_nothing_changes_nothing(handover, daemon):
    story = Story(daemon, shown({}))
    assert not handover(state="undrained")["changed"]
    assert story.asked == []


def test_still_drained_is_no_success(handover, daemon):
    Story(daemon, shown(GIVEN))
    with pytest.raises(HandoverFailed, match="is still drained"):
        handover(state="undrained", names=["vlan10-v4"], timeout=0)


def test_unknown_names_are_refused_before_anything(handover, daemon):
    story = Story(daemon, shown({}))
    with pytest.raises(ControlError, match="no virtual router vlan11, vlan12 here; "):
        handover(names=["vlan12", "vlan10-v4", "vlan11"])
    assert story.asked == []


def test_what_the_daemon_refuses_is_handed_on(handover, daemon):
    Story(daemon, shown({}))
    daemon.answers["do.drain"] = {"error": {"code": "busy", "message": "an upgrade is under way"}}
    with pytest.raises(ControlError, match="an upgrade is under way"):
        handover()
