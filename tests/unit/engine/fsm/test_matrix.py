# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state meets every event: what is done, in order, where it leads, and when to come back.

Times are milliseconds after T0, when the state was entered. The event comes at 500 unless the row
says otherwise.
"""

from typing import Any, Dict, NamedTuple, Optional, Tuple, Type

import pytest
from engine_kit.machines import advert, machine
from engine_kit.values import HIGHER, LOWER, NS_PER_MS, T0, VIP, ip, parameters

from vrrp.fsm.actions import (
    AnnounceAddresses,
    ClaimAddresses,
    Reason,
    ReleaseAddresses,
    SendAdvertisement,
    Transition,
)
from vrrp.fsm.events import (
    AdvertisementReceived,
    Event,
    HandOver,
    Memory,
    ParametersChanged,
    Resume,
    Shutdown,
    Startup,
    Takeover,
    Tick,
)
from vrrp.fsm.parameters import Profile
from vrrp.fsm.states import State

INITIALIZE, BACKUP, MASTER = State.INITIALIZE, State.BACKUP, State.MASTER
ADVERT = SendAdvertisement(100, 100)
RELEASE = SendAdvertisement(0, 100)
CLAIM, ANNOUNCE, RELEASE_ADDRESSES = ClaimAddresses(), AnnounceAddresses(), ReleaseAddresses()
TAKE_OVER = (ADVERT, CLAIM, ANNOUNCE)
SECOND_VIP = ip("198.18.10.253")


class Row(NamedTuple):
    """One cell of the matrix; deadline in milliseconds after T0."""

    name: str
    state: State
    event: Event
    actions: Tuple[object, ...]
    then: State
    deadline: Optional[float]
    at: float = 500
    ours: Dict[str, Any] = {}


def moved(previous: State, current: State, reason: Reason, *heard: Any, **more: Any) -> Transition:
    """heard: peer, its priority, milliseconds of silence."""
    if heard:
        peer, priority, silence = heard
        silence_ns = int(silence * NS_PER_MS)
        return Transition(previous, current, reason, peer, priority, silence_ns, **more)
    return Transition(previous, current, reason, **more)


def changed(**changes: Any) -> ParametersChanged:
    return ParametersChanged(parameters(**changes))


def resume(state: State, deadline: float, interval_cs: int = 100, *heard: Any) -> Resume:
    """deadline in milliseconds after T0, as in a row."""
    deadline_ns = T0 + round(deadline * NS_PER_MS)
    return Resume(Memory(state, deadline_ns, interval_cs, T0 - NS_PER_MS, *heard))


V2 = {"version": 2}
GROUP = {"waits_for_group": True}
RFC5798 = {"profile": Profile.RFC5798}
OWNER = {"priority": 255}
NO_PREEMPT = {"preempt": False}
OWNERS_ADVERT = SendAdvertisement(255, 100)
MATRIX = (
    # RFC 9568 section 6.4.1
    Row(
        "startup",
        INITIALIZE,
        Startup(),
        (moved(INITIALIZE, BACKUP, Reason.STARTUP),),
        BACKUP,
        500 + 3609.375,
    ),
    Row(
        "startup of the owner",
        INITIALIZE,
        Startup(),
        (OWNERS_ADVERT, CLAIM, ANNOUNCE, moved(INITIALIZE, MASTER, Reason.OWNER)),
        MASTER,
        1500,
        ours=OWNER,
    ),
    Row("shutdown", INITIALIZE, Shutdown(), (), INITIALIZE, None),
    Row("advert", INITIALIZE, advert(200), (), INITIALIZE, None),
    Row("release", INITIALIZE, advert(0), (), INITIALIZE, None),
    Row("tick", INITIALIZE, Tick(), (), INITIALIZE, None, at=10**9),
    Row("hand-over", INITIALIZE, HandOver("drained"), (), INITIALIZE, None),
    Row("takeover", INITIALIZE, Takeover(Reason.SYNC_GROUP), (), INITIALIZE, None),
    Row(
        "resume as master",
        INITIALIZE,
        resume(MASTER, 900),
        (CLAIM, ANNOUNCE, moved(INITIALIZE, MASTER, Reason.RESUMED)),
        MASTER,
        900,
    ),
    Row(
        "resume as master, late",
        INITIALIZE,
        resume(MASTER, 400),
        (CLAIM, ANNOUNCE, moved(INITIALIZE, MASTER, Reason.RESUMED)),
        MASTER,
        400,
    ),
    Row(
        "resume as master, interval was longer",
        INITIALIZE,
        resume(MASTER, 40_000, 4000),
        (CLAIM, ANNOUNCE, moved(INITIALIZE, MASTER, Reason.RESUMED)),
        MASTER,
        1500,
    ),
    Row(
        "resume as backup",
        INITIALIZE,
        resume(BACKUP, 7000, 200, advert(200), T0),
        (moved(INITIALIZE, BACKUP, Reason.RESUMED, HIGHER, 200, 500),),
        BACKUP,
        7000,
    ),
    Row(
        "resume as backup, deadline that cannot be",
        INITIALIZE,
        resume(BACKUP, 10**9),
        (moved(INITIALIZE, BACKUP, Reason.RESUMED),),
        BACKUP,
        500 + 3609.375,
    ),
    Row(
        "resume as backup that is the owner now",
        INITIALIZE,
        resume(BACKUP, 3000),
        (OWNERS_ADVERT, CLAIM, ANNOUNCE, moved(INITIALIZE, MASTER, Reason.OWNER)),
        MASTER,
        1500,
        ours=OWNER,
    ),
    Row(
        "resume without a past",
        INITIALIZE,
        resume(INITIALIZE, 600),
        (moved(INITIALIZE, BACKUP, Reason.STARTUP),),
        BACKUP,
        500 + 3609.375,
    ),
    Row("other priority", INITIALIZE, changed(priority=7), (), INITIALIZE, None),
    Row("becomes owner", INITIALIZE, changed(priority=255), (), INITIALIZE, None),
    # RFC 9568 section 6.4.2
    Row("startup again", BACKUP, Startup(), (), BACKUP, 3609.375),
    Row(
        "shutdown",
        BACKUP,
        Shutdown("removed"),
        (moved(BACKUP, INITIALIZE, Reason.SHUTDOWN, cause="removed"),),
        INITIALIZE,
        None,
    ),
    Row("release", BACKUP, advert(0), (), BACKUP, 500 + 609.375),
    Row("lower", BACKUP, advert(99), (), BACKUP, 3609.375),
    Row("lower, no preempt", BACKUP, advert(99), (), BACKUP, 500 + 3609.375, ours=NO_PREEMPT),
    Row("equal, lower address", BACKUP, advert(100, LOWER), (), BACKUP, 500 + 3609.375),
    Row("equal, higher address", BACKUP, advert(100, HIGHER), (), BACKUP, 500 + 3609.375),
    Row("higher", BACKUP, advert(101), (), BACKUP, 500 + 3609.375),
    Row("higher, slower", BACKUP, advert(101, HIGHER, 200), (), BACKUP, 500 + 7218.75),
    Row("higher, version 2", BACKUP, advert(101), (), BACKUP, 500 + 3609.375, ours=V2),
    Row("tick before the deadline", BACKUP, Tick(), (), BACKUP, 3609.375, at=3609.374),
    Row(
        "tick at the deadline",
        BACKUP,
        Tick(),
        (*TAKE_OVER, moved(BACKUP, MASTER, Reason.NO_RESPONSE)),
        MASTER,
        4600,  # 4609.375 at the start of its slot
        at=3609.375,
    ),
    Row(
        "late tick",
        BACKUP,
        Tick(),
        (*TAKE_OVER, moved(BACKUP, MASTER, Reason.NO_RESPONSE)),
        MASTER,
        61_000,
        at=60_000,
    ),
    Row("other priority", BACKUP, changed(priority=200), (), BACKUP, 3218.75),
    Row("other interval", BACKUP, changed(advertisement_interval_cs=50), (), BACKUP, 3609.375),
    Row("other addresses", BACKUP, changed(addresses=(SECOND_VIP,)), (), BACKUP, 3609.375),
    Row(
        "becomes owner",
        BACKUP,
        changed(priority=255),
        (OWNERS_ADVERT, CLAIM, ANNOUNCE, moved(BACKUP, MASTER, Reason.OWNER)),
        MASTER,
        1500,
    ),
    Row("nothing changed", BACKUP, changed(), (), BACKUP, 3609.375),
    Row("resume", BACKUP, resume(MASTER, 900), (), BACKUP, 3609.375),
    Row("hand-over", BACKUP, HandOver("drained"), (), BACKUP, 3609.375),
    Row(
        "takeover",
        BACKUP,
        Takeover(Reason.NO_SUCCESSOR),
        (*TAKE_OVER, moved(BACKUP, MASTER, Reason.NO_SUCCESSOR)),
        MASTER,
        1500,
    ),
    Row(
        "takeover, in a group",
        BACKUP,
        Takeover(Reason.SYNC_GROUP),
        (*TAKE_OVER, moved(BACKUP, MASTER, Reason.SYNC_GROUP)),
        MASTER,
        1500,
        ours=GROUP,
    ),
    Row(
        "tick before the deadline, in a group",
        BACKUP,
        Tick(),
        (),
        BACKUP,
        3609.375,
        at=3609.374,
        ours=GROUP,
    ),
    Row(
        "tick at the deadline, in a group",
        BACKUP,
        Tick(),
        (),
        BACKUP,
        2 * 3609.375,
        at=3609.375,
        ours=GROUP,
    ),
    # RFC 9568 section 6.4.3
    Row("startup again", MASTER, Startup(), (), MASTER, 1000),
    Row(
        "shutdown",
        MASTER,
        Shutdown(),
        (
            RELEASE,
            RELEASE_ADDRESSES,
            moved(MASTER, INITIALIZE, Reason.SHUTDOWN, cause="stop"),
        ),
        INITIALIZE,
        None,
    ),
    Row(
        "hand-over",
        MASTER,
        HandOver("drained"),
        (RELEASE, RELEASE_ADDRESSES, moved(MASTER, BACKUP, Reason.HAND_OVER, cause="drained")),
        BACKUP,
        500 + 3609.375,
    ),
    Row("takeover", MASTER, Takeover(Reason.SYNC_GROUP), (), MASTER, 1000),
    Row("resume", MASTER, resume(BACKUP, 900), (), MASTER, 1000),
    Row("tick at the deadline, in a group", MASTER, Tick(), (ADVERT,), MASTER, 2000, 1000, GROUP),
    Row("release", MASTER, advert(0), (ADVERT,), MASTER, 1500),
    Row("lower", MASTER, advert(99), (ADVERT, ANNOUNCE), MASTER, 1000),
    Row("lower, version 2", MASTER, advert(99), (ANNOUNCE,), MASTER, 1000, ours=V2),
    Row("lower, RFC 5798", MASTER, advert(99), (ANNOUNCE,), MASTER, 1000, ours=RFC5798),
    Row("equal, lower address", MASTER, advert(100, LOWER), (ADVERT, ANNOUNCE), MASTER, 1000),
    Row(
        "equal, higher address",
        MASTER,
        advert(100, HIGHER),
        (RELEASE_ADDRESSES, moved(MASTER, BACKUP, Reason.HIGHER_ADDRESS, HIGHER, 100, 0)),
        BACKUP,
        500 + 3609.375,
    ),
    Row(
        "higher",
        MASTER,
        advert(101, LOWER),
        (RELEASE_ADDRESSES, moved(MASTER, BACKUP, Reason.HIGHER_PRIORITY, LOWER, 101, 0)),
        BACKUP,
        500 + 3609.375,
    ),
    Row(
        "higher, slower",
        MASTER,
        advert(101, LOWER, 200),
        (RELEASE_ADDRESSES, moved(MASTER, BACKUP, Reason.HIGHER_PRIORITY, LOWER, 101, 0)),
        BACKUP,
        500 + 7218.75,
    ),
    Row("release after a stall", MASTER, advert(0), (ADVERT,), MASTER, 11_000, at=10_000),
    Row(
        "lower, hardly a stall",
        MASTER,
        advert(99),
        (ADVERT, ANNOUNCE),
        MASTER,
        1000,
        at=2999.999,
    ),
    Row(
        "lower after a stall",
        MASTER,
        advert(99, HIGHER, 200),
        (RELEASE_ADDRESSES, moved(MASTER, BACKUP, Reason.STALLED, HIGHER, 99, 0)),
        BACKUP,
        3000 + 7218.75,
        at=3000,
    ),
    Row(
        "lower after a stall, no preempt",
        MASTER,
        advert(1, LOWER),
        (RELEASE_ADDRESSES, moved(MASTER, BACKUP, Reason.STALLED, LOWER, 1, 0)),
        BACKUP,
        60_000 + 3609.375,
        at=60_000,
        ours=NO_PREEMPT,
    ),
    Row(
        "higher after a stall",
        MASTER,
        advert(101, LOWER),
        (RELEASE_ADDRESSES, moved(MASTER, BACKUP, Reason.HIGHER_PRIORITY, LOWER, 101, 0)),
        BACKUP,
        3000 + 3609.375,
        at=3000,
    ),
    Row(
        "lower after a stall, owner",
        MASTER,
        advert(99),
        (OWNERS_ADVERT, ANNOUNCE),
        MASTER,
        1000,
        at=60_000,
        ours=OWNER,
    ),
    Row("tick before the deadline", MASTER, Tick(), (), MASTER, 1000, at=999.999),
    Row("tick at the deadline", MASTER, Tick(), (ADVERT,), MASTER, 2000, at=1000),
    Row("late tick", MASTER, Tick(), (ADVERT,), MASTER, 2000, at=1007),
    Row("after a stall", MASTER, Tick(), (ADVERT,), MASTER, 61_000, at=60_500),
    Row(
        "other priority",
        MASTER,
        changed(priority=90),
        (SendAdvertisement(90, 100),),
        MASTER,
        1000,
    ),
    Row(
        "other interval",
        MASTER,
        changed(advertisement_interval_cs=20),
        (SendAdvertisement(100, 20),),
        MASTER,
        700,
    ),
    Row(
        "other addresses",
        MASTER,
        changed(addresses=(VIP, SECOND_VIP)),
        TAKE_OVER,
        MASTER,
        1000,
    ),
    Row("other source", MASTER, changed(primary_address=LOWER), (ADVERT,), MASTER, 1000),
    Row("other accept mode", MASTER, changed(accept=False), (), MASTER, 1000),
    Row("other preempt", MASTER, changed(preempt=False), (), MASTER, 1000),
    Row("becomes owner", MASTER, changed(priority=255), (OWNERS_ADVERT,), MASTER, 1000),
    Row("nothing changed", MASTER, changed(), (), MASTER, 1000),
)


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: "%s: %s" % (row.state.value, row.name))
def test_cell(row: Row):
    router = machine(row.state, **row.ours)
    actions = router.step(row.event, T0 + round(row.at * NS_PER_MS))
    assert actions == row.actions
    assert router.state is row.then
    expected_ns = None if row.deadline is None else T0 + round(row.deadline * NS_PER_MS)
    assert router.deadline_ns == expected_ns


def test_no_cell_is_empty():
    events: Tuple[Type[Any], ...] = (
        Startup,
        Shutdown,
        AdvertisementReceived,
        ParametersChanged,
        Tick,
        HandOver,
        Takeover,
        Resume,
    )
    assert set(events) == set(Event.__args__), "the closed set of events"
    cells = {(row.state, type(row.event)) for row in MATRIX}
    assert cells == {(state, event) for state in State for event in events}


def test_rows_have_names_of_their_own():
    assert len({(row.state, row.name) for row in MATRIX}) == len(MATRIX)
