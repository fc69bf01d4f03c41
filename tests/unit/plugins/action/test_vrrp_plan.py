# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan is made on the controller, and a bad table is told whole."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.vlangate.vrrp.plugins.action import vrrp_host as host_plugin
from ansible_collections.vlangate.vrrp.plugins.action import vrrp_plan as plugin
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.plan_files import planned_router

VLANS = [{"id": 10, "networks": ["198.18.10.0/24"]}]
ROUTER = {
    "name": "vlan10-v4",
    "interface": "vlan10",
    "family": "ipv4",
    "vrid": 10,
    "priority": 150,
    "accept": True,
    "addresses": ["198.18.10.254"],
}


@pytest.fixture(autouse=True)
def controller(monkeypatch, tmp_path):
    monkeypatch.setattr(plugin.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))


@pytest.fixture
def plan(action_for):
    def run(**args):
        return action_for(plugin, {"vlans": VLANS, "routers": ["gw1", "gw2"], **args}).run()

    return run


def test_it_says_where_the_plan_is_and_little_more(plan, tmp_path):
    result = plan()
    assert result.pop("plan").startswith(str(tmp_path))
    assert result == {"changed": False, "routers": ["gw1", "gw2"], "group_count": 1}
    assert plan(defaults=None)["plan"] == plan()["plan"]


def test_a_bad_table_fails_with_all_that_is_wrong(plan):
    result = plan(vlans=[{"id": 5000, "networks": ["x"]}])
    assert result["failed"] and len(result["problems"]) == 2
    assert all(problem["message"] in result["msg"] for problem in result["problems"])


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"vlans": []},
        {"vlans": [], "routers": [], "vlan": []},
        {"plan": "/x"},
        {"plan": "/x", "surveys": {}, "vlans": []},
    ],
)
def test_other_options_are_refused(action_for, args):
    with pytest.raises(AnsibleActionFail, match="the options are"):
        action_for(plugin, args).run()


@pytest.mark.parametrize("args", [{"configs": []}, {"configs": "gw1"}])
def test_configs_that_are_none(plan, args):
    with pytest.raises(AnsibleActionFail, match="configs is a dictionary"):
        plan(**args)


def test_a_template_takes_the_place_of_the_table_for_those_who_read_the_plan(plan):
    config = {"virtual_routers": [{**ROUTER, "priority": 120}]}
    path = plan(configs={"gw2": config})["plan"]
    assert '"priority": 120' in planned_router(path, "gw2")["config"]
    assert path != plan()["plan"]
    refused = plan(configs={"gw2": {"virtual_routers": [{**ROUTER, "version": 2}]}})
    assert [problem["code"] for problem in refused["problems"]] == ["host-version"]


def test_the_table_is_held_against_the_play(action_for):
    task_vars = {"groups": {"all": ["gw1"]}, "hostvars": {"gw1": {}}}
    args = {"vlans": VLANS, "routers": ["gw1", "gw2"], "hosts": ["gw1"]}
    refused = action_for(plugin, args).run(task_vars=task_vars)
    assert [problem["code"] for problem in refused["problems"]] == ["no-host"]
    assert "no router was asked or changed" in refused["msg"]
    task_vars = {"groups": {"all": ["gw1", "gw2"]}, "hostvars": {"gw1": {}, "gw2": {}}}
    refused = action_for(plugin, args).run(task_vars=task_vars)
    assert [problem["code"] for problem in refused["problems"]] == ["not-in-play"]
    assert "plan" in action_for(plugin, {**args, "partial": "yes"}).run(task_vars=task_vars)


def test_surveys_become_what_will_happen(action_for, plan, survey):
    path = plan()["plan"]
    found = action_for(plugin, {"plan": path, "surveys": {"gw1": survey}}).run()
    assert found["plan"] == path and not found["changed"]
    assert found["fleet"]["unsurveyed"] == ["gw2"]
    for args in ({"surveys": []}, {"surveys": {}}, {"plan": "/x", "surveys": {"gw1": survey}}):
        with pytest.raises(AnsibleActionFail, match=r"surveys|the option plan is"):
            action_for(plugin, {"plan": path, **args}).run()


def test_the_host_gets_the_interfaces_of_its_plan(action_for, plan):
    args = {"plan": plan()["plan"], "manage_interfaces": "networkd"}
    action = action_for(host_plugin, args, [{"changed": True}])
    assert action.run(task_vars={"inventory_hostname": "gw2"}) == {"changed": True}
    ((name, sent),) = action.calls
    (interface,) = sent.pop("interfaces")
    assert name == host_plugin.MODULE and sent == {"manage_interfaces": "networkd"}
    assert (interface["name"], interface["addresses"]) == ("vlan10", ["198.18.10.253/24"])


def test_interfaces_of_ones_own_go_through_as_they_are(action_for, plan):
    action = action_for(host_plugin, {"interfaces": []}, [{"changed": False}])
    action.run(task_vars={"inventory_hostname": "gw2"})
    assert action.calls == [(host_plugin.MODULE, {"interfaces": []})]
    for args in ({"plan": plan()["plan"], "interfaces": []}, {"plan": "/nowhere"}):
        with pytest.raises(AnsibleActionFail, match="plan"):
            action_for(host_plugin, args).run(task_vars={"inventory_hostname": "gw2"})
