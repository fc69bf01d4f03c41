# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another release takes over from the running one: nothing is lost, no advertisement is missed, and
if it cannot, the running one goes on in the same way.

Advertisements are sent each 100 ms, and seen at the port of the switch. One that was missed would
be a gap of two intervals.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import daemons
import pytest
from daemons import Daemon, build
from gateways import NAMES, Pair, document
from namespaces import LAN, Namespace, connect, run
from probing import Prober
from taps import Tap, advertised_priority

from tests.harness import stalls
from vrrp.control.client import ControlClient, RefusedRequest, upgrade
from vrrp.errors import ControlError

TARGETS = ("198.51.100.2", "2001:db8:f::2", "10.0.0.254")
INTERVAL_CS = 10
MOST_GAP_MS = 2 * INTERVAL_CS * 10
ROUNDS = 5
MANY = 250
PATIENCE_S = 60.0


class Releases:
    """Releases side by side, and a program that runs the current one, as on a router."""

    def __init__(self, directory: Path) -> None:
        build(directory)
        self._directory = directory
        self._good = directory / "release"
        # What fails in a test shall not take a quarter of a minute.
        _edit(self._good / "vrrp/daemon/upgrade.py", "WARM_UP_NS = 15 * NS", "WARM_UP_NS = 3 * NS")
        self.program = directory / "program"
        self.program.write_text('#!/bin/sh\nexec python3 -I %s/current "$@"\n' % directory)
        self.program.chmod(0o755)
        self.switch(self._good)

    def switch(self, release: Path) -> None:
        """Make it the current one."""
        link = self._directory / "current.new"
        link.symlink_to(release)
        link.replace(self._directory / "current")

    def break_(self, file: str, old: str, new: str) -> None:
        """A copy of the good one, with a mistake, is current."""
        broken = self._directory / "broken"
        shutil.copytree(self._good, broken)
        _edit(broken / "vrrp" / file, old, new)
        self.switch(broken)


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, "%s has %d times %r" % (file, text.count(old), old)
    file.write_text(text.replace(old, new), encoding="utf-8")


class Service:
    """A daemon that may become another process."""

    def __init__(self, daemon: Daemon, directory: Path) -> None:
        self.runtime_dir = str(directory / "run")
        self._first = daemon
        self.pid = daemon.process.pid

    def upgrade(self) -> Dict[str, Any]:
        """Wait until another process has taken over; what it shows."""
        engine = upgrade(self.runtime_dir, PATIENCE_S)
        assert engine["pid"] != self.pid
        self.wait_for_end()
        self.pid = engine["pid"]
        return engine

    def wait_for_end(self) -> None:
        """Of the process that was it until now."""
        if self.pid == self._first.process.pid:
            assert self._first.process.wait(PATIENCE_S) == 0
        end_s = time.monotonic() + PATIENCE_S
        while os.path.exists("/proc/%d" % self.pid):
            if _is_zombie(self.pid):
                return  # nobody here is the one to wait for it
            assert time.monotonic() < end_s, "process %d has not ended" % self.pid
            time.sleep(0.01)

    def show(self) -> Dict[str, Any]:
        with ControlClient.in_directory(self.runtime_dir) as client:
            return client.call("show.routers")

    def kill(self) -> None:
        for pid in sorted({self.pid, self._first.process.pid}):
            if pid != self._first.process.pid or self._first.process.poll() is None:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        self._first.kill()


def _is_zombie(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path("/proc/%d/status" % pid).read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return True


def largest_gap_ms(tap: Tap) -> Dict[str, float]:
    """Between two advertisements, by virtual MAC."""
    gaps: Dict[str, float] = {}
    last: Dict[bytes, int] = {}
    for time_ns, frame in tap.frames():
        source = frame[6:12]
        if advertised_priority(frame) > 0:
            gap_ms = (time_ns - last.get(source, time_ns)) / 1_000_000
            gaps[source.hex()] = max(gaps.get(source.hex(), 0.0), gap_ms)
            last[source] = time_ns
    return gaps


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path / "releases")


