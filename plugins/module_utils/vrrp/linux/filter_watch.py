# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Knows whether our nftables tables are still what we made of them. Layer L4.

The kernel writes rules in words of its own, so what is there is not compared with what was sent,
but with what the kernel showed right after. While no transaction has been made since the last look
(each has a number), there is nothing to compare at all.
"""

from __future__ import annotations

import contextlib
from typing import Iterator, List, Optional

from ..digest import sha256
from ..errors import PlatformError
from . import muting
from . import nft_codec as nft
from .constants import TABLE_NAME
from .netlink import Message, NetlinkSocket

# What is in it changes with the states of virtual routers.
_CHANGING_SETS = (muting.SET_NAME,)
_FAMILIES = (nft.FAMILY_INET, nft.FAMILY_ARP)
# A filter is installed by at most one transaction for each table. More: somebody came between.
_OWN_TRANSACTIONS = len(_FAMILIES)


class FilterWatch:
    """Compares our tables with what they were when they were installed."""

    def __init__(self) -> None:
        self._netlink: Optional[NetlinkSocket] = None
        self._generation = -1
        self._fingerprint: Optional[bytes] = None

    @contextlib.contextmanager
    def installing(self) -> Iterator[None]:
        """Around an installation: what there is after it is what has to stay."""
        self._fingerprint = None
        before = self._read_generation()
        yield
        fingerprint = self._read_fingerprint()
        self._generation = self._read_generation()
        if self._generation - before <= _OWN_TRANSACTIONS:
            self._fingerprint = fingerprint

    def is_intact(self) -> bool:
        """False when something was changed, and when nothing was installed by this object."""
        if self._fingerprint is None:
            return False
        generation = self._read_generation()
        if generation == self._generation and generation >= 0:
            return True
        if self._read_fingerprint() != self._fingerprint:
            return False
        self._generation = generation
        return True

    def close(self) -> None:
        """Give the socket back."""
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None

    def _read_generation(self) -> int:
        """-1 when this kernel has no nf_tables."""
        try:
            (answer,) = self._socket().ask([nft.get_generation()])
        except PlatformError:
            self.close()
            return -1
        return nft.read_generation(answer.body) if isinstance(answer, Message) else -1

    def _read_fingerprint(self) -> bytes:
        """One value for all chains, rules, sets and elements of our tables."""
        seen = sha256()
        for family in _FAMILIES:
            for part in self._read_family(family):
                seen.update(len(part).to_bytes(4, "big") + part)
        return seen.digest()

    def _read_family(self, family: int) -> Iterator[bytes]:
        chains = [nft.read_chain(each, TABLE_NAME) for each in self._dump(nft.get_chains(family))]
        yield from sorted(filter(None, chains))
        for body in self._dump(nft.get_rules(family, TABLE_NAME)):
            yield nft.read_rule(body)
        found = self._dump(nft.get_sets(family, TABLE_NAME))
        for name in sorted(nft.read_set_name(body) for body in found):
            yield name.encode()
            if name in _CHANGING_SETS:
                continue
            keys: List[bytes] = []
            for body in self._dump(nft.get_elements(family, TABLE_NAME, name)):
                keys += nft.read_elements(body)
            # A hash table of the kernel shows them in whatever order it likes.
            yield b"".join(sorted(keys))

    def _dump(self, question: bytes) -> List[bytes]:
        """Nothing, when the kernel knows of no such thing."""
        try:
            return [message.body for message in self._socket().dump(question)]
        except PlatformError:
            self.close()
            return []

    def _socket(self) -> NetlinkSocket:
        if self._netlink is None:
            self._netlink = NetlinkSocket(nft.NETLINK_NETFILTER)
        return self._netlink
