# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All parts of a daemon, and the order in which they are put together. Layer L5."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Tuple, TypeVar

from ..errors import ConfigError, ControlError, PlatformError
from ..facts import KernelNews, LinkFacts
from ..invariant import require
from ..linux.clock import MonotonicClock
from ..linux.dataplane import LinuxDataplane
from ..linux.monitor import RtnlMonitor
from ..linux.packet_socket import PacketIO
from ..linux.probes import PingProber
from ..linux.solicitation_socket import SolicitationSocket
from ..ports import Dataplane
from ..router.actions import Notify
from ..router.desired import DesiredDataplane
from ..router.events import Tick
from ..router.inheritance import Inheritance, recall
from ..router.vrrp_router import VrrpRouter
from .applier import Applier
from .beginning import Beginning
from .commitment import Commitment
from .control_server import ControlServer
from .drains import Drains, read_drained
from .heartbeat import Beat, Wire, open_heartbeat, remaining_lease_s
from .journal import FileJournal
from .log import Log
from .loop import FRAMES_PER_READ, Loop
from .memory import MemoryLock, SpareMemory, trimmer
from .notify import ServiceManager
from .requests import Requests
from .shell import Shell
from .signals import Signals
from .state_files import StateFiles
from .upgrade import Upgrade

if TYPE_CHECKING:
    from .main import Options


Port = TypeVar("Port")


class OpenPorts:
    """What a daemon has open to the host. is_mute: the service manager hears another process."""

    def __init__(self, runtime_dir: str, log: Log, is_mute: bool = False) -> None:
        self.clock = MonotonicClock()
        self.control: Optional[ControlServer] = None
        self._closing: List[Any] = []
        try:
            self.signals = self.opened(Signals())
            self.manager = self.opened(ServiceManager(is_mute))
            self.dataplane = self.opened(LinuxDataplane(runtime_dir))
            self.heartbeat = self.opened(open_heartbeat(runtime_dir, log))
            self.monitor = self.opened(RtnlMonitor())
            self.io = self.opened(PacketIO())
            self.prober = self.opened(PingProber())
            self.solicitations = self.opened(SolicitationSocket())
        except BaseException:
            self.close(is_handed_on=False)
            raise

    def opened(self, port: Port) -> Port:
        """To be closed at the end, too."""
        self._closing.append(port)
        return port

    def close(self, is_handed_on: bool) -> None:
        """Close everything. is_handed_on: what others see of it stays."""
        if self.control is not None:
            if is_handed_on:
                self.control.abandon()
            else:
                self.control.close()
        for port in self._closing:
            port.close()


