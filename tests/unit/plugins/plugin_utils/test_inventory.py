# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the table is held against comes from the variables of the hosts."""

from __future__ import annotations

from ansible.errors import AnsibleError
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.inventory import inventory_of


def test_each_host_with_the_address_that_it_is_reached_by():
    task_vars = {
        "groups": {"all": ["gw1", "gw2", "web1"]},
        "hostvars": {
            "gw1": {"ansible_host": "198.51.100.1", "ansible_port": 2222},
            "gw2": {"ansible_host": None},
            "web1": {},
        },
    }
    found = inventory_of(task_vars, ["gw1", "gw2"], partial=True)
    assert (found.hosts, found.play, found.partial) == (
        ["gw1", "gw2", "web1"],
        ["gw1", "gw2"],
        True,
    )
    assert found.endpoints == {
        "gw1": ("198.51.100.1", "2222"),
        "gw2": ("gw2", ""),
        "web1": ("web1", ""),
    }


class Unreadable(dict):
    """Variables that need others, which are not there."""

    def get(self, key, default=None):
        raise AnsibleError("'site' is undefined")


def test_a_host_whose_variables_cannot_be_read_is_reached_nowhere():
    task_vars = {"groups": {"all": ["gw1", "web1"]}, "hostvars": {"gw1": {}, "web1": Unreadable()}}
    found = inventory_of(task_vars, ["gw1"], partial=False)
    assert found.hosts == ["gw1", "web1"] and set(found.endpoints) == {"gw1"}
