# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts another configuration in the place of the one that runs. Layer L5."""

from __future__ import annotations

from typing import Tuple

from ..config.diff import Change, diff
from ..config.model import RouterConfig
from ..ports import Clock, Prober
from ..router.events import ConfigReplaced
from .drains import Drains
from .shell import Shell


class Applier:
    """Everything in the daemon that has to know a configuration hears of it here."""

    def __init__(self, shell: Shell, prober: Prober, drains: Drains, clock: Clock) -> None:
        self._shell = shell
        self._prober = prober
        self._drains = drains
        self._clock = clock

    def __call__(self, config: RouterConfig) -> Tuple[Change, ...]:
        """Virtual routers that do not differ are not touched. Returns what does."""
        changes = diff(self._shell.router.config, config)
        now_ns = self._clock.now_ns()
        self._shell.step_over_links(ConfigReplaced(config), now_ns)
        self._drains.forget_removed()
        self._prober.configure(config.trackers, now_ns)
        return changes
