# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions and messages of nf_tables as bytes. Layer L4. Pure.

Names and numbers are those of <linux/netfilter/nf_tables.h>. Register 1 holds one value; a
composed key of an interface and an address lies in the small registers that begin at KEY.
"""

from __future__ import annotations

import struct
from typing import Dict, Iterator, List, Sequence

from .attributes import attribute, big_endian, nested, payloads, text, walk
from .netlink import NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_DUMP, request

NETLINK_NETFILTER = 12
FAMILY_INET = 1
FAMILY_ARP = 3

BATCH_BEGIN = 0x10
BATCH_END = 0x11
_SUBSYSTEM = 10
NEWTABLE = 0
GETTABLE = 1
DELTABLE = 2
_NEWCHAIN = 3
_NEWRULE = 6
_NEWSET = 9
_NEWSETELEM = 12

_GETCHAIN = 4
_GETRULE = 7
_GETSET = 10
_GETSETELEM = 13
_NEWGEN = 15
_GETGEN = 16
# What the kernel tells after each transaction.
GENERATION_NEWS = _SUBSYSTEM << 8 | _NEWGEN
_HEADER_SIZE = 4

_LIST_ELEMENT = 1
_REGISTER = 1
KEY = 8
_KEY_REST = 9
_VERDICT_REGISTER = 0
DROP = 0
ACCEPT = 1

META_IIF = 4
META_OIF = 5
META_NFPROTO = 15
META_L4PROTO = 16
META_IIFGROUP = 21
BASE_NETWORK = 1
BASE_TRANSPORT = 2
# The kernel wants elements in messages below 64 KiB.
_ELEMENTS_PER_MESSAGE = 1000


def message(kind: int, family: int, flags: int, *attributes: bytes) -> bytes:
    """One nf_tables message with its netlink header."""
    body = struct.pack("!BBH", family, 0, 0) + b"".join(attributes)
    return request(_SUBSYSTEM << 8 | kind, flags, body)


def batch_mark(kind: int) -> bytes:
    """Begin or end of a transaction."""
    return request(kind, 0, struct.pack("!BBH", 0, 0, _SUBSYSTEM))


def table(kind: int, family: int, name: str, flags: int) -> bytes:
    """A message about a whole table."""
    return message(kind, family, flags, text(1, name))


def base_chain(family: int, table_name: str, name: str, hook: int) -> bytes:
    """A filter chain at a hook of its family, priority 0, that lets everything pass by default."""
    where = nested(4, big_endian(1, hook), big_endian(2, 0))
    return message(
        _NEWCHAIN,
        family,
        NLM_F_CREATE | NLM_F_ACK,
        text(1, table_name),
        text(3, name),
        where,
        big_endian(5, ACCEPT),
        text(7, "filter"),
    )


def set_messages(
    family: int, table_name: str, name: str, number: int, keys: Sequence[bytes]
) -> Iterator[bytes]:
    """A set of equally long keys and what is in it; number is unique in the transaction."""
    yield message(
        _NEWSET,
        family,
        NLM_F_CREATE | NLM_F_ACK,
        text(1, table_name),
        text(2, name),
        big_endian(3, 0),
        big_endian(4, 0),
        big_endian(5, len(keys[0])),
        big_endian(10, number),
    )
    for start in range(0, len(keys), _ELEMENTS_PER_MESSAGE):
        elements = [
            nested(_LIST_ELEMENT, nested(1, attribute(1, key)))
            for key in keys[start : start + _ELEMENTS_PER_MESSAGE]
        ]
        yield message(
            _NEWSETELEM,
            family,
            NLM_F_CREATE | NLM_F_ACK,
            text(1, table_name),
            text(2, name),
            nested(3, *elements),
            big_endian(4, number),
        )


def rule(family: int, table_name: str, chain: str, *expressions: bytes) -> bytes:
    """A rule at the end of a chain."""
    return message(
        _NEWRULE,
        family,
        NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK,
        text(1, table_name),
        text(2, chain),
        nested(4, *expressions),
    )


def _expression(name: str, *data: bytes) -> bytes:
    return nested(_LIST_ELEMENT, text(1, name), nested(2, *data))


def load_meta(key: int, register: int = _REGISTER) -> bytes:
    """A register from what the kernel knows about the packet."""
    return _expression("meta", big_endian(1, register), big_endian(2, key))


def load(base: int, offset: int, length: int, register: int = _REGISTER) -> bytes:
    """A register from the packet."""
    return _expression(
        "payload",
        big_endian(1, register),
        big_endian(2, base),
        big_endian(3, offset),
        big_endian(4, length),
    )


def equals(value: bytes) -> bytes:
    """Go on only when the register holds this."""
    return _expression(
        "cmp", big_endian(1, _REGISTER), big_endian(2, 0), nested(3, attribute(1, value))
    )


def meta_is(key: int, value: bytes) -> bytes:
    """Go on only when the kernel knows this about the packet."""
    return load_meta(key) + equals(value)


def packet_has(base: int, offset: int, value: bytes) -> bytes:
    """Go on only when the packet has these octets there."""
    return load(base, offset, len(value)) + equals(value)


def in_set(name: str, number: int, register: int = _REGISTER) -> bytes:
    """Go on only when the set holds the register."""
    return _expression("lookup", text(1, name), big_endian(2, register), big_endian(4, number))


def load_pair(link: int, base: int, offset: int, length: int) -> bytes:
    """The key of a set of (link, octets of the packet); link is META_IIF or META_OIF."""
    return load_meta(link, KEY) + load(base, offset, length, _KEY_REST)


def link_key(ifindex: int, octets: bytes) -> bytes:
    """The element that load_pair looks for."""
    return struct.pack("=I", ifindex) + octets


def write(base: int, offset: int, value: bytes) -> bytes:
    """Overwrite octets of a packet that has no checksum."""
    immediate = _expression("immediate", big_endian(1, _REGISTER), nested(2, attribute(1, value)))
    return immediate + _expression(
        "payload",
        big_endian(5, _REGISTER),
        big_endian(2, base),
        big_endian(3, offset),
        big_endian(4, len(value)),
    )


def verdict(code: int) -> bytes:
    """The end of a rule: DROP or ACCEPT."""
    data = nested(2, nested(2, big_endian(1, code)))
    return _expression("immediate", big_endian(1, _VERDICT_REGISTER), data)


# Reading what is there


def get_generation() -> bytes:
    """Ask which number the last transaction has."""
    return message(_GETGEN, 0, 0)


def read_generation(body: bytes) -> int:
    """The number in the answer."""
    return int.from_bytes(payloads(body, _HEADER_SIZE).get(1, b""), "big")


def read_writer(body: bytes) -> int:
    """The process that made the transaction that the kernel tells of; 0 if it does not say."""
    return int.from_bytes(payloads(body, _HEADER_SIZE).get(2, b""), "big")


def get_chains(family: int) -> bytes:
    """Ask for the chains of a family."""
    return message(_GETCHAIN, family, NLM_F_DUMP)


def read_chain(body: bytes, table_name: str) -> bytes:
    """What a chain is, without what others count; empty when it is of another table."""
    found = payloads(body, _HEADER_SIZE)
    if found.get(1) != _name(table_name):
        return b""
    # Name, hook, policy, kind.
    return _joined(found, (3, 4, 5, 7))


def get_rules(family: int, table_name: str) -> bytes:
    """Ask for the rules of a table, in their order."""
    return message(_GETRULE, family, NLM_F_DUMP, text(1, table_name))


def read_rule(body: bytes) -> bytes:
    """What a rule says and in which chain, without its number."""
    return _joined(payloads(body, _HEADER_SIZE), (2, 4))


def get_sets(family: int, table_name: str) -> bytes:
    """Ask for the sets of a table."""
    return message(_GETSET, family, NLM_F_DUMP, text(1, table_name))


def read_set_name(body: bytes) -> str:
    """The name of a set."""
    return payloads(body, _HEADER_SIZE).get(2, b"").rstrip(b"\0").decode(errors="replace")


def get_elements(family: int, table_name: str, name: str) -> bytes:
    """Ask for the elements of a set."""
    return message(_GETSETELEM, family, NLM_F_DUMP, text(1, table_name), text(2, name))


def read_elements(body: bytes) -> List[bytes]:
    """The keys in one part of the answer."""
    listed = payloads(body, _HEADER_SIZE).get(3, b"")
    keys = []
    for kind, start, end in walk(listed, 0, len(listed)):
        if kind == _LIST_ELEMENT:
            key = payloads(listed[start:end]).get(1, b"")
            keys.append(payloads(key).get(1, b""))
    return keys


def _name(value: str) -> bytes:
    return value.encode() + b"\0"


def _joined(found: Dict[int, bytes], kinds: Sequence[int]) -> bytes:
    """The attributes of these kinds, each with its length, so that none can pass for another."""
    return b"".join(attribute(kind, found.get(kind, b"")) for kind in kinds)
