# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A state machine brought into a state by the events that lead there."""

from typing import Any, Tuple

from engine_kit.values import HIGHER, KEY, T0, parameters
from vrrp.fsm.actions import Reason, SendAdvertisement
from vrrp.fsm.events import AdvertisementReceived, Startup, Takeover, Tick
from vrrp.fsm.states import State
from vrrp.fsm.timing import master_down_interval_ns
from vrrp.fsm.virtual_router import VirtualRouter


def advert(priority: int, source: bytes = HIGHER, interval_cs: int = 100) -> AdvertisementReceived:
    """An advertisement of another router, from an address above ours unless told otherwise."""
    return AdvertisementReceived(source, priority, interval_cs)


def machine(state: State, **changes: Any) -> VirtualRouter:
    """A machine that entered the state at T0, a whole number of slots."""
    ours = parameters(**changes)
    made = VirtualRouter(KEY, ours)
    if state is State.INITIALIZE:
        return made
    if state is State.BACKUP or ours.is_owner:
        made.step(Startup(), T0)
        return made
    down_ns = master_down_interval_ns(ours.version, ours.priority, ours.advertisement_interval_cs)
    made.step(Startup(), T0 - down_ns)
    made.step(Takeover(Reason.SYNC_GROUP) if ours.waits_for_group else Tick(), T0)
    assert made.state is State.MASTER
    return made


def adverts(actions: Tuple[object, ...]) -> Tuple[SendAdvertisement, ...]:
    """The advertisements among the actions."""
    return tuple(each for each in actions if isinstance(each, SendAdvertisement))
