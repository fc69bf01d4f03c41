# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""keepalived.conf becomes a table that says the same on the wire, or is refused with every line."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.vlangate.vrrp.plugins.filter.from_keepalived import FilterModule
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.errors import ConfigError
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.keepalived_conf import read_statements
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.keepalived_table import keepalived_site

HOSTS = {"gw1": 252, "gw2": 253}
LAN = """
vrrp_instance lan {
    state BACKUP          # a comment
    interface vlan10
    virtual_router_id 10
    priority %(priority)d
    virtual_ipaddress {
        198.18.10.254/24 dev vlan10 label vlan10:1
    }
}
"""
PRIORITIES = {"gw1": 150, "gw2": 100}


def links(host, *more):
    """What `ip -json address` says of a router that holds the virtual address just now."""
    held = [("198.18.10.254", 24)] if host == 252 else []
    return [
        {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
        {
            "ifname": "vlan10",
            "addr_info": [
                {"local": address, "prefixlen": length}
                for address, length in (
                    *held,
                    ("198.18.10.%d" % host, 24),
                    ("2001:db8:10::%x" % host, 64),
                    ("fe80::%x" % host, 64),
                )
            ],
        },
        *more,
    ]


def site(text, second=None, **more):
    """The table of two routers with one text, in which %(priority)d is filled in."""
    files = {
        name: (second if second and name == "gw2" else text) % {"priority": priority}
        for name, priority in PRIORITIES.items()
    }
    return keepalived_site(files, {name: links(host) for name, host in HOSTS.items()}, **more)


def vlans(text, **options):
    return site(text, **options)["table"]["vlangate_vlans"]


def problems(text, second=None):
    with pytest.raises(ConfigError) as caught:
        site(text, second)
    return [str(problem) for problem in caught.value.problems]


def inside(line):
    """An instance with one line more."""
    return LAN.replace("    virtual_router_id", "    %s\n    virtual_router_id" % line)


def test_a_pair_becomes_a_row():
    found = site(LAN)
    assert found["table"] == {
        "vlangate_routers": ["gw1", "gw2"],
        "vlangate_vlans": [
            {
                "id": 10,
                "networks": ["198.18.10.0/24"],
                "virtual": "198.18.10.254",
                "routers": {"gw1": "198.18.10.252", "gw2": "198.18.10.253"},
                "version": 2,
                "priorities": {"gw1": 150, "gw2": 100},
            }
        ],
        "vlangate_defaults": {"preempt_delay": "0s"},
    }
    assert found["left"] == []
    assert found["not_needed"] == [
        "%s:3: state BACKUP: not needed" % router for router in ("gw1", "gw2")
    ]


def test_the_vlan_is_told_by_the_name_of_the_interface():
    text = LAN.replace("vlan10", "eth0.77") % {"priority": 150}
    renamed = [dict(each, ifname="eth0.77") for each in links(252)]
    (row,) = keepalived_site({"gw1": text}, {"gw1": renamed})["table"]["vlangate_vlans"]
    assert (row["id"], row["interface"], row["vrid"]) == (77, "eth0.77", 10)
    assert "name" not in row


def test_both_families_of_a_lan_share_a_row():
    ipv6 = LAN.replace("instance lan", "instance lan6")
    ipv6 = ipv6.replace("198.18.10.254/24 dev vlan10 label vlan10:1", "fe80::254 2001:db8:10::fe")
    # Each address stands on a line of its own.
    ipv6 = ipv6.replace("fe80::254 ", "fe80::254\n        ")
    (row,) = vlans("global_defs {\n vrrp_version 3\n}\n" + LAN + ipv6)
    assert row["networks"] == ["198.18.10.0/24", "2001:db8:10::/64"]
    assert row["virtual"] == ["198.18.10.254", "fe80::254", "2001:db8:10::fe"]
    assert row["routers"]["gw2"] == ["198.18.10.253", "2001:db8:10::fd"]
    assert "version" not in row


def test_what_differs_between_the_families_is_another_row():
    ipv6 = LAN.replace("instance lan", "instance lan6").replace("id 10", "id 11")
    ipv6 = ipv6.replace("198.18.10.254/24 dev vlan10 label vlan10:1", "fe80::254")
    found = site(LAN + ipv6)
    first, second = found["table"]["vlangate_vlans"]
    assert (first["id"], second["id"]) == (10, 4094)
    assert (second["name"], second["interface"], second["vrid"]) == ("vrid11", "vlan10", 11)
    assert "4094 is only a number of ours" in "\n".join(found["left"])


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("advert_int 2", "advertisement_interval_cs", 200),
        ("version 3\nadvert_int 0.1", "advertisement_interval_cs", 10),
        ("nopreempt", "preempt", False),
        ("no_accept", "accept", False),
        (
            "authentication {\n auth_type PASS\n auth_pass ninechars\n}",
            "password",
            "ninechar",
        ),
        ("track_interface { vlan10 }", "track", [{"tracker": "link-vlan10", "penalty": 254}]),
        (
            "track_interface {\n vlan10 weight -30\n}",
            "track",
            [{"tracker": "link-vlan10", "penalty": 30}],
        ),
    ],
)
def test_what_is_taken_over(line, key, value):
    (row,) = vlans(inside(line))
    assert row[key] == value


