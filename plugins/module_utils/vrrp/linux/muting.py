# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The set of devices on which the kernel sends no neighbour advertisement. Layer L4. Pure.

It lies in the table inet of nftables.py from the first IPv6 virtual router on, so that falling
quiet is one small transaction. Frames that we send by AF_PACKET do not pass there.
"""

from __future__ import annotations

import struct
from typing import Iterator, Sequence

from . import nft_codec as nft
from .attributes import attribute, big_endian, nested, text
from .constants import TABLE_NAME
from .netlink import NLM_F_ACK, NLM_F_CREATE

SET_NAME = "muted"
_NEWSET = 9
_NEWSETELEM = 12
_DELSETELEM = 14
_LIST_ELEMENT = 1
_KEY_LENGTH = 4
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
        big_endian(5, _KEY_LENGTH),
        big_endian(10, number),
    )
    yield from _elements(_NEWSETELEM, NLM_F_CREATE | NLM_F_ACK, ifindexes, big_endian(4, number))


def change_messages(add: Sequence[int], remove: Sequence[int]) -> Iterator[bytes]:
    """Change the set that is there. The kernel refuses to remove what is not in it (ENOENT)."""
    yield from _elements(_NEWSETELEM, NLM_F_CREATE | NLM_F_ACK, add)
    yield from _elements(_DELSETELEM, NLM_F_ACK, remove)


def _elements(kind: int, flags: int, ifindexes: Sequence[int], *more: bytes) -> Iterator[bytes]:
    for start in range(0, len(ifindexes), _ELEMENTS_PER_MESSAGE):
        keys = (
            struct.pack("=I", ifindex)
            for ifindex in ifindexes[start : start + _ELEMENTS_PER_MESSAGE]
        )
        elements = (nested(_LIST_ELEMENT, nested(1, attribute(1, key))) for key in keys)
        yield nft.message(
            kind,
            nft.FAMILY_INET,
            flags,
            text(1, TABLE_NAME),
            text(2, SET_NAME),
            nested(3, *elements),
            *more,
        )
