# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out what the pure router asks for. Layer L5.

The contract between the router and whoever drives it:

1. one step() at a time, and the actions of a step before the next step;
2. actions in their order;
3. a DataplaneChanged may be replaced by a newer one, never dropped;
4. now_ns never goes back;
5. after Stop: carry out what it returned, then clean up.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence, Tuple, Union

from ..errors import PlatformError
from ..facts import LinkFacts, ReceivedPacket
from ..ports import Dataplane, FrameIO, Journal, SolicitationIO
from ..router.actions import (
    DataplaneChanged,
    Notify,
    RenewLeases,
    RouterAction,
    TransmitFrame,
)
from ..router.events import RouterEvent
from ..router.gaps import Lateness
from ..router.vrrp_router import VrrpRouter
from ..wire.constants import IP_PROTOCOL
from .heartbeat import Heartbeat, NoHeartbeat
from .journal import NoJournal
from .log import Log

_LEVELS = {
    "transition": "notice",
    "waiting": "warning",
    "discard": "warning",
    "tracker": "notice",
    "drain": "notice",
    "repair": "warning",
    "gap": "warning",
}
# A link that is down fails each frame: one line, and another one after so many more.
_LOG_EACH_FAILURES = 100
# New advertisements in a burst: the first of them waits for the last to be laid out.
_BURST = 64
# EtherType to where the IP header in a frame has its protocol.
_PROTOCOL_AT = {b"\x08\x00": 23, b"\x86\xdd": 20}


class NoSolicitations:
    """Hears nothing."""

    def listen(self, links: Sequence[LinkFacts]) -> None:
        """Do not."""

    def receive(self, maximum: int) -> List[ReceivedPacket]:
        """Nothing."""
        return []

    def filenos(self) -> Tuple[int, ...]:
        """None."""
        return ()

    def close(self) -> None:
        """Nothing is open."""


