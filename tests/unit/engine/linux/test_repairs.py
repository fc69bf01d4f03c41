# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was repaired, in words: one clause for each thing that was not as it should be."""

from __future__ import annotations

from dataclasses import replace
from typing import List, Mapping

import pytest
from engine_kit.dataplanes import (
    BACKUP6,
    LAN,
    MASTER4,
    MASTER6,
    OURS,
    SETTLED,
    SETTLED6,
    actual,
    desired,
    device,
    held,
    made,
    parent,
)

from vrrp.linux.actual import IPV4_ARP_IGNORE, IPV4_RP_FILTER, IPV6_ACCEPT_RA, Actual
from vrrp.linux.plan import plan
from vrrp.linux.repairs import explain
from vrrp.linux.steps import Filter
from vrrp.router.desired import DesiredDataplane, VirtualDevice


def told(have: Actual, want: DesiredDataplane) -> List[str]:
    """The repairs of a plan, each with its device."""
    found = explain(have, plan(have, want))
    return ["%s: %s" % (repair.device, repair.what) for repair in found]


@pytest.mark.parametrize(
    ("wanted", "damage", "clauses"),
    [
        (MASTER4, {}, []),
        (MASTER4, {"addresses": ()}, ["10.0.0.254 was missing"]),
        (
            MASTER4,
            {"addresses": (*MASTER4.addresses, held("10.0.0.77/32"))},
            ["10.0.0.77/32 did not belong there"],
        ),
        (
            MASTER6,
            {"addresses": (), "has_ipv6": False},
            ["IPv6 was switched off", "fe80::254 was missing", "2001:db8::254 was missing"],
        ),
        (BACKUP6, {"has_ipv6": True}, ["IPv6 was switched on"]),
        (MASTER4, {"is_up": False}, ["the device was down"]),
        (MASTER4, {"alias": "mine"}, ['the alias of the device was "mine"']),
        (
            MASTER4,
            {"settings": {**SETTLED, IPV4_RP_FILTER: 0, IPV4_ARP_IGNORE: 0}},
            ["rp_filter was 0 instead of 2", "arp_ignore was 0 instead of 1"],
        ),
        (
            MASTER4,
            {"settings": {**SETTLED, IPV4_ARP_IGNORE: 8}},
            ["arp_ignore was 8 instead of 1"],
        ),
        (
            MASTER6,
            {"ipv6_settings": {**SETTLED6, IPV6_ACCEPT_RA: 1}},
            ["accept_ra was 1 instead of 0"],
        ),
        (MASTER6, {"is_muted": True}, ["the packet filter dropped its neighbour advertisements"]),
        (
            replace(MASTER6, is_quiet=True),
            {},
            ["the packet filter passed its neighbour advertisements"],
        ),
        (MASTER4, {"master_ifindex": 9}, ["the device was not in the VRF of its interface"]),
        (
            replace(MASTER4, lease_s=3),
            {"lifetimes_s": {}},
            ["the lifetime of 10.0.0.254 was unlimited instead of 3 s"],
        ),
        (
            MASTER4,
            {"lifetimes_s": {MASTER4.addresses[0]: 7}},
            ["the lifetime of 10.0.0.254 was 7 s instead of unlimited"],
        ),
        # Nobody touched a lease that has run down: its renewal came late.
        (replace(MASTER4, lease_s=9), {"lifetimes_s": {MASTER4.addresses[0]: 2}}, []),
        (
            MASTER4,
            {"unrouted": frozenset(MASTER4.addresses)},
            ["10.0.0.254 had no route"],
        ),
    ],
)
def test_each_damage_has_its_clause(
    wanted: VirtualDevice, damage: Mapping[str, object], clauses: List[str]
) -> None:
    expected = ["%s: %s" % (wanted.name, clause) for clause in clauses]
    assert told(actual(made(wanted, **damage)), desired(wanted)) == expected


def test_what_follows_from_another_repair_is_not_told() -> None:
    want = desired(MASTER4, MASTER6)
    filtered = Filter(mutes=True)
    assert told(actual(made(MASTER6)), want) == ["vg-v4: the device was missing"]
    assert told(actual(packet_filter=filtered), want) == [
        "vg-v4: the device was missing",
        "vg-v6: the device was missing",
    ]
    have = actual(made(MASTER6), parents={LAN: parent(**OURS, vrf_ifindex=5)})
    assert told(have, desired(MASTER6)) == ["vg-v6: the device was not in the VRF of its interface"]


def test_a_name_and_what_does_not_belong_there() -> None:
    have = actual(made(replace(MASTER4, name="vg-x")), made(device("v4-old", vrid=9)))
    assert told(have, desired(MASTER4)) == [
        "vg-v4-old: the device did not belong there",
        "vg-v4: the device was called vg-x",
    ]


def test_what_all_share() -> None:
    damaged = parent(arp_ignore=0, arp_announce=2)
    have = actual(made(MASTER4), parents={LAN: damaged}, packet_filter=None)
    assert told(have, desired(MASTER4)) == [
        ": arp_ignore of lan0 was 0 instead of 1",
        ": the packet filter had been changed",
    ]
    assert told(actual(owned=("lan0", "lan7")), desired()) == [
        ": the sysctls of lan0 were still ours",
        ": the sysctls of lan7 were still ours",
    ]
