# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: exit statuses, what goes to which stream, JSON for programs."""

import json
import types

import jsonschema
import pytest
from engine_kit.driver import master
from engine_kit.values import config, group, group6, ping

from vrrp.cli import main as cli
from vrrp.config.model import TrackReference
from vrrp.config.parse import parse_json
from vrrp.config.render import canonical_json, document
from vrrp.control.client import RefusedRequest
from vrrp.errors import ControlError, PlatformError
from vrrp.router.gaps import Lateness
from vrrp.router.snapshot import snapshot

ENGINE = {
    "version": "0.1.0",
    "release": "0.1.0-3f2a",
    "uptime_ns": 1,
    "config_source": "file",
    "config_problems": [],
    "last_reload_error": None,
    "probation": None,
    "state_problems": [],
    "lateness": Lateness().document(0),
}
GOOD = config(group(), group6(track=(TrackReference("uplink", 7),)), trackers=(ping(),))


@pytest.fixture(autouse=True)
def nobody_answers(tmp_path, monkeypatch):
    """Whatever runs on the host of these tests."""
    monkeypatch.setattr(cli, "RUNTIME_DIR", str(tmp_path / "run"))


@pytest.fixture(name="file")
def configuration_file(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(canonical_json(GOOD), encoding="utf-8")
    return path


@pytest.fixture(name="host")
def daemon_main_without_a_host(monkeypatch):
    """Stands in for daemon/main.py, which needs Linux and its own tests."""
    host = types.ModuleType("vrrp.daemon.main")
    host.report = {"features": {"nftables": True}, "missing": [], "warnings": []}
    host.asked = []

    def host_report(wanted):
        host.asked.append(wanted)
        return {key: type(value)(value) for key, value in host.report.items()}

    host.host_report = host_report
    monkeypatch.setitem(__import__("sys").modules, "vrrp.daemon.main", host)
    return host


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


# check


def test_a_good_file(file, capsys):
    assert run("check", file) == 0
    assert capsys.readouterr().out == "%s: configuration OK\n" % file


def test_a_good_file_for_programs(file, capsys):
    assert run("check", "--json", file) == 0
    assert json.loads(capsys.readouterr().out) == {
        "problems": [],
        "warnings": [],
        "changes": None,
    }


def test_a_wrong_file_tells_all_its_problems(file, capsys):
    file.write_text(canonical_json(config(group(vrid=300, priority=0))), encoding="utf-8")
    assert run("check", file) == 2
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: virtual_routers[vlan10].") for line in lines)
    assert "configuration OK" not in "".join(lines)


def test_a_wrong_file_for_programs(file, capsys):
    file.write_text(canonical_json(config(group(vrid=300))), encoding="utf-8")
    assert run("check", "--json", file) == 2
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["path"] == "virtual_routers[vlan10].vrid"
    assert set(problem) == {"path", "code", "message", "hint"}


@pytest.mark.parametrize("content", (None, b'{"virtual_routers": "\xff"}', b"{"))
def test_a_file_that_cannot_be_read_is_a_problem_too(file, content, capsys):
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    assert run("check", "--json", file) == 2
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["code"] in ("unreadable", "syntax")
    assert problem["hint"]


def test_warnings_of_this_host(file, host, capsys):
    host.report["warnings"] = ["vlan10 will wait: interface lan0 does not exist"]
    assert run("check", "--host", file) == 1
    assert capsys.readouterr().out.splitlines() == [
        "warning: vlan10 will wait: interface lan0 does not exist",
        "%s: configuration OK" % file,
    ]
    assert host.asked == [GOOD]


def test_warnings_of_this_host_for_programs(file, host, capsys):
    host.report["warnings"] = ["vlan10 will wait"]
    assert run("check", "--host", "--json", file) == 1
    assert json.loads(capsys.readouterr().out) == {
        "problems": [],
        "warnings": ["vlan10 will wait"],
        "changes": None,
    }


def test_a_host_that_lacks_something(file, host, capsys):
    host.report["missing"] = ["Python is older than 3.8"]
    assert run("check", "--host", file) == 2
    assert capsys.readouterr().out == "error: host: Python is older than 3.8\n"


def test_a_wrong_file_and_a_lacking_host_are_told_together(file, host, capsys):
    file.write_text("{", encoding="utf-8")
    host.report["missing"] = ["macvlan"]
    assert run("check", "--host", "--json", file) == 2
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [each["path"] for each in problems] == ["document", "host"]
    assert host.asked == [None]


def test_a_good_file_is_not_held_against_this_host_unasked(file, host):
    host.report["missing"] = ["everything"]
    assert run("check", file) == 0


# schema


def test_the_schema_is_valid_and_accepts_what_the_engine_writes(capsys):
    assert run("schema") == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(canonical_json(GOOD)))


