# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a roll-out would do: changes, costs, masters and order, from what the routers said."""

from __future__ import annotations

import pytest
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.fleet_plan import fleet_plan

ADDED = "it starts as backup and touches no other virtual router"
V2 = "routers of another version do not hear it"


def group(name="vlan10-v4", gw1=200, gw2=150, **fields):
    return {
        "name": name,
        "vip": "198.18.10.254",
        "members": ["gw1", "gw2"] if gw1 >= gw2 else ["gw2", "gw1"],
        "priorities": {"gw1": gw1, "gw2": gw2},
        "preempt": True,
        "sync_group": None,
        **fields,
    }


def router(state="backup", name="vlan10-v4", priority=200, **fields):
    return {
        "name": name,
        "state": state,
        "priority": priority,
        "effective_priority": priority,
        "addresses": ["198.18.10.254"],
        **fields,
    }


def change(name="vlan10-v4", kind="changed", fields=("priority",), hitless=True, cost="cheap"):
    return {"name": name, "kind": kind, "fields": fields, "hitless": hitless, "cost": cost}


def survey(*routers, changes=(), drained=(), problems=(), engine=(), **fields):
    told = {"release": "1-a", "wanted": "1-a", "is_wanted": True, "service": "active"}
    found = {
        "engine": {**told, "upgraded": None, "changes": [], "error": None, **dict(engine)},
        "host_changes": [],
        "changes": list(changes),
        "routers": list(routers),
        "drained": list(drained),
        "drained_all": False,
        "probation": None,
        "problems": list(problems),
        **fields,
    }
    is_wanted = found["engine"]["is_wanted"]
    in_order = is_wanted and not (changes or problems or found["host_changes"])
    return {"in_order": in_order, **found}


MASTER, BACKUP = router("master"), router(priority=150)


def plan(gw1, gw2=None, groups=(), steps=()):
    surveys = {"gw1": gw1} if gw2 is None else {"gw1": gw1, "gw2": gw2}
    site = {"routers": ["gw1", "gw2"], "groups": list(groups) or [group()]}
    return fleet_plan(site, surveys, steps)


def masters(found, number=0):
    entry = found["groups"][number]
    return entry["master_now"], entry["master_after"], entry["moves"]


def test_nothing_to_do():
    found = plan(survey(MASTER), survey(BACKUP))
    assert found["in_order"] and found["waves"] == []
    assert masters(found) == ("gw1", "gw1", False)
    assert found["text"] == ["nothing to do: 2 routers and 1 group as they should be"]


def test_a_priority_moves_the_role_backups_first():
    swapped = group(gw1=150, gw2=200)
    found = plan(survey(MASTER, changes=[change()]), survey(BACKUP, changes=[change()]), [swapped])
    assert masters(found) == ("gw1", "gw2", True)
    assert found["waves"] == [["gw2"], ["gw1"]]
    assert [each["hitless"] for each in found["routers"]] == [True, True]
    assert found["text"] == [
        "ROUTER  ENGINE  HOST   CONFIGURATION  HITLESS",
        "gw1     stays   stays  1 changed      yes",
        "gw2     stays   stays  1 changed      yes",
        "",
        "GROUP      VIRTUAL ADDRESS  MASTER NOW  MASTER AFTER  WHAT CHANGES",
        "vlan10-v4  198.18.10.254    gw1         gw2           priority",
        "",
        "ORDER",
        "  1  gw2",
        "  2  gw1",
    ]


def test_the_steps_of_the_roll_out_are_told_in_place_of_the_waves():
    found = plan(survey(MASTER, changes=[change()]), survey(BACKUP), steps=["step 1 of 1: gw1"])
    assert found["text"][-2:] == ["ORDER", "  1  step 1 of 1: gw1"]


def test_a_router_that_an_earlier_roll_out_left_drained_is_work_for_this_one():
    left = survey(router(), drained=["vlan10-v4"])
    found = plan(
        left, survey(router("master", priority=150)), steps=["step 1 of 1: gw1 (undrained)"]
    )
    assert found["in_order"] and found["text"][-2:] == [
        "ORDER",
        "  1  step 1 of 1: gw1 (undrained)",
    ]
    assert "gw1: drained, and stays so unless a roll-out did it: vlan10-v4" in found["text"]


def test_what_is_not_hitless_says_why_once_for_all_groups():
    names = ["vlan%d-v4" % number for number in range(10, 20)]
    torn = [change(name, fields=("version",), hitless=False, cost=V2) for name in names]
    found = plan(survey(MASTER, changes=torn), survey(BACKUP))
    assert found["routers"][0]["why"] == ["%s and 4 more changed: %s" % (", ".join(names[:6]), V2)]
    assert not found["routers"][0]["hitless"] and not found["groups"][0]["hitless"]
    assert [line for line in found["text"] if line.startswith("gw1: not hitless: vlan10-v4, ")]


