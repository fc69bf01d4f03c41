# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon without a host: all that answers requests is real, time and network are not."""

import json
from pathlib import Path
from typing import Any, Dict, List, Set

from engine_kit.packets import V3
from engine_kit.ports import FakeClock, FakeDataplane, FakeIO, FakeLog, FakeProber
from engine_kit.values import NS_PER_S, link
from vrrp.config.model import RouterConfig
from vrrp.config.render import canonical_json
from vrrp.control.client import RefusedRequest
from vrrp.control.schema import Request, result_line
from vrrp.daemon.applier import Applier
from vrrp.daemon.beginning import begin
from vrrp.daemon.commitment import Commitment
from vrrp.daemon.drains import Drains, read_drained
from vrrp.daemon.requests import Requests
from vrrp.daemon.shell import Shell
from vrrp.daemon.state_files import StateFiles
from vrrp.errors import ConfigError, ControlError
from vrrp.router.events import PacketReceived, Tick
from vrrp.router.vrrp_router import VrrpRouter


class VirtualDaemon:
    """Stands in for a ControlClient, too. Its time passes by pass_time(), and by nothing else.

    others: VRIDs for which another router takes over when we leave.
    """

    def __init__(self, directory: Path, config: RouterConfig) -> None:
        self.clock, self.journal = FakeClock(), []
        self.directory, self.file = directory, directory / "config.json"
        self.others: Set[int] = set()
        self.asked: List[Any] = []
        self.write(config)
        self.io = FakeIO(self.journal)
        log = FakeLog(self.journal)
        files = StateFiles(str(directory / "state"), log)
        beginning = begin(str(self.file), files, self.clock.now_ns())
        drained = read_drained(files)
        self.router = VrrpRouter(config, (link(),), self.clock.now_ns(), drained=drained)
        self.shell = Shell(self.router, self.io, FakeDataplane(self.journal), log)
        self.drains = Drains(self.shell, files, self.clock, log)
        apply = Applier(self.shell, FakeProber(), self.drains, self.clock)
        self.commitment = Commitment(
            beginning, str(self.file), files, self.clock, log, apply, lambda *_told: None
        )
        self.requests = Requests(self.shell, self.commitment, self.drains, files, self.clock, {})

    def write(self, config: RouterConfig) -> None:
        """What the next reload reads."""
        self.file.write_text(canonical_json(config), encoding="utf-8")

    def pass_time(self, seconds: float) -> None:
        """The loop turns whenever somebody wants it to."""
        end_ns = self.clock.time_ns + round(seconds * NS_PER_S)
        duties = (self.commitment, self.drains)
        while True:
            self._hear()
            wanted = [self.router.deadline_ns, *(duty.deadline_ns() for duty in duties)]
            next_ns = min((each for each in wanted if each is not None), default=end_ns)
            self.clock.time_ns = max(self.clock.time_ns, min(next_ns, end_ns))
            self.shell.step(Tick(), self.clock.time_ns)
            for duty in duties:
                duty.tick(self.clock.time_ns)
            if next_ns >= end_ns:
                return

    def _hear(self) -> None:
        """The others advertise, while we are not master."""
        for bound in self.router.bound_routers():
            if bound.config.vrid in self.others and bound.state.value == "backup":
                config = bound.config
                advert = V3.but(vrid=config.vrid, priority=50, addresses=config.addresses)
                packet = advert.received(now_ns=self.clock.time_ns)
                self.shell.step(PacketReceived(packet), self.clock.time_ns)

    # ControlClient

    def in_directory(self, runtime_dir: str, timeout_s: float = 0.0) -> "VirtualDaemon":
        """Connect."""
        self.asked.append(runtime_dir)
        return self

    def __enter__(self) -> "VirtualDaemon":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.asked.append("closed")

    def call(self, method: str, **params: Any) -> Dict[str, Any]:
        """As it comes over the socket."""
        self.asked.append((method, params))
        try:
            result = self.requests.handle(Request(1, method, params))
        except ConfigError as error:
            raise RefusedRequest({"code": "config", "message": str(error)}) from None
        except ControlError as error:
            raise RefusedRequest({"code": error.code, "message": error.message}) from None
        answer: Dict[str, Any] = json.loads(result_line(1, result))["result"]
        return answer
