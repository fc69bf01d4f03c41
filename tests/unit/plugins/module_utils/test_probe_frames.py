# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions as octets, IPv6's above all; tests/netns/test_vrrp_probe.py asks real kernels."""

from __future__ import annotations

import ipaddress

from ansible_collections.vlangate.vrrp.plugins.module_utils.probe_frames import (
    answer,
    expired,
    expiring,
    question,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.wire.checksum import (
    internet_checksum,
)

MAC, VIRTUAL = b"\x02\x00\x00\x00\x00\x01", bytes.fromhex("00005e00020a")
SOURCE, TARGET = (ipaddress.ip_address(each).packed for each in ("fe80::1", "2001:db8:10::fe"))
BEYOND = ipaddress.ip_address("2001:db8::1").packed


def is_sound(packet, protocol):
    """The checksum of what IPv6 carries, with its pseudo-header."""
    length = len(packet) - 40
    pseudo = packet[8:40] + length.to_bytes(4, "big") + bytes((0, 0, 0, protocol))
    return internet_checksum(pseudo, packet[40:]) == 0


def advertisement(options, hops=255):
    message = b"\x88\x00\x00\x00\xe0\x00\x00\x00" + TARGET + options
    header = b"\x60\x00\x00\x00" + len(message).to_bytes(2, "big") + bytes((58, hops))
    return MAC + VIRTUAL + b"\x86\xdd" + header + TARGET + SOURCE + message


def test_a_solicitation_goes_to_the_group_of_the_address():
    frame = question(MAC, SOURCE, TARGET)
    assert frame[:6].hex(":") == "33:33:ff:00:00:fe" and frame[6:12] == MAC
    packet = frame[14:]
    assert str(ipaddress.ip_address(packet[24:40])) == "ff02::1:ff00:fe"
    assert packet[7] == 255 and packet[48:64] == TARGET and packet[64:] == b"\x01\x01" + MAC
    assert is_sound(packet, 58)


def test_an_advertisement_tells_where_it_is():
    found = answer(advertisement(b"\x0e\x01" + bytes(6) + b"\x02\x01" + VIRTUAL), TARGET)
    assert found == (VIRTUAL, VIRTUAL)
    assert answer(advertisement(b"\x02\x01" + VIRTUAL), SOURCE) is None
    assert answer(advertisement(b"\x02\x01" + VIRTUAL, hops=254), TARGET) is None


def test_a_datagram_that_goes_no_further_comes_back():
    frame = expiring(VIRTUAL, MAC, SOURCE, BEYOND, 40000)
    packet = frame[14:]
    assert frame[:6] == VIRTUAL and packet[7] == 1 and is_sound(packet, 17)
    for kind, expected in ((3, True), (1, True), (2, False), (128, False)):
        message = bytes((kind,)) + bytes(7) + packet
        header = b"\x60\x00\x00\x00" + len(message).to_bytes(2, "big") + bytes((58, 64))
        error = MAC + VIRTUAL + b"\x86\xdd" + header + TARGET + SOURCE + message
        found = expired(error, BEYOND, 40000)
        assert (found == (TARGET, VIRTUAL)) is expected
        assert expired(error, BEYOND, 40001) is None


def test_a_sum_of_zero_is_sent_as_ones():
    """RFC 768: zero means that there is none, which IPv6 refuses."""
    sums = {expiring(VIRTUAL, MAC, SOURCE, BEYOND, port)[60:62] for port in range(1, 65536)}
    assert b"\xff\xff" in sums and b"\0\0" not in sums
