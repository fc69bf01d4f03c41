# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests about links and addresses, encoded by pyroute2's message classes. Layer L4.

The only file that imports pyroute2, and only its message classes: importing the package itself
costs a quarter of a second and 20 MB, so an empty package of that name is put in its place first.
Reading what the kernel says is done in links.py.
"""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.util
import socket
import struct
import sys
import types
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from ..errors import PlatformError
from ..facts import InterfaceAddress, is_link_local
from . import attributes
from .constants import LINK_GROUP
from .links import IFF_UP, RTM_DELADDR, RTM_DELLINK, RTM_NEWADDR, RTM_NEWLINK, LinkTable
from .netlink import (
    HEADER,
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    NetlinkSocket,
    request,
)

NETLINK_ROUTE = 0
_RTM_GETLINK = 18
_RTM_SETLINK = 19
_RTM_GETADDR = 22
_RTM_NEWROUTE = 24
_NLM_F_REPLACE = 0x100
_RTEXT_FILTER_SKIP_STATS = 8
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
_IFA_F_NODAD = 0x02
# No route to the prefix: that of a single address leads nowhere, and a thousand take time.
_IFA_F_NOPREFIXROUTE = 0x200
_FOREVER = 0xFFFFFFFF
_ROUTE = struct.Struct("=BBBBBBBBI")
_RT_TABLE_MAIN = 254
_RT_TABLE_LOCAL = 255
_RTPROT_KERNEL = 2
_RTN_UNICAST = 1
_RTN_LOCAL = 2
_RTA_DST = 1
_RTA_OIF = 4
_RTA_EXPIRES = 23
# The kernel's own route is there after milliseconds.
_BRIDGE_S = 1
_IFINDEX_OFFSET = HEADER.size + 4
_PREFIX_OFFSET = HEADER.size + 1
# Marks the place of the address in an encoded message; any value that is found only once will do.
_MARKS = {4: bytes((203, 0, 113, 77)), 16: bytes.fromhex("20010db8a5a55a5a3c3cc3c396966969")}
# And those of its lifetimes.
_LIFETIME_MARKS = (0x5AA5C33C, 0x3CC3A55A)
# Of each kind that has a template of its own.
_SAMPLE_ADDRESSES = (
    InterfaceAddress(bytes(4), 32),
    InterfaceAddress(bytes.fromhex("fe80" + "00" * 14), 64),
    InterfaceAddress(bytes(16), 128),
)
_STUB = "is_stub_of_vlangate"


class _Codec(NamedTuple):
    link: Any
    address: Any


class _Template(NamedTuple):
    """An encoded address request, where its addresses are in it, and its lifetimes (0: nowhere)."""

    message: bytes
    offsets: Tuple[int, ...]
    lifetimes: int


@functools.lru_cache(maxsize=None)
def _codec() -> _Codec:
    """pyroute2's message classes, imported when first needed."""
    try:
        _stub_package()
        base = "pyroute2.netlink.rtnl."
        return _Codec(
            importlib.import_module(base + "ifinfmsg").ifinfmsg,
            importlib.import_module(base + "ifaddrmsg").ifaddrmsg,
        )
    except ImportError as error:
        hint = "install pyroute2 0.8.1 beside the engine (%s)" % error
        raise PlatformError("import", "pyroute2", None, hint) from error


def _stub_package() -> None:
    """Keep pyroute2's __init__ from running; one that ran already is good as it is."""
    if "pyroute2" in sys.modules:
        return
    spec = importlib.util.find_spec("pyroute2")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("there is no package pyroute2")
    package = types.ModuleType("pyroute2")
    package.__path__ = list(spec.submodule_search_locations)
    package.__spec__ = spec
    setattr(package, _STUB, True)
    sys.modules["pyroute2"] = package


def codec_problem() -> Optional[str]:
    """Why requests cannot be encoded on this host; None when they can."""
    try:
        prepare()
    except PlatformError as error:
        return str(error)
    return None


