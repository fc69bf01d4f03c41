# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own nftables tables. Layer L4.

Table inet: drops what is sent to a refused address (accept mode off, RFC 9568 section 6.4.3)
except neighbour discovery, and keeps parents from answering for owned IPv6 addresses, and devices
that are being left from answering at all (muting.py). Table arp: the same for owned IPv4 addresses,
and parents name none of them when they ask themselves (RFC 9568 sections 8.1.2 and 8.2.2). Both are
replaced as a whole in one transaction, when the configuration changes and not when a master does.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from ..errors import PlatformError
from ..facts import is_link_local
from . import muting
from . import nft_codec as nft
from .constants import LINK_GROUP, TABLE_NAME
from .netlink import NLM_F_ACK, NLM_F_CREATE, NetlinkSocket, Outcome
from .steps import Filter, Guard

_NF_INET_LOCAL_IN = 1
_NF_INET_LOCAL_OUT = 3
_NF_ARP_IN = 0
_NF_ARP_OUT = 1
_SOLICITATION = 135
_ADVERTISEMENT = 136
# Of multicast listeners (RFC 3810 section 5.2): from the virtual MAC, it would turn the switch back
# to who has just given the role away.
_LISTENER_REPORT = 143
# Offsets in the headers of IPv4, IPv6, ARP and a neighbour solicitation (RFC 4861 section 4.3).
_IPV4_DESTINATION = 16
_IPV6_DESTINATION = 24
_ARP_OPERATION = 6
_ARP_SENDER = 14
_ARP_TARGET = 24
_ND_TARGET = 8
_ARP_REQUEST = b"\0\1"
_HINTS = {
    errno.EPROTONOSUPPORT: "this kernel has no nf_tables",
    errno.EAFNOSUPPORT: "this kernel has no nf_tables for this family",
    errno.EOPNOTSUPP: "this kernel's nf_tables lack something that is needed here",
    errno.ENOENT: "this kernel's nf_tables lack something that is needed here",
    errno.EPERM: "run as root or with CAP_NET_ADMIN",
}
# One of each, to ask the kernel whether it could.
_SAMPLE_GUARDS = (
    Guard(1, bytes((192, 0, 2, 1))),
    Guard(1, bytes.fromhex("20010db8000000000000000000000001")),
)
_SAMPLE = Filter(tuple(guard.address for guard in _SAMPLE_GUARDS), _SAMPLE_GUARDS, True)


def install(packet_filter: Filter, muted: Sequence[int] = ()) -> None:
    """Make our tables do exactly this; tables with nothing to do are removed.

    muted: indexes of the devices that are mute from the beginning.

    Raises PlatformError; then nothing has changed in the family that failed.
    """
    _commit(nft.FAMILY_INET, _inet_content(packet_filter, muted))
    guards = [guard for guard in packet_filter.guards if len(guard.address) == 4]
    _commit(nft.FAMILY_ARP, _arp_content(guards))


def remove() -> None:
    """Remove our tables, if there are any. Raises PlatformError."""
    install(Filter())


def is_installed(packet_filter: Filter, has_table: Optional[Callable[[int], bool]] = None) -> bool:
    """False when a table that this filter needs, or needs not, is missing or left over.

    has_table: a quicker way to know whether we have a table in a family.
    """
    has_table = has_table or _has_table
    needs_inet = bool(_inet_content(packet_filter))
    needs_arp = any(len(guard.address) == 4 for guard in packet_filter.guards)
    return has_table(nft.FAMILY_INET) == needs_inet and has_table(nft.FAMILY_ARP) == needs_arp


def is_empty(packet_filter: Filter) -> bool:
    """True when this filter needs no table at all."""
    return packet_filter == Filter()


def can_filter_inet() -> bool:
    """True when this kernel takes our whole table inet; leaves no trace."""
    return _rehearse(nft.FAMILY_INET, _inet_content(_SAMPLE))


def can_filter_arp() -> bool:
    """True when this kernel takes our whole table arp; leaves no trace."""
    return _rehearse(nft.FAMILY_ARP, _arp_content(_SAMPLE_GUARDS[:1]))


