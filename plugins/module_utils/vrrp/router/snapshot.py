# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `show` prints: the whole router as one JSON-ready document. Layer L3.

Shapes and names are documented in docs/control.md; counters are named after RFC 8347.
"""

from __future__ import annotations

from typing import Any, Dict, Optional

from ..config.resolve import effective_profile
from ..facts import format_address
from ..fsm.actions import Reason
from ..fsm.states import State
from ..wire.checksum import ChecksumForm
from ..wire.constants import virtual_mac
from .bound_router import BoundRouter, Occurrence, PastTransition
from .desired import DEVICE_PREFIX
from .gaps import in_document
from .peers import Peer
from .tracking import TrackerState
from .vrrp_router import VrrpRouter

FORMAT = 1

# Always shown, also while zero; others appear with their first event.
_COUNTERS = (
    "master-transitions",
    "advertisement-rcvd",
    "advertisement-sent",
    "priority-zero-pkts-rcvd",
    "priority-zero-pkts-sent",
)

# RFC 8347 new-master-reason.
_NEW_MASTER_REASON = {
    Reason.OWNER: "priority",
    Reason.PREEMPTED_LOWER: "preempted",
    Reason.PRIORITY_ZERO: "no-response",
    Reason.NO_RESPONSE: "no-response",
    Reason.NO_SUCCESSOR: "no-response",
}


def snapshot(router: VrrpRouter, now_ns: int) -> Dict[str, Any]:
    """The document of `show.routers` but for its `engine` part, which the daemon knows."""
    return {
        **overview(router),
        "routers": [shown(router, b, now_ns) for b in router.bound_routers()],
    }


def overview(router: VrrpRouter) -> Dict[str, Any]:
    """The same without its virtual routers, which are shown one by one where there are many."""
    return {
        "format": FORMAT,
        "trackers": [_tracker(router.trackers[name]) for name in sorted(router.trackers)],
        "counters": dict(sorted(router.counters.items())),
    }


def shown(router: VrrpRouter, bound: BoundRouter, now_ns: int) -> Dict[str, Any]:
    """One virtual router, with what it is as a part of the whole."""
    return {
        **_router(bound, now_ns),
        "drained": router.is_drained(bound),
        "leaving": bound.is_leaving,
        "sync_group": router.sync_group_of(bound),
        "lease_s": bound.lease_s(router.config.uses_leases),
    }


def _router(bound: BoundRouter, now_ns: int) -> Dict[str, Any]:
    config = bound.config
    mac = virtual_mac(config.family, config.vrid)
    document: Dict[str, Any] = {
        "name": config.name,
        "interface": config.interface,
        "family": config.family.value,
        "vrid": config.vrid,
        "version": config.version,
        "state": bound.state.value,
        "waiting": bound.waiting.sentence if bound.waiting else None,
        "priority": config.priority,
        "virtual_mac": ":".join("%02x" % octet for octet in mac),
        "device": DEVICE_PREFIX + config.name,
        "advertisement_interval_cs": config.advertisement_interval_cs,
        "preempt": config.preempt,
        "preempt_delay_cs": config.preempt_delay_cs,
        "accept": config.accept,
        "router_advertisements": _router_advertisements(bound, now_ns),
        "profile": effective_profile(config).value,
        "authentication": "simple-text" if config.password else "none",
        "checksum_heard": _checksum(bound.peers.checksum_heard),
        "peers": [_peer(address, peer, now_ns) for address, peer in bound.peers.sorted()],
        "new_master_reason": _new_master_reason(bound),
        "transitions": [_transition(past, now_ns) for past in bound.history],
        "occurrences": [_occurrence(past, now_ns) for past in bound.occurrences],
        "gaps": {
            "sent": in_document(bound.sent_gap, now_ns),
            "heard": in_document(bound.heard_gap, now_ns),
        },
        "counters": {**dict.fromkeys(_COUNTERS, 0), **dict(sorted(bound.counters.items()))},
    }
    document.update(_machine(bound, now_ns))
    return document


def _machine(bound: BoundRouter, now_ns: int) -> Dict[str, Any]:
    """The part that only a virtual router with a link can tell; otherwise its empty form."""
    if bound.machine is None:
        return {
            "state_age_ns": None,
            "owner": bound.config.priority == 255,
            "effective_priority": None,
            "addresses": [format_address(address) for address in bound.config.addresses],
            "primary_address": None,
            "master_address": None,
            "master_priority": None,
            "master_adver_interval_cs": None,
            "skew_time_ns": None,
            "master_down_interval_ns": None,
        }
    machine = bound.machine.snapshot(now_ns)
    parameters = bound.parameters
    return {
        "state_age_ns": machine.state_age_ns,
        "owner": parameters.is_owner,
        "effective_priority": parameters.priority,
        "addresses": [format_address(address) for address in parameters.addresses],
        "primary_address": format_address(parameters.primary_address),
        "master_address": format_address(machine.master) or None,
        "master_priority": machine.master_priority,
        "master_adver_interval_cs": machine.master_adver_interval_cs,
        "skew_time_ns": machine.skew_time_ns,
        "master_down_interval_ns": machine.master_down_interval_ns,
    }


def _peer(address: bytes, peer: Peer, now_ns: int) -> Dict[str, Any]:
    return {
        "address": format_address(address),
        "priority": peer.priority,
        "version": peer.version,
        "checksum": _checksum(peer.checksum_form),
        "last_heard_age_ns": now_ns - peer.heard_ns,
        "advertisements": peer.advertisements,
    }


def _checksum(form: Optional[ChecksumForm]) -> Optional[str]:
    return form.value if form else None


def _router_advertisements(bound: BoundRouter, now_ns: int) -> Optional[Dict[str, Any]]:
    settings = bound.config.router_advertisements
    if not settings.enabled:
        return None
    deadline_ns = bound.router_advertiser.deadline_ns
    return {
        "lifetime_s": settings.lifetime_s,
        "prefixes": [
            "%s/%d" % (format_address(each.prefix.address), each.prefix.prefix_length)
            for each in settings.prefixes
        ],
        "next_ns": None if deadline_ns is None else max(0, deadline_ns - now_ns),
    }


def _new_master_reason(bound: BoundRouter) -> Optional[str]:
    if bound.state is not State.MASTER:
        return "not-master"
    return _NEW_MASTER_REASON.get(bound.history[-1].transition.reason)


def _transition(past: PastTransition, now_ns: int) -> Dict[str, Any]:
    return {
        "age_ns": now_ns - past.at_ns,
        "previous": past.transition.previous.value,
        "current": past.transition.current.value,
        "reason": past.transition.reason.value,
        "detail": past.detail,
    }


def _occurrence(past: Occurrence, now_ns: int) -> Dict[str, Any]:
    return {"age_ns": now_ns - past.at_ns, "kind": past.kind, "sentence": past.sentence}


def _tracker(tracker: TrackerState) -> Dict[str, Any]:
    return {
        "name": tracker.config.name,
        "kind": tracker.config.kind.value,
        "ok": tracker.ok,
        "detail": tracker.detail,
    }
