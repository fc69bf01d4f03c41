# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a few links from the kernel, where rtnl.read_table reads all of them. Layer L4.

Some 50 microseconds for each, so that one device among thousands can be looked at right away.
"""

from __future__ import annotations

import struct
from typing import FrozenSet, Iterable, List, Sequence, Tuple

from ..errors import PlatformError
from ..facts import InterfaceAddress, is_link_local
from . import routes
from .attributes import attribute
from .links import LinkTable
from .netlink import NLM_F_DUMP, Message, NetlinkSocket, request

# For each link and address: the device, and what it holds.
Holding = Tuple[int, InterfaceAddress]

_RTM_GETLINK = 18
_RTM_GETADDR = 22
_IFLA_EXT_MASK = 29
_RTEXT_FILTER_SKIP_STATS = 8
# Any address of it but the router's own.
_LINK_LOCAL_PREFIX = bytes.fromhex("fe80" + "00" * 14)
_LINK_LOCAL_PREFIX_LENGTH = 64


class Inspector:
    """Asks by a socket of its own, on which the kernel honours what a dump is to be about."""

    def __init__(self) -> None:
        self._netlink = NetlinkSocket(0)
        self._netlink.ask_strictly()

    def close(self) -> None:
        """Give the socket back."""
        self._netlink.close()

    def read_links(self, ifindexes: Iterable[int]) -> LinkTable:
        """Those of these links that exist, with their addresses, and what they are ports of."""
        table = LinkTable()
        self._learn_links(sorted(set(ifindexes)), table)
        found = sorted(table.links)
        uppers = {link.master_ifindex for link in table.links.values()} - {0, *found}
        self._learn_links(sorted(uppers), table)
        for ifindex in found:
            table.learn(self._read_addresses(ifindex))
        return table

    def unrouted(self, holdings: Sequence[Holding]) -> FrozenSet[Holding]:
        """Those addresses that the kernel does not take for its own on their device, or not for
        those of a link: somebody removed the route that came with the address."""
        questions = []
        asked: List[Holding] = []
        for ifindex, held in holdings:
            asked.append((ifindex, held))
            questions.append(routes.which_route(ifindex, held.address))
            if is_link_local(held.address) and held.prefix_length == _LINK_LOCAL_PREFIX_LENGTH:
                asked.append((ifindex, held))
                questions.append(routes.which_route(ifindex, _LINK_LOCAL_PREFIX[:-1] + b"\1"))
        answers = self._netlink.ask(questions)
        wrong = set()
        for holding, question, answer in zip(asked, questions, answers):
            ifindex, held = holding
            is_own = held.address in question
            if isinstance(answer, Message) and _is_right(answer.body, ifindex, is_own):
                continue
            # Rules of the host may lead a look-up elsewhere: the route itself may be there.
            if not is_own or not self._has_local_route(ifindex, held.address):
                wrong.add(holding)
        return frozenset(wrong)

    def _has_local_route(self, ifindex: int, address: bytes) -> bool:
        try:
            found = self._netlink.dump(routes.local_routes(ifindex, address))
        except PlatformError:
            return False
        # The route that comes with an address has no metric. Another one, which bridges the time
        # until the kernel has made it (routes.py), is shown for a while after it has expired.
        return any(
            route.get(routes.RTA_DST) == address and not any(route.get(routes.RTA_PRIORITY, b""))
            for route in (routes.read_route(each.body) for each in found)
        )

    def _learn_links(self, ifindexes: Sequence[int], table: LinkTable) -> None:
        mask = attribute(_IFLA_EXT_MASK, struct.pack("=I", _RTEXT_FILTER_SKIP_STATS))
        questions = [
            request(_RTM_GETLINK, 0, struct.pack("=BxHiII", 0, 0, ifindex, 0, 0) + mask)
            for ifindex in ifindexes
        ]
        answers = self._netlink.ask(questions)
        table.learn([answer for answer in answers if isinstance(answer, Message)])

    def _read_addresses(self, ifindex: int) -> List[Message]:
        question = request(_RTM_GETADDR, NLM_F_DUMP, struct.pack("=BBBBI", 0, 0, 0, 0, ifindex))
        try:
            return self._netlink.dump(question)
        except PlatformError:
            return []  # it went away meanwhile, and the kernel tells of that, too


def _is_right(body: bytes, ifindex: int, is_own: bool) -> bool:
    """An own address has a local route, another one of its link a route by that link."""
    if routes.read_route(body).get(routes.RTA_OIF, b"") != struct.pack("=i", ifindex):
        return False
    return not is_own or body[routes.TYPE_AT] == routes.RTN_LOCAL
