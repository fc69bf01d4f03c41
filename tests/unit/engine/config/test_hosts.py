# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only shows when the configurations of several hosts lie side by side."""

import dataclasses
import ipaddress

import pytest

from vrrp.config.hosts import groups, host_problems
from vrrp.config.model import (
    ChecksumMode,
    RouterAdvertisements,
    RouterConfig,
    SyncGroupConfig,
    VirtualRouterConfig,
)
from vrrp.facts import Family


def member(*addresses, **changes):
    texts = addresses or ("198.18.10.254",)
    router = VirtualRouterConfig(
        name="vlan10-v4",
        interface="vlan10",
        family=Family.IPV4,
        vrid=10,
        addresses=tuple(ipaddress.ip_address(text).packed for text in texts),
    )
    return dataclasses.replace(router, **changes)


def found(*routers):
    """The problems of hosts gw1, gw2, ... that have one virtual router each."""
    hosts = {"gw%d" % n: RouterConfig((router,)) for n, router in enumerate(routers, 1)}
    return [str(problem) for problem in host_problems(hosts)]


PATH = "gw2: virtual_routers[vlan10-v4]"


def test_a_good_pair():
    assert found(member(priority=200), member(priority=150)) == []


def test_owner_and_backup():
    assert found(member(priority=255), member()) == []


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        (
            member(checksum=ChecksumMode.RFC5798, priority=200),
            member(checksum=ChecksumMode.AUTO),
            (
                ".checksum: is auto, and gw1 has rfc5798 "
                "(use one form on all routers of the group: other speakers may take only one)"
            ),
        ),
        (
            member(priority=150),
            member(priority=150),
            (
                ".priority: is 150, and so is that of gw1 "
                "(give each router of the group a priority of its own)"
            ),
        ),
        (
            member(priority=255),
            member(priority=255),
            (
                ".priority: is 255, and gw1 is the address owner "
                "(give 255 to the one router that has the address as its real one)"
            ),
        ),
        (
            member(priority=200),
            member("198.18.10.253"),
            (
                ".addresses: is 198.18.10.253, and gw1 has 198.18.10.254 "
                "(list the same addresses on all routers of the group)"
            ),
        ),
        (
            member(priority=200, version=2),
            member(),
            (
                ".version: is 3, and gw1 has 2 "
                "(routers of different versions do not hear each other: use one version)"
            ),
        ),
        (
            member(priority=200),
            member(advertisement_interval_cs=50),
            (
                ".advertisement_interval_cs: is 50, and gw1 has 100 "
                "(use one interval on all routers of the group)"
            ),
        ),
        (
            member(priority=200, version=2),
            member(version=2, advertisement_interval_cs=200),
            (
                ".advertisement_interval_cs: is 200, and gw1 has 100 (use one interval on all "
                "routers of the group: VRRPv2 discards advertisements with another one)"
            ),
        ),
        (
            member(priority=200),
            member(vrid=11),
            (
                ".vrid: is 11, and gw1 has 198.18.10.254 under VRID 10 "
                "(give the address the same VRID on all of its routers)"
            ),
        ),
    ],
)
def test_pairs_that_do_not_fit(first, second, problem):
    assert found(first, second) == [PATH + problem]


def test_all_at_once_and_each_host_by_itself():
    third = member("198.18.10.254", "198.18.10.253", interface="lan", advertisement_interval_cs=50)
    assert [
        line.split(":")[:2] for line in found(member(priority=9), member(priority=9), third)
    ] == [
        ["gw2", " virtual_routers[vlan10-v4].priority"],
        ["gw3", " virtual_routers[vlan10-v4].addresses"],
        ["gw3", " virtual_routers[vlan10-v4].advertisement_interval_cs"],
    ]


def test_another_site_with_the_same_names_is_another_group():
    assert found(member(), member("203.0.113.254")) == []


def test_interfaces_may_be_called_differently():
    assert len(found(member(), member(interface="eth1.10"))) == 1


