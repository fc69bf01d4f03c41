# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a host asks about one gateway, and when. Pure: frames and times come in."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .listen_speakers import Speaker, Wire
from .probe_frames import Answer, Router, answer, expired, expiring, question
from .vrrp.facts import Family, family_of
from .vrrp.wire.constants import virtual_mac

#: A question may be lost, and a second one who answers may be slow.
TIMES_ASKED, ASK_AGAIN_NS = 3, 300_000_000
#: A router sends at most one such error a second to a host, so a second try has to wait longer.
TIMES_TRACED, TRACE_AGAIN_NS = 3, 1_200_000_000


@dataclass(frozen=True)
class Gateway:
    """An address to ask about, and from where: interface, our MAC and our address there.

    wide_source: one of ours that is not link-local, so that a router's own answer is not either.
    name, virtual_mac: what the plan calls it and where it should be; empty if nobody said.
    """

    address: bytes
    interface: str
    mac: bytes
    source: bytes
    wide_source: bytes
    name: str = ""
    virtual_mac: bytes = b""

    @property
    def family(self) -> Family:
        """The family of the address."""
        return family_of(self.address)


class Repetition:
    """A few times, at an interval, from the first call on."""

    def __init__(self, times: int, again_ns: int) -> None:
        self._left = times
        self._again_ns = again_ns
        self._due_ns = 0

    def is_due(self, now_ns: int) -> bool:
        """True when it is time to send; then the next time is later."""
        if not self._left or now_ns < self._due_ns:
            return False
        self._left -= 1
        self._due_ns = now_ns + self._again_ns
        return True

    def is_over(self, now_ns: int) -> bool:
        """True when the last one has had its time."""
        return not self._left and now_ns >= self._due_ns


class Asking:
    """Who says that an address is his."""

    def __init__(self, gateway: Gateway, target: bytes) -> None:
        self.answers: t.Set[Answer] = set()
        self._target = target
        self._question = question(gateway.mac, gateway.source, target)
        self._repetition = Repetition(TIMES_ASKED, ASK_AGAIN_NS)

    def due(self, now_ns: int) -> t.Iterator[bytes]:
        """The frames to send now."""
        if self._repetition.is_due(now_ns):
            yield self._question

    def hear(self, frame: bytes) -> None:
        """A frame that has come."""
        found = answer(frame, self._target)
        if found is not None:
            self.answers.add(found)

    def is_over(self, now_ns: int) -> bool:
        """True when nobody will answer any more."""
        return self._repetition.is_over(now_ns)


class Tracing:
    """Which router forwards what is sent to a MAC."""

    def __init__(self, gateway: Gateway, router_mac: bytes, beyond: bytes, port: int) -> None:
        self.router: t.Optional[Router] = None
        self._beyond, self._port = beyond, port
        self._datagram = expiring(router_mac, gateway.mac, gateway.wide_source, beyond, port)
        self._repetition = Repetition(TIMES_TRACED, TRACE_AGAIN_NS)

    def due(self, now_ns: int) -> t.Iterator[bytes]:
        """The frames to send now."""
        if self.router is None and self._repetition.is_due(now_ns):
            yield self._datagram

    def hear(self, frame: bytes) -> None:
        """A frame that has come."""
        self.router = self.router or expired(frame, self._beyond, self._port)

    def is_over(self, now_ns: int) -> bool:
        """True when it is known, or never will be."""
        return self.router is not None or self._repetition.is_over(now_ns)


class Inquiry:
    """One gateway. wire has the advertisements of its interface, and is fed by somebody else.

    beyond: an address that is not on the LAN; port: one of ours that no other inquiry has;
    intervals: for how many of them to listen.
    """

    def __init__(
        self, gateway: Gateway, wire: Wire, beyond: bytes, port: int, intervals: int
    ) -> None:
        self.gateway, self.wire = gateway, wire
        self.asking = Asking(gateway, gateway.address)
        self.tracing: t.Optional[Tracing] = None
        self.real_macs: t.Dict[bytes, Asking] = {}
        self._beyond, self._port, self._intervals = beyond, port, intervals

    def due(self, now_ns: int) -> t.Iterator[bytes]:
        """The frames to send now."""
        if self.tracing is None and self.asking.answers and any(self.gateway.wide_source):
            mac = min(self.asking.answers).mac
            self.tracing = Tracing(self.gateway, mac, self._beyond, self._port)
        for speaker in self.speakers():
            # An owner's address is the virtual one, and there is its virtual MAC.
            if speaker.source not in (self.gateway.address, *self.real_macs):
                self.real_macs[speaker.source] = Asking(self.gateway, speaker.source)
        for part in self._parts():
            yield from part.due(now_ns)

    def hear(self, frame: bytes) -> None:
        """A frame that has come."""
        for part in self._parts():
            part.hear(frame)

    def speakers(self) -> t.List[Speaker]:
        """Who advertises this address, or its VRID."""
        vrids = self.vrids()
        return [
            each
            for each in self.wire.speakers
            if each.header.family is self.gateway.family
            and not each.vlan
            and (
                each.advertisement.vrid in vrids
                or self.gateway.address in each.advertisement.addresses
            )
        ]

    def vrids(self) -> t.Set[int]:
        """Those that the virtual MACs tell, of answers and of the plan."""
        macs = {each.mac for each in self.asking.answers} | {self.gateway.virtual_mac}
        return {vrid_of(mac, self.gateway.family) for mac in macs} - {0}

    def is_over(self, now_ns: int) -> bool:
        """True when everything is known that can be. A router without VRRP is never known so."""
        speakers = self.speakers()
        heard = sum(speaker.adverts for speaker in speakers) > self._intervals * len(speakers)
        return heard and all(part.is_over(now_ns) for part in self._parts())

    def _parts(self) -> t.Iterator[t.Union[Asking, Tracing]]:
        yield self.asking
        yield from self.real_macs.values()
        if self.tracing is not None:
            yield self.tracing


def vrid_of(mac: bytes, family: Family) -> int:
    """The VRID of a virtual MAC of this family; 0 for another MAC (RFC 9568 section 7.3)."""
    vrid = mac[-1] if mac else 0
    return vrid if vrid and mac == virtual_mac(family, vrid) else 0
