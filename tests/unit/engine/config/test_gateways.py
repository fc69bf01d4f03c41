# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VLAN table becomes one configuration per router."""

import ipaddress
import json

import pytest
from engine_kit.scaling import assert_linear
from engine_kit.tables import PAIR, VLAN10, VLAN20, build, part
from hypothesis import given
from hypothesis import strategies as st

from vrrp.config.gateways import gateway_configs
from vrrp.config.hosts import host_problems
from vrrp.config.parse import parse
from vrrp.config.render import canonical_json


def group_of(result, router, group):
    (found,) = [each for each in result[router]["groups"] if each["name"] == group]
    return found


def test_two_vlans_and_two_routers():
    result = build(VLAN10, VLAN20)
    assert list(result) == PAIR
    assert part(result, "gw1", "vlan10-v4") == {
        "name": "vlan10-v4",
        "interface": "vlan10",
        "family": "ipv4",
        "vrid": 10,
        "version": 3,
        "priority": 200,
        "advertisement_interval_cs": 100,
        "preempt": True,
        "preempt_delay_cs": 1500,
        "accept": True,
        "addresses": ["198.18.10.254"],
        "checksum": "auto",
        "profile": "auto",
        "password": "",
        "track": [],
        "router_advertisements": {},
    }
    backup = part(result, "gw2", "vlan10-v4")
    assert (backup["priority"], backup["preempt_delay_cs"]) == (150, 0)
    assert part(result, "gw1", "vlan10-v6")["addresses"] == ["2001:db8:10::fe"]
    assert part(result, "gw2", "vlan20-v4")["priority"] == 200
    assert result["gw2"]["interfaces"] == [
        {
            "name": "vlan10",
            "vlan_id": 10,
            "parent": None,
            "addresses": ["198.18.10.253/24", "2001:db8:10::fd/64"],
        },
        {"name": "vlan20", "vlan_id": 20, "parent": None, "addresses": ["198.18.20.253/24"]},
    ]
    assert group_of(result, "gw2", "vlan10-v6") == {
        "name": "vlan10-v6",
        "vlan": 10,
        "family": "ipv6",
        "interface": "vlan10",
        "vrid": 10,
        "vip": "2001:db8:10::fe",
        "vips": ["2001:db8:10::fe"],
        "virtual_mac": "00:00:5e:00:02:0a",
        "preferred": "gw1",
        "members": ["gw1", "gw2"],
        "priority": 150,
        "sync_group": None,
    }
    assert "sync_groups" not in result["gw1"]["config"]
    assert "leases" not in result["gw1"]["config"]


def test_routers_in_all_their_forms():
    names = build(VLAN10)
    assert build(VLAN10, routers=[{"name": "gw1"}, {"name": "gw2"}]) == names
    assert build(VLAN10, routers={"gw1": None, "gw2": {}}) == names
    assert build(VLAN10, routers={"gw1": {"host_number": 252}, "gw2": {"parent": None}}) == names


def test_default_host_numbers_go_round_those_that_are_taken():
    routers = ["a", "b", {"name": "c", "host_number": 252}, "d", "e"]
    result = build(VLAN20, routers=routers, virtual=251)
    assert [result[name]["interfaces"][0]["addresses"][0] for name in "abcde"] == [
        "198.18.20.253/24",
        "198.18.20.250/24",
        "198.18.20.252/24",
        "198.18.20.249/24",
        "198.18.20.248/24",
    ]


@pytest.mark.parametrize(
    ("vlan_id", "vrid"), [(1, 1), (255, 255), (256, 1), (510, 255), (4094, 14)]
)
def test_vrid_follows_the_vlan_id(vlan_id, vrid):
    result = build({"id": vlan_id, "networks": ["198.18.10.0/24"]})
    assert part(result, "gw1", "vlan%d-v4" % vlan_id)["vrid"] == vrid


@pytest.mark.parametrize(
    ("virtual", "vips"),
    [
        (1, ["198.18.10.1", "2001:db8:10::1"]),
        ([1, 2], ["198.18.10.1", "2001:db8:10::2"]),
        ("198.18.10.77", ["198.18.10.77", "2001:db8:10::fe"]),
        (["2001:db8:10::1", "198.18.10.9"], ["198.18.10.9", "2001:db8:10::1"]),
        ([7, "2001:db8:10::9"], ["198.18.10.7", "2001:db8:10::9"]),
    ],
)
def test_virtual_addresses_as_numbers_and_addresses(virtual, vips):
    result = build(dict(VLAN10, virtual=virtual))
    assert [each["vip"] for each in result["gw1"]["groups"]] == vips


