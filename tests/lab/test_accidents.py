# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a router in its life, on a site in use: nothing is lost at 1,000 probes a second.

The site is the demo's, rolled out by the same playbook. gw1, master of VLAN 10 and the uplink, has
systemd-networkd; gw2, master of VLAN 20, has NetworkManager. The probes of h10 go through both.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import contextmanager
from typing import Any, Dict, Iterator

import pytest

from tests.lab.control import Lab, temporary_lab
from tests.lab.demo import INVENTORY
from tests.lab.measure import Prober, groups
from tests.lab.shell import REPOSITORY, wait_for
from tests.lab.topology import (
    CONTROLLER,
    MANAGEMENT,
    STATION_HOST,
    UPLINK,
    UPLINK_NETWORK,
    LabSpec,
    vlan_network,
)

# Long enough for a daemon that was wronged to come back, or for a successor to take over.
WATCH_S = 2.0
# An answer may still be under way when we count.
UNDER_WAY_S = 0.6
# A playbook that is not done by then hangs.
PLAY_S = 600
# From the change to when the cable is pulled, with room for a machine that is busy.
CONFIRM_S = 12
VARIABLES = {
    "vlangate_manage_interfaces": "{{ 'networkd' if inventory_hostname == 'gw1' else 'none' }}",
    # The preferred master of VLAN 20 would make us wait for it.
    "vlangate_defaults": {"preempt_delay": "0s", "uplink": {"targets": ["198.51.100.1"]}},
    "vlangate_verify_table": False,
}
CONNECTION = """[connection]
id={name}
type=ethernet
interface-name={name}
[ipv4]
method=manual
address1={v4}
{gateway4}
[ipv6]
method=manual
address1={v6}
{gateway6}
"""
Site = Any


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The lab with everything rolled out, and traffic."""
    if os.geteuid() != 0:
        pytest.fail("the lab makes namespaces and boots routers: run its tests as root")
    with temporary_lab(LabSpec("a%d" % os.getpid(), rootfs="manager")) as lab:
        use_network_manager(lab, "gw2")
        play(lab, "site")
        far = (vlan_network(20), UPLINK_NETWORK)
        targets = [each.address(version, STATION_HOST) for each in far for version in (4, 6)]
        with Prober(lab, "h10", targets) as prober:
            wait_for(lambda: prober.steady_seconds() >= 1, 60, "traffic without loss", 0.1)
            yield lab, prober


def use_network_manager(lab: Lab, router: str) -> None:
    """Hand the interfaces over from networkd, as on a router that was installed with it."""
    host = lab.spec.router_host(router)
    for network in lab.spec.networks:
        if network.name == MANAGEMENT:
            continue
        gateways = {
            "gateway%d" % version: "gateway=" + network.address(version, STATION_HOST)
            if network.name == UPLINK
            else "never-default=true"
            for version in (4, 6)
        }
        text = CONNECTION.format(
            name=network.name,
            v4=network.with_length(4, host),
            v6=network.with_length(6, host),
            **gateways,
        )
        path = "/etc/NetworkManager/system-connections/%s.nmconnection" % network.name
        script = 'umask 077; printf %s "$1" > "$2"'
        lab.execute(router, ["sh", "-c", script, "write", text, path])
    lab.execute(router, ["systemctl", "mask", "--now", "systemd-networkd.service"])
    lab.execute(router, ["systemctl", "unmask", "NetworkManager.service"])
    lab.execute(router, ["systemctl", "enable", "--now", "NetworkManager.service"])
    wait_for(
        lambda: manager_states(lab, router).get(UPLINK) == "connected", 60, "NetworkManager", 0.1
    )


def manager_states(lab: Lab, router: str) -> Dict[str, str]:
    """What NetworkManager says of each device."""
    lines = lab.execute(router, ["nmcli", "-t", "-f", "DEVICE,STATE", "device"]).splitlines()
    return dict(line.split(":", 1) for line in lines)


def play(lab: Lab, playbook: str, **variables: Any) -> None:
    said = ""
    with playing(lab, playbook, **variables) as child:
        said, _nothing = child.communicate(timeout=PLAY_S)
    assert child.returncode == 0, said[-4000:]


@contextmanager
def playing(lab: Lab, playbook: str, **variables: Any) -> Iterator["subprocess.Popen[str]"]:
    """A playbook that runs on the controller, as a user would run it."""
    argv = ["ansible-playbook", "-i", INVENTORY, "playbooks/%s.yml" % playbook]
    argv += ["-e", json.dumps({**VARIABLES, **variables})]
    child = subprocess.Popen(
        lab.enter_command(CONTROLLER, argv), cwd=str(REPOSITORY),
        # Who cannot be reached is given up soon; who can be may have to wait for a processor.
        env={**lab.environment(), "ANSIBLE_TIMEOUT": "8"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def roles(lab: Lab) -> Dict[str, Dict[str, str]]:
    """The state of each group on each router."""
    return {
        name: {router: report["state"] for router, report in group.reports.items()}
        for name, group in groups(lab).items()
    }


def role_changes(lab: Lab, router: str) -> Dict[str, int]:
    """How often each group became master there, and how often it heard priority 0."""
    found = {}
    for name, group in groups(lab).items():
        counters = group.reports[router]["counters"]
        found[name] = counters["master-transitions"] + counters["priority-zero-pkts-rcvd"]
    return found


def lost(prober: Prober, start_ns: int) -> Dict[str, int]:
    stop_ns = time.monotonic_ns()
    time.sleep(UNDER_WAY_S)
    losses = prober.loss(start_ns, stop_ns)
    assert all(loss.sent > 1000 for loss in losses.values()), losses
    return {address: loss.lost for address, loss in losses.items() if loss.lost}


def suffer(site: Site, router: str, *commands: str) -> None:
    """Do something on a router; nothing is lost and nobody changes roles, not even for a moment."""
    lab, prober = site
    before = roles(lab), role_changes(lab, "gw1"), role_changes(lab, "gw2")
    start_ns = time.monotonic_ns()
    for command in commands:
        lab.execute(router, command.split())
    time.sleep(WATCH_S)
    assert lost(prober, start_ns) == {}
    assert (roles(lab), role_changes(lab, "gw1"), role_changes(lab, "gw2")) == before


def test_the_site_is_as_the_table_wants_it(site):
    lab, _prober = site
    for name, states in roles(lab).items():
        master = "gw2" if name.startswith("vlan20") else "gw1"
        assert states[master] == "master", (name, states)
        assert sorted(states.values()) == ["backup", "master"], (name, states)


def test_networkd_starts_anew(site):
    suffer(site, "gw1", "systemctl restart systemd-networkd")


def test_networkd_reads_its_files(site):
    suffer(site, "gw1", "networkctl reload")


def test_network_manager_starts_anew(site):
    suffer(site, "gw2", "systemctl restart NetworkManager")


def test_network_manager_reads_its_files(site):
    suffer(
        site,
        "gw2",
        "nmcli general reload",
        "nmcli connection reload",
        "nmcli device reapply vlan20",
    )


def test_our_devices_are_not_network_manager_s(site):
    states = manager_states(site[0], "gw2")
    ours = {device: state for device, state in states.items() if device.startswith("vg-")}
    assert len(ours) == 6
    assert set(ours.values()) == {"unmanaged"}
    assert states["vlan20"] == "connected"


def test_a_router_goes_out_of_service_and_back(site):
    """With the playbook, and nobody loses a packet on the way."""
    lab, prober = site
    before = roles(lab)
    start_ns = time.monotonic_ns()
    play(lab, "handover", vlangate_handover="gw1")
    assert {states["gw1"] for states in roles(lab).values()} == {"backup"}
    play(lab, "handover", vlangate_handover="gw1", vlangate_handover_state="undrained")
    assert roles(lab) == before
    assert lost(prober, start_ns) == {}


def test_a_killed_daemon_goes_on_as_master(site):
    """systemd starts it again; it adopts what it finds, and nobody else has noticed."""
    lab, prober = site
    before = roles(lab), role_changes(lab, "gw2")
    pid = main_pid(lab)
    start_ns = time.monotonic_ns()
    lab.execute("gw1", ["kill", "-KILL", pid])
    wait_for(lambda: main_pid(lab) not in (pid, "0"), 60, "the daemon", 0.1)
    wait_for(lambda: roles(lab) == before[0], 60, "its roles", 0.1)
    time.sleep(WATCH_S)
    assert lost(prober, start_ns) == {}
    assert (roles(lab), role_changes(lab, "gw2")) == before
    assert set(role_changes(lab, "gw1").values()) == {0}


def main_pid(lab: Lab) -> str:
    argv = ["systemctl", "show", "--property=MainPID", "--value", "vlangated.service"]
    return lab.execute("gw1", argv).strip()


def test_a_change_after_which_nobody_comes_takes_itself_back(site):
    """The management cable is pulled while the new configuration is on probation."""
    lab, prober = site
    before, runs = roles(lab), engine(lab)["config_sha256"]
    start_ns = time.monotonic_ns()
    changed = {**VARIABLES["vlangate_defaults"], "preempt_delay": "3s"}
    variables = {"vlangate_defaults": changed, "vlangate_confirm_within": CONFIRM_S}
    with playing(lab, "site", **variables) as child:
        wait_for(lambda: engine(lab)["probation"], PLAY_S, "a configuration on probation", 0.05)
        lab.link_cut("gw1", MANAGEMENT)
        assert engine(lab)["config_sha256"] != runs
        said, _nothing = child.communicate(timeout=PLAY_S)
    lab.link_restore("gw1", MANAGEMENT)
    assert child.returncode != 0, said[-4000:]
    wait_for(lambda: not engine(lab)["probation"], 60, "the configuration to be taken back", 0.1)
    now = engine(lab)
    assert (now["config_sha256"], now["config_source"]) == (runs, "last-good")
    assert roles(lab) == before
    assert lost(prober, start_ns) == {}


def engine(lab: Lab) -> Dict[str, Any]:
    """What the daemon of gw1 says of itself."""
    return dict(json.loads(lab.execute("gw1", ["vlangate", "show", "--json"]))["engine"])
