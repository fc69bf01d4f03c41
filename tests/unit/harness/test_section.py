# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test driver counts what really happened."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.harness import environment, processes  # noqa: E402  (needs the path above)
from tests.harness.section import Section  # noqa: E402

GOOD = "def test_a(): pass\ndef test_b(): pass\n"
BAD = "import pytest\ndef test_a(): assert 0\ndef test_b(): pass\ndef test_c(): pytest.skip('no')\n"
BROKEN = "import no_such_module\n"


@pytest.fixture(autouse=True)
def _no_scratch_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A section writes its reports into the run's scratch directory; this process has its own."""
    monkeypatch.setattr("tests.harness.section.LOGS", tmp_path / "logs")
    yield
    shutil.rmtree(environment.scratch())
    environment.scratch.cache_clear()


def run_pytest(tmp_path: Path, text: str) -> Section:
    """Let a section run one test file."""
    tests = tmp_path / "test_it.py"
    tests.write_text(text)
    section = Section("demo")
    section.pytest("it", sys.executable, ["-c", os.devnull, str(tests)])
    return section


def test_commands_count_one_each() -> None:
    section = Section("demo")
    assert section.command("good", ["true"])
    assert not section.command("bad", ["false"])
    assert (section.tally.passed, section.tally.failed) == (1, 1)
    assert [failure.what for failure in section.tally.failures] == ["bad: exit status 1"]


def test_what_a_command_says_is_shown_when_it_fails(capfd: pytest.CaptureFixture[str]) -> None:
    section = Section("demo")
    section.command("good", ["echo", "all is well"])
    section.command("bad", ["sh", "-c", "echo first; seq 200; echo the reason >&2; exit 3"])
    said = capfd.readouterr().out
    assert "all is well" not in said
    assert "the reason" in said and "first" not in said
    assert section.tally.failures[0].detail.endswith("200\nthe reason")


def test_of_each_failed_test_the_reason_is_kept(tmp_path: Path) -> None:
    (failure,) = run_pytest(tmp_path, BAD).tally.failures
    assert failure.what.endswith("::test_a") and "assert 0" in failure.detail


def test_a_verbose_run_shows_what_passes(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Section, "verbose", True)
    assert Section("demo").command("good", ["echo", "all is well"])
    assert "all is well" in capfd.readouterr().out


def test_a_command_that_makes_the_output_nonblocking_harms_nobody() -> None:
    section = Section("demo")
    program = "import os; os.set_blocking(1, False); os.set_blocking(2, False)"
    assert section.command("rude", [sys.executable, "-c", program])
    assert os.get_blocking(1) and os.get_blocking(2)


def test_a_command_that_hangs_is_ended_and_fails() -> None:
    section = Section("demo")
    assert not section.command("slow", ["sleep", "60"], timeout_s=0)
    assert [failure.what for failure in section.tally.failures] == ["slow: its time was up"]


@pytest.mark.parametrize(
    ("text", "passed", "failed", "skipped"),
    [(GOOD, 2, 0, 0), (BAD, 1, 1, 1), (BROKEN, 0, 1, 0), ("", 0, 1, 0)],
    ids=["good", "bad", "broken", "empty"],
)
def test_pytest_counts_by_test(
    tmp_path: Path, text: str, passed: int, failed: int, skipped: int
) -> None:
    tally = run_pytest(tmp_path, text).tally
    assert (tally.passed, tally.failed, len(tally.skipped)) == (passed, failed, skipped)


def test_an_exit_status_that_no_report_explains_is_a_failure(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text("<testsuite><testcase classname='a' name='b'/></testsuite>")
    section = Section("demo")
    assert not section.junit("it", 3, [report])
    assert (section.tally.passed, section.tally.failed) == (1, 1)


def test_what_was_measured_again_is_told(tmp_path: Path) -> None:
    text = "def test_a(record_property): record_property('measured-again', 'test_a: it was late')\n"
    tally = run_pytest(tmp_path, text).tally
    assert (tally.passed, tally.measured_again) == (1, ["it: test_a: it was late"])


def test_descendants_are_found_and_ended() -> None:
    with subprocess.Popen(
        ["sh", "-c", "sleep 60 & sleep 60; true"], stdout=subprocess.PIPE
    ) as shell:
        found: list[int] = []
        while len(found) < 2:
            found = processes.descendants(shell.pid)
        processes.end_tree(shell.pid)
    assert not [pid for pid in found if processes.is_alive(pid)]
