# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One question to the router, with all that is wanted of it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.vlangate.vrrp.plugins.action import vrrp_survey as plugin
from ansible_collections.vlangate.vrrp.plugins.module_utils.config_apply import unpacked
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.engine_archive import EngineArchiveError
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.plan_files import (
    make_plan,
    planned_router,
)

HOST = {"inventory_hostname": "gw2"}


@pytest.fixture
def plan(tmp_path):
    vlans = [{"id": 10, "networks": ["198.18.10.0/24"], "version": 2, "password": "secret"}]
    return make_plan(str(tmp_path), vlans, ["gw1", "gw2"], {})


def test_the_whole_of_what_is_wanted_goes_along(action_for, plan, monkeypatch):
    archive = SimpleNamespace(manifest={"release": "1-a"})
    monkeypatch.setattr(plugin, "find_pyroute2", lambda: None)
    monkeypatch.setattr(plugin, "build_archive", lambda engine, pyroute2: archive)
    action = action_for(plugin, {"plan": plan, "python": "/usr/bin/python3"}, [{"in_order": True}])
    assert action.run(task_vars=HOST) == {"in_order": True}
    ((name, sent),) = action.calls
    wanted = json.loads(unpacked(sent.pop("wanted")))
    assert name == plugin.MODULE and sent == {"python": "/usr/bin/python3"}
    assert wanted.pop("manifest") == archive.manifest and wanted == planned_router(plan, "gw2")


def test_without_the_plan_of_this_router_nobody_is_asked(action_for, plan):
    for args, host in (
        ({}, "gw2"),
        ({"plan": "/nowhere"}, "gw2"),
        ({"plan": plan}, "gw3"),
        ({"plan": plan, "wanted": "x"}, "gw2"),
    ):
        action = action_for(plugin, args)
        with pytest.raises(AnsibleActionFail, match=r"plan|wanted"):
            action.run(task_vars={"inventory_hostname": host})
        assert action.calls == []


def test_an_engine_that_cannot_be_built_is_told(action_for, plan, monkeypatch):
    def missing():
        raise EngineArchiveError("pyroute2 is needed on the controller")

    monkeypatch.setattr(plugin, "find_pyroute2", missing)
    with pytest.raises(AnsibleActionFail, match="pyroute2 is needed"):
        action_for(plugin, {"plan": plan}).run(task_vars=HOST)
