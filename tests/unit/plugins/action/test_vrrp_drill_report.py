# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planned, noted, written: what a playbook asks for, and gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.vlangate.vrrp.plugins.action import vrrp_drill_report as plugin
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.plan_files import make_plan

FACTS = {"ansible_facts": {"all_ipv4_addresses": ["198.18.10.9"]}}


@pytest.fixture
def report(action_for, tmp_path):
    """Run a task with a plan of two routers."""
    vlans = [{"id": 10, "networks": ["198.18.10.0/24"]}]
    plan = make_plan(str(tmp_path), vlans, ["gw1", "gw2"], {})

    def run(state, check_mode=False, **args):
        action = action_for(plugin, {"state": state, "plan": plan, **args})
        action._task.check_mode = check_mode
        hostvars = {"h10": FACTS, "far": {"vlangate_probe_targets": ["203.0.113.1"]}}
        return action.run(task_vars={"inventory_hostname": "gw1", "hostvars": hostvars})

    return run


def test_hosts_that_watch_are_known_by_their_facts_or_say_what_they_watch(report):
    (exercise,) = report("planned", probes=["h10", "far"])["exercises"]
    assert exercise["targets"]["stop"] == {"h10": ["198.18.10.254"], "far": ["203.0.113.1"]}


def test_a_drill_that_cannot_be_fails_with_why(report):
    result = report("planned", kinds=["burn"])
    assert result["failed"] and "there is no burn" in result["msg"]


def test_what_was_noted_is_judged_and_written(report, tmp_path):
    (exercise,) = report("planned", kinds=["stop"])["exercises"]
    report("noted", exercise=0, phase="stop", note={"failure": "nobody took over"})
    result = report("written", exercises=[exercise], directory=str(tmp_path / "report"))
    assert result["failed"] and result["changed"]
    assert "stop on gw1: stop: nobody took over" in result["broken"]
    page, xml = (Path(file) for file in result["files"])
    assert "nobody took over" in page.read_text() and "nobody took over" in xml.read_text()
    assert page.name in result["msg"]


def test_in_check_mode_and_without_a_directory_nothing_is_written(report, tmp_path):
    (exercise,) = report("planned")["exercises"]
    for more in ({"check_mode": True, "directory": str(tmp_path / "report")}, {}):
        assert report("written", exercises=[exercise], **more)["files"] == []
    assert not (tmp_path / "report").exists()


def test_a_drill_that_was_not_begun_has_not_passed(report):
    assert report("written", exercises=[])["broken"] == ["no exercise was begun"]


@pytest.mark.parametrize(
    "args",
    [
        {"state": "burnt"},
        {"state": "planned", "directory": "x"},
        {"state": "noted", "note": {"when": 1}, "exercise": 0, "phase": "stop"},
        {"state": "noted", "note": {}},
        {"state": "written", "plan": None},
    ],
)
def test_other_options_are_refused(report, args):
    with pytest.raises(AnsibleActionFail):
        report(**args)
