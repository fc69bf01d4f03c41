# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last few of many. Layer L3."""

from __future__ import annotations

from typing import Iterable, List, TypeVar

Item = TypeVar("Item")


class Latest(List[Item]):
    """A list that forgets its oldest items. (A deque takes 600 octets, however few are in it; a
    router has two of these for each of its thousand virtual routers.)"""

    __slots__ = ("_length",)

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length = length

    def append(self, item: Item) -> None:
        """At the end."""
        super().append(item)
        if len(self) > self._length:
            del self[0]

    def extend(self, items: Iterable[Item]) -> None:
        """At the end, in their order."""
        for item in items:
            self.append(item)
