# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter gives what the module returns as fleet, and documents what it takes."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.vlangate.vrrp.plugins.filter import vrrp_plan as plugin
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.plan_files import make_plan


@pytest.fixture
def plan(tmp_path):
    return make_plan(str(tmp_path), [{"id": 10, "networks": ["198.18.10.0/24"]}], ["gw1"], {})


def vrrp_plan(*arguments, **options):
    return plugin.FilterModule().filters()["vrrp_plan"](*arguments, **options)


def test_the_plan_of_a_fleet(plan, survey):
    found = vrrp_plan({"gw1": survey}, plan, steps=["step 1"])
    assert found["in_order"] and [group["name"] for group in found["groups"]] == ["vlan10-v4"]


def test_what_is_no_plan_or_no_survey_is_refused(plan, survey):
    with pytest.raises(AnsibleFilterError, match="the option plan is what vrrp_plan returned"):
        vrrp_plan({"gw1": survey}, "/nowhere")
    with pytest.raises(AnsibleFilterError, match="surveys is what vrrp_survey returned"):
        vrrp_plan({"gw1": {}}, plan)


def test_what_is_documented():
    documentation = yaml.safe_load(plugin.DOCUMENTATION)
    assert set(documentation["options"]) == {"_input", "plan", "steps"}
    assert documentation["positional"] == "plan, steps"
    assert yaml.safe_load(plugin.EXAMPLES) and set(yaml.safe_load(plugin.RETURN)) == {"_value"}
