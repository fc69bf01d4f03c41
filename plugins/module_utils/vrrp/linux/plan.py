# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do to get from the kernel as it is to the one desired. Layer L4. Pure.

How a virtual router is fenced: its macvlan is up in every state. IPv4: without an address and with
rp_filter=2 the kernel answers, accepts and forwards nothing that arrives on it; adding the address
opens it. IPv6: disable_ipv6 fences the device as a whole.

How it is quiet: IPv4: arp_ignore=8. IPv6: the packet filter drops the neighbour advertisements that
the kernel sends on it; without a packet filter its addresses go and it stays unfenced, for
forwarding needs none.

Which device is whose: by parent and MAC. A device by another name is renamed and goes on working.
"""

from __future__ import annotations

import dataclasses
from typing import (
    AbstractSet,
    Collection,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from ..facts import Family, InterfaceAddress
from ..router.desired import (
    DEVICE_PREFIX,
    DesiredDataplane,
    ParentSettings,
    VirtualDevice,
)
from .actual import (
    IPV4_ARP_FILTER,
    IPV4_ARP_IGNORE,
    IPV4_FORWARDING,
    IPV4_LOG_MARTIANS,
    IPV4_RP_FILTER,
    IPV6_ACCEPT_DAD,
    IPV6_ACCEPT_RA,
    IPV6_AUTOCONF,
    IPV6_FORWARDING,
    Actual,
    ActualDevice,
    ActualParent,
    is_same_device,
    shared,
)
from .constants import LEAVING_LINK_GROUP
from .steps import (
    AddAddress,
    CreateDevice,
    DeleteDevice,
    FenceDevice,
    Filter,
    Guard,
    JoinVrf,
    MuteDevice,
    ReleaseParent,
    RemoveAddress,
    RenameDevice,
    RenewAddress,
    SetFilter,
    SetParent,
    SettleDevice,
    SettleIpv6,
    Step,
    SwitchArp,
    UnfenceDevice,
    UnmuteDevice,
    alias_of,
)

# The values that a device of ours has to have.
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
# Nothing by itself: no address from router advertisements, no probing for duplicates.
_DEVICE_IPV6_SETTINGS = {IPV6_ACCEPT_RA: 0, IPV6_AUTOCONF: 0, IPV6_ACCEPT_DAD: 0}
# Never answer: a device that is being left, and what is left to an address owner's parent where
# ARP cannot be filtered.
_ARP_SILENCE = 8
_ARP_OWN_ONLY = 1
# Answer for any local address.
_ARP_ANY = 0
# As sender of an ARP request use the address of the link it leaves by, never a virtual one.
_ARP_ANNOUNCE_BEST = 2


class _Pair(NamedTuple):
    """A desired device and the one in the kernel that is the same, whatever its name."""

    device: VirtualDevice
    have: Optional[ActualDevice]


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
    pairs = _pair_up(actual, wanted)
    stages = _Stages()
    left = _left_over(actual, pairs, only)
    stages.delete += [DeleteDevice(name) for name in left]
    stages.rename += _renames(actual, pairs, left)
    for pair in pairs:
        _plan_device(pair, actual, stages)
    packet_filter = _packet_filter(actual, desired, pairs, only is None)
    return (
        *_plan_parents(actual, desired),
        *([SetFilter(packet_filter)] if packet_filter != actual.packet_filter else []),
        *stages.in_order(),
        *_plan_releases(actual, desired),
    )


class _Stages:
    """The steps on devices, by kind."""

    def __init__(self) -> None:
        self.silence: List[Step] = []
        self.mute: List[Step] = []
        self.fence: List[Step] = []
        self.remove: List[Step] = []
        self.delete: List[Step] = []
        self.rename: List[Step] = []
        self.join: List[Step] = []
        self.create: List[Step] = []
        self.settle: List[Step] = []
        self.settle_ipv6: List[Step] = []
        self.answer: List[Step] = []
        self.unfence: List[Step] = []
        self.add: List[Step] = []
        self.renew: List[Step] = []
        self.unmute: List[Step] = []

    def in_order(self) -> Iterator[Step]:
        """Give up first, then take. Until they are renamed, devices go by their old names."""
        for stage in (
            self.silence,
            self.mute,
            self.fence,
            self.remove,
            self.delete,
            self.rename,
            self.join,
            self.create,
            self.settle,
            self.settle_ipv6,
            self.answer,
            self.unfence,
            self.add,
            self.renew,
            self.unmute,
        ):
            yield from stage


def _pair_up(actual: Actual, wanted: Sequence[VirtualDevice]) -> List[_Pair]:
    pairs = []
    by_key: Optional[Dict[Tuple[int, bytes], ActualDevice]] = None
    for device in wanted:
        have = actual.devices.get(device.name)
        if have is None or not is_same_device(have, device):
            if by_key is None:
                by_key = _by_key(actual.devices.values())
            have = by_key.get((device.parent_ifindex, device.mac))
        pairs.append(_Pair(device, have))
    return pairs


def _by_key(devices: Collection[ActualDevice]) -> Dict[Tuple[int, bytes], ActualDevice]:
    return {
        (device.parent_ifindex, device.mac): device
        for device in devices
        if device.group != LEAVING_LINK_GROUP
    }


def _left_over(
    actual: Actual, pairs: Sequence[_Pair], only: Optional[AbstractSet[str]]
) -> List[str]:
    """Names of devices that nobody wants, or that are in the way of one that is wanted."""
    used = {have.name for _device, have in pairs if have is not None}
    suspects = set(actual.devices) if only is None else only & set(actual.devices)
    return sorted(suspects - used)


def _renames(actual: Actual, pairs: Sequence[_Pair], left: Sequence[str]) -> Iterator[RenameDevice]:
    """In an order in which each new name is free; a ring of names is opened by a temporary one."""
    pending = {
        have.name: (device, have.ifindex)
        for device, have in pairs
        if have is not None and have.name != device.name
    }
    occupied = set(actual.devices) - set(left) if pending else set()
    while pending:
        free = [name for name, (device, _ifindex) in pending.items() if device.name not in occupied]
        if not free:
            name, *_others = pending
            device, ifindex = pending.pop(name)
            temporary = "%s~%d" % (DEVICE_PREFIX, ifindex)
            yield RenameDevice(name, temporary, alias_of(device))
            pending[temporary] = (device, ifindex)
            occupied = occupied - {name} | {temporary}
        for name in free:
            device, _ifindex = pending.pop(name)
            yield RenameDevice(name, device.name, alias_of(device))
            occupied = occupied - {name} | {device.name}


def _plan_device(pair: _Pair, actual: Actual, stages: _Stages) -> None:
    device, have = pair
    settings = _settings(device, actual)
    parent = actual.parents[device.parent_ifindex]
    ipv6_settings: Dict[int, int] = {}
    if device.family is Family.IPV6:
        ipv6_settings = {**_DEVICE_IPV6_SETTINGS, IPV6_FORWARDING: parent.ipv6_forwarding}
    if have is None:
        stages.create.append(CreateDevice(device, settings, ipv6_settings, parent.vrf_ifindex))
    else:
        have = _plan_master(have, device, parent.vrf_ifindex, stages)
        _plan_settings(have, device, settings, stages)
        wrong = {
            key: value
            for key, value in ipv6_settings.items()
            if have.ipv6_settings.get(key, value) != value
        }
        if wrong:
            stages.settle_ipv6.append(SettleIpv6(device.name, wrong))
    mutes = device.is_quiet and device.family is Family.IPV6 and actual.can_mute
    if have is not None and mutes and not have.is_muted:
        stages.mute.append(MuteDevice(have.name))
    if have is not None and not mutes and have.is_muted:
        stages.unmute.append(UnmuteDevice(device.name))
    _plan_addresses(have, device, actual.can_mute, stages)


def _plan_master(
    have: ActualDevice, device: VirtualDevice, vrf_ifindex: int, stages: _Stages
) -> ActualDevice:
    """The device as it is after it has followed its parent into a VRF, or out of one."""
    if have.master_ifindex == vrf_ifindex:
        return have
    stages.join.append(JoinVrf(device.name, vrf_ifindex))
    return dataclasses.replace(have, addresses=only_ipv4(have.addresses))


def only_ipv4(addresses: Sequence[InterfaceAddress]) -> Tuple[InterfaceAddress, ...]:
    """What is left of them where IPv6 was switched off for a moment."""
    return tuple(address for address in addresses if len(address.address) == 4)


def _plan_settings(
    have: ActualDevice, device: VirtualDevice, settings: Mapping[int, int], stages: _Stages
) -> None:
    silent = settings[IPV4_ARP_IGNORE] == _ARP_SILENCE
    found = have.settings
    if silent and found.get(IPV4_ARP_IGNORE) != _ARP_SILENCE:
        stages.silence.append(SwitchArp(have.name, _ARP_SILENCE))
        found = {**found, IPV4_ARP_IGNORE: _ARP_SILENCE}
    # The alias comes with the new name.
    alias_is_right = have.name != device.name or have.alias == alias_of(device)
    if have.is_up and alias_is_right and found == settings:
        return
    arp_ignore = settings[IPV4_ARP_IGNORE]
    if have.is_up and alias_is_right and {**found, IPV4_ARP_IGNORE: arp_ignore} == settings:
        stages.answer.append(SwitchArp(device.name, arp_ignore))
    else:
        stages.settle.append(SettleDevice(device, settings))


def _plan_addresses(
    have: Optional[ActualDevice], device: VirtualDevice, can_mute: bool, stages: _Stages
) -> None:
    name = device.name if have is None else have.name
    held = have.addresses if have is not None else ()
    has_ipv6 = have is not None and have.has_ipv6
    wanted = device.addresses
    if device.is_quiet and device.family is Family.IPV6 and (have is None or not can_mute):
        # What cannot be kept from answering for an address must not have it.
        wanted = ()
    if has_ipv6 and not _wants_ipv6(device):
        stages.fence.append(FenceDevice(name))
        # Fencing takes the IPv6 addresses away.
        held = only_ipv4(held)
        has_ipv6 = False
    stages.remove += [RemoveAddress(name, address) for address in held if address not in wanted]
    if not has_ipv6 and _wants_ipv6(device):
        stages.unfence.append(UnfenceDevice(device.name))
    unrouted = have.unrouted if have is not None else ()
    # Its routes come back with it; it works for nobody anyway.
    again = [address for address in held if address in wanted and address in unrouted]
    stages.remove += [RemoveAddress(name, address) for address in again]
    for address in wanted:
        if address not in held or address in again:
            stages.add.append(AddAddress(device.name, address, device.lease_s))
        elif have is not None and _has_other_lease(have.lifetimes_s.get(address, 0), device):
            stages.renew.append(RenewAddress(device.name, address, device.lease_s))


def _wants_ipv6(device: VirtualDevice) -> bool:
    return device.family is Family.IPV6 and device.is_master


def _has_other_lease(lifetime_s: int, device: VirtualDevice) -> bool:
    """True when this lifetime is none that a lease in good order would have."""
    if not lifetime_s or not device.lease_s:
        return lifetime_s != device.lease_s
    return not device.lease_s <= 2 * lifetime_s <= 2 * device.lease_s


def _settings(device: VirtualDevice, actual: Actual) -> Mapping[int, int]:
    """The IPv4 sysctls of a device; it forwards if its parent does."""
    parent = actual.parents[device.parent_ifindex]
    settings = {**_DEVICE_SETTINGS, IPV4_FORWARDING: parent.forwarding}
    if Family.IPV4 not in actual.guardable and _owned(device, parent):
        settings[IPV4_ARP_IGNORE] = _ARP_ANY
    if device.is_quiet and device.family is Family.IPV4:
        settings[IPV4_ARP_IGNORE] = _ARP_SILENCE
    return shared(settings.items())


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


def _packet_filter(
    actual: Actual, desired: DesiredDataplane, pairs: Sequence[_Pair], pairs_are_all: bool
) -> Filter:
    have = actual.packet_filter
    mutes = have is not None and have.mutes and not pairs_are_all
    if not mutes and actual.can_mute:
        looked_at = [device for device, _have in pairs]
        if have is None:
            # Nothing is known of those that are not in pairs.
            looked_at = [each for each in desired.devices if each.parent_ifindex in actual.parents]
        mutes = any(device.family is Family.IPV6 for device in looked_at)
    return Filter(tuple(sorted(desired.refused)), _guards(actual, desired), mutes)


def _guards(actual: Actual, desired: DesiredDataplane) -> Tuple[Guard, ...]:
    guards = []
    if any(wanted.owns_address for wanted in desired.parents):
        for device in desired.devices:
            parent = actual.parents.get(device.parent_ifindex)
            if parent is not None and device.family in actual.guardable:
                guards += [Guard(parent.ifindex, address) for address in _owned(device, parent)]
    return tuple(sorted(guards, key=lambda guard: (guard.ifindex, guard.address)))
