# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateways of a plan as a LAN shows them: virtual addresses and MACs, and who speaks."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..module_utils.vrrp.facts import Family
from ..module_utils.vrrp.wire.constants import virtual_mac
from .plan_files import planned_router, planned_site


@dataclass
class PlannedGateway:
    """A virtual router of the plan. routers: the real IPv4 addresses of its members; IPv6 ones
    advertise from link-local addresses, which no table has."""

    name: str
    family: str
    vrid: int
    addresses: list[str]
    routers: list[str] = field(default_factory=list)

    @property
    def virtual_mac(self) -> str:
        """Where its addresses answer."""
        return virtual_mac(Family(self.family), self.vrid).hex(":")


def planned_gateways(path: str) -> list[PlannedGateway]:
    """All of a plan that vrrp_plan made in this run. NoPlan: there is none."""
    found: dict[str, PlannedGateway] = {}
    for router in planned_site(path)["routers"]:
        planned = planned_router(path, router)
        interfaces = {each["name"]: each["addresses"] for each in planned["interfaces"]}
        for entry in json.loads(planned["config"])["virtual_routers"]:
            gateway = PlannedGateway(
                entry["name"], entry["family"], entry["vrid"], entry["addresses"]
            )
            gateway = found.setdefault(gateway.name, gateway)
            if gateway.family == Family.IPV4.value:
                gateway.routers += _ipv4(interfaces.get(entry["interface"], []))
    return list(found.values())


def _ipv4(addresses: list[str]) -> Iterator[str]:
    for text in addresses:
        address = ipaddress.ip_interface(text)
        if address.version == 4:
            yield str(address.ip)
