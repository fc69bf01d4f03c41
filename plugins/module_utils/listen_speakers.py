# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who speaks VRRP on a wire, frame by frame. Pure: frames and their times come in.

Nothing is refused as a router would refuse it: an audit has to tell of what routers ignore.
Passwords are never kept.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .vrrp.discards import DiscardReason
from .vrrp.errors import DecodeError
from .vrrp.facts import Family, format_address
from .vrrp.units import NS_PER_CS
from .vrrp.wire.advertisement import Advertisement, decode_advertisement
from .vrrp.wire.authentication import AUTH_NONE, AUTH_SIMPLE_TEXT
from .vrrp.wire.constants import IP_PROTOCOL, virtual_mac
from .vrrp.wire.ip import IpHeader, split_packet

#: More than this is an attack, or a broken device.
MOST_SPEAKERS = 4096
_HEADER_LENGTH = 14
_AUTHENTICATION_HEADER = 51
_AUTHENTICATION_HEADER_LENGTH = 12
# CARP has VRRP's protocol number, group and virtual MACs, and says "version 2" as well: 36 octets,
# with 7 words of authentication where VRRP counts addresses.
_CARP_LENGTH, _CARP_WORDS = 36, 7

GroupKey = t.Tuple[int, Family, int]  # VLAN, family, VRID


@dataclass
class Speaker:
    """One who advertises a virtual router: its address and MAC, and what it said last."""

    vlan: int
    source: bytes
    mac: bytes
    advertisement: Advertisement
    header: IpHeader
    has_authentication_header: bool = False
    first_ns: int = 0
    last_ns: int = 0
    adverts: int = 0

    @property
    def group(self) -> GroupKey:
        """The virtual router."""
        return self.vlan, self.header.family, self.advertisement.vrid

    @property
    def is_from_virtual_mac(self) -> bool:
        """False for a router whose hosts have to learn another MAC at each failover."""
        vrid = self.advertisement.vrid
        return vrid > 0 and self.mac == virtual_mac(self.header.family, vrid)

    @property
    def authentication(self) -> str:
        """How it says who it is; the words of a password are not kept."""
        if self.has_authentication_header:
            return "header"
        kind = self.advertisement.auth_type
        known = {AUTH_NONE: "none", AUTH_SIMPLE_TEXT: "password"}
        return known.get(kind, "type %d" % kind)

    @property
    def addresses(self) -> t.Tuple[str, ...]:
        """The virtual addresses it lists."""
        return tuple(format_address(each) for each in self.advertisement.addresses)

    @property
    def name(self) -> str:
        """Its address, for people."""
        return format_address(self.source)

    def as_dict(self) -> t.Dict[str, t.Any]:
        """What the modules return of it."""
        said = self.advertisement
        return {
            "vlan": self.vlan or None,
            "family": self.header.family.value,
            "vrid": said.vrid,
            "version": said.version,
            "source": self.name,
            "mac": mac_text(self.mac),
            "virtual_mac": self.is_from_virtual_mac,
            "destination": format_address(self.header.destination),
            "ttl": self.header.ttl,
            "priority": said.priority,
            "advertisement_interval_cs": said.interval_cs,
            "addresses": list(self.addresses),
            "authentication": self.authentication,
            "checksum": said.checksum_form.value if said.checksum_form else None,
            "adverts": self.adverts,
            "first": self.first_ns / 1e9,
            "last": self.last_ns / 1e9,
        }


@dataclass
class Fault:
    """What could not be read as an advertisement, by its sender."""

    vlan: int
    source: bytes
    mac: bytes
    code: str
    detail: str
    count: int = 0


@dataclass
class Contest:
    """A time in which two routers advertised one virtual router by turns."""

    start_ns: int
    end_ns: int
    interval_ns: int
    speakers: t.Set[str] = field(default_factory=set)

    @property
    def is_real(self) -> bool:
        """A hand-over may cross an advertisement; it does not go on for intervals."""
        return self.end_ns - self.start_ns >= 2 * self.interval_ns


_Key = t.Tuple[int, str, int, bytes, bytes, int]


