#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_info
short_description: Tell the state of all virtual routers of a router
version_added: 0.1.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Asks the running VRRP engine over its control socket.
  - Fails when the engine does not run.
extends_documentation_fragment:
  - vlangate.vrrp.attributes
  - vlangate.vrrp.attributes.info
  - vlangate.vrrp.paths
attributes:
  facts:
    description: Returns an C(ansible_facts) dictionary that will update existing host facts.
    support: partial
    details: With O(as_facts=true).
options:
  name:
    description: Only this virtual router.
    type: str
  as_facts:
    description:
      - Returns the same as C(ansible_facts.vrrp), too, so that templates and later plays have it, by a fact cache even later ones.
      - Facts grow old. RV(asked_at) tells when they were true.
    type: bool
    default: false
    version_added: 0.2.0
  timeout:
    description: Seconds that the daemon may take to answer.
    type: float
    default: 5
seealso:
  - module: vlangate.vrrp.vrrp_assert
"""

EXAMPLES = r"""
- name: Ask for all virtual routers
  vlangate.vrrp.vrrp_info:
  register: vrrp

- name: Show who is master here
  ansible.builtin.debug:
    msg: "{{ vrrp.routers | selectattr('state', 'equalto', 'master') | map(attribute='name') }}"

- name: Show why it is so
  ansible.builtin.debug:
    msg: "{{ vrrp.routers | map(attribute='occurrences') | map('last') | map(attribute='sentence') }}"

- name: Keep it as facts
  vlangate.vrrp.vrrp_info:
    as_facts: true

- name: Use them only while they are fresh
  ansible.builtin.assert:
    that: now().timestamp() - ansible_facts.vrrp.asked_at < 60
"""

RETURN = r"""
asked_at:
  description: When all this was true, in seconds since 1970 by the clock of the router. Ages in the answer count back from it.
  returned: success
  type: float
  sample: 1790000000.25
engine:
  description:
    - Version, release, features and configuration of the running daemon.
    - C(config_source) is C(last-good) when it does not run what its file has, and C(config_problems) says why. C(probation) is what
      waits to be confirmed, C(drained_all) whether the whole router is drained.
    - C(lateness) is a histogram of how long after their deadlines wake-ups began, in nanoseconds; C(longest) is the latest one.
  returned: success
  type: dict
  sample:
    {"version": "0.1.0", "release": "0.1.0-3f2a9c0d1e4b", "pid": 4711, "config_source": "file", "config_problems": [],
    "probation": null, "drained_all": false, "last_reload_error": null, "lateness": {"bounds_ns": [125000, 250000],
    "counts": [9000, 40, 2], "sum_ns": 310520000, "longest": {"duration_ns": 310000, "age_ns": 92000000000}}}
routers:
  description:
    - Each virtual router with its state, times, addresses, last transitions and counters.
    - C(drained) is master only if nobody else is, C(leaving) has given its role away and forwards until its successor is heard.
    - C(occurrences) are the last things that happened to it, each with its cause in a sentence, the oldest first. C(kind) is
      C(transition), C(waiting), C(drain), C(repair) or C(gap).
    - C(gaps) are the longest times between two advertisements, its own that were late and those of its master.
  returned: success
  type: list
  elements: dict
  sample:
    - name: vlan10-v4
      state: master
      virtual_mac: 00:00:5e:00:01:0a
      addresses: [198.18.10.254]
      drained: false
      leaving: false
      sync_group: null
      lease_s: 3
      gaps: {sent: {duration_ns: 1004000000, age_ns: 92000000000}, heard: null}
      occurrences:
        - {age_ns: 92000000000, kind: transition, sentence: "backup -> master: no master was heard since it began to listen"}
trackers:
  description: Each tracker and its last result.
  returned: success
  type: list
  elements: dict
  sample: [{"name": "uplink", "kind": "ping", "ok": true, "detail": "198.51.100.1 answered"}]
ansible_facts:
  description: The same again, for templates and later plays.
  returned: with O(as_facts=true)
  type: dict
  contains:
    vrrp:
      description: RV(asked_at), RV(engine), RV(routers), RV(trackers) and RV(counters).
      type: dict
  sample: {"vrrp": {"asked_at": 1790000000.25, "routers": [{"name": "vlan10-v4", "state": "master"}]}}
counters:
  description: What was counted for the whole router, such as packets that no virtual router could be charged with.
  returned: success
  type: dict
  sample: {"checksum-errors": 0}
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.vrrp.control.client import ControlClient
from ..module_utils.vrrp.errors import ControlError
from ..module_utils.vrrp_module import RUNTIME_DIR, fail_with


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str"},
            "as_facts": {"type": "bool", "default": False},
            "runtime_dir": {"type": "path", "default": RUNTIME_DIR},
            "timeout": {"type": "float", "default": 5},
        },
        supports_check_mode=True,
    )
    name, asked_at = module.params["name"], time.time()
    try:
        with ControlClient.in_directory(
            module.params["runtime_dir"], module.params["timeout"]
        ) as client:
            document = client.call("show.routers", **({"name": name} if name else {}))
    except ControlError as error:
        fail_with(module, error)
    facts = {key: document[key] for key in ("engine", "routers", "trackers", "counters")}
    facts["asked_at"] = asked_at
    if module.params["as_facts"]:
        facts["ansible_facts"] = {"vrrp": dict(facts)}
    module.exit_json(changed=False, **facts)


if __name__ == "__main__":
    main()
