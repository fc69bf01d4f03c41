# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The namespaces of a measurement: two routers with one cable for each VLAN, and nothing else.

IPv6 is off there: no packet but those of VRRP and ARP crosses a cable, so an interface's counters
count advertisements, without a listener that would take time itself.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct
import time
from types import TracebackType
from typing import Dict, List, Optional, Sequence, Type

from tests.bench.shapes import BACKUP, MASTER, Shape
from tests.netns.namespaces import Namespace

PREFIX = "p"
_WATCH = "watch"
_REMOVAL_S = 120.0
_CARRIER_S = 60.0
# From linux/sockios.h and linux/ethtool.h.
_SIOCETHTOOL, _GET_LINK = 0x8946, 0x0A
_SETTINGS = (
    "net/ipv6/conf/all/disable_ipv6",
    "net/ipv6/conf/default/disable_ipv6",
    "net/ipv4/ip_forward",
)


def link_name(number: int) -> str:
    """The name of an interface, the same on both routers."""
    return PREFIX + str(number)


class Wiring:
    """Two routers of a shape. A context: at its end everything is gone, also from the kernel."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.routers: Dict[str, Namespace] = {}
        self._observer: Optional[Namespace] = None

    def __enter__(self) -> Wiring:
        try:
            self._build()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.remove()

    def _build(self) -> None:
        self._observer = Namespace("bench-o")
        for role in (MASTER, BACKUP):
            self.routers[role] = Namespace("bench-" + role)
            for setting in _SETTINGS:
                self.routers[role].sysctl(setting, "1")
        master, backup = self.routers[MASTER], self.routers[BACKUP]
        numbers = range(self.shape.links)
        names = [link_name(number) for number in numbers]
        peer = "type veth peer name %s netns " + backup.name
        master.batch(*("link add %s " % name + peer % name for name in names))
        for role, router in self.routers.items():
            self._observer.batch(
                "link add %s%s type veth peer name %s netns %s"
                % (_WATCH, role, _WATCH, router.name)
            )
            addresses = [self.shape.real_address(role, number) for number in numbers]
            lines = ["addr add %s dev %s" % each for each in zip(addresses, names)]
            router.batch(*lines, *("link set %s up" % name for name in names))
        for router in self.routers.values():
            wait_for_carriers(router, names)

    def remove(self) -> None:
        """Remove the routers and wait until the kernel has, too: it does so in the background,
        which would disturb what is measured next."""
        watched = [_WATCH + role for role in self.routers]
        for router in self.routers.values():
            router.remove()
        self.routers = {}
        if self._observer is not None:
            try:
                with self._observer.inside():
                    _wait_until_gone(watched)
            finally:
                self._observer.remove()
                self._observer = None

    def indexes(self, role: str) -> Dict[int, int]:
        """By interface number, the index of the interface on that router."""
        with self.routers[role].inside():
            found = {name: index for index, name in socket.if_nameindex()}
        return {number: found[link_name(number)] for number in range(self.shape.links)}

    def sent(self, role: str) -> int:
        """Packets that a router has sent by its interfaces."""
        total = 0
        with self.routers[role].inside(), open("/proc/thread-self/net/dev") as file:
            for line in file:
                name, colon, counters = line.partition(":")
                if colon and name.strip().startswith(PREFIX):
                    total += int(counters.split()[9])
        return total

    def foreign_links(self, role: str) -> List[str]:
        """Interfaces of a router that are not from us: virtual MAC devices."""
        with self.routers[role].inside():
            names = [name for _index, name in socket.if_nameindex()]
        return [n for n in names if n not in ("lo", _WATCH) and not _is_ours(n)]

    def leftovers(self, role: str) -> int:
        """How many interfaces and virtual addresses a router that has stopped still holds."""
        virtual = {group.address for group in self.shape.groups()}
        shown = self.routers[role].ip("-o", "-4", "addr", "show").split()
        held = sum(word.partition("/")[0] in virtual for word in shown)
        return len(self.foreign_links(role)) + held


def wait_for_carriers(router: Namespace, names: Sequence[str]) -> None:
    """Until the kernel knows that these interfaces have a carrier: before, it sends nothing by
    them, and daemons take them for down."""
    wanted, end = set(names), time.monotonic() + _CARRIER_S
    while True:
        _ask_for_carriers(router, names)
        shown = [line.split() for line in router.ip("-br", "link", "show", "up").splitlines()]
        missing = wanted - {words[0].partition("@")[0] for words in shown if words[1] == "UP"}
        if not missing:
            return
        if time.monotonic() > end:
            raise AssertionError("cables without a carrier: %s" % sorted(missing)[:3])
        time.sleep(0.1)


def _ask_for_carriers(router: Namespace, names: Sequence[str]) -> None:
    """Then a newer kernel looks at once. By itself it takes its time, 10 s for 1,000."""
    with router.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        for name in names:
            value = array.array("I", [_GET_LINK, 0])
            request = struct.pack("16sP16x", name.encode(), value.buffer_info()[0])
            fcntl.ioctl(asker, _SIOCETHTOOL, request)


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) and name[len(PREFIX) :].isdigit()


def _wait_until_gone(names: List[str]) -> None:
    """In the present namespace."""
    end = time.monotonic() + _REMOVAL_S
    while any(name in names for _index, name in socket.if_nameindex()):
        if time.monotonic() > end:
            raise AssertionError("the kernel has not removed the namespaces in %d s" % _REMOVAL_S)
        time.sleep(0.05)
