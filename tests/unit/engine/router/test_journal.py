# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal is exact: a router from any moment of a life goes on as the one that lived it."""

import itertools
import json
import random
from typing import List

import pytest
from engine_kit.driver import Driver, master
from engine_kit.histories import PASSWORD, configurations, first_links, history
from engine_kit.packets import V3
from engine_kit.values import NS_PER_S, T0, config, group, group6, link

from vrrp.config.model import RouterConfig
from vrrp.errors import JournalError
from vrrp.facts import ReceivedPacket
from vrrp.fsm.states import State
from vrrp.fsm.virtual_router import VirtualRouter
from vrrp.router import replay as replay_module
from vrrp.router.events import (
    ConfigReplaced,
    LinksChanged,
    PacketReceived,
    PacketsReceived,
    Stop,
    Tick,
)
from vrrp.router.journal import Recorder, read
from vrrp.router.masks import MAXIMUM_HEARD, Masks, NoMasks
from vrrp.router.replay import in_words, replay
from vrrp.router.state import Restoring, frozen, pieces
from vrrp.router.values import PLAIN_NOTATION, Notation
from vrrp.router.vrrp_router import VrrpRouter

STEPS = 400
SEEDS = range(12)


def through_json(document):
    return json.loads(json.dumps(document))


def saved(router: VrrpRouter) -> list:
    return [through_json(piece) for piece in pieces(frozen(router), NoMasks())]


def restored(documents: list) -> VrrpRouter:
    restoring = Restoring()
    for document in documents:
        restoring.take(document)
    assert restoring.router is not None
    return restoring.router


def record(seed: int, rotate_each: int = 0) -> List[List[str]]:
    """The files of a life, newest last; a new one after so many steps."""
    router = VrrpRouter(configurations()[0], first_links(), T0)
    recorder = Recorder(router, Masks())
    files = [list(recorder.beginning(T0))]
    for number, (event, now_ns) in enumerate(history(seed, STEPS), 1):
        actions = router.step(event, now_ns)
        files[-1].append(recorder.step(event, now_ns, actions))
        if rotate_each and number % rotate_each == 0:
            files.append(list(recorder.beginning(now_ns)))
    return files


@pytest.mark.parametrize("seed", SEEDS)
def test_a_life_replays_as_recorded(seed):
    print("seed", seed)
    (lines,) = record(seed)
    result = replay(lines)
    assert result.difference is None
    assert result.steps == STEPS


@pytest.mark.parametrize("seed", SEEDS)
def test_each_file_of_a_rotation_replays_alone(seed):
    print("seed", seed)
    each = random.Random(seed).randint(1, 60)
    files = record(seed, each)
    for number, lines in enumerate(files):
        result = replay(lines)
        assert result.difference is None, "file %d: %s" % (number, result.difference)
        assert result.beginning.step == number * each


def test_lives_do_something():
    """The histories above would prove nothing if nothing happened in them."""
    lines = "".join(line for seed in SEEDS for line in record(seed)[0])
    words = ["backup -> master", "master -> backup", "DataplaneChanged", "auth-data-errors"]
    words += ["it was drained", "so it is master again", '"RenewLeases"', '"is_quiet":true']
    words += ["every member of its sync group", "another member of its sync group", "waits for"]
    words += ["no longer drained", "put right in the kernel", "its sync group g waits for"]
    for word in words:
        assert word in lines, word


@pytest.mark.parametrize("seed", SEEDS)
def test_a_saved_router_is_the_same_router(seed):
    """Every attribute, those of the machines too, but for what state.py leaves out."""
    router = VrrpRouter(configurations()[0], first_links(), T0)
    for event, now_ns in history(seed, 100):
        router.step(event, now_ns)
    documents = saved(router)
    again = restored(documents)
    assert saved(again) == documents
    assert again.deadline_ns == router.deadline_ns
    assert again.desired() == router.desired()
    for old, new in zip(router.bound_routers(), again.bound_routers()):
        assert vars(old).keys() == vars(new).keys()
        assert (old.machine is None) == (new.machine is None)
        if old.machine is not None:
            new.machine._steady = old.machine._steady
            assert vars(old.machine) == vars(new.machine)


def test_a_frozen_router_stays_as_it_is():
    router = VrrpRouter(configurations()[0], first_links(), T0)
    copy = frozen(router)
    before = saved(copy)
    assert before == saved(router)
    for event, now_ns in history(9, 100):
        router.step(event, now_ns)
    assert saved(copy) == before != saved(router)


