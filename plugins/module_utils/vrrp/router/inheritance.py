# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a router's process leaves to the one that goes on after it. Layer L3.

Memories are found by identity, so whoever inherits may have another configuration; who has no
memory starts as usual.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from ..fsm.events import Memory


@dataclass(frozen=True)
class Inheritance:
    """memories: by BoundRouter.id. trackers: by name, True is well."""

    memories: Mapping[str, Memory] = field(default_factory=dict)
    trackers: Mapping[str, bool] = field(default_factory=dict)
