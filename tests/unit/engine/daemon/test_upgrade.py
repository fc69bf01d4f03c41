# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running process's side of an upgrade, step by step; the test plays the new process. What real
releases do is in tests/netns/test_upgrade.py."""

import json
import os
import resource
import signal
import socket
import sys

import pytest
from engine_kit.driver import Driver, master
from engine_kit.ports import FakeClock, FakeLog
from engine_kit.values import NS_PER_MS, NS_PER_S, T0, config, group

from vrrp.daemon import upgrade as upgrade_module
from vrrp.daemon.upgrade import (
    IDLE_PATIENCE_NS,
    WARM_UP_NS,
    Aftermath,
    Channel,
    HandedOn,
    Heir,
    Upgrade,
    UpgradeError,
    latest_answer_ns,
    own_command,
)
from vrrp.errors import ControlError
from vrrp.router.inheritance import read
from vrrp.router.vrrp_router import VrrpRouter

HELLO = {"configuration": {"format": 1}}


class Stage:
    """A running process with one master, and what a new one hears of it."""

    def __init__(self, monkeypatch):
        self.journal = []
        self.driver = master(config(group()))
        self.clock = FakeClock(self.driver.now_ns)
        self.upgrade = Upgrade(self.driver.router, lambda: HELLO, self.clock, FakeLog(self.journal))
        self.told = []
        self.upgrade.succeeded = self.told.append
        self.pids = []
        monkeypatch.setattr(self.upgrade, "_spawn", self._spawn)

    def _spawn(self):
        ours, theirs = socket.socketpair()
        self.heir = Channel(theirs)
        sleep = ["/bin/sleep", "1000"]
        self.pids.append(os.posix_spawn(sleep[0], sleep, os.environ))
        return self.pids[-1], Channel(ours)

    def tick(self):
        self.upgrade.tick(self.clock.now_ns())

    def start(self):
        assert self.upgrade.start() == {}
        self.heir.send("here", pid=self.pids[-1])
        self.tick()
        return self.heir.expect("hello", 0)

    def go_on(self):
        """Until the new process would be told."""
        self.start()
        for word in ("ready", "standing-by"):
            self.heir.send(word)
            self.tick()
        return self.heir.receive(0)

    def wait_for_end(self):
        """The kernel is done with the new process."""
        os.waitid(os.P_PID, self.pids[-1], os.WEXITED | os.WNOWAIT)
        self.tick()

    def close(self):
        self.heir.close()
        for pid in self.pids:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                continue


@pytest.fixture(autouse=True)
def _at_home(monkeypatch):
    """A test that forked would be two."""
    monkeypatch.setattr(upgrade_module, "_leave_home", lambda: None)


@pytest.fixture(name="stage")
def stage_with_an_heir(monkeypatch):
    stage = Stage(monkeypatch)
    yield stage
    if stage.pids:
        stage.close()


def test_without_an_upgrade_it_has_nothing_to_do(stage):
    stage.tick()
    assert (stage.upgrade.deadline_ns(), stage.upgrade.status()) == (None, None)
    assert not stage.upgrade.is_running


def test_a_new_process_is_told_what_runs(stage):
    stage.upgrade.descriptors = {"lock": 3, "listener": 4}
    hello = stage.start()
    assert hello["format"] == 1 and hello["configuration"] == HELLO["configuration"]
    assert hello["descriptors"] == {"lock": 3, "listener": 4}
    assert stage.upgrade.status() == {"state": "running", "why": None}
    assert stage.upgrade.deadline_ns() > stage.clock.now_ns()


def test_a_new_process_that_does_not_read_holds_nobody_up(stage):
    """A large configuration does not fit into the socket."""
    stage.upgrade._hello = lambda: {"configuration": "x" * 3_000_000}
    assert stage.upgrade.start() == {}
    stage.heir.send("here", pid=stage.pids[-1])
    stage.tick()
    for _turn in range(200):
        stage.tick()
        hello = stage.heir.receive(0)
        if hello is not None:
            break
    assert len(hello["configuration"]) == 3_000_000


def test_there_is_one_upgrade_at_a_time(stage):
    stage.start()
    with pytest.raises(ControlError) as caught:
        stage.upgrade.start()
    assert caught.value.code == "busy" and len(stage.pids) == 1


def test_step_by_step_the_new_process_takes_over(stage):
    stage.start()
    stage.tick()
    assert stage.heir.receive(0) is None
    stage.heir.send("ready")
    stage.tick()
    stage.heir.expect("stand-by", 0)
    stage.tick()
    stage.heir.send("standing-by")
    stage.heir.send("going-on")  # the answer is there before the question, for there is one thread
    with pytest.raises(HandedOn):
        stage.tick()
    document = stage.heir.expect("go-on", 0)
    assert list(read(document["router"]).memories) == ["lan0/ipv4/10"]
    past = stage.heir.expect("past", 0)["routers"]["lan0/ipv4/10"]
    assert past["counters"]["master-transitions"] == 1
    with pytest.raises(UpgradeError):
        stage.heir.receive(10)  # closed, also by a child that is just being made
    assert stage.told == stage.pids
    assert not stage.upgrade.is_running, "whoever ends now must not end the new process"


def test_who_does_not_answer_in_time_is_ended_before_it_is_too_late(stage):
    now_ns = stage.clock.now_ns()
    latest_ns = latest_answer_ns(stage.driver.router, now_ns)
    assert now_ns < latest_ns < now_ns + 2 * NS_PER_S
    stage.driver.router.bound_routers()[0].machine.deadline_ns = now_ns - 400 * NS_PER_MS
    assert latest_answer_ns(stage.driver.router, now_ns) == now_ns, "already late"
    stage.clock.time_ns += 2 * NS_PER_S  # no calm moment was found
    stage.start()
    stage.heir.send("ready")
    stage.tick()
    stage.heir.send("standing-by")
    stage.tick()
    stage.clock.time_ns += NS_PER_S
    stage.tick()
    assert stage.upgrade.status()["state"] == "running", "until the kernel is done with it"
    stage.wait_for_end()
    assert stage.upgrade.status()["state"] == "failed"
    assert stage.told == []


def test_handing_on_waits_for_a_calm_moment(stage):
    machine = stage.driver.router.bound_routers()[0].machine
    now_ns = stage.clock.now_ns()
    machine.deadline_ns = now_ns + 5 * NS_PER_MS
    stage.driver.router._deadlines.set("lan0/ipv4/10", machine.deadline_ns)
    stage.start()
    for word in ("ready", "standing-by"):
        stage.heir.send(word)
        stage.tick()
    stage.heir.expect("stand-by", 0)
    assert stage.heir.receive(0) is None, "an advertisement is due in 5 ms"
    stage.driver.step(tick_event(), machine.deadline_ns)
    stage.heir.send("going-on")
    with pytest.raises(HandedOn):
        stage.tick()


def tick_event():
    from vrrp.router.events import Tick

    return Tick()


def test_who_is_leaving_a_role_is_not_handed_on(stage):
    stage.driver.drain("vlan10")
    assert stage.driver.router.is_leaving
    stage.start()
    for word in ("ready", "standing-by"):
        stage.heir.send(word)
        stage.tick()
    stage.heir.expect("stand-by", 0)
    assert stage.heir.receive(0) is None
    assert stage.upgrade.is_running


@pytest.mark.parametrize(
    "line, why",
    (
        (b'{"say": "failed", "why": "no luck"}\n', "no luck"),
        (b'{"say": "going-on"}\n', "instead of 'ready'"),
        (b"ready\n", "does not speak JSON"),
        (b"[]\n", "another language"),
        (b'{"say": 7}\n', "another language"),
        (b"\xff\n", "does not speak JSON"),
        (b"[" * 100_000 + b"\n", "does not speak JSON"),
    ),
)
def test_a_new_process_that_says_something_else_is_given_up(stage, line, why):
    stage.start()
    stage.heir._socket.sendall(line)
    stage.tick()
    stage.wait_for_end()
    status = stage.upgrade.status()
    assert status["state"] == "failed" and why in status["why"]
    assert ("log", "error", "upgrade given up, this process goes on: " + status["why"]) in (
        stage.journal
    )


def test_a_new_process_that_is_never_ready_is_given_up(stage):
    stage.start()
    stage.clock.time_ns += WARM_UP_NS - 1
    stage.tick()
    assert stage.upgrade.status()["state"] == "running"
    stage.clock.time_ns += 1
    stage.tick()
    stage.wait_for_end()
    assert "not ready within" in stage.upgrade.status()["why"]


def test_another_configuration_gives_it_up(stage):
    stage.start()
    stage.driver.configure(config(group(), group("more", vrid=11)))
    stage.tick()
    stage.wait_for_end()
    assert "configuration changed" in stage.upgrade.status()["why"]


def test_whoever_asks_gives_it_up_and_may_begin_again(stage):
    stage.upgrade.give_up("nobody is there")
    assert stage.upgrade.status() is None
    stage.start()
    stage.upgrade.give_up("a reload came")
    stage.upgrade.give_up("and another one")
    stage.wait_for_end()
    assert stage.upgrade.status()["why"] == "a reload came"
    stage.heir.close()
    stage.start()
    assert stage.upgrade.status()["state"] == "running"


def test_one_that_ends_by_itself_may_tell_how(stage):
    stage.start()
    stage.heir.close()
    while stage.upgrade._phase != stage.upgrade._await_end:
        stage.tick()  # a child that is just being made still has a copy of the socket
    assert stage.upgrade.is_running
    os.kill(stage.pids[-1], 0)  # it has not been killed
    stage.clock.time_ns += 2 * NS_PER_S
    stage.tick()
    stage.wait_for_end()
    assert "is gone" in stage.upgrade.status()["why"]


def test_a_host_without_descriptors_has_no_upgrade():
    router = VrrpRouter(config(group()), (), T0)
    upgrade = Upgrade(router, lambda: HELLO, FakeClock(), FakeLog([]), ("/bin/true",))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(ControlError) as caught:
            upgrade.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caught.value.code == "upgrade-failed" and "Too many open files" in caught.value.message
    assert upgrade.status()["state"] == "failed"


def test_a_program_that_is_not_there_has_none_either():
    router = VrrpRouter(config(group()), (), T0)
    upgrade = Upgrade(router, lambda: HELLO, FakeClock(), FakeLog([]), ("/nonexistent/python3",))
    with pytest.raises(ControlError, match="cannot be started"):
        upgrade.start()


def test_it_runs_its_own_command_line_again(monkeypatch, tmp_path):
    line = [b"python3", b"-I", b"/l/current", b"run", b"--inherit", b"5", b"--config", b"/c"]
    file = tmp_path / "cmdline"
    file.write_bytes(b"".join(word + b"\0" for word in line))
    monkeypatch.setattr(upgrade_module, "open", lambda _path, mode: file.open(mode), raising=False)
    assert own_command() == [sys.executable, "-I", "/l/current", "run", "--config", "/c"]


def test_patience_is_that_of_the_most_urgent_master():
    backup = Driver(config(group()))
    assert latest_answer_ns(backup.router, T0) == T0 + IDLE_PATIENCE_NS
    fast = master(config(group(advertisement_interval_cs=10), group("b", vrid=11)))
    now_ns = fast.now_ns
    due_ns = min(each.machine.deadline_ns for each in fast.router.bound_routers())
    assert latest_answer_ns(fast.router, now_ns) == due_ns + 40 * NS_PER_MS


@pytest.mark.parametrize("pid", (None, "7", 0, 1, -1, True))
def test_a_new_process_without_a_number_is_given_up(stage, pid):
    stage.upgrade.start()
    stage.heir.send("here", pid=pid)
    stage.tick()
    stage.wait_for_end()
    assert "no process id" in stage.upgrade.status()["why"]


def test_what_was_forked_is_ended(stage):
    """And its parent, which ended long ago, has been waited for."""
    stage.upgrade.start()
    forked = os.posix_spawn("/bin/sleep", ["/bin/sleep", "1000"], os.environ)
    stage.heir.send("here", pid=forked)
    stage.tick()
    os.kill(stage.pids[-1], signal.SIGTERM)
    os.waitid(os.P_PID, stage.pids[-1], os.WEXITED | os.WNOWAIT)
    stage.upgrade.give_up("enough")
    os.waitpid(forked, 0)  # nobody has to, if it is another one's child
    stage.tick()
    assert stage.upgrade.status() == {"state": "failed", "why": "enough"}
    with pytest.raises(ChildProcessError):
        os.waitpid(stage.pids[-1], os.WNOHANG)


# The new process


def heir_and_its_elder():
    ours, theirs = socket.socketpair()
    return Heir(theirs.detach()), Channel(ours)


def test_an_heir_listens_only_to_its_format():
    heir, elder = heir_and_its_elder()
    elder.send("hello", format=2)
    with pytest.raises(UpgradeError, match="it speaks format 2, here it is 1"):
        heir.hello()
    elder.expect("here", 0)
    elder.send("hello", format=1, colour="blue")
    assert heir.hello()["colour"] == "blue"
    heir.channel.close()
    elder.close()


def test_an_heir_forgets_until_it_is_told_to_stand_by():
    heir, elder = heir_and_its_elder()
    reader, writer = os.pipe()
    os.write(writer, b"x")
    forgotten = []

    def forget():
        if len(forgotten) == 3:
            elder.send("stand-by")
        forgotten.append(True)

    heir.wait_for_stand_by((reader,), forget)
    assert len(forgotten) == 4
    elder.expect("ready", 0)
    elder.expect("standing-by", 0)
    for each in (heir.channel, elder):
        each.close()
    os.close(reader)
    os.close(writer)


def test_an_heir_whose_elder_dies_ends():
    heir, elder = heir_and_its_elder()
    elder.close()
    with pytest.raises(UpgradeError):
        heir.wait_for_stand_by((), lambda: None)
    heir.refuse("nobody listens")
    heir.channel.close()


@pytest.mark.parametrize("router", (None, {"format": 9}))
def test_an_heir_refuses_what_it_does_not_understand(router):
    heir, elder = heir_and_its_elder()
    elder.send("go-on", router=router)
    with pytest.raises(UpgradeError):
        heir.inheritance()
    heir.channel.close()
    elder.close()


def test_the_past_comes_later_and_then_it_is_alone():
    before = master(config(group()))
    after = Driver(config(group()))
    ours, theirs = socket.socketpair()
    elder, alone, clock = Channel(ours), [], FakeClock()
    duty = Aftermath(Channel(theirs), after.router, clock, lambda: alone.append(True))
    duty.tick(T0)
    assert duty.deadline_ns() is not None and not alone
    from vrrp.router.inheritance import written_pasts

    elder.send("past", routers=json.loads(json.dumps(written_pasts(before.router))))
    duty.tick(T0)
    (bound,) = after.router.bound_routers()
    assert bound.counters["master-transitions"] == 1 and not alone
    elder.close()
    duty.tick(T0)
    duty.tick(T0)
    assert alone == [True] and duty.deadline_ns() is None


def test_an_elder_that_never_ends_is_not_waited_for():
    ours, theirs = socket.socketpair()
    alone, clock = [], FakeClock()
    router = Driver(config(group())).router
    duty = Aftermath(Channel(theirs), router, clock, lambda: alone.append(True))
    duty.tick(T0 + NS_PER_S)
    assert not alone
    duty.tick(T0 + 5 * NS_PER_S)
    assert alone == [True]
    ours.close()
