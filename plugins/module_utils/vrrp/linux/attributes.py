# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Netlink attributes to bytes and back, without knowing what they mean. Layer L4."""

from __future__ import annotations

import struct
from typing import Dict, Iterator, Tuple

_HEADER = struct.Struct("=HH")
_NESTED = 0x8000
_TYPE_MASK = 0x3FFF


def align(length: int) -> int:
    """Netlink rounds everything up to four octets."""
    return (length + 3) & ~3


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute with its padding."""
    length = _HEADER.size + len(payload)
    return _HEADER.pack(length, kind) + payload + bytes(align(length) - length)


def nested(kind: int, *attributes: bytes) -> bytes:
    """An attribute made of attributes."""
    return attribute(kind | _NESTED, b"".join(attributes))


def text(kind: int, value: str) -> bytes:
    """An attribute with a name in it, ended by a zero."""
    return attribute(kind, value.encode() + b"\0")


def big_endian(kind: int, value: int) -> bytes:
    """An attribute with 32 bits in network order (nf_tables writes its numbers so)."""
    return attribute(kind, value.to_bytes(4, "big"))


def walk(data: bytes, start: int, end: int) -> Iterator[Tuple[int, int, int]]:
    """(kind, first octet, end) of each payload between start and end; stops at a broken length."""
    while end - start >= _HEADER.size:
        length, kind = _HEADER.unpack_from(data, start)
        if length < _HEADER.size or length > end - start:
            return
        yield kind & _TYPE_MASK, start + _HEADER.size, start + length
        start += align(length)


def payloads(data: bytes, start: int = 0) -> Dict[int, bytes]:
    """All attributes from start on; of a repeated kind the last.

    As walk() does it, but in one piece: a dump of two thousand links has a hundred thousand.
    """
    found: Dict[int, bytes] = {}
    end, unpack = len(data), _HEADER.unpack_from
    while end - start >= 4:
        length, kind = unpack(data, start)
        if length < 4 or length > end - start:
            break
        found[kind & _TYPE_MASK] = data[start + 4 : start + length]
        start += (length + 3) & ~3
    return found