def test_order_of_addresses_does_not_matter():
    one = member("198.18.10.254", "198.18.10.253", priority=200)
    assert found(one, member("198.18.10.253", "198.18.10.254")) == []


def test_the_same_link_local_address_everywhere_joins_nothing():
    six = {"family": Family.IPV6}
    one = member("fe80::fe", "2001:db8:10::fe", **six)
    other = member("fe80::fe", "2001:db8:20::fe", interface="vlan20", name="vlan20-v6", **six)
    assert found(one, other) == []


def test_a_late_member_joins_two_that_seemed_apart():
    hosts = {
        "gw1": RouterConfig((member("198.18.10.254", interface="a"),)),
        "gw2": RouterConfig((member("198.18.11.254", interface="b", priority=99),)),
        "gw3": RouterConfig((member("198.18.10.254", "198.18.11.254", priority=98),)),
    }
    (group,) = groups(hosts)
    assert {each.host for each in group} == set(hosts)


def on(*places):
    """A host with a virtual router for each VLAN, VRID, interface and priority."""
    return RouterConfig(
        tuple(
            member(
                "198.18.%d.254" % number,
                name="vlan%d" % number,
                vrid=vrid,
                interface=interface,
                priority=priority,
            )
            for number, vrid, interface, priority in places
        )
    )


def a_lan_of_four(last_vrid):
    """No two hosts of VLANs 10 and 12 are the same, but VLAN 11 makes one LAN of both."""
    return {
        "gw1": on((10, 7, "vlan10", 200)),
        "gw2": on((10, 7, "eth0.10", 150), (11, 8, "eth0.10", 200)),
        "gw3": on((11, 8, "lan", 150), (12, last_vrid, "lan", 200)),
        "gw4": on((12, last_vrid, "eth1", 150)),
    }


def test_one_vrid_twice_on_a_lan_that_no_host_sees_as_a_whole():
    assert [str(problem) for problem in host_problems(a_lan_of_four(7))] == [
        (
            "gw3: virtual_routers[vlan12].vrid: is 7, as that of vlan10 on gw1, which is on the "
            "same LAN (choose a VRID that no other group of this LAN uses)"
        )
    ]


def test_one_vrid_on_two_lans():
    assert host_problems(a_lan_of_four(9)) == ()
    apart = a_lan_of_four(7)
    apart["gw3"] = on((11, 8, "lan11", 150), (12, 7, "lan12", 200))
    assert host_problems(apart) == ()


@pytest.mark.rfc("N11", positive=False)
def test_members_that_would_tell_hosts_something_else():
    """RFC 9568 section 8.2.3."""
    ipv6 = {"family": Family.IPV6, "name": "vlan10-v6"}
    first = member("2001:db8:10::fe", priority=200, **ipv6)
    told = RouterAdvertisements(enabled=True, lifetime_s=900)
    other = dataclasses.replace(first, priority=150, router_advertisements=told)
    (problem,) = found(first, other)
    assert problem == (
        "gw2: virtual_routers[vlan10-v6].router_advertisements: differ from those of gw1 "
        "(tell hosts the same on all routers of the group)"
    )
    assert found(dataclasses.replace(first, router_advertisements=told), other) == []


# Sync groups


def vlan(number, priority, **changes):
    address = "198.18.%d.254" % number
    name = changes.pop("name", "vlan%d" % number)
    return member(address, name=name, interface=name, vrid=number, priority=priority, **changes)


def host(*routers, **sync_groups):
    groups = [
        SyncGroupConfig(name, tuple(members.split())) for name, members in sync_groups.items()
    ]
    return RouterConfig(tuple(routers), (), tuple(groups))


def found_between(*hosts):
    named = {"gw%d" % number: config for number, config in enumerate(hosts, 1)}
    return [str(problem) for problem in host_problems(named)]


SAME = "(put the same virtual routers into a sync group on all hosts that share them)"


