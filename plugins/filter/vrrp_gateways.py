# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VLAN table as a filter: hands it on and lists what is wrong with it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: vrrp_gateways
short_description: Turn a table of VLANs into one gateway configuration per router
version_added: 0.1.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Gives every VLAN of a table a gateway group of two or more routers and a virtual address.
  - The VLANs are shared evenly. In the order of the table, each one without O(_input[].preferred) goes to the router
    that is preferred least so far, and the IPv4 and the IPv6 group of a VLAN stay together.
  - The preferred router has priority 200, the others follow in even steps of at most 50 and not below 100.
  - VLANs of a sync group have the same preferred router and the same order of the others. What one of them says about it counts for all.
  - A router whose real address is the virtual address is its owner. It has priority 255, comes back at once and is not tracked.
  - Everything that is wrong with the table is reported at once.
positional: routers, defaults
options:
  _input:
    description: The VLANs.
    type: list
    elements: dict
    required: true
    suboptions:
      id:
        description: VLAN id, 1 to 4094.
        type: int
        required: true
      name:
        description:
          - Names the groups, C(NAME-v4) and C(NAME-v6). At most 9 letters, digits, C(-) and C(_).
          - Default is V(vlan) with the id.
        type: str
      description:
        description: For people.
        type: str
      networks:
        description: Networks of the VLAN, IPv4 and IPv6.
        type: list
        elements: str
        required: true
      interface:
        description:
          - Name of the interface on the routers, or a mapping of routers to interface names.
          - Default is V(vlan) with the id.
        type: raw
      vrid:
        description:
          - Virtual router identifier, 1 to 255.
          - Default is the VLAN id, counted from 1 again after 255.
        type: int
      virtual:
        description:
          - The virtual address, as a host number, an address, or a list of them.
          - A host number counts in every network, one in a list in the network at the same position.
          - An address belongs to the network that holds it. A link-local address is that of the IPv6 group; without one, the engine makes
            one from the VRID.
          - Default is host number 254.
        type: raw
      routers:
        description:
          - The routers of this VLAN, as a list of names or a mapping of names to host numbers or addresses.
          - Default is all routers with their own host numbers.
        type: raw
      preferred:
        description: The router that is master while it is well.
        type: str
      priorities:
        description: A mapping of all routers of the VLAN to priorities, 1 to 254.
        type: dict
      version:
        description: Version of VRRP for IPv4. IPv6 always has version 3.
        type: int
        choices: [2, 3]
        default: 3
      advertisement_interval:
        description:
          - How often the master advertises, with its unit, such as V(1s) or V(100ms).
          - Use O(_input[].advertisement_interval_cs) for a number of centiseconds.
        type: str
        default: 1s
      advertisement_interval_cs:
        description: How often the master advertises, in centiseconds.
        type: int
      preempt:
        description: Take the role from a master with a lower priority.
        type: bool
        default: true
      preempt_delay:
        description:
          - How long the preferred router waits after its return, with its unit. The others never wait.
          - Use O(_input[].preempt_delay_cs) for a number of centiseconds.
        type: str
        default: 15s
      preempt_delay_cs:
        description: How long the preferred router waits after its return, in centiseconds.
        type: int
      accept:
        description: As master, accept what is sent to the virtual address itself, such as a ping.
        type: bool
        default: true
      checksum:
        description: Which checksum VRRPv3 over IPv4 sends.
        type: str
        choices: [auto, rfc5798, rfc9568]
        default: auto
      profile:
        description:
          - The RFC that counts where they differ.
          - V(auto) is V(rfc9568), or V(rfc3768) for version 2. Any other one counts for the family that has its version.
        type: str
        choices: [auto, rfc9568, rfc5798, rfc3768]
        default: auto
      router_advertisements:
        description:
          - Have the master of the IPv6 group send router advertisements, so that hosts configure themselves and use the
            virtual router as default router. V(true), or a mapping of what hosts are told.
          - The keys of the mapping are those of O(vlangate.vrrp.vrrp_config#module:config.virtual_routers[].router_advertisements).
            C(enabled) is V(true) here when it is left out, and C(prefixes) are the IPv6 networks of the VLAN.
        type: raw
        default: false
      password:
        description:
          - Password of version 2, 1 to 8 printable ASCII characters. Version 3 has no authentication.
          - It guards against mistakes only, because it is readable on the wire. Keep it in a vault all the same.
        type: str
      track:
        description:
          - Trackers besides O(defaults.uplink) and O(defaults.track_links) whose failure costs priority.
          - A penalty for one of those replaces theirs.
        type: list
        elements: dict
        suboptions:
          tracker:
            description: Name of a tracker.
            type: str
            required: true
          penalty:
            description: What its failure takes off the priority.
            type: int
            default: 101
      minimum_routers:
        description: How many routers the VLAN needs at least. With fewer the table is refused.
        type: int
        default: 1
      detect_within:
        description:
          - In which time every backup notices at the latest that the master is gone, with its unit, such as V(3s) or V(900ms).
          - It is three intervals and a part of one that depends on the lowest priority. A table that takes longer is refused.
          - Use O(_input[].detect_within_cs) for a number of centiseconds. Without either, any time will do.
        type: str
      detect_within_cs:
        description: In which time every backup notices that the master is gone, in centiseconds.
        type: int
  routers:
    description:
      - The routers, as a list of inventory names, a list of objects, or a mapping of names to settings.
      - Their order decides ties.
    type: raw
    required: true
    suboptions:
      name:
        description: Inventory name of the router.
        type: str
        required: true
      host_number:
        description:
          - Host part of its real addresses.
          - Default is the next free one of 252, 253, 251, 250 and so on.
        type: int
      parent:
        description: The interface that carries its VLANs. It is handed on in RV(_value.interfaces).
        type: str
      uplink:
        description: Replaces O(defaults.uplink) on this router.
        type: dict
      track_links:
        description: Replaces O(defaults.track_links) on this router.
        type: list
        elements: str
  defaults:
    description:
      - What counts for every VLAN that does not say otherwise. Takes the keys of a VLAN from O(_input[].version) on,
        O(_input[].virtual) as a host number, and those below.
    type: dict
    default: {}
    suboptions:
      uplink:
        description:
          - What is pinged to see that a router has an exit. One answer of all its C(targets) is enough.
          - Has C(targets), and may have C(interface), C(penalty), C(interval_cs), C(timeout_cs), C(fall) and C(rise).
        type: dict
      track_links:
        description: Interfaces that need a carrier. Each one without costs 101 of the priority.
        type: list
        elements: str
      trackers:
        description: More trackers of the engine, for O(_input[].track).
        type: list
        elements: dict
      sync_groups:
        description:
          - VLANs whose gateways are master together or not at all, in all their address families. When one of them is lost, the
            router gives up all of them.
          - The VLANs of a group have the same routers, O(_input[].preempt) and O(_input[].preempt_delay). One router owns all of their
            virtual addresses, or none of them.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the sync group.
            type: str
            required: true
          vlans:
            description: Ids or names of its VLANs, two or more, or one with IPv4 and IPv6.
            type: list
            elements: raw
            required: true
      leases:
        description:
          - Virtual addresses expire in the kernel unless the daemon goes on advertising, so that a router whose daemon hangs or is
            killed does not stay a second owner. V(auto) is V(on) while a router has at most 100 virtual addresses.
        type: str
        choices: [auto, 'on', 'off']
        default: auto
"""

EXAMPLES = r"""
- name: Share two VLANs between two routers
  ansible.builtin.set_fact:
    gateways: "{{ vlans | vlangate.vrrp.vrrp_gateways(groups['gateways'], defaults=gateway_defaults) }}"
  vars:
    gateway_defaults:
      uplink:
        targets: [198.51.100.1]
      sync_groups:
        - name: inside
          vlans: [10, 20]
    vlans:
      - id: 10
        networks: [198.18.10.0/24, '2001:db8:10::/64']
      - id: 20
        networks: [198.18.20.0/24]
        preferred: gw2  # so VLAN 10, too, because both are in one sync group
        version: 2

- name: Show what this router takes part in
  ansible.builtin.debug:
    var: gateways[inventory_hostname].groups
"""

RETURN = r"""
_value:
  description: A mapping of router names to what each of them needs.
  type: dict
  contains:
    config:
      description: The configuration of the engine, for M(vlangate.vrrp.vrrp_config).
      type: dict
    interfaces:
      description: The interfaces of the router with C(name), C(vlan_id), C(parent) and C(addresses) with prefix lengths.
      type: list
      elements: dict
    groups:
      description:
        - The gateway groups of the router, for people and for checks, with C(name), C(vlan), C(family), C(interface),
          C(vrid), C(vip), C(vips), C(virtual_mac), C(preferred), C(members), this router's C(priority) and C(sync_group), which is
          null where there is none.
        - C(members) begins with the preferred router and goes on in the order of succession.
      type: list
      elements: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils.vrrp.config.gateways import gateway_configs
from ..module_utils.vrrp.errors import ConfigError
from ..plugin_utils.table_places import lines, with_places


def vrrp_gateways(vlans, routers, defaults=None):
    """One gateway configuration per router; AnsibleFilterError with all problems of the table."""
    defaults = {} if defaults is None else defaults
    try:
        return gateway_configs(vlans, routers, defaults)
    except ConfigError as error:
        table = {"vlans": vlans, "routers": routers, "defaults": defaults}
        told = lines(with_places(error.problems, table))
        raise AnsibleFilterError("vrrp_gateways cannot use this table:\n%s" % told) from error


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self):
        return {"vrrp_gateways": vrrp_gateways}
