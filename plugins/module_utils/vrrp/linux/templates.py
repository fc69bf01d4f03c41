# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests from which rtnl.py makes all others, encoded by pyroute2. Layer L4.

The only file that imports pyroute2, and only its message classes: importing the package itself
costs a quarter of a second and 20 MB, so an empty package of that name is put in its place first.
What is left still takes 3 MB that nobody needs once a dozen requests are encoded. So a daemon has
that done by a child, while it reads its configuration.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import socket
import struct
import sys
import types
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from ..errors import PlatformError
from .constants import LINK_GROUP
from .links import IFF_UP, RTM_DELADDR, RTM_DELLINK, RTM_NEWADDR, RTM_NEWLINK
from .netlink import (
    HEADER,
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    request,
)

RTM_GETLINK = 18
RTM_SETLINK = 19
RTM_GETADDR = 22
NLM_F_REPLACE = 0x100
_RTEXT_FILTER_SKIP_STATS = 8
_IFA_F_NODAD = 0x02
# No route to the prefix: that of a single address leads nowhere, and a thousand take time.
_IFA_F_NOPREFIXROUTE = 0x200

# Names of requests: a new macvlan without name, parent and MAC, a change of a link without what to
# change, and so on.
MACVLAN, CHANGE, RAISE, LOWER, DELETE = "macvlan", "change", "raise", "lower", "delete"
ALL_LINKS, MACVLANS, ALL_ADDRESSES = "all links", "macvlans", "all addresses"
ADDRESS_ACTIONS = {
    "add": (RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL),
    "renew": (RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE),
    "delete": (RTM_DELADDR, 0),
}
# Marks the place of the address in an encoded message; any value that is found only once will do.
MARKS = {4: bytes((203, 0, 113, 77)), 16: bytes.fromhex("20010db8a5a55a5a3c3cc3c396966969")}
# And those of its lifetimes.
LIFETIME_MARKS = struct.pack("=II", 0x5AA5C33C, 0x3CC3A55A)


class Codec(NamedTuple):
    """pyroute2's message classes."""

    link: Any
    address: Any


