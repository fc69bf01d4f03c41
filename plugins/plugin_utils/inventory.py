# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible knows of its hosts, as the table wants it beside itself."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ansible.errors import AnsibleError

from ..module_utils.vrrp.config.gateway_inventory import Endpoint, Inventory


def inventory_of(task_vars: Mapping[str, t.Any], play: Sequence[str], partial: bool) -> Inventory:
    """From the variables of a task; play: the hosts of the play."""
    hostvars = task_vars["hostvars"]
    hosts = [str(each) for each in task_vars["groups"]["all"]]
    endpoints: dict[str, Endpoint] = {}
    for host in hosts:
        try:
            address = hostvars[host].get("ansible_host") or host
            port = hostvars[host].get("ansible_port") or ""
        except AnsibleError:  # somebody else's variables, which are not to be had here
            continue
        endpoints[host] = (str(address), str(port))
    return Inventory(hosts, play, partial, endpoints)
