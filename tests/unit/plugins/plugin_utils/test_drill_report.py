# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From notes to verdicts, JUnit XML, a page and its pictures. Times are those of one crash."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.drill_junit import junit
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.drill_notes import Notes
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.drill_page import page
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.drill_picture import LOST, picture
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.drill_report import results, table

T = 1795430000.0
VIP = "198.18.10.254"
EXERCISE = {
    "kind": "crash",
    "router": "gw1",
    "groups": [
        {
            "name": "vlan10-v4",
            "vip": VIP,
            "preferred": "gw1",
            "members": ["gw1", "gw2"],
            "may_cost": {"crash": 3.755, "return": 0.1},
        }
    ],
}
NAMESPACE = {"svg": "http://www.w3.org/2000/svg"}


def change(at, previous, current, reason="x"):
    return {"at": T + at, "previous": previous, "current": current, "reason": reason}


def observed(state, *changes, drains=()):
    group = {"name": "vlan10-v4", "state": state, "transitions": list(changes)}
    return {"now": T + 26, "groups": [group], "drains": list(drains)}


def measured(*outages, target=VIP, start=0.0, seconds=20.0):
    return {
        "targets": [{"target": target, "sent": 2000, "lost": 10 * len(outages)}],
        "outages": [
            {"target": target, "start": T + begin, "end": T + end} for begin, end in outages
        ],
        "samples": [{"target": target, "start": T + start, "seconds": seconds}],
    }


def note(phase, host, **fields):
    return {"exercise": 0, "phase": phase, "host": host, **fields}


STRUCK = note("crash", "gw1", at=T, until=T + 0.05, event="the daemon is killed, and stays dead")
MENDED = note("return", "gw1", at=T + 8, until=T + 8.3, event="the engine is started again")
GW1 = note(
    "return", "gw1", ended=T + 26,
    observed=observed("master", change(8.3, "initialize", "backup"),
                      change(23.3, "backup", "master")),
)  # fmt: skip
GW2 = note(
    "return", "gw2", ended=T + 26,
    observed=observed("backup", change(3.6, "backup", "master"), change(23.31, "master", "backup")),
)  # fmt: skip
CRASH = [STRUCK, MENDED, GW1, GW2]


def verdict(*notes, exercise=None):
    (result,) = results([exercise or EXERCISE], notes)
    return result


def costs(result):
    return [
        (cost.phase, cost.told, cost.lost, cost.by)
        for group in result.groups
        for cost in group.costs
    ]


def test_without_probes_the_routers_tell_how_long_nobody_was_master():
    result = verdict(*CRASH)
    assert costs(result) == [
        ("crash", "3.600 s", None, "the routers"),
        ("return", "0.000 s", None, "the routers"),
    ]
    (group,) = result.groups
    assert [(each.router, round(each.start - T, 2), round(each.end - T, 2))
            for each in group.reigns] == [
        ("gw1", -1, 0), ("gw2", 3.6, 23.31), ("gw1", 23.3, 24.31),
    ]  # fmt: skip
    assert result.broken == []


def test_probes_are_believed_first_and_the_worst_of_them():
    result = verdict(
        *CRASH,
        note("crash", "h10", measured=measured((0.4, 1.4))),
        note("crash", "h11", measured=measured((0.4, 1.4), (2.0, 3.0))),
        note("return", "h10", measured=measured((23.3, 23.5))),
    )
    assert costs(result) == [
        ("crash", "2.000 s", 20, "probes of h11"),
        ("return", "0.200 s", 10, "probes of h10"),
    ]
    (sentence,) = result.broken
    assert sentence.startswith("crash on gw1: return, vlan10-v4: nobody answered for 0.200 s (by ")


def test_what_nobody_knows_was_not_kept():
    silent = note("return", "gw2", ended=T + 26, observed={"failed": True, "msg": "no engine"})
    result = verdict(STRUCK, MENDED, GW1, silent)
    assert [cost.is_kept for cost in result.groups[0].costs] == [False, False]
    assert result.remarks == ("gw2 did not tell what it remembers: no engine",)
    assert "nobody answered for not known" in result.broken[0]


def test_a_router_that_is_not_heard_of_again_fails_the_exercise():
    (failure,) = verdict(STRUCK, GW2).failures
    assert failure.startswith("gw1 could not be asked afterwards")


def test_a_daemon_that_goes_on_was_master_all_the_while():
    exercise = {**EXERCISE, "kind": "kill"}
    exercise["groups"] = [{**EXERCISE["groups"][0], "may_cost": {"kill": 0.0, "return": 0.0}}]
    struck = note("kill", "gw1", at=T, until=T + 0.1, event="the daemon is killed")
    own = observed("master", change(1.1, "initialize", "master", "resumed"))
    result = verdict(
        struck,
        note("return", "gw1", ended=T + 26, observed=own),
        note("return", "gw2", ended=T + 26, observed=observed("backup")),
        exercise=exercise,
    )
    assert result.broken == []


def test_who_says_good_bye_is_master_until_its_successor_is():
    exercise = {**EXERCISE, "kind": "stop"}
    exercise["groups"] = [{**EXERCISE["groups"][0], "may_cost": {"stop": 0.0, "return": 0.1}}]
    struck = note("stop", "gw1", at=T, until=T + 0.6, event="the engine is stopped")
    heir = observed("backup", change(0.4, "backup", "master"), change(23.31, "master", "backup"))
    other = note("return", "gw2", ended=T + 26, observed=heir)
    assert verdict(struck, MENDED, GW1, other, exercise=exercise).broken == []


