# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can happen to a VRRP router, the host: the closed set. Layer L3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple, Union

from ..config.model import RouterConfig
from ..facts import LinkFacts, ProbeResult, ReceivedPacket


@dataclass(frozen=True)
class PacketReceived:
    """A packet of protocol 112 came in."""

    packet: ReceivedPacket


@dataclass(frozen=True)
class SolicitationReceived:
    """A host asks for routers: a router solicitation came in. data as in ReceivedPacket."""

    ifindex: int
    data: bytes
    received_ns: int


@dataclass(frozen=True)
class LinksChanged:
    """All links as they are now, without our own virtual devices."""

    links: Tuple[LinkFacts, ...]


@dataclass(frozen=True)
class TrackerReported:
    """A probe of a tracker has ended."""

    result: ProbeResult


@dataclass(frozen=True)
class ConfigReplaced:
    """The operator wants this from now on; already validated."""

    config: RouterConfig


@dataclass(frozen=True)
class Tick:
    """Time has passed; harmless before the deadline."""


@dataclass(frozen=True)
class Stop:
    """Leave all virtual routers in good order."""


RouterEvent = Union[
    PacketReceived, SolicitationReceived, LinksChanged, TrackerReported, ConfigReplaced, Tick, Stop
]
