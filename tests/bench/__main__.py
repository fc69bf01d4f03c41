# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: every number of docs/performance.md, in one run on this machine.

    python -m tests.bench [--quick] [--shapes NAME,...] [--rounds N] [--seed N] [--write]

What was measured is in build/bench/run.json after each round, so an interrupted run is not lost;
--render FILE makes the page from such a file. --write writes docs/performance.{md,svg,json}.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from tests.bench import forwarding, page, play
from tests.bench.goals import FORWARDING, shape_title
from tests.bench.shapes import KEEPALIVED, NOBODY, OURS, SHAPES
from tests.bench.speakers import SYSTEM_PYTHON, prepare
from tests.lab.shell import (
    REPOSITORY,
    LabError,
    Progress,
    complain,
    require_root,
    run,
    terminate_as_interrupt,
)

RESULT = REPOSITORY / "build" / "bench" / "run.json"
PAGE = REPOSITORY / "docs" / "performance.md"
FORWARDING_ROUNDS = {False: 5, True: 1}


class Turn(NamedTuple):
    """One round of one shape with one speaker."""

    shape: str
    speaker: str


class Bench:
    """A run: its order, its samples and what failed."""

    def __init__(self, options: argparse.Namespace, directory: Path) -> None:
        self._options, self._directory = options, directory
        self._effort = play.QUICK if options.quick else play.Effort()
        self._progress = Progress()
        self._given_up: List[Turn] = []
        self.record: Dict[str, Any] = {"samples": {}, "failures": []}

    def run(self) -> None:
        """All rounds."""
        keepalived = prepare(self._directory / "release", self._progress)
        turns = self._order()
        self.record.update(_surroundings(keepalived))
        self.record.update(command=_command(self._options), quick=self._options.quick)
        self.record["order"] = "%d rounds at random, seed %d" % (len(turns), self._options.seed)
        self._progress("order: " + ", ".join("%s %s" % turn for turn in turns))
        for number, turn in enumerate(turns):
            self._play(number, turn)
            RESULT.parent.mkdir(parents=True, exist_ok=True)
            RESULT.write_text(json.dumps(self.record, indent=1) + "\n")
        self._progress("done: %d failures" % len(self.record["failures"]))

    def _order(self) -> List[Turn]:
        """Round by round, each with its shapes at random and both speakers in random turn."""
        chance = random.Random(self._options.seed)
        counts = {name: self._rounds(name) for name in self._options.shapes}
        found = []
        for number in range(max(counts.values(), default=0)):
            names = [name for name, count in counts.items() if count > number]
            chance.shuffle(names)
            for name in names:
                speakers = [OURS, KEEPALIVED] + [NOBODY] * (name == FORWARDING)
                chance.shuffle(speakers)
                found += [Turn(name, speaker) for speaker in speakers]
        return found

    def _rounds(self, name: str) -> int:
        quick = self._options.quick
        if name == FORWARDING:
            return self._options.rounds or FORWARDING_ROUNDS[quick]
        shape = SHAPES[name]
        default = shape.quick_rounds if quick else shape.rounds
        return min(default, self._options.rounds) if self._options.rounds else default

    def _play(self, number: int, turn: Turn) -> None:
        if turn in self._given_up:
            return
        self._progress("%d: %s, %s" % (number + 1, shape_title(turn.shape), turn.speaker))
        repeats = 1 if turn.shape == FORWARDING else SHAPES[turn.shape].repeats
        for repeat in range(repeats):
            directory = self._directory / ("%d-%d" % (number, repeat))
            try:
                for found in self._measure(turn, directory):
                    self._add(turn, found)
            except (play.Failed, AssertionError) as error:
                self._progress("  failed: %s" % error)
                first = str(error).splitlines()[0]
                words = "%s, %s: %s" % (shape_title(turn.shape), turn.speaker, first)
                self.record["failures"].append(words)
                if not self.record["samples"].get(turn.shape, {}).get(turn.speaker):
                    self._given_up.append(turn)  # it never came up; it will not do so later
                return
            finally:
                shutil.rmtree(directory, ignore_errors=True)

    def _measure(self, turn: Turn, directory: Path) -> List[play.Figures]:
        if turn.shape == FORWARDING:
            found = [forwarding.cost_ns(turn.speaker, directory)]
        else:
            found = play.Round(SHAPES[turn.shape], turn.speaker, directory, self._effort).play()
        self._progress("  " + ", ".join("%s %.4g" % each for each in sorted(found[0].items())))
        return found

    def _add(self, turn: Turn, found: play.Figures) -> None:
        speakers = self.record["samples"].setdefault(turn.shape, {})
        known = {name: value for name, value in found.items() if not math.isnan(value)}
        speakers.setdefault(turn.speaker, []).append(known)


