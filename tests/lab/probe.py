# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A precise prober: 1,000 echo requests a second to each target, and what was lost of them.

    python3 probe.py TARGET...        (root, inside a network namespace; IPv4 and IPv6 addresses)

Probes are sent on an absolute schedule, all targets in the same millisecond. It answers each line
on its standard input with a line of JSON on its standard output, and ends with its input:

    loss FROM_NS TO_NS    figures for the probes sent in that time (monotonic clock), per target
    steady                per target, the seconds for which every probe has been answered
    late                  by how much we were behind the schedule at worst, since last asked

It is the prober of the module vrrp_probe; what is lost, and what is an outage, is told there.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Dict, List

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))

from module_utils.outages import UNDER_WAY_NS, Probes
from module_utils.probe_echo import Echo, Schedule, ask_for_realtime

PERIOD_NS = 1_000_000
NS_PER_MS = 1_000_000


def loss(probes: Probes, start_ns: int, stop_ns: int) -> Dict[str, object]:
    """Figures for the probes that were sent in a time."""
    first, end = probes.span(start_ns, min(stop_ns, time.monotonic_ns() - UNDER_WAY_NS))
    outages = probes.outages(first, end)
    return {
        "sent": end - first,
        "lost": probes.lost(first, end),
        "outages": len(outages),
        "longest_ms": max((each.seconds * 1000 for each in outages), default=0.0),
    }


def answer(line: str, targets: List[Echo], schedule: Schedule) -> Dict[str, object]:
    """What a line on the standard input asks for."""
    word, *numbers = line.split()
    if word == "steady":
        now_ns = time.monotonic_ns()
        return {target.address: target.probes.steady_seconds(now_ns) for target in targets}
    if word == "late":
        late_ms, schedule.latest_ns = schedule.latest_ns / NS_PER_MS, 0
        return {"late_ms": late_ms}
    start_ns, stop_ns = int(numbers[0]), int(numbers[1])
    return {target.address: loss(target.probes, start_ns, stop_ns) for target in targets}


def main(addresses: List[str]) -> None:
    targets = [Echo(address) for address in addresses]
    ask_for_realtime()
    schedule = Schedule(time.monotonic_ns(), PERIOD_NS)
    pending = b""
    os.set_blocking(0, False)
    while True:
        time.sleep(schedule.wait_s(time.monotonic_ns()))
        now_ns = time.monotonic_ns()
        for target in targets:
            target.drain(now_ns)
            target.send(now_ns)
        schedule.advance(now_ns)
        if select.select([0], [], [], 0)[0]:
            data = os.read(0, 4096)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                print(json.dumps(answer(line.decode(), targets, schedule)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
