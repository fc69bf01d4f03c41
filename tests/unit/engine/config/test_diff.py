# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes, and whether anybody will feel it."""

import dataclasses
import itertools

import pytest

from vrrp.config.diff import COST, Change, ChangeKind, diff
from vrrp.config.fields import VIRTUAL_ROUTER_FIELDS
from vrrp.config.model import (
    ChecksumMode,
    LeaseMode,
    RouterConfig,
    SyncGroupConfig,
    TrackerConfig,
    TrackerKind,
    TrackReference,
    VirtualRouterConfig,
)
from vrrp.facts import Family

A = VirtualRouterConfig("a", "vlan10", Family.IPV4, 10, (b"\x0a\x00\x00\xfe",))
B = VirtualRouterConfig("b", "vlan10", Family.IPV4, 11, (b"\x0a\x00\x00\xfd",))
UP = TrackerConfig("up", TrackerKind.LINK, "eth0")


def config(*routers, trackers=(), sync_groups=(), leases=LeaseMode.AUTO):
    ordered = tuple(sorted(routers, key=lambda each: each.name))
    return RouterConfig(ordered, tuple(trackers), tuple(sync_groups), leases)


def told(old, new):
    """What anybody is told of the changes, without the sentences."""
    return [
        (each.kind.value, each.key, each.name, each.fields, each.hitless) for each in diff(old, new)
    ]


def test_nothing():
    assert diff(config(A, B, trackers=[UP]), config(B, A, trackers=[UP])) == ()


def test_added_and_removed():
    removed, added = diff(config(A), config(B))
    assert removed == Change(ChangeKind.REMOVED, A.key, "a", (), False, removed.cost)
    assert added == Change(ChangeKind.ADDED, B.key, "b", (), True, added.cost)
    assert "leaves" in removed.cost and "no longer answered" in removed.cost
    assert "touches no other" in added.cost


@pytest.mark.parametrize(
    ("changes", "hitless"),
    [
        ({"name": "z"}, True),
        ({"version": 2}, False),
        ({"priority": 200}, True),
        ({"advertisement_interval_cs": 50}, True),
        ({"preempt": False}, True),
        ({"preempt_delay_cs": 1500}, True),
        ({"accept": True}, True),
        ({"addresses": (b"\x0a\x00\x00\xfc",)}, True),
        ({"checksum": ChecksumMode.RFC5798}, True),
        ({"password": "x"}, False),
        ({"track": (TrackReference("up", 101),)}, True),
        ({"priority": 200, "name": "z"}, True),
        ({"priority": 200, "version": 2}, False),
    ],
)
def test_changed(changes, hitless):
    after = dataclasses.replace(A, **changes)
    fields = tuple(each.name for each in VIRTUAL_ROUTER_FIELDS if each.name in changes)
    (change,) = diff(config(A, B), config(after, B))
    assert (change.kind, change.key, change.name) == (ChangeKind.CHANGED, A.key, after.name)
    assert (change.fields, change.hitless) == (fields, hitless)
    assert change.cost == "; ".join("%s: %s" % (field, COST[field][1]) for field in fields)


def test_version_2_discards_another_interval():
    old = dataclasses.replace(A, version=2)
    new = dataclasses.replace(old, advertisement_interval_cs=200)
    (change,) = diff(config(old), config(new))
    assert not change.hitless
    assert "VRRPv2" in change.cost and "do not hear" in change.cost


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("interface", "vlan20", "interface from vlan10 to vlan20 makes it another"),
        ("family", Family.IPV6, "family from ipv4 to ipv6 makes it another"),
        ("vrid", 99, "vrid from 10 to 99 makes it another"),
    ],
)
def test_another_identity_is_another_virtual_router(field, value, sentence):
    after = dataclasses.replace(A, **{field: value})
    added, removed = diff(config(A), config(after))
    assert (removed.kind, removed.key) == (ChangeKind.REMOVED, A.key)
    assert (added.kind, added.key) == (ChangeKind.ADDED, after.key)
    assert not added.hitless and not removed.hitless, "the name stays, the gateway does not"
    assert sentence in added.cost
    assert added.cost == removed.cost


