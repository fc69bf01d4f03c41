# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is drained: by request, over restarts, reloads and renames, and until nobody else comes."""

from dataclasses import replace

import pytest
from engine_kit.packets import V3
from engine_kit.ports import FakeClock, FakeDataplane, FakeIO, FakeLog, FakeProber
from engine_kit.values import NS_PER_S, T0, config, group, link

from vrrp.config.model import SyncGroupConfig
from vrrp.daemon.applier import Applier
from vrrp.daemon.beginning import PROBATION
from vrrp.daemon.drains import RETRY_NS, Drains, read_drained
from vrrp.daemon.shell import Shell
from vrrp.daemon.state_files import StateFiles
from vrrp.errors import ControlError, PlatformError
from vrrp.fsm.states import State
from vrrp.router.events import PacketReceived, Tick
from vrrp.router.vrrp_router import VrrpRouter

ONE, TWO = group("one"), group("two", vrid=11, addresses=("198.18.10.9",))
OWNER = group("owner", vrid=12, priority=255, addresses=("198.18.10.5",))
SECOND = NS_PER_S
# Under which ONE is remembered, whatever it is called.
ID = "lan0/ipv4/10"


class Daemon:
    """The part of a daemon that drains, over a real router without a network."""

    def __init__(self, directory, wanted):
        self.directory, self.clock, self.journal = directory, FakeClock(), []
        self.log = FakeLog(self.journal)
        self.io = FakeIO(self.journal)
        self.start(wanted)

    def start(self, wanted):
        self.files = StateFiles(str(self.directory), self.log)
        now_ns = self.clock.now_ns()
        self.router = VrrpRouter(wanted, (link(),), now_ns, drained=read_drained(self.files))
        self.shell = Shell(self.router, self.io, FakeDataplane(self.journal), self.log)
        self.drains = Drains(self.shell, self.files, self.clock, self.log)
        self.reload = Applier(self.shell, FakeProber(), self.drains, self.clock)

    def pass_time(self, seconds):
        """The loop turns whenever the router wants it to."""
        end_ns = self.clock.time_ns + round(seconds * SECOND)
        while True:
            next_ns = self.router.deadline_ns
            if next_ns is None or next_ns > end_ns:
                break
            self.clock.time_ns = max(self.clock.time_ns, next_ns)
            self.shell.step(Tick(), self.clock.time_ns)
            self.drains.tick(self.clock.time_ns)
        self.clock.time_ns = end_ns
        self.drains.tick(end_ns)

    def hear(self, vrid=10):
        """Another router is master, with a lower priority than ours."""
        addresses = ONE.addresses if vrid == 10 else TWO.addresses
        advert = V3.but(vrid=vrid, priority=50, addresses=addresses)
        packet = advert.received(now_ns=self.clock.time_ns)
        self.shell.step(PacketReceived(packet), self.clock.time_ns)

    def states(self):
        return {each.config.name: each.state.value for each in self.router.bound_routers()}

    def drained(self):
        bounds = self.router.bound_routers()
        return {each.config.name for each in bounds if self.router.is_drained(each)}

    def priority(self, name):
        (bound,) = (each for each in self.router.bound_routers() if each.config.name == name)
        return bound.parameters.priority

    def refusal(self, act, **params):
        with pytest.raises(ControlError) as caught:
            act(params)
        return caught.value


@pytest.fixture(name="make")
def maker_of_daemons(tmp_path):
    daemons = []

    def make(*groups, **more):
        daemon = Daemon(tmp_path, replace(config(*groups), **more))
        daemons.append(daemon)
        daemon.pass_time(4)  # nobody else is there: master
        return daemon

    yield make
    for daemon in daemons:
        daemon.io.close()


def test_drained_by_name(make):
    daemon = make(ONE, TWO)
    assert daemon.states() == {"one": "master", "two": "master"}
    answer = daemon.drains.drain({"names": ["one"]})
    assert answer == {"drained": ["one"], "drained_all": False, "leaving": ["one"]}
    assert daemon.states() == {"one": "backup", "two": "master"}
    daemon.hear()
    daemon.pass_time(1)
    assert read_drained(daemon.files) == {ID}


def test_drained_as_a_whole_includes_who_comes_later(make):
    daemon = make(ONE)
    assert daemon.drains.drain({"all": True})["drained_all"] is True
    daemon.hear()
    daemon.pass_time(1)
    daemon.reload(config(ONE, TWO))
    assert daemon.drained() == {"one", "two"}
    daemon.start(config(ONE, TWO))
    assert daemon.drained() == {"one", "two"}


