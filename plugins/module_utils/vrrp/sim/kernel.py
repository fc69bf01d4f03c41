# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's kernel holds, with or without a daemon. Layer L4.

Devices, and addresses that expire, as linux/dataplane.py leaves them: what is there stays untouched
by an apply, its lifetime included. All times are of the host's clock.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Dict, Iterable, List, Optional, Tuple

from ..facts import InterfaceAddress
from ..router.desired import DesiredDataplane, VirtualDevice
from ..units import NS_PER_S

# The interface below a device, and its virtual MAC: what it is called does not matter.
Identity = Tuple[int, bytes]


def identity(device: VirtualDevice) -> Identity:
    """Which device this is, whatever its name."""
    return device.parent_ifindex, device.mac


class SimKernel:
    """Devices with the virtual addresses that they have now."""

    def __init__(self) -> None:
        self._devices: Dict[Identity, VirtualDevice] = {}
        # When an address goes; those that stay for ever are not in it.
        self._ends_ns: Dict[Tuple[Identity, InterfaceAddress], int] = {}

    @property
    def devices(self) -> Tuple[VirtualDevice, ...]:
        """All of them."""
        return tuple(self._devices.values())

    def device(self, which: Identity) -> Optional[VirtualDevice]:
        """One of them; None when it does not exist."""
        return self._devices.get(which)

    def next_end_ns(self) -> Optional[int]:
        """When the next address goes, if none is renewed."""
        return min(self._ends_ns.values(), default=None)

    def apply(self, desired: DesiredDataplane, now_ns: int) -> None:
        """Hold this and nothing else."""
        self._hold(desired.devices, now_ns)

    def apply_half(self, desired: DesiredDataplane, chance: random.Random, now_ns: int) -> None:
        """Each device becomes as desired, or stays as it was."""
        after = {identity(device): device for device in desired.devices}
        mixed = (
            (after if chance.random() < 0.5 else self._devices).get(which)
            for which in sorted({*self._devices, *after})
        )
        self._hold([device for device in mixed if device is not None], now_ns)

    def renew(self, names: Iterable[str], desired: DesiredDataplane, now_ns: int) -> None:
        """The leases of these devices begin anew; addresses that are missing are put back."""
        for device in desired.devices:
            if device.name in names and identity(device) in self._devices:
                self._devices[identity(device)] = device
                for address in device.addresses:
                    self._lease(device, address, now_ns)

    def missing(self, desired: DesiredDataplane) -> List[Tuple[VirtualDevice, InterfaceAddress]]:
        """Addresses that should be here and are not."""
        found = []
        for device in desired.devices:
            held = self._devices.get(identity(device))
            for address in device.addresses:
                if held is None or address not in held.addresses:
                    found.append((device, address))
        return found

    def expire(self, lifetime_s: int, now_ns: int) -> None:
        """Whatever is held goes so soon, if it is not renewed."""
        end_ns = now_ns + lifetime_s * NS_PER_S
        for which, device in self._devices.items():
            for address in device.addresses:
                key = (which, address)
                self._ends_ns[key] = min(end_ns, self._ends_ns.get(key, end_ns))

    def remove_addresses(self, which: Identity) -> bool:
        """All of one device; whether it had any."""
        device = self._devices.get(which)
        if device is None or not device.addresses:
            return False
        for address in device.addresses:
            self._ends_ns.pop((which, address), None)
        self._devices[which] = replace(device, addresses=())
        return True

    def pass_time(self, now_ns: int) -> bool:
        """Addresses go whose end has come; whether there were any."""
        gone = [key for key, end_ns in self._ends_ns.items() if end_ns <= now_ns]
        for which, address in gone:
            device = self._devices[which]
            kept = tuple(each for each in device.addresses if each != address)
            self._devices[which] = replace(device, addresses=kept)
            del self._ends_ns[which, address]
        return bool(gone)

    def _hold(self, devices: Iterable[VirtualDevice], now_ns: int) -> None:
        before = self._devices
        self._devices = {identity(device): device for device in devices}
        for which, device in self._devices.items():
            held = before[which].addresses if which in before else ()
            for address in device.addresses:
                if address not in held:
                    self._lease(device, address, now_ns)
        for which, address in list(self._ends_ns):
            kept = self._devices.get(which)
            if kept is None or address not in kept.addresses:
                del self._ends_ns[which, address]

    def _lease(self, device: VirtualDevice, address: InterfaceAddress, now_ns: int) -> None:
        key = (identity(device), address)
        if device.lease_s:
            self._ends_ns[key] = now_ns + device.lease_s * NS_PER_S
        else:
            self._ends_ns.pop(key, None)
