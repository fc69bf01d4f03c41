# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How a configuration comes to a router, when not by the option config."""

    DOCUMENTATION = r"""
options:
  plan:
    description: What M(vlangate.vrrp.vrrp_plan) returned earlier in this run, in place of O(config) and O(fleet).
    type: path
  digest:
    description: SHA-256 of the configuration. Filled in on the controller; not for playbooks.
    type: str
  document:
    description: The configuration, when the router has another one. Filled in on the controller; not for playbooks.
    type: str
"""
