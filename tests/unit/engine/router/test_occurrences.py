# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a virtual router can tell when somebody asks why."""

from engine_kit.driver import Driver, master
from engine_kit.packets import V3
from engine_kit.values import NS_PER_S, T0, config, group, link

from vrrp.facts import Repair
from vrrp.router.actions import Notify
from vrrp.router.bound_router import OCCURRENCES_LENGTH
from vrrp.router.events import Repaired
from vrrp.router.log_limit import LogLimit

SECOND = group("second", vrid=11, addresses=("198.18.10.253",))


def told(driver: Driver, name: str = "vlan10"):
    return [(each.kind, each.sentence) for each in driver.bound(name).occurrences]


def test_transitions_waits_drains_and_repairs_are_remembered_in_their_order():
    driver = Driver(config(group(priority=200)), links=())
    driver.links(link())
    driver.run_to_master()
    driver.step(Repaired((Repair("vg-vlan10", "198.18.10.254 was missing"),)))
    driver.drain("vlan10")
    assert [kind for kind, _sentence in told(driver)] == [
        "waiting",
        "transition",
        "transition",
        "repair",
        "drain",
        "transition",
    ]
    sentences = [sentence for _kind, sentence in told(driver)]
    assert "interface lan0 does not exist" in sentences[0]
    assert sentences[2].startswith("backup -> master: ")
    assert sentences[3] == "put right in the kernel: 198.18.10.254 was missing"
    assert sentences[4] == "drained: master only if nobody else is"
    assert sentences[5] == "master -> backup: it was drained"


def test_each_has_its_time():
    driver = Driver(config(group()))
    driver.hear(V3.but(priority=200), now_ns=T0 + NS_PER_S)
    driver.run_to_master()
    assert [each.at_ns for each in driver.bound().occurrences] == [T0, driver.now_ns]


def test_a_drain_without_a_successor_says_so():
    driver = master(config(group()))
    driver.drain("vlan10")
    driver.run(driver.now_ns + 2 * NS_PER_S)
    sentences = [sentence for _kind, sentence in told(driver)[-3:]]
    assert sentences[-2:] == [
        "not drained: no other router took over, so it is master again",
        "backup -> master: no other router took over, so it takes the role back",
    ]


def test_the_refused_drain_of_the_last_healthy_one_says_so():
    driver = master(config(group()))
    driver.drain("vlan10")
    driver.hear(V3.but(priority=1))
    assert "only a router with priority 1 took over" in told(driver)[-2][1]


def test_each_keeps_its_own():
    driver = master(config(group(), SECOND))
    before = told(driver)
    driver.drain("second")
    driver.step(Repaired((Repair("vg-second", "its MAC was another one"),)))
    assert told(driver) == before
    assert len(told(driver, "second")) == len(before) + 3


def test_they_stay_over_a_new_name_and_a_reload():
    driver = master(config(group()))
    before = told(driver)
    driver.configure(config(group("gateway", priority=50)))
    assert told(driver, "gateway") == before


def test_they_are_as_many_as_a_person_reads():
    driver = Driver(config(group()))
    for _count in range(OCCURRENCES_LENGTH):
        driver.links(link(is_up=False))
        driver.links(link())
    assert len(told(driver)) == OCCURRENCES_LENGTH
    assert told(driver)[-1][1].endswith("listens for a master first")


# Repairs


def test_a_repair_is_counted_told_and_changes_nothing():
    driver = master(config(group()))
    deadline_ns = driver.router.deadline_ns
    repairs = (Repair("vg-vlan10", "it was down"), Repair("vg-vlan10", "198.18.10.254 was missing"))
    outcome = driver.step(Repaired(repairs))
    assert outcome.kinds() == "N"
    assert [(each.kind, each.name, each.data["what"]) for each in outcome.notes] == [
        ("repair", "vlan10", "it was down"),
        ("repair", "vlan10", "198.18.10.254 was missing"),
    ]
    assert driver.count("repairs") == 2
    assert driver.router.deadline_ns == deadline_ns


def test_a_repair_of_what_all_share_belongs_to_the_router():
    driver = master(config(group()))
    for device in ("", "vg-other"):
        (note,) = driver.step(Repaired((Repair(device, "a sysctl was changed"),))).notes
        assert (note.kind, note.name) == ("repair", "")
    assert driver.router.counters == {"repairs": 2}
    assert driver.count("repairs") == 0


def test_the_same_repair_again_and_again_is_told_once_a_minute_and_counted_always():
    driver = master(config(group()))
    missing = Repaired((Repair("vg-vlan10", "198.18.10.254 was missing"),))
    down = Repaired((Repair("vg-vlan10", "it was down"),))
    assert driver.step(missing).kinds() == "N"
    for _second in range(30):
        driver.now_ns += NS_PER_S
        assert driver.router.step(missing, driver.now_ns) == ()
    assert driver.step(down).kinds() == "N", "that is another one"
    assert driver.count("repairs") == 32
    driver.now_ns += 31 * NS_PER_S
    assert [each for each in driver.router.step(missing, driver.now_ns) if isinstance(each, Notify)]
    sentences = [words for kind, words in told(driver) if kind == "repair"]
    assert len(sentences) == 3


def test_the_limit_of_the_log_forgets_what_was_long_ago():
    limit = LogLimit()
    for number in range(1_000):
        assert limit.may_log("reason %d" % number, number * NS_PER_S)
        assert not limit.may_log("reason %d" % number, number * NS_PER_S + 1)
    assert len(vars(limit)["_logged_ns"]) <= 100


def test_no_repair_says_nothing():
    assert master(config(group())).step(Repaired(())).actions == ()
