# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that leave a virtual router working: quiet, leased, renamed, moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Sequence

import pytest
from engine_kit.dataplanes import (
    BACKUP4,
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
    made,
    parent,
    text,
)
from hypothesis import given
from hypothesis import strategies as st

from vrrp.facts import Family
from vrrp.linux.actual import (
    IPV4_ARP_IGNORE,
    IPV4_RP_FILTER,
    IPV6_ACCEPT_DAD,
    IPV6_ACCEPT_RA,
    IPV6_AUTOCONF,
    IPV6_FORWARDING,
    ActualDevice,
)
from vrrp.linux.plan import plan
from vrrp.linux.steps import (
    CreateDevice,
    DeleteDevice,
    Filter,
    RenameDevice,
    SettleIpv6,
)
from vrrp.router.desired import VirtualDevice

# Quiet


def quiet(wanted: VirtualDevice) -> VirtualDevice:
    """A master that is leaving."""
    return replace(wanted, is_quiet=True)


def silent(wanted: VirtualDevice, **changes: object) -> ActualDevice:
    """The device in the kernel of one that is quiet."""
    ipv4 = wanted.family is Family.IPV4
    settings = {**SETTLED, IPV4_ARP_IGNORE: 8} if ipv4 else SETTLED
    return made(wanted, **{"settings": settings, "is_muted": not ipv4, **changes})


def test_falling_quiet_costs_no_address() -> None:
    have = actual(made(MASTER4), made(MASTER6))
    want = desired(quiet(MASTER4), quiet(MASTER6))
    assert (
        text(have, want)
        == """
    arp_ignore 8 for vg-v4
    mute vg-v6"""
    )
    assert text(actual(silent(MASTER4), silent(MASTER6)), want) == ""


def test_a_role_that_is_taken_back_is_answered_for_again() -> None:
    assert (
        text(actual(silent(MASTER4), silent(MASTER6)), desired(MASTER4, MASTER6))
        == """
    arp_ignore 1 for vg-v4
    unmute vg-v6"""
    )


def test_what_was_quiet_falls_silent_before_it_could_answer() -> None:
    assert (
        text(actual(silent(MASTER4), silent(MASTER6)), desired(BACKUP4, BACKUP6))
        == """
    fence vg-v6
    remove 10.0.0.254/32 from vg-v4
    arp_ignore 1 for vg-v4
    unmute vg-v6"""
    )


def test_without_a_packet_filter_a_quiet_device_forwards_without_addresses() -> None:
    want = desired(quiet(MASTER6))
    have = actual(made(MASTER6), can_mute=False, packet_filter=Filter())
    assert (
        text(have, want)
        == """
    remove fe80::254/64 from vg-v6
    remove 2001:db8::254/128 from vg-v6"""
    )
    left = actual(made(MASTER6, addresses=()), can_mute=False, packet_filter=Filter())
    assert text(left, want) == ""
    assert (
        text(left, desired(MASTER6))
        == """
    add fe80::254/64 to vg-v6
    add 2001:db8::254/128 to vg-v6"""
    )
    assert (
        text(left, desired(BACKUP6))
        == """
    fence vg-v6"""
    )


def test_a_quiet_device_that_has_to_be_made_anew_never_answers() -> None:
    """It cannot be muted before it is there, so its IPv6 addresses wait for the next look."""
    assert (
        text(actual(packet_filter=Filter(mutes=True)), desired(quiet(MASTER4), quiet(MASTER6)))
        == """
    create vg-v4 on link 2, mac 00:00:5e:00:01:0a, alias vlangate:v4
    create vg-v6 on link 2, mac 00:00:5e:00:02:0a, alias vlangate:v6
    unfence vg-v6
    add 10.0.0.254/32 to vg-v4"""
    )
    (create, *_rest) = plan(actual(), desired(quiet(MASTER4)))
    assert isinstance(create, CreateDevice) and create.settings[IPV4_ARP_IGNORE] == 8


# Leases


def leased(wanted: VirtualDevice, lease_s: int = 3) -> VirtualDevice:
    """A master whose addresses the kernel takes away when nobody renews them."""
    return replace(wanted, lease_s=lease_s)


def test_addresses_come_with_their_lease() -> None:
    assert (
        text(actual(made(BACKUP4)), desired(leased(MASTER4)))
        == """
    add 10.0.0.254/32 to vg-v4 for 3 s"""
    )


@pytest.mark.parametrize(
    ("left_s", "lease_s", "renewed"),
    [
        (3, 3, False),
        (2, 3, False),
        # Late: half of it is gone.
        (1, 3, True),
        # Of an earlier configuration, or with another life.
        (4, 3, True),
        (0, 3, True),
        (3, 0, True),
        (1, 1, False),
        (1, 2, False),
        (0, 0, False),
    ],
)
def test_a_lifetime_that_no_lease_in_good_order_has_is_set(
    left_s: int, lease_s: int, renewed: bool
) -> None:
    lifetimes = {MASTER4.addresses[0]: left_s} if left_s else {}
    found = text(actual(made(MASTER4, lifetimes_s=lifetimes)), desired(leased(MASTER4, lease_s)))
    life = "for %d s" % lease_s if lease_s else "for ever"
    assert found == ("\n    renew 10.0.0.254/32 on vg-v4 %s" % life if renewed else "")


