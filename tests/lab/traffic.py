# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic that goes on while somebody else does something to the lab, and what of it was lost.

`begin` leaves a process behind that probes other hosts from one host; `end` ends it and tells. The
process ends with the lab, too, for its probes do.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from ipaddress import ip_interface
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .control import Lab
from .measure import Prober
from .shell import REPOSITORY, LabError, Process, identify, is_alive, wait_for
from .shell import end as end_process
from .topology import ISP

MODULE = "tests.lab.traffic"
# This much without loss comes first, and last, where it comes at all.
STEADY_S = 1.0
SETTLE_S = 180.0
# Some more than what the process waits for.
END_S = SETTLE_S + 20
# Each path costs 1,000 probes a second.
MOST_STATIONS = 3


def default_path(lab: Lab) -> Tuple[str, ...]:
    """From the first host to some others and to the ISP."""
    return (*(lab.spec.steady or tuple(lab.spec.hosts))[:MOST_STATIONS], ISP)


def begin(lab: Lab, station: str, *others: str) -> None:
    """Probe the other hosts from one, until `end`; returns when nothing has been lost for a while.

    Raises LabError when it never is.
    """
    if _process(lab) is not None:
        raise LabError("there is traffic already; `traffic end` ends it")
    for name in (_process_file(lab), _report_file(lab)):
        name.unlink(missing_ok=True)
    with open(lab.directory / "traffic.log", "wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", MODULE, lab.spec.prefix, station, *others],
            cwd=str(REPOSITORY), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    wait_for(lambda: _process(lab) or child.poll() is not None, END_S, "traffic without loss")
    if child.poll() is not None:
        raise LabError("there is no traffic: %s" % _log(lab))


def end(lab: Lab, at_most: Optional[int]) -> int:
    """End it and print what each path has lost; 1 when one of them lost more than at_most."""
    process = _process(lab)
    if process is None:
        raise LabError("there is no traffic (any more): %s" % _log(lab))
    end_process(process, signal.SIGTERM, END_S)
    try:
        report = json.loads(_report_file(lab).read_text())
    except FileNotFoundError:
        raise LabError("the traffic was not counted: %s" % _log(lab)) from None
    print(table(report, at_most))
    return int(at_most is not None and any(path["lost"] > at_most for path in report["paths"]))


def table(report: Dict[str, Any], at_most: Optional[int]) -> str:
    """A line for each path."""
    lines = [
        "%-14s %-26s lost %d of %d, longest outage %.0f ms%s"
        % (path["name"], path["address"], path["lost"], path["sent"], path["longest_ms"],
           "" if at_most is None or path["lost"] <= at_most else "  MORE THAN %d" % at_most)
        for path in report["paths"]
    ]  # fmt: skip
    return "\n".join(lines + ["the prober was at most %.0f ms late" % report["late_ms"]])


def _addresses(lab: Lab, station: str, others: Sequence[str]) -> Dict[str, str]:
    """What is probed: address -> path."""
    unknown = {station, *others} - set(lab.spec.stations)
    if unknown or not others:
        raise LabError("traffic needs two or more of %s" % ", ".join(lab.spec.stations))
    network = lab.spec.stations[station]
    families = {ip_interface(address).version for address in network.station}
    return {
        str(ip_interface(address).ip): "%s > %s" % (station, other)
        for other in others
        for address in lab.spec.stations[other].station
        if ip_interface(address).version in families
    }


def _probe(lab: Lab, station: str, others: Sequence[str]) -> None:
    """The process that is left behind."""
    # Blocked, not handled: a signal must not come between a question to the prober and its answer.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    paths = _addresses(lab, station, others)
    with Prober(lab, station, list(paths)) as prober:
        _steady(prober)
        start_ns = time.monotonic_ns()
        prober.late_ms()
        _process_file(lab).write_text(json.dumps(identify(os.getpid())))
        while signal.sigtimedwait({signal.SIGTERM}, 1) is None:
            prober.steady_seconds()  # raises when the lab is gone
        stop_ns = time.monotonic_ns()
        try:
            _steady(prober)  # what is under way arrives, and an outage shows its whole length
        except LabError:
            pass  # it lasts: the figures tell
        losses = prober.loss(start_ns, stop_ns)
        found = [dict(asdict(losses[address]), name=paths[address], address=address)
                 for address in paths]  # fmt: skip
        report = {"paths": found, "late_ms": prober.late_ms()}
    _report_file(lab).write_text(json.dumps(report))


def _steady(prober: Prober) -> None:
    since = time.monotonic()

    def is_steady() -> bool:
        seen = time.monotonic() - since
        return seen >= STEADY_S and prober.steady_seconds() >= STEADY_S

    wait_for(is_steady, SETTLE_S, "traffic without loss", 0.1)


def _process(lab: Lab) -> Optional[Process]:
    """The process that probes, if there is one."""
    try:
        pid, started = json.loads(_process_file(lab).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return (pid, started) if is_alive((pid, started)) else None


def _process_file(lab: Lab) -> Path:
    return lab.directory / "traffic.process"


def _report_file(lab: Lab) -> Path:
    return lab.directory / "traffic.json"


def _log(lab: Lab) -> str:
    try:
        return (lab.directory / "traffic.log").read_text().strip()[-1000:] or "it said nothing"
    except FileNotFoundError:
        return "none was begun"


def main(arguments: List[str]) -> int:
    prefix, station, *others = arguments
    try:
        _probe(Lab.standing(prefix), station, others)
    except LabError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