def test_more_names_are_added_and_undrained_one_by_one(make):
    daemon = make(ONE, TWO)
    daemon.drains.drain({"names": ["one"]})
    daemon.drains.drain({"names": ["two"]})
    assert daemon.drained() == {"one", "two"}
    answer = daemon.drains.undrain({"names": ["one"]})
    assert answer["drained"] == ["two"]
    daemon.drains.undrain({"all": True})
    assert daemon.drained() == set()


def test_all_but_one(make):
    daemon = make(ONE, TWO)
    daemon.drains.drain({"all": True})
    daemon.drains.undrain({"names": ["one"]})
    assert daemon.router.drained == {str(TWO.key)}


def test_a_restart_finds_who_was_drained(make):
    daemon = make(ONE, TWO)
    daemon.drains.drain({"names": ["one"]})
    daemon.hear()
    daemon.pass_time(1)
    daemon.start(config(ONE, TWO))
    assert daemon.drained() == {"one"}
    daemon.pass_time(0)
    assert daemon.priority("one") == 1
    daemon.drains.undrain({"names": ["one"]})
    daemon.pass_time(0)
    assert daemon.priority("one") == 100
    daemon.start(config(ONE, TWO))
    assert daemon.drained() == set()


def test_the_last_healthy_router_is_not_drained(make):
    daemon = make(ONE)
    daemon.drains.drain({"names": ["one"]})
    daemon.pass_time(3)
    assert daemon.states() == {"one": "master"}
    assert daemon.drained() == set()
    assert read_drained(daemon.files) == frozenset(), "what the router says is remembered"


def test_forced_it_is(make):
    daemon = make(ONE)
    daemon.drains.drain({"names": ["one"], "force": True})
    daemon.pass_time(2)
    assert daemon.states() == {"one": "backup"}
    assert read_drained(daemon.files) == {ID}
    daemon.pass_time(5)
    assert daemon.states() == {"one": "master"}, "as the last resort"
    assert daemon.drained() == {"one"}


def test_a_drained_master_tries_again_when_asked_again(make):
    daemon = make(ONE)
    daemon.drains.drain({"names": ["one"], "force": True})
    daemon.pass_time(10)
    assert daemon.states() == {"one": "master"}
    assert daemon.drains.drain({"names": ["one"]})["leaving"] == ["one"]
    daemon.hear()
    daemon.pass_time(1)
    assert (daemon.states(), daemon.drained()) == ({"one": "backup"}, {"one"})


def test_asked_again_a_drained_backup_does_nothing(make):
    daemon = make(ONE)
    daemon.drains.drain({"names": ["one"]})
    daemon.hear()
    daemon.pass_time(1)
    daemon.journal.clear()
    answer = daemon.drains.drain({"names": ["one"]})
    assert (answer["drained"], answer["leaving"], daemon.journal) == (["one"], [], [])


def test_members_of_a_sync_group_go_together(make):
    together = (SyncGroupConfig("both", ("one", "two")),)
    daemon = make(ONE, TWO, sync_groups=together)
    assert daemon.states() == {"one": "master", "two": "master"}
    answer = daemon.drains.drain({"names": ["one"]})
    assert answer["drained"] == answer["leaving"] == ["one", "two"]
    daemon.hear(10)
    daemon.hear(11)
    daemon.pass_time(1)
    assert daemon.drains.undrain({"names": ["two"]})["drained"] == []


# Names


@pytest.mark.parametrize("names", (["three"], ["one", "three"]))
def test_unknown_names_tell_which_there_are(make, names):
    daemon = make(ONE, TWO)
    for act in (daemon.drains.drain, daemon.drains.undrain):
        refusal = daemon.refusal(act, names=names)
        assert refusal.code == "unknown-name"
        assert "'three'" in refusal.message and "one, two" in refusal.message
    assert daemon.drained() == set()


@pytest.mark.parametrize(
    "params",
    (
        {},
        {"names": []},
        {"names": "one"},
        {"names": [1]},
        {"names": ["one"], "all": True},
        {"all": 1},
        {"all": False},
        {"names": ["one"], "force": "yes"},
    ),
)
def test_what_nobody_can_mean(make, params):
    daemon = make(ONE)
    assert daemon.refusal(daemon.drains.drain, **params).code == "bad-parameters"
    assert daemon.drained() == set()


