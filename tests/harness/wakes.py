# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sleeps and wakes on each processor, and prints each delay: when it was over and how long, in ns.

python3 wakes.py real-time|ordinary PERIOD_NS     ends with its standard input; see stalls.py
"""

from __future__ import annotations

import os
import sys
import threading
import time

# Only threads of the kernel have a higher one; the engine has up to 50.
PRIORITY = 70
# What is told at all.
NOTED_NS = 2_000_000


def wake(processor: int, is_realtime: bool, period_ns: int) -> None:
    """For ever, on one processor."""
    os.sched_setaffinity(0, {processor})
    if is_realtime:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
        except PermissionError:
            pass  # where nobody gets real time, the engine does not either
    while True:
        due_ns = time.monotonic_ns() + period_ns
        time.sleep(period_ns / 1e9)
        woke_ns = time.monotonic_ns()
        if woke_ns - due_ns >= NOTED_NS:
            os.write(1, b"%d %d\n" % (woke_ns, woke_ns - due_ns))


def main(kind: str, period: str) -> None:
    for processor in os.sched_getaffinity(0):
        arguments = (processor, kind == "real-time", int(period))
        threading.Thread(target=wake, args=arguments, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
