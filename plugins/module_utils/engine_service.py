# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd service of the engine: its unit, its state, and whether it works.

Runs on the router inside a module; knows systemctl and the control socket, no AnsibleModule.
"""

from __future__ import annotations

import os
import time
import typing as t

from .vrrp.control.client import ControlClient
from .vrrp.errors import ControlError

SERVICE = "vlangated.service"
UNIT_FILE = "/etc/systemd/system/" + SERVICE

#: Seconds between two looks at a daemon that is coming up.
POLL_S = 0.1
#: Seconds that a daemon may take to answer; it is asked again.
ANSWER_S = 2.0

UNIT = """# Written by the Ansible module vlangate.vrrp.vrrp_engine; put changes into a drop-in.
[Unit]
Description=VRRP gateways (vlangate)
Documentation=https://github.com/vlangate/vlangate.vrrp
Wants=network-pre.target
After=network-pre.target systemd-networkd.service NetworkManager.service
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
SyslogIdentifier=vlangated
ExecStart={python} -I {directory}/current run --config {config_file} \\
    --runtime-dir {runtime_dir} --state-dir /var/lib/{runtime_name} --control-group {group}
ExecReload=/bin/kill -HUP $MAINPID
# A daemon that died leaves its addresses in the kernel: it gets them back if it is there again
# before the others miss it, else the kernel takes them away.
ExecStopPost={python} -I {directory}/current cleanup --after-crash --runtime-dir {runtime_dir}
Restart=always
RestartSec=100ms
WatchdogSec=10s
TimeoutStartSec=15s
TimeoutStopSec=15s
KillMode=mixed
LimitNOFILE=65536
LimitMEMLOCK=infinity
OOMScoreAdjust=-900
{scheduling}
RuntimeDirectory={runtime_name}
RuntimeDirectoryPreserve=restart
StateDirectory={runtime_name}
StateDirectoryMode=0700
SupplementaryGroups={group}

# Raw sockets, netlink and the net.* sysctls are all it needs of root.
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
# It owns sysctls below net.ipv4.conf and net.ipv6.conf.
ProtectKernelTunables=no
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"""

LAUNCHER = """#!/bin/sh
# Written by the Ansible module vlangate.vrrp.vrrp_engine.
exec {python} -I {directory}/current "$@"
"""

RunCommand = t.Callable[[t.List[str]], t.Tuple[int, str, str]]


def unit_text(params: t.Mapping[str, t.Any]) -> str:
    """The unit for the parameters of vrrp_engine."""
    scheduling = ""
    priority = params["realtime_priority"]
    if priority:
        # The limit lets an upgrade's new process warm up in the ordinary class, and come back.
        scheduling = "CPUSchedulingPolicy=rr\nCPUSchedulingPriority=%d\nLimitRTPRIO=%d\n" % (
            priority,
            priority,
        )
    return UNIT.format(
        python=params["python"],
        directory=params["directory"],
        config_file=params["config_file"],
        runtime_dir=params["runtime_dir"],
        runtime_name=os.path.relpath(params["runtime_dir"], "/run"),
        group=params["control_group"],
        scheduling=scheduling,
    )


def launcher_text(params: t.Mapping[str, t.Any]) -> str:
    """The command on the router's PATH."""
    return LAUNCHER.format(python=params["python"], directory=params["directory"])


class ServiceError(Exception):
    """systemctl refused; the message has its words."""


class Service:
    """The unit as systemd sees it."""

    def __init__(self, run: RunCommand) -> None:
        self._run = run

    def _systemctl(self, *words: str) -> str:
        code, output, error = self._run(["systemctl", *words])
        if code != 0:
            raise ServiceError("systemctl %s: %s" % (" ".join(words), (error or output).strip()))
        return output

    def state(self) -> t.Dict[str, str]:
        """LoadState, ActiveState and UnitFileState."""
        output = self._systemctl(
            "show", SERVICE, "--property=LoadState,ActiveState,UnitFileState,NeedDaemonReload"
        )
        return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)

    def read_units(self) -> None:
        """Make systemd read the unit files again."""
        self._systemctl("daemon-reload")

    def enable(self) -> None:
        """Start with the machine."""
        self._systemctl("enable", SERVICE)

    def restart(self) -> None:
        """Start, or stop and start; returns when the daemon said READY."""
        self._systemctl("restart", SERVICE)

    def remove(self) -> None:
        """Stop now and for good."""
        self._systemctl("disable", "--now", SERVICE)

    def journal(self, since_s: float) -> str:
        """What the daemon and systemd logged since a time (of the wall clock), at most 30 lines."""
        code, output, _error = self._run(
            ["journalctl", "--unit", SERVICE, "--since", "@%d" % since_s, "--lines", "30"]
            + ["--no-pager", "--quiet"]
        )
        return output.strip() if code == 0 else ""


def running_release(runtime_dir: str) -> t.Optional[str]:
    """The release that answers on the control socket; None when nothing does."""
    try:
        with ControlClient.in_directory(runtime_dir, ANSWER_S) as client:
            release: str = client.call("show.status")["engine"]["release"]
    except ControlError:
        return None
    return release


def complaint(runtime_dir: str, release: str) -> t.Optional[str]:
    """Why the daemon is not yet what it should be, in a sentence; None when all is well.

    Well: it answers, is of this release, and no group is still in its boot state without a reason.
    """
    try:
        with ControlClient.in_directory(runtime_dir, ANSWER_S) as client:
            document = client.call("show.routers")
    except ControlError as error:
        return error.message
    running = document["engine"]["release"]
    if running != release:
        return "release %s answers there, not %s" % (running, release)
    booting = [
        router["name"]
        for router in document["routers"]
        if router["state"] == "initialize" and not router["waiting"]
    ]
    if booting:
        return "groups still in initialize without a reason: %s" % ", ".join(booting)
    return None


def wait_until_well(runtime_dir: str, release: str, timeout_s: float) -> t.Optional[str]:
    """Poll until complaint() has none, or return the last one after timeout_s."""
    deadline = time.monotonic() + timeout_s
    while True:
        reason = complaint(runtime_dir, release)
        if reason is None or time.monotonic() >= deadline:
            return reason
        time.sleep(POLL_S)
