# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random histories of whole sites: SIM_SEED is the first seed, SIM_COUNT how many follow."""

import os

import pytest

from vrrp.fsm.virtual_router import VirtualRouter
from vrrp.router import phases
from vrrp.sim.run import replay_command, run_history

SEED = int(os.environ.get("SIM_SEED", "0"))
COUNT = int(os.environ.get("SIM_COUNT", "100"))
# One test for so many seeds: enough to share the work between processes.
BATCH = 20


@pytest.mark.parametrize("first", range(SEED, SEED + COUNT, BATCH))
def test_no_history_breaks_a_promise(first):
    for seed in range(first, min(first + BATCH, SEED + COUNT)):
        history = run_history(seed)
        told = (*history.violations, "digest %s, %s" % (history.digest, replay_command(seed)))
        assert not history.violations, "\n".join(told)
        assert history.trace, "nothing happened in seed %d" % seed


@pytest.mark.parametrize("first", range(SEED, SEED + COUNT // 2, BATCH))
def test_no_crowd_breaks_a_promise(first, monkeypatch):
    """Sites of thousands would take too long, so two are a crowd here."""
    monkeypatch.setattr(phases, "CROWD", 1)
    moved = []
    advertise_at = VirtualRouter.advertise_at
    monkeypatch.setattr(
        VirtualRouter, "advertise_at", lambda *words: moved.append(advertise_at(*words))
    )
    for seed in range(first, min(first + BATCH, SEED + COUNT // 2)):
        history = run_history(seed)
        again = "SIM_SEED=%d SIM_COUNT=2 pytest -k crowd %s" % (seed, __file__)
        assert not history.violations, "\n".join((*history.violations, again))
    assert moved, "no crowd was spread"


def test_the_same_seed_is_the_same_history():
    one, again, other = run_history(SEED), run_history(SEED), run_history(SEED + 1)

    assert one == again
    assert one.digest != other.digest


def test_many_things_happen():
    """The faults reach the routers: every reason for a transition comes up."""
    lines = [line for seed in range(SEED, SEED + 40) for line in run_history(seed).trace]
    for reason in (
        "startup",
        "owner-startup",
        "no-response",
        "priority-zero",
        "lower-priority-master",
        "higher-priority",
        "higher-address",
        "shutdown",
        "hand-over",
        "no-successor",
        "sync-group",
        "stalled",
        "resumed",
    ):
        assert any(reason in line for line in lines), reason
