# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another release goes on in the place of this process, and nobody notices. Layer L5.

The running process starts its own command line again, which now leads to another release. Both
speak JSON, a line each, over a pair of sockets:

    running        new             meaning
                   <- here         its process id
    hello          ->              format, configuration, descriptors of lock and control socket
                   <- ready        all that may fail has been tried; it hears advertisements
    stand-by       ->              keep what you hear from now on
                   <- standing-by
    go-on          ->              everything as it is after the last step (router/inheritance.py)
                   <- going-on     my first turn is over: end
    past           ->              counters and what `why` tells; then the running one ends

Until it has heard "going-on" the running process can go on at any time: it ends the new one and
continues with its next advertisement. So the new one may fail, or hang, wherever it is.

The new one forks once, so that the service manager is its parent from then on: systemd does not
wait for the end of a main process that was somebody else's child when it heard of it.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import sys
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ..errors import ControlError, VrrpError
from ..fsm.states import State
from ..ports import Clock
from ..router import inheritance
from ..router.vrrp_router import VrrpRouter
from ..units import NS_PER_S, ns_from_cs
from .log import Log

FORMAT = 1
INHERIT = "--inherit"
# A new process has so long to be ready; a cold disk under load takes some seconds.
WARM_UP_NS = 15 * NS_PER_S
# While a new process warms up it is looked at so often.
LOOK_NS = 20_000_000
# Handing on begins with so much time before the next advertisement, if that comes to be soon.
CALM_NS = 30_000_000
# Of a router that is master nowhere.
IDLE_PATIENCE_NS = NS_PER_S
# So long the one before may take to end; then the service manager hears of the new one anyway.
_AFTERMATH_NS = 4 * NS_PER_S
# Of a new process that seems to end by itself.
_END_NS = NS_PER_S
_CHUNK = 65536
_CAP_SYS_NICE = 23
# For a first turn that never asks anybody else: what a sick kernel may take.
_LONGEST_WAIT_S = 10.0


class UpgradeError(VrrpError):
    """The other process does not do what it should."""


class ProcessGone(UpgradeError):
    """The other process ends, or has ended."""


class HandedOn(Exception):
    """Another process goes on: end, and leave everything as it is."""


class Channel:
    """Documents as lines over a stream. Raises UpgradeError when the other end is gone or mad."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._received = b""
        self._unsent = b""

    def fileno(self) -> int:
        """Of the socket."""
        return self._socket.fileno()

    @property
    def is_readable(self) -> bool:
        """Something has come, if only the end."""
        return b"\n" in self._received or bool(select.select((self._socket,), (), (), 0)[0])

    def send(self, say: str, timeout_s: float = _LONGEST_WAIT_S, **content: Any) -> None:
        """Blocks while the other one does not read, but no longer."""
        self._socket.settimeout(timeout_s)
        try:
            self._socket.sendall(_line(say, content))
        except OSError as error:
            raise UpgradeError("the other process does not listen: %s" % error) from None

    def post(self, say: str, **content: Any) -> None:
        """As send(), without waiting: flush() goes on with what there was no room for."""
        self._unsent += _line(say, content)
        self.flush()

    def flush(self) -> None:
        """Send what has room now."""
        self._socket.settimeout(0)
        try:
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            return
        except OSError as error:
            raise UpgradeError("the other process does not listen: %s" % error) from None

    def receive(self, timeout_s: float) -> Optional[Dict[str, Any]]:
        """The next document; None when none came in time. 0 looks at what is there."""
        end_s = time.monotonic() + timeout_s
        while b"\n" not in self._received:
            left_s = max(0.0, end_s - time.monotonic())
            if not select.select((self._socket,), (), (), left_s)[0]:
                return None
            try:
                data = self._socket.recv(_CHUNK)
            except OSError as error:
                raise ProcessGone("the other process is gone: %s" % error) from None
            if not data:
                raise ProcessGone("the other process is gone")
            self._received += data
        line, _newline, self._received = self._received.partition(b"\n")
        return _read(line)

    def expect(self, say: str, timeout_s: float) -> Dict[str, Any]:
        """The next document, which has to be this one."""
        document = self.receive(timeout_s)
        if document is None:
            raise UpgradeError("waited in vain for %r" % say)
        if document["say"] == "failed":
            raise UpgradeError(str(document.get("why")))
        if document["say"] != say:
            raise UpgradeError("it said %r instead of %r" % (document["say"], say))
        return document

    def close(self) -> None:
        """The other end notices."""
        self._socket.close()


def _line(say: str, content: Mapping[str, Any]) -> bytes:
    return json.dumps({"say": say, **content}, separators=(",", ":")).encode("ascii") + b"\n"


def _read(line: bytes) -> Dict[str, Any]:
    try:
        document = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise UpgradeError("it does not speak JSON: %s" % error) from None
    if not isinstance(document, dict) or not isinstance(document.get("say"), str):
        raise UpgradeError("it speaks another language")
    return document


class _Process:
    """The new process: first a child of this one, then what that has forked."""

    def __init__(self, child: int) -> None:
        self.pid = child
        self.exit_status: Optional[int] = None
        self._child: Optional[int] = child

    def kill(self) -> None:
        """At once."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # it was quicker

    def has_ended(self) -> bool:
        """True when the kernel is done with it."""
        if self._child is not None:
            pid, status = os.waitpid(self._child, os.WNOHANG)
            if not pid:
                return False
            if self._child == self.pid and os.WIFEXITED(status):
                self.exit_status = os.WEXITSTATUS(status)
            is_all, self._child = self._child == self.pid, None
            if is_all:
                return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        return False


