# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do to get from the kernel as it is to the one desired. Layer L4. Pure.

How a virtual router is fenced: its macvlan is up in every state. IPv4: without an address and with
rp_filter=2 the kernel answers, accepts and forwards nothing that arrives on it; adding the address
opens it. IPv6: disable_ipv6 fences the device as a whole.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import AbstractSet, Dict, Iterator, List, Mapping, Optional, Tuple, Union

from ..facts import Family, InterfaceAddress
from ..router.desired import DesiredDataplane, ParentSettings, VirtualDevice
from .constants import ALIAS_PREFIX, LINK_GROUP
from .links import Link, LinkTable

# Numbers of <linux/ip.h>; the values that a device of ours has to have.
IPV4_FORWARDING = 1
IPV4_RP_FILTER = 8
IPV4_LOG_MARTIANS = 11
IPV4_ARP_FILTER = 13
IPV4_ARP_ANNOUNCE = 18
IPV4_ARP_IGNORE = 19
_DEVICE_SETTINGS = {
    # The fence: loose, and the kernel takes the larger of this and net.ipv4.conf.all.
    IPV4_RP_FILTER: 2,
    # What the fence drops is no attack.
    IPV4_LOG_MARTIANS: 0,
    # The route to whoever asks leads through the parent: filtering by it would mean silence.
    IPV4_ARP_FILTER: 0,
    # Answer for own addresses only: the parent's are not to be had at the virtual MAC.
    IPV4_ARP_IGNORE: 1,
}
# Never answer: what is left to an address owner's parent where ARP cannot be filtered.
_ARP_SILENCE = 8
_ARP_OWN_ONLY = 1
# Answer for any local address.
_ARP_ANY = 0
# As sender of an ARP request use the address of the link it leaves by, never a virtual one.
_ARP_ANNOUNCE_BEST = 2


@dataclass(frozen=True)
class ActualDevice:
    """A device of ours in the kernel. settings: the IPv4 sysctls that matter, by number."""

    name: str
    ifindex: int
    parent_ifindex: int
    mac: bytes
    alias: str
    group: int
    is_up: bool
    has_ipv6: bool
    settings: Mapping[int, int]
    addresses: Tuple[InterfaceAddress, ...]


@dataclass(frozen=True)
class ActualParent:
    """A link that carries, or is to carry, virtual routers."""

    ifindex: int
    name: str
    arp_ignore: int
    arp_announce: int
    forwarding: int
    addresses: Tuple[bytes, ...]


@dataclass(frozen=True)
class Guard:
    """An owned address: the parent must not speak of it with its own MAC."""

    ifindex: int
    address: bytes


@dataclass(frozen=True)
class Filter:
    """What the packet filter has to do: see nftables.py. Both tuples are sorted."""

    refused: Tuple[bytes, ...] = ()
    guards: Tuple[Guard, ...] = ()


@dataclass(frozen=True)
class Actual:
    """The kernel as it is, as far as it is ours.

    parents by ifindex. owned: names of the links whose sysctls are ours. packet_filter is None
    when it is unknown what is installed. guardable: families whose owned addresses the packet
    filter of this kernel can guard.
    """

    devices: Mapping[str, ActualDevice]
    parents: Mapping[int, ActualParent]
    owned: Tuple[str, ...] = ()
    packet_filter: Optional[Filter] = Filter()
    guardable: AbstractSet[Family] = frozenset(Family)


@dataclass(frozen=True)
class SetParent:
    """Make the ARP behaviour of a parent ours."""

    name: str
    arp_ignore: int
    arp_announce: int

    def __str__(self) -> str:
        return "set parent %s: arp_ignore %d, arp_announce %d" % (
            self.name,
            self.arp_ignore,
            self.arp_announce,
        )


@dataclass(frozen=True)
class ReleaseParent:
    """Give a parent its own ARP behaviour back."""

    name: str

    def __str__(self) -> str:
        return "release parent %s" % self.name


@dataclass(frozen=True)
class SetFilter:
    """Replace our packet filter."""

    packet_filter: Filter

    def __str__(self) -> str:
        words = ["refuse %s" % _text(address) for address in self.packet_filter.refused]
        words += [
            "guard %s on link %d" % (_text(guard.address), guard.ifindex)
            for guard in self.packet_filter.guards
        ]
        return "filter: %s" % (", ".join(words) or "nothing")


@dataclass(frozen=True)
class CreateDevice:
    """Make a device, settled and up, but fenced."""

    device: VirtualDevice
    settings: Mapping[int, int]

    def __str__(self) -> str:
        device = self.device
        return "create %s on link %d, mac %s, alias %s" % (
            device.name,
            device.parent_ifindex,
            device.mac.hex(":"),
            alias_of(device),
        )


