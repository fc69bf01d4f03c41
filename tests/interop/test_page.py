# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/interop.md is whole, up to date, and explains every outcome that is not right."""

from __future__ import annotations

import re

import pytest

from tests.interop import table
from tests.interop.matrix import ALL_CELLS, CELLS, DEVIATIONS, ROWS, deviation, obstacle
from tests.interop.participants import ForeignPeer
from tests.interop.scenarios import SCENARIOS
from tests.lab.shell import REPOSITORY


@pytest.fixture
def page():
    return table.committed()


def test_no_outcome_lacks_or_is_unexplained(page):
    assert table.missing(page) == []
    by_name = {cell.name: cell for cell in CELLS}
    problems = [table.problem(by_name[cell], row, said, said) for (cell, row), said in page.items()]
    assert [problem for problem in problems if problem] == []


def test_it_is_what_these_outcomes_would_be_written_as(page):
    """So its text, its marks and the peers' releases are those of this checkout."""
    versions = table.peer_versions(ForeignPeer.rootfs)
    assert table.PAGE.read_text() == table.render(page, versions)


def test_each_cell_is_measured_or_has_a_reason():
    assert len(set(ALL_CELLS)) == 64
    assert {cell for cell in ALL_CELLS if obstacle(cell) is None} == set(CELLS)
    assert len({cell.name for cell in CELLS}) == len(CELLS)


def test_each_row_comes_from_one_scenario():
    rows = [row for scenario in SCENARIOS for row in scenario.rows]
    assert sorted(rows) == sorted(ROWS)


def test_each_deviation_is_seen_and_names_rules_of_the_ledger(page):
    ledger = (REPOSITORY / "docs" / "rfc" / "ledger.md").read_text()
    rules = set(re.findall(r"^\| ([A-Z]+[0-9]+) \|", ledger, re.MULTILINE))
    by_name = {cell.name: cell for cell in CELLS}
    seen = {deviation(by_name[cell], row, outcome) for (cell, row), outcome in page.items()}
    for known in DEVIATIONS:
        assert known in seen, known.mark
        assert set(known.ledger) <= rules, known.mark


def test_another_outcome_is_a_problem():
    cell = CELLS[0]
    assert table.problem(cell, "we-crash", "in time", "in time") is None
    assert "DEVIATIONS" in table.problem(cell, "we-crash", "no takeover", "no takeover")
    assert "docs/interop.md" in table.problem(cell, "we-crash", "in time", "too late")
