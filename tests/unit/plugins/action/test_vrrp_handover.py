# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scope group: all tell how they are, and only then somebody is drained."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.vlangate.vrrp.plugins.action import vrrp_handover as plugin
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.plan_files import make_plan

MODULE, INFO = "vlangate.vrrp.vrrp_handover", "vlangate.vrrp.vrrp_info"
GROUPS = ({"name": "vlan10-v4"},)


def info(state="backup", **fields):
    router = {
        "name": "vlan10-v4",
        "state": state,
        "waiting": None,
        "drained": False,
        "priority": 100,
        "effective_priority": 100,
        "primary_address": "198.18.10.253",
        **fields,
    }
    return {"routers": [router]}


DONE = {
    "changed": True,
    "groups": [{"name": "vlan10-v4", "current": "backup", "master_address": "198.18.10.253"}],
}


@pytest.fixture(autouse=True)
def blackboard(monkeypatch, tmp_path):
    monkeypatch.setattr(plugin.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))


@pytest.fixture
def play(action_for):
    """Run the task on one host, whose modules give `results`."""

    def run(host, *results, batch=("gw1", "gw2"), **args):
        args = {"scope": "group", "groups": GROUPS, "routers": ["gw1"], "timeout": 0, **args}
        action = action_for(plugin, args, results)
        task_vars = {
            "inventory_hostname": host,
            "ansible_play_hosts": ["gw1", "gw2"],
            "ansible_play_batch": list(batch),
        }
        return {"calls": action.calls, **action.run(task_vars=task_vars)}

    return run


def test_scope_router_goes_straight_to_the_router(action_for):
    action = action_for(plugin, {"names": ["vlan10-v4"]}, [{"changed": True}])
    assert action.run(task_vars={}) == {"changed": True}
    assert action.calls == [(MODULE, {"names": ["vlan10-v4"]})]


def test_with_a_healthy_other_it_is_drained_and_the_master_named(play):
    other = play("gw2", info(), runtime_dir="/run/x")
    assert (other["changed"], other["calls"]) == (False, [(INFO, {"runtime_dir": "/run/x"})])
    result = play("gw1", info("master"), DONE, runtime_dir="/run/x")
    assert result["calls"][1] == (
        MODULE,
        {"scope": "router", "timeout": 0, "runtime_dir": "/run/x"},
    )
    assert result["changed"]
    assert result["groups"][0]["master"] == "gw2"


@pytest.mark.parametrize("sick", [info(drained=True), info(effective_priority=1), {"msg": "dead"}])
def test_the_last_healthy_one_is_not_touched(play, sick):
    assert not play("gw2", sick).get("failed")
    result = play("gw1", info("master"))
    assert result["failed"] and [name for name, _args in result["calls"]] == [INFO]
    assert result["msg"].startswith("vlan10-v4: nobody healthy would be left; gw2 ")
    assert "nothing was touched" in result["msg"]


def test_who_does_not_tell_in_time_is_not_counted_on(play):
    result = play("gw1", info("master"))
    assert result["failed"] and "gw2 did not tell in time" in result["msg"]


def test_the_groups_can_be_those_of_a_plan(play, tmp_path):
    vlans = [{"id": 10, "networks": ["198.18.10.0/24"]}]
    plan = make_plan(str(tmp_path), vlans, ["gw1", "gw2"], {})
    play("gw2", info(drained=True), groups=None, plan=plan)
    result = play("gw1", info("master"), groups=None, plan=plan)
    assert result["failed"] and result["msg"].startswith("vlan10-v4: nobody healthy would be left")


@pytest.mark.parametrize("force", [True, "yes"])
def test_forced_it_is_drained_all_the_same(play, force):
    result = play("gw1", info("master"), DONE, force=force)
    assert result["changed"]
    assert result["calls"][1][1]["force"] == force


def test_force_in_words_of_no_is_no_force(play):
    assert play("gw1", info("master"), force="no")["failed"]


def test_a_host_that_cannot_be_asked_is_told_of(play):
    with pytest.raises(IndexError):  # the stand-in's way of not answering
        play("gw2")
    assert "gw2 did not tell: it could not be asked" in play("gw1", info("master"))["msg"]


def test_names_limit_what_is_judged(play):
    play("gw2", info(drained=True))
    assert play("gw1", info("master"), DONE, names=["vlan20-v4"])["changed"]


def test_undrained_asks_nobody_else(play):
    assert play("gw2", state="undrained")["skipped"]
    result = play("gw1", DONE, state="undrained")
    assert [name for name, _args in result["calls"]] == [MODULE]


def test_a_batch_that_does_not_hold_all_is_refused(play):
    with pytest.raises(AnsibleActionFail, match="gw2 is in another batch"):
        play("gw1", batch=["gw1"])


@pytest.mark.parametrize(
    "args",
    [
        {"routers": []},
        {"routers": None},
        {"routers": ["gw9"]},
        {"groups": None},
        {"groups": [{}]},
        {"groups": None, "plan": "/nowhere"},
        {"scope": "router"},
    ],
)
def test_options_that_do_not_fit_are_refused(play, args):
    with pytest.raises(AnsibleActionFail):
        play("gw1", **args)
