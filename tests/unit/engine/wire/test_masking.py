# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No password is left in a masked packet, and its verdict stays."""

import random

import pytest
from engine_kit.packets import V2, V3, V3_IPV6

from vrrp.errors import DecodeError
from vrrp.wire.advertisement import decode_advertisement
from vrrp.wire.ip import split_packet
from vrrp.wire.masking import mask_packet

SECRET, WORD = b"hunter2\0", b"mask0000"
WITH = V2.but(auth_type=1, auth_data=SECRET)


def masked(packet: bytes) -> bytes:
    def anywhere(octets: bytes) -> bytes:
        return octets.replace(SECRET, WORD)

    return mask_packet(packet, lambda octets: WORD if octets == SECRET else b"mask0001", anywhere)


def verdict(packet: bytes) -> object:
    """What the codec says, but for the authentication data."""
    try:
        header, message = split_packet(packet)
        advert = decode_advertisement(message, header)
    except DecodeError as error:
        return error.reason, error.detail
    return header, advert.version, advert.priority, advert.addresses, advert.auth_type


@pytest.mark.parametrize(
    "packet",
    [
        WITH,
        WITH.but(checksum_error=1),
        WITH.but(addresses=()),
        WITH.but(interval=0),
        WITH.but(count=3),
        WITH.but(tail=b"\0"),
        WITH.but(tail=SECRET),
        WITH.but(type=2),
        WITH.but(fragment=0x2000),
        WITH.but(protocol=17),
        WITH.but(auth_type=0),
        WITH.but(auth_type=2),
    ],
)
def test_the_password_is_gone_and_the_verdict_stays(packet):
    octets = packet.octets()
    assert SECRET in octets
    without = masked(octets)
    assert SECRET not in without
    assert len(without) == len(octets)
    assert verdict(without) == verdict(octets)


def test_a_truncated_packet_keeps_no_password():
    octets = WITH.octets()
    for length in range(len(octets) + 1):
        for packet in (octets[:length], octets[:length] + bytes(4)):
            without = masked(packet)
            assert SECRET not in without
            assert verdict(without) == verdict(packet)


@pytest.mark.parametrize("packet", [V2, V3, V3_IPV6, V3.but(addresses=(SECRET[:4], SECRET[4:]))])
def test_what_has_no_password_stays_as_it_is(packet):
    assert masked(packet.octets()) == packet.octets()


def test_options_before_the_message():
    octets = WITH.octets()
    with_options = b"\x46" + octets[1:2] + (len(octets) + 4).to_bytes(2, "big") + octets[4:20]
    with_options += b"\x01" * 4 + octets[20:]
    without = masked(with_options)
    assert SECRET not in without
    assert verdict(without) == verdict(with_options)


def test_any_octets():
    seed = random.randrange(1 << 32)
    print("seed", seed)
    choose = random.Random(seed)
    octets = WITH.octets()
    for _count in range(3000):
        packet = bytearray(octets[: choose.randrange(len(octets) + 1)])
        for _change in range(choose.randrange(4)):
            if packet:
                packet[choose.randrange(len(packet))] = choose.randrange(256)
        without = masked(bytes(packet))
        assert len(without) == len(packet)
        if verdict(without) != verdict(bytes(packet)):
            # A wrong checksum that the word makes right: once in 65,536.
            assert "checksum" in str(verdict(bytes(packet)))
