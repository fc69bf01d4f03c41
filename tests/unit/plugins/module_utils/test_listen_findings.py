# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found, and what is not, on wires that are well or not."""

from __future__ import annotations

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils import listen_speakers
from ansible_collections.vlangate.vrrp.plugins.module_utils.listen_expected import read_expected
from ansible_collections.vlangate.vrrp.plugins.module_utils.listen_findings import CODES, findings
from ansible_collections.vlangate.vrrp.plugins.module_utils.listen_speakers import Wire
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.errors import ConfigError
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.wire.checksum import ChecksumForm

S = 1_000_000_000
FIRST, SECOND = "198.18.10.252", "198.18.10.253"
VIP = "198.18.10.254"
SIX = {"source": "fe80::252", "addresses": ["fe80::254", "2001:db8:10::fe"]}


def wire_of(*frames, vlan=0):
    """A wire on which these were heard, a second apart."""
    wire = Wire()
    for number, frame in enumerate(frames):
        wire.hear(number * S, frame, vlan)
    return wire


def codes(wire, expected=None):
    read = None if expected is None else read_expected(expected)
    found = findings(wire, read)
    assert {each["code"] for each in found} <= set(CODES)
    return [each["code"] for each in found]


def test_a_wire_that_is_well_has_no_findings(advert):
    wire = wire_of(*[advert(), advert(**SIX)] * 4)
    expected = [
        {"vrid": 10, "family": "ipv4", "routers": [FIRST, SECOND], "addresses": [VIP]},
        {"vrid": 10, "family": "ipv6", "addresses": ["2001:db8:10::fe"]},
    ]
    assert codes(wire) == codes(wire, expected) == []
    assert codes(wire, [{"vrid": 10}]) == []
    assert codes(wire, [{"vrid": 10, "routers": [FIRST, "fe80::252"], "addresses": [VIP]}]) == []


def test_two_masters_come_first(advert):
    frames = [advert(ttl=64), advert(source=SECOND)] * 4
    found = findings(wire_of(*frames))
    assert [each["code"] for each in found] == ["two-masters", "wrong-ttl"]
    assert found[0] == {
        "code": "two-masters",
        "vlan": None,
        "family": "ipv4",
        "vrid": 10,
        "sources": [FIRST, SECOND],
        "message": "ipv4 VRID 10: %s and %s advertise by turns, for 7.0 s" % (FIRST, SECOND),
    }


def test_strangers_and_those_who_are_missing(advert):
    wire = wire_of(advert(), advert(vrid=66, source="198.18.10.66"))
    expected = [{"vrid": 10, "routers": [SECOND]}, {"vrid": 20, "family": "ipv4"}]
    assert codes(wire, expected) == ["unknown-vrid", "unknown-router", "missing"]
    texts = [each["message"] for each in findings(wire, read_expected(expected))]
    assert texts[0].endswith("198.18.10.66 (00:00:5e:00:01:42): this VRID is not expected")
    assert texts[1].endswith("is none of the routers expected: " + SECOND)
    assert texts[2] == "ipv4 VRID 20: nobody advertises it"
    assert codes(wire, []) == ["unknown-vrid", "unknown-vrid"]


def test_the_vlan_of_a_trunk_counts(advert):
    wire = wire_of(advert(), vlan=30)
    assert codes(wire, [{"vrid": 10, "vlan": 30}]) == codes(wire, [{"vrid": 10}]) == []
    assert codes(wire, [{"vrid": 10, "vlan": 31}]) == ["unknown-vrid", "missing"]
    assert findings(wire, [])[0]["message"].startswith("VLAN 30, ipv4 VRID 10: ")


def test_other_addresses_than_expected(advert):
    four = wire_of(advert())
    assert codes(four, [{"vrid": 10, "addresses": [VIP, "198.18.10.1"]}]) == [
        "unexpected-addresses"
    ]
    assert codes(four, [{"vrid": 10, "addresses": ["2001:db8:10::fe"]}]) == []
    six = wire_of(advert(**SIX))
    assert codes(six, [{"vrid": 10, "addresses": ["2001:db8:10::fe"]}]) == []
    assert codes(six, [{"vrid": 10, "addresses": ["fe80::254"]}]) == ["unexpected-addresses"]


@pytest.mark.parametrize(
    "other, code",
    [
        ({"addresses": ["198.18.10.1"]}, "different-addresses"),
        ({"interval_cs": 300}, "different-intervals"),
        ({"form": ChecksumForm.PSEUDO_HEADER}, "different-checksums"),
        ({"version": 2}, "different-versions"),
    ],
)
def test_members_that_do_not_agree(advert, other, code):
    wire = wire_of(advert(), advert(priority=0), advert(source=SECOND, **other))
    (found,) = findings(wire)
    assert found["code"] == code and found["sources"] == [FIRST, SECOND]
    assert FIRST in found["message"] and SECOND in found["message"]


def test_what_is_wrong_with_a_single_one(advert):
    password = {"version": 2, "auth_type": 1, "auth_data": b"hunter2"}
    assert codes(wire_of(advert(**password))) == ["clear-text-password"]
    assert "hunter2" not in str(findings(wire_of(advert(**password))))
    assert codes(wire_of(advert(version=2, auth_type=2))) == ["authentication"]
    assert codes(wire_of(advert(mac=b"\x02" * 6))) == ["real-mac"]
    assert codes(wire_of(advert(ttl=254))) == ["wrong-ttl"]


def test_what_could_not_be_read_names_its_sender(advert, monkeypatch):
    broken = advert()[:-1] + b"\x00"
    (found,) = findings(wire_of(broken, broken))
    assert found["code"] == "unreadable" and found["sources"] == [FIRST]
    assert found["message"].startswith(FIRST + " (00:00:5e:00:01:0a) sent checksum-errors")
    assert found["message"].endswith("2 times")
    monkeypatch.setattr(listen_speakers, "MOST_SPEAKERS", 1)
    assert codes(wire_of(advert(), advert(vrid=11))) == ["too-many"]


def test_what_is_expected_is_read_whole_or_not_at_all():
    with pytest.raises(ConfigError) as refused:
        read_expected(
            [
                {"vrid": 0, "routers": ["x", "2001:db8::1"]},
                {"vrid": 10, "addresses": ["198.18.10.256"], "vlan": 5000},
            ]
        )
    paths = [problem.path for problem in refused.value.problems]
    assert sorted(paths) == [
        "expected[0].routers[0]",
        "expected[0].routers[1]",
        "expected[0].vrid",
        "expected[1].addresses[0]",
        "expected[1].vlan",
    ]
