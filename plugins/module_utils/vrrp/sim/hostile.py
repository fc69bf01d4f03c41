# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody on the LAN who speaks VRRP and means no good. Layer L4.

What is no advertisement is named so to the checkers' reader; everything else is judged by the RFCs
as if a router had sent it.
"""

from __future__ import annotations

import random
from dataclasses import replace

from ..config.model import VirtualRouterConfig
from ..facts import Family
from ..wire.advertisement import Advertisement, encode_advertisement
from ..wire.checksum import ChecksumForm
from ..wire.constants import MULTICAST_GROUP, TTL, virtual_mac
from ..wire.ethernet import vrrp_frame
from ..wire.ip import IpHeader, build_ipv4, build_ipv6
from .frames import ETHERNET_HEADER, Reader
from .scenario import real_address

# No router of a scenario has these: one loses a tie against all of them, the other wins.
_INDICES = (-6, 189)
_ITS_MAC = bytes((2, 0, 0, 0, 0, 0x66))
_STRANGE_VRID = 200
_NONSENSE = ("bit", "cut", "random", "ttl", "vrid", "version", "interval", "password")


class HostileSpeaker:
    """Makes frames about a virtual router of others."""

    def __init__(self, chance: random.Random, reader: Reader) -> None:
        self._chance = chance
        self._reader = reader

    def advert(self, victim: VirtualRouterConfig) -> bytes:
        """Sound in form: of a lower, higher or the same priority, or 0."""
        own = victim.priority
        priority = self._chance.choice((0, 1, max(1, own - 1), min(254, own), 254))
        return self._frame(victim, self._advertisement(victim, priority), TTL)

    def nonsense(self, victim: VirtualRouterConfig) -> bytes:
        """What every router has to discard."""
        sound = self._advertisement(victim, 254)
        kind = self._chance.choice(_NONSENSE)
        ttl = 254 if kind == "ttl" else TTL
        if kind == "vrid":
            sound = replace(sound, vrid=_STRANGE_VRID)
        elif kind == "password" and victim.version == 2:
            sound = replace(sound, auth_type=1, auth_data=b"guessed")
        elif kind == "password":
            kind = "bit"
        frame = self._frame(victim, sound, ttl)
        header = ETHERNET_HEADER + (20 if victim.family is Family.IPV4 else 40)
        if kind == "bit":  # the checksum finds each single one
            frame = _with_bit_flipped(frame, self._chance.randrange(header * 8, len(frame) * 8))
        elif kind == "cut":
            frame = frame[: self._chance.randrange(header, len(frame))]
        elif kind == "random":
            frame = frame[:header] + bytes(
                self._chance.randrange(256) for _turn in range(self._chance.randrange(1, 60))
            )
        elif kind == "version":
            frame = frame[:header] + bytes((0x41,)) + frame[header + 1 :]
        elif kind == "interval":
            frame = frame[: header + 4] + bytes(2) + frame[header + 6 :]
        self._reader.forged(frame[ETHERNET_HEADER:])
        return frame

    def _advertisement(self, victim: VirtualRouterConfig, priority: int) -> Advertisement:
        return Advertisement(
            version=victim.version,
            vrid=victim.vrid,
            priority=priority,
            interval_cs=victim.advertisement_interval_cs,
            addresses=victim.addresses,
            auth_type=1 if victim.password else 0,
            auth_data=victim.password.encode("ascii"),
        )

    def _frame(self, victim: VirtualRouterConfig, said: Advertisement, ttl: int) -> bytes:
        family = victim.family
        header = IpHeader(
            source=real_address(family, victim.vrid - 1, self._chance.choice(_INDICES)),
            destination=MULTICAST_GROUP[family],
            ttl=ttl,
            family=family,
        )
        form = self._chance.choice(tuple(ChecksumForm))
        message = encode_advertisement(said, header, form)
        if family is Family.IPV4:
            packet = build_ipv4(header, message, self._chance.randrange(65536))
        else:
            packet = build_ipv6(header, message)
        mac = self._chance.choice((_ITS_MAC, virtual_mac(family, victim.vrid)))
        return vrrp_frame(mac, family, packet)


def _with_bit_flipped(frame: bytes, bit: int) -> bytes:
    index = bit // 8
    return frame[:index] + bytes((frame[index] ^ 1 << bit % 8,)) + frame[index + 1 :]
