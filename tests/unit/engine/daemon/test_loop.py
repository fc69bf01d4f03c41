# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop over a host that is not there: what comes first, what is bounded, what is repeated."""

import select
import signal

import pytest
from engine_kit.packets import V3, solicitation
from engine_kit.ports import FakeIO, Readable, refused
from engine_kit.stage import Stage
from engine_kit.values import NS_PER_MS, NS_PER_S, T0, config, group, group6, link, ping

from vrrp.config.model import RouterAdvertisements, TrackReference
from vrrp.daemon.loop import FRAMES_PER_READ, READS_PER_TURN
from vrrp.daemon.reconciler import DEVICES_PER_LOOK
from vrrp.facts import KernelNews, ProbeResult, ReceivedPacket, Repair
from vrrp.fsm.states import State

DOWN_NS = 3_609_375_000
SIGTERM, SIGHUP = signal.SIGTERM, signal.SIGHUP


@pytest.fixture(name="stage")
def stage_with_one_group(monkeypatch):
    stage = Stage(config(group()), monkeypatch)
    yield stage
    stage.close()


def rounded(entries):
    return [(round(at), *rest) for at, *rest in entries]


# Time


def test_a_lonely_router_becomes_master_and_advertises_each_second(stage):
    stage.run(8_000)
    sent = [each for each in stage.did("send") if each[3] != "announcement"]
    assert rounded(sent) == [
        (3609, "send", 7, 100),
        (4600, "send", 7, 100),
        (5600, "send", 7, 100),
        (6600, "send", 7, 100),
        (7600, "send", 7, 100),
        (8000, "send", 7, 0),
    ]
    assert all(0 <= at - round(at) < 0.001 for at, *_rest in sent[1:]), "to the microsecond"


def test_it_turns_only_when_there_is_something_to_do(stage):
    stage.run(60_000)
    # A start, a takeover, repeated announcements, an advert a second, a look each 5 s, the end.
    assert stage.turns < 90


def test_packets_are_read_before_timers_are_believed(stage):
    """The daemon was held up for longer than a master down interval, but the master lives."""

    def stalled():
        stage.io.deliver(V3.but(priority=200).received())
        stage.clock.time_ns += 100 * NS_PER_S

    stage.around.at(1_000, stalled)
    stage.run(102_000)
    assert stage.did("send") == []
    stalled_until_ns = T0 + 101 * NS_PER_S
    (bound,) = stage.router.bound_routers()
    assert bound.counters == {"advertisement-rcvd": 1}
    assert bound.history[-1].at_ns > stalled_until_ns, "it was stopped as a backup"
    assert bound.history[-1].transition.previous is State.BACKUP


def test_a_stall_without_a_living_master_ends_in_a_takeover(stage):
    def stalled():
        stage.clock.time_ns += 100 * NS_PER_S

    stage.around.at(1_000, stalled)
    stage.run(101_500)
    assert rounded(stage.did("send"))[0] == (101_000, "send", 7, 100)


def test_a_flood_does_not_hold_up_timers_for_ever(stage):
    flood = [V3.but(vrid=99).received()] * (FRAMES_PER_READ * READS_PER_TURN + 1)
    seen = []

    def flooded():
        stage.clock.time_ns = T0 + DOWN_NS
        stage.io.deliver(*flood)
        stage.io.reads.clear()

    stage.around.at(1_000, flooded)
    stage.around.at(DOWN_NS / NS_PER_MS, lambda: seen.append(len(stage.io.waiting)))
    stage.run(3_700)
    assert stage.io.reads[:READS_PER_TURN] == [FRAMES_PER_READ] * READS_PER_TURN
    assert rounded(stage.did("send"))[0] == (3609, "send", 7, 100)
    assert stage.router.counters["vrid-errors"] == len(flood), "the rest came in the next turn"


def test_a_packet_wakes_it(stage):
    """Otherwise the master would seem to have been heard when the timer ran out."""
    higher = V3.but(priority=200).received()
    stage.meanwhile(500, lambda: stage.io.deliver(higher))
    stage.run(5_000)
    taken = [round(at) for at, *_rest in stage.did("send")]
    assert taken[0] == 500 + 3609


def test_a_change_of_the_kernel_wakes_it(stage):
    stage.meanwhile(500, lambda: stage.monitor.change(link(is_up=False)))
    stage.run(3_000)
    down = [at for at, *_rest, message in stage.did("log") if "-> initialize" in message]
    assert [round(at) for at in down] == [500]


