# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A roll-out that goes well: three pairs of routers with 20 VLANs each, under traffic."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from tests.lab.control import Lab, temporary_lab
from tests.lab.measure import Prober, groups
from tests.lab.shell import REPOSITORY, ip, wait_for
from tests.lab.test_accidents import lost
from tests.lab.topology import (
    CONTROLLER,
    STATION_HOST,
    UPLINK_NETWORK,
    LabSpec,
    vlan_network,
)

PAIRS = (("gw1", "gw2"), ("gw3", "gw4"), ("gw5", "gw6"))
VLANS_OF_A_PAIR = 20
#: The first two of each pair have a host, and the probes go from one to the other and back.
SAMPLED = 2
MOST_LOST = 2
#: A new master advertises at once, and the one before is silent as soon as it hears that.
OVERLAP_S = 0.1
#: Who gives its role away forwards until the next one has it: its skew time, and a margin.
GAP_S = 0.6
NS_PER_S = 1_000_000_000
ASKED = 5
DEFAULTS = {
    "uplink": {"targets": [UPLINK_NETWORK.address(4, STATION_HOST)]},
    "advertisement_interval": "500ms",
    "preempt_delay": "0s",
}


def sampled(pair: int) -> List[int]:
    return [10 * (SAMPLED * pair + number + 1) for number in range(SAMPLED)]


def unsampled(pair: int, count: int = VLANS_OF_A_PAIR - SAMPLED) -> List[int]:
    return [1000 + 100 * pair + number for number in range(count)]


def vlans(pair: int) -> List[Dict[str, Any]]:
    """The rows of a pair in the table."""
    routers = {"routers": list(PAIRS[pair])}
    rows = [{"id": vlan, "networks": list(vlan_network(vlan).prefixes)} for vlan in sampled(pair)]
    rows += [{"id": vlan, "networks": ["10.%d.%d.0/24" % divmod(vlan, 100)]}
             for vlan in unsampled(pair)]  # fmt: skip
    return [{**row, **routers} for row in rows]


def changed(pair: int) -> List[Dict[str, Any]]:
    """Half of the groups: priorities, intervals, addresses; one VLAN goes and one comes."""
    rows = vlans(pair)
    swapped = {"priorities": dict(zip(PAIRS[pair], (120, 110)))}
    rows[0].update(swapped)
    rows[1].update(advertisement_interval="400ms")
    for row in rows[2:5]:
        row.update(swapped)
    for row in rows[5:8]:
        row.update(virtual=100)
    for row in rows[8:10]:
        row.update(advertisement_interval="1s")
    added = unsampled(pair, VLANS_OF_A_PAIR - SAMPLED + 1)[-1]
    new = {**rows[-1], "id": added, "networks": ["10.%d.%d.0/24" % divmod(added, 100)]}
    return [*rows[:-1], new]


