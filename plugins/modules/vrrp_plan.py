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
  - With O(plan) and O(surveys), tells what a roll-out of this plan would do, what it costs, and who is master afterwards.
  - Works on the controller alone. Everything that is wrong with the table is reported at once, before any connection, with file
    and line.
extends_documentation_fragment:
  - vlangate.vrrp.attributes
  - vlangate.vrrp.attributes.info
options:
  vlans:
    description: The VLANs, as P(vlangate.vrrp.vrrp_gateways#filter) takes them.
    type: list
    elements: dict
  routers:
    description: The routers, as P(vlangate.vrrp.vrrp_gateways#filter) takes them.
    type: raw
  defaults:
    description: What counts for every VLAN that does not say otherwise, as P(vlangate.vrrp.vrrp_gateways#filter) takes it.
    type: dict
    default: {}
  configs:
    description:
      - Configurations of routers in place of those that the table gives, where a template of your own made them. Keyed by router.
      - They are checked together, also against the real addresses of the table.
    type: dict
  hosts:
    description:
      - The hosts of the play. With it the table has to fit the inventory. Each router is a host of its own, the play has all of
        them and no other host, and no host is reached by a virtual address, unless it owns it.
    type: list
    elements: str
  partial:
    description: The play may leave out routers of the table, say by C(--limit).
    type: bool
    default: false
  plan:
    description: What this module returned earlier in this run, in place of the options above.
    type: path
  surveys:
    description: What M(vlangate.vrrp.vrrp_survey) returned of each router, keyed by router. For O(plan).
    type: dict
  steps:
    description: The order, a line for each step. Left out, it is worked out of the groups that the routers share. For O(plan).
    type: list
    elements: str
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
    hosts: "{{ ansible_play_hosts_all }}"
  run_once: true
  register: planned

- name: Look at every router
  vlangate.vrrp.vrrp_survey:
    plan: "{{ planned.plan }}"
  register: survey

- name: See what would happen
  vlangate.vrrp.vrrp_plan:
    plan: "{{ planned.plan }}"
    surveys: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'survey'))) }}"
  run_once: true
  register: expected

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
  returned: with O(vlans)
  type: list
  elements: str
  sample: [gw1, gw2]
group_count:
  description: How many gateway groups there are.
  returned: with O(vlans)
  type: int
  sample: 1000
fleet:
  description: What a roll-out of the plan would do.
  returned: with O(surveys)
  type: dict
  contains:
    in_order:
      description: Whether there is nothing to do on any router.
      type: bool
      returned: always
    routers:
      description:
        - What changes on each router, as RV(vlangate.vrrp.vrrp_survey#module:changes) and its sisters tell it.
        - With C(hitless) every role stays where it is; C(why) says what is not.
      type: list
      elements: dict
      returned: always
    unsurveyed:
      description: Routers of the table that were not looked at.
      type: list
      elements: str
      returned: always
    groups:
      description:
        - Each gateway group with C(name), C(vip), C(members), C(sync_group), C(changes) by router, and whether they are C(hitless).
        - C(master_now) is null unless there is exactly one of C(masters_now), C(master_after) is who will have the highest priority if
          what is tracked stays as it is. C(moves) is whether that is another one.
      type: list
      elements: dict
      returned: always
    waves:
      description: The routers that change, in their order; those of one list share no group.
      type: list
      elements: list
      returned: always
    text:
      description: All of it for people, line by line.
      type: list
      elements: str
      returned: always
  sample:
    in_order: false
    routers: [{name: gw2, in_order: false, hitless: true, why: [], host_changes: [], problems: []}]
    unsurveyed: []
    groups: [{name: vlan10-v4, master_now: gw1, master_after: gw1, moves: false, hitless: true}]
    waves: [[gw2]]
    text: ["ROUTER  ENGINE  HOST   CONFIGURATION  HITLESS", "gw2     stays   stays  1 changed      yes"]
problems:
  description: Everything that is wrong with the table. C(place) is file, line and column, or empty where that is not known.
  returned: failure because of the table
  type: list
  elements: dict
  sample: [{"path": "vlans[0].vrid", "code": "too-large", "message": "is 256", "hint": "choose 1 to 255",
            "place": "/etc/ansible/group_vars/gateways.yml:4:11"}]
"""
