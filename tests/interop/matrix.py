# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix: which cells there are, why others cannot be, what is looked at, and what is right.

docs/interop.md shows it. To add a cell, a row or a deviation, add it to its table here; a row is
measured by a scenario in scenarios.py.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, Optional, Tuple

from tests.interop.lan import MESSAGE_ALONE, PEER, PSEUDO_HEADER, US
from tests.interop.match import (
    AS_WRITTEN,
    BOTH,
    IN_TIME,
    MASTER,
    MUTE,
    ONE_LATE,
    PHYSICAL_ONLY,
    TWO_MACS,
    VIRTUAL_ONLY,
)

STAYS = "stays backup"
GREATER_WINS = "the greater address wins"


@dataclass(frozen=True)
class Cell:
    """One combination; some cannot be, see `obstacle`."""

    peer: str
    protocol: int
    version: int  # of IP
    unicast: bool = False
    password: bool = False
    virtual_mac: bool = True

    @property
    def name(self) -> str:
        words = ["%s-v%d-ipv%d" % (self.peer, self.protocol, self.version)]
        words += ["unicast"] * self.unicast + ["password"] * self.password
        words += ["physical"] * (not self.virtual_mac)
        return "-".join(words)

    @property
    def has_two_checksum_forms(self) -> bool:
        return (self.protocol, self.version) == (3, 4)


# Why a cell is not measured: the first that applies.
OBSTACLES: Dict[str, Tuple[str, Callable[[Cell], bool]]] = {
    "a": (
        "Version 2 is for IPv4 alone (RFC 3768; version 3 brought IPv6).",
        lambda cell: cell.protocol == 2 and cell.version == 6,
    ),
    "b": (
        "Version 3 has no authentication (ledger A3); we refuse such a configuration.",
        lambda cell: cell.protocol == 3 and cell.password,
    ),
    "c": (
        "Not in this engine: it speaks multicast only, as the RFCs do (ledger T3, T4).",
        lambda cell: cell.unicast,
    ),
    "d": (
        "FRR has no option for a password.",
        lambda cell: cell.peer == "frr" and cell.password,
    ),
    "e": (
        "FRR has no mode without a virtual MAC: without its macvlan it stays in initialize.",
        lambda cell: cell.peer == "frr" and not cell.virtual_mac,
    ),
}


def obstacle(cell: Cell) -> Optional[str]:
    """The letter of why a cell is not measured, or None."""
    return next((letter for letter, (_rest, holds) in OBSTACLES.items() if holds(cell)), None)


ALL_CELLS = tuple(
    Cell(*values)
    for values in itertools.product(
        ("keepalived", "frr"), (2, 3), (4, 6), (False, True), (False, True), (True, False)
    )
)
CELLS = tuple(cell for cell in ALL_CELLS if obstacle(cell) is None)


@dataclass(frozen=True)
class Row:
    """Something that is looked at: `right` are the outcomes that the RFCs allow in a cell."""

    name: str
    title: str
    right: Callable[[Cell], Tuple[str, ...]]
    applies: Callable[[Cell], bool] = lambda cell: True
    why_not: str = ""


def _always(*outcomes: str) -> Callable[[Cell], Tuple[str, ...]]:
    return lambda cell: outcomes


def _by_protocol(v2: Tuple[str, ...], v3: Tuple[str, ...]) -> Callable[[Cell], Tuple[str, ...]]:
    return lambda cell: v2 if cell.protocol == 2 else v3


def _is_v2(cell: Cell) -> bool:
    return cell.protocol == 2


def _has_password(cell: Cell) -> bool:
    return cell.password


def _rows() -> Iterator[Row]:
    yield Row("our-adverts", "our advertisements, as master", _always(AS_WRITTEN))
    yield Row("peer-adverts", "the peer's advertisements, as master", _always(AS_WRITTEN))
    yield Row("our-answer", "who answers, we are master", _always(VIRTUAL_ONLY))
    yield Row("peer-answer", "who answers, the peer is master", _always(VIRTUAL_ONLY))
    yield Row("we-preempt", "we come with more priority", _always(MASTER[US]))
    yield Row("peer-preempts", "the peer comes with more priority", _always(MASTER[PEER]))
    yield Row("we-crash", "we crash, the peer takes over", _always(IN_TIME))
    yield Row("peer-crashes", "the peer crashes, we take over", _always(IN_TIME))
    yield Row("we-stop", "we stop in order, the peer takes over", _always(IN_TIME))
    yield Row("peer-stops", "the peer stops in order, we take over", _always(IN_TIME))
    yield Row("we-hold", "we have more priority, preempt off", _always(STAYS))
    yield Row("peer-holds", "the peer has more priority, preempt off", _always(STAYS))
    yield Row("alike-later", "equal priority, the greater address comes later", _always(STAYS))
    yield Row("alike-masters", "equal priority, two masters meet", _always(GREATER_WINS))
    # RFC 3768 section 7.1: who checks the list MUST discard, but nobody has to, and we do not.
    yield Row(
        "peer-hears-list", "we are preferred, our list is longer",
        _by_protocol((BOTH, MASTER[US]), (MASTER[US],)),
    )  # fmt: skip
    yield Row("we-hear-list", "the peer is preferred, its list is longer", _always(MASTER[PEER]))
    yield Row(
        "peer-hears-interval", "we are preferred, our interval is longer",
        _by_protocol((BOTH,), (MASTER[US],)),
    )  # fmt: skip
    yield Row(
        "we-hear-interval", "the peer is preferred, its interval is longer",
        _by_protocol((BOTH,), (MASTER[PEER],)),
    )  # fmt: skip
    one_form = "this checksum has one form only"
    yield Row(
        "peer-form", "the form of the peer's checksum",
        lambda cell: (PSEUDO_HEADER if cell.version == 6 else MESSAGE_ALONE,),
    )  # fmt: skip
    for form in ("auto", "rfc5798", "rfc9568"):
        yield Row(
            "form-" + form, "we are preferred and send `checksum: %s`" % form,
            _always(MASTER[US]), lambda cell: cell.has_two_checksum_forms, one_form,
        )  # fmt: skip
    no_password = "without a password on both sides"
    for name, title in (
        ("peer-hears-other", "we are preferred, with another password"),
        ("we-hear-other", "the peer is preferred, with another password"),
        ("peer-hears-none", "we are preferred, without a password"),
        ("we-hear-none", "the peer is preferred, without a password"),
    ):
        yield Row(name, title, _always(BOTH), _has_password, no_password)
    yield Row(
        "peer-hears-password", "we are preferred, with a password, the peer has none",
        _always(BOTH), lambda cell: _is_v2(cell) and not cell.password,
        "version 3 has no authentication; with a password on both sides see the rows above",
    )  # fmt: skip


