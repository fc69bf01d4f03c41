# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon that was held up, and one whose master was, tell so before anybody takes over."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable, List, Tuple

from daemons import Daemon
from floods import V4, Sender, frame
from namespaces import Namespace

INTERVAL_S = 0.5
MS = 1_000_000
# Between two intervals, which are told of, and three, when others take over.
HELD_UP_S = 1.3
ROUTERS = ("v4", "v6")


def told(daemon: Daemon) -> List[str]:
    return [line for line in daemon.log().splitlines() if "passed between two" in line]


def command(program: Path, tmp_path: Path, *words: str) -> str:
    """What the command line says of the daemon."""
    argv = [str(program), *words, "--runtime-dir", str(tmp_path / "run")]
    return subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_a_daemon_that_was_held_up_says_how_long(
    start: Callable[..., Daemon], program: Path, tmp_path: Path
) -> None:
    daemon = start(interval_cs=round(INTERVAL_S * 100))
    daemon.wait_for_state(v4="master", v6="master", old="master")
    time.sleep(2 * INTERVAL_S)
    os.kill(daemon.process.pid, signal.SIGSTOP)
    time.sleep(HELD_UP_S)
    os.kill(daemon.process.pid, signal.SIGCONT)
    daemon.wait_for(lambda shown: bool(told(daemon)), "the warning")
    shown = daemon.show()
    latest = shown["engine"]["lateness"]["longest"]["duration_ns"]
    assert (HELD_UP_S - INTERVAL_S) * 1000 < latest / MS < (HELD_UP_S + INTERVAL_S) * 1000
    for name in ROUTERS:
        router = daemon.router(name)
        assert router["state"] == "master"
        assert 2 * INTERVAL_S < router["gaps"]["sent"]["duration_ns"] / MS / 1000 < 4 * INTERVAL_S
        assert router["counters"]["gaps-sent"] == 1
        assert "of its own" in command(program, tmp_path, "why", name)
    assert daemon.router("old")["counters"].get("gaps-sent") is None, "its interval is longer"
    (line,) = told(daemon)
    assert "warning" in line and "(and 1 more)" in line
    metrics = command(program, tmp_path, "metrics").splitlines()
    assert 'vlangate_vrrp_gaps_sent_total{name="v4"} 1' in metrics
    assert daemon.stop() == 0


def test_a_backup_tells_that_its_master_was_almost_taken_for_dead(
    start: Callable[..., Daemon], lan: Tuple[Namespace, Namespace]
) -> None:
    daemon = start(interval_cs=round(INTERVAL_S * 100))
    sender = Sender(lan[1], "eth0")
    advert = V4.but(priority=200, interval=round(INTERVAL_S * 100))
    octets = frame(advert.octets(), b"")
    try:
        sent_s = []
        for pause_s in (0, *[INTERVAL_S] * 5, HELD_UP_S, INTERVAL_S):
            time.sleep(pause_s)
            sender.send(octets)
            sent_s.append(time.monotonic())
    finally:
        sender.close()
    (line,) = told(daemon)
    assert "warning" in line and "10.0.0.66; it is taken for dead after" in line
    router = daemon.router("v4")
    assert router["state"] == "backup"
    assert router["counters"]["gaps-heard"] == 1
    gap_s = router["gaps"]["heard"]["duration_ns"] / MS / 1000
    longest_s = max(after - before for before, after in zip(sent_s, sent_s[1:]))
    assert longest_s - 0.1 < gap_s < longest_s + 0.2
    assert router["gaps"]["sent"] is None
    assert daemon.stop() == 0
