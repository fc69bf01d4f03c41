# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a table demands of its own VLANs: enough routers, a failure noticed in time. Layer L2."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, Sequence, Tuple

from ..errors import Problem
from ..facts import Family
from ..fsm.timing import master_down_interval_ns, skew_time_ns
from ..units import NS_PER_S, format_ns, ns_from_cs
from .gateway_priorities import spread
from .gateway_sync import SyncedVlans
from .gateway_vlan import Vlan

_LISTED = 4


def rule_problems(vlans: Sequence[Vlan], sync_groups: Sequence[SyncedVlans]) -> Iterator[Problem]:
    """What falls short. What is demanded in one place of many VLANs is one problem."""
    short: Dict[Tuple[str, str, str, str], List[str]] = {}
    in_group = {vlan.vlan_id: group for group in sync_groups for vlan in group.vlans}
    for vlan in vlans:
        synced = in_group.get(vlan.vlan_id)
        written = vlan.priorities or (synced.priorities() if synced else {})
        for problem in (*_too_few(vlan), *_too_late(vlan, written)):
            short.setdefault(problem, []).append(vlan.path)
    for (path, code, message, hint), places in short.items():
        here = [place for place in places if not path.startswith(place)]
        yield Problem(path, code, message + _in(here), hint)


def _in(places: Sequence[str]) -> str:
    """Which VLANs are meant, where that is not what is demanded of one of them."""
    if not places:
        return ""
    more = len(places) - _LISTED
    listed = ", ".join(places[:_LISTED])
    return " in %s" % (listed if more <= 0 else "%s and %d more" % (listed, more))


def _too_few(vlan: Vlan) -> Iterator[Tuple[str, str, str, str]]:
    wanted = vlan.policy.minimum_routers
    if vlan.seats and len(vlan.seats) < wanted.value:
        names = ", ".join(seat.router for seat in vlan.seats)
        message = "is %d, and there is only %s" % (wanted.value, names)
        hint = "name more routers for the VLAN, or demand fewer of it"
        yield wanted.path, "too-few-routers", message, hint


def _too_late(vlan: Vlan, written: Mapping[str, int]) -> Iterator[Tuple[str, str, str, str]]:
    """A backup notices after three intervals and its skew time: the lowest one comes last."""
    bound, interval_cs = vlan.policy.detect_within_cs, vlan.policy.advertisement_interval_cs
    members = [seat.router for seat in vlan.seats]
    if not bound.value or len(members) < 2 or not interval_cs:
        return
    for family in vlan.families:
        version = vlan.policy.version if family is Family.IPV4 else 3
        priorities = dict(written) or spread(members)
        lowest = min(priorities.values())
        needed_ns = master_down_interval_ns(version, lowest, interval_cs)
        if needed_ns <= ns_from_cs(bound.value):
            continue
        message = "is %s, and with VRRPv%d, priority %d and an interval of %s it takes %s"
        message %= (
            format_ns(ns_from_cs(bound.value)),
            version,
            lowest,
            format_ns(ns_from_cs(interval_cs)),
            format_ns(needed_ns),
        )
        yield bound.path, "too-late", message, _faster(version, lowest, bound.value)
        return


def _faster(version: int, priority: int, within_cs: int) -> str:
    """The longest interval that would do."""
    if version == 2:  # whole seconds, and a skew time that does not depend on them
        left_ns = ns_from_cs(within_cs) - skew_time_ns(version, priority, 0)
        longest_ns = left_ns // (3 * NS_PER_S) * NS_PER_S
    else:
        longest_ns = ns_from_cs(within_cs * 256 // (3 * 256 + 256 - priority))
    if longest_ns <= 0:
        return "allow more time: no interval of VRRPv%d is short enough" % version
    longest = format_ns(longest_ns)
    return "write an advertisement_interval of %s or less, or allow more time" % longest
