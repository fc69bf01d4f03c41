# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a virtual router asks its shell to do: the closed set. Layer L1.

The order in which step() returns actions is part of the contract.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Optional, Union

from .states import State


class Reason(enum.Enum):
    """Why a transition happened; the values are stable for programs."""

    STARTUP = "startup"
    OWNER = "owner-startup"
    NO_RESPONSE = "no-response"
    PRIORITY_ZERO = "priority-zero"
    PREEMPTED_LOWER = "lower-priority-master"
    HIGHER_PRIORITY = "higher-priority"
    HIGHER_ADDRESS = "higher-address"
    SHUTDOWN = "shutdown"
    HAND_OVER = "hand-over"
    NO_SUCCESSOR = "no-successor"
    SYNC_GROUP = "sync-group"
    STALLED = "stalled"
    RESUMED = "resumed"


@dataclass(frozen=True)
class SendAdvertisement:
    """Send one advertisement now. priority 0 releases mastership."""

    priority: int
    interval_cs: int


@dataclass(frozen=True)
class ClaimAddresses:
    """Answer for the virtual addresses from now on and forward for the virtual MAC."""


@dataclass(frozen=True)
class AnnounceAddresses:
    """Tell the LAN where the virtual addresses are: gratuitous ARP or unsolicited NA."""


@dataclass(frozen=True)
class ReleaseAddresses:
    """Stop answering for the virtual addresses."""


@dataclass(frozen=True)
class Transition:
    """The state changed, and the inputs that decided it.

    peer and peer_priority tell of the last advertisement that mattered, silence_ns how long ago it
    came (None: none was heard); cause is the word that came with a Shutdown or HandOver.
    """

    previous: State
    current: State
    reason: Reason
    peer: bytes = b""
    peer_priority: Optional[int] = None
    silence_ns: Optional[int] = None
    cause: str = ""


Action = Union[SendAdvertisement, ClaimAddresses, AnnounceAddresses, ReleaseAddresses, Transition]
