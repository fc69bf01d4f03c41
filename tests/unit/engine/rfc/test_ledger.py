# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger docs/rfc/ledger.md against the tests: no rule without proof, no proof without rule."""

import ast
import re
from collections import Counter
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple

import pytest

ROOT = Path(__file__).resolve().parents[4]
LEDGER = ROOT / "docs" / "rfc" / "ledger.md"
TESTS = (ROOT / "tests" / "unit" / "engine", ROOT / "tests" / "netns")
# How many rules each part has. A row that is lost is found by its missing number.
PARTS = {"T": 26, "R": 33, "M": 12, "F": 20, "D": 16, "N": 15, "A": 4, "G": 3, "X": 5, "B": 7}
RFC_MARK = ast.dump(ast.parse("pytest.mark.rfc", mode="eval").body)
# Rules that still have to be built: to add one here is to admit it.
STILL_OPEN: Set[str] = set()


class Row(NamedTuple):
    """One rule."""

    id: str
    rfc: str
    level: str
    state: str
    rule: str
    here: str

    @property
    def is_must(self) -> bool:
        return "MUST" in self.level and "if" not in self.level


class Proof(NamedTuple):
    """One marked test. body: its code without name and markers, to find copies."""

    row: str
    positive: bool
    test: str
    body: str


def read_rows(text: str) -> List[Row]:
    found = []
    for line in text.splitlines():
        if re.match(r"\| [A-Z]\d+ \|", line):
            found.append(Row(*(cell.strip() for cell in line.strip()[1:-1].split("|"))))
    return found


