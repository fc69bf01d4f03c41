# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a router's process leaves to the one that goes on after it. Layer L3.

Memories are found by identity, so whoever inherits may have another configuration; who has no
memory starts as usual. As a document they cross from one release to another: what a reader does
not know it passes over, what is missing has a default, and who lacks what it needs starts as usual.

    {"format": 1, "drained": [id, ..], "trackers": {name: true, ..},
     "routers": {id: {"state": .., "deadline_ns": .., "master_adver_interval_cs": ..,
                      "since_ns": .., "peer_heard_ns": .., "checksum_heard": .. or null,
                      "peer": {"source": hex, "priority": .., "interval_cs": ..} or null}, ..}}

and what nothing depends on, a document of its own that may come later:

    {id: {"counters": {name: number, ..}, "occurrences": [[at_ns, kind, words], ..]}, ..}
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, Mapping, Optional, Tuple

from ..fsm.events import AdvertisementReceived, Memory
from ..fsm.states import parse_state
from ..wire.checksum import ChecksumForm
from .bound_router import Occurrence

if TYPE_CHECKING:
    from .vrrp_router import VrrpRouter

# Of another format nothing is understood; new keys are no other format.
FORMAT = 1
# What documents raise that nobody of ours has written.
_REFUSALS = (AttributeError, KeyError, OverflowError, TypeError, ValueError)


@dataclass(frozen=True)
class Past:
    """What only `show` and `why` tell, and what was learned of the LAN.

    checksum_heard: the form that the others send, and want. occurrences: (at_ns, kind, sentence).
    """

    counters: Mapping[str, int] = field(default_factory=dict)
    occurrences: Tuple[Tuple[int, str, str], ...] = ()
    checksum_heard: Optional[ChecksumForm] = None


@dataclass(frozen=True)
class Inheritance:
    """memories, pasts and drained (or ALL): by BoundRouter.id. trackers: by name, True is well."""

    memories: Mapping[str, Memory] = field(default_factory=dict)
    trackers: Mapping[str, bool] = field(default_factory=dict)
    pasts: Mapping[str, Past] = field(default_factory=dict)
    drained: FrozenSet[str] = frozenset()


def written(router: VrrpRouter) -> Dict[str, Any]:
    """The document of a router between two steps."""
    trackers = {name: state.ok for name, state in router.trackers.items() if state.ok is not None}
    routers: Dict[str, Any] = {}
    for bound in router.bound_routers():
        memory = bound.machine.memory() if bound.machine else None
        heard = bound.peers.checksum_heard
        routers[bound.id] = {
            **(_written_memory(memory) if memory else {}),
            "checksum_heard": heard.value if heard else None,
        }
    drained = sorted(router.drained)
    return {"format": FORMAT, "drained": drained, "trackers": trackers, "routers": routers}


def written_pasts(router: VrrpRouter) -> Dict[str, Any]:
    """What may follow later: by id, counters and occurrences."""
    return {
        bound.id: {
            "counters": dict(bound.counters),
            "occurrences": [[each.at_ns, each.kind, each.sentence] for each in bound.occurrences],
        }
        for bound in router.bound_routers()
    }


def _written_memory(memory: Memory) -> Dict[str, Any]:
    peer = memory.peer
    return {
        "state": memory.state.value,
        "deadline_ns": memory.deadline_ns,
        "master_adver_interval_cs": memory.master_adver_interval_cs,
        "since_ns": memory.since_ns,
        "peer": None
        if peer is None
        else {
            "source": peer.source.hex(),
            "priority": peer.priority,
            "interval_cs": peer.interval_cs,
        },
        "peer_heard_ns": memory.peer_heard_ns,
    }


def read(document: Any) -> Inheritance:
    """The inheritance in a document. Raises ValueError for one that cannot be understood."""
    try:
        if document["format"] != FORMAT:
            raise ValueError("format %r is not known here" % (document["format"],))
        routers = document.get("routers", {})
        memories = {name: _read_memory(each) for name, each in routers.items()}
        return Inheritance(
            memories={name: memory for name, memory in memories.items() if memory is not None},
            trackers={name: bool(ok) for name, ok in document.get("trackers", {}).items()},
            pasts=read_pasts(routers),
            drained=frozenset(str(each) for each in document.get("drained", ())),
        )
    except _REFUSALS as error:
        raise ValueError("unreadable inheritance: %s" % error) from None


def recall(router: VrrpRouter, pasts: Mapping[str, Past]) -> None:
    """Give a router what it did in another process."""
    for bound in router.bound_routers():
        past = pasts.get(bound.id)
        if past is None:
            continue
        since = tuple(bound.occurrences)
        bound.occurrences.clear()
        bound.occurrences.extend(Occurrence(*each) for each in past.occurrences)
        bound.occurrences.extend(since)
        for name, count in past.counters.items():
            bound.counters[name] = bound.counters.get(name, 0) + count
        if bound.peers.checksum_heard is None:
            bound.peers.checksum_heard = past.checksum_heard


def read_pasts(document: Any) -> Dict[str, Past]:
    """By id. Raises ValueError for a document that cannot be understood."""
    try:
        return {name: _read_past(each) for name, each in document.items()}
    except _REFUSALS as error:
        raise ValueError("unreadable past: %s" % error) from None


def _read_memory(document: Mapping[str, Any]) -> Optional[Memory]:
    state, deadline_ns = document.get("state"), document.get("deadline_ns")
    interval_cs = document.get("master_adver_interval_cs")
    if state is None or deadline_ns is None or interval_cs is None:
        return None
    peer = document.get("peer")
    heard = None
    if peer is not None:
        source = bytes.fromhex(peer["source"])
        heard = AdvertisementReceived(source, int(peer["priority"]), int(peer["interval_cs"]))
    return Memory(
        state=parse_state(state),
        deadline_ns=int(deadline_ns),
        master_adver_interval_cs=int(interval_cs),
        since_ns=int(document.get("since_ns", deadline_ns)),
        peer=heard,
        peer_heard_ns=int(document.get("peer_heard_ns", 0)),
    )


def _read_past(document: Mapping[str, Any]) -> Past:
    heard: Any = document.get("checksum_heard")
    forms = {form.value: form for form in ChecksumForm}
    return Past(
        counters={str(name): int(count) for name, count in document.get("counters", {}).items()},
        occurrences=tuple(
            (int(at_ns), str(kind), str(words))
            for at_ns, kind, words in document.get("occurrences", ())
        ),
        checksum_heard=forms.get(heard),
    )
