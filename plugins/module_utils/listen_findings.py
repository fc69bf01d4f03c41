# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with what was heard on a wire, and with what was not. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .listen_speakers import Contest, GroupKey, Speaker, Wire, mac_text
from .vrrp.facts import Family, format_address, is_link_local
from .vrrp.units import CS_PER_S, NS_PER_S
from .vrrp.wire.authentication import AUTH_SIMPLE_TEXT
from .vrrp.wire.constants import TTL

Finding = t.Dict[str, t.Any]

#: What can be found, worst first.
CODES = (
    "two-masters",
    "unknown-vrid",
    "unknown-router",
    "unexpected-addresses",
    "missing",
    "different-versions",
    "different-addresses",
    "different-intervals",
    "different-checksums",
    "wrong-ttl",
    "clear-text-password",
    "authentication",
    "real-mac",
    "carp",
    "unreadable",
    "too-many",
)


@dataclass(frozen=True)
class Expected:
    """A virtual router that has to be on the wire. What is left out may be anything.

    routers, addresses: those of the speaker's family count.
    """

    vrid: int
    family: t.Optional[Family] = None
    vlan: int = 0
    routers: t.Tuple[bytes, ...] = ()
    addresses: t.Tuple[bytes, ...] = ()

    def means(self, group: GroupKey) -> bool:
        """True for the virtual router that is meant."""
        vlan, family, vrid = group
        return vrid == self.vrid and self.family in (None, family) and self.vlan in (0, vlan)


def findings(wire: Wire, expected: t.Optional[t.Sequence[Expected]] = None) -> t.List[Finding]:
    """Everything worth a word, worst first; without `expected` nobody is a stranger."""
    groups: t.Dict[GroupKey, t.List[Speaker]] = {}
    for speaker in wire.speakers:
        groups.setdefault(speaker.group, []).append(speaker)
    found = []
    for group, contest in wire.contests.items():
        if contest.is_real:
            found.append(_two_masters(group, contest))
    if expected is not None:
        found += _strangers(groups, expected)
    for group, speakers in groups.items():
        found += _disagreements(group, speakers)
        for speaker in speakers:
            found += _of_speaker(speaker)
    for fault in wire.faults:
        code = "carp" if fault.code == "carp" else "unreadable"
        what = "%s: %s" % (fault.code, fault.detail) if code == "unreadable" else fault.detail
        who = "%s (%s)" % (format_address(fault.source) or "somebody", mac_text(fault.mac))
        text = "%s sent %s, %d times" % (who, what, fault.count)
        found.append(_finding(code, (fault.vlan, None, None), [fault.source], text))
    if wire.ignored:
        text = "%d frames of still more speakers were not looked at" % wire.ignored
        found.append(_finding("too-many", (0, None, None), [], text))
    return sorted(found, key=lambda each: CODES.index(each["code"]))


def _two_masters(group: GroupKey, contest: Contest) -> Finding:
    seconds = (contest.end_ns - contest.start_ns) / NS_PER_S
    names = sorted(contest.speakers)
    text = "%s advertise by turns, for %.1f s" % (" and ".join(names), seconds)
    finding = _finding("two-masters", group, [], text)
    finding["sources"] = names
    return finding


def _strangers(
    groups: t.Mapping[GroupKey, t.Sequence[Speaker]], expected: t.Sequence[Expected]
) -> t.Iterator[Finding]:
    """Who should not be here, who says something else than is meant, and who is missing."""
    for group, speakers in groups.items():
        meant = next((each for each in expected if each.means(group)), None)
        if meant is None:
            names = [speaker.source for speaker in speakers]
            text = "%s: this VRID is not expected" % " and ".join(_who(each) for each in speakers)
            yield _finding("unknown-vrid", group, names, text)
            continue
        for speaker in speakers:
            yield from _differences(speaker, meant)
    for meant in expected:
        if not any(meant.means(group) for group in groups):
            text = "nobody advertises it"
            yield _finding("missing", (meant.vlan, meant.family, meant.vrid), [], text)


