# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the router over a journal and find the first step that it does otherwise. Layer L3."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Iterable, List, Optional, Tuple

from ..errors import DecodeError
from ..facts import format_address
from ..units import format_ns
from ..wire.advertisement import decode_advertisement
from ..wire.ip import split_packet
from .journal import Beginning, Recorder, Step, read
from .vrrp_router import VrrpRouter

_ETHERNET_HEADER = 14
_BROKE_OFF = "the step never ended"


@dataclass(frozen=True)
class Difference:
    """The first step with other actions or another deadline, each as a line for people."""

    step: Step
    event: str
    expected: Tuple[str, ...]
    got: Tuple[str, ...]


@dataclass(frozen=True)
class Replay:
    """What a replay found. steps: how many were alike. difference: None if all were."""

    beginning: Beginning
    steps: int
    last_ns: int
    difference: Optional[Difference]


def replay(lines: Iterable[str]) -> Replay:
    """Raises JournalError when the lines are no journal."""
    beginning, router, entries = read(lines)
    recorder = Recorder(router)
    steps, last_ns = 0, beginning.at_ns
    for step in entries:
        difference = _compare(router, recorder, step)
        if difference is not None:
            return Replay(beginning, steps, step.at_ns, difference)
        steps, last_ns = steps + 1, step.at_ns
    return Replay(beginning, steps, last_ns, None)


def _compare(router: VrrpRouter, recorder: Recorder, step: Step) -> Optional[Difference]:
    try:
        actions = recorder.actions(router.step(step.event, step.at_ns))
        deadline_ns = router.deadline_ns
    except Exception as error:  # a crash is a result, too: it may be the recorded one
        if step.actions is None:
            return None
        got: Tuple[str, ...] = ("%s: %s" % (type(error).__name__, error),)
        return Difference(step, in_words(step.event), _recorded_in_words(step), got)
    # As text: a tuple is a list in JSON.
    same = step.actions is not None and json.dumps(actions) == json.dumps(step.actions)
    if same and deadline_ns == step.deadline_ns:
        return None
    got = _in_words(actions, deadline_ns, step.at_ns)
    return Difference(step, in_words(step.event), _recorded_in_words(step), got)


def _recorded_in_words(step: Step) -> Tuple[str, ...]:
    if step.actions is None:
        return (_BROKE_OFF,)
    return _in_words(step.actions, step.deadline_ns, step.at_ns)


def _in_words(actions: Iterable[Any], deadline_ns: Optional[int], now_ns: int) -> Tuple[str, ...]:
    wait = "no deadline"
    if deadline_ns is not None:
        wait = "to be woken in %s (at %d)" % (format_ns(deadline_ns - now_ns), deadline_ns)
    return (*(action_in_words(action) for action in actions), wait)


def in_words(event: Any) -> str:
    """An event as a line for people."""
    name = type(event).__name__
    try:
        packets = [
            "on link %s: %s" % (packet.ifindex, packet_in_words(packet.data))
            for packet in getattr(event, "packets", ())
        ]
    except (AttributeError, TypeError):  # a journal may say anything of them
        packets = []
    if packets:
        return "%s %s" % (name, "; ".join(packets))
    return str(event) if len(str(event)) < 200 else str(event)[:197] + "..."


def action_in_words(document: Any) -> str:
    """A recorded action as a line for people; as it is when it is none of ours."""
    try:
        ((name, content),) = document.items()
        if name == "TransmitFrame":
            frame = bytes.fromhex(content["frame"]["x"])
            words = packet_in_words(frame[_ETHERNET_HEADER:])
            return "send on link %d: %s" % (content["ifindex"], words)
        if name == "Notify":
            return "note %s %s: %s" % (content["kind"], content["name"], content["message"])
    except (AttributeError, KeyError, TypeError, ValueError):
        pass  # shown as it is
    return json.dumps(document)


def packet_in_words(packet: bytes) -> str:
    """An IP packet as far as it can be read, then its octets."""
    words: List[str] = []
    try:
        header, message = split_packet(packet)
        words.append("from %s" % format_address(header.source))
        advert = decode_advertisement(message, header)
        words.append(
            "advertisement version %d VRID %d priority %d interval %d cs for %s"
            % (
                advert.version,
                advert.vrid,
                advert.priority,
                advert.interval_cs,
                " ".join(format_address(address) for address in advert.addresses),
            )
        )
    except DecodeError as error:
        words.append("no advertisement (%s)" % error.detail)
    return "%s [%s]" % (", ".join(words), packet.hex())
