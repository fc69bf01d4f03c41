# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random histories of whole sites: SIM_SEED is the first seed, SIM_COUNT how many follow."""

from __future__ import annotations

import os

import pytest

from vrrp.sim.run import run_history

SEED = int(os.environ.get("SIM_SEED", "0"))
COUNT = int(os.environ.get("SIM_COUNT", "100"))
# One test for so many seeds: enough to share the work between processes.
BATCH = 25


@pytest.mark.parametrize("first", range(SEED, SEED + COUNT, BATCH))
def test_no_history_breaks_a_promise(first: int) -> None:
    for seed in range(first, min(first + BATCH, SEED + COUNT)):
        history = run_history(seed)
        replay = "replay: vlangate simulate --seed %d (digest %s)" % (seed, history.digest)
        assert not history.violations, "\n".join((*history.violations, replay))
        assert history.trace, "nothing happened in seed %d" % seed


def test_the_same_seed_is_the_same_history() -> None:
    one, again, other = run_history(SEED), run_history(SEED), run_history(SEED + 1)

    assert one == again
    assert one.digest != other.digest
