# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advertisements: round trips of all that may be sent, the order of the checks, our own limits."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vrrp.discards import DiscardReason
from vrrp.errors import DecodeError
from vrrp.facts import Family
from vrrp.invariant import InvariantViolation
from vrrp.wire.advertisement import Advertisement, decode_advertisement, encode_advertisement
from vrrp.wire.checksum import ChecksumForm, internet_checksum
from vrrp.wire.constants import MULTICAST_GROUP
from vrrp.wire.ip import IpHeader

SOURCE = {Family.IPV4: b"\xc0\x00\x02\xfc", Family.IPV6: b"\xfe\x80" + bytes(13) + b"\x02"}
HEADER = {
    family: IpHeader(SOURCE[family], MULTICAST_GROUP[family], 255, family) for family in Family
}
V4, V6 = HEADER[Family.IPV4], HEADER[Family.IPV6]
VIP, VIP6 = b"\xc0\x00\x02\xfe", b"\xfe\x80" + bytes(13) + b"\x0a"
V3 = Advertisement(3, 10, 100, 100, (VIP,))
V3_IPV6 = Advertisement(3, 10, 100, 100, (VIP6,))
V2 = Advertisement(2, 10, 100, 100, (VIP,))
MESSAGE, PSEUDO_HEADER = ChecksumForm.MESSAGE, ChecksumForm.PSEUDO_HEADER

vrids, priorities, forms = st.integers(1, 255), st.integers(0, 255), st.sampled_from(ChecksumForm)


def address_lists(family: Family) -> st.SearchStrategy:
    width = family.address_length
    address = st.binary(min_size=width, max_size=width)
    return st.lists(address, min_size=1, max_size=255).map(tuple)


def version_3(family: Family) -> st.SearchStrategy:
    intervals_cs = st.integers(1, 4095)
    addresses = address_lists(family)
    return st.builds(Advertisement, st.just(3), vrids, priorities, intervals_cs, addresses)


version_2 = st.builds(
    Advertisement,
    st.just(2),
    vrids,
    priorities,
    st.integers(1, 255).map(lambda seconds: seconds * 100),
    address_lists(Family.IPV4),
    st.integers(0, 255),
    st.binary(min_size=8, max_size=8),
)


def reason_for(payload: bytes, header: IpHeader) -> DiscardReason:
    with pytest.raises(DecodeError) as caught:
        decode_advertisement(payload, header)
    assert caught.value.detail
    return caught.value.reason


def with_checksum(payload: bytes) -> bytes:
    checksum = internet_checksum(payload[:6], payload[8:])
    return payload[:6] + checksum.to_bytes(2, "big") + payload[8:]


@given(version_3(Family.IPV4), forms)
def test_version_3_over_ipv4_round_trip(advert, form):
    decoded = decode_advertisement(encode_advertisement(advert, V4, form), V4)
    assert decoded == advert
    assert decoded.checksum_form is form


@given(version_3(Family.IPV6), forms)
def test_version_3_over_ipv6_round_trip_whatever_the_form(advert, form):
    message = encode_advertisement(advert, V6, form)
    assert message == encode_advertisement(advert, V6, MESSAGE)
    decoded = decode_advertisement(message, V6)
    assert decoded == advert
    assert decoded.checksum_form is None


@given(version_2, forms)
def test_version_2_round_trip_whatever_the_form(advert, form):
    message = encode_advertisement(advert, V4, form)
    assert message == encode_advertisement(advert, V4, MESSAGE)
    decoded = decode_advertisement(message, V4)
    assert decoded == advert
    assert decoded.checksum_form is None


def test_version_2_without_authentication_carries_eight_zeros():
    message = encode_advertisement(V2, V4, MESSAGE)
    assert message[4] == 0
    assert message[-8:] == bytes(8)
    assert len(message) == 8 + 4 + 8


def test_the_form_is_no_part_of_what_is_said():
    assert replace(V3, checksum_form=MESSAGE) == replace(V3, checksum_form=PSEUDO_HEADER)


