#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_plan
short_description: Plan the gateways of all routers once, for the tasks that follow
version_added: 0.2.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Turns a table of VLANs into one gateway configuration per router, as the filter P(vlangate.vrrp.vrrp_gateways#filter) does, and
    keeps it on the controller until Ansible ends.
  - Modules that have an option O(vlangate.vrrp.vrrp_config#module:plan) take their part of it. With many VLANs this is much
    faster than to hand on the result of the filter, which is templated again for every router and every task.
  - Works on the controller alone. Everything that is wrong with the table is reported at once, before any connection.
extends_documentation_fragment:
  - vlangate.vrrp.attributes
  - vlangate.vrrp.attributes.info
options:
  vlans:
    description: The VLANs, as P(vlangate.vrrp.vrrp_gateways#filter) takes them.
    type: list
    elements: dict
    required: true
  routers:
    description: The routers, as P(vlangate.vrrp.vrrp_gateways#filter) takes them.
    type: raw
    required: true
  defaults:
    description: What counts for every VLAN that does not say otherwise, as P(vlangate.vrrp.vrrp_gateways#filter) takes it.
    type: dict
    default: {}
seealso:
  - module: vlangate.vrrp.vrrp_config
  - module: vlangate.vrrp.vrrp_host
  - module: vlangate.vrrp.vrrp_assert
"""

EXAMPLES = r"""
- name: Plan
  vlangate.vrrp.vrrp_plan:
    vlans: "{{ vlangate_vlans }}"
    routers: "{{ groups['gateways'] }}"
  run_once: true
  register: planned

- name: Apply
  vlangate.vrrp.vrrp_config:
    plan: "{{ planned.plan }}"
"""

RETURN = r"""
plan:
  description: Where the plan is. It is gone when Ansible ends.
  returned: success
  type: str
  sample: /root/.ansible/tmp/ansible-local-4711x/vrrp_plan-0f3a9c0d1e4b5a67
routers:
  description: The routers of the table.
  returned: success
  type: list
  elements: str
  sample: [gw1, gw2]
group_count:
  description: How many gateway groups there are.
  returned: success
  type: int
  sample: 1000
problems:
  description: Everything that is wrong with the table.
  returned: failure because of the table
  type: list
  elements: dict
  sample: [{"path": "vlans[0].vrid", "code": "too-large", "message": "is 256", "hint": "choose 1 to 255"}]
"""
