# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/uml/run: what goes in and comes out, and that nothing stays."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Dict

import pytest

RUN = str(Path(__file__).resolve().parent / "run")


def run(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    env: Dict[str, str] = {**os.environ, **variables}
    return subprocess.run(
        [RUN, *words],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_command_is_root_in_another_kernel_and_its_status_is_ours(tmp_path: Path) -> None:
    script = 'echo "$(id -u) $(uname -r) $VLANGATE_WORD $1"; ip -o link | wc -l; exit 7'
    done = run("sh", "-c", script, "-", "two words", VLANGATE_WORD="seen")
    assert done.returncode == 7, done.stdout
    user, release, word, argument = done.stdout.splitlines()[0].split(" ", 3)
    assert (user, word, argument) == ("0", "seen", "two words")
    assert release != os.uname().release
    assert done.stdout.splitlines()[1:] == ["1"], "it has lo and nothing of ours"


def test_all_of_a_long_output_comes_out() -> None:
    done = run("seq", "1", "20000")
    assert done.stdout == "".join("%d\n" % number for number in range(1, 20001))


def test_our_output_stays_blocking() -> None:
    """Ansible refuses to begin on terminals that do not block, and it shares ours."""
    reader, writer = os.pipe()
    try:
        subprocess.run([RUN, "true"], stdout=writer, stderr=writer, timeout=300, check=True)
        assert os.get_blocking(writer)
    finally:
        os.close(reader)
        os.close(writer)


def test_changes_are_real_in_shared_directories_only(tmp_path: Path) -> None:
    for name in ("shared", "other"):
        (tmp_path / name).mkdir()
    script = "echo real >%s/shared/file && echo lost >%s/other/file" % (tmp_path, tmp_path)
    done = run("--share", str(tmp_path / "shared"), "sh", "-c", script)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "shared" / "file").read_text() == "real\n"
    assert list((tmp_path / "other").iterdir()) == []


def test_it_knows_vlans_and_bad_cables() -> None:
    lines = (
        "ip link add va type veth peer name vb",
        "ip link add link va name va.10 type vlan id 10",
        "tc qdisc add dev va root netem delay 5ms",
    )
    done = run("sh", "-ec", "\n".join(lines))
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    "words, status, said",
    [
        (["--timeout", "4", "sleep", "60"], 124, "not done after 4 s"),
        (["no-such-command"], 127, "no-such-command"),
        (["--memory", "8", "true"], 125, "its last words"),
        (["--share", "/nowhere", "true"], 125, "--share /nowhere: no directory"),
        ([], 2, "name a command to run"),
    ],
)
def test_what_goes_wrong_is_said(words: "list[str]", status: int, said: str) -> None:
    done = run(*words)
    assert done.returncode == status, done.stdout
    assert said in done.stdout


def test_it_ends_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    env = dict(os.environ, TMPDIR=str(tmp_path))
    with subprocess.Popen([RUN, "sleep", "60"], env=env) as process:
        deadline = time.monotonic() + 120
        guest = 0
        while not guest and time.monotonic() < deadline:
            time.sleep(0.05)
            # There is a moment when it is there and empty.
            for found in tmp_path.glob("vgt-uml-*/guest/pid"):
                guest = int(found.read_text() or 0)
        assert guest, "it did not begin"
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 130
    assert not Path("/proc/%d" % guest).exists()
    assert list(tmp_path.iterdir()) == []
