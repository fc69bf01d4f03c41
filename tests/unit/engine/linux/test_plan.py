# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps from one state of the kernel to another, as text."""

from __future__ import annotations

from dataclasses import replace
from typing import Mapping

import pytest
from engine_kit.dataplanes import (
    BACKUP4,
    BACKUP6,
    FRESH,
    LAN,
    MASTER4,
    MASTER6,
    SETTLED,
    actual,
    desired,
    device,
    held,
    made,
    parent,
    text,
)

from vrrp.facts import Family
from vrrp.linux.actual import (
    IPV4_RP_FILTER,
)
from vrrp.linux.constants import LEAVING_LINK_GROUP
from vrrp.linux.steps import (
    Filter,
    Guard,
)
from vrrp.router.desired import ParentSettings


def test_a_first_start_as_backup() -> None:
    assert (
        text(FRESH, desired(BACKUP4, BACKUP6))
        == """
    set parent lan0: arp_ignore 1, arp_announce 2
    filter: mute who is to be mute
    create vg-v4 on link 2, mac 00:00:5e:00:01:0a, alias vlangate:v4
    create vg-v6 on link 2, mac 00:00:5e:00:02:0a, alias vlangate:v6"""
    )


def test_a_first_start_as_master_with_accept_mode_off() -> None:
    want = desired(MASTER4, MASTER6, refused=["10.0.0.254/32", "fe80::254/64"])
    assert (
        text(FRESH, want)
        == """
    set parent lan0: arp_ignore 1, arp_announce 2
    filter: refuse 10.0.0.254, refuse fe80::254, mute who is to be mute
    create vg-v4 on link 2, mac 00:00:5e:00:01:0a, alias vlangate:v4
    create vg-v6 on link 2, mac 00:00:5e:00:02:0a, alias vlangate:v6
    unfence vg-v6
    add 10.0.0.254/32 to vg-v4
    add fe80::254/64 to vg-v6
    add 2001:db8::254/128 to vg-v6"""
    )


def test_nothing_to_do() -> None:
    for wanted in ([BACKUP4, BACKUP6], [MASTER4, MASTER6]):
        assert text(actual(*map(made, wanted)), desired(*wanted)) == ""


def test_the_order_of_ipv6_addresses_in_the_kernel_does_not_matter() -> None:
    have = made(MASTER6, addresses=MASTER6.addresses[::-1])
    assert text(actual(have), desired(MASTER6)) == ""


def test_becoming_master_touches_addresses_only() -> None:
    have = actual(made(BACKUP4), made(BACKUP6))
    assert (
        text(have, desired(MASTER4, MASTER6))
        == """
    unfence vg-v6
    add 10.0.0.254/32 to vg-v4
    add fe80::254/64 to vg-v6
    add 2001:db8::254/128 to vg-v6"""
    )


def test_becoming_backup_touches_addresses_only() -> None:
    have = actual(made(MASTER4), made(MASTER6))
    assert (
        text(have, desired(BACKUP4, BACKUP6))
        == """
    fence vg-v6
    remove 10.0.0.254/32 from vg-v4"""
    )


def test_what_is_given_up_goes_before_what_is_taken() -> None:
    other = device("z4", vrid=20)
    have = actual(made(BACKUP4), made(replace(MASTER4, name="vg-z4", alias="z4", mac=other.mac)))
    assert (
        text(have, desired(MASTER4, other))
        == """
    remove 10.0.0.254/32 from vg-z4
    add 10.0.0.254/32 to vg-v4"""
    )


def test_one_address_more_and_one_less() -> None:
    have = actual(made(device("v4", "10.0.0.254/32", "10.0.0.253/32")))
    assert (
        text(have, desired(device("v4", "10.0.0.253/32", "10.0.0.1/32")))
        == """
    remove 10.0.0.254/32 from vg-v4
    add 10.0.0.1/32 to vg-v4"""
    )


