# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a daemon starts, or does not: exit statuses, the lock, what this host can do."""

import fcntl
import os
import socket

import pytest
from engine_kit.ports import FakeClock, FakeDataplane, FakeMonitor, refused
from engine_kit.values import NS_PER_S, T0, config, group, link

from vrrp.config.render import canonical_json
from vrrp.daemon import main, upgrade
from vrrp.daemon.heartbeat import Beat
from vrrp.daemon.main import Options
from vrrp.daemon.upgrade import Channel, HandedOn, UpgradeError
from vrrp.invariant import InvariantViolation
from vrrp.wire.checksum import ChecksumForm


@pytest.fixture(name="start")
def start_without_a_host(tmp_path, monkeypatch):
    """Start a daemon that reaches the host only in what the test does with runs."""
    file = tmp_path / "config.json"
    file.write_text(canonical_json(config(group())), encoding="utf-8")
    monkeypatch.setattr(main.capabilities, "features", lambda: {"nftables": True})
    monkeypatch.setattr(main.capabilities, "missing", lambda found: [])
    monkeypatch.setattr(main, "_allow_descriptors", lambda: None)
    runs = []

    def pretend(options, beginning, _files, features, _log, _lock):
        runs.append((options, beginning.version.config, features))
        for failure in start.failures:
            raise failure

    monkeypatch.setattr(main, "_run", pretend)

    def start():
        return main.run(Options(str(file), str(tmp_path / "run")))

    start.file, start.runs, start.failures, start.runtime_dir = file, runs, [], tmp_path / "run"
    return start


def test_a_start_and_its_end(start):
    assert start() == 0
    ((options, wanted, features),) = start.runs
    assert (wanted, features) == (config(group()), {"nftables": True})
    assert start.runtime_dir.is_dir()
    assert options.control_group is None


def test_a_bad_configuration_is_told_whole_before_anything_is_touched(start, capfd):
    start.file.write_text(canonical_json(config(group(vrid=300, priority=0))), encoding="utf-8")
    assert start() == 2
    assert start.runs == []
    assert not start.runtime_dir.exists()
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(" error " in line and "virtual_routers[vlan10]." in line for line in lines)


def test_a_missing_configuration(start, capfd):
    start.file.unlink()
    assert start() == 2
    assert "config.json" in capfd.readouterr().err


def test_a_host_that_lacks_something(start, monkeypatch, capfd):
    lacking = ["no macvlan", "no raw sockets"]
    monkeypatch.setattr(main.capabilities, "missing", lambda found: lacking)
    assert start() == 3
    assert start.runs == []
    assert "no macvlan; no raw sockets" in capfd.readouterr().err


def test_a_refusing_host(start, capfd):
    start.failures = [refused("create a device on")]
    assert start() == 3
    assert "create a device on lan0 failed" in capfd.readouterr().err


def test_there_is_only_one_daemon_for_a_runtime_directory(start, capfd):
    start()
    with open(start.runtime_dir / "lock", "w", encoding="ascii") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert start() == 3
    assert "another daemon runs with this runtime directory" in capfd.readouterr().err
    assert len(start.runs) == 1
    assert start() == 0, "and after that one has gone it starts"


