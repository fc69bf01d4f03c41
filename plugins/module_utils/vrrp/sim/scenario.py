# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A random site: routers, LANs and virtual routers, all from one seed. Layer L4."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Dict, List, Tuple

from ..config.model import RouterConfig, VirtualRouterConfig
from ..facts import Family, InterfaceAddress, LinkFacts

_INTERVALS_CS = {2: (100, 200), 3: (5, 10, 100, 200)}


@dataclass(frozen=True)
class Scenario:
    """segments: names. configs and links: by host name; links are sorted by interface."""

    segments: Tuple[str, ...]
    configs: Dict[str, RouterConfig]
    links: Dict[str, Tuple[LinkFacts, ...]]

    def groups(self) -> List[str]:
        """The names of all virtual routers; the same on each host."""
        first = self.configs[min(self.configs)]
        return [virtual_router.name for virtual_router in first.virtual_routers]

    def members(self, name: str) -> Dict[str, VirtualRouterConfig]:
        """The configurations of one virtual router by host."""
        return {
            host: virtual_router
            for host, config in self.configs.items()
            for virtual_router in config.virtual_routers
            if virtual_router.name == name
        }


def generate(chance: random.Random) -> Scenario:
    """Two to four routers on one to three LANs with one or two virtual routers each."""
    hosts = ["r%d" % (number + 1) for number in range(chance.randint(2, 4))]
    segments = tuple("lan%d" % (number + 1) for number in range(chance.randint(1, 3)))
    configs: Dict[str, List[VirtualRouterConfig]] = {host: [] for host in hosts}
    for number, segment in enumerate(segments):
        for family in chance.choice(((Family.IPV4,), (Family.IPV6,), tuple(Family))):
            for host, virtual_router in _group(chance, hosts, number, segment, family):
                configs[host].append(virtual_router)
    return Scenario(
        segments=segments,
        configs={host: RouterConfig(tuple(routers)) for host, routers in configs.items()},
        links={host: _links(index, segments) for index, host in enumerate(hosts)},
    )


def _group(
    chance: random.Random, hosts: List[str], number: int, segment: str, family: Family
) -> List[Tuple[str, VirtualRouterConfig]]:
    version = 3 if family is Family.IPV6 else chance.choice((2, 3))
    interval_cs = chance.choice(_INTERVALS_CS[version])
    preempt = chance.random() < 0.8
    same_priority = chance.random() < 0.2
    addresses = (_address(family, number, 254),)
    group = []
    for host in hosts:
        # VRRPv3 learns the interval of its master, so routers may differ; VRRPv2 refuses.
        own_cs = chance.choice(_INTERVALS_CS[3]) if version == 3 else interval_cs
        own_cs = own_cs if chance.random() < 0.1 else interval_cs
        priority = 100 if same_priority else chance.randint(1, 254)
        delay_cs = chance.choice((0, 0, 300))
        group.append(
            (
                host,
                VirtualRouterConfig(
                    name="%s-%s" % (segment, family.value),
                    interface=segment,
                    family=family,
                    vrid=number + 1,
                    addresses=addresses,
                    version=version,
                    priority=priority,
                    advertisement_interval_cs=own_cs,
                    preempt=preempt,
                    preempt_delay_cs=delay_cs if preempt else 0,
                    accept=True,
                ),
            )
        )
    return group


def _links(index: int, segments: Tuple[str, ...]) -> Tuple[LinkFacts, ...]:
    return tuple(
        LinkFacts(
            ifindex=number + 2,
            name=segment,
            mac=bytes((2, 0, 0, 0, number, index + 1)),
            mtu=1500,
            is_up=True,
            has_carrier=True,
            addresses=(
                InterfaceAddress(_address(Family.IPV4, number, index + 1), 24),
                InterfaceAddress(b"\xfe\x80" + bytes(13) + bytes((index + 1,)), 64),
            ),
        )
        for number, segment in enumerate(segments)
    )


def _address(family: Family, number: int, host: int) -> bytes:
    if family is Family.IPV4:
        return bytes((198, 18, number, host))
    return b"\x20\x01\x0d\xb8" + bytes((0, number)) + bytes(9) + bytes((host,))
