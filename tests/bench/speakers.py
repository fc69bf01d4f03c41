# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is measured: our engine as its service runs it, and keepalived from its root file system.

A speaker is started in a namespace and ended by its process id, however a measurement ends.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional

from tests.bench.shapes import KEEPALIVED, OURS, PRIORITIES, Shape
from tests.bench.wiring import link_name
from tests.interop.participants import CHROOT_SCRIPT
from tests.lab.rootfs import rootfs
from tests.lab.shell import REPOSITORY, children, run
from tests.netns.namespaces import Namespace

# As the unit of the service has it.
REALTIME_PRIORITY = 50
DESCRIPTORS = 65536
SYSTEM_PYTHON = "/usr/bin/python3"
STOP_S = 120.0
NETLINK_BUFFER = 32 << 20


class Speaker:
    """One daemon of a router, or none yet."""

    def __init__(self, namespace: Namespace, directory: Path, shape: Shape, role: str) -> None:
        self.namespace, self.directory, self.shape, self.role = namespace, directory, shape, role
        self._child: Optional[subprocess.Popen[bytes]] = None
        directory.mkdir(parents=True, exist_ok=True)

    def start(self) -> int:
        """Start it; the time of day in ns just before."""
        with self.namespace.inside(), (self.directory / "log").open("ab") as log:
            started_ns = time.time_ns()
            self._child = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=self._before,
            )  # fmt: skip
        return started_ns

    def stop(self) -> float:
        """Ask it to end; the seconds until it has."""
        assert self._child is not None
        begun = time.monotonic()
        os.kill(self.daemon(), signal.SIGTERM)
        self._child.wait(STOP_S)
        return time.monotonic() - begun

    def kill(self) -> int:
        """End it without a word, if it runs; the time of day in ns just before."""
        killed_ns = time.time_ns()
        child = self._child
        if child is not None and child.poll() is None:
            try:
                os.kill(self.daemon(), signal.SIGKILL)
            except (ProcessLookupError, AssertionError):
                child.kill()
            child.wait(STOP_S)
        return killed_ns

    def has_died(self) -> bool:
        """Whether it was started and has ended."""
        return self._child is not None and self._child.poll() is not None

    def cpu_ns(self) -> int:
        """Processor time of all its processes."""
        return sum(_cpu_ns(pid) for pid in self.processes())

    def memory_kib(self) -> Dict[str, float]:
        """Resident and proportional memory of all its processes."""
        found = {"rss_kib": 0.0, "pss_kib": 0.0}
        for pid in self.processes():
            for line in Path("/proc/%d/smaps_rollup" % pid).read_text().splitlines():
                key = line.partition(":")[0].lower() + "_kib"
                if key in found:
                    found[key] += int(line.split()[1])
        return found

    def log(self) -> str:
        """The end of what it has said."""
        path = self.directory / "log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""

    def reload(self) -> None:
        """Give the first group a priority that is less by one, as an operator would."""
        raise NotImplementedError

    def processes(self) -> List[int]:
        """All of it."""
        raise NotImplementedError

    def daemon(self) -> int:
        """The process that signals are for."""
        raise NotImplementedError

    def _command(self) -> List[str]:
        raise NotImplementedError

    def _priority(self, number: int, changed: bool) -> int:
        """Of a group, before or after the change of a reload."""
        return PRIORITIES[self.role] - (changed and number == 0)

    def _before(self) -> None:
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, DESCRIPTORS), hard))


class Vlangate(Speaker):
    """Our engine's release by the system's Python, in the scheduling class of its unit."""

    release = Path()

    def _command(self) -> List[str]:
        self._write(changed=False)
        python = SYSTEM_PYTHON if os.path.exists(SYSTEM_PYTHON) else sys.executable
        words = [python, "-I", str(self.release), "run", "--config", str(self._config)]
        return [*words, "--runtime-dir", str(self.directory / "run")]

    def _before(self) -> None:
        super()._before()
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REALTIME_PRIORITY))
        except PermissionError:
            return  # a container without a share of real time; the page tells the class

    def reload(self) -> None:
        """By SIGHUP, as `systemctl reload` does."""
        self._write(changed=True)
        os.kill(self.daemon(), signal.SIGHUP)

    def processes(self) -> List[int]:
        return _descendants(self.daemon())

    def daemon(self) -> int:
        assert self._child is not None
        return self._child.pid

    @property
    def _config(self) -> Path:
        return self.directory / "config.json"

    def _write(self, changed: bool) -> None:
        routers = []
        for number, group in enumerate(self.shape.groups()):
            router = {
                "name": "g%d" % number, "interface": link_name(group.link), "family": "ipv4",
                "vrid": group.vrid, "priority": self._priority(number, changed), "accept": True,
                "advertisement_interval_cs": self.shape.interval_cs,
                "addresses": [group.address],
            }  # fmt: skip
            routers.append(router)
        self._config.write_text(json.dumps({"virtual_routers": routers}))


