# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens in the middle of a roll-out, and how that ends: docs/rollout.md, row by row.

One pair under traffic. gw2, which is master of fewer groups, is changed in the first step, gw1 in
the second. Every group has one master afterwards, and who was hit has its old configuration.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any, Dict, Iterator, Tuple

import pytest

from tests.lab.control import Lab, temporary_lab
from tests.lab.measure import Prober, unsettled
from tests.lab.shell import wait_for
from tests.lab.test_accidents import UNDER_WAY_S, playing
from tests.lab.test_upgrade import ENGINE, NEXT
from tests.lab.topology import MANAGEMENT, STATION_HOST, UPLINK_NETWORK, LabSpec, vlan_network

INTERVALS_MS = (500, 400)
CONFIRM_S = 20
MARKER = "/etc/vlangate/drained-by-rollout"
PROBATION = "/var/lib/vlangate/probation.json"
#: Three intervals and a skew time below one (RFC 9568 section 6.1), and a tenth for the change.
RFC_MS = 4.1 * max(INTERVALS_MS)
MOST_LOST = 2

Variables = Dict[str, Any]


def variables(interval_ms: int) -> Variables:
    return {
        "vlangate_manage_interfaces": "networkd",
        "vlangate_confirm_within": CONFIRM_S,
        "vlangate_verify_timeout": 10,
        "vlangate_defaults": {
            "uplink": {"targets": [UPLINK_NETWORK.address(4, STATION_HOST)]},
            "track_links": ["vlan10", "vlan20", "uplink"],
            "advertisement_interval": "%dms" % interval_ms,
            "preempt_delay": "0s",
        },
    }


