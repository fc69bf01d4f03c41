# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transitions in words: every reason has a sentence with the inputs that decided it."""

import pytest
from engine_kit.values import HIGHER, NS_PER_S, parameters

from vrrp.fsm.actions import Reason, Transition
from vrrp.fsm.states import State
from vrrp.router.explain import explain

SENTENCES = {
    Reason.STARTUP: ("priority 100",),
    Reason.OWNER: ("owns the virtual addresses", "255"),
    Reason.NO_RESPONSE: ("3.609s", "198.18.10.6", "priority 150"),
    Reason.PRIORITY_ZERO: ("198.18.10.6", "released", "3.609s ago"),
    Reason.PREEMPTED_LOWER: ("preempts", "100"),
    Reason.HIGHER_PRIORITY: ("198.18.10.6", "150", "100"),
    Reason.HIGHER_ADDRESS: ("198.18.10.6", "higher address", "198.18.10.5"),
    Reason.SHUTDOWN: ("daemon was stopped",),
    Reason.HAND_OVER: ("it was drained",),
    Reason.NO_SUCCESSOR: ("no other router", "takes the role back"),
    Reason.SYNC_GROUP: ("every member of its sync group",),
    Reason.STALLED: ("198.18.10.6 took over", "priority 150", "held up"),
    Reason.RESUMED: ("process before it",),
}


CAUSES = {Reason.HAND_OVER: "drained"}


def sentence(reason, peer=HIGHER, cause="stop"):
    silence_ns = 3_609 * NS_PER_S // 1000 if peer else None
    priority = 150 if peer else None
    transition = Transition(
        State.BACKUP, State.MASTER, reason, peer, priority, silence_ns, cause=cause
    )
    return explain(transition, parameters())


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_tells_its_inputs(reason):
    for part in SENTENCES[reason]:
        assert part in sentence(reason, cause=CAUSES.get(reason, "stop"))


def test_a_silent_lan_is_told_without_a_peer():
    assert sentence(Reason.NO_RESPONSE, peer=b"") == "no master was heard since it began to listen"


def test_causes_of_a_shutdown_are_sentences():
    assert "removed from the configuration" in sentence(Reason.SHUTDOWN, cause="removed")
    assert "new start" in sentence(Reason.SHUTDOWN, cause="reconfigured")
    assert "replaced" in sentence(Reason.SHUTDOWN, cause="interface-replaced")
    assert sentence(Reason.SHUTDOWN, cause="interface x is down") == "interface x is down"
