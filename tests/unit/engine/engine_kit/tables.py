# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small VLAN tables, and what becomes of them."""

from __future__ import annotations

from vrrp.config.gateways import gateway_configs

VLAN10 = {"id": 10, "networks": ["198.18.10.0/24", "2001:db8:10::/64"]}
VLAN20 = {"id": 20, "networks": ["198.18.20.0/24"]}
PAIR = ["gw1", "gw2"]


def build(*vlans, routers=None, **defaults):
    return gateway_configs(vlans, PAIR if routers is None else routers, defaults)


def part(result, router, group):
    """What one router is told about one group."""
    (found,) = [
        each for each in result[router]["config"]["virtual_routers"] if each["name"] == group
    ]
    return found
