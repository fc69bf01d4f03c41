#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_assert
short_description: Wait until virtual routers are in the stated state, or fail with what was seen instead
version_added: 0.1.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - With O(scope=router), waits until the statements are true on this router.
  - With O(scope=group), run on all routers of the play, waits until each gateway group has exactly one master among them, and
    the intended one where O(groups) names it, and until its virtual addresses are answered from the virtual MAC.
extends_documentation_fragment:
  - vlangate.vrrp.attributes
  - vlangate.vrrp.attributes.info
  - vlangate.vrrp.paths
options:
  scope:
    description: Whether this router is judged by itself, or the routers of the play together.
    type: str
    choices: [router, group]
    default: router
  name:
    description: Name of one virtual router.
    type: str
  interface:
    description: Interface of one virtual router; with O(family) and O(vrid) it can stand for its name.
    type: str
  family:
    description: Address family of one virtual router.
    type: str
    choices: [ipv4, ipv6]
  vrid:
    description: VRID of one virtual router.
    type: int
  state:
    description:
      - The state expected. V(active) is RFC 9568's word for V(master).
      - Left out, V(backup) and a settled V(master) are fine, one that is older than its master down interval.
    type: str
    choices: [initialize, backup, master, active]
  expect:
    description: Statements about many virtual routers, judged in one call.
    type: list
    elements: dict
    suboptions:
      name:
        description: As O(name).
        type: str
      interface:
        description: As O(interface).
        type: str
      family:
        description: As O(family).
        type: str
        choices: [ipv4, ipv6]
      vrid:
        description: As O(vrid).
        type: int
      state:
        description: As O(state).
        type: str
        choices: [initialize, backup, master, active]
  stable_for:
    description:
      - For so many advertisement intervals, nobody may have changed its state, and nobody may have heard any master but the one.
      - The daemon remembers that, so a group that has been quiet for long enough is not waited for.
    type: int
    default: 0
    version_added: 0.2.0
  probe:
    description:
      - Routers that are backup of a stated virtual router ask on its LAN, by ARP or neighbour discovery, who has its addresses, as a host
        does. Exactly the virtual MAC has to answer.
      - Left out, it is done with O(scope=group) and not with O(scope=router).
    type: bool
    version_added: 0.2.0
  groups:
    description:
      - For O(scope=group), the gateway groups, such as P(vlangate.vrrp.vrrp_gateways#filter) returns.
      - Of each, C(name) is the name of its virtual routers, C(master) the host that should be master, and C(members) the hosts that
        belong to it (all O(hosts) when left out).
      - Without C(master) it is C(preferred), as the filter calls it; without both, or with V(null), any one will do.
    type: list
    elements: dict
  plan:
    description:
      - For O(scope=group), what M(vlangate.vrrp.vrrp_plan) returned earlier in this run. Its groups are judged, or O(groups) when
        given.
    type: path
  anyone:
    description: For O(scope=group) and O(plan), any router of a group may be its master, not only the preferred one.
    type: bool
    default: false
    version_added: 0.2.0
  hosts:
    description: For O(scope=group), the hosts whose routers are judged together. All hosts of the play when left out.
    type: list
    elements: str
  timeout:
    description: Seconds to wait for it.
    type: float
    default: 10
  poll:
    description: Seconds between two looks.
    type: float
    default: 0.2
seealso:
  - module: vlangate.vrrp.vrrp_info
"""

EXAMPLES = r"""
- name: This router is master of VLAN 10
  vlangate.vrrp.vrrp_assert:
    name: vlan10-v4
    state: master

- name: Every group has exactly one master, the intended one
  vlangate.vrrp.vrrp_assert:
    scope: group
    groups:
      - name: vlan10-v4
        master: gw1
      - name: vlan20-v4
        master: gw2
    timeout: 20

- name: The same, and nothing has moved for ten advertisement intervals
  vlangate.vrrp.vrrp_assert:
    scope: group
    groups:
      - name: vlan10-v4
        master: gw1
    stable_for: 10
    timeout: 30
"""

RETURN = r"""
observed:
  description: The virtual routers of this router as they were seen last.
  returned: always
  type: list
  elements: dict
  sample: [{"name": "vlan10-v4", "state": "backup", "master_address": "198.18.10.252", "master_priority": 200}]
answers:
  description:
    - Which MAC addresses answered for a virtual address, where this router is backup and asked.
    - Empty without O(probe), and where the state of a virtual router was not as stated, so that nothing was asked.
  returned: always
  type: list
  elements: dict
  sample: [{"name": "vlan10-v4", "address": "198.18.10.254", "macs": ["00:00:5e:00:01:0a"]}]
table:
  description:
    - Who is master and who is backup of each group, for people; a headline, then a line for each group.
    - Empty on a host that did not see all others, as it was not the last to look.
  returned: with O(scope=group)
  type: list
  elements: str
  sample:
    - "GROUP         VIRTUAL ADDRESS            VIRTUAL MAC        MASTER     BACKUPS"
    - "vlan10-v4     198.18.10.254              00:00:5e:00:01:0a  gw1        gw2"
unmet:
  description: What is not as stated, a sentence each.
  returned: failure
  type: list
  elements: str
  sample: ["vlan10-v4: expected master gw1; seen: gw1 is backup for 3.2 s, gw2 is master for 3.1 s"]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.assert_here import argument_spec, run


def main() -> None:
    run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
