# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which routers get another release of the engine, as a filter."""

from __future__ import annotations

DOCUMENTATION = r"""
name: vrrp_waves
short_description: In which order routers get another release of the engine
version_added: 0.2.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - From what M(vlangate.vrrp.vrrp_survey) saw on each router, those whose engine is not the wanted one, in waves. Never two routers of
    one group are in the same wave, backups come before their masters, and routers that share no group do not wait for each other.
  - Routers that have no engine at all are left out; they are for a roll-out.
options:
  _input:
    description: Each router and its survey.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Tell the order
  ansible.builtin.debug:
    msg: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'survey'))) | vlangate.vrrp.vrrp_waves }}"
"""

RETURN = r"""
_value:
  description: The routers of each wave.
  type: list
  elements: list
  sample: [[gw2], [gw1]]
"""

from collections.abc import Mapping

from ansible.errors import AnsibleFilterError

from ..plugin_utils.waves import waves


def vrrp_waves(surveys):
    """The routers whose engine is not the wanted one, in waves."""
    try:
        return _waves(surveys)
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(
            "vrrp_waves takes each router and what vrrp_survey returned there; missing is %s"
            % error
        ) from error


def _waves(surveys: Mapping) -> list:
    members: dict = {}
    masters: dict = {}
    for router, survey in surveys.items():
        for each in survey["routers"]:
            members.setdefault(each["name"], []).append(router)
            if each["state"] == "master":
                masters[each["name"]] = router
    touched = [
        router
        for router, survey in surveys.items()
        if survey["engine"]["release"] is not None and not survey["engine"]["is_wanted"]
    ]
    return waves(members, masters, touched)


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self):
        return {"vrrp_waves": vrrp_waves}