def test_the_lock_is_held_while_the_daemon_runs(start, monkeypatch):
    start()

    def second(*_arguments):
        with open(start.runtime_dir / "lock", "w", encoding="ascii") as other:
            with pytest.raises(OSError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        start.runs.append("locked")

    monkeypatch.setattr(main, "_run", second)
    assert start() == 0
    assert start.runs[-1] == "locked"


# What this host can do


@pytest.fixture(name="host")
def host_with_links(monkeypatch):
    def with_links(*links, nftables=True):
        monkeypatch.setattr(main, "RtnlMonitor", lambda: FakeMonitor(*links))
        monkeypatch.setattr(main.capabilities, "features", lambda: {"nftables": nftables})
        monkeypatch.setattr(main.capabilities, "missing", lambda found: [])

    return with_links


def test_a_report_on_a_host_that_has_everything(host):
    host(link())
    assert main.host_report(config(group())) == {
        "features": {"nftables": True},
        "missing": [],
        "warnings": [],
    }


def test_a_report_names_who_would_wait(host):
    host(link("lan1"))
    (warning,) = main.host_report(config(group()))["warnings"]
    assert warning.startswith("vlan10 will wait: interface lan0 does not exist")


def test_a_report_without_a_configuration_looks_at_no_links(host, monkeypatch):
    host()
    monkeypatch.delattr(main, "RtnlMonitor")
    assert main.host_report(None)["warnings"] == []


@pytest.mark.parametrize("accept, missing", ((False, 1), (True, 0)))
def test_accept_mode_off_needs_nftables(host, accept, missing):
    host(link(), nftables=False)
    sentences = main.host_report(config(group(accept=accept)))["missing"]
    assert len(sentences) == missing
    assert all("virtual_routers[vlan10].accept" in sentence for sentence in sentences)


# How it ends


class EndingPorts:
    """What is open, and what was done with it at the end."""

    def __init__(self, silence_ns=None):
        self.journal = []
        self.clock = FakeClock()
        self.dataplane = FakeDataplane(self.journal)
        self.heartbeat = self
        self.silence_ns = silence_ns

    def beats(self):
        if self.silence_ns is None:
            return {}
        return {(7, b"mac"): Beat(T0 - self.silence_ns, 100, ChecksumForm.MESSAGE)}

    def close(self, is_handed_on):
        self.journal.append(("close", is_handed_on))


class Crash(Exception):
    """Whatever it was."""


def end(ports, failure=None):
    with main._ending(ports):
        if failure is not None:
            raise failure


def test_in_good_order_everything_is_removed():
    ports = EndingPorts(silence_ns=0)
    end(ports)
    assert ports.journal == [("cleanup",), ("close", False)]


@pytest.mark.parametrize(
    "silence_ns, fence", ((0, ("expire", 3)), (NS_PER_S, ("expire", 2)), (None, ("cleanup",)))
)
@pytest.mark.parametrize("failure", (Crash(), InvariantViolation("a bug"), refused()))
def test_after_a_crash_the_next_one_has_the_time_of_a_lease(silence_ns, fence, failure):
    ports = EndingPorts(silence_ns)
    with pytest.raises(type(failure)):
        end(ports, failure)
    assert ports.journal == [fence, ("close", False)]


def test_handed_on_nothing_is_touched():
    ports = EndingPorts(silence_ns=0)
    end(ports, HandedOn())
    assert ports.journal == [("close", True)]


@pytest.mark.parametrize("after_crash", (False, True))
def test_a_cleanup_without_a_heartbeat_removes_everything(monkeypatch, tmp_path, after_crash):
    ports = EndingPorts()
    monkeypatch.setattr(main, "LinuxDataplane", lambda _runtime_dir: ports.dataplane)
    main.cleanup(str(tmp_path / "missing"), after_crash)
    assert ports.journal == [("cleanup",)]


def test_an_heir_that_cannot_says_so_and_touches_nothing(monkeypatch, tmp_path, capfd):
    ours, theirs = socket.socketpair()
    elder = Channel(ours)
    elder.send("hello", format=1, descriptors={}, configuration={"virtual_routers": 7})
    monkeypatch.delattr(main, "OpenPorts")
    monkeypatch.setattr(upgrade, "_leave_home", lambda: None)
    assert main.run(Options("/c", str(tmp_path), inherit=theirs.detach())) == 3
    assert elder.expect("here", 0)["pid"] == os.getpid()
    with pytest.raises(UpgradeError, match="virtual_routers"):
        elder.expect("ready", 0)
    assert "not upgraded" in capfd.readouterr().err
    assert os.listdir(str(tmp_path)) == []
    elder.close()