def test_sync_groups_of_the_same_members_may_be_called_differently():
    one = host(vlan(1, 200), vlan(2, 200), vlan(3, 200), lan="vlan1 vlan2")
    other = host(
        vlan(1, 150, name="a"), vlan(2, 150, name="b"), vlan(3, 150, name="c"), inside="a b"
    )
    assert found_between(one, other) == []


def test_hosts_that_share_nothing_may_do_as_they_like():
    one = host(vlan(1, 200), vlan(2, 200), lan="vlan1 vlan2")
    assert found_between(one, host(vlan(3, 200), vlan(4, 200))) == []


def test_a_host_without_the_sync_group():
    one = host(vlan(1, 200), vlan(2, 200), lan="vlan1 vlan2")
    other = host(vlan(1, 150), vlan(2, 150))
    assert found_between(one, other) == [
        "gw2: virtual_routers[vlan1]: is in no sync group, and gw1 has it in lan " + SAME,
        "gw2: virtual_routers[vlan2]: is in no sync group, and gw1 has it in lan " + SAME,
    ]
    assert found_between(other, one) == [
        "gw2: sync_groups[lan].members: has 'vlan1', which is in no sync group of gw1 " + SAME,
        "gw2: sync_groups[lan].members: has 'vlan2', which is in no sync group of gw1 " + SAME,
    ]


def test_one_member_more_is_told_once():
    three = [vlan(1, 200), vlan(2, 200), vlan(3, 200)]
    less = [vlan(1, 150), vlan(2, 150), vlan(3, 150)]
    assert found_between(host(*three, lan="vlan1 vlan2 vlan3"), host(*less, lan="vlan1 vlan2")) == [
        "gw2: sync_groups[lan].members: are vlan1, vlan2, "
        "and those of gw1 in lan are vlan1, vlan2, vlan3 " + SAME,
        "gw2: virtual_routers[vlan3]: is in no sync group, and gw1 has it in lan " + SAME,
    ]


def test_a_member_that_another_host_does_not_have_would_stay_behind():
    one = host(vlan(1, 200), vlan(2, 200), lan="vlan1 vlan2")
    other = host(vlan(1, 150), vlan(3, 150), lan="vlan1 vlan3")
    assert found_between(one, other) == [
        "gw2: sync_groups[lan].members: are vlan1, vlan3, "
        "and those of gw1 in lan are vlan1, vlan2 " + SAME
    ]


def test_hosts_that_rank_otherwise_in_one_member():
    one = host(vlan(1, 200), vlan(2, 100), lan="vlan1 vlan2")
    other = host(vlan(1, 150), vlan(2, 150), lan="vlan1 vlan2")
    assert found_between(one, other) == [
        (
            "gw2: virtual_routers[vlan2].priority: is 150, so gw2 comes before gw1, "
            "which comes first in vlan1 of sync group lan "
            "(let the hosts follow each other in one order: a sync group moves as a whole)"
        )
    ]


def test_the_third_host_has_its_place_too():
    hosts = [
        host(vlan(1, 200), vlan(2, 200), lan="vlan1 vlan2"),
        host(vlan(1, 150), vlan(2, 100), lan="vlan1 vlan2"),
        host(vlan(1, 100), vlan(2, 150), lan="vlan1 vlan2"),
    ]
    (problem,) = found_between(*hosts)
    assert problem.startswith(
        "gw3: virtual_routers[vlan2].priority: is 150, so gw3 comes before gw2"
    )


def test_many_members_are_not_all_listed():
    numbers = range(1, 21)
    names = ["vlan%d" % number for number in numbers]
    one = host(*(vlan(number, 200) for number in numbers), lan=" ".join(names))
    other = host(*(vlan(number, 150) for number in numbers), lan=" ".join(names[:-1]))
    less, _behind = found_between(one, other)
    assert "vlan8 and 11 more, and those of gw1 in lan are vlan1" in less
