# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual router that is being left: it forwards and accepts, but answers nobody's question."""

from __future__ import annotations

from dataclasses import replace
from typing import List

import pytest
from frames import Wire, echo
from hosts import LINK_LOCAL_VIP, MAC4, MAC6, VIP4, VIP6, Host
from namespaces import Site

from vrrp.facts import Family, Repair
from vrrp.linux import nftables
from vrrp.linux.muting import MutedSet
from vrrp.router.desired import DesiredDataplane

CLIENT = {Family.IPV4: "10.0.0.10", Family.IPV6: "2001:db8:a::10"}
FAR = {Family.IPV4: "198.51.100.2", Family.IPV6: "2001:db8:f::2"}
MAC = {Family.IPV4: MAC4, Family.IPV6: MAC6}
VIP = {Family.IPV4: VIP4, Family.IPV6: VIP6}
BOTH = pytest.mark.parametrize(
    "family",
    [Family.IPV4, pytest.param(Family.IPV6, marks=pytest.mark.kernel("nftables"))],
    ids=lambda family: str(family.value),
)
# Groups are reported within a second.
LATE_TALK_S = 1.3


def quiet(desired: DesiredDataplane) -> DesiredDataplane:
    """The same, with all of them on the way out."""
    devices = tuple(replace(device, is_quiet=True) for device in desired.devices)
    return replace(desired, devices=devices)


def answers(wire: Wire, family: Family) -> List[str]:
    """The MACs that answer for the virtual address, asked by the LAN and directly."""
    if family is Family.IPV4:
        found = wire.ask_arp(VIP4)
    else:
        found = wire.ask_neighbour(VIP6)
        found += wire.ask_neighbour(LINK_LOCAL_VIP, sender="fe80::10")
        found += wire.ask_neighbour(VIP6, directly_at=MAC6)
    return [frame.src for frame in found]


def reached(wire: Wire, family: Family, *targets: str) -> List[bool]:
    """Which targets answer an echo request that is sent to the virtual MAC."""
    asked = (echo(wire, MAC[family], CLIENT[family], target) for target in targets)
    return [bool(wire.ask_echo(frame)) for frame in asked]


@BOTH
def test_a_quiet_router_serves_but_answers_for_nothing(
    host: Host, wire: Wire, family: Family
) -> None:
    master, targets = host.master(family), (VIP[family], FAR[family])
    host.apply(master)
    assert set(answers(wire, family)) == {MAC[family]}
    host.apply(quiet(master))
    assert answers(wire, family) == []
    assert reached(wire, family, *targets) == [True, True]
    assert host.reconcile() == ()
    # The role is taken back.
    host.apply(master)
    assert set(answers(wire, family)) == {MAC[family]}
    assert reached(wire, family, *targets) == [True, True]
    # It is given up.
    host.apply(quiet(master))
    host.apply(host.backup(family))
    assert answers(wire, family) == []
    assert reached(wire, family, *targets) == [False, False]
    # Nothing is left over that would keep the next master from answering.
    host.apply(master)
    assert set(answers(wire, family)) == {MAC[family]}


@BOTH
def test_falling_quiet_and_being_released_send_nothing(
    host: Host, wire: Wire, family: Family
) -> None:
    """A late frame from the virtual MAC would turn the switch away from the successor."""
    master = host.master(family)
    host.apply(master)
    wire.listen(2 * LATE_TALK_S)
    wire.forget()
    host.apply(quiet(master))
    host.apply(host.backup(family))
    wire.listen(LATE_TALK_S)
    assert wire.from_mac(MAC[family]) == []


@pytest.mark.kernel("nftables")
def test_who_gives_the_role_away_at_once_reports_no_groups(host: Host, wire: Wire) -> None:
    """The kernel reports the groups of new addresses again within a second: by then they are
    somebody else's."""
    master = host.master(Family.IPV6)
    host.apply(master)
    host.apply(quiet(master))
    wire.forget()
    wire.listen(2 * LATE_TALK_S)
    assert wire.from_mac(MAC6) == []


def test_without_nftables_ipv6_goes_on_without_addresses(
    host: Host, site: Site, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nftables, "can_filter_inet", lambda: False)
    master = host.master(Family.IPV6)
    host.apply(master)
    with host.namespace.inside():
        host.dataplane.apply(quiet(master))
    assert answers(wire, Family.IPV6) == []
    assert VIP6 not in site.router.ip("addr")
    assert reached(wire, Family.IPV6, FAR[Family.IPV6]) == [True]
    host.apply(master)
    assert set(answers(wire, Family.IPV6)) == {MAC6}
    with host.namespace.inside():
        host.dataplane.apply(quiet(master))
    host.apply(host.backup(Family.IPV6))
    assert reached(wire, Family.IPV6, FAR[Family.IPV6]) == [False]


@pytest.mark.kernel("nftables")
def test_another_process_knows_who_was_quiet(host: Host, wire: Wire) -> None:
    """What is mute is read from the kernel; muted it stays while the filter is made anew."""
    master = host.master(Family.IPV6)
    host.apply(master)
    host.apply(quiet(master))
    host.restart()
    host.apply(quiet(master))
    assert answers(wire, Family.IPV6) == []
    host.restart()
    host.apply(master)
    assert set(answers(wire, Family.IPV6)) == {MAC6}


def test_arp_of_a_quiet_router_is_kept_off(host: Host, site: Site) -> None:
    host.apply(quiet(host.master(Family.IPV4)))
    assert host.reconcile() == ()
    site.router.sysctl("net/ipv4/conf/vg-lan-ipv4/arp_ignore", "1")
    assert host.reconcile() == (Repair("vg-lan-ipv4", "arp_ignore was 1 instead of 8"),)
    assert site.router.read_sysctl("net/ipv4/conf/vg-lan-ipv4/arp_ignore") == "8"


@pytest.mark.kernel("nftables")
def test_a_quiet_router_is_kept_mute(host: Host, wire: Wire) -> None:
    host.apply(host.master(Family.IPV6))
    host.apply(quiet(host.master(Family.IPV6)))
    with host.namespace.inside():
        MutedSet().change((), [host.ifindex("vg-lan-ipv6")])
    clause = "the packet filter passed its neighbour advertisements"
    assert host.reconcile() == (Repair("vg-lan-ipv6", clause),)
    assert answers(wire, Family.IPV6) == []
    with host.namespace.inside():
        nftables.remove()
    assert Repair("", "the packet filter had been changed") in host.reconcile()
    assert answers(wire, Family.IPV6) == []
