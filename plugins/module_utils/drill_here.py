# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router's half of a drill: strike it, mend it, tell what it remembers.

Before a strike, systemd is told to mend the router by itself after a while: whoever strikes may
lose the connection.
"""

from __future__ import annotations

import os
import shlex
import time
import typing as t

from .engine_service import SERVICE
from .vrrp.control.client import ControlClient
from .vrrp_module import RUNTIME_DIR

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

NS_PER_S = 1_000_000_000
#: Undoes the strike, and removes itself. In /run, so that a reboot mends the router, too.
UNDO = "/run/vlangate-drill-undo"
UNDO_UNIT = "vlangate-drill-undo"
DROP_IN = "/run/systemd/system/%s.d/vlangate-drill.conf" % SERVICE
#: Seconds; a daemon with many virtual routers takes a moment.
ANSWER_S = 5.0
#: How the sentence of the daemon begins that tells of a drain; it has another one for its end.
DRAINED = "drained:"

DONE = {
    "stop": "the engine is stopped",
    "kill": "the daemon is killed",
    "crash": "the daemon is killed, and stays dead",
    "link": "%s is taken down",
}


def argument_spec() -> t.Dict[str, t.Any]:
    """The options of vrrp_drill."""
    return {
        "state": {"type": "str", "choices": ["struck", "mended", "observed"], "required": True},
        "kind": {"type": "str", "choices": sorted(DONE)},
        "interfaces": {"type": "list", "elements": "str", "default": []},
        "undo_after": {"type": "int", "default": 300},
        "names": {"type": "list", "elements": "str"},
        "since": {"type": "float", "default": 0},
        "runtime_dir": {"type": "path", "default": RUNTIME_DIR},
    }


class Strike:
    """One way to strike this router."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._kind: str = module.params["kind"]
        self._interfaces: t.List[str] = module.params["interfaces"]

    def strike(self) -> t.Dict[str, t.Any]:
        """Do it; when, and what in words."""
        self._refuse()
        event = DONE[self._kind]
        if self._kind == "link":
            event %= ", ".join(self._interfaces)
        if self._module.check_mode:
            return {"changed": True, "at": time.time(), "until": time.time(), "event": event}
        self._mend_later()
        if self._kind == "crash":
            os.makedirs(os.path.dirname(DROP_IN), exist_ok=True)
            _write(DROP_IN, "[Service]\nRestart=no\n", 0o644)
            self._run("systemctl", "daemon-reload")
        at = time.time()
        if self._kind == "stop":
            self._run("systemctl", "stop", SERVICE)
        elif self._kind == "link":
            for name in self._interfaces:
                self._run("ip", "link", "set", "dev", name, "down")
        else:
            self._run("systemctl", "kill", "--signal=KILL", SERVICE)
        return {"changed": True, "at": at, "until": time.time(), "event": event}

    def _refuse(self) -> None:
        """Leave a router alone that is struck already, and the interface that we came by."""
        if os.path.exists(UNDO):
            self._refuse_with("this router is struck already: use state: mended first")
        for name in self._interfaces:
            if not os.path.exists("/sys/class/net/" + name):
                self._refuse_with("there is no interface %s here: name others" % name)
        client = os.environ.get("SSH_CONNECTION", "").split(" ")[0]
        if client and self._kind == "link":
            words = self._told("ip", "route", "get", client).split()
            way = words[words.index("dev") + 1] if "dev" in words else ""
            if way in self._interfaces:
                self._refuse_with(
                    "Ansible reaches this router by %s, so that is not taken down: manage the "
                    "router by another interface, or use another kind" % way
                )

    def _refuse_with(self, problem: str) -> None:
        self._module.fail_json(msg=problem + "; nothing was done")

    def _mend_later(self) -> None:
        event = "the engine is started again"
        if self._kind == "link":
            event = "%s is taken up again" % ", ".join(self._interfaces)
        lines = ["#!/bin/sh", "# " + event, *self._remedy(), "rm -f " + UNDO]
        _write(UNDO, "\n".join(lines) + "\n", 0o700)
        after = "--on-active=%d" % self._module.params["undo_after"]
        self._run("systemd-run", "--quiet", "--unit", UNDO_UNIT, after, UNDO)

    def _remedy(self) -> t.List[str]:
        if self._kind == "link":
            return [line for name in self._interfaces for line in self._link_remedy(name)]
        lines = ["systemctl start " + SERVICE]
        if self._kind == "crash":
            lines = ["rm -f " + DROP_IN, "systemctl daemon-reload", *lines]
        return lines

    def _link_remedy(self, name: str) -> t.Iterator[str]:
        """An interface that goes down loses IPv6 addresses, and routes that somebody has set."""
        device = "dev " + shlex.quote(name)
        yield "ip link set %s up" % device
        addresses = self._told("ip", "-6", "-o", "address", "show", "dev", name, "scope", "global")
        for line in addresses.splitlines():
            yield "ip -6 address replace %s %s nodad" % (line.split()[3], device)
        for family in ("-4", "-6"):
            for route in self._told("ip", family, "route", "show", "dev", name).splitlines():
                if "proto kernel" not in route:
                    yield "ip %s route replace %s %s" % (family, route.strip(), device)

    def _told(self, *argv: str) -> str:
        _code, output, _error = self._module.run_command(list(argv))
        return str(output)

    def _run(self, *argv: str) -> None:
        self._module.run_command(list(argv), check_rc=True)


