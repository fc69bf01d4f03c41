# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the requests do: every method, reloads that change nothing, what is shown of them."""

import hashlib
import json
import os
import re
from pathlib import Path

import pytest
from engine_kit.ports import FakeClock, FakeDataplane, FakeIO, FakeLog, FakeProber
from engine_kit.values import NS_PER_S, T0, config, group, link, ping

from vrrp.config.parse import parse
from vrrp.config.render import canonical_json, document
from vrrp.control.schema import Request, result_line
from vrrp.daemon.applier import Applier
from vrrp.daemon.beginning import SOURCE_FILE, Beginning, Version, read_config
from vrrp.daemon.commitment import Commitment
from vrrp.daemon.drains import Drains
from vrrp.daemon.release import Release
from vrrp.daemon.requests import Requests
from vrrp.daemon.shell import Shell
from vrrp.daemon.state_files import StateFiles
from vrrp.errors import ConfigError, ControlError
from vrrp.fsm.states import State
from vrrp.router.events import Tick
from vrrp.router.vrrp_router import VrrpRouter

DOCS = Path(__file__).resolve().parents[4] / "docs" / "control.md"
(EXAMPLE,) = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
PROMISED = json.loads(EXAMPLE)
RUNNING = config(group(), group("other", vrid=11, addresses=("198.18.10.9",)))


class Daemon:
    """Requests over a router whose configuration file can be written."""

    def __init__(self, directory):
        self.journal, self.clock = [], FakeClock()
        self.io, self.prober = FakeIO(self.journal), FakeProber()
        self.file = directory / "config.json"
        self.write(RUNNING)
        self.router = VrrpRouter(RUNNING, (link(),), T0)
        log = FakeLog(self.journal)
        shell = Shell(self.router, self.io, FakeDataplane(self.journal), log)
        files = StateFiles(str(directory / "state"), log)
        drains = Drains(shell, files, self.clock, log)
        beginning = Beginning(Version(RUNNING), SOURCE_FILE)
        apply = Applier(shell, self.prober, drains, self.clock)
        commitment = Commitment(
            beginning, str(self.file), files, self.clock, log, apply, lambda *_told: None
        )
        self.requests = Requests(shell, commitment, drains, files, self.clock, {"nftables": True})
        shell.step(Tick(), T0)

    def write(self, wanted):
        self.file.write_text(
            wanted if isinstance(wanted, str) else canonical_json(wanted), encoding="utf-8"
        )

    def ask(self, method, **params):
        """The result as a client gets it."""
        result = self.requests.handle(Request(1, method, params))
        return json.loads(result_line(1, result))["result"]

    def refusal(self, method, **params):
        with pytest.raises(ControlError) as caught:
            self.ask(method, **params)
        return caught.value


@pytest.fixture(name="daemon")
def daemon_in_a_directory(tmp_path):
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.io.close()


# Showing


def test_status_has_the_documented_keys(daemon):
    shown = daemon.ask("show.status")
    assert set(shown) == {"engine"}
    assert set(shown["engine"]) == set(PROMISED["engine"])


def test_status(daemon):
    daemon.clock.time_ns += 5 * NS_PER_S
    engine = daemon.ask("show.status")["engine"]
    assert engine["pid"] == os.getpid()
    assert engine["uptime_ns"] == 5 * NS_PER_S
    assert engine["config_file"] == str(daemon.file)
    digest = hashlib.sha256(canonical_json(RUNNING).encode()).hexdigest()
    assert engine["config_sha256"] == digest
    assert engine["features"] == {"nftables": True}
    assert engine["last_reload_error"] is None


def test_the_whole_document(daemon):
    shown = daemon.ask("show.routers")
    assert set(shown) == set(PROMISED)
    assert [each["name"] for each in shown["routers"]] == ["other", "vlan10"]


def test_one_virtual_router(daemon):
    shown = daemon.ask("show.routers", name="vlan10")
    assert [each["name"] for each in shown["routers"]] == ["vlan10"]
    assert set(shown) == set(PROMISED)