@dataclass(frozen=True)
class SettleDevice:
    """Put alias and sysctls of a device right, and raise it."""

    device: VirtualDevice
    settings: Mapping[int, int]

    def __str__(self) -> str:
        return "settle %s" % self.device.name


@dataclass(frozen=True)
class DeleteDevice:
    """Take a device away."""

    name: str

    def __str__(self) -> str:
        return "delete %s" % self.name


@dataclass(frozen=True)
class FenceDevice:
    """Switch IPv6 off on a device: its addresses go, it hears and says nothing."""

    name: str

    def __str__(self) -> str:
        return "fence %s" % self.name


@dataclass(frozen=True)
class UnfenceDevice:
    """Switch IPv6 on."""

    name: str

    def __str__(self) -> str:
        return "unfence %s" % self.name


@dataclass(frozen=True)
class AddAddress:
    """A virtual address for a device."""

    name: str
    address: InterfaceAddress

    def __str__(self) -> str:
        return "add %s to %s" % (_text_with_prefix(self.address), self.name)


@dataclass(frozen=True)
class RemoveAddress:
    """A device loses an address."""

    name: str
    address: InterfaceAddress

    def __str__(self) -> str:
        return "remove %s from %s" % (_text_with_prefix(self.address), self.name)


Step = Union[
    SetParent,
    ReleaseParent,
    SetFilter,
    CreateDevice,
    SettleDevice,
    DeleteDevice,
    FenceDevice,
    UnfenceDevice,
    AddAddress,
    RemoveAddress,
]


def device_of(step: Step) -> str:
    """The name of the device that a step is about; empty when it is about none."""
    if isinstance(step, (CreateDevice, SettleDevice)):
        return step.device.name
    if isinstance(step, (SetParent, ReleaseParent, SetFilter)):
        return ""
    return step.name


def observe(
    table: LinkTable, desired: DesiredDataplane
) -> Tuple[Dict[str, ActualDevice], Dict[int, ActualParent]]:
    """Our devices and the parents that are asked for, from a fresh table of the kernel."""
    devices = {link.name: _actual_device(link, table) for link in table.ours()}
    parents = {
        wanted.ifindex: _actual_parent(table.links[wanted.ifindex], table)
        for wanted in desired.parents
        if wanted.ifindex in table.links
    }
    return devices, parents


def _actual_device(link: Link, table: LinkTable) -> ActualDevice:
    found = link.ipv4_settings()
    return ActualDevice(
        name=link.name,
        ifindex=link.ifindex,
        parent_ifindex=link.parent_ifindex,
        mac=link.mac,
        alias=link.alias,
        group=link.group,
        is_up=link.is_up,
        has_ipv6=link.has_ipv6(),
        settings={key: found.get(key, 0) for key in (*_DEVICE_SETTINGS, IPV4_FORWARDING)},
        addresses=tuple(address.value for address in table.addresses_of(link.ifindex)),
    )


def _actual_parent(link: Link, table: LinkTable) -> ActualParent:
    found = link.ipv4_settings()
    return ActualParent(
        ifindex=link.ifindex,
        name=link.name,
        arp_ignore=found.get(IPV4_ARP_IGNORE, 0),
        arp_announce=found.get(IPV4_ARP_ANNOUNCE, 0),
        forwarding=found.get(IPV4_FORWARDING, 0),
        addresses=tuple(held.value.address for held in table.addresses_of(link.ifindex)),
    )


def plan(
    actual: Actual, desired: DesiredDataplane, only: Optional[AbstractSet[str]] = None
) -> Tuple[Step, ...]:
    """The steps, in an order in which stopping anywhere leaves nothing answering wrongly.

    Parents and filter first, so that no address is ever answered for in the wrong way; then
    whatever is given up, then what is taken. only: names of the devices that may differ; None
    means all. Devices whose parent is not there are left out: their links have gone.
    """
    wanted = [
        device
        for device in desired.devices
        if (only is None or device.name in only) and device.parent_ifindex in actual.parents
    ]
    stages = _Stages()
    if only is None:
        names = {device.name for device in wanted}
        stages.delete += [DeleteDevice(name) for name in sorted(set(actual.devices) - names)]
    for device in wanted:
        settings = _settings(device, actual)
        have = actual.devices.get(device.name)
        if have is not None and not _is_same_device(have, device):
            stages.delete.append(DeleteDevice(device.name))
            have = None
        if have is None:
            stages.create.append(CreateDevice(device, settings))
        elif not _is_settled(have, device, settings):
            stages.settle.append(SettleDevice(device, settings))
        _plan_addresses(have, device, stages)
    packet_filter = _packet_filter(actual, desired)
    return (
        *_plan_parents(actual, desired),
        *([SetFilter(packet_filter)] if packet_filter != actual.packet_filter else []),
        *stages.in_order(),
        *_plan_releases(actual, desired),
    )