def mend(module: AnsibleModule) -> t.Dict[str, t.Any]:
    """Undo a strike, if it has not been undone; when."""
    struck, at = os.path.exists(UNDO), time.time()
    event = _second_line(UNDO)[len("# ") :] if struck else "it has mended itself already"
    if struck and not module.check_mode:
        module.run_command([UNDO], check_rc=True)
        # Only now: until then it is the one that helps when we are cut off.
        module.run_command(["systemctl", "stop", UNDO_UNIT + ".timer"])
    return {"changed": struck, "at": at, "until": time.time(), "event": event}


def _second_line(path: str) -> str:
    with open(path, encoding="utf-8") as stream:
        return stream.read().splitlines()[1]


def _write(path: str, text: str, mode: int) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.chmod(path, mode)


def observe(params: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """What the daemon remembers since a time. Raises ControlError."""
    with ControlClient.in_directory(params["runtime_dir"], ANSWER_S) as client:
        routers = client.call("show.routers")["routers"]
    now = time.time()
    names = params["names"]
    meant = [router for router in routers if names is None or router["name"] in names]
    return remembered(meant, now, params["since"])


def remembered(
    routers: t.Iterable[t.Mapping[str, t.Any]], now: float, since: float
) -> t.Dict[str, t.Any]:
    """Ages as times of the epoch, and only what has happened since."""

    def at(past: t.Mapping[str, t.Any]) -> float:
        return round(now - past["age_ns"] / NS_PER_S, 6)

    groups, drains = [], {}
    for router in routers:
        changes = [
            {"at": at(past), **{key: past[key] for key in ("previous", "current", "reason")}}
            for past in router["transitions"]
            if at(past) >= since
        ]
        groups.append({"name": router["name"], "state": router["state"], "transitions": changes})
        for past in router["occurrences"]:
            if past["kind"] == "drain" and at(past) >= since:
                # All virtual routers of a drain tell the same, at about the same time.
                drains.setdefault((past["sentence"], round(at(past), 1)), at(past))
    return {
        "changed": False,
        "now": now,
        "groups": groups,
        "drains": [
            {"at": moment, "event": sentence, "drained": sentence.startswith(DRAINED)}
            for (sentence, _rounded), moment in sorted(drains.items(), key=lambda each: each[1])
        ],
    }