@functools.lru_cache(maxsize=None)
def prepare() -> None:
    """Encode all that requests are made from, then let go of pyroute2: 2 MB, for a dozen templates.

    Whatever is missing nevertheless is imported again. Raises PlatformError.
    """
    create_macvlan("", 0, b"")
    delete_link_group(0)
    for is_up in (None, True, False):
        _change(0, is_up)
    _questions()
    for address in _SAMPLE_ADDRESSES:
        for encode in (add_address, renew_address, delete_address):
            encode(0, address)
    package = sys.modules.get("pyroute2")
    if package is None or not getattr(package, _STUB, False):
        return
    _codec.cache_clear()
    for name in list(sys.modules):
        if name.split(".")[0] == "pyroute2":
            del sys.modules[name]
    del package
    gc.collect()  # classes refer to themselves


def _encode(message: Any, kind: int, flags: int) -> bytes:
    """The request as bytes, without a sequence number."""
    message["header"]["sequence_number"] = 0
    message["header"]["pid"] = 0
    message.reset()
    message.encode()
    return request(kind, flags, bytes(message.data[HEADER.size :]))


@functools.lru_cache(maxsize=None)
def _link_template(
    kind: int, how: int, attrs: Tuple[Tuple[str, Any], ...] = (), **fields: int
) -> bytes:
    message = _codec().link()
    for name, value in fields.items():
        message[name] = value
    message["attrs"] = [list(attr) for attr in attrs]
    return _encode(message, kind, how)


def _with(template: bytes, *more: bytes) -> bytes:
    """The template with more attributes behind its own."""
    length = len(template) + sum(map(len, more))
    return b"".join((struct.pack("=I", length), template[4:], *more))


def _number(kind: int, value: int) -> bytes:
    return attributes.attribute(kind, struct.pack("=I", value))


def create_macvlan(name: str, parent_ifindex: int, mac: bytes, vrf_ifindex: int = 0) -> bytes:
    """A new macvlan of ours, down; a port of that VRF, 0: of none."""
    return _with(
        _macvlan_template(),
        attributes.text(_IFLA_IFNAME, name),
        _number(_IFLA_LINK, parent_ifindex),
        attributes.attribute(_IFLA_ADDRESS, mac),
        *((_number(_IFLA_MASTER, vrf_ifindex),) if vrf_ifindex else ()),
    )


@functools.lru_cache(maxsize=None)
def _macvlan_template() -> bytes:
    """Mode bridge: in mode private the kernel would hide from the parent every advertisement that
    comes from the virtual MAC."""
    message = _codec().link()
    data = {"attrs": [["IFLA_MACVLAN_MODE", "bridge"]]}
    info = {"attrs": [["IFLA_INFO_KIND", "macvlan"], ["IFLA_INFO_DATA", data]]}
    message["attrs"] = [["IFLA_GROUP", LINK_GROUP], ["IFLA_LINKINFO", info]]
    return _encode(message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK)


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
    if is_up is None:
        return _for_link(ifindex, _link_template(_RTM_SETLINK, NLM_F_ACK))
    flags = IFF_UP if is_up else 0
    template = _link_template(_RTM_SETLINK, NLM_F_ACK, flags=flags, change=IFF_UP)
    return _for_link(ifindex, template)


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
    return _with(_link_template(RTM_DELLINK, NLM_F_ACK), _number(_IFLA_GROUP, group))


def add_address(ifindex: int, address: InterfaceAddress, lease_s: int = 0) -> bytes:
    """Add an address, which the kernel takes away after lease_s seconds (0: never).

    A global IPv6 one is deprecated from the beginning, so that nothing chooses it as source.
    """
    return _address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, address, lease_s)


def renew_address(ifindex: int, address: InterfaceAddress, lease_s: int = 0) -> bytes:
    """Let the lease of an address begin anew; the kernel adds one that is not there."""
    return _address(RTM_NEWADDR, NLM_F_CREATE | _NLM_F_REPLACE, ifindex, address, lease_s)