def test_an_ipv4_device_never_has_ipv6() -> None:
    have = actual(made(MASTER4, has_ipv6=True))
    assert (
        text(have, desired(MASTER4))
        == """
    fence vg-v4"""
    )


@pytest.mark.parametrize(
    "difference",
    [
        {"mac": bytes(6)},
        {"parent_ifindex": 3},
        # A crash while devices were being deleted.
        {"group": LEAVING_LINK_GROUP},
    ],
)
def test_what_cannot_be_changed_is_made_anew(difference: Mapping[str, object]) -> None:
    assert (
        text(actual(made(MASTER4, **difference)), desired(MASTER4))
        == """
    delete vg-v4
    create vg-v4 on link 2, mac 00:00:5e:00:01:0a, alias vlangate:v4
    add 10.0.0.254/32 to vg-v4"""
    )


@pytest.mark.parametrize(
    "difference",
    [{"is_up": False}, {"alias": ""}, {"settings": {**SETTLED, IPV4_RP_FILTER: 0}}],
)
def test_what_can_be_changed_is_settled(difference: Mapping[str, object]) -> None:
    assert (
        text(actual(made(MASTER4, **difference)), desired(MASTER4))
        == """
    settle vg-v4"""
    )


def test_devices_that_nobody_wants_go() -> None:
    have = actual(made(MASTER4), made(BACKUP6))
    assert (
        text(have, desired(BACKUP6))
        == """
    delete vg-v4"""
    )
    assert (
        text(have, desired())
        == """
    filter: nothing
    delete vg-v4
    delete vg-v6
    release parent lan0"""
    )


def test_a_parent_that_is_not_there_is_left_out() -> None:
    gone = device("v4-gone", "10.9.0.254/32", parent=9)
    want = desired(MASTER4, gone)
    want = replace(want, parents=(*want.parents, ParentSettings(9, "lan9", False)))
    assert text(actual(made(MASTER4)), want) == ""
    # Its device goes, if it is still known.
    assert (
        text(actual(made(MASTER4), made(gone)), want)
        == """
    delete vg-v4-gone"""
    )


def test_a_changed_sysctl_of_the_parent_is_set_again() -> None:
    have = actual(made(MASTER4), parents={LAN: parent(arp_ignore=1, arp_announce=0)})
    assert (
        text(have, desired(MASTER4))
        == """
    set parent lan0: arp_ignore 1, arp_announce 2"""
    )


def test_a_filter_of_another_process_is_replaced() -> None:
    have = actual(made(MASTER4), packet_filter=None)
    assert (
        text(have, desired(MASTER4))
        == """
    filter: nothing"""
    )


def test_only_the_devices_named_are_looked_at() -> None:
    have = actual(made(BACKUP4), made(BACKUP6))
    assert (
        text(have, desired(MASTER4, MASTER6), only=["vg-v4"])
        == """
    add 10.0.0.254/32 to vg-v4"""
    )


def test_an_owner_is_guarded_before_it_answers() -> None:
    owner = device("v4", "10.0.0.252/32")
    want = desired(owner, owner=True)
    assert (
        text(actual(made(BACKUP4)), want)
        == """
    filter: guard 10.0.0.252 on link 2
    add 10.0.0.252/32 to vg-v4"""
    )
    guards = Filter(guards=(Guard(LAN, held("10.0.0.252/24").address),))
    assert text(actual(made(owner), packet_filter=guards), want) == ""


def test_without_an_arp_filter_an_owners_parent_falls_silent() -> None:
    """Its device answers for the parent's other addresses as well."""
    owner = device("v4", "10.0.0.252/32")
    want = desired(owner, owner=True)
    have = actual(made(BACKUP4), guardable=frozenset([Family.IPV6]))
    assert (
        text(have, want)
        == """
    set parent lan0: arp_ignore 8, arp_announce 2
    arp_ignore 0 for vg-v4
    add 10.0.0.252/32 to vg-v4"""
    )
