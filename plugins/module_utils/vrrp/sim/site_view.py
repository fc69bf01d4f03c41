# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checkers read out of a host's configuration, apart from the engine. Layer L4."""

from __future__ import annotations

from typing import Dict, Tuple

from ..config.model import RouterConfig, VirtualRouterConfig
from ..facts import LinkFacts


def group_of(config: RouterConfig, ours: VirtualRouterConfig) -> Tuple[VirtualRouterConfig, ...]:
    """All members of its sync group; itself alone when it has none."""
    for group in config.sync_groups:
        if ours.name in group.members:
            return tuple(each for each in config.virtual_routers if each.name in group.members)
    return (ours,)


def effective_priority(
    config: RouterConfig, ours: VirtualRouterConfig, links: Dict[str, LinkFacts]
) -> int:
    """Less the penalties of trackers whose interface has no carrier; at least 1. What costs a
    member of a sync group costs all of it."""
    if ours.priority == 255:
        return 255
    interfaces = {tracker.name: tracker.interface for tracker in config.trackers}
    penalties: Dict[str, int] = {}
    for member in group_of(config, ours):
        for each in member.track:
            penalties[each.tracker] = max(each.penalty, penalties.get(each.tracker, 0))
    lost = sum(
        penalty
        for tracker, penalty in penalties.items()
        if not links[interfaces[tracker]].has_carrier
    )
    return max(1, ours.priority - lost)


def source_address(ours: VirtualRouterConfig, link: LinkFacts) -> bytes:
    """Links of the simulation have one address of each family."""
    width = ours.family.address_length
    return next(each.address for each in link.addresses if len(each.address) == width)
