# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A takeover is rehearsed: in time, once, only when it is near, and without a trace."""

from signal import SIGHUP

import pytest
from engine_kit.packets import V3
from engine_kit.ports import refused
from engine_kit.stage import LOOK_NS, Stage
from engine_kit.values import NS_PER_MS, T0, config, group, group6, link

from vrrp.config.model import LeaseMode, RouterAdvertisements
from vrrp.daemon.heartbeat import Heartbeat
from vrrp.daemon.rehearsal import EARLY_NS, LEAST_NS, Rehearsal
from vrrp.router.events import Tick
from vrrp.router.journal import Recorder
from vrrp.router.masks import Masks

# With priority 100, of an interval of a second.
DOWN_MS = 3_609.375
STEADY = V3.but(priority=200).received()


@pytest.fixture(name="stage")
def stage_with_one_group(monkeypatch):
    stage = Stage(config(group()), monkeypatch)
    yield stage
    stage.close()


def during_rehearsal(stage, happening):
    """Call it in the middle of each; the times of rehearsals, in milliseconds after T0."""
    times = []

    def rehearse(frames):
        assert frames
        times.append((stage.clock.time_ns - T0) / NS_PER_MS)
        happening()

    stage.io.rehearse = rehearse
    return times


def adverts(stage):
    return [(at, priority) for at, _kind, _ifindex, *said in stage.did("send") for priority in said
            if priority != "announcement"]  # fmt: skip


# When


def test_a_takeover_is_rehearsed_a_moment_before(stage):
    times = during_rehearsal(stage, lambda: None)
    stage.run(3_700)
    assert DOWN_MS - EARLY_NS / NS_PER_MS <= times[0] <= times[-1] < DOWN_MS
    # With all that it consists of: the kernel as a backup and as a master has it.
    assert stage.dataplane.rehearsed == [[], ["vg-vlan10"]]


def test_it_is_still_exact(stage):
    stage.run(3_700)
    (at_ms, priority), *_rest = adverts(stage)
    assert priority == 100
    assert 0 <= at_ms - DOWN_MS <= LOOK_NS / NS_PER_MS


def heard_each_second(stage, seconds):
    for second in range(seconds):
        stage.meanwhile(second * 1_000 + 500, lambda: stage.io.deliver(STEADY))


def test_while_the_master_is_heard_there_is_none_and_no_other_wake_up(stage):
    heard_each_second(stage, 60)
    stage.run(60_000)
    assert stage.io.rehearsed == stage.dataplane.rehearsed == []
    assert stage.waits == stage.turns
    # What is heard, a look each 5 s, the start; then the end.
    assert stage.turns <= 60 + 12 + 4


def test_a_master_does_not_rehearse(stage):
    stage.run(60_000)
    assert len(stage.dataplane.rehearsed) == 2, "once, before it became master"


def test_it_is_rehearsed_once_whatever_else_comes_in(stage):
    worse = V3.but(vrid=99).received()
    times = during_rehearsal(stage, lambda: None)
    for after_ms in (3_607, 3_608, 3_609):
        stage.meanwhile(after_ms, lambda: stage.io.deliver(worse))
    stage.run(3_650)
    assert stage.router.counters["vrid-errors"] == 3
    assert len(stage.dataplane.rehearsed) == 2 and times
    assert adverts(stage)[0][0] >= DOWN_MS


def test_each_silence_is_rehearsed(stage):
    for after_ms in (3_608, 7_216):
        stage.meanwhile(after_ms, lambda: stage.io.deliver(STEADY))
    stage.run(10_000)
    assert adverts(stage) == []
    assert len(stage.dataplane.rehearsed) == 2 * 2


def test_of_a_crowd_the_first_is_rehearsed(monkeypatch):
    """Their deadlines are 4 ms apart."""
    some = [
        group("vlan%d" % number, vrid=number, priority=number, addresses=("198.18.10.%d" % number,))
        for number in range(100, 110)
    ]
    stage = Stage(config(*some), monkeypatch)
    try:
        stage.run(3_700)
        assert len(adverts(stage)) >= 10
        assert stage.dataplane.rehearsed == [[], ["vg-vlan109"]]
    finally:
        stage.close()


def test_who_was_held_up_takes_over_without(stage):
    def stalled():
        stage.clock.time_ns = T0 + round(DOWN_MS * NS_PER_MS) - LEAST_NS // 2

    stage.around.at(3_600, stalled)
    stage.run(3_650)
    assert stage.dataplane.rehearsed == []
    assert 0 <= adverts(stage)[0][0] - DOWN_MS <= LOOK_NS / NS_PER_MS


# What comes meanwhile


def test_a_master_that_speaks_up_during_it_is_heard(stage):
    times = during_rehearsal(stage, lambda: stage.io.deliver(STEADY))
    stage.run(3_700)
    assert times and adverts(stage) == []


def test_a_master_that_speaks_up_during_one_that_takes_too_long_is_heard(stage):
    def slowly():
        stage.clock.time_ns += 2 * EARLY_NS
        stage.io.deliver(STEADY)

    times = during_rehearsal(stage, slowly)
    stage.run(3_700)
    assert times and adverts(stage) == []


def test_a_master_that_speaks_up_in_the_last_moment_is_heard(stage):
    stage.meanwhile(3_609.3, lambda: stage.io.deliver(STEADY))
    stage.run(3_700)
    assert stage.dataplane.rehearsed and adverts(stage) == []


