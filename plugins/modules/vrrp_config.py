#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_config
short_description: Configure the virtual routers of a router in one step
version_added: 0.1.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Brings the configuration of the VRRP engine to a router, validates it on the controller and on the router, writes it
    atomically and lets the running daemon take it over. Virtual routers that did not change are not touched.
  - It has the states of a network resource module; an entry is a virtual router, a tracker or a sync group, known by its name.
  - All problems are reported at once, each with field, value and remedy, and before anything is changed. With O(confirm_within),
    a change that cuts the way to the router takes itself back.
extends_documentation_fragment:
  - vlangate.vrrp.attributes
  - vlangate.vrrp.config
  - vlangate.vrrp.paths
  - vlangate.vrrp.shipped
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The diff shows the virtual routers, trackers and sync groups that change, and no others.
  idempotent:
    support: full
options:
  state:
    description:
      - V(overridden) gives the router exactly O(config). What it has besides is removed.
      - V(replaced) gives each entry that O(config) names all of its fields, those that are left out their defaults. Other entries stay.
      - V(merged) adds and changes what O(config) says, and removes nothing. An entry that is there needs its name and what changes;
        what is added to a list (addresses, members, trackers, prefixes) comes after what it has.
      - V(deleted) removes the entries that O(config) names. Only their names count, and there has to be one.
      - V(gathered) returns what the daemon runs, or what its file has where none runs. Nothing is touched.
      - V(rendered) returns the whole configuration as the router would get it, with every default. No router is asked.
      - A part is put into what the daemon runs, and the result is checked as a whole before anything is touched. Where the file has
        another configuration than runs, because it was taken back or somebody has edited it, that is not used.
    type: str
    choices: [overridden, replaced, merged, deleted, gathered, rendered]
    default: overridden
    version_added: 0.2.0
  fleet:
    description:
      - The configurations of all routers of the site, keyed by host, such as the role P(vlangate.vrrp.gateways#role) passes.
      - What no router can check alone (a priority twice, two owners, other intervals) is checked on the controller, before any connection.
    type: dict
  confirm_within:
    description:
      - Unless a task with O(confirm=true) comes within so many seconds, the daemon runs the configuration before again, also after
        a restart, and after a reboot at once. What runs already is not put on probation again.
    type: int
  confirm:
    description:
      - What is on probation stays. With O(config), only if it is that configuration, which has to be applied already. Fails when
        the configuration was taken back meanwhile.
    type: bool
    default: false
  config_file:
    description: Where the daemon reads its configuration.
    type: path
    default: /etc/vlangate/config.json
  directory:
    description: Where M(vlangate.vrrp.vrrp_engine) keeps the releases.
    type: path
    default: /usr/lib/vlangate
  python:
    description: The interpreter that runs the daemon.
    type: path
    default: /usr/bin/python3
  timeout:
    description: Seconds that the daemon may take to answer.
    type: float
    default: 15
seealso:
  - module: vlangate.vrrp.vrrp_assert
"""

EXAMPLES = r"""
- name: Two virtual gateways that are master together or not at all, and nothing else
  vlangate.vrrp.vrrp_config:
    config:
      virtual_routers:
        - {name: vlan10-v4, interface: vlan10, family: ipv4, vrid: 10, priority: 200, addresses: [198.18.10.254]}
        - {name: vlan20-v4, interface: vlan20, family: ipv4, vrid: 20, priority: 200, addresses: [198.18.20.254]}
      sync_groups:
        - {name: inside, members: [vlan10-v4, vlan20-v4]}
    confirm_within: 60

- name: Keep it, for the router is still reached
  vlangate.vrrp.vrrp_config: {confirm: true}

- name: Change one priority
  vlangate.vrrp.vrrp_config:
    state: merged
    config:
      virtual_routers:
        - {name: vlan10-v4, priority: 150}

- name: Say all of one virtual gateway, with defaults for the rest
  vlangate.vrrp.vrrp_config:
    state: replaced
    config:
      virtual_routers:
        - {name: vlan20-v4, interface: vlan20, family: ipv4, vrid: 20, priority: 150, addresses: [198.18.20.254, 198.18.20.253]}

- name: Take one gateway away, and the sync group that needs it
  vlangate.vrrp.vrrp_config:
    state: deleted
    config:
      virtual_routers: [{name: vlan20-v4}]
      sync_groups: [{name: inside}]

- name: Read what runs
  vlangate.vrrp.vrrp_config:
    state: gathered
  register: present

- name: See what a router would get, without asking one
  vlangate.vrrp.vrrp_config:
    state: rendered
    config:
      virtual_routers:
        - {name: vlan10-v4, interface: vlan10, family: ipv4, vrid: 10, addresses: [198.18.10.254]}
"""

RETURN = r"""
changes:
  description:
    - What differs from what the daemon runs, or without one from the file that was there, virtual router by virtual router, then
      C(tracker NAME), C(sync group NAME) and C(leases). C(kind) is C(added), C(removed) or C(changed).
    - C(cost) says in words what it does, and why it is C(hitless) or not.
  returned: success, when O(state) changes something
  type: list
  elements: dict
  sample: [{kind: changed, name: vlan10-v4, fields: [version], hitless: false, cost: "version: it starts anew as backup, …"}]
hitless:
  description: Whether every virtual router keeps its role and its addresses through the change.
  returned: success, when O(state) changes something
  type: bool
  sample: true
before:
  description: The entries that differ, as they were. A password is not shown.
  returned: when changed
  type: dict
  sample: {"format": 1, "virtual_routers": [{"name": "vlan10-v4", "priority": 200}], "trackers": []}
after:
  description: The entries that differ, as they are now, or in check mode would be. A password is not shown.
  returned: when changed
  type: dict
  sample: {"format": 1, "virtual_routers": [{"name": "vlan10-v4", "priority": 150}], "trackers": []}
gathered:
  description: The whole configuration that runs. Stars in place of a password are refused when they come back.
  returned: with O(state=gathered)
  type: dict
  sample: {"format": 1, "virtual_routers": [{"name": "vlan10-v4", "priority": 150}], "trackers": []}
rendered:
  description: The whole configuration that the router would get. A password is not shown.
  returned: with O(state=rendered)
  type: dict
  sample: {"format": 1, "virtual_routers": [{"name": "vlan10-v4", "priority": 150}], "trackers": []}
reloaded:
  description: Whether a running daemon took the configuration over.
  returned: success, when O(state) changes something
  type: bool
  sample: true
probation:
  description: The configuration that waits to be confirmed, and how long yet.
  returned: success, when O(state) changes something
  type: dict
  sample: {"sha256": "5d41…", "previous_sha256": "7d79…", "confirm_within_s": 60, "remaining_ns": 59800000000}
confirmed:
  description: Whether a configuration on probation was confirmed.
  returned: with O(confirm=true)
  type: bool
  sample: true
config_warnings:
  description: What is not wrong but worth knowing, such as an interface that does not exist yet.
  returned: success
  type: list
  elements: str
  sample: ["vlan30-v4: interface vlan30 does not exist; the virtual router waits for it"]
problems:
  description: Everything that is wrong with the configuration.
  returned: failure because of the configuration
  type: list
  elements: dict
  sample: [{"path": "virtual_routers[0].vrid", "code": "too-large", "message": "is 256", "hint": "choose 1 to 255"}]
code:
  description: What kind of refusal it is, for programs; see docs/control.md.
  returned: failure because of the daemon
  type: str
  sample: no-probation
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.config_apply import ConfigApply, options
from ..module_utils.vrrp.errors import VrrpError
from ..module_utils.vrrp_module import fail_with


def main() -> None:
    module = AnsibleModule(
        argument_spec=options(),
        mutually_exclusive=[("confirm_within", "confirm")],
        supports_check_mode=True,
    )
    apply = ConfigApply(module)
    try:
        facts = apply.run()
    except VrrpError as error:
        fail_with(module, error)
    for warning in apply.warnings:
        module.warn(warning)
    module.exit_json(**facts)


if __name__ == "__main__":
    main()
