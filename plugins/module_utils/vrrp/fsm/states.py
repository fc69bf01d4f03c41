# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three states of a virtual router. Layer L1. RFC 9568 section 6.4, RFC 3768 section 6.4.

What RFC 9568 calls Active is called master here, as in all earlier RFCs and in RFC 8347.
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    """Initialize, Backup or Master (RFC 9568: Active)."""

    INITIALIZE = "initialize"
    BACKUP = "backup"
    MASTER = "master"


def parse_state(text: str) -> State:
    """The state with that name; "active" is accepted for master. Raises ValueError otherwise."""
    lowered = text.strip().lower()
    return State("master" if lowered == "active" else lowered)