class Shell:
    """Drives one VrrpRouter over the ports of a host."""

    def __init__(self, router: VrrpRouter, io: FrameIO, dataplane: Dataplane, log: Log) -> None:
        self.router = router
        self.journal: Journal = NoJournal()
        self.solicitations: SolicitationIO = NoSolicitations()
        self.heartbeat: Union[Heartbeat, NoHeartbeat] = NoHeartbeat()
        self.lateness = Lateness()
        self.needs_reconcile = False
        self.is_deaf = False
        self._io = io
        self._dataplane = dataplane
        self._log = log
        self._failures: Dict[int, int] = {}
        self._now_ns = 0
        self._watchers: List[Callable[[Dict[str, Any]], None]] = []

    def watch(self, watcher: Callable[[Dict[str, Any]], None]) -> None:
        """Call the watcher with every note, JSON-ready."""
        self._watchers.append(watcher)

    def step(self, event: RouterEvent, now_ns: int) -> None:
        """One step of the router and all that it asks for."""
        parting = self.router.parting
        actions = self._ask(event, now_ns)
        for action in actions[self._advertise(actions) :]:
            self._execute(action)
        if self.router.parting != parting:
            self.listen()  # it may have been the last one on its link
        self.journal.append(event, now_ns, actions)

    def _ask(self, event: RouterEvent, now_ns: int) -> Tuple[RouterAction, ...]:
        self._now_ns = now_ns
        try:
            return self.router.step(event, now_ns)
        except Exception:
            self.journal.append(event, now_ns, None)
            raise

    def step_over_links(self, event: RouterEvent, now_ns: int) -> None:
        """As step(), for an event that may change which links carry virtual routers.

        Those that are left still have to be told so, hence both sets are open meanwhile.
        """
        before = self.router.listening_links()
        actions = self._ask(event, now_ns)
        after = self.router.listening_links()
        if before != after:
            current = {link.ifindex for link in after}
            self._listen((*after, *(link for link in before if link.ifindex not in current)))
        for action in actions:
            self._execute(action)
        if before != after:
            self._listen(after)
        self._listen_to_hosts()
        self.journal.append(event, now_ns, actions)

    def listen(self) -> None:
        """Open what the router needs, at its start or after it was refused."""
        self._listen(self.router.listening_links())
        self._listen_to_hosts()

    def _listen(self, links: Sequence[LinkFacts]) -> None:
        self.is_deaf = False
        self._open(self._io, links)

    def _listen_to_hosts(self) -> None:
        """A reload may ask for it, or no longer, while the links stay."""
        self._open(self.solicitations, self.router.advertising_links())

    def _open(self, listener: Union[FrameIO, SolicitationIO], links: Sequence[LinkFacts]) -> None:
        try:
            listener.listen(links)
        except PlatformError as error:
            self._log.write("error", str(error))
            self.is_deaf = self.needs_reconcile = True

    def _execute(self, action: RouterAction) -> None:
        if isinstance(action, TransmitFrame):
            self._transmit(action)
        elif isinstance(action, DataplaneChanged):
            self._try(lambda: self._dataplane.apply(action.desired))
        elif isinstance(action, RenewLeases):
            self._try(lambda: self._dataplane.renew(action.devices))
        else:
            self._note(action)

    def _advertise(self, actions: Sequence[RouterAction]) -> int:
        """The advertisements that these begin with, in bursts; how many of the actions that was."""
        steady = self.heartbeat.steady(actions)
        self.heartbeat.beat_again(self._send(steady), self._now_ns)
        count = len(steady)
        while True:
            fresh = _advertisements(actions, count)
            for each in self._send(fresh):
                self.heartbeat.beat(each.ifindex, each.frame, self._now_ns)
            if not fresh:
                return count
            count += len(fresh)

    def _send(self, frames: Sequence[TransmitFrame]) -> Sequence[TransmitFrame]:
        """Those that were sent."""
        refused = self._io.send_again(frames) if frames else {}
        for ifindex, error in refused.items():
            self._not_sent(ifindex, error)
        sent = [each for each in frames if each.ifindex not in refused] if refused else frames
        if self._failures:
            for each in sent:
                self._failures.pop(each.ifindex, None)
        return sent

    def _transmit(self, action: TransmitFrame) -> None:
        # RFC 9568 sections 8.1.2, 8.2.2: announcements wait for address and virtual MAC.
        # Asked for them alone: advertisements are many, and go out in any case.
        ifindex, frame = action.ifindex, action.frame
        is_advertisement = _is_advertisement(frame)
        if not is_advertisement and self._dataplane.lacks(ifindex, frame[6:12]):
            return
        try:
            self._io.send(action)
        except PlatformError as error:
            self._not_sent(ifindex, error)
            return
        if self._failures:
            self._failures.pop(ifindex, None)
        if is_advertisement:
            self.heartbeat.beat(ifindex, frame, self._now_ns)

    def _not_sent(self, ifindex: int, error: PlatformError) -> None:
        failures = self._failures.get(ifindex, 0)
        self._failures[ifindex] = failures + 1
        if failures % _LOG_EACH_FAILURES == 0:
            self._log.write("warning", "%s (failure %d)" % (error, failures + 1))

    def _try(self, change: Callable[[], None]) -> None:
        try:
            change()
        except PlatformError as error:
            self._log.write("error", str(error))
            self.needs_reconcile = True

    def _note(self, note: Notify) -> None:
        self._log.write(_LEVELS.get(note.kind, "info"), "%s: %s" % (note.name or "*", note.message))
        self.publish(note)

    def publish(self, note: Notify) -> None:
        """Give a note to whoever watches, without logging it."""
        event = {"kind": note.kind, "name": note.name, "message": note.message, **note.data}
        for watcher in self._watchers:
            watcher(event)


def _advertisements(actions: Sequence[RouterAction], begin: int) -> List[TransmitFrame]:
    """Those from there on, as many as do not keep each other waiting."""
    found: List[TransmitFrame] = []
    for each in actions[begin : begin + _BURST]:
        if not isinstance(each, TransmitFrame) or not _is_advertisement(each.frame):
            break
        found.append(each)
    return found


def _is_advertisement(frame: bytes) -> bool:
    kind = frame[12:14]
    return kind in _PROTOCOL_AT and frame[_PROTOCOL_AT[kind]] == IP_PROTOCOL
