# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that plan.py plans and dataplane.py takes, as values. Layer L4. Pure.

As text each is one line for people. A device goes by the name that it has when its step comes.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Mapping, Tuple, Union

from ..facts import InterfaceAddress
from ..router.desired import VirtualDevice
from .constants import ALIAS_PREFIX


def alias_of(device: VirtualDevice) -> str:
    """The name of a device for people."""
    return ALIAS_PREFIX + device.alias


@dataclass(frozen=True)
class Guard:
    """An owned address: the parent must not speak of it with its own MAC."""

    ifindex: int
    address: bytes


@dataclass(frozen=True)
class Filter:
    """What the packet filter has to do: see nftables.py. Both tuples are sorted.

    mutes: it drops the neighbour advertisements that the kernel sends on devices that are mute.
    """

    refused: Tuple[bytes, ...] = ()
    guards: Tuple[Guard, ...] = ()
    mutes: bool = False


NO_FILTER = Filter()


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
        words = ["refuse %s" % text_of(address) for address in self.packet_filter.refused]
        words += [
            "guard %s on link %d" % (text_of(guard.address), guard.ifindex)
            for guard in self.packet_filter.guards
        ]
        if self.packet_filter.mutes:
            words.append("mute who is to be mute")
        return "filter: %s" % (", ".join(words) or "nothing")


@dataclass(frozen=True)
class CreateDevice:
    """Make a device, settled and up, but fenced. vrf_ifindex: what it is to be a port of, or 0.

    settings, ipv6_settings: the sysctls that it has to have, by number.
    """

    device: VirtualDevice
    settings: Mapping[int, int]
    ipv6_settings: Mapping[int, int]
    vrf_ifindex: int = 0

    def __str__(self) -> str:
        device = self.device
        vrf = " in vrf %d" % self.vrf_ifindex if self.vrf_ifindex else ""
        return "create %s on link %d%s, mac %s, alias %s" % (
            device.name,
            device.parent_ifindex,
            vrf,
            device.mac.hex(":"),
            alias_of(device),
        )


@dataclass(frozen=True)
class SettleDevice:
    """Put alias and IPv4 sysctls of a device right, and raise it."""

    device: VirtualDevice
    settings: Mapping[int, int]

    def __str__(self) -> str:
        return "settle %s" % self.device.name


@dataclass(frozen=True)
class SettleIpv6:
    """Put IPv6 sysctls of a device right."""

    name: str
    settings: Mapping[int, int]

    def __str__(self) -> str:
        return "settle IPv6 of %s" % self.name


@dataclass(frozen=True)
class SwitchArp:
    """Let a device answer ARP for its addresses, or for none."""

    name: str
    arp_ignore: int

    def __str__(self) -> str:
        return "arp_ignore %d for %s" % (self.arp_ignore, self.name)


@dataclass(frozen=True)
class MuteDevice:
    """Keep the kernel from sending neighbour advertisements on a device."""

    name: str

    def __str__(self) -> str:
        return "mute %s" % self.name


@dataclass(frozen=True)
class UnmuteDevice:
    """Let it send them again."""

    name: str

    def __str__(self) -> str:
        return "unmute %s" % self.name


@dataclass(frozen=True)
class RenameDevice:
    """Another name for a device, which goes on working meanwhile."""

    name: str
    new_name: str
    alias: str

    def __str__(self) -> str:
        return "rename %s to %s" % (self.name, self.new_name)


@dataclass(frozen=True)
class JoinVrf:
    """Make a device a port of its parent's VRF, 0: of none; the kernel drops its IPv6 addresses."""

    name: str
    vrf_ifindex: int

    def __str__(self) -> str:
        if not self.vrf_ifindex:
            return "take %s out of its master" % self.name
        return "put %s into vrf %d" % (self.name, self.vrf_ifindex)


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
    """A virtual address for a device; lease_s as in VirtualDevice."""

    name: str
    address: InterfaceAddress
    lease_s: int = 0

    def __str__(self) -> str:
        lease = " for %d s" % self.lease_s if self.lease_s else ""
        return "add %s to %s%s" % (text_with_prefix(self.address), self.name, lease)


@dataclass(frozen=True)
class RenewAddress:
    """Another lease for an address that is there."""

    name: str
    address: InterfaceAddress
    lease_s: int

    def __str__(self) -> str:
        lease = "for %d s" % self.lease_s if self.lease_s else "for ever"
        return "renew %s on %s %s" % (text_with_prefix(self.address), self.name, lease)


@dataclass(frozen=True)
class RemoveAddress:
    """A device loses an address."""

    name: str
    address: InterfaceAddress

    def __str__(self) -> str:
        return "remove %s from %s" % (text_with_prefix(self.address), self.name)


Step = Union[
    SetParent,
    ReleaseParent,
    SetFilter,
    CreateDevice,
    SettleDevice,
    SettleIpv6,
    SwitchArp,
    MuteDevice,
    UnmuteDevice,
    RenameDevice,
    JoinVrf,
    DeleteDevice,
    FenceDevice,
    UnfenceDevice,
    AddAddress,
    RenewAddress,
    RemoveAddress,
]


def device_of(step: Step) -> str:
    """The name of the device that a step is about; empty when it is about none."""
    if isinstance(step, (CreateDevice, SettleDevice)):
        return step.device.name
    if isinstance(step, (SetParent, ReleaseParent, SetFilter)):
        return ""
    if isinstance(step, RenameDevice):
        return step.new_name
    return step.name


def text_of(address: bytes) -> str:
    """An address as people write it."""
    family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, address)


def text_with_prefix(address: InterfaceAddress) -> str:
    """An address with the length of its prefix."""
    return "%s/%d" % (text_of(address.address), address.prefix_length)
