# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own mistakes, found early. Layer L0.

Never for bytes of a peer, words of an operator or answers of a kernel: those have their own errors.
"""

from __future__ import annotations


class InvariantViolation(AssertionError):
    """A promise that this code makes to itself was broken: a bug, so let it end the process."""


def require(condition: bool, message: str) -> None:
    """Raise InvariantViolation with the message unless the condition holds."""
    if not condition:
        raise InvariantViolation(message)
