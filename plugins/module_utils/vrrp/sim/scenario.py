# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A random site: routers, LANs and virtual routers, all from one seed. Layer L4."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Dict, FrozenSet, List, Tuple

from ..config.model import (
    ChecksumMode,
    LeaseMode,
    ProfileMode,
    RouterConfig,
    SyncGroupConfig,
    TrackerConfig,
    TrackerKind,
    TrackReference,
    VirtualRouterConfig,
)
from ..facts import Family, InterfaceAddress, LinkFacts
from ..fsm.parameters import OWNER_PRIORITY

SYNC_GROUP = "together"
INTERVALS_CS = {2: (100, 200), 3: (5, 10, 100, 200)}


@dataclass(frozen=True)
class Scenario:
    """segments: names. configs and links: by host name; links are sorted by interface. alike: the
    virtual routers, by identity, that may be in a sync group, because hosts rank alike in them."""

    segments: Tuple[str, ...]
    configs: Dict[str, RouterConfig]
    links: Dict[str, Tuple[LinkFacts, ...]]
    alike: FrozenSet[str] = frozenset()


def generate(chance: random.Random) -> Scenario:
    """Two to four routers on one to three LANs with one or two virtual routers each."""
    hosts = ["r%d" % (number + 1) for number in range(chance.randint(2, 4))]
    segments = tuple("lan%d" % (number + 1) for number in range(chance.randint(1, 3)))
    configs: Dict[str, List[VirtualRouterConfig]] = {host: [] for host in hosts}
    for number, segment in enumerate(segments):
        for family in chance.choice(((Family.IPV4,), (Family.IPV6,), tuple(Family))):
            for host, virtual_router in _group(chance, hosts, number, segment, family):
                configs[host].append(virtual_router)
    trackers = _track(chance, segments, configs)
    alike = _make_alike(chance, configs)
    names = [each.name for each in configs[hosts[0]] if str(each.key) in alike]
    together = chance.sample(names, chance.randint(2, len(names))) if names else []
    groups = (SyncGroupConfig(SYNC_GROUP, tuple(sorted(together))),) if together else ()
    leases = chance.choice((LeaseMode.AUTO, LeaseMode.AUTO, LeaseMode.ON, LeaseMode.OFF))
    return Scenario(
        segments=segments,
        configs={
            host: RouterConfig(tuple(configs[host]), trackers, groups, leases) for host in hosts
        },
        alike=alike,
        links={host: _links(index, segments) for index, host in enumerate(hosts)},
    )


def _group(
    chance: random.Random, hosts: List[str], number: int, segment: str, family: Family
) -> List[Tuple[str, VirtualRouterConfig]]:
    version = 3 if family is Family.IPV6 else chance.choice((2, 3))
    interval_cs = chance.choice(INTERVALS_CS[version])
    preempt = chance.random() < 0.8
    same_priority = chance.random() < 0.2
    profile = chance.choice((ProfileMode.AUTO, ProfileMode.AUTO, ProfileMode.RFC5798))
    password = chance.choice(("", "", "s3cret")) if version == 2 else ""
    owner = chance.randrange(len(hosts)) if chance.random() < 0.1 else None
    addresses = (address(family, number, 254),)
    if owner is not None:
        addresses = (real_address(family, number, owner),)
    group = []
    for index, host in enumerate(hosts):
        # VRRPv3 learns the interval of its master, so routers may differ; VRRPv2 refuses.
        own_cs = chance.choice(INTERVALS_CS[3]) if version == 3 else interval_cs
        own_cs = own_cs if chance.random() < 0.1 else interval_cs
        priority = 100 if same_priority else chance.randint(1, 254)
        delay_cs = chance.choice((0, 0, 300))
        virtual_router = VirtualRouterConfig(
            name="%s-%s" % (segment, family.value),
            interface=segment,
            family=family,
            vrid=number + 1,
            addresses=addresses,
            version=version,
            priority=OWNER_PRIORITY if index == owner else priority,
            advertisement_interval_cs=own_cs,
            preempt=preempt,
            preempt_delay_cs=delay_cs if preempt else 0,
            accept=True,
            checksum=chance.choice(tuple(ChecksumMode)),
            profile=profile if version == 3 else ProfileMode.AUTO,
            password=password,
        )
        group.append((host, virtual_router))
    return group


def _make_alike(
    chance: random.Random, configs: Dict[str, List[VirtualRouterConfig]]
) -> FrozenSet[str]:
    """Sometimes each host has one priority for all virtual routers that nobody owns."""
    owned = {each.key for routers in configs.values() for each in routers if each.priority == 255}
    alike = {each.key for routers in configs.values() for each in routers} - owned
    if len(alike) < 2 or chance.random() < 0.5:
        return frozenset()
    preempt = chance.random() < 0.8
    for routers in configs.values():
        priority = chance.randint(1, 254)
        delay_cs = chance.choice((0, 0, 300)) if preempt else 0
        routers[:] = [
            each
            if each.key in owned
            else replace(each, priority=priority, preempt=preempt, preempt_delay_cs=delay_cs)
            for each in routers
        ]
    return frozenset(str(key) for key in alike)


def _track(
    chance: random.Random,
    segments: Tuple[str, ...],
    configs: Dict[str, List[VirtualRouterConfig]],
) -> Tuple[TrackerConfig, ...]:
    """Sometimes the last LAN is an uplink, and who loses it is worth less on the others."""
    if len(segments) < 2 or chance.random() < 0.5:
        return ()
    uplink = segments[-1]
    reference = TrackReference("uplink", chance.choice((10, 100, 254)))
    for routers in configs.values():
        routers[:] = [
            router if router.interface == uplink else replace(router, track=(reference,))
            for router in routers
        ]
    return (TrackerConfig(reference.tracker, TrackerKind.LINK, uplink),)


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
                InterfaceAddress(real_address(Family.IPV4, number, index), 24),
                InterfaceAddress(real_address(Family.IPV6, number, index), 64),
            ),
        )
        for number, segment in enumerate(segments)
    )


def real_address(family: Family, number: int, index: int) -> bytes:
    """The address that a host sends from; of hosts that are none of ours, index may be less than
    0 or more than 9."""
    if family is Family.IPV4:
        return address(family, number, index + 11)
    return b"\xfe\x80" + bytes(13) + bytes((index + 11,))


def address(family: Family, number: int, host: int) -> bytes:
    """An address in the network of a LAN."""
    if family is Family.IPV4:
        return bytes((198, 18, number, host))
    return b"\x20\x01\x0d\xb8" + bytes((0, number)) + bytes(9) + bytes((host,))
