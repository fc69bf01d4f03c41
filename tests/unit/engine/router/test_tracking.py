# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trackers: how many results change their mind, and what a failing one costs."""

from engine_kit.values import ping

from vrrp.config.model import TrackReference
from vrrp.router.tracking import TrackerState, penalty


def tracker(**changes):
    return TrackerState(ping(**changes))


def minds(state, results):
    """What the tracker thinks after each result: + up, - failed, ? unknown."""
    shown = ""
    for result in results:
        before = state.ok
        assert state.report(result == "+", "said") == (state.ok is not before)
        shown += {True: "+", False: "-", None: "?"}[state.ok]
    return shown


def test_it_is_unknown_before_its_first_result():
    assert tracker().ok is None


def test_the_first_result_decides_alone():
    assert minds(tracker(), "+") == "+"
    assert minds(tracker(), "-") == "-"


def test_fall_results_in_a_row_make_it_fail():
    assert minds(tracker(fall=3), "+--+---") == "++++++-"


def test_rise_results_in_a_row_mend_it():
    assert minds(tracker(rise=2), "-+-++") == "----+"


def test_one_is_enough_when_so_configured():
    assert minds(tracker(fall=1, rise=1), "+-+-") == "+-+-"


def test_what_is_seen_directly_needs_no_repetition():
    state = tracker(fall=3, rise=3)
    state.report(True, "up", at_once=True)
    assert state.report(False, "down", at_once=True)
    assert (state.ok, state.detail) == (False, "down")


def test_the_detail_is_that_of_the_last_result():
    state = tracker()
    assert state.detail == "no result yet"
    state.report(True, "answered")
    state.report(False, "no answer")
    assert state.detail == "no answer"


def test_penalties_of_failing_trackers_add_up():
    states = {name: tracker(name=name) for name in ("good", "bad", "worse", "unknown")}
    states["good"].report(True, "")
    states["bad"].report(False, "")
    states["worse"].report(False, "")
    references = [
        TrackReference(name, cost)
        for name, cost in (("good", 1), ("bad", 10), ("worse", 100), ("unknown", 7))
    ]
    assert penalty(references, states) == 110


def test_nothing_tracked_costs_nothing():
    assert penalty((), {}) == 0
