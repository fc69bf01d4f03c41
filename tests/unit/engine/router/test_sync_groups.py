# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sync groups: master together or not at all, and nobody's traffic for a member that joins."""

import pytest
from engine_kit.driver import Driver, master
from engine_kit.lan import Lan
from engine_kit.packets import V3
from engine_kit.values import NS_PER_MS, NS_PER_S, T0, config, group, ip, link, ping

from vrrp.config.model import TrackReference
from vrrp.fsm.events import Memory
from vrrp.fsm.states import State
from vrrp.router.events import DrainChanged, Stop
from vrrp.router.inheritance import Inheritance

INITIALIZE, BACKUP, MASTER = State.INITIALIZE, State.BACKUP, State.MASTER
DOWN_NS = 3_609_375_000
LEAVING_NS = 255 * NS_PER_S // 256 + 100 * NS_PER_MS
LAN1 = link("lan1", 8, addresses=("198.18.11.5/24",))
LAN2 = link("lan2", 9, addresses=("198.18.12.5/24",))
LINKS = (link(), LAN1)
ALL_LINKS = (*LINKS, LAN2)
TOGETHER = {"g": ("a", "b")}


def a(**changes):
    return group("a", **changes)


def b(**changes):
    return group("b", **{"interface": "lan1", "addresses": ("198.18.11.254",), **changes})


def c(**changes):
    return group("c", **{"interface": "lan2", "addresses": ("198.18.12.254",), **changes})


def pair(**changes):
    return config(a(**changes), b(**changes), sync=TOGETHER)


TRIPLE = config(a(), b(), c(), sync={"g": ("a", "b", "c")})


def heard_on(number: int, **changes):
    """An advertisement on lan0 (0), lan1 or lan2, and where it comes in."""
    address, source = ip("198.18.%d.254" % (10 + number)), ip("198.18.%d.6" % (10 + number))
    return V3.but(addresses=(address,), source=source, **changes), 7 + number


def states(driver: Driver):
    return [each.state for each in driver.router.bound_routers()]


def transitions(*outcomes):
    """Name and reason of each."""
    return [
        (note.name, note.data["reason"])
        for outcome in outcomes
        for note in outcome.notes
        if note.kind == "transition"
    ]


def releases(outcome):
    """The links on which priority 0 is said; nothing else is."""
    assert {each.priority for each in outcome.adverts} <= {0}
    return sorted(each.addresses[0][2] - 10 for each in outcome.adverts)


# Becoming master


@pytest.mark.rfc("B4", positive=True)
def test_they_become_master_together_when_the_last_timer_has_expired():
    driver = Driver(config(a(priority=200), b(priority=100), sync=TOGETHER), LINKS)
    assert states(driver) == [BACKUP, BACKUP]
    driver.run(T0 + DOWN_NS - 1)
    assert driver.bound("a").wants_mastership
    outcome = driver.run_to_master()
    assert outcome.at_ns == T0 + DOWN_NS
    assert states(driver) == [MASTER, MASTER]
    assert transitions(outcome) == [("a", "sync-group"), ("b", "sync-group")]
    assert all(device.is_master for device in outcome.desired.devices)


def test_one_that_hears_a_better_router_keeps_the_others_waiting():
    driver = Driver(pair(), LINKS)
    for second in range(1, 30):
        driver.hear(*heard_on(1, priority=200), now_ns=T0 + second * NS_PER_S)
        assert not any(each.frames for each in driver.run(driver.now_ns + NS_PER_S - 1))
    assert states(driver) == [BACKUP, BACKUP]
    driver.hear(*heard_on(1, priority=0))
    driver.run(driver.now_ns + 4 * NS_PER_S)
    assert states(driver) == [MASTER, MASTER]


def test_a_group_waits_for_the_preempt_delay_of_each_member():
    driver = Driver(config(a(), b(preempt_delay_cs=1000), sync=TOGETHER), LINKS)
    for second in range(1, 11):
        driver.hear(*heard_on(1, priority=50), now_ns=T0 + second * NS_PER_S)
        driver.run(driver.now_ns + NS_PER_S - 1)
        assert states(driver) == [BACKUP, BACKUP]
    driver.run(driver.now_ns + 5 * NS_PER_S)
    assert states(driver) == [MASTER, MASTER]


@pytest.mark.rfc("B4", positive=False)
def test_those_in_no_group_go_their_own_way():
    driver = Driver(config(a(), b(), c(), sync=TOGETHER), (link(), LAN2))
    driver.run(T0 + 5 * NS_PER_S)
    assert states(driver) == [INITIALIZE, INITIALIZE, MASTER]


