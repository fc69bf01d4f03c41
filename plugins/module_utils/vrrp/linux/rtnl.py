# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests about links and addresses, made from those that pyroute2 has encoded. Layer L4.

A takeover of a thousand virtual routers has no time for a thousand encodings: see templates.py for
those few that there are. Reading what the kernel says is done in links.py.
"""

from __future__ import annotations

import functools
import socket
import struct
from typing import Mapping, NamedTuple, Optional, Tuple

from ..errors import PlatformError
from ..facts import InterfaceAddress, is_link_local
from . import attributes, templates
from .links import LinkTable
from .netlink import (
    HEADER,
    NetlinkSocket,
)

NETLINK_ROUTE = 0
_IPV4_ARP_IGNORE = 19
_IFLA_ADDRESS = 1
_IFLA_IFNAME = 3
_IFLA_LINK = 5
_IFLA_MASTER = 10
_IFLA_IFALIAS = 20
_IFLA_AF_SPEC = 26
_IFLA_GROUP = 27
_INET_CONF = 1
_INET6_ADDR_GEN_MODE = 8
_ADDR_GEN_MODE_NONE = 1
_FOREVER = 0xFFFFFFFF
_IFINDEX_OFFSET = HEADER.size + 4
_PREFIX_OFFSET = HEADER.size + 1


class _Template(NamedTuple):
    """An encoded address request, where its addresses are in it, and its lifetimes (0: nowhere)."""

    message: bytes
    offsets: Tuple[int, ...]
    lifetimes: int


_TEMPLATES = templates.Templates()


def prepare() -> None:
    """Let a child encode what requests are made from; see templates.py."""
    _TEMPLATES.begin()


def codec_problem() -> Optional[str]:
    """Why requests cannot be encoded on this host; None when they can."""
    try:
        _TEMPLATES.get(templates.CHANGE)
    except PlatformError as error:
        return str(error)
    return None


def _with(template: bytes, *more: bytes) -> bytes:
    """The template with more attributes behind its own."""
    length = len(template) + sum(map(len, more))
    return b"".join((struct.pack("=I", length), template[4:], *more))


def _number(kind: int, value: int) -> bytes:
    return attributes.attribute(kind, struct.pack("=I", value))


def create_macvlan(name: str, parent_ifindex: int, mac: bytes, vrf_ifindex: int = 0) -> bytes:
    """A new macvlan of ours, down; a port of that VRF, 0: of none."""
    return _with(
        _TEMPLATES.get(templates.MACVLAN),
        attributes.text(_IFLA_IFNAME, name),
        _number(_IFLA_LINK, parent_ifindex),
        attributes.attribute(_IFLA_ADDRESS, mac),
        *((_number(_IFLA_MASTER, vrf_ifindex),) if vrf_ifindex else ()),
    )


def settle_link(ifindex: int, alias: str, ipv4: Mapping[int, int], with_ipv6: bool) -> bytes:
    """Set the alias, the IPv4 sysctls by number, and that the kernel makes no IPv6 address itself.

    The kernel takes none of it while it creates a link.
    """
    families = _settings(tuple(sorted(ipv4.items())), with_ipv6)
    return _with(_change(ifindex), attributes.text(_IFLA_IFALIAS, alias), families)


@functools.lru_cache(maxsize=64)
def _settings(ipv4: Tuple[Tuple[int, int], ...], with_ipv6: bool) -> bytes:
    """pyroute2 reads the settings of a link but cannot write them."""
    settings = [_number(key, value) for key, value in ipv4]
    families = [attributes.nested(socket.AF_INET, attributes.nested(_INET_CONF, *settings))]
    if with_ipv6:
        mode = attributes.attribute(_INET6_ADDR_GEN_MODE, bytes((_ADDR_GEN_MODE_NONE,)))
        families.append(attributes.nested(socket.AF_INET6, mode))
    return attributes.nested(_IFLA_AF_SPEC, *families)


def _change(ifindex: int, is_up: Optional[bool] = None) -> bytes:
    """A change of a link, to be continued. is_up: raise or lower it, None: leave it."""
    names = {None: templates.CHANGE, True: templates.RAISE, False: templates.LOWER}
    return _for_link(ifindex, _TEMPLATES.get(names[is_up]))


def set_link_up(ifindex: int) -> bytes:
    """Raise a link."""
    return _change(ifindex, is_up=True)


def set_link_down(ifindex: int) -> bytes:
    """Lower a link."""
    return _change(ifindex, is_up=False)


def set_link_group(ifindex: int, group: int) -> bytes:
    """Put a link into another group."""
    return _with(_change(ifindex), _number(_IFLA_GROUP, group))


def set_link_master(ifindex: int, master_ifindex: int) -> bytes:
    """Make a link a port of another one; 0: of none."""
    return _with(_change(ifindex), _number(_IFLA_MASTER, master_ifindex))


def rename_link(ifindex: int, name: str, alias: str) -> bytes:
    """Give a link another name and alias."""
    names = (attributes.text(_IFLA_IFNAME, name), attributes.text(_IFLA_IFALIAS, alias))
    return _with(_change(ifindex), *names)


def set_arp_ignore(ifindex: int, value: int) -> bytes:
    """Set for which addresses a link answers ARP: see arp_ignore in the kernel's ip-sysctl."""
    return _with(_change(ifindex), _settings(((_IPV4_ARP_IGNORE, value),), False))


