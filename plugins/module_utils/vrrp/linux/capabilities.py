# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host can do, asked once at start. Layer L4. Changes nothing in the kernel."""

from __future__ import annotations

import errno
import socket
from typing import Dict, List, Mapping, Optional, Tuple

from ..errors import PlatformError
from ..wire.constants import IP_PROTOCOL
from . import nftables, rtnl, sysctl
from .netlink import NetlinkSocket

# net.ipv4.conf.all: the largest value that leaves our devices as they have to be, and what a larger
# one does to them (the kernel takes the larger of "all" and the device).
_ALL_IPV4 = (
    ("arp_ignore", 1, "no ARP request for a virtual address would be answered"),
    ("arp_filter", 0, "no ARP request for a virtual address would be answered"),
)
# No interface has it, so asking for a macvlan on it fails in the very last step.
_NO_IFINDEX = 0x7FFFFFF0


def features() -> Dict[str, bool]:
    """Every feature of the kernel that matters here, by name.

    net_admin: may change links. raw_sockets: may send frames and receive packets. macvlan, ipv6:
    the kernel has it. nftables: accept mode can be off. nftables_arp: an address owner's parent
    keeps its other addresses. pyroute2: requests can be encoded.
    """
    codec = rtnl.codec_problem() is None
    macvlan_errno = _try_macvlan() if codec else errno.ENOSYS
    return {
        "pyroute2": codec,
        "net_admin": macvlan_errno not in (errno.EPERM, errno.ENOSYS),
        "macvlan": macvlan_errno == errno.ENODEV,
        "raw_sockets": _has_raw_sockets(),
        "ipv6": sysctl.exists("net/ipv6"),
        "nftables": nftables.can_filter_inet(),
        "nftables_arp": nftables.can_filter_arp(),
    }


def missing(
    accept_off: bool = False, ipv6: bool = False, found: Optional[Mapping[str, bool]] = None
) -> Tuple[str, ...]:
    """Sentences on what keeps the engine from running here; empty when nothing does.

    accept_off: some virtual router has accept mode off, which needs a packet filter.
    ipv6: some virtual router is of family ipv6. found: features(), if they are known: asking takes
    some ten milliseconds.
    """
    found = features() if found is None else found
    sentences: List[str] = []
    if not found["pyroute2"]:
        sentences.append(rtnl.codec_problem() or "")
    elif not found["net_admin"]:
        sentences.append("links may not be changed: run as root or with CAP_NET_ADMIN")
    elif not found["macvlan"]:
        sentences.append("the kernel has no macvlan, which carries the virtual MAC addresses")
    if not found["raw_sockets"]:
        sentences.append("raw sockets are refused: run as root or with CAP_NET_RAW")
    if ipv6 and not found["ipv6"]:
        sentences.append("the kernel has no IPv6, which virtual routers of family ipv6 need")
    if accept_off and not found["nftables"]:
        sentences.append(
            "the kernel has no nftables, which accept: false needs (set accept to true, or load "
            "nf_tables)"
        )
    return (*sentences, *_overruling_sysctls())


def _overruling_sysctls() -> List[str]:
    sentences = []
    for name, largest, consequence in _ALL_IPV4:
        key = "net/ipv4/conf/all/" + name
        value = sysctl.read(key) if sysctl.exists(key) else "0"
        if int(value) > largest:
            dotted = key.replace("/", ".")
            sentences.append("%s is %s, so %s: set it to 0" % (dotted, value, consequence))
    return sentences


def _try_macvlan() -> int:
    """The error of creating a macvlan on a link that is not there."""
    try:
        netlink = NetlinkSocket(rtnl.NETLINK_ROUTE)
    except PlatformError as error:
        return error.errno or errno.EPERM
    try:
        request = rtnl.create_macvlan("vg-probe", _NO_IFINDEX, b"\x02" + bytes(5))
        return netlink.transact([request])[0].errno
    finally:
        netlink.close()


def _has_raw_sockets() -> bool:
    wanted = (
        (socket.AF_INET, socket.SOCK_RAW, IP_PROTOCOL),
        (socket.AF_PACKET, socket.SOCK_RAW, 0),
    )
    try:
        for family, kind, protocol in wanted:
            socket.socket(family, kind, protocol).close()
    except OSError:
        return False
    return True