@pytest.mark.parametrize("name", ("nonsense", 7, {}, ""))
def test_an_unknown_name_tells_which_there_are(daemon, name):
    refusal = daemon.refusal("show.routers", name=name)
    assert refusal.code == "unknown-name"
    assert "other, vlan10" in refusal.message


# Configuration


def test_the_running_configuration(daemon):
    assert parse(daemon.ask("config.get")["document"]) == RUNNING


def test_a_good_document_tells_its_changes(daemon):
    wanted = document(config(group(priority=120)))
    checked = daemon.ask("config.check", document=wanted)
    assert set(checked) == {"problems", "changes"} and checked["problems"] == []
    assert without_costs(checked["changes"]) == [
        {"kind": "removed", "name": "other", "fields": [], "hitless": False},
        {"kind": "changed", "name": "vlan10", "fields": ["priority"], "hitless": True},
    ]
    assert checked["changes"][1]["cost"].startswith("priority: told with the next advertisement")
    assert daemon.router.config == RUNNING, "checking changes nothing"


def test_a_bad_document_tells_all_its_problems(daemon):
    wanted = document(config(group(vrid=300, priority=0)))
    checked = daemon.ask("config.check", document=wanted)
    assert checked["changes"] == []
    assert {each["path"] for each in checked["problems"]} == {
        "virtual_routers[vlan10].vrid",
        "virtual_routers[vlan10].priority",
    }
    assert all(each["message"] and each["hint"] for each in checked["problems"])


@pytest.mark.parametrize("nonsense", ([], "text", 7, None, {"virtual_routers": 5}))
def test_what_is_no_document_is_a_problem(daemon, nonsense):
    assert daemon.ask("config.check", document=nonsense)["problems"]


def without_costs(changes):
    """Changes as they are told, where each of them says what it costs."""
    assert all(change["cost"] for change in changes)
    return [{key: change[key] for key in change if key != "cost"} for change in changes]


# Reloading


def test_a_reload_changes_what_differs(daemon):
    daemon.write(config(group(priority=120), group("new", vrid=12, addresses=("198.18.10.9",))))
    assert without_costs(daemon.ask("do.reload")["changes"]) == [
        {"kind": "added", "name": "new", "fields": [], "hitless": True},
        {"kind": "removed", "name": "other", "fields": [], "hitless": False},
        {"kind": "changed", "name": "vlan10", "fields": ["priority"], "hitless": True},
    ]
    assert [each.config.name for each in daemon.router.bound_routers()] == ["new", "vlan10"]


def test_a_reload_gives_the_prober_its_trackers(daemon):
    daemon.write(config(group(), trackers=(ping(),)))
    daemon.ask("do.reload")
    assert daemon.prober.trackers == (ping(),)


def test_a_reload_of_the_same_changes_nothing(daemon):
    daemon.journal.clear()
    deadline_ns = daemon.router.deadline_ns
    answer = daemon.ask("do.reload")
    assert (answer["changes"], answer["probation"]) == ([], None)
    assert [each[0] for each in daemon.journal] == ["log"]
    assert daemon.router.deadline_ns == deadline_ns


