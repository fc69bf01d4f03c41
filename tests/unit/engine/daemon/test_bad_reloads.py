# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reload with any bad file changes nothing: beside a daemon that never saw it, nobody could tell.

Each file of the corpus is reloaded by a daemon with a master, a backup and a virtual router that
waits. Before it, behind it, and in all that it does for seconds afterwards, the daemon has to be in
the very state, octet by octet, of a twin that was left alone.
"""

import json

import pytest
from engine_kit.bad_files import bad_files
from engine_kit.packets import V3
from engine_kit.ports import FakeClock, FakeDataplane, FakeIO, FakeLog, FakeProber
from engine_kit.values import NS_PER_S, T0, config, group, group6, link, ping

from vrrp.config.model import SyncGroupConfig, TrackReference
from vrrp.config.render import canonical_json
from vrrp.control.schema import Request, result_line
from vrrp.daemon.applier import Applier
from vrrp.daemon.beginning import LAST_GOOD, SOURCE_FILE, Beginning, Version
from vrrp.daemon.commitment import Commitment
from vrrp.daemon.drains import Drains
from vrrp.daemon.requests import Requests
from vrrp.daemon.shell import Shell
from vrrp.daemon.state_files import StateFiles
from vrrp.errors import ConfigError
from vrrp.facts import ProbeResult, ReceivedPacket
from vrrp.fsm.states import State
from vrrp.router.events import PacketReceived, Tick, TrackerReported
from vrrp.router.masks import NoMasks
from vrrp.router.snapshot import snapshot
from vrrp.router.state import frozen, pieces
from vrrp.router.vrrp_router import VrrpRouter

CORPUS = bad_files()
TRACKED = (TrackReference("uplink", 50),)
ROUTERS = config(
    group("leads", priority=200, track=TRACKED),
    group6("leads-v6", priority=200, track=TRACKED),
    group("listens", vrid=11, addresses=("198.18.10.9",)),
    group("waits", interface="lan9", vrid=12, addresses=("198.18.9.254",)),
    trackers=(ping(),),
)
RUNNING = type(ROUTERS)(
    ROUTERS.virtual_routers,
    ROUTERS.trackers,
    (SyncGroupConfig("both", ("leads", "leads-v6")),),
)
# Longer than a Master_Down_Interval; the peer says that it is heard again in 40 seconds.
SETTLING_NS, BEFORE_NS, AFTER_NS = 5 * NS_PER_S, 3 * NS_PER_S // 10, 5 * NS_PER_S
PEER = V3.but(vrid=11, priority=150, interval=4000, addresses=(b"\xc6\x12\x0a\x09",))


class Daemon:
    """Requests over a router that has been running for a while."""

    def __init__(self, directory):
        self.journal, self.clock = [], FakeClock()
        self.io, self.prober = FakeIO(self.journal), FakeProber()
        self.dataplane = FakeDataplane(self.journal)
        self.file = directory / "config.json"
        self.file.write_text(canonical_json(RUNNING), encoding="utf-8")
        self.router = VrrpRouter(RUNNING, (link(),), T0)
        log = FakeLog(self.journal)
        self.shell = Shell(self.router, self.io, self.dataplane, log)
        self.state = directory / "state"
        self.state.mkdir()
        files = StateFiles(str(self.state), log)
        drains = Drains(self.shell, files, self.clock, log)
        apply = Applier(self.shell, self.prober, drains, self.clock)
        beginning = Beginning(Version(RUNNING), SOURCE_FILE)
        self.told = []
        self.commitment = Commitment(
            beginning,
            str(self.file),
            files,
            self.clock,
            log,
            apply,
            lambda *told: self.told.append(told),
        )
        self.requests = Requests(self.shell, self.commitment, drains, files, self.clock, {})
        self.prober.configure(RUNNING.trackers, T0)
        self.shell.step(Tick(), T0)
        answered = ProbeResult("uplink", True, "198.51.100.1 answered")
        self.shell.step(TrackerReported(answered), T0)
        self.shell.step(PacketReceived(ReceivedPacket(7, PEER.octets())), T0)
        self.run(SETTLING_NS)
        self.run(BEFORE_NS)

    def run(self, length_ns):
        """Do all that is due for so long, as the daemon's loop does."""
        end_ns = self.clock.time_ns + length_ns
        while True:
            wanted = [self.router.deadline_ns, self.commitment.deadline_ns()]
            next_ns = min((each for each in wanted if each is not None), default=end_ns)
            if next_ns >= end_ns:
                self.clock.time_ns = end_ns
                return
            self.clock.time_ns = max(self.clock.time_ns, next_ns)
            self.shell.step(Tick(), self.clock.time_ns)
            self.commitment.tick(self.clock.time_ns)

    def ask(self, method, **params):
        """The result as a client gets it."""
        result = self.requests.handle(Request(1, method, params))
        return json.loads(result_line(1, result))["result"]

    def everything(self):
        """All that a reload could change, to compare."""
        files = {each.name: each.read_bytes() for each in self.state.iterdir()}
        return {
            "state": list(pieces(frozen(self.router), NoMasks())),
            "shown": snapshot(self.router, self.clock.time_ns),
            "deadlines": (self.router.deadline_ns, self.commitment.deadline_ns()),
            "kernel": self.router.emitted,
            "trackers": self.prober.trackers,
            "files": files,
            "running": self.commitment.running.sha256,
            "told": list(self.told),
        }


