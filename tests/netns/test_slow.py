# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever makes the daemon wait does not make it late: clients, journal, log and probes that are
slow, while roles change all the time and steady virtual routers advertise each 100 ms."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
from daemons import Daemon
from floods import V4, Sender, frame
from namespaces import LAN, Namespace
from taps import Tap, advertised_gaps_ns

from tests.harness import stalls
from vrrp.control.schema import MAXIMUM_CLIENTS, request_line

INTERVAL_CS = 10
INTERVAL_NS = 100_000_000
SLOT_NS = 20_000_000
STEADY = range(1, 33)
# These change their role seven times a second, which is noted, logged, journaled and published.
RESTLESS = range(200, 216)
QUIET_S, SLOW_S = 3.0, 4.0
PATIENCE_S = 40.0
WATCHERS = 50
# The next file begins after half of it.
JOURNAL_SIZE = str(1 << 20)
# Of Linux; Python knows it since 3.10.
_F_SETPIPE_SZ = 1031
_PAGE = 4096


def document(**more: Any) -> Dict[str, Any]:
    common = {"interface": LAN, "family": "ipv4", "advertisement_interval_cs": INTERVAL_CS}
    routers = [
        {"name": "g%d" % vrid, "vrid": vrid, "addresses": ["10.0.1.%d" % vrid], **common, **more}
        for vrid in (*STEADY, *RESTLESS)
    ]
    return {"format": 1, "virtual_routers": routers}


def virtual_mac(vrid: int) -> bytes:
    return bytes((0, 0, 0x5E, 0, 1, vrid))


class Restless:
    """Another router that takes roles over and releases them, again and again."""

    def __init__(self, other: Namespace) -> None:
        self._sender = Sender(other, "eth0")
        adverts = [V4.but(vrid=vrid, addresses=(bytes((10, 0, 1, vrid)),)) for vrid in RESTLESS]
        self._frames = [
            [frame(each.but(priority=priority).octets(), b"") for each in adverts]
            for priority in (250, 0)
        ]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.is_set():
            for frames in self._frames:
                for each in frames:
                    self._sender.send(each)
                self._done.wait(0.07)

    def close(self) -> None:
        """No more of it."""
        self._done.set()
        self._thread.join()
        self._sender.close()


