# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a daemon together from the router, the ports of Linux and the loop. Layer L5.

Also what the command line needs from the host itself: features, host warnings, cleanup.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import resource
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional

from ..config.model import RouterConfig
from ..config.resolve import NotReady, resolve
from ..errors import ConfigError, ControlError, PlatformError
from ..fsm.parameters import OWNER_PRIORITY
from ..linux import capabilities
from ..linux.clock import MonotonicClock
from ..linux.dataplane import LinuxDataplane
from ..linux.monitor import RtnlMonitor
from ..linux.packet_socket import PacketIO
from ..linux.probes import PingProber
from ..linux.solicitation_socket import SolicitationSocket
from ..router.actions import Notify
from ..router.vrrp_router import VrrpRouter
from .applier import Applier
from .beginning import Beginning, begin
from .commitment import Commitment
from .control_server import ControlServer
from .drains import Drains, read_drained
from .journal import FileJournal
from .log import Log
from .loop import Loop
from .notify import ServiceManager
from .requests import Requests
from .shell import Shell
from .signals import Signals
from .state_files import StateFiles

EXIT_OK = 0
EXIT_CONFIG = 2
EXIT_PLATFORM = 3
_LOCK = "lock"


@dataclass(frozen=True)
class Options:
    """What the command line says.

    control_group: who may use the control socket besides root. journal: the file that remembers
    every event, if any, and how many octets it and its predecessor may have together.
    state_dir: for what has to outlive a restart of the host; by default in runtime_dir, which
    usually does not.
    """

    config_file: str
    runtime_dir: str
    control_group: Optional[str] = None
    journal: Optional[str] = None
    journal_size: int = 0
    state_dir: Optional[str] = None

    @property
    def state_directory(self) -> str:
        """The one that counts."""
        return self.state_dir or os.path.join(self.runtime_dir, "state")


def run(options: Options) -> int:
    """The daemon, in the foreground, until SIGTERM. Returns the exit status."""
    log = Log()
    try:
        files = StateFiles(options.state_directory, log)
        beginning = begin(options.config_file, files, MonotonicClock().now_ns())
        for problem in beginning.problems:
            log.write("error", str(problem))
        features = capabilities.features()
        missing = capabilities.missing()
        if missing:
            raise PlatformError("start on", "this host", hint="; ".join(missing))
        os.makedirs(options.runtime_dir, mode=0o755, exist_ok=True)
        with _only_one(options.runtime_dir):
            _allow_descriptors()
            _run(options, beginning, files, features, log)
    except ConfigError as error:
        for problem in error.problems:
            log.write("error", str(problem))
        return EXIT_CONFIG
    except (PlatformError, OSError) as error:
        log.write("error", str(error))
        return EXIT_PLATFORM
    return EXIT_OK


@contextlib.contextmanager
def _only_one(runtime_dir: str) -> Iterator[None]:
    """Hold the lock of the runtime directory: two daemons would undo each other's work."""
    with open(os.path.join(runtime_dir, _LOCK), "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            hint = "another daemon runs with this runtime directory: stop it or choose another one"
            raise PlatformError("lock", runtime_dir, hint=hint) from None
        yield


def _allow_descriptors() -> None:
    """As many descriptors as the host lets us: each interface needs a socket to send by."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _run(
    options: Options,
    beginning: Beginning,
    files: StateFiles,
    features: Dict[str, bool],
    log: Log,
) -> None:
    config = beginning.version.config
    clock, signals, manager = MonotonicClock(), Signals(), ServiceManager()
    dataplane = LinuxDataplane(options.runtime_dir)
    monitor, io, prober = RtnlMonitor(), PacketIO(), PingProber()
    solicitations = SolicitationSocket()
    closing: List[Any] = [signals, manager, monitor, io, prober, solicitations]
    try:
        dataplane.cleanup()  # what an earlier daemon left when it was killed
        drained = read_drained(files)
        router = VrrpRouter(config, monitor.links(), clock.now_ns(), drained=drained)
        shell = Shell(router, io, dataplane, log)
        shell.solicitations = solicitations
        if options.journal is not None:
            journal = FileJournal(options.journal, options.journal_size, router, log)
            journal.begin(clock.now_ns())
            shell.journal = journal
            closing.append(journal)
        drains = Drains(shell, files, clock, log)

        def tell(message: str, data: Dict[str, Any]) -> None:
            shell.publish(Notify("config", "", message, data))
            manager.tell("STATUS=" + _status(router, commitment))

        apply = Applier(shell, prober, drains, clock)
        commitment = Commitment(beginning, options.config_file, files, clock, log, apply, tell)
        requests = Requests(shell, commitment, drains, files, clock, features)
        control = ControlServer(options.runtime_dir, options.control_group, requests.handle)
        closing.append(control)
        loop = Loop(shell, clock, io, monitor, dataplane, prober, log)
        loop.duties = (commitment, drains)
        shell.watch(control.publish)
        shell.listen()
        prober.configure(config.trackers, clock.now_ns())

        def reload() -> None:
            manager.reloading(clock.now_ns())
            try:
                commitment.reload()
            except (ConfigError, ControlError):
                pass  # logged, and shown by `show`: the running configuration stays
            except PlatformError as error:
                log.write("error", str(error))
            manager.ready(_status(router, commitment))

        gc.collect()
        gc.freeze()  # what exists now stays: the collector need not look at it again
        log.write("notice", "started: %s" % _status(router, commitment))
        manager.ready(_status(router, commitment))
        loop.run(control, signals, manager, reload)
        log.write("notice", "stopped")
    finally:
        # Whatever happened: an address must not stay on a host that no longer advertises it.
        try:
            dataplane.cleanup()
        finally:
            for each in closing:
                each.close()


def _status(router: VrrpRouter, commitment: Commitment) -> str:
    count = "%d virtual routers" % len(router.config.virtual_routers)
    return "; ".join([count, *commitment.summary()])


def host_report(config: Optional[RouterConfig]) -> Dict[str, Any]:
    """What this host can do, and what a configuration would have to wait for here.

    missing: sentences that forbid to run. warnings: virtual routers that would wait in initialize.
    """
    features = capabilities.features()
    missing = list(capabilities.missing())
    warnings: List[str] = []
    if config is not None:
        monitor = RtnlMonitor()
        links = {link.name: link for link in monitor.links()}
        monitor.close()
        for virtual_router in config.virtual_routers:
            resolved = resolve(virtual_router, links.get(virtual_router.interface), 0)
            if isinstance(resolved, NotReady):
                warnings.append("%s will wait: %s" % (virtual_router.name, resolved.sentence))
            refuses = not virtual_router.accept and virtual_router.priority != OWNER_PRIORITY
            if refuses and not features.get("nftables"):
                missing.append(
                    "virtual_routers[%s].accept: false needs nftables in the kernel, which is "
                    "missing here (set accept to true, or load nf_tables)" % virtual_router.name
                )
    return {"features": features, "missing": missing, "warnings": warnings}


def cleanup(runtime_dir: str) -> None:
    """Remove all that a daemon left in the kernel. Raises PlatformError."""
    LinuxDataplane(runtime_dir).cleanup()
