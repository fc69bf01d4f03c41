# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each step gets a plan that the other actions read; what cannot begin is refused with reasons."""

from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.vlangate.vrrp.plugins.action import vrrp_rollout as plugin
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.diff import diff
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.parse import parse_json
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.render import canonical_json
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.plan_files import (
    make_plan,
    planned_router,
    planned_site,
)

ROUTERS = ["gw1", "gw2"]
OLD = [{"id": 10, "networks": ["198.18.10.0/24"]}, {"id": 20, "networks": ["198.18.20.0/24"]}]
NEW = [{**OLD[0], "vrid": 77}, OLD[1]]


@pytest.fixture
def plans(tmp_path):
    return [make_plan(str(tmp_path), rows, ROUTERS, {}) for rows in (OLD, NEW)]


@pytest.fixture
def surveys(plans):
    """What the routers tell that have the first plan, of the second one."""
    found = {}
    for router in ROUTERS:
        old, new = (parse_json(planned_router(plan, router)["config"]) for plan in plans)
        found[router] = {
            "in_order": False,
            "engine": {"is_wanted": True},
            "host_changes": [],
            "config": json.loads(canonical_json(old)),
            "changes": [change.told() for change in diff(old, new)],
            "config_is_wanted": False,
            "routers": [
                {
                    "name": each.name,
                    "priority": each.priority,
                    "effective_priority": each.priority,
                    "state": "master" if each.priority == 200 else "backup",
                }
                for each in old.virtual_routers
            ],
            "drained": [],
            "drained_all": False,
            "probation": None,
            "problems": [],
        }
    return found


@pytest.fixture
def rollout(action_for, plans, surveys):
    def run(**args):
        return action_for(plugin, {"plan": plans[1], "surveys": surveys, **args}).run()

    return run


def test_the_plan_of_a_step_has_what_its_routers_get_and_how_their_groups_are(rollout, plans):
    result = rollout()
    first, second, third = result["steps"]
    assert result["plan"] == plans[1] and result["changed"] is False
    assert first["title"] == "step 1 of 3: gw1 (configuration, without vlan10-v4 yet)"
    given = planned_router(first["plan"], "gw1")
    assert [each["name"] for each in json.loads(given["config"])["virtual_routers"]] == [
        "vlan20-v4"
    ]
    assert given["config"] == canonical_json(parse_json(given["config"]))
    assert given["interfaces"] == planned_router(plans[1], "gw1")["interfaces"]
    alone = {each["name"]: each["members"] for each in planned_site(first["plan"])["groups"]}
    assert alone == {"vlan10-v4": ["gw2"], "vlan20-v4": ["gw1", "gw2"]}
    assert planned_router(third["plan"], "gw1") == planned_router(plans[1], "gw1")
    assert planned_router(second["plan"], "gw2") == planned_router(plans[1], "gw2")
    with pytest.raises(ValueError):
        planned_router(second["plan"], "gw1")
    before = planned_site(first["before"])["groups"]
    assert {each["preferred"] for each in before} == {None}


def test_whoever_takes_part_again_does_so_with_what_it_has_left(rollout, surveys):
    surveys["gw1"]["drained"] = ["vlan20-v4"]
    flags = rollout(drain="always")["steps"][0]["routers"]["gw1"]
    assert flags["drain"] and flags["names"] == ["vlan10-v4"]
    assert flags["left"] == [] and not flags["undrain"]
    surveys["gw1"]["drained"] = ["vlan10-v4"]
    flags = rollout(drain="always")["steps"][0]["routers"]["gw1"]
    assert flags["names"] == flags["left"] == ["vlan20-v4"] and flags["undrain"]


def test_who_stays_drained_is_not_expected_to_be_master(rollout, plans):
    result = rollout(drain="always", hand_back=False)
    assert result["plan"] != plans[1]
    preferred = {each["name"]: each["preferred"] for each in planned_site(result["plan"])["groups"]}
    assert preferred == {"vlan10-v4": "gw1", "vlan20-v4": None}


def test_what_cannot_begin_is_refused(rollout, surveys):
    del surveys["gw2"]
    result = rollout()
    assert result["failed"] and len(result["problems"]) == 1
    assert "run the play on gw2 too" in result["msg"]


@pytest.mark.parametrize(
    "args, words",
    [
        ({"drain": "sometimes"}, "drain is 'sometimes': choose one of auto, always, never"),
        ({"at_once": "many"}, "at_once is 'many': give a number of routers"),
        ({"at_once": -1}, "at_once is -1"),
        ({"surveys": []}, "the options are"),
        ({"serial": 1}, "not serial"),
        ({"plan": "/nowhere"}, "the option plan is"),
    ],
)
def test_other_options_are_refused(rollout, args, words):
    with pytest.raises(AnsibleActionFail, match=words):
        rollout(**args)
