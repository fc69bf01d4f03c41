# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checksum against a loop over 16-bit words as RFC 1071 describes it."""

from hypothesis import given
from hypothesis import strategies as st

from vrrp.wire.checksum import internet_checksum, pseudo_header


def checksum_by_words(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = 0
    for at in range(0, len(data), 2):
        total += data[at] << 8 | data[at + 1]
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def test_example_of_rfc_1071():
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF


@given(st.binary(max_size=200))
def test_equals_the_sum_by_words(data):
    assert internet_checksum(data) == checksum_by_words(data)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_parts_are_summed_as_one(left, right):
    assert internet_checksum(left, right) == internet_checksum(left + right)


@given(st.binary(min_size=1, max_size=100).map(lambda half: half + half))
def test_data_with_its_checksum_sums_to_zero(data):
    checksum = internet_checksum(data)
    assert internet_checksum(data, checksum.to_bytes(2, "big")) == 0


def test_both_zeros_verify_and_nothing_does_not():
    data = b"\x12\x34\xed\xcb"
    assert internet_checksum(data, b"\x00\x00") == 0
    assert internet_checksum(data, b"\xff\xff") == 0
    assert internet_checksum(bytes(8)) == 0xFFFF


def test_pseudo_header_over_ipv4():
    header = pseudo_header(b"\x0a\x00\x00\x01", b"\xe0\x00\x00\x12", 12)
    assert header == bytes.fromhex("0a000001 e0000012 00 70 000c")


def test_pseudo_header_over_ipv6():
    source, destination = bytes(15) + b"\x01", b"\xff\x02" + bytes(13) + b"\x12"
    header = pseudo_header(source, destination, 40, 58)
    assert header == source + destination + bytes.fromhex("00000028 000000 3a")
