# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the commands of one section and counts what passed.

A command counts as one check; pytest and ansible-test count by the test, from their JUnit files.
What a command says goes to a file, and is shown when it failed: a long run ends with its failures.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple
from xml.etree import ElementTree

from . import processes
from .environment import LOGS, ROOT, scratch

# What a shell answers for a command that is not there.
NOT_STARTED = 127
# Lines of a failed command that are shown at once, and of each failure at the end of the run.
SHOWN_LINES = 120
REPEATED_LINES = 25


class Failure(NamedTuple):
    """What failed, and the last of what it said."""

    what: str
    detail: str = ""


@dataclass
class Tally:
    """What a section has seen so far."""

    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)
    # What the machine had spoilt, so that it was measured again; see stalls.py.
    measured_again: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.measured_again += other.measured_again
        self.failures += other.failures

    def fail(self, what: str, detail: str = "") -> None:
        self.failed += 1
        self.failures.append(Failure(what, _last_lines(detail, REPEATED_LINES)))


class Section:
    """One heading of the report. No method raises for a failed check."""

    # Let commands say what they say to whoever runs the tests, in place of a file.
    verbose = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.tally = Tally()
        self._log = LOGS / f"{name}.log"

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
            self.tally.fail(f"{title}: {_explain(status)}", self._said())
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
            seen.fail(f"{title}: no test ran ({_explain(status)})", self._said())
        elif status != 0 and not seen.failed:
            seen.fail(f"{title}: {_explain(status)}", self._said())
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
            with self._output(title) as output, subprocess.Popen(
                argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            ) as process:
                try:
                    status = process.wait(timeout_s)
                except subprocess.TimeoutExpired:
                    status = None
                    processes.end_tree(process.pid)
        except OSError as error:
            print(f"!!! {error}", flush=True)
        finally:
            _make_blocking()
        said = self._said() if status != 0 else ""
        if said:
            print(_last_lines(said, SHOWN_LINES))
            print(f"    the last lines of {self._log}")
        print(f"    {title}: {_explain(status)}, {time.monotonic() - started:.1f} s", flush=True)
        return status

    @contextmanager
    def _output(self, title: str) -> Iterator[BinaryIO | None]:
        """Where a command writes to; None: where we do."""
        if self.verbose:
            yield None
            return
        LOGS.mkdir(parents=True, exist_ok=True)
        self._log = LOGS / f"{self.name}-{re.sub(r'[^a-z0-9.]+', '-', title.lower())}.log"
        with self._log.open("wb") as output:
            yield output

    def _said(self) -> str:
        """By the last command."""
        if self.verbose or not self._log.exists():
            return ""
        return self._log.read_text(errors="replace")


def _make_blocking() -> None:
    """Undo what a command did to the output it shares with the next: Ansible refuses such a one."""
    for descriptor in (1, 2):
        os.set_blocking(descriptor, True)


def _last_lines(text: str, count: int) -> str:
    return "\n".join(text.rstrip().splitlines()[-count:])


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
        properties = case.iterfind("properties/property[@name='measured-again']")
        tally.measured_again += [f"{title}: {each.get('value')}" for each in properties]
        skipped = case.find("skipped")
        broken = [found for kind in ("failure", "error") for found in case.findall(kind)]
        if broken:
            tally.fail(
                name, "\n".join(found.text or found.get("message") or "" for found in broken)
            )
        elif skipped is not None:
            tally.skipped.append(f"{name} ({skipped.get('message', '')})")
        else:
            tally.passed += 1
    return tally
