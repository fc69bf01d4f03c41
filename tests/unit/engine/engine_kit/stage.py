# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop of a daemon over a host that is not there.

select() does not wait here: when nothing is readable it moves the clock instead.
"""

import select
import signal
from select import EPOLLIN, epoll

from engine_kit.ports import (
    FakeClock,
    FakeDataplane,
    FakeIO,
    FakeLog,
    FakeMonitor,
    FakeProber,
    Readable,
)
from engine_kit.values import NS_PER_MS, NS_PER_S, T0, link
from vrrp.daemon import loop as loop_module
from vrrp.daemon.loop import Loop
from vrrp.daemon.shell import Shell
from vrrp.router.vrrp_router import VrrpRouter

# What it takes to look whether there is something to read.
LOOK_NS = 5_000


class TimedJournal(list):
    """Writes the time, in milliseconds after T0, before every entry."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    def append(self, entry):
        super().append(((self.clock.time_ns - T0) / NS_PER_MS, *entry))


class Surroundings:
    """Service manager, signals and control socket of a loop; and the script of the test."""

    def __init__(self, clock, journal):
        self.clock, self.journal = clock, journal
        self.readable = Readable()
        self.script = []
        self.watchdog_ns = None
        self.turns = 0

    def at(self, milliseconds, happening):
        """Call happening at that time after T0; it may return signals."""
        self.script.append((T0 + round(milliseconds * NS_PER_MS), happening))
        self.script.sort(key=lambda entry: entry[0])

    # Signals
    def fileno(self):
        return self.readable.fileno()

    def take(self):
        self.turns += 1
        taken = set()
        while self.script and self.script[0][0] <= self.clock.time_ns:
            _at_ns, happening = self.script.pop(0)
            taken |= happening() or set()
        return taken

    # ServiceManager
    def deadline_ns(self):
        """The next line of the script wakes the loop too."""
        times = [at_ns for at_ns, _happening in self.script[:1]]
        times += [self.watchdog_ns] if self.watchdog_ns is not None else []
        return min(times, default=None)

    def tick(self, now_ns):
        if self.watchdog_ns is not None and now_ns >= self.watchdog_ns:
            self.journal.append(("watchdog",))
            self.watchdog_ns = now_ns + NS_PER_S

    def stopping(self):
        self.journal.append(("stopping",))


class FakeControl:
    """ControlServer."""

    def __init__(self):
        self.readable = Readable()
        self.served = 0
        self.serving = lambda: None

    def fileno(self):
        return self.readable.fileno()

    def serve(self):
        self.served += 1
        self.serving()


class Stage:
    """A loop with everything around it."""

    def __init__(self, wanted, monkeypatch, then=()):
        self.clock = FakeClock()
        self.journal = TimedJournal(self.clock)
        self.io = FakeIO(self.journal)
        self.monitor = FakeMonitor(link())
        self.dataplane = FakeDataplane(self.journal)
        self.prober = FakeProber()
        self.control = FakeControl()
        self.around = Surroundings(self.clock, self.journal)
        self.router = VrrpRouter(wanted, self.monitor.links(), T0)
        self.log = log = FakeLog(self.journal)
        self.shell = Shell(self.router, self.io, self.dataplane, log)
        if then:
            self.monitor.change(*then)
        self.loop = Loop(
            self.shell, self.clock, self.io, self.monitor, self.dataplane, self.prober, log
        )
        self.waits = 0
        self.arrivals = []
        monkeypatch.setattr(loop_module, "select", self)

    # Stands in for the module select.
    EPOLLIN, epoll = EPOLLIN, epoll

    @property
    def turns(self):
        """Of the loop; in one it may wait more than once."""
        return self.around.turns

    def select(self, reading, _writing, _failing, timeout_s):
        self.waits += 1
        assert self.waits < 10_000, "it turns without end"
        found = select.select(reading, (), (), 0)
        if found[0]:
            return found
        assert timeout_s is not None, "it would wait for ever"
        # Rounded up as the kernel does: a wait is never shorter than it was asked for.
        end_ns = self.clock.time_ns + (int(timeout_s * NS_PER_S) + 1 if timeout_s else LOOK_NS)
        while self.arrivals and self.arrivals[0][0] <= end_ns:
            self.clock.time_ns, happening = self.arrivals.pop(0)
            happening()
            found = select.select(reading, (), (), 0)
            if found[0]:
                return found
        self.clock.time_ns = end_ns
        return found

    def meanwhile(self, milliseconds, happening):
        """Call happening at that time after T0 while the loop waits."""
        self.arrivals.append((T0 + milliseconds * NS_PER_MS, happening))

    def run(self, until_ms, reload=None):
        """Until signal.SIGTERM at that time after T0; the journal is returned."""
        self.around.at(until_ms, lambda: {signal.SIGTERM})
        self.loop.run(self.control, self.around, self.around, reload or (lambda: None))
        return self.journal

    def did(self, *kinds):
        return [each for each in self.journal if each[1] in kinds]

    def state(self):
        return self.router.bound_routers()[0].state

    def close(self):
        for each in (self.io, self.monitor, self.prober):
            each.close()
        self.control.readable.close()
        self.around.readable.close()