def test_a_virtual_link_local_address_may_be_the_same_on_every_vlan():
    written = ["2001:db8:10::fe", "fe80::254"]
    rows = [
        {"id": vlan, "networks": ["2001:db8:%d::/64" % vlan], "virtual": [254, "fe80::254"]}
        for vlan in (10, 20)
    ]
    for group in build(*rows)["gw1"]["groups"]:
        address = "2001:db8:%d::fe" % group["vlan"]
        assert (group["vip"], group["vips"]) == (address, ["fe80::254", address])
    group = build(dict(VLAN10, virtual=written))["gw1"]["groups"][-1]
    assert group["vips"] == ["fe80::254", "2001:db8:10::fe"]


def test_several_networks_of_one_family_share_a_group():
    networks = ["198.18.10.0/24", "198.18.11.0/24"]
    result = build({"id": 10, "networks": networks, "virtual": ["198.18.10.1", "198.18.10.2"]})
    addresses = ["198.18.10.1", "198.18.10.2", "198.18.11.254"]
    assert part(result, "gw1", "vlan10-v4")["addresses"] == addresses
    assert result["gw1"]["interfaces"][0]["addresses"] == ["198.18.10.252/24", "198.18.11.252/24"]


def test_small_and_large_networks():
    small = {"id": 1, "networks": ["192.0.2.16/29"], "virtual": 1, "routers": {"gw1": 2, "gw2": 3}}
    large = {"id": 2, "networks": ["198.18.4.0/22"]}
    point = {"id": 3, "networks": ["192.0.2.0/31"], "virtual": 0, "routers": {"gw1": "192.0.2.1"}}
    result = build(small, large, point)
    assert result["gw1"]["interfaces"][0]["addresses"] == ["192.0.2.18/29"]
    assert group_of(result, "gw1", "vlan2-v4")["vip"] == "198.18.4.254"
    assert group_of(result, "gw1", "vlan3-v4")["vip"] == "192.0.2.0"


def test_real_addresses_and_subsets_of_routers():
    vlan = dict(VLAN10, routers={"gw3": ["198.18.10.3"], "gw1": 5})
    result = build(vlan, VLAN20, routers=["gw1", "gw2", "gw3"])
    assert result["gw3"]["interfaces"][0]["addresses"] == ["198.18.10.3/24", "2001:db8:10::fb/64"]
    assert result["gw1"]["interfaces"][0]["addresses"] == ["198.18.10.5/24", "2001:db8:10::5/64"]
    assert [each["name"] for each in result["gw2"]["groups"]] == ["vlan20-v4"]
    assert set(group_of(result, "gw1", "vlan10-v4")["members"]) == {"gw1", "gw3"}


def test_a_subset_as_a_list():
    result = build(dict(VLAN20, routers=["gw2"]))
    assert result["gw1"]["groups"] == []
    assert group_of(result, "gw2", "vlan20-v4")["members"] == ["gw2"]


def test_interfaces_names_and_parents():
    vlan = dict(VLAN20, name="office", interface={"gw2": "bond0.20"}, description="Second floor")
    result = build(vlan, routers=["gw1", {"name": "gw2", "parent": "bond0"}])
    assert part(result, "gw1", "office-v4")["interface"] == "vlan20"
    assert part(result, "gw2", "office-v4")["interface"] == "bond0.20"
    assert result["gw2"]["interfaces"][0]["parent"] == "bond0"
    assert group_of(result, "gw2", "office-v4")["interface"] == "bond0.20"
    everywhere = build(dict(VLAN20, interface="eth1"))
    assert part(everywhere, "gw2", "vlan20-v4")["interface"] == "eth1"


def test_two_vlans_on_one_interface_need_it_once():
    result = build(dict(VLAN10, interface="eth1"), dict(VLAN20, interface="eth1"))
    (interface,) = result["gw1"]["interfaces"]
    assert interface["addresses"] == ["198.18.10.252/24", "2001:db8:10::fc/64", "198.18.20.252/24"]


