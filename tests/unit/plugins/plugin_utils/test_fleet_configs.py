# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What templates made of a plan is checked together, before anybody gets it."""

from __future__ import annotations

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.gateways import (
    gateway_configs,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.errors import ConfigError
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.fleet_configs import with_configs

VLANS = [{"id": 10, "networks": ["198.18.10.0/24"]}]


def changed(plans, host, **fields):
    config = plans[host]["config"]
    routers = [{**router, **fields} for router in config["virtual_routers"]]
    return {**config, "virtual_routers": routers}


@pytest.fixture
def plans():
    return gateway_configs(VLANS, ["gw1", "gw2"], {})


def refused(plans, configs):
    with pytest.raises(ConfigError) as caught:
        with_configs(plans, configs)
    return [str(problem) for problem in caught.value.problems]


def test_what_is_sound_takes_the_place_of_the_plan(plans):
    found = with_configs(plans, {"gw2": changed(plans, "gw2", priority=120)})
    assert found["gw1"] == plans["gw1"]
    assert found["gw2"]["config"]["virtual_routers"][0]["priority"] == 120
    assert found["gw2"]["interfaces"] == plans["gw2"]["interfaces"]


def test_it_is_canonical_again(plans):
    (sparse,) = changed(plans, "gw2")["virtual_routers"]
    del sparse["accept"]
    found = with_configs(plans, {"gw2": {"virtual_routers": [{**sparse, "accept": True}]}})
    assert found["gw2"]["config"] == plans["gw2"]["config"]


def test_all_that_is_wrong_is_told_at_once(plans):
    configs = {
        "gw1": changed(plans, "gw1", vrid=300),
        "gw2": changed(plans, "gw2", colour="blue"),
        "gw3": {},
    }
    paths = [problem.partition(" (")[0] for problem in refused(plans, configs)]
    assert paths == [
        "gw1: virtual_routers[vlan10-v4].vrid: is 300",
        "gw2: virtual_routers[vlan10-v4].colour: is not a known field",
        "gw3: is no router of the table",
    ]


def test_members_that_do_not_fit_together(plans):
    (problem,) = refused(plans, {"gw2": changed(plans, "gw2", version=2)})
    assert problem.startswith("gw2: virtual_routers[vlan10-v4].version: is 2, and gw1 has 3")


def test_a_virtual_address_that_is_a_real_one_needs_its_owner(plans):
    both = {name: changed(plans, name, addresses=["198.18.10.252"]) for name in plans}
    first, second = refused(plans, both)
    assert first.startswith("gw1: ") and second.startswith("gw2: ")
    assert "has 198.18.10.252, the real address of gw1" in second
    owner = {"priority": 255, "preempt_delay_cs": 0, "addresses": ["198.18.10.252"]}
    assert with_configs(plans, {**both, "gw1": changed(plans, "gw1", **owner)})
