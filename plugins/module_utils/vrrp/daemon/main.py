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
from ..errors import ConfigError, PlatformError
from ..fsm.parameters import OWNER_PRIORITY
from ..linux import capabilities
from ..linux.clock import MonotonicClock
from ..linux.dataplane import LinuxDataplane
from ..linux.monitor import RtnlMonitor
from ..linux.packet_socket import PacketIO
from ..linux.probes import PingProber
from ..linux.solicitation_socket import SolicitationSocket
from ..router.vrrp_router import VrrpRouter
from .control_server import ControlServer
from .journal import FileJournal
from .log import Log
from .loop import Loop
from .notify import ServiceManager
from .requests import Requests, read_config
from .shell import Shell
from .signals import Signals

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
        config = read_config(options.config_file)
        features = capabilities.features()
        missing = capabilities.missing()
        if missing:
            raise PlatformError("start on", "this host", hint="; ".join(missing))
        os.makedirs(options.runtime_dir, mode=0o755, exist_ok=True)
        with _only_one(options.runtime_dir):
            _allow_descriptors()
            _run(options, config, features, log)
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


def _run(options: Options, config: RouterConfig, features: Dict[str, bool], log: Log) -> None:
    clock, signals, manager = MonotonicClock(), Signals(), ServiceManager()
    dataplane = LinuxDataplane(options.runtime_dir)
    monitor, io, prober = RtnlMonitor(), PacketIO(), PingProber()
    solicitations = SolicitationSocket()
    closing: List[Any] = [signals, manager, monitor, io, prober, solicitations]
    try:
        dataplane.cleanup()  # what an earlier daemon left when it was killed
        router = VrrpRouter(config, monitor.links(), clock.now_ns())
        shell = Shell(router, io, dataplane, log)
        shell.solicitations = solicitations
        if options.journal is not None:
            journal = FileJournal(options.journal, options.journal_size, router, log)
            journal.begin(clock.now_ns())
            shell.journal = journal
            closing.append(journal)
        requests = Requests(shell, prober, clock, log, options.config_file, features)
        control = ControlServer(options.runtime_dir, options.control_group, requests.handle)
        closing.append(control)
        loop = Loop(shell, clock, io, monitor, dataplane, prober, log)
        shell.watch(control.publish)
        shell.listen()
        prober.configure(config.trackers, clock.now_ns())

        def reload() -> None:
            manager.reloading(clock.now_ns())
            try:
                requests.reload()
            except ConfigError:
                pass  # logged, and shown by `show`: the running configuration stays
            except PlatformError as error:
                log.write("error", str(error))
            manager.ready(_status(router))

        gc.collect()
        gc.freeze()  # what exists now stays: the collector need not look at it again
        log.write("notice", "started: %s" % _status(router))
        manager.ready(_status(router))
        loop.run(control, signals, manager, reload)
        log.write("notice", "stopped")
    finally:
        # Whatever happened: an address must not stay on a host that no longer advertises it.
        try:
            dataplane.cleanup()
        finally:
            for each in closing:
                each.close()


def _status(router: VrrpRouter) -> str:
    return "%d virtual routers" % len(router.config.virtual_routers)


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
