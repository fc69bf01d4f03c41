# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real daemon journals replays: takeover, reload, link changes, damaged packets, stop."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from daemons import SECRET, Daemon, document
from floods import Sender, malformed_frames
from namespaces import LAN, Namespace

Lan = Any  # of conftest.py: the router's namespace, and that of the other end of its cable


def replay(program: Path, path: Path) -> "subprocess.CompletedProcess[str]":
    words = [str(program), "replay", str(path)]
    return subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def live(daemon: Daemon, router: Namespace, other: Namespace) -> None:
    """Takeover, malformed packets, reloads, a link that goes and comes, addresses that change."""
    daemon.wait_for_state(v4="master", v6="master", old="master")
    sender = Sender(other, "eth0")
    mac = bytes.fromhex(router.mac(LAN).replace(":", ""))
    for frame in malformed_frames(mac):
        sender.send(frame)
    sender.close()
    daemon.wait_for(lambda shown: shown["counters"], "the counters of bad packets")
    daemon.reload(document(priority=150))
    other.ip("link", "set", "eth0", "down")
    daemon.wait_for_state(v4="initialize", v6="initialize")
    other.ip("link", "set", "eth0", "up")
    daemon.wait_for_state(v4="master", v6="master")
    router.ip("addr", "del", "10.0.0.252/24", "dev", LAN)
    daemon.wait_for_state(v4="initialize", v6="master")
    router.ip("addr", "add", "10.0.0.252/24", "dev", LAN)
    wanted = document(priority=150)
    wanted["virtual_routers"].pop()
    daemon.reload(wanted)
    daemon.wait_for_state(v4="master", v6="master")


def test_a_real_run_replays_without_a_difference(
    start: Callable[..., Daemon], lan: Lan, program: Path, tmp_path: Path
) -> None:
    path = tmp_path / "journal"
    daemon = start("--journal", str(path))
    live(daemon, *lan)
    assert daemon.stop() == 0
    done = replay(program, path)
    assert done.returncode == 0, done.stdout
    assert "all as recorded" in done.stdout
    text = path.read_text(encoding="ascii")
    for event in ("PacketsReceived", "LinksChanged", "ConfigReplaced", "Tick", "Stop"):
        assert '"event":{"%s"' % event in text
    assert "backup -> master" in text
    for secret in (SECRET, SECRET.encode().hex()):
        assert secret not in text


def test_a_changed_engine_is_reported(
    start: Callable[..., Daemon], lan: Lan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vrrp.fsm.virtual_router import VirtualRouter
    from vrrp.router.replay import replay as replay_here

    path = tmp_path / "journal"
    daemon = start("--journal", str(path))
    daemon.wait_for_state(v4="master")
    daemon.stop()
    with path.open(encoding="ascii") as file:
        assert replay_here(file).difference is None
    with monkeypatch.context() as changed, path.open(encoding="ascii") as file:
        changed.setattr(VirtualRouter, "_arm_advertisement", lambda self, now_ns: None)
        difference = replay_here(file).difference
    assert difference is not None
    assert difference.expected != difference.got


def test_both_files_of_a_rotation_replay(
    start: Callable[..., Daemon], lan: Lan, program: Path, tmp_path: Path
) -> None:
    path = tmp_path / "journal"
    daemon = start("--journal", str(path), "--journal-size", "65536")
    older = tmp_path / "journal.1"
    end = time.monotonic() + 30
    while not older.exists():
        assert time.monotonic() < end, "it never rotates"
        live(daemon, *lan)
    daemon.kill()  # a whole last line is not promised, and not needed
    for each in (older, path):
        done = replay(program, each)
        assert done.returncode == 0, done.stdout
    assert path.stat().st_size + older.stat().st_size < 2 * 65536
