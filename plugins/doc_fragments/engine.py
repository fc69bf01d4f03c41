# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How the engine is installed."""

    DOCUMENTATION = r"""
options:
  directory:
    description: Where releases are kept; the last three of them.
    type: path
    default: /usr/lib/vlangate
  config_file:
    description: The daemon's configuration, see M(vlangate.vrrp.vrrp_config).
    type: path
    default: /etc/vlangate/config.json
  control_group:
    description: Members of this system group may use the control socket. It is made when missing.
    type: str
    default: vlangate
  python:
    description: The interpreter that runs the daemon.
    type: path
    default: /usr/bin/python3
  launcher:
    description: The command C(vlangate) for people.
    type: path
    default: /usr/sbin/vlangate
  realtime_priority:
    description:
      - Priority in the round-robin real-time class, so that a busy router does not lose its adverts.
      - V(0) leaves the daemon in the ordinary class, for containers that are not allowed more.
    type: int
    default: 20
  manage_service:
    description: Install and run the systemd unit. V(false) only installs the files, for images and containers.
    type: bool
    default: true
"""