def test_a_drain_and_its_end_are_events_of_their_phases():
    exercise = {**EXERCISE, "kind": "handover"}
    exercise["groups"] = [{**EXERCISE["groups"][0], "may_cost": {"handover": 0.1, "return": 0.1}}]
    drains = [
        {"at": T, "event": "drained: x", "drained": True},
        {"at": T + 8, "event": "no longer drained", "drained": False},
    ]
    own = observed(
        "master", change(0.01, "master", "backup"), change(9, "backup", "master"), drains=drains
    )
    heir = observed("backup", change(0.01, "backup", "master"), change(9, "master", "backup"))
    result = verdict(
        note("return", "gw1", ended=T + 26, observed=own),
        note("return", "gw2", ended=T + 26, observed=heir),
        exercise=exercise,
    )
    assert [(event.phase, event.text) for event in result.events] == [
        ("handover", "drained: x"), ("return", "no longer drained"),
    ]  # fmt: skip
    assert result.broken == []


def test_a_path_behind_the_gateway_has_the_budget_of_its_groups():
    far = measured((1, 9), target="203.0.113.1")
    result = verdict(*CRASH, note("crash", "h10", measured=far))
    ((name, cost),) = result.paths
    assert (name, cost.limit, cost.is_kept) == ("h10 to 203.0.113.1", 3.755, False)


def test_what_was_not_watched_to_its_end_is_told():
    short = note("crash", "h10", measured=measured(), began=T, ended=T + 40, watched=30)
    assert "was watched for 30.0 s only" in verdict(*CRASH, short).broken[0]


def test_a_clock_that_is_off_is_told():
    late = note("return", "gw2", ended=T + 20, observed=GW2["observed"])
    (remark,) = verdict(STRUCK, MENDED, GW1, late).remarks
    assert remark.startswith("the clock of gw2 is 6.0 s off")


def test_exercises_that_were_not_begun_have_no_verdict():
    assert results([EXERCISE, EXERCISE], CRASH)[-1].number == 0


def test_junit_counts_what_is_in_it():
    failure = note("crash", "gw2", failure="expected <gw2>\x1b[0m & seen nobody")
    root = ElementTree.fromstring(junit([verdict(*CRASH, failure)]).encode())
    (suite,) = root.findall("testsuite")
    for element in (root, suite):
        assert (element.get("tests"), element.get("failures")) == ("3", "1")
    assert [case.get("name") for case in suite.findall("testcase")] == [
        "vlan10-v4, crash", "vlan10-v4, return", "masters",
    ]  # fmt: skip
    (told,) = suite.findall("testcase/failure")
    assert told.get("message") == "crash: expected <gw2>?[0m & seen nobody"


def bars(root, colour):
    return [
        (float(each.get("x")), float(each.get("width")))
        for each in root.findall("svg:rect", NAMESPACE)
        if each.get("fill") == colour
    ]


def test_the_picture_shows_what_was_lost_where_it_was():
    result = verdict(*CRASH, note("crash", "h10", measured=measured((0.5, 3.5), (20, 20.001))))
    root = ElementTree.fromstring(picture(result, result.groups[0]))
    long, short = bars(root, LOST)
    begin, end = result.span
    scale = (960 - 150 - 24) / (end - begin)
    assert long == pytest.approx((150 + (T + 0.5 - begin) * scale, 3 * scale), abs=0.2)
    assert short[1] == 3.0  # what is too short to be seen is drawn wider
    texts = [text.text for text in root.findall("svg:text", NAMESPACE)]
    assert "3.000 s" in texts and "probes of h10" in texts
    assert [texts.count(number) for number in ("1", "2")] == [1, 1]
    for element in root.iter():
        for name in ("x", "cx", "x1", "x2"):
            assert 0 <= float(element.get(name, 0)) <= 960


def test_outages_that_are_close_have_one_label():
    close = measured((0.5, 0.51), (0.6, 0.62), (15, 16))
    result = verdict(*CRASH, note("crash", "h10", measured=close))
    root = ElementTree.fromstring(picture(result, result.groups[0]))
    labels = [text.text for text in root.iterfind("svg:text", NAMESPACE)
              if text.get("fill") == LOST]  # fmt: skip
    assert labels == ["0.030 s", "1.000 s"]


def test_the_page_needs_nothing_else_and_believes_nobody():
    name = "<script>alert(1)</script>"
    exercise = {**EXERCISE, "groups": [{**EXERCISE["groups"][0], "name": name}]}
    text = page([verdict(STRUCK, exercise=exercise)])
    assert name not in text and "&lt;script&gt;" in text
    assert text.count("<svg") == 1
    assert not re.search(r"""(src|href)=["'](?!#)""", text)
    assert "Failed:" in text


def test_the_table_has_a_line_for_each_budget():
    lines = table([verdict(*CRASH, note("return", "h10", measured=measured((23.3, 23.5))))])
    assert len(lines) == 3 and lines[0].startswith("EXERCISE")
    assert "0.100 s !" in lines[2] and "!" not in lines[1]


def test_notes_are_kept_and_unknown_fields_refused(tmp_path):
    notes = Notes(str(tmp_path / "plan"))
    assert notes.read() == []
    notes.add(0, "stop", "gw1", {"at": 1.0, "event": "x"})
    notes.add(0, "stop", "gw2", {"failure": "y"})
    assert sorted(each["host"] for each in notes.read()) == ["gw1", "gw2"]
    with pytest.raises(ValueError, match="when is none of"):
        notes.add(0, "stop", "gw1", {"when": 1})
