# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether sysctls are still as they were: of what the kernel tells no news. Layer L4.

Read from /proc: asking netlink for a link waits for the lock that whoever changes links holds.
"""

from __future__ import annotations

from typing import Mapping

from ..errors import PlatformError
from . import sysctl
from .actual import IPV4_SYSCTLS, IPV6_SYSCTLS, ActualDevice, ActualParent


def has_drifted(device: ActualDevice) -> bool:
    """True when a sysctl of this device is not what it was."""
    ipv4 = {IPV4_SYSCTLS[key]: value for key, value in device.settings.items()}
    ipv6 = {IPV6_SYSCTLS[key]: value for key, value in device.ipv6_settings.items()}
    return _differs("net/ipv4", device.name, ipv4) or _differs("net/ipv6", device.name, ipv6)


def has_parent_drifted(parent: ActualParent) -> bool:
    """The same for an interface that carries virtual routers."""
    ipv4 = {
        "arp_ignore": parent.arp_ignore,
        "arp_announce": parent.arp_announce,
        "forwarding": parent.forwarding,
    }
    return _differs("net/ipv4", parent.name, ipv4)


def _differs(family: str, link: str, values: Mapping[str, int]) -> bool:
    try:
        return any(
            sysctl.read("%s/conf/%s/%s" % (family, link, name)) != str(value)
            for name, value in values.items()
        )
    except PlatformError:
        return True  # it is gone, or has another name: a closer look tells
