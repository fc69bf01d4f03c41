# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A data plane in a namespace, and desired values for it in few words."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Sequence, Tuple

from namespaces import LAN, Namespace

from vrrp.facts import Family, InterfaceAddress, Repair
from vrrp.linux.dataplane import LinuxDataplane
from vrrp.router.desired import DesiredDataplane, ParentSettings, VirtualDevice

MAC4 = "00:00:5e:00:01:0a"
MAC6 = "00:00:5e:00:02:0a"
VIP4 = "10.0.0.254"
VIP6 = "2001:db8:a::254"
LINK_LOCAL_VIP = "fe80::254"


def packed(address: str) -> bytes:
    """An address in network order."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address)


def held(address: str) -> InterfaceAddress:
    """A virtual address with the prefix that the router gives it."""
    octets = packed(address)
    if len(octets) == 4:
        return InterfaceAddress(octets, 32)
    return InterfaceAddress(octets, 64 if address.startswith("fe80") else 128)


class Host:
    """The data plane of one namespace; its methods run inside of it."""

    def __init__(self, namespace: Namespace, runtime_dir: Path) -> None:
        self.namespace = namespace
        self._runtime_dir = str(runtime_dir)
        self.restart()

    def restart(self) -> None:
        """A new process that knows nothing but what is on disk and in the kernel."""
        with self.namespace.inside():
            self.dataplane = LinuxDataplane(self._runtime_dir)

    def apply(self, desired: DesiredDataplane) -> None:
        """See ports.Dataplane."""
        with self.namespace.inside():
            self.dataplane.apply(desired)
            for device in desired.devices:
                for address in device.addresses:
                    if len(address.address) == 16:
                        _wait_for_group(device.name, address.address)

    def reconcile(self) -> Tuple[Repair, ...]:
        """See ports.Dataplane."""
        with self.namespace.inside():
            return self.dataplane.reconcile()

    def cleanup(self) -> None:
        """See ports.Dataplane."""
        with self.namespace.inside():
            self.dataplane.cleanup()

    def ifindex(self, name: str) -> int:
        """The index of a link."""
        with self.namespace.inside():
            return socket.if_nametoindex(name)

    def device(
        self,
        family: Family,
        addresses: Sequence[str] = (),
        name: str = "",
        mac: str = "",
        parent: str = LAN,
    ) -> VirtualDevice:
        """The device of a virtual router: of a master when it has addresses."""
        alias = name or "lan-" + family.value
        default_mac = MAC4 if family is Family.IPV4 else MAC6
        return VirtualDevice(
            name="vg-" + alias,
            alias=alias,
            parent_ifindex=self.ifindex(parent),
            mac=bytes.fromhex((mac or default_mac).replace(":", "")),
            family=family,
            is_master=bool(addresses),
            addresses=tuple(held(address) for address in addresses),
        )

    def desired(
        self, *devices: VirtualDevice, refused: Sequence[str] = (), owner: bool = False
    ) -> DesiredDataplane:
        """These devices on LAN."""
        return DesiredDataplane(
            devices=tuple(sorted(devices, key=lambda device: device.name)),
            parents=(ParentSettings(self.ifindex(LAN), LAN, owner),) if devices else (),
            refused=tuple(sorted(packed(address) for address in refused)),
        )

    def backup(self, family: Family) -> DesiredDataplane:
        """One virtual router, backup."""
        return self.desired(self.device(family))

    def master(self, family: Family, refused: bool = False) -> DesiredDataplane:
        """One virtual router, master."""
        addresses = vips(family)
        device = self.device(family, addresses)
        return self.desired(device, refused=addresses if refused else ())


def _wait_for_group(device: str, address: bytes) -> None:
    """The kernel joins the group of a new IPv6 address by a queue, within milliseconds; until
    then no solicitation reaches it."""
    group = "ff0200000000000000000001ff" + address[-3:].hex()
    end = time.monotonic() + 2
    while True:
        with open("/proc/thread-self/net/igmp6", encoding="ascii") as file:
            if any(line.split()[1:3] == [device, group] for line in file):
                return
        assert time.monotonic() < end, "%s never joined %s" % (device, group)
        time.sleep(0.001)


def vips(family: Family) -> Tuple[str, ...]:
    """The virtual addresses of the tests."""
    return (VIP4,) if family is Family.IPV4 else (LINK_LOCAL_VIP, VIP6)