class Stage:
    """Two gateways; the first is master of all, and may be upgraded. Traffic goes through it."""

    def __init__(
        self, namespace: Callable[[str], Namespace], releases: Releases, directory: Path
    ) -> None:
        self.pair = Pair(namespace, releases.program, directory)
        self.service: Optional[Service] = None
        config = document(240, advertisement_interval_cs=INTERVAL_CS)
        first = self.pair.first.start(config)
        self.service = Service(first, directory / "gw1")
        first.wait_for_state(**dict.fromkeys(NAMES, "master"))
        self.second = self.pair.second.start(document(220, advertisement_interval_cs=INTERVAL_CS))
        self.second.wait_for_state(**dict.fromkeys(NAMES, "backup"))
        self.log = first.log
        port = self.pair.switch.router_ports()[0]
        self.tap = Tap(self.pair.switch.namespace, port)
        self.prober = Prober(self.pair.client, *TARGETS)
        self.prober.wait_until_steady()
        self.prober.begin()
        self._begun_ns = time.monotonic_ns()

    def close(self) -> None:
        self.prober.close()
        self.tap.close()
        if self.service is not None:
            self.service.kill()
        self.pair.close()

    def conclude(self) -> float:
        """Nobody has noticed; the largest gap in ms."""
        time.sleep(0.5)
        assert self.prober.lost() == dict.fromkeys(TARGETS, 0), self.log()
        gaps = largest_gap_ms(self.tap)
        most_ms = MOST_GAP_MS + stalls.late_ns(self._begun_ns) / 1e6
        assert len(gaps) >= 2 and max(gaps.values()) < most_ms, "%s\n%s" % (gaps, self.log())
        assert self.tap.releases() == 0
        for each in self.second.show()["routers"]:
            assert [past["current"] for past in each["transitions"]] == ["backup"]
        return max(gaps.values())


@pytest.fixture
def stage(
    namespace: Callable[[str], Namespace], releases: Releases, tmp_path: Path
) -> Iterator[Stage]:
    made = Stage(namespace, releases, tmp_path)
    yield made
    made.close()


def test_upgrades_are_not_noticed(stage: Stage) -> None:
    service = stage.service
    assert service is not None
    before = {each["name"]: each for each in service.show()["routers"]}
    for _round in range(ROUNDS):
        service.upgrade()
        time.sleep(0.3)
    shown = service.show()
    assert shown["engine"]["upgrade"] is None
    for each in shown["routers"]:
        assert each["state"] == "master"
        told = before[each["name"]]["counters"]
        assert each["counters"]["advertisement-sent"] > told["advertisement-sent"]
        assert each["counters"]["master-transitions"] == 1
        assert each["state_age_ns"] > before[each["name"]]["state_age_ns"]
    print("%d upgrades, largest gap %.1f ms" % (ROUNDS, stage.conclude()))


