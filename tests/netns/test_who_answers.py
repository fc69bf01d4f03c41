# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup asks on the LAN who has the virtual addresses, and real kernels answer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from gateways import LAN_VIPS, NAMES, WAN_VIPS, Gateway, Pair, all_are, document
from namespaces import LAN, WAN

# Not by its bare name: it has siblings that it imports.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))

from module_utils.who_answers import Question, who_answers

SOURCES = {"lan4": "10.0.0.253", "lan6": "fe80::253", "wan4": "198.51.100.253", "wan6": "fe80::253"}
ABSENT = Question(LAN, "10.0.0.77", "10.0.0.253")
ABSENT6 = Question(LAN, "2001:db8:a::77", "fe80::253")


def questions() -> Dict[Question, str]:
    """What the second gateway asks, each with the name of the virtual router."""
    return {
        Question(LAN if name in LAN_VIPS else WAN, address, SOURCES[name]): name
        for name, addresses in {**LAN_VIPS, **WAN_VIPS}.items()
        for address in addresses
    }


def answers(gateway: Gateway, asked: List[Question], timeout_s: float) -> Dict[Question, Any]:
    with gateway.namespace.inside():
        return who_answers(asked, timeout_s)


def start(pair: Pair) -> Dict[str, str]:
    """The first is master of all; the virtual MAC of each virtual router."""
    one = pair.first.start(document(200))
    one.wait_for(lambda shown: all_are("master", one), "the roles")
    two = pair.second.start(document(100))
    two.wait_for(
        lambda shown: all(
            each["state"] == "backup" and each["master_address"] for each in shown["routers"]
        ),
        "the backup",
    )
    return {name: one.router(name)["virtual_mac"] for name in NAMES}


def test_the_master_answers_from_the_virtual_mac_alone(pair: Pair) -> None:
    virtual_macs = start(pair)
    asked = questions()
    found = answers(pair.second, list(asked), 5.0)
    # fe80::254 is on both LANs: no answer was counted on the wrong one.
    assert found == {each: frozenset([virtual_macs[name]]) for each, name in asked.items()}


def test_nobody_answers_for_an_address_that_nobody_has(pair: Pair) -> None:
    virtual_macs = start(pair)
    vip = Question(LAN, "10.0.0.254", "10.0.0.253")
    found = answers(pair.second, [vip, ABSENT, ABSENT6], 0.3)
    assert found == {vip: {virtual_macs["lan4"]}, ABSENT: frozenset(), ABSENT6: frozenset()}


def test_a_second_one_that_answers_is_seen(pair: Pair) -> None:
    """The address was given to a host as well, by mistake."""
    virtual_macs = start(pair)
    pair.client.batch("addr add 10.0.0.254/32 dev eth0")
    mac = pair.client.mac("eth0")
    vip = Question(LAN, "10.0.0.254", "10.0.0.253")
    found = answers(pair.second, [vip], 5.0)
    assert found[vip] == {virtual_macs["lan4"], mac}


def test_an_interface_that_is_not_there_is_named(pair: Pair) -> None:
    with pytest.raises(OSError):
        answers(pair.second, [Question("vlan99", "10.0.0.254", "10.0.0.253")], 0.1)
