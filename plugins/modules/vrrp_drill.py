#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_drill
short_description: Let a router fail on purpose, and mend it
version_added: 0.2.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Strikes a router, mends it, and tells what its virtual routers remember of it. The playbook C(vlangate.vrrp.drill) does that in
    the right order, watched by probes; look at it before you use this module by itself.
  - A router that is struck mends itself after O(undo_after) seconds, whether anybody comes back or not, and with a reboot.
extends_documentation_fragment:
  - vlangate.vrrp.attributes
  - vlangate.vrrp.paths
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - Each strike is a strike. What is mended is not mended again.
requirements:
  - systemd and ip on the router
options:
  state:
    description:
      - V(struck) lets it fail, in the way that O(kind) says.
      - V(mended) undoes that.
      - V(observed) changes nothing, and returns the changes of state that the daemon remembers.
    type: str
    choices: [struck, mended, observed]
    required: true
  kind:
    description:
      - V(stop) stops the engine in order, as a reboot does. V(kill) kills the daemon, and systemd starts it again at once.
      - V(crash) kills it and keeps it dead. V(link) takes O(interfaces) down.
      - Needed to strike.
    type: str
    choices: [crash, kill, link, stop]
  interfaces:
    description: For O(kind=link). The one by which Ansible reaches the router is refused.
    type: list
    elements: str
    default: []
  undo_after:
    description: Seconds after which a router that was struck mends itself.
    type: int
    default: 300
  names:
    description: For O(state=observed), the virtual routers to tell of. All of them when left out.
    type: list
    elements: str
  since:
    description: For O(state=observed), the time of the epoch from which on to tell.
    type: float
    default: 0
seealso:
  - module: vlangate.vrrp.vrrp_drill_report
  - module: vlangate.vrrp.vrrp_handover
"""

EXAMPLES = r"""
- name: Kill the daemon, and keep it dead for ten seconds
  vlangate.vrrp.vrrp_drill:
    state: struck
    kind: crash
    undo_after: 10

- name: Start it again, if it does not run yet
  vlangate.vrrp.vrrp_drill:
    state: mended

- name: Tell what has happened
  vlangate.vrrp.vrrp_drill:
    state: observed
    names: [vlan10-v4]
"""

RETURN = r"""
at:
  description: When it was done, as seconds of the epoch.
  returned: O(state=struck) and O(state=mended)
  type: float
  sample: 1795430000.25
until:
  description: When that was finished.
  returned: O(state=struck) and O(state=mended)
  type: float
  sample: 1795430000.64
event:
  description: What was done, in words.
  returned: O(state=struck) and O(state=mended)
  type: str
  sample: the daemon is killed, and stays dead
now:
  description: The time of the router, as seconds of the epoch.
  returned: O(state=observed)
  type: float
  sample: 1795430040.5
groups:
  description: Each virtual router with its state now, and the transitions since O(since), the oldest first.
  returned: O(state=observed)
  type: list
  elements: dict
  sample:
    - name: vlan10-v4
      state: master
      transitions:
        - {at: 1795430008.3, previous: initialize, current: backup, reason: started}
drains:
  description: When the router was drained or undrained.
  returned: O(state=observed)
  type: list
  elements: dict
  sample: [{"at": 1795430000.2, "event": "drained: master only if nobody else is", "drained": true}]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.drill_here import Strike, argument_spec, mend, observe
from ..module_utils.vrrp.errors import ControlError
from ..module_utils.vrrp_module import fail_with


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[
            ("state", "struck", ("kind",)),
            ("kind", "link", ("interfaces",)),
        ],
        supports_check_mode=True,
    )
    try:
        if module.params["state"] == "observed":
            facts = observe(module.params)
        else:
            facts = mend(module) if module.params["state"] == "mended" else Strike(module).strike()
    except ControlError as error:
        fail_with(module, error)
    module.exit_json(**facts)


if __name__ == "__main__":
    main()