def delete_address(ifindex: int, address: InterfaceAddress) -> bytes:
    """Take an address away."""
    return _address(RTM_DELADDR, 0, ifindex, address, 0)


def bridge_route(ifindex: int, address: InterfaceAddress) -> bytes:
    """Let the kernel take an IPv6 address for its own at once: it makes the route of a new address
    in a queue, milliseconds later, and drops what comes until then."""
    return _bridge(ifindex, address.address, 128, (_RT_TABLE_LOCAL, _RTPROT_KERNEL, 0, _RTN_LOCAL))


def bridge_prefix_route(ifindex: int, address: InterfaceAddress) -> bytes:
    """The same for the other addresses of its prefix while the kernel's own route is unusable."""
    length = address.prefix_length
    unused = 8 * len(address.address) - length
    prefix = int.from_bytes(address.address, "big") >> unused << unused
    kinds = (_RT_TABLE_MAIN, _RTPROT_KERNEL, 0, _RTN_UNICAST)
    return _bridge(ifindex, prefix.to_bytes(len(address.address), "big"), length, kinds)


def _bridge(ifindex: int, prefix: bytes, length: int, kinds: Tuple[int, int, int, int]) -> bytes:
    header = _ROUTE.pack(socket.AF_INET6, length, 0, 0, *kinds, 0)
    where = attributes.attribute(_RTA_DST, prefix)
    where += attributes.attribute(_RTA_OIF, struct.pack("=I", ifindex))
    until = attributes.attribute(_RTA_EXPIRES, struct.pack("=I", _BRIDGE_S))
    # The kernel's own has another metric. An earlier one of this device, which may have run out,
    # lasts on; a replacement would be that of any device with this prefix.
    flags = NLM_F_CREATE | NLM_F_ACK
    return request(_RTM_NEWROUTE, flags, header + where + until)


def _address(kind: int, how: int, ifindex: int, address: InterfaceAddress, lease_s: int) -> bytes:
    """Fill in a template: a takeover of a thousand routers has no time for a thousand encodings."""
    length = len(address.address)
    is_global = length == 16 and not is_link_local(address.address)
    template = _address_template(kind, how, length, is_global)
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
def _address_template(kind: int, how: int, length: int, is_global: bool) -> _Template:
    mark = _MARKS[length]
    family = socket.AF_INET if length == 4 else socket.AF_INET6
    message = _codec().address()
    message["family"] = family
    message["prefixlen"] = 8 * length
    attrs: Dict[str, Any] = {"IFA_ADDRESS": socket.inet_ntop(family, mark)}
    if length == 4:
        attrs["IFA_LOCAL"] = attrs["IFA_ADDRESS"]
    if kind == RTM_NEWADDR:
        if length == 16:
            attrs["IFA_FLAGS"] = _IFA_F_NODAD | (_IFA_F_NOPREFIXROUTE if is_global else 0)
        attrs["IFA_CACHEINFO"] = dict(zip(("ifa_preferred", "ifa_valid"), _LIFETIME_MARKS))
    message["attrs"] = [[name, value] for name, value in attrs.items()]
    encoded = _encode(message, kind, how | NLM_F_ACK)
    offsets = []
    found = encoded.find(mark)
    while found >= 0:
        offsets.append(found)
        found = encoded.find(mark, found + length)
    lifetimes = max(0, encoded.find(struct.pack("=II", *_LIFETIME_MARKS)))
    return _Template(encoded, tuple(offsets), lifetimes)


def read_table(netlink: NetlinkSocket) -> LinkTable:
    """All links and addresses as they are now."""
    table = LinkTable()
    for question in _questions():
        table.learn(netlink.dump(question))
    return table


@functools.lru_cache(maxsize=None)
def _questions() -> Tuple[bytes, bytes]:
    """For all links, and for all addresses."""
    mask = (("IFLA_EXT_MASK", _RTEXT_FILTER_SKIP_STATS),)
    links = _link_template(_RTM_GETLINK, NLM_F_DUMP, mask)
    return links, _encode(_codec().address(), _RTM_GETADDR, NLM_F_DUMP)