def codec() -> Codec:
    """Import them. Raises PlatformError."""
    try:
        _stub_package()
        base = "pyroute2.netlink.rtnl."
        return Codec(
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
    sys.modules["pyroute2"] = package


def address_request(action: str, length: int, is_global: bool) -> str:
    """The name of the request that does something with an address of so many octets."""
    return "%s %s address of %d octets" % (action, "global" if is_global else "local", length)


class Templates:
    """All of these requests by name; encoded when first needed, or earlier by a child."""

    def __init__(self) -> None:
        self._encoded: Optional[Mapping[str, bytes]] = None
        self._child: Optional[Tuple[int, int]] = None

    def begin(self) -> None:
        """Let a child do it from now on. For a process that has no threads yet."""
        if self._encoded is not None or self._child is not None:
            return
        try:
            readable, writable = os.pipe()
            pid = os.fork()
        except OSError:
            return  # no room for a child: it is done here, when it is needed
        if pid == 0:
            _be_the_child(writable)
        os.close(writable)
        self._child = pid, readable

    def get(self, name: str) -> bytes:
        """Raises PlatformError when there is no pyroute2."""
        if self._encoded is None and self._child is not None:
            self._encoded = self._collected(*self._child)
            self._child = None
        if self._encoded is None:
            self._encoded = encode_all()
        return self._encoded[name]

    @staticmethod
    def _collected(pid: int, readable: int) -> Optional[Mapping[str, bytes]]:
        """None when the child failed: whoever tries it again tells why."""
        with open(readable, "rb") as pipe:
            text = pipe.read()
        with contextlib.suppress(ChildProcessError):  # SIGCHLD is ignored: it leaves nothing
            os.waitpid(pid, 0)
        try:
            return {name: bytes.fromhex(message) for name, message in json.loads(text).items()}
        except ValueError:
            return None


def _be_the_child(writable: int) -> None:
    """Whatever happens, the child ends here, and runs nothing that is its parent's."""
    try:
        encoded = {name: message.hex() for name, message in encode_all().items()}
        with open(writable, "wb") as pipe:
            pipe.write(json.dumps(encoded).encode("ascii"))
    finally:
        os._exit(0)


def encode_all() -> Dict[str, bytes]:
    """Without sequence numbers and link indexes. Raises PlatformError."""
    classes = codec()
    mask = {"IFLA_EXT_MASK": _RTEXT_FILTER_SKIP_STATS}
    kind = {"IFLA_LINKINFO": {"attrs": [["IFLA_INFO_KIND", "macvlan"]]}}
    change = RTM_SETLINK, NLM_F_ACK
    found = {
        MACVLAN: _macvlan(classes.link()),
        CHANGE: _link(classes.link(), *change, {}),
        RAISE: _link(classes.link(), *change, {}, flags=IFF_UP, change=IFF_UP),
        LOWER: _link(classes.link(), *change, {}, flags=0, change=IFF_UP),
        DELETE: _link(classes.link(), RTM_DELLINK, NLM_F_ACK, {}),
        ALL_LINKS: _link(classes.link(), RTM_GETLINK, NLM_F_DUMP, mask),
        MACVLANS: _link(classes.link(), RTM_GETLINK, NLM_F_DUMP, {**mask, **kind}),
        ALL_ADDRESSES: _encode(classes.address(), RTM_GETADDR, NLM_F_DUMP),
    }
    for action in ADDRESS_ACTIONS:
        for length, is_global in ((4, False), (16, False), (16, True)):
            message = _address(classes.address(), action, length, is_global)
            found[address_request(action, length, is_global)] = message
    return found


def _macvlan(message: Any) -> bytes:
    """Mode bridge: in mode private the kernel would hide from the parent every advertisement that
    comes from the virtual MAC."""
    data = {"attrs": [["IFLA_MACVLAN_MODE", "bridge"]]}
    info = {"attrs": [["IFLA_INFO_KIND", "macvlan"], ["IFLA_INFO_DATA", data]]}
    flags = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK
    attrs = {"IFLA_GROUP": LINK_GROUP, "IFLA_LINKINFO": info}
    return _link(message, RTM_NEWLINK, flags, attrs)


def _link(message: Any, kind: int, how: int, attrs: Mapping[str, Any], **fields: int) -> bytes:
    for name, value in fields.items():
        message[name] = value
    message["attrs"] = [[name, value] for name, value in attrs.items()]
    return _encode(message, kind, how)


def _address(message: Any, action: str, length: int, is_global: bool) -> bytes:
    kind, flags = ADDRESS_ACTIONS[action]
    family = socket.AF_INET if length == 4 else socket.AF_INET6
    message["family"] = family
    message["prefixlen"] = 8 * length
    attrs: Dict[str, Any] = {"IFA_ADDRESS": socket.inet_ntop(family, MARKS[length])}
    if length == 4:
        attrs["IFA_LOCAL"] = attrs["IFA_ADDRESS"]
    if kind == RTM_NEWADDR:
        if length == 16:
            attrs["IFA_FLAGS"] = _IFA_F_NODAD | (_IFA_F_NOPREFIXROUTE if is_global else 0)
        lifetimes = struct.unpack("=II", LIFETIME_MARKS)
        attrs["IFA_CACHEINFO"] = dict(zip(("ifa_preferred", "ifa_valid"), lifetimes))
    message["attrs"] = [[name, value] for name, value in attrs.items()]
    return _encode(message, kind, flags | NLM_F_ACK)


def _encode(message: Any, kind: int, flags: int) -> bytes:
    """The request as bytes, without a sequence number."""
    message["header"]["sequence_number"] = 0
    message["header"]["pid"] = 0
    message.reset()
    message.encode()
    return request(kind, flags, bytes(message.data[HEADER.size :]))
