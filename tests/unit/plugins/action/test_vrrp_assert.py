# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scope group: each host asks its own router, the last one to answer judges them all."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.vlangate.vrrp.plugins.action import vrrp_assert as plugin
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.plan_files import make_plan

GROUPS = ({"name": "vlan10-v4", "master": "gw1"},)


def observed(state, **more):
    return [
        {
            "name": "vlan10-v4",
            "state": state,
            "state_age_ns": 1000000000,
            "waiting": None,
            "master_address": None,
            "master_priority": None,
            **more,
        }
    ]


@pytest.fixture(autouse=True)
def blackboard(monkeypatch, tmp_path):
    monkeypatch.setattr(plugin.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setattr(plugin, "GRACE_S", 0)


@pytest.fixture
def judge(action_for):
    """Run the task on one host, whose module gives `result`."""

    def run(host, result, groups=GROUPS, uuid="task", hosts=("gw1", "gw2"), **args):
        args = {"scope": "group", "groups": groups, "timeout": 1, **args}
        action = action_for(plugin, args, [result], uuid)
        task_vars = {"inventory_hostname": host, "ansible_play_hosts": list(hosts)}
        return {"calls": action.calls, **action.run(task_vars=task_vars)}

    return run


def test_scope_router_goes_straight_to_the_router(action_for):
    args = {"name": "vlan10-v4", "state": "master"}
    action = action_for(plugin, args, [{"observed": []}])
    assert action.run(task_vars={}) == {"observed": []}
    assert action.calls == [("vlangate.vrrp.vrrp_assert", args)]


def test_each_host_is_held_to_its_own_part(judge):
    result = judge("gw2", {"observed": observed("backup")})
    assert not result.get("failed")
    assert result["calls"][0][1] == {
        "scope": "router",
        "probe": True,
        "timeout": 1,
        "expect": [{"name": "vlan10-v4", "state": "backup"}],
    }


@pytest.mark.parametrize(("anyone", "expected"), [("no", {"state": "backup"}), ("yes", {})])
def test_of_a_plan_the_preferred_one_is_expected_or_anyone(judge, tmp_path, anyone, expected):
    vlans = [{"id": 10, "networks": ["198.18.10.0/24"]}]
    plan = make_plan(str(tmp_path), vlans, ["gw1", "gw2"], {})
    seen = {"observed": observed("backup")}
    result = judge("gw2", seen, groups=None, plan=plan, anyone=anyone)
    assert result["calls"][0][1]["expect"] == [{"name": "vlan10-v4", **expected}]


def test_the_wrong_master_fails_with_what_both_saw(judge):
    wrong = {"failed": True, "unmet": ["x"], "msg": "x"}
    first = judge("gw1", {**wrong, "observed": observed("backup")})
    last = judge("gw2", {**wrong, "observed": observed("master")})
    assert first["failed"] and last["failed"]
    assert last["unmet"] == [
        "vlan10-v4: expected master gw1; seen: gw1 is backup for 1.0 s, gw2 is master for 1.0 s"
    ]
    assert last["msg"] == last["unmet"][0]
    assert "gw1 is backup" in first["msg"]


def test_two_masters_of_anybody_fail_on_the_last(judge):
    anybody = [{"name": "vlan10-v4"}]
    first = judge("gw1", {"observed": observed("master")}, anybody)
    last = judge("gw2", {"observed": observed("master")}, anybody)
    assert not first.get("failed")
    assert last["msg"].startswith("vlan10-v4: expected exactly one master; seen: gw1 is master")


def test_nobody_as_master_fails_on_the_last(judge):
    anybody = [{"name": "vlan10-v4"}]
    judge("gw1", {"observed": observed("backup")}, anybody)
    assert judge("gw2", {"observed": observed("backup")}, anybody)["failed"]


@pytest.mark.parametrize("stable_for, fails", [(3, True), (0, False)])
def test_a_stable_group_has_one_master_in_the_eyes_of_all(judge, stable_for, fails):
    judge("gw1", {"observed": observed("master", primary_address="198.18.10.252")})
    strange = observed("backup", master_address="198.18.10.9")
    result = judge("gw2", {"observed": strange}, stable_for=stable_for)
    assert bool(result.get("failed")) is fails
    assert result["calls"][0][1]["stable_for"] == stable_for


def test_another_task_or_item_starts_with_a_clean_blackboard(judge):
    anybody = [{"name": "vlan10-v4"}]
    judge("gw1", {"observed": observed("master")}, anybody)
    assert not judge("gw2", {"observed": observed("master")}, anybody, "another").get("failed")
    other = [{"name": "vlan10-v4"}, {"name": "vlan10-v4", "members": ["gw2"]}]
    assert not judge("gw2", {"observed": observed("master")}, other).get("failed")


def test_a_second_attempt_replaces_the_first(judge):
    anybody = [{"name": "vlan10-v4"}]
    judge("gw1", {"observed": observed("master")}, anybody)
    judge("gw2", {"observed": observed("master")}, anybody)
    assert not judge("gw2", {"observed": observed("backup")}, anybody).get("failed")


def test_a_silent_engine_is_told_by_the_others(judge):
    silent = {"failed": True, "unmet": ["it does not answer"], "msg": "it does not answer"}
    judge("gw2", {**silent, "observed": []})
    result = judge("gw1", {"observed": observed("master")})
    assert "gw2 did not tell: it does not answer" in result["msg"]


def test_a_module_that_broke_is_told_by_the_others(judge):
    broken = {"failed": True, "msg": "MODULE FAILURE"}
    assert judge("gw2", broken)["msg"] == "MODULE FAILURE"
    assert "MODULE FAILURE" in judge("gw1", {"observed": observed("master")})["msg"]


def test_a_host_that_is_not_judged_is_skipped(action_for):
    args = {"scope": "group", "groups": GROUPS, "hosts": ["gw1", "gw2"]}
    action = action_for(plugin, args)
    task_vars = {"inventory_hostname": "gw3", "ansible_play_hosts": ["gw1", "gw2", "gw3"]}
    assert action.run(task_vars=task_vars)["skipped"]
    assert action.calls == []


@pytest.mark.parametrize(
    "args",
    [
        {"scope": "group"},
        {"scope": "group", "groups": [{}]},
        {"scope": "group", "groups": GROUPS, "state": "master"},
        {"groups": GROUPS},
        {"hosts": ["gw1"], "name": "vlan10-v4"},
    ],
)
def test_options_that_do_not_fit_are_refused(action_for, args):
    task_vars = {"inventory_hostname": "gw1", "ansible_play_hosts": ["gw1"]}
    with pytest.raises(AnsibleActionFail):
        action_for(plugin, args).run(task_vars=task_vars)
