# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IP headers: what is built is split again, and no octets of a peer raise anything else."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vrrp.discards import DiscardReason
from vrrp.errors import DecodeError
from vrrp.facts import Family
from vrrp.invariant import InvariantViolation
from vrrp.wire.checksum import internet_checksum
from vrrp.wire.ip import IpHeader, build_ipv4, build_ipv6, split_packet

HEADER4 = IpHeader(b"\xc0\x00\x02\x01", b"\xe0\x00\x00\x12", 255, Family.IPV4)
HEADER6 = IpHeader(b"\xfe\x80" + bytes(13) + b"\x01", b"\xff\x02" + bytes(14), 255, Family.IPV6)

octet = st.integers(0, 255)


def headers(family: Family) -> st.SearchStrategy:
    width = family.address_length
    address = st.binary(min_size=width, max_size=width)
    return st.builds(IpHeader, address, address, octet, st.just(family))


@given(headers(Family.IPV4), st.binary(max_size=100), st.integers(0, 65535), st.binary(max_size=46))
def test_ipv4_round_trip_without_padding(header, payload, identification, padding):
    packet = build_ipv4(header, payload, identification)
    assert split_packet(packet + padding) == (header, payload)
    assert internet_checksum(packet[:20]) == 0
    assert packet[4:6] == identification.to_bytes(2, "big")


@given(headers(Family.IPV6), st.binary(max_size=100), st.binary(max_size=46))
def test_ipv6_round_trip_without_padding(header, payload, padding):
    assert split_packet(build_ipv6(header, payload) + padding) == (header, payload)


def test_ipv4_header_says_what_the_rfc_asks_for():
    packet = build_ipv4(HEADER4, b"message!", 1)
    assert packet[:10] == bytes.fromhex("45 c0 001c 0001 0000 ff 70")


def test_ipv6_header_says_what_the_rfc_asks_for():
    packet = build_ipv6(HEADER6, b"message!")
    assert packet[:8] == bytes.fromhex("6c000000 0008 70 ff")


@given(st.binary(max_size=100))
@example(b"")
@example(b"\x45")
@example(b"\x60")
def test_any_octets_are_split_or_refused(data):
    try:
        _header, message = split_packet(data)
    except DecodeError as error:
        assert error.reason in (
            DiscardReason.IP_HEADER,
            DiscardReason.FRAGMENT,
            DiscardReason.WRONG_PROTOCOL,
        )
        assert error.detail
    else:
        assert message in data


def test_a_packet_cut_anywhere_is_refused():
    for packet in (build_ipv4(HEADER4, b"message!", 1), build_ipv6(HEADER6, b"message!")):
        for length in range(len(packet)):
            with pytest.raises(DecodeError) as caught:
                split_packet(packet[:length])
            assert caught.value.reason is DiscardReason.IP_HEADER


def test_dont_fragment_is_no_fragment():
    packet = bytearray(build_ipv4(HEADER4, b"message!", 1))
    packet[6] = 0x40
    assert split_packet(bytes(packet)) == (HEADER4, b"message!")


def test_the_wrong_family_is_our_own_mistake():
    with pytest.raises(InvariantViolation):
        build_ipv4(HEADER6, b"", 0)
    with pytest.raises(InvariantViolation):
        build_ipv6(HEADER4, b"")
