# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the commands of one section and counts what passed.

A command counts as one check; pytest and ansible-test count by the test, from their JUnit files.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from . import processes
from .environment import ROOT, scratch

# What a shell answers for a command that is not there.
NOT_STARTED = 127


@dataclass
class Tally:
    """What a section has seen so far."""

    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures

    def fail(self, what: str) -> None:
        self.failed += 1
        self.failures.append(what)


class Section:
    """One heading of the report. No method raises for a failed check."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tally = Tally()

    def command(
        self,
        title: str,
        argv: Sequence[str],
        *,
        cwd: Path = ROOT,
        env: Mapping[str, str] | None = None,
        timeout_s: int = 900,
    ) -> bool:
        """Run one command; its exit status is the check."""
        status = self._execute(title, argv, cwd, env, timeout_s)
        if status == 0:
            self.tally.passed += 1
        else:
            self.tally.fail(f"{title}: {_explain(status)}")
        return status == 0

    def pytest(
        self,
        title: str,
        python: str,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout_s: int = 900,
    ) -> bool:
        """Run pytest under ``python``; every test counts."""
        report = scratch() / f"junit-{self.name}-{time.monotonic_ns()}.xml"
        argv = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        # Short, because tests make sockets there, and their paths end at 107 characters.
        argv += [f"--basetemp={scratch() / 'pytest'}", *arguments]
        status = self._execute(title, argv, ROOT, env, timeout_s)
        return self.junit(title, status, [report])

    def junit(self, title: str, status: int | None, reports: Sequence[Path]) -> bool:
        """Count the tests in ``reports``; a bad exit status that they do not explain fails too."""
        seen = Tally()
        for report in reports:
            if report.exists():
                seen.add(_read_junit(title, report))
                report.unlink()
        if not seen.passed + seen.failed:
            seen.fail(f"{title}: no test ran ({_explain(status)})")
        elif status != 0 and not seen.failed:
            seen.fail(f"{title}: {_explain(status)}")
        self.tally.add(seen)
        return seen.failed == 0

    def require(self, condition: bool, problem: str) -> bool:
        """Count one check that needs no command."""
        if condition:
            self.tally.passed += 1
        else:
            print(f"!!! {problem}", flush=True)
            self.tally.fail(problem)
        return condition

    def _execute(
        self,
        title: str,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str] | None,
        timeout_s: int,
    ) -> int | None:
        """The exit status, or None when the time was up."""
        print(f"--- {title}", flush=True)
        started = time.monotonic()
        status: int | None = NOT_STARTED
        try:
            with subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL) as process:
                try:
                    status = process.wait(timeout_s)
                except subprocess.TimeoutExpired:
                    status = None
                    processes.end_tree(process.pid)
        except OSError as error:
            print(f"!!! {error}", flush=True)
        finally:
            _make_blocking()
        print(f"    {title}: {_explain(status)}, {time.monotonic() - started:.1f} s", flush=True)
        return status


def _make_blocking() -> None:
    """Undo what a command did to the output it shares with the next: Ansible refuses such a one."""
    for descriptor in (1, 2):
        os.set_blocking(descriptor, True)


def _explain(status: int | None) -> str:
    if status is None:
        return "its time was up"
    return "ok" if status == 0 else f"exit status {status}"


def _read_junit(title: str, report: Path) -> Tally:
    tally = Tally()
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except ElementTree.ParseError as error:
        tally.fail(f"{title}: unreadable report ({error})")
        return tally
    for case in cases:
        name = f"{title}: {case.get('classname', '')}::{case.get('name', '')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.fail(name)
        elif skipped is not None:
            tally.skipped.append(f"{name} ({skipped.get('message', '')})")
        else:
            tally.passed += 1
    return tally
