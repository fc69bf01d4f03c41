# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Multicast groups joined on many links by helper sockets that receive nothing. Layer L4."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Dict, List, Set, Tuple

from ..errors import PlatformError
from ..facts import Family, LinkFacts

# The kernel's default for net.ipv4.igmp_max_memberships, counted per socket.
JOINS_PER_SOCKET = 20
_GONE = (errno.ENODEV, errno.ENXIO, errno.EADDRNOTAVAIL)


class Memberships:
    """One group on many links. name is for messages."""

    def __init__(self, family: Family, group: bytes, name: str) -> None:
        self._family = family
        self._group = group
        self._name = name
        # A list: sets of twenty take 2 kB each.
        self._helpers: List[Tuple[socket.socket, List[int]]] = []

    def set(self, links: Dict[int, LinkFacts]) -> List[PlatformError]:
        """Be joined on exactly these links; what was refused."""
        for helper, joined in self._helpers:
            for ifindex in set(joined) - set(links):
                self._leave(helper, ifindex)
                joined.remove(ifindex)
        held: Set[int] = set()
        held.update(*(joined for _helper, joined in self._helpers))
        problems = []
        for ifindex in sorted(set(links) - held):
            try:
                self._join(ifindex)
            except OSError as error:
                if error.errno in _GONE:
                    # The link has gone, or has no address family of this kind (MTU below 1280).
                    continue
                target = "%s on %s" % (self._name, links[ifindex].name)
                problems.append(PlatformError("join", target, error.errno))
        return problems

    def _join(self, ifindex: int) -> None:
        helper, joined = self._helper_with_room()
        helper.setsockopt(*self._option("join"), self._request(ifindex))
        joined.append(ifindex)

    def _leave(self, helper: socket.socket, ifindex: int) -> None:
        try:
            helper.setsockopt(*self._option("leave"), self._request(ifindex))
        except OSError as error:
            if error.errno not in _GONE:
                raise PlatformError("leave", self._name, error.errno) from error

    def _helper_with_room(self) -> Tuple[socket.socket, List[int]]:
        for helper, joined in self._helpers:
            if len(joined) < JOINS_PER_SOCKET:
                return helper, joined
        helper = socket.socket(socket_family(self._family), socket.SOCK_DGRAM)
        self._helpers.append((helper, []))
        return self._helpers[-1]

    def _option(self, verb: str) -> Tuple[int, int]:
        if self._family is Family.IPV4:
            options = {"join": socket.IP_ADD_MEMBERSHIP, "leave": socket.IP_DROP_MEMBERSHIP}
            return socket.IPPROTO_IP, options[verb]
        options = {"join": socket.IPV6_JOIN_GROUP, "leave": socket.IPV6_LEAVE_GROUP}
        return socket.IPPROTO_IPV6, options[verb]

    def _request(self, ifindex: int) -> bytes:
        layout = "=4xi" if self._family is Family.IPV4 else "=i"
        return self._group + struct.pack(layout, ifindex)

    def close(self) -> None:
        """Leave all groups."""
        for helper, _joined in self._helpers:
            helper.close()
        self._helpers = []


def socket_family(family: Family) -> int:
    """The number that the kernel has for a family."""
    return socket.AF_INET if family is Family.IPV4 else socket.AF_INET6
