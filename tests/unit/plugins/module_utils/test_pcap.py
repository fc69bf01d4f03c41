# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The octets of a capture file; tests/netns/test_vrrp_listen.py has others read one."""

from __future__ import annotations

import struct

from ansible_collections.vlangate.vrrp.plugins.module_utils.pcap import HEADER, record


def test_the_header_says_microseconds_and_ethernet():
    assert HEADER.hex() == "d4c3b2a1020004000000000000000000ffff000001000000"


def test_a_record_is_a_time_a_length_and_the_frame(advert):
    frame = advert()
    data = record(1_790_000_000_123_456_789, frame)
    assert struct.unpack("<IIII", data[:16]) == (1_790_000_000, 123_456, len(frame), len(frame))
    assert data[16:] == frame


def test_the_tag_that_the_kernel_took_off_is_back(advert):
    frame = advert()
    assert record(0, frame, vlan=10)[16:] == frame[:12] + b"\x81\x00\x00\x0a" + frame[12:]


def test_no_password_is_in_it(advert):
    frame = advert(version=2, auth_type=1, auth_data=b"hunter2")
    whole = record(0, frame)[16:]
    assert b"hunter2" not in whole and len(whole) == len(frame) and b"*" * 8 in whole
    damaged = record(0, frame[:14] + b"\x4f" + frame[15:])
    assert b"hunter2" not in damaged
    assert record(0, b"")[16:] == b""