TAKE_OVER = '    heir.channel.send("going-on")\n'
NEVER = "\n    import time\n\n    time.sleep(1000)\n"
MISTAKES: List[Tuple[str, Tuple[str, str, str], str]] = [
    ("does not start", ("cli/main.py", "def main(", "def main(("), "exit status 1"),
    ("exits", ("daemon/main.py", "    links = ports.monitor.links()\n    assembly.rehearse",
               "    raise SystemExit(7)\n    assembly.rehearse"), "the other process is gone"),
    ("lacks something", ("daemon/main.py", "capabilities.missing(found=features)\n    if missing",
                         '["no luck"]\n    if missing'), "no luck"),
    ("hangs before it is ready", ("daemon/main.py", "    assembly.rehearse(links)\n", NEVER),
     "not ready within 3 s"),
    ("hangs when it should stand by", ("daemon/main.py", "    def forget() -> None:\n",
     "    def forget() -> None:\n        import time\n\n        time.sleep(1000)\n"),
     "not ready within 3 s"),
    ("hangs when it is told to go on", ("daemon/main.py", "    ports.heartbeat.learn()\n", NEVER),
     "waited in vain for 'going-on'"),
    ("hangs after it has taken over", ("daemon/main.py", TAKE_OVER, NEVER),
     "waited in vain for 'going-on'"),
    ("dies after it has taken over", ("daemon/main.py", TAKE_OVER, "    os._exit(9)\n"),
     "the other process is gone"),
    ("speaks another format", ("daemon/upgrade.py", "\nFORMAT = 1\n", "\nFORMAT = 2\n"),
     "it speaks format 1, here it is 2"),
    ("expects another state", ("router/inheritance.py", "\nFORMAT = 1\n", "\nFORMAT = 2\n"),
     "format 1 is not known here"),
    ("speaks no JSON", ("daemon/main.py", "        hello = heir.hello()\n",
     '        hello = heir.hello()\n        os.write(heir.channel.fileno(), b"what?\\n")\n'),
     "it does not speak JSON"),
    ("has no descriptors left", ("daemon/main.py", "    assembly.rehearse(links)\n",
     "    resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))\n    assembly.rehearse(links)\n"),
     "errno 24"),
]  # fmt: skip


@pytest.mark.parametrize(
    "mistake, why", [each[1:] for each in MISTAKES], ids=[each[0] for each in MISTAKES]
)
def test_a_release_that_cannot_leaves_the_running_one(
    stage: Stage, releases: Releases, mistake: Tuple[str, str, str], why: str
) -> None:
    service = stage.service
    assert service is not None
    releases.break_(*mistake)
    with pytest.raises(ControlError) as caught:
        upgrade(service.runtime_dir, PATIENCE_S)
    assert caught.value.code == "upgrade-failed" and why in caught.value.message
    engine = service.show()["engine"]
    assert engine["pid"] == service.pid
    assert engine["upgrade"]["state"] == "failed" and why in engine["upgrade"]["why"]
    print("%s: largest gap %.1f ms" % (why, stage.conclude()))


def test_after_a_failure_the_next_one_works(stage: Stage, releases: Releases) -> None:
    service = stage.service
    assert service is not None
    releases.break_(*MISTAKES[6][1])
    with pytest.raises(ControlError):
        upgrade(service.runtime_dir, PATIENCE_S)
    releases.switch(releases.program.parent / "release")
    service.upgrade()
    stage.conclude()


def test_meanwhile_nothing_else_is_changed(stage: Stage, releases: Releases) -> None:
    service = stage.service
    assert service is not None
    releases.break_(*MISTAKES[3][1])
    with ControlClient.in_directory(service.runtime_dir) as client:
        client.call("do.upgrade")
        for method in ("do.upgrade", "do.reload", "do.undrain"):
            params = {"all": True} if method == "do.undrain" else {}
            with pytest.raises(RefusedRequest) as caught:
                client.call(method, **params)
            assert caught.value.code == "busy"
        # A reload by signal, from somebody who gets no answer, is not lost: the upgrade yields.
        os.kill(service.pid, signal.SIGHUP)
        end_s = time.monotonic() + PATIENCE_S
        while client.call("show.status")["engine"]["upgrade"]["state"] == "running":
            assert time.monotonic() < end_s
            time.sleep(0.01)
        assert "a reload came" in client.call("show.status")["engine"]["upgrade"]["why"]
        client.call("do.reload")
    stage.conclude()


def test_a_daemon_that_is_stopped_meanwhile_leaves_nobody(stage: Stage, releases: Releases) -> None:
    service = stage.service
    assert service is not None
    releases.break_(*MISTAKES[3][1])
    with ControlClient.in_directory(service.runtime_dir) as client:
        client.call("do.upgrade")
    os.kill(service.pid, signal.SIGTERM)
    service.wait_for_end()
    mine = str(releases.program.parent).encode()
    end_s = time.monotonic() + PATIENCE_S
    while any(mine in line and b"gw1" in line for line in command_lines()):
        assert time.monotonic() < end_s, command_lines()
        time.sleep(0.01)
    assert "vg-" not in stage.pair.first.namespace.ip("-br", "link")