@given(st.binary(max_size=60), st.sampled_from(Family))
@example(b"\x31" + bytes(7), Family.IPV4)
@example(b"\x21" + bytes(7), Family.IPV4)
def test_any_octets_are_decoded_or_refused(payload, family):
    # A right checksum, so that the draw gets past it.
    for candidate in (payload, with_checksum(payload)):
        try:
            advert = decode_advertisement(candidate, HEADER[family])
        except DecodeError as error:
            assert error.detail
        else:
            assert advert.interval_cs > 0
            assert advert.addresses


@given(version_3(Family.IPV4), st.data())
def test_a_single_flipped_bit_never_passes(advert, data):
    message = bytearray(encode_advertisement(advert, V4, MESSAGE))
    bit = data.draw(st.integers(0, len(message) * 8 - 1))
    message[bit // 8] ^= 1 << bit % 8
    try:
        decoded = decode_advertisement(bytes(message), V4)
    except DecodeError:
        return
    # One bit may turn one checksum form into the other, as it may in any dual receiver.
    assert decoded.checksum_form is PSEUDO_HEADER


# Every line breaks one thing more than the line before, which then must not be noticed any more.
LADDER = [
    (DiscardReason.INTERVAL_ZERO, b"\x31\x0a\x64\x01\xf0\x00" + bytes(2) + VIP, True),
    (DiscardReason.NO_ADDRESSES, b"\x31\x0a\x64\x00\xf0\x00" + bytes(2), True),
    (DiscardReason.CHECKSUM, b"\x31\x0a\x64\x00\xf0\x00" + bytes(2), False),
    (DiscardReason.PACKET_LENGTH, b"\x31\x0a\x64\x00\xf0\x00" + bytes(2) + b"more", False),
    (DiscardReason.INVALID_TYPE, b"\x32\x0a\x64\x00\xf0\x00" + bytes(2) + b"more", False),
    (DiscardReason.VERSION, b"\x42\x0a\x64\x00\xf0\x00" + bytes(2) + b"more", False),
    (DiscardReason.PACKET_LENGTH, b"\x42\x0a\x64\x00\xf0\x00\x00", False),
]


@pytest.mark.parametrize(("reason", "payload", "checksum_is_right"), LADDER)
def test_order_of_the_checks(reason, payload, checksum_is_right):
    assert reason_for(with_checksum(payload) if checksum_is_right else payload, V4) is reason


def test_version_2_is_for_ipv4_alone():
    message = encode_advertisement(V2, V4, MESSAGE)
    assert decode_advertisement(message, V4).version == 2
    assert reason_for(message, V6) is DiscardReason.VERSION


REFUSED = [
    (replace(V3, version=1), V4),
    (replace(V3, version=4), V4),
    (replace(V2, addresses=(VIP6,)), V6),
    (replace(V3, vrid=0), V4),
    (replace(V3, vrid=256), V4),
    (replace(V3, priority=-1), V4),
    (replace(V3, priority=256), V4),
    (replace(V3, addresses=()), V4),
    (replace(V3, addresses=(VIP,) * 256), V4),
    (replace(V3, addresses=(VIP6,)), V4),
    (replace(V3_IPV6, addresses=(VIP,)), V6),
    (replace(V3, interval_cs=0), V4),
    (replace(V3, interval_cs=4096), V4),
    (replace(V3, auth_type=1), V4),
    (replace(V3, auth_data=b"secret"), V4),
    (replace(V2, interval_cs=0), V4),
    (replace(V2, interval_cs=150), V4),
    (replace(V2, interval_cs=25600), V4),
    (replace(V2, auth_type=256), V4),
    (replace(V2, auth_data=bytes(9)), V4),
]


@pytest.mark.parametrize(("advert", "header"), REFUSED)
def test_what_a_peer_would_discard_is_our_own_mistake(advert, header):
    with pytest.raises(InvariantViolation):
        encode_advertisement(advert, header, MESSAGE)


def test_what_is_refused_differs_from_what_is_sent():
    for advert, header in ((V3, V4), (V3_IPV6, V6), (V2, V4)):
        assert encode_advertisement(advert, header, MESSAGE)
