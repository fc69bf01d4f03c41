# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The monotonic clock of this host. Layer L4."""

from __future__ import annotations

import time


class MonotonicClock:
    """Implements ports.Clock. Its zero is the boot of the machine; it stands still in suspend."""

    def now_ns(self) -> int:
        """Nanoseconds; never goes back."""
        return time.monotonic_ns()
