# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes of operators, against the real daemon: a change that cuts the operator off, a bad file
at boot, a full disk. Traffic of 1,000 packets a second tells what the others noticed."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest
from daemons import Daemon
from gateways import Pair, all_are, document
from namespaces import Namespace
from probing import Prober

from vrrp.control.client import RefusedRequest

WINDOW_S = 5
# From the deadline to what a request sees: one turn of the loop, and the way of a test to it, which
# is long on a busy machine.
LATE_S = 1.0
UNCHANGED, CHANGED = "2001:db8:f::2", "10.0.0.254"
GOOD = document(200, advertisement_interval_cs=100)


def mistake() -> Dict[str, Any]:
    """Another address for the IPv4 hosts, who know nothing of it: they are cut off."""
    wanted: Dict[str, Any] = json.loads(json.dumps(GOOD))
    (lan4,) = (each for each in wanted["virtual_routers"] if each["name"] == "lan4")
    lan4["addresses"] = ["10.0.0.77"]
    return wanted


class Bench:
    """One gateway between two networks, with a state directory of its own."""

    def __init__(
        self, namespace: Callable[[str], Namespace], program: Path, directory: Path
    ) -> None:
        self.pair = Pair(namespace, program, directory)
        self.state = directory / "state"
        self._program, self._directory = program, directory / "gw1"
        self.daemon: Optional[Daemon] = None

    def start(self, config: Dict[str, Any], *more: str) -> Daemon:
        """As after a boot, with this file."""
        words = ("--state-dir", str(self.state), *more)
        namespace = self.pair.first.namespace
        self.daemon = Daemon(namespace, self._program, self._directory, config, *words)
        self.pair.first.daemon = self.daemon
        return self.daemon

    def start_as_master(self, config: Optional[Dict[str, Any]] = None) -> Daemon:
        """And wait until it carries the traffic. config: GOOD."""
        daemon = self.start(config or GOOD)
        daemon.wait_for(lambda _shown: all_are("master", daemon), "mastership")
        return daemon

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """The command `vlangate`, for this daemon."""
        runtime_dir = str(self._directory / "run")
        command = [str(self._program), *words, "--runtime-dir", runtime_dir]
        with self.pair.first.namespace.inside():
            return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def bench(namespace: Callable[[str], Namespace], program: Path, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(namespace, program, tmp_path)
    yield made
    made.pair.close()


def engine(daemon: Daemon) -> Dict[str, Any]:
    shown: Dict[str, Any] = daemon.call("show.status")["engine"]
    return shown


def address_of_lan4(daemon: Daemon) -> List[str]:
    addresses: List[str] = daemon.router("lan4")["addresses"]
    return addresses


def test_an_unconfirmed_change_goes_back_by_itself_and_the_others_lose_nothing(
    bench: Bench,
) -> None:
    daemon = bench.start_as_master()
    prober = Prober(bench.pair.client, UNCHANGED, CHANGED)
    try:
        prober.wait_until_steady()
        prober.begin()
        daemon.write_config(mistake())
        answer = bench.command("reload", "--confirm-within", "%ds" % WINDOW_S)
        begun_s = time.monotonic()
        assert answer.returncode == 0, answer.stderr
        assert "changed lan4: addresses" in answer.stdout
        assert address_of_lan4(daemon) == ["10.0.0.77"]
        assert engine(daemon)["probation"]["confirm_within_s"] == WINDOW_S
        daemon.wait_for(lambda shown: shown["engine"]["config_source"] == "last-good", "going back")
        assert time.monotonic() - begun_s <= WINDOW_S + LATE_S
        assert address_of_lan4(daemon) == ["10.0.0.254"]
        prober.wait_until_steady()
        lost = prober.lost()
        print("lost of 1,000 a second: %s" % lost)
        assert lost[UNCHANGED] == 0
        assert lost[CHANGED] >= 1_000, "the mistake was none, so this test shows nothing"
    finally:
        prober.close()
    releases = daemon.router("wan6")["counters"]["priority-zero-pkts-sent"]
    assert releases == 0
    assert all_are("master", daemon)


def test_a_confirmed_change_stays(bench: Bench) -> None:
    daemon = bench.start_as_master()
    daemon.write_config(mistake())
    assert bench.command("reload", "--confirm-within", "5s").returncode == 0
    assert bench.command("confirm").stdout == "confirmed\n"
    time.sleep(5 + LATE_S)
    assert address_of_lan4(daemon) == ["10.0.0.77"]
    assert bench.command("confirm").returncode == 1


def test_killed_and_restarted_in_between_it_still_goes_back_in_time(bench: Bench) -> None:
    daemon = bench.start_as_master()
    daemon.write_config(mistake())
    daemon.call("do.reload", confirm_within_s=WINDOW_S)
    begun_s = time.monotonic()
    daemon.kill()
    daemon = bench.start(mistake())
    assert time.monotonic() - begun_s < WINDOW_S, "this host is too slow for the window"
    assert address_of_lan4(daemon) == ["10.0.0.77"], "the time goes on"
    daemon.wait_for(lambda shown: shown["engine"]["config_source"] == "last-good", "going back")
    assert WINDOW_S - LATE_S <= time.monotonic() - begun_s <= WINDOW_S + LATE_S
    assert address_of_lan4(daemon) == ["10.0.0.254"]
    daemon.stop()
    daemon = bench.start(mistake())
    assert address_of_lan4(daemon) == ["10.0.0.254"], "what was taken back is not used again"
    (problem,) = engine(daemon)["config_problems"]
    assert problem["code"] == "refused"


def test_another_boot_goes_back_at_once(bench: Bench) -> None:
    daemon = bench.start_as_master()
    daemon.write_config(mistake())
    daemon.call("do.reload", confirm_within_s=3600)
    daemon.kill()
    stored = bench.state / "probation.json"
    document_ = json.loads(stored.read_text(encoding="utf-8"))
    document_["boot_id"] = "an earlier one"
    stored.write_text(json.dumps(document_), encoding="utf-8")
    daemon = bench.start(mistake())
    assert address_of_lan4(daemon) == ["10.0.0.254"]
    assert engine(daemon)["probation"] is None


def test_a_bad_file_at_boot_runs_the_last_good_one(bench: Bench) -> None:
    bench.start_as_master().stop()
    daemon = bench.start({"format": 1, "virtual_routers": [{"name": "lan4", "vrid": 999}]})
    shown = engine(daemon)
    assert shown["config_source"] == "last-good"
    assert {problem["path"] for problem in shown["config_problems"]} > {
        "virtual_routers[lan4].vrid"
    }
    daemon.wait_for(lambda _shown: all_are("master", daemon), "mastership")
    assert "virtual_routers[lan4].vrid" in daemon.log()
    assert "the last good configuration runs" in bench.command("show").stdout


# A full disk


@pytest.fixture
def disk(bench: Bench) -> Iterator[Path]:
    """The state directory is a disk of its own, of a few kilobytes."""
    bench.state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(bench.state)]
    subprocess.run(mount, check=True)
    yield bench.state
    subprocess.run(["umount", str(bench.state)], check=True)


