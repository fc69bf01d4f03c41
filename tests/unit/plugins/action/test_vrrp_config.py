# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller refuses a configuration before any connection is made."""

from __future__ import annotations

import hashlib
import json

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.vlangate.vrrp.plugins.action import vrrp_config as plugin
from ansible_collections.vlangate.vrrp.plugins.module_utils.config_apply import unpacked
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.gateways import (
    gateway_configs,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.parse import (
    parse,
    parse_json,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.render import canonical_json
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.plan_files import make_plan


def config(priority=100, **fields):
    router = {
        "name": "vlan10-v4",
        "interface": "vlan10",
        "family": "ipv4",
        "vrid": 10,
        "priority": priority,
        "addresses": ["198.18.10.254"],
        **fields,
    }
    return {"virtual_routers": [router]}


def test_a_sound_fleet_reaches_the_router_without_the_fleet(action_for):
    fleet = {"gw1": config(200), "gw2": config(150)}
    action = action_for(plugin, {"config": config(200), "fleet": fleet}, [{"changed": True}])
    assert action.run(task_vars={}) == {"changed": True}
    assert action.calls == [(plugin.MODULE, {"digest": sha256(config(200))})]


def sha256(document):
    return hashlib.sha256(canonical_json(parse(document)).encode()).hexdigest()


def test_the_document_follows_when_the_router_asks_for_it(action_for):
    answers = [{"changed": False, "needs_document": True}, {"changed": True}]
    action = action_for(plugin, {"config": config(200), "timeout": 3}, answers)
    assert action.run(task_vars={}) == {"changed": True}
    (_name, first), (_name, second) = action.calls
    assert first == {"digest": sha256(config(200)), "timeout": 3}
    document = unpacked(second.pop("document"))
    assert (second, parse_json(document)) == (first, parse(config(200)))
    assert hashlib.sha256(document.encode()).hexdigest() == first["digest"]


@pytest.fixture
def planned(tmp_path):
    vlans = [{"id": 10, "networks": ["198.18.10.0/24"]}]
    return make_plan(str(tmp_path), vlans, ["gw1", "gw2"], {})


def test_a_plan_gives_each_router_its_own_part(action_for, planned):
    plans = gateway_configs([{"id": 10, "networks": ["198.18.10.0/24"]}], ["gw1", "gw2"], {})
    for host, other in (("gw1", "gw2"), ("gw2", "gw1")):
        action = action_for(plugin, {"plan": planned}, [{"changed": False}])
        action.run(task_vars={"inventory_hostname": host})
        assert action.calls == [(plugin.MODULE, {"digest": sha256(plans[host]["config"])})]
        assert sha256(plans[host]["config"]) != sha256(plans[other]["config"])


def test_a_plan_without_this_router_is_refused(action_for, planned):
    for args, host in (({"plan": planned}, "gw3"), ({"plan": planned + "x"}, "gw1")):
        action = action_for(plugin, args)
        with pytest.raises(AnsibleActionFail, match="the option plan"):
            action.run(task_vars={"inventory_hostname": host})
        assert action.calls == []


@pytest.mark.parametrize(
    "args", [{"config": config()}, {"fleet": {"gw1": config()}}, {"digest": "x"}, {"document": "x"}]
)
def test_a_plan_stands_alone(action_for, planned, args):
    with pytest.raises(AnsibleActionFail, match=r"in place of|leave it out"):
        action_for(plugin, {"plan": planned, **args}).run(task_vars={"inventory_hostname": "gw1"})


def test_all_problems_are_told_and_no_module_runs(action_for):
    action = action_for(plugin, {"config": config(0, vrid=256, colour="red")})
    result = action.run(task_vars={})
    assert result["failed"] and action.calls == []
    assert result["msg"].startswith("3 problems in the configuration; nothing was touched:\n- ")
    assert [problem["path"] for problem in result["problems"]] == [
        "virtual_routers[vlan10-v4].colour",
        "virtual_routers[vlan10-v4].priority",
        "virtual_routers[vlan10-v4].vrid",
    ]


def test_what_no_router_can_see_alone_is_told(action_for):
    fleet = {"gw1": config(200), "gw2": config(200)}
    action = action_for(plugin, {"config": config(200), "fleet": fleet})
    result = action.run(task_vars={})
    assert result["failed"] and action.calls == []
    assert "gw2" in result["msg"] and "priority" in result["msg"]


def test_a_bad_neighbour_is_named(action_for):
    fleet = {"gw1": config(200), "gw2": config(150, vrid=0)}
    result = action_for(plugin, {"config": config(200), "fleet": fleet}).run(task_vars={})
    assert "a problem in the configuration" in result["msg"]
    assert "gw2: virtual_routers[vlan10-v4].vrid: is 0" in result["msg"]


def test_to_confirm_needs_no_configuration(action_for):
    action = action_for(plugin, {"confirm": "yes"}, [{"changed": True}])
    assert action.run(task_vars={}) == {"changed": True}
    assert action.calls == [("vlangate.vrrp.vrrp_config", {"confirm": "yes"})]


WRONG = [
    {},
    {"confirm": False},
    {"confirm": True, "fleet": {"gw1": config()}},
    {"config": "x"},
    {"config": config(), "fleet": "gw1"},
    {"state": "purged", "config": config()},
    {"state": "merged", "confirm": True},
    {"state": "merged", "plan": "/x"},
    {"state": "replaced", "config": config(), "fleet": {"gw1": config()}},
    {"state": "deleted"},
    {"state": "rendered"},
    {"state": "rendered", "config": config(), "confirm_within": 60},
    {"state": "gathered", "config": config()},
    {"state": "gathered", "confirm": True},
]


@pytest.mark.parametrize("args", WRONG)
def test_options_that_do_not_fit_are_refused(action_for, args):
    action = action_for(plugin, args)
    with pytest.raises(AnsibleActionFail, match="the option"):
        action.run(task_vars={})
    assert action.calls == []


@pytest.mark.parametrize("state", ["merged", "replaced", "deleted"])
def test_a_part_goes_to_the_router_as_it_was_written(action_for, state):
    part = config(150)
    action = action_for(plugin, {"state": state, "config": part}, [{"changed": True}])
    assert action.run(task_vars={}) == {"changed": True}
    ((_name, args),) = action.calls
    assert json.loads(unpacked(args.pop("document"))) == part
    assert args == {"state": state}


@pytest.mark.parametrize(
    "state, entry, paths",
    [
        ("merged", {"name": "a", "priority": 300, "colour": "red"}, ["colour", "priority"]),
        ("merged", {"priority": 100}, ["name"]),
        ("replaced", {"name": "a", "family": "ipv4"}, ["addresses", "interface", "vrid"]),
        ("deleted", {"name": "a", "colour": "red", "priority": 300}, ["colour"]),
    ],
)
def test_what_is_wrong_with_a_part_by_itself_is_told_at_once(action_for, state, entry, paths):
    action = action_for(plugin, {"state": state, "config": {"virtual_routers": [entry]}})
    result = action.run(task_vars={})
    assert [each["path"].rpartition(".")[2] for each in result["problems"]] == paths
    assert action.calls == []


def test_rendered_asks_no_router_and_tells_no_password(action_for, planned):
    action = action_for(plugin, {"state": "rendered", "config": config(version=2, password="x1")})
    rendered = action.run(task_vars={})["rendered"]
    assert rendered["virtual_routers"][0]["preempt"] is True
    assert rendered["virtual_routers"][0]["password"] == "*" * 12
    planned_action = action_for(plugin, {"state": "rendered", "plan": planned})
    rendered = planned_action.run(task_vars={"inventory_hostname": "gw1"})["rendered"]
    assert [each["name"] for each in rendered["virtual_routers"]] == ["vlan10-v4"]
    assert action.calls == planned_action.calls == []


def test_gathered_is_asked_of_the_router_once(action_for):
    action = action_for(plugin, {"state": "gathered"}, [{"gathered": {}}])
    assert action.run(task_vars={}) == {"gathered": {}}
    assert action.calls == [(plugin.MODULE, {"state": "gathered"})]
