# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal on disk: two files, bounded, readable each, and no harm when the disk is full."""

import contextlib
import errno
import fcntl
import os
import stat

import pytest
from engine_kit.histories import configurations, first_links, history
from engine_kit.ports import FakeDataplane, FakeIO, FakeLog
from engine_kit.values import T0, config, group, link

from vrrp.daemon import journal as journal_module
from vrrp.daemon.journal import FileJournal
from vrrp.daemon.shell import Shell
from vrrp.router.events import Stop, Tick
from vrrp.router.replay import replay
from vrrp.router.vrrp_router import VrrpRouter

SIZE = 200_000
# Of Linux; Python knows it since 3.10.
F_SETPIPE_SZ = 1031


class Host:
    """A shell over ports that are not there, with a journal on disk."""

    def __init__(self, path, size=SIZE, router=None):
        self.path = path
        self.done = []
        log = FakeLog(self.done)
        self.router = router or VrrpRouter(configurations()[0], first_links(), T0)
        self.shell = Shell(self.router, FakeIO(self.done), FakeDataplane(self.done), log)
        self.journal = FileJournal(str(path), size, self.router, log)
        self.journal.begin(T0)
        self.shell.journal = self.journal

    def live(self, seed, steps, turn=3):
        """That history, in turns of so many events."""
        for number, (event, now_ns) in enumerate(history(seed, steps)):
            self.shell.step_over_links(event, now_ns)
            if number % turn == 0:
                self.shell.journal.flush(now_ns)

    def settle(self):
        """Until the disk has everything that was written."""
        vars(self.journal)["_disk"].finish(10)

    def errors(self):
        return [each for each in self.done if each[:2] == ("log", "error")]


def replayed(path):
    with open(path, encoding="ascii", newline="\n") as file:
        result = replay(file)
    assert result.difference is None
    return result


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal"


def test_a_life_through_the_shell_replays(path):
    host = Host(path, size=50_000_000)
    host.live(1, 300)
    host.shell.step(Stop(), T0 * 2)
    host.journal.close()
    assert replayed(path).steps == 301
    assert host.errors() == []


def test_nobody_else_may_read_it(path):
    Host(path).journal.close()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_two_files_bounded_each_of_them_readable(path, tmp_path):
    host = Host(path)
    largest = 0
    for _turn in range(5):
        host.live(2, 400)
        host.settle()
        largest = max(largest, sum(each.stat().st_size for each in tmp_path.iterdir()))
    host.journal.close()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["journal", "journal.1"]
    assert SIZE // 2 < largest < SIZE * 1.2  # a turn is never cut
    older, newer = replayed(tmp_path / "journal.1"), replayed(path)
    assert older.beginning.step > 0
    assert older.beginning.step + older.steps >= newer.beginning.step > older.beginning.step


def test_the_file_of_the_run_before_is_kept(path, tmp_path):
    first = Host(path)
    first.live(3, 50)
    first.journal.close()
    Host(path).journal.close()
    assert replayed(tmp_path / "journal.1").steps == 50
    assert replayed(path).steps == 0


def test_nothing_is_written_before_the_turn_is_over(path):
    host = Host(path)
    host.journal.flush(T0)
    host.settle()
    before = path.stat().st_size
    host.shell.step(Tick(), T0)
    host.settle()
    assert path.stat().st_size == before
    host.journal.flush(T0)
    host.settle()
    assert path.stat().st_size > before


def test_a_turn_without_end_fills_no_memory(path, monkeypatch):
    monkeypatch.setattr(journal_module, "_COLLECTED", 1000)
    host = Host(path)
    host.live(4, 100, turn=1000)
    host.settle()
    waiting = vars(vars(host.journal)["_current"])["_lines"]
    assert len("".join(waiting)) < 20_000
    assert path.stat().st_size > 1000


def test_a_full_disk_is_told_once_and_the_router_goes_on(path, monkeypatch):
    host = Host(path)
    write = os.write
    room = [5000]

    def full(descriptor, data):
        if room[0] == 0:
            raise OSError(errno.ENOSPC, "no space")
        taken = write(descriptor, data[: room[0]])
        room[0] -= taken
        return taken

    monkeypatch.setattr(os, "write", full)
    host.live(5, 200)
    with contextlib.suppress(OSError):
        host.settle()
    host.live(5, 200)
    monkeypatch.undo()
    assert len(host.errors()) == 1
    assert "ends here" in host.errors()[0][2] and "no space" in host.errors()[0][2]
    assert [each for each in host.done if each[0] == "send"]
    host.journal.close()
    assert len(host.errors()) == 1