class Site:
    """The pair, its traffic, and the configuration that it has."""

    def __init__(self, lab: Lab, prober: Prober) -> None:
        self.lab, self.prober = lab, prober
        self.interval_ms = INTERVALS_MS[0]

    @property
    def wanted(self) -> Variables:
        """Another interval than the routers have."""
        return variables(sum(INTERVALS_MS) - self.interval_ms)

    def engine(self, router: str) -> Dict[str, Any]:
        return dict(json.loads(self.lab.execute(router, ["vlangate", "show", "--json"]))["engine"])

    def digests(self) -> Dict[str, str]:
        return {router: self.engine(router)["config_sha256"] for router in self.lab.spec.routers}

    def settle(self) -> None:
        """Wait until nothing is on probation, and every group has one master and a backup."""
        for router in self.lab.spec.routers:
            wait_for(lambda each=router: not self.engine(each)["probation"], CONFIRM_S + 5,
                     "the end of a probation on %s" % router, 0.2)  # fmt: skip
        wait_for(lambda: not unsettled(self.lab), 10, "one master of each group", 0.2)

    def go_on(self) -> None:
        """The next run of the same playbook ends what the last one began."""
        with playing(self.lab, "site", **self.wanted) as child:
            said, _nothing = child.communicate(timeout=180)
        assert child.returncode == 0, said[-4000:]
        self.interval_ms = sum(INTERVALS_MS) - self.interval_ms
        for router in self.lab.spec.routers:
            assert not self.engine(router)["drained_all"]
            assert not self.lab.execute(router, ["sh", "-c", "ls %s || true" % MARKER])
        assert unsettled(self.lab) == []

    def longest_ms(self, start_ns: int) -> float:
        stop_ns = time.monotonic_ns()
        time.sleep(UNDER_WAY_S)
        return max(each.longest_ms for each in self.prober.loss(start_ns, stop_ns).values())

    def most_lost(self, start_ns: int) -> int:
        stop_ns = time.monotonic_ns()
        time.sleep(UNDER_WAY_S)
        return max(each.lost for each in self.prober.loss(start_ns, stop_ns).values())


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The lab with everything rolled out, and traffic."""
    if os.geteuid() != 0:
        pytest.fail("the lab makes namespaces and boots routers: run its tests as root")
    with temporary_lab(LabSpec("p%d" % os.getpid())) as lab:
        with playing(lab, "site", **variables(INTERVALS_MS[0])) as child:
            said, _nothing = child.communicate(timeout=180)
        assert child.returncode == 0, said[-4000:]
        targets = [vlan_network(20).address(version, STATION_HOST) for version in (4, 6)]
        with Prober(lab, "h10", targets) as prober:
            wait_for(lambda: prober.steady_seconds() >= 1, 20, "traffic without loss", 0.1)
            yield Site(lab, prober)


def interrupted(site: Site, router: str, happen: Any, **extra: Any) -> Tuple[str, int]:
    """Roll out, and have something happen while this router is on probation; what was said."""
    start_ns = time.monotonic_ns()
    with playing(site.lab, "site", **{**site.wanted, **extra}) as child:
        wait_for(lambda: site.engine(router)["probation"], 60, "a probation on " + router, 0.05)
        happen(child)
        said, _nothing = child.communicate(timeout=120)
    assert child.returncode != 0, said[-4000:]
    return said, start_ns


def test_the_connection_is_lost(site: Site) -> None:
    """In the second step: the first one is kept, the second is taken back by the router itself."""
    before = site.digests()
    said, start_ns = interrupted(site, "gw1", lambda _child: site.lab.link_cut("gw1", MANAGEMENT))
    site.lab.link_restore("gw1", MANAGEMENT)
    site.settle()
    after = site.digests()
    assert after["gw1"] == before["gw1"] and after["gw2"] != before["gw2"], said[-3000:]
    assert "The roll-out ends in step 2 of 2: gw1" in said, said[-6000:]
    assert site.most_lost(start_ns) <= MOST_LOST
    site.go_on()


def test_the_daemon_refuses(site: Site) -> None:
    """Who cannot write down what is on probation does not begin with it."""
    before, start_ns = site.digests(), time.monotonic_ns()
    site.lab.execute("gw2", ["mkdir", PROBATION])
    try:
        with playing(site.lab, "site", **site.wanted) as child:
            said, _nothing = child.communicate(timeout=120)
    finally:
        site.lab.execute("gw2", ["rmdir", PROBATION])
    assert child.returncode != 0 and "Apply the configuration" in said, said[-3000:]
    site.settle()
    assert site.digests() == before
    assert site.most_lost(start_ns) <= MOST_LOST


def test_an_assertion_fails(site: Site) -> None:
    """In the second step a cable is pulled, so a group is not as it should be: it is taken back."""
    before = site.digests()
    said, start_ns = interrupted(site, "gw1", lambda _child: site.lab.link_cut("gw1", "vlan20"))
    after = site.digests()
    site.lab.link_restore("gw1", "vlan20")
    assert after["gw1"] == before["gw1"] and after["gw2"] != before["gw2"], said[-3000:]
    assert "vlan20-v4: expected" in said, said[-6000:]
    site.settle()
    # gw1 has VLAN 10, and sends nothing into VLAN 20 until it has given that away.
    assert site.longest_ms(start_ns) <= RFC_MS
    site.go_on()


def test_the_router_dies(site: Site) -> None:
    """Its peer has what it had before; the dead one comes back with its old configuration."""
    before = site.digests()
    said, start_ns = interrupted(site, "gw2", lambda _child: site.lab.power_cut("gw2"))
    assert site.engine("gw1")["config_sha256"] == before["gw1"], said[-3000:]
    assert site.longest_ms(start_ns) <= RFC_MS
    site.lab.power_on("gw2")
    site.settle()
    assert site.digests() == before
    site.go_on()


def test_the_controller_dies(site: Site) -> None:
    """In between it had drained the router, which the next run knows."""
    before = site.digests()
    said, start_ns = interrupted(
        site, "gw2", lambda child: child.kill(), vlangate_rollout_drain="always"
    )
    site.settle()
    assert site.digests() == before, said[-3000:]
    assert site.engine("gw2")["drained_all"]
    assert site.most_lost(start_ns) <= MOST_LOST
    site.go_on()


def test_routers_with_another_release(site: Site) -> None:
    """They are drained one after the other, and an old and a new one work together meanwhile."""
    for router in site.lab.spec.routers:
        release = site.lab.execute(router, ["readlink", ENGINE + "/current"]).strip().split("/")[1]
        site.lab.execute(router, ["sh", "-c", NEXT, "next", release, "another"])
        site.lab.execute(router, ["vlangate", "upgrade"])
    start_ns = time.monotonic_ns()
    with playing(site.lab, "site", **variables(site.interval_ms)) as child:
        said, _nothing = child.communicate(timeout=180)
    assert child.returncode == 0, said[-4000:]
    assert "step 1 of 2: gw2 (drained, engine, undrained)" in said
    for router in site.lab.spec.routers:
        assert site.engine(router)["release"] != "another"
    assert site.most_lost(start_ns) <= MOST_LOST