BAD_FILES = {
    "no JSON": "{",
    "wrong": canonical_json(config(group(vrid=300))),
    "not UTF-8": None,
    "missing": None,
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_leaves_everything_running_and_is_shown(daemon, name):
    if name == "missing":
        daemon.file.unlink()
    elif name == "not UTF-8":
        daemon.file.write_bytes(b'{"virtual_routers": "\xff"}')
    else:
        daemon.write(BAD_FILES[name])
    bounds, deadline_ns = daemon.router.bound_routers(), daemon.router.deadline_ns
    daemon.journal.clear()
    with pytest.raises(ConfigError):
        daemon.ask("do.reload")
    assert (daemon.router.bound_routers(), daemon.router.deadline_ns) == (bounds, deadline_ns)
    assert {each.state for each in bounds} == {State.BACKUP}
    assert daemon.router.config == RUNNING
    ((kind, level, message),) = daemon.journal
    assert (kind, level) == ("log", "error")
    assert "the running configuration stays" in message
    shown = daemon.ask("show.status")["engine"]
    assert shown["last_reload_error"]
    assert shown["last_reload_error"] in message


def test_a_good_file_ends_the_complaint(daemon):
    daemon.write("{")
    with pytest.raises(ConfigError):
        daemon.ask("do.reload")
    daemon.write(RUNNING)
    daemon.ask("do.reload")
    assert daemon.ask("show.status")["engine"]["last_reload_error"] is None


def test_a_file_that_cannot_be_read_names_itself(tmp_path):
    with pytest.raises(ConfigError) as caught:
        read_config(str(tmp_path / "absent.json"))
    (problem,) = caught.value.problems
    assert problem.path.endswith("absent.json")
    assert problem.code == "unreadable"


# Refusals


def test_an_unknown_method_tells_which_there_are(daemon):
    refusal = daemon.refusal("do.magic")
    assert refusal.code == "unknown-method"
    for known in (
        "show.status",
        "show.routers",
        "config.get",
        "config.check",
        "do.reload",
        "do.confirm",
        "do.rollback",
        "do.drain",
        "do.undrain",
        "watch",
    ):
        assert known in refusal.message


@pytest.mark.parametrize(
    "method",
    (
        "show.status",
        "show.routers",
        "config.get",
        "config.check",
        "do.reload",
        "do.confirm",
        "do.rollback",
        "do.drain",
        "do.undrain",
    ),
)
def test_unknown_parameters_are_refused(daemon, method):
    refusal = daemon.refusal(method, nonsense=1)
    assert refusal.code == "bad-parameters"
    assert "nonsense" in refusal.message


# Upgrades


class FakeUpgrade:
    def __init__(self):
        self.is_running = False

    def start(self):
        self.is_running = True
        return {}

    def status(self):
        return {"state": "running", "why": None} if self.is_running else None


def test_while_another_release_takes_over_nothing_is_changed(daemon):
    daemon.requests.upgrade = FakeUpgrade()
    assert daemon.ask("show.status")["engine"]["upgrade"] is None
    assert daemon.ask("do.upgrade") == {}
    assert daemon.ask("show.status")["engine"]["upgrade"]["state"] == "running"
    for method in ("upgrade", "reload", "confirm", "rollback", "drain", "undrain"):
        assert daemon.refusal("do." + method).code == "busy"


def test_who_cannot_be_upgraded_says_so(daemon):
    assert daemon.refusal("do.upgrade").code == "upgrade-failed"


# The release


def test_a_source_tree_says_so():
    assert Release.of_this_engine() == Release("source", "source")


@pytest.mark.parametrize(
    "text, release",
    (
        ('{"version": "1.2.3", "release": "abc", "more": 1}', Release("1.2.3", "abc")),
        ('{"version": "1.2.3"}', Release("source", "source")),
        ("{", Release("source", "source")),
    ),
)
def test_a_release_reads_its_manifest(tmp_path, monkeypatch, text, release):
    manifest = tmp_path / "manifest.json"
    manifest.write_text(text, encoding="utf-8")
    monkeypatch.setattr("vrrp.daemon.release._MANIFEST", str(manifest))
    assert Release.of_this_engine() == release


def test_a_long_answer_leaves_time_for_advertisements(daemon):
    """Each few virtual routers; what has been shown is as it was when it was looked at."""
    many = [
        group("g%03d" % number, vrid=number + 1, addresses=("198.18.11.%d" % (number + 1),))
        for number in range(200)
    ]
    daemon.write(config(*many))
    daemon.ask("do.reload")
    breaths = []
    daemon.requests.breathe = lambda: breaths.append(None)
    found = daemon.ask("show.routers")["routers"]
    assert [router["name"] for router in found] == [each.name for each in many]
    assert len(breaths) == 3
    daemon.ask("show.routers", name="g150")
    assert len(breaths) == 3
