# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many simulated histories over all processors, until one breaks a promise.

Needs nothing but Python. Prints a line now and then with the rate: histories in a second, and how
much faster than real time each processor is.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Iterator, List, Optional, Set, Tuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "plugins" / "module_utils"))

from vrrp.sim.run import headline, replay_command, run_history  # noqa: E402  (needs the path)
from vrrp.units import NS_PER_S  # noqa: E402

# Histories that a process runs before it answers.
BATCH = 50
TELL_EACH_S = 10.0

# How many were run, their virtual seconds, and the report of one that failed.
Answer = Tuple[int, float, List[str]]


def run_batch(first: int, count: int, commit: str) -> Answer:
    """Run one batch, up to the first history that breaks a promise."""
    virtual_s = 0.0
    for seed in range(first, first + count):
        history = run_history(seed)
        virtual_s += history.virtual_ns / NS_PER_S
        if history.violations:
            end = (headline(history, commit), "replay: " + replay_command(seed))
            return seed + 1 - first, virtual_s, [*history.violations, *end]
    return count, virtual_s, []


class Run:
    """Hands out batches and sums up."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._started_s = self._told_s = time.monotonic()
        self._histories = 0
        self._virtual_s = 0.0

    def finish(self) -> Optional[List[str]]:
        """All batches; the report of a failed history, or None."""
        options = self._options
        batches = self._batches()
        running: Set[Future] = set()
        with ProcessPoolExecutor(options.jobs) as pool:
            while True:
                for first, count in batches:
                    running.add(pool.submit(run_batch, first, count, options.commit))
                    if len(running) >= 2 * options.jobs:
                        break
                if not running:
                    return None
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    failure = self._take(future.result())
                    if failure:
                        for other in running:
                            other.cancel()
                        return failure

    def tell(self) -> None:
        """One line."""
        wall_s = max(time.monotonic() - self._started_s, 1e-9)
        print(
            "%d of %d histories in %.0f s: %.1f/s, %.0f times real time on each of %d processors"
            % (
                self._histories,
                self._options.count,
                wall_s,
                self._histories / wall_s,
                self._virtual_s / wall_s / self._options.jobs,
                self._options.jobs,
            ),
            flush=True,
        )

    def _batches(self) -> Iterator[Tuple[int, int]]:
        end = self._options.seed + self._options.count
        for first in range(self._options.seed, end, BATCH):
            yield first, min(BATCH, end - first)

    def _take(self, answer: Answer) -> List[str]:
        histories, virtual_s, failure = answer
        self._histories += histories
        self._virtual_s += virtual_s
        if time.monotonic() - self._told_s >= TELL_EACH_S:
            self._told_s = time.monotonic()
            self.tell()
        return failure


def main() -> int:
    """Exit status 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the first history")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--commit", default="?", help="of the source, to print")
    options = parser.parse_args()
    print("seeds from %d, commit=%s" % (options.seed, options.commit), flush=True)
    run = Run(options)
    failure = run.finish()
    run.tell()
    if failure:
        print("\n".join(failure))
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
