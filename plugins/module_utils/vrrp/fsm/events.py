# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can happen to a virtual router: the closed set. Layer L1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from .parameters import RouterParameters


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
class Tick:
    """Time has passed. Harmless before the deadline, so a stale wake-up cannot exist."""


Event = Union[Startup, Shutdown, AdvertisementReceived, ParametersChanged, Tick]