def test_three_routers_share_and_their_backups_turn():
    vlans = [{"id": n, "networks": ["198.18.%d.0/24" % n]} for n in range(1, 7)]
    result = build(*vlans, routers=["a", "b", "c"])
    members = [each["members"] for each in result["a"]["groups"]]
    assert members == [list(order) for order in ("abc", "bca", "cab", "acb", "bac", "cba")]
    assert [each["priority"] for each in result["a"]["groups"]] == [200, 100, 150, 200, 150, 100]


def test_preferred_counts_for_the_rows_below():
    vlans = [{"id": n, "networks": ["198.18.%d.0/24" % n]} for n in range(1, 5)]
    vlans[0]["preferred"] = vlans[1]["preferred"] = "gw1"
    result = build(*vlans)
    preferred = [each["preferred"] for each in result["gw1"]["groups"]]
    assert preferred == ["gw1", "gw1", "gw2", "gw2"]


def test_priorities_as_written():
    vlan = dict(VLAN10, priorities={"gw1": 90, "gw2": 110})
    result = build(vlan, VLAN20)
    assert part(result, "gw1", "vlan10-v4")["priority"] == 90
    assert part(result, "gw2", "vlan10-v6")["priority"] == 110
    assert part(result, "gw2", "vlan10-v6")["preempt_delay_cs"] == 1500
    assert group_of(result, "gw1", "vlan10-v4")["members"] == ["gw2", "gw1"]
    assert group_of(result, "gw1", "vlan20-v4")["preferred"] == "gw1"


def test_owner():
    vlan = dict(VLAN10, virtual=253)
    result = build(vlan, uplink={"targets": ["192.0.2.1"]})
    for group in ("vlan10-v4", "vlan10-v6"):
        owner, backup = part(result, "gw2", group), part(result, "gw1", group)
        assert (owner["priority"], owner["preempt_delay_cs"], owner["track"]) == (255, 0, [])
        assert owner["preempt"] is True
        assert (backup["priority"], backup["preempt_delay_cs"]) == (150, 0)
        assert backup["track"] == [{"tracker": "uplink", "penalty": 101}]
        assert group_of(result, "gw1", group)["preferred"] == "gw2"


def test_owner_of_one_family_only():
    vlan = dict(VLAN10, virtual=["198.18.10.253"], priorities={"gw1": 120, "gw2": 80})
    result = build(vlan)
    assert part(result, "gw2", "vlan10-v4")["priority"] == 255
    assert part(result, "gw1", "vlan10-v4")["priority"] == 120
    assert part(result, "gw2", "vlan10-v6")["priority"] == 80
    assert build(dict(VLAN10, virtual=253, priorities={"gw1": 7}))["gw1"]["groups"]


def test_owner_preempts_where_nobody_else_does():
    result = build(dict(VLAN20, virtual=252, preempt=False))
    assert part(result, "gw1", "vlan20-v4")["preempt"] is True
    assert part(result, "gw2", "vlan20-v4")["preempt"] is False


def test_policy_of_the_vlan_before_that_of_the_defaults():
    vlan = dict(
        VLAN10,
        version=2,
        advertisement_interval="2s",
        accept=False,
        preempt_delay_cs=0,
        checksum="rfc5798",
    )
    result = build(vlan, VLAN20, advertisement_interval_cs=50, accept=True, preempt_delay="1s")
    four, six = part(result, "gw1", "vlan10-v4"), part(result, "gw1", "vlan10-v6")
    assert (four["version"], six["version"]) == (2, 3)
    assert four["advertisement_interval_cs"] == six["advertisement_interval_cs"] == 200
    assert (four["accept"], four["preempt_delay_cs"], four["checksum"]) == (False, 0, "rfc5798")
    other = part(result, "gw2", "vlan20-v4")
    assert (other["advertisement_interval_cs"], other["preempt_delay_cs"]) == (50, 100)


def test_no_preemption_means_no_delay():
    for router in build(dict(VLAN20, preempt=False)).values():
        (each,) = router["config"]["virtual_routers"]
        assert (each["preempt"], each["preempt_delay_cs"]) == (False, 0)


