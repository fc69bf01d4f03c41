# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A master in between two events: it advertises, and that is all. Layer L3.

Most of what a router ever does is this, so nothing is made or worked out for it that was the same
the last time. Whatever else happens to a virtual router ends it, before anything is done; its next
advertisement is made in full then, and may begin it anew.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

from ..fsm.actions import Action, SendAdvertisement
from ..fsm.states import State
from ..fsm.virtual_router import VirtualRouter
from .actions import TransmitFrame
from .bound_router import BoundRouter

# Later than any clock.
_NEVER_NS = 1 << 63


class SteadyMaster(NamedTuple):
    """actions: of its machine, each time; transmit: what becomes of them. wake_ns: something else
    is due then; until_ns: or has to go with an advertisement from then on."""

    bound: BoundRouter
    machine: VirtualRouter
    actions: Tuple[Action, ...]
    transmit: TransmitFrame
    wake_ns: int
    until_ns: int


def steady_master(bound: BoundRouter, actions: Tuple[Action, ...]) -> Optional[SteadyMaster]:
    """Of one whose machine has just asked for these actions, which are carried out."""
    machine = bound.machine
    if machine is None or machine.state is not State.MASTER or len(actions) != 1:
        return None
    said = actions[0]
    if not isinstance(said, SendAdvertisement):
        return None
    other_ns, fresh_ns = bound.other_deadline_ns(), bound.fresh_until_ns()
    wake_ns = _NEVER_NS if other_ns is None else other_ns
    until_ns = wake_ns if fresh_ns is None else min(wake_ns, fresh_ns)
    transmit = bound.advertisement(said.priority, said.interval_cs)
    return SteadyMaster(bound, machine, actions, transmit, wake_ns, until_ns)
