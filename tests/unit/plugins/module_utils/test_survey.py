# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A router is looked at, and nothing that it may be short of is an error."""

from __future__ import annotations

import hashlib
import os

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils import survey as plugin
from ansible_collections.vlangate.vrrp.plugins.module_utils.engine_install import NotInstalled
from ansible_collections.vlangate.vrrp.plugins.module_utils.host_prepare import CannotPrepare
from ansible_collections.vlangate.vrrp.plugins.module_utils.other_speakers import Speaker
from ansible_collections.vlangate.vrrp.plugins.module_utils.survey import Survey, argument_spec
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.parse import parse
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.render import canonical_json


def text(priority=200, **fields):
    router = {
        "name": "vlan10-v4",
        "interface": "vlan10",
        "family": "ipv4",
        "vrid": 10,
        "priority": priority,
        "addresses": ["198.18.10.254"],
    }
    return canonical_json(parse({"virtual_routers": [{**router, **fields}]}))


def sha256(document):
    return hashlib.sha256(document.encode()).hexdigest()


class Parts:
    """Stand-ins for the modules that a survey speaks for; each notes that it is in check mode."""

    def __init__(self, monkeypatch):
        self.engine_changes, self.host_changes = [], []
        self.engine_error = self.host_error = None
        self.checked = []
        self.speakers, self.units, self.asked_for = [], [], []
        monkeypatch.setattr(plugin, "speakers", self.running)
        monkeypatch.setattr(plugin, "waiting_units", lambda run, running: list(self.units))
        monkeypatch.setattr(plugin, "EngineInstall", lambda module: self.part(module, "engine"))
        monkeypatch.setattr(plugin, "HostPrepare", lambda module: self.part(module, "host"))

    def running(self, directory, daemon_pid):
        self.asked_for.append((directory, daemon_pid))
        return list(self.speakers)

    def part(self, module, what):
        parts = self

        class Part:
            changes = getattr(parts, what + "_changes")

            def look(self):
                parts.checked.append((what, module.check_mode))
                error = getattr(parts, what + "_error")
                if error is not None:
                    raise error
                return {"upgraded": "in-place" if self.changes else None}

            present = run = look

        return Part()


@pytest.fixture
def parts(monkeypatch):
    return Parts(monkeypatch)


@pytest.fixture
def look(tmp_path, runtime_dir, module_for, parts):
    """Survey a router that has `here` in its file, for a plan that wants `wanted`."""

    def run(wanted, here=None, directory=runtime_dir, **more):
        path = tmp_path / "config.json"
        if here is not None:
            path.write_text(here)
        params = {name: option.get("default") for name, option in argument_spec().items()}
        params.update(
            directory=str(tmp_path / "lib"),
            config_file=str(path),
            runtime_dir=directory,
            manage_service=False,
            timeout=5,
        )
        params.update(more)
        module = module_for(**params)
        survey = Survey(
            module, {"manifest": {"release": "1-b"}, "config": wanted, "interfaces": []}
        )
        return survey, survey.run()

    return run


def answers(document, **engine):
    shown = {"name": "vlan10-v4", "state": "master", "priority": 200, "drained": False, "peers": []}
    status = {"release": "1-b", "config_sha256": sha256(document), "probation": None, **engine}
    return {"show.routers": {"engine": status, "routers": [shown]}}


def test_a_router_that_has_nothing(look, parts):
    parts.engine_changes.append("release 1-b unpacked")
    survey, found = look(text())
    assert not found["in_order"] and not found["changed"] and not survey.warnings
    assert found["engine"] == {
        "release": None,
        "wanted": "1-b",
        "is_wanted": False,
        "service": "inactive",
        "changes": ["release 1-b unpacked"],
        "upgraded": "in-place",
        "error": None,
    }
    assert found["config"] is None and found["routers"] == [] and found["problems"] == []
    assert [(each["kind"], each["name"]) for each in found["changes"]] == [("added", "vlan10-v4")]


