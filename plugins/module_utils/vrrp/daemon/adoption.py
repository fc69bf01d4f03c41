# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Going on as master where an earlier process died a moment ago. Layer L5. Pure.

Who held the addresses and advertised less than three intervals ago is still the master for all the
others: no backup can have taken over. Whatever is not adopted is removed by the first apply.
"""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Sequence, Tuple

from ..config.model import RouterConfig, VirtualRouterConfig
from ..facts import HeldDevice, LinkFacts
from ..fsm.events import Memory
from ..fsm.states import State
from ..fsm.timing import slotted_ns
from ..router.inheritance import Inheritance, Past
from ..units import NS_PER_S, ns_from_cs
from ..wire.constants import virtual_mac
from .heartbeat import Beat, Wire

# A backup waits that many intervals, and its skew time, before it takes over.
MASTER_INTERVALS = 3


def adopted(
    config: RouterConfig,
    links: Sequence[LinkFacts],
    held: Sequence[HeldDevice],
    beats: Mapping[Wire, Beat],
    now_ns: int,
) -> Inheritance:
    """The virtual routers that an earlier process was master of, and whose role nobody took."""
    ifindexes = {link.name: link.ifindex for link in links}
    devices = {(device.parent_ifindex, device.mac): device for device in held}
    found: Dict[str, Tuple[VirtualRouterConfig, Beat]] = {}
    for each in config.virtual_routers:
        wire = (ifindexes.get(each.interface, 0), virtual_mac(each.family, each.vrid))
        beat = beats.get(wire)
        if beat is not None and _is_fresh(beat, now_ns) and _holds(devices.get(wire), each):
            found[each.name] = (each, beat)
    for group in config.sync_groups:  # all of them or none
        if not all(name in found for name in group.members):
            for name in group.members:
                found.pop(name, None)
    return Inheritance(
        memories={str(each.key): _memory(each, beat, now_ns) for each, beat in found.values()},
        pasts={str(each.key): Past(checksum_heard=beat.checksum) for each, beat in found.values()},
    )


def sentence(inheritance: Inheritance, beats: Mapping[Wire, Beat], now_ns: int) -> Optional[str]:
    """What to log; None when there is nothing to tell."""
    if not inheritance.memories:
        return None
    silences_ns = [beat.silence_ns(now_ns) for beat in beats.values()]
    silence_ns = min((each for each in silences_ns if each is not None), default=0)
    count = len(inheritance.memories)
    return "adopted %d virtual routers, silent for %d ms" % (count, silence_ns * 1000 // NS_PER_S)


def _is_fresh(beat: Beat, now_ns: int) -> bool:
    silence_ns = beat.silence_ns(now_ns)
    # What the others heard counts, not what a new configuration says.
    return silence_ns is not None and silence_ns < MASTER_INTERVALS * ns_from_cs(beat.interval_cs)


def _holds(device: Optional[HeldDevice], config: VirtualRouterConfig) -> bool:
    """One of them is enough: the configuration may have changed meanwhile."""
    if device is None:
        return False
    return any(address.address in config.addresses for address in device.addresses)


def _memory(config: VirtualRouterConfig, beat: Beat, now_ns: int) -> Memory:
    """Advertise now: the next advertisement was due long ago."""
    interval_cs = config.advertisement_interval_cs
    return Memory(
        state=State.MASTER,
        deadline_ns=slotted_ns(now_ns, interval_cs),
        master_adver_interval_cs=interval_cs,
        since_ns=beat.sent_ns,
    )
