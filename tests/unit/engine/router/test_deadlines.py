# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue of deadlines: the earliest first, replaced ones forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from vrrp.router.deadlines import DeadlineQueue


def test_an_empty_queue_wants_nothing():
    queue = DeadlineQueue()
    assert queue.next_ns() is None
    assert queue.due(10**18) == []


def test_due_takes_out_what_has_come_earliest_first():
    queue = DeadlineQueue()
    for name, deadline_ns in (("c", 30), ("a", 10), ("b", 20), ("d", 31)):
        queue.set(name, deadline_ns)
    assert queue.next_ns() == 10
    assert queue.due(30) == ["a", "b", "c"]
    assert queue.due(30) == []
    assert queue.next_ns() == 31


def test_ties_are_ordered_by_name():
    queue = DeadlineQueue()
    for name in ("b", "c", "a"):
        queue.set(name, 5)
    assert queue.due(5) == ["a", "b", "c"]


def test_a_replaced_deadline_is_forgotten():
    queue = DeadlineQueue()
    queue.set("a", 10)
    queue.set("a", 20)
    assert queue.due(19) == []
    queue.set("a", 5)
    assert queue.due(19) == ["a"]
    assert queue.next_ns() is None


def test_none_takes_a_deadline_away():
    queue = DeadlineQueue()
    queue.set("a", 10)
    queue.set("a", None)
    queue.set("unknown", None)
    assert queue.next_ns() is None


def test_setting_the_same_deadline_again_gives_it_once():
    queue = DeadlineQueue()
    queue.set("a", 10)
    queue.set("a", 10)
    queue.set("a", 20)
    queue.set("a", 10)
    assert queue.due(30) == ["a"]
    assert queue.due(30) == []


def test_deadlines_that_move_on_leave_nothing_behind():
    queue = DeadlineQueue()
    queue.set("first", 1)
    for deadline_ns in range(2, 10_000):
        queue.set("a", deadline_ns)
        assert len(queue._heap) < 100
    assert queue.due(10_000) == ["first", "a"]


def test_the_only_one_that_is_due():
    queue = DeadlineQueue()
    for name, deadline_ns in (("a", 10), ("b", 20), ("a", 9), ("a", 10)):
        queue.set(name, deadline_ns)
    assert [queue.only_due(now_ns) for now_ns in (9, 10, 19, 20)] == [None, "a", "a", None]
    queue.set("c", 10)
    assert queue.only_due(10) is None
    assert queue.due(20) == ["a", "c", "b"]


names = st.sampled_from("abcd")
operations = st.lists(
    st.one_of(
        st.tuples(st.just("set"), names, st.one_of(st.none(), st.integers(0, 9))),
        st.tuples(st.just("due"), st.none(), st.integers(0, 9)),
    )
)


@given(operations)
def test_it_behaves_like_a_sorted_dictionary(history):
    queue, model = DeadlineQueue(), {}
    for operation, name, value in history:
        if operation == "set":
            queue.set(name, value)
            model[name] = value
        else:
            waiting = [who for who, at in model.items() if at is not None and at <= value]
            assert queue.only_due(value) == (waiting[0] if len(waiting) == 1 else None)
            due = sorted((at, who) for who, at in model.items() if at is not None and at <= value)
            assert queue.due(value) == [who for _at, who in due]
            for _at, who in due:
                del model[who]
        times = [at for at in model.values() if at is not None]
        assert queue.next_ns() == (min(times) if times else None)
