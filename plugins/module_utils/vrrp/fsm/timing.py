# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timers of VRRP as functions. Layer L1. RFC 9568 section 6.1, RFC 3768 section 6.1.

The machine arms what is computed here and `show` prints what is computed here: one source.
"""

from __future__ import annotations

from ..units import CS_PER_S, NS_PER_S, ns_from_cs

# One wake-up sends the advertisements of a whole slot; a slot is short for a switch's processor
# and never more than a quarter of the interval it cuts.
SLOT_NS = 20_000_000


def skew_time_ns(version: int, priority: int, interval_cs: int) -> int:
    """Skew_Time. interval_cs is that of the master; VRRPv2 does not use it."""
    if version == 2:  # RFC 3768 section 6.1: a part of one second, whatever the interval
        return (256 - priority) * NS_PER_S // 256
    return (256 - priority) * ns_from_cs(interval_cs) // 256


def master_down_interval_ns(version: int, priority: int, interval_cs: int) -> int:
    """Master_Down_Interval (RFC 9568: Active_Down_Interval) for the master's interval."""
    return 3 * ns_from_cs(interval_cs) + skew_time_ns(version, priority, interval_cs)


def lease_s(interval_cs: int) -> int:
    """How long a virtual address outlives the last advertisement in the kernel, in its seconds: no
    backup takes over sooner than after three intervals."""
    return -(-3 * interval_cs // CS_PER_S)


def slot_ns(interval_cs: int) -> int:
    """The length of a slot for masters with that interval."""
    return min(SLOT_NS, ns_from_cs(interval_cs) // 4)


def slotted_ns(deadline_ns: int, interval_cs: int) -> int:
    """The deadline moved to the start of its slot: earlier, never later.

    Done once when a phase begins; after that an interval is added each time, so a master's
    interval stays exact and groups with the same interval share wake-ups.
    """
    return deadline_ns - deadline_ns % slot_ns(interval_cs)


def spread_ns(now_ns: int, interval_cs: int) -> range:
    """The slots in which a master that advertises now may do so again, latest first: within its
    interval, as RFC 9568 section 6.4.3 wants it, and after three quarters of it.
    """
    interval_ns = ns_from_cs(interval_cs)
    latest_ns = slotted_ns(now_ns + interval_ns, interval_cs)
    return range(latest_ns, now_ns + interval_ns * 3 // 4 - 1, -slot_ns(interval_cs))
