#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_engine
short_description: Install, upgrade or remove the VRRP engine of a router
version_added: 0.1.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Ships the engine of this collection, with the pinned pyroute2 inside, as one archive and only when the router does not have it.
  - Installs it as a release of its own, makes it current by one rename, and runs it as the systemd service C(vlangated).
  - A running daemon is upgraded in place. The new release takes over when it is ready, without a change of roles and without a lost packet.
  - A release that does not become healthy is taken back in the same run; the module then fails with its journal.
extends_documentation_fragment:
  - vlangate.vrrp.attributes
  - vlangate.vrrp.engine
  - vlangate.vrrp.paths
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
requirements:
  - pyroute2 == 0.8.1 on the controller, unless O(source) is given
  - Python 3.8 or newer and systemd on the router
options:
  state:
    description:
      - V(present) installs this collection's engine and starts it, with an empty configuration if there is none.
      - V(absent) stops and removes it, with all that it has in the kernel; the configuration stays, unless O(purge=true).
      - V(rollback) goes back to the release before, in place where that one can take over from the running one, else by a restart. There
        is one step back, so a second run changes nothing; V(present) goes forth again.
    type: str
    choices: [present, absent, rollback]
    default: present
  purge:
    description: With O(state=absent), remove the configuration, what the daemon remembers and the group V(vlangate), too.
    type: bool
    default: false
    version_added: 0.2.0
  source:
    description:
      - A release as a file, such as C(build/vlangate.tar.gz) that C(make engine) writes, in place of the engine of this collection. The
        controller then needs no pyroute2.
      - Either way a router needs no network but the connection of Ansible.
    type: path
    version_added: 0.2.0
  remote_src:
    description: O(source) is on the router already.
    type: bool
    default: false
    version_added: 0.2.0
  timeout:
    description: Seconds that a new release has to become healthy before it is taken back.
    type: float
    default: 30
  manifest:
    description: What the release consists of. Filled in on the controller; not for playbooks.
    type: dict
  archive:
    description: The release on the router. Filled in on the controller; not for playbooks.
    type: path
"""

EXAMPLES = r"""
- name: Install or upgrade the engine
  vlangate.vrrp.vrrp_engine:

- name: Install a release that was built elsewhere
  vlangate.vrrp.vrrp_engine:
    source: build/vlangate.tar.gz

- name: Go back to the release before
  vlangate.vrrp.vrrp_engine:
    state: rollback

- name: Remove it, and all that it left
  vlangate.vrrp.vrrp_engine:
    state: absent
    purge: true
"""

RETURN = r"""
release:
  description: The release that is current now; null when removed.
  returned: success
  type: str
  sample: 0.1.0-3f2a9c0d1e4b
previous:
  description: The release that was current before this run, or null.
  returned: success
  type: str
  sample: 0.1.0-ad840928c216
upgraded:
  description:
    - How the daemon came to run the release, or in check mode would; null when it did not have to.
    - V(in-place) means that a new process took over from the running one, and no advertisement was missed.
    - V(restarted) means that it was started, or stopped and started; a master then hands its role over.
  returned: success
  type: str
  sample: in-place
restarted:
  description: Whether the daemon was, or in check mode would be, started again.
  returned: success
  type: bool
  sample: false
left:
  description: What of the engine is still on the router; without O(purge), configuration and memory on purpose.
  returned: with O(state=absent), outside of check mode
  type: list
  elements: str
  sample: [/etc/vlangate/config.json, /var/lib/vlangate]
rolled_back:
  description: Whether the release before runs again. False when there was none, or it did not come up either.
  returned: failure of a new release
  type: bool
  sample: true
missing:
  description: What the engine needs of the router and did not find, a sentence each with its remedy.
  returned: failure because of the router
  type: list
  elements: str
  sample: ["no macvlan devices: load the kernel module macvlan"]
changes:
  description: What was changed, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["release 0.1.0-3f2a9c0d1e4b unpacked", "daemon upgraded in place"]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.engine_install import EngineInstall, NotInstalled, argument_spec
from ..module_utils.engine_removal import EngineRemoval
from ..module_utils.engine_service import ServiceError


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[("remote_src", True, ("source",))],
        supports_check_mode=True,
    )
    state = module.params["state"]
    install = EngineRemoval(module) if state == "absent" else EngineInstall(module)
    try:
        facts = install.run()
    except NotInstalled as error:
        module.fail_json(msg=str(error), changes=install.changes, **error.facts)
    except ServiceError as error:
        module.fail_json(msg=str(error), changes=install.changes)
    module.exit_json(
        changed=bool(install.changes), changes=install.changes, diff=install.diff, **facts
    )


if __name__ == "__main__":
    main()
