# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A seed is the same history on every Python that is here, whatever its hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.harness import environment  # noqa: E402  (needs the path above)

PROGRAM = """
from vrrp.sim.run import run_history
print([run_history(seed).digest for seed in range(5)])
"""
# The oldest Python that the engine runs on manages no targets any more, but may be here.
VERSIONS = ("3.8", *environment.TARGET_PYTHONS)


def digests(python: str, hash_seed: int) -> str:
    env = dict(os.environ, PYTHONHASHSEED=str(hash_seed))
    env["PYTHONPATH"] = str(ROOT / "plugins" / "module_utils")
    done = subprocess.run(
        [python, "-c", PROGRAM], env=env, stdout=subprocess.PIPE, text=True, check=True, timeout=900
    )
    return done.stdout


def test_every_python_tells_the_same_histories() -> None:
    found = environment.pythons(VERSIONS)
    here = digests(sys.executable, 0)
    assert here.count(",") == 4
    for number, python in enumerate([sys.executable, *found.values()], start=1):
        assert digests(python, number) == here, python
    print("the same histories on", ", ".join(found))
