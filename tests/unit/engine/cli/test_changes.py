# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that change a daemon, against a daemon in virtual time: what they do and say."""

import argparse
import json
import os
from dataclasses import replace

import pytest
from engine_kit.daemon import VirtualDaemon
from engine_kit.values import config, group

from vrrp.cli import changes
from vrrp.cli import main as cli
from vrrp.config.model import SyncGroupConfig
from vrrp.control.client import RefusedRequest

ONE, TWO = group("one"), group("two", vrid=11, addresses=("198.18.10.9",))
OWNER = group("owner", vrid=12, priority=255, addresses=("198.18.10.5",))
NEW = config(replace(ONE, priority=120), TWO)


@pytest.fixture(name="start")
def daemon_behind_the_socket(tmp_path, monkeypatch):
    daemons = []

    def start(*groups, **more):
        daemon = VirtualDaemon(tmp_path, replace(config(*groups), **more))
        daemons.append(daemon)
        monkeypatch.setattr(cli, "ControlClient", daemon)
        # Who waits for the daemon lets its time pass.
        monkeypatch.setattr(changes.time, "sleep", daemon.pass_time)
        now_s = daemon.clock.now_ns
        monkeypatch.setattr(changes.time, "monotonic", lambda: now_s() / 1_000_000_000)
        daemon.pass_time(5)
        return daemon

    yield start
    for daemon in daemons:
        daemon.io.close()


@pytest.fixture(name="run")
def command_line(capsys):
    def run(*arguments):
        """Exit status, lines of output, text of complaints."""
        status = cli.main(list(arguments))
        printed = capsys.readouterr()
        return status, printed.out.splitlines(), printed.err

    return run


# handover, undrain


def test_handed_over(start, run):
    daemon = start(ONE, TWO)
    daemon.others = {10}
    assert run("handover", "one", "--runtime-dir", "/r") == (
        0,
        ["one: has handed over to 198.18.10.6 with priority 50"],
        "",
    )
    assert daemon.asked[0] == "/r"
    assert run("handover", "one")[:2] == (0, ["one: is drained, and backup as before"])


def test_the_whole_router(start, run):
    daemon = start(ONE, TWO)
    daemon.others = {10, 11}
    status, lines, _rest = run("handover", "--all")
    assert (status, len(lines)) == (0, 2)
    assert all("has handed over to" in line for line in lines)
    assert daemon.call("show.status")["engine"]["drained_all"] is True


def test_the_last_healthy_router_says_no(start, run):
    daemon = start(ONE, TWO)
    daemon.others = {11}
    status, lines, _rest = run("handover", "one", "two")
    assert status == 1
    assert lines == [
        "one: not drained: no other router took over, so it is master again",
        "two: has handed over to 198.18.10.6 with priority 50",
    ]


def test_forced_it_leaves_nobody(start, run):
    start(ONE)
    status, lines, _rest = run("handover", "one", "--force")
    assert (status, lines) == (
        0,
        ["one: has given its role away, and nobody is heard who has it"],
    )


def test_one_that_is_master_as_the_last_resort(start, run):
    daemon = start(ONE)
    run("handover", "one", "--force")
    daemon.pass_time(5)
    daemon.call = renamed_call(daemon, lambda: daemon.pass_time(5))
    status, lines, _rest = run("handover", "one", "--force")
    assert status == 1
    assert lines == ["one: is drained, but master, because nobody else is"]


def renamed_call(daemon, meanwhile):
    """The daemon's call, but something happens after each drain."""
    call = daemon.call

    def called(method, **params):
        answer = call(method, **params)
        if method == "do.drain":
            meanwhile()
        return answer

    return called


def test_sync_groups_go_together(start, run):
    daemon = start(ONE, TWO, sync_groups=(SyncGroupConfig("both", ("one", "two")),))
    daemon.others = {10, 11}
    status, lines, _rest = run("handover", "one")
    assert (status, [line.split(":")[0] for line in lines]) == (0, ["one", "two"])


def test_an_owner_is_told(start, run):
    daemon = start(ONE, OWNER)
    daemon.others = {10}
    status, lines, _rest = run("handover", "--all")
    assert status == 1
    assert lines[1] == "owner: owns its addresses, so it cannot hand them over"
    status, lines, complaint = run("handover", "owner")
    assert (status, lines) == (1, [])
    assert "owner cannot be drained" in complaint


