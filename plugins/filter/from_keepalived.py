# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""keepalived.conf to the VLAN table, as a filter: hands it on and lists what is in the way."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_keepalived
short_description: Turn the keepalived.conf of a site's routers into a table of VLANs
version_added: 0.2.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Reads the C(vrrp_instance), C(vrrp_sync_group) and C(global_defs) blocks of all routers of a site, and writes the variables of the
    role P(vlangate.vrrp.gateways#role).
  - Every line that is not taken over is named. So is what this engine does without.
  - A file that cannot be taken over as it is, because the routers would not hear each other or an address would be lost, is refused with
    everything that is in the way. What the table gives is held against what keepalived says on the wire before it is returned.
  - The playbook C(vlangate.vrrp.from_keepalived) reads files and addresses from the routers, and writes the table.
positional: addresses
options:
  _input:
    description: A mapping of inventory names to the text of their C(keepalived.conf).
    type: dict
    required: true
  addresses:
    description: A mapping of the same names to what C(ip -json address) says there, as data.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: What would the table be?
  ansible.builtin.debug:
    msg: "{{ {'gw1': conf} | vlangate.vrrp.from_keepalived({'gw1': links}) }}"
  vars:
    conf: |
      vrrp_instance lan {
        interface vlan10
        virtual_router_id 10
        virtual_ipaddress { 198.18.10.254/24 }
      }
    links:
      - ifname: vlan10
        addr_info:
          - local: 198.18.10.252
            prefixlen: 24
"""

RETURN = r"""
_value:
  description: The table, and what is not in it.
  type: dict
  contains:
    table:
      description: C(vlangate_routers), C(vlangate_vlans) and C(vlangate_defaults), with passwords in the clear as they are in the files.
      type: dict
    left:
      description: Lines that have no counterpart or were decided on, each with router, line and reason.
      type: list
      elements: str
    not_needed:
      description: Lines that this engine does without, each with router and line.
      type: list
      elements: str
"""

from collections.abc import Mapping

from ansible.errors import AnsibleFilterError

from ..module_utils.vrrp.errors import ConfigError
from ..plugin_utils.keepalived_table import keepalived_site


def from_keepalived(files, addresses):
    """The table of a site; AnsibleFilterError with everything that is in its way."""
    if not isinstance(files, Mapping) or not isinstance(addresses, Mapping):
        raise AnsibleFilterError(
            "from_keepalived takes two mappings of routers: files and addresses"
        )
    try:
        return keepalived_site(files, addresses)
    except ConfigError as error:
        raise AnsibleFilterError("from_keepalived cannot take this over:\n%s" % error) from error


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self):
        return {"from_keepalived": from_keepalived}
