# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table and the explanation that people read."""

import io

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V3
from engine_kit.values import NS_PER_S, T0, config, group, link, ping

from vrrp.cli import show
from vrrp.config.model import TrackReference
from vrrp.router.bound_router import Longest
from vrrp.router.gaps import Lateness
from vrrp.router.snapshot import snapshot

MINUTE_NS = 60 * NS_PER_S


def document(driver, error=None):
    """As the daemon answers show.routers."""
    engine = {
        "config_source": "file",
        "config_problems": [],
        "last_reload_error": error,
        "probation": None,
        "state_problems": [],
        "lateness": Lateness().document(0),
    }
    return {**snapshot(driver.router, driver.now_ns), "engine": engine}


def only_router(driver):
    (router,) = document(driver)["routers"]
    return router


def test_the_table_has_a_row_for_each_virtual_router():
    groups = (group(priority=200), group("other", interface="lan9", vrid=11))
    driver = master(config(*groups), now_ns=T0)
    driver.now_ns = driver.bound().history[-1].at_ns + 7 * NS_PER_S
    assert show.table(document(driver)) == [
        "NAME    STATE       SINCE  PRIORITY  MASTER       VIRTUAL MAC        ADDRESSES",
        "other   initialize  -      100       -            00:00:5e:00:01:0b  198.18.10.254",
        "vlan10  master      7s     200       198.18.10.5  00:00:5e:00:01:0a  198.18.10.254",
        "other waits: interface lan9 does not exist: create it, or correct the name",
    ]


def test_the_table_names_the_master_that_a_backup_hears():
    driver = Driver(config(group()))
    driver.hear(V3.but(priority=200), now_ns=T0 + NS_PER_S)
    assert show.table(document(driver))[1].split()[1:5] == ["backup", "1s", "100", "198.18.10.6"]


def test_the_table_of_nothing_is_its_head():
    (head,) = show.table(document(Driver(config())))
    assert head.startswith("NAME  STATE")


def test_a_lowered_priority_and_its_tracker_are_shown():
    tracked = group(priority=200, track=(TrackReference("uplink", 101),))
    driver = master(config(tracked, trackers=(ping(), ping("lonely"))))
    driver.report("uplink", ok=False, detail="no answer from 198.51.100.1")
    lines = show.table(document(driver))
    assert "99 (of 200)" in lines[1]
    assert lines[2:] == [
        "tracker lonely unknown: no result yet",
        "tracker uplink failed: no answer from 198.51.100.1",
    ]


def test_a_refused_reload_is_shown():
    driver = Driver(config(group()))
    assert show.table(document(driver, error="line 1: nonsense"))[-1] == (
        "the last reload was refused: line 1: nonsense"
    )


def test_alarming_gaps_and_lateness_are_shown():
    driver = Driver(config(group()))
    driver.hear(V3.but(priority=200), now_ns=T0 + NS_PER_S)
    driver.bound().heard_gap = Longest(1_250_000_000, T0)
    shown = document(driver)
    lateness = Lateness()
    for late_ns in (*[0] * 990, *[7_000_000] * 9, 40_000_000):
        lateness.add(late_ns, T0)
    shown["engine"]["lateness"] = lateness.document(driver.now_ns)
    assert show.table(shown)[2:] == [
        "woken late by at most 40ms, 1s ago; 99% of 1000 times by at most 125us"
    ]
    shown["routers"][0]["counters"]["gaps-heard"] = 1
    assert show.table(shown)[2] == (
        "vlan10: at most 1.25s between two advertisements of its master, 1s ago"
    )


def test_a_host_that_is_always_as_late_is_told_exactly():
    lateness = Lateness()
    lateness.add(9 * NS_PER_S, T0)
    shown = document(Driver(config()))
    shown["engine"]["lateness"] = lateness.document(T0)
    assert show.table(shown)[-1] == "woken late by at most 9s, 0s ago; 99% of 1 times by at most 9s"


