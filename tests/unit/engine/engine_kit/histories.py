# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random lives of a router: everything that can happen to it, in an order that a seed decides."""

import random
from typing import Iterator, Tuple

from engine_kit.packets import V2, V3, V3_IPV6, solicitation
from engine_kit.values import HIGHER, LOWER, NS_PER_MS, T0, config, group, group6, link, ping
from vrrp.config.model import LeaseMode, RouterAdvertisements, RouterConfig, TrackReference
from vrrp.facts import LinkFacts, ProbeResult, ReceivedPacket, Repair
from vrrp.router.events import (
    ALL,
    ConfigReplaced,
    DrainChanged,
    LinksChanged,
    PacketReceived,
    Repaired,
    RouterEvent,
    SolicitationReceived,
    Tick,
    TrackerReported,
)

PASSWORD = "hunter2"
WITH_PASSWORD = V2.but(auth_type=1, auth_data=b"hunter2\0")
LINKS = ((link(),), (link(), link("lan1", 8, addresses=("198.18.20.5/24",))), (link(mtu=1400),))
LINKS += ((link(is_up=False),), ())  # type: ignore[assignment]
TOLD = RouterAdvertisements(enabled=True, max_interval_cs=400)
TRACK = (TrackReference("uplink", 101),)
PARTS = (frozenset({"lan0/ipv4/10"}), frozenset({"lan1/ipv4/20", "nobody"}))
DRAINS = (frozenset(), frozenset({ALL}), *PARTS)
REPAIRS = (Repair("vg-vlan10", "it was down"), Repair("", "a sysctl was changed"))


def configurations() -> Tuple[RouterConfig, ...]:
    """Versions, families, priorities, an owner, a tracker, a password, router advertisements,
    sync groups, other names."""
    uplink = ping(fall=2, rise=2)
    return (
        config(group(), group6()),
        config(
            group(priority=150, track=TRACK, accept=False),
            group6(router_advertisements=TOLD),
            trackers=(uplink,),
        ),
        config(group(version=2, password=PASSWORD), group("b", interface="lan1", vrid=20)),
        config(group(priority=255, addresses=("198.18.10.5",)), trackers=(uplink,)),
        config(group(preempt_delay_cs=300, advertisement_interval_cs=10)),
        config(),
        config(group(), group6(), sync={"g": ("vlan10", "vlan10-v6")}),
        config(
            group("renamed", advertisement_interval_cs=10),
            group("b", interface="lan1", vrid=20, advertisement_interval_cs=10),
            sync={"g": ("renamed", "b")},
            leases=LeaseMode.OFF,
        ),
    )


def packets() -> Tuple[bytes, ...]:
    """Good ones, and some of each kind of bad ones."""
    good = [
        packet.but(priority=priority, source=source)
        for packet in (V3, V2, WITH_PASSWORD)
        for priority in (0, 50, 100, 200, 255)
        for source in (LOWER, HIGHER)
    ]
    good += [V3_IPV6.but(priority=priority) for priority in (0, 100, 255)]
    bad = [
        V3.but(ttl=254),
        V3.but(checksum_error=1),
        V3.but(vrid=99),
        V3.but(version=7),
        V2.but(auth_type=1, auth_data=b"letmein\0"),
        WITH_PASSWORD.but(tail=b"\0"),
        WITH_PASSWORD.but(checksum_error=1),
        WITH_PASSWORD.but(fragment=8),
        V3.but(message_only=True),
        V3_IPV6.but(checksum_error=1),
    ]
    return tuple(packet.octets() for packet in good + bad) + (b"", b"\x45", bytes(60))


def history(seed: int, steps: int) -> Iterator[Tuple[RouterEvent, int]]:
    """Events with their times. Short waits are frequent, so that timers expire and are renewed."""
    choose = random.Random(seed)
    heard, wanted = packets(), configurations()
    now_ns = T0
    for _step in range(steps):
        now_ns += choose.choice((0, 1, 7, 20, 100, 400, 1000)) * NS_PER_MS
        kind = choose.random()
        if kind < 0.45:
            ifindex = choose.choice((7, 7, 7, 8, 9))
            packet = ReceivedPacket(ifindex, choose.choice(heard))
            yield PacketReceived(packet), now_ns
        elif kind < 0.5:
            asked = solicitation(hop_limit=choose.choice((255, 255, 64)))
            yield SolicitationReceived(choose.choice((7, 7, 9)), asked), now_ns
        elif kind < 0.85:
            yield Tick(), now_ns
        elif kind < 0.91:
            yield ConfigReplaced(choose.choice(wanted)), now_ns
        elif kind < 0.94:
            yield LinksChanged(choose.choice((LINKS[0], *LINKS))), now_ns
        elif kind < 0.97:
            forced = choose.random() < 0.3
            yield DrainChanged(choose.choice(DRAINS), forced), now_ns
        elif kind < 0.98:
            yield Repaired(REPAIRS), now_ns
        else:
            yield TrackerReported(ProbeResult("uplink", choose.random() < 0.5, "said so")), now_ns


def first_links() -> Tuple[LinkFacts, ...]:
    """Those that a history begins with."""
    return LINKS[0]