ROWS = {row.name: row for row in _rows()}


@dataclass(frozen=True)
class Deviation:
    """What a peer does otherwise than the RFCs want: outcome, where, which rules, and why."""

    mark: str
    peer: str
    rows: Tuple[str, ...]
    outcome: str
    ledger: Tuple[str, ...]
    text: str
    applies: Callable[[Cell], bool] = lambda cell: True


DEVIATIONS = (
    Deviation(
        "K1", "keepalived", ("peer-adverts",), "from the physical MAC", ("T7", "R27"),
        "Without `use_vmac` it sends from the interface's own MAC. We do not look at it.",
        lambda cell: not cell.virtual_mac,
    ),
    Deviation(
        "K2", "keepalived", ("peer-answer",), PHYSICAL_ONLY, ("D4", "D5", "N5", "N8"),
        "Without `use_vmac` the virtual address is an address of the interface: hosts learn a MAC "
        "that changes with the master, and believe the old one until they hear an announcement.",
        lambda cell: not cell.virtual_mac,
    ),
    Deviation(
        "K3", "keepalived", ("peer-hears-list",), BOTH, ("R20",),
        "It discards an advertisement whose list of addresses is not its own, in version 3 too "
        "(2.2.7; releases since 2.3.3 only log it). Change the list while keepalived is the "
        "preferred master: we accept its advertisements.",
        lambda cell: cell.protocol == 3,
    ),
    Deviation(
        "K4", "keepalived", ("peer-form",), PSEUDO_HEADER, ("T20",),
        "It sends the checksum as RFC 5798 was read. We accept both forms, and `checksum: auto` "
        "answers in the form that was heard.",
        lambda cell: cell.has_two_checksum_forms,
    ),
    Deviation(
        "K5", "keepalived", ("form-rfc9568",), BOTH, ("T20", "R9"),
        "It accepts no other form (2.2.7; later releases have `v3_checksum_as_v2`). Do not set "
        "`checksum: rfc9568` beside it.",
    ),
    Deviation(
        "K6", "keepalived", ("we-hear-interval",), MUTE, ("T24", "R26"),
        "As master it starts its advertisement timer anew with every advertisement that it hears, "
        "also with one that it discards. So it says nothing while somebody with a shorter interval "
        "speaks, and holds the address all the same; where intervals are equal (another list or "
        "password), chance decides which of its advertisements are sent. Only its good-bye shows "
        "that it was master.",
        _is_v2,
    ),
    Deviation(
        "F1", "frr", ("our-answer", "peer-answer"), TWO_MACS, ("D1", "D5"),
        "Set up as its documentation says, its physical MAC answers for the virtual address "
        "beside the virtual one, also as backup. In the rows about who takes over, its host has "
        "`net.ipv4.conf.all.arp_ignore=1` and `arp_announce=2` beyond what it asks for.",
        lambda cell: cell.version == 4,
    ),
    Deviation(
        "F2", "frr", ("we-crash", "we-stop"), ONE_LATE, ("M4", "F4"),
        "Its first advertisement for IPv6 comes one interval late: its macvlan has no usable "
        "address yet when the timer expires.",
        lambda cell: cell.version == 6,
    ),
    Deviation(
        "F3", "frr", ("peer-form",), PSEUDO_HEADER, ("T20",),
        "It sends the checksum as RFC 5798 was read. We accept both forms, and `checksum: auto` "
        "answers in the form that was heard.",
        lambda cell: cell.has_two_checksum_forms,
    ),
    Deviation(
        "F4", "frr", ("form-rfc9568",), BOTH, ("T20", "R9"),
        "It accepts no other form (8.4.4; later releases have `no vrrp VRID "
        "checksum-with-ipv4-pseudoheader`). Do not set `checksum: rfc9568` beside it.",
    ),
)  # fmt: skip


def deviation(cell: Cell, row: str, outcome: str) -> Optional[Deviation]:
    """The written-down deviation that this outcome is, or None."""
    for known in DEVIATIONS:
        same = (known.peer, known.outcome) == (cell.peer, outcome) and row in known.rows
        if same and known.applies(cell):
            return known
    return None