def test_another_identity_under_another_name_is_one_more_and_one_less():
    after = dataclasses.replace(A, vrid=99, name="z")
    removed, added = diff(config(A), config(after))
    assert (removed.hitless, added.hitless) == (False, True)
    assert "another virtual router:" not in removed.cost + added.cost


def test_two_that_swap_their_names_are_renamed():
    swapped = config(dataclasses.replace(A, name="b"), dataclasses.replace(B, name="a"))
    assert told(config(A, B), swapped) == [
        ("changed", B.key, "a", ("name",), True),
        ("changed", A.key, "b", ("name",), True),
    ]


def test_a_name_that_moves_to_another_key_that_was_there():
    """B takes the name of A, which goes: A was not replaced by anything new."""
    renamed = dataclasses.replace(B, name="a")
    removed = diff(config(A, B), config(renamed))[1]
    assert (removed.kind, removed.key) == (ChangeKind.REMOVED, A.key)
    assert "no longer answered" in removed.cost


def test_every_field_has_a_cost():
    fields = {field.name for field in VIRTUAL_ROUTER_FIELDS}
    assert set(COST) == fields - {"interface", "family", "vrid"}
    assert all(reason for _hitless, reason in COST.values())
    assert not any(";" in reason for _hitless, reason in COST.values()), "it parts the fields"


def test_trackers():
    slower = dataclasses.replace(UP, fall=9, interval_cs=500)
    other = TrackerConfig("down", TrackerKind.LINK, "eth1")
    assert told(config(trackers=[UP]), config(trackers=[other, slower])) == [
        ("added", None, "tracker down", (), True),
        ("changed", None, "tracker up", ("interval_cs", "fall"), True),
    ]
    assert told(config(trackers=[UP]), config()) == [("removed", None, "tracker up", (), True)]


C = VirtualRouterConfig("c", "vlan10", Family.IPV4, 12, (b"\x0a\x00\x00\xfc",))
PAIR = SyncGroupConfig("lan", ("a", "b"))
THREE = SyncGroupConfig("lan", ("a", "b", "c"))


@pytest.mark.parametrize(
    ("old", "new", "change", "sentence"),
    [
        ((), (PAIR,), ("added", ()), "stay as they are when they agree"),
        ((PAIR,), (), ("removed", ()), "stay as they are"),
        ((PAIR,), (THREE,), ("changed", ("members",)), "takes the state of the group"),
        ((THREE,), (PAIR,), ("changed", ("members",)), "who leaves goes on by itself"),
    ],
)
def test_sync_groups(old, new, change, sentence):
    (found,) = diff(config(A, B, C, sync_groups=old), config(A, B, C, sync_groups=new))
    assert (found.kind.value, found.fields) == change
    assert (found.key, found.name, found.hitless) == (None, "sync group lan", True)
    assert sentence in found.cost


def test_a_sync_group_whose_member_is_renamed():
    renamed = dataclasses.replace(A, name="z")
    group = SyncGroupConfig("lan", ("b", "z"))
    changes = diff(config(A, B, sync_groups=[PAIR]), config(renamed, B, sync_groups=[group]))
    assert [each.name for each in changes] == ["z", "sync group lan"]
    assert all(each.hitless for each in changes)
    assert changes[1].cost == "the same virtual routers under other names"


@pytest.mark.parametrize(("old", "new"), list(itertools.permutations(LeaseMode, 2)))
def test_leases(old, new):
    (change,) = diff(config(A, leases=old), config(A, leases=new))
    assert told(config(A, leases=old), config(A, leases=new)) == [
        ("changed", None, "leases", ("leases",), True)
    ]
    assert "addresses stay" in change.cost


def test_the_order_of_all_changes():
    other = TrackerConfig("down", TrackerKind.LINK, "eth1")
    new = config(
        dataclasses.replace(A, priority=7),
        B,
        trackers=[other],
        sync_groups=[PAIR],
        leases=LeaseMode.ON,
    )
    assert [each[2] for each in told(config(A), new)] == [
        "a",
        "b",
        "tracker down",
        "sync group lan",
        "leases",
    ]
