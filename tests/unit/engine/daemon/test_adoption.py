# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who goes on as master after a crash, and who starts anew."""

from dataclasses import replace

import pytest
from engine_kit.driver import Driver
from engine_kit.values import NS_PER_MS, NS_PER_S, T0, config, group, group6, ip, link

from vrrp.config.model import SyncGroupConfig
from vrrp.daemon.adoption import adopted, sentence
from vrrp.daemon.heartbeat import Beat
from vrrp.facts import HeldDevice, InterfaceAddress
from vrrp.fsm.states import State
from vrrp.wire.checksum import ChecksumForm

MAC4, MAC6 = bytes.fromhex("00005e00010a"), bytes.fromhex("00005e00020a")
BOTH = config(group(), group6())
HELD = (
    HeldDevice("vg-vlan10", 7, MAC4, (InterfaceAddress(ip("198.18.10.254"), 32),)),
    HeldDevice("vg-vlan10-v6", 7, MAC6, (InterfaceAddress(ip("fe80::10"), 64),)),
)


def beats(silence_ms=1_000, interval_cs=100, form=ChecksumForm.PSEUDO_HEADER):
    beat = Beat(T0 - silence_ms * NS_PER_MS, interval_cs, form)
    return {(7, MAC4): beat, (7, MAC6): beat}


def names(inheritance):
    return sorted(inheritance.memories)


def adopt(wanted=BOTH, links=None, held=HELD, heard=None):
    return adopted(wanted, links or (link(),), held, beats() if heard is None else heard, T0)


def test_who_was_master_a_moment_ago_goes_on():
    found = adopt()
    assert names(found) == ["lan0/ipv4/10", "lan0/ipv6/10"]
    memory = found.memories["lan0/ipv4/10"]
    assert (memory.state, memory.since_ns) == (State.MASTER, T0 - NS_PER_S)
    assert memory.deadline_ns <= T0, "its next advertisement is due"


def test_the_router_advertises_before_anything_else():
    driver = Driver(BOTH, inheritance=adopt())
    assert driver.first.kinds()[:2] == "AD"
    assert [each.priority for each in driver.first.adverts] == [100, 100]
    assert {each.state for each in driver.router.bound_routers()} == {State.MASTER}
    assert driver.first.announcements, "and goes on telling where the addresses are"


@pytest.mark.parametrize(
    "silence_ms, interval_cs, count",
    ((2_999, 100, 2), (3_000, 100, 0), (299, 10, 2), (300, 10, 0), (60_000, 100, 0)),
)
def test_after_three_intervals_somebody_else_may_be_master(silence_ms, interval_cs, count):
    assert len(adopt(heard=beats(silence_ms, interval_cs)).memories) == count


def test_the_interval_that_was_advertised_counts_not_the_one_that_was_configured_since():
    wanted = config(group(advertisement_interval_cs=1000))
    assert names(adopt(wanted, heard=beats(5_000, 100))) == []
    (memory,) = adopt(wanted).memories.values()
    assert memory.master_adver_interval_cs == 1000


@pytest.mark.parametrize("silence_ms", (-1, 1_000_000))
def test_a_time_that_cannot_be_is_not_believed(silence_ms):
    assert names(adopt(heard=beats(silence_ms))) == []


def test_without_its_address_nobody_was_master():
    assert names(adopt(held=(replace(HELD[0], addresses=()), HELD[1]))) == ["lan0/ipv6/10"]
    other = (InterfaceAddress(ip("198.18.10.253"), 32),)
    assert names(adopt(held=(replace(HELD[0], addresses=other),))) == []


def test_one_of_its_addresses_is_enough():
    wanted = config(group(addresses=("198.18.10.254", "198.18.10.253")))
    assert names(adopt(wanted)) == ["lan0/ipv4/10"]


def test_the_name_does_not_matter_the_link_does():
    assert names(adopt(config(group("renamed")))) == ["lan0/ipv4/10"]
    assert names(adopt(links=(link(ifindex=8),))) == []
    assert names(adopt(links=(link("lan1"),))) == []
    assert names(adopt(config(group(vrid=11)))) == []


def test_a_sync_group_goes_on_as_a_whole_or_not_at_all():
    groups = (SyncGroupConfig("pair", ("vlan10", "vlan10-v6")),)
    wanted = replace(BOTH, sync_groups=groups)
    assert len(adopt(wanted).memories) == 2
    assert adopt(wanted, held=HELD[:1]).memories == {}
    heard = {(7, MAC4): beats()[7, MAC4]}
    assert adopt(wanted, heard=heard).memories == {}


@pytest.mark.parametrize("form", ChecksumForm)
def test_the_checksum_stays_the_one_that_the_others_can_read(form):
    found = adopt(heard=beats(form=form))
    assert found.pasts["lan0/ipv4/10"].checksum_heard is form


def test_one_line_tells_it():
    heard = beats(640)
    assert sentence(adopt(heard=heard), heard, T0) == (
        "adopted 2 virtual routers, silent for 640 ms"
    )
    assert sentence(adopt(held=()), heard, T0) is None
