# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an engine is broken for a while: the register of broken_engines and broken_changes."""

from dataclasses import dataclass
from typing import Any, Callable, ContextManager, Dict
from unittest import mock

Context = ContextManager[Any]


@dataclass(frozen=True)
class BrokenEngine:
    """apply() breaks it until the context ends. caught_by: a unit test, or "" for a checker."""

    apply: Callable[[], Context]
    caught_by: str = ""


BROKEN_ENGINES: Dict[str, BrokenEngine] = {}


def broken(name: str, caught_by: str = "") -> Callable[[Callable[[], Context]], None]:
    def register(apply: Callable[[], Context]) -> None:
        BROKEN_ENGINES[name] = BrokenEngine(apply, caught_by)

    return register


def instead(target: Any, name: str, make: Callable[[Any], Any]) -> Context:
    """Replace a method by what `make` makes of the original."""
    return mock.patch.object(target, name, make(getattr(target, name)))
