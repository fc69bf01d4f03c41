# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents that can be used, and what they mean."""

import ipaddress
import json

import pytest
from engine_kit.scaling import assert_linear

from vrrp.config.fields import (
    SYNC_GROUP_FIELDS,
    TRACK_FIELDS,
    TRACKER_FIELDS,
    VIRTUAL_ROUTER_FIELDS,
    Kind,
)
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
from vrrp.config.parse import parse, parse_json
from vrrp.config.render import canonical_json, document
from vrrp.config.validate import problems
from vrrp.errors import ConfigError
from vrrp.facts import Family


def packed(text):
    return ipaddress.ip_address(text).packed


MINIMAL = {
    "name": "vlan10-v4",
    "interface": "vlan10",
    "family": "ipv4",
    "vrid": 10,
    "addresses": ["198.18.10.254"],
}


def test_defaults_are_those_of_the_model():
    router = VirtualRouterConfig("vlan10-v4", "vlan10", Family.IPV4, 10, (packed("198.18.10.254"),))
    assert parse({"virtual_routers": [MINIMAL]}) == RouterConfig((router,), ())
    link = {"name": "up", "kind": "link", "interface": "eth0"}
    assert parse({"virtual_routers": [], "trackers": [link]}) == RouterConfig(
        (), (TrackerConfig("up", TrackerKind.LINK, "eth0"),)
    )


def test_every_field_is_taken_over():
    document = {
        "format": 1,
        "virtual_routers": [
            dict(
                MINIMAL,
                version=2,
                priority=42,
                advertisement_interval_cs=300,
                preempt=False,
                accept=True,
                checksum="rfc9568",
                track=[{"tracker": "uplink", "penalty": 7}, {"tracker": "down"}],
            ),
            dict(MINIMAL, name="b", vrid=11, addresses=["198.18.10.253"], preempt_delay_cs=99),
        ],
        "trackers": [
            {
                "name": "uplink",
                "kind": "ping",
                "interface": "eth0",
                "targets": ["192.0.2.1", "2001:db8::1"],
                "interval_cs": 50,
                "timeout_cs": 40,
                "fall": 4,
                "rise": 5,
            },
            {"name": "down", "kind": "link", "interface": "eth1"},
        ],
    }
    config = parse(document)
    second, first = config.virtual_routers
    assert first == VirtualRouterConfig(
        name="vlan10-v4",
        interface="vlan10",
        family=Family.IPV4,
        vrid=10,
        addresses=(packed("198.18.10.254"),),
        version=2,
        priority=42,
        advertisement_interval_cs=300,
        preempt=False,
        preempt_delay_cs=0,
        accept=True,
        checksum=ChecksumMode.RFC9568,
        track=(TrackReference("uplink", 7), TrackReference("down", 101)),
    )
    assert (second.name, second.preempt_delay_cs) == ("b", 99)
    assert config.trackers == (
        TrackerConfig("down", TrackerKind.LINK, "eth1"),
        TrackerConfig(
            "uplink",
            TrackerKind.PING,
            "eth0",
            (packed("192.0.2.1"), packed("2001:db8::1")),
            50,
            40,
            4,
            5,
        ),
    )
    assert parse_json(json.dumps(document)) == config


@pytest.mark.parametrize(
    ("written", "meant_cs"),
    [("1s", 100), ("100ms", 10), ("50cs", 50), ("0.25s", 25), ("40.95s", 4095), (1, 1)],
)
def test_intervals_as_text(written, meant_cs):
    config = parse({"virtual_routers": [dict(MINIMAL, advertisement_interval_cs=written)]})
    assert config.virtual_routers[0].advertisement_interval_cs == meant_cs


@pytest.mark.parametrize(
    "changes",
    [
        {"vrid": 1},
        {"vrid": 255},
        {"priority": 1},
        {"priority": 255},
        {"version": 2, "advertisement_interval_cs": 25500},
        {"version": 2, "advertisement_interval_cs": 100},
        {"name": "abcdefghijkl"},
        {"interface": "eth1.10@x"},
        {"preempt_delay_cs": 100000},
        {"family": "ipv6", "addresses": ["fe80::fe", "fe80::ff", "2001:db8::fe"]},
        {"addresses": ["169.254.1.1"]},
    ],
)
def test_the_edges_are_allowed(changes):
    assert parse({"virtual_routers": [dict(MINIMAL, **changes)]}).virtual_routers


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("auto", LeaseMode.AUTO),
        ("on", LeaseMode.ON),
        ("off", LeaseMode.OFF),
        # What YAML 1.1 makes of a bare on or off.
        (True, LeaseMode.ON),
        (False, LeaseMode.OFF),
    ],
)
def test_leases(written, meant):
    config = parse({"virtual_routers": [MINIMAL], "leases": written})
    assert config.leases is meant
    assert document(config).get("leases", "auto") == meant.value