class Keepalived(Speaker):
    """keepalived with a virtual MAC for each instance, at its defaults but for one: it has room
    for the kernel's news of 1,000 interfaces, without which instances stay in its state FAULT."""

    rootfs = Path()

    def _command(self) -> List[str]:
        path, mount_point = self.directory / "peer.conf", self.directory / "root"
        path.write_text(self._configuration(changed=False))
        mount_point.mkdir(exist_ok=True)
        said = "exec keepalived --dont-fork --log-console --no-syslog --vrrp -f /etc/peer.conf"
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", CHROOT_SCRIPT,
                "peer", str(self.rootfs), str(mount_point), str(path), said]  # fmt: skip

    def reload(self) -> None:
        """By SIGHUP, as `systemctl reload` does."""
        pid = self.daemon()
        inside = Path("/proc/%d/root/etc/peer.conf" % pid)
        inside.write_text(self._configuration(changed=True))
        os.kill(pid, signal.SIGHUP)

    def processes(self) -> List[int]:
        return _descendants(self.daemon())

    def daemon(self) -> int:
        """Process 1 of its process namespace."""
        assert self._child is not None
        found = children(self._child.pid)
        assert found, "keepalived has ended"
        return found[0]

    def _configuration(self, changed: bool) -> str:
        lines = ["global_defs {", "  vrrp_version 3"]
        for socket in ("cmd", "monitor"):
            lines.append("  vrrp_netlink_%s_rcv_bufs %d" % (socket, NETLINK_BUFFER))
            lines.append("  vrrp_netlink_%s_rcv_bufs_force true" % socket)
        lines.append("}")
        for number, group in enumerate(self.shape.groups()):
            lines += [
                "vrrp_instance g%d {" % number, "  interface " + link_name(group.link),
                "  state BACKUP", "  virtual_router_id %d" % group.vrid,
                "  priority %d" % self._priority(number, changed),
                "  advert_int %.2f" % self.shape.interval_s,
                "  accept", "  use_vmac vm%d" % number,
                "  virtual_ipaddress {", "    " + group.address, "  }", "}",
            ]  # fmt: skip
        return "\n".join(lines) + "\n"


SPEAKERS: Dict[str, Callable[[Namespace, Path, Shape, str], Speaker]] = {
    OURS: Vlangate,
    KEEPALIVED: Keepalived,
}


def busy_ns() -> int:
    """Time that the machine's processors have worked, for whomever; in steps of 10 ms."""
    with open("/proc/stat") as file:
        user, nice, system, _idle, _waiting, *interrupts = map(int, file.readline().split()[1:9])
    return (user + nice + system + sum(interrupts)) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def prepare(directory: Path, progress: Callable[[str], None]) -> str:
    """Build our release and keepalived's root file system; keepalived's version."""
    run([sys.executable, str(REPOSITORY / "tools/build_engine.py"), str(directory)])
    Vlangate.release = directory / "release"
    Keepalived.rootfs = rootfs("peers", progress)
    said = run(["sh", "-c", 'chroot "$1" keepalived --version 2>&1', "sh", str(Keepalived.rootfs)])
    return said.split()[1].lstrip("v")


def _descendants(pid: int) -> List[int]:
    found = [pid]
    for child in children(pid):
        found += _descendants(child)
    return found


def _cpu_ns(pid: int) -> int:
    """Of all threads: the scheduler's sum, in ns."""
    total = 0
    for task in Path("/proc/%d/task" % pid).iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total
