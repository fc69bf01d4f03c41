# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is not there: ports that write what they are told into a journal."""

import os
from collections import deque
from typing import (
    AbstractSet,
    Any,
    Callable,
    Deque,
    Dict,
    FrozenSet,
    List,
    Optional,
    Sequence,
    Tuple,
)

from engine_kit.packets import is_advert, read_advert
from engine_kit.values import T0, link
from vrrp.config.model import TrackerConfig
from vrrp.errors import PlatformError
from vrrp.facts import KernelNews, LinkFacts, ProbeResult, ReceivedPacket, Repair
from vrrp.router.actions import TransmitFrame
from vrrp.router.desired import DesiredDataplane

Journal = List[Tuple[Any, ...]]


class FakeClock:
    """Stands still unless it is moved."""

    def __init__(self, now_ns: int = T0) -> None:
        self.time_ns = now_ns

    def now_ns(self) -> int:
        return self.time_ns


class Readable:
    """A descriptor that is readable while somebody says so."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK)

    def fileno(self) -> int:
        return self._reader

    def raise_(self) -> None:
        os.write(self._writer, b".")

    def lower(self) -> None:
        try:
            os.read(self._reader, 4096)
        except BlockingIOError:
            return

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


class FakeIO:
    """FrameIO. broken: links that refuse frames."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.readable = Readable()
        self.waiting: Deque[ReceivedPacket] = deque()
        self.broken: Dict[int, PlatformError] = {}
        self.listen_error: Optional[PlatformError] = None
        self.receive_error: Optional[PlatformError] = None
        self.reads: List[int] = []
        self.rehearsed: List[int] = []

    def listen(self, links: Sequence[LinkFacts]) -> None:
        self.journal.append(("listen", sorted(each.name for each in links)))
        error = self.listen_error
        if error is not None:
            raise error

    def send(self, frame: TransmitFrame) -> None:
        if frame.ifindex in self.broken:
            raise self.broken[frame.ifindex]
        said = read_advert(frame.frame).priority if is_advert(frame.frame) else "announcement"
        self.journal.append(("send", frame.ifindex, said))

    def send_again(self, frames: Sequence[TransmitFrame]) -> Dict[int, PlatformError]:
        refused = {}
        for frame in frames:
            try:
                self.send(frame)
            except PlatformError as error:
                refused[frame.ifindex] = error
        return refused

    def rehearse(self, frames: Sequence[TransmitFrame]) -> None:
        self.rehearsed += [frame.ifindex for frame in frames]

    def deliver(self, *packets: ReceivedPacket) -> None:
        """Let these wait in the socket."""
        self.waiting.extend(packets)
        self.readable.raise_()

    def receive(self, maximum: int) -> List[ReceivedPacket]:
        self.reads.append(maximum)
        error, self.receive_error = self.receive_error, None
        if error is not None:
            raise error
        packets = [self.waiting.popleft() for _count in range(min(maximum, len(self.waiting)))]
        if not self.waiting:
            self.readable.lower()
        return packets

    def filenos(self) -> Tuple[int, ...]:
        return (self.readable.fileno(),)

    def close(self) -> None:
        self.readable.close()


class FakeMonitor:
    """LinkMonitor."""

    def __init__(self, *links: LinkFacts) -> None:
        self.now: Tuple[LinkFacts, ...] = links or (link(),)
        self.readable = Readable()
        self.news = KernelNews()

    def links(self) -> Tuple[LinkFacts, ...]:
        return self.now

    def change(self, *links: LinkFacts) -> None:
        """Something happened to the kernel; without links: nothing that shows."""
        self.now = links or self.now
        self.tell(KernelNews(links=True))

    def tell(self, news: KernelNews) -> None:
        """Something that may have been ours was changed."""
        self.news = news
        self.readable.raise_()

    def fileno(self) -> int:
        return self.readable.fileno()

    def drain(self) -> KernelNews:
        news, self.news = self.news, KernelNews()
        self.readable.lower()
        return news

    def close(self) -> None:
        self.readable.close()


class FakeDataplane:
    """Dataplane. refusals: errors for the next calls; repairs: answers of reconcile; suspected:
    what any news are taken for; looking: called by reconcile; devices: all names."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.refusals: List[PlatformError] = []
        self.repairs: List[Tuple[Repair, ...]] = []
        self.suspected: FrozenSet[str] = frozenset()
        self.changed: FrozenSet[str] = frozenset()
        self.looking: Callable[[AbstractSet[str]], None] = lambda names: None
        self.broken: List[Tuple[int, bytes]] = []
        self.devices: Tuple[str, ...] = ()
        self.renewed: List[Tuple[str, ...]] = []
        self.rehearsed: List[List[str]] = []

    def lacks(self, ifindex: int, mac: bytes) -> bool:
        return (ifindex, mac) in self.broken

    def apply(self, desired: DesiredDataplane) -> None:
        held = [device.name for device in desired.devices if device.addresses]
        self.journal.append(("apply", held))
        self._refuse()

    def rehearse(self, desired: DesiredDataplane) -> None:
        self.rehearsed.append([device.name for device in desired.devices if device.addresses])

    def names(self) -> Tuple[str, ...]:
        return self.devices

    def suspects(self, news: KernelNews) -> FrozenSet[str]:
        return self.suspected

    def drifted(self, names: AbstractSet[str]) -> FrozenSet[str]:
        self.journal.append(("drifted", *sorted(names)))
        self.looking(names)
        return self.changed & names

    def reconcile(self, names: Optional[AbstractSet[str]] = None) -> Tuple[Repair, ...]:
        self.journal.append(("reconcile", *(() if names is None else sorted(names))))
        self.looking(names or frozenset())
        self._refuse()
        return self.repairs.pop(0) if self.repairs else ()

    def renew(self, devices: Sequence[str]) -> None:
        self.renewed.append(tuple(devices))

    def _refuse(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)

    def expire(self, lifetime_s: int) -> None:
        self.journal.append(("expire", lifetime_s))

    def cleanup(self) -> None:
        self.journal.append(("cleanup",))


class FakeProber:
    """Prober."""

    def __init__(self) -> None:
        self.trackers: Tuple[TrackerConfig, ...] = ()
        self.results: List[ProbeResult] = []
        self.wanted_ns: Optional[int] = None
        self.readables: List[Readable] = []

    def configure(self, trackers: Sequence[TrackerConfig], now_ns: int) -> None:
        self.trackers = tuple(trackers)

    def deadline_ns(self) -> Optional[int]:
        return self.wanted_ns

    def filenos(self) -> Tuple[int, ...]:
        return tuple(each.fileno() for each in self.readables)

    def poll(self, now_ns: int) -> List[ProbeResult]:
        if self.wanted_ns is not None and self.wanted_ns <= now_ns:
            self.wanted_ns = None
        for each in self.readables:
            each.lower()
        results, self.results = self.results, []
        return results

    def close(self) -> None:
        for each in self.readables:
            each.close()


class FakeLog:
    """Log. Lines are (level, message)."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def write(self, level: str, message: str) -> None:
        self.journal.append(("log", level, message))


def refused(what: str = "do something") -> PlatformError:
    """An answer of a kernel that does not like us."""
    return PlatformError(what, "lan0", 1)
