#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_survey
short_description: Look at a router before it is changed
version_added: 0.2.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Tells in one round trip what M(vlangate.vrrp.vrrp_engine), M(vlangate.vrrp.vrrp_host) and M(vlangate.vrrp.vrrp_config) would
    change on this router, what that costs, and who is master now. It changes nothing.
  - Another VRRP speaker of the router, such as keepalived or the C(vrrpd) of FRR, is a problem, as there would be two masters. It is told
    by its processes and its raw sockets in the network namespace of the module; one that is only enabled is warned of.
  - A router that has nothing of ours yet is no error, everything has to be added there then.
  - M(vlangate.vrrp.vrrp_plan) makes the plan of a fleet of the surveys of all routers.
extends_documentation_fragment:
  - vlangate.vrrp.attributes
  - vlangate.vrrp.attributes.info
  - vlangate.vrrp.engine
  - vlangate.vrrp.paths
options:
  plan:
    description: What M(vlangate.vrrp.vrrp_plan) returned earlier in this run. It is needed.
    type: path
  forwarding:
    description: As for M(vlangate.vrrp.vrrp_host).
    type: list
    elements: str
    choices: [ipv4, ipv6]
    default: [ipv4, ipv6]
  manage_interfaces:
    description: As for M(vlangate.vrrp.vrrp_host).
    type: str
    choices: [none, networkd]
    default: none
  tolerated_speakers:
    description:
      - Programs that may speak VRRP beside the engine, because they serve other LANs than the table does, as RV(other_speakers) names
        them. Any other one that runs is a problem.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that the daemon may take to answer.
    type: float
    default: 30
  wanted:
    description: What the router should be like. Filled in on the controller; not for playbooks.
    type: str
"""

EXAMPLES = r"""
- name: Look at every router
  vlangate.vrrp.vrrp_survey:
    plan: "{{ planned.plan }}"
  register: survey
"""

RETURN = r"""
in_order:
  description: Whether there is nothing to do on this router. Who is drained does not count.
  returned: success
  type: bool
  sample: false
engine:
  description:
    - The C(release) that runs, or without a daemon the one that is installed, or null; the C(wanted) one, that of this collection.
    - C(is_wanted) is whether M(vlangate.vrrp.vrrp_engine) has nothing to do; otherwise C(changes) says what, or C(error) why it cannot.
    - C(upgraded) is its RV(vlangate.vrrp.vrrp_engine#module:upgraded), C(service) the state of the systemd service.
  returned: success
  type: dict
  sample: {release: 0.1.0-ad840928c216, wanted: 0.1.0-3f2a9c0d1e4b, is_wanted: false, service: active, error: null,
           upgraded: in-place, changes: [daemon upgraded in place]}
host_changes:
  description: What M(vlangate.vrrp.vrrp_host) would change, one sentence each.
  returned: success
  type: list
  elements: str
  sample: ["net/ipv4/ip_forward set to 1"]
config:
  description: The configuration that runs, or without a daemon the one in its file, or null. Secrets are hidden.
  returned: success
  type: dict
  sample: {format: 1, virtual_routers: [], trackers: []}
config_is_wanted:
  description: Whether file and daemon have the configuration of the plan.
  returned: success
  type: bool
  sample: false
changes:
  description: What M(vlangate.vrrp.vrrp_config) would change, as its RV(vlangate.vrrp.vrrp_config#module:changes).
  returned: success
  type: list
  elements: dict
  sample: [{kind: changed, name: vlan10-v4, fields: [version], hitless: false, cost: "version: it starts anew as backup, …"}]
routers:
  description: The virtual routers as they are, with the keys that a plan needs of RV(vlangate.vrrp.vrrp_info#module:routers).
  returned: success
  type: list
  elements: dict
  sample: [{name: vlan10-v4, state: master, priority: 200, addresses: [198.18.10.254], drained: false, sync_group: null}]
drained:
  description: The virtual routers that are drained.
  returned: success
  type: list
  elements: str
  sample: [vlan10-v4]
drained_all:
  description: Whether the whole router is drained.
  returned: success
  type: bool
  sample: false
probation:
  description: The configuration that waits to be confirmed, or null.
  returned: success
  type: dict
  sample: null
other_speakers:
  description:
    - Who speaks VRRP beside the engine. C(state) is V(running), V(starting) when systemd is about to start it, or V(enabled) when it does
      not run and would at the next boot.
    - C(sockets) are its raw sockets of protocol 112, C(pids) its processes and C(unit) their service. A C(program) whose processes are out
      of sight is V(unseen).
  returned: success
  type: list
  elements: dict
  sample: [{program: keepalived, state: running, unit: keepalived.service, pids: [811, 812], sockets: 4}]
problems:
  description: What keeps this router from being brought in order, a sentence each.
  returned: success
  type: list
  elements: str
  sample: ["manage_interfaces is networkd, but systemd-networkd does not run here: start it"]
asked_at:
  description: When the router was asked, in seconds of the epoch by its own clock.
  returned: success
  type: float
  sample: 1767225600.25
"""

import json

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.config_apply import unpacked
from ..module_utils.survey import Survey, argument_spec


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    if module.params["wanted"] is None:
        module.fail_json(msg="the option plan is needed: what vrrp_plan returned")
    survey = Survey(module, json.loads(unpacked(module.params["wanted"])))
    facts = survey.run()
    for warning in survey.warnings:
        module.warn(warning)
    module.exit_json(**facts)


if __name__ == "__main__":
    main()
