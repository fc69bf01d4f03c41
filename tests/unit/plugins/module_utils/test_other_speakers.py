# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who speaks VRRP beside the engine, told from a /proc that a test has made."""

from __future__ import annotations

import os

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils import other_speakers as plugin
from ansible_collections.vlangate.vrrp.plugins.module_utils.other_speakers import (
    Process,
    Speaker,
    speakers,
    waiting_units,
)

HERE, ELSEWHERE = "net:[4026531840]", "net:[4026532999]"
ENGINE = "/usr/lib/vlangate"
RAW = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"
    " inode ref pointer drops\n"
)
LINE = (
    "%5d: %s:%04X %s:0000 07 00000000:00000000 00:00000000 00000000     0        0 %s 2 0000000 0\n"
)


class Proc:
    """A /proc with processes and raw sockets, as this module reads it."""

    def __init__(self, path):
        self.path = str(path)
        self.sockets = {"raw": "", "raw6": ""}
        os.makedirs(os.path.join(self.path, "self/net"))
        os.makedirs(os.path.join(self.path, "self/ns"))
        os.makedirs(os.path.join(self.path, "sys"))
        os.symlink(HERE, os.path.join(self.path, "self/ns/net"))

    def process(self, pid, comm, *words, inodes=(), unit=None, network=HERE):
        base = os.path.join(self.path, str(pid))
        os.makedirs(os.path.join(base, "ns"))
        os.makedirs(os.path.join(base, "fd"))
        self.write(base, "comm", comm + "\n")
        self.write(base, "cmdline", "".join(word + "\0" for word in words))
        slices = "0::/system.slice/%s\n" % unit if unit else "0::/user.slice/session-3.scope\n"
        self.write(base, "cgroup", "1:name=systemd:/\n" + slices)
        os.symlink(network, os.path.join(base, "ns/net"))
        links = ["/dev/null", "pipe:[77]", *("socket:[%d]" % inode for inode in inodes)]
        for number, link in enumerate(links):
            os.symlink(link, os.path.join(base, "fd", str(number)))

    def socket(self, inode, protocol=112, is_ipv6=False):
        address = "0" * (32 if is_ipv6 else 8)
        name = "raw6" if is_ipv6 else "raw"
        self.sockets[name] += LINE % (protocol, address, protocol, address, inode)

    def look(self, daemon_pid=None):
        for name, lines in self.sockets.items():
            self.write(self.path, "self/net/" + name, RAW + lines)
        return speakers(ENGINE, daemon_pid, self.path)

    @staticmethod
    def write(base, name, text):
        with open(os.path.join(base, name), "w", encoding="utf-8") as stream:
            stream.write(text)


@pytest.fixture
def proc(tmp_path):
    found = Proc(tmp_path / "proc")
    found.process(1, "systemd", "/sbin/init")
    found.process(2, "kthreadd")
    return found


def engine(proc, pid=500):
    """The daemon with its two sockets."""
    proc.process(
        pid, "python3", "/usr/bin/python3", "-I", ENGINE + "/current", "run",
        inodes=[10, 11, 12], unit="vlangated.service",
    )  # fmt: skip
    proc.socket(10)
    proc.socket(11, is_ipv6=True)


def keepalived(proc, **more):
    """Its processes: the first one watches, and the second one speaks."""
    proc.process(811, "keepalived", "/usr/sbin/keepalived", "--dont-fork",
                 unit="keepalived.service", **more)  # fmt: skip
    proc.process(812, "vrrp", "/usr/sbin/keepalived", "--dont-fork",
                 unit="keepalived.service", inodes=[20, 21, 22], **more)  # fmt: skip


def test_nobody_but_the_engine(proc):
    assert proc.look() == []
    engine(proc)
    assert proc.look() == []


def test_the_engine_is_known_by_its_process_too(proc):
    proc.process(500, "python3", "/usr/bin/python3", "vlangate.pyz", "run", inodes=[10])
    proc.socket(10)
    assert proc.look(daemon_pid=500) == []
    assert [each.pids for each in proc.look()] == [(500,)]


def test_keepalived_beside_the_engine(proc):
    engine(proc)
    keepalived(proc)
    proc.socket(20)
    proc.socket(21)
    proc.socket(22, is_ipv6=True)
    assert proc.look() == [Speaker("keepalived", "running", "keepalived.service", (811, 812), 3)]


def test_one_whose_interface_is_not_there_yet_has_no_socket(proc):
    keepalived(proc)
    (found,) = proc.look()
    assert (found.pids, found.sockets) == ((811, 812), 0)
    assert "no VRRP socket yet" in found.sentence()


def test_vrrpd_of_frr_is_not_told_to_be_disabled(proc):
    proc.process(90, "vrrpd", "/usr/lib/frr/vrrpd", "-d", unit="frr.service", inodes=[30])
    proc.process(91, "zebra", "/usr/lib/frr/zebra", "-d", unit="frr.service")
    proc.socket(30)
    (found,) = proc.look()
    assert found == Speaker("vrrpd", "running", "frr.service", (90,), 1)
    assert "/etc/frr/daemons and restart frr.service" in found.sentence()
    assert "disable" not in found.sentence() and "replace_keepalived" not in found.sentence()


