# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another release, and a crash, under real systemd: traffic, roles and the service go on.

On the site of test_accidents.py, at 1,000 probes a second through both routers.
"""

from __future__ import annotations

import os
import time
from typing import Any, Dict, Iterator

import pytest

from tests.lab.control import Lab, temporary_lab
from tests.lab.measure import Prober
from tests.lab.shell import wait_for
from tests.lab.test_accidents import WATCH_S, lost, play, roles, suffer
from tests.lab.topology import STATION_HOST, UPLINK_NETWORK, LabSpec, vlan_network

ENGINE = "/usr/lib/vlangate"
SERVICE = "vlangated.service"
# As after an upgrade by hand: the same files under another name.
NEXT = "cp -a {0}/releases/$1 {0}/releases/$2 && ln -sfn releases/$2 {0}/current".format(ENGINE)
Site = Any


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The lab with everything rolled out, and traffic."""
    if os.geteuid() != 0:
        pytest.fail("the lab makes namespaces and boots routers: run its tests as root")
    with temporary_lab(LabSpec("u%d" % os.getpid())) as lab:
        play(lab, "site", vlangate_manage_interfaces="networkd")
        far = (vlan_network(20), UPLINK_NETWORK)
        targets = [each.address(version, STATION_HOST) for each in far for version in (4, 6)]
        with Prober(lab, "h10", targets) as prober:
            wait_for(lambda: prober.steady_seconds() >= 1, 60, "traffic without loss", 0.1)
            yield lab, prober


def service(lab: Lab, router: str) -> Dict[str, str]:
    """What systemd thinks of it."""
    names = "MainPID,ActiveState,SubState,NRestarts,Result"
    lines = lab.execute(router, ["systemctl", "show", SERVICE, "--property", names]).splitlines()
    return dict(line.split("=", 1) for line in lines)


def log(lab: Lab, router: str) -> str:
    return lab.execute(router, ["journalctl", "-u", SERVICE, "--no-pager", "-n", "60", "-o", "cat"])


def upgrade(site: Site, name: str) -> None:
    lab, _prober = site
    before = service(lab, "gw1")
    release = lab.execute("gw1", ["readlink", ENGINE + "/current"]).strip().split("/")[1]
    lab.execute("gw1", ["sh", "-c", NEXT, "next", release, name])
    suffer(site, "gw1", "vlangate upgrade")
    after = service(lab, "gw1")
    assert after["MainPID"] != before["MainPID"], log(lab, "gw1")
    assert {**after, "MainPID": ""} == {**before, "MainPID": ""}


def test_a_release_takes_over_under_systemd(site: Site) -> None:
    lab, _prober = site
    for number in range(3):
        upgrade(site, "next-%d" % number)
    assert "reception only permitted" not in log(lab, "gw1")
    scheduling = lab.execute("gw1", ["chrt", "-p", service(lab, "gw1")["MainPID"]])
    assert "SCHED_RR" in scheduling and "20" in scheduling, scheduling


def test_a_daemon_that_took_over_and_dies_is_started_again(site: Site) -> None:
    lab, prober = site
    before, held = service(lab, "gw1"), roles(lab)
    start_ns = time.monotonic_ns()
    lab.execute("gw1", ["systemctl", "kill", "--signal=KILL", SERVICE])
    wait_for(lambda: roles(lab) == held, 60, "the daemon to be there again", 0.1)
    time.sleep(WATCH_S)
    assert lost(prober, start_ns) == {}
    assert roles(lab) == held
    after = service(lab, "gw1")
    assert after["ActiveState"] == "active" and after["MainPID"] != before["MainPID"]
    assert int(after["NRestarts"]) == int(before["NRestarts"]) + 1
    assert "adopted" in log(lab, "gw1")


def test_a_service_that_took_over_stops_and_leaves_nothing(site: Site) -> None:
    lab, _prober = site
    upgrade(site, "last")
    assert "vg-" in lab.execute("gw1", ["ip", "-br", "link"])
    lab.execute("gw1", ["systemctl", "stop", SERVICE])
    stopped = service(lab, "gw1")
    assert (stopped["ActiveState"], stopped["Result"]) == ("inactive", "success"), stopped
    assert "vg-" not in lab.execute("gw1", ["ip", "-br", "link"])
