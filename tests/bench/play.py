# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One round of a shape with one speaker: from a cold start to the end of the last process."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Set, Tuple

from tests.bench import figures
from tests.bench.figures import Advert, Key
from tests.bench.shapes import BACKUP, COST, HOGS, MASTER, RELOAD, STEADY, STOP, TAKEOVER, Shape
from tests.bench.speakers import SPEAKERS, Speaker, busy_ns
from tests.bench.tap import Tap
from tests.bench.wiring import Wiring

Figures = Dict[str, float]
SETTLE_S = 1.0
START_S = 90.0
TAKEOVER_S = 10.0
HOG_COUNT = 4
_LOOK_S = 0.05
_RING_SPARE = 100_000


class Failed(Exception):
    """A speaker did not do what every measurement needs; the text says what."""


@dataclass(frozen=True)
class Effort:
    """How long is measured. Windows are whole intervals of every shape."""

    cpu_s: int = 4
    steady_s: int = 5
    hogs_s: int = 12
    reload_s: int = 2
    windows: int = 9
    # Both repeat announcements, the last time 5 to 6 s after a takeover: then it is steady.
    announced_s: float = 6.6


QUICK = Effort(cpu_s=3, steady_s=3, hogs_s=5, windows=1)


class Round:
    """Both routers of a shape with a speaker of the same kind."""

    def __init__(self, shape: Shape, kind: str, directory: Path, effort: Effort) -> None:
        self.shape, self.kind, self.directory, self.effort = shape, kind, directory, effort
        self.wiring = Wiring(shape)
        self.groups: List[Key] = []
        self.speakers: Dict[str, Speaker] = {}
        self._last_index = 0
        self._master_since = 0.0

    def play(self) -> List[Figures]:
        """All figures of this round, and those of the further windows. Raises Failed."""
        with self.wiring, contextlib.ExitStack() as ending:
            indexes = self.wiring.indexes(BACKUP)
            self.groups = [(indexes[g.link], g.vrid) for g in self.shape.groups()]
            self._last_index = max(indexes.values())
            for role in (MASTER, BACKUP):
                self.speakers[role] = self._speaker(role)
                ending.callback(self.speakers[role].kill)
            try:
                return self._play()
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                said = [speaker.log() for speaker in self.speakers.values()]
                raise Failed("%s\n%s" % (error, "\n---\n".join(said))) from error

    def _play(self) -> List[Figures]:
        found = self._cold_start()
        self._bring_up_backup()
        windows = [self._look() for _n in range(min(self.shape.windows, self.effort.windows))]
        found.update(windows[0])
        if RELOAD in self.shape.experiments:
            found.update(self._reload())
        if HOGS in self.shape.experiments:
            found.update(self._under_hogs())
        if STOP in self.shape.experiments:
            found.update(self._stop())
        if TAKEOVER in self.shape.experiments:
            if STOP in self.shape.experiments:
                self._return()
            found.update(self._takeover())
        return [found, *windows[1:]]

    def _look(self) -> Figures:
        found: Figures = {}
        if COST in self.shape.experiments:
            found.update(self._processor_time())
        if STEADY in self.shape.experiments:
            found.update(self._steady())
        return found

    def _speaker(self, role: str) -> Speaker:
        namespace = self.wiring.routers[role]
        return SPEAKERS[self.kind](namespace, self.directory / role, self.shape, role)

    def _tap(self, seconds: float) -> Tap:
        frames = round(self.shape.count * seconds / self.shape.interval_s)
        return Tap(self.wiring.routers[BACKUP], self._last_index, frames + _RING_SPARE)

    def _cold_start(self) -> Figures:
        """The master alone: how long after the RFC's wait its last group is master."""
        with _Closing(self._tap(START_S)) as tap:
            started_ns = self.speakers[MASTER].start()
            first = self._wait_for_all(tap)
            self._master_since = time.monotonic()
        wait_ns = self.shape.master_down_ns(MASTER)
        return {"cold_start_ns": float(max(first.values()) - started_ns - wait_ns)}

    def _wait_for_all(self, tap: Tap) -> Dict[Key, int]:
        """Until the master has advertised every group; the times of its first adverts."""
        first: Dict[Key, int] = {}
        end = time.monotonic() + START_S
        while len(first) < len(self.groups):
            self._check_alive(time.monotonic() > end, "%d of %d groups have a master" % (
                len(first), len(self.groups)))  # fmt: skip
            time.sleep(_LOOK_S)
            for advert in tap.adverts():
                if not advert.is_own and advert.priority:
                    first.setdefault(advert.group, advert.time_ns)
        return first

    def _check_alive(self, is_late: bool, where: str) -> None:
        dead = [role for role, each in self.speakers.items() if each.has_died()]
        if dead or is_late:
            why = "router %s has ended" % dead[0] if dead else "in %d s" % START_S
            raise Failed("%s, %s:\n%s" % (where, why, self.speakers[MASTER].log()))

    def _bring_up_backup(self) -> None:
        """The other router, until it has its virtual MAC devices and nothing is announced."""
        self.speakers[BACKUP].start()
        end = time.monotonic() + START_S
        while len(self.wiring.foreign_links(BACKUP)) < self.shape.count:
            self._check_alive(time.monotonic() > end, "the backup does not come up")
            time.sleep(_LOOK_S)
        time.sleep(SETTLE_S)
        if COST in self.shape.experiments:
            time.sleep(max(0.0, self._master_since + self.effort.announced_s - time.monotonic()))

    def _processor_time(self) -> Figures:
        """Of both, for each advert that crossed; nobody else looks."""
        master, backup = self.speakers[MASTER], self.speakers[BACKUP]

        def now() -> Tuple[int, int, int, int]:
            return master.cpu_ns(), backup.cpu_ns(), busy_ns(), self.wiring.sent(MASTER)

        before, begun = now(), time.monotonic()
        time.sleep(self.effort.cpu_s)
        after, seconds = now(), time.monotonic() - begun
        spent_master, spent_backup, busy, sent = (b - a for a, b in zip(before, after))
        if not sent:
            raise Failed("the master has sent nothing")
        memory = master.memory_kib()
        return {
            "master_ns_per_advert": spent_master / sent,
            "backup_ns_per_advert": spent_backup / sent,
            "master_share": spent_master / seconds / 1e9,
            "backup_share": spent_backup / seconds / 1e9,
            "others_share": (busy - spent_master - spent_backup) / seconds / 1e9,
            **memory,
        }

    def _window(self, seconds: float) -> Tuple[List[Advert], Tuple[int, int]]:
        with _Closing(self._tap(seconds)) as tap:
            begun_ns = time.time_ns()
            time.sleep(seconds)
            ended_ns = time.time_ns()
            return tap.adverts(), (begun_ns, ended_ns)

    def _steady(self) -> Figures:
        adverts, window_ns = self._window(self.effort.steady_s)
        return figures.steady(adverts, self.groups, self.shape.interval_ns, window_ns)

    def _under_hogs(self) -> Figures:
        """The same with more processes than processors that only compute."""
        spin = [sys.executable, "-c", "while True: pass"]
        hogs = [subprocess.Popen(spin) for _number in range(HOG_COUNT)]
        try:
            adverts, window_ns = self._window(self.effort.hogs_s)
        finally:
            for hog in hogs:
                hog.kill()
                hog.wait()
        found = figures.steady(adverts, self.groups, self.shape.interval_ns, window_ns)
        return {"hogs_" + name: value for name, value in found.items()}

    def _reload(self) -> Figures:
        """One group gets an address: the longest silence of the others."""
        with _Closing(self._tap(self.effort.reload_s)) as tap:
            begun_ns = time.time_ns()
            self.speakers[MASTER].reload()
            time.sleep(self.effort.reload_s)
            window_ns = (begun_ns, time.time_ns())
            adverts = tap.adverts()
        gap_ns = figures.largest_gap_ns(adverts, self.groups[1:], window_ns)
        taken = {each.group for each in adverts if each.is_own}
        return {"reload_gap_ns": gap_ns, "reload_false_takeovers": float(len(taken))}

    def _stop(self) -> Figures:
        """The master stops in order: how long that takes, and what stays behind."""
        with _Closing(self._tap(START_S)) as tap:
            seconds = self.speakers[MASTER].stop()
            leftovers = self.wiring.leftovers(MASTER)
            time.sleep(self.shape.master_down_ns(BACKUP) / 1e9 + SETTLE_S)
            adverts = tap.adverts()
        skew_s = self.shape.skew_ns(BACKUP) / 1e9
        return {
            "stop_s": seconds,
            "stop_over_skew_s": seconds - skew_s,
            "stop_leftovers": float(leftovers),
            **figures.hand_over(adverts, self.groups),
        }

    def _return(self) -> None:
        """The master again, after its stop."""
        self.speakers[MASTER].start()
        with _Closing(self._tap(START_S)) as tap:
            self._wait_for_all(tap)
        time.sleep(self.effort.announced_s)

    def _takeover(self) -> Figures:
        """The master is killed: how much later than the RFC allows the backup advertises."""
        wait_ns = self.shape.master_down_ns(BACKUP)
        with _Closing(self._tap(TAKEOVER_S)) as tap:
            time.sleep(2 * self.shape.interval_s)  # so that each group has been heard
            killed_ns = self.speakers[MASTER].kill()
            adverts: List[Advert] = []
            end = time.monotonic() + wait_ns / 1e9 + TAKEOVER_S
            taken: Set[Key] = set()
            while len(taken) < len(self.groups) and time.monotonic() < end:
                time.sleep(_LOOK_S)
                news = tap.adverts()
                adverts += news
                taken |= {each.group for each in news if each.is_own}
        return figures.takeover(adverts, self.groups, wait_ns, killed_ns)


class _Closing:
    """A tap that is closed at the end."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap

    def __enter__(self) -> Tap:
        return self._tap

    def __exit__(self, *_error: object) -> None:
        self._tap.close()