class Upgrade:
    """The running process's side; a duty of the loop. Raises HandedOn out of tick().

    hello: what the new process is told at once. router: the one to hand on.
    """

    def __init__(
        self,
        router: VrrpRouter,
        hello: Callable[[], Mapping[str, Any]],
        clock: Clock,
        log: Log,
        command: Optional[Sequence[str]] = None,
    ) -> None:
        # Descriptors that the new process gets, by what they are.
        self.descriptors: Dict[str, int] = {}
        # Called when the new one has taken over, with its process id.
        self.succeeded: Callable[[int], None] = lambda pid: None
        self._router = router
        self._hello = hello
        self._clock = clock
        self._log = log
        self._command = command
        self._config = router.config
        self._process: Optional[_Process] = None
        self._channel: Optional[Channel] = None
        self._phase: Callable[[int], None] = self._await_ready
        self._deadline_ns = 0
        self._calm_by_ns = 0
        self._failure: Optional[str] = None
        self._scheduling: Optional[Tuple[int, os.sched_param]] = None

    @property
    def is_running(self) -> bool:
        """A new process is on its way."""
        return self._process is not None

    def status(self) -> Optional[Dict[str, Any]]:
        """The part of `show.status`; None when there was none."""
        if self._process is not None:
            return {"state": "running", "why": None}
        if self._failure is not None:
            return {"state": "failed", "why": self._failure}
        return None

    def start(self) -> Dict[str, Any]:
        """Start the new process. Raises ControlError."""
        if self._process is not None:
            raise ControlError("busy", "an upgrade is under way")
        try:
            pid, self._channel = self._spawn()
        except OSError as error:
            self._failure = "a new process cannot be started: %s" % error
            raise ControlError("upgrade-failed", self._failure) from None
        self._process = _Process(pid)
        self._failure, self._config = None, self._router.config
        self._scheduling = _step_back(pid)
        self._phase = self._await_here
        self._deadline_ns = self._clock.now_ns() + WARM_UP_NS
        self._log.write("notice", "upgrade: process %d begins" % pid)
        return {}

    def _spawn(self) -> Tuple[int, Channel]:
        """Without a copy of this process, and without its descriptors but for those it needs."""
        ours, theirs = socket.socketpair()
        given = (theirs.fileno(), *self.descriptors.values())
        words = [*(self._command or own_command()), INHERIT, str(theirs.fileno())]
        no_input = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        try:
            for descriptor in given:
                os.set_inheritable(descriptor, True)
            # The rule is for modules, which have run_command(); this is the daemon.
            # pylint: disable-next=ansible-bad-function
            pid = os.posix_spawn(words[0], words, os.environ, file_actions=[no_input])
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            for descriptor in self.descriptors.values():
                os.set_inheritable(descriptor, False)
        return pid, Channel(ours)

    def give_up(self, why: str, ends_itself: bool = False) -> None:
        """End the new process, if there is one, and go on."""
        if self._process is None or self._phase == self._await_end:
            return
        self._deadline_ns = self._clock.now_ns() + _END_NS
        if not ends_itself:
            self._process.kill()
        if self._channel is not None:
            self._channel.close()
        self._failure, self._phase = why, self._await_end
        self._log.write("error", "upgrade given up, this process goes on: %s" % why)

    def _await_end(self, now_ns: int) -> None:
        """It does nothing any more, but the kernel may take seconds to close its sockets."""
        process = self._process
        if process is None:
            return
        if not process.has_ended():
            if now_ns < self._deadline_ns:
                return
            process.kill()
        if process.exit_status is not None:
            words = " (exit status %d; its words are in the log)" % process.exit_status
            self._failure = (self._failure or "") + words
        self._process = self._channel = None

    def deadline_ns(self) -> Optional[int]:
        """When tick() wants to be called at the latest."""
        return self._clock.now_ns() + LOOK_NS if self._process is not None else None

    def tick(self, now_ns: int) -> None:
        """Go on as far as the new process is."""
        if self._process is None:
            return
        if self._phase == self._await_end:
            self._await_end(now_ns)
        elif self._router.config is not self._config:
            self.give_up("the configuration changed meanwhile")
        elif now_ns >= self._deadline_ns:
            self.give_up("it was not ready within %d s" % (WARM_UP_NS // NS_PER_S))
        else:
            self._guard(self._phase)

    def _guard(self, work: Callable[[int], None]) -> None:
        try:
            work(self._clock.now_ns())
        except UpgradeError as error:
            # Without the last word from here it cannot take over, so it may end in its own way.
            is_harmless = isinstance(error, ProcessGone) and self._phase != self._hand_on
            self.give_up(str(error), is_harmless)

    def _talk(self) -> Channel:
        if self._channel is None:
            raise UpgradeError("nobody is there")
        return self._channel

    def _await_here(self, _now_ns: int) -> None:
        document = self._hears("here")
        if document is not None and self._process is not None:
            pid = document.get("pid")
            if isinstance(pid, bool) or not isinstance(pid, int) or pid <= 1:
                raise UpgradeError("it has no process id")
            self._process.pid = pid
            descriptors = dict(self.descriptors)
            self._talk().post("hello", format=FORMAT, descriptors=descriptors, **self._hello())
            self._phase = self._await_ready

    def _hears(self, say: str) -> Optional[Dict[str, Any]]:
        document = self._talk().receive(0)
        if document is None:
            return None
        if document["say"] == "failed":
            raise UpgradeError(str(document.get("why")))
        if document["say"] != say:
            raise UpgradeError("it said %r instead of %r" % (document["say"], say))
        return document

    def _await_ready(self, _now_ns: int) -> None:
        self._talk().flush()
        if self._hears("ready"):
            if self._process is not None and self._scheduling is not None:
                _restore(self._process.pid, self._scheduling)
            self._talk().send("stand-by")
            self._phase = self._await_stand_by

    def _await_stand_by(self, now_ns: int) -> None:
        if self._hears("standing-by"):
            self._calm_by_ns = now_ns + NS_PER_S
            self._phase = self._hand_on
            self._hand_on(now_ns)

    def _hand_on(self, now_ns: int) -> None:
        """At a calm moment: from here on this process does nothing until the other one answers."""
        if self._router.is_leaving:
            return
        next_ns = self._router.deadline_ns
        if next_ns is not None and next_ns - now_ns < CALM_NS and now_ns < self._calm_by_ns:
            return
        channel = self._talk()
        latest_ns = latest_answer_ns(self._router, now_ns)
        left_s = (latest_ns - now_ns) / NS_PER_S
        channel.send("go-on", left_s, router=inheritance.written(self._router))
        channel.expect("going-on", (latest_ns - self._clock.now_ns()) / NS_PER_S)
        pid = self._process.pid if self._process else 0
        self._process = None  # it is not ours to end any more
        self._log.write("notice", "upgrade: process %d goes on" % pid)
        self.succeeded(pid)
        try:
            channel.send("past", routers=inheritance.written_pasts(self._router))
        except UpgradeError as error:
            self._log.write("warning", "upgrade: the past is lost: %s" % error)
        channel.close()
        raise HandedOn


def latest_answer_ns(router: VrrpRouter, now_ns: int) -> int:
    """When this process has to go on after all: with its next advertisement less than half an
    interval after it was due."""
    latest_ns = now_ns + IDLE_PATIENCE_NS
    for bound in router.bound_routers():
        if bound.machine is not None and bound.state is State.MASTER:
            interval_ns = ns_from_cs(bound.parameters.advertisement_interval_cs)
            latest_ns = min(latest_ns, (bound.machine.deadline_ns or now_ns) + interval_ns * 2 // 5)
    return max(now_ns, latest_ns)


class Heir:
    """The new process's side."""

    def __init__(self, descriptor: int) -> None:
        self.channel = Channel(socket.socket(fileno=descriptor))
        os.set_inheritable(descriptor, False)

    def hello(self) -> Dict[str, Any]:
        """Become a child of the service manager; what the running process says first. Raises
        UpgradeError."""
        _leave_home()
        self.channel.send("here", pid=os.getpid())
        document = self.channel.expect("hello", _LONGEST_WAIT_S)
        if document.get("format") != FORMAT:
            raise UpgradeError("it speaks format %r, here it is %d" % (document["format"], FORMAT))
        for descriptor in document.get("descriptors", {}).values():
            os.set_inheritable(descriptor, False)
        return document

    def wait_for_stand_by(self, heard: Sequence[int], forget: Callable[[], None]) -> None:
        """Forget what is heard until the running process is about to hand on."""
        self.channel.send("ready")
        while not self.channel.is_readable:
            forget()
            select.select((self.channel.fileno(), *heard), (), (), None)
        self.channel.expect("stand-by", _LONGEST_WAIT_S)
        self.channel.send("standing-by")

    def inheritance(self) -> inheritance.Inheritance:
        """What to go on with. Raises UpgradeError."""
        document = self.channel.expect("go-on", WARM_UP_NS / NS_PER_S)
        try:
            return inheritance.read(document.get("router"))
        except ValueError as error:
            raise UpgradeError(str(error)) from None

    def refuse(self, why: str) -> None:
        """This process cannot."""
        try:
            self.channel.send("failed", why=why)
        except UpgradeError:
            pass  # nobody listens: it has given us up


def _leave_home() -> None:
    """This process ends, and one that it has forked goes on."""
    if os.fork():
        os._exit(0)


class Aftermath:
    """A duty of the new process's loop, until the one before it has ended."""

    def __init__(
        self, channel: Channel, router: VrrpRouter, clock: Clock, alone: Callable[[], None]
    ) -> None:
        self._channel: Optional[Channel] = channel
        self._router = router
        self._clock = clock
        self._alone = alone
        self._latest_ns = clock.now_ns() + _AFTERMATH_NS

    def deadline_ns(self) -> Optional[int]:
        """When tick() wants to be called at the latest."""
        return self._clock.now_ns() + LOOK_NS if self._channel is not None else None

    def tick(self, now_ns: int) -> None:
        """Take the past, and the service manager's attention."""
        if self._channel is None:
            return
        try:
            document = self._channel.receive(0)
            if document is not None and document["say"] == "past":
                pasts = inheritance.read_pasts(document.get("routers"))
                inheritance.recall(self._router, pasts)
        except (UpgradeError, ValueError):
            self._end()
        else:
            if now_ns >= self._latest_ns:
                self._end()

    def _end(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            self._alone()


def own_command() -> List[str]:
    """The command line of this process, without what made it an heir."""
    with open("/proc/self/cmdline", "rb") as file:
        words = [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
    if INHERIT in words:
        at = words.index(INHERIT)
        del words[at : at + 2]
    if not os.path.isabs(words[0]):
        words[0] = sys.executable
    return words


def _step_back(pid: int) -> Optional[Tuple[int, os.sched_param]]:
    """A new process that warms up must not keep this one from advertising, on one processor: out
    of the real-time class with it, where it may come back. Returns what it had."""
    policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
    if policy not in (os.SCHED_RR, os.SCHED_FIFO):
        return None
    if resource.getrlimit(resource.RLIMIT_RTPRIO)[0] < param.sched_priority and not _may_nice():
        return None
    try:
        os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
    except OSError:
        return None
    return policy, param


def _may_nice() -> bool:
    """Whether this process has CAP_SYS_NICE."""
    with open("/proc/self/status", encoding="ascii") as file:
        effective = next(line for line in file if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> _CAP_SYS_NICE & 1)


def _restore(pid: int, scheduling: Tuple[int, os.sched_param]) -> None:
    try:
        os.sched_setscheduler(pid, *scheduling)
    except OSError as error:
        message = "it cannot have this process's real-time priority: %s (LimitRTPRIO)" % error
        raise UpgradeError(message) from None
