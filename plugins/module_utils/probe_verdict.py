# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers about a gateway mean: is it VRRP, who stands behind it, what is wrong. Pure."""

from __future__ import annotations

import typing as t

from .listen_findings import findings
from .listen_speakers import Speaker, mac_text
from .probe_inquiry import Gateway, Inquiry, vrid_of
from .vrrp.facts import format_address

#: What vrrp_listen finds of this group that hosts would notice.
SERIOUS = ("two-masters", "wrong-ttl", "different-versions", "different-addresses")


def verdict(inquiry: Inquiry, seconds: float) -> t.Dict[str, t.Any]:
    """What vrrp_probe returns of one gateway. seconds: for how long we listened."""
    gateway, speakers = inquiry.gateway, inquiry.speakers()
    answers = sorted(inquiry.asking.answers)
    vrids = {vrid_of(each.mac, gateway.family) for each in answers} - {0}
    vrids |= {each.advertisement.vrid for each in speakers}
    router = inquiry.tracing.router if inquiry.tracing else None
    return {
        "address": format_address(gateway.address),
        "name": gateway.name or None,
        "family": gateway.family.value,
        "interface": gateway.interface,
        "is_vrrp": bool(vrids),
        "vrid": min(vrids) if len(vrids) == 1 else None,
        "version": speakers[0].advertisement.version if speakers else None,
        "macs": sorted({mac_text(each.mac) for each in answers}),
        "router": format_address(router.address) if router else None,
        # To a link-local address Linux sends such an error from the virtual MAC.
        "router_mac": mac_text(router.mac)
        if router and not _is_virtual(router.mac, gateway)
        else None,
        "speakers": [_speaker(inquiry, each) for each in speakers],
        "problems": list(_problems(inquiry, speakers, seconds)),
    }


def _speaker(inquiry: Inquiry, speaker: Speaker) -> t.Dict[str, t.Any]:
    macs = _real_macs(inquiry, speaker)
    return {**speaker.as_dict(), "real_mac": mac_text(macs[0]) if len(macs) == 1 else None}


def _real_macs(inquiry: Inquiry, speaker: Speaker) -> t.List[bytes]:
    """Where the router is that advertises; an address owner does not tell."""
    asking = inquiry.real_macs.get(speaker.source)
    return sorted({each.mac for each in asking.answers}) if asking else []


def _problems(inquiry: Inquiry, speakers: t.List[Speaker], seconds: float) -> t.Iterator[str]:
    gateway = inquiry.gateway
    found = [*_of_answers(inquiry, speakers), *_of_adverts(inquiry, speakers, seconds)]
    router = inquiry.tracing.router if inquiry.tracing else None
    known = {mac: each for each in speakers for mac in _real_macs(inquiry, each)}
    if router and known and router.mac not in known and not _is_virtual(router.mac, gateway):
        text = "%s (%s) forwards, but %s advertises"
        names = " and ".join(sorted(each.name for each in known.values()))
        found.append(text % (format_address(router.address), mac_text(router.mac), names))
    name = " (%s)" % gateway.name if gateway.name else ""
    where = "%s%s on %s: " % (format_address(gateway.address), name, gateway.interface)
    return (where + each for each in found)


def _of_answers(inquiry: Inquiry, speakers: t.List[Speaker]) -> t.Iterator[str]:
    gateway = inquiry.gateway
    answers = sorted(inquiry.asking.answers)
    macs = sorted({each.mac for each in answers})
    if not macs:
        yield "nobody answers for it"
    if len(macs) > 1:
        text = ", ".join(mac_text(each) for each in macs)
        yield "%d MAC addresses answer for it: %s" % (len(macs), text)
    for mac in macs:
        if gateway.virtual_mac and mac != gateway.virtual_mac:
            wanted = mac_text(gateway.virtual_mac)
            yield "answered from %s, not from the virtual MAC %s" % (mac_text(mac), wanted)
        elif not gateway.virtual_mac and speakers and not _is_virtual(mac, gateway):
            yield "advertised by VRRP, but answered from the real MAC %s" % mac_text(mac)
        elif not _is_virtual(mac, gateway):
            yield "no VRRP: answered from the real MAC %s, and no advertisement" % mac_text(mac)
    for each in answers:
        if each.mac != each.sent_from:
            text = "answers that it is at %s, but from %s: a switch does not learn where it is"
            yield text % (mac_text(each.mac), mac_text(each.sent_from))


def _of_adverts(inquiry: Inquiry, speakers: t.List[Speaker], seconds: float) -> t.Iterator[str]:
    gateway = inquiry.gateway
    vrids = inquiry.vrids()
    for vrid in sorted(vrids - {each.advertisement.vrid for each in speakers}):
        yield "no advertisement of VRID %d was heard within %.1f s" % (vrid, seconds)
    wanted = vrid_of(gateway.virtual_mac, gateway.family)
    for speaker in speakers:
        vrid = speaker.advertisement.vrid
        if gateway.address not in speaker.advertisement.addresses:
            listed = ", ".join(speaker.addresses)
            yield "%s advertises VRID %d with %s instead" % (speaker.name, vrid, listed)
        elif wanted and vrid != wanted:
            yield "%s advertises VRID %d, not the expected %d" % (speaker.name, vrid, wanted)
    groups = {(each.header.family.value, each.advertisement.vrid) for each in speakers}
    for finding in findings(inquiry.wire):
        if finding["code"] in SERIOUS and (finding["family"], finding["vrid"]) in groups:
            yield finding["message"]


def _is_virtual(mac: bytes, gateway: Gateway) -> bool:
    return vrid_of(mac, gateway.family) > 0
