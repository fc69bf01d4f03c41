# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a fleet as a filter: from what the routers said to what a roll-out would do."""

from __future__ import annotations

DOCUMENTATION = r"""
name: vrrp_plan
short_description: Tell what a roll-out would do to the routers of a fleet
version_added: 0.2.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Makes of the surveys of all routers what changes on each of them, who is master of each gateway group now and afterwards, and
    the order. M(vlangate.vrrp.vrrp_plan) returns the same as RV(vlangate.vrrp.vrrp_plan#module:fleet).
positional: plan, steps
options:
  _input:
    description: What M(vlangate.vrrp.vrrp_survey) returned of each router, keyed by router.
    type: dict
    required: true
  plan:
    description: The path that M(vlangate.vrrp.vrrp_plan) returned earlier in this run.
    type: path
    required: true
  steps:
    description: The order, a line for each step. Left out, it is worked out of the groups that the routers share.
    type: list
    elements: str
    default: []
seealso:
  - plugin: vlangate.vrrp.vrrp_plan
    plugin_type: module
"""

EXAMPLES = r"""
- name: Show what would happen
  ansible.builtin.debug:
    msg: "{{ (surveys | vlangate.vrrp.vrrp_plan(planned.plan)).text }}"
  vars:
    surveys: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'survey'))) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: As RV(vlangate.vrrp.vrrp_plan#module:fleet).
  type: dict
"""

from ansible.errors import AnsibleFilterError

from ..plugin_utils.fleet_plan import fleet_plan
from ..plugin_utils.plan_files import planned_site


def vrrp_plan(surveys, plan, steps=()):
    """What a roll-out of a plan would do; AnsibleFilterError for what is no plan or no survey."""
    try:
        return fleet_plan(planned_site(plan), surveys, steps)
    except ValueError as error:
        raise AnsibleFilterError("vrrp_plan: %s" % error) from error


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self):
        return {"vrrp_plan": vrrp_plan}
