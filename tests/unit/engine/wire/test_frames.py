# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses fixed by the standards, and the frames around everything."""

import pytest

from vrrp.facts import Family
from vrrp.invariant import InvariantViolation
from vrrp.wire.arp import gratuitous_arp
from vrrp.wire.constants import MULTICAST_GROUP, MULTICAST_MAC, virtual_mac
from vrrp.wire.ethernet import ethernet_frame, vrrp_frame
from vrrp.wire.ndp import unsolicited_na

MAC, VIP, VIP6 = bytes(6), bytes(4), bytes(16)


@pytest.mark.parametrize(
    ("family", "vrid", "mac"),
    [
        (Family.IPV4, 1, "00005e000101"),
        (Family.IPV4, 255, "00005e0001ff"),
        (Family.IPV6, 10, "00005e00020a"),
    ],
)
def test_virtual_mac(family, vrid, mac):
    assert virtual_mac(family, vrid).hex() == mac


@pytest.mark.parametrize("vrid", [0, 256, -1])
def test_virtual_mac_of_no_vrid_is_our_own_mistake(vrid):
    with pytest.raises(InvariantViolation):
        virtual_mac(Family.IPV4, vrid)


def test_multicast_mac_follows_from_the_group():
    # RFC 1112 section 6.4: the low 23 bits; RFC 2464 section 7: the low 32 bits.
    group4, group6 = MULTICAST_GROUP[Family.IPV4], MULTICAST_GROUP[Family.IPV6]
    assert MULTICAST_MAC[Family.IPV4] == b"\x01\x00\x5e" + bytes((group4[1] & 0x7F,)) + group4[2:]
    assert MULTICAST_MAC[Family.IPV6] == b"\x33\x33" + group6[-4:]


@pytest.mark.parametrize(("family", "ethertype"), [(Family.IPV4, "0800"), (Family.IPV6, "86dd")])
def test_vrrp_frame(family, ethertype):
    mac = virtual_mac(family, 10)
    frame = vrrp_frame(mac, family, b"packet")
    assert frame == MULTICAST_MAC[family] + mac + bytes.fromhex(ethertype) + b"packet"


def test_wrong_lengths_are_our_own_mistakes():
    for mistake in (
        lambda: ethernet_frame(MAC, MAC[:5], 0x0800, b""),
        lambda: ethernet_frame(MAC + b"x", MAC, 0x0800, b""),
        lambda: gratuitous_arp(MAC, VIP6),
        lambda: gratuitous_arp(MAC[:5], VIP),
        lambda: unsolicited_na(MAC, VIP6, VIP),
        lambda: unsolicited_na(MAC, VIP, VIP6),
        lambda: unsolicited_na(MAC[:5], VIP6, VIP6),
    ):
        with pytest.raises(InvariantViolation):
            mistake()
