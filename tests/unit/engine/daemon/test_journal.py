# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal on disk: two files, bounded, readable each, and no harm when the disk is full."""

import errno
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
    before = path.stat().st_size
    host.shell.step(Tick(), T0)
    assert path.stat().st_size == before
    host.journal.flush(T0)
    assert path.stat().st_size > before


def test_a_turn_without_end_fills_no_memory(path, monkeypatch):
    monkeypatch.setattr(journal_module, "_COLLECTED", 1000)
    host = Host(path)
    host.live(4, 100, turn=1000)
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