def test_two_groups_are_independent():
    many = {"g": ("a", "b"), "h": ("c", "d")}
    d = group("d", vrid=99, addresses=("198.18.10.9",))
    driver = Driver(config(a(), b(), c(), d, sync=many), (*LINKS,))
    driver.run(T0 + 5 * NS_PER_S)
    assert states(driver) == [MASTER, MASTER, INITIALIZE, INITIALIZE]


@pytest.mark.rfc("B5", positive=True)
def test_first_advertisements_after_a_release_follow_the_kernel_in_a_group_too():
    driver = Driver(pair(), LINKS)
    driver.run(T0 + NS_PER_S)
    driver.hear(*heard_on(0, priority=200))
    driver.hear(*heard_on(1, priority=200))
    driver.hear(*heard_on(0, priority=0))
    driver.hear(*heard_on(1, priority=0))
    outcome = driver.run_to_master()
    assert outcome.at_ns == T0 + NS_PER_S + 609_375_000, "the skew time"
    assert outcome.kinds() == "DAUN", "the traffic is drawn when the kernel is ready"


# Losing it


@pytest.mark.rfc("B4", positive=True)
def test_a_better_advertisement_for_one_takes_the_others_along_without_loss():
    driver = master(pair(), LINKS)
    outcome = driver.hear(*heard_on(0, priority=200))
    assert releases(outcome) == [1], "none where a better one is"
    assert states(driver) == [BACKUP, BACKUP]
    assert transitions(outcome) == [("a", "higher-priority"), ("b", "hand-over")]
    assert [driver.device(name).is_master for name in "ab"] == [False, True]
    assert driver.device("b").is_quiet
    driver.hear(*heard_on(1, priority=200))
    assert not driver.device("b").is_master


def test_who_left_for_its_group_only_lets_nobody_wait_when_the_group_can_again():
    """The better one is gone at once: it releases the role, so the Skew_Time of `a` decides."""
    driver = master(pair(), LINKS)
    driver.hear(*heard_on(0, priority=200))
    released_ns = driver.now_ns
    driver.hear(*heard_on(0, priority=0))
    outcome = driver.run_to_master()
    assert outcome.at_ns == released_ns + 609_375_000
    assert states(driver) == [MASTER, MASTER]


def test_who_left_for_its_group_and_heard_a_master_waits_for_its_own_timer():
    driver = master(pair(), LINKS)
    driver.hear(*heard_on(0, priority=200))
    driver.hear(*heard_on(1, priority=200))
    heard_ns = driver.now_ns
    driver.hear(*heard_on(0, priority=0))
    assert driver.run_to_master().at_ns == heard_ns + DOWN_NS


def test_a_worse_advertisement_takes_nobody_along():
    driver = master(pair(), LINKS)
    assert driver.hear(*heard_on(0, priority=50)).adverts
    assert states(driver) == [MASTER, MASTER]


def test_a_stall_of_one_is_the_stall_of_all():
    driver = master(pair(), LINKS)
    outcome = driver.hear(*heard_on(0, priority=50), now_ns=driver.now_ns + 10 * NS_PER_S)
    assert transitions(outcome) == [("a", "stalled"), ("b", "hand-over")]
    assert releases(outcome) == [1]
    outcome = driver.hear(*heard_on(1, priority=50))
    assert (outcome.adverts, driver.device("b").is_master) == ([], False)


@pytest.mark.parametrize(
    "links",
    (
        (link(),),
        (link(), link("lan1", 8, is_up=False, addresses=("198.18.11.5/24",))),
        (link(), link("lan1", 8, has_carrier=False, addresses=("198.18.11.5/24",))),
    ),
)
def test_one_that_is_not_ready_makes_the_others_leave_in_good_order(links):
    driver = master(pair(), LINKS)
    outcome = driver.links(*links)
    assert releases(outcome) == [0, 1]
    assert states(driver) == [INITIALIZE, INITIALIZE]
    device = driver.device("a")
    assert (device.is_master, device.is_quiet) == (True, True)
    waiting = [note for note in outcome.notes if note.kind == "waiting" and note.name == "a"]
    assert waiting[0].data["code"] == "sync-group"
    assert "its sync group g waits for b" in waiting[0].message
    driver.hear(*heard_on(0, priority=50))
    assert not driver.device("a").is_master