class Wire:
    """What has been heard on one interface."""

    def __init__(self) -> None:
        self._speakers: t.Dict[_Key, Speaker] = {}
        self._faults: t.Dict[t.Tuple[t.Any, ...], Fault] = {}
        self._last: t.Dict[GroupKey, t.Tuple[Speaker, int]] = {}
        self._current: t.Dict[GroupKey, Contest] = {}
        self.contests: t.Dict[GroupKey, Contest] = {}
        self.frames = 0
        self.ignored = 0

    @property
    def speakers(self) -> t.List[Speaker]:
        """All of them, in order."""
        return [self._speakers[key] for key in sorted(self._speakers)]

    @property
    def faults(self) -> t.List[Fault]:
        """What could not be read."""
        return list(self._faults.values())

    def hear(self, time_ns: int, frame: bytes, vlan: int = 0) -> t.Optional[Speaker]:
        """A frame; who sent it, if it is an advertisement."""
        self.frames += 1
        try:
            heard = _read(frame, vlan)
        except _Unreadable as error:
            self._remember_fault(error.fault)
            return None
        said = heard.advertisement
        group = (vlan, heard.header.family.value, said.vrid)
        key = (*group, heard.source, heard.mac, said.version)
        speaker = self._speakers.get(key)
        if speaker is None:
            if len(self._speakers) >= MOST_SPEAKERS:
                self.ignored += 1
                return None
            speaker = self._speakers[key] = heard
            speaker.first_ns = time_ns
        speaker.advertisement, speaker.header = said, heard.header
        speaker.has_authentication_header = heard.has_authentication_header
        speaker.last_ns = time_ns
        speaker.adverts += 1
        self._note_turn(speaker, time_ns)
        return speaker

    def _remember_fault(self, fault: Fault) -> None:
        key = (fault.vlan, fault.source, fault.mac, fault.code)
        if key not in self._faults and len(self._faults) >= MOST_SPEAKERS:
            self.ignored += 1
            return
        self._faults.setdefault(key, fault).count += 1

    def _note_turn(self, speaker: Speaker, time_ns: int) -> None:
        """Is somebody else, who has not said good-bye, still speaking?"""
        group = speaker.group
        if group not in self._last:
            self._last[group] = speaker, time_ns
            return
        before, before_ns = self._last[group]
        self._last[group] = speaker, time_ns
        is_same = (before.source, before.mac) == (speaker.source, speaker.mac)
        if is_same or 0 in (before.advertisement.priority, speaker.advertisement.priority):
            return
        intervals = before.advertisement.interval_cs, speaker.advertisement.interval_cs
        interval_ns = max(intervals) * NS_PER_CS
        if time_ns - before_ns > 2 * interval_ns:
            return
        contest = self._current.get(group)
        if contest is None or before_ns - contest.end_ns > 2 * interval_ns:
            contest = self._current[group] = Contest(before_ns, time_ns, interval_ns)
        contest.end_ns, contest.interval_ns = time_ns, interval_ns
        contest.speakers |= {before.name, speaker.name}
        longest = self.contests.get(group)
        if longest is None or longest.end_ns - longest.start_ns <= time_ns - contest.start_ns:
            self.contests[group] = contest


def is_advertisement(frame: bytes) -> bool:
    """True for what has VRRP's protocol number."""
    kind = frame[12:14]
    return (kind == b"\x08\x00" and frame[23:24] == b"\x70") or (
        kind == b"\x86\xdd" and frame[20:21] == b"\x70"
    )


class _Unreadable(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


def _read(frame: bytes, vlan: int) -> Speaker:
    """Who says what, in a frame without a tag; raises _Unreadable."""
    mac, packet = frame[6:12], frame[_HEADER_LENGTH:]
    source, message = b"", b""
    is_wrapped = len(packet) > 9 and packet[0] >> 4 == 4 and packet[9] == _AUTHENTICATION_HEADER
    try:
        header, message = _unwrapped(packet) if is_wrapped else split_packet(packet)
        source = header.source
        advertisement = decode_advertisement(message, header)
    except DecodeError as error:
        code, detail = error.reason.value, error.detail
        if len(message) == _CARP_LENGTH and message[0] == 0x21 and message[3] == _CARP_WORDS:
            code, detail = "carp", "CARP, virtual host %d" % message[1]
        raise _Unreadable(Fault(vlan, source, mac, code, detail)) from None
    # A password is told of, never kept.
    said = replace(advertisement, auth_data=b"")
    return Speaker(vlan, source, mac, said, header, is_wrapped)


def _unwrapped(packet: bytes) -> t.Tuple[IpHeader, bytes]:
    """The message behind an authentication header (RFC 2402), whose proof is not looked at."""
    header, rest = split_packet(packet, _AUTHENTICATION_HEADER)
    length = (rest[1] + 2) * 4 if len(rest) >= _AUTHENTICATION_HEADER_LENGTH else 0
    if not length or rest[0] != IP_PROTOCOL:
        raise DecodeError(DiscardReason.WRONG_PROTOCOL, "an authentication header without VRRP")
    return header, rest[length:]


def mac_text(mac: bytes) -> str:
    """A MAC address as people write it."""
    return mac.hex(":")
