# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes of the role cost in the kernel: one virtual router, and a thousand at once."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Callable, Dict, List, Tuple

import pytest
from namespaces import Namespace, connect

from vrrp.facts import Family, InterfaceAddress
from vrrp.linux.dataplane import LinuxDataplane
from vrrp.router.desired import DesiredDataplane, ParentSettings, VirtualDevice

MANY = 1000
PER_LINK = 200
LEASE_S = 60
ROUNDS = {1: 40, MANY: 5}
# Several times what it takes on an idle machine, in ms: a process or a file for each device, or a
# square, is beyond it. A slower machine has more time (REFERENCE_MS), and the best round is judged,
# because whoever runs this does other things as well.
BOUND_MS = {
    (Family.IPV4, 1): {"take over": 2, "fall quiet": 2, "take back": 2, "release": 2, "renew": 2},
    (Family.IPV6, 1): {"take over": 2, "fall quiet": 2, "take back": 2, "release": 2, "renew": 2},
    (Family.IPV4, MANY): {
        "take over": 200, "fall quiet": 250, "take back": 250, "release": 400, "renew": 100,
    },
    # With each IPv6 address that comes or is renewed, the kernel looks at all that it has.
    (Family.IPV6, MANY): {
        "take over": 2500, "fall quiet": 250, "take back": 250, "release": 4000, "renew": 2500,
    },
}  # fmt: skip
# What the best of some rounds of ten questions to the kernel, of Python and with its lock for all
# links, takes there: the measure of a machine.
REFERENCE_MS = 0.3
REFERENCE_ROUNDS = 200


def slowness(namespace: Namespace) -> float:
    """How many times as long as there Python and the kernel need here; 1 at least."""
    taken = []
    for _round in range(REFERENCE_ROUNDS):
        begun = time.perf_counter()
        for _question in range(10):
            namespace.raise_link("lo")
        taken.append((time.perf_counter() - begun) * 1e3)
    return max(1.0, min(taken) / REFERENCE_MS)


class Fleet:
    """A data plane with very many virtual routers of one family, of which some change."""

    def __init__(self, router: Namespace, family: Family, runtime_dir: Path) -> None:
        self._router = router
        with router.inside():
            names = ["p%d" % number for number in range(MANY // PER_LINK)]
            parents = [ParentSettings(socket.if_nametoindex(name), name, False) for name in names]
            self._plane = LinuxDataplane(str(runtime_dir))
        self._parents = tuple(parents)
        self._backups = [
            _backup(family, parent, vrid) for parent in parents for vrid in range(1, PER_LINK + 1)
        ]
        self._backups.sort(key=lambda device: device.name)
        self._devices = self._backups
        self.names = [device.name for device in self._backups]
        self.apply(0)

    def apply(self, count: int, **changes: object) -> float:
        """Milliseconds that it takes the first so many of them to become so."""
        changed = [
            replace(
                device,
                addresses=_addresses(number, device.family) if changes else (),
                **changes,  # type: ignore[arg-type]
            )
            for number, device in enumerate(self._backups[:count])
        ]
        self._devices = [*changed, *self._devices[count:]]
        desired = DesiredDataplane(tuple(self._devices), self._parents)
        return self._measured(lambda: self._plane.apply(desired))

    def renew(self, count: int) -> float:
        """Milliseconds that new leases of the first so many take."""
        return self._measured(lambda: self._plane.renew(self.names[:count]))

    def _measured(self, act: Callable[[], None]) -> float:
        with self._router.inside():
            begun = time.perf_counter()
            act()
            return (time.perf_counter() - begun) * 1e3


def _backup(family: Family, parent: ParentSettings, vrid: int) -> VirtualDevice:
    kind = 1 if family is Family.IPV4 else 2
    return VirtualDevice(
        name="vg-%s-%03d" % (parent.name, vrid),
        alias="%s-%03d" % (parent.name, vrid),
        parent_ifindex=parent.ifindex,
        mac=bytes((0, 0, 0x5E, 0, kind, vrid)),
        family=family,
        is_master=False,
        addresses=(),
    )


def _addresses(number: int, family: Family) -> Tuple[InterfaceAddress, ...]:
    if family is Family.IPV4:
        return (InterfaceAddress(bytes((10, 9, number // 250, number % 250 + 1)), 32),)
    link_local = socket.inet_pton(socket.AF_INET6, "fe80::%x" % (number + 1))
    routed = socket.inet_pton(socket.AF_INET6, "2001:db8:%x::fe" % (number + 1))
    return InterfaceAddress(link_local, 64), InterfaceAddress(routed, 128)


@pytest.mark.kernel("nftables")
@pytest.mark.parametrize("family", list(Family), ids=lambda family: str(family.value))
def test_what_changes_of_the_role_cost(
    namespace: Callable[[str], Namespace], tmp_path: Path, family: Family
) -> None:
    router, other = namespace("router"), namespace("other")
    for number in range(MANY // PER_LINK):
        connect(router, "p%d" % number, other, "p%d" % number)
    fleet = Fleet(router, family, tmp_path)
    slower = slowness(other)
    print("this machine is slower by %.2f" % slower)
    for count in (1, MANY):
        taken: Dict[str, List[float]] = {}
        for _round in range(ROUNDS[count]):
            master = {"is_master": True, "lease_s": LEASE_S}
            taken.setdefault("take over", []).append(fleet.apply(count, **master))
            taken.setdefault("renew", []).append(fleet.renew(count))
            taken.setdefault("fall quiet", []).append(fleet.apply(count, **master, is_quiet=True))
            taken.setdefault("take back", []).append(fleet.apply(count, **master))
            fleet.apply(count, **master, is_quiet=True)
            taken.setdefault("release", []).append(fleet.apply(count))
        for name, figures in taken.items():
            words = (name, count, MANY, family.value, min(figures), median(figures))
            print("%s, %d of %d, %s: %.2f ms (median %.2f)" % words)
            assert min(figures) <= BOUND_MS[family, count][name] * slower