def test_they_start_together_when_the_last_one_is_ready():
    driver = master(pair(), LINKS)
    driver.links(link())
    driver.run(driver.now_ns + 100 * NS_PER_S)
    assert states(driver) == [INITIALIZE, INITIALIZE]
    ready_ns = driver.now_ns
    driver.links(*LINKS)
    assert states(driver) == [BACKUP, BACKUP]
    driver.run(ready_ns + DOWN_NS)
    assert states(driver) == [MASTER, MASTER]


def test_at_the_start_of_the_router_all_are_waited_for():
    driver = Driver(pair(), (link(),))
    driver.run(T0 + 100 * NS_PER_S)
    assert states(driver) == [INITIALIZE, INITIALIZE]


def test_a_link_that_was_recreated_does_not_cost_the_others_their_role():
    driver = master(pair(), LINKS)
    deadline_ns = driver.bound("a").machine.deadline_ns
    outcome = driver.links(link(), link("lan1", 18, addresses=("198.18.11.5/24",)))
    assert states(driver) == [MASTER, MASTER]
    assert not any(
        frame[6:12] == b"\0\0\x5e\0\x01\x0a" and frame[33] == 10 for frame in outcome.frames
    )
    assert driver.bound("a").machine.deadline_ns == deadline_ns


def test_stop_stops_all():
    driver = master(pair(), LINKS)
    assert releases(driver.step(Stop())) == [0, 1]
    driver.hear(*heard_on(0, priority=50))
    assert driver.router.is_leaving
    driver.run(driver.now_ns + LEAVING_NS)
    assert not driver.router.is_leaving
    assert driver.router.deadline_ns is None


# Joining and going


def undisturbed(driver: Driver, wanted, *names: str):
    """Reload; those named stay master and their next advertisement comes when it was due."""
    before = [driver.bound(name).machine.deadline_ns for name in names]
    outcome = driver.configure(wanted)
    assert [driver.state(name) for name in names] == [MASTER] * len(names)
    assert [driver.bound(name).machine.deadline_ns for name in names] == before
    assert not any(each.priority == 0 for each in outcome.adverts)
    assert not any(note.name in names for note in outcome.notes)
    return outcome


def test_a_member_that_joins_a_master_is_master_at_once_and_nobody_else_notices():
    driver = master(pair(), ALL_LINKS)
    outcome = undisturbed(driver, TRIPLE, "a", "b")
    assert driver.state("c") is MASTER
    assert [each.addresses[0][2] for each in outcome.adverts] == [12]


def test_a_member_that_joins_a_backup_gives_its_role_away():
    driver = Driver(config(a(), b(), c(), sync=TOGETHER), ALL_LINKS)
    for second in (1, 2, 3, 4):
        for number in (0, 1):
            driver.hear(*heard_on(number, priority=200), now_ns=T0 + second * NS_PER_S)
        driver.run(T0 + second * NS_PER_S)
    assert states(driver) == [BACKUP, BACKUP, MASTER]
    outcome = driver.configure(TRIPLE)
    assert releases(outcome) == [2]
    assert states(driver) == [BACKUP, BACKUP, BACKUP]
    assert driver.device("c").is_quiet


def test_a_backup_that_joins_a_master_is_master_at_once():
    driver = Driver(config(a(), b(), c(), sync=TOGETHER), ALL_LINKS)
    for second in (1, 2, 3, 4):
        driver.hear(*heard_on(2, priority=200), now_ns=T0 + second * NS_PER_S)
        driver.run(T0 + second * NS_PER_S)
    assert states(driver) == [MASTER, MASTER, BACKUP]
    undisturbed(driver, TRIPLE, "a", "b")
    assert driver.state("c") is MASTER
    outcome = driver.hear(*heard_on(2, priority=200))
    assert releases(outcome) == [0, 1], "if somebody better is there, all of them yield"


def test_those_that_are_master_already_form_a_group_without_a_word():
    driver = master(config(a(), b()), LINKS)
    outcome = undisturbed(driver, pair(), "a", "b")
    assert outcome.actions == ()


def test_of_a_new_group_that_is_of_two_minds_all_are_backup():
    driver = Driver(config(a(), b()), LINKS)
    driver.hear(*heard_on(0, priority=200))
    for second in (1, 2, 3, 4):
        driver.run(T0 + second * NS_PER_S)
        driver.hear(*heard_on(0, priority=200))
    assert states(driver) == [BACKUP, MASTER]
    outcome = driver.configure(pair())
    assert releases(outcome) == [1]
    assert states(driver) == [BACKUP, BACKUP]


