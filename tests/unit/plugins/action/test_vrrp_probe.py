# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan becomes what a host expects to see, for vrrp_probe and vrrp_listen."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.vlangate.vrrp.plugins.action import vrrp_listen, vrrp_probe
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.plan_files import make_plan

NETWORKS = ["198.18.10.0/24", "2001:db8:10::/64"]


@pytest.fixture
def plan(tmp_path):
    return make_plan(str(tmp_path), [{"id": 10, "networks": NETWORKS}], ["gw1", "gw2"], {})


@pytest.fixture
def sent(action_for):
    """What the module gets for arguments, and by which name."""

    def run(plugin, **args):
        action = action_for(plugin, args, [{"changed": False}])
        module = {}
        action._execute_module = lambda name, given, **more: module.update(
            name=name, args=given, **more
        )
        action.run(task_vars={})
        assert module["name"] == plugin.MODULE and module["wrap_async"] is False
        return module["args"]

    return run


def test_the_host_is_told_addresses_and_virtual_macs(sent, plan):
    assert sent(vrrp_probe, plan=plan, timeout=3) == {
        "timeout": 3,
        "expected": [
            {
                "address": "198.18.10.254",
                "virtual_mac": "00:00:5e:00:01:0a",
                "name": "vlan10-v4",
            },
            {
                "address": "2001:db8:10::fe",
                "virtual_mac": "00:00:5e:00:02:0a",
                "name": "vlan10-v6",
            },
        ],
    }


def test_who_listens_is_told_the_routers_too_where_they_are_known(sent, plan):
    four = {
        "vrid": 10,
        "family": "ipv4",
        "addresses": ["198.18.10.254"],
        "routers": ["198.18.10.252", "198.18.10.253"],
    }
    six = {"vrid": 10, "family": "ipv6", "addresses": ["2001:db8:10::fe"], "routers": []}
    args = {"interface": "eth0", "plan": plan}
    assert sent(vrrp_listen, **args) == {
        "interface": "eth0",
        "expected": [four, six],
        "on_link": True,
    }
    assert sent(vrrp_listen, groups=["vlan10-v6"], **args) == {
        "interface": "eth0",
        "expected": [six],
        "on_link": False,
    }


@pytest.mark.parametrize("plugin", [vrrp_probe, vrrp_listen])
def test_without_a_plan_all_goes_through_as_it_is(sent, plugin):
    assert sent(plugin, interface="eth0") == {"interface": "eth0"}


@pytest.mark.parametrize(
    "plugin, args, message",
    [
        (vrrp_probe, {"gateway": ["198.18.10.254"]}, "leave out gateway"),
        (vrrp_probe, {"expected": []}, "leave out expected"),
        (vrrp_listen, {"expected": []}, "leave out expected"),
        (vrrp_listen, {"on_link": True}, "leave out on_link"),
        (vrrp_listen, {"groups": ["vlan11-v4"]}, "no vlan11-v4; name one of: vlan10-v4, vlan10-v6"),
        (vrrp_listen, {"groups": [], "plan": None}, "give that, too"),
        (vrrp_probe, {"plan": "/nowhere"}, "vrrp_plan"),
        (vrrp_listen, {"plan": "/nowhere"}, "vrrp_plan"),
    ],
)
def test_what_contradicts_a_plan_is_refused(sent, plan, plugin, args, message):
    with pytest.raises(AnsibleActionFail, match=message):
        sent(plugin, **{"plan": plan, **args})