class Assembly:
    """One router, and everything around it; called in the order of its methods."""

    def __init__(
        self,
        options: Options,
        beginning: Beginning,
        files: StateFiles,
        features: Mapping[str, bool],
        ports: OpenPorts,
        log: Log,
    ) -> None:
        self.ports = ports
        self._options = options
        self._beginning = beginning
        self._files = files
        self._features = features
        self._log = log

    def rehearse(self, links: Sequence[LinkFacts]) -> None:
        """Everything that takes time, or may fail, without an effect: hear, but do not speak."""
        ports = self.ports
        config = self._beginning.version.config
        router = VrrpRouter(config, tuple(links), ports.clock.now_ns())
        router.step(Tick(), ports.clock.now_ns())
        ports.io.listen(router.listening_links())
        ports.solicitations.listen(router.advertising_links())
        ports.dataplane.held()

    def filenos(self) -> Tuple[int, ...]:
        """Readable when there is something to forget."""
        ports = self.ports
        heard = (*ports.io.filenos(), *ports.solicitations.filenos())
        return (*heard, ports.monitor.fileno())

    def forget_what_came(self) -> bool:
        """Another process has dealt with it. True when links have changed."""
        for listener in (self.ports.io, self.ports.solicitations):
            while len(listener.receive(FRAMES_PER_READ)) == FRAMES_PER_READ:
                pass
        return self.ports.monitor.drain() != KernelNews()

    def make(self, links: Sequence[LinkFacts], inherited: Inheritance) -> None:
        """The router, without a step, and what serves it. What it inherits may be nothing."""
        ports, files, log, options = self.ports, self._files, self._log, self._options
        clock, config = ports.clock, self._beginning.version.config
        drained = inherited.drained or read_drained(files)
        self.router = VrrpRouter(config, tuple(links), clock.now_ns(), inherited, drained)
        recall(self.router, inherited.pasts)
        self.shell = Shell(self.router, ports.io, ports.dataplane, log)
        self.shell.solicitations = ports.solicitations
        self.shell.heartbeat = ports.heartbeat
        drains = Drains(self.shell, files, clock, log)
        apply = Applier(self.shell, ports.prober, drains, clock)
        self.commitment = Commitment(
            self._beginning, options.config_file, files, clock, log, apply, self._tell
        )
        self.upgrade = Upgrade(self.router, self.commitment.inheritance, clock, log)
        self.upgrade.succeeded = ports.manager.successor
        self.requests = Requests(self.shell, self.commitment, drains, files, clock, self._features)
        self.requests.upgrade = self.upgrade
        self.loop = Loop(
            self.shell, clock, ports.io, ports.monitor, ports.dataplane, ports.prober, log
        )
        spare = SpareMemory(clock.now_ns(), trimmer(), MemoryLock())
        self.loop.duties = (self.commitment, drains, self.upgrade, spare, log)
        self.commitment.breathe = self.requests.breathe = self.loop.breathe

    def _tell(self, message: str, data: Dict[str, Any]) -> None:
        self.shell.publish(Notify("config", "", message, data))
        self.ports.manager.tell("STATUS=" + self._status())

    def _status(self) -> str:
        count = "%d virtual routers" % len(self.router.config.virtual_routers)
        return "; ".join([count, *self.commitment.summary()])

    def open_control(self, lock: int, inherited: Optional[int] = None) -> None:
        """The socket of requests, or the one that another process had."""
        options = self._options
        control = ControlServer(
            options.runtime_dir, options.control_group, self.requests.handle, inherited
        )
        self.ports.control = control
        self.shell.watch(control.publish)
        self.upgrade.descriptors = {"lock": lock, "listener": control.listener_fileno()}

    def first_step(self) -> None:
        """What is inherited is advertised; what an earlier process left and nobody wants goes."""
        self.shell.step(Tick(), self.ports.clock.now_ns())
        nothing = DesiredDataplane()
        if self.router.emitted == nothing:
            try:
                self.ports.dataplane.apply(nothing)
            except PlatformError as error:
                self._log.write("error", str(error))
                self.shell.needs_reconcile = True

    def open_journal(self) -> None:
        """From the state that the router has now."""
        options = self._options
        if options.journal is not None:
            journal = FileJournal(options.journal, options.journal_size, self.router, self._log)
            journal.begin(self.ports.clock.now_ns())
            self.shell.journal = self.ports.opened(journal)

    def listen(self) -> None:
        """Hear the others, and probe."""
        self.shell.listen()
        self.ports.prober.configure(self.router.config.trackers, self.ports.clock.now_ns())

    def serve(self, word: str) -> None:
        """Until the end. word: for the log."""
        ports = self.ports
        gc.collect()
        gc.disable()  # from now on when there is time for it: see memory.py
        self._log.write("notice", "%s: %s" % (word, self._status()))
        ports.manager.ready(self._status())
        require(ports.control is not None, "a daemon that serves can be asked")
        control: Any = ports.control
        try:
            self.loop.run(control, ports.signals, ports.manager, self._reload)
        finally:
            self.upgrade.give_up("this process ends")
        self._log.write("notice", "stopped")

    def speak(self) -> None:
        """To the service manager, which heard another process until now."""
        self.ports.manager.speak()
        self.ports.manager.ready(self._status())

    def _reload(self) -> None:
        manager = self.ports.manager
        manager.reloading(self.ports.clock.now_ns())
        self.upgrade.give_up("a reload came")
        try:
            self.commitment.reload()
        except (ConfigError, ControlError):
            pass  # logged, and shown by `show`: the running configuration stays
        except PlatformError as error:
            self._log.write("error", str(error))
        manager.ready(self._status())


def fence(dataplane: Dataplane, beats: Mapping[Wire, Beat], now_ns: int) -> None:
    """A daemon has died: its addresses stay only as long as a new one may go on with them."""
    lease_s = remaining_lease_s(beats, now_ns)
    if lease_s > 0:
        dataplane.expire(lease_s)
    else:
        dataplane.cleanup()
