# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a roll-out, from surveys as vrrp_survey gives them."""

from __future__ import annotations

import random

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.diff import diff
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.gateways import (
    gateway_configs,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.model import RouterConfig
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.parse import parse
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.render import document
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.rollout import (
    Rollout,
    RolloutRefused,
    Wishes,
    Work,
)
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.rollout_split import without

ROUTERS = ["gw1", "gw2"]


def vlan(number, **fields):
    return {"id": number, "networks": ["198.18.%d.0/24" % number], **fields}


OLD = [vlan(10, preferred="gw1"), vlan(20, preferred="gw2"), vlan(30, preferred="gw1")]


def survey(before, wanted, **fields):
    """What a router with one configuration tells of another one."""
    config = parse(before) if before else RouterConfig()
    changes = [change.told() for change in diff(config, parse(wanted))]
    routers = [
        {
            "name": each.name,
            "priority": each.priority,
            "effective_priority": each.priority,
            "state": "master" if each.priority == 200 else "backup",
        }
        for each in config.virtual_routers
    ]
    return {
        "in_order": not changes,
        "engine": {"is_wanted": True},
        "host_changes": [],
        "config": document(config) if before else None,
        "changes": changes,
        "config_is_wanted": not changes,
        "routers": routers,
        "drained": [],
        "drained_all": False,
        "probation": None,
        "problems": [],
        **fields,
    }


class Fleet:
    """A table that is in force, and the one that is wanted."""

    def __init__(self, old, new, routers=None):
        routers = routers or ROUTERS
        before, self.plans = (gateway_configs(rows, routers, {}) if rows else {}
                              for rows in (old, new))  # fmt: skip
        self.wanted = {name: plan["config"] for name, plan in self.plans.items()}
        self.surveys = {
            name: survey(before[name]["config"] if before else None, config)
            for name, config in self.wanted.items()
        }

    def rollout(self, ours=(), **wishes):
        groups = {each["name"]: each for plan in self.plans.values() for each in plan["groups"]}
        wanted = {name: self.wanted[name] for name in self.surveys}
        return Rollout(list(groups.values()), wanted, self.surveys, Wishes(**wishes), ours)

    def steps(self, ours=(), **wishes):
        return self.rollout(ours, **wishes).steps()


def order(steps):
    return [sorted(step.works) for step in steps]


def masters(step):
    return {group["name"]: group["preferred"] for group in step.groups}


def test_what_is_in_order_has_no_steps():
    assert Fleet(OLD, OLD).steps() == []


def test_the_router_with_fewer_masterships_goes_first_and_the_masters_stay():
    fleet = Fleet(OLD, [vlan(10, advertisement_interval="2s"), *OLD[1:]])
    steps = fleet.steps()
    assert order(steps) == [["gw2"], ["gw1"]]
    assert [work for step in steps for work in step.works.values()] == [Work(), Work()]
    assert [masters(step) for step in steps] == 2 * [
        {"vlan10-v4": "gw1", "vlan20-v4": "gw2", "vlan30-v4": "gw1"}
    ]
    assert all(step.alike and step.stable_for == 4 for step in steps)


def test_only_whoever_changes_is_changed():
    fleet = Fleet(OLD, OLD)
    fleet.surveys["gw1"].update(in_order=False, config_is_wanted=False)
    assert order(fleet.steps()) == [["gw1"]]


def test_who_gets_the_highest_priority_is_expected_to_take_over():
    fleet = Fleet(OLD, [vlan(10, preferred="gw2"), *OLD[1:]])
    first, second = fleet.steps()
    # gw2 has 200 now, as gw1 still has, and nobody preempts its equal.
    assert masters(first) == {"vlan10-v4": "gw1", "vlan20-v4": "gw2", "vlan30-v4": "gw1"}
    assert masters(second)["vlan10-v4"] == "gw2"


def test_nobody_is_expected_to_take_over_who_does_not_preempt_or_has_a_failing_tracker():
    change = {"preferred": "gw2", "preempt": False}
    steps = Fleet(OLD, [vlan(10, **change), *OLD[1:]]).steps()
    assert [masters(step)["vlan10-v4"] for step in steps] == ["gw1", None]
    fleet = Fleet(OLD, [vlan(10, virtual=100), *OLD[1:]])
    fleet.surveys["gw1"]["routers"][0]["effective_priority"] = 99
    assert {masters(step)["vlan10-v4"] for step in fleet.steps()} == {None}


def test_addresses_are_asked_for_when_all_members_have_the_same():
    fleet = Fleet(OLD, [vlan(10, virtual=100), *OLD[1:]])
    assert [step.alike for step in fleet.steps()] == [False, True]


def test_slow_groups_are_not_waited_for():
    old = [vlan(10, advertisement_interval="5s")]
    fleet = Fleet(old, [{**old[0], "virtual": 100}])
    assert [step.stable_for for step in fleet.steps()] == [0, 0]


def test_a_new_site_begins_with_one_router_of_each_group():
    steps = Fleet([], OLD).steps()
    assert order(steps) == [["gw1"], ["gw2"]]
    assert set(masters(steps[0]).values()) == {"gw1"}
    assert masters(steps[1]) == {"vlan10-v4": "gw1", "vlan20-v4": "gw2", "vlan30-v4": "gw1"}
    assert steps[0].before == []
    assert {each["name"] for each in steps[1].before} == set()


@pytest.mark.parametrize(
    "fields, drains",
    [
        ({}, False),
        ({"engine": {"is_wanted": False}}, True),
        ({"host_changes": ["net/ipv4/ip_forward set to 1"]}, True),
    ],
)
def test_who_has_another_engine_or_host_is_drained(fields, drains):
    fleet = Fleet(OLD, [vlan(10, advertisement_interval="2s"), *OLD[1:]])
    fleet.surveys["gw1"].update(fields)
    work = fleet.steps()[1].works["gw1"]
    assert (work.drain, work.undrain, work.names) == (drains, drains, None)
    assert fleet.steps(drain="never")[1].works["gw1"].drain is False
    assert fleet.steps(drain="always")[0].works["gw2"].drain is True


def test_while_one_is_drained_the_other_is_master():
    fleet = Fleet(OLD, [vlan(10, advertisement_interval="2s"), *OLD[1:]])
    first, second = fleet.steps(drain="always")
    assert set(masters(first).values()) == {"gw1"}
    assert set(masters(second).values()) == {"gw2"}


def test_nobody_is_drained_of_what_nobody_else_has():
    rows = [*OLD, vlan(40, routers=["gw1"])]
    fleet = Fleet(rows, [{**rows[0], "virtual": 100}, *rows[1:]])
    work = fleet.steps(drain="always")[1].works["gw1"]
    assert set(work.names) == {"vlan10-v4", "vlan20-v4", "vlan30-v4"}


def test_roles_are_handed_back_or_not():
    fleet = Fleet(OLD, [vlan(10, advertisement_interval="2s"), *OLD[1:]])
    rollout = fleet.rollout(drain="always", hand_back=False)
    first, second = rollout.steps()
    # gw1 has to be able to give its roles to gw2.
    assert first.works["gw2"].undrain and not second.works["gw1"].undrain
    assert {each["name"]: each["preferred"] for each in rollout.final_groups()} == {
        "vlan10-v4": None,
        "vlan20-v4": "gw2",
        "vlan30-v4": None,
    }


def test_who_was_drained_by_somebody_stays_drained():
    fleet = Fleet(OLD, [vlan(10, advertisement_interval="2s"), *OLD[1:]])
    names = [each["name"] for each in fleet.surveys["gw1"]["routers"]]
    fleet.surveys["gw1"].update(drained=names, drained_all=True)
    rollout = fleet.rollout(drain="always")
    works = {name: work for step in rollout.steps() for name, work in step.works.items()}
    assert not works["gw1"].drain and not works["gw1"].undrain
    assert [each["preferred"] for each in rollout.final_groups()] == [None, "gw2", None]


def test_who_was_drained_by_a_roll_out_is_brought_back():
    fleet = Fleet(OLD, OLD)
    names = [each["name"] for each in fleet.surveys["gw1"]["routers"]]
    fleet.surveys["gw1"].update(drained=names, drained_all=True)
    assert fleet.steps() == []
    rollout = fleet.rollout(ours=["gw1"])
    (step,) = rollout.steps()
    assert step.works == {"gw1": Work(config=False, undrain=True)}
    assert [each["preferred"] for each in rollout.final_groups()] == ["gw1", "gw2", "gw1"]


def test_pairs_go_side_by_side_and_at_most_so_many():
    rows = [vlan(10, routers=["a", "b"]), vlan(20, routers=["c", "d"])]
    fleet = Fleet(rows, [{**row, "virtual": 100} for row in rows], routers=["a", "b", "c", "d"])
    assert order(fleet.steps()) == [["b", "d"], ["a", "c"]]
    assert order(fleet.steps(at_once=1)) == [["b"], ["d"], ["a"], ["c"]]


SPLITS = [
    (vlan(10), vlan(10, version=2)),
    (vlan(10), vlan(10, vrid=77)),
    (vlan(10, version=2, password="a"), vlan(10, version=2, password="b")),
    (vlan(10, version=2), vlan(10, version=2, advertisement_interval="2s")),
    # Another name and another VRID for the same address.
    (vlan(10), vlan(10, name="office", vrid=77)),
]


@pytest.mark.parametrize("old, new", SPLITS)
def test_a_group_that_would_be_split_has_one_router_while_that_changes(old, new):
    fleet = Fleet([old, *OLD[1:]], [new, *OLD[1:]])
    name = "%s-v4" % new.get("name", "vlan10")
    steps = fleet.steps()
    assert order(steps) == [["gw2"], ["gw1"], ["gw2"]]
    assert [set(step.works.popitem()[1].withheld) for step in steps] == [{name}, set(), set()]
    holders = [{each["name"]: each["members"] for each in step.groups}.get(name) for step in steps]
    alone = None if old.get("name") != new.get("name") else ["gw1"]
    assert holders == [alone, ["gw1"], ["gw1", "gw2"]]


def test_the_groups_of_a_sync_group_are_split_together():
    routers, defaults = ROUTERS, {"sync_groups": [{"name": "both", "vlans": [10, 20]}]}
    rows = [vlan(10), vlan(20), vlan(30)]
    old = gateway_configs(rows, routers, defaults)
    new = gateway_configs([vlan(10, version=2), *rows[1:]], routers, defaults)
    fleet = Fleet(rows, rows)
    fleet.plans, fleet.wanted = new, {name: plan["config"] for name, plan in new.items()}
    fleet.surveys = {
        name: survey(old[name]["config"], config) for name, config in fleet.wanted.items()
    }
    first = next(iter(fleet.steps()[0].works.items()))
    assert first[1].withheld == {"vlan10-v4", "vlan20-v4"}
    given = without(fleet.wanted[first[0]], first[1].withheld)
    assert document(parse(given)) == given and "sync_groups" not in given


def test_a_split_that_was_interrupted_goes_on():
    """gw2 has been without the group since then, gw1 has not changed or has."""
    old, new = [vlan(10), *OLD[1:]], [vlan(10, version=2), *OLD[1:]]
    fleet = Fleet(old, new)
    fleet.surveys["gw2"] = survey(without(fleet.wanted["gw2"], ["vlan10-v4"]), fleet.wanted["gw2"])
    assert order(fleet.steps()) == [["gw2"], ["gw1"], ["gw2"]]
    fleet.surveys["gw1"] = survey(fleet.wanted["gw1"], fleet.wanted["gw1"])
    (step,) = fleet.steps()
    assert step.works == {"gw2": Work()}


def test_a_split_needs_all_routers_of_the_group():
    fleet = Fleet([vlan(10), *OLD[1:]], [vlan(10, version=2), *OLD[1:]])
    del fleet.surveys["gw1"]
    with pytest.raises(RolloutRefused, match="run the play on gw1 too"):
        fleet.steps()


def test_what_keeps_a_router_from_being_changed_is_told_at_once_for_all():
    fleet = Fleet(OLD, OLD)
    for router in ROUTERS:
        fleet.surveys[router].update(problems=["no systemd", "no Python"])
    with pytest.raises(RolloutRefused) as caught:
        fleet.steps()
    assert caught.value.sentences == [
        "%s: %s" % (router, text) for router in ROUTERS for text in ("no systemd", "no Python")
    ]


def test_a_part_of_the_fleet_is_judged_by_what_is_known():
    fleet = Fleet(OLD, [vlan(10, preferred="gw2"), *OLD[1:]])
    del fleet.surveys["gw1"]
    (step,) = fleet.steps(drain="always")
    # gw1, which nobody looks at, may be master of the others.
    assert masters(step) == {}
    assert step.works["gw2"].drain


def test_any_change_leaves_each_group_a_router():
    """Groups that would be split never have members with the old and with the new form."""
    seed = random.randrange(2**32)
    print("seed %d" % seed)
    dice = random.Random(seed)
    routers = ["a", "b", "c"]
    for _round in range(100):
        rows = [
            vlan(n, routers=sorted(dice.sample(routers, dice.randint(1, 3)))) for n in range(1, 8)
        ]
        new = [{**row, **dice.choice([{}, {"version": 2}, {"vrid": 200}, {"virtual": 100}])}
               for row in rows]  # fmt: skip
        fleet = Fleet(rows, new, routers)
        held = {name: {each["name"]: each for each in (found["config"] or {})["virtual_routers"]}
                for name, found in fleet.surveys.items()}  # fmt: skip
        for step in fleet.steps():
            for router, work in step.works.items():
                given = without(fleet.wanted[router], work.withheld)["virtual_routers"]
                held[router] = {each["name"]: each for each in given}
            for row in rows:
                name = "vlan%d-v4" % row["id"]
                forms = [held[router][name] for router in routers if name in held[router]]
                assert forms, name
                assert len({(each["version"], each["vrid"]) for each in forms}) == 1
        for router in routers:
            assert held[router] == {
                each["name"]: each for each in fleet.wanted[router]["virtual_routers"]
            }