def test_a_router_that_needs_nothing(look, daemon, parts):
    daemon.answers = answers(text())
    _survey, found = look(text(), text())
    assert found["in_order"] and found["config_is_wanted"] and found["changes"] == []
    assert found["engine"]["release"] == "1-b" and found["engine"]["service"] == "active"
    assert found["routers"][0]["state"] == "master" and found["drained"] == []
    assert "peers" not in found["routers"][0]
    assert daemon.asked == ["show.routers"], "one question is enough"


def test_nobody_touches_the_router(look, parts):
    look(text())
    assert parts.checked == [("engine", True), ("host", True)]


def test_one_that_has_another_configuration(look, daemon):
    daemon.answers = answers(text(150))
    _survey, found = look(text(), text(150))
    (change,) = found["changes"]
    assert (change["fields"], change["hitless"]) == (["priority"], True)
    assert found["config"]["virtual_routers"][0]["priority"] == 150
    assert not found["config_is_wanted"] and not found["in_order"]


def test_without_a_daemon_the_file_and_the_installed_release_count(look, tmp_path):
    os.makedirs(str(tmp_path / "lib"))
    os.symlink("releases/1-a", str(tmp_path / "lib" / "current"))
    _survey, found = look(text(), text())
    assert found["engine"]["release"] == "1-a" and found["engine"]["service"] == "inactive"
    assert found["config_is_wanted"] and found["config"]["virtual_routers"]


def test_what_runs_counts_when_it_is_not_what_the_file_has(look, daemon):
    told = [{"kind": "changed", "name": "vlan10-v4", "fields": ["priority"]}]
    daemon.answers = {
        **answers(text(150)),
        "config.get": {"document": {"format": 1}},
        "config.check": {"problems": [], "changes": told},
    }
    survey, found = look(text(), text())
    assert found["config"] == {"format": 1} and found["changes"] == told
    assert not found["config_is_wanted"] and "another configuration" in survey.warnings[0]


def test_a_daemon_that_knows_less_than_the_plan_leaves_us_the_file(look, daemon):
    daemon.answers = {
        **answers(text(150)),
        "config.get": {"document": {"format": 1}},
        "config.check": {"problems": [{"code": "unknown-key"}], "changes": []},
    }
    _survey, found = look(text(), text(120))
    assert [change["fields"] for change in found["changes"]] == [["priority"]]


@pytest.mark.parametrize("silent", ["show.routers", "config.get"])
def test_a_daemon_that_does_not_answer_is_a_problem_and_no_failure(look, daemon, silent):
    error = {"error": {"code": "busy", "message": "an upgrade is under way"}}
    daemon.answers = {**answers(text(150)), "config.get": {"document": {}}, silent: error}
    _survey, found = look(text(), text())
    assert found["problems"] == ["the engine does not answer: an upgrade is under way"]
    assert not found["in_order"]


def test_an_older_daemon_tells_less(look, daemon):
    daemon.answers = {"show.routers": {"engine": {"release": "0-a"}, "routers": [{"name": "v"}]}}
    _survey, found = look(text(), text())
    assert found["engine"]["release"] == "0-a" and found["probation"] is None
    assert found["routers"][0]["state"] is None and found["drained"] == []


def test_a_file_that_cannot_be_read_is_replaced(look):
    survey, found = look(text(), "{")
    assert found["config"] is None and found["changes"][0]["kind"] == "added"
    assert "config.json is not usable" in survey.warnings[0] and found["problems"] == []


def test_what_is_on_probation_is_not_in_order(look, daemon):
    daemon.answers = answers(text(), probation={"remaining_ns": 1})
    _survey, found = look(text(), text())
    assert found["probation"] == {"remaining_ns": 1}
    assert found["config_is_wanted"] and not found["in_order"]