def test_a_sync_group_holds_its_vlans():
    ipv6 = LAN.replace("instance lan", "instance lan6")
    ipv6 = ipv6.replace("198.18.10.254/24 dev vlan10 label vlan10:1", "fe80::254")
    group = "vrrp_sync_group all {\n group {\n lan\n lan6\n }\n notify_master /bin/true\n}\n"
    found = site("global_defs {\n vrrp_version 3\n}\n" + group + LAN + ipv6)
    assert found["table"]["vlangate_defaults"]["sync_groups"] == [{"name": "all", "vlans": [10]}]
    assert found["left"][0] == "gw1:9: notify_master /bin/true: has no counterpart"


def test_everything_else_is_named_with_its_line():
    text = inside('notify_master "/usr/bin/tell all"\n    track_script {\n        dns\n    }')
    left = site("vrrp_script dns {\n    script /bin/dig\n}\n" + text)["left"]
    assert left[:3] == [
        "gw1:1: vrrp_script dns { ... }: has no counterpart",
        "gw1:8: notify_master /usr/bin/tell all: has no counterpart",
        "gw1:9: track_script { ... }: has no counterpart",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("unicast_peer {\n 198.18.10.253\n}", "gw1:5: unicast_peer { ... } cannot be taken over"),
        ("virtual_ipaddress_excluded { 198.18.10.9 }", "put the addresses into virtual_ipaddress"),
        ("authentication {\n auth_type AH\n}", "gw1:6: auth_type AH cannot be taken over"),
        ("priority high", "gw1:5: priority high cannot be taken over (write 1 to 255)"),
        ("interface $LAN", "gw1:5: $LAN is a macro (write out what keepalived makes of it)"),
        ("include more.conf", "gw1:5: another file is included"),
        ("mcast_dst_ip 224.0.0.99", "speaks multicast to the RFC's group"),
    ],
)
def test_what_cannot_be_said_is_refused(line, words):
    assert any(words in problem for problem in problems(inside(line)))


def test_all_problems_come_at_once_and_no_password_in_them():
    text = inside("unicast_peer {\n}\n authentication {\n auth_type AH\n auth_pass hush\n}")
    found = problems(text.replace("id 10", "id 300"))
    assert [problem.partition(": ")[0] for problem in found] == [
        "gw1:5", "gw1:8", "gw1:11", "gw2:5", "gw2:8", "gw2:11",
    ]  # fmt: skip
    assert "hush" not in "\n".join(found)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("198.18.10.254/24", "198.18.10.250/24", "virtual_ipaddress"),
        ("virtual_router_id 10", "virtual_router_id 10\n version 3", "version"),
        ("virtual_router_id 10", "virtual_router_id 10\n advert_int 3", "advert_int"),
    ],
)
def test_members_have_to_say_the_same(old, new, field):
    (problem,) = problems(LAN, LAN.replace(old, new))
    assert problem.startswith("gw2:2: vrrp_instance lan: %s is not that of gw1:2" % field)


def test_a_list_without_the_link_local_address_that_we_would_add_is_refused():
    ipv6 = LAN.replace("198.18.10.254/24 dev vlan10 label vlan10:1", "2001:db8:10::fe/64")
    found = problems(ipv6)
    assert len(found) == 2
    assert "does not have fe80::7672:7270:0:a, which this engine advertises" in found[0]


def test_an_interface_without_an_address_there_is_no_gateway():
    (problem, _other) = problems(LAN.replace("198.18.10.254/24", "198.18.77.254/24"))
    assert "vlan10 has no address in the network of 198.18.77.254" in problem


def test_an_owner_has_the_virtual_address_as_its_real_one():
    text = LAN.replace(".254/24", ".252/24")
    files = {"gw1": text % {"priority": 255}, "gw2": text % {"priority": 100}}
    lan = {"ifname": "vlan10", "addr_info": [{"local": "198.18.10.252", "prefixlen": 24}]}
    found = keepalived_site(files, {"gw1": [lan], "gw2": links(253)})
    (row,) = found["table"]["vlangate_vlans"]
    assert (row["virtual"], row["routers"]["gw1"]) == ("198.18.10.252", "198.18.10.252")
    assert row["priorities"] == {"gw2": 100}
    (problem,) = problems(LAN.replace("%(priority)d", "255"), LAN)
    assert "has priority 255, and 198.18.10.254 is not its own address" in problem


def test_state_master_without_a_priority_means_255():
    text = LAN.replace("state BACKUP", "state MASTER").replace("    priority %(priority)d\n", "")
    (problem,) = problems(text, LAN)
    assert "has priority 255, and 198.18.10.254 is not its own address" in problem


def test_equal_priorities_are_refused_as_in_any_table():
    assert "100 is that of gw1 and of gw2" in problems(LAN.replace("%(priority)d", "100"))[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vrrp_instance x {\n", "gw1:1: the block of vrrp_instance is not closed"),
        ("}\n", "gw1:1: } closes nothing"),
        ("{\n", "gw1:1: { has no keyword before it"),
    ],
)
def test_broken_files_are_refused(text, words):
    found = []
    read_statements(text, "gw1", found)
    assert words in str(found[0])


def test_a_file_without_an_instance_is_refused():
    assert "has no vrrp_instance" in problems("global_defs {\n}\n")[0]


def test_the_filter_hands_all_of_it_on():
    convert = FilterModule().filters()["from_keepalived"]
    assert convert({"gw1": LAN % {"priority": 9}}, {"gw1": links(252)})["table"]
    with pytest.raises(AnsibleFilterError, match="gw1:1: } closes nothing"):
        convert({"gw1": "}"}, {"gw1": []})
    with pytest.raises(AnsibleFilterError, match="two mappings"):
        convert("text", {})
