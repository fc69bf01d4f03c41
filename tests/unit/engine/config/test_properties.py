# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every configuration: it survives being written, and the schema knows it."""

import ipaddress
import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.config.argspec import argument_spec
from vrrp.config.diff import diff
from vrrp.config.fields import DOCUMENT_FIELDS, Kind
from vrrp.config.model import (
    AdvertisedPrefix,
    ChecksumMode,
    LeaseMode,
    ProfileMode,
    RoutePreference,
    RouterAdvertisements,
    RouterConfig,
    SyncGroupConfig,
    TrackerConfig,
    TrackerKind,
    TrackReference,
    VirtualRouterConfig,
)
from vrrp.config.parse import parse, parse_json
from vrrp.config.render import canonical_json, document, indented
from vrrp.config.schema import json_schema
from vrrp.config.validate import problems
from vrrp.errors import ConfigError
from vrrp.facts import Family, InterfaceAddress

NAMES = st.text("abcXYZ019_-", min_size=1, max_size=12)
PASSWORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
PROFILES_OF = {
    2: [ProfileMode.AUTO, ProfileMode.RFC3768],
    3: [ProfileMode.AUTO, ProfileMode.RFC5798, ProfileMode.RFC9568],
}
HOSTS = {
    Family.IPV4: st.integers(0x0A000001, 0x0AFFFFFE).map(lambda n: n.to_bytes(4, "big")),
    Family.IPV6: st.integers(1, 2**64).map(lambda n: ((0x20010DB8 << 96) + n).to_bytes(16, "big")),
}


@st.composite
def advertised_prefixes(draw, number):
    length = draw(st.sampled_from([48, 64]))
    network = ((0x20010DB8 << 96) + (number << 80)).to_bytes(16, "big")
    valid_s = draw(st.integers(0, 2**32 - 1))
    return AdvertisedPrefix(
        prefix=InterfaceAddress(network, length),
        on_link=draw(st.booleans()),
        autonomous=length == 64 and draw(st.booleans()),
        valid_lifetime_s=valid_s,
        preferred_lifetime_s=draw(st.integers(0, valid_s)),
    )


