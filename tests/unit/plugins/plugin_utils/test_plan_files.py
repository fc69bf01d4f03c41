# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan is written once, and each reader gets what the filter would have given."""

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.gateways import (
    gateway_configs,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.parse import parse_json
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.render import canonical_json
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.errors import ConfigError
from ansible_collections.vlangate.vrrp.plugins.plugin_utils import plan_files
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.plan_files import (
    make_plan,
    planned_router,
    planned_site,
)

VLANS = [
    {"id": 10, "networks": ["198.18.10.0/24", "2001:db8:10::/64"]},
    {"id": 20, "networks": ["198.18.20.0/24"], "version": 2, "password": "secret"},
]
DEFAULTS = {
    "uplink": {"targets": ["198.51.100.1"]},
    "leases": "on",
    "sync_groups": [{"name": "all", "vlans": [10, 20]}],
}
ROUTERS = ["gw1", "gw2"]


@pytest.mark.parametrize("router", ROUTERS)
def test_a_router_gets_its_whole_plan_in_canonical_form(tmp_path, router):
    expected = gateway_configs(VLANS, ROUTERS, DEFAULTS)[router]
    found = planned_router(make_plan(str(tmp_path), VLANS, ROUTERS, DEFAULTS), router)
    assert json.loads(found["config"]) == expected["config"]
    assert found["config"] == canonical_json(parse_json(found["config"]))
    assert found["interfaces"] == expected["interfaces"]


def test_the_site_has_each_group_once(tmp_path):
    site = planned_site(make_plan(str(tmp_path), VLANS, ROUTERS, DEFAULTS))
    assert site["routers"] == ROUTERS
    assert [group["name"] for group in site["groups"]] == ["vlan10-v4", "vlan10-v6", "vlan20-v4"]
    assert site["groups"][0] == {
        "name": "vlan10-v4",
        "preferred": "gw1",
        "members": ["gw1", "gw2"],
        "vip": "198.18.10.254",
        "virtual_mac": "00:00:5e:00:01:0a",
        "sync_group": "all",
        "preempt": True,
        "priorities": {"gw1": 200, "gw2": 150},
    }


def test_the_same_table_is_planned_once_and_another_one_anew(tmp_path, monkeypatch):
    planned = []
    original = plan_files.gateway_configs

    def counted(*table):
        planned.append(table)
        return original(*table)

    monkeypatch.setattr(plan_files, "gateway_configs", counted)
    first = make_plan(str(tmp_path), VLANS, ROUTERS, DEFAULTS)
    assert make_plan(str(tmp_path), VLANS, ROUTERS, DEFAULTS) == first
    assert len(planned) == 1
    others = [(VLANS[:1], ROUTERS, {}), (VLANS, ROUTERS[::-1], DEFAULTS), (VLANS, ROUTERS, {})]
    paths = {make_plan(str(tmp_path), *table) for table in others}
    assert len(paths) == 3 and first not in paths


def test_whoever_is_slower_finds_the_plan_of_the_faster_one(tmp_path, monkeypatch):
    original = plan_files.gateway_configs

    def overtaken(*table):
        monkeypatch.setattr(plan_files, "gateway_configs", original)
        make_plan(str(tmp_path), *table)
        return original(*table)

    monkeypatch.setattr(plan_files, "gateway_configs", overtaken)
    path = make_plan(str(tmp_path), VLANS, ROUTERS, DEFAULTS)
    assert os.listdir(tmp_path) == [os.path.basename(path)]
    assert planned_site(path)["routers"] == ROUTERS


def test_a_bad_table_leaves_nothing(tmp_path):
    with pytest.raises(ConfigError):
        make_plan(str(tmp_path), [{"id": 5000, "networks": []}], ROUTERS, {})
    assert os.listdir(tmp_path) == []


def test_passwords_are_for_the_owner_alone(tmp_path):
    path = make_plan(str(tmp_path), VLANS, ROUTERS, DEFAULTS)
    modes = {stat.S_IMODE(os.stat(os.path.join(path, name)).st_mode) for name in os.listdir(path)}
    assert modes == {0o600} and stat.S_IMODE(os.stat(path).st_mode) == 0o700


def test_names_of_routers_are_no_paths(tmp_path):
    path = make_plan(str(tmp_path), VLANS, ["../gw1", "gw2"], {})
    assert planned_router(path, "../gw1")["interfaces"]
    with pytest.raises(ValueError, match="the option plan"):
        planned_router(path, "gw1")