def test_nothing_to_hand_over(start, run):
    start()
    assert run("handover", "--all")[:2] == (0, ["there is nothing to hand over"])


def test_one_that_is_removed_meanwhile(start, run):
    daemon = start(ONE, TWO)
    daemon.others = {10}
    daemon.write(config(TWO))
    daemon.call = renamed_call(daemon, daemon.commitment.reload)
    assert run("handover", "one")[:2] == (0, ["one: is no longer configured"])


def test_undrained(start, run):
    daemon = start(ONE, TWO)
    daemon.others = {10, 11}
    run("handover", "--all")
    assert run("undrain", "one")[:2] == (0, ["one: is no longer drained"])
    assert run("undrain", "one")[:2] == (0, ["one: was not drained"])
    assert run("undrain", "--all")[:2] == (0, ["two: is no longer drained"])
    assert run("undrain", "--all")[:2] == (0, ["nobody was drained"])


@pytest.mark.parametrize("command", ("handover", "undrain"))
@pytest.mark.parametrize("arguments", ((), ("one", "--all")))
def test_who_is_meant_has_to_be_said(start, run, command, arguments):
    daemon = start(ONE)
    asked = len(daemon.asked)
    assert run(command, *arguments) == (2, [], "vlangate: name virtual routers, or write --all\n")
    assert len(daemon.asked) == asked


def test_an_unknown_name(start, run):
    start(ONE)
    status, _rest, complaint = run("handover", "three")
    assert status == 2
    assert "no virtual router 'three'; there are: one" in complaint


# reload, confirm, rollback


def test_reloaded(start, run):
    daemon = start(ONE, TWO)
    daemon.write(NEW)
    status, (change, cost), _rest = run("reload")
    assert (status, change) == (0, "changed one: priority")
    assert cost.startswith("    priority: ")
    assert run("reload")[:2] == (0, ["nothing changed"])
    daemon.write(config(TWO))
    assert run("reload")[1][0] == "removed one (not hitless)"


def test_a_bad_file_is_refused(start, run):
    daemon = start(ONE, TWO)
    daemon.file.write_text("{", encoding="utf-8")
    status, lines, complaint = run("reload")
    assert (status, lines) == (2, [])
    assert "line 1 column 2" in complaint


def test_on_probation_and_confirmed(start, run):
    daemon = start(ONE, TWO)
    daemon.write(NEW)
    status, lines, _rest = run("reload", "--confirm-within", "2m")
    assert status == 0
    assert lines[-1].startswith("on probation: unless `vlangate confirm` comes within 120 s")
    daemon.pass_time(119)
    assert run("confirm") == (0, ["confirmed"], "")
    daemon.pass_time(100)
    assert daemon.router.config == NEW


def test_on_probation_and_not_confirmed(start, run):
    daemon = start(ONE, TWO)
    daemon.write(NEW)
    run("reload", "--confirm-within", "60")
    assert run("reload")[0] == 1
    daemon.pass_time(60)
    assert daemon.router.config == config(ONE, TWO)
    status, lines, complaint = run("confirm")
    assert (status, lines) == (1, [])
    assert "nothing is on probation: the last configuration was taken back" in complaint


def test_rolled_back(start, run):
    daemon = start(ONE, TWO)
    daemon.write(NEW)
    run("reload", "--confirm-within", "60")
    assert run("rollback")[1][0] == "changed one: priority"
    assert daemon.router.config == config(ONE, TWO)
    assert run("rollback")[0] == 1


def test_for_programs(start, run):
    daemon = start(ONE, TWO)
    daemon.write(NEW)
    status, lines, _rest = run("reload", "--confirm-within", "60", "--json")
    document = json.loads("\n".join(lines))
    assert (status, document["probation"]["remaining_ns"]) == (0, 60_000_000_000)
    document = json.loads("\n".join(run("rollback", "--json")[1]))
    assert [change["name"] for change in document["changes"]] == ["one"]


