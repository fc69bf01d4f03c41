# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups first, never two routers of one group together, and pairs do not wait for each other."""

from __future__ import annotations

import random

from ansible_collections.vlangate.vrrp.plugins.plugin_utils.waves import waves


def test_a_backup_goes_before_its_master():
    assert waves({"g": ["gw1", "gw2"]}, {"g": "gw1"}, ["gw1", "gw2"]) == [["gw2"], ["gw1"]]


def test_a_pair_that_shares_the_masterships_begins_with_who_has_fewest():
    groups = {name: ["gw1", "gw2"] for name in ("a", "b", "c")}
    masters = {"a": "gw1", "b": "gw1", "c": "gw2"}
    assert waves(groups, masters, ["gw1", "gw2"]) == [["gw2"], ["gw1"]]
    assert waves(groups, {}, ["gw1", "gw2"]) == [["gw1"], ["gw2"]]


def test_many_pairs_go_side_by_side():
    pairs = [("a%d" % number, "b%d" % number) for number in range(40)]
    groups = {"%s %d" % (a, vlan): (a, b) for a, b in pairs for vlan in (1, 2)}
    masters = {name: members[int(name[-1]) - 1] for name, members in groups.items()}
    routers = [router for pair in pairs for router in pair]
    assert waves(groups, masters, routers) == [[a for a, _b in pairs], [b for _a, b in pairs]]


def test_along_a_chain_every_master_waits_for_its_backups():
    groups = {"g1": ["a", "b"], "g2": ["b", "c"]}
    found = waves(groups, {"g1": "a", "g2": "b"}, ["a", "b", "c"])
    assert found == [["c"], ["b"], ["a"]]


def test_who_is_not_touched_holds_nobody_up():
    groups = {"g": ["gw1", "gw2", "gw3"]}
    assert waves(groups, {"g": "gw1"}, ["gw1"]) == [["gw1"]]
    assert waves(groups, {"g": "gw1"}, ["gw3", "gw1"]) == [["gw3"], ["gw1"]]
    assert waves({}, {}, ["gw1", "gw2"]) == [["gw1", "gw2"]]
    assert waves(groups, {"g": "gw1", "elsewhere": "gw1"}, []) == []


def test_any_fleet():
    seed = random.randrange(2**32)
    print("seed %d" % seed)
    dice = random.Random(seed)
    for _round in range(200):
        routers = ["r%d" % number for number in range(dice.randint(1, 12))]
        groups = {
            "g%d" % number: dice.sample(routers, min(len(routers), dice.randint(1, 4)))
            for number in range(dice.randint(0, 15))
        }
        masters = {name: dice.choice([*members, None]) for name, members in groups.items()}
        touched = dice.sample(routers, dice.randint(0, len(routers)))
        found = waves(groups, masters, touched)
        assert sorted(router for wave in found for router in wave) == sorted(touched)
        assert all(found)
        for members in groups.values():
            assert all(len(set(wave) & set(members)) <= 1 for wave in found)


def test_backups_go_first_wherever_that_is_possible():
    """With masters in a fixed order no two routers wait for each other."""
    seed = random.randrange(2**32)
    print("seed %d" % seed)
    dice = random.Random(seed)
    for _round in range(100):
        routers = ["r%d" % number for number in range(dice.randint(2, 10))]
        groups = {"g%d" % n: dice.sample(routers, 2) for n in range(dice.randint(1, 12))}
        masters = {name: min(members, key=routers.index) for name, members in groups.items()}
        found = waves(groups, masters, routers)
        wave_of = {router: number for number, wave in enumerate(found) for router in wave}
        for name, members in groups.items():
            others = set(members) - {masters[name]}
            assert all(wave_of[other] < wave_of[masters[name]] for other in others)