def test_a_client_wakes_it(stage):
    served_ms = []

    def serving():
        if select.select((stage.control,), (), (), 0)[0]:
            served_ms.append((stage.clock.time_ns - T0) // NS_PER_MS)
            stage.control.readable.lower()

    stage.control.serving = serving
    stage.meanwhile(500, stage.control.readable.raise_)
    stage.run(3_000)
    assert served_ms == [500]


def test_an_answer_to_a_probe_wakes_it_also_by_a_socket_that_came_later(stage):
    heard_ms = []

    def answer():
        stage.prober.readables[0].raise_()
        stage.prober.results.append(ProbeResult("unknown", ok=True))

    def poll(now_ns):
        if stage.prober.results:
            heard_ms.append((now_ns - T0) // NS_PER_MS)
        return ordinary(now_ns)

    ordinary, stage.prober.poll = stage.prober.poll, poll
    stage.around.at(100, lambda: stage.prober.readables.append(Readable()))
    stage.meanwhile(500, answer)
    stage.run(3_000)
    assert heard_ms == [500]


def test_a_socket_that_fails_is_logged_and_read_again(stage):
    def broken():
        stage.io.receive_error = refused("receive")
        stage.io.deliver(V3.but(priority=200).received())

    stage.around.at(500, broken)
    stage.run(600)
    assert [each[1:3] for each in stage.did("log")][1] == ("log", "error")
    assert stage.router.bound_routers()[0].counters == {"advertisement-rcvd": 1}


# Links


def test_a_change_of_links_reaches_the_router(stage):
    stage.around.at(500, lambda: stage.monitor.change(link(is_up=False)))
    stage.around.at(900, lambda: stage.monitor.change(link()))
    stage.run(1_000)
    states = [each[3].split(": ")[1] for each in stage.did("log") if "->" in each[3]]
    assert states[:3] == ["initialize -> backup", "backup -> initialize", "initialize -> backup"]


def test_a_change_that_shows_nothing_is_no_event(stage):
    events = []
    step_over_links = stage.shell.step_over_links

    def spied(event, now_ns):
        events.append(event)
        step_over_links(event, now_ns)

    stage.shell.step_over_links = spied
    for after_ms in (500, 550, 560):
        stage.around.at(after_ms, stage.monitor.change)
    stage.run(600)
    assert len(events) == 1, "the first one, because the loop has seen nothing before"
    assert stage.did("listen") == []
    assert len([each for each in stage.did("log") if "->" in each[3]]) == 2, "start and stop"


def test_a_change_between_the_start_of_the_router_and_that_of_the_loop_is_not_lost(monkeypatch):
    # The router looked at the links, then one went down, then the loop was made.
    stage = Stage(config(group()), monkeypatch, then=(link(is_up=False),))
    try:
        stage.run(100)
        waiting = stage.router.bound_routers()[0].waiting
        assert waiting is not None
        assert waiting.code == "interface-down"
    finally:
        stage.close()


# Reconciling


def looks(stage, kind="reconcile"):
    """When, in milliseconds, and at what. kind "drifted": the quick ones at everything in turn."""
    return [(round(at), *names) for at, _kind, *names in stage.did(kind)]


def repair(device="vg-1"):
    return (Repair(device, "10.0.10.254 was missing"),)


def test_what_somebody_changed_is_looked_at_in_the_same_turn(stage):
    stage.dataplane.suspected = frozenset({"vg-1"})
    stage.meanwhile(1_000, lambda: stage.monitor.tell(KernelNews(touched=frozenset({9}))))
    stage.run(3_000)
    assert looks(stage) == [(1_000, "vg-1")]


def test_what_we_changed_ourselves_is_not_looked_at(stage):
    stage.around.at(1_000, lambda: stage.monitor.tell(KernelNews(touched=frozenset({9}))))
    stage.run(3_000)
    assert looks(stage) == []


def test_a_burst_of_changes_is_looked_at_once_more_when_it_has_ended(stage):
    stage.dataplane.suspected = frozenset({"vg-1"})
    for after_ms in (1_000, 1_002, 1_004, 1_006):
        stage.around.at(after_ms, stage.monitor.change)
    stage.run(3_000)
    assert looks(stage) == [(1_000, "vg-1"), (1_010, "vg-1")]


def test_a_repair_is_counted_and_told(stage):
    stage.dataplane.suspected = frozenset({"vg-1"})
    stage.dataplane.repairs = [repair()]
    stage.around.at(1_000, stage.monitor.change)
    stage.run(3_000)
    told = [each for each in stage.did("log") if "10.0.10.254 was missing" in each[3]]
    assert [round(at) for at, *_rest in told] == [1_000]
    counted = stage.router.counters, stage.router.bound_routers()[0].counters
    assert any(counters.get("repairs") == 1 for counters in counted)


def test_who_fights_us_does_not_draw_us_into_a_race(stage):
    """Ten times at once, then once in a second."""
    stage.dataplane.suspected = frozenset({"vg-1"})

    def again(_names):
        stage.monitor.change()
        stage.dataplane.repairs = [repair()]

    stage.dataplane.looking = again
    stage.around.at(1_000, stage.monitor.change)
    stage.run(6_500)
    times = [at for at, *_names in looks(stage)]
    assert times[:10] == list(range(1_000, 1_100, 10))
    assert times[10:15] == [2_000, 3_000, 4_000, 5_000, 6_000]


def test_a_fight_over_one_device_does_not_keep_another_waiting(stage):
    stage.dataplane.suspected = frozenset({"vg-1"})

    def again(names):
        if "vg-1" in names:
            stage.monitor.change()
            stage.dataplane.repairs = [repair()]

    def other():
        stage.dataplane.suspected = frozenset({"vg-1", "vg-2"})
        stage.monitor.change()

    stage.dataplane.looking = again
    stage.around.at(1_000, stage.monitor.change)
    stage.around.at(1_500, other)
    stage.run(1_600)
    assert (1_500, "vg-2") in looks(stage)


def test_after_a_rest_a_device_is_repaired_at_once_again(stage):
    stage.dataplane.suspected = frozenset({"vg-1"})
    stage.dataplane.repairs = [repair()] * 13
    for after_ms in [*range(1_000, 1_120, 10), 20_000]:
        stage.around.at(after_ms, stage.monitor.change)
    stage.run(25_000)
    times = [at for at, *_names in looks(stage)]
    assert times[:10] == list(range(1_000, 1_100, 10))
    assert times[10:] == [2_000, 20_000]


def test_everything_is_looked_at_in_turn_each_five_seconds(stage):
    names = ["vg-%02d" % number for number in range(40)]
    stage.dataplane.devices = ("", *names)
    stage.run(11_000)
    found = looks(stage, "drifted")
    assert [at for at, *_names in found] == [5_000, 5_020, 5_040, 10_000, 10_020, 10_040]
    assert max(len(names) for _at, *names in found) == DEVICES_PER_LOOK
    for round_of_all in (found[:3], found[3:]):
        seen = [name for _at, *some in round_of_all for name in some]
        assert sorted(seen) == ["", *names]


def look_slowly(stage):
    """A thousand devices on a slow host; the list that is returned tells what looking took."""
    stage.dataplane.devices = tuple("vg-%d" % number for number in range(1_000))
    spent_ns = []

    def slowly(_names):
        stage.clock.time_ns += 3 * NS_PER_MS
        spent_ns.append(3 * NS_PER_MS)

    stage.dataplane.looking = slowly
    return spent_ns


def test_looking_at_everything_takes_a_five_thousandth_of_the_time(stage):
    spent_ns = look_slowly(stage)
    stage.run(60_000)
    assert 0 < sum(spent_ns) <= (stage.clock.time_ns - T0) / 5_000
    seen = {name for _at, *names in looks(stage, "drifted") for name in names}
    assert len(seen) == DEVICES_PER_LOOK * len(spent_ns), "in turn"


def test_after_a_find_everything_is_looked_at_soon(stage):
    """Who changes sysctls changes those of all devices: a hundredth of the time, for a round."""
    spent_ns = look_slowly(stage)

    def find():
        stage.dataplane.changed = frozenset({"vg-0"})
        stage.dataplane.repairs = [repair("vg-0")]

    stage.around.at(4_000, find)
    stage.around.at(5_500, lambda: setattr(stage.dataplane, "changed", frozenset()))
    stage.run(60_000)
    found = looks(stage, "drifted")
    hastened = [name for at, *names in found if 5_500 < at < 27_000 for name in names]
    assert set(hastened) == set(stage.dataplane.devices)
    assert len([at for at, *_names in found if at > 30_000]) <= 6, "calm again"
    assert sum(spent_ns) <= (stage.clock.time_ns - T0) / 100


def test_looking_at_everything_delays_no_advertisement(stage):
    look_slowly(stage)
    stage.run(90_000)
    sent = [at for at, _kind, *rest in stage.did("send") if rest[1] != "announcement"]
    late = [at % 100 for at in sent[1:-1]]
    assert max(late) <= 3.1, "a look at most"
    assert len(looks(stage, "drifted")) > 4


def test_only_what_has_drifted_is_compared(stage):
    stage.dataplane.devices = ("", "vg-1", "vg-2")
    stage.dataplane.changed = frozenset({"vg-2"})
    stage.dataplane.repairs = [repair("vg-2")]
    stage.run(6_000)
    assert looks(stage, "drifted") == [(5_000, "", "vg-1", "vg-2")]
    assert looks(stage) == [(5_000, "vg-2")]


def test_a_look_that_fails_is_tried_again_as_a_whole(stage):
    stage.dataplane.suspected = frozenset({"vg-1"})

    def refuse():
        stage.dataplane.refusals = [refused("reconcile")]
        stage.monitor.change()

    stage.around.at(1_000, refuse)
    stage.run(3_000)
    assert looks(stage) == [(1_000, "vg-1"), (2_000,)]
    assert [each for each in stage.did("log") if each[2] == "error"]


def test_a_refused_data_plane_is_tried_each_second_until_it_works(stage):
    stage.dataplane.refusals = [refused("apply")] * 3
    stage.run(3_500)
    assert rounded(stage.did("apply", "reconcile")) == [
        (0, "apply", []),
        (1_000, "reconcile"),
        (2_000, "reconcile"),
        (3_000, "reconcile"),
    ]
    told = [message for *_rest, level, message in stage.did("log") if level == "error"]
    assert told == [str(refused("apply"))] * 3
    assert not stage.shell.needs_reconcile


def test_listening_that_was_refused_is_tried_again(stage):
    stage.io.listen_error = refused("listen")
    stage.shell.listen()

    def mend():
        stage.io.listen_error = None

    stage.around.at(1_500, mend)
    stage.run(5_000)
    assert rounded(stage.did("listen")) == [
        (0, "listen", ["lan0"]),
        (1_000, "listen", ["lan0"]),
        (2_000, "listen", ["lan0"]),
    ]


def test_it_is_tried_again_also_when_nothing_else_would_wake_the_loop(monkeypatch):
    stage = Stage(config(group()), monkeypatch, then=(link(is_up=False),))
    try:
        stage.dataplane.refusals = [refused("apply")] * 4
        stage.run(10_000)
        times = [round(at) for at, _kind in stage.did("reconcile")]
        assert times == [1_000, 2_000, 3_000, 4_000]
        assert not stage.shell.needs_reconcile
    finally:
        stage.close()


def test_what_fails_for_a_client_of_the_control_socket_is_tried_again_too(stage):
    def reload_that_fails():
        stage.shell.needs_reconcile = stage.control.served == 1

    stage.control.serving = reload_that_fails
    stage.run(1_500)
    assert rounded(stage.did("reconcile")) == [(1_000, "reconcile")]


# Everything else


def test_probes_lower_the_priority(monkeypatch):
    tracked = group(priority=150, track=(TrackReference("uplink", 50),))
    stage = Stage(config(tracked, trackers=(ping(),)), monkeypatch)
    try:

        def fails():
            stage.prober.results.append(ProbeResult("uplink", ok=False))
            stage.prober.wanted_ns = stage.clock.time_ns

        stage.around.at(1_000, fails)
        stage.run(1_100)
        assert stage.router.bound_routers()[0].parameters.priority == 100
    finally:
        stage.close()


def test_the_prober_is_woken_when_it_wants(stage):
    stage.prober.wanted_ns = T0 + 250 * NS_PER_MS
    stage.run(300)
    assert stage.prober.wanted_ns is None


def test_descriptors_may_come_and_go(stage):
    def come():
        stage.prober.readables.append(Readable())

    def speak():
        stage.prober.readables[0].raise_()
        stage.prober.results.append(ProbeResult("unknown", ok=True))

    def go():
        stage.prober.readables.pop().close()

    stage.around.at(100, come)
    stage.around.at(200, speak)
    stage.around.at(201, go)
    stage.around.at(300, come)
    stage.run(400)
    assert stage.prober.results == []


def test_the_control_socket_is_served_in_each_turn(stage):
    stage.run(100)
    assert stage.control.served == stage.turns


def test_the_watchdog_is_fed_in_time(stage):
    stage.around.watchdog_ns = T0
    stage.run(3_500)
    assert [round(at) for at, _kind in stage.did("watchdog")] == [0, 1_000, 2_000, 3_000]


def test_a_hang_up_reloads_and_goes_on(stage):
    reloads = []
    stage.around.at(1_000, lambda: {SIGHUP})
    stage.run(5_000, reload=lambda: reloads.append(stage.clock.time_ns))
    assert [round((at_ns - T0) / NS_PER_MS) for at_ns in reloads] == [1_000]
    assert ("send", 7, 100) in [each[1:] for each in stage.did("send")]


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT))
def test_the_end_is_told_and_then_released(stage, number):
    stage.around.at(5_000, lambda: {number})
    stage.run(9_000)
    ending = [each for each in stage.journal if each[0] >= 5_000 and each[1] != "log"]
    # Nobody succeeds: it forwards for the longest Skew_Time and a little more, then it leaves.
    assert rounded(ending)[:4] == [
        (5_000, "stopping"),
        (5_000, "apply", ["vg-vlan10"]),
        (5_000, "send", 7, 0),
        (6_096, "apply", []),
    ]
    assert stage.state() is State.INITIALIZE


