# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of a VLAN, and where host numbers and addresses fall in them. Layer L2."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Sequence, Tuple, Union

from ..errors import Problem
from .reading import Unreadable, read_address, shown

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
Places = Dict[Network, Tuple[Address, ...]]


def read_networks(value: Any, path: str, problems: List[Problem]) -> Tuple[Network, ...]:
    """The networks that can be read; each bad one is a problem."""
    if not isinstance(value, (list, tuple)) or not value:
        hint = "write a list of networks such as 198.18.10.0/24"
        problems.append(Problem(path, "type", "is %s" % shown(value), hint))
        return ()
    networks = []
    for index, item in enumerate(value):
        try:
            networks.append(_network(item))
        except Unreadable as error:
            where = "%s[%d]" % (path, index)
            problems.append(Problem(where, error.code, "is %s" % shown(item), error.hint))
    return tuple(networks)


def _network(value: Any) -> Network:
    if not isinstance(value, str) or "/" not in value:
        raise Unreadable("network", "write a network with its prefix length, 198.18.10.0/24")
    try:
        network = ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        hint = "write a network such as 198.18.10.0/24 or 2001:db8:10::/64"
        raise Unreadable("network", hint) from None
    if ipaddress.ip_address(value.partition("/")[0].strip()) != network.network_address:
        raise Unreadable("host-bits", "write %s: this is an address in it" % network)
    return network


def place(
    written: Any,
    networks: Sequence[Network],
    path: str,
    problems: List[Problem],
    link_local: bool = False,
) -> Places:
    """Where the operator's host numbers and addresses fall, network by network.

    One host number counts in every network, one in a list in the network at the same position; an
    address belongs to the network that holds it. A network may stay empty. Where link-local ones
    are allowed, they come first in the first IPv6 network.
    """
    places: Dict[Network, List[Address]] = {network: [] for network in networks}
    is_list = isinstance(written, (list, tuple))
    for index, item in enumerate(written if is_list else (written,)):
        where = "%s[%d]" % (path, index) if is_list else path
        homes = networks[index : index + 1] if is_list else networks
        try:
            if isinstance(item, int) and not isinstance(item, bool):
                if not homes:
                    hint = "write one number for each network, there are %d" % len(networks)
                    raise Unreadable("too-many", hint)
                for network in homes:
                    places[network].append(host(network, item))
            else:
                network, address = _at_home(item, networks, link_local)
                if address.is_link_local and address not in network:
                    places[network].insert(0, address)
                else:
                    places[network].append(address)
        except Unreadable as error:
            problems.append(Problem(where, error.code, "is %s" % shown(item), error.hint))
    return {network: tuple(found) for network, found in places.items()}


def host(network: Network, number: int) -> Address:
    """The address with that host number; Unreadable when the network has no such host."""
    low, high = _host_numbers(network)
    if not low <= number <= high:
        hint = "%s has host numbers %d to %d: write one of them, or an address"
        raise Unreadable("outside", hint % (network, low, high))
    return network.network_address + number


def _host_numbers(network: Network) -> Tuple[int, int]:
    """The first and last host number: not the network (IPv6: anycast) nor the broadcast address."""
    if network.num_addresses <= 2:
        return 0, network.num_addresses - 1
    return 1, network.num_addresses - (2 if network.version == 4 else 1)


def _at_home(item: Any, networks: Sequence[Network], link_local: bool) -> Tuple[Network, Address]:
    """An address and the one of the networks that has it as a host, or the first IPv6 one."""
    if not isinstance(item, str):
        raise Unreadable("type", "write a host number such as 254, or an address")
    try:
        address = ipaddress.ip_address(read_address(item))
    except Unreadable as error:
        raise Unreadable(error.code, "%s; or a host number such as 254" % error.hint) from None
    for network in networks:
        if address in network:
            number = int(address) - int(network.network_address)
            low, high = _host_numbers(network)
            if not low <= number <= high:
                which = "network" if number < low else "broadcast"
                hint = "this is the %s address of %s: write that of a host" % (which, network)
                raise Unreadable("outside", hint)
            return network, address
    if link_local and address.version == 6 and address.is_link_local:
        for network in networks:
            if network.version == 6:
                return network, address
    listed = ", ".join(str(network) for network in networks)
    raise Unreadable("outside", "write an address in %s" % listed)
