# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the device of a virtual router is called in the kernel. Layer L2."""

from __future__ import annotations

# Ours alone: the data plane finds its devices by this beginning (and by their link group).
DEVICE_PREFIX = "vg-"
# Linux: IFNAMSIZ is 16 and counts the final zero.
MAXIMUM_DEVICE_NAME = 15
MAXIMUM_ROUTER_NAME = MAXIMUM_DEVICE_NAME - len(DEVICE_PREFIX)


def device_name(router_name: str) -> str:
    """Name of the device that carries the virtual MAC of the virtual router with that name."""
    return DEVICE_PREFIX + router_name