def test_the_explanation_tells_each_gap():
    driver = Driver(config(group()))
    driver.bound().heard_gap = Longest(1_250_000_000, T0)
    driver.bound().sent_gap = Longest(1_001_000_000, T0)
    assert show.explanation(only_router(driver))[1:3] == [
        "at most 1.001s between two advertisements of its own, 0s ago",
        "at most 1.25s between two advertisements of its master, 0s ago",
    ]


def test_colours_are_for_terminals():
    driver = Driver(config(group()))
    plain, coloured = (show.table(document(driver), colour=colour) for colour in (False, True))
    assert "\033[" not in "".join(plain)
    assert "\033[36mbackup" in coloured[1]
    assert coloured[1].replace("\033[36m", "").replace("\033[0m", "") == plain[1]


@pytest.mark.parametrize(
    "age_ns, text",
    (
        (0, "0s"),
        (59 * NS_PER_S + 999, "59s"),
        (MINUTE_NS, "1m00s"),
        (61 * NS_PER_S, "1m01s"),
        (60 * MINUTE_NS, "1h00m"),
        (47 * 60 * MINUTE_NS, "47h00m"),
        (50 * 60 * MINUTE_NS, "2d2h"),
    ),
)
def test_ages_are_short(age_ns, text):
    driver = Driver(config(group()))
    driver.now_ns += age_ns
    assert show.table(document(driver))[1].split()[2] == text


def test_the_explanation_of_a_master_tells_how_it_came_to_be():
    driver = Driver(config(group()))
    driver.hear(V3.but(priority=200), now_ns=T0 + NS_PER_S)
    driver.run_to_master()
    driver.now_ns += 90 * NS_PER_S
    first, latest, earliest = show.explanation(only_router(driver))
    assert first == (
        "vlan10 is master, priority 100, skew time 609.375ms, master down interval 3.609s"
    )
    assert latest.strip() == (
        "1m30s ago  backup -> master: nothing acceptable heard for 3.609s, "
        "last from 198.18.10.6 with priority 200"
    )
    assert earliest.strip().endswith(
        "initialize -> backup: started with priority 100, listens for a master first"
    )


def test_the_explanation_of_one_that_waits_says_for_what():
    driver = Driver(config(group()), links=())
    why = "interface lan0 does not exist: create it, or correct the name"
    assert show.explanation(only_router(driver)) == [
        "vlan10 is initialize: " + why,
        "        0s ago  waits in initialize: " + why,
    ]


def test_the_explanation_of_one_that_waits_again_keeps_its_history():
    driver = Driver(config(group()))
    driver.links(link(is_up=False))
    lines = show.explanation(only_router(driver))
    assert lines[0] == "vlan10 is initialize: interface lan0 is down: set it up"
    assert "waits in initialize: interface lan0 is down" in lines[1]
    assert "backup -> initialize: interface lan0 is down" in lines[2]
    assert "initialize -> backup" in lines[3]


class FakeClient:
    """What watching needs of a client."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def call(self, method):
        assert method == "show.routers"
        if not self.answers:
            raise KeyboardInterrupt
        return self.answers.pop(0)

    def events(self):
        return iter(self.answers)


def test_events_are_printed_as_lines(capsys):
    event = {"kind": "transition", "name": "vlan10", "message": "backup -> master", "more": 1}
    show.watch_events(FakeClient(event, {**event, "kind": "waiting"}))
    assert capsys.readouterr().out == (
        "transition vlan10: backup -> master\nwaiting vlan10: backup -> master\n"
    )


def test_the_live_table_is_redrawn_until_interrupted(monkeypatch):
    screen, naps = io.StringIO(), []
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setattr("vrrp.cli.show.time.sleep", naps.append)
    shown = document(Driver(config(group())))
    with pytest.raises(KeyboardInterrupt):
        show.watch_table(FakeClient(shown, shown))
    assert screen.getvalue().count("\033[H\033[2JNAME") == 2
    assert len(naps) == 2
