#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_host
short_description: Make a host ready to be a gateway
version_added: 0.1.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Turns forwarding on, now and after a reboot, and the belief in router advertisements off where this host is the router.
  - Keeps systemd-networkd and NetworkManager, where they are installed, away from the devices of the engine (C(vg-*)).
  - Makes VLAN interfaces with their real addresses, when asked, through systemd-networkd.
  - All in one step, however many interfaces there are.
extends_documentation_fragment:
  - vlangate.vrrp.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) makes the host ready.
      - V(absent) puts back what the kernel had before, as far as it was noted, and removes every file that V(present) wrote; with
        O(manage_interfaces=networkd) also the VLAN interfaces that it made. The engine has to be gone before.
    type: str
    choices: [present, absent]
    default: present
    version_added: 0.2.0
  forwarding:
    description: Address families that the host forwards.
    type: list
    elements: str
    choices: [ipv4, ipv6]
    default: [ipv4, ipv6]
  interfaces:
    description:
      - The interfaces of the gateways, as P(vlangate.vrrp.vrrp_gateways#filter) returns them.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the interface.
        type: str
        required: true
      vlan_id:
        description: VLAN id on the parent.
        type: int
      parent:
        description: The trunk. Without one the interface has to exist, and only gets its addresses.
        type: str
      addresses:
        description: Real addresses with prefix length.
        type: list
        elements: str
        default: []
  plan:
    description: What M(vlangate.vrrp.vrrp_plan) returned earlier in this run, in place of O(interfaces).
    type: path
  manage_interfaces:
    description:
      - V(networkd) writes the interfaces for systemd-networkd, and removes those that earlier runs wrote and that are gone.
        Files of your own for the same interface come first, as their names sort before C(80-vlangate).
      - V(none) leaves interfaces and addresses to you.
    type: str
    choices: [none, networkd]
    default: none
  keep_interfaces:
    description: With V(true), interfaces that are gone from the list stay for now, because the engine still uses them.
    type: bool
    default: false
    version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Forward, and leave the engine's devices alone
  vlangate.vrrp.vrrp_host:

- name: Make the VLAN interfaces, too
  vlangate.vrrp.vrrp_host:
    manage_interfaces: networkd
    interfaces:
      - name: vlan10
        vlan_id: 10
        parent: eth1
        addresses: [198.18.10.252/24, "2001:db8:10::fc/64"]

- name: Leave the host as it was, after the engine has been removed
  vlangate.vrrp.vrrp_host:
    state: absent
    manage_interfaces: networkd
"""

RETURN = r"""
changes:
  description: What was changed, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["net/ipv4/ip_forward set to 1"]
left:
  description: The files of ours that are still there; those of interfaces, with O(manage_interfaces=none).
  returned: with O(state=absent), outside of check mode
  type: list
  elements: str
  sample: [/etc/systemd/network/80-vlangate-vlan10.network]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host_prepare import CannotPrepare, HostPrepare

FAMILIES = ["ipv4", "ipv6"]


def main() -> None:
    interface = {
        "name": {"type": "str", "required": True},
        "vlan_id": {"type": "int"},
        "parent": {"type": "str"},
        "addresses": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "forwarding": {
                "type": "list",
                "elements": "str",
                "choices": FAMILIES,
                "default": FAMILIES,
            },
            "interfaces": {"type": "list", "elements": "dict", "options": interface, "default": []},
            "plan": {"type": "path"},
            "manage_interfaces": {
                "type": "str",
                "choices": ["none", "networkd"],
                "default": "none",
            },
            "keep_interfaces": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    prepare = HostPrepare(module)
    try:
        facts = prepare.run()
    except CannotPrepare as error:
        module.fail_json(msg=str(error), changes=prepare.changes)
    module.exit_json(**facts)


if __name__ == "__main__":
    main()