@pytest.mark.parametrize("what", ["directory", "missing", "link"])
def test_a_file_that_cannot_be_opened_is_told_once(tmp_path, what):
    path = tmp_path / "journal"
    if what == "missing":
        path = tmp_path / "none" / "journal"
    elif what == "directory":
        path.mkdir()
        (tmp_path / "journal.1").write_text("in the way of the directory")
    else:
        (tmp_path / "journal.1").mkdir()
        path.symlink_to(tmp_path / "elsewhere")
    host = Host(path)
    host.live(6, 20)
    host.journal.close()
    assert len(host.errors()) == 1
    assert not (tmp_path / "elsewhere").exists()


def test_a_state_that_does_not_fit_is_told_with_the_size_it_needs(path):
    many = config(*(group("g%d" % vrid, vrid=vrid) for vrid in range(1, 100)))
    host = Host(path, 65536, VrrpRouter(many, (link(),), T0))
    host.shell.step(Tick(), T0)
    host.journal.flush(T0)
    ((_log, _level, message),) = host.errors()
    needed = int(message.split("give it ")[1].split()[0])
    bigger = Host(path, needed, VrrpRouter(many, (link(),), T0))
    bigger.journal.close()
    assert bigger.errors() == []
    assert replayed(path).steps == 0


def test_the_step_that_crashed_is_there(path, monkeypatch):
    host = Host(path)
    host.live(7, 10)

    def broken(event, now_ns):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(host.router, "step", broken)
    with pytest.raises(ZeroDivisionError):
        host.shell.step(Tick(), T0 * 2)
    host.journal.close()
    monkeypatch.undo()
    with open(path, encoding="ascii") as file:
        difference = replay(file).difference
    assert difference.step.number == 10
    assert difference.expected == ("the step never ended",)


def test_after_stop_no_new_file_begins(path, tmp_path):
    host = Host(path, 65536)
    host.shell.step(Stop(), T0)
    host.live(8, 500)
    host.journal.close()
    assert [each.name for each in tmp_path.iterdir()] == ["journal"]


# A disk that does not answer: a pipe that nobody reads


@pytest.fixture(name="stuck")
def journal_on_a_disk_that_got_stuck(path, tmp_path):
    """A host whose next file will take one page and then nothing; and who may read it."""
    host = Host(path, 400_000)
    host.settle()
    os.mkfifo(tmp_path / "journal.new")
    reader = os.open(tmp_path / "journal.new", os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, F_SETPIPE_SZ, 4096)
    yield host, reader
    os.close(reader)


def fill(host, limit):
    """Live until the journal ends, or so many turns."""
    for turn in range(limit):
        host.live(9, 50)
        if host.errors():
            return turn
    return limit


def test_a_disk_that_does_not_answer_ends_the_journal_and_nothing_else(stuck, monkeypatch):
    host, _reader = stuck
    monkeypatch.setattr(vars(host.journal)["_disk"], "_most", 500_000)
    turns = fill(host, 200)
    assert 3 < turns < 200
    ((_log, _level, message),) = host.errors()
    assert "ends here: the disk is too slow" in message
    host.live(9, 50)
    host.journal.close()
    assert len(host.errors()) == 1


def test_an_end_does_not_wait_for_such_a_disk(stuck, monkeypatch):
    host, _reader = stuck
    monkeypatch.setattr(journal_module, "_PATIENCE_S", 0.01)
    fill(host, 20)
    assert host.errors() == []
    host.journal.close()
    ((_log, _level, message),) = host.errors()
    assert "the disk does not answer" in message


def test_a_disk_that_answers_late_loses_nothing(stuck):
    host, reader = stuck
    fill(host, 40)
    assert host.errors() == []
    written, is_settled = b"", False
    while not is_settled:
        with contextlib.suppress(BlockingIOError):
            written += os.read(reader, 1 << 16)
        with contextlib.suppress(OSError):
            vars(host.journal)["_disk"].finish(0.001)
            is_settled = True
    with contextlib.suppress(BlockingIOError):
        written += os.read(reader, 1 << 16)
    assert len(written) > 100_000
    assert replay(written.decode("ascii").splitlines(keepends=True)).difference is None
    assert host.errors() == []
