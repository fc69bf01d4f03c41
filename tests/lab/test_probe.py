# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts of the VLANs see of their gateways, asked by the playbook verify."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Dict, Iterator, Tuple

import pytest

from tests.lab.control import Lab, temporary_lab
from tests.lab.demo import INVENTORY
from tests.lab.shell import REPOSITORY
from tests.lab.topology import CONTROLLER, LabSpec

TABLE = {
    "vlangate_manage_interfaces": "networkd",
    "vlangate_verify_table": False,
    "vlangate_defaults": {"preempt_delay": "0s", "uplink": {"targets": ["198.51.100.1"]}},
}
VIP = "198.18.10.254"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """The lab with everything rolled out, and its hosts as those that are asked."""
    if os.geteuid() != 0:
        pytest.fail("the lab makes namespaces and boots routers: run its tests as root")
    with temporary_lab(LabSpec("p%d" % os.getpid())) as lab:
        hosts: Dict[str, Dict[str, str]] = {name: {} for name in ("h10", "h20")}
        probes = {"vlangate_probe_hosts": {"hosts": hosts}}
        (lab.directory / "probes.yml").write_text(json.dumps(probes))
        code, said = ansible(lab, "ansible-playbook", "vlangate.vrrp.site")
        assert code == 0, said[-4000:]
        yield lab


def ansible(lab: Lab, *command: str) -> Tuple[int, str]:
    """Run it on the controller; its exit status and what it said."""
    argv = [*command, "-e", json.dumps(TABLE), "-i", INVENTORY]
    for name in ("inventory/hosts.json", "probes.yml"):
        argv += ["-i", str(lab.directory / name)]
    done = subprocess.run(
        lab.enter_command(CONTROLLER, argv), cwd=str(REPOSITORY), env=lab.environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_verify_asks_the_hosts(lab: Lab) -> None:
    code, said = ansible(lab, "ansible-playbook", "vlangate.vrrp.verify")
    assert code == 0, said[-4000:]
    for host in ("h10", "h20"):
        assert "ok: [%s]" % host in said


def test_verify_fails_when_a_host_sees_somebody_else_answer(lab: Lab) -> None:
    lab.execute("gw2", ["ip", "addr", "add", VIP + "/24", "dev", "vlan10"])
    try:
        code, said = ansible(lab, "ansible-playbook", "vlangate.vrrp.verify")
    finally:
        lab.execute("gw2", ["ip", "addr", "del", VIP + "/24", "dev", "vlan10"])
    assert code != 0
    assert "%s (vlan10-v4) on eth0: 2 MAC addresses answer for it" % VIP in said, said[-4000:]