# Names


def named(wanted: VirtualDevice, name: str) -> VirtualDevice:
    """The same virtual router by another name."""
    return replace(wanted, name="vg-" + name, alias=name)


def test_another_name_is_no_other_device() -> None:
    have = actual(made(MASTER4), made(MASTER6))
    assert (
        text(have, desired(named(MASTER4, "new"), MASTER6))
        == """
    rename vg-v4 to vg-new"""
    )


def test_what_is_given_up_is_given_up_by_the_old_name() -> None:
    have = actual(made(MASTER4, settings={**SETTLED, IPV4_RP_FILTER: 1}), made(MASTER6))
    assert (
        text(have, desired(named(BACKUP4, "new"), named(BACKUP6, "v6-new")))
        == """
    fence vg-v6
    remove 10.0.0.254/32 from vg-v4
    rename vg-v4 to vg-new
    rename vg-v6 to vg-v6-new
    settle vg-new"""
    )


def test_names_that_go_round_are_opened_by_one_for_a_moment() -> None:
    one, two, three = (device("v4-%d" % vrid, vrid=vrid) for vrid in (1, 2, 3))
    have = actual(*(made(each, ifindex=70 + index) for index, each in enumerate((one, two, three))))
    want = desired(named(three, "v4-1"), named(one, "v4-2"), named(two, "v4-3"))
    assert (
        text(have, want)
        == """
    rename vg-v4-3 to vg-~72
    rename vg-v4-2 to vg-v4-3
    rename vg-v4-1 to vg-v4-2
    rename vg-~72 to vg-v4-1"""
    )


def test_a_name_of_one_that_goes_is_free() -> None:
    other = device("v4-other", vrid=20)
    assert (
        text(actual(made(MASTER4), made(other)), desired(named(MASTER4, "v4-other")))
        == """
    delete vg-v4-other
    rename vg-v4 to vg-v4-other"""
    )


def test_a_new_virtual_router_may_have_the_name_that_another_one_had() -> None:
    other = named(device("v4-other", "10.0.0.9/32", vrid=20), "v4")
    assert (
        text(actual(made(MASTER4)), desired(named(MASTER4, "new"), other))
        == """
    rename vg-v4 to vg-new
    create vg-v4 on link 2, mac 00:00:5e:00:01:14, alias vlangate:v4
    add 10.0.0.9/32 to vg-v4"""
    )


@given(st.permutations(range(6)), st.permutations(range(6)), st.integers(0, 6))
def test_no_order_of_names_ever_meets_one_that_is_taken(
    before: Sequence[int], after: Sequence[int], kept: int
) -> None:
    """Six virtual routers swap their names in any way, some of them go away at that."""
    have = {
        "vg-%d" % name: made(named(device("v4", vrid=vrid + 1), str(name)), ifindex=70 + vrid)
        for vrid, name in enumerate(before)
    }
    want = [
        named(device("v4", vrid=vrid + 1), str(name))
        for vrid, name in enumerate(after)
        if vrid < kept
    ]
    taken = {name: found.mac for name, found in have.items()}
    for step in plan(actual(*have.values()), desired(*want)):
        if isinstance(step, DeleteDevice):
            del taken[step.name]
        if isinstance(step, RenameDevice):
            assert step.new_name not in taken and len(step.new_name) <= 15
            taken[step.new_name] = taken.pop(step.name)
    assert taken == {wanted.name: wanted.mac for wanted in want}


# VRFs


def test_a_device_follows_its_parent_into_a_vrf_and_out_of_it() -> None:
    parents = {LAN: parent(**OURS, vrf_ifindex=5)}
    assert (
        text(actual(made(MASTER4), made(MASTER6), parents=parents), desired(MASTER4, MASTER6))
        == """
    put vg-v4 into vrf 5
    put vg-v6 into vrf 5
    add fe80::254/64 to vg-v6
    add 2001:db8::254/128 to vg-v6"""
    )
    assert (
        text(actual(made(MASTER4, master_ifindex=5)), desired(MASTER4))
        == """
    take vg-v4 out of its master"""
    )
    have = actual(made(MASTER4, master_ifindex=5), parents=parents)
    assert text(have, desired(MASTER4)) == ""
    assert (
        text(actual(parents=parents), desired(BACKUP4))
        == """
    create vg-v4 on link 2 in vrf 5, mac 00:00:5e:00:01:0a, alias vlangate:v4"""
    )


# IPv6 sysctls


@pytest.mark.parametrize(
    "number", [IPV6_FORWARDING, IPV6_ACCEPT_RA, IPV6_AUTOCONF, IPV6_ACCEPT_DAD]
)
def test_only_the_ipv6_sysctls_that_differ_are_written(number: int) -> None:
    wrong = {**SETTLED6, number: 1 - SETTLED6[number]}
    (step,) = plan(actual(made(MASTER6, ipv6_settings=wrong)), desired(MASTER6))
    assert step == SettleIpv6("vg-v6", {number: SETTLED6[number]})
    assert str(step) == "settle IPv6 of vg-v6"
    # The IPv6 of an IPv4 device is off altogether.
    assert (
        text(actual(made(MASTER4, ipv6_settings=wrong), packet_filter=Filter()), desired(MASTER4))
        == ""
    )