def test_steps_between_the_pieces_belong_behind_them():
    router = VrrpRouter(configurations()[0], first_links(), T0)
    recorder = Recorder(router, Masks())
    beginning = recorder.beginning(T0)
    lines = [next(beginning)]
    for event, now_ns in history(10, 50):
        lines.append(recorder.step(event, now_ns, router.step(event, now_ns)))
        lines += list(itertools.islice(beginning, 1))
    result = replay(lines)
    assert (result.difference, result.steps) == (None, 50)


def test_a_shared_object_stays_shared():
    router = VrrpRouter(config(group(), group6()), (link(),), T0)
    again = restored(saved(router))
    (first, second) = again.bound_routers()
    assert first.link is second.link
    assert vars(again)["_bound"]["lan0/ipv4/10"] is first


def goes_on_alike(router: VrrpRouter, events) -> None:
    """A router and one from its saved state do the same."""
    again = restored(saved(router))
    for event, now_ns in events:
        assert again.step(event, now_ns) == router.step(event, now_ns)
        assert again.deadline_ns == router.deadline_ns


def test_one_that_parts_is_saved():
    driver = master(config(group(), group("b", vrid=20)))
    driver.configure(config(group()))
    assert driver.router.parting == 1
    heard = PacketReceived(ReceivedPacket(7, V3.but(vrid=20).octets()))
    events = ((heard, driver.now_ns), (Tick(), driver.now_ns + 10 * NS_PER_S))
    goes_on_alike(driver.router, events)
    assert driver.router.parting == 0


