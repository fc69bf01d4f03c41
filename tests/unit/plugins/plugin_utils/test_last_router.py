# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each group keeps a router that can be relied on, or the sentence says who is why none."""

from __future__ import annotations

import pytest
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.group_verdict import Group
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.last_router import (
    left_alone,
    observation,
    with_masters,
)

GROUP = Group("vlan10-v4", "gw1", ("gw1", "gw2"))


def router(**fields):
    return {
        "name": "vlan10-v4",
        "state": "backup",
        "waiting": None,
        "drained": False,
        "priority": 150,
        "effective_priority": 150,
        "primary_address": "198.18.10.253",
        **fields,
    }


def seen(**fields):
    return {"gw1": {"routers": [router(state="master")]}, "gw2": {"routers": [router(**fields)]}}


def test_a_healthy_backup_is_enough():
    assert left_alone([GROUP], ["gw1"], None, seen()) == []


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"state": "initialize", "waiting": "interface vlan10 is down"}, "vlan10 is down"),
        ({"state": "initialize"}, "just started"),
        ({"drained": True, "effective_priority": 1}, "gw2 is drained"),
        ({"effective_priority": 50}, "gw2 has a failing tracker"),
        ({"name": "another"}, "gw2 has no such virtual router"),
    ],
)
def test_a_sick_one_is_none(fields, words):
    (sentence,) = left_alone([GROUP], ["gw1"], None, seen(**fields))
    assert sentence.startswith("vlan10-v4: nobody healthy would be left; ")
    assert words in sentence


def test_one_healthy_of_several_is_enough():
    group = Group("vlan10-v4", "gw1", ("gw1", "gw2", "gw3"))
    all_seen = {**seen(drained=True), "gw3": {"routers": [router()]}}
    assert left_alone([group], ["gw1"], None, all_seen) == []
    assert len(left_alone([group], ["gw1", "gw3"], None, all_seen)) == 1


def test_silence_is_no_health():
    told = {"gw1": {"routers": []}, "gw2": {"error": "nothing answers"}}
    assert "gw2 did not tell: nothing answers" in left_alone([GROUP], ["gw1"], None, told)[0]
    assert "gw2 did not tell in time" in left_alone([GROUP], ["gw1"], None, {})[0]


def test_alone_in_the_group_is_told():
    alone = Group("vlan10-v4", None, ("gw1",))
    assert "there is no other router" in left_alone([alone], ["gw1"], None, seen())[0]


def test_groups_that_nobody_leaves_are_not_judged():
    sick = seen(drained=True)
    assert left_alone([GROUP], ["gw3"], None, sick) == []
    assert left_alone([GROUP], ["gw1"], ["vlan20-v4"], sick) == []
    assert len(left_alone([GROUP], ["gw1"], ["vlan10-v4"], sick)) == 1


def test_what_is_posted_of_an_answer():
    assert observation({"routers": [router(extra=1)]}) == {"routers": [router()]}
    assert observation({"failed": True, "msg": "no daemon"}) == {"error": "no daemon"}


def test_the_master_has_a_name_when_its_address_is_known():
    results = [
        {"name": "vlan10-v4", "master_address": "198.18.10.253"},
        {"name": "vlan10-v4", "master_address": "198.18.10.7"},
        {"name": "vlan20-v4", "master_address": "198.18.10.253"},
    ]
    watched = {"gw2": {"routers": [router()]}, "gw3": {"error": "x"}}
    assert [each["master"] for each in with_masters(results, watched)] == ["gw2", None, None]