def test_uplinks_links_and_trackers():
    result = build(
        dict(VLAN20, track=[{"tracker": "uplink", "penalty": 60}, {"tracker": "extra"}]),
        VLAN10,
        routers=[
            "gw1",
            {
                "name": "gw2",
                "uplink": {"targets": ["192.0.2.9"], "penalty": 120},
                "track_links": [],
            },
        ],
        uplink={
            "targets": ["192.0.2.1", "2001:db8::1"],
            "interface": "wan",
            "interval_cs": "500ms",
        },
        track_links=["eth0.7"],
        trackers=[{"name": "extra", "kind": "link", "interface": "eth5"}],
    )
    assert [each["name"] for each in result["gw1"]["config"]["trackers"]] == [
        "extra",
        "link-eth0-7",
        "uplink",
    ]
    uplink = result["gw1"]["config"]["trackers"][2]
    assert (uplink["kind"], uplink["interface"], uplink["interval_cs"]) == ("ping", "wan", 50)
    assert uplink["targets"] == ["192.0.2.1", "2001:db8::1"]
    assert part(result, "gw1", "vlan20-v4")["track"] == [
        {"tracker": "link-eth0-7", "penalty": 101},
        {"tracker": "uplink", "penalty": 60},
        {"tracker": "extra", "penalty": 101},
    ]
    assert part(result, "gw2", "vlan10-v6")["track"] == [{"tracker": "uplink", "penalty": 120}]
    assert result["gw2"]["config"]["trackers"][1]["targets"] == ["192.0.2.9"]


def test_a_router_without_uplink_comes_behind_all_healthy_ones():
    for count in range(2, 102):
        names = ["r%d" % number for number in range(count)]
        vlan = {"id": 1, "networks": ["198.18.0.0/20"]}
        result = build(vlan, routers=names)
        priorities = [result[name]["groups"][0]["priority"] for name in names]
        assert len(set(priorities)) == count
        assert priorities[0] == max(priorities) == 200
        assert min(priorities) > 200 - 101


def test_a_row_at_the_end_changes_nothing_above():
    before, after = build(VLAN10), build(VLAN10, VLAN20)
    for name in PAIR:
        assert after[name]["groups"][:2] == before[name]["groups"]


@st.composite
def tables(draw):
    count = draw(st.integers(1, 5))
    routers = ["r%d" % number for number in range(count)]
    ids = draw(st.lists(st.integers(1, 4094), min_size=1, max_size=12, unique=True))
    vlans = []
    for index, vlan_id in enumerate(ids):
        networks = ["10.%d.%d.0/24" % divmod(index, 250), "2001:db8:%x::/64" % index]
        shown = draw(st.sampled_from([networks, networks[:1], networks[1:]]))
        vlan = {"id": vlan_id, "networks": shown}
        optional = {
            "virtual": st.sampled_from([1, 254, 252]),
            "preempt": st.booleans(),
            "advertisement_interval_cs": st.sampled_from([100, 200, 4000]),
            "accept": st.booleans(),
            "routers": st.lists(st.sampled_from(routers), min_size=1, unique=True),
        }
        for key in draw(st.lists(st.sampled_from(sorted(optional)), unique=True)):
            vlan[key] = draw(optional[key])
        # 252 is the address of the first router, which nobody can be preferred to then.
        if vlan.get("virtual") != 252 and draw(st.booleans()):
            vlan["preferred"] = draw(st.sampled_from(vlan.get("routers", routers)))
        vlans.append(vlan)
    defaults = draw(
        st.fixed_dictionaries(
            {"sync_groups": sync_groups(vlans, routers)},
            optional={
                "leases": st.sampled_from(["auto", "on", "off", True, False]),
                "version": st.sampled_from([2, 3]),
                "track_links": st.just(["eth0"]),
                "uplink": st.just({"targets": ["192.0.2.1"]}),
            },
        )
    )
    return vlans, routers, defaults


def sync_groups(vlans, routers):
    """VLANs that may move together: those with the same routers, policy and preference."""
    alike = {}
    for vlan in vlans:
        how = [sorted(vlan.get("routers", routers)), vlan.get("preempt", True)]
        how += [vlan.get("virtual") == 252, vlan.get("preferred")]
        alike.setdefault(str(how), []).append(vlan["id"])
    candidates = [ids for ids in alike.values() if len(ids) > 1]
    if not candidates:
        return st.just([])
    return st.lists(st.sampled_from(candidates), unique_by=tuple).map(
        lambda chosen: [{"name": "s%d" % ids[0], "vlans": ids} for ids in chosen]
    )


