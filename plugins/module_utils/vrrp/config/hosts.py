# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no host can see alone: routers of one gateway group that do not fit together. Layer L2.

RFC 9568 sections 5.2.5 (one address list), 8.3.2 (distinct priorities, one owner), RFC 3768
section 7.1 (a different interval is discarded).
"""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, Mapping, Sequence, Tuple, Union

from ..errors import Problem
from ..facts import Family, is_link_local
from ..fsm.parameters import OWNER_PRIORITY
from .host_sync import Member, sync_group_problems
from .lans import Port, lans
from .model import RouterConfig, VirtualRouterConfig
from .reading import in_order, text_of

# Interfaces of the same name on two hosts are taken for one LAN when their virtual addresses
# agree in so many octets: a /24, and a /64.
_LAN_OCTETS = {Family.IPV4: 3, Family.IPV6: 8}
_Token = Union[Tuple[bytes], Tuple[str, bytes]]


def host_problems(configs: Mapping[str, RouterConfig]) -> Tuple[Problem, ...]:
    """What is wrong between the configurations of several hosts, sorted by path.

    Virtual routers of different hosts are members of one group when family and VRID are equal and
    they share a virtual address, or have the same interface name and neighbouring addresses.
    """
    found: List[Problem] = list(_address_under_two_vrids(configs))
    gateway_groups = groups(configs)
    found.extend(_one_vrid_twice(gateway_groups))
    for members in gateway_groups:
        found.extend(_unlike_the_first(members))
        found.extend(_equal_priorities(members))
    found.extend(sync_group_problems(configs, gateway_groups))
    return in_order(found)


def groups(configs: Mapping[str, RouterConfig]) -> List[List[Member]]:
    """The members of each gateway group, in the order of the hosts."""
    group_of: Dict[Tuple[Family, int, _Token], List[Member]] = {}
    for host, config in configs.items():
        for router in config.virtual_routers:
            keys = [(router.family, router.vrid, token) for token in _tokens(router)]
            merged: List[Member] = []
            for group in {id(each): each for each in map(group_of.get, keys) if each}.values():
                merged.extend(group)
            merged.append(Member(host, router))
            for member in merged:
                for token in _tokens(member.router):
                    group_of[router.family, router.vrid, token] = merged
    return list({id(group): group for group in group_of.values()}.values())


def _tokens(router: VirtualRouterConfig) -> Iterator[_Token]:
    """What two members of one group have in common: an address, or an interface on one LAN."""
    octets = _LAN_OCTETS[router.family]
    for address in router.addresses:
        if not is_link_local(address):
            yield (address,)
            yield (router.interface, address[:octets])


def _address_under_two_vrids(configs: Mapping[str, RouterConfig]) -> Iterator[Problem]:
    """The same address under another VRID: two masters, each answering with its own MAC."""
    first: Dict[bytes, Member] = {}
    for host, config in configs.items():
        for router in config.virtual_routers:
            for address in router.addresses:
                if is_link_local(address):
                    continue
                member = Member(host, router)
                other = first.setdefault(address, member)
                if other.router.vrid != router.vrid:
                    message = "is %d, and %s has %s under VRID %d"
                    message %= (router.vrid, other.host, text_of(address), other.router.vrid)
                    hint = "give the address the same VRID on all of its routers"
                    yield Problem(member.path + ".vrid", "host-vrid", message, hint)


def _one_vrid_twice(gateway_groups: Sequence[Sequence[Member]]) -> Iterator[Problem]:
    """Two groups of one VRID on one LAN; of one that shares an interface its host tells itself."""
    ports = [[(each.host, each.router.interface) for each in group] for group in gateway_groups]
    lan_of = lans(ports)
    first: Dict[Tuple[Port, Family, int], int] = {}
    for number, group in enumerate(gateway_groups):
        ours = group[0].router
        key = (lan_of[ports[number][0]], ours.family, ours.vrid)
        other = first.setdefault(key, number)
        if other != number and set(ports[other]).isdisjoint(ports[number]):
            theirs = gateway_groups[other][0]
            message = "is %d, as that of %s on %s, which is on the same LAN"
            message %= (ours.vrid, theirs.router.name, theirs.host)
            hint = "choose a VRID that no other group of this LAN uses"
            yield Problem(group[0].path + ".vrid", "host-duplicate-vrid", message, hint)


def _unlike_the_first(members: Sequence[Member]) -> Iterator[Problem]:
    """What all members of a group have to say alike."""
    first = members[0]
    for member in members[1:]:
        ours, theirs = member.router, first.router
        if set(ours.addresses) != set(theirs.addresses):
            message = "is %s, and %s has %s"
            message %= (_listed(ours.addresses), first.host, _listed(theirs.addresses))
            hint = "list the same addresses on all routers of the group"
            yield Problem(member.path + ".addresses", "host-addresses", message, hint)
        if ours.version != theirs.version:
            message = "is %d, and %s has %d" % (ours.version, first.host, theirs.version)
            hint = "routers of different versions do not hear each other: use one version"
            yield Problem(member.path + ".version", "host-version", message, hint)
        elif ours.advertisement_interval_cs != theirs.advertisement_interval_cs:
            message = "is %d, and %s has %d"
            message %= (
                ours.advertisement_interval_cs,
                first.host,
                theirs.advertisement_interval_cs,
            )
            hint = "use one interval on all routers of the group"
            if ours.version == 2:
                hint += ": VRRPv2 discards advertisements with another one"
            where = member.path + ".advertisement_interval_cs"
            yield Problem(where, "host-interval", message, hint)
        if ours.password != theirs.password:
            message = "differs from that of %s" % first.host
            hint = "use one password on all routers of the group: they do not hear each other"
            yield Problem(member.path + ".password", "host-password", message, hint)
        if ours.checksum is not theirs.checksum:
            message = "is %s, and %s has %s"
            message %= (ours.checksum.value, first.host, theirs.checksum.value)
            hint = "use one form on all routers of the group: other speakers may take only one"
            yield Problem(member.path + ".checksum", "host-checksum", message, hint)
        # RFC 9568 section 8.2.3: hosts must not be told something else after a failover.
        if ours.router_advertisements != theirs.router_advertisements:
            message = "differ from those of %s" % first.host
            hint = "tell hosts the same on all routers of the group"
            where = member.path + ".router_advertisements"
            yield Problem(where, "host-router-advertisements", message, hint)


def _equal_priorities(members: Sequence[Member]) -> Iterator[Problem]:
    first: Dict[int, Member] = {}
    for member in members:
        priority = member.router.priority
        other = first.setdefault(priority, member)
        if other is member:
            continue
        where = member.path + ".priority"
        if priority == OWNER_PRIORITY:
            message = "is 255, and %s is the address owner" % other.host
            hint = "give 255 to the one router that has the address as its real one"
            yield Problem(where, "host-owners", message, hint)
        else:
            message = "is %d, and so is that of %s" % (priority, other.host)
            hint = "give each router of the group a priority of its own"
            yield Problem(where, "host-priority", message, hint)


def _listed(addresses: Iterable[bytes]) -> str:
    return ", ".join(text_of(address) for address in addresses)
