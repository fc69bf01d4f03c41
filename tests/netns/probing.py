# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""1,000 echo requests a second from a host to each of some addresses: the prober of the lab."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict

from namespaces import Namespace

_PROBE = Path(__file__).resolve().parents[1] / "lab" / "probe.py"
_PATIENCE_S = 60.0
# Answers that are under way are not judged yet.
_SETTLE_S = 0.15


class Prober:
    """Runs until close(); asked by times of the monotonic clock."""

    def __init__(self, host: Namespace, *targets: str) -> None:
        words = [sys.executable, "-ISE", str(_PROBE), *targets]
        with host.inside():
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        self._begun_ns = time.monotonic_ns()

    def wait_until_steady(self, seconds: float = 0.3) -> None:
        """Until every probe has been answered for so long."""
        end = time.monotonic() + _PATIENCE_S
        while True:
            steady = self._ask("steady")
            if min(steady.values()) >= seconds:
                return
            assert time.monotonic() < end, "never steady: %s" % steady
            time.sleep(0.05)

    def begin(self) -> None:
        """Count from here."""
        self._begun_ns = time.monotonic_ns()

    def lost(self) -> Dict[str, int]:
        """How many probes since begin() were never answered, by target."""
        end_ns = time.monotonic_ns()
        time.sleep(_SETTLE_S)
        figures = self._ask("loss %d %d" % (self._begun_ns, end_ns))
        assert all(each["sent"] for each in figures.values()), "nothing was sent: %s" % figures
        return {target: each["lost"] for target, each in figures.items()}

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _ask(self, question: str) -> Dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the prober has ended"
        found: Dict[str, Any] = json.loads(answer)
        return found
