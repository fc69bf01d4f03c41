# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A round of `make bench` with our engine brings each figure asked of it, and ends clean."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.play import Effort, Failed, Round
from tests.bench.shapes import (
    COST,
    MASTER,
    ONE_INTERFACE,
    OURS,
    RELOAD,
    STEADY,
    STOP,
    TAKEOVER,
    VLANS,
    Shape,
)
from tests.bench.speakers import Vlangate

EFFORT = Effort(cpu_s=1, steady_s=1, reload_s=1, announced_s=0)
BROUGHT = {
    "cold_start_ns", "master_ns_per_advert", "backup_ns_per_advert", "held", "interval_error",
    "jitter_p99_ns", "reload_gap_ns", "stop_s", "stop_leftovers", "hand_over_max_ns",
    "takeover_last_ns", "rss_kib",
}  # fmt: skip


@pytest.fixture(autouse=True)
def release(program, monkeypatch):
    """The release that the other tests run, too."""
    monkeypatch.setattr(Vlangate, "release", Path(program).parent / "release")


def namespaces():
    """Those of this process: others may run beside it."""
    return {name for name in os.listdir("/run/netns") if "-%d-" % os.getpid() in name}


def test_a_round_of_two_vlans_brings_all_figures_and_leaves_nothing(tmp_path):
    shape = Shape("some", VLANS, 2, 0.1, (COST, STEADY, RELOAD, STOP, TAKEOVER), windows=2)
    before = namespaces()
    first, second = Round(shape, OURS, tmp_path, EFFORT).play()
    assert set(first) >= BROUGHT
    assert "held" in second and "cold_start_ns" not in second
    assert first["held"] >= 0.9
    for nothing in ("false_takeovers", "takeover_missing", "hand_over_missing", "stop_leftovers"):
        assert first[nothing] == 0, nothing
    assert namespaces() == before


def test_a_speaker_that_ends_fails_the_round_with_what_it_said(tmp_path, monkeypatch):
    shape = Shape("some", ONE_INTERFACE, 1, 0.1, (COST,))
    before = namespaces()
    monkeypatch.setattr(Vlangate, "_write", lambda self, changed: self._config.write_text("{"))
    with pytest.raises(Failed, match="(?s)router %s has ended.*JSON" % MASTER):
        Round(shape, OURS, tmp_path, EFFORT).play()
    assert namespaces() == before
