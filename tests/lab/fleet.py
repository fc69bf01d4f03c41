# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long playbooks/site.yml takes on two routers with many VLANs, and where the time goes.

    python3 -m tests.lab.fleet [--vlans 10 1000] [--rounds 3] [--manage none|networkd]

Each router of the lab gets one more interface per VLAN, a cable from one to the other: cheap
stand-ins for a trunk. For each number of VLANs a lab of its own is made, the site is rolled out on
empty routers (`apply`), again with nothing to do (`nothing`, --rounds times), and with one VLAN
changed (`one`). A task's seconds last from its headline to the next one. All tasks of the same
name count together.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from .control import Lab, temporary_lab
from .shell import REPOSITORY, LabError, Progress, ip, require_root, terminate_as_interrupt
from .topology import CONTROLLER, STATION_HOST, UPLINK_NETWORK, LabSpec

PAGE = REPOSITORY / "docs" / "fleet.md"
FIRST_VLAN = 2
MOST_VLANS = 4000
PLAYBOOK = "playbooks/site.yml"
HEADLINE = re.compile(r"^(PLAY|TASK|PLAY RECAP) \[?(.*?)\]? \*+$")
RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)")
PREEMPT_DELAY_S = 15


class Run:
    """One run of the playbook: its seconds, by task in their order, and what it changed."""

    def __init__(self) -> None:
        self.tasks_s: Dict[str, float] = {}
        self.changed: Dict[str, int] = {}
        self.total_s = 0.0

    def play(self, lab: Lab, inventory: Path, *options: str) -> Run:
        """Run it as a user would. Raises LabError with what was said when it fails."""
        argv = ["ansible-playbook", "-i", str(inventory), PLAYBOOK, *options]
        start = last = time.monotonic()
        name, said = "start of ansible-playbook", []
        with subprocess.Popen(
            lab.enter_command(CONTROLLER, argv), cwd=str(REPOSITORY),
            env={**lab.environment(), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as child:  # fmt: skip
            assert child.stdout is not None
            for line in child.stdout:
                said.append(line)
                headline = HEADLINE.match(line.rstrip())
                if headline is not None:
                    now = time.monotonic()
                    self.tasks_s[name] = self.tasks_s.get(name, 0.0) + now - last
                    name, last = headline.group(2) or headline.group(1), now
                found = RECAP.match(line)
                if found is not None:
                    self.changed[found.group(1)] = int(found.group(2))
        if child.returncode != 0:
            raise LabError("%s failed:\n%s" % (PLAYBOOK, "".join(said)[-4000:]))
        now = time.monotonic()
        self.tasks_s["end of ansible-playbook"] = now - last
        self.total_s = now - start
        return self


def site(directory: Path, lab: Lab, vlans: int, manage: str) -> Path:
    """Write the inventory and the table of a fleet; returns the inventory."""
    directory.mkdir(parents=True, exist_ok=True)
    hosts = {name: {"ansible_host": lab.spec.management_address(name)} for name in lab.spec.routers}
    table = {
        "vlangate_routers": list(lab.spec.routers),
        "vlangate_vlans": [
            {"id": FIRST_VLAN + number, "networks": [_network(number) % 0 + "/24"]}
            for number in range(vlans)
        ],
        "vlangate_defaults": {
            "uplink": {"targets": [UPLINK_NETWORK.address(4, STATION_HOST)]},
            "preempt_delay": "%ds" % PREEMPT_DELAY_S,
        },
        "vlangate_manage_interfaces": manage,
    }
    inventory = {"gateways": {"hosts": hosts, "vars": {"ansible_user": "root"}}}
    path = directory / "inventory.yml"
    path.write_text(json.dumps(inventory))
    (directory / "group_vars").mkdir(exist_ok=True)
    # JSON is YAML, in the form that people write: one VLAN a line.
    lines = ["%s: %s" % (key, json.dumps(value)) for key, value in table.items()
             if key != "vlangate_vlans"]  # fmt: skip
    lines += ["vlangate_vlans:", *("  - " + json.dumps(v) for v in table["vlangate_vlans"])]
    (directory / "group_vars/gateways.yml").write_text("---\n" + "\n".join(lines) + "\n")
    return path


def _network(number: int) -> str:
    return "10.%d.%d.%%d" % (number >> 8, number & 255)


def cable(lab: Lab, vlans: int, addresses: bool) -> None:
    """Connect the two routers by one cable per VLAN, with the real addresses if asked for."""
    first, second = (lab.spec.namespace(name) for name in lab.spec.routers)
    names = ["vlan%d" % (FIRST_VLAN + number) for number in range(vlans)]
    ip(first, ["link add %s type veth peer name %s netns %s" % (n, n, second) for n in names])
    for router in lab.spec.routers:
        lines = ["link set %s up" % name for name in names]
        if addresses:
            host = lab.spec.router_host(router)
            lines += ["addr add %s/24 dev %s" % (_network(number) % host, name)
                      for number, name in enumerate(names)]  # fmt: skip
        ip(lab.spec.namespace(router), lines)


def measure(
    lab: Lab, vlans: int, manage: str, rounds: int, progress: Progress
) -> Dict[str, List[Run]]:
    """Roll out once, then with nothing to do, then with one VLAN changed."""
    directory = lab.directory / "fleet"
    cable(lab, vlans, addresses=manage == "none")
    inventory = site(directory, lab, vlans, manage)
    runs: Dict[str, List[Run]] = {}

    def note(kind: str, played: Run) -> None:
        runs.setdefault(kind, []).append(played)
        progress("%d VLANs, %s: %.1f s, changed %s; load %.1f"
                 % (vlans, kind, played.total_s, played.changed, os.getloadavg()[0]))  # fmt: skip

    note("apply", Run().play(lab, inventory))
    for _round in range(rounds):
        played = Run().play(lab, inventory)
        note("nothing", played)
        if any(played.changed.values()):
            raise LabError("a second run changed something: %s" % played.changed)
    path = directory / "group_vars/gateways.yml"
    path.write_text(path.read_text().replace('/24"]}', '/24"], "advertisement_interval": "2s"}', 1))
    note("one", Run().play(lab, inventory))
    return runs


def table(runs: Dict[Tuple[int, str], List[Run]]) -> str:
    """Medians in seconds, a line per task and a column per number of VLANs and kind of run."""
    columns = list(runs)
    names: List[str] = []
    for played in (each for kind in runs.values() for each in kind):
        names += [name for name in played.tasks_s if name not in names]
    lines = ["| seconds | %s |" % " | ".join("%d VLANs, %s" % each for each in columns),
             "|---|%s" % ("---|" * len(columns))]  # fmt: skip
    for name in names:
        cells = [statistics.median(played.tasks_s.get(name, 0.0) for played in runs[column])
                 for column in columns]  # fmt: skip
        if max(cells) >= 0.05:
            lines.append("| %s | %s |" % (name, " | ".join("%.2f" % cell for cell in cells)))
    totals = [statistics.median(played.total_s for played in runs[column]) for column in columns]
    lines.append("| **all** | %s |" % " | ".join("**%.1f**" % total for total in totals))
    return "\n".join(lines)


INTRODUCTION = """\
<!-- Written by `python3 -m tests.lab.fleet --page`; do not edit. -->

# Many VLANs by Ansible

How long `playbooks/site.yml` takes for two routers of the lab (systemd, sshd, the daemon), all
on one machine: one of them in each of two steps. `apply` begins with routers that
have nothing of ours, and ends when every group has the intended master; %(delay)d s of it are
the preempt delay of the second router. `nothing` is the same again, when nothing changed; `one`
changes the interval of one VLAN.

- command: `python3 -m tests.lab.fleet %(command)s`, as root
- machine: %(cpus)d processors, kernel %(kernel)s, %(ansible)s
- load when it ended: %(load).1f processes (mean of a minute), of which about one is ours

%(table)s

Medians; of `nothing`, from %(least).1f to %(most).1f s with %(vlans)d VLANs.

Where nothing changed, no configuration travels: a router is told the digest of the one it should
have, and compares it with its file and its daemon. What still grows with the number of VLANs is
Ansible reading the table, planning it once on the controller, a look at each interface's
settings on the router, and the final look at each group. With `vlangate_manage_interfaces:
none`, preparing the host is shorter.
"""


def page(runs: Dict[Tuple[int, str], List[Run]], command: str) -> str:
    """The page of one measurement."""
    vlans = max(number for number, _kind in runs)
    totals_s = [played.total_s for played in runs[(vlans, "nothing")]]
    return INTRODUCTION % {
        "delay": PREEMPT_DELAY_S,
        "command": command,
        "cpus": os.cpu_count() or 0,
        "kernel": platform.release(),
        "ansible": "ansible-core " + metadata.version("ansible-core"),
        "load": os.getloadavg()[0],
        "table": table(runs),
        "least": min(totals_s),
        "most": max(totals_s),
        "vlans": vlans,
    }


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m tests.lab.fleet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--vlans", type=int, nargs="+", default=[10, 1000], metavar="N")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--manage", choices=["none", "networkd"], default="none")
    parser.add_argument("--page", action="store_true", help="write docs/fleet.md")
    options = parser.parse_args(arguments)
    if not all(1 <= vlans <= MOST_VLANS for vlans in options.vlans):
        parser.error("1 to %d VLANs" % MOST_VLANS)
    terminate_as_interrupt()
    progress = Progress()
    found: Dict[Tuple[int, str], List[Run]] = {}
    try:
        require_root()
        for vlans in options.vlans:
            with temporary_lab(LabSpec("f%d" % os.getpid(), vlans=()), progress) as lab:
                runs = measure(lab, vlans, options.manage, options.rounds, progress)
            found.update({(vlans, kind): each for kind, each in runs.items()})
    except LabError as error:
        print("error: %s" % error, file=sys.stderr)
        return 1
    print(table(found))
    if options.page:
        PAGE.write_text(page(found, " ".join(arguments)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