def _surroundings(keepalived: str) -> Dict[str, str]:
    commit = run(["git", "-c", "safe.directory=*", "-C", str(REPOSITORY), "describe", "--always",
                  "--dirty=, with changes"])  # fmt: skip
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    python = run([SYSTEM_PYTHON, "--version"]).split()[1] if os.path.exists(SYSTEM_PYTHON) else ""
    return {
        "commit": commit.strip(),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": "%d processors (%s), %d GiB of memory" % (
            os.cpu_count() or 0, model.group(1) if model else platform.machine(),
            int(memory.group(1)) >> 20 if memory else 0),
        "kernel": platform.release(),
        "versions": "Python %s, keepalived %s" % (
            python or platform.python_version(), keepalived),
        "load": "%.1f processes of others when it began (mean of a minute)" % os.getloadavg()[0],
    }  # fmt: skip


def _command(options: argparse.Namespace) -> str:
    words = ["make bench"] + ["QUICK=1"] * options.quick
    if options.shapes != [*SHAPES, FORWARDING]:
        words.append("SHAPES=" + ",".join(options.shapes))
    if options.rounds:
        words.append("ROUNDS=%d" % options.rounds)
    return "`%s SEED=%d`" % (" ".join(words), options.seed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests.bench", description=__doc__.split("\n", maxsplit=1)[0]
    )
    parser.add_argument("--quick", action="store_true", help="few small shapes, short windows")
    names = [*SHAPES, FORWARDING]
    parser.add_argument("--shapes", default=names, type=lambda text: text.split(","))
    parser.add_argument("--rounds", type=int, help="at most so many of each shape")
    parser.add_argument("--seed", type=int, default=random.randrange(10000), help="of the order")
    parser.add_argument("--write", action="store_true", help="write docs/performance.*")
    parser.add_argument("--render", type=Path, metavar="FILE", help="measure nothing")
    options = parser.parse_args()
    unknown = sorted(set(options.shapes) - set(names))
    if unknown:
        parser.error("no such shape: %s; there are %s" % (", ".join(unknown), ", ".join(names)))
    return options


def main() -> int:
    """0 when everything was measured, whatever the figures are."""
    options = _arguments()
    if options.render:
        record = json.loads(options.render.read_text())
    else:
        terminate_as_interrupt()
        record = _measured(options)
    print(page.render(record))
    if options.write:
        PAGE.write_text(page.render(record))
        PAGE.with_suffix(".svg").write_text(page.picture(record))
        PAGE.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    ours = [words for words in record["failures"] if ", %s: " % OURS in words]
    return 1 if ours else 0


def _measured(options: argparse.Namespace) -> Dict[str, Any]:
    require_root()
    # What daemons write while they run is in memory on a router, too.
    memory = "/dev/shm" if os.path.ismount("/dev/shm") else None
    directory = Path(tempfile.mkdtemp(prefix="vgt-bench-", dir=memory))
    bench = Bench(options, directory)
    try:
        bench.run()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return bench.record


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        complain(error)
        sys.exit(1)
    except KeyboardInterrupt:
        complain(KeyboardInterrupt("interrupted; build/bench/run.json has what was measured"))
        sys.exit(130)