# Without a trace

MANY = {
    "plain": config(group()),
    "IPv6": config(group6(router_advertisements=RouterAdvertisements(enabled=True))),
    "version 2": config(group(version=2)),
    "not accepting": config(group(accept=False), leases=LeaseMode.OFF),
    "together": config(
        group(), group("vlan11", vrid=11, addresses=("198.18.10.253",)),
        sync={"both": ("vlan10", "vlan11")},
    ),
}  # fmt: skip


def everything(stage, heartbeat):
    """What anybody can know of a daemon."""
    router = stage.router
    return (
        list(Recorder(router, Masks()).beginning(stage.clock.time_ns)),
        router.deadline_ns,
        router.desired(),
        router.emitted,
        heartbeat.beats(),
        list(stage.shell.lateness.counts),
        (stage.shell.needs_reconcile, stage.shell.is_deaf),
        list(stage.journal),
        list(stage.dataplane.renewed),
        list(stage.io.reads),
    )


@pytest.mark.parametrize("name", MANY)
def test_nothing_is_other_than_before(name, monkeypatch, tmp_path):
    stage = Stage(MANY[name], monkeypatch)
    heartbeat = stage.shell.heartbeat = Heartbeat(str(tmp_path))
    try:
        stage.shell.step(Tick(), T0)
        stage.shell.watch(stage.journal.append)
        rehearsal = Rehearsal(stage.shell, stage.io, stage.dataplane, stage.log)
        due_ns = rehearsal.takeover_ns()
        assert due_ns is not None and rehearsal.is_wanted(due_ns)
        stage.clock.time_ns = due_ns - EARLY_NS
        before = everything(stage, heartbeat)
        rehearsal.play(due_ns, stage.clock.time_ns)
        assert everything(stage, heartbeat) == before
        # It was one: the very frames, and the addresses. And it is enough.
        assert stage.io.rehearsed and stage.dataplane.rehearsed[-1]
        assert not rehearsal.is_wanted(due_ns)
        # What is compared would show it.
        stage.clock.time_ns = due_ns
        stage.shell.step(Tick(), due_ns)
        after = everything(stage, heartbeat)
        assert len([1 for was, now in zip(before, after) if was != now]) >= 3
    finally:
        heartbeat.close()
        stage.close()


def test_a_link_without_an_address_is_no_reason_to_fail(stage):
    """It is put up with for a moment; who began anew then would wait."""
    stage.meanwhile(3_600, lambda: stage.monitor.change(link(addresses=("fe80::5/64",))))
    stage.run(3_650)
    assert stage.io.rehearsed == []
    assert adverts(stage)[0][0] >= DOWN_MS


def test_a_data_plane_that_fails_in_it_changes_nothing(stage):
    def refuse(_desired):
        raise refused()

    stage.dataplane.rehearse = refuse
    stage.run(3_650)
    assert [each for each in stage.did("log") if each[2] == "error"] == []
    assert stage.did("reconcile") == []
    assert adverts(stage)[0][0] >= DOWN_MS


def test_a_fault_in_it_does_not_keep_anybody_from_taking_over(stage):
    def break_down(_frames):
        raise ZeroDivisionError("of a fault")

    stage.io.rehearse = break_down
    stage.run(3_650)
    (said,) = [each for each in stage.did("log") if "rehearsal" in each[3]]
    assert said[2] == "warning" and "of a fault" in said[3]
    assert adverts(stage)[0][0] >= DOWN_MS


# When a packet came


def taken_over_ms(stage):
    return adverts(stage)[0][0]


def slow_to_read(stage):
    """Who is woken needs 3 ms until he reads."""
    stage.around.at(500, lambda: setattr(stage.clock, "time_ns", stage.clock.time_ns + 3_000_000))


def test_one_packet_came_when_it_woke_us(stage):
    stage.meanwhile(500, lambda: stage.io.deliver(STEADY))
    slow_to_read(stage)
    stage.run(4_200)
    assert 0 <= taken_over_ms(stage) - 500 - DOWN_MS < 0.1


def test_of_several_nobody_knows_when_the_last_one_came(stage):
    stage.meanwhile(500, lambda: stage.io.deliver(STEADY, STEADY))
    slow_to_read(stage)
    stage.run(4_200)
    assert 0 <= taken_over_ms(stage) - 503 - DOWN_MS < 0.1


def test_nor_when_something_else_may_have_woken_us(stage):
    def both():
        stage.monitor.change()
        stage.io.deliver(STEADY)

    stage.meanwhile(500, both)
    slow_to_read(stage)
    stage.run(4_200)
    assert 0 <= taken_over_ms(stage) - 503 - DOWN_MS < 0.1


def test_time_does_not_go_back_behind_a_reload(stage):
    """A reload steps, at its own time, before what came is read."""
    stepped = []
    step = stage.router.step
    stage.router.step = lambda event, now_ns: stepped.append(now_ns) or step(event, now_ns)

    def reload():
        stage.clock.time_ns += 2_000_000
        stage.shell.step(Tick(), stage.clock.time_ns)

    stage.meanwhile(500, lambda: stage.io.deliver(STEADY))
    stage.around.at(500, lambda: {SIGHUP})
    stage.run(1_000, reload)
    assert stepped == sorted(stepped)
    assert len(stepped) >= 3
