# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a kind of packet may be told of. Layer L3. RFC 9568 section 7.1 asks for a limit."""

from __future__ import annotations

from typing import Dict, Union

from ..discards import DiscardReason
from ..units import NS_PER_S

LOG_AGAIN_NS = 60 * NS_PER_S
# More than there are in ordinary times: those of long ago are forgotten then.
_MOST_REASONS = 100


class LogLimit:
    """One line for each reason and minute; what is not told is counted all the same."""

    def __init__(self) -> None:
        self._logged_ns: Dict[Union[DiscardReason, str], int] = {}

    def may_log(self, reason: Union[DiscardReason, str], now_ns: int) -> bool:
        """True when it is time for another line; it counts as written then."""
        logged_ns = self._logged_ns.get(reason)
        if logged_ns is not None and now_ns - logged_ns < LOG_AGAIN_NS:
            return False
        if len(self._logged_ns) >= _MOST_REASONS:
            since_ns = now_ns - LOG_AGAIN_NS
            self._logged_ns = {key: at for key, at in self._logged_ns.items() if at > since_ns}
        self._logged_ns[reason] = now_ns
        return True
