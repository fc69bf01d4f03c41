# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can happen to a virtual router: the closed set. Layer L1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Union

from .actions import Reason
from .parameters import RouterParameters
from .states import State


@dataclass(frozen=True)
class Startup:
    """The interface is ready and the parameters are complete."""


@dataclass(frozen=True)
class Shutdown:
    """Leave in good order. cause tells why in a word: stop, interface-down, removed, ..."""

    cause: str = "stop"


@dataclass(frozen=True)
class AdvertisementReceived:
    """A validated advertisement of another router for this virtual router."""

    source: bytes
    priority: int
    interval_cs: int


@dataclass(frozen=True)
class ParametersChanged:
    """Priority, interval, addresses or another parameter changed; same virtual router."""

    parameters: RouterParameters


@dataclass(frozen=True)
class Memory:
    """What a virtual router needs to know to go on where another process stopped.

    deadline_ns is that of its machine. peer is the last advertisement that mattered, peer_heard_ns
    when it came.
    """

    state: State
    deadline_ns: int
    master_adver_interval_cs: int
    since_ns: int
    peer: Optional[AdvertisementReceived] = None
    peer_heard_ns: int = 0


@dataclass(frozen=True)
class Resume:
    """Instead of Startup: an earlier process was backup or master here a moment ago, and nobody
    can have noticed that it is gone."""

    memory: Memory


@dataclass(frozen=True)
class HandOver:
    """Give mastership away on purpose; who is no master has nothing to give.

    still_wants: only for its sync group's sake; it could be master again at once.
    """

    cause: str
    still_wants: bool = False


@dataclass(frozen=True)
class Takeover:
    """Become master now, without waiting: nobody else is."""

    reason: Reason


@dataclass(frozen=True)
class Tick:
    """Time has passed. Harmless before the deadline, so a stale wake-up cannot exist."""


Event = Union[
    Startup,
    Resume,
    Shutdown,
    AdvertisementReceived,
    ParametersChanged,
    HandOver,
    Takeover,
    Tick,
]