def test_a_new_member_that_is_not_ready_keeps_nobody_waiting():
    """A typing mistake in a new VLAN."""
    driver = master(pair(), LINKS)
    undisturbed(driver, TRIPLE, "a", "b")
    assert driver.state("c") is INITIALIZE
    driver.hear(*heard_on(0, priority=200))
    driver.hear(*heard_on(1, priority=200))
    assert states(driver) == [BACKUP, BACKUP, INITIALIZE]
    driver.run(driver.now_ns + 5 * NS_PER_S)
    assert states(driver) == [MASTER, MASTER, INITIALIZE], "failover goes on without it"


def test_nor_after_another_reload():
    driver = master(pair(), LINKS)
    driver.configure(TRIPLE)
    for _count in range(3):
        assert undisturbed(driver, TRIPLE, "a", "b").actions == ()
    driver.links(*ALL_LINKS)
    assert states(driver) == [MASTER, MASTER, MASTER]


def test_nor_in_a_group_that_is_new_itself():
    driver = master(config(a(), b()), LINKS)
    undisturbed(driver, TRIPLE, "a", "b")
    undisturbed(driver, TRIPLE, "a", "b")


def test_a_late_interface_joins_the_master_that_is_there():
    driver = master(pair(), LINKS)
    driver.configure(TRIPLE)
    before = [driver.bound(name).machine.deadline_ns for name in "ab"]
    outcome = driver.links(*ALL_LINKS)
    assert states(driver) == [MASTER, MASTER, MASTER]
    assert [each.addresses[0][2] for each in outcome.adverts] == [12]
    assert [driver.bound(name).machine.deadline_ns for name in "ab"] == before


def test_once_it_was_ready_it_is_waited_for_as_any_other():
    driver = master(pair(), LINKS)
    driver.configure(TRIPLE)
    driver.links(*ALL_LINKS)
    assert releases(driver.links(*LINKS)) == [0, 1, 2]
    assert states(driver) == [INITIALIZE, INITIALIZE, INITIALIZE]


def test_a_late_interface_waits_with_a_group_that_is_backup():
    driver = Driver(pair(), LINKS)
    driver.hear(*heard_on(0, priority=200))
    driver.configure(TRIPLE)
    driver.links(*ALL_LINKS)
    assert states(driver) == [BACKUP, BACKUP, BACKUP]


def test_a_member_that_is_removed_leaves_the_others_alone():
    driver = master(TRIPLE, ALL_LINKS)
    before = [driver.bound(name).machine.deadline_ns for name in "ab"]
    assert releases(driver.configure(pair())) == [2]
    assert states(driver) == [MASTER, MASTER]
    assert [driver.bound(name).machine.deadline_ns for name in "ab"] == before
    driver.hear(*heard_on(2, priority=50))
    assert states(driver) == [MASTER, MASTER]


def test_a_group_that_is_dissolved_leaves_all_alone():
    driver = master(pair(), LINKS)
    undisturbed(driver, config(a(), b()), "a", "b")
    driver.hear(*heard_on(0, priority=200))
    assert states(driver) == [BACKUP, MASTER]


def test_a_group_with_another_name_is_the_same():
    driver = master(pair(), LINKS)
    undisturbed(driver, config(a(), b(), sync={"other": ("a", "b")}), "a", "b")


def test_a_renamed_member_stays_a_member():
    driver = master(pair(), LINKS)
    renamed = group("z", interface="lan1", addresses=("198.18.11.254",))
    undisturbed(driver, config(a(), renamed, sync={"g": ("a", "z")}), "a")
    assert driver.state("z") is MASTER


def test_when_the_one_that_held_it_back_is_removed_the_group_takes_over():
    driver = Driver(TRIPLE, ALL_LINKS)
    for second in range(1, 5):
        driver.hear(*heard_on(2, priority=200), now_ns=T0 + second * NS_PER_S)
        driver.run(driver.now_ns + NS_PER_S - 1)
    assert states(driver) == [BACKUP, BACKUP, BACKUP]
    driver.configure(pair())
    assert states(driver) == [MASTER, MASTER]


# What is shared


def test_what_costs_one_costs_all_and_each_tracker_once():
    track = (TrackReference("uplink", 30),)
    more = (TrackReference("uplink", 50), TrackReference("other", 5))
    wanted = config(
        a(priority=200, track=track),
        b(priority=150, track=more),
        trackers=(ping(fall=1), ping("other", fall=1)),
        sync=TOGETHER,
    )
    driver = master(wanted, LINKS)
    outcome = driver.report("uplink", ok=False)
    assert sorted(each.priority for each in outcome.adverts) == [100, 150]
    outcome = driver.report("other", ok=False)
    assert sorted(each.priority for each in outcome.adverts) == [95, 145]