@pytest.mark.parametrize(
    ("engine", "hitless", "cell"),
    [
        ({"is_wanted": False, "release": "1-a", "wanted": "1-b", "upgraded": "in-place"}, True,
         "1-a to 1-b"),
        ({"is_wanted": False, "upgraded": "restarted"}, False, "in order again"),
        ({"is_wanted": False, "release": None, "service": "inactive", "upgraded": "restarted"},
         True, "new: 1-a"),
        ({"is_wanted": False, "error": "no Python"}, True, "cannot be installed"),
    ],
)  # fmt: skip
def test_an_engine(engine, hitless, cell):
    found = plan(survey(MASTER, engine=engine), survey(BACKUP))
    assert found["routers"][0]["hitless"] is hitless
    assert found["text"][1].startswith("gw1     %s" % cell)
    assert found["waves"] == [["gw1"]]


def test_interfaces_that_are_written_may_cost_something():
    writes = ["/etc/systemd/network/80-vlangate-vlan10.network written"]
    (first, second) = plan(survey(MASTER, host_changes=writes), survey(BACKUP))["routers"]
    assert not first["hitless"] and second["hitless"]
    sysctl = ["net/ipv4/ip_forward set to 1"]
    assert plan(survey(MASTER, host_changes=sysctl), survey(BACKUP))["routers"][0]["hitless"]


def test_a_group_that_comes_and_one_that_goes():
    adds = change("vlan20-v4", "added", (), cost=ADDED)
    goes = change("vlan30-v4", "removed", (), False, "it leaves")
    first = survey(MASTER, router("master", "vlan30-v4"), changes=[adds, goes])
    second = survey(BACKUP, router("backup", "vlan30-v4"), changes=[adds, goes])
    found = plan(first, second, [group(), group("vlan20-v4", gw1=150, gw2=200)])
    assert [each["name"] for each in found["groups"]] == ["vlan10-v4", "vlan20-v4", "vlan30-v4"]
    assert masters(found, 1) == (None, "gw2", False)
    assert masters(found, 2) == ("gw1", None, False)
    assert "1 group as before" in found["text"]


def test_two_masters_and_none_are_shown_though_nothing_changes():
    found = plan(survey(MASTER), survey(router("master", priority=150)))
    assert found["in_order"] and masters(found) == (None, "gw1", False)
    assert "vlan10-v4  198.18.10.254    gw1 and gw2  gw1           who is master" in found["text"]
    assert "ORDER" not in found["text"]
    found = plan(survey(BACKUP), survey(BACKUP))
    assert "vlan10-v4  198.18.10.254    nobody      gw1           who is master" in found["text"]


@pytest.mark.parametrize(
    "gw1",
    [
        survey(router("backup"), drained=["vlan10-v4"]),
        survey(router("backup"), drained_all=True),
        survey(router("backup", effective_priority=99)),
        survey(router("initialize", effective_priority=None)),
        survey(problems=["no Python"]),
        None,
    ],
    ids=["drained", "drained-all", "uplink-lost", "no-link", "unable", "not-looked-at"],
)
def test_who_cannot_be_master_is_not_expected_to_be(gw1):
    surveys = {"gw2": survey(router("master", priority=150))}
    if gw1 is not None:
        surveys["gw1"] = gw1
    found = fleet_plan({"routers": ["gw1", "gw2"], "groups": [group()]}, surveys)
    assert masters(found) == ("gw2", "gw2", False)
    assert found["unsurveyed"] == ([] if gw1 else ["gw1"])


def test_an_owner_is_master_whatever_fails():
    owner = router("master", priority=255, effective_priority=255)
    assert masters(plan(survey(owner), survey(BACKUP), [group(gw1=255)]))[1] == "gw1"


def test_without_preemption_the_master_stays_unless_it_is_drained():
    lower = survey(router("master", priority=150))
    assert masters(plan(survey(router()), lower, [group(preempt=False)]))[1] == "gw2"
    drained = survey(router("master", priority=150), drained=["vlan10-v4"])
    assert masters(plan(survey(router()), drained, [group(preempt=False)]))[1] == "gw1"


def test_a_thousand_groups_are_not_a_thousand_lines_unless_they_are_felt():
    names = ["v%d-v4" % number for number in range(1000)]
    calm = [change(name) for name in names]
    states = [router("master", name) for name in names]
    groups = [group(name) for name in names]
    text = plan(survey(*states, changes=calm), survey(), groups)["text"]
    assert len(text) < 60 and "and 960 more groups, hitless like these" in text
    felt = [change(name, hitless=False) for name in names]
    text = plan(survey(*states, changes=felt), survey(), groups)["text"]
    assert len([line for line in text if line.startswith("v")]) == 1000


@pytest.mark.parametrize("surveys", [{}, {"gw1": {"failed": True}}, {"gw1": None}])
def test_what_is_no_survey_is_refused(surveys):
    with pytest.raises(ValueError, match="surveys is what vrrp_survey returned"):
        fleet_plan({"routers": ["gw1"], "groups": []}, surveys)
