# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a daemon together from the router, the ports of Linux and the loop. Layer L5.

Also what the command line needs from the host itself: features, host warnings, cleanup.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional

from ..config.model import RouterConfig
from ..config.resolve import NotReady, resolve
from ..errors import ConfigError, PlatformError, VrrpError
from ..facts import KernelNews
from ..fsm.parameters import OWNER_PRIORITY
from ..linux import capabilities, rtnl
from ..linux.clock import MonotonicClock
from ..linux.dataplane import LinuxDataplane
from ..linux.monitor import RtnlMonitor
from .adoption import adopted, sentence
from .assembly import Assembly, OpenPorts, fence
from .beginning import Beginning, begin, inherited_beginning
from .heartbeat import beats_of
from .log import Log
from .state_files import StateFiles
from .upgrade import Aftermath, HandedOn, Heir, UpgradeError

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
    usually does not. inherit: a descriptor, see daemon/upgrade.py.
    """

    config_file: str
    runtime_dir: str
    control_group: Optional[str] = None
    journal: Optional[str] = None
    journal_size: int = 0
    state_dir: Optional[str] = None
    inherit: Optional[int] = None

    @property
    def state_directory(self) -> str:
        """The one that counts."""
        return self.state_dir or os.path.join(self.runtime_dir, "state")


def run(options: Options) -> int:
    """The daemon, in the foreground, until SIGTERM. Returns the exit status."""
    log = Log()
    rtnl.prepare()
    try:
        if options.inherit is not None:
            _go_on(options, Heir(options.inherit), log)
        else:
            _start(options, log)
    except ConfigError as error:
        for problem in error.problems:
            log.write("error", str(problem))
        return EXIT_CONFIG
    except (PlatformError, UpgradeError, OSError) as error:
        log.write("error", str(error))
        return EXIT_PLATFORM
    return EXIT_OK


def _start(options: Options, log: Log) -> None:
    files = StateFiles(options.state_directory, log)
    beginning = begin(options.config_file, files, MonotonicClock().now_ns())
    for problem in beginning.problems:
        log.write("error", str(problem))
    features = _features()
    os.makedirs(options.runtime_dir, mode=0o755, exist_ok=True)
    with _only_one(options.runtime_dir) as lock:
        _allow_descriptors()
        _run(options, beginning, files, features, log, lock)


def _features() -> Dict[str, bool]:
    """Of this host. Raises PlatformError when it lacks what is needed."""
    features = capabilities.features()
    missing = capabilities.missing(found=features)
    if missing:
        raise PlatformError("start on", "this host", hint="; ".join(missing))
    return features


@contextlib.contextmanager
def _only_one(runtime_dir: str) -> Iterator[int]:
    """Hold the lock of the runtime directory: two daemons would undo each other's work. Yields its
    descriptor."""
    with open(os.path.join(runtime_dir, _LOCK), "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            hint = "another daemon runs with this runtime directory: stop it or choose another one"
            raise PlatformError("lock", runtime_dir, hint=hint) from None
        yield lock.fileno()


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
    lock: int,
) -> None:
    """From the start of a daemon to its end."""
    ports = OpenPorts(options.runtime_dir, log)
    with _ending(ports):
        links, now_ns = ports.monitor.links(), ports.clock.now_ns()
        beats = ports.heartbeat.beats()
        inherited = adopted(beginning.version.config, links, ports.dataplane.held(), beats, now_ns)
        assembly = Assembly(options, beginning, files, features, ports, log)
        assembly.make(links, inherited)
        assembly.open_control(lock)
        told = sentence(inherited, beats, now_ns)
        if told is None:
            assembly.open_journal()  # from the very first step
            # Devices take time, and so long a master that cannot be heard would be taken for dead.
            assembly.listen()
            assembly.first_step()
        else:
            assembly.first_step()  # the others have waited long enough
            assembly.open_journal()
            log.write("notice", told)
            assembly.listen()
        assembly.serve("started")


def _go_on(options: Options, heir: Heir, log: Log) -> None:
    """The same for a process that takes the place of another one."""
    try:
        hello = heir.hello()
        clock = MonotonicClock()
        files = StateFiles(options.state_directory, log)
        beginning = inherited_beginning(hello, options.config_file, files, clock.now_ns())
        ports = OpenPorts(options.runtime_dir, log, is_mute=True)
        assembly = Assembly(options, beginning, files, _features(), ports, log)
        _take_over(assembly, heir, hello["descriptors"])
    except (VrrpError, KeyError, OSError) as error:
        # Nothing is cleaned up: it is all in use.
        heir.refuse(str(error))
        raise UpgradeError("not upgraded: %s" % error) from None
    with _ending(ports):
        assembly.open_journal()
        after = Aftermath(heir.channel, assembly.router, ports.clock, assembly.speak)
        assembly.loop.duties += (after,)
        assembly.serve("goes on")


def _take_over(assembly: Assembly, heir: Heir, descriptors: Dict[str, int]) -> None:
    """Until the other process may end. Whatever raises here lets that one go on."""
    ports = assembly.ports
    links = ports.monitor.links()
    assembly.rehearse(links)
    is_stale = False

    def forget() -> None:
        nonlocal is_stale
        is_stale = assembly.forget_what_came() or is_stale

    heir.wait_for_stand_by(assembly.filenos(), forget)
    inherited = heir.inheritance()
    ports.heartbeat.learn()
    if ports.monitor.drain() != KernelNews() or is_stale:
        links = ports.monitor.links()
    assembly.make(links, inherited)
    assembly.open_control(descriptors["lock"], descriptors["listener"])
    assembly.first_step()
    assembly.listen()
    heir.channel.send("going-on")


@contextlib.contextmanager
def _ending(ports: OpenPorts) -> Iterator[None]:
    """However it ends: an address must not stay on a host where nobody advertises it any more."""
    is_good = is_handed_on = False
    try:
        yield
        is_good = True
    except HandedOn:
        is_handed_on = True
    finally:
        try:
            if is_good:
                ports.dataplane.cleanup()
            elif not is_handed_on:
                fence(ports.dataplane, ports.heartbeat.beats(), ports.clock.now_ns())
        finally:
            ports.close(is_handed_on)


def host_report(config: Optional[RouterConfig]) -> Dict[str, Any]:
    """What this host can do, and what a configuration would have to wait for here.

    missing: sentences that forbid to run. warnings: virtual routers that would wait in initialize.
    """
    features = capabilities.features()
    missing = list(capabilities.missing(found=features))
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


def cleanup(runtime_dir: str, after_crash: bool = False) -> None:
    """Remove all that a daemon left in the kernel. Raises PlatformError.

    after_crash: if it advertised a moment ago, only let the kernel take its addresses away when
    their leases are over, so that a daemon that is started at once goes on with them.
    """
    dataplane = LinuxDataplane(runtime_dir)
    if after_crash:
        fence(dataplane, beats_of(runtime_dir), MonotonicClock().now_ns())
    else:
        dataplane.cleanup()
