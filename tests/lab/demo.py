# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: a site from one table, proof of who is master, and a drill under traffic.

Every line of the drill has a verdict; the demo fails when one bound is broken or one step fails.
"""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Tuple

from .control import Lab
from .measure import (
    Loss,
    Prober,
    answering_macs,
    first_hop,
    groups,
    master_down_interval_ns,
    skew_time_ns,
    unsettled,
)
from .shell import REPOSITORY, LabError, Progress, run, wait_for
from .topology import CONTROLLER, STATION_HOST, UPLINK_NETWORK, vlan_network

INVENTORY = "tests/lab/site/inventory.yml"
SETTLE_SECONDS = 180
# The prober has to see this much of undisturbed traffic before a drill, and after it.
STEADY_SECONDS = 1.0
# Nobody promised more of a crash than the RFC does: that, and a tenth for the switch-over.
UNPLANNED_TOLERANCE = 1.1
# An outage is measured between probes: one period of theirs is uncertain at each end. For as long
# as the machine held up the prober, it has held up the routers, too.
RESOLUTION_MS = 2.0
# A prober this late has seen less than it says.
LATE_MS = 20.0
MENDING = "while it is mended (worst)"
NS_PER_MS = 1_000_000
JOURNAL_LINES = "40"


def demo(lab: Lab, progress: Progress) -> int:
    """Show everything in a lab that is up; returns the exit status."""
    try:
        _roll_out(lab, progress)
        failures = _show_groups(lab, progress) + _show_reachability(lab, progress)
        failures += _Drill(lab, progress).run()
    except LabError:
        _show_journals(lab)
        raise
    if failures:
        _show_journals(lab)
        print("\nFAILED:\n" + "\n".join("  " + failure for failure in failures))
        return 1
    print("\nEverything held. %.0f s in all." % progress.seconds())
    return 0


def _roll_out(lab: Lab, progress: Progress) -> None:
    progress("rolling out: ansible-playbook -i %s playbooks/site.yml" % INVENTORY)
    _play(lab, "site")
    progress("asking again who is master: playbooks/verify.yml")
    _play(lab, "verify")
    progress("the same roll-out again: nothing may change")
    changed = re.findall(r"^(\S+) .*changed=([1-9]\d*)", _play(lab, "site"), re.MULTILINE)
    if changed:
        raise LabError("the second roll-out changed something: %s" % dict(changed))
    progress("changed=0 on every router")


def _play(lab: Lab, playbook: str) -> str:
    """Run a playbook from the controller as a user would, showing what it says."""
    argv = ["ansible-playbook", "-i", INVENTORY, "playbooks/%s.yml" % playbook]
    child = subprocess.Popen(
        lab.enter_command(CONTROLLER, argv), cwd=str(REPOSITORY), env=lab.environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    said = []
    assert child.stdout is not None
    with child:
        try:
            for line in child.stdout:
                said.append(line)
                if line.strip():
                    print("    " + line.rstrip(), flush=True)
        except BaseException:
            child.kill()  # nobody waits for a play that nobody will see
            raise
    if child.returncode != 0:
        raise LabError("playbooks/%s.yml failed (%d)" % (playbook, child.returncode))
    return "".join(said)


def _show_groups(lab: Lab, progress: Progress) -> List[str]:
    """The table of groups, with the MAC addresses that really answer; returns what is wrong."""
    wait_for(lambda: not unsettled(lab), SETTLE_SECONDS, "a master and a backup of every group")
    progress("who is master, and who answers (asked from a host on the LAN):")
    form = "    %-10s %-18s %-18s %-7s %-18s %s"
    print(form % ("group", "virtual address", "virtual MAC", "master", "answering MAC", ""))
    failures = []
    for group in groups(lab).values():
        macs = answering_macs(lab, group)
        good = macs == [group.virtual_mac]
        print(form % (group.name, group.address, group.virtual_mac, group.masters[0],
                      " ".join(macs) or "none", _verdict(good)))  # fmt: skip
        if not good:
            failures.append("%s is answered for by %s" % (group.address, macs or "nobody"))
    return failures


def _show_reachability(lab: Lab, progress: Progress) -> List[str]:
    """Every host reaches every other and the ISP, over both families."""
    progress("who reaches whom:")
    failures = []
    for vlan in lab.spec.vlans:
        targets = [vlan_network(other) for other in lab.spec.vlans if other != vlan]
        for network in [*targets, UPLINK_NETWORK]:
            for version in (4, 6):
                address = network.address(version, STATION_HOST)
                station = "h%d" % vlan
                command = lab.enter_command(station, ["ping", "-qc3", "-i0.2", "-W5", address])
                good = "3 received" in run(command, check=False)
                via = first_hop(lab, station, address) if good else "?"
                print("    %-4s -> %-18s by way of %-5s %s"
                      % (station, address, via, _verdict(good)))  # fmt: skip
                if not good:
                    failures.append("%s does not reach %s" % (station, address))
    return failures


@dataclass(frozen=True)
class _Fault:
    """Something that happens to the master of a group, how it is mended, and what it may cost."""

    title: str
    group: str
    strike: Callable[[Lab, str], None]
    mend: Callable[[Lab, str], None]
    bound_ns: Callable[[Mapping[str, Any]], int]
    tolerance: float = 1.0


FAULTS = (
    _Fault(
        "link cut: %s, master of VLAN 10, loses its cable there", "vlan10-v4",
        lambda lab, router: lab.link_cut(router, "vlan10"),
        lambda lab, router: lab.link_restore(router, "vlan10"),
        master_down_interval_ns, UNPLANNED_TOLERANCE,
    ),
    _Fault(
        "crash: the power of %s, master of VLAN 20, is cut", "vlan20-v4",
        lambda lab, router: lab.power_cut(router),
        lambda lab, router: lab.power_on(router),
        master_down_interval_ns, UNPLANNED_TOLERANCE,
    ),
    _Fault(
        "planned reboot of %s, master of VLAN 10", "vlan10-v4",
        lambda lab, router: lab.reboot(router, wait=False),
        lambda lab, router: lab.wait_until_rebooted(router),
        skew_time_ns,
    ),
)  # fmt: skip


class _Drill:
    """Faults under traffic from h10, each with its loss beside the bound."""

    def __init__(self, lab: Lab, progress: Progress) -> None:
        self._lab, self._progress = lab, progress
        self._failures: List[str] = []
        self._paths = {
            network.address(version, STATION_HOST): "h10 > %s, IPv%d" % (name, version)
            for name, network in (("h20", vlan_network(20)), ("isp", UPLINK_NETWORK))
            for version in (4, 6)
        }

    def run(self) -> List[str]:
        """All faults, one after the other; returns the broken bounds."""
        self._progress("the drill: from h10, 1,000 probes a second on each of %d paths"
                       % len(self._paths))  # fmt: skip
        with Prober(self._lab, "h10", list(self._paths)) as prober:
            self._settle(prober)
            intended = self._masters()
            for number, fault in enumerate(FAULTS, 1):
                self._suffer(number, fault, prober)
            self._return(intended, prober)
        return self._failures

    def _suffer(self, number: int, fault: _Fault, prober: Prober) -> None:
        """One fault, from peace to peace."""
        lab = self._lab
        group = groups(lab)[fault.group]
        master, backup = group.masters[0], group.backups[0]
        drill = "drill %d" % number
        self._progress("%s, %s" % (drill, fault.title % master))
        before = self._hops(fault)
        prober.late_ms()
        start_ns = time.monotonic_ns()
        fault.strike(lab, master)
        wait_for(lambda: self._masters().get(group.name) == backup, SETTLE_SECONDS,
                 "%s to be the only master of %s" % (backup, group.name), 0.1)  # fmt: skip
        self._steady(prober)
        stop_ns = time.monotonic_ns()
        bound_ms = fault.bound_ns(group.reports[backup]) * fault.tolerance / NS_PER_MS
        self._report(drill, prober.loss(start_ns, stop_ns), bound_ms, prober.late_ms())
        self._show_hops(drill, before, self._hops(fault), (master, backup))
        fault.mend(lab, master)
        self._settle(prober)
        # Whoever comes back must not hurt: it is as planned as a good-bye.
        bound_ms = skew_time_ns(group.reports[backup]) / NS_PER_MS
        loss = prober.loss(stop_ns, time.monotonic_ns())
        self._report(drill, {MENDING: _worst(loss)}, bound_ms, prober.late_ms())

    def _return(self, intended: Dict[str, str], prober: Prober) -> None:
        """After their preempt delay, the preferred routers take their roles back."""
        self._progress("waiting for the preferred masters (they wait 15 s, to be sure)")
        start_ns = time.monotonic_ns()
        wait_for(lambda: self._masters() == intended, SETTLE_SECONDS,
                 "the preferred masters to be back", 0.2)  # fmt: skip
        self._settle(prober)
        loss = prober.loss(start_ns, time.monotonic_ns())
        reports = [g.reports[backup] for g in groups(self._lab).values() for backup in g.backups]
        bound_ms = max(map(skew_time_ns, reports)) / NS_PER_MS
        self._report("return", loss, bound_ms, prober.late_ms())

    def _masters(self) -> Dict[str, str]:
        return {name: " ".join(group.masters) for name, group in groups(self._lab).items()}

    def _settle(self, prober: Prober) -> None:
        """Wait until every group has a master and a backup, and nothing is lost any more."""
        wait_for(lambda: not unsettled(self._lab), SETTLE_SECONDS, "all groups to settle", 0.2)
        self._steady(prober)

    def _steady(self, prober: Prober) -> None:
        """Watch for a while from now on, and then until nothing was lost for that long."""
        enough = time.monotonic() + STEADY_SECONDS

        def is_steady() -> bool:
            return time.monotonic() >= enough and prober.steady_seconds() >= STEADY_SECONDS

        wait_for(is_steady, SETTLE_SECONDS, "traffic without loss", 0.1)

    def _hops(self, fault: _Fault) -> Dict[str, str]:
        """The real router behind the gateway of the group's VLAN, by family."""
        here, there = (10, 20) if fault.group.startswith("vlan10") else (20, 10)
        station, far = "h%d" % here, vlan_network(there)
        return {
            "IPv%d" % version: first_hop(self._lab, station, far.address(version, STATION_HOST))
            for version in (4, 6)
        }

    def _show_hops(
        self, drill: str, before: Dict[str, str], after: Dict[str, str], expected: Tuple[str, str]
    ) -> None:
        for family in before:
            hops = before[family], after[family]
            good = hops == expected
            print("    %-26s first hop %s before, %s after  %s"
                  % ("traceroute, " + family, *hops, _verdict(good)))  # fmt: skip
            if not good:
                self._failures.append("%s, %s: first hop %s, then %s" % (drill, family, *hops))

    def _report(self, drill: str, losses: Dict[str, Loss], bound_ms: float, late_ms: float) -> None:
        """One line for each path, with its verdict."""
        if late_ms > LATE_MS:
            print("    (the prober itself was up to %.0f ms late: a busy machine)" % late_ms)
        for address, loss in losses.items():
            path = self._paths.get(address, address)
            good = loss.longest_ms <= bound_ms + RESOLUTION_MS + late_ms
            print("    %-26s lost %5d of %5d, longest outage %6.0f ms, bound %5.0f ms  %s"
                  % (path, loss.lost, loss.sent, loss.longest_ms, bound_ms,
                     _verdict(good)))  # fmt: skip
            if not good:
                self._failures.append("%s, %s: outage of %.0f ms, bound %.0f ms"
                                      % (drill, path, loss.longest_ms, bound_ms))  # fmt: skip


def _worst(losses: Mapping[str, Loss]) -> Loss:
    return max(losses.values(), key=lambda loss: loss.longest_ms)


def _verdict(good: bool) -> str:
    return "ok" if good else "FAILED"


def _show_journals(lab: Lab) -> None:
    """The last words of the engines, for whoever has to find out."""
    for router in lab.spec.routers:
        argv = ["journalctl", "-qn", JOURNAL_LINES, "--no-pager", "-o", "short-precise"]
        print("\n--- journal of %s" % router)
        try:
            print(lab.execute(router, argv))
        except LabError as error:
            print(error)
