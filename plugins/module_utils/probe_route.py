# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's way to an address, and the gateways it knows. Standard library only."""

from __future__ import annotations

import os
import socket
import struct
import typing as t

from .vrrp.facts import Family, family_of

_SOCKET_FAMILY = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_MESSAGE = struct.Struct("=IHHII")
_ROUTE = struct.Struct("=8BI")
_ATTRIBUTE = struct.Struct("=HH")
_ERROR, _GET_ROUTE, _REQUEST = 2, 26, 1
_TYPE_LOCAL = 2
_DESTINATION, _OUT, _GATEWAY, _PREFERRED_SOURCE, _VIA = 1, 4, 5, 7, 18
_LARGEST_ANSWER = 8192
_IS_UP, _HAS_GATEWAY = 1, 2


class Route(t.NamedTuple):
    """How the kernel would send: source and gateway are empty when there is none."""

    interface: str
    source: bytes
    gateway: bytes
    is_local: bool


def route_to(address: bytes, interface: str = "") -> Route:
    """The kernel's choice; raises OSError when it has no way."""
    family = family_of(address)
    attributes = _attribute(_DESTINATION, address)
    if interface:
        attributes += _attribute(_OUT, struct.pack("=I", socket.if_nametoindex(interface)))
    header = _ROUTE.pack(_SOCKET_FAMILY[family], len(address) * 8, 0, 0, 0, 0, 0, 0, 0)
    length = _MESSAGE.size + len(header) + len(attributes)
    question = _MESSAGE.pack(length, _GET_ROUTE, _REQUEST, 1, 0) + header + attributes
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(question)
        answer = kernel.recv(_LARGEST_ANSWER)
    kind = _MESSAGE.unpack_from(answer)[1]
    if kind == _ERROR:
        number = -struct.unpack_from("=i", answer, _MESSAGE.size)[0]
        raise OSError(number, os.strerror(number))
    found = dict(_attributes(answer[_MESSAGE.size + _ROUTE.size :]))
    index = struct.unpack("=I", found[_OUT])[0]
    return Route(
        socket.if_indextoname(index),
        found.get(_PREFERRED_SOURCE, b""),
        found.get(_GATEWAY, found.get(_VIA, b"")),
        _ROUTE.unpack_from(answer, _MESSAGE.size)[7] == _TYPE_LOCAL,
    )


def _attribute(kind: int, value: bytes) -> bytes:
    return (_ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value).ljust(
        -(-(_ATTRIBUTE.size + len(value)) // 4) * 4, b"\0"
    )


def _attributes(data: bytes) -> t.Iterator[t.Tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            return
        yield kind, data[_ATTRIBUTE.size : length]
        data = data[-(-length // 4) * 4 :]


def default_gateways() -> t.List[t.Tuple[bytes, str]]:
    """Address and interface of each default route's gateway, as the kernel lists them."""
    return [*_ipv4_gateways(_lines("route")), *_ipv6_gateways(_lines("ipv6_route"))]


def _lines(name: str) -> t.List[t.List[str]]:
    try:
        with open("/proc/net/" + name, encoding="ascii") as stream:
            return [line.split() for line in stream]
    except FileNotFoundError:
        return []  # a kernel without this family


def _ipv4_gateways(lines: t.Sequence[t.Sequence[str]]) -> t.Iterator[t.Tuple[bytes, str]]:
    for interface, destination, gateway, flags, *_rest in lines[1:]:
        mask = _rest[3]
        wanted = _IS_UP | _HAS_GATEWAY
        if int(destination, 16) == int(mask, 16) == 0 and int(flags, 16) & wanted == wanted:
            yield struct.pack("=I", int(gateway, 16)), interface


def _ipv6_gateways(lines: t.Sequence[t.Sequence[str]]) -> t.Iterator[t.Tuple[bytes, str]]:
    for destination, length, _source, _length, gateway, *_rest, flags, interface in lines:
        wanted = _IS_UP | _HAS_GATEWAY
        if int(destination, 16) == int(length, 16) == 0 and int(flags, 16) & wanted == wanted:
            yield bytes.fromhex(gateway), interface
