# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured again, and what is not: only what failed while the machine stood still."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.harness import sections  # noqa: E402  (needs the path above)
from tests.harness.section import Section  # noqa: E402
from tests.harness.stalls import Watch  # noqa: E402

# Stands for the machine; each attempt leaves a line, which a file of its own fixture counts.
CONFTEST = """
import sys
sys.path.insert(0, %r)
from tests.harness import stalls

class Machine:
    def stalls(self, since_ns):
        return %r
    def close(self):
        pass

stalls.Watch = Machine

def pytest_configure(config):
    stalls.register(config)
"""
TESTS = """
import pytest
from pathlib import Path

ATTEMPTS = Path(__file__).with_name("attempts")
WHERE, GOOD_FROM = %r, %d

def is_good():
    return ATTEMPTS.stat().st_size >= GOOD_FROM

@pytest.fixture(scope="module")
def built():
    with ATTEMPTS.open("a") as file:
        file.write("x" if WHERE == "module fixture" else "")
    assert WHERE != "module fixture" or is_good(), "too few"
    yield ["it"]

@pytest.fixture
def placed(built, tmp_path):
    assert not list(tmp_path.iterdir()), "a directory of an earlier attempt"
    (tmp_path / "used").touch()
    with ATTEMPTS.open("a") as file:
        file.write("x" if WHERE != "module fixture" else "")
    assert WHERE != "fixture" or is_good(), "too few"

def test_it(built, placed):
    assert built == ["it"]
    assert is_good(), "too few"

def test_another(built):
    assert built == ["it"]
"""


def play(
    directory: Path, why: str, good_from: int, *options: str, where: str = "test"
) -> tuple[int, int, str]:
    """A session with one test that may fail, and another one, on a machine that stood still or not:
    its exit status, how many attempts there were, and what it said."""
    (directory / "conftest.py").write_text(CONFTEST % (str(ROOT), why))
    (directory / "test_one.py").write_text(TESTS % (where, good_from))
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    argv += ["--rootdir", str(directory), "-c", "/dev/null", str(directory)]
    argv += [f"--basetemp={directory / 'temporary'}"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, (directory / "attempts").stat().st_size, done.stdout


@pytest.mark.parametrize("where", ["test", "fixture", "module fixture"])
@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "with workers"])
def test_a_failure_while_the_machine_stood_still_is_measured_again(
    tmp_path: Path, options: tuple[str, ...], where: str
) -> None:
    status, attempts, said = play(tmp_path, "300 ms late", 2, *options, where=where)
    assert (status, attempts) == (0, 2), said
    assert "2 passed" in said and "failed" not in said
    assert "measured again, as the machine stood still: " in said
    assert "test_it" in said and "too few" in said and "(300 ms late)" in said


def test_a_mistake_fails_on_a_machine_that_always_stands_still(tmp_path: Path) -> None:
    status, attempts, said = play(tmp_path, "300 ms late", 99)
    assert (status, attempts) == (1, 3), said
    assert "1 failed, 1 passed" in said


def test_a_failure_on_a_quiet_machine_counts_at_once(tmp_path: Path) -> None:
    status, attempts, said = play(tmp_path, "", 2)
    assert (status, attempts) == (1, 1), said
    assert "measured again" not in said


def test_what_passes_is_not_measured_again(tmp_path: Path) -> None:
    assert play(tmp_path, "300 ms late", 1)[:2] == (0, 1)


def test_a_machine_that_stood_still_is_seen() -> None:
    """Its processes are held up in its place."""
    watch = Watch()
    try:
        end_s = time.monotonic() + 20
        while True:
            since_ns = time.monotonic_ns()
            for process in watch.processes:
                process.send_signal(signal.SIGSTOP)
            time.sleep(0.3)
            for process in watch.processes:
                process.send_signal(signal.SIGCONT)
            told = watch.stalls(since_ns)
            if told.count("late") == 2:
                break
            assert time.monotonic() < end_s, "it has seen: %r" % told
        assert watch.stalls(time.monotonic_ns() + 3600 * 10**9) == ""
    finally:
        watch.close()


@pytest.mark.parametrize(
    ("why", "script", "expected"),
    [
        ("300 ms late", "test -e {0} || {{ touch {0}; exit 1; }}", (1, 0)),
        ("", "test -e {0} || {{ touch {0}; exit 1; }}", (0, 1)),
        ("300 ms late", "false", (0, 1)),
        ("300 ms late", "true", (1, 0)),
    ],
    ids=["it stood still", "it did not", "a mistake", "all is well"],
)
def test_a_command_is_measured_again_in_the_same_way(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    why: str,
    script: str,
    expected: tuple[int, int],
) -> None:
    class Machine:
        def stalls(self, since_ns: int) -> str:
            return why

        def close(self) -> None:
            pass

    monkeypatch.setattr(sections, "Watch", Machine)
    monkeypatch.setattr("tests.harness.section.LOGS", tmp_path / "logs")
    section = Section("demo")
    sections._measured(section, "it", ["sh", "-c", script.format(tmp_path / "seen")])
    assert (section.tally.passed, section.tally.failed) == expected
