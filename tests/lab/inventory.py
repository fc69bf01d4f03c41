# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Ansible reaches the hosts of a lab: an inventory that goes on top of a site's own.

    ansible-playbook -i YOURS -i /run/vlangate-lab/PREFIX/inventory/hosts.json vlangate.vrrp.site

What it says of a host comes as host variables of the last inventory, so it wins over all that the
site's own inventory says of the same host. The hosts of the VLANs are in the group of hosts that
look at their gateways; they stand in for those that the site itself has in it.
What else the lab needs to be otherwise than in its tables is in `table-0.json`, to be given as
extra variables, and for the last table in the inventory itself.
"""

from __future__ import annotations

import json
import sys
from itertools import cycle
from pathlib import Path
from typing import Any, Dict

from .topology import LabSpec

STATIONS = "vlangate_probe_hosts"
Names = Dict[str, Dict[str, Any]]


def write_inventory(directory: Path, spec: LabSpec) -> Path:
    """Write it below the lab's directory; the path of the inventory."""
    inventory = directory / "inventory"
    (inventory / "host_vars").mkdir(parents=True)
    for number, variables in enumerate(spec.variables):
        (inventory / ("table-%d.json" % number)).write_text(json.dumps(variables, indent=2))
    hosts: Names = {}
    for router in spec.routers:
        hosts[router] = {
            **(spec.variables[-1] if spec.variables else {}),
            "ansible_connection": "ssh",
            "ansible_host": spec.management_address(router),
            "ansible_port": 22,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(directory / "id"),
            # Last of all the options: the way leads into the lab, whatever an address is elsewhere.
            "ansible_ssh_common_args": "-F %s" % (directory / "ssh_config"),
            "ansible_ssh_extra_args": "",
            "ansible_become": False,
            "ansible_python_interpreter": "/usr/bin/python3",
        }
    for station in spec.hosts:
        # A host is a network namespace, and its Python is one that runs there, with its own /sys.
        python = inventory / ("python-%s" % station)
        enter = "ip netns exec %s %s" % (spec.namespace(station), sys.executable)
        python.write_text('#!/bin/sh\nexec %s "$@"\n' % enter)
        python.chmod(0o755)
        hosts[station] = {"ansible_connection": "local", "ansible_become": False,
                          "ansible_python_interpreter": str(python)}  # fmt: skip
    watching = spec.watching or tuple(spec.hosts)
    hosts.update(zip(spec.stand_ins, cycle([hosts[name] for name in watching])))
    for name, variables in hosts.items():
        (inventory / "host_vars" / (name + ".json")).write_text(json.dumps(variables, indent=2))
    routers: Names = {name: {} for name in spec.routers}
    stations: Names = {name: {} for name in watching}
    groups = {"all": {"hosts": routers, "children": {STATIONS: {"hosts": stations}}}}
    path = inventory / "hosts.json"
    path.write_text(json.dumps(groups, indent=2))
    return path
