# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the daemon has from its surroundings: service manager, signals, log."""

import os
import re
import select
import signal
import socket
import sys
import threading

import pytest
from engine_kit.values import NS_PER_MS, NS_PER_S

from vrrp.daemon import notify
from vrrp.daemon.log import Log
from vrrp.daemon.notify import ServiceManager
from vrrp.daemon.signals import Signals

# The service manager


@pytest.fixture(name="systemd")
def socket_of_a_service_manager(tmp_path, monkeypatch):
    """What a service manager would receive."""
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    receiver.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    yield receiver
    receiver.close()


def messages(receiver):
    received = []
    while True:
        try:
            received.append(receiver.recv(4096).decode().split("\n"))
        except BlockingIOError:
            return received


def test_the_manager_hears_of_start_reload_and_stop(systemd):
    manager = ServiceManager()
    manager.ready("7 virtual routers")
    manager.reloading(5 * NS_PER_S)
    manager.ready("8 virtual routers")
    manager.stopping()
    assert messages(systemd) == [
        ["READY=1", "STATUS=7 virtual routers"],
        ["RELOADING=1", "MONOTONIC_USEC=5000000"],
        ["READY=1", "STATUS=8 virtual routers"],
        ["STOPPING=1", "EXTEND_TIMEOUT_USEC=10000000"],
    ]
    manager.close()


def test_a_successor_is_told_and_the_manager_is_waited_for(systemd):
    manager = ServiceManager()
    ended = []
    thread = threading.Thread(target=lambda: ended.append(manager.successor(7)), daemon=True)
    thread.start()
    systemd.setblocking(True)
    assert systemd.recv(4096) == b"MAINPID=7"
    data, ancillary, _flags, _address = systemd.recvmsg(4096, socket.CMSG_SPACE(4))
    assert data == b"BARRIER=1" and not ended
    ((_level, _kind, rights),) = ancillary
    os.close(int.from_bytes(rights[:4], sys.byteorder))
    thread.join(1.5)
    assert ended == [None], "it goes on as soon as the manager has closed its end"
    manager.close()


def test_a_manager_that_is_busy_is_not_waited_for_without_end(systemd, monkeypatch):
    monkeypatch.setattr(notify, "_BARRIER_S", 0.01)
    manager = ServiceManager()
    manager.successor(7)
    assert messages(systemd)[0] == ["MAINPID=7"]
    manager.close()


