# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`vlangate simulate`, and the tool behind `make sim-long`: what they print, when they stop."""

import argparse
import importlib.util
import re
import sys
from pathlib import Path

import pytest
from broken_engines import BROKEN_ENGINES

from vrrp.cli.main import main
from vrrp.sim.run import run_history

TOOL = Path(__file__).resolve().parents[4] / "tools" / "simulate_long.py"
# Breaks a promise in each history, as soon as there is a master.
ALWAYS_CAUGHT = "no announcements"


@pytest.fixture
def tool(monkeypatch):
    specification = importlib.util.spec_from_file_location("simulate_long", TOOL)
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, "simulate_long", module)  # its processes look there
    specification.loader.exec_module(module)
    return module


def long_run(tool, **options):
    defaults = {"seed": 5, "count": 3, "jobs": 2, "commit": "abc"}
    return tool.Run(argparse.Namespace(**{**defaults, **options}))


def test_a_history_begins_with_its_identity_and_shows_its_trace(capsys):
    status = main(["simulate", "--seed", "5", "--commit", "abc"])
    first, *trace = capsys.readouterr().out.splitlines()
    history = run_history(5)
    assert status == 0
    assert first == "seed=5 commit=abc digest=%s" % history.digest
    assert tuple(trace) == history.trace


def test_a_broken_promise_is_told_with_the_way_to_see_it_again(capsys):
    with BROKEN_ENGINES[ALWAYS_CAUGHT].apply():
        status = main(["simulate", "--seed", "5", "--commit", "abc"])
    lines = capsys.readouterr().out.splitlines()
    assert status == 1
    assert "unannounced" in lines[-3] or "announcing" in lines[-3]
    assert lines[-2] == lines[0]
    assert lines[-1] == "replay: make sim SEED=5, or vlangate simulate --seed 5"


def test_many_histories_stop_at_the_first_broken_promise(capsys):
    with BROKEN_ENGINES[ALWAYS_CAUGHT].apply():
        assert main(["simulate", "--seed", "5", "--count", "50"]) == 1
    assert capsys.readouterr().out.count("replay:") == 1
    assert main(["simulate", "--seed", "5", "--count", "3"]) == 0
    assert capsys.readouterr().out.startswith("3 histories, the last one seed=7 ")


def test_a_long_run_tells_its_rate(tool, capsys):
    run = long_run(tool)
    assert run.finish() is None
    run.tell()
    told = capsys.readouterr().out
    assert re.search(
        r"^3 of 3 histories in \d+ s: [\d.]+/s, \d+ times real time on each of 2", told
    )


def test_a_long_run_stops_at_the_first_broken_promise(tool):
    with BROKEN_ENGINES[ALWAYS_CAUGHT].apply():
        failure = long_run(tool, count=100_000, jobs=1).finish()
    assert failure[-2].startswith("seed=5 commit=abc digest=")
    assert failure[-1] == "replay: make sim SEED=5, or vlangate simulate --seed 5"
