#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_config
short_description: Configure all virtual routers of a router in one step
version_added: 0.1.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Brings the whole configuration of the VRRP engine to a router, validates it on the controller and on the router, writes it
    atomically and lets the running daemon take it over. Virtual routers that did not change are not touched.
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
- name: Two virtual gateways that are master together or not at all
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
"""

RETURN = r"""
changes:
  description:
    - What differs from what the daemon runs, or without one from the file that was there, virtual router by virtual router, then
      C(tracker NAME), C(sync group NAME) and C(leases). C(cost) says in words what it does, and why it is C(hitless) or not.
  returned: success
  type: list
  elements: dict
  sample: [{kind: changed, name: vlan10-v4, fields: [version], hitless: false, cost: "version: it starts anew as backup, …"}]
hitless:
  description: Whether every virtual router keeps its role and its addresses through the change.
  returned: success
  type: bool
  sample: true
reloaded:
  description: Whether a running daemon took the configuration over.
  returned: success
  type: bool
probation:
  description: The configuration that waits to be confirmed, and how long yet.
  returned: success
  type: dict
  sample: {"sha256": "5d41…", "previous_sha256": "7d79…", "confirm_within_s": 60, "remaining_ns": 59800000000}
confirmed:
  description: Whether a configuration on probation was confirmed.
  returned: with O(confirm=true)
  type: bool
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
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.config_apply import ConfigApply, options
from ..module_utils.vrrp.errors import VrrpError
from ..module_utils.vrrp_module import fail_with


def main() -> None:
    module = AnsibleModule(
        argument_spec=options(),
        required_if=[("confirm", False, ("config", "digest"), True)],
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
