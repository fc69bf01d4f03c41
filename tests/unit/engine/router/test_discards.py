# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A packet that is discarded has one reason, one counter, one line in a minute, and no effect."""

from typing import Any, Dict, NamedTuple, Tuple, Union

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V2, V3, V3_IPV6, Packet
from engine_kit.values import NS_PER_S, OURS, config, group, group6, ip, link

from vrrp.config.model import ProfileMode
from vrrp.discards import DiscardReason as Why
from vrrp.facts import ReceivedPacket
from vrrp.router.events import PacketReceived
from vrrp.router.snapshot import snapshot

SECRET = {"version": 2, "password": "secret"}
OWNER_LINKS = (link(addresses=("198.18.10.254/24", "fe80::5/64")),)


class Case(NamedTuple):
    """A packet, who discards it, and whether it is counted for a virtual router."""

    reason: Why
    packet: Union[Packet, bytes]
    charged: bool = False
    ours: Dict[str, Any] = {}
    links: Tuple[Any, ...] = (link(),)


# Each would matter if it were accepted: priority 255, 0 or a short interval.
BEST = {"priority": 255}
V3_BEST, V2_BEST = V3.but(interval=1, **BEST), V2.but(**BEST)
CASES = (
    Case(Why.IP_HEADER, V3_BEST.octets()[:-1]),
    Case(Why.IP_HEADER, b""),
    Case(Why.FRAGMENT, V3_BEST.but(fragment=0x2000)),
    Case(Why.FRAGMENT, V3_BEST.but(fragment=1)),
    Case(Why.WRONG_PROTOCOL, V3_BEST.but(protocol=17)),
    Case(Why.WRONG_DESTINATION, V3_BEST.but(destination=OURS)),
    Case(Why.WRONG_SOURCE, V3_BEST.but(source=ip("224.0.0.18"))),
    Case(Why.OWN_SOURCE, V3_BEST.but(source=OURS)),
    Case(Why.IP_TTL, V3_BEST.but(ttl=254)),
    Case(Why.PACKET_LENGTH, V3_BEST.but(tail=b"\0\0\0\0"), charged=True),
    Case(Why.VERSION, V3_BEST.but(version=1)),
    Case(Why.VERSION, V2_BEST, charged=True),
    Case(Why.INVALID_TYPE, V3_BEST.but(type=2), charged=True),
    Case(Why.CHECKSUM, V3_BEST.but(checksum_error=1)),
    Case(Why.VRID, V3_BEST.but(vrid=11)),
    Case(Why.NO_ADDRESSES, V3_BEST.but(addresses=()), charged=True),
    Case(Why.INTERVAL_ZERO, V3_BEST.but(interval=0), charged=True),
    Case(Why.INTERVAL_MISMATCH, V2_BEST.but(interval=2), charged=True, ours={"version": 2}),
    Case(Why.AUTH_TYPE, V2_BEST.but(auth_type=1), charged=True, ours={"version": 2}),
    Case(Why.AUTH_TYPE, V2_BEST, charged=True, ours=SECRET),
    Case(
        Why.AUTH_DATA,
        V2_BEST.but(auth_type=1, auth_data=b"Secret\0\0"),
        charged=True,
        ours=SECRET,
    ),
    Case(Why.OWNER, V2_BEST, True, {"version": 2, "priority": 255}, OWNER_LINKS),
    Case(
        Why.OWNER,
        V3_BEST,
        True,
        {"profile": ProfileMode.RFC5798, "priority": 255},
        OWNER_LINKS,
    ),
)
CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason.name)


def heard(driver: Driver, case: Case):
    data = case.packet if isinstance(case.packet, bytes) else case.packet.octets()
    return driver.step(PacketReceived(ReceivedPacket(7, data)))


def seen(driver: Driver) -> Tuple[Any, ...]:
    """Everything but counters."""
    document = snapshot(driver.router, driver.now_ns)
    document.pop("counters")
    for router in document["routers"]:
        router.pop("counters")
    return document, driver.router.deadline_ns, driver.router.desired()


def backup(case: Case) -> Driver:
    """Backup of a living master with an interval of its own (an owner: master)."""
    driver = Driver(config(group(**case.ours), group6()), case.links)
    if case.ours.get("version") != 2 and case.ours.get("priority") != 255:
        driver.hear(V3.but(priority=200, interval=70))
    driver.hear(V3_IPV6.but(priority=200, interval=70))
    return driver


STATES = pytest.mark.parametrize(
    "start", (backup, lambda case: master(config(group(**case.ours), group6()), case.links))
)


@STATES
@CASE
def test_nothing_else_changes(case: Case, start):
    driver = start(case)
    before = seen(driver)
    for _count in range(3):
        outcome = heard(driver, case)
        assert (outcome.frames, outcome.desired) == ([], None)
    assert seen(driver) == before


@CASE
def test_one_counter(case: Case):
    driver = backup(case)
    bound = driver.bound()
    before, before_here = dict(driver.router.counters), dict(bound.counters)
    heard(driver, case)
    counters = bound.counters if case.charged else driver.router.counters
    assert counters.pop(case.reason.value) == 1
    assert (driver.router.counters, bound.counters) == (before, before_here)


@CASE
def test_one_line_in_a_minute(case: Case):
    driver = backup(case)
    start_ns = driver.now_ns
    told = []
    for second in range(0, 130, 10):
        driver.run(start_ns + second * NS_PER_S)
        notes = [note for note in heard(driver, case).notes if note.kind == "discard"]
        told += [(second, note.data["reason"], note.name) for note in notes]
    name = "vlan10" if case.charged else ""
    assert told == [(second, case.reason.value, name) for second in (0, 60, 120)]


@CASE
def test_the_reason_is_told_in_words_without_the_password(case: Case):
    (note,) = heard(backup(case), case).notes
    assert note.message.startswith("discarded a packet from ") and note.data["detail"]
    assert "secret" not in note.message.lower() + repr(note.data).lower()


def test_no_reason_is_left_out():
    # NOT_RUNNING needs a virtual router that stopped: test_vrrp_router.py. SOLICITATION is about no
    # advertisement: test_router_advertisements.py.
    # A list is remarked, and never a reason to discard.
    elsewhere = {Why.NOT_RUNNING, Why.SOLICITATION, Why.ADDRESS_LIST}
    assert {case.reason for case in CASES} == set(Why) - elsewhere


def test_the_same_packets_made_right_do_matter():
    """What the cases above have wrong is all that keeps them from having an effect."""
    for packet, ours in (
        (V3_BEST, {}),
        (V2_BEST, {"version": 2}),
        (V2.but(priority=254), {"version": 2}),
        (V2_BEST.but(auth_type=1, auth_data=b"secret\0\0"), SECRET),
    ):
        driver = master(config(group(**ours)))
        before = seen(driver)
        driver.hear(packet)
        assert seen(driver) != before
