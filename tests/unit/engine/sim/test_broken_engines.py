# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every broken engine is noticed: by a checker of the simulator, or by the unit test it names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from broken_engines import BROKEN_ENGINES

from vrrp.sim.run import run_history

ROOT = Path(__file__).resolve().parents[4]
TESTS = ROOT / "tests" / "unit" / "engine"
# Seeds that a broken engine may survive. The worst one needs about a tenth of it.
SEEDS = 100
# To fall over a mistake in how it was broken is not to be caught.
FALLS, FELL = "falls when it is told to stop", "the engine fell"


def by_checker(name):
    """Which seed and what was seen; "" when nothing was."""
    with BROKEN_ENGINES[name].apply():
        for seed in range(SEEDS):
            seen = [
                each for each in run_history(seed).violations if name == FALLS or FELL not in each
            ]
            if seen:
                return "seed %d: %s" % (seed, seen[0])
    return ""


def by_unit_test(name, test):
    """The test, when it fails with the broken engine; "" when it does not."""
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "broken_engines"]
    here = [str(Path(__file__).parent), str(ROOT / "plugins" / "module_utils")]
    env = dict(os.environ, BROKEN_ENGINE=name, PYTHONPATH=os.pathsep.join(here))
    done = subprocess.run(
        [*argv, str(TESTS / test)],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        timeout=900,
        check=False,
    )
    # 1: tests ran and some failed. Anything else is a mistake in the test of the tests.
    return test if done.returncode == 1 else ""


def test_every_broken_engine_is_caught():
    escaped = []
    for name, engine in BROKEN_ENGINES.items():
        if engine.caught_by:
            caught = by_unit_test(name, engine.caught_by)
        else:
            caught = by_checker(name)
        print("%-58s %s" % (name, caught or "NOT CAUGHT"))
        if not caught:
            escaped.append(name)
    assert not escaped
    assert len(BROKEN_ENGINES) >= 20


@pytest.mark.parametrize(
    "test", sorted({e.caught_by for e in BROKEN_ENGINES.values() if e.caught_by})
)
def test_the_named_tests_pass_on_the_real_engine(test):
    env = dict(os.environ)
    env.pop("BROKEN_ENGINE", None)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(TESTS / test)]
    assert subprocess.run(argv, cwd=ROOT, env=env, timeout=900, check=False).returncode == 0