def test_a_second_signal_ends_it_at_once(stage):
    stage.around.at(5_000, lambda: {signal.SIGTERM})
    stage.around.at(5_100, lambda: {signal.SIGTERM})
    stage.run(5_200)
    assert ("send", 7, 0) in [each[1:] for each in stage.did("send")]
    assert not [each for each in rounded(stage.journal) if each[:2] == (6_096, "apply")]


# Router solicitations


@pytest.fixture(name="telling")
def stage_that_tells_hosts(monkeypatch):
    told = RouterAdvertisements(enabled=True)
    stage = Stage(config(group6(router_advertisements=told)), monkeypatch)
    hosts = FakeIO([])
    stage.shell.solicitations = hosts
    yield stage, hosts
    hosts.close()
    stage.close()


def test_a_host_that_asks_wakes_the_loop_and_is_answered(telling):
    stage, hosts = telling
    asked = ReceivedPacket(7, solicitation())
    stage.meanwhile(10_000, lambda: hosts.deliver(asked))
    stage.run(11_000)
    counters = stage.router.bound_routers()[0].counters
    assert counters["router-solicitations-rcvd"] == 1
    assert counters["router-advertisements-sent"] == 2, "as new master, and as answer"
    assert set(hosts.reads) == {FRAMES_PER_READ}


