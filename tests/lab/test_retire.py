# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routers are retired: under traffic nothing is lost, and they are as they were before us."""

from __future__ import annotations

import os
import re
import time
from typing import Any, Dict, Iterator, Set

import pytest

from tests.lab.control import Lab, temporary_lab
from tests.lab.measure import Prober
from tests.lab.shell import wait_for
from tests.lab.test_accidents import PLAY_S, lost, playing, roles
from tests.lab.topology import STATION_HOST, UPLINK_NETWORK, LabSpec, vlan_network

# What changes on any router that somebody logs in to, or adds a group to.
OTHERS = "! -name '*-' ! -name .pwd.lock ! -name '*.cache' ! -name motd.dynamic ! -name '*.pyc'"
OTHERS += " ! -name __pycache__ ! -path '/run/systemd/*' ! -path '/run/log/*' ! -path '/run/udev/*'"
# What each of these prints is what a router is like, a line for each thing.
LOOKS = {
    "links": "ls /sys/class/net",
    "addresses": "ip -o addr show scope global | awk '{print $2, $4}'",
    # networkd sets promote_secondaries wherever it ever gave an address, and leaves it so.
    "sysctls": "sysctl -a 2>/dev/null | grep -E '^net[.]ipv[46][.](conf|ip_forward)'"
    " | grep -v promote_secondaries",
    "tables": "nft list tables 2>/dev/null || true",
    "rules": "ip rule; ip -6 rule",
    "groups": "cut -d: -f1 /etc/group",
    "units": "systemctl list-unit-files --no-legend | awk '{print $1, $2}'",
    "settings": "find /etc -type f %s -exec sha256sum {} +" % OTHERS,
    "files": "find /etc /usr /opt /srv /var/lib /run -xdev %s" % OTHERS,
}
Site = Any
Look = Dict[str, Set[str]]


def look(lab: Lab, router: str) -> Look:
    return {
        name: set(lab.execute(router, ["sh", "-c", script]).splitlines())
        for name, script in LOOKS.items()
    }


def assert_alike(before: Look, after: Look) -> None:
    """Nothing is there now that was not, or the other way round."""
    found = ["%s: %s" % (name, line) for name in before for line in before[name] ^ after[name]]
    assert not found, "\n".join(sorted(found))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The lab with everything rolled out and traffic, and what each router was like before."""
    if os.geteuid() != 0:
        pytest.fail("the lab makes namespaces and boots routers: run its tests as root")
    with temporary_lab(LabSpec("r%d" % os.getpid())) as lab:
        before = {router: look(lab, router) for router in lab.spec.routers}
        run(lab, "site")
        far = (vlan_network(20), UPLINK_NETWORK)
        targets = [each.address(version, STATION_HOST) for each in far for version in (4, 6)]
        with Prober(lab, "h10", targets) as prober:
            wait_for(lambda: prober.steady_seconds() >= 1, 60, "traffic without loss", 0.1)
            yield lab, prober, before


def run(lab: Lab, playbook: str, status: int = 0, **variables: Any) -> str:
    """What a playbook said; it has to end with this status."""
    with playing(lab, playbook, **{"vlangate_manage_interfaces": "networkd", **variables}) as child:
        said, _nothing = child.communicate(timeout=PLAY_S)
    assert child.returncode == status, said[-6000:]
    return str(said)


def changed(said: str) -> Dict[str, int]:
    return {name: int(n) for name, n in re.findall(r"^(\S+) .*changed=(\d+)", said, re.MULTILINE)}


def test_names_that_nobody_has_are_refused(site: Site) -> None:
    lab, _prober, _before = site
    for names in ("", "gw3", "gw1,gw3", "all,gw1"):
        said = run(lab, "retire", 2, vlangate_retire=names)
        assert "say which routers" in said and "gw1, gw2" in said
    assert roles(lab)


def test_a_site_is_not_retired_by_mistake(site: Site) -> None:
    lab, prober, _before = site
    held, start_ns = roles(lab), time.monotonic_ns()
    said = run(lab, "retire", 2, vlangate_retire="all")
    assert "nobody healthy would be left" in said
    assert roles(lab) == held
    assert lost(prober, start_ns) == {}


def test_a_router_leaves_without_loss_and_as_it_came(site: Site) -> None:
    lab, prober, before = site
    start_ns = time.monotonic_ns()
    run(lab, "retire", vlangate_retire="gw1")
    assert_alike(before["gw1"], look(lab, "gw1"))
    assert lost(prober, start_ns) == {}
    assert set(changed(run(lab, "retire", vlangate_retire="gw1")).values()) == {0}


def test_the_last_one_leaves_only_by_force(site: Site) -> None:
    lab, prober, before = site
    start_ns = time.monotonic_ns()
    said = run(lab, "retire", 2, vlangate_retire="gw2")
    assert "nobody healthy would be left" in said
    assert lost(prober, start_ns) == {}
    run(lab, "retire", vlangate_retire="all", vlangate_retire_force=True)
    assert_alike(before["gw2"], look(lab, "gw2"))
