# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Priorities where the table names none. Layer L2."""

from __future__ import annotations

from typing import Dict, Sequence

# The spread of 100 is less than the penalty of a failed uplink (101): whoever has an exit comes
# before whoever has none.
PREFERRED_PRIORITY = 200
_SPREAD = 100
_LARGEST_STEP = 50


def spread(order: Sequence[str]) -> Dict[str, int]:
    """200 for the first, then downwards in even steps, 100 for the last at the least."""
    step = min(_LARGEST_STEP, _SPREAD // max(1, len(order) - 1))
    return {name: PREFERRED_PRIORITY - place * step for place, name in enumerate(order)}