@given(tables())
def test_any_table(table):
    vlans, routers, defaults = table
    result = gateway_configs(vlans, routers, defaults)
    assert result == gateway_configs(json.loads(json.dumps(vlans)), routers, defaults)
    configs = {name: parse(each["config"]) for name, each in result.items()}
    assert host_problems(configs) == ()
    for name, config in configs.items():
        assert json.loads(canonical_json(config)) == result[name]["config"]
        _facts_agree(result[name], config)
    groups = {each["name"]: each for router in result.values() for each in router["groups"]}
    for group in groups.values():
        assert list(group["members"]) == sorted(
            group["members"], key=lambda name: -group_of(result, name, group["name"])["priority"]
        )
    masters, orders = {}, {}
    for group in groups.values():
        masters.setdefault(group["vlan"], set()).add(group["preferred"])
        if group["sync_group"] is not None:
            orders.setdefault(group["sync_group"], set()).add(tuple(group["members"]))
    assert all(len(names) == 1 for names in masters.values())
    assert sorted(orders) == sorted(each["name"] for each in defaults["sync_groups"])
    assert all(len(found) == 1 for found in orders.values()), "a sync group moves as a whole"


def _facts_agree(router, config):
    """Each group has its part in the configuration, and its interface is on the VIP's network."""
    parts = {each.name: each for each in config.virtual_routers}
    assert set(parts) == {each["name"] for each in router["groups"]}
    interfaces = {each["name"]: each["addresses"] for each in router["interfaces"]}
    for group in router["groups"]:
        mine = parts[group["name"]]
        assert (mine.priority, mine.vrid) == (group["priority"], group["vrid"])
        assert group["virtual_mac"].endswith(":%02x" % mine.vrid)
        vip = ipaddress.ip_address(group["vip"])
        assert vip.packed == mine.addresses[0]
        real = [ipaddress.ip_interface(text) for text in interfaces[group["interface"]]]
        assert any(vip in each.network for each in real)
        assert (mine.priority == 255) is any(vip == each.ip for each in real)
        is_first = group["members"][0] == group["preferred"]
        assert is_first and mine.preempt_delay_cs in (0, 1500)


@given(st.integers(1, 6), st.integers(1, 40))
def test_sharing_is_even(router_count, vlan_count):
    routers = ["r%d" % number for number in range(router_count)]
    vlans = [{"id": n, "networks": ["10.0.%d.0/24" % n]} for n in range(1, vlan_count + 1)]
    groups = build(*vlans, routers=routers)["r0"]["groups"]
    for place in range(min(2, router_count)):
        counts = dict.fromkeys(routers, 0)
        for group in groups:
            counts[group["members"][place]] += 1
        assert max(counts.values()) - min(counts.values()) <= 1


def test_four_times_as_many_vlans_take_four_times_as_long():
    def work(count):
        vlans = [
            {"id": n, "networks": ["10.%d.%d.0/24" % divmod(n, 256), "2001:db8:%x::/64" % n]}
            for n in range(1, count + 1)
        ]
        build(*vlans, routers=["a", "b", "c"])

    assert_linear(work, 250)


# Sync groups and leases


def vlan(number, *routers, **more):
    row = {"id": number, "networks": ["198.18.%d.0/24" % number], **more}
    return {**row, "routers": list(routers)} if routers else row


def preferred(result, router="gw1"):
    return [each["preferred"] for each in result[router]["groups"]]


def test_vlans_of_a_sync_group_have_the_same_master_and_succession():
    vlans = [vlan(number) for number in range(1, 7)]
    groups = [{"name": "inside", "vlans": [2, "vlan5", 6]}]
    result = build(*vlans, routers=["a", "b", "c"], sync_groups=groups)
    members = {each["name"]: each["members"] for each in result["a"]["groups"]}
    assert members["vlan2-v4"] == members["vlan5-v4"] == members["vlan6-v4"] == ["b", "c", "a"]
    assert members["vlan1-v4"] == ["a", "b", "c"]
    assert members["vlan4-v4"] != members["vlan2-v4"], "the others are shared as ever"
    for name in "abc":
        config = result[name]["config"]
        assert config["sync_groups"] == [
            {"name": "inside", "members": ["vlan2-v4", "vlan5-v4", "vlan6-v4"]}
        ]
        parts = {each["name"]: each["priority"] for each in config["virtual_routers"]}
        assert parts["vlan2-v4"] == parts["vlan5-v4"] == parts["vlan6-v4"]
    named = {each["name"]: each["sync_group"] for each in result["a"]["groups"]}
    assert (named["vlan5-v4"], named["vlan3-v4"]) == ("inside", None)


