# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches the links of this host, their addresses, and whatever else of ours others may change.

Layer L4.
"""

from __future__ import annotations

import os
import select
import struct
from typing import List, Optional, Set, Tuple

from ..errors import PlatformError
from ..facts import KernelNews, LinkFacts, is_link_local
from . import attributes, nft_codec, routes, rtnl
from .links import LinkTable
from .netlink import Message, NetlinkSocket

_RTNLGRP_LINK = 1
_RTNLGRP_IPV4_IFADDR = 5
_RTNLGRP_IPV4_ROUTE = 7
_RTNLGRP_IPV6_IFADDR = 9
_RTNLGRP_IPV6_ROUTE = 11
_RTNLGRP_IPV4_NETCONF = 24
_RTNLGRP_IPV6_NETCONF = 25
_ROUTE_GROUPS = (
    _RTNLGRP_LINK,
    _RTNLGRP_IPV4_IFADDR,
    _RTNLGRP_IPV4_ROUTE,
    _RTNLGRP_IPV6_IFADDR,
    _RTNLGRP_IPV6_ROUTE,
    _RTNLGRP_IPV4_NETCONF,
    _RTNLGRP_IPV6_NETCONF,
)
_RTM_NEWNETCONF = 80
_NETCONFA_IFINDEX = 1
_NFNLGRP_NFTABLES = 7
# Of struct nlmsghdr, of struct rtmsg behind it, and its size.
_KIND_AT = 4
_ROUTE_PROTOCOL_AT = 16 + routes.PROTOCOL_AT
_ROUTE_TYPE_AT = 16 + routes.TYPE_AT

# Classic BPF: (code, jump if true, jump if false, value).
_LOAD_HALF, _LOAD_BYTE, _IF_EQUAL, _RETURN = 0x28, 0x30, 0x15, 0x06
_ALL = 0xFFFFFFFF
_Program = Tuple[Tuple[int, int, int, int], ...]


def _as_loaded(kind: int) -> int:
    """BPF loads in network order what netlink writes in that of the host."""
    (value,) = struct.unpack("!H", struct.pack("=H", kind))
    return int(value)


# A router with a full table sees thousands of routes come and go. What matters to us are routes
# that the kernel has made for an address (local ones, and the prefix of a link-local one), when
# they are taken away.
_NO_FOREIGN_ROUTES: _Program = (
    (_LOAD_HALF, 0, 0, _KIND_AT),
    (_IF_EQUAL, 5, 0, _as_loaded(routes.RTM_NEWROUTE)),
    (_IF_EQUAL, 0, 5, _as_loaded(routes.RTM_DELROUTE)),
    (_LOAD_BYTE, 0, 0, _ROUTE_TYPE_AT),
    (_IF_EQUAL, 3, 0, routes.RTN_LOCAL),
    (_LOAD_BYTE, 0, 0, _ROUTE_PROTOCOL_AT),
    (_IF_EQUAL, 1, 0, routes.RTPROT_KERNEL),
    (_RETURN, 0, 0, 0),
    (_RETURN, 0, 0, _ALL),
)
# One message for each transaction says who made it, whatever it was about.
_ONLY_GENERATIONS: _Program = (
    (_LOAD_HALF, 0, 0, _KIND_AT),
    (_IF_EQUAL, 0, 1, _as_loaded(nft_codec.GENERATION_NEWS)),
    (_RETURN, 0, 0, _ALL),
    (_RETURN, 0, 0, 0),
)


class RtnlMonitor:
    """Implements ports.LinkMonitor. Raises PlatformError.

    Events carry whole links, so they are taken in as they come; when the kernel had to drop some
    (ENOBUFS), everything is read anew.
    """

    def __init__(self) -> None:
        self._events = NetlinkSocket(rtnl.NETLINK_ROUTE, _ROUTE_GROUPS, _NO_FOREIGN_ROUTES)
        self._queries = NetlinkSocket(rtnl.NETLINK_ROUTE)
        self._filters = _filter_events()
        self._poll = select.epoll()
        self._poll.register(self._events.fileno(), select.EPOLLIN)
        if self._filters is not None:
            self._poll.register(self._filters.fileno(), select.EPOLLIN)
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
        return self._poll.fileno()

    def drain(self) -> KernelNews:
        """Read what is waiting, and what it means."""
        messages, lost = self._events.events()
        packet_filter = self._drain_filters()
        if lost or self._table is None:
            self._table = None
            is_news = lost or bool(messages)
            return KernelNews(links=is_news, packet_filter=packet_filter, is_lost=is_news)
        news = self._table.learn(messages)
        return KernelNews(
            links=news.links,
            touched=news.touched | _touched_otherwise(messages, self._table),
            addresses=news.addresses,
            packet_filter=packet_filter,
        )

    def _drain_filters(self) -> bool:
        """True when somebody else changed the packet filter."""
        if self._filters is None:
            return False
        messages, lost = self._filters.events()
        return lost or any(nft_codec.read_writer(each.body) != os.getpid() for each in messages)

    def close(self) -> None:
        """Give everything back."""
        self._poll.close()
        self._events.close()
        self._queries.close()
        if self._filters is not None:
            self._filters.close()


def _filter_events() -> Optional[NetlinkSocket]:
    """None when this kernel has no nf_tables."""
    try:
        return NetlinkSocket(nft_codec.NETLINK_NETFILTER, (_NFNLGRP_NFTABLES,), _ONLY_GENERATIONS)
    except PlatformError:
        return None


def _touched_otherwise(messages: List[Message], table: LinkTable) -> Set[int]:
    """Links whose routes or settings somebody changed."""
    touched: Set[int] = set()
    for message in messages:
        found = b""
        if message.kind == routes.RTM_DELROUTE:
            found = _lost_by(message.body, table)
        elif message.kind == _RTM_NEWNETCONF:
            # A family, then padding.
            found = attributes.payloads(message.body, 4).get(_NETCONFA_IFINDEX, b"")
        if found:
            # Negative: the settings of all, or by default. What follows from them is told too.
            (ifindex,) = struct.unpack_from("=i", found)
            touched.update((ifindex,) if ifindex > 0 else ())
    return touched


def _lost_by(body: bytes, table: LinkTable) -> bytes:
    """The link, as in the message, that still has an address whose route was taken away."""
    found = routes.read_route(body)
    where, destination = found.get(routes.RTA_OIF, b""), found.get(routes.RTA_DST, b"")
    if len(where) != 4:
        return b""
    held = [each.value.address for each in table.addresses_of(struct.unpack("=i", where)[0])]
    if is_link_local(destination) and body[routes.PREFIX_AT] < 128:
        return where if any(map(is_link_local, held)) else b""
    return where if destination in held else b""