def test_a_truth_value_is_no_other_choice():
    with pytest.raises(ConfigError) as caught:
        parse({"virtual_routers": [dict(MINIMAL, checksum=True)]})
    assert [problem.code for problem in caught.value.problems] == ["choice"]


@pytest.mark.parametrize(
    ("leases", "addresses", "uses"),
    [("auto", 100, True), ("auto", 101, False), ("on", 101, True), ("off", 1, False)],
)
def test_few_addresses_are_leases_unless_somebody_says_otherwise(leases, addresses, uses):
    listed = ["198.18.10.%d" % number for number in range(1, addresses + 1)]
    router = dict(MINIMAL, addresses=listed)
    assert parse({"virtual_routers": [router], "leases": leases}).uses_leases is uses


def test_sync_groups_and_their_members_are_sorted():
    routers = [
        dict(MINIMAL, name=name, vrid=vrid, addresses=["198.18.10.%d" % vrid])
        for vrid, name in enumerate("dcba", 1)
    ]
    groups = [{"name": "two", "members": ["d", "b"]}, {"name": "one", "members": ["c", "a"]}]
    config = parse({"virtual_routers": routers, "sync_groups": groups})
    assert config.sync_groups == (
        SyncGroupConfig("one", ("a", "c")),
        SyncGroupConfig("two", ("b", "d")),
    )
    assert parse_json(canonical_json(config)) == config


def test_members_may_differ_in_what_does_not_move_them():
    members = [
        dict(MINIMAL, priority=200, advertisement_interval_cs=100),
        dict(MINIMAL, name="b", vrid=11, addresses=["198.18.10.9"], priority=150, version=2),
        dict(MINIMAL, name="c", interface="wan0", advertisement_interval_cs=50, accept=True),
        dict(MINIMAL, name="d", family="ipv6", addresses=["2001:db8::fe"]),
    ]
    group = {"name": "all", "members": ["vlan10-v4", "b", "c", "d"]}
    assert parse({"virtual_routers": members, "sync_groups": [group]}).sync_groups


def test_two_owners_may_be_in_sync():
    owners = [
        dict(MINIMAL, priority=255),
        dict(MINIMAL, name="b", vrid=11, addresses=["198.18.10.9"], priority=255),
    ]
    group = {"name": "all", "members": ["vlan10-v4", "b"]}
    assert parse({"virtual_routers": owners, "sync_groups": [group]}).sync_groups


def test_same_vrid_elsewhere_is_no_problem():
    other_family = dict(MINIMAL, name="six", family="ipv6", addresses=["2001:db8::fe"])
    other_lan = dict(MINIMAL, name="lan", interface="vlan20")
    config = parse({"virtual_routers": [MINIMAL, other_family, other_lan]})
    assert len(config.virtual_routers) == 3


def test_order_of_entries_does_not_matter():
    other = dict(MINIMAL, name="a", vrid=11, addresses=["198.18.10.253"])
    forwards = parse({"virtual_routers": [MINIMAL, other]})
    assert forwards == parse({"virtual_routers": [other, MINIMAL]})


def test_a_config_built_by_hand_is_judged_like_a_document():
    router = VirtualRouterConfig("a", "vlan10", Family.IPV4, 0, (), priority=256)
    found = [(problem.path, problem.code) for problem in problems(RouterConfig((router,)))]
    assert found == [
        ("virtual_routers[a].addresses", "too-few"),
        ("virtual_routers[a].priority", "range"),
        ("virtual_routers[a].vrid", "range"),
    ]


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        (VIRTUAL_ROUTER_FIELDS, VirtualRouterConfig),
        (TRACKER_FIELDS, TrackerConfig),
        (TRACK_FIELDS, TrackReference),
        (SYNC_GROUP_FIELDS, SyncGroupConfig),
    ],
)
def test_table_and_model_have_the_same_fields_and_defaults(fields, model):
    attributes = model.__dataclass_fields__
    assert {field.name for field in fields} == set(attributes)
    for field in fields:
        default = getattr(model, field.name, None)
        if not field.required and model is not TrackReference:
            assert field.default == getattr(default, "value", default), field.name
        assert field.summary.endswith(".") and field.since
        if field.kind in (Kind.INTEGER, Kind.INTERVAL):
            assert field.minimum is not None and field.maximum is not None, field.name


def test_four_times_as_many_virtual_routers_take_four_times_as_long():
    def work(count):
        routers = [
            dict(
                MINIMAL,
                name="v%d" % number,
                interface="eth%d" % (number // 250),
                vrid=number % 250 + 1,
                addresses=["10.%d.%d.254" % (number // 250, number % 250)],
                track=[{"tracker": "up"}],
            )
            for number in range(count)
        ]
        tracker = {"name": "up", "kind": "link", "interface": "eth9"}
        config = parse({"virtual_routers": routers, "trackers": [tracker]})
        assert len(config.virtual_routers) == count

    assert_linear(work, 250)
