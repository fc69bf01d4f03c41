# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router advertisements that the VLAN table asks for."""

from engine_kit.tables import VLAN10, VLAN20, build, part

from vrrp.config.parse import parse


def advertised(result, router="gw1", group="vlan10-v6"):
    return part(result, router, group)["router_advertisements"]


def test_hosts_are_told_nothing_unless_somebody_asks_for_it():
    for result in (build(VLAN10), build(dict(VLAN10, router_advertisements=False))):
        assert [advertised(result, group=name) for name in ("vlan10-v4", "vlan10-v6")] == [{}, {}]


def test_true_tells_hosts_the_ipv6_networks_of_the_vlan():
    networks = ["198.18.10.0/24", "2001:db8:10::/64", "2001:db8:11::/80"]
    result = build(dict(VLAN10, networks=networks, router_advertisements=True))
    told = advertised(result)
    assert (told["enabled"], told["lifetime_s"]) == (True, 1800)
    shown = [(each["prefix"], each["autonomous"], each["on_link"]) for each in told["prefixes"]]
    assert shown == [("2001:db8:10::/64", True, True), ("2001:db8:11::/80", False, True)]
    assert advertised(result, "gw2") == told, "the same on all routers of the group"
    assert advertised(result, group="vlan10-v4") == {}


def test_a_mapping_says_what_hosts_are_told():
    told = {"mtu": 1400, "rdnss": ["2001:db8::53"], "max_interval_cs": "30s"}
    result = build(dict(VLAN10, router_advertisements=told))
    found = advertised(result)
    assert found["enabled"], "who writes it wants it"
    assert [found[key] for key in told] == [1400, ["2001:db8::53"], 3000]
    assert [each["prefix"] for each in found["prefixes"]] == ["2001:db8:10::/64"]
    assert parse(result["gw1"]["config"])


def test_named_prefixes_replace_the_networks():
    told = {"prefixes": [{"prefix": "2001:db8:99::/64"}]}
    found = advertised(build(dict(VLAN10, router_advertisements=told)))
    assert [each["prefix"] for each in found["prefixes"]] == ["2001:db8:99::/64"]
    none = advertised(build(dict(VLAN10, router_advertisements={"prefixes": []})))
    assert none["enabled"] and none["prefixes"] == []


def test_a_vlan_comes_before_the_defaults_and_one_without_ipv6_is_left_alone():
    off = dict(VLAN10, id=30, networks=["2001:db8:30::/64"], router_advertisements=False)
    result = build(VLAN10, VLAN20, off, router_advertisements={"managed": True})
    assert advertised(result)["managed"] is True
    assert advertised(result, group="vlan20-v4") == {}
    assert advertised(result, group="vlan30-v6") == {}
