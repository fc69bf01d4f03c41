# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab keeps its word: it comes up, can be broken and mended, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.chassis import cgroup_bases, chassis_processes
from tests.lab.control import Lab, temporary_lab
from tests.lab.shell import REPOSITORY, STATE, LabError, identify, namespaces, run, wait_for
from tests.lab.topology import LabSpec


@pytest.fixture(scope="module", autouse=True)
def _able():
    """A lab that did not run has shown nothing."""
    if os.geteuid() != 0:
        pytest.fail("the lab makes namespaces and boots routers: run its tests as root")


@pytest.fixture
def spec():
    """A prefix of our own; whatever is left of it is a failure, and removed."""
    spec = LabSpec("t%d" % os.getpid())
    yield spec
    left = leftovers(spec)
    Lab(spec).down()
    assert left == []


def leftovers(spec):
    """Everything on this machine that bears the lab's prefix."""
    name = spec.prefix + "-"
    found = [n for n in namespaces() if n.startswith(name)]
    found += [str(STATE / spec.prefix)] if (STATE / spec.prefix).exists() else []
    for base in cgroup_bases():
        found += [str(group) for group in base.glob("vlangate-lab-%s*" % name)]
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if name in line]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        mine = "/%s/" % spec.prefix in words or "--machine=" + name in words
        if mine or ("tests.lab.chassis" in words and spec.prefix in words):
            found.append("process %s: %s" % (process.name, words.replace("\0", " ")[:80]))
    return found


def ssh(lab, router, command):
    return run(["ssh", "-F", str(lab.directory / "ssh_config"), router, command])


def test_routers_live_through_reboot_and_power_cut(spec):
    with temporary_lab(spec) as lab:
        assert ssh(lab, "gw1", "hostname").strip() == "gw1"
        ssh(lab, "gw1", "ip link add dummy-left type bridge && touch /etc/kept")
        lab.reboot("gw1")
        assert ssh(lab, "gw1", "ls /etc/kept").strip() == "/etc/kept"
        assert "dummy-left" not in ssh(lab, "gw1", "ip -br link")

        isp = lab.enter_command("isp", ["ping", "-c1", "-W5", "198.51.100.253"])
        run(isp)
        lab.power_cut("gw2")
        assert lab.state("gw2")["is_off"]
        with pytest.raises(LabError):
            run(isp)
        lab.power_on("gw2")
        assert ssh(lab, "gw2", "hostname").strip() == "gw2"


def test_link_cut_takes_the_carrier(spec):
    with temporary_lab(spec) as lab:

        def carrier():
            return lab.execute("gw1", ["cat", "/sys/class/net/vlan10/carrier"]).strip()

        lab.link_cut("gw1", "vlan10")
        wait_for(lambda: carrier() == "0", 30, "the carrier to be lost")
        lab.link_restore("gw1", "10")
        wait_for(lambda: carrier() == "1", 30, "the carrier to come back")


def test_down_removes_what_a_killed_run_left(spec):
    lab = Lab(spec)
    lab.up()
    for router in spec.routers:
        os.kill(chassis_processes(spec.prefix)[router][0], signal.SIGKILL)
    lab.up()  # finds the remains, and starts from nothing
    assert ssh(lab, "gw2", "hostname").strip() == "gw2"
    lab.down()


def test_two_labs_of_one_prefix_are_refused(spec):
    with temporary_lab(spec):
        with pytest.raises(LabError, match="another run is using the lab"):
            with temporary_lab(spec):
                pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_while_building_leaves_nothing(spec, number):
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.lab", "--prefix", spec.prefix, "up"],
        cwd=str(REPOSITORY), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # Whoever started us may ignore it: a shell's background does.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    wait_for(lambda: chassis_processes(spec.prefix), 60, "a chassis", 0.005)
    assert identify(child.pid) is not None
    child.send_signal(number)
    _output, said = child.communicate(timeout=180)
    assert child.returncode == 130, said


def test_failure_in_the_middle_leaves_nothing(spec):
    with pytest.raises(ZeroDivisionError):
        with temporary_lab(spec):
            raise ZeroDivisionError


def test_prefix_is_checked():
    with pytest.raises(ValueError, match="prefix"):
        LabSpec("no spaces")
