# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can happen to a VRRP router, the host: the closed set. Layer L3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet, Tuple, Union

from ..config.model import RouterConfig
from ..facts import LinkFacts, ProbeResult, ReceivedPacket, Repair


@dataclass(frozen=True)
class PacketReceived:
    """A packet of protocol 112 came in."""

    packet: ReceivedPacket

    @property
    def packets(self) -> Tuple[ReceivedPacket, ...]:
        """As of PacketsReceived."""
        return (self.packet,)


@dataclass(frozen=True)
class PacketsReceived:
    """The same for all that were waiting, oldest first; they count as heard at the same time."""

    packets: Tuple[ReceivedPacket, ...]


@dataclass(frozen=True)
class SolicitationReceived:
    """A host asks for routers: a router solicitation came in. data as in ReceivedPacket."""

    ifindex: int
    data: bytes


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


# Stands for all virtual routers, those to come included, in a set of identities.
ALL = "*"


@dataclass(frozen=True)
class DrainChanged:
    """These shall be master only if nobody else is: BoundRouter.id of each, or ALL.

    A master gives its role away; when nobody takes it, it keeps it and is drained no longer,
    unless forced.
    """

    drained: FrozenSet[str]
    forced: bool = False


@dataclass(frozen=True)
class Repaired:
    """The data plane found something changed by somebody else, and put it right."""

    repairs: Tuple[Repair, ...]


@dataclass(frozen=True)
class Tick:
    """Time has passed; harmless before the deadline."""


@dataclass(frozen=True)
class Stop:
    """Leave all virtual routers in good order."""


RouterEvent = Union[
    PacketReceived,
    PacketsReceived,
    SolicitationReceived,
    LinksChanged,
    TrackerReported,
    ConfigReplaced,
    DrainChanged,
    Repaired,
    Tick,
    Stop,
]
