# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes, and whether anybody will feel it."""

import dataclasses

import pytest

from vrrp.config.diff import COST, Change, ChangeKind, diff
from vrrp.config.fields import VIRTUAL_ROUTER_FIELDS
from vrrp.config.model import (
    ChecksumMode,
    RouterConfig,
    TrackerConfig,
    TrackerKind,
    TrackReference,
    VirtualRouterConfig,
)
from vrrp.facts import Family

A = VirtualRouterConfig("a", "vlan10", Family.IPV4, 10, (b"\x0a\x00\x00\xfe",))
B = VirtualRouterConfig("b", "vlan10", Family.IPV4, 11, (b"\x0a\x00\x00\xfd",))
UP = TrackerConfig("up", TrackerKind.LINK, "eth0")


def config(*routers, trackers=()):
    return RouterConfig(tuple(sorted(routers, key=lambda each: each.name)), tuple(trackers))


def test_nothing():
    assert diff(config(A, B, trackers=[UP]), config(B, A, trackers=[UP])) == ()


def test_added_and_removed():
    assert diff(config(A), config(B)) == (
        Change(ChangeKind.REMOVED, A.key, "a", (), hitless=False),
        Change(ChangeKind.ADDED, B.key, "b", (), hitless=True),
    )


@pytest.mark.parametrize(
    ("changes", "hitless"),
    [
        ({"name": "z"}, False),
        ({"version": 2}, False),
        ({"priority": 200}, True),
        ({"advertisement_interval_cs": 50}, True),
        ({"preempt": False}, True),
        ({"preempt_delay_cs": 1500}, True),
        ({"accept": True}, True),
        ({"addresses": (b"\x0a\x00\x00\xfc",)}, True),
        ({"checksum": ChecksumMode.RFC5798}, True),
        ({"track": (TrackReference("up", 101),)}, True),
        ({"priority": 200, "name": "z"}, False),
    ],
)
def test_changed(changes, hitless):
    after = dataclasses.replace(A, **changes)
    fields = tuple(each.name for each in VIRTUAL_ROUTER_FIELDS if each.name in changes)
    assert diff(config(A, B), config(after, B)) == (
        Change(ChangeKind.CHANGED, A.key, after.name, fields, hitless),
    )


def test_version_2_discards_another_interval():
    old = dataclasses.replace(A, version=2)
    new = dataclasses.replace(old, advertisement_interval_cs=200)
    (change,) = diff(config(old), config(new))
    assert not change.hitless


@pytest.mark.parametrize("field", ["interface", "family", "vrid"])
def test_another_identity_is_another_virtual_router(field):
    value = {"interface": "vlan20", "family": Family.IPV6, "vrid": 99}[field]
    after = dataclasses.replace(A, **{field: value})
    added, removed = diff(config(A), config(after))
    assert (removed.kind, removed.key) == (ChangeKind.REMOVED, A.key)
    assert (added.kind, added.key) == (ChangeKind.ADDED, after.key)


def test_every_field_has_a_cost():
    fields = {field.name for field in VIRTUAL_ROUTER_FIELDS}
    assert set(COST) == fields - {"interface", "family", "vrid"}
    assert all(reason for _hitless, reason in COST.values())


def test_trackers():
    slower = dataclasses.replace(UP, fall=9, interval_cs=500)
    other = TrackerConfig("down", TrackerKind.LINK, "eth1")
    assert diff(config(trackers=[UP]), config(trackers=[other, slower])) == (
        Change(ChangeKind.ADDED, None, "tracker down", (), hitless=True),
        Change(ChangeKind.CHANGED, None, "tracker up", ("interval_cs", "fall"), hitless=True),
    )
    assert diff(config(trackers=[UP]), config()) == (
        Change(ChangeKind.REMOVED, None, "tracker up", (), hitless=True),
    )
