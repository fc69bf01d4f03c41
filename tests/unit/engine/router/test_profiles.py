# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles: what a router does where the RFCs differ, from the configuration to the wire."""

import pytest
from engine_kit.driver import Driver, master
from engine_kit.lan import Lan
from engine_kit.packets import V2, V3, V3_IPV6
from engine_kit.values import HIGHER, NS_PER_S, VIP, config, group, group6, link

from vrrp.config.model import ProfileMode
from vrrp.config.resolve import effective_profile
from vrrp.fsm.parameters import Profile
from vrrp.fsm.states import State
from vrrp.router.snapshot import snapshot

OWNER_LINKS = (link(addresses=("198.18.10.254/24",)),)


@pytest.mark.parametrize(
    "version, written, effective",
    [
        (3, ProfileMode.AUTO, Profile.RFC9568),
        (2, ProfileMode.AUTO, Profile.RFC3768),
        (3, ProfileMode.RFC5798, Profile.RFC5798),
        (3, ProfileMode.RFC9568, Profile.RFC9568),
        (2, ProfileMode.RFC3768, Profile.RFC3768),
    ],
)
def test_the_newest_rfc_of_the_version_counts_unless_another_is_written(
    version, written, effective
):
    made = group(version=version, profile=written)
    assert effective_profile(made) is effective
    driver = Driver(config(made))
    assert driver.bound().parameters.profile is effective
    (shown,) = snapshot(driver.router, driver.now_ns)["routers"]
    assert shown["profile"] == effective.value


