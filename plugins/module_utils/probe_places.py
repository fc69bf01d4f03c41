# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which gateways a host is asked about, and by which interface it reaches each."""

from __future__ import annotations

import ipaddress
import socket
import typing as t

from .probe_route import Route, default_gateways, route_to
from .vrrp.errors import ConfigError, Problem
from .vrrp.facts import format_address, is_link_local

HOW_TO_WRITE = "write an address such as 198.18.10.254, or fe80::254%eth0"


class Place(t.NamedTuple):
    """A gateway and our way to it. name, virtual_mac: what a plan says, or nothing."""

    address: bytes
    interface: str
    source: bytes
    name: str = ""
    virtual_mac: bytes = b""


def places(params: t.Mapping[str, t.Any]) -> t.List[Place]:
    """The gateways of the module's options. Raises ConfigError with all that is wrong."""
    problems: t.List[Problem] = []
    interface = params["interface"] or ""
    if interface and interface not in (name for _index, name in socket.if_nameindex()):
        message = "there is no interface %s on this host" % interface
        raise ConfigError((Problem("interface", "unknown", message, "name another one"),))
    if params["gateway"]:
        found = [
            _named(text, interface, "gateway[%d]" % number, problems)
            for number, text in enumerate(params["gateway"])
        ]
    elif params["expected"] is not None:
        found = list(_planned(params["expected"], interface, problems))
    else:
        found = list(_default(interface, problems))
    if problems:
        raise ConfigError(tuple(problems))
    return [each for each in found if each is not None]


def _named(text: str, interface: str, path: str, problems: t.List[Problem]) -> t.Optional[Place]:
    address, scope = parse(text)
    if not address:
        problems.append(Problem(path, "address", "%r is no address" % text, HOW_TO_WRITE))
        return None
    interface = scope or interface
    if is_link_local(address) and not interface:
        hint = "write %s%%eth0, or say the interface" % text
        problems.append(Problem(path, "scope", "%s is link-local" % text, hint))
        return None
    try:
        route = route_to(address, interface)
    except OSError as error:
        message = "no way to %s: %s" % (text, error.strerror)
        hint = "run the task on a host of its VLAN, or say the interface"
        problems.append(Problem(path, "route", message, hint))
        return None
    refusal = _refusal(text, route, bool(interface))
    if refusal:
        problems.append(Problem(path, "route", *refusal))
        return None
    return Place(address, route.interface, route.source)


def _refusal(text: str, route: Route, is_chosen: bool) -> t.Tuple[str, ...]:
    if route.is_local:
        return "%s is an address of this host" % text, "run the task on another host of its VLAN"
    if route.gateway and not is_chosen:
        message = "%s is behind %s" % (text, format_address(route.gateway))
        return message, "run the task on a host of its VLAN, or say the interface"
    return ()


def _planned(
    expected: t.Sequence[t.Mapping[str, t.Any]], interface: str, problems: t.List[Problem]
) -> t.Iterator[Place]:
    """Those on networks of this host."""
    count = len(problems)
    is_none = True
    for number, entry in enumerate(expected):
        address, _scope = parse(entry["address"])
        path = "expected[%d]" % number
        if not address:
            message = "%r is no address" % entry["address"]
            problems.append(Problem(path + ".address", "address", message, HOW_TO_WRITE))
        mac = _mac(entry["virtual_mac"], path, problems)
        route = on_link(address, interface) if address else None
        if route is not None:
            is_none = False
            yield Place(address, route.interface, route.source, entry["name"] or "", mac)
    if is_none and len(problems) == count:
        message = "none of these gateways is on a network of this host"
        hint = "run the task on a host of one of their VLANs"
        problems.append(Problem("expected", "route", message, hint))


def on_link(address: bytes, interface: str) -> t.Optional[Route]:
    """The way to a neighbour by this interface, or by any; None when it is no neighbour.

    The kernel is asked without the interface: with it, it takes everything for a neighbour.
    """
    try:
        route = route_to(address)
    except OSError:
        return None
    if route.gateway or route.is_local or interface not in ("", route.interface):
        return None
    return route


def _mac(text: t.Optional[str], path: str, problems: t.List[Problem]) -> bytes:
    try:
        mac = bytes.fromhex((text or "").replace(":", ""))
    except ValueError:
        mac = b"?"
    if mac and len(mac) != 6:
        message, hint = "%r is no MAC address" % text, "write one such as 00:00:5e:00:01:0a"
        problems.append(Problem(path + ".virtual_mac", "mac", message, hint))
    return mac


def _default(interface: str, problems: t.List[Problem]) -> t.Iterator[Place]:
    found = False
    for address, through in default_gateways():
        if interface in ("", through):
            found = True
            yield Place(address, through, route_to(address, through).source)
    if not found:
        where = " by %s" % interface if interface else ""
        message = "this host has no default gateway" + where
        problems.append(Problem("gateway", "route", message, "name one with gateway"))


def parse(text: str) -> t.Tuple[bytes, str]:
    """An address and its scope, both empty for something else."""
    plain, _sign, scope = text.partition("%")
    try:
        return ipaddress.ip_address(plain).packed, scope
    except ValueError:
        return b"", ""