@st.composite
def router_advertisements(draw, enabled):
    longest_cs = draw(st.integers(400, 180000))
    lifetimes = st.just(0) | st.integers(1800, 9000)
    lifetime_s = draw(lifetimes)
    numbers = draw(st.lists(st.integers(0, 0xFFFF), max_size=3, unique=True))
    return RouterAdvertisements(
        enabled=enabled,
        lifetime_s=lifetime_s,
        max_interval_cs=longest_cs,
        min_interval_cs=draw(st.just(0) | st.integers(300, max(300, longest_cs * 3 // 4))),
        hop_limit=draw(st.integers(0, 255)),
        managed=draw(st.booleans()),
        other=draw(st.booleans()),
        preference=draw(st.sampled_from(RoutePreference)) if lifetime_s else RoutePreference.MEDIUM,
        mtu=draw(st.just(0) | st.integers(1280, 65535)),
        prefixes=tuple(draw(advertised_prefixes(number)) for number in numbers),
        rdnss=tuple(draw(st.lists(HOSTS[Family.IPV6], max_size=3, unique=True))),
        dnssl=tuple(draw(st.lists(st.sampled_from(["example.com", "a-b.example"]), unique=True))),
        rdnss_lifetime_s=draw(lifetimes),
    )


@st.composite
def virtual_routers(draw, name, index, trackers):
    family = draw(st.sampled_from(Family))
    version = draw(st.sampled_from([2, 3])) if family is Family.IPV4 else 3
    interval = st.integers(1, 255).map(lambda s: s * 100) if version == 2 else st.integers(1, 4095)
    preempt = draw(st.booleans())
    priority = draw(st.integers(1, 255 if preempt else 254))
    is_owner = priority == 255
    tracked = draw(st.lists(st.sampled_from(trackers), unique=True)) if trackers else []
    return VirtualRouterConfig(
        name=name,
        # An interface each: VRIDs and addresses are free then.
        interface="eth%d" % index,
        family=family,
        vrid=draw(st.integers(1, 255)),
        addresses=tuple(draw(st.lists(HOSTS[family], min_size=1, max_size=5, unique=True))),
        version=version,
        priority=priority,
        advertisement_interval_cs=draw(interval),
        preempt=preempt,
        preempt_delay_cs=draw(st.integers(0, 100000)) if preempt and not is_owner else 0,
        accept=draw(st.booleans()),
        checksum=draw(st.sampled_from(ChecksumMode)),
        profile=draw(st.sampled_from(PROFILES_OF[version])),
        password=draw(PASSWORDS) if version == 2 else "",
        track=()
        if is_owner
        else tuple(TrackReference(each, draw(st.integers(1, 254))) for each in tracked),
        router_advertisements=draw(
            st.just(RouterAdvertisements())
            | router_advertisements(enabled=family is Family.IPV6 and draw(st.booleans()))
        ),
    )


@st.composite
def trackers(draw, name):
    kind = draw(st.sampled_from(TrackerKind))
    targets = st.lists(st.one_of(*HOSTS.values()), min_size=1, max_size=4, unique=True)
    return TrackerConfig(
        name=name,
        kind=kind,
        interface="eth0" if kind is TrackerKind.LINK else draw(st.sampled_from(["", "wan"])),
        targets=tuple(draw(targets)) if kind is TrackerKind.PING else (),
        interval_cs=draw(st.integers(10, 100000)),
        timeout_cs=draw(st.integers(1, 100000)),
        fall=draw(st.integers(1, 255)),
        rise=draw(st.integers(1, 255)),
    )


@st.composite
def configs(draw):
    tracker_names = sorted(draw(st.lists(NAMES, max_size=3, unique=True)))
    names = sorted(draw(st.lists(NAMES, max_size=4, unique=True)))
    routers = tuple(
        draw(virtual_routers(name, index, tracker_names)) for index, name in enumerate(names)
    )
    return RouterConfig(
        routers,
        tuple(draw(trackers(name)) for name in tracker_names),
        tuple(draw(sync_groups(routers))),
        draw(st.sampled_from(LeaseMode)),
    )


@st.composite
def sync_groups(draw, routers):
    """Groups of those that agree in what members have to agree in."""
    alike = {}
    for router in routers:
        how = (router.priority == 255, router.preempt, router.preempt_delay_cs)
        alike.setdefault(how, []).append(router.name)
    candidates = [tuple(members) for members in alike.values() if len(members) > 1]
    chosen = [members for members in candidates if draw(st.booleans())]
    names = draw(st.lists(NAMES, min_size=len(chosen), max_size=len(chosen), unique=True))
    groups = [SyncGroupConfig(name, members) for name, members in zip(names, chosen)]
    return sorted(groups, key=lambda group: group.name)


@given(configs())
def test_what_is_written_can_be_read_back(config):
    assert problems(config) == ()
    assert parse(document(config)) == config
    text = canonical_json(config)
    assert parse_json(text) == config
    assert canonical_json(parse_json(text)) == text
    assert diff(config, parse_json(text)) == ()


@given(configs())
def test_the_schema_accepts_every_configuration(config):
    VALIDATOR.validate(document(config))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "virtual_routers",
                        "trackers",
                        "sync_groups",
                        "members",
                        "leases",
                        "track",
                        "name",
                        "vrid",
                        "addresses",
                        "kind",
                        "zzz",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_any_value_is_read_or_refused_but_never_crashed_on(value):
    try:
        assert isinstance(parse(value), RouterConfig)
    except ConfigError as error:
        assert error.problems


FORMATS = jsonschema.FormatChecker()
VALIDATOR = jsonschema.Draft202012Validator(json_schema(), format_checker=FORMATS)
ROUTER = {"name": "a", "interface": "e", "family": "ipv4", "vrid": 1, "addresses": ["10.0.0.1"]}


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert json.loads(json.dumps(json_schema())) == json_schema()


@pytest.mark.parametrize("interval", [1, 25500, "1s", "100 ms", "0.25s"])
def test_the_schema_accepts_intervals_in_both_forms(interval):
    VALIDATOR.validate({"virtual_routers": [dict(ROUTER, advertisement_interval_cs=interval)]})


@pytest.mark.parametrize(
    "changes",
    [
        {"vrid": 0},
        {"vrid": 256},
        {"vrid": "1"},
        {"priority": 0},
        {"version": 1},
        {"family": "ip"},
        {"name": "abcdefghijklm"},
        {"name": "a.b"},
        {"name": ""},
        {"interface": "a/b"},
        {"interface": ".."},
        {"advertisement_interval_cs": 0},
        {"advertisement_interval_cs": "often"},
        {"preempt": "yes"},
        {"addresses": []},
        {"addresses": ["10.0.0.1", "10.0.0.1"]},
        {"addresses": ["10.0.0.1/24"]},
        {"checksum": "md5"},
        {"profile": "rfc2338"},
        {"version": 2, "password": "nine-octet"},
        {"version": 2, "password": "na\u00efve"},
        {"track": [{"penalty": 1}]},
        {"track": [{"tracker": "a", "penalty": 255}]},
        {"priorty": 7},
        {"router_advertisements": True},
        {"router_advertisements": {"lifetime_s": 9001}},
        {"router_advertisements": {"preference": "best"}},
        {"router_advertisements": {"prefixes": [{"prefix": "2001:db8::"}]}},
        {"router_advertisements": {"prefixes": [{"on_link": True}]}},
        {"router_advertisements": {"dnssl": [7]}},
        {"router_advertisements": {"dns": []}},
    ],
)
def test_the_schema_refuses(changes):
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"virtual_routers": [dict(ROUTER, **changes)]})
    with pytest.raises(ConfigError):
        parse({"virtual_routers": [dict(ROUTER, **changes)]})


@pytest.mark.parametrize(
    "changes",
    [
        {"leases": "often"},
        {"leases": None},
        {"sync_groups": {}},
        {"sync_groups": [{"name": "lan"}]},
        {"sync_groups": [{"members": ["a", "b"]}]},
        {"sync_groups": [{"name": "lan", "members": ["a"]}]},
        {"sync_groups": [{"name": "lan", "members": ["a", "a"]}]},
        {"sync_groups": [{"name": "l n", "members": ["a", "b"]}]},
        {"sync_groups": [{"name": "lan", "members": ["a", "b"], "track": []}]},
    ],
)
def test_the_schema_refuses_beside_the_virtual_routers(changes):
    both = [ROUTER, dict(ROUTER, name="b", vrid=2, addresses=["10.0.0.2"])]
    good = {"virtual_routers": both, "sync_groups": [{"name": "lan", "members": ["b", "a"]}]}
    VALIDATOR.validate(good)
    assert parse(good).sync_groups == (SyncGroupConfig("lan", ("a", "b")),)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({**good, **changes})
    with pytest.raises(ConfigError):
        parse({**good, **changes})


def test_the_schema_demands_the_virtual_routers():
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"format": 1})


