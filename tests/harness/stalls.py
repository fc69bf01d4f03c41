# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control for tests that measure: was it the product that was late, or the whole machine?

A process of its own sleeps and wakes on each processor, at real-time priority and at an ordinary
one. When even it wakes late, the machine stood still (a hypervisor that took the processor away) or
had too much to do. Two things follow from it:

- A bound of a few milliseconds may be exceeded by what `late_ns` tells of the same time.
- A test that failed while the machine stood still has measured the machine. It is measured again
  from its beginning, twice at most; the summary names it. A mistake of the product fails again.

For pytest it is a plugin: a conftest.py calls `register(config)`.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

_PROGRAM = Path(__file__).with_name("wakes.py")


@dataclass(frozen=True)
class _Kind:
    """Threads that sleep for a period (a stall is seen shorter by up to that), and how late they
    are when a measurement is none."""

    period_ns: int
    stall_ns: int


REALTIME, ORDINARY = "real-time", "ordinary"
# Ordinary threads wait for their turn on a machine that works; tests and playbooks are such.
_KINDS = {REALTIME: _Kind(5_000_000, 8_000_000), ORDINARY: _Kind(20_000_000, 60_000_000)}
_MEASURED_AGAIN = 2
# What has just happened is told a moment later.
_TOLD_S = 0.03
_PROPERTY = "measured-again"


class Watch:
    """Wakes on each processor until close(), and remembers when it was late."""

    def __init__(self) -> None:
        self._late: dict[str, list[tuple[int, int]]] = {}
        self.processes: list[subprocess.Popen[str]] = []
        for kind, each in _KINDS.items():
            self._late[kind] = []
            # One process for each kind: in one, an ordinary thread could hold up the others.
            process = subprocess.Popen(
                [sys.executable, "-ISE", str(_PROGRAM), kind, str(each.period_ns)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self.processes.append(process)
            threading.Thread(target=self._read, args=(kind, process.stdout), daemon=True).start()

    def _read(self, kind: str, lines: Any) -> None:
        for line in lines:
            woke_ns, late_ns = line.split()
            self._late[kind].append((int(woke_ns), int(late_ns)))

    def late_ns(self, kind: str, since_ns: int) -> int:
        """The longest delay of a thread that has woken since then; 0 for less than can be told."""
        time.sleep(_TOLD_S)
        return max((late for woke, late in list(self._late[kind]) if woke >= since_ns), default=0)

    def stalls(self, since_ns: int) -> str:
        """What keeps a measurement since then from being one; empty when nothing does."""
        found = []
        for kind, each in _KINDS.items():
            late_ns = self.late_ns(kind, since_ns)
            if late_ns >= each.stall_ns:
                found.append("%s threads woke up to %.0f ms late" % (kind, late_ns / 1e6))
        return ", ".join(found)

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.kill()
            process.wait()


_running: list[Watch] = []


def late_ns(since_ns: int, kind: str = REALTIME) -> int:
    """How much later than it should anybody may have been since then, because of the machine.

    0 on a machine that was there all the time. since_ns: of time.monotonic_ns(). kind: the engine
    has real-time priority, the threads and processes of a test are ordinary ones.
    """
    if not _running:
        return 0
    found = _running[0].late_ns(kind, since_ns)
    return found + _KINDS[kind].period_ns if found else 0


class _Again:
    """The plugin."""

    def __init__(self) -> None:
        self._told: list[str] = []

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        # With workers (xdist), only these run tests.
        if not getattr(session.config.option, "numprocesses", None):
            _running.append(Watch())

    def pytest_sessionfinish(self) -> None:
        while _running:
            _running.pop().close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        hook, told = item.ihook, []
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for tries_left in range(_MEASURED_AGAIN, -1, -1):
            since_ns = time.monotonic_ns()
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
            broken = [report for report in reports if report.failed]
            why = _running[0].stalls(since_ns) if broken and tries_left and _running else ""
            if not why:
                break
            told.append("%s: %s (%s)" % (item.nodeid, _reason(broken[0]), why))
            _forget(item)
        for report in reports:
            if report.when == "call":
                report.user_properties += [(_PROPERTY, line) for line in told]
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._told += [str(text) for name, text in report.user_properties if name == _PROPERTY]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for line in self._told:
            terminalreporter.write_line("measured again, as the machine stood still: " + line)


def _reason(report: Any) -> str:
    """Why a test failed, in a line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    said = str(report.longrepr if crash is None else crash.message).strip()
    return said.split("\n", 1)[0]


def _forget(item: Any) -> None:
    """What the last attempt has left in a test: its fixtures' values and errors."""
    item._initrequest()
    for definitions in item._fixtureinfo.name2fixturedefs.values():
        for definition in definitions:
            if definition.cached_result is not None and definition.cached_result[2] is not None:
                definition.finish(item._request)


def register(config: pytest.Config) -> None:
    """Let a session measure again what the machine has spoilt."""
    if not config.pluginmanager.has_plugin("stalls"):
        config.pluginmanager.register(_Again(), "stalls")
