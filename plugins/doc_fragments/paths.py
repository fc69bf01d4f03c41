# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Where the engine keeps its things on a router."""

    DOCUMENTATION = r"""
options:
  runtime_dir:
    description:
      - The daemon's runtime directory, which holds its control socket.
    type: path
    default: /run/vlangate
"""
