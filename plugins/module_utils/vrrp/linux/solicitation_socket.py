# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Router solicitations in, by one raw socket for all links. Layer L4. RFC 4861 section 6.2.6.

It is open only while somebody wants to hear them, and the kernel lets nothing else through.
"""

from __future__ import annotations

import socket
import struct
from typing import Dict, List, Optional, Sequence, Tuple

from ..errors import PlatformError
from ..facts import Family, LinkFacts, ReceivedPacket
from ..wire.ndp import ALL_ROUTERS, ICMPV6, ROUTER_SOLICITATION
from .bursts import BurstReceiver, Message
from .memberships import Memberships
from .packet_socket import ask_for_ipv6_header, rebuild_ipv6

_TARGET = "router solicitations"
_ICMP6_FILTER = 1
_RECEIVE_BUFFER = 1 << 18  # a flood must not take more


class SolicitationSocket:
    """Implements ports.SolicitationIO. Raises PlatformError."""

    def __init__(self) -> None:
        self._wanted: Dict[int, LinkFacts] = {}
        self._receiver: Optional[socket.socket] = None
        self._bursts: Optional[BurstReceiver] = None
        self._memberships = Memberships(Family.IPV6, ALL_ROUTERS, "group of all routers")

    def listen(self, links: Sequence[LinkFacts]) -> None:
        """Receive on exactly these links from now on; without links nothing is kept open."""
        self._wanted = {link.ifindex: link for link in links}
        if not self._wanted:
            self.close()
            return
        if self._receiver is None or self._bursts is None:
            self._receiver = _open()
            self._bursts = BurstReceiver(self._receiver, self._decode)
        self._bursts.forget()
        problems = self._memberships.set(self._wanted)
        if problems:
            raise problems[0]

    def receive(self, maximum: int) -> List[ReceivedPacket]:
        """At most so many waiting ones, oldest first; never blocks."""
        if self._bursts is None:
            return []
        try:
            return self._bursts.receive(maximum)
        except OSError as error:
            raise PlatformError("receive", _TARGET, error.errno) from error

    def _decode(self, message: Message) -> Optional[ReceivedPacket]:
        ifindex, data = rebuild_ipv6(message, ICMPV6)
        return ReceivedPacket(ifindex, data) if ifindex in self._wanted else None

    def filenos(self) -> Tuple[int, ...]:
        """Readable when receive has something."""
        return (self._receiver.fileno(),) if self._receiver else ()

    def close(self) -> None:
        """Give everything back."""
        self._memberships.close()
        if self._receiver is not None:
            self._receiver.close()
            self._receiver = self._bursts = None


def _open() -> socket.socket:
    try:
        receiver = socket.socket(socket.AF_INET6, socket.SOCK_RAW, ICMPV6)
    except OSError as error:
        raise PlatformError("open", "raw socket", error.errno) from error
    try:
        receiver.setblocking(False)
        receiver.setsockopt(ICMPV6, _ICMP6_FILTER, _filter())
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        ask_for_ipv6_header(receiver)
    except OSError as error:
        receiver.close()
        raise PlatformError("set up", "raw socket", error.errno) from error
    return receiver


def _filter() -> bytes:
    """RFC 3542 section 3.2, as Linux has it: one bit for each type that is kept out."""
    words = [0xFFFFFFFF] * 8
    words[ROUTER_SOLICITATION // 32] ^= 1 << ROUTER_SOLICITATION % 32
    return struct.pack("=8I", *words)
