# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`vlangate replay FILE`: does this engine do again what a journal says? Layer L5.

Exit status: 0 it does, 1 it does not, 2 the file is no journal.
"""

from __future__ import annotations

from typing import List

from ..errors import JournalError
from ..router.replay import Difference, Replay, replay
from ..units import format_ns
from ..version import VERSION
from .output import complain, say

_EXIT_SAME = 0
_EXIT_DIFFERENT = 1
_EXIT_NO_JOURNAL = 2


def replay_file(path: str) -> int:
    """Replay a file and say what came out; the exit status."""
    try:
        with open(path, encoding="ascii", newline="\n") as file:
            result = replay(file)
    except (JournalError, OSError, UnicodeDecodeError) as error:
        complain("%s: %s" % (path, error))
        return _EXIT_NO_JOURNAL
    say("\n".join(_lines(path, result)))
    return _EXIT_DIFFERENT if result.difference else _EXIT_SAME


def _lines(path: str, result: Replay) -> List[str]:
    beginning = result.beginning
    span = format_ns(result.last_ns - beginning.at_ns)
    lines = []
    if beginning.engine != VERSION:
        lines.append("%s: recorded by engine %s, this is %s" % (path, beginning.engine, VERSION))
    if result.difference is None:
        what = "%d steps in %s, all as recorded" % (result.steps, span)
        return [*lines, "%s: %s" % (path, what)]
    step = result.difference.step
    lines.append(
        "%s: step %d, %s after the beginning, differs (%d before it are as recorded)"
        % (path, step.number, span, result.steps)
    )
    return [*lines, *_difference(result.difference)]


def _difference(difference: Difference) -> List[str]:
    lines = ["  event     %s" % difference.event]
    alike = 0
    for expected, got in zip(difference.expected, difference.got):
        if expected != got:
            break
        alike += 1
    if alike:
        lines.append("  the first %d actions are as recorded, then" % alike)
    for word, actions in (("expected", difference.expected), ("got", difference.got)):
        for action in actions[alike:] or ("nothing",):
            lines.append("  %-8s  %s" % (word, action))
    return lines