def test_a_probation_is_forced_to_the_disk(start, run, monkeypatch):
    daemon = start(ONE, TWO)
    synced = []
    monkeypatch.setattr(
        changes.os, "fsync", lambda fd: synced.append(os.readlink("/proc/self/fd/%d" % fd))
    )
    run("reload")
    assert synced == []
    daemon.write(NEW)
    run("reload", "--confirm-within", "60")
    state = os.path.join(str(daemon.directory), "state")
    assert synced == [os.path.join(state, "probation.json"), state]


def test_a_disk_that_cannot_be_forced_is_no_failure(tmp_path):
    changes.force_to_disk(str(tmp_path / "absent"))


@pytest.mark.parametrize(
    "text, value", (("90", 90), ("90s", 90), ("10m", 600), ("24h", 86400), ("1", 1))
)
def test_times(text, value):
    assert changes.seconds(text) == value


@pytest.mark.parametrize("text", ("", "0", "-1", "1.5", "25h", "s", "1d", "9999999", "\u0661"))
def test_what_is_no_time(text):
    with pytest.raises(argparse.ArgumentTypeError):
        changes.seconds(text)


# check


def test_a_check_tells_what_would_change(start, run, tmp_path):
    daemon = start(ONE, TWO)
    daemon.write(NEW)
    status, lines, _rest = run("check", str(daemon.file))
    assert status == 0
    assert lines[:3] == [
        "%s: configuration OK" % daemon.file,
        "a reload would change, in the running daemon:",
        "changed one: priority",
    ]
    assert daemon.router.config == config(ONE, TWO)
    told = json.loads("\n".join(run("check", "--json", str(daemon.file))[1]))["changes"]
    assert [change["name"] for change in told] == ["one"]
    daemon.write(config(ONE, TWO))
    assert run("check", str(daemon.file))[1][-1] == "nothing"


def test_a_check_of_a_bad_file_asks_nobody(start, run):
    daemon = start(ONE)
    asked = len(daemon.asked)
    daemon.file.write_text("{", encoding="utf-8")
    assert run("check", str(daemon.file))[0] == 2
    assert len(daemon.asked) == asked


def test_a_daemon_that_refuses_to_say_does_not_spoil_a_check(start, run, monkeypatch):
    daemon = start(ONE)

    def refuse(*_arguments):
        raise RefusedRequest({"code": "unknown-method", "message": "an older one"})

    monkeypatch.setattr(daemon, "in_directory", refuse)
    assert run("check", str(daemon.file))[:2] == (0, ["%s: configuration OK" % daemon.file])


# show, why


def test_show_marks_what_is_out_of_the_ordinary(start, run):
    daemon = start(ONE, TWO)
    daemon.call("do.drain", names=["one"])
    assert run("show")[1][-2:] == ["drained: one", "leaving: one"]
    daemon.write(NEW)
    run("reload", "--confirm-within", "90")
    daemon.pass_time(1)
    shown = run("show")[1]
    assert "the configuration is on probation: 1m29s left to confirm it (vlangate confirm)" in shown
    daemon.pass_time(89)
    (line,) = [line for line in run("show")[1] if line.startswith("the last good")]
    assert "was on probation and not confirmed" in line and "reload" in line


def test_show_tells_what_a_restart_would_not_know(start, run, monkeypatch):
    daemon = start(ONE)
    (daemon.directory / "state" / "drained.json").mkdir()
    daemon.call("do.drain", names=["one"])
    daemon.pass_time(0)
    (line,) = [line for line in run("show")[1] if line.startswith("state: ")]
    assert "write" in line and "drained.json failed: " in line


def test_why_tells_every_occurrence(start, run):
    daemon = start(ONE)
    daemon.call("do.drain", names=["one"])
    daemon.pass_time(3)
    status, lines, _rest = run("why", "one")
    assert status == 0
    text = "\n".join(lines)
    for sentence in (
        "no other router took over, so it takes the role back",
        "not drained: no other router took over, so it is master again",
        "master -> backup: it was drained",
        "drained: master only if nobody else is",
        "initialize -> backup: started with priority 100",
    ):
        assert text.count(sentence) == 1
    assert text.index("not drained") < text.index("started with priority"), "the latest first"
    document = json.loads("\n".join(run("why", "--json", "one")[1]))
    assert [each["kind"] for each in document["occurrences"]][-1] == "transition"
    assert document["state"] == "master"
