# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine looks like, so that a run can prove that it left nothing behind."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .environment import ROOT

# What is on its way out (a container's mounts, an interface of a namespace) may need a moment.
SETTLE_S = 30.0
KERNEL_SETTINGS = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all",
    "net/ipv4/conf/default",
    "net/ipv6/conf/all",
)
NEW_FILES = ("git", "-c", "safe.directory=*", "ls-files", "--others", "--exclude-standard")


@dataclass(frozen=True)
class Snapshot:
    """Names of the things that outlive a process."""

    things: frozenset[str]

    @classmethod
    def take(cls) -> Snapshot:
        things = {f"network namespace {name}" for name in _names("/run/netns")}
        things |= {f"interface {name}" for name in _names("/sys/class/net")}
        things |= {f"mount {line.split()[4]}" for line in _lines(Path("/proc/self/mountinfo"))}
        things |= {f"file {name}" for name in _output(*NEW_FILES)}
        things |= {f"packet filter: {line.strip()}" for line in _output("nft", "list", "tables")}
        things |= {f"kernel setting {setting}" for setting in _settings()}
        return cls(frozenset(things))

    def added_since(self) -> list[str]:
        """What is there now and was not then, after a moment for what is still going away."""
        deadline = time.monotonic() + SETTLE_S
        while True:
            added = sorted(Snapshot.take().things - self.things)
            if not added or time.monotonic() > deadline:
                return added
            time.sleep(0.2)


def _names(directory: str) -> list[str]:
    try:
        return [path.name for path in Path(directory).iterdir()]
    except FileNotFoundError:
        return []


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _output(*argv: str) -> list[str]:
    try:
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    return done.stdout.splitlines()


def _settings() -> list[str]:
    found = []
    for name in KERNEL_SETTINGS:
        path = Path("/proc/sys") / name
        for setting in sorted(path.iterdir()) if path.is_dir() else [path]:
            found += [f"{setting.relative_to('/proc/sys')} = {value}" for value in _lines(setting)]
    return found
