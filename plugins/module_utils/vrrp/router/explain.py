# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transitions, and packets that nobody wants, in words. Layer L3."""

from __future__ import annotations

import functools
from typing import Any, Dict, Tuple

from ..discards import DiscardReason
from ..facts import format_address
from ..fsm.actions import Reason, Transition
from ..fsm.parameters import RouterParameters
from ..units import format_ns
from .actions import Notify
from .receive import Discard

_CAUSES = {
    "stop": "the daemon was stopped",
    "removed": "it was removed from the configuration",
    "reconfigured": "its configuration changed in a way that needs a new start",
    "drained": "it was drained",
    "sync-group": "another member of its sync group is not master",
    "interface-replaced": "its interface was replaced by another one of the same name",
}
_WORDS = {
    Reason.NO_SUCCESSOR: "no other router took over, so it takes the role back",
    Reason.SYNC_GROUP: "every member of its sync group can be master",
    Reason.RESUMED: "goes on where the process before it stopped",
}
# What is said of a thousand virtual routers is remembered once.
_once = functools.lru_cache(maxsize=256)(str)


def explain(transition: Transition, parameters: RouterParameters) -> str:
    """One sentence with the inputs that decided the transition."""
    return _once(_sentence(transition, parameters))


def _sentence(transition: Transition, parameters: RouterParameters) -> str:
    peer = format_address(transition.peer)
    silence = format_ns(transition.silence_ns) if transition.silence_ns is not None else ""
    reason = transition.reason
    if reason is Reason.STARTUP:
        return "started with priority %d, listens for a master first" % parameters.priority
    if reason is Reason.OWNER:
        return "owns the virtual addresses (priority 255), so it is master at once"
    if reason is Reason.PRIORITY_ZERO:
        return "%s released its mastership (priority 0) %s ago" % (peer, silence)
    if reason is Reason.HIGHER_PRIORITY:
        return "%s advertises priority %s, ours is %d" % (
            peer,
            transition.peer_priority,
            parameters.priority,
        )
    if reason is Reason.HIGHER_ADDRESS:
        return "%s advertises our priority %d from a higher address than our %s" % (
            peer,
            parameters.priority,
            format_address(parameters.primary_address),
        )
    if reason is Reason.STALLED:
        return "%s took over with priority %s while this router was held up" % (
            peer,
            transition.peer_priority,
        )
    if reason in _WORDS:
        return _WORDS[reason]
    if reason is Reason.PREEMPTED_LOWER:
        return "preempts a master of lower priority, ours is %d" % parameters.priority
    if reason is Reason.NO_RESPONSE and peer:
        return "nothing acceptable heard for %s, last from %s with priority %s" % (
            silence,
            peer,
            transition.peer_priority,
        )
    if reason is Reason.NO_RESPONSE:
        return "no master was heard since it began to listen"
    return _CAUSES.get(transition.cause, transition.cause)


def discarded(discard: Discard, name: str) -> Notify:
    """The note of a packet that was thrown away; name: of its virtual router, or empty."""
    source = format_address(discard.source)
    data = {"reason": discard.reason.value, "source": source, "detail": discard.detail}
    message = "discarded a packet from %s: %s" % (source or "?", discard.detail)
    return Notify("discard", name, message, data)


def remarked(remark: DiscardReason, source: bytes, name: str) -> Notify:
    """The note of an advertisement that counts, though something in it is not as it is here."""
    sender = format_address(source)
    message = "%s differs from our configuration: %s" % (sender, remark.value)
    return Notify("discard", name, message, {"reason": remark.value, "source": sender})


def told(
    transition: Transition, detail: str, parameters: RouterParameters
) -> Tuple[str, Dict[str, Any]]:
    """A transition for people, and the same for programs."""
    data: Dict[str, Any] = {
        "previous": transition.previous.value,
        "current": transition.current.value,
        "reason": transition.reason.value,
        "detail": detail,
        "priority": parameters.priority,
    }
    return _once("%s -> %s: %s" % (data["previous"], data["current"], detail)), data