def test_draining_one_drains_all_and_undraining_as_well():
    driver = master(pair(priority=200), LINKS)
    outcome = driver.drain("b")
    assert releases(outcome) == [0, 1]
    assert [each.parameters.priority for each in driver.router.bound_routers()] == [1, 1]
    assert driver.device("a").is_quiet and driver.device("b").is_quiet
    driver.drain()
    assert [each.parameters.priority for each in driver.router.bound_routers()] == [200, 200]


def test_a_drained_group_without_any_successor_comes_back_as_one():
    driver = master(pair(), LINKS)
    driver.drain("a")
    (outcome,) = driver.run(driver.now_ns + LEAVING_NS)
    assert transitions(outcome) == [("a", "no-successor"), ("b", "no-successor")]
    assert states(driver) == [MASTER, MASTER]
    assert driver.drained() == set()


def test_a_drained_group_with_a_successor_somewhere_stays_away():
    driver = master(pair(), LINKS)
    driver.drain("a")
    driver.hear(*heard_on(1, priority=50))
    driver.run(driver.now_ns + LEAVING_NS)
    assert states(driver) == [BACKUP, BACKUP]
    assert driver.drained() == {"a"}
    assert not driver.device("a").is_master


# A process before


def memory(state: State, deadline_ns: int = T0 + 500 * NS_PER_MS) -> Memory:
    return Memory(state, deadline_ns, 100, T0 - NS_PER_S)


def resumed(wanted, links=LINKS, **memories):
    ids = {"a": "lan0/ipv4/10", "b": "lan1/ipv4/10", "c": "lan2/ipv4/10"}
    given = {ids[name]: each for name, each in memories.items()}
    return Driver(wanted, links, inheritance=Inheritance(given))


def test_a_group_goes_on_as_master():
    driver = resumed(pair(), a=memory(MASTER), b=memory(MASTER))
    assert states(driver) == [MASTER, MASTER]
    assert driver.first.adverts == []


def test_a_group_goes_on_as_master_with_a_new_member():
    driver = resumed(TRIPLE, ALL_LINKS, a=memory(MASTER), b=memory(MASTER))
    assert states(driver) == [MASTER, MASTER, MASTER]
    assert [each.addresses[0][2] for each in driver.first.adverts] == [12]


def test_a_group_that_remembers_two_things_is_backup():
    driver = resumed(pair(), a=memory(MASTER), b=memory(BACKUP, T0 + 3 * NS_PER_S))
    assert states(driver) == [BACKUP, BACKUP]
    assert driver.device("a").is_quiet, "and loses nothing"


# Two routers


def lan_of_two(**second):
    """Both groups of a router are on one LAN here, which is all the same to them."""

    def wanted(priority):
        both = (
            group("a", priority=priority),
            group("b", vrid=11, priority=priority, addresses=("198.18.10.253",)),
        )
        return config(*both, sync=TOGETHER)

    lan = Lan()
    lan.add("gw1", wanted(200), 2)
    lan.add("gw2", wanted(second.get("priority", 100)), 3)
    return lan


def split(lan: Lan):
    """Routers that are master of one and not of the other."""
    found = {
        name: {each.state for each in host.router.bound_routers()}
        for name, host in lan.hosts.items()
    }
    return [name for name, each in found.items() if len(each) > 1]


@pytest.mark.parametrize("priority", (100, 200))
def test_two_routers_agree_on_whole_groups(priority):
    lan = lan_of_two(priority=priority)
    for _count in range(200):
        lan.run(0.05)
        assert split(lan) == []
    (serving,) = lan.masters()
    lan.stop(serving)
    lan.run(1)
    assert len(lan.masters()) == 1


def test_two_routers_drain_and_return_as_a_whole():
    lan = lan_of_two()
    lan.run(10)
    assert lan.masters() == {"gw1"}
    lan.step("gw1", DrainChanged(frozenset({"lan0/ipv4/11"})))
    for _count in range(100):
        lan.run(0.05)
        assert split(lan) == []
    assert lan.masters() == {"gw2"}
    lan.step("gw1", DrainChanged(frozenset()))
    lan.run(10)
    assert (lan.masters(), split(lan)) == ({"gw1"}, [])