def _differences(speaker: Speaker, meant: Expected) -> t.Iterator[Finding]:
    """Is it one of the routers meant, and does it say what is meant?"""
    width = len(speaker.source)
    routers = [each for each in meant.routers if len(each) == width]
    if routers and speaker.source not in routers:
        text = "%s is none of the routers expected: %s" % (_who(speaker), _listed(routers))
        yield _finding("unknown-router", speaker.group, [speaker.source], text)
    addresses = [each for each in meant.addresses if len(each) == width]
    if addresses and not _are_meant(speaker, addresses):
        said = _listed(speaker.advertisement.addresses)
        text = "%s lists %s; expected are %s" % (_who(speaker), said, _listed(addresses))
        yield _finding("unexpected-addresses", speaker.group, [speaker.source], text)


def _listed(addresses: t.Iterable[bytes]) -> str:
    return ", ".join(format_address(each) for each in addresses)


def _are_meant(speaker: Speaker, addresses: t.Sequence[bytes]) -> bool:
    """An IPv6 virtual router has a link-local address besides (RFC 9568 section 5.2.9)."""
    said, meant = set(speaker.advertisement.addresses), set(addresses)
    return meant <= said and all(is_link_local(each) for each in said - meant)


def _disagreements(group: GroupKey, speakers: t.Sequence[Speaker]) -> t.Iterator[Finding]:
    """In what the routers of one group differ."""
    subjects: t.Tuple[t.Tuple[str, t.Callable[[Speaker], str]], ...] = (
        ("different-versions", lambda each: "version %d" % each.advertisement.version),
        ("different-addresses", lambda each: ", ".join(sorted(each.addresses))),
        (
            "different-intervals",
            lambda each: "an interval of %.2f s" % (each.advertisement.interval_cs / CS_PER_S),
        ),
        ("different-checksums", _checksum),
    )
    for code, say in subjects:
        said = [(speaker, say(speaker)) for speaker in speakers]
        said = [each for each in said if each[1]]
        if len({text for _speaker, text in said}) > 1:
            text = "; ".join("%s has %s" % (_who(speaker), what) for speaker, what in said)
            yield _finding(code, group, [speaker.source for speaker, _what in said], text)


def _checksum(speaker: Speaker) -> str:
    form = speaker.advertisement.checksum_form
    return "the checksum of %s" % form.value.upper().replace("C", "C ", 1) if form else ""


def _of_speaker(speaker: Speaker) -> t.Iterator[Finding]:
    """What is wrong with one speaker, whoever else there is."""

    def finding(code: str, text: str) -> Finding:
        return _finding(code, speaker.group, [speaker.source], "%s %s" % (_who(speaker), text))

    if speaker.header.ttl != TTL:
        text = "advertises with TTL %d, not %d: a router discards that" % (speaker.header.ttl, TTL)
        yield finding("wrong-ttl", text)
    if speaker.advertisement.auth_type == AUTH_SIMPLE_TEXT:
        yield finding("clear-text-password", "sends its password in clear text")
    elif speaker.authentication != "none":
        yield finding("authentication", "authenticates itself by %s" % speaker.authentication)
    if not speaker.is_from_virtual_mac:
        text = "advertises from its real MAC: hosts learn a new one at each failover"
        yield finding("real-mac", text)


def _who(speaker: Speaker) -> str:
    return "%s (%s)" % (speaker.name, mac_text(speaker.mac))


def _finding(
    code: str,
    group: t.Tuple[int, t.Optional[Family], t.Optional[int]],
    sources: t.Sequence[bytes],
    text: str,
) -> Finding:
    vlan, family, vrid = group
    where = "VLAN %d, " % vlan if vlan else ""
    if family is not None and vrid is not None:
        where += "%s VRID %d" % (family.value, vrid)
    return {
        "code": code,
        "vlan": vlan or None,
        "family": family.value if family else None,
        "vrid": vrid,
        "sources": [format_address(each) for each in sources],
        "message": "%s: %s" % (where.rstrip(", "), text) if where else text,
    }
