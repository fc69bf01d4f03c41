# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exactly one master per group, the intended one, and the sentences when it is not so."""

from __future__ import annotations

import pytest
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.group_verdict import (
    Blackboard,
    Group,
    read_groups,
    strays,
    table,
    verdicts,
)

HOSTS = ["gw1", "gw2"]


def router(state, name="vlan10-v4", **fields):
    return {
        "name": name,
        "state": state,
        "state_age_ns": 3200000000,
        "waiting": None,
        "master_address": "198.18.10.253",
        "master_priority": 150,
        **fields,
    }


def seen(**states):
    return {host: {"routers": [router(state)]} for host, state in states.items()}


def group(master="gw1"):
    return Group("vlan10-v4", master, ("gw1", "gw2"))


def test_the_intended_master_alone_is_fine():
    assert group().verdict(seen(gw1="master", gw2="backup")) is None


@pytest.mark.parametrize("master", ["gw1", None])
def test_two_masters_are_not(master):
    sentence = group(master).verdict(seen(gw1="master", gw2="master"))
    assert "gw1 is master for 3.2 s, gw2 is master for 3.2 s" in sentence


@pytest.mark.parametrize("master", ["gw1", None])
def test_no_master_is_not(master):
    assert group(master).verdict(seen(gw1="backup", gw2="backup")) is not None


@pytest.mark.parametrize("heard, is_stray", [("198.18.10.252", False), ("198.18.10.9", True)])
def test_a_backup_that_hears_somebody_else_is_told(heard, is_stray):
    observed = {
        "gw1": {"routers": [router("master", primary_address="198.18.10.252")]},
        "gw2": {"routers": [router("backup", master_address=heard)]},
    }
    sentences = strays([group()], observed)
    assert bool(sentences) is is_stray
    if is_stray:
        told = "gw1 is master by 198.18.10.252, but gw2 is backup for 3.2 s and hears master"
        assert sentences == ["vlan10-v4: %s 198.18.10.9 with priority 150" % told]


@pytest.mark.parametrize("states", [{"gw1": "backup"}, {"gw1": "master", "gw2": "master"}])
def test_without_one_master_nobody_is_astray(states):
    assert strays([group()], seen(**states)) == []


def test_the_wrong_master_is_told_per_host():
    assert group().verdict(seen(gw1="backup", gw2="master")) == (
        "vlan10-v4: expected master gw1; seen: gw1 is backup for 3.2 s and hears master "
        "198.18.10.253 with priority 150, gw2 is master for 3.2 s"
    )


def test_a_member_that_is_not_ready_is_told_with_its_reason():
    observations = seen(gw1="master")
    waiting = router("initialize", waiting="interface vlan10 does not exist")
    observations["gw2"] = {"routers": [waiting]}
    assert (
        group().verdict(observations).endswith("gw2 is initialize: interface vlan10 does not exist")
    )


def test_a_member_that_does_not_answer_is_told():
    observations = seen(gw1="master")
    observations["gw2"] = {"error": "the engine does not answer"}
    assert "gw2 did not tell: the engine does not answer" in group().verdict(observations)


def test_a_member_without_the_group_is_told():
    observations = seen(gw1="master")
    observations["gw2"] = {"routers": []}
    assert "gw2 has no such virtual router" in group().verdict(observations)


def test_what_is_not_seen_yet_is_not_held_against_anybody():
    assert group().verdict(seen(gw2="backup")) is None
    assert group(None).verdict(seen(gw2="backup")) is None
    assert group().verdict(seen(gw2="master")) is not None


def test_a_master_outside_the_play_leaves_only_backups_here():
    outside = Group("vlan10-v4", "gw9", ("gw1", "gw2"))
    assert outside.verdict(seen(gw1="backup", gw2="backup")) is None
    assert outside.verdict(seen(gw1="master", gw2="backup")) is not None


def test_each_host_is_held_to_its_own_part():
    assert group().expectation("gw1") == {"name": "vlan10-v4", "state": "master"}
    assert group().expectation("gw2") == {"name": "vlan10-v4", "state": "backup"}
    assert group(None).expectation("gw1") == {"name": "vlan10-v4"}


def test_groups_of_the_filter_fit_and_come_once():
    entry = {"name": "a", "preferred": "gw2", "members": ["gw2", "gw9", "gw1"], "priority": 200}
    assert read_groups([entry, {**entry, "priority": 150}], HOSTS) == [
        Group("a", "gw2", ("gw1", "gw2"))
    ]


def test_master_comes_before_preferred_even_when_nobody():
    entry = {"name": "a", "preferred": "gw2", "master": None}
    assert read_groups([entry], HOSTS) == [Group("a", None, ("gw1", "gw2"))]


@pytest.mark.parametrize("entries", [None, [], "a", [{}], [{"name": 1}], ["a"]])
def test_bad_groups_are_refused(entries):
    with pytest.raises(ValueError, match="groups"):
        read_groups(entries, HOSTS)


def test_the_blackboard_shows_the_last_word_of_each(tmp_path):
    directory = str(tmp_path / "board")
    Blackboard(directory).write("gw1", {"routers": [1]})
    Blackboard(directory).write("gw1", {"routers": [2]})
    Blackboard(directory).write("gw/2", {"error": "x"})
    posts = Blackboard(directory).read_all(["gw1", "gw/2"], 0)
    assert posts["gw1"]["routers"] == [2]
    assert posts["gw/2"]["error"] == "x"
    assert Blackboard(directory).read_all(["gw1", "gw3"], 0).keys() == {"gw1", "gw/2"}


def test_the_table_has_a_line_for_each_group_as_it_was_seen():
    planned = [{"name": "a", "vip": "198.18.10.254", "virtual_mac": "00:00:5e:00:01:0a"}]
    groups = read_groups([{"name": "b"}, {"name": "a", "preferred": "gw1"}], HOSTS, planned)
    routers = {"gw1": ("master", "backup"), "gw2": ("backup", "initialize")}
    observed = {
        host: {"routers": [{"name": "a", "state": first}, {"name": "b", "state": second}]}
        for host, (first, second) in routers.items()
    }
    head, *lines = table(groups, observed)
    assert head.startswith("GROUP ") and head.endswith(" MASTER     BACKUPS")
    assert [line.split() for line in lines] == [
        ["a", "198.18.10.254", "00:00:5e:00:01:0a", "gw1", "gw2"],
        ["b", "none", "gw1"],
    ]
    silent = table(groups, {"gw1": {"error": "x"}})[1].split()
    assert silent[-2:] == ["none", "none"]


def test_all_groups_are_judged_and_only_the_bad_ones_told():
    groups = read_groups([{"name": "a"}, {"name": "b"}, {"name": "c"}], ("gw1",))
    states = {"a": "backup", "b": "master"}
    observed = [
        {"name": name, "state": state, "state_age_ns": 0, "master_address": None}
        for name, state in states.items()
    ]
    unmet = verdicts(groups, {"gw1": {"routers": observed}})
    assert [sentence.split(":")[0] for sentence in unmet] == ["a", "c"]
    assert "gw1 has no such virtual router" in unmet[1]
