# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table that is sound by itself, and does not fit the inventory."""

import pytest

from vrrp.config.gateway_inventory import Inventory
from vrrp.config.gateways import gateway_configs
from vrrp.errors import ConfigError

VLANS = ({"id": 10, "networks": ["198.18.10.0/24", "2001:db8:10::/64"]},)
PAIR = ("gw1", "gw2")


def found(vlans=VLANS, routers=PAIR, hosts=(*PAIR, "web1"), play=PAIR, partial=False, **endpoints):
    inventory = Inventory(hosts, play, partial, {k: (v, "22") for k, v in endpoints.items()})
    try:
        gateway_configs(vlans, list(routers), {}, inventory)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_a_table_that_fits():
    assert found(gw1="198.51.100.1", gw2="198.51.100.2", web1="router.example") == []


def test_a_router_that_nobody_knows():
    (problem,) = found(routers=("gw1", "gw22"), hosts=PAIR, play=("gw1",), partial=True)
    assert problem == "routers[gw22]: is no host of the inventory (did you mean 'gw2'?)"


def test_a_router_that_is_left_out_of_the_play():
    assert found(play=("gw1",)) == [
        (
            "routers[gw2]: is not among the hosts of this play "
            "(run the play on all routers of the table, or set vlangate_partial to true)"
        )
    ]
    assert found(play=("gw1",), partial=True) == []


@pytest.mark.parametrize("partial", [False, True])
def test_a_host_of_the_play_that_is_no_router(partial):
    assert found(play=(*PAIR, "web1"), partial=partial) == [
        (
            "routers: do not name web1, which is a host of this play "
            "(add it to the table, or take it out of the group of routers)"
        )
    ]


def test_two_names_of_one_machine():
    assert found(gw1="198.51.100.1", gw2="198.51.100.1") == [
        (
            "routers[gw2]: is reached at 198.51.100.1, and so is gw1 "
            "(give each router the ansible_host of its own)"
        )
    ]


@pytest.mark.parametrize("address", ["198.18.10.254", "2001:db8:10:0::fe"])
def test_a_host_behind_a_virtual_address(address):
    (problem,) = found(web1=address)
    assert problem.startswith("vlans[10].virtual: ") and "by which web1 is reached" in problem


def test_an_owner_may_be_reached_by_what_it_owns():
    vlans = [{**VLANS[0], "routers": {"gw1": 254, "gw2": 253}}]
    assert found(vlans, gw1="198.18.10.254") == []
    assert len(found(vlans, gw2="198.18.10.254")) == 1


def test_it_is_told_together_with_all_that_is_wrong_with_the_table():
    problems = found([{**VLANS[0], "vrid": 300}], play=("gw1",), web1="198.18.10.254")
    assert [problem.partition(":")[0] for problem in problems] == [
        "routers[gw2]",
        "vlans[10].virtual",
        "vlans[10].vrid",
    ]