def _commit(family: int, content: Sequence[bytes]) -> None:
    if not content and not _has_table(family):
        return
    _transact(_replacement(family, content))


def _transact(messages: Sequence[bytes]) -> None:
    """Send a transaction that lacks its end only."""
    netlink = NetlinkSocket(nft.NETLINK_NETFILTER)
    try:
        outcome = _send(netlink, [*messages, nft.batch_mark(nft.BATCH_END)])
    finally:
        netlink.close()
    if outcome.errno:
        hint = outcome.words or _HINTS.get(outcome.errno, "")
        raise PlatformError("set", "packet filter", outcome.errno, hint)


def _rehearse(family: int, content: Sequence[bytes]) -> bool:
    """The kernel checks every message of a transaction, and forgets one that has no end."""
    try:
        netlink = NetlinkSocket(nft.NETLINK_NETFILTER)
    except PlatformError:
        return False
    try:
        return not _send(netlink, _replacement(family, content)).errno
    except PlatformError:
        return False
    finally:
        netlink.close()


def _send(netlink: NetlinkSocket, messages: Sequence[bytes]) -> Outcome:
    """Send a transaction, of which the marks at its begin and end are never answered."""
    marks = (nft.BATCH_BEGIN, nft.BATCH_END)
    answers = sum(struct.unpack_from("=H", message, 4)[0] not in marks for message in messages)
    return netlink.send_transaction(messages, answers)


def _replacement(family: int, content: Sequence[bytes]) -> List[bytes]:
    """A transaction, not yet ended, that replaces our table whether it is there or not."""
    create = nft.table(nft.NEWTABLE, family, TABLE_NAME, NLM_F_CREATE | NLM_F_ACK)
    delete = nft.table(nft.DELTABLE, family, TABLE_NAME, NLM_F_ACK)
    again = [create, *content] if content else []
    return [nft.batch_mark(nft.BATCH_BEGIN), create, delete, *again]


def _has_table(family: int) -> bool:
    try:
        netlink = NetlinkSocket(nft.NETLINK_NETFILTER)
    except PlatformError:
        return False
    try:
        query = nft.table(nft.GETTABLE, family, TABLE_NAME, NLM_F_ACK)
        return not netlink.transact([query])[0].errno
    finally:
        netlink.close()


def _inet_content(packet_filter: Filter, muted: Sequence[int] = ()) -> List[bytes]:
    """Sets, chains and rules of the table inet; empty when there is nothing to do."""
    content = _Content(nft.FAMILY_INET)
    guards = [guard for guard in packet_filter.guards if len(guard.address) == 16]
    if packet_filter.mutes:
        _mute(content, muted)
    if guards or packet_filter.refused:
        content.chain("input", _NF_INET_LOCAL_IN)
    if guards:
        content.add_set("owned", [nft.link_key(g.ifindex, g.address) for g in guards])
        content.rule(
            "input",
            _icmpv6(_SOLICITATION),
            nft.load_pair(nft.META_IIF, nft.BASE_TRANSPORT, _ND_TARGET, 16),
            content.in_set("owned", nft.KEY),
            nft.verdict(nft.DROP),
        )
    if packet_filter.refused:
        _refuse(content, packet_filter.refused)
    return content.messages


def _mute(content: "_Content", ifindexes: Sequence[int]) -> None:
    content.chain("output", _NF_INET_LOCAL_OUT)
    content.add_muted(ifindexes)
    for kind in (_ADVERTISEMENT, _LISTENER_REPORT):
        content.rule(
            "output",
            _icmpv6(kind),
            nft.load_meta(nft.META_OIF),
            content.in_set(muting.SET_NAME),
            nft.verdict(nft.DROP),
        )