def command_lines() -> List[bytes]:
    """Of all processes."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_both_keep_a_journal_that_can_be_replayed(
    namespace: Callable[[str], Namespace], releases: Releases, tmp_path: Path
) -> None:
    router, other = namespace("router"), namespace("other")
    connect(router, LAN, other, "eth0")
    router.ip("addr", "add", "10.0.0.252/24", "dev", LAN)
    directory = tmp_path / "journal"
    directory.mkdir()
    file = str(directory / "events")
    config = daemons.document()
    daemon = Daemon(router, releases.program, directory, config, "--journal", file)
    service = Service(daemon, directory)
    try:
        daemon.wait_for_state(v4="master")
        service.upgrade()
        time.sleep(0.5)
        os.kill(service.pid, signal.SIGTERM)
        service.wait_for_end()
    finally:
        service.kill()
    for each in (file + ".1", file):
        said = run(str(releases.program), "replay", each)
        assert "steps" in said, said


def test_with_many_virtual_routers(
    namespace: Callable[[str], Namespace], releases: Releases, tmp_path: Path
) -> None:
    router, other = namespace("router"), namespace("other")
    connect(router, LAN, other, "eth0")
    router.ip("addr", "add", "10.0.0.252/16", "dev", LAN)
    other.ip("addr", "add", "10.0.0.10/16", "dev", "eth0")
    routers = [
        {
            "name": "v%d" % vrid,
            "interface": LAN,
            "family": "ipv4",
            "vrid": vrid,
            "addresses": ["10.0.1.%d" % vrid],
            "priority": 240,
            "advertisement_interval_cs": INTERVAL_CS,
            "accept": True,
        }
        for vrid in range(1, MANY + 1)
    ]
    directory = tmp_path / "many"
    directory.mkdir()
    config = {"format": 1, "virtual_routers": routers}
    daemon = Daemon(router, releases.program, directory, config)
    service = Service(daemon, directory)
    prober = Prober(other, "10.0.1.1", "10.0.1.%d" % MANY)
    tap: Optional[Tap] = None
    try:
        daemon.wait_for(
            lambda shown: all(each["state"] == "master" for each in shown["routers"]), "masters"
        )
        prober.wait_until_steady()
        prober.begin()
        tap, begun_ns = Tap(other, "eth0"), time.monotonic_ns()
        for _round in range(2):
            with ControlClient.in_directory(service.runtime_dir) as client:
                client.call("do.upgrade")
            read_for(tap, 3.0)
            pid = service.show()["engine"]["pid"]
            assert pid != service.pid, daemon.log()
            service.wait_for_end()
            service.pid = pid
        assert set(prober.lost().values()) == {0}
        intervals = (time.monotonic_ns() - begun_ns) // (INTERVAL_CS * 10_000_000)
        gaps, counts = largest_gap_ms(tap), Counter(frame[6:12] for _at, frame in tap.frames())
        print("%d virtual routers, largest gap %.1f ms" % (MANY, max(gaps.values())))
        late_ms = stalls.late_ns(begun_ns) / 1e6
        assert len(gaps) == MANY and max(gaps.values()) < MOST_GAP_MS + late_ms, daemon.log()
        missed = 2 + late_ms / (INTERVAL_CS * 10)
        assert min(counts.values()) >= intervals - missed, "frames that were not seen: %s" % counts
    finally:
        prober.close()
        if tap is not None:
            tap.close()
        service.kill()


def read_for(tap: Tap, seconds: float) -> None:
    """Its socket holds only a few hundred frames."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        tap.frames()
        time.sleep(0.01)