def test_a_program_that_nobody_knows_has_a_socket_of_vrrp(proc):
    engine(proc)
    proc.process(700, "gatewayd", "/opt/gatewayd", inodes=[40])
    proc.process(701, "pinger", "/opt/pinger", inodes=[41])
    proc.socket(40)
    proc.socket(41, protocol=1)
    assert proc.look() == [Speaker("gatewayd", "running", None, (700,), 1)]


def test_who_serves_another_network_namespace_is_no_matter_of_this_router(proc):
    keepalived(proc, network=ELSEWHERE)
    assert proc.look() == []


def test_a_container_with_this_network_has_processes_that_are_not_seen(proc):
    engine(proc)
    proc.socket(50)
    proc.socket(51)
    (found,) = proc.look()
    assert (found.program, found.pids, found.sockets) == ("unseen", (), 2)
    assert "cannot be seen here" in found.sentence() and "2 VRRP sockets" in found.sentence()


def test_a_socket_that_is_gone_meanwhile_was_a_test(proc, monkeypatch):
    engine(proc)
    proc.socket(60)
    held = plugin._held

    def slow(processes, sockets):
        assert "60" in sockets
        proc.write(proc.path, "self/net/raw", RAW)
        return held(processes, sockets)

    monkeypatch.setattr(plugin, "_held", slow)
    assert proc.look() == []


def test_who_may_not_look_at_processes_accuses_nobody_of_a_socket(proc, monkeypatch):
    engine(proc)

    def denied(_self):
        raise PermissionError(13, "no")

    monkeypatch.setattr(Process, "inodes", denied)
    assert proc.look() == []
    keepalived(proc)
    assert [each.program for each in proc.look()] == ["keepalived"]


def test_processes_that_end_while_they_are_looked_at(proc):
    keepalived(proc)
    for name in ("comm", "cmdline", "cgroup", "ns/net"):
        os.unlink(os.path.join(proc.path, "811", name))
    proc.process(813, "keepalived", "/usr/sbin/keepalived", unit="keepalived.service")
    proc.socket(20)
    os.rename(os.path.join(proc.path, "813", "fd"), os.path.join(proc.path, "813", "gone"))
    assert [each.pids for each in proc.look()] == [(812, 813)]


def test_an_editor_of_its_file_is_no_speaker(proc):
    proc.process(600, "vi", "/usr/bin/vi", "/etc/keepalived/keepalived.conf")
    assert proc.look() == []


def test_a_kernel_without_ipv6(proc):
    keepalived(proc)
    proc.socket(20)
    proc.write(proc.path, "self/net/raw", RAW + proc.sockets["raw"])
    assert [each.sockets for each in speakers(ENGINE, None, proc.path)] == [1]


def test_many_processes_are_not_all_listed():
    speaker = Speaker("uvrrpd", "running", None, tuple(range(1, 8)), 7)
    assert "processes 1, 2, 3, 4 and 3 more; 7 VRRP sockets" in speaker.sentence()
    assert speaker.sentence().partition(": ")[2].startswith("stop it; or, if it serves no LAN")


# Units


def units(run_output, running=(), code=0):
    asked = []

    def run(argv):
        asked.append(argv)
        return code, run_output, "no"

    found = waiting_units(run, running)
    assert asked[0][:2] == ["systemctl", "show"] and set(plugin.UNITS) < set(asked[0])
    return found


def block(name, active, file):
    return "Id=%s\nActiveState=%s\nUnitFileState=%s\n" % (name, active, file)


def test_one_that_is_enabled_and_does_not_run():
    shown = [block("keepalived.service", "inactive", "enabled"),
             block("vrrpd.service", "inactive", ""),
             block("uvrrpd.service", "failed", "disabled")]  # fmt: skip
    (found,) = units("\n".join(shown))
    assert found == Speaker("keepalived", "enabled", "keepalived.service")
    assert "would start at the next boot" in found.sentence()
    assert found.sentence().endswith("or disable keepalived.service")


def test_one_that_systemd_is_about_to_start_again():
    (found,) = units(block("uvrrpd.service", "activating", "disabled"))
    assert found.state == "starting" and "about to start uvrrpd.service" in found.sentence()


def test_one_that_runs_is_told_by_its_processes():
    running = [Speaker("keepalived", "running", "keepalived.service", (811,))]
    assert units(block("keepalived.service", "activating", "enabled"), running) == []


def test_one_that_is_active_without_a_process_here_serves_another_network():
    assert units(block("keepalived.service", "active", "enabled")) == []


def test_a_systemctl_that_fails_tells_nothing():
    assert units(block("keepalived.service", "inactive", "enabled"), code=1) == []