class Fleet:
    """Three pairs on a lab, and the inventory from which they are rolled out."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.rows: List[Dict[str, Any]] = []
        self.inventory = lab.directory / "site/inventory.yml"
        self.inventory.parent.mkdir()
        hosts = {name: {"ansible_host": lab.spec.management_address(name)}
                 for name in lab.spec.routers}  # fmt: skip
        site = {"gateways": {"hosts": hosts, "vars": {"ansible_user": "root"}}}
        self.inventory.write_text(json.dumps(site))
        for pair, (first, second) in enumerate(PAIRS):
            names = ["vlan%d" % vlan for vlan in unsampled(pair, VLANS_OF_A_PAIR)]
            peer = lab.spec.namespace(second)
            cables = ["link add %s type veth peer name %s netns %s" % (n, n, peer) for n in names]
            ip(lab.spec.namespace(first), cables)
            for router in (first, second):
                ip(lab.spec.namespace(router), ["link set %s up" % name for name in names])

    def play(self, rows: List[Dict[str, Any]], **environment: str) -> str:
        """Run site.yml with these rows in the table; what it says."""
        self.rows = rows
        table = {
            "vlangate_routers": list(self.lab.spec.routers),
            "vlangate_vlans": rows,
            "vlangate_defaults": DEFAULTS,
            "vlangate_manage_interfaces": "networkd",
            "vlangate_verify_table": False,
        }
        argv = ["ansible-playbook", "-i", str(self.inventory), "playbooks/site.yml"]
        done = subprocess.run(
            self.lab.enter_command(CONTROLLER, [*argv, "-e", json.dumps(table)]),
            cwd=str(REPOSITORY), env={**self.lab.environment(), **environment}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """Three pairs with everything rolled out."""
    if os.geteuid() != 0:
        pytest.fail("the lab makes namespaces and boots routers: run its tests as root")
    routers = tuple(router for pair in PAIRS for router in pair)
    stations = tuple(vlan for pair in range(len(PAIRS)) for vlan in sampled(pair))
    with temporary_lab(LabSpec("o%d" % os.getpid(), routers, stations)) as lab:
        fleet = Fleet(lab)
        fleet.play(rows_of(vlans))
        yield fleet


def rows_of(form: Any) -> List[Dict[str, Any]]:
    return [row for pair in range(len(PAIRS)) for row in form(pair)]


def masterships(lab: Lab, since_ns: int) -> Dict[str, List[Tuple[int, int, str]]]:
    """From when to when who was master of each group, on the clock that all routers share."""
    found: Dict[str, List[Tuple[int, int, str]]] = {}
    for router in lab.spec.routers:
        now_ns, report = shown_soonest(lab, router)
        for each in report["routers"]:
            began_ns = None if each["transitions"] else since_ns
            reigns = found.setdefault(each["name"], [])
            for change in each["transitions"]:
                at_ns = now_ns - change["age_ns"]
                if change["current"] == "master":
                    began_ns = at_ns
                elif change["previous"] == "master":
                    reigns.append((began_ns or 0, at_ns, router))
                    began_ns = None
            if each["state"] == "master":
                reigns.append((began_ns or since_ns, now_ns, router))
    return {name: sorted(each for each in reigns if each[1] > since_ns)
            for name, reigns in found.items()}  # fmt: skip


def shown_soonest(lab: Lab, router: str) -> Tuple[int, Dict[str, Any]]:
    """When it said it, and what. Of some answers, the one that was under way for the shortest time:
    ages count from when it was said, and are as wrong as it is old."""
    found = []
    for _each in range(ASKED):
        report = json.loads(lab.execute(router, ["vlangate", "show", "--json"]))
        now_ns = time.monotonic_ns()
        found.append((now_ns - report["engine"]["uptime_ns"], now_ns, report))
    return min(found, key=lambda each: each[0])[1:]


def assert_one_master(lab: Lab, since_ns: int, late_s: float) -> None:
    """Never two, and never none for longer than a hand-over takes, and the machine held it up."""
    for name, reigns in masterships(lab, since_ns).items():
        assert reigns, "%s had no master" % name
        for before, after in zip(reigns, reigns[1:]):
            seconds = (after[0] - before[1]) / NS_PER_S
            assert -OVERLAP_S - late_s <= seconds <= GAP_S + late_s, (name, reigns)


def test_half_of_a_fleet_changes_under_traffic(fleet: Fleet) -> None:
    lab = fleet.lab
    before = groups(lab)
    with ExitStack() as stack:
        probers: List[Prober] = []
        for pair in range(len(PAIRS)):
            near, far = sampled(pair)
            targets = [vlan_network(far).address(version, STATION_HOST) for version in (4, 6)]
            probers.append(stack.enter_context(Prober(lab, "h%d" % near, targets)))
        for prober in probers:
            wait_for(lambda each=prober: each.steady_seconds() >= 1, 60, "traffic", 0.1)
            prober.late_ms()
        start_ns = time.monotonic_ns()
        said = fleet.play(rows_of(changed))
        losses = [lost(prober, start_ns) for prober in probers]
        late_ms = [prober.late_ms() for prober in probers]
    print("lost: %s, probers late by %s ms" % (losses, late_ms))
    assert all(each <= MOST_LOST for loss in losses for each in loss.values()), (losses, late_ms)
    assert_one_master(lab, start_ns, max(late_ms) / 1000)
    # The pairs went side by side.
    assert "step 1 of 2: " in said and "step 3" not in said
    after = groups(lab)
    gone = {"vlan%d-v4" % unsampled(pair)[-1] for pair in range(len(PAIRS))}
    assert set(before) - set(after) == gone and len(after) == len(before)
    for pair, (first, _second) in enumerate(PAIRS):
        for row in changed(pair):
            group = after["vlan%d-v4" % row["id"]]
            assert len(group.masters) == 1 and len(group.backups) == 1, group
            if "priorities" in row:
                assert group.masters == [first]
            if "virtual" in row:
                assert group.address.endswith(".100")


def test_with_nothing_to_do_each_router_is_asked_three_times_at_most(
    fleet: Fleet, tmp_path: Path
) -> None:
    log, ssh = tmp_path / "log", tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\necho "$*" >> %s\nexec ssh "$@"\n' % log)
    ssh.chmod(0o755)
    said = fleet.play(fleet.rows, ANSIBLE_SSH_EXECUTABLE=str(ssh))
    calls = log.read_text().splitlines()
    for router in fleet.lab.spec.routers:
        address = fleet.lab.spec.management_address(router)
        asked = [line for line in calls if " %s " % address in line and " -O " not in line]
        assert 2 <= len(asked) <= 3, asked
    recap = [line for line in said.splitlines() if " changed=" in line]
    assert len(recap) == len(fleet.lab.spec.routers)
    assert all(" changed=0 " in line for line in recap), recap