def test_drained_is_told_and_not_judged(look, daemon):
    daemon.answers = answers(text(), drained_all=True)
    daemon.answers["show.routers"]["routers"][0]["drained"] = True
    _survey, found = look(text(), text())
    assert found["drained"] == ["vlan10-v4"] and found["drained_all"] and found["in_order"]


def test_what_keeps_a_router_from_being_brought_in_order(look, daemon, parts):
    daemon.answers = answers(text())
    parts.engine_error = NotInstalled("the engine needs Python")
    parts.host_error = CannotPrepare("systemd-networkd does not run here")
    _survey, found = look(text(), text())
    assert found["problems"] == ["the engine needs Python", "systemd-networkd does not run here"]
    assert found["engine"]["error"] == "the engine needs Python"
    assert not found["engine"]["is_wanted"] and not found["in_order"]


def test_what_the_host_is_short_of(look, daemon, parts):
    daemon.answers = answers(text())
    parts.host_changes.append("net/ipv4/ip_forward set to 1")
    _survey, found = look(text(), text())
    assert found["host_changes"] == ["net/ipv4/ip_forward set to 1"] and not found["in_order"]


KEEPALIVED = Speaker("keepalived", "running", "keepalived.service", (811, 812), 4)


def test_another_speaker_is_a_problem(look, daemon, parts, tmp_path):
    daemon.answers = answers(text(), pid=41)
    parts.speakers = [KEEPALIVED]
    survey, found = look(text(), text())
    assert parts.asked_for == [(str(tmp_path / "lib"), 41)]
    (problem,) = found["problems"]
    assert "keepalived (processes 811, 812 of keepalived.service; 4 VRRP sockets)" in problem
    assert "replace_keepalived" in problem and not found["in_order"] and not survey.warnings
    (told,) = found["other_speakers"]
    assert told == {"program": "keepalived", "state": "running", "unit": "keepalived.service",
                    "pids": (811, 812), "sockets": 4}  # fmt: skip


def test_one_that_is_tolerated_is_told_and_no_problem(look, daemon, parts):
    daemon.answers = answers(text())
    parts.speakers = [KEEPALIVED]
    survey, found = look(text(), text(), tolerated_speakers=["keepalived"])
    assert found["in_order"] and found["problems"] == [] and survey.warnings == []
    assert found["other_speakers"][0]["program"] == "keepalived"
    _survey, found = look(text(), text(), tolerated_speakers=["uvrrpd"])
    assert len(found["problems"]) == 1


@pytest.mark.parametrize(("state", "is_problem"), [("enabled", False), ("starting", True)])
def test_one_that_does_not_run_yet(look, daemon, parts, monkeypatch, tmp_path, state, is_problem):
    monkeypatch.setattr(plugin, "SYSTEMD_RUNS", str(tmp_path))
    monkeypatch.setattr(plugin.Service, "state", lambda self: {"ActiveState": "active"})
    daemon.answers = answers(text())
    parts.units = [Speaker("keepalived", state, "keepalived.service")]
    survey, found = look(text(), text(), manage_service=True)
    assert len(found["problems"]) == is_problem and found["in_order"] == (not is_problem)
    assert len(survey.warnings) == (not is_problem)
    assert "keepalived.service" in (found["problems"] + survey.warnings)[0]


def test_units_of_a_systemd_that_does_not_count_are_not_asked_for(look, daemon, parts):
    daemon.answers = answers(text())
    parts.units = [Speaker("keepalived", "starting", "keepalived.service")]
    _survey, found = look(text(), text(), manage_service=False)
    assert found["other_speakers"] == [] and found["in_order"]


def test_no_secret_comes_back(look, daemon):
    document = text(version=2, password="verysecr")
    daemon.answers = answers(document)
    _survey, found = look(text(version=2, password="another1"), document)
    assert found["changes"][0]["fields"] == ["password"]
    assert "verysecr" not in str(found) and "another1" not in str(found)
