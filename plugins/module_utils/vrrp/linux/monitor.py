# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches the links of this host and their addresses. Layer L4."""

from __future__ import annotations

from typing import Optional, Tuple

from ..facts import LinkFacts
from . import rtnl
from .links import LinkTable
from .netlink import NetlinkSocket

_RTNLGRP_LINK = 1
_RTNLGRP_IPV4_IFADDR = 5
_RTNLGRP_IPV6_IFADDR = 9


class RtnlMonitor:
    """Implements ports.LinkMonitor. Raises PlatformError.

    Events carry whole links, so they are taken in as they come; when the kernel had to drop some
    (ENOBUFS), everything is read anew.
    """

    def __init__(self) -> None:
        groups = (_RTNLGRP_LINK, _RTNLGRP_IPV4_IFADDR, _RTNLGRP_IPV6_IFADDR)
        self._events = NetlinkSocket(rtnl.NETLINK_ROUTE, groups)
        self._queries = NetlinkSocket(rtnl.NETLINK_ROUTE)
        self._table: Optional[LinkTable] = None

    def links(self) -> Tuple[LinkFacts, ...]:
        """All links as of the last drain, without our own virtual devices, sorted by name.

        What came since keeps fileno() readable, so nothing is missed.
        """
        if self._table is None:
            self._table = rtnl.read_table(self._queries)
        return self._table.facts()

    def fileno(self) -> int:
        """Readable when something may have changed."""
        return self._events.fileno()

    def drain(self) -> bool:
        """Read what is waiting; True when links or addresses (ours included) may have changed."""
        messages, lost = self._events.events()
        if lost:
            self._table = None
            return True
        if self._table is None:
            return bool(messages)
        return self._table.learn(messages)

    def close(self) -> None:
        """Give everything back."""
        self._events.close()
        self._queries.close()