def _for_link(ifindex: int, template: bytes) -> bytes:
    return template[:_IFINDEX_OFFSET] + struct.pack("=I", ifindex) + template[_IFINDEX_OFFSET + 4 :]


def delete_link_group(group: int) -> bytes:
    """Delete all links of a group in one go."""
    return _with(_TEMPLATES.get(templates.DELETE), _number(_IFLA_GROUP, group))


def add_address(ifindex: int, address: InterfaceAddress, lease_s: int = 0) -> bytes:
    """Add an address, which the kernel takes away after lease_s seconds (0: never).

    A global IPv6 one is deprecated from the beginning, so that nothing chooses it as source.
    """
    return _address("add", ifindex, address, lease_s)


def renew_address(ifindex: int, address: InterfaceAddress, lease_s: int = 0) -> bytes:
    """Let the lease of an address begin anew; the kernel adds one that is not there."""
    return _address("renew", ifindex, address, lease_s)


def delete_address(ifindex: int, address: InterfaceAddress) -> bytes:
    """Take an address away."""
    return _address("delete", ifindex, address, 0)


def _address(action: str, ifindex: int, address: InterfaceAddress, lease_s: int) -> bytes:
    length = len(address.address)
    is_global = length == 16 and not is_link_local(address.address)
    template = _address_template(action, length, is_global)
    data = bytearray(template.message)
    data[_PREFIX_OFFSET] = address.prefix_length
    struct.pack_into("=I", data, _IFINDEX_OFFSET, ifindex)
    for offset in template.offsets:
        data[offset : offset + length] = address.address
    if template.lifetimes:
        valid_s = lease_s or _FOREVER
        preferred_s = 0 if is_global else valid_s
        struct.pack_into("=II", data, template.lifetimes, preferred_s, valid_s)
    return bytes(data)


@functools.lru_cache(maxsize=None)
def _address_template(action: str, length: int, is_global: bool) -> _Template:
    encoded = _TEMPLATES.get(templates.address_request(action, length, is_global))
    mark = templates.MARKS[length]
    offsets = []
    found = encoded.find(mark)
    while found >= 0:
        offsets.append(found)
        found = encoded.find(mark, found + length)
    lifetimes = max(0, encoded.find(templates.LIFETIME_MARKS))
    return _Template(encoded, tuple(offsets), lifetimes)


def read_table(netlink: NetlinkSocket) -> LinkTable:
    """All links and addresses as they are now."""
    table = LinkTable()
    for name in (templates.ALL_LINKS, templates.ALL_ADDRESSES):
        table.learn(netlink.dump(_TEMPLATES.get(name)))
    return table


def read_our_links(netlink: NetlinkSocket, with_addresses: bool = True) -> LinkTable:
    """At least our own devices: where there are none, the thousands of others take no time.

    A kernel that does not heed the kind tells of all links.
    """
    table = LinkTable()
    table.learn(netlink.dump(_TEMPLATES.get(templates.MACVLANS)))
    if with_addresses and table.ours():
        table.learn(netlink.dump(_TEMPLATES.get(templates.ALL_ADDRESSES)))
    return table