def fill(disk: Path) -> Path:
    """To the last octet."""
    filling = disk / "filling"
    with filling.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 1024)
        except OSError:
            pass
    return filling


def test_a_full_disk(bench: Bench, disk: Path) -> None:
    daemon = bench.start_as_master()
    filling = fill(disk)
    # On probation: refused before anything is applied.
    daemon.write_config(mistake())
    with pytest.raises(RefusedRequest) as caught:
        daemon.call("do.reload", confirm_within_s=WINDOW_S)
    assert caught.value.code == "state"
    assert "No space left" in caught.value.message
    assert address_of_lan4(daemon) == ["10.0.0.254"]
    # Without: it goes on, and says what a restart would not know.
    daemon.call("do.reload")
    assert address_of_lan4(daemon) == ["10.0.0.77"]
    daemon.wait_for(lambda shown: shown["engine"]["state_problems"], "a warning")
    assert "a restart would not know" in daemon.log()
    # Drained is drained, and told.
    daemon.call("do.drain", names=["wan6"], force=True)
    daemon.wait_for(lambda shown: len(shown["engine"]["state_problems"]) == 2, "another one")
    daemon.call("do.undrain", all=True)
    # With room again a trial begins; the disk fills up once more, and it goes back all the same.
    filling.unlink()
    daemon.write_config(GOOD)
    daemon.call("do.reload", confirm_within_s=1)
    fill(disk)
    daemon.wait_for(lambda shown: shown["engine"]["config_source"] == "last-good", "going back")
    assert address_of_lan4(daemon) == ["10.0.0.77"]
    daemon.kill()
    daemon = bench.start(GOOD)
    assert address_of_lan4(daemon) == ["10.0.0.77"], "after a restart as well"


# Drained from the command line


def test_handed_over_from_the_command_line(bench: Bench) -> None:
    first = bench.start_as_master()
    second = bench.pair.second.start(document(100, advertisement_interval_cs=100))
    second.wait_for(
        lambda shown: all(each["master_priority"] for each in shown["routers"]), "a master"
    )
    answer = bench.command("handover", "--all")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.count("has handed over to") == 4
    assert all_are("master", second)
    first.stop()
    first = bench.start(GOOD)
    assert {each["drained"] for each in first.show()["routers"]} == {True}
    assert first.show()["engine"]["drained_all"] is True
    second.kill()
    first.wait_for(lambda _shown: all_are("master", first), "the last resort")
    # Alone it is the last healthy one: it tries, and nothing is lost but the drain.
    assert bench.command("undrain", "--all").returncode == 0
    prober = Prober(bench.pair.client, UNCHANGED, CHANGED)
    try:
        prober.wait_until_steady()
        prober.begin()
        answer = bench.command("handover", "--all")
        assert answer.returncode == 1
        assert answer.stdout.count("no other router took over") == 4
        lost = prober.lost()
        print("lost of 1,000 a second: %s" % lost)
        assert max(lost.values()) == 0
    finally:
        prober.close()
    assert all_are("master", first)