def test_hosts_that_ask_without_end_do_not_keep_others_waiting(telling):
    stage, hosts = telling
    asked = ReceivedPacket(7, solicitation())
    served = []
    stage.meanwhile(10_000, lambda: hosts.deliver(*[asked] * 10_000))
    stage.control.serving = lambda: served.append(len(hosts.waiting))
    stage.run(11_000)
    waiting = [count for count in served if count]
    assert waiting == list(range(10_000 - FRAMES_PER_READ, 0, -FRAMES_PER_READ))


def test_an_unreadable_socket_of_hosts_is_logged(telling):
    stage, hosts = telling
    hosts.receive_error = refused("receive")
    stage.meanwhile(500, hosts.readable.raise_)
    stage.run(1_000)
    assert [each[2] for each in stage.did("log") if "receive" in each[3]] == ["error"]


# Duties


class Duty:
    """Wants to be called once, at a time of its own."""

    def __init__(self, journal, milliseconds):
        self.journal, self.wanted_ns = journal, T0 + milliseconds * NS_PER_MS

    def deadline_ns(self):
        return self.wanted_ns

    def tick(self, now_ns):
        if self.wanted_ns is not None and now_ns >= self.wanted_ns:
            self.journal.append(("duty",))
            self.wanted_ns = None


def test_a_duty_is_done_at_its_time(stage):
    stage.loop.duties = (Duty(stage.journal, 777), Duty(stage.journal, 1_234))
    stage.run(2_000)
    assert rounded(stage.did("duty")) == [(777, "duty"), (1_234, "duty")]
    assert stage.turns < 12, "and it does not turn for it all the while"


def test_who_leaves_has_no_duties(stage):
    """A reload that nobody confirmed, for one, must not be taken back by who is on the way out."""
    stage.loop.duties = (Duty(stage.journal, 8_300),)
    stage.run(8_000)
    assert stage.did("stopping") and stage.did("duty") == []
    assert stage.clock.time_ns > T0 + 8_300 * NS_PER_MS, "it left for longer than that"


def test_a_breath_in_the_middle_of_work_serves_what_is_due_but_no_clients(stage):
    def work():
        stage.clock.time_ns += DOWN_NS
        stage.loop.breathe()
        stage.journal.append(("worked",))

    stage.around.at(1_000, work)
    stage.run(5_000)
    sent = stage.did("send")[0]
    assert stage.journal.index(sent) < stage.journal.index(stage.did("worked")[0])
