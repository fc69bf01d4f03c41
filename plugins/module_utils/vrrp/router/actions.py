# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a VRRP router asks its shell to do: the closed set. Layer L3.

Within one step the order is part of the contract: advertisements first, because they stop other
routers, then the data plane, then announcements, because hosts answer them, then notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Tuple, Union

from .desired import DesiredDataplane


@dataclass(frozen=True)
class TransmitFrame:
    """Send this Ethernet frame by that link."""

    ifindex: int
    frame: bytes


@dataclass(frozen=True)
class DataplaneChanged:
    """The kernel should look like this now. Only the newest one counts."""

    desired: DesiredDataplane


@dataclass(frozen=True)
class RenewLeases:
    """The addresses of these devices have just been advertised: let their leases begin anew."""

    devices: Tuple[str, ...]


@dataclass(frozen=True)
class Notify:
    """Something that people or programs may want to know.

    kind: transition, waiting, discard, tracker, drain, repair or gap. name: of the virtual router
    or tracker.
    message: one sentence. data: the same for programs, JSON-ready.
    """

    kind: str
    name: str
    message: str
    data: Mapping[str, Any]


RouterAction = Union[TransmitFrame, DataplaneChanged, RenewLeases, Notify]