def _walk(fields, options):
    assert list(options) == [field.name for field in fields]
    for field in fields:
        option = options[field.name]
        assert option.get("required", False) is (field.required and field is fields[0])
        assert ("default" in option) is not field.required
        assert option.get("choices", []) == list(field.choices)
        if field.kind is Kind.OBJECTS:
            assert (option["type"], option["elements"]) == ("list", "dict")
            _walk(field.fields, option["options"])
        elif field.kind is Kind.OBJECT:
            assert option["type"] == "dict"
            _walk(field.fields, option["options"])
        elif field.kind in (Kind.ADDRESSES, Kind.NAMES):
            assert (option["type"], option["elements"]) == ("list", "str")


def test_the_argument_spec_follows_the_table():
    _walk(DOCUMENT_FIELDS, argument_spec())
    router = argument_spec()["virtual_routers"]["options"]
    assert router["name"] == {"type": "str", "required": True}
    assert router["vrid"] == {"type": "int"}
    assert router["advertisement_interval_cs"] == {"type": "raw", "default": 100}
    assert router["accept"] == {"type": "bool", "default": False}
    assert router["track"]["options"]["penalty"] == {"type": "int", "default": 101}


def test_addresses_are_written_in_their_short_form():
    long_form = "2001:0db8:0000:0000:0000:0000:0000:00fe"
    router = dict(ROUTER, family="ipv6", addresses=[long_form])
    written = document(parse({"virtual_routers": [router]}))
    assert written["virtual_routers"][0]["addresses"] == [str(ipaddress.ip_address(long_form))]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_json_is_written_as_by_the_standard_library(value):
    assert indented(value) == json.dumps(value, indent=2)
