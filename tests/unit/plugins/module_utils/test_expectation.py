# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is stated about a router, and the sentence when it is not so."""

from __future__ import annotations

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils.expectation import (
    OBSERVED,
    Expectation,
    complaints,
    observed,
)

ROUTER = {
    "name": "vlan10-v4",
    "interface": "vlan10",
    "family": "ipv4",
    "vrid": 10,
    "state": "master",
    "state_age_ns": 4000000000,
    "waiting": None,
    "addresses": ["198.18.10.254"],
    "virtual_mac": "00:00:5e:00:01:0a",
    "effective_priority": 200,
    "primary_address": "198.18.10.252",
    "master_address": "198.18.10.252",
    "master_priority": 200,
    "master_adver_interval_cs": 100,
    "master_down_interval_ns": 3218750000,
    "peers": [],
    "counters": {},
}
OTHER = {**ROUTER, "name": "vlan10-v6", "family": "ipv6"}


def complaint(routers, **statement):
    return Expectation.of(statement).complaint(routers)


@pytest.mark.parametrize(
    "statement",
    [
        {"name": "vlan10-v4", "state": "master"},
        {"name": "vlan10-v4", "state": "active"},
        {"interface": "vlan10", "family": "ipv4", "vrid": 10, "state": "master"},
        {"name": "vlan10-v4"},
    ],
)
def test_it_is_so(statement):
    assert complaint([ROUTER, OTHER], **statement) is None


def test_another_state_is_told_with_what_explains_it():
    router = {**ROUTER, "state": "backup", "master_address": "198.18.10.253"}
    assert complaint([router], name="vlan10-v4", state="master") == (
        "vlan10-v4: expected master, but it is backup for 4.0 s and hears master 198.18.10.253 "
        "with priority 200"
    )


def test_a_waiting_router_says_for_what():
    router = {**ROUTER, "state": "initialize", "state_age_ns": None, "waiting": "no such interface"}
    assert complaint([router], name="vlan10-v4").endswith("but it is initialize: no such interface")


def test_a_young_master_is_not_settled():
    router = {**ROUTER, "state_age_ns": 3000000000}
    assert "a settled master, but it is master for 3.0 s" in complaint([router], name="vlan10-v4")
    assert complaint([router], name="vlan10-v4", state="master") is None


def peer(address, age_s):
    return {"address": address, "last_heard_age_ns": int(age_s * 1e9)}


BACKUP = {
    **ROUTER,
    "state": "backup",
    "master_address": "198.18.10.253",
    "peers": [peer("198.18.10.253", 0.4), peer("198.18.10.251", 4.0)],
}


def test_who_has_been_alone_for_so_many_intervals_is_stable():
    assert complaint([ROUTER], name="vlan10-v4", state="master", stable_for=4) is None
    assert complaint([BACKUP], name="vlan10-v4", state="backup", stable_for=4) is None


@pytest.mark.parametrize("state", ["master", None])
def test_who_changed_its_state_within_them_is_not(state):
    assert complaint([ROUTER], name="vlan10-v4", state=state, stable_for=5) == (
        "vlan10-v4: it is master for 4.0 s, which is less than 5 intervals (5 s)"
    )


def test_the_interval_is_the_one_that_the_master_advertises():
    slow = {**ROUTER, "master_adver_interval_cs": 200}
    assert complaint([slow], name="vlan10-v4", stable_for=2) is None
    assert "3 intervals (6 s)" in complaint([slow], name="vlan10-v4", stable_for=3)


def test_a_master_that_heard_another_is_not_stable():
    router = {**ROUTER, "peers": [peer("198.18.10.9", 1.5)]}
    assert complaint([router], name="vlan10-v4", stable_for=1) is None
    assert complaint([router], name="vlan10-v4", stable_for=2) == (
        "vlan10-v4: it is master for 4.0 s, but heard 198.18.10.9 1.5 s ago: there was more than "
        "one master within 2 intervals (2 s)"
    )


def test_a_backup_that_heard_two_masters_is_not_stable():
    router = {**BACKUP, "peers": [peer("198.18.10.253", 0.4), peer("198.18.10.251", 1.9)]}
    assert complaint([router], name="vlan10-v4", stable_for=1) is None
    assert "but heard 198.18.10.251 1.9 s ago" in complaint(
        [router], name="vlan10-v4", stable_for=2
    )


def test_an_unknown_router_names_the_known_ones():
    assert complaint([ROUTER, OTHER], name="vlan11-v4") == (
        "vlan11-v4: there is no such virtual router here; there are: vlan10-v4, vlan10-v6"
    )
    assert complaint([], name="vlan11-v4").endswith("there are: none")


def test_a_statement_that_fits_two_is_refused():
    sentence = complaint([ROUTER, OTHER], interface="vlan10", vrid=10, state="master")
    assert sentence == ("interface vlan10 VRID 10: could be any of vlan10-v4, vlan10-v6; name one")


def test_only_the_fields_worth_returning_are_returned():
    assert list(observed([ROUTER])[0]) == list(OBSERVED)


def test_many_are_told_as_each_would_be():
    routers = [ROUTER, OTHER, {**OTHER, "vrid": 11}]
    stated = [
        {"name": "vlan10-v4", "state": "backup"},
        {"name": "vlan10-v4", "state": "master"},
        {"name": "vlan10-v6"},
        {"name": "vlan30-v4"},
        {"interface": "vlan10", "family": "ipv4", "vrid": 10, "state": "initialize"},
    ]
    expectations = [Expectation.of(entry) for entry in stated]
    alone = [each.complaint(routers) for each in expectations]
    assert complaints(expectations, routers) == [text for text in alone if text is not None]
    assert [text is None for text in alone] == [False, True, False, False, False]
