# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules of this collection have in common."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return a prediction without changing the router.
  diff_mode:
    description: Returns what has changed (or would change) when in diff mode.
  idempotent:
    description: >-
      A second run with the same arguments, outside of check mode, reports no change, provided that nothing else changed
      the router.
  action_group:
    description: Use C(group/vlangate.vrrp.vrrp) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - vlangate.vrrp.vrrp
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This action does not change anything.
  diff_mode:
    support: N/A
    details:
      - This action does not change anything.
  idempotent:
    support: full
    details:
      - This action does not change anything.
"""
