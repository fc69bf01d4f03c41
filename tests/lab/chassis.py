# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chassis of one router: the process that holds its disk and cables and boots its system.

    python3 -m tests.lab.chassis PREFIX ROUTER

The system is a systemd-nspawn container on an overlay of the root file system. It boots at once;
a reboot from inside boots it again with a fresh network stack; when it stops or is killed, the
chassis waits for SIGUSR1 (power on) or SIGTERM (the lab goes down). All mounts are made in a mount
namespace of the container's own, so none can be left behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Dict, List, Optional

from .shell import STATE, Process, children, end, identify, terminate_as_interrupt, wait_for
from .topology import LabSpec, lan_settings, unplug_router, uplink_settings, wire_router

MODULE = "tests.lab.chassis"

# systemd-nspawn's exit status when the container asked for a reboot.
REBOOT = 133
ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
CAPABILITIES = "CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_NICE,CAP_IPC_LOCK,CAP_BPF,CAP_PERFMON"

# /run/systemd: on a machine where /run is on disk, nspawn refuses to clean it up on a reboot.
BOOT_SCRIPT = """
set -e
mount -t tmpfs tmpfs /run/systemd
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
shift 2
exec "$@"
"""


def main(prefix: str, router: str) -> None:
    terminate_as_interrupt()
    spec = LabSpec.from_json(json.loads((STATE / prefix / "lab.json").read_text())["spec"])
    lower = json.loads((STATE / prefix / "lab.json").read_text())["rootfs"]
    chassis = Chassis(spec, router, Path(lower))
    chassis.provision()
    try:
        while chassis.boot() == REBOOT or chassis.wait_for_power():
            pass
    except KeyboardInterrupt:
        pass
    finally:
        chassis.kill()
        unplug_router(spec, router)
        end_cgroups(cgroup_name(spec, router))


class Chassis:
    """One router's disk, and its container while that runs."""

    def __init__(self, spec: LabSpec, router: str, lower: Path) -> None:
        self._spec, self._router, self._lower = spec, router, lower
        self._lab = STATE / spec.prefix
        self._disk = self._lab / router
        self._nspawn: Optional[subprocess.Popen[bytes]] = None

    def provision(self) -> None:
        """Write what the operator of a new router gives it: name, keys, uplink."""
        for name in ("upper", "work", "root"):
            (self._disk / name).mkdir(parents=True)
        etc = self._disk / "upper/etc"
        for directory in (etc / "ssh", etc / "systemd/network"):
            directory.mkdir(parents=True)
        identity = hashlib.md5(self._spec.namespace(self._router).encode()).hexdigest()
        (etc / "machine-id").write_text(identity + "\n")
        (etc / "hostname").write_text(self._router + "\n")
        (etc / "hosts").write_text("127.0.0.1 localhost\n127.0.1.1 %s\n" % self._router)
        settings = uplink_settings(self._spec, self._router)
        (etc / "systemd/network/10-uplink.network").write_text(settings)
        for name, text in lan_settings(self._spec, self._router).items():
            (etc / "systemd/network" / name).write_text(text)
        shutil.copy(self._lab / "host_key", etc / "ssh/ssh_host_ed25519_key")
        keys = self._disk / "upper/root/.ssh"
        keys.mkdir(parents=True, mode=0o700)
        keys.parent.chmod(0o700)
        shutil.copy(self._lab / "id.pub", keys / "authorized_keys")

    def boot(self) -> int:
        """Boot the system with a fresh network stack; returns nspawn's status when it ended."""
        wire_router(self._spec, self._router)
        with open(self._disk / "console.log", "ab") as console:
            # A signal in here would leave a container that we do not know.
            signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
            self._nspawn = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=console,
                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=self._prepare_child,
                env={**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"},
            )  # fmt: skip
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        leader = wait_for(self._leader_or_end, 120, "the container of %s" % self._router, 0.01)
        self._publish(leader)
        status = self._nspawn.wait()
        self._publish(0)
        # A machine without power has no network stack; a container's would live on.
        unplug_router(self._spec, self._router)
        return status

    def wait_for_power(self) -> bool:
        """Sleep until somebody switches the router on again."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        self._publish(-1)
        signal.sigwait({signal.SIGUSR1})
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        return True

    def kill(self) -> None:
        """End the container without asking it: the kernel ends the rest with its process 1."""
        if self._nspawn is not None and self._nspawn.poll() is None:
            kill_container(self._nspawn.pid)
            self._nspawn.wait()

    def _command(self) -> List[str]:
        nspawn = [
            "systemd-nspawn", "--quiet", "--boot", "--directory=%s/root" % self._disk,
            "--machine=" + self._spec.namespace(self._router), "--hostname=" + self._router,
            "--register=no", "--keep-unit", "--link-journal=no", "--resolv-conf=off",
            "--timezone=off", "--console=pipe", "--capability=" + CAPABILITIES,
            "--network-namespace-path=/run/netns/" + self._spec.namespace(self._router),
        ]  # fmt: skip
        return ["unshare", "--mount", "--propagation", "slave", "sh", "-c", BOOT_SCRIPT, "boot",
                str(self._lower), str(self._disk), *nspawn]  # fmt: skip

    def _prepare_child(self) -> None:
        """With --keep-unit the container lives below our cgroup: no two may share one."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        for base in cgroup_bases():
            group = base / cgroup_name(self._spec, self._router)
            group.mkdir(exist_ok=True)
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def _leader_or_end(self) -> int:
        assert self._nspawn is not None
        return leader_of(self._nspawn.pid) or (-1 if self._nspawn.poll() is not None else 0)

    def _publish(self, leader: int) -> None:
        """Write `state.json`: leader's pid; 0 while going down, -1 when power is off."""
        state = {"leader": identify(leader) if leader > 0 else None, "is_off": leader == -1}
        assert self._nspawn is not None
        state["nspawn"] = identify(self._nspawn.pid)
        temporary = self._disk / "state.tmp"
        temporary.write_text(json.dumps(state))
        temporary.rename(self._disk / "state.json")