def read_proofs(source: str, where: str) -> Iterator[Proof]:
    """What the markers of a test file claim. A marker that says nothing is an error."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef):
            continue
        body = ast.dump(ast.Module(node.body, [])) + ast.dump(node.args)
        parameters = [mark for mark in node.decorator_list if not rows_of(mark)]
        body += "".join(ast.dump(mark) for mark in parameters)
        for mark in node.decorator_list:
            for row, positive in rows_of(mark):
                yield Proof(row, positive, "%s::%s" % (where, node.name), body)


def rows_of(mark: ast.expr) -> List[Tuple[str, bool]]:
    """The rows of `pytest.mark.rfc("F6", "F7", positive=True)`; none for another decorator."""
    if not isinstance(mark, ast.Call) or ast.dump(mark.func) != RFC_MARK:
        return []
    keywords = {each.arg: ast.literal_eval(each.value) for each in mark.keywords}
    assert set(keywords) == {"positive"} and mark.args, "write rfc(ROW, ..., positive=...)"
    return [(ast.literal_eval(each), keywords["positive"]) for each in mark.args]


def all_proofs() -> List[Proof]:
    found: List[Proof] = []
    for folder in TESTS:
        for path in sorted(folder.rglob("test_*.py")):
            name = str(path.relative_to(ROOT))
            found += read_proofs(path.read_text(encoding="utf-8"), name)
    return found


def gaps(rows: List[Row], proofs: List[Proof]) -> Iterator[str]:
    """What is missing or wrong, in words."""
    known = {row.id: row for row in rows}
    for row, times in Counter(row.id for row in rows).items():
        if times > 1:
            yield "%s stands in the ledger %d times" % (row, times)
    for proof in proofs:
        if proof.row not in known:
            yield "%s is marked with %s, which is no row" % (proof.test, proof.row)
        if not proof.test.rpartition("::")[2].startswith("test_"):
            yield "%s is marked and no test" % proof.test
    for row in rows:
        if row.state not in ("kept", "open", "no"):
            yield "%s has the state '%s'" % (row.id, row.state)
        mine = [proof for proof in proofs if proof.row == row.id]
        yield from gaps_of(row, mine)


def gaps_of(row: Row, proofs: List[Proof]) -> Iterator[str]:
    positive = [proof for proof in proofs if proof.positive]
    negative = [proof for proof in proofs if not proof.positive]
    for proof in positive:
        for other in negative:
            if proof.test == other.test or proof.body == other.body:
                yield "%s: %s and %s are the same test" % (row.id, proof.test, other.test)
    if row.is_must and row.state == "no":
        yield "%s is a MUST: it cannot be left out" % row.id
    if row.is_must and row.state == "kept":
        for what, found in (("positive", positive), ("negative", negative)):
            if not found:
                yield "%s is a MUST without a %s test" % (row.id, what)
    if not (row.is_must or proofs or row.here or "if" in row.level):
        yield "%s (%s) has neither a test nor a reason" % (row.id, row.level)


ROWS = read_rows(LEDGER.read_text(encoding="utf-8"))


def test_every_rule_is_proven():
    found = list(gaps(ROWS, all_proofs()))
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_no_rule_is_missing():
    expected = {
        part + str(number) for part, count in PARTS.items() for number in range(1, count + 1)
    }
    assert {row.id for row in ROWS} == expected
    assert all(row.rfc and row.level and row.rule.endswith(".") for row in ROWS)


def test_what_is_open_is_admitted_in_both_places():
    assert {row.id for row in ROWS if row.state == "open"} == STILL_OPEN


# The test itself: each of these has to be found.

MUST = Row("F1", "1", "MUST", "kept", "Do it.", "")
SHOULD = Row("F2", "1", "SHOULD", "kept", "Do it.", "")
GOOD = [Proof("F1", True, "a.py::test_a", "1"), Proof("F1", False, "a.py::test_b", "2")]
SAME_BODY = [GOOD[0], Proof("F1", False, "a.py::test_b", "1")]
SAME_TEST = [GOOD[0], Proof("F1", False, "a.py::test_a", "2")]


@pytest.mark.parametrize(
    "rows, proofs, problem",
    [
        ([MUST], GOOD[:1], "F1 is a MUST without a negative test"),
        ([MUST], GOOD[1:], "F1 is a MUST without a positive test"),
        ([MUST._replace(level="MUST NOT")], GOOD[:1], "F1 is a MUST without a negative test"),
        ([MUST._replace(level="MAY, then MUST")], GOOD[:1], "F1 is a MUST without a negative test"),
        ([MUST], SAME_BODY, "F1: a.py::test_a and a.py::test_b are the same test"),
        ([MUST], SAME_TEST, "F1: a.py::test_a and a.py::test_a are the same test"),
        ([MUST, MUST], GOOD, "F1 stands in the ledger 2 times"),
        ([MUST._replace(state="no")], GOOD, "F1 is a MUST: it cannot be left out"),
        ([MUST._replace(state="done")], GOOD, "F1 has the state 'done'"),
        ([SHOULD], [], "F2 (SHOULD) has neither a test nor a reason"),
        ([], GOOD[:1], "a.py::test_a is marked with F1, which is no row"),
        ([SHOULD], [Proof("F2", True, "a.py::helper", "1")], "a.py::helper is marked and no test"),
    ],
)
def test_a_gap_is_found(rows, proofs, problem):
    assert list(gaps(rows, proofs)) == [problem]


def test_what_is_proven_has_no_gap():
    assert list(gaps([MUST, SHOULD._replace(here="Because.")], GOOD)) == []
    assert list(gaps([MUST._replace(level="MUST if X1", state="no")], [])) == []


SOURCE = """
@pytest.mark.rfc("F1", "F2", positive=True)
@pytest.mark.parametrize("a", (1, 2))
def test_one(a):
    assert a


@pytest.mark.rfc("F1", positive=False)
@pytest.mark.parametrize("a", (1, 2))
def test_two(a):
    assert a


def test_three():
    assert True
"""


def test_markers_are_read():
    proofs = list(read_proofs(SOURCE, "a.py"))
    names = [(proof.row, proof.positive, proof.test) for proof in proofs]
    assert names == [
        ("F1", True, "a.py::test_one"),
        ("F2", True, "a.py::test_one"),
        ("F1", False, "a.py::test_two"),
    ]
    assert proofs[0].body == proofs[2].body, "copies are the same test under any name"


def test_a_marker_that_says_nothing_is_an_error():
    for mark in ("pytest.mark.rfc(positive=True)", "pytest.mark.rfc('F1')"):
        with pytest.raises(AssertionError):
            list(read_proofs("@%s\ndef test_a(): pass" % mark, "a.py"))


def test_rows_are_read():
    text = "| id | rule |\n| --- | --- |\n| F1 | 9568 6.1 | MUST | kept | Do `a`. | |\n"
    assert read_rows(text) == [Row("F1", "9568 6.1", "MUST", "kept", "Do `a`.", "")]
    by_part: Dict[str, Set[str]] = {}
    for row in ROWS:
        by_part.setdefault(row.id[0], set()).add(row.id)
    assert {part: len(ids) for part, ids in by_part.items()} == PARTS
