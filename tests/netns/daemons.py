# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as users run it: the built release, in a namespace, asked by its control socket."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Optional

from namespaces import LAN, Namespace

from vrrp.control.client import ControlClient
from vrrp.errors import ControlError

ROOT = Path(__file__).resolve().parents[2]
# As the unit of the service asks for: the tests measure what a router would do.
_REALTIME_PRIORITY = 50
_PATIENCE_S = 60.0
SECRET = "hunter2"


def document(priority: int = 100, interval_cs: int = 10) -> Dict[str, Any]:
    """Three virtual routers on lan0: version 3 over IPv4 and IPv6, version 2 with a password."""
    common = {"interface": LAN, "priority": priority, "advertisement_interval_cs": interval_cs}
    v4 = {"name": "v4", "family": "ipv4", "vrid": 10, "addresses": ["10.0.0.254"], **common}
    v6 = {"name": "v6", "family": "ipv6", "vrid": 10, "addresses": ["fe80::254"], **common}
    old = {"name": "old", "family": "ipv4", "vrid": 20, "addresses": ["10.0.0.253"], **common}
    old.update(version=2, advertisement_interval_cs=100, password=SECRET)
    for each in (v4, v6, old):
        each["accept"] = True
    return {"format": 1, "virtual_routers": [v4, v6, old]}


def build(directory: Path) -> Path:
    """Build the release there; its program."""
    command = [sys.executable, str(ROOT / "tools" / "build_engine.py"), str(directory)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return directory / "vlangate"


class Daemon:
    """One running engine. Started by the constructor; stop() or kill() ends it."""

    def __init__(
        self, namespace: Namespace, program: Path, directory: Path, config: Any, *more: str
    ) -> None:
        self.directory = directory
        self.config_file = directory / "config.json"
        self.log_file = directory / "log"
        self._runtime_dir = str(directory / "run")
        self.write_config(config)
        words = [str(program), "run", "--config", str(self.config_file)]
        words += ["--runtime-dir", self._runtime_dir, *more]
        with namespace.inside(), self.log_file.open("wb") as log:
            self.process = subprocess.Popen(words, stderr=log, stdin=subprocess.DEVNULL)
        try:
            self._prefer()
            self.wait_for(lambda shown: True, "its control socket")
        except BaseException:
            self.kill()
            raise

    def _prefer(self) -> None:
        try:
            param = os.sched_param(_REALTIME_PRIORITY)
            os.sched_setscheduler(self.process.pid, os.SCHED_RR, param)
        except PermissionError:
            return  # a container without a share of real time: the bounds are loose

    def write_config(self, config: Dict[str, Any]) -> None:
        """What a start or a reload reads."""
        self.config_file.write_text(json.dumps(config), encoding="utf-8")

    def show(self) -> Dict[str, Any]:
        """The document of `show --json`."""
        with ControlClient.in_directory(self._runtime_dir) as client:
            return client.call("show.routers")

    def router(self, name: str) -> Dict[str, Any]:
        """What it shows of one virtual router."""
        (found,) = (each for each in self.show()["routers"] if each["name"] == name)
        return found

    def call(self, method: str, **params: Any) -> Dict[str, Any]:
        """A request on its control socket."""
        with ControlClient.in_directory(self._runtime_dir) as client:
            return client.call(method, **params)

    def refused(self, method: str, **params: Any) -> str:
        """A request that has to be refused; in which words."""
        try:
            done = self.call(method, **params)
        except ControlError as error:
            return str(error)
        raise AssertionError("%s was not refused: %s" % (method, done))

    def reload(self, config: Dict[str, Any]) -> None:
        """Another configuration, as an operator brings it about."""
        self.write_config(config)
        self.call("do.reload")

    def wait_for(self, wanted: Callable[[Dict[str, Any]], bool], what: str) -> Dict[str, Any]:
        """Until what it shows is as wanted."""
        end = time.monotonic() + _PATIENCE_S
        shown: Optional[Dict[str, Any]] = None
        while time.monotonic() < end and self.process.poll() is None:
            try:
                shown = self.show()
                if wanted(shown):
                    return shown
            except (ControlError, OSError):
                pass  # not there yet
            time.sleep(0.02)
        raise AssertionError("waited for %s; it shows %s and said:\n%s" % (what, shown, self.log()))

    def wait_for_state(self, **states: str) -> None:
        """Until each named virtual router ("-" is written "_") has that state."""
        wanted = {name.replace("_", "-"): state for name, state in states.items()}

        def reached(shown: Dict[str, Any]) -> bool:
            there = {each["name"]: each["state"] for each in shown["routers"]}
            return wanted.items() <= there.items()

        self.wait_for(reached, str(wanted))

    def log(self) -> str:
        """All that it has logged."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def resident_octets(self) -> int:
        """Its memory."""
        with open("/proc/%d/statm" % self.process.pid, encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> int:
        """SIGTERM, as systemd does; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_PATIENCE_S)

    def kill(self) -> None:
        """At once, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
