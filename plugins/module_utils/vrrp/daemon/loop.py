# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon's loop: wait, read, step, execute, repeat. Layer L5. Single thread.

What has arrived is read before a timer is believed, so that a daemon which was held up does not
take a living master for dead.
"""

from __future__ import annotations

import select
import signal
from typing import AbstractSet, Callable, FrozenSet, List, Optional, Protocol, Tuple

from ..errors import PlatformError
from ..facts import KernelNews, LinkFacts
from ..ports import Clock, Dataplane, FrameIO, LinkMonitor, Prober
from ..router.events import (
    LinksChanged,
    PacketsReceived,
    Repaired,
    SolicitationReceived,
    Stop,
    Tick,
    TrackerReported,
)
from ..units import NS_PER_S
from .control_server import ControlServer
from .log import Log
from .notify import ServiceManager
from .reconciler import Reconciler
from .rehearsal import EARLY_NS, WATCH_NS, Rehearsal
from .shell import Shell
from .signals import Signals

# Packets in one read, and reads in one turn: more than the kernel's buffers hold, so all that came
# in a stall is read before a timer is believed, but a flood does not delay timers for ever.
FRAMES_PER_READ = 64
READS_PER_TURN = 256
_NO_NEWS = KernelNews()
# After a refused operation: again in a second, until it works.
RETRY_DELAY_NS = NS_PER_S


class Duty(Protocol):
    """Something else in the daemon that has its own time."""

    def deadline_ns(self) -> Optional[int]:
        """When tick() wants to be called at the latest."""

    def tick(self, now_ns: int) -> None:
        """Called in each turn, after what was due has been sent."""


class Loop:
    """Runs one router over the ports of a host until it is told to stop."""

    def __init__(
        self,
        shell: Shell,
        clock: Clock,
        io: FrameIO,
        monitor: LinkMonitor,
        dataplane: Dataplane,
        prober: Prober,
        log: Log,
    ) -> None:
        self._shell = shell
        self._clock = clock
        self._io = io
        self._monitor = monitor
        self._dataplane = dataplane
        self._prober = prober
        self._log = log
        # The router was made before: the first change of links is compared with nothing.
        self._links: Tuple[LinkFacts, ...] = ()
        self._reconciler = Reconciler(clock.now_ns())
        self._rehearsal = Rehearsal(shell, io, dataplane, log)
        # When select() said that somebody has something, while nothing was done since.
        self._woke_ns: Optional[int] = None
        self._retry_ns: Optional[int] = None
        self._stopping = False
        self.duties: Tuple[Duty, ...] = ()
        self._watched: Tuple[int, ...] = ()
        # Made before the sockets of a thousand interfaces: select() takes descriptors below 1024.
        self._poll = select.epoll()

    def run(
        self,
        control: ControlServer,
        signals: Signals,
        manager: ServiceManager,
        reload: Callable[[], None],
    ) -> None:
        """Until SIGTERM or SIGINT; SIGHUP calls reload. A second signal ends it at once."""

        def turn() -> None:
            self._watch((self._monitor.fileno(), control.fileno(), signals.fileno()))
            self._wait(manager.deadline_ns())
            self._take_signals(signals, reload)
            self._turn()
            control.serve()
            for duty in self.duties:
                duty.tick(self._clock.now_ns())
            manager.tick(self._clock.now_ns())
            self._shell.journal.flush(self._clock.now_ns())

        try:
            while not self._stopping:
                turn()
            manager.stopping()
            self._stopping = False
            self.duties = ()  # who leaves is reloaded and drained no more
            self._shell.step(Stop(), self._clock.now_ns())
            while self._shell.router.is_leaving and not self._stopping:
                turn()
        finally:
            self._poll.close()

    def _watch(self, fixed: Tuple[int, ...]) -> None:
        """Sockets come and go with links and trackers."""
        heard = (*self._io.filenos(), *self._shell.solicitations.filenos())
        wanted = (*fixed, *heard, *self._prober.filenos())
        if wanted == self._watched:
            return
        for descriptor in set(self._watched) - set(wanted):
            try:
                self._poll.unregister(descriptor)
            except OSError:
                continue  # closed meanwhile, and with that no longer in the set
        for descriptor in wanted:
            try:
                self._poll.register(descriptor, select.EPOLLIN)
            except FileExistsError:
                continue
        self._watched = wanted

    def _wait(self, watchdog_ns: Optional[int]) -> None:
        if self._shell.needs_reconcile and self._retry_ns is None:
            self._retry_ns = self._clock.now_ns() + RETRY_DELAY_NS
        deadlines: List[int] = [
            deadline_ns
            for deadline_ns in (
                self._shell.router.deadline_ns,
                self._prober.deadline_ns(),
                self._reconciler.deadline_ns,
                self._retry_ns,
                watchdog_ns,
                *(duty.deadline_ns() for duty in self.duties),
            )
            if deadline_ns is not None
        ]
        end_ns = min(deadlines, default=None)
        takeover_ns = self._rehearsal.takeover_ns()
        if takeover_ns is not None and takeover_ns == end_ns:
            self._wait_for_takeover(takeover_ns)
        else:
            self._sleep(end_ns)

    def _wait_for_takeover(self, takeover_ns: int) -> None:
        """Awake, and with everything at hand, when it is due; as always, what comes in ends it.
        While a master advertises, this deadline is never near, so it costs nothing."""
        if self._rehearsal.is_wanted(takeover_ns):
            if self._sleep(takeover_ns - EARLY_NS):
                return
            self._rehearsal.play(takeover_ns, self._clock.now_ns())
        if self._sleep(takeover_ns - WATCH_NS):
            return
        while self._clock.now_ns() < takeover_ns:
            if self._sleep(0):
                return

    def _sleep(self, until_ns: Optional[int]) -> bool:
        """True when somebody has something to read; also asked when the time has passed."""
        timeout_s: Optional[float] = None
        if until_ns is not None:
            timeout_s = max(0, until_ns - self._clock.now_ns()) / NS_PER_S
        # select() waits with microseconds, where epoll rounds up to milliseconds.
        readable, _writable, _failed = select.select((self._poll.fileno(),), (), (), timeout_s)
        self._woke_ns = self._clock.now_ns() if readable else None
        return bool(readable)

    def _take_signals(self, signals: Signals, reload: Callable[[], None]) -> None:
        taken = signals.take()
        if signal.SIGHUP in taken:
            self._woke_ns = None
            reload()
        if taken & {signal.SIGTERM, signal.SIGINT}:
            self._stopping = True

    def breathe(self) -> None:
        """In the middle of work that takes milliseconds, where nothing is half done: what is due is
        not made to wait for its end."""
        self._turn()

    def _turn(self) -> None:
        # Asking each of them whether it has something would take longer than most turns do.
        ready = {descriptor for descriptor, _events in self._poll.poll(0)}
        woke_ns, self._woke_ns = self._woke_ns, None
        if self._monitor.fileno() in ready:
            self._read_links()
        if not ready.isdisjoint(self._io.filenos()):
            self._read_packets(woke_ns if len(ready) == 1 else None)
        if not ready.isdisjoint(self._shell.solicitations.filenos()):
            self._read_solicitations()
        self._read_probes(ready)
        now_ns = self._clock.now_ns()
        deadline_ns = self._shell.router.deadline_ns
        if deadline_ns is not None and deadline_ns <= now_ns:
            self._shell.lateness.add(now_ns - deadline_ns, now_ns)
            self._shell.step(Tick(), now_ns)
        self._retry()
        self._reconcile()

    def _read_links(self) -> None:
        news = self._monitor.drain()
        if news == _NO_NEWS:
            return
        now_ns = self._clock.now_ns()
        if news.links:
            links = self._monitor.links()
            if links != self._links:
                self._links = links
                self._shell.step_over_links(LinksChanged(links), now_ns)
        self._reconciler.doubt(self._dataplane.suspects(news), now_ns)

    def _read_packets(self, woke_ns: Optional[int]) -> None:
        """woke_ns: when there was one to read, if that is known."""
        for _read in range(READS_PER_TURN):
            try:
                packets = self._io.receive(FRAMES_PER_READ)
            except PlatformError as error:
                self._log.write("error", str(error))
                return
            if packets:
                # A single one is the one that woke us. Of others nobody knows how long before now
                # they came; to say too early would be to take over too early.
                if woke_ns is None or len(packets) > 1:
                    woke_ns = self._clock.now_ns()
                self._shell.step(PacketsReceived(tuple(packets)), woke_ns)
            woke_ns = None
            if len(packets) < FRAMES_PER_READ:
                return

    def _read_solicitations(self) -> None:
        """Once in a turn: nobody's mastership hangs on them."""
        try:
            packets = self._shell.solicitations.receive(FRAMES_PER_READ)
        except PlatformError as error:
            self._log.write("error", str(error))
            return
        for each in packets:
            event = SolicitationReceived(each.ifindex, each.data)
            self._shell.step(event, self._clock.now_ns())

    def _read_probes(self, ready: AbstractSet[int]) -> None:
        due_ns = self._prober.deadline_ns()
        is_due = due_ns is not None and due_ns <= self._clock.now_ns()
        if is_due or not ready.isdisjoint(self._prober.filenos()):
            for result in self._prober.poll(self._clock.now_ns()):
                self._shell.step(TrackerReported(result), self._clock.now_ns())

    def _retry(self) -> None:
        """What was refused, and everything else too."""
        if self._retry_ns is None or self._clock.now_ns() < self._retry_ns:
            return
        self._retry_ns = None
        self._shell.needs_reconcile = False
        if self._shell.is_deaf:
            self._shell.listen()
        self._compare(None)

    def _reconcile(self) -> None:
        """What somebody else may have changed, and a part of everything in turn."""
        now_ns = self._clock.now_ns()
        if now_ns < self._reconciler.deadline_ns:
            return
        names, is_doubted = self._reconciler.due(self._dataplane.names(), now_ns)
        if not names:
            return
        changed = names if is_doubted else self._dataplane.drifted(names)
        repaired = self._compare(changed) if changed else changed
        after_ns = self._clock.now_ns()
        self._reconciler.looked(names, repaired, after_ns - now_ns, after_ns)

    def _compare(self, names: Optional[FrozenSet[str]]) -> FrozenSet[str]:
        """The names of those that had to be repaired."""
        try:
            repairs = self._dataplane.reconcile(names)
        except PlatformError as error:
            self._log.write("error", str(error))
            self._shell.needs_reconcile = True
            return names or frozenset()
        if repairs:
            self._shell.step(Repaired(repairs), self._clock.now_ns())
        return frozenset(repair.device for repair in repairs)
