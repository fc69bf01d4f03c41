# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Router solicitations: which a router has to throw away (RFC 4861 section 6.1.1)."""

from ipaddress import ip_address

import pytest
from engine_kit.packets import solicitation

from vrrp.discards import DiscardReason
from vrrp.errors import DecodeError
from vrrp.wire.ndp import read_solicitation

NOBODY = ip_address("::").packed
LINK_ADDRESS = b"\x01\x01\x02\0\0\0\0\x05"


@pytest.mark.parametrize(
    "packet",
    [
        solicitation(),
        solicitation(options=LINK_ADDRESS),
        # RFC 4861 section 6.1.1: options that are not known, and the reserved field, do not matter.
        solicitation(options=b"\xfd\x02" + bytes(14) + LINK_ADDRESS),
        solicitation(reserved=0xFFFFFFFF),
    ],
)
def test_a_sound_one_tells_who_asks(packet):
    assert read_solicitation(packet) == ip_address("fe80::5").packed


def test_a_host_without_an_address_may_ask():
    assert read_solicitation(solicitation(source=NOBODY)) == NOBODY


@pytest.mark.parametrize(
    ("packet", "word"),
    [
        (solicitation(hop_limit=254), "hop limit"),
        (solicitation(checksum_error=1), "checksum"),
        (solicitation(code=1), "code 1"),
        (solicitation(kind=134), "type 134"),
        (solicitation(cut=4), "4 octets"),
        (solicitation(options=b"\x01\x00" + bytes(6)), "option of 0 octets"),
        (solicitation(options=LINK_ADDRESS + b"\x01\x02" + bytes(6)), "option of 16 octets, 8"),
        (solicitation(options=b"\x01"), "option of 0 octets, 1"),
        (solicitation(source=NOBODY, options=LINK_ADDRESS), "from nobody"),
    ],
)
def test_an_unsound_one_is_refused(packet, word):
    with pytest.raises(DecodeError, match=word) as caught:
        read_solicitation(packet)
    assert caught.value.reason is DiscardReason.SOLICITATION


def test_what_is_no_ipv6_packet_is_refused():
    for packet in (b"", solicitation()[:-1], solicitation(next_header=112)):
        with pytest.raises(DecodeError):
            read_solicitation(packet)


def test_every_octet_may_be_wrong():
    """Whatever comes in, there is an answer or a refusal."""
    sound = solicitation(options=LINK_ADDRESS)
    for at in range(len(sound)):
        for value in (0, 1, 0x7F, 0xFF):
            damaged = sound[:at] + bytes((value,)) + sound[at + 1 :]
            try:
                assert len(read_solicitation(damaged)) == 16
            except DecodeError as error:
                assert error.detail