def test_without_a_manager_there_is_nobody_to_wait_for(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setattr(notify, "_BARRIER_S", 1_000)
    manager = ServiceManager()
    manager.successor(7)
    manager.close()


def test_who_takes_over_is_mute_until_the_manager_listens_to_it(systemd, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    manager = ServiceManager(is_mute=True)
    manager.ready("7 virtual routers")
    manager.tick(NS_PER_S)
    assert (messages(systemd), manager.deadline_ns()) == ([], None)
    manager.speak()
    manager.tick(NS_PER_S + 1)
    assert messages(systemd) == [["WATCHDOG=1"]], "the one before it did so long ago"
    manager.tick(10 * NS_PER_S)
    assert messages(systemd) == [["WATCHDOG=1"]]
    manager.close()


def test_an_abstract_socket_begins_with_an_at_sign(monkeypatch):
    name = "vlangate-test-%d" % os.getpid()
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    receiver.bind("\0" + name)
    monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
    manager = ServiceManager()
    manager.tell("READY=1")
    assert messages(receiver) == [["READY=1"]]
    manager.close()
    receiver.close()


def test_the_watchdog_is_fed_twice_in_its_time(systemd, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    manager = ServiceManager()
    assert manager.deadline_ns() == 0, "at once"
    start_ns = 100 * NS_PER_S
    for after_ms in (0, 1, 999, 1000, 1500, 2100, 3099, 3100):
        manager.tick(start_ns + after_ms * NS_PER_MS)
    assert messages(systemd) == [["WATCHDOG=1"]] * 4  # at 0, 1000, 2100, 3100
    assert manager.deadline_ns() == start_ns + 4100 * NS_PER_MS
    manager.close()


def test_without_a_watchdog_there_is_no_deadline(systemd):
    manager = ServiceManager()
    assert manager.deadline_ns() is None
    manager.tick(NS_PER_S)
    assert messages(systemd) == []
    manager.close()


def test_without_a_manager_nothing_is_said(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    manager = ServiceManager()
    assert manager.deadline_ns() is None
    manager.ready("0 virtual routers")
    manager.tick(NS_PER_S)
    manager.close()


def test_a_manager_that_went_away_or_is_slow_is_no_reason_to_stop(systemd):
    manager = ServiceManager()
    for _count in range(100_000):
        manager.tell("STATUS=" + "x" * 1000)
        if not select.select((), (manager._socket,), (), 0)[1]:
            break
    systemd.close()
    manager.tell("STATUS=nobody")
    manager.close()


# Signals


@pytest.fixture(name="signals")
def signals_of_this_process():
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    kept[signal.SIGINT] = signal.getsignal(signal.SIGINT)
    signals = Signals()
    yield signals
    signals.close()
    for number, handler in kept.items():
        signal.signal(number, handler)


def raise_signal(number):
    os.kill(os.getpid(), number)


def readable(signals):
    return bool(select.select((signals,), (), (), 0)[0])


def test_a_signal_wakes_the_loop_and_is_taken_once(signals):
    assert not readable(signals)
    assert signals.take() == set()
    raise_signal(signal.SIGHUP)
    assert readable(signals)
    assert signals.take() == {signal.SIGHUP}
    assert not readable(signals)
    assert signals.take() == set()


def test_signals_gather(signals):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGHUP):
        raise_signal(number)
    assert signals.take() == {signal.SIGTERM, signal.SIGHUP, signal.SIGINT}


def test_a_flood_of_signals_is_no_more_than_one(signals):
    for _count in range(1000):
        raise_signal(signal.SIGHUP)
    assert signals.take() == {signal.SIGHUP}
    assert not readable(signals)


def test_closing_gives_the_signals_back():
    kept = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    signals = Signals()
    assert signal.getsignal(signal.SIGTERM) != kept[signal.SIGTERM]
    signals.close()
    try:
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


# The log


def test_a_terminal_gets_time_and_level(monkeypatch, capfd):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    Log().write("notice", "vlan10: hello")
    line = capfd.readouterr().err
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} notice  vlan10: hello\n", line)


@pytest.mark.parametrize(
    "level, priority", (("error", 3), ("warning", 4), ("notice", 5), ("info", 6))
)
def test_the_journal_gets_the_priority(monkeypatch, capfd, level, priority):
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    Log().write(level, "hello")
    assert capfd.readouterr().err == "<%d>hello\n" % priority


def test_a_full_disk_is_no_reason_to_stop():
    full = os.open("/dev/full", os.O_WRONLY)
    log = Log(full)
    log.write("error", "nobody reads this")
    assert log.deadline_ns() is None, "and nothing waits for room"
    os.close(full)


def test_neither_is_a_standard_error_that_is_closed():
    closed = os.open(os.devnull, os.O_WRONLY)
    os.close(closed)
    Log(closed).write("error", "nobody reads this")


@pytest.fixture(name="ends", params=("pipe", "socket"))
def both_ends_of_a_log(request):
    """Where it is read, and where it is written to; both wait, as in a shell or under systemd."""
    if request.param == "pipe":
        ends = os.pipe()
    else:
        ends = tuple(end.detach() for end in socket.socketpair())
    yield ends
    for end in ends:
        os.close(end)


def read_all(descriptor):
    """What can be read without waiting."""
    found = b""
    while select.select([descriptor], [], [], 0)[0]:
        found += os.read(descriptor, 1 << 20)
    return found.decode("utf-8").splitlines()


def test_a_log_that_nobody_reads_is_not_waited_for(ends):
    reader, writer = ends
    log = Log(writer)
    lines = ["line %d %s" % (number, "x" * 100) for number in range(4000)]
    for line in lines:
        log.write("info", line)
    assert log.deadline_ns() == 0, "it tries at once, and then ten times a second"
    log.tick(NS_PER_S)
    assert log.deadline_ns() == NS_PER_S + 100 * NS_PER_MS
    found = []
    now_ns = NS_PER_S
    while log.deadline_ns() is not None:
        found += read_all(reader)
        now_ns = log.deadline_ns()
        log.tick(now_ns)
    found += read_all(reader)
    assert [each.split(" ", 2)[-1].strip() for each in found] == lines
    assert os.get_blocking(writer), "who shares it waits as before"


def test_what_is_too_much_is_lost_and_that_is_told(ends):
    reader, writer = ends
    log = Log(writer)
    for _count in range(15_000):
        log.write("info", "x" * 100)
    found = read_all(reader)
    for now_ns in range(0, 1000 * NS_PER_S, NS_PER_S):
        log.tick(now_ns)
        found += read_all(reader)
    assert log.deadline_ns() is None
    lost = 15_000 - (len(found) - 1)
    assert lost > 1000
    assert found[-1].endswith("warning %d lines were lost here: nobody read the log" % lost)
