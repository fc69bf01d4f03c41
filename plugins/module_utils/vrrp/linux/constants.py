# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What marks a thing in the kernel as ours. Layer L4."""

from __future__ import annotations

# One number for all our devices, so that one request deletes them all: taking macvlans away one by
# one waits for a grace period each (12-20 ms). "vrrp" in ASCII, which nobody takes by chance.
LINK_GROUP = 0x76727270
# Where devices go that are about to be deleted together while others stay.
LEAVING_LINK_GROUP = LINK_GROUP + 1
# `ip link` shows it, so whoever finds the device knows whom to ask.
ALIAS_PREFIX = "vlangate:"
# Our own nftables tables, in the families inet and arp.
TABLE_NAME = "vlangate"
# In the runtime directory: what the sysctls were before us.
SYSCTL_FILE_NAME = "sysctls.json"


def is_ours(group: int) -> bool:
    """True for a device that only we can have made, whatever somebody has renamed it to."""
    return group in (LINK_GROUP, LEAVING_LINK_GROUP)
