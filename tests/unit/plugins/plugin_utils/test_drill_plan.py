# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is struck, who is expected then, what it may cost, and which drills there are not."""

from __future__ import annotations

import pytest
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.drill_plan import BadDrill, exercises
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.plan_files import make_plan

VLANS = [
    {"id": 10, "networks": ["198.18.10.0/24"], "preferred": "gw1"},
    {"id": 20, "networks": ["198.18.20.0/24"], "preferred": "gw2"},
    {"id": 30, "networks": ["198.18.30.0/24"], "preferred": "gw1", "routers": ["gw1"]},
    {"id": 40, "networks": ["198.18.40.0/24"], "preferred": "gw1", "version": 2},
]


@pytest.fixture
def drill(tmp_path):
    plan = make_plan(str(tmp_path), VLANS, ["gw1", "gw2", "gw3"], {"advertisement_interval": "1s"})
    return lambda **options: exercises(plan, **options)


def named(exercise):
    return {group["name"]: group for group in exercise["groups"]}


def expected(exercise):
    return {each["name"]: (each["master"], each["members"]) for each in exercise["expected"]}


def test_without_a_choice_the_master_of_the_first_group_is_stopped(drill):
    (exercise,) = drill()
    assert (exercise["kind"], exercise["router"]) == ("stop", "gw1")
    assert list(named(exercise)) == ["vlan10-v4", "vlan40-v4"]
    assert exercise["alone"] == ["vlan30-v4"]
    assert expected(exercise) == {
        "vlan10-v4": ("gw2", ["gw2", "gw3"]),
        "vlan20-v4": ("gw2", ["gw2", "gw3"]),
        "vlan40-v4": ("gw2", ["gw2", "gw3"]),
    }


def test_who_hands_over_stays_a_backup_and_whom_a_link_fails_does_not(drill):
    handover, link, kill = drill(kinds=["handover", "link", "kill"], groups=["vlan10-v4"])
    assert expected(handover)["vlan10-v4"] == ("gw2", ["gw1", "gw2", "gw3"])
    assert link["interfaces"] == ["vlan10"]
    assert list(named(link)) == ["vlan10-v4"]
    assert expected(link)["vlan10-v4"] == ("gw2", ["gw2", "gw3"])
    assert expected(link)["vlan40-v4"] == (None, ["gw1", "gw2", "gw3"])
    assert {master for master, _members in expected(kill).values()} == {None}


def test_a_link_is_not_taken_from_a_group_that_has_no_other_router(drill):
    (exercise,) = drill(kinds=["link"], routers=["gw1"])
    assert exercise["interfaces"] == ["vlan10", "vlan40"]


def test_routers_and_kinds_are_struck_one_after_the_other(drill):
    found = drill(kinds=["stop", "crash"], routers="all", groups=["vlan10-v4", "vlan20-v4"])
    assert [(each["router"], each["kind"]) for each in found] == [
        ("gw1", "stop"), ("gw1", "crash"), ("gw2", "stop"), ("gw2", "crash"),
    ]  # fmt: skip


@pytest.mark.parametrize("everything", ["all", ["all"]])
def test_all_are_those_that_have_something_to_give_away(drill, everything):
    for option in ("routers", "groups"):
        assert [each["router"] for each in drill(**{option: everything})] == ["gw1", "gw2"]


def test_the_budget_of_the_rfc_is_that_of_the_heir(drill):
    (exercise,) = drill(kinds=["crash"], budget={"return": 0.5})
    # Priority 150: three intervals of 1 s and 106/256 of a second, and a tenth.
    assert named(exercise)["vlan10-v4"]["may_cost"] == {"crash": 3.755, "return": 0.5}
    assert named(exercise)["vlan40-v4"]["may_cost"] == {"crash": 3.755, "return": 0.5}


def test_hosts_watch_their_lans_and_backups_what_is_left(drill):
    probes = {
        "h10": {"addresses": ["198.18.10.9", "127.0.0.1"]},
        "far": {"targets": ["203.0.113.1"], "addresses": ["198.18.40.9"]},
    }
    (exercise,) = drill(kinds=["crash"], probes=probes)
    assert exercise["targets"]["crash"] == {
        "h10": ["198.18.10.254"],
        "far": ["203.0.113.1"],
        "gw2": ["198.18.40.254"],
        "gw3": ["198.18.40.254"],
    }
    # The heir is master to begin with, and would ask itself.
    assert "gw2" not in exercise["targets"]["return"]
    assert exercise["targets"]["return"]["gw3"] == ["198.18.40.254"]


def test_everything_that_is_wrong_is_told_at_once(drill):
    with pytest.raises(BadDrill) as caught:
        drill(kinds=["burn"], groups=["vlan11-v4"], routers=["gw9"], budget={"stop": -1, "x": 1})
    text = str(caught.value)
    for told in (
        "vlangate_drill_kinds: there is no burn; choose from handover,",
        "vlangate_drill_group: there is no vlan11-v4",
        "vlangate_drill_routers: there is no gw9; choose from gw1, gw2, gw3",
        "vlangate_drill_budget: there is no x",
        "vlangate_drill_budget.stop: is -1",
    ):
        assert told in text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"routers": ["gw3"]}, "gw3 is master of no group that another could take over"),
        ({"routers": ["gw2"], "groups": ["vlan10-v4"]}, "gw2 is master of no group"),
        ({"groups": ["vlan30-v4"]}, "vlan30-v4 has gw1 only"),
        ({"budget": {"stop": True}}, "vlangate_drill_budget.stop: is True"),
        ({"budget": [1]}, "is a dictionary"),
    ],
)
def test_a_drill_that_would_show_nothing_is_refused(drill, options, told):
    with pytest.raises(BadDrill, match=told):
        drill(**options)


def test_a_plan_that_is_not_there_is_told():
    with pytest.raises(BadDrill, match="what vrrp_plan returned"):
        exercises("/nowhere")
