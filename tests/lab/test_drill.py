# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks drill and upgrade, as their users run them: hosts of the VLANs watch, at 1 kHz."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple
from xml.etree import ElementTree

import pytest

from tests.lab.control import Lab, temporary_lab
from tests.lab.demo import INVENTORY
from tests.lab.measure import groups
from tests.lab.shell import REPOSITORY
from tests.lab.topology import CONTROLLER, LabSpec

TABLE = {
    "vlangate_manage_interfaces": "networkd",
    "vlangate_verify_table": False,
    # The way back is as long as this.
    "vlangate_defaults": {"preempt_delay": "1s", "uplink": {"targets": ["198.51.100.1"]}},
    "vlangate_drill_confirmed": True,
    "vlangate_drill_rate": 1000,
}
# This machine may be busy with other tests: what is planned is held to a few lost probes.
PLANNED_S = 0.02


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """The lab with everything rolled out."""
    if os.geteuid() != 0:
        pytest.fail("the lab makes namespaces and boots routers: run its tests as root")
    with temporary_lab(LabSpec("d%d" % os.getpid())) as lab:
        watching(lab)
        code, said = play(lab, "site")
        assert code == 0, said[-4000:]
        yield lab


def watching(lab: Lab) -> None:
    """An inventory of the hosts that watch: modules run in their namespaces."""
    hosts = {}
    for name in ("h10", "h20"):
        python = lab.directory / ("python-" + name)
        command = " ".join(lab.enter_command(name, [sys.executable]))
        python.write_text('#!/bin/sh\nexec %s "$@"\n' % command)
        python.chmod(0o700)
        hosts[name] = {"ansible_connection": "local", "ansible_python_interpreter": str(python)}
    path = lab.directory / "probes.yml"
    path.write_text(json.dumps({"vlangate_probe_hosts": {"hosts": hosts}}))


def play(lab: Lab, playbook: str, **variables: Any) -> Tuple[int, str]:
    """Run a playbook on the controller; its exit status and what it said."""
    argv = ["ansible-playbook", "-i", INVENTORY, "-i", str(lab.directory / "probes.yml")]
    argv += ["playbooks/%s.yml" % playbook, "-e", json.dumps({**TABLE, **variables})]
    done = subprocess.run(
        lab.enter_command(CONTROLLER, argv), cwd=str(REPOSITORY),
        env={**lab.environment(), "ANSIBLE_TIMEOUT": "2"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def masters(lab: Lab) -> Dict[str, List[str]]:
    return {name: group.masters for name, group in groups(lab).items()}


def cases(directory: Path) -> Dict[str, ElementTree.Element]:
    """The cases of the report, by exercise and name."""
    root = ElementTree.parse(directory / "drill.xml").getroot()
    return {
        "%s %s" % (case.get("classname"), case.get("name")): case for case in root.iter("testcase")
    }


def test_planned_failovers_cost_next_to_nothing(lab: Lab, tmp_path: Path) -> None:
    before = masters(lab)
    code, said = play(
        lab, "drill", vlangate_drill_kinds=["handover", "stop"], vlangate_drill_routers=["gw1"],
        vlangate_drill_budget={"handover": PLANNED_S, "stop": PLANNED_S, "return": PLANNED_S},
        vlangate_drill_report=str(tmp_path),
    )  # fmt: skip
    assert code == 0, said[-6000:]
    assert masters(lab) == before
    found = cases(tmp_path)
    for kind in ("handover", "stop"):
        told = found["drill.%s.gw1 vlan10-v4, %s" % (kind, kind)].findtext("system-out")
        assert "by probes of h10" in told, told
    assert "<svg" in (tmp_path / "drill.html").read_text()