@pytest.fixture(name="daemon")
def daemon_in_a_directory(tmp_path):
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.io.close()


@pytest.fixture(name="twin", scope="module")
def twin_left_alone(tmp_path_factory):
    """What a daemon that nobody reloads is, then does, and is in the end."""
    daemon = Daemon(tmp_path_factory.mktemp("twin"))
    before = daemon.everything()
    daemon.journal.clear()
    daemon.run(AFTER_NS)
    yield before, list(daemon.journal), daemon.everything()
    daemon.io.close()


def refusal(daemon, **params):
    with pytest.raises(ConfigError) as caught:
        daemon.ask("do.reload", **params)
    return caught.value


def test_the_story_is_worth_telling(daemon, twin):
    """Were all virtual routers idle, it would be no wonder that nothing changes."""
    states = {bound.config.name: bound.state for bound in daemon.router.bound_routers()}
    assert states == {
        "leads": State.MASTER,
        "leads-v6": State.MASTER,
        "listens": State.BACKUP,
        "waits": State.INITIALIZE,
    }
    before, done, after = twin
    assert sum(each[0] == "send" for each in done) >= 10
    assert before["state"] != after["state"]
    assert before["files"][LAST_GOOD] == canonical_json(RUNNING).encode()


@pytest.mark.parametrize("params", [{}, {"confirm_within_s": 60}], ids=["at once", "on probation"])
@pytest.mark.parametrize("bad", CORPUS, ids=str)
def test_a_bad_file_changes_nothing_and_every_problem_is_named(daemon, twin, bad, params):
    before, done, after = twin
    bad.write(daemon.file)
    daemon.journal.clear()
    error = refusal(daemon, **params)

    assert bad.explains([str(problem) for problem in error.problems], daemon.file)
    ((kind, level, message),) = daemon.journal
    assert (kind, level) == ("log", "error"), "no frame, no request to the kernel, one line"
    assert "the running configuration stays" in message
    shown = daemon.ask("show.status")["engine"]
    for text in (str(error), message, shown["last_reload_error"]):
        assert bad.unnamed(text, daemon.file) == []
    assert (shown["probation"], shown["config_source"]) == (None, SOURCE_FILE)
    assert daemon.everything() == before

    daemon.journal.clear()
    daemon.run(AFTER_NS)
    assert daemon.journal == done, "every frame at its time, and nothing else"
    assert daemon.everything() == after


def test_the_whole_corpus_one_after_the_other(daemon, twin):
    before, done, after = twin
    for bad in CORPUS:
        bad.write(daemon.file)
        refusal(daemon)
    assert daemon.everything() == before
    daemon.journal.clear()
    daemon.run(AFTER_NS)
    assert (daemon.journal, daemon.everything()) == (done, after)


def test_a_good_file_would_have_been_noticed(daemon, twin):
    """What these tests compare does tell a change, even of the smallest kind."""
    before, done, _after = twin
    wanted = json.loads(canonical_json(RUNNING))
    wanted["virtual_routers"][0]["priority"] = 201
    daemon.file.write_text(json.dumps(wanted), encoding="utf-8")
    (change,) = daemon.ask("do.reload")["changes"]
    assert (change["name"], change["fields"]) == ("leads", ["priority"])
    now = daemon.everything()
    different = {key for key in before if now[key] != before[key]}
    assert {"state", "shown", "running", "told"} <= different
    daemon.journal.clear()
    daemon.run(AFTER_NS)
    assert daemon.journal != done


@pytest.mark.parametrize("bad", [each for each in CORPUS if each.document is not None], ids=str)
def test_checking_a_bad_document_changes_nothing_either(daemon, twin, bad):
    checked = daemon.ask("config.check", document=bad.document)
    named = ["%(path)s: %(message)s (%(hint)s)" % problem for problem in checked["problems"]]
    assert bad.explains(named, daemon.file)
    assert checked["changes"] == []
    assert daemon.everything() == twin[0]
