# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For whom a packet is that comes in by a link. Layer L3."""

from __future__ import annotations

from typing import Dict, Iterable, Optional, Tuple, Union

from ..facts import Family, LinkFacts, ReceivedPacket
from ..fsm.states import State
from .bound_router import BoundRouter
from .receive import Accepted, Discard, Listener, accept

# Advertisements of a steady master are the same bytes each time. A few per virtual router are
# enough; the limit only keeps a hostile LAN from filling memory.
MAXIMUM_KNOWN_PACKETS = 8192
# An advertisement, and for whom it is.
Known = Tuple[BoundRouter, Accepted]


class Wires:
    """The links with their addresses, and the virtual routers that listen there."""

    def __init__(self) -> None:
        self._own_addresses: Dict[int, Tuple[bytes, ...]] = {}
        self._by_wire: Dict[Tuple[int, Family, int], BoundRouter] = {}
        self._by_id: Dict[str, BoundRouter] = {}
        # What judge() said of packets that were accepted, until something changes.
        self.known: Dict[Tuple[int, bytes], Known] = {}

    def replace_links(self, links: Iterable[LinkFacts]) -> None:
        """All links of the host."""
        self._own_addresses = {
            link.ifindex: tuple(address.address for address in link.addresses) for link in links
        }

    def learn(self, bounds: Iterable[BoundRouter]) -> None:
        """Who is meant by a VRID on a link; of several, the last one."""
        self.known.clear()
        found = [(bound.link.ifindex, bound) for bound in bounds if bound.link is not None]
        self._by_id = {bound.id: bound for _ifindex, bound in found}
        self._by_wire = {
            (ifindex, bound.config.family, bound.config.vrid): bound for ifindex, bound in found
        }

    def judge(self, packet: ReceivedPacket) -> Union[Discard, Known]:
        """Climb the ladder of receive.py; who comes to its end is known from then on."""
        own = self._own_addresses.get(packet.ifindex, ())
        verdict = accept(packet, own, self._listener)
        if isinstance(verdict, Discard):
            return verdict
        if len(self.known) >= MAXIMUM_KNOWN_PACKETS:
            self.known.clear()
        known = self.known[packet.ifindex, packet.data] = (self._by_id[verdict.id], verdict)
        return known

    def _listener(self, ifindex: int, family: Family, vrid: int) -> Optional[Listener]:
        bound = self._by_wire.get((ifindex, family, vrid))
        if bound is None or bound.machine is None:
            return None
        state = State.BACKUP if bound.is_leaving else bound.state  # it listens for a successor
        return Listener(bound.id, state, bound.parameters)
