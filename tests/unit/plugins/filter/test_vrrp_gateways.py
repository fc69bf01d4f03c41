# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter hands the table on, lists every problem, and documents every key."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.vlangate.vrrp.plugins.filter import vrrp_gateways as plugin
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config import gateway_fields
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.fields import Kind

VLANS = [{"id": 10, "networks": ["198.18.10.0/24"]}]


def gateways(*arguments, **options):
    return plugin.FilterModule().filters()["vrrp_gateways"](*arguments, **options)


def test_one_configuration_per_router():
    result = gateways(VLANS, ["gw1", "gw2"], defaults={"version": 2})
    assert sorted(result) == ["gw1", "gw2"]
    assert sorted(result["gw1"]) == ["config", "groups", "interfaces"]
    assert result["gw1"]["config"]["virtual_routers"][0]["version"] == 2


def test_defaults_may_be_left_out():
    assert gateways(VLANS, ["gw1"]) == gateways(VLANS, ["gw1"], None)


def test_every_problem_is_in_the_error():
    with pytest.raises(AnsibleFilterError) as caught:
        gateways([{"id": 10, "vrid": 0, "netwroks": []}], ["gw1"])
    text = str(caught.value)
    for words in ("vlans[10].vrid: is 0 (write 1 to 255", "did you mean 'networks'?", "is missing"):
        assert words in text


def documented(options):
    return {
        name: (option.get("required", False), option.get("choices", []))
        for name, option in options.items()
    }


def in_table(fields):
    return {
        field.name: (
            field.required,
            [2, 3] if field.name == "version" else list(field.choices),
        )
        for field in fields
    }


def test_every_key_is_documented():
    options = yaml.safe_load(plugin.DOCUMENTATION)["options"]
    vlan = options["_input"]["suboptions"]
    assert documented(vlan) == in_table(gateway_fields.VLAN_FIELDS)
    router = options["routers"]["suboptions"]
    assert documented(router) == in_table(gateway_fields.ROUTER_FIELDS)
    common = {field.name for field in gateway_fields.VLAN_FIELDS} & {
        field.name for field in gateway_fields.DEFAULTS_FIELDS
    }
    assert set(options["defaults"]["suboptions"]) | common == {
        field.name for field in gateway_fields.DEFAULTS_FIELDS
    }
    sync_group = options["defaults"]["suboptions"]["sync_groups"]["suboptions"]
    assert documented(sync_group) == in_table(gateway_fields.SYNCED_VLANS_FIELDS)
    (leases,) = [each for each in gateway_fields.DEFAULTS_FIELDS if each.name == "leases"]
    assert options["defaults"]["suboptions"]["leases"]["choices"] == list(leases.choices)
    types = {Kind.TEXT: "str", Kind.INTEGER: "int", Kind.BOOLEAN: "bool", Kind.CHOICE: "str"}
    for field in gateway_fields.VLAN_FIELDS:
        if field.kind in types:
            assert vlan[field.name]["type"] == types[field.kind], field.name


def test_the_examples_are_yaml_and_the_return_value_is_described():
    assert "vlangate.vrrp.vrrp_gateways" in plugin.EXAMPLES
    assert yaml.safe_load(plugin.EXAMPLES)
    described = yaml.safe_load(plugin.RETURN)["_value"]["contains"]
    assert set(described) == set(gateways(VLANS, ["gw1"])["gw1"])