def leader_of(nspawn: int) -> int:
    """The container's process 1 as seen from here, or 0 while there is none."""
    for child in children(nspawn):
        try:
            status = Path("/proc/%d/status" % child).read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        numbers = [line.split() for line in status.splitlines() if line.startswith("NSpid:")]
        if numbers and len(numbers[0]) > 2 and numbers[0][-1] == "1":
            return child
    return 0


def kill_container(nspawn: int) -> None:
    """SIGKILL process 1 of the container, then nspawn if that does not end by itself."""
    process, leader = identify(nspawn), identify(leader_of(nspawn) or -1)
    if leader is not None:
        end(leader)
    if process is not None:
        end(process)


def cgroup_bases() -> List[Path]:
    """Where systemd keeps its control groups: unified, or the two of a hybrid set-up."""
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.procs").exists():
        return [root]
    return [base for base in (root / "systemd", root / "unified") if base.is_dir()]


def cgroup_name(spec: LabSpec, router: str) -> str:
    return "vlangate-lab-" + spec.namespace(router)


def end_cgroups(name: str) -> None:
    """Remove the control groups of a container, and kill first what may still run in them."""
    for base in cgroup_bases():
        for directory, _names, _files in os.walk(base / name, topdown=False):
            for pid in (Path(directory) / "cgroup.procs").read_text().split():
                process = identify(int(pid))
                if process is not None:
                    end(process)
            removal = partial(_remove_directory, directory)
            wait_for(removal, 5, directory + " to become empty", 0.01)


def _remove_directory(directory: str) -> bool:
    try:
        os.rmdir(directory)
    except OSError:
        return False  # the kernel has not reaped the last process yet
    return True


def chassis_processes(prefix: str) -> Dict[str, Process]:
    """The chassis that run for a lab, by router: found by their command lines, not by a file."""
    found = {}
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[-4:-2] == [MODULE, prefix]:
            process = identify(int(directory.name))
            if process is not None:
                found[words[-2]] = process
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
