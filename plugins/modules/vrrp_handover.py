#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_handover
short_description: Take a router out of service without loss, and back
version_added: 0.2.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - A drained router gives its roles as master away, to whoever is next, and is master again only if nobody else is. It stays so over
    restarts, until it is undrained.
  - The old master forwards until its successor is heard, so that nothing is lost. When nobody takes a role over within that time,
    the router takes it back without loss, is drained no longer, and the task fails; with O(force=true) the role is given up.
  - The task ends when every role is really given away, that is when another router is heard as master.
extends_documentation_fragment:
  - vlangate.vrrp.attributes
  - vlangate.vrrp.paths
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
      - V(drained) gives the roles away. V(undrained) lets the router take part again; a preferred one takes its roles back after
        its preempt delay, for which the task does not wait. Use M(vlangate.vrrp.vrrp_assert) for that.
    type: str
    choices: [drained, undrained]
    default: drained
  names:
    description:
      - These virtual routers, together with the other members of their sync groups. Left out, the whole router, with what is
        configured later.
    type: list
    elements: str
  force:
    description: Drain even if nobody takes over. The virtual addresses then have no router.
    type: bool
    default: false
  timeout:
    description: Seconds that the roles may take to be given away, and O(routers) wait for the others with O(scope=group).
    type: float
    default: 15
  scope:
    description:
      - With V(router), whether somebody takes over is tried on the network, without loss.
      - With V(group), run on all routers of the groups, nothing is tried before it is known that each group keeps a healthy router
        among O(hosts), one that takes part, is not drained and whose trackers are all well. Needs a play without C(serial), and as
        many forks as there are routers.
    type: str
    choices: [router, group]
    default: router
  groups:
    description:
      - For O(scope=group), the gateway groups in the form of M(vlangate.vrrp.vrrp_assert), of which C(name) and C(members) count.
    type: list
    elements: dict
  plan:
    description:
      - For O(scope=group), what M(vlangate.vrrp.vrrp_plan) returned earlier in this run. Its groups are judged, or O(groups) when
        given.
    type: path
  hosts:
    description: For O(scope=group), the hosts that may be left with a role. All hosts of the play when left out.
    type: list
    elements: str
  routers:
    description: For O(scope=group), the hosts to drain or undrain. The others only tell how they are.
    type: list
    elements: str
seealso:
  - module: vlangate.vrrp.vrrp_assert
  - module: vlangate.vrrp.vrrp_info
"""

EXAMPLES = r"""
- name: Before maintenance
  vlangate.vrrp.vrrp_handover:

- name: Only VLAN 10
  vlangate.vrrp.vrrp_handover:
    names: [vlan10-v4, vlan10-v6]

- name: Not before each group is known to keep a healthy router
  vlangate.vrrp.vrrp_handover:
    scope: group
    plan: "{{ vlangate_planned.plan }}"
    routers: [gw1]

- name: After maintenance
  vlangate.vrrp.vrrp_handover:
    state: undrained
"""

RETURN = r"""
changes:
  description: What the task did, or would do in check mode, a sentence for each virtual router.
  returned: success
  type: list
  elements: str
  sample: ["vlan10-v4: gives its role as master away"]
groups:
  description:
    - Each virtual router before and after. C(master) is the host with C(master_address), for O(scope=group) if it is in O(hosts).
  returned: when the daemon answered
  type: list
  elements: dict
  sample:
    - name: vlan10-v4
      previous: master
      current: backup
      drained: true
      master_address: 198.18.10.253
      master: gw2
seconds:
  description: How long it took until all roles were given away.
  returned: outside of check mode
  type: float
  sample: 0.104
unmet:
  description: What is not as asked for, a sentence each with its remedy. The virtual routers not named here are drained.
  returned: failure
  type: list
  elements: str
  sample: ["vlan10-v4: no healthy router took over, so this one is master again: bring another router of the group back to life"]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.handover_here import Handover, HandoverFailed, argument_spec
from ..module_utils.vrrp.errors import ControlError
from ..module_utils.vrrp_module import fail_with


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        facts = Handover(module).run()
    except HandoverFailed as error:
        module.fail_json(msg=str(error), **error.facts)
    except ControlError as error:
        fail_with(module, error)
    module.exit_json(**facts)


if __name__ == "__main__":
    main()