def test_both_families_of_its_vlans_are_in_a_sync_group():
    result = build(VLAN10, VLAN20, sync_groups=[{"name": "all", "vlans": [20, 10]}])
    (group,) = result["gw2"]["config"]["sync_groups"]
    assert group == {"name": "all", "members": ["vlan10-v4", "vlan10-v6", "vlan20-v4"]}
    assert preferred(result) == ["gw1"] * 3


def test_one_vlan_of_two_families_may_be_in_sync_with_itself():
    result = build(VLAN10, sync_groups=[{"name": "ten", "vlans": [10]}])
    (group,) = result["gw1"]["config"]["sync_groups"]
    assert group["members"] == ["vlan10-v4", "vlan10-v6"]


def test_a_sync_group_counts_as_often_as_it_has_vlans():
    vlans = [vlan(number) for number in range(1, 7)]
    result = build(*vlans, sync_groups=[{"name": "three", "vlans": [1, 2, 3]}])
    assert preferred(result) == ["gw1", "gw1", "gw1", "gw2", "gw2", "gw2"]


def test_sync_groups_are_shared_evenly():
    vlans = [vlan(number) for number in range(1, 9)]
    groups = [{"name": "s%d" % n, "vlans": [2 * n + 1, 2 * n + 2]} for n in range(4)]
    result = build(*vlans, sync_groups=groups)
    assert sorted(preferred(result)) == ["gw1"] * 4 + ["gw2"] * 4


@pytest.mark.parametrize("asking", [1, 2, 3])
def test_one_preference_counts_for_the_whole_sync_group(asking):
    vlans = [vlan(number) for number in (1, 2, 3)]
    vlans[asking - 1]["preferred"] = "gw2"
    result = build(*vlans, sync_groups=[{"name": "three", "vlans": [1, 2, 3]}])
    assert preferred(result) == ["gw2"] * 3


@pytest.mark.parametrize("asking", [1, 2, 3])
def test_priorities_of_one_vlan_count_for_the_whole_sync_group(asking):
    vlans = [vlan(number) for number in (1, 2, 3)]
    vlans[asking - 1]["priorities"] = {"gw1": 90, "gw2": 110}
    vlans[asking % 3]["preferred"] = "gw2"
    result = build(*vlans, sync_groups=[{"name": "three", "vlans": [1, 2, 3]}])
    assert preferred(result) == ["gw2"] * 3
    assert [each["priority"] for each in result["gw1"]["groups"]] == [90] * 3


def test_priorities_may_differ_where_their_order_does_not():
    one = vlan(1, priorities={"gw1": 90, "gw2": 110})
    two = vlan(2, priorities={"gw2": 220, "gw1": 7})
    result = build(one, two, sync_groups=[{"name": "both", "vlans": [1, 2]}])
    assert preferred(result) == ["gw2", "gw2"]
    assert [each["priority"] for each in result["gw1"]["groups"]] == [90, 7]


def test_an_owner_of_all_addresses_of_a_sync_group():
    rows = [vlan(1, virtual=253), vlan(2, virtual=253)]
    result = build(*rows, sync_groups=[{"name": "both", "vlans": [1, 2]}])
    assert [each["priority"] for each in result["gw2"]["groups"]] == [255, 255]
    assert preferred(result) == ["gw2", "gw2"]


def test_vlans_of_two_routers_among_three():
    rows = [vlan(1, "a", "b"), vlan(2, "b", "c"), vlan(3, "b", "a"), vlan(4)]
    result = build(*rows, routers=["a", "b", "c"], sync_groups=[{"name": "both", "vlans": [1, 3]}])
    assert "sync_groups" not in result["c"]["config"]
    assert result["a"]["config"]["sync_groups"] == result["b"]["config"]["sync_groups"] != []


def test_a_row_behind_changes_no_sync_group():
    rows = [vlan(1), vlan(2), vlan(3)]
    both = [{"name": "both", "vlans": [1, 3]}]
    before = build(*rows, sync_groups=both)
    after = build(*rows, vlan(4), sync_groups=both)
    for name in PAIR:
        assert after[name]["groups"][:3] == before[name]["groups"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("on", "on"), ("off", "off"), ("auto", "auto"), (True, "on"), (None, "auto")],
)
def test_leases_count_for_all_routers(written, meant):
    result = build(VLAN10, leases=written)
    found = [result[name]["config"].get("leases", "auto") for name in PAIR]
    assert found == [meant] * 2
