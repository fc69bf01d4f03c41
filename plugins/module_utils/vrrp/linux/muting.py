# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The set of devices on which the kernel tells nobody where an address is. Layer L4.

It lies in the table inet of nftables.py from the first IPv6 virtual router on, so that falling
quiet is one small transaction. Frames that we send by AF_PACKET do not pass there.
"""

from __future__ import annotations

import errno
import struct
from typing import FrozenSet, Iterator, List, Optional, Sequence

from ..errors import PlatformError
from . import nft_codec as nft
from .attributes import attribute, big_endian, nested, text
from .constants import TABLE_NAME
from .netlink import NLM_F_ACK, NLM_F_CREATE, NetlinkSocket

SET_NAME = "muted"
_NEWSET = 9
_NEWSETELEM = 12
_DELSETELEM = 14
_LIST_ELEMENT = 1
_KEY = struct.Struct("=I")
# The kernel wants elements in messages below 64 KiB.
_ELEMENTS_PER_MESSAGE = 1000


def set_messages(number: int, ifindexes: Sequence[int]) -> Iterator[bytes]:
    """The set and what is in it; number is unique in the transaction."""
    yield nft.message(
        _NEWSET,
        nft.FAMILY_INET,
        NLM_F_CREATE | NLM_F_ACK,
        text(1, TABLE_NAME),
        text(2, SET_NAME),
        big_endian(3, 0),
        big_endian(4, 0),
        big_endian(5, _KEY.size),
        big_endian(10, number),
    )
    yield from _elements(_NEWSETELEM, NLM_F_CREATE | NLM_F_ACK, ifindexes, big_endian(4, number))


def _elements(kind: int, flags: int, ifindexes: Sequence[int], *more: bytes) -> Iterator[bytes]:
    for start in range(0, len(ifindexes), _ELEMENTS_PER_MESSAGE):
        elements = (
            nested(_LIST_ELEMENT, nested(1, attribute(1, _KEY.pack(ifindex))))
            for ifindex in ifindexes[start : start + _ELEMENTS_PER_MESSAGE]
        )
        yield nft.message(
            kind,
            nft.FAMILY_INET,
            flags,
            text(1, TABLE_NAME),
            text(2, SET_NAME),
            nested(3, *elements),
            *more,
        )


class MutedSet:
    """Changes the set and reads it. Raises PlatformError.

    Its socket stays open: when one is closed, the kernel waits for the end of what was removed by
    any transaction, 10 to 150 ms.
    """

    def __init__(self) -> None:
        self._netlink: Optional[NetlinkSocket] = None

    def change(self, add: Sequence[int], remove: Sequence[int]) -> None:
        """All of it or, when the kernel refuses, nothing: it does not remove what is not there."""
        messages = [
            *_elements(_NEWSETELEM, NLM_F_CREATE | NLM_F_ACK, add),
            *_elements(_DELSETELEM, NLM_F_ACK, remove),
        ]
        if not messages:
            return
        marks = nft.batch_mark(nft.BATCH_BEGIN), nft.batch_mark(nft.BATCH_END)
        transaction = [marks[0], *messages, marks[1]]
        outcome = self._socket().send_transaction(transaction, len(messages))
        if outcome.errno:
            # More answers may be on their way.
            self.close()
            raise PlatformError("mute", "devices", outcome.errno, outcome.words)

    def has_table(self, family: int) -> bool:
        """True when we have a table in this family; False without nf_tables, too."""
        query = nft.table(nft.GETTABLE, family, TABLE_NAME, NLM_F_ACK)
        try:
            return not self._socket().transact([query])[0].errno
        except PlatformError:
            self.close()
            return False

    def read(self) -> FrozenSet[int]:
        """Indexes of the devices in it; none when there is no such set."""
        found: List[bytes] = []
        try:
            for part in self._socket().dump(
                nft.get_elements(nft.FAMILY_INET, TABLE_NAME, SET_NAME)
            ):
                found += nft.read_elements(part.body)
        except PlatformError as error:
            if error.errno != errno.ENOENT:
                self.close()
        return frozenset(_KEY.unpack(key)[0] for key in found if len(key) == _KEY.size)

    def close(self) -> None:
        """Give the socket back; the set stays."""
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None

    def _socket(self) -> NetlinkSocket:
        if self._netlink is None:
            self._netlink = NetlinkSocket(nft.NETLINK_NETFILTER)
        return self._netlink
