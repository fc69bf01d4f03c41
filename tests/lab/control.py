# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab as a whole: up, down, and what can happen to its routers and cables."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from .chassis import MODULE, cgroup_bases, chassis_processes, end_cgroups
from .inventory import write_inventory
from .remote import write_access
from .rootfs import rootfs
from .shell import (
    REPOSITORY,
    STATE,
    LabError,
    Process,
    end,
    identify,
    in_namespace,
    ip,
    is_alive,
    locked,
    namespaces,
    quiet,
    run,
    uninterrupted,
    wait_for,
)
from .topology import CONTROLLER, AnyNetwork, LabSpec, build, set_port

BOOT_SECONDS = 180
OFF_SECONDS = 60
# A thousand interfaces take the kernel a while.
CHASSIS_SECONDS = 120

Report = Callable[[str], None]


@contextmanager
def temporary_lab(spec: LabSpec, progress: Report = quiet) -> Iterator[Lab]:
    """A lab for the length of a `with` block, removed whatever happens in it."""
    busy = "another run is using the lab %r; wait for it, or use another prefix" % spec.prefix
    with locked(STATE / (".%s.lock" % spec.prefix), busy=busy):
        lab = Lab(spec)
        try:
            lab.up(progress)
            yield lab
        finally:
            with uninterrupted():
                lab.down()
            progress("the lab is removed")


