# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon's log: one line for each event on standard error. Layer L5.

Under systemd a line begins with its priority (sd-daemon(3)) and the journal adds the time.
"""

from __future__ import annotations

import os
import sys
import time

_PRIORITIES = {"error": 3, "warning": 4, "notice": 5, "info": 6}


class Log:
    """Writes lines; never raises, because a full disk is no reason to leave the VLAN."""

    def __init__(self) -> None:
        self._in_journal = "JOURNAL_STREAM" in os.environ

    def write(self, level: str, message: str) -> None:
        """level is error, warning, notice or info."""
        if self._in_journal:
            line = "<%d>%s\n" % (_PRIORITIES[level], message)
        else:
            now = time.time()
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now))
            line = "%s.%03d %-7s %s\n" % (stamp, now * 1000 % 1000, level, message)
        try:
            sys.stderr.write(line)
            sys.stderr.flush()
        except OSError:
            return
