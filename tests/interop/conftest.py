# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the interop tests. Without root they fail: a test that did not run shows nothing.

A run with UPDATE_INTEROP=1 that finds nothing unexplained writes docs/interop.md; what it did not
play stays as it is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.harness import stalls
from tests.interop import table
from tests.interop.lan import Lan
from tests.interop.match import Match
from tests.interop.participants import ForeignPeer, Vlangate
from tests.interop.scenarios import setting_of
from tests.lab.rootfs import rootfs
from tests.lab.shell import REPOSITORY

UPDATE = os.environ.get("UPDATE_INTEROP") == "1"
# It looks at the page, which then is not written yet.
collect_ignore = ["test_page.py"] if UPDATE else []
PROPERTY = "interop"
_outcomes = {}


def pytest_configure(config):
    stalls.register(config)


@pytest.fixture(scope="session", autouse=True)
def programs(tmp_path_factory):
    """Our release, built from this checkout, and the peers' root file system."""
    if os.geteuid() != 0:
        pytest.fail("these tests make network namespaces: run them as root")
    build = tmp_path_factory.mktemp("release")
    subprocess.run(
        [sys.executable, str(REPOSITORY / "tools/build_engine.py"), str(build)], check=True
    )
    Vlangate.program = build / "vlangate"
    ForeignPeer.rootfs = rootfs("peers", print)


@pytest.fixture
def lan():
    """A LAN that is gone after the test."""
    made = Lan()
    yield made
    made.remove()


@pytest.fixture
def play(lan, tmp_path, record_property):
    """Plays a scenario in a cell; every outcome has to be explained, and the one on the page."""
    matches = []

    def played(cell, scenario):
        matches.append(Match(lan, tmp_path, scenario.set_up(setting_of(cell))))
        outcomes = dict(scenario.play(matches[-1]))
        assert set(outcomes) == set(scenario.rows)
        page = {} if UPDATE else table.committed()
        problems = []
        for row, outcome in outcomes.items():
            record_property(PROPERTY, json.dumps([cell.name, row, outcome]))
            problem = table.problem(cell, row, outcome, page.get((cell.name, row), outcome))
            problems += [problem] if problem else []
        assert not problems

    yield played
    for match in matches:
        match.end()


def pytest_runtest_logreport(report):
    """Collect the outcomes, from all workers."""
    if report.when == "call":
        for name, value in report.user_properties:
            if name == PROPERTY:
                cell, row, outcome = json.loads(value)
                _outcomes[cell, row] = outcome


def pytest_sessionfinish(session, exitstatus):
    """Write the page."""
    is_worker = hasattr(session.config, "workerinput")
    outcomes = {**table.committed(), **_outcomes}
    if not is_worker and UPDATE and exitstatus == 0 and not table.missing(outcomes):
        versions = table.peer_versions(rootfs("peers", print))
        table.PAGE.write_text(table.render(outcomes, versions))


def pytest_terminal_summary(terminalreporter):
    """Print the matrix that was measured."""
    lacking = table.missing(_outcomes)
    if not lacking:
        terminalreporter.section("outcomes")
        terminalreporter.write_line("\n".join(table.tables(_outcomes)))
    elif UPDATE and table.missing(table.committed()):
        terminalreporter.write_line("docs/interop.md is not whole: %d outcomes lack" % len(lacking))
