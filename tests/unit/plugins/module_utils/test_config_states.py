# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each state makes of what a router has."""

from __future__ import annotations

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils.config_states import (
    combined,
    part_problems,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.parse import parse
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.render import document

VLAN10 = {
    "name": "vlan10-v6",
    "interface": "vlan10",
    "family": "ipv6",
    "vrid": 10,
    "priority": 200,
    "addresses": ["fe80::254", "2001:db8:10::fe"],
    "track": [{"tracker": "uplink", "penalty": 50}],
    "router_advertisements": {"enabled": True, "prefixes": [{"prefix": "2001:db8:10::/64"}]},
}
VLAN20 = {
    "name": "vlan20-v4",
    "interface": "vlan20",
    "family": "ipv4",
    "vrid": 20,
    "addresses": ["198.18.20.254"],
}
UPLINK = {"name": "uplink", "kind": "ping", "targets": ["198.51.100.1"]}
BEFORE = {"virtual_routers": [VLAN10, VLAN20], "trackers": [UPLINK], "leases": "on"}


def after(state, **given):
    """The entries that the router has then, by name, with every field."""
    assert part_problems(state, given) == ()
    found = document(parse(combined(state, document(parse(BEFORE)), given)))
    lists = ("virtual_routers", "trackers", "sync_groups")
    entries = {each["name"]: each for name in lists for each in found.get(name, ())}
    return {**entries, "leases": found.get("leases", "auto")}


UNCHANGED = after("merged")


def changes(found):
    return {
        name: {key: value for key, value in found[name].items() if value != before[key]}
        for name, before in UNCHANGED.items()
        if name in found and name != "leases" and found[name] != before
    }


def test_merged_changes_single_fields():
    found = after("merged", virtual_routers=[{"name": "vlan10-v6", "priority": 90}])
    assert changes(found) == {"vlan10-v6": {"priority": 90}}
    assert (sorted(found), found["leases"]) == (sorted(UNCHANGED), "on")


def test_merged_adds_to_lists_and_removes_nothing():
    entry = {
        "name": "vlan10-v6",
        "addresses": ["2001:DB8:10:0::fe", "2001:db8:10::fd"],
        "track": [{"tracker": "uplink", "penalty": 60}, {"tracker": "isp"}],
        "router_advertisements": {
            "mtu": 1400,
            "prefixes": [
                {"prefix": "2001:0db8:10::/64", "on_link": False},
                {"prefix": "2001:db8:11::/64"},
            ],
        },
    }
    isp = {"name": "isp", "kind": "link", "interface": "isp"}
    found = after("merged", virtual_routers=[entry], trackers=[isp])
    changed = changes(found)["vlan10-v6"]
    assert changed["addresses"] == ["fe80::254", "2001:db8:10::fe", "2001:db8:10::fd"]
    assert {each["tracker"]: each["penalty"] for each in changed["track"]} == {
        "uplink": 60,
        "isp": 101,
    }
    told = changed["router_advertisements"]
    assert (told["enabled"], told["mtu"]) == (True, 1400)
    assert [(each["prefix"], each["on_link"]) for each in told["prefixes"]] == [
        ("2001:db8:10::/64", False),
        ("2001:db8:11::/64", True),
    ]
    assert found["isp"]["interface"] == "isp"


def test_merged_adds_what_is_not_there():
    new = {**VLAN20, "name": "vlan30-v4", "interface": "vlan30", "addresses": ["198.18.30.254"]}
    group = {"name": "inside", "members": ["vlan30-v4", "vlan20-v4"]}
    found = after("merged", virtual_routers=[new], sync_groups=[group], leases="off")
    assert changes(found) == {}
    assert found["vlan30-v4"]["priority"] == 100
    assert found["inside"]["members"] == ["vlan20-v4", "vlan30-v4"]
    assert found["leases"] == "off"


def test_one_member_can_be_added_to_a_sync_group():
    before = {**BEFORE, "sync_groups": [{"name": "all", "members": ["vlan10-v6", "vlan20-v4"]}]}
    third = {**VLAN20, "name": "vlan30-v4", "interface": "vlan30"}
    part = {"virtual_routers": [third], "sync_groups": [{"name": "all", "members": ["vlan30-v4"]}]}
    assert part_problems("merged", part) == ()
    found = parse(combined("merged", document(parse(before)), part))
    assert found.sync_groups[0].members == ("vlan10-v6", "vlan20-v4", "vlan30-v4")


def test_replaced_gives_the_named_their_defaults_and_leaves_the_others():
    entry = {key: VLAN10[key] for key in ("name", "interface", "family", "vrid", "addresses")}
    found = after("replaced", virtual_routers=[entry])
    changed = changes(found)
    assert list(changed) == ["vlan10-v6"]
    assert (changed["vlan10-v6"]["priority"], changed["vlan10-v6"]["track"]) == (100, [])
    assert changed["vlan10-v6"]["router_advertisements"] == {}
    assert found["leases"] == "on"
    assert after("replaced", leases="off")["leases"] == "off"


def test_deleted_removes_the_named_whatever_else_they_say():
    found = after(
        "deleted",
        virtual_routers=[{"name": "vlan10-v6", "priority": "x"}, {"name": "vlan99-v4"}],
        trackers=[UPLINK],
    )
    assert sorted(found) == ["leases", "vlan20-v4"]
    assert found["leases"] == "on"
    assert after("deleted", leases="on")["leases"] == "auto"


def test_the_same_part_again_is_no_change():
    for state in ("merged", "replaced", "deleted"):
        part = {"virtual_routers": [VLAN10], "trackers": [{**UPLINK, "interval_cs": "2s"}]}
        if state == "deleted":
            part["virtual_routers"] = [VLAN10, VLAN20]
        once = parse(combined(state, document(parse(BEFORE)), part))
        assert parse(combined(state, document(once), part)) == once, state


def found(state, given):
    return [(each.path, each.code) for each in part_problems(state, given)]


@pytest.mark.parametrize("state", ["merged", "replaced", "deleted"])
def test_what_is_no_part_of_a_configuration_is_told(state):
    given = {"virtual_routers": "x", "trackers": ["y"], "colour": "red"}
    told = found(state, given)
    assert ("colour", "unknown-key") in told and ("virtual_routers", "type") in told
    assert ("trackers[0]", "type") in told


def test_a_part_may_name_what_only_the_router_has():
    tracked = {**VLAN20, "track": [{"tracker": "uplink"}]}
    group = {"name": "inside", "members": ["vlan10-v6", "vlan20-v4"]}
    assert found("replaced", {"virtual_routers": [tracked], "sync_groups": [group]}) == []


def test_rules_are_about_what_is_given():
    """The version that the password needs may be there already; both together can be judged."""
    entry = {"name": "vlan20-v4", "password": "open-you"}
    assert found("merged", {"virtual_routers": [entry]}) == []
    wrong = {"virtual_routers": [{**entry, "version": 3}]}
    assert found("merged", wrong) == [("virtual_routers[vlan20-v4].password", "v3-password")]
    assert found("replaced", {"virtual_routers": [{**VLAN20, "password": "open-you"}]}) != []
