# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit, and when a daemon counts as well."""

from __future__ import annotations

from ansible_collections.vlangate.vrrp.plugins.module_utils import engine_service

PARAMS = {
    "python": "/usr/bin/python3",
    "directory": "/usr/lib/vlangate",
    "config_file": "/etc/vlangate/config.json",
    "runtime_dir": "/run/vlangate",
    "control_group": "vlangate",
    "realtime_priority": 20,
}


def document(release="1-a", **router):
    routers = [{"name": "vlan10-v4", "state": "backup", "waiting": None, **router}]
    return {"engine": {"release": release}, "routers": routers}


def test_the_unit_runs_and_fences_the_current_release():
    lines = engine_service.unit_text(PARAMS).splitlines()
    assert (
        "ExecStopPost=/usr/bin/python3 -I /usr/lib/vlangate/current cleanup --after-crash "
        "--runtime-dir /run/vlangate" in lines
    )
    assert "RuntimeDirectory=vlangate" in lines
    assert "StateDirectory=vlangate" in lines
    assert (
        "    --runtime-dir /run/vlangate --state-dir /var/lib/vlangate --control-group vlangate"
        in lines
    )
    for setting in ("Type=notify", "WatchdogSec=10s", "Restart=always", "CPUSchedulingPolicy=rr"):
        assert setting in lines


def test_the_real_time_class_can_be_left_out():
    text = engine_service.unit_text({**PARAMS, "realtime_priority": 0})
    assert "CPUScheduling" not in text and "LimitRTPRIO" not in text


def test_a_process_that_warms_up_may_come_back_to_the_real_time_class():
    lines = engine_service.unit_text(PARAMS).splitlines()
    assert "CPUSchedulingPriority=20" in lines and "LimitRTPRIO=20" in lines


def test_a_daemon_of_the_release_is_well(daemon):
    daemon.answers["show.routers"] = document()
    assert engine_service.complaint(daemon.runtime_dir, "1-a") is None


def test_a_group_that_waits_for_something_is_well(daemon):
    daemon.answers["show.routers"] = document(state="initialize", waiting="no interface vlan10")
    assert engine_service.complaint(daemon.runtime_dir, "1-a") is None


def test_a_group_that_only_just_starts_is_not(daemon):
    daemon.answers["show.routers"] = document(state="initialize")
    assert "vlan10-v4" in engine_service.complaint(daemon.runtime_dir, "1-a")


def test_another_release_is_not_well(daemon):
    daemon.answers["show.routers"] = document()
    assert (
        engine_service.complaint(daemon.runtime_dir, "1-b") == "release 1-a answers there, not 1-b"
    )


def test_nobody_is_not_well(runtime_dir):
    assert "nothing answers at" in engine_service.complaint(runtime_dir, "1-a")
    assert engine_service.running_release(runtime_dir) is None


def test_waiting_ends_when_it_is_well(daemon, monkeypatch):
    answers = [document("1-a"), document("1-b", state="initialize"), document("1-b")]
    daemon.answers["show.routers"] = lambda params: answers.pop(0)
    monkeypatch.setattr(engine_service, "POLL_S", 0)
    assert engine_service.wait_until_well(daemon.runtime_dir, "1-b", 60) is None
    assert answers == []


def test_waiting_ends_with_the_last_complaint(daemon):
    daemon.answers["show.routers"] = document("1-a")
    assert "not 1-b" in engine_service.wait_until_well(daemon.runtime_dir, "1-b", 0)
