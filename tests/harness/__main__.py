# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``tests/run``: choose sections, run them, sum up."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import textwrap
import time
import traceback
from dataclasses import dataclass
from types import FrameType

from . import processes
from .environment import prepare, remove_scratch
from .leftovers import Snapshot
from .section import Section, Tally
from .sections import EXTRA_SECTIONS, GROUPS, SECTIONS

KNOWN = {**SECTIONS, **EXTRA_SECTIONS}


@dataclass(frozen=True)
class Line:
    """One line of the summary."""

    name: str
    tally: Tally
    seconds: float


def main() -> int:
    """Run what was asked for; 0 only when every section passed and nothing was left behind."""
    options = _parse_arguments()
    if options.list:
        for name, entry in KNOWN.items():
            print(f"{name:14}{entry.purpose}{' (root)' if entry.needs_root else ''}")
        return 0
    Section.verbose = options.verbose
    signal.signal(signal.SIGTERM, _interrupt)
    processes.adopt_orphans()
    prepare()
    before = Snapshot.take()
    lines: list[Line] = []
    interrupted = False
    try:
        for name in _chosen(options.sections):
            lines.append(_run(name))
    except KeyboardInterrupt:
        interrupted = True
        print("\ninterrupted: cleaning up", flush=True)
    lines.append(_check_leftovers(before))
    total = _report(lines)
    if interrupted:
        return 130
    return 1 if total.failed else 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/run", description=__doc__)
    parser.add_argument(
        "sections",
        nargs="*",
        metavar="SECTION",
        help="a name from --list, or check; all by default",
    )
    parser.add_argument("--list", action="store_true", help="name the sections")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show what passing commands say, too"
    )
    options = parser.parse_args()
    unknown = [name for name in options.sections if name not in KNOWN and name not in GROUPS]
    if unknown:
        parser.error(
            f"no such section: {', '.join(unknown)}; there are {', '.join([*KNOWN, *GROUPS])}"
        )
    return options


def _chosen(names: list[str]) -> list[str]:
    if not names:
        return list(SECTIONS)
    chosen = [part for name in names for part in GROUPS.get(name, (name,))]
    return list(dict.fromkeys(chosen))


def _run(name: str) -> Line:
    entry = KNOWN[name]
    section = Section(name)
    print(f"\n===== {name}: {entry.purpose}", flush=True)
    started = time.monotonic()
    if entry.needs_root and os.geteuid() != 0:
        section.require(False, f"{name} needs root and was not run")
    else:
        try:
            entry.run(section)
        except Exception as error:
            traceback.print_exc()
            section.require(False, f"{name} broke off: {error!r}")
        for pid in processes.leftovers():
            section.require(False, f"{name} left a process behind: {processes.describe(pid)}")
            processes.end_tree(pid)
    seconds = time.monotonic() - started
    print(f"===== {name}: {_counts(section.tally)} in {seconds:.0f} s", flush=True)
    return Line(name, section.tally, seconds)


def _check_leftovers(before: Snapshot) -> Line:
    started = time.monotonic()
    section = Section("nothing left")
    for pid in processes.leftovers():
        processes.end_tree(pid)
    for thing in before.added_since():
        section.require(False, f"left behind: {thing}")
    for name in remove_scratch():
        section.require(False, f"left behind in TMPDIR: {name}")
    if not section.tally.failed:
        section.require(True, "")
    return Line("nothing left", section.tally, time.monotonic() - started)


def _report(lines: list[Line]) -> Tally:
    total = Tally()
    print("\n===== summary")
    for line in lines:
        total.add(line.tally)
        mark = "FAILED" if line.tally.failed else "ok"
        print(f"{line.name:14}{mark:8}{_counts(line.tally):34}{line.seconds:6.0f} s")
    for what in total.skipped:
        print(f"skipped: {what}")
    for what in total.measured_again:
        print(f"measured again, as the machine stood still: {what}")
    for failure in total.failures:
        print(f"failed: {failure.what}")
        print(textwrap.indent(failure.detail, "    "))
    print(f"\n{total.passed} passed, {total.failed} failed", flush=True)
    return total


def _counts(tally: Tally) -> str:
    skipped = f", {len(tally.skipped)} skipped" if tally.skipped else ""
    return f"{tally.passed} passed, {tally.failed} failed{skipped}"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