class Lan:
    """A LAN with the restless on it, and what is measured there."""

    def __init__(self, other: Namespace) -> None:
        self._tap = Tap(other, "eth0")
        self._restless = Restless(other)

    def close(self) -> None:
        """Stop all of it."""
        self._restless.close()
        self._tap.close()

    def excess_ns(self, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> int:
        """How much longer than an interval the longest gap of a steady master is, and than the
        machine explains."""
        self._tap.forget()
        begun_ns, end = time.monotonic_ns(), time.monotonic() + seconds
        while time.monotonic() < end:
            meanwhile()
            time.sleep(0.02)
            self._tap.frames()  # before the socket is full
        gaps = advertised_gaps_ns(self._tap)
        longest = max(max(gaps[virtual_mac(vrid)]) for vrid in STEADY)
        counts = [len(gaps[virtual_mac(vrid)]) for vrid in STEADY]
        machine_ns = stalls.late_ns(begun_ns)
        assert min(counts) >= seconds * 10 - 3 - machine_ns / INTERVAL_NS, counts
        return longest - INTERVAL_NS - machine_ns


@pytest.fixture(name="wire")
def restless_lan(lan: Tuple[Namespace, Namespace]) -> Iterator[Lan]:
    made = Lan(lan[1])
    yield made
    made.close()


@pytest.fixture(name="run")
def runner(
    program: Path, lan: Tuple[Namespace, Namespace], tmp_path: Path
) -> Iterator[Callable[..., Daemon]]:
    """Starts daemons, and waits until each steady virtual router has been master for a while."""
    started: List[Daemon] = []

    def start(*more: str, kind: Any = Daemon) -> Daemon:
        daemon: Daemon = kind(lan[0], program, tmp_path, document(), *more)
        started.append(daemon)
        daemon.wait_for_state(**{"g%d" % vrid: "master" for vrid in STEADY})
        return daemon

    yield start
    for daemon in started:
        daemon.kill()


def compare(quiet_ns: int, slow_ns: int) -> None:
    """What slows down may cost a slot, beyond what this machine is late anyway."""
    print("longest gap: an interval and %.2f ms, before: %.2f" % (slow_ns / 1e6, quiet_ns / 1e6))
    assert slow_ns <= max(quiet_ns, 0) + SLOT_NS


class Client:
    """Somebody at the control socket who does not read."""

    def __init__(self, directory: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(directory / "run" / "control.sock"))
        self._socket.setblocking(False)

    def send(self, octets: bytes) -> None:
        """As much as there is room for; who is refused has nothing to say."""
        try:
            self._socket.send(octets)
        except (BlockingIOError, ConnectionError):
            pass

    def is_waiting(self) -> bool:
        """Whether there is something to read, which it does not."""
        return bool(select.select((self._socket,), (), (), 0)[0])

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(name="client")
def clients(tmp_path: Path) -> Iterator[Callable[[], Client]]:
    made: List[Client] = []

    def connect() -> Client:
        made.append(Client(tmp_path))
        return made[-1]

    yield connect
    for each in made:
        each.close()


def test_clients_that_do_not_read_or_send_half_a_request(
    run: Callable[..., Daemon], wire: Lan, client: Callable[[], Client]
) -> None:
    daemon = run()
    quiet_ns = wire.excess_ns(QUIET_S)
    greedy = [client() for _number in range(MAXIMUM_CLIENTS // 2)]
    slow = [client() for _number in range(MAXIMUM_CLIENTS // 4)]
    request = request_line(1, "show.routers", {})
    letters = iter(request * 100)

    def ask() -> None:
        for each in greedy:
            each.send(request)
        letter = bytes((next(letters),))
        for each in slow:
            each.send(letter)

    slow_ns = wire.excess_ns(SLOW_S, ask)
    assert any(each.is_waiting() for each in greedy), "they were answered, and did not read"
    assert daemon.show()["engine"]["pid"] == daemon.process.pid, "others are still served"
    compare(quiet_ns, slow_ns)
    assert daemon.stop() == 0


def test_fifty_watchers_that_never_read(
    run: Callable[..., Daemon], wire: Lan, client: Callable[[], Client]
) -> None:
    daemon = run()
    quiet_ns = wire.excess_ns(QUIET_S)
    watchers = [client() for _number in range(WATCHERS)]
    for each in watchers:
        each.send(request_line(1, "watch", {}))
    slow_ns = wire.excess_ns(SLOW_S)
    assert sum(each.is_waiting() for each in watchers) >= MAXIMUM_CLIENTS
    compare(quiet_ns, slow_ns)
    assert daemon.stop() == 0


class Unread(Daemon):
    """Logs into a pipe that nobody reads."""

    def log(self) -> str:
        return "(nobody reads it)"


def small_pipe(path: Path) -> int:
    """A named pipe that takes one page, and then nothing; its end to be read."""
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, _F_SETPIPE_SZ, _PAGE)
    return reader


def is_full(reader: int) -> bool:
    """Whether a page waits in the pipe."""
    waiting = bytearray(4)
    fcntl.ioctl(reader, 0x541B, waiting)  # FIONREAD
    return int.from_bytes(waiting, "little") > _PAGE * 3 // 4


def test_a_log_that_nobody_reads(run: Callable[..., Daemon], wire: Lan, tmp_path: Path) -> None:
    reader = small_pipe(tmp_path / "log")
    daemon = run(kind=Unread)
    slow_ns = wire.excess_ns(SLOW_S)
    assert is_full(reader)
    os.close(reader)
    # Nobody ever will: what is written is refused, and nothing is late either.
    quiet_ns = wire.excess_ns(QUIET_S)
    compare(quiet_ns, slow_ns)
    assert daemon.stop() == 0


def test_a_journal_on_a_disk_that_does_not_answer(
    run: Callable[..., Daemon], wire: Lan, tmp_path: Path
) -> None:
    daemon = run("--journal", str(tmp_path / "journal"), "--journal-size", JOURNAL_SIZE)
    reader = small_pipe(tmp_path / "journal.new")
    quiet_ns = wire.excess_ns(QUIET_S)
    end = time.monotonic() + PATIENCE_S
    while not is_full(reader) and time.monotonic() < end:
        wire.excess_ns(0.5)
    assert is_full(reader), "the journal has come to its next file"
    slow_ns = wire.excess_ns(SLOW_S)
    compare(quiet_ns, slow_ns)
    assert daemon.stop() == 0
    assert "the disk does not answer" in daemon.log()
    os.close(reader)


def test_a_journal_on_a_full_disk(run: Callable[..., Daemon], wire: Lan, tmp_path: Path) -> None:
    daemon = run("--journal", str(tmp_path / "journal"), "--journal-size", JOURNAL_SIZE)
    full = os.stat("/dev/full")
    os.mknod(tmp_path / "journal.new", full.st_mode, full.st_rdev)
    quiet_ns = wire.excess_ns(QUIET_S)
    end = time.monotonic() + PATIENCE_S
    slow_ns = 0
    while "ends here" not in daemon.log() and time.monotonic() < end:
        slow_ns = max(slow_ns, wire.excess_ns(1.0))
    assert "ends here: [Errno 28]" in daemon.log()
    compare(quiet_ns, slow_ns)
    assert daemon.stop() == 0


class LateAnswers:
    """Answers each echo request to a namespace after a while; its kernel does not."""

    def __init__(self, namespace: Namespace, after_s: float) -> None:
        namespace.sysctl("net/ipv4/icmp_echo_ignore_all", "1")
        with namespace.inside():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._socket.setblocking(False)
        self._after_s = after_s
        self._due: List[Tuple[float, bytes, str]] = []
        self.answered = 0

    def tick(self) -> None:
        """Take what has come, and answer what is due."""
        now = time.monotonic()
        try:
            while True:
                packet, (address, _port) = self._socket.recvfrom(2048)
                message = packet[4 * (packet[0] & 15) :]
                if message[0] == 8:
                    self._due.append((now + self._after_s, message, address))
        except BlockingIOError:
            pass
        while self._due and self._due[0][0] <= now:
            _at, message, address = self._due.pop(0)
            # The type is 8 less, in the high octet of a word: so much more in the checksum.
            total = int.from_bytes(message[2:4], "big") + 0x0800
            checksum = (total & 0xFFFF) + (total >> 16)
            self._socket.sendto(
                b"\0" + message[1:2] + checksum.to_bytes(2, "big") + message[4:], (address, 0)
            )
            self.answered += 1

    def close(self) -> None:
        self._socket.close()


def test_probes_that_are_answered_late_or_never(
    run: Callable[..., Daemon], wire: Lan, lan: Tuple[Namespace, Namespace]
) -> None:
    _router, other = lan
    other.ip("addr", "add", "10.0.0.10/24", "dev", "eth0")
    common = {"kind": "ping", "interval_cs": 50, "timeout_cs": 40}
    late = [{"name": "late%d" % n, "targets": ["10.0.0.10"], **common} for n in range(8)]
    gone = [
        {"name": "gone%d" % n, "targets": ["10.0.0.%d" % (100 + n)], **common} for n in range(8)
    ]
    config = {**document(), "trackers": late + gone}
    answers = LateAnswers(other, 0.35)
    try:
        daemon = run()
        quiet_ns = wire.excess_ns(QUIET_S)
        daemon.reload(config)
        slow_ns = wire.excess_ns(SLOW_S, answers.tick)
        found = {each["name"]: each["ok"] for each in daemon.show()["trackers"]}
    finally:
        answers.close()
    assert answers.answered > 8
    assert all(found[each["name"]] is True for each in late), found
    assert all(found[each["name"]] is False for each in gone), found
    compare(quiet_ns, slow_ns)
    assert daemon.stop() == 0
