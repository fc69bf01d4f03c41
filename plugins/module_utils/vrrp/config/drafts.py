# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of a configuration before they are judged. Layer L2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet

from .model import SyncGroupConfig, TrackerConfig, VirtualRouterConfig


@dataclass(frozen=True)
class RouterDraft:
    """A virtual router, where it was written, and the fields that no rule may judge."""

    path: str
    value: VirtualRouterConfig
    unsound: FrozenSet[str] = frozenset()


@dataclass(frozen=True)
class TrackerDraft:
    """A tracker, where it was written, and the fields that no rule may judge."""

    path: str
    value: TrackerConfig
    unsound: FrozenSet[str] = frozenset()


@dataclass(frozen=True)
class SyncGroupDraft:
    """A sync group, where it was written, and the fields that no rule may judge.

    Its members are as written: not sorted, and perhaps repeated.
    """

    path: str
    value: SyncGroupConfig
    unsound: FrozenSet[str] = frozenset()
