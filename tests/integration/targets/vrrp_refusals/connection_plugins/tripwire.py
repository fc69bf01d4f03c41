# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection that notes that somebody wanted it, and fails."""

from __future__ import annotations

import os

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = r"""
name: tripwire
short_description: Note each connection in the file that TRIPWIRE names, and fail
description: For tests that nobody is connected to.
author:
  - The vlangate.vrrp authors (@vlangate)
"""


class Connection(ConnectionBase):
    """Nobody gets through."""

    transport = "tripwire"

    def _connect(self):
        with open(os.environ["TRIPWIRE"], "a", encoding="utf-8") as stream:
            stream.write(self._play_context.remote_addr + "\n")
        raise AnsibleConnectionFailure("this is a test, and nobody should have come here")

    def exec_command(self, cmd, in_data=None, sudoable=True):
        self._connect()

    def put_file(self, in_path, out_path):
        self._connect()

    def fetch_file(self, in_path, out_path):
        self._connect()

    def close(self):
        """There is nothing to close."""