def _refuse(content: "_Content", refused: Sequence[bytes]) -> None:
    # RFC 9568 section 6.1: neighbour discovery is never refused.
    for kind in (_SOLICITATION, _ADVERTISEMENT):
        content.rule("input", _icmpv6(kind), nft.verdict(nft.ACCEPT))
    kinds: Dict[str, Tuple[bytes, ...]] = {
        "refused4": tuple(a for a in refused if len(a) == 4),
        "refused6": tuple(a for a in refused if len(a) == 16 and not is_link_local(a)),
        "refused_link": tuple(a for a in refused if is_link_local(a)),
    }
    for name, addresses in kinds.items():
        if not addresses:
            continue
        content.add_set(name, addresses)
        proto = socket.AF_INET if name == "refused4" else socket.AF_INET6
        offset = _IPV4_DESTINATION if name == "refused4" else _IPV6_DESTINATION
        conditions = [nft.meta_is(nft.META_NFPROTO, bytes((proto,)))]
        if name == "refused_link":
            # The same address may be a real one on another link.
            conditions.append(nft.meta_is(nft.META_IIFGROUP, struct.pack("=I", LINK_GROUP)))
        content.rule(
            "input",
            *conditions,
            nft.load(nft.BASE_NETWORK, offset, len(addresses[0])),
            content.in_set(name),
            nft.verdict(nft.DROP),
        )


def _icmpv6(kind: int) -> bytes:
    return (
        nft.meta_is(nft.META_NFPROTO, bytes((socket.AF_INET6,)))
        + nft.meta_is(nft.META_L4PROTO, bytes((socket.IPPROTO_ICMPV6,)))
        + nft.packet_has(nft.BASE_TRANSPORT, 0, bytes((kind,)))
    )


def _arp_content(guards: Sequence[Guard]) -> List[bytes]:
    """Sets, chains and rules of the table arp; empty when there is nothing to do."""
    if not guards:
        return []
    content = _Content(nft.FAMILY_ARP)
    content.add_set("owned", [nft.link_key(g.ifindex, g.address) for g in guards])
    for chain, hook, link in (
        ("input", _NF_ARP_IN, nft.META_IIF),
        ("output", _NF_ARP_OUT, nft.META_OIF),
    ):
        # Neither answer a question for an owned address, nor ask for it or announce it.
        content.chain(chain, hook)
        content.rule(
            chain,
            nft.packet_has(nft.BASE_NETWORK, _ARP_OPERATION, _ARP_REQUEST),
            nft.load_pair(link, nft.BASE_NETWORK, _ARP_TARGET, 4),
            content.in_set("owned", nft.KEY),
            nft.verdict(nft.DROP),
        )
    # A question that leaves with the parent's MAC names no sender, as in RFC 5227: hosts answer it
    # but learn nothing from it. With the virtual MAC the answer would come in by the wrong device.
    content.rule(
        "output",
        nft.load_pair(nft.META_OIF, nft.BASE_NETWORK, _ARP_SENDER, 4),
        content.in_set("owned", nft.KEY),
        nft.write(nft.BASE_NETWORK, _ARP_SENDER, bytes(4)),
    )
    return content.messages


class _Content:
    """Collects the messages that fill one table."""

    def __init__(self, family: int) -> None:
        self.messages: List[bytes] = []
        self._family = family
        self._sets: Dict[str, int] = {}

    def chain(self, name: str, hook: int) -> None:
        """A base chain."""
        self.messages.append(nft.base_chain(self._family, TABLE_NAME, name, hook))

    def add_set(self, name: str, keys: Sequence[bytes]) -> None:
        """A set; it has to come before the rules that look into it."""
        self._sets[name] = len(self._sets) + 1
        self.messages += nft.set_messages(self._family, TABLE_NAME, name, self._sets[name], keys)

    def add_muted(self, ifindexes: Sequence[int]) -> None:
        """The set of muting.py, which may be empty."""
        self._sets[muting.SET_NAME] = len(self._sets) + 1
        self.messages += muting.set_messages(self._sets[muting.SET_NAME], ifindexes)

    def in_set(self, name: str, *register: int) -> bytes:
        """The expression that looks into a set of this table."""
        return nft.in_set(name, self._sets[name], *register)

    def rule(self, chain: str, *expressions: bytes) -> None:
        """A rule at the end of a chain."""
        self.messages.append(nft.rule(self._family, TABLE_NAME, chain, *expressions))