class Lab:
    """The lab of one specification, whether it is up or not."""

    def __init__(self, spec: LabSpec) -> None:
        self.spec = spec
        self.directory = STATE / spec.prefix
        self._rebooting: Dict[str, Process] = {}

    @classmethod
    def standing(cls, prefix: str) -> Lab:
        """The lab of that prefix which is up; raises LabError when there is none."""
        try:
            document = json.loads((STATE / prefix / "lab.json").read_text())
        except FileNotFoundError:
            raise LabError("no lab %r is up; `tests/lab/lab up` makes one" % prefix) from None
        return cls(LabSpec.from_json(document["spec"]))

    @classmethod
    def known(cls, prefix: str) -> Lab:
        """The lab of that prefix, standing or as far as anything of it is left."""
        recorded = (STATE / prefix / "lab.json").exists()
        return cls.standing(prefix) if recorded else cls(LabSpec(prefix))

    def is_up(self) -> bool:
        """True when every router's chassis is there."""
        return set(chassis_processes(self.spec.prefix)) == set(self.spec.routers)

    def up(self, progress: Report = quiet) -> None:
        """Build the lab from nothing and wait until every router has booted."""
        lower = rootfs(self.spec.rootfs, progress)
        if self.exists():
            progress("removing what an earlier run has left behind")
            self.down()
        self.directory.mkdir(parents=True)
        document = {"spec": self.spec.to_json(), "rootfs": str(lower)}
        (self.directory / "lab.json").write_text(json.dumps(document))
        try:
            write_access(self.directory, self.spec)
            write_inventory(self.directory, self.spec)
            build(self.spec)
            progress("switch, ISP, controller and a host per VLAN are there; booting the routers")
            for router in self.spec.routers:
                self._start_chassis(router)
            for router in self.spec.routers:
                progress("%s is %s" % (router, self.wait_until_booted(router)))
        except BaseException:
            with uninterrupted():
                self.down()
            raise

    def down(self) -> None:
        """Remove the lab, also one that is half made or whose makers were killed."""
        self._end_containers()
        ours = [name for name in namespaces() if name.startswith(self.spec.prefix + "-")]
        for control in (self.directory / "cp").glob("*"):
            run(["ssh", "-O", "exit", "-o", "ControlPath=%s" % control, "lab"], check=False)
        for name in ours:
            for pid in run(["ip", "netns", "pids", name]).split():
                process = identify(int(pid))
                if process is not None and process[0] != os.getpid():
                    end(process)
        for name in ours:
            run(["ip", "netns", "del", name])
        for base in cgroup_bases():
            for group in base.glob("vlangate-lab-%s-*" % self.spec.prefix):
                end_cgroups(group.name)
        shutil.rmtree(self.directory, ignore_errors=True)

    def exists(self) -> bool:
        """True when anything of this lab is there, be it only a part."""
        prefix = self.spec.prefix + "-"
        return self.directory.exists() or any(name.startswith(prefix) for name in namespaces())

    # Routers

    def power_cut(self, router: str) -> None:
        """Take the current away: nothing more comes from the router, and its processes end."""
        leader = self._leader(router)
        cables = self.spec.cables(router).values()
        ip(self.spec.switch, ["link set %s down" % self.spec.port(router, n) for n in cables])
        end(leader)
        self._wait_until_off(router)

    def power_on(self, router: str) -> None:
        """Boot a router that is off; returns when it runs."""
        if not self.state(router).get("is_off"):
            raise LabError("%s is not off" % router)
        os.kill(self._chassis(router)[0], signal.SIGUSR1)
        self.wait_until_booted(router)

    def reboot(self, router: str, wait: bool = True) -> None:
        """Reboot a router in order, from inside; `wait_until_rebooted` is then for the caller."""
        self._rebooting[router] = self._leader(router)
        self.execute(router, ["systemctl", "reboot"])
        if wait:
            self.wait_until_rebooted(router)

    def wait_until_rebooted(self, router: str) -> None:
        """Wait until the router runs again with another process 1 than before."""
        before = self._rebooting.pop(router)
        wait_for(lambda: not is_alive(before), OFF_SECONDS, "%s to go down" % router)
        self.wait_until_booted(router)

    def wait_until_booted(self, router: str) -> str:
        """Wait until systemd has started everything and ssh answers; returns systemd's word."""
        word = wait_for(lambda: self.boot_word(router), BOOT_SECONDS, router + " to boot")
        if word != "running":
            units = self.execute(router, ["systemctl", "--failed", "--plain", "--no-legend"])
            raise LabError("%s came up %s:\n%s" % (router, word, units))
        wait_for(lambda: self._ssh_answers(router), BOOT_SECONDS, "sshd of " + router)
        return word

    def execute(
        self, router: str, argv: Sequence[str], check: bool = True, seconds: int = 180
    ) -> str:
        """Run a command inside a router, not over its network; returns its output."""
        return run(self.enter_command(router, argv), check=check, timeout=seconds)

    def state(self, router: str) -> Dict[str, Any]:
        try:
            state = json.loads((self.directory / router / "state.json").read_text())
        except FileNotFoundError:
            return {}
        return {key: tuple(v) if isinstance(v, list) else v for key, v in state.items()}

    # Cables

    def link_cut(self, name: str, network: str) -> None:
        set_port(self.spec, name, self._network(network), up=False)

    def link_restore(self, name: str, network: str) -> None:
        set_port(self.spec, name, self._network(network), up=True)

    # Ways in

    def enter_command(self, name: str, argv: Sequence[str]) -> List[str]:
        """The command line that runs `argv` in a router or in another namespace of the lab."""
        if name not in (*self.spec.names, "switch"):
            raise LabError("%r is none of %s" % (name, ", ".join((*self.spec.names, "switch"))))
        if name not in self.spec.routers:
            return in_namespace(self.spec.namespace(name), argv)
        return ["nsenter", "--target", str(self._leader(name)[0]), "--mount", "--uts", "--ipc",
                "--net", "--pid", "--root", "--", "env", "--chdir=/root", *argv]  # fmt: skip

    def environment(self) -> Dict[str, str]:
        """Environment for Ansible on this lab: ssh finds keys and routers, tools come first."""
        tools = REPOSITORY / ".venv/bin"
        return {
            **os.environ,
            "PATH": "%s:%s" % (tools, os.environ.get("PATH", "")),
            "ANSIBLE_SSH_COMMON_ARGS": "-F %s/ssh_config" % self.directory,
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.directory / "cp"),
        }

    def _network(self, name: str) -> AnyNetwork:
        """A LAN by name (`vlan10`, `uplink`) or VLAN number (`10`)."""
        for network in self.spec.networks:
            if name in (network.name, re.sub("^vlan", "", network.name)):
                return network
        raise LabError("%r is none of %s" % (name, [n.name for n in self.spec.networks]))

    def _start_chassis(self, router: str) -> None:
        disk = self.directory / router
        disk.mkdir()
        with open(disk / "chassis.log", "wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", MODULE, self.spec.prefix, router],
                cwd=str(REPOSITORY), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

        def is_known() -> bool:
            # It has no command line for a moment, which is long on a busy machine.
            return router in chassis_processes(self.spec.prefix) or child.poll() is not None

        wait_for(is_known, CHASSIS_SECONDS, "the chassis of %s" % router, 0.005)

    def _chassis(self, router: str) -> Process:
        process = chassis_processes(self.spec.prefix).get(router)
        if process is None:
            log = (self.directory / router / "chassis.log").read_text()[-1000:]
            raise LabError("the chassis of %s has ended:\n%s" % (router, log))
        return process

    def _leader(self, router: str) -> Process:
        leader: Optional[Process] = self.state(router).get("leader")
        if not leader or not is_alive(leader):
            raise LabError("%s is off; `power-on %s` boots it" % (router, router))
        return leader

    def _wait_until_off(self, router: str) -> None:
        wait_for(lambda: self.state(router).get("is_off"), OFF_SECONDS, router + " to be off")

    def boot_word(self, router: str) -> str:
        """What systemd says of the boot: running or degraded, or nothing while it goes on."""
        self._chassis(router)
        leader = self.state(router).get("leader")
        if not leader or not is_alive(leader):
            return ""
        word = self.execute(router, ["systemctl", "is-system-running"], check=False).strip()
        return word if word in ("running", "degraded") else ""

    def _ssh_answers(self, router: str) -> bool:
        """ssh's greeting comes; asked from the controller's namespace."""
        script = (
            "import socket, sys\n"
            "with socket.create_connection((sys.argv[1], 22), 2) as s: sys.exit(not s.recv(4))"
        )
        address = self.spec.management_address(router)
        argv = [sys.executable, "-ISE", "-c", script, address]
        command = in_namespace(self.spec.namespace(CONTROLLER), argv)
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0

    def _end_containers(self) -> None:
        """End chassis and containers, also those whose chassis was killed."""
        for process in chassis_processes(self.spec.prefix).values():
            end(process, signal.SIGTERM, CHASSIS_SECONDS)
        for path in self.directory.glob("*/state.json"):
            state = json.loads(path.read_text())
            for process in (state["leader"], state["nspawn"]):
                if process:
                    end(tuple(process))


def greeting(lab: Lab) -> str:
    """How to look around in a standing lab."""
    spec = lab.spec
    enter = "tests/lab/lab --prefix %s" % spec.prefix
    routers, hosts = ", ".join(spec.routers), ", ".join(spec.stations)
    return "\n".join([
        "The lab %r is up." % spec.prefix,
        "  %s enter %s         a shell in a router (%s)" % (enter, spec.routers[0], routers),
        "  %s enter h10 ping 198.18.20.1   a command in another place (%s)" % (enter, hosts),
        "  %s enter ctl         the controller; there:" % enter,
        "      ansible-playbook -i tests/lab/site/inventory.yml playbooks/site.yml",
        "  %s power-cut|power-on|reboot %s" % (enter, spec.routers[0]),
        "  %s link-cut|link-restore %s vlan10" % (enter, spec.routers[0]),
        "  ssh -F %s/ssh_config %s" % (lab.directory, spec.routers[0]),
        "  %s down        removes it" % enter,
    ])  # fmt: skip
