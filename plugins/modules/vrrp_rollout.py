#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_rollout
short_description: Work out the steps in which a fleet is changed
version_added: 0.2.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - From a plan, and what M(vlangate.vrrp.vrrp_survey) saw on each router, works out which routers are changed together, in which
    order, and what is done with each. Works on the controller alone.
  - Never two routers of one group at once, backups before their master, and routers that share no group side by side.
  - A group that routers with the old and with the new configuration would not understand together (another VRID, version or password,
    or the interval of VRRPv2) is taken off all of its routers but one first, and given to them again when that one has changed.
extends_documentation_fragment:
  - vlangate.vrrp.attributes
  - vlangate.vrrp.attributes.info
options:
  plan:
    description: What M(vlangate.vrrp.vrrp_plan) returned earlier in this run.
    type: path
    required: true
  surveys:
    description: Each host of the play, and what M(vlangate.vrrp.vrrp_survey) returned there.
    type: dict
    required: true
  drain:
    description:
      - Whether a router gives its roles away before it is changed. With V(auto), if its engine or its host has to change.
    type: str
    choices: [auto, always, never]
    default: auto
  hand_back:
    description:
      - Whether a router that was drained takes part again when it has changed. If not, it stays drained, unless one of its peers has to
        be changed after it.
    type: bool
    default: true
  at_once:
    description: How many routers are changed together at most; V(0) for no limit.
    type: int
    default: 0
  drained_by_us:
    description: Hosts that an earlier roll-out has drained and could not bring back.
    type: list
    elements: str
    default: []
seealso:
  - module: vlangate.vrrp.vrrp_survey
  - module: vlangate.vrrp.vrrp_handover
"""

EXAMPLES = r"""
- name: Work out the steps
  vlangate.vrrp.vrrp_rollout:
    plan: "{{ planned.plan }}"
    surveys: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'survey'))) }}"
  run_once: true
  register: rollout
"""

RETURN = r"""
steps:
  description:
    - What is done, in this order. C(routers) are changed together; C(plan) has what each of them gets, and how their groups have to be
      afterwards, for O(vlangate.vrrp.vrrp_config#module:plan) and O(vlangate.vrrp.vrrp_assert#module:plan). C(has_groups) is false if
      there are none.
  returned: success
  type: list
  elements: dict
  sample:
    - title: "step 1 of 2: gw2 (drained, engine, configuration, undrained)"
      plan: /root/.ansible/tmp/ansible-local-4711x/vrrp_plan-0f3a9c0d1e4b5a67-8xj2
      has_groups: true
      routers: {gw2: {engine: true, host: false, config: true, drain: true, names: null, undrain: true}}
plan:
  description: The plan, or one in which routers that stay drained are not expected to be master.
  returned: success
  type: str
  sample: /root/.ansible/tmp/ansible-local-4711x/vrrp_plan-0f3a9c0d1e4b5a67
problems:
  description: Why the roll-out cannot begin, a sentence each.
  returned: failure
  type: list
  elements: str
  sample: ["vlan10-v4: version: it starts anew …, so all of its routers change together: run the play on gw2 too"]
"""
