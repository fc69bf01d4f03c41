# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`vlangate simulate`: histories for people to read. Layer L5.

The trace of a single history has these columns: time in seconds since power on, host, virtual
router, the states from -> to, the reason of the transition, the effective priority.
"""

from __future__ import annotations

from ..sim.run import headline, replay_command, run_history
from .output import say

# So that a long run shows a sign of life.
_TELL_EACH = 100


def simulate(first_seed: int, count: int, commit: str) -> int:
    """Run them, one seed after the other, until one breaks a promise; how many did."""
    for seed in range(first_seed, first_seed + count):
        history = run_history(seed)
        line = headline(history, commit)
        if count == 1:
            say("\n".join((line, *history.trace)))
        if history.violations:
            say("\n".join(("", *history.violations, line, "replay: " + replay_command(seed))))
            return 1
        done = seed + 1 - first_seed
        if count > 1 and (done % _TELL_EACH == 0 or done == count):
            say("%d histories, the last one %s" % (done, line))
    return 0
