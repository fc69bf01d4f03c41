# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who speaks, from frames at times that the test chooses."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils import listen_speakers
from ansible_collections.vlangate.vrrp.plugins.module_utils.listen_speakers import (
    Wire,
    is_advertisement,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.wire.checksum import ChecksumForm

S = 1_000_000_000
FIRST, SECOND = "198.18.10.252", "198.18.10.253"


def contest(wire):
    """The longest time of two masters in seconds; 0 when there were none."""
    found = [each for each in wire.contests.values() if each.is_real]
    return (found[0].end_ns - found[0].start_ns) / S if found else 0


def test_a_speaker_is_told_with_all_it_says(advert):
    wire = Wire()
    for second in range(3):
        assert wire.hear(second * S, advert())
    (speaker,) = wire.speakers
    assert speaker.as_dict() == {
        "vlan": None,
        "family": "ipv4",
        "vrid": 10,
        "version": 3,
        "source": FIRST,
        "mac": "00:00:5e:00:01:0a",
        "virtual_mac": True,
        "destination": "224.0.0.18",
        "ttl": 255,
        "priority": 200,
        "advertisement_interval_cs": 100,
        "addresses": ["198.18.10.254"],
        "authentication": "none",
        "checksum": "rfc9568",
        "adverts": 3,
        "first": 0.0,
        "last": 2.0,
    }
    assert wire.frames == 3 and wire.faults == []


def test_what_it_said_last_counts(advert):
    wire = Wire()
    wire.hear(0, advert(priority=200))
    wire.hear(S, advert(priority=0, form=ChecksumForm.PSEUDO_HEADER))
    (speaker,) = wire.speakers
    assert (speaker.advertisement.priority, speaker.adverts) == (0, 2)
    assert speaker.as_dict()["checksum"] == "rfc5798"


def test_speakers_differ_by_vlan_family_vrid_version_source_and_mac(advert):
    wire = Wire()
    six = {"source": "fe80::252", "addresses": ["fe80::254"]}
    frames = [
        advert(),
        advert(**six),
        advert(vrid=11),
        advert(version=2),
        advert(source=SECOND),
        advert(mac=b"\x02" * 6),
    ]
    for frame in frames * 2:
        wire.hear(0, frame)
    wire.hear(0, frames[0], vlan=20)
    assert len(wire.speakers) == 7
    assert [each.adverts for each in wire.speakers] == [2] * 6 + [1]
    assert sum(each.is_from_virtual_mac for each in wire.speakers) == 6


def test_a_password_is_told_of_and_never_kept(advert):
    wire = Wire()
    wire.hear(0, advert(version=2, auth_type=1, auth_data=b"hunter2"))
    (speaker,) = wire.speakers
    assert speaker.authentication == "password"
    assert "hunter2" not in repr(speaker) + repr(speaker.as_dict())


def test_an_authentication_header_is_looked_through(advert):
    frame = advert(version=2)
    ethernet, ip, message = frame[:14], frame[14:34], frame[34:]
    wrapper = struct.pack("!BBHII12s", 112, 4, 0, 1, 1, b"proof")
    length = len(ip) + len(wrapper) + len(message)
    ip = ip[:2] + length.to_bytes(2, "big") + ip[4:9] + b"\x33" + ip[10:]
    wire = Wire()
    wire.hear(0, ethernet + ip + wrapper + message)
    (speaker,) = wire.speakers
    assert (speaker.authentication, speaker.advertisement.vrid) == ("header", 10)
    wire.hear(0, ethernet + ip + b"\x11" + wrapper[1:] + message)
    (fault,) = wire.faults
    assert fault.code == "protocol-errors"


@pytest.mark.parametrize(
    "damage, code",
    [
        (lambda frame: frame[:-1] + b"\x00", "checksum-errors"),
        (lambda frame: frame[:-1], "ip-header-errors"),
        (lambda frame: frame[:34] + b"\x41" + frame[35:], "version-errors"),
        (lambda frame: frame[:14], "ip-header-errors"),
        (lambda frame: b"", "ip-header-errors"),
    ],
)
def test_what_cannot_be_read_is_counted_by_its_sender(advert, damage, code):
    wire = Wire()
    for _turn in range(2):
        assert wire.hear(0, damage(advert())) is None
    (fault,) = wire.faults
    assert (fault.code, fault.count, wire.speakers) == (code, 2, [])


def test_carp_is_told_from_vrrp(advert):
    frame = advert()
    message = bytes.fromhex("21 0a 00 07 00 01 0000") + bytes(28)
    length = (20 + len(message)).to_bytes(2, "big")
    wire = Wire()
    wire.hear(0, frame[:16] + length + frame[18:34] + message)
    (fault,) = wire.faults
    assert (fault.code, fault.detail) == ("carp", "CARP, virtual host 10")


def test_two_masters_go_on_for_intervals(advert):
    wire = Wire()
    for second in range(5):
        wire.hear(second * S, advert())
        wire.hear(second * S + S // 2, advert(source=SECOND))
    assert contest(wire) == 4.5
    assert [found.speakers for found in wire.contests.values()] == [{FIRST, SECOND}]


def test_two_masters_of_different_intervals_are_seen_too(advert):
    wire = Wire()
    for tenth in range(60):
        wire.hear(tenth * S // 10, advert(interval_cs=10))
        if tenth % 10 == 5:
            wire.hear(tenth * S // 10 + 1, advert(source=SECOND))
    assert contest(wire) > 4


def test_a_preemption_is_no_contest(advert):
    wire = Wire()
    for second in range(10):
        source = FIRST if 3 <= second < 7 else SECOND
        wire.hear(second * S, advert(source=source))
    assert contest(wire) == 0


def test_adverts_that_cross_are_no_contest(advert):
    wire = Wire()
    for second in range(5):
        wire.hear(second * S, advert(source=SECOND))
    wire.hear(4 * S + 1000, advert())
    wire.hear(4 * S + 2000, advert(source=SECOND))
    wire.hear(4 * S + 3000, advert())
    for second in range(5, 9):
        wire.hear(second * S, advert())
    assert contest(wire) == 0


def test_who_says_good_bye_and_comes_back_contests_nothing(advert):
    wire = Wire()
    for turn in range(8):
        source = FIRST if turn % 2 else SECOND
        wire.hear(turn * S, advert(source=source))
        wire.hear(turn * S + S // 2, advert(source=source, priority=0))
    assert contest(wire) == 0


def test_one_router_that_speaks_both_versions_contests_nothing(advert):
    wire = Wire()
    for second in range(8):
        wire.hear(second * S, advert())
        wire.hear(second * S + 1, advert(version=2))
    assert contest(wire) == 0


def test_a_flood_of_speakers_is_counted_and_forgotten(advert, monkeypatch):
    monkeypatch.setattr(listen_speakers, "MOST_SPEAKERS", 3)
    wire = Wire()
    for number in range(1, 11):
        wire.hear(0, advert(vrid=number))
        wire.hear(0, advert(vrid=number, ttl=1)[:40] + bytes(number))
    assert len(wire.speakers) == 3 and len(wire.faults) <= 3
    assert wire.ignored >= 7


def test_an_advertisement_is_known_by_its_protocol(advert):
    assert is_advertisement(advert())
    assert is_advertisement(advert(source="fe80::1", addresses=["fe80::254"]))
    assert not is_advertisement(advert()[:23] + b"\x01" + advert()[24:])
    assert not is_advertisement(b"")
