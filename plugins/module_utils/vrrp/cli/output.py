# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command says, and where. Layer L5.

Not `print`: ansible-test bans it under plugins/, because a module's output is its answer.
"""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """One answer, at once, also when a pipe reads it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """What went wrong."""
    sys.stderr.write(text + "\n")
