# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other routers of a group, as their accepted advertisements show them. Layer L3."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from ..wire.checksum import ChecksumForm
from .receive import Accepted

# More than a healthy group has; the limit only keeps a hostile LAN from filling memory.
MAXIMUM_PEERS = 16


class Peer:
    """Another router, by its last accepted advertisement.

    checksum_form: the one that it sends, where there are two (RFC 5798 and RFC 9568 differ).
    advertisements: how many were accepted. Both change with each that is the same as the last one.
    """

    def __init__(self, accepted: Accepted, advertisements: int, heard_ns: int) -> None:
        self.accepted = accepted
        self.advertisements = advertisements
        self.heard_ns = heard_ns

    @property
    def version(self) -> int:
        """Of VRRP."""
        return self.accepted.version

    @property
    def priority(self) -> int:
        """As it was advertised."""
        return self.accepted.event.priority

    @property
    def checksum_form(self) -> Optional[ChecksumForm]:
        """See above."""
        return self.accepted.checksum_form


class Peers:
    """Those that were heard; of too many, the one that was silent longest is forgotten."""

    def __init__(self) -> None:
        self._by_address: Dict[bytes, Peer] = {}
        self._last: Optional[Peer] = None
        self.checksum_heard: Optional[ChecksumForm] = None

    def heard(self, accepted: Accepted, now_ns: int) -> None:
        """Take in an advertisement."""
        last = self._last
        if last is not None and last.accepted is accepted:
            last.advertisements += 1
            last.heard_ns = now_ns
            return
        address = accepted.event.source
        # Taken out and put in again: the first one of the dictionary was silent longest.
        before = self._by_address.pop(address, None)
        if len(self._by_address) >= MAXIMUM_PEERS:
            del self._by_address[next(iter(self._by_address))]
        advertisements = before.advertisements + 1 if before else 1
        self._last = self._by_address[address] = Peer(accepted, advertisements, now_ns)
        self.checksum_heard = accepted.checksum_form or self.checksum_heard

    def sorted(self) -> List[Tuple[bytes, Peer]]:
        """Address and peer, by address."""
        return sorted(self._by_address.items())
