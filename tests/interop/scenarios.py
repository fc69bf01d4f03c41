# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens in a match: each scenario plays one and yields (row of the matrix, outcome).

A scenario says how both sides are set; the lesser one starts first and is master alone, so
that the other is known to have started when it speaks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Iterator, Tuple

from tests.interop.lan import PEER, US
from tests.interop.match import (
    BOTH,
    IN_TIME,
    MASTER,
    MUTE,
    NOBODY,
    ONE_LATE,
    START_SECONDS,
    VIRTUAL_ONLY,
    Match,
    greater_source,
)
from tests.interop.matrix import CELLS, GREATER_WINS, ROWS, STAYS, Cell
from tests.interop.participants import Setting, Side

PREFERRED, OTHER = 200, 100
# VRRPv2 knows whole seconds only.
INTERVAL_CS = {2: 100, 3: 30}
# More than the master down interval of one that did not learn it, in version 3.
LONGER_CS = {2: 200, 3: 150}
PASSWORD, OTHER_PASSWORD = "one-word", "another1"

# Their rows: somebody with more priority comes, crashes, and later stops.
OUR_HAND_OVER = ("we-preempt", "we-crash", "we-stop")
THEIR_HAND_OVER = ("peer-preempts", "peer-crashes", "peer-stops")

Outcomes = Iterator[Tuple[str, str]]
Play = Callable[[Match], Outcomes]


def other(name: str) -> str:
    return PEER if name == US else US


@dataclass(frozen=True)
class Scenario:
    """How both sides are set, what is played, and the rows that come out of it."""

    name: str
    rows: Tuple[str, ...]
    play: Play
    set_up: Callable[[Setting], Setting]

    def applies(self, cell: Cell) -> bool:
        return any(ROWS[row].applies(cell) for row in self.rows)


def setting_of(cell: Cell) -> Setting:
    """Both sides alike."""
    password = PASSWORD if cell.password else ""
    side = Side(OTHER, INTERVAL_CS[cell.protocol], password=password)
    return Setting(cell.peer, cell.protocol, cell.version, side, side, cell.virtual_mac)


def changed(setting: Setting, name: str, **values: object) -> Setting:
    """The setting with other values on one side."""
    side = replace(setting.side(name), **values)  # type: ignore[arg-type]
    return replace(setting, us=side) if name == US else replace(setting, them=side)


def prefer(name: str, **values: object) -> Callable[[Setting], Setting]:
    """One side is preferred, and has other values."""
    return lambda setting: changed(setting, name, priority=PREFERRED, **values)


def begin(match: Match, first: str) -> None:
    """The lesser one is alone and becomes master."""
    if match.start(first) is None:
        raise AssertionError("%s alone on the LAN does not become master" % first)


def come(match: Match, name: str) -> str:
    """The preferred one starts and speaks; then who is master."""
    return NOBODY if match.start(name) is None else match.settled_masters()


def succeeded(match: Match, outcome: str, name: str) -> str:
    """A takeover that was in time, unless it is not the only master or not the one that answers."""
    masters = match.settled_masters()
    if masters != MASTER[name]:
        return "%s, then %s" % (outcome, masters)
    wanted = VIRTUAL_ONLY if name == US or match.setting.virtual_mac else None
    answer = match.answer()
    return outcome if wanted in (None, answer) else "%s, then %s" % (outcome, answer)


def hand_over(name: str) -> Play:
    """The preferred one comes, crashes, comes back, and is stopped in order."""
    preempts, crashes, stops = OUR_HAND_OVER if name == US else THEIR_HAND_OVER

    def play(match: Match) -> Outcomes:
        rest = other(name)
        begin(match, rest)
        first = come(match, name)
        yield preempts, first
        yield crashes, succeeded(match, match.crash(name, rest), rest)
        again = come(match, name)
        if again != first:
            yield preempts, "%s, and later %s" % (first, again)
        yield stops, succeeded(match, match.resign(name, rest), rest)

    return play


def hold(row: str, later: str) -> Play:
    """One that must not take the role starts, and stays backup until the master has died."""

    def play(match: Match) -> Outcomes:
        first = other(later)
        begin(match, first)
        match.both[later].start()
        down = match.setting.master_down_interval(later)
        masters = match.masters(START_SECONDS + 1.5 * down)
        if masters != MASTER[first]:
            yield row, masters
            return
        # That it was there all the time shows when it is needed.
        outcome = match.crash(first, later)
        there = outcome in (IN_TIME, ONE_LATE)
        yield row, STAYS if there else "%s, then %s" % (STAYS, outcome)

    return play


