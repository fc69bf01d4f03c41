# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/interop.md: written from the outcomes of a whole run, and read again to compare with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from tests.interop.matrix import (
    ALL_CELLS,
    CELLS,
    DEVIATIONS,
    OBSTACLES,
    ROWS,
    Cell,
    deviation,
    obstacle,
)
from tests.lab.shell import REPOSITORY, LabError, run

PAGE = REPOSITORY / "docs" / "interop.md"
PEER_NAMES = {"keepalived": "keepalived", "frr": "FRR"}
VERSION_COMMANDS = {
    "keepalived": ["keepalived", "--version"],
    "frr": ["/usr/lib/frr/vrrpd", "--version"],
}
DOES_NOT_APPLY = "-"

# By the names of cell and row.
Outcomes = Mapping[Tuple[str, str], str]

INTRODUCTION = """\
<!-- Written by `UPDATE_INTEROP=1 make interop`; do not edit. -->

# Beside keepalived and FRR

`make interop` plays every row below with the peers of Debian 12, each in a network namespace at
one LAN with us and a host, and fails when an outcome is not the one that is written here. All is
seen by the host: the advertisements on the wire, and who answers for the virtual address.
`make test` plays some of the hand-overs only. Rules are named as in [the ledger](rfc/ledger.md).

Peers: %s.

## What is measured

The number of the table with the outcomes, or the letter of the reason why there is none.
"""

READING = """\
## Outcomes

Without a mark an outcome is as the RFCs want it; a mark leads to
[what the peer does otherwise](#deviations-of-the-peers). We have the address .252 (fe80::252) and
the peer .253, or the link-local address that it makes; the priority is 200 for who is preferred
or has more, else 100. Intervals are 1 s in version 2 and 0.3 s in version 3, a longer interval is
2 s and 1.5 s.

- *in time*: within the master down interval after the last advertisement of one that crashed, and
  not before three intervals; within the skew time after a good-bye (priority 0). A tenth and 0.1 s
  are allowed on top. Then it is the only master, and answers.
- *both are master* is right where version 2 wants that what differs is discarded: another interval
  (R17), another authentication or password (R22, R23). Another list may be discarded in version 2,
  but does not have to be (R19): keepalived does, we and FRR do not.
- *stays backup* includes that it takes over when the master has died then.
- *the greater address wins*: both were made master by a switch that kept them apart.
"""


def peer_versions(rootfs: Path) -> Dict[str, str]:
    """The releases in the peers' root file system."""
    found = {}
    for peer, argv in VERSION_COMMANDS.items():
        said = run(["sh", "-c", 'exec chroot "$@" 2>&1', "sh", str(rootfs), *argv])
        match = re.search(r"v(?:ersion )?(\d+(?:\.\d+)+)", said)
        if match is None:
            raise LabError("%s does not tell its version: %s" % (peer, said[:200]))
        found[peer] = match.group(1)
    return found


def render(outcomes: Outcomes, versions: Mapping[str, str]) -> str:
    """The page."""
    peers = ", ".join("%s %s" % (PEER_NAMES[peer], versions[peer]) for peer in versions)
    parts = [INTRODUCTION % peers, *_overview(), "", READING, *tables(outcomes)]
    parts += ["## Rows that do not apply\n", *_absences(), ""]
    parts += ["## Deviations of the peers\n", *_notes()]
    return "\n".join(parts) + "\n"


def tables(outcomes: Outcomes) -> Iterator[str]:
    """The lines with the outcomes."""
    for number, cells in enumerate(_tables(), 1):
        yield "### Table %d: %s\n" % (number, _title(cells[0]))
        yield from _table(cells, outcomes)
        yield ""


def read(text: str) -> Dict[Tuple[str, str], str]:
    """The outcomes in a page, without their marks; of cells and rows that there still are."""
    rows = {row.title: row.name for row in ROWS.values()}
    cells = {(_title(cell), _heading(cell)): cell for cell in CELLS}
    found: Dict[Tuple[str, str], str] = {}
    title, headings = "", [""]
    for line in text.splitlines():
        fields = [field.strip() for field in line.strip("|").split("|")]
        if line.startswith("### "):
            title = line.partition(": ")[2]
        elif line.startswith("|") and not fields[0]:
            headings = fields
        elif line.startswith("|") and fields[0] in rows:
            for heading, shown in zip(headings[1:], fields[1:]):
                cell = cells.get((title, heading))
                if cell is not None and shown != DOES_NOT_APPLY:
                    found[cell.name, rows[fields[0]]] = shown.partition(" [")[0]
    return found


