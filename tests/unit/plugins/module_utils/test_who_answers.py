# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions and answers as octets; tests/netns/test_who_answers.py asks real kernels."""

from __future__ import annotations

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils import who_answers

MAC = bytes.fromhex("525400000001")
VIRTUAL = "00:00:5e:00:01:0a"
REQUEST = (
    "ffffffffffff 525400000001 0806 0001 0800 06 04 0001525400000001 c6120afd 000000000000 c6120afe"
)
REPLY = (
    "525400000001 00005e00010a 0806 0001 0800 06 04 000200005e00010a c6120afe 525400000001 c6120afd"
)
SOLICITATION = "87 00 0000 00000000 20010db8001000000000000000000001 01 01 525400000001"
ADVERTISEMENT = "88 00 1234 e0000000 20010db8001000000000000000000001 02 01 00005e00010a"
TARGET = bytes.fromhex("20010db8001000000000000000000001")


def test_a_request_has_the_octets_of_rfc_826():
    frame = who_answers.arp_request(MAC, "198.18.10.253", "198.18.10.254")
    assert frame == bytes.fromhex(REQUEST)


def test_a_reply_tells_who_has_the_address():
    expected = (bytes.fromhex("c6120afe"), VIRTUAL)
    assert who_answers.read_arp_reply(bytes.fromhex(REPLY)) == expected
    assert who_answers.read_arp_reply(bytes.fromhex(REPLY) + bytes(18)) == expected  # padded


@pytest.mark.parametrize(
    "frame", [REQUEST, "", REPLY[:-2], REPLY.replace("0001 0800", "0006 0800")]
)
def test_other_frames_of_arp_are_no_answer(frame):
    assert who_answers.read_arp_reply(bytes.fromhex(frame)) is None


def test_a_solicitation_has_the_octets_of_rfc_4861():
    assert who_answers.solicitation(MAC, TARGET) == bytes.fromhex(SOLICITATION)


@pytest.mark.parametrize("more", ["", "0e 01 000000000000"])
def test_an_advertisement_tells_who_has_the_address(more):
    head, option = ADVERTISEMENT[:-18], ADVERTISEMENT[-18:]
    message = bytes.fromhex(head + more + option)
    assert who_answers.read_advertisement(message) == (TARGET, VIRTUAL)


@pytest.mark.parametrize(
    "message",
    [
        SOLICITATION,
        "",
        ADVERTISEMENT[:-19],
        ADVERTISEMENT[:-2],
        ADVERTISEMENT.replace("02 01", "02 00"),
        ADVERTISEMENT.replace("02 01", "01 01"),
    ],
)
def test_other_messages_are_no_answer(message):
    assert who_answers.read_advertisement(bytes.fromhex(message)) is None