def wire(match: Match) -> Outcomes:
    """Each alone as master: its advertisements, and who answers for it beside a backup.

    The peer's host is as its documentation says.
    """
    theirs = match.start(PEER)
    assert theirs is not None
    yield "peer-adverts", match.likeness(theirs, PEER)
    yield "peer-form", theirs.checksum
    yield "peer-answer", match.answer()
    ours = match.start(US)
    assert ours is not None
    yield "our-adverts", match.likeness(ours, US)
    assert match.settled_masters() == MASTER[US]
    yield "our-answer", match.answer()


def meet(match: Match) -> Outcomes:
    """Two masters that did not hear each other."""
    match.lan.part(True)
    ours, theirs = match.start(US), match.start(PEER)
    assert ours is not None and theirs is not None
    assert match.masters() == BOTH
    match.lan.part(False)
    masters = match.settled_masters()
    greater = US if greater_source(ours, theirs) else PEER
    yield "alike-masters", GREATER_WINS if masters == MASTER[greater] else masters


def dispute(row: str, name: str) -> Play:
    """The preferred one comes, and the two do not agree about something."""

    def play(match: Match) -> Outcomes:
        begin(match, other(name))
        masters = come(match, name)
        if masters == MASTER[US] and match.stop(PEER) is not None:
            # A master that is not heard. With equal intervals it may be heard now and then.
            alike = match.setting.us.interval_cs == match.setting.them.interval_cs
            masters = BOTH if alike else MUTE
        yield row, masters

    return play


def _disputes() -> Iterator[Scenario]:
    """What the two may not agree about; the preferred one is the one that is different."""
    both = (("peer-hears-%s", US), ("we-hear-%s", PEER))
    for row, name in both:
        yield _dispute(row % "list", name, prefer(name, has_additional_address=True))
        yield _dispute(row % "interval", name, prefer_longer_interval(name))
        yield _dispute(row % "other", name, prefer(name, password=OTHER_PASSWORD))
        yield _dispute(row % "none", name, prefer(name, password=""))
    yield _dispute("peer-hears-password", US, prefer(US, password=PASSWORD))
    for form in ("auto", "rfc5798", "rfc9568"):
        yield _dispute("form-" + form, US, prefer(US, checksum=form))


def _dispute(row: str, name: str, set_up: Callable[[Setting], Setting]) -> Scenario:
    return Scenario(row, (row,), dispute(row, name), set_up)


def prefer_longer_interval(name: str) -> Callable[[Setting], Setting]:
    """One side is preferred, and advertises less often."""
    return lambda setting: prefer(name, interval_cs=LONGER_CS[setting.protocol])(setting)


HAND_OVERS = (
    Scenario("we-are-preferred", OUR_HAND_OVER, hand_over(US), prefer(US)),
    Scenario("the-peer-is-preferred", THEIR_HAND_OVER, hand_over(PEER), prefer(PEER)),
)
SCENARIOS = (
    *HAND_OVERS,
    Scenario(
        "wire", ("our-adverts", "peer-adverts", "our-answer", "peer-answer", "peer-form"), wire,
        lambda setting: replace(prefer(US)(setting), quiet=False),
    ),
    Scenario("we-hold", ("we-hold",), hold("we-hold", US), prefer(US, preempt=False)),
    Scenario("peer-holds", ("peer-holds",), hold("peer-holds", PEER), prefer(PEER, preempt=False)),
    Scenario("alike-later", ("alike-later",), hold("alike-later", PEER), lambda setting: setting),
    Scenario("alike-masters", ("alike-masters",), meet, lambda setting: setting),
    *_disputes(),
)  # fmt: skip

# All that can be played, the slow ones first; `make test` plays the representative ones.
PLAYS = tuple(
    (cell, scenario)
    for cell in sorted(CELLS, key=lambda cell: cell.protocol)
    for scenario in SCENARIOS
    if scenario.applies(cell)
)


def is_representative(cell: Cell, scenario: Scenario) -> bool:
    return scenario in HAND_OVERS and cell.virtual_mac and not cell.password
