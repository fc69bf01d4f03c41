# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks drill and upgrade, as their users run them: hosts of the VLANs watch, at 1 kHz."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple
from xml.etree import ElementTree

import pytest

from tests.lab.control import Lab, temporary_lab
from tests.lab.demo import INVENTORY
from tests.lab.measure import Prober, groups
from tests.lab.other_release import make
from tests.lab.shell import REPOSITORY, wait_for
from tests.lab.test_accidents import lost
from tests.lab.topology import CONTROLLER, STATION_HOST, UPLINK_NETWORK, LabSpec, vlan_network

DRILL, UPGRADE = "vlangate.vrrp.drill", "vlangate.vrrp.upgrade"

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
        code, said = play(lab, "vlangate.vrrp.site")
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


def play(lab: Lab, playbook: str, collections: str = "", **variables: Any) -> Tuple[int, str]:
    """Run a playbook on the controller; its exit status and what it said."""
    return ansible(
        lab, ["ansible-playbook", playbook, "-e", json.dumps({**TABLE, **variables})], collections
    )


def ansible(lab: Lab, command: List[str], collections: str = "") -> Tuple[int, str]:
    environment = {**lab.environment(), "ANSIBLE_TIMEOUT": "2"}
    if collections:
        environment["ANSIBLE_COLLECTIONS_PATH"] = collections
    argv = [*command, "-i", INVENTORY, "-i", str(lab.directory / "probes.yml")]
    done = subprocess.run(
        lab.enter_command(CONTROLLER, argv), cwd=str(REPOSITORY), env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=400, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def masters(lab: Lab) -> Dict[str, List[str]]:
    return {name: group.masters for name, group in groups(lab).items()}


def roles(lab: Lab) -> Dict[str, Dict[str, str]]:
    return {
        name: {router: report["state"] for router, report in group.reports.items()}
        for name, group in groups(lab).items()
    }


def releases(lab: Lab) -> Dict[str, str]:
    """The release that runs on each router."""
    return {
        router: json.loads(lab.execute(router, ["vlangate", "show", "--json"]))["engine"]["release"]
        for router in lab.spec.routers
    }


class Report:
    """What a drill has written."""

    def __init__(self, directory: Path) -> None:
        self.page = (directory / "drill.html").read_text()
        root = ElementTree.parse(directory / "drill.xml").getroot()
        self.cases = {(c.get("classname"), c.get("name")): c for c in root.iter("testcase")}

    def told(self, kind: str, group: str, phase: str) -> str:
        return self.cases["drill.%s.gw1" % kind, "%s, %s" % (group, phase)].findtext(
            "system-out", ""
        )

    @property
    def failed(self) -> Set[Tuple[str, str]]:
        return {
            (place.split(".")[1], name)
            for (place, name), case in self.cases.items()
            if case.find("failure") is not None
        }


def test_planned_failovers_cost_next_to_nothing(lab: Lab, tmp_path: Path) -> None:
    before = roles(lab)
    code, said = play(
        lab, DRILL, vlangate_drill_kinds=["handover", "stop"], vlangate_drill_routers=["gw1"],
        vlangate_drill_budget=dict.fromkeys(("handover", "stop", "return"), PLANNED_S),
        vlangate_drill_report=str(tmp_path),
    )  # fmt: skip
    assert code == 0, said[-6000:]
    assert roles(lab) == before
    report = Report(tmp_path)
    for kind in ("handover", "stop"):
        for family in ("v4", "v6"):
            for phase in (kind, "return"):
                assert "by probes of h10" in report.told(kind, "vlan10-" + family, phase)
        # Nobody is on its LAN: the backup has watched, and for the way back its routers tell.
        assert "by probes of gw2" in report.told(kind, "uplink-v4", kind)
        assert "by the routers" in report.told(kind, "uplink-v4", "return")
    assert report.page.count("<svg") == 8
    assert not report.failed


def test_unplanned_failovers_are_held_to_their_budgets(lab: Lab, tmp_path: Path) -> None:
    before = roles(lab)
    code, said = play(
        lab, DRILL, vlangate_drill_kinds=["kill", "crash", "link"],
        vlangate_drill_group="vlan10-v4", vlangate_drill_budget={"link": 0.001, "return": 0.5},
        vlangate_drill_report=str(tmp_path),
    )  # fmt: skip
    report = Report(tmp_path)
    # Of a dead link nobody is told: that takes longer than a millisecond, and nothing else failed.
    assert report.failed == {("link", "vlan10-v4, link"), ("link", "vlan10-v6, link")}, said[-6000:]
    assert code == 2 and "link on gw1: link, vlan10-v4: nobody answered for" in said
    assert "the budget is 0.001 s" in report.page
    assert roles(lab) == before
    for path in ("/run/vlangate-drill-undo", "/run/systemd/system/vlangated.service.d"):
        assert lab.execute("gw1", ["sh", "-c", "ls -A %s 2>/dev/null || :" % path]) == ""


def test_nothing_is_done_without_a_yes_or_a_sense(lab: Lab) -> None:
    code, said = play(lab, DRILL, vlangate_drill_confirmed=False)
    assert code == 2 and "nothing was done" in said
    code, said = play(
        lab, DRILL, vlangate_drill_group=["vlan99"], vlangate_drill_budget={"stop": -1}
    )
    assert code == 2
    assert "there is no vlan99; choose from" in said and "vlangate_drill_budget.stop: is -1" in said


def test_a_router_that_nobody_comes_back_to_mends_itself(lab: Lab) -> None:
    before = roles(lab)
    command = ["ansible", "gw2", "-m", "vlangate.vrrp.vrrp_drill", "-a"]
    code, said = ansible(lab, [*command, "state=struck kind=link interfaces=mgmt"])
    assert code == 2 and "Ansible reaches this router by mgmt" in said
    code, said = ansible(lab, [*command, "state=struck kind=crash undo_after=25"])
    assert code == 0, said
    code, said = ansible(lab, [*command, "state=struck kind=stop"])
    assert code == 2 and "this router is struck already" in said
    wait_for(lambda: masters(lab).get("vlan20-v4") == ["gw1"], 10, "gw1 to take over", 0.1)
    wait_for(lambda: roles(lab) == before, 60, "gw2 to be as it was", 0.2)
    code, said = ansible(lab, [*command, "state=mended"])
    assert code == 0 and '"changed": false' in said and "mended itself" in said


def test_releases_are_changed_without_loss_and_taken_back(lab: Lab, tmp_path: Path) -> None:
    """To an earlier release, on to one that is broken, and to this one again."""
    before, here = roles(lab), releases(lab)
    make(tmp_path / "earlier", "0.0.8", broken=False)
    make(tmp_path / "broken", "0.0.9", broken=True)
    far = (vlan_network(20), UPLINK_NETWORK)
    targets = [each.address(version, STATION_HOST) for each in far for version in (4, 6)]
    with Prober(lab, "h10", targets) as prober:
        wait_for(lambda: prober.steady_seconds() >= 1, 20, "traffic without loss", 0.1)
        start_ns = time.monotonic_ns()
        code, said = play(lab, UPGRADE, str(tmp_path / "earlier"))
        assert code == 0 and "gw2; then gw1" in said, said[-6000:]
        earlier = releases(lab)
        assert {release.split("-")[0] for release in earlier.values()} == {"0.0.8"}

        code, said = play(lab, UPGRADE, str(tmp_path / "broken"))
        assert code == 2 and "this release is broken on purpose" in said, said[-6000:]
        assert "The upgrade ends with gw2" in said
        assert releases(lab) == earlier

        # All of the routers are well, and yet not for as long as is asked for.
        code, said = play(
            lab, UPGRADE, vlangate_upgrade_stable_for=1000, vlangate_upgrade_timeout=1
        )
        assert code == 2 and "gw2 runs 0.0.8-" in said, said[-6000:]
        assert releases(lab) == earlier

        code, said = play(lab, UPGRADE)
        assert code == 0 and said.count("in-place") == 2, said[-6000:]
        assert releases(lab) == here
        assert lost(prober, start_ns) == {}
    code, said = play(lab, UPGRADE)
    assert code == 0 and "every router runs the release of this collection" in said
    assert not re.search(r"changed=[1-9]", said), said[-2000:]
    assert roles(lab) == before
