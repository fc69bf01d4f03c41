# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is built for a measurement: how many virtual routers, on which interfaces, how often they
advertise, and what is looked at there. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import List, Tuple

ONE_INTERFACE, VLANS = "one interface", "VLANs"
FIRST_VRID, VRIDS = 1, 255
MASTER, BACKUP = "a", "b"
# Who is measured.
OURS, KEEPALIVED, NOBODY = "vlangate", "keepalived", "no daemon"
PRIORITIES = {MASTER: 200, BACKUP: 100}
HOST_NUMBERS = {MASTER: 252, BACKUP: 253}
# What may be looked at in a shape, beside its cold start.
COST, STEADY, STOP, TAKEOVER, RELOAD, HOGS = "cost", "steady", "stop", "takeover", "reload", "hogs"


@dataclass(frozen=True)
class Group:
    """One virtual router: the number of its interface, its VRID and its virtual address."""

    link: int
    vrid: int
    address: str


@dataclass(frozen=True)
class Shape:
    """rounds: how often it is measured in a whole run, and in a quick one (0: not there).
    repeats: how often a round plays it."""

    name: str
    layout: str
    count: int
    interval_s: float
    experiments: Tuple[str, ...]
    rounds: int = 5
    quick_rounds: int = 0
    repeats: int = 1
    windows: int = 1

    @property
    def title(self) -> str:
        """As the page names it."""
        where = "on one interface" if self.layout == ONE_INTERFACE else "VLANs"
        return "%d %s @ %g s" % (self.count, where, self.interval_s)

    @property
    def interval_ns(self) -> int:
        """Advertisement_Interval."""
        return round(self.interval_s * 1e9)

    @property
    def interval_cs(self) -> int:
        """The same, as it is configured."""
        return round(self.interval_s * 100)

    @property
    def links(self) -> int:
        """Interfaces of a router."""
        return 1 if self.layout == ONE_INTERFACE else self.count

    def skew_ns(self, role: str) -> int:
        """RFC 9568 section 6.1: Skew_Time."""
        return (256 - PRIORITIES[role]) * self.interval_ns // 256

    def master_down_ns(self, role: str) -> int:
        """RFC 9568 section 6.1: what a router waits for before it takes over."""
        return 3 * self.interval_ns + self.skew_ns(role)

    def groups(self) -> List[Group]:
        """All virtual routers."""
        found = []
        for number in range(self.count):
            if self.layout == ONE_INTERFACE:
                address = str(self._network(0)[256 + number])
                found.append(Group(0, FIRST_VRID + number, address))
            else:
                vrid = FIRST_VRID + number % VRIDS
                found.append(Group(number, vrid, str(self._network(number)[254])))
        return found

    def real_address(self, role: str, link: int) -> str:
        """Of a router at one of its interfaces, with the length of the prefix."""
        network = self._network(link)
        host = HOST_NUMBERS[role] + (0xFF00 if self.layout == ONE_INTERFACE else 0)
        return "%s/%d" % (network[host], network.prefixlen)

    def _network(self, link: int) -> ipaddress.IPv4Network:
        if self.layout == ONE_INTERFACE:
            return ipaddress.IPv4Network("10.0.0.0/16")
        return ipaddress.IPv4Network((int(ipaddress.IPv4Address("10.64.0.0")) + (link << 8), 24))


_ALWAYS = (COST, STEADY, STOP)
SHAPES = {
    shape.name: shape
    for shape in (
        Shape("one-1", ONE_INTERFACE, 1, 0.1, (TAKEOVER,), quick_rounds=1, repeats=6),
        Shape("one-250-fast", ONE_INTERFACE, 250, 0.1, (*_ALWAYS, TAKEOVER, RELOAD, HOGS), 5, 1),
        Shape("one-250", ONE_INTERFACE, 250, 1.0, _ALWAYS),
        Shape("vlans-1000-fast", VLANS, 1000, 0.1, (*_ALWAYS, TAKEOVER, RELOAD)),
        Shape("vlans-30", VLANS, 30, 1.0, (COST,), 1, 1, windows=5),
        Shape("vlans-250", VLANS, 250, 1.0, (COST,), 1, windows=5),
        Shape("vlans-1000", VLANS, 1000, 1.0, (COST, TAKEOVER), 1, windows=5),
        Shape("vlans-4000", VLANS, 4000, 1.0, (COST, STEADY), 1, windows=5),
    )
}
