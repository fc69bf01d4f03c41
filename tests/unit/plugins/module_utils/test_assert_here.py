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
    "master_address": None,
    "master_priority": None,
    "master_down_interval_ns": 1,
}


def options(runtime_dir, **given):
    spec = assert_here.argument_spec()
    params = {name: option.get("default") for name, option in spec.items()}
    return {**params, "runtime_dir": runtime_dir, "poll": 0, **given}


def waited(params):
    return assert_here.wait(assert_here.stated(params), params)


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
