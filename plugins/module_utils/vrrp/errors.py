# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors, classed by whose fault they are. Layer L0.

The peer's: DecodeError. The operator's: ConfigError. The host's: PlatformError. The caller of the
control socket's: ControlError. That of a file to replay: JournalError. Our own mistakes are no
VrrpError: see invariant.py.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Optional, Tuple

from .discards import DiscardReason


class VrrpError(Exception):
    """Base of all errors that this engine raises on purpose; never raised itself."""


class DecodeError(VrrpError):
    """A packet of a peer cannot be accepted."""

    def __init__(self, reason: DiscardReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Problem:
    """One thing wrong in what an operator wrote.

    path names the field (``virtual_routers[vlan10-v4].vrid``), code is stable for programs,
    message says what was found, hint says what to write instead. All of it can be printed: what
    cannot, of a name that somebody wrote, is there as an escape.
    """

    path: str
    code: str
    message: str
    hint: str

    def __post_init__(self) -> None:
        for name in ("path", "message", "hint"):
            object.__setattr__(self, name, _printable(getattr(self, name)))

    def __str__(self) -> str:
        return "%s: %s (%s)" % (self.path, self.message, self.hint)


def _printable(text: str) -> str:
    """Without line ends, terminal controls and lone surrogates."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


class ConfigError(VrrpError):
    """What the operator wrote cannot be used; carries every problem at once."""

    def __init__(self, problems: Tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class PlatformError(VrrpError):
    """The host refused an operation."""

    def __init__(
        self, operation: str, target: str, errno: Optional[int] = None, hint: str = ""
    ) -> None:
        text = "%s %s failed" % (operation, target)
        if errno is not None:
            text += ": %s (errno %d)" % (os.strerror(errno), errno)
        if hint:
            text += ": " + hint
        super().__init__(text)
        self.operation = operation
        self.target = target
        self.errno = errno
        self.hint = hint


class ControlError(VrrpError):
    """A request on the control socket was refused or could not be delivered."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class JournalError(VrrpError):
    """A file is no journal of the router's events, or a damaged one."""