@pytest.mark.parametrize(
    "made, packet, answers",
    [
        (group(), V3, True),
        (group(profile=ProfileMode.RFC9568), V3, True),
        (group(profile=ProfileMode.RFC5798), V3, False),
        (group(version=2), V2, False),
        (group6("vlan10"), V3_IPV6, True),
        (group6("vlan10", profile=ProfileMode.RFC5798), V3_IPV6, False),
    ],
)
def test_a_losing_advert_is_answered_by_rfc_9568_alone(made, packet, answers):
    driver = master(config(made))
    deadline_ns = driver.bound().machine.deadline_ns
    outcome = driver.hear(packet.but(priority=99), now_ns=driver.now_ns + NS_PER_S // 2)
    assert bool(outcome.adverts) is answers
    assert (driver.state(), driver.bound().machine.deadline_ns) == (State.MASTER, deadline_ns)


def test_a_profile_changes_in_flight():
    driver = master(config(group()))
    before = driver.bound().machine
    driver.configure(config(group(profile=ProfileMode.RFC5798)))
    assert driver.bound().machine is before
    outcome = driver.hear(V3.but(priority=99), now_ns=driver.now_ns + NS_PER_S // 2)
    assert not outcome.adverts


@pytest.mark.parametrize(
    "made, packet, heard",
    [
        (group(priority=255), V3, True),
        (group(priority=255, profile=ProfileMode.RFC5798), V3, False),
        (group(priority=255, version=2), V2, False),
    ],
)
def test_an_owner_hears_others_by_erratum_8298_alone(made, packet, heard):
    links = (link(addresses=("198.18.10.5/24",)),)
    driver = master(config(made), links=links)
    outcome = driver.hear(packet.but(priority=255, source=HIGHER))
    assert driver.state() is (State.BACKUP if heard else State.MASTER)
    assert driver.count("owner-conflict-packets") == 1
    assert any("owner-conflict-packets" in str(note.data) for note in outcome.notes)


def test_two_owners_settle_by_their_addresses():
    lan = Lan()
    for name, number in (("low", 4), ("high", 6)):
        lan.add(name, config(group(priority=255)), number)
    lan.run(10)
    assert lan.masters() == {"high"}


def test_two_owners_of_rfc_5798_never_do():
    lan = Lan()
    for name, number in (("low", 4), ("high", 6)):
        lan.add(name, config(group(priority=255, profile=ProfileMode.RFC5798)), number)
    lan.run(10)
    assert lan.masters() == {"low", "high"}


def test_an_owner_may_have_nothing_but_the_virtual_address():
    driver = master(config(group(priority=255)), links=OWNER_LINKS)
    assert driver.state() is State.MASTER
    (advert,) = driver.run(driver.now_ns + NS_PER_S)[-1].adverts
    assert (advert.source, advert.priority, advert.addresses) == (VIP, 255, (VIP,))


# Peers


def peers(driver: Driver):
    (shown,) = snapshot(driver.router, driver.now_ns)["routers"]
    return shown["peers"]


def test_each_peer_is_shown_with_the_checksum_that_it_sends():
    driver = Driver(config(group()))
    low, high = b"\xc6\x12\x0a\x04", b"\xc6\x12\x0a\x06"
    driver.hear(V3.but(source=high, priority=200))
    driver.hear(V3.but(source=low, priority=150, message_only=True))
    driver.hear(V3.but(source=low, priority=160, message_only=True))
    driver.now_ns += NS_PER_S
    assert peers(driver) == [
        {
            "address": "198.18.10.4",
            "priority": 160,
            "version": 3,
            "checksum": "rfc9568",
            "last_heard_age_ns": NS_PER_S,
            "advertisements": 2,
        },
        {
            "address": "198.18.10.6",
            "priority": 200,
            "version": 3,
            "checksum": "rfc5798",
            "last_heard_age_ns": NS_PER_S,
            "advertisements": 1,
        },
    ]


def test_where_there_is_one_checksum_none_is_shown():
    driver = Driver(config(group(version=2), group6()))
    driver.hear(V2)
    driver.hear(V3_IPV6)
    for shown in snapshot(driver.router, driver.now_ns)["routers"]:
        (peer,) = shown["peers"]
        assert peer["checksum"] is None
        assert shown["checksum_heard"] is None


def test_a_discarded_packet_makes_no_peer():
    driver = Driver(config(group()))
    driver.hear(V3.but(ttl=254))
    driver.hear(V3.but(checksum_error=1))
    assert peers(driver) == []


def test_of_too_many_peers_the_one_that_was_silent_longest_is_forgotten():
    driver = Driver(config(group()))
    for number in range(100, 116):
        driver.hear(V3.but(source=b"\xc6\x12\x0a" + bytes((number,))))
    driver.hear(V3.but(source=b"\xc6\x12\x0a" + bytes((100,))))
    driver.hear(V3.but(source=b"\xc6\x12\x0a\xf0"))
    shown = [peer["address"].rpartition(".")[2] for peer in peers(driver)]
    assert shown == ["100", *(str(number) for number in range(102, 116)), "240"]


def test_auto_answers_with_the_form_that_it_heard_last():
    driver = master(config(group()))
    for message_only, answers in ((False, False), (True, True), (False, False)):
        now_ns = driver.now_ns + NS_PER_S
        outcome = driver.hear(V3.but(priority=0, message_only=message_only), now_ns=now_ns)
        (frame,) = outcome.frames
        ours = V3.but(source=b"\xc6\x12\x0a\x05", message_only=answers)
        assert frame[34:] == ours.message()


# Authentication


def test_a_password_is_sent_and_wanted():
    driver = master(config(group(version=2, password="secret")))
    (frame,) = driver.run(driver.now_ns + NS_PER_S)[-1].frames
    assert (frame[34 + 4], frame[-8:]) == (1, b"secret\0\0")
    driver.hear(V2.but(priority=200))
    assert driver.state() is State.MASTER
    driver.hear(V2.but(priority=200, auth_type=1, auth_data=b"secret\0\0"))
    assert driver.state() is State.BACKUP
    (shown,) = snapshot(driver.router, driver.now_ns)["routers"]
    assert shown["authentication"] == "simple-text"
    assert "secret" not in str(shown)


def test_another_password_counts_at_once():
    driver = master(config(group(version=2, password="secret")))
    driver.configure(config(group(version=2, password="other")))
    assert driver.state() is State.MASTER
    driver.hear(V2.but(priority=200, auth_type=1, auth_data=b"secret\0\0"))
    assert (driver.state(), driver.count("auth-data-errors")) == (State.MASTER, 1)
    driver.hear(V2.but(priority=200, auth_type=1, auth_data=b"other\0\0\0"))
    assert driver.state() is State.BACKUP


def test_a_password_that_was_taken_away_is_forgotten_with_what_was_known():
    driver = Driver(config(group(version=2, password="secret")))
    packet = V2.but(priority=200, auth_type=1, auth_data=b"secret\0\0")
    driver.hear(packet)
    driver.configure(config(group(version=2)))
    driver.hear(packet)
    assert (driver.count("advertisement-rcvd"), driver.count("auth-type-errors")) == (1, 1)
