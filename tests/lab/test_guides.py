# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides in docs/ are done as they are written, by a reader with two routers and an archive.

Only what belongs to the reader's place is ours: how ssh finds the routers, and who is a host.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Iterator, List, Set

import pytest

from tests.harness.ansible_tree import copy_tree
from tests.lab.control import Lab, temporary_lab
from tests.lab.guide import CONTROLLER, Command, File, Step, steps
from tests.lab.measure import LOOK, Prober
from tests.lab.shell import REPOSITORY, run, wait_for
from tests.lab.topology import CONTROLLER as CONTROLLER_NAME
from tests.lab.topology import (
    STATION_DEVICE,
    STATION_HOST,
    UPLINK_NETWORK,
    VIRTUAL_HOST,
    LabSpec,
    vlan_network,
)

FIRST_SITE = REPOSITORY / "docs/first-site.md"
FROM_KEEPALIVED = REPOSITORY / "docs/from-keepalived.md"
KEEPALIVED, ENGINE = "keepalived.service", "vlangated.service"
ENGINE_FILES = ("/etc/vlangate", "/usr/lib/vlangate")
# Beside keepalived they are not asked: its macvlan for IPv6 answers for IPv4, too.
VIRTUAL_MACS = {
    "198.18.10.254": ["00:00:5e:00:01:0a"],
    "2001:db8:10::fe": ["00:00:5e:00:02:0a"],
    "198.18.20.254": ["00:00:5e:00:01:33"],
    "198.51.100.254": ["00:00:5e:00:01:64"],
}
# What the guide says of a step that gives roles away, and of one that does not. A router that is
# lost costs 600 ms at the least; a machine with too much to do may lose 20.
MOVE_MS, CALM_MS = 100, 20
# What is under way when we count.
WATCH_S = 2
COMMAND_SECONDS = 900