def _tables() -> List[Tuple[Cell, ...]]:
    """The measured cells: a table for each peer and kind of MAC."""
    kinds = list(dict.fromkeys((cell.peer, cell.virtual_mac) for cell in CELLS))
    return [tuple(c for c in CELLS if (c.peer, c.virtual_mac) == kind) for kind in kinds]


def _title(cell: Cell) -> str:
    mac = "a virtual MAC" if cell.virtual_mac else "its physical MAC"
    return "%s with %s" % (PEER_NAMES[cell.peer], mac)


def _heading(cell: Cell) -> str:
    return "v%d IPv%d%s" % (cell.protocol, cell.version, " password" * cell.password)


def _table(cells: Sequence[Cell], outcomes: Outcomes) -> Iterator[str]:
    yield _line("", *map(_heading, cells))
    yield _line(*["---"] * (len(cells) + 1))
    for row in ROWS.values():
        if any(row.applies(cell) for cell in cells):
            yield _line(row.title, *(_shown(cell, row.name, outcomes) for cell in cells))


def _shown(cell: Cell, row: str, outcomes: Outcomes) -> str:
    if not ROWS[row].applies(cell):
        return DOES_NOT_APPLY
    outcome = outcomes[cell.name, row]
    known = deviation(cell, row, outcome)
    return outcome if known is None else "%s [%s](#%s)" % (outcome, known.mark, known.mark.lower())


def _overview() -> Iterator[str]:
    numbers = {cell: n for n, cells in enumerate(_tables(), 1) for cell in cells}
    columns = list(dict.fromkeys((c.unicast, c.password, c.virtual_mac) for c in ALL_CELLS))
    yield _line("", *(_column(*column) for column in columns))
    yield _line(*["---"] * (len(columns) + 1))
    for line in dict.fromkeys((c.peer, c.protocol, c.version) for c in ALL_CELLS):
        cells = (Cell(*line, *column) for column in columns)
        shown = (str(obstacle(cell) or numbers[cell]) for cell in cells)
        yield _line("%s v%d IPv%d" % (PEER_NAMES[line[0]], *line[1:]), *shown)
    yield ""
    for letter, (reason, _rest) in OBSTACLES.items():
        yield "- %s: %s" % (letter, reason)


def _column(unicast: bool, password: bool, virtual_mac: bool) -> str:
    return "%s, %spassword, %s MAC" % (
        "unicast" if unicast else "multicast",
        "" if password else "no ",
        "virtual" if virtual_mac else "physical",
    )


def _absences() -> Iterator[str]:
    for reason in dict.fromkeys(row.why_not for row in ROWS.values() if row.why_not):
        rows = [row.title for row in ROWS.values() if row.why_not == reason]
        yield "- %s: %s." % ("; ".join(rows), reason)


def _notes() -> Iterator[str]:
    for known in DEVIATIONS:
        yield "### %s\n" % known.mark
        rows = ", ".join(known.ledger)
        yield "%s, ledger %s: %s\n" % (PEER_NAMES[known.peer], rows, known.text)


def _line(*fields: str) -> str:
    return "| %s |" % " | ".join(fields)


def committed() -> Dict[Tuple[str, str], str]:
    """The outcomes of the page in this checkout."""
    return read(PAGE.read_text()) if PAGE.exists() else {}


def missing(outcomes: Outcomes) -> List[str]:
    """Rows of cells that a run did not bring."""
    wanted = [(cell, row) for cell in CELLS for row in ROWS.values() if row.applies(cell)]
    return ["%s %s" % (c.name, r.name) for c, r in wanted if (c.name, r.name) not in outcomes]


def problem(cell: Cell, row: str, outcome: str, on_page: str) -> Optional[str]:
    """What is wrong with an outcome: neither right nor written down, or not as on the page."""
    right = ROWS[row].right(cell)
    if outcome not in right and deviation(cell, row, outcome) is None:
        return "%s: %s; right is %s, and DEVIATIONS has no such entry" % (
            row, outcome, " or ".join(right),
        )  # fmt: skip
    if outcome != on_page:
        return "%s: %s; docs/interop.md says %s" % (row, outcome, on_page)
    return None