class _Stages:
    """The steps on devices, by kind."""

    def __init__(self) -> None:
        self.fence: List[Step] = []
        self.remove: List[Step] = []
        self.delete: List[Step] = []
        self.create: List[Step] = []
        self.settle: List[Step] = []
        self.unfence: List[Step] = []
        self.add: List[Step] = []

    def in_order(self) -> Iterator[Step]:
        """Give up first, then take."""
        for stage in (
            self.fence,
            self.remove,
            self.delete,
            self.create,
            self.settle,
            self.unfence,
            self.add,
        ):
            yield from stage


def _plan_addresses(have: Optional[ActualDevice], device: VirtualDevice, stages: _Stages) -> None:
    held = have.addresses if have is not None else ()
    has_ipv6 = have is not None and have.has_ipv6
    if has_ipv6 and not _wants_ipv6(device):
        stages.fence.append(FenceDevice(device.name))
        # Fencing takes the IPv6 addresses away.
        held = tuple(address for address in held if len(address.address) == 4)
        has_ipv6 = False
    stages.remove += [
        RemoveAddress(device.name, address) for address in held if address not in device.addresses
    ]
    if not has_ipv6 and _wants_ipv6(device):
        stages.unfence.append(UnfenceDevice(device.name))
    stages.add += [
        AddAddress(device.name, address) for address in device.addresses if address not in held
    ]


def _wants_ipv6(device: VirtualDevice) -> bool:
    return device.family is Family.IPV6 and device.is_master


def _is_same_device(have: ActualDevice, device: VirtualDevice) -> bool:
    return (have.parent_ifindex, have.mac, have.group) == (
        device.parent_ifindex,
        device.mac,
        LINK_GROUP,
    )


def alias_of(device: VirtualDevice) -> str:
    """The name of a device for people."""
    return ALIAS_PREFIX + device.alias


def _is_settled(have: ActualDevice, device: VirtualDevice, settings: Mapping[int, int]) -> bool:
    return have.is_up and have.alias == alias_of(device) and have.settings == settings


def _settings(device: VirtualDevice, actual: Actual) -> Dict[int, int]:
    """The IPv4 sysctls of a device; it forwards if its parent does."""
    parent = actual.parents[device.parent_ifindex]
    settings = {**_DEVICE_SETTINGS, IPV4_FORWARDING: parent.forwarding}
    if Family.IPV4 not in actual.guardable and _owned(device, parent):
        settings[IPV4_ARP_IGNORE] = _ARP_ANY
    return settings


def _owned(device: VirtualDevice, parent: ActualParent) -> List[bytes]:
    """Addresses of the device that are real addresses of its parent as well (address owner)."""
    return [held.address for held in device.addresses if held.address in parent.addresses]


def _plan_parents(actual: Actual, desired: DesiredDataplane) -> Iterator[Step]:
    for wanted in desired.parents:
        parent = actual.parents.get(wanted.ifindex)
        if parent is None:
            continue
        arp_ignore = _parent_arp_ignore(wanted, actual)
        if (parent.arp_ignore, parent.arp_announce) != (arp_ignore, _ARP_ANNOUNCE_BEST):
            yield SetParent(parent.name, arp_ignore, _ARP_ANNOUNCE_BEST)


def _parent_arp_ignore(wanted: ParentSettings, actual: Actual) -> int:
    if wanted.owns_address and Family.IPV4 not in actual.guardable:
        return _ARP_SILENCE
    return _ARP_OWN_ONLY


def _plan_releases(actual: Actual, desired: DesiredDataplane) -> Iterator[Step]:
    kept = {
        actual.parents[wanted.ifindex].name
        for wanted in desired.parents
        if wanted.ifindex in actual.parents
    }
    for name in actual.owned:
        if name not in kept:
            yield ReleaseParent(name)


def _packet_filter(actual: Actual, desired: DesiredDataplane) -> Filter:
    guards = []
    if any(wanted.owns_address for wanted in desired.parents):
        for device in desired.devices:
            parent = actual.parents.get(device.parent_ifindex)
            if parent is not None and device.family in actual.guardable:
                guards += [Guard(parent.ifindex, address) for address in _owned(device, parent)]
    guards.sort(key=lambda guard: (guard.ifindex, guard.address))
    return Filter(tuple(sorted(desired.refused)), tuple(guards))


def _text(address: bytes) -> str:
    family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, address)


def _text_with_prefix(address: InterfaceAddress) -> str:
    return "%s/%d" % (_text(address.address), address.prefix_length)