def test_a_group_and_its_late_member_are_saved():
    lan1 = link("lan1", 8, addresses=("198.18.11.5/24",))
    pair = config(group(), group6(), sync={"g": ("vlan10", "vlan10-v6")})
    late = group("late", interface="lan1")
    three = config(group(), group6(), late, sync={"g": ("late", "vlan10", "vlan10-v6")})
    driver = master(pair)
    driver.configure(three)
    driver.drain("late")
    events = (
        (Tick(), driver.now_ns + NS_PER_S // 2),
        (ConfigReplaced(three), driver.now_ns + NS_PER_S // 2),
        (Tick(), driver.now_ns + 2 * NS_PER_S),
        (LinksChanged((link(), lan1)), driver.now_ns + 2 * NS_PER_S),
    )
    goes_on_alike(driver.router, events)
    assert {each.state for each in driver.router.bound_routers()} == {State.MASTER}


def test_what_was_known_while_it_left_is_not_known_afterwards():
    """Else the cache would be a part of the state."""
    lan1 = link("lan1", 8, addresses=("198.18.11.5/24",))
    both = config(group(), group("b", interface="lan1"), sync={"g": ("b", "vlan10")})
    driver = master(both, links=(link(), lan1))
    driver.hear(V3.but(priority=50))
    driver.links(link())
    driver.hear(V3.but(priority=50))
    assert not driver.router.is_leaving
    heard = PacketReceived(ReceivedPacket(7, V3.but(priority=50).octets()))
    goes_on_alike(driver.router, ((heard, driver.now_ns),) * 2)


def test_every_event_and_action_survives():
    seen = set()
    for seed in SEEDS:
        router = VrrpRouter(configurations()[0], first_links(), T0)
        for event, now_ns in (*history(seed, 100), (Stop(), T0 * 2)):
            for value in (event, *router.step(event, now_ns)):
                written = through_json(PLAIN_NOTATION.write(value))
                assert PLAIN_NOTATION.read(written) == value
                seen.add(type(value).__name__)
    events = {"PacketReceived", "LinksChanged", "TrackerReported", "ConfigReplaced", "Tick", "Stop"}
    events |= {"SolicitationReceived", "DrainChanged", "Repaired"}
    assert seen == events | {"TransmitFrame", "DataplaneChanged", "RenewLeases", "Notify"}


def test_a_value_of_no_known_class_is_a_bug():
    with pytest.raises(TypeError, match=r"values\.py"):
        PLAIN_NOTATION.write(object())


# Passwords


def test_no_password_is_written():
    files = record(3, 50)
    text = "".join(line for lines in files for line in lines)
    for secret in (PASSWORD, "letmein"):
        assert secret not in text
        assert secret.encode().hex() not in text
    assert "mask0000" in text and b"mask0000".hex() in text


def test_equal_passwords_stay_equal_and_others_differ():
    masks = Masks()
    word = masks.password("secret")
    assert masks.password(b"secret") == word.encode()
    assert masks.password("Secret") != word
    assert masks.password("") == ""


def test_passwords_that_strangers_send_fill_no_memory():
    masks = Masks()
    for number in range(MAXIMUM_HEARD + 10):
        masks.packet(V3.but(version=2, auth_data=b"%08d" % number).octets())
    assert len(vars(masks)["_words"]) == MAXIMUM_HEARD
    # One that is configured later gets its own word all the same.
    assert masks.password("mine") not in ("mine", "mask----")


# What a replay finds


def test_a_changed_engine_is_reported_with_step_event_and_actions(monkeypatch):
    lives = [record(seed)[0] for seed in SEEDS]
    monkeypatch.setattr(VirtualRouter, "_must_respect", lambda self, advert, now_ns: True)
    differences = [replay(lines).difference for lines in lives]
    found = [each for each in differences if each is not None]
    assert found
    assert all(each.expected != each.got for each in found)


def test_a_difference_is_told_in_words(monkeypatch):
    driver = Driver(config(group()))
    recorder = Recorder(driver.router)
    lines = list(recorder.beginning(T0))
    now_ns = driver.router.deadline_ns
    lines.append(recorder.step(Tick(), now_ns, driver.router.step(Tick(), now_ns)))
    heard = PacketReceived(ReceivedPacket(7, V3.but(priority=90).octets()))
    actions = driver.router.step(heard, now_ns + NS_PER_S)
    lines.append(recorder.step(heard, now_ns + NS_PER_S, actions))
    monkeypatch.setattr(VirtualRouter, "_assert_mastership", lambda self, now_ns: ())
    result = replay(lines)
    assert result.steps == 1
    difference = result.difference
    assert difference.step.number == 1
    assert "PacketReceived on link 7: from 198.18.10.6, advertisement version 3" in difference.event
    assert len(difference.got) == 1 and "to be woken in" in difference.got[0]
    first = difference.expected[0]
    assert first.startswith("send on link 7: from 198.18.10.5, advertisement version 3 VRID 10")
    assert "priority 100" in first


def test_a_wrong_timer_is_found_at_the_step_that_sets_it(monkeypatch):
    router = VrrpRouter(config(group()), (link(),), T0)
    recorder = Recorder(router)
    lines = list(recorder.beginning(T0))
    for event in (Tick(), PacketReceived(ReceivedPacket(7, V3.octets())), Tick()):
        lines.append(recorder.step(event, T0, router.step(event, T0)))
    assert replay(lines).difference is None
    monkeypatch.setattr(VirtualRouter, "_master_down_interval_ns", lambda self: NS_PER_S)
    difference = replay(lines).difference
    assert difference.step.number == 1
    assert difference.expected == ("to be woken in 3.609s (at %d)" % (T0 + 3_609_375_000),)
    assert difference.got == ("to be woken in 1s (at %d)" % (T0 + NS_PER_S),)


def test_a_crash_is_replayed_as_a_crash(monkeypatch):
    router = VrrpRouter(config(group()), (link(),), T0)
    recorder = Recorder(router)
    lines = [*recorder.beginning(T0), recorder.step(Tick(), T0, None)]
    sound = replay(lines).difference
    assert sound.expected == ("the step never ended",)
    assert sound.got != sound.expected

    def broken(self, event, now_ns):
        raise ZeroDivisionError("as on that day")

    monkeypatch.setattr(VrrpRouter, "step", broken)
    assert replay(lines).difference is None
    lines[-1] = recorder.step(Tick(), T0, ()).replace('"step":1', '"step":0')
    assert replay(lines).difference.got == ("ZeroDivisionError: as on that day",)


def test_only_what_changed_in_the_data_plane_is_written():
    many = config(*(group("g%d" % vrid, vrid=vrid) for vrid in range(1, 200)))
    router = VrrpRouter(many, (link(),), T0)
    recorder = Recorder(router)
    recorder.beginning(T0)
    sizes = []
    for event in (Tick(), ConfigReplaced(RouterConfig(many.virtual_routers[1:]))):
        sizes.append(len(recorder.step(event, T0, router.step(event, T0))))
    config_size = len(json.dumps(Notation(NoMasks()).write(many)))
    assert sizes[1] - config_size < 2000 < sizes[0]


# What is no journal


def lines_of_a_journal() -> List[str]:
    """The first line, three pieces, 16 steps."""
    return record(5)[0][:20]


def altered(number: int, old: str, new: str):
    """The journal with another text in that line."""

    def damage(lines):
        assert old in lines[number]
        return [*lines[:number], lines[number].replace(old, new, 1), *lines[number + 1 :]]

    return damage


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda lines: [], "a journal begins with"),
        (lambda lines: ["{}\n"], "begins with its format"),
        (lambda lines: ["[1, 2]\n"], "begins with its format"),
        (lambda lines: ["[" * 100_000 + "\n"], "line 1 is no JSON"),
        (lambda lines: lines[1:], "begins with its format"),
        (altered(0, '"journal":2', '"journal":1'), "2 is spoken here"),
        (altered(0, '"at":', '"ta":'), "no engine, time, step"),
        (altered(0, '"pieces":3', '"pieces":true'), "number of pieces"),
        (altered(0, '"pieces":3', '"pieces":2'), "are no router"),
        (altered(0, '"pieces":3', '"pieces":4'), "not complete"),
        (altered(1, '"peers":', '"friends":'), "a BoundRouter has no friends"),
        (altered(1, '"RouterKey"', '"Key"'), "unreadable value"),
        (altered(3, '{"r":1}', '{"r":1000}'), "no object has the number"),
        (lambda lines: [*lines[:2], lines[2][:200] + "\n", *lines[3:]], "line 3 is no JSON"),
        (lambda lines: lines[:2] + lines[3:], "no object has the number"),
        (lambda lines: lines[:8] + lines[9:], "step 5, where step 4 should be"),
        (lambda lines: [*lines[:6], "nonsense\n"], "line 7 is no JSON"),
        (lambda lines: [*lines[:4], '{"step": 0}\n'], "a step has the keys"),
        (altered(4, '"at"', '"ta"'), "a step has the keys"),
        (altered(4, '"step":0', '"step":null'), "no number"),
        (altered(4, '"deadline":', '"deadline":0.'), "deadline is no number"),
        (altered(4, '"actions":[', '"actions":7,"":['), "a step has the keys"),
        (altered(5, '"event":', '"event":7,"x":'), "a step has the keys"),
    ],
)
def test_what_is_no_journal_is_refused(damage, complaint):
    with pytest.raises(JournalError, match=complaint):
        replay(damage(lines_of_a_journal()))


