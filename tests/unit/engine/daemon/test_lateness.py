# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop knows how late it was."""

import pytest
from engine_kit.stage import Stage
from engine_kit.values import NS_PER_MS, config, group


@pytest.fixture(name="stage")
def stage_with_one_group(monkeypatch):
    stage = Stage(config(group()), monkeypatch)
    yield stage
    stage.close()


def test_how_late_it_was_is_known(stage):
    def stalled():
        stage.clock.time_ns += 40 * NS_PER_MS

    stage.around.at(4_590, stalled)  # what is due at 4,600 waits until 4,630
    stage.run(20_000)
    lateness, (bound,) = stage.shell.lateness, stage.router.bound_routers()
    assert round(lateness.longest.duration_ns / NS_PER_MS) == 30
    assert sum(lateness.counts[1:]) == 1
    assert lateness.counts[0] > 15
    assert round(bound.sent_gap.duration_ns / NS_PER_MS) == 4_630 - 3_609