@pytest.fixture(scope="module", autouse=True)
def _able() -> None:
    """A guide that nobody followed has shown nothing."""
    if os.geteuid() != 0:
        pytest.fail("the lab makes namespaces and boots routers: run its tests as root")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as it is released, made from a copy of what git knows."""
    directory = tmp_path_factory.mktemp("built")
    tree = copy_tree(tmp_path_factory.mktemp("tree"))
    galaxy = [str(REPOSITORY / ".venv/bin/ansible-galaxy"), "collection", "build"]
    subprocess.run([*galaxy, "--output-path", str(directory)], cwd=tree, check=True)
    (built,) = directory.glob("*.tar.gz")
    return built


class Reader:
    """Does what a guide says, in an empty directory of the controller and in the lab."""

    def __init__(self, lab: Lab, directory: Path, archive: Path) -> None:
        self.lab, self.directory = lab, directory
        self.work = directory / "work"
        self.work.mkdir()
        (self.work / archive.name).symlink_to(archive)
        self.started = time.monotonic()

    def follow(self, step: Step) -> None:
        if isinstance(step, File):
            self.write(step)
        else:
            self.execute(step)

    def write(self, file: File) -> None:
        assert file.place == CONTROLLER, file
        path = self.work / file.path
        path.parent.mkdir(exist_ok=True)
        path.write_text(file.text)

    def execute(self, command: Command) -> str:
        said = self.say(command)
        print("%5.0f s: %s" % (time.monotonic() - self.started, command.command))
        missing = command.missing(said)
        assert not missing, "%s\nhas no line %s\n%s" % (command.command, missing, said[-6000:])
        return said

    def say(self, command: Command, is_refused: bool = False) -> str:
        """What it prints."""
        place = command.place or CONTROLLER_NAME
        argv = self.lab.enter_command(place, ["sh", "-c", command.command])
        done = subprocess.run(
            argv, cwd=self.work, env=self._environment(), stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=COMMAND_SECONDS, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) == is_refused, command.command + "\n" + done.stdout[-6000:]
        return done.stdout

    def _environment(self) -> Dict[str, str]:
        """A home of the reader's own, so that no collection is found but the one installed."""
        own = {"HOME": str(self.directory), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"}
        return {**self.lab.environment(), **own}


@pytest.fixture
def site(tmp_path: Path, archive: Path) -> Iterator[Reader]:
    with temporary_lab(LabSpec("g%d" % os.getpid())) as lab:
        yield Reader(lab, tmp_path, archive)


def test_a_first_site_in_ten_minutes(site: Reader) -> None:
    for step in steps(FIRST_SITE.read_text()):
        site.follow(step)
    assert time.monotonic() - site.started < 600


@pytest.fixture
def old_site(tmp_path: Path, archive: Path) -> Iterator[Reader]:
    """Two routers that an operator has set up: their addresses, and keepalived without a file."""
    with temporary_lab(LabSpec("k%d" % os.getpid(), rootfs="keepalived")) as lab:
        for router in lab.spec.routers:
            host = lab.spec.router_host(router)
            for network in map(vlan_network, lab.spec.vlans):
                lines = ["[Match]", "Name=" + network.name, "[Network]",
                         "LinkLocalAddressing=ipv6", "IPv6AcceptRA=no"]  # fmt: skip
                lines += ["Address=" + network.with_length(version, host) for version in (4, 6)]
                install(lab, router, "/etc/systemd/network/%s.network" % network.name, lines)
            lab.execute(router, ["networkctl", "reload"])
            lab.execute(router, ["sysctl", "-qw", "net.ipv4.ip_forward=1",
                                 "net.ipv6.conf.all.forwarding=1"])  # fmt: skip
        yield Reader(lab, tmp_path, archive)


def install(lab: Lab, router: str, path: str, lines: List[str]) -> None:
    script = 'mkdir -p "$(dirname "$2")" && printf %s "$1" > "$2"'
    lab.execute(router, ["sh", "-c", script, "install", "\n".join(lines) + "\n", path])


def begin_with_keepalived(lab: Lab, file: File) -> None:
    """The file of gw1, and what the guide says of that of gw2."""
    as_backup = file.text.replace("state MASTER", "state BACKUP")
    texts = {"gw1": file.text, "gw2": as_backup.replace("priority 150", "priority 100")}
    for router, text in texts.items():
        install(lab, router, file.path, text.splitlines())
        lab.execute(router, ["systemctl", "enable", "--now", KEEPALIVED])


def may_move(before: str, command: str) -> bool:
    """Whether the guide gives roles to another router here, which may cost MOVE_MS."""
    goes_back = command.endswith("=gw1 -e vlangate_replace_state=keepalived")
    return before.startswith("sed ") or goes_back


def answers(lab: Lab) -> Dict[str, List[str]]:
    """Which MAC addresses answer for each virtual address, asked on its LAN."""
    found = {}
    for station, address in zip(("h10", "h10", "h20", "isp"), VIRTUAL_MACS):
        argv = [sys.executable, "-ISE", str(LOOK), "answers", STATION_DEVICE, address]
        found[address] = json.loads(run(lab.enter_command(station, argv)))
    return found


def beside_keepalived(reader: Reader) -> None:
    """A roll-out does not begin on routers that keepalived serves, and touches none of them."""
    for playbook in ("plan", "site"):
        play = "ansible-playbook -i inventory.yml vlangate.vrrp.%s" % playbook
        said = reader.say(Command(CONTROLLER, play), is_refused=True)
        assert "nothing was touched" in said
        for router in ("gw1", "gw2"):
            found = r"%s: keepalived \(processes \d+, \d+ of keepalived.service; \d+ VRRP sockets\)"
            assert re.search(found % router, said), said[-3000:]
    for router in ("gw1", "gw2"):
        reader.lab.execute(router, ["systemctl", "is-active", KEEPALIVED])
        for path in ENGINE_FILES:
            reader.lab.execute(router, ["test", "!", "-e", path])


def warned_of_the_next_boot(reader: Reader) -> None:
    """keepalived that is only enabled is told, and keeps nobody from anything."""
    reader.lab.execute("gw2", ["systemctl", "enable", KEEPALIVED])
    said = reader.say(Command(CONTROLLER, "ansible-playbook -i inventory.yml vlangate.vrrp.plan"))
    reader.lab.execute("gw2", ["systemctl", "disable", KEEPALIVED])
    assert "keepalived.service does not run, but is enabled" in " ".join(said.split())
    assert "nothing to do" in said


def refusals(reader: Reader) -> None:
    """A master is not stopped, and keepalived comes back where the engine does not become well."""
    play = "ansible-playbook -i inventory.yml vlangate.vrrp.replace_keepalived -e vlangate_replace="
    said = reader.say(Command(CONTROLLER, play + "gw1"), is_refused=True)
    assert "keepalived on gw1 holds " in said and "198.18.10.254" in said
    # No router has that interface, so the virtual router never gets out of initialize.
    table = {"vlangate_vlans": [{"id": 30, "networks": ["198.18.30.0/24"]}]}
    more = " -e '%s'" % json.dumps({**table, "vlangate_verify_timeout": 3})
    said = reader.say(Command(CONTROLLER, play + "gw2" + more), is_refused=True)
    assert "keepalived serves gw2 again" in said and "vlan30-v4" in said
    reader.say(Command(CONTROLLER, play + "gw2 --check"))
    for service, state in ((KEEPALIVED, "active"), (ENGINE, "inactive")):
        argv = ["systemctl", "is-active", service]
        assert reader.lab.execute("gw2", argv, check=False).strip() == state


def think_again(reader: Reader, sed: str, play: Command) -> None:
    """Back to the priorities before, as the guide says, and forth: gw1 is master meanwhile."""
    back = re.sub(r"'s/(.*)/(.*)/'", r"'s/\2/\1/'", sed)
    for command, state in ((back, "backup"), (sed, "master")):
        reader.say(Command(CONTROLLER, command))
        reader.say(Command(CONTROLLER, play.command))
        wait_for(
            lambda wanted={state}: gw2_states(reader.lab) == wanted, 60, "gw2 to be %s" % state, 0.1
        )


def gw2_states(lab: Lab) -> Set[str]:
    report = json.loads(lab.execute("gw2", ["vlangate", "show", "--json"]))
    return {each["state"] for each in report["routers"]}


def test_from_keepalived_under_traffic(old_site: Reader) -> None:
    lab = old_site.lab
    todo = steps(FROM_KEEPALIVED.read_text())
    (configuration,) = (step for step in todo if isinstance(step, File) and step.place)
    begin_with_keepalived(lab, configuration)
    targets = [vlan_network(20).address(4, STATION_HOST), UPLINK_NETWORK.address(4, STATION_HOST),
               vlan_network(10).address(6, VIRTUAL_HOST)]  # fmt: skip
    before, ours = "", False
    with Prober(lab, "h10", targets) as prober:
        wait_for(lambda: prober.steady_seconds() >= 1, 60, "traffic through keepalived", 0.1)
        for step in todo:
            if step is configuration:
                continue
            start_ns = time.monotonic_ns()
            old_site.follow(step)
            if not isinstance(step, Command):
                continue
            if step.command.endswith("from_keepalived"):
                beside_keepalived(old_site)
                refusals(old_site)
            if step.command.endswith("vrrp.verify"):
                warned_of_the_next_boot(old_site)
            if before.startswith("sed ") and not ours:
                think_again(old_site, before, step)
            time.sleep(WATCH_S)
            moves = may_move(before, step.command)
            allowed_ms = MOVE_MS if moves else CALM_MS
            before = step.command
            losses = prober.loss(start_ns, time.monotonic_ns())
            late_ms = prober.late_ms()
            print("        loss: %s" % {address: loss.lost for address, loss in losses.items()})
            assert all(loss.sent > 1000 for loss in losses.values()), losses
            # What held up the prober has held up the routers, too.
            allowed_ms += late_ms
            assert all(loss.longest_ms <= allowed_ms for loss in losses.values()), losses
            ours = ours or moves
            if ours and "keepalived" not in step.command.rpartition("=")[2]:
                assert answers(lab) == VIRTUAL_MACS
