# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a statement to become true."""

from __future__ import annotations

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils import assert_here

ROUTER = {
    "name": "vlan10-v4",
    "interface": "vlan10",
    "family": "ipv4",
    "vrid": 10,
    "state": "backup",
    "state_age_ns": 1000000000,
    "waiting": None,
    "addresses": [],
    "virtual_mac": "",
    "effective_priority": 100,
    "primary_address": "198.18.10.253",
    "master_address": None,
    "master_priority": None,
    "master_down_interval_ns": 1,
}


def options(runtime_dir, **given):
    spec = assert_here.argument_spec()
    params = {name: option.get("default") for name, option in spec.items()}
    return {**params, "runtime_dir": runtime_dir, "poll": 0, **given}


def waited(params):
    look = assert_here.wait(assert_here.stated(params), params)
    return look.routers, look.unmet


def test_it_waits_until_it_is_so(daemon):
    states = ["initialize", "backup", "master"]
    daemon.answers["show.routers"] = lambda params: {
        "routers": [{**ROUTER, "state": states.pop(0), "waiting": "x"}]
    }
    params = options(daemon.runtime_dir, name="vlan10-v4", state="master", timeout=60)
    routers, unmet = waited(params)
    assert (routers[0]["state"], unmet) == ("master", [])


def test_after_the_timeout_it_says_what_it_saw(daemon):
    daemon.answers["show.routers"] = {"routers": [ROUTER]}
    params = options(daemon.runtime_dir, name="vlan10-v4", state="master", timeout=0)
    assert waited(params) == (
        [ROUTER],
        ["vlan10-v4: expected master, but it is backup for 1.0 s"],
    )


def test_many_statements_are_one_question(daemon):
    daemon.answers["show.routers"] = {"routers": [ROUTER]}
    expect = [{"name": "vlan10-v4", "state": "backup"}, {"name": "x"}, {"name": "y"}]
    _routers, unmet = waited(options(daemon.runtime_dir, expect=expect, timeout=0))
    assert [sentence[:2] for sentence in unmet] == ["x:", "y:"]
    assert daemon.asked == ["show.routers"]


def test_a_silent_engine_is_told(runtime_dir):
    routers, unmet = waited(options(runtime_dir, name="vlan10-v4", timeout=0))
    assert routers == []
    assert unmet[0].startswith("the engine does not answer: nothing answers at")


@pytest.mark.parametrize("given, count", [({}, 0), ({"vrid": 10}, 1), ({"expect": [{}, {}]}, 2)])
def test_what_is_stated(given, count):
    assert len(assert_here.stated(options("/run/x", **given))) == count


def test_a_daemon_that_takes_long_to_answer_is_asked_less_often(daemon, monkeypatch):
    now, pauses = [0.0], []

    def answer(params):
        now[0] += (0.02, 0.1, 3, 0)[len(pauses)]
        return {"routers": [{**ROUTER, "state": "master" if len(pauses) == 3 else "backup"}]}

    monkeypatch.setattr(assert_here.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(assert_here.time, "sleep", pauses.append)
    daemon.answers["show.routers"] = answer
    params = options(daemon.runtime_dir, name="vlan10-v4", state="master", timeout=3.5)
    waited({**params, "poll": 0.2})
    assert pauses == pytest.approx([0.2, 0.4, 0.38])  # the last until the timeout


BACKUP = {**ROUTER, "addresses": ["198.18.10.254"], "virtual_mac": "00:00:5e:00:01:0a"}


@pytest.fixture
def answer(monkeypatch):
    """Let the LAN answer with these MAC addresses, one set for each time that it is asked."""
    asked = []

    def who_answers(questions, timeout_s):
        asked.append(list(questions))
        macs = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(macs, OSError):
            raise macs
        return dict.fromkeys(questions, frozenset(macs))

    said = []
    monkeypatch.setattr(assert_here, "who_answers", who_answers)

    def make(*macs):
        said.extend(macs)
        return asked

    return make


def probed(daemon, routers, **given):
    daemon.answers["show.routers"] = {"routers": routers}
    params = options(daemon.runtime_dir, **{"name": "vlan10-v4", "probe": True, **given})
    return assert_here.wait(assert_here.stated(params), params)


def test_a_backup_asks_until_the_virtual_mac_answers(daemon, answer):
    asked = answer([], ["52:54:00:00:00:01"], ["00:00:5e:00:01:0a"])
    look = probed(daemon, [BACKUP, {**BACKUP, "name": "other"}], timeout=60)
    assert look.unmet == []
    assert look.answers == [
        {"name": "vlan10-v4", "address": "198.18.10.254", "macs": ["00:00:5e:00:01:0a"]}
    ]
    question = assert_here.Question("vlan10", "198.18.10.254", "198.18.10.253")
    assert asked == [[question]] * 3


@pytest.mark.parametrize(
    "macs, told",
    [
        ([], "nobody"),
        (["52:54:00:00:00:01"], "52:54:00:00:00:01"),
        (["52:54:00:00:00:01", "00:00:5e:00:01:0a"], "00:00:5e:00:01:0a, 52:54:00:00:00:01"),
    ],
)
def test_who_answers_instead_is_told(daemon, answer, macs, told):
    answer(macs)
    look = probed(daemon, [BACKUP], timeout=0)
    assert look.unmet == [
        "vlan10-v4: 198.18.10.254 is answered for by %s, expected the virtual MAC "
        "00:00:5e:00:01:0a" % told
    ]


def test_a_master_asks_for_nothing(daemon, answer):
    asked = answer([])
    look = probed(daemon, [{**BACKUP, "state": "master"}], timeout=0)
    assert (look.unmet, look.answers, asked) == ([], [], [[]])


def test_nothing_is_asked_before_the_state_is_right_or_unasked_for(daemon, answer):
    asked = answer([])
    assert len(probed(daemon, [BACKUP], state="master", timeout=0).unmet) == 1
    assert probed(daemon, [BACKUP], probe=None, timeout=0).unmet == []
    assert asked == []


def test_that_it_may_not_ask_is_told(daemon, answer):
    answer(PermissionError(1, "Operation not permitted"))
    look = probed(daemon, [BACKUP], timeout=0)
    assert look.unmet == [
        "the virtual addresses cannot be asked for: [Errno 1] Operation not permitted"
    ]