def test_the_half_line_of_a_killed_daemon_is_passed_over():
    lines = lines_of_a_journal()
    lines[-1] = lines[-1][:-10]
    assert replay(lines).steps == len(lines) - 5


def test_only_known_classes_are_made():
    for document in ({"Popen": {"args": "x"}}, {"VrrpRouter": {}}, {"": 1}, {"x": "0"}, {"s": 4}):
        with pytest.raises(JournalError):
            PLAIN_NOTATION.read(document)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [("ifindex", [], "int"), ("data", {"d": []}, "bytes"), ("data", "text", "bytes")],
)
def test_attributes_have_the_kind_that_they_should_have(name, value, wanted):
    attributes = {"ifindex": 7, "data": {"x": "45"}, name: value}
    with pytest.raises(JournalError, match="%s of a ReceivedPacket is no %s" % (name, wanted)):
        PLAIN_NOTATION.read({"ReceivedPacket": attributes})


def test_reading_keeps_no_line():
    """A journal of any length is read in the memory of one line."""
    lines = iter(lines_of_a_journal())
    _beginning, _router, steps = read(lines)
    assert next(steps).number == 0
    assert len(list(lines)) == 15


def test_words_for_what_is_no_action_of_ours():
    for document in (None, 7, {"Notify": {}}, {"TransmitFrame": {"frame": 1}}, {"a": 1, "b": 2}):
        assert replay_module.action_in_words(document) == json.dumps(document)


def test_a_burst_is_told_packet_by_packet():
    burst = PacketsReceived((V3.received(7), V3.but(priority=0).received(8)))
    told = in_words(burst)
    assert told.startswith("PacketsReceived on link 7: from 198.18.10.")
    assert "; on link 8: from 198.18.10." in told
    assert "priority 0 " in told
