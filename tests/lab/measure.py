# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be measured in a standing lab: groups, answers, ways and loss."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Type

from .control import Lab
from .shell import LabError, run
from .topology import STATION_DEVICE, Network

PROBE = Path(__file__).with_name("probe.py")
LOOK = Path(__file__).with_name("look.py")
ISOLATED = [sys.executable, "-ISE"]
NS_PER_CS = 10_000_000


@dataclass(frozen=True)
class Group:
    """A gateway group, as the routers of the lab report it by `vlangate show --json`."""

    name: str
    reports: Dict[str, Dict[str, Any]]

    @property
    def masters(self) -> List[str]:
        return self._in_state("master")

    @property
    def backups(self) -> List[str]:
        return self._in_state("backup")

    @property
    def virtual_mac(self) -> str:
        return str(self._any["virtual_mac"])

    @property
    def interface(self) -> str:
        return str(self._any["interface"])

    @property
    def address(self) -> str:
        """The address that hosts use; an IPv6 group has its link-local one before it."""
        return str(self._any["addresses"][-1])

    @property
    def _any(self) -> Dict[str, Any]:
        return next(iter(self.reports.values()))

    def _in_state(self, state: str) -> List[str]:
        return [router for router, report in self.reports.items() if report["state"] == state]


def groups(lab: Lab) -> Dict[str, Group]:
    """All groups by name, as told by the routers that can be asked."""
    reports: Dict[str, Dict[str, Dict[str, Any]]] = {}
    for router in lab.spec.routers:
        for report in _reports(lab, router):
            reports.setdefault(report["name"], {})[router] = report
    return {name: Group(name, reports[name]) for name in sorted(reports)}


def _reports(lab: Lab, router: str) -> List[Dict[str, Any]]:
    try:
        return list(json.loads(lab.execute(router, ["vlangate", "show", "--json"]))["routers"])
    except (LabError, ValueError):
        return []  # the router is off, or its engine is not there yet


def unsettled(lab: Lab) -> List[str]:
    """Names of the groups without exactly one master and a backup on each other router."""
    others = len(lab.spec.routers) - 1
    found = groups(lab).values()
    wrong = [g.name for g in found if len(g.masters) != 1 or len(g.backups) != others]
    return wrong if found else ["(no group at all)"]


def skew_time_ns(report: Mapping[str, Any]) -> int:
    """RFC 9568 §6.1, VRRPv3: how long this backup waits after the master has said good-bye."""
    interval_ns = int(report["master_adver_interval_cs"]) * NS_PER_CS
    return (256 - int(report["effective_priority"])) * interval_ns // 256


def master_down_interval_ns(report: Mapping[str, Any]) -> int:
    """RFC 9568 §6.1: three intervals and the skew, from the last advertisement on."""
    return 3 * int(report["master_adver_interval_cs"]) * NS_PER_CS + skew_time_ns(report)


def answering_macs(lab: Lab, group: Group) -> List[str]:
    """Which MAC addresses answer for a group's address, asked by the station on its LAN."""
    stations = lab.spec.stations.items()
    station = next(name for name, network in stations if network.name == group.interface)
    return list(_look(lab, station, "answers", STATION_DEVICE, group.address))


def first_hop(lab: Lab, station: str, address: str) -> str:
    """The real router that a packet from a station meets first, by name."""
    hop: Optional[str] = _look(lab, station, "trace", address)[0]
    network = lab.spec.stations[station]
    assert isinstance(network, Network)
    for router in lab.spec.routers:
        host = lab.spec.router_host(router)
        if hop in (network.address(4, host), network.address(6, host)):
            return router
    return hop or "nobody"


def _look(lab: Lab, station: str, *arguments: str) -> Any:
    argv = [*ISOLATED, str(LOOK), *arguments]
    return json.loads(run(lab.enter_command(station, argv)))


@dataclass(frozen=True)
class Loss:
    """What one target lost in a time."""

    sent: int
    lost: int
    outages: int
    longest_ms: float


class Prober:
    """The prober of a station, at work from `with` to the end of the block."""

    def __init__(self, lab: Lab, station: str, addresses: List[str]) -> None:
        self._command = lab.enter_command(station, [*ISOLATED, str(PROBE), *addresses])
        self.addresses = addresses

    def __enter__(self) -> Prober:
        self._child = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._child.kill()
        self._child.communicate()

    def steady_seconds(self) -> float:
        """For how long every target has answered every probe."""
        return float(min(self._ask("steady").values()))

    def loss(self, start_ns: int, stop_ns: int) -> Dict[str, Loss]:
        """The loss of each target in a time of the monotonic clock."""
        figures = self._ask("loss %d %d" % (start_ns, stop_ns))
        return {address: Loss(**figures[address]) for address in self.addresses}

    def late_ms(self) -> float:
        """By how much the prober itself was late at worst, since this was last asked."""
        return float(self._ask("late")["late_ms"])

    def _ask(self, question: str) -> Dict[str, Any]:
        assert self._child.stdin is not None and self._child.stdout is not None
        try:
            self._child.stdin.write(question + "\n")
            self._child.stdin.flush()
            return dict(json.loads(self._child.stdout.readline()))
        except (BrokenPipeError, ValueError):
            raise LabError("the prober has ended") from None
