# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds after every sequence of events, drawn at random."""

from typing import List, Tuple

from engine_kit.machines import advert
from engine_kit.values import HIGHER, KEY, LOWER, NS_PER_S, OURS, T0, ip, parameters
from hypothesis import given, settings
from hypothesis import strategies as st

from vrrp.fsm.actions import (
    AnnounceAddresses,
    ClaimAddresses,
    Reason,
    ReleaseAddresses,
    SendAdvertisement,
    Transition,
)
from vrrp.fsm.events import (
    HandOver,
    Memory,
    ParametersChanged,
    Resume,
    Shutdown,
    Startup,
    Takeover,
    Tick,
)
from vrrp.fsm.states import State
from vrrp.fsm.virtual_router import VirtualRouter

versions = st.sampled_from((2, 3))
intervals = {
    2: st.integers(1, 255).map(lambda seconds: seconds * 100),
    3: st.integers(1, 4095),
}
address_lists = st.sampled_from(((ip("198.18.10.254"),), (ip("198.18.10.254"), ip("198.18.10.1"))))


def some_parameters(version: int) -> st.SearchStrategy:
    return st.builds(
        lambda **drawn: parameters(version=version, **drawn),
        priority=st.integers(1, 255),
        advertisement_interval_cs=intervals[version],
        preempt=st.booleans(),
        preempt_delay_ns=st.sampled_from((0, NS_PER_S, 15 * NS_PER_S)),
        addresses=address_lists,
        waits_for_group=st.booleans(),
    )


def some_memory(version: int) -> st.SearchStrategy:
    """Also such as no machine of ours would leave."""
    heard = st.builds(advert, st.integers(0, 255), st.just(HIGHER), intervals[version])
    return st.builds(
        Memory,
        state=st.sampled_from(State),
        deadline_ns=st.integers(T0 - 10**10, T0 + 10**12),
        master_adver_interval_cs=intervals[version],
        since_ns=st.integers(0, T0),
        peer=st.one_of(st.none(), heard),
        peer_heard_ns=st.integers(0, T0),
    )


def some_events(version: int) -> st.SearchStrategy:
    event = st.one_of(
        st.just(Tick()),
        st.just(Tick()),
        st.just(Startup()),
        st.just(Shutdown()),
        st.just(HandOver("drained")),
        st.sampled_from((Reason.SYNC_GROUP, Reason.NO_SUCCESSOR)).map(Takeover),
        some_memory(version).map(Resume),
        st.builds(
            advert,
            st.sampled_from((0, 1, 99, 100, 101, 254, 255)),
            st.sampled_from((LOWER, OURS, HIGHER)),
            intervals[version],
        ),
        some_parameters(version).map(ParametersChanged),
    )
    # None: exactly when the machine wants to be woken.
    wait_ns = st.one_of(st.none(), st.integers(0, 10**10), st.integers(0, 10**14))
    return st.lists(st.tuples(wait_ns, event), max_size=40)


class Holder:
    """What the actions of a machine have done to the addresses."""

    def __init__(self) -> None:
        self.claims = False
        self.state = State.INITIALIZE

    def carry_out(self, actions: Tuple[object, ...]) -> None:
        for action in actions:
            if isinstance(action, ClaimAddresses):
                self.claims = True
            elif isinstance(action, AnnounceAddresses):
                assert self.claims, "announced what it does not have"
            elif isinstance(action, ReleaseAddresses):
                assert self.claims, "released what it did not have"
                self.claims = False
            elif isinstance(action, Transition):
                assert action.previous is self.state is not action.current
                self.state = action.current


def check_step(router: VirtualRouter, holder: Holder, event: object, now_ns: int) -> None:
    was_due = router.deadline_ns is not None and now_ns >= router.deadline_ns
    before = (router.state, router.deadline_ns, router.snapshot(now_ns))
    actions = router.step(event, now_ns)
    holder.carry_out(actions)
    assert holder.state is router.state, "every change of state is told"
    assert (router.deadline_ns is None) == (router.state is State.INITIALIZE)
    assert holder.claims == (router.state is State.MASTER)
    if isinstance(event, Tick):
        if not was_due:
            assert actions == ()
            assert (router.state, router.deadline_ns, router.snapshot(now_ns)) == before
        else:
            waits = before[0] is State.BACKUP and router.parameters.waits_for_group
            assert router.state is (State.BACKUP if waits else State.MASTER)
            assert router.wants_mastership is waits
            assert router.deadline_ns > now_ns, "an answered timer is set anew"
    assert not router.wants_mastership or router.state is State.BACKUP
    sent = [each.priority for each in actions if isinstance(each, SendAdvertisement)]
    assert len(sent) <= 1
    if sent:
        ours = router.parameters.priority
        assert sent == [ours if router.state is State.MASTER else 0]
        assert before[0] is State.MASTER or router.state is State.MASTER
        assert isinstance(actions[0], SendAdvertisement), "the advertisement comes first"


@settings(max_examples=300)
@given(st.data(), versions)
def test_invariants_hold_in_every_history(data, version):
    router = VirtualRouter(KEY, data.draw(some_parameters(version)))
    holder, now_ns = Holder(), T0
    history: List[Tuple[object, object]] = data.draw(some_events(version))
    for wait_ns, event in history:
        due_ns = router.deadline_ns or now_ns
        now_ns = max(now_ns, due_ns) if wait_ns is None else now_ns + wait_ns
        check_step(router, holder, event, now_ns)