@pytest.mark.parametrize(
    "change", ({"vrid": 0}, {"vrid": "ten"}, {"nonsense": 1}, {"priority": 256}, {"family": "ipx"})
)
def test_the_schema_refuses_what_the_engine_refuses(change, capsys):
    run("schema")
    schema = json.loads(capsys.readouterr().out)
    wanted = document(config(group()))
    wanted["virtual_routers"][0].update(change)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(wanted)
    with pytest.raises(cli.ConfigError):
        parse_json(json.dumps(wanted))


# show, why, watch


class FakeClient:
    """A daemon that runs one virtual router."""

    def __init__(self, failure=None):
        self.asked, self.failure = [], failure
        self.driver = master(config(group()))

    def in_directory(self, runtime_dir):
        self.asked.append(runtime_dir)
        return self

    def __enter__(self):
        if self.failure:
            raise self.failure
        return self

    def __exit__(self, *_exception):
        self.asked.append("closed")

    def call(self, method, **params):
        self.asked.append((method, params))
        shown = snapshot(self.driver.router, self.driver.now_ns)
        return {**shown, "engine": ENGINE}

    def events(self):
        yield {"kind": "transition", "name": "vlan10", "message": "backup -> master"}


@pytest.fixture(name="daemon")
def daemon_behind_the_socket(monkeypatch):
    client = FakeClient()
    monkeypatch.setattr(cli, "ControlClient", client)
    return client


def test_show_prints_the_table(daemon, capsys):
    assert run("show", "--runtime-dir", "/run/x") == 0
    assert "vlan10  master" in capsys.readouterr().out
    assert daemon.asked == ["/run/x", ("show.routers", {}), "closed"]


def test_show_of_one(daemon):
    assert run("show", "vlan10") == 0
    assert daemon.asked[1] == ("show.routers", {"name": "vlan10"})
    assert daemon.asked[0] == cli.RUNTIME_DIR


def test_show_for_programs_is_the_document_of_the_daemon(daemon, capsys):
    assert run("show", "--json") == 0
    assert json.loads(capsys.readouterr().out) == daemon.call("show.routers")


def test_metrics(daemon, capsys):
    assert run("metrics", "--runtime-dir", "/run/x") == 0
    assert daemon.asked == ["/run/x", ("show.routers", {}), "closed"]
    said = capsys.readouterr().out
    assert 'vlangate_vrrp_state{name="vlan10",state="master"} 1\n' in said
    assert said.endswith("\n") and not said.endswith("\n\n")


def test_metrics_for_the_textfile_collector(daemon, tmp_path, capsys):
    path = tmp_path / "vlangate.prom"
    assert run("metrics", "--output", path) == 0
    assert "vlangate_up 1\n" in path.read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""


def test_metrics_of_nobody_do_not_stay_as_they_were(tmp_path, capsys):
    path = tmp_path / "vlangate.prom"
    path.write_text("vlangate_up 1\n", encoding="utf-8")
    assert run("metrics", "--output", path) == 3
    assert path.read_text(encoding="utf-8").splitlines()[-1] == "vlangate_up 0"
    assert "vlangate: " in capsys.readouterr().err
    assert run("metrics") == 3
    assert capsys.readouterr().out.splitlines()[-1] == "vlangate_up 0"


def test_metrics_that_cannot_be_written_say_so(daemon, tmp_path, capsys):
    assert run("metrics", "--output", tmp_path / "missing" / "file") == 3
    assert "missing/file" in capsys.readouterr().err


def test_why(daemon, capsys):
    assert run("why", "vlan10") == 0
    assert "backup -> master" in capsys.readouterr().out
    assert daemon.asked[1] == ("show.routers", {"name": "vlan10"})


def test_watch_without_a_terminal_prints_events_until_the_daemon_leaves(daemon, capsys):
    assert run("watch") == 3
    assert capsys.readouterr().out == "transition vlan10: backup -> master\n"


