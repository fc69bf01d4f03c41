#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_drill_report
short_description: Plan a drill, note what happens in it, and judge it
version_added: 0.2.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - The controller's part of the playbook C(vlangate.vrrp.drill). It works on the controller alone.
  - Exercises are planned first; each strikes one router in one way. Then the hosts note what they did and saw. At the end, the notes
    become a report, and the task fails when a budget was not kept or anything else went wrong.
extends_documentation_fragment:
  - vlangate.vrrp.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: N/A
    details:
      - A report is of one drill, and is written anew by the next one.
options:
  state:
    description:
      - V(planned) returns the exercises of a drill.
      - V(noted) notes something that this host did or saw.
      - V(written) writes the report and gives the verdict.
    type: str
    choices: [planned, noted, written]
    required: true
  plan:
    description: What M(vlangate.vrrp.vrrp_plan) returned earlier in this run.
    type: path
    required: true
  kinds:
    description:
      - For O(state=planned), in which ways each router is struck, in this order. See O(vlangate.vrrp.vrrp_drill#module:kind); and
        V(handover), which gives its roles away and takes them back.
    type: list
    elements: str
    default: [stop]
  groups:
    description: For O(state=planned), these gateway groups, whose preferred routers are struck. V(all) for every one.
    type: list
    elements: str
  routers:
    description: For O(state=planned), these routers are struck; V(all) for every one. Left out, those of O(groups), or of the first group.
    type: list
    elements: str
  budget:
    description:
      - For O(state=planned), for how many seconds the hosts of a group may go without an answer, for each of O(kinds), and for C(return),
        which is the way back to the preferred router.
      - V(rfc) is the time that the RFCs give the successor of a router that is gone, and a tenth more.
      - What is left out is V(0.1) for C(handover), C(stop) and C(return), and V(rfc) for C(kill), C(crash) and C(link).
    type: dict
    default: {}
  probes:
    description:
      - For O(state=planned), hosts that watch. Each probes the virtual addresses of the VLANs that it has an address in, by its facts
        of the network, or the addresses in its variable C(vlangate_probe_targets).
      - Groups that none of them watches are watched by those of their routers that are backups then; if there is none, the routers are
        asked how long none of them was master. A host watches 20 addresses at most.
    type: list
    elements: str
  exercises:
    description: For O(state=written), what O(state=planned) returned.
    type: list
    elements: dict
  directory:
    description: For O(state=written), where the report goes on the controller, C(drill.html) and C(drill.xml). Left out, nowhere.
    type: path
  exercise:
    description: For O(state=noted), the number of the exercise, from 0.
    type: int
  phase:
    description: For O(state=noted), the kind of the exercise, or V(return).
    type: str
  note:
    description:
      - For O(state=noted), any of C(at), C(until) and C(event); C(began), C(ended) and C(watched) in seconds; C(observed), a result of
        M(vlangate.vrrp.vrrp_drill); C(measured), the measurement of M(vlangate.vrrp.vrrp_probe); C(failure), a sentence.
    type: dict
seealso:
  - module: vlangate.vrrp.vrrp_drill
"""

EXAMPLES = r"""
- name: Plan a drill of one router
  vlangate.vrrp.vrrp_drill_report:
    state: planned
    plan: "{{ vlangate_planned.plan }}"
    kinds: [handover, crash]
    routers: [gw1]
    budget: {handover: 0.05}
  run_once: true
  register: drill

- name: Judge it
  vlangate.vrrp.vrrp_drill_report:
    state: written
    plan: "{{ vlangate_planned.plan }}"
    exercises: "{{ drill.exercises }}"
    directory: ./vlangate-drill
  run_once: true
"""

RETURN = r"""
exercises:
  description:
    - Who is struck and how, the groups that it is master of with what each phase may cost them in seconds, who is expected to be
      master of which group then, in how many seconds, and which addresses each host watches.
    - C(alone) has no other router, and so none at all while the router is struck.
  returned: O(state=planned)
  type: list
  elements: dict
  sample:
    - kind: crash
      router: gw1
      interfaces: []
      groups:
        - name: vlan10-v4
          vip: 198.18.10.254
          networks: [198.18.10.0/24]
          preferred: gw1
          members: [gw1, gw2]
          heir: gw2
          may_cost: {crash: 3.755, return: 0.1}
      alone: []
      expected: [{"name": "vlan10-v4", "master": "gw2", "members": ["gw2"]}]
      seconds: {crash: 14.0, return: 29.0}
      targets: {crash: {h10: [198.18.10.254]}, return: {h10: [198.18.10.254]}}
broken:
  description: Everything that went wrong, a sentence each.
  returned: O(state=written)
  type: list
  elements: str
  sample: ["crash on gw1: crash, vlan10-v4: nobody answered for 5.120 s (by probes of h10), the budget is 3.755 s"]
table:
  description: What each exercise cost, for people; a headline, then a line for each group.
  returned: O(state=written)
  type: list
  elements: str
  sample: ["EXERCISE            GROUP      OUTAGE", "handover of gw1     vlan10-v4  0.000 s"]
files:
  description: The report.
  returned: O(state=written)
  type: list
  elements: str
  sample: [/srv/vlangate-drill/drill.html, /srv/vlangate-drill/drill.xml]
"""