def test_an_address_owner_is_refused_by_name_and_left_out_of_all(make):
    daemon = make(ONE, OWNER)
    refusal = daemon.refusal(daemon.drains.drain, names=["one", "owner"])
    assert refusal.code == "owner"
    assert "owner cannot be drained" in refusal.message
    assert daemon.drained() == set()
    assert daemon.drains.drain({"all": True})["drained"] == ["one"]
    assert daemon.states()["owner"] == "master"


# Reloads


def test_a_rename_keeps_it_drained_all_the_while(make):
    daemon = make(ONE)
    daemon.drains.drain({"names": ["one"]})
    daemon.hear()
    daemon.pass_time(1)
    daemon.journal.clear()
    daemon.reload(config(replace(ONE, name="uno")))
    assert daemon.router.drained == {ID}
    assert daemon.priority("uno") == 1
    assert [entry for entry in daemon.journal if "drained" in str(entry)] == []
    daemon.pass_time(0)
    assert read_drained(daemon.files) == {ID}


def test_a_restart_with_names_that_changed_places_finds_who_was_drained(make):
    daemon = make(ONE, TWO)
    daemon.drains.drain({"names": ["one"]})
    daemon.hear()
    daemon.pass_time(1)
    daemon.start(config(replace(ONE, name="two"), replace(TWO, name="one")))
    assert daemon.drained() == {"two"}
    daemon.pass_time(0)
    assert (daemon.priority("one"), daemon.priority("two")) == (100, 1)


def test_the_name_of_one_that_was_removed_drains_nobody(make):
    daemon = make(ONE)
    daemon.drains.drain({"names": ["one"]})
    daemon.reload(config(replace(TWO, name="one")))
    assert daemon.drained() == set()


def test_who_was_removed_and_comes_back_is_not_drained(make):
    daemon = make(ONE, TWO)
    daemon.drains.drain({"names": ["one"]})
    daemon.reload(config(TWO))
    assert daemon.router.drained == frozenset()
    daemon.reload(config(ONE, TWO))
    assert daemon.drained() == set()


def test_who_was_removed_on_probation_is_drained_when_that_is_taken_back(make):
    daemon = make(ONE, TWO)
    daemon.drains.drain({"names": ["one"]})
    daemon.hear()
    daemon.pass_time(1)
    daemon.files.write(PROBATION, {})
    daemon.reload(config(TWO))
    daemon.pass_time(1)
    assert read_drained(daemon.files) == {ID}, "also over a restart"
    daemon.files.remove(PROBATION)
    daemon.reload(config(ONE, TWO))
    daemon.pass_time(0)
    assert (daemon.drained(), daemon.priority("one")) == ({"one"}, 1)


def test_who_was_removed_on_probation_is_forgotten_when_that_is_confirmed(make):
    daemon = make(ONE, TWO)
    daemon.drains.drain({"names": ["one"]})
    daemon.files.write(PROBATION, {})
    daemon.reload(config(TWO))
    daemon.files.remove(PROBATION)
    daemon.drains.forget_removed()
    assert daemon.router.drained == frozenset(), "confirmed: it is gone for good"


# Files


class Disk(StateFiles):
    """A disk that may be full."""

    is_full = True

    def write_text(self, name, text):
        if self.is_full:
            raise PlatformError("write", name, 28)
        super().write_text(name, text)


def test_a_full_disk_is_told_once_and_tried_again(make, tmp_path):
    daemon = make(ONE)
    disk = Disk(str(tmp_path), daemon.log)
    daemon.drains = Drains(daemon.shell, disk, daemon.clock, daemon.log)
    daemon.drains.drain({"names": ["one"]})
    for _second in range(130):
        daemon.hear()
        daemon.pass_time(1)
    assert daemon.states() == {"one": "backup"}
    warnings = [entry for entry in daemon.journal if "a restart would not know" in str(entry)]
    assert len(warnings) == 1
    assert T0 < daemon.drains.deadline_ns() <= daemon.clock.time_ns + RETRY_NS
    disk.is_full = False
    daemon.pass_time(61)
    assert read_drained(disk) == {ID}
    assert daemon.drains.deadline_ns() is None


@pytest.mark.parametrize("text", ("{", '{"format": 1}', '{"format": 1, "drained": [7]}'))
def test_a_damaged_file_drains_nobody(make, tmp_path, text):
    (tmp_path / "drained.json").write_text(text, encoding="utf-8")
    daemon = make(ONE)
    assert daemon.drained() == set()
    assert State(daemon.states()["one"]) is State.MASTER
    assert "drained.json is not used" in daemon.files.problems[0]