@pytest.mark.parametrize(
    ("failure", "status"),
    (
        (ControlError("unreachable", "nothing answers at X"), 3),
        (RefusedRequest({"code": "unknown-name", "message": "no virtual router 'b'"}), 2),
        (PlatformError("open", "X", 1), 3),
        (OSError(5, "Input/output error"), 3),
    ),
)
def test_a_daemon_that_does_not_answer(monkeypatch, capsys, failure, status):
    monkeypatch.setattr(cli, "ControlClient", FakeClient(failure))
    assert run("show") == status
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "vlangate: %s\n" % failure)


def test_an_interrupt_is_no_failure(monkeypatch):
    monkeypatch.setattr(cli, "ControlClient", FakeClient(KeyboardInterrupt()))
    assert run("watch") == 0


# run, features, cleanup, the command line


def test_run_hands_its_options_to_the_daemon(host):
    host.Options, host.run = (lambda *given: given), (lambda given: host.asked.append(given) or 0)
    assert run("run", "--config", "/c", "--runtime-dir", "/r", "--control-group", "ops") == 0
    assert run("run", "--journal", "/j", "--journal-size", "70000", "--state-dir", "/s") == 0
    assert host.asked == [
        ("/c", "/r", "ops", None, cli.JOURNAL_SIZE, None, None),
        (cli.CONFIG_FILE, cli.RUNTIME_DIR, None, "/j", 70000, "/s", None),
    ]


@pytest.mark.parametrize("size", ["0", "65535", "-1", "1.5", "64M", ""])
def test_a_journal_that_could_hold_nothing_is_refused(size, capsys):
    with pytest.raises(SystemExit) as ended:
        run("run", "--journal", "/j", "--journal-size", size)
    assert ended.value.code == 2
    assert "write a number of bytes, 65536 or more" in capsys.readouterr().err


def test_features(host, capsys):
    host.report["features"] = {"nftables": False, "macvlan": True}
    assert run("features") == 0
    assert capsys.readouterr().out == "macvlan      yes\nnftables     no\n"
    host.report["missing"] = ["no raw sockets"]
    assert run("features") == 2
    assert "missing: no raw sockets\n" in capsys.readouterr().out
    assert run("features", "--json") == 2
    assert json.loads(capsys.readouterr().out) == host.report


@pytest.mark.parametrize(
    "words, result, has_crashed",
    (
        ((), None, False),
        ((), "signal", False),
        (("--after-crash",), None, True),
        (("--after-crash",), "signal", True),
        (("--after-crash",), "watchdog", True),
        (("--after-crash",), "success", False),
    ),
)
def test_cleanup(host, monkeypatch, words, result, has_crashed):
    monkeypatch.delenv("SERVICE_RESULT", raising=False)
    if result is not None:
        monkeypatch.setenv("SERVICE_RESULT", result)
    host.cleanup = lambda *given: host.asked.append(given)
    assert run("cleanup", "--runtime-dir", "/r", *words) == 0
    assert host.asked == [("/r", has_crashed)]


def test_upgrade(monkeypatch, capsys):
    asked = []

    def upgrade(*given):
        asked.append(given)
        return {"release": "1-b", "pid": 7}

    monkeypatch.setattr(cli, "upgrade", upgrade)
    assert run("upgrade", "--runtime-dir", "/r") == 0
    assert asked == [("/r", cli.UPGRADE_S)]
    assert capsys.readouterr().out == "release 1-b goes on as process 7\n"


def test_an_upgrade_that_fails(monkeypatch, capsys):
    def upgrade(*given):
        raise ControlError("upgrade-failed", "it was not ready within 30 s")

    monkeypatch.setattr(cli, "upgrade", upgrade)
    assert run("upgrade") == 3
    assert "it was not ready within 30 s" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", ((), ("nonsense",), ("check",), ("show", "--nonsense")))
def test_a_wrong_command_line(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2
    assert "usage: vlangate" in capsys.readouterr().err


def test_every_command_has_a_line_of_help(capsys):
    with pytest.raises(SystemExit) as caught:
        run("--help")
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    for command in (
        "run",
        "check",
        "show",
        "why",
        "watch",
        "schema",
        "features",
        "upgrade",
        "cleanup",
    ):
        assert "\n    %s " % command in printed
