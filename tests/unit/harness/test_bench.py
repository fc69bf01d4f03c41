# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of `make bench` say what happened, and its page says what the figures are."""

from __future__ import annotations

import argparse
import ipaddress
import json
import math
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.bench import figures, goals, page, picture  # noqa: E402  (needs the path above)
from tests.bench.__main__ import PAGE, Bench  # noqa: E402
from tests.bench.figures import Advert  # noqa: E402
from tests.bench.goals import FIGURES, FORWARDING, GOALS, Goal, is_met  # noqa: E402
from tests.bench.shapes import BACKUP, KEEPALIVED, MASTER, NOBODY, OURS, SHAPES  # noqa: E402

MS = 1_000_000
S = 1000 * MS
GROUPS = [(2, 1), (2, 2)]


def sent(group: tuple[int, int], *times_ns: int, priority: int = 200) -> list[Advert]:
    return [Advert(time_ns, False, group, priority) for time_ns in times_ns]


def own(group: tuple[int, int], time_ns: int) -> Advert:
    return Advert(time_ns, True, group, 100)


def regular(group: tuple[int, int], gap_ns: int, first_ns: int = 3 * MS) -> list[Advert]:
    return sent(group, *range(first_ns, 5 * S, gap_ns))


def steady(adverts: list[Advert]) -> dict[str, float]:
    return figures.steady(adverts, GROUPS, 100 * MS, (0, 5 * S))


class TestSummary:
    def test_a_median_is_the_middle_or_between_both(self):
        assert figures.median([5, 1, 2]) == 2
        assert figures.median([4, 1, 2, 9]) == 3
        assert math.isnan(figures.median([]))

    @pytest.mark.parametrize(
        ("share", "expected"), [(0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100), (0.0, 1)]
    )
    def test_a_percentile_is_one_of_the_values(self, share, expected):
        assert figures.percentile(list(range(100, 0, -1)), share) == expected


class TestSteady:
    def test_a_master_that_keeps_its_interval_has_no_error(self):
        found = steady(regular(GROUPS[0], 100 * MS) + regular(GROUPS[1], 100 * MS, 99 * MS))
        assert found["held"] == 1
        assert found["interval_error"] == 0
        assert found["jitter_max_ns"] == 0
        assert found["false_takeovers"] == 0

    def test_drift_is_an_error_and_costs_adverts(self):
        found = steady(regular(GROUPS[0], 101 * MS) + regular(GROUPS[1], 101 * MS))
        assert found["interval_error"] == pytest.approx(0.01)
        assert found["jitter_p50_ns"] == MS
        assert found["held"] == pytest.approx(1 / 1.01, abs=0.001)

    def test_one_advert_that_lacks_is_seen(self):
        missing = regular(GROUPS[1], 100 * MS)
        del missing[20]
        found = steady(regular(GROUPS[0], 100 * MS) + missing)
        assert found["held"] == pytest.approx(99 / 100)
        assert found["jitter_max_ns"] == 100 * MS
        assert found["jitter_p99_ns"] == 100 * MS  # 1 of 97 gaps is more than a hundredth

    def test_a_group_that_is_silent_holds_nothing(self):
        assert steady(regular(GROUPS[0], 100 * MS))["held"] == pytest.approx(0.5)

    def test_what_is_late_for_all_the_rest_of_the_window_is_missed(self):
        broken_off = [each for each in regular(GROUPS[1], 100 * MS) if each.time_ns < S]
        found = steady(regular(GROUPS[0], 100 * MS) + broken_off)
        assert found["held"] == pytest.approx(60 / 100)

    def test_an_advert_of_the_backup_is_a_false_takeover(self):
        found = steady([*regular(GROUPS[0], 100 * MS), own(GROUPS[0], S), own(GROUPS[0], 2 * S)])
        assert found["false_takeovers"] == 1

    def test_what_is_outside_of_the_window_does_not_count(self):
        adverts = regular(GROUPS[0], 100 * MS) + regular(GROUPS[1], 100 * MS)
        outside = [*sent(GROUPS[0], 5 * S), own(GROUPS[1], 6 * S)]
        assert steady(adverts + outside) == steady(adverts)


class TestTransitions:
    def test_a_takeover_is_late_by_what_comes_after_the_wait(self):
        adverts = [*sent(GROUPS[0], 1 * S, 2 * S), *sent(GROUPS[1], 1 * S, 2 * S + 5)]
        adverts += [own(GROUPS[0], 5 * S + 7), own(GROUPS[0], 6 * S), own(GROUPS[1], 5 * S + 8)]
        found = figures.takeover(adverts, GROUPS, 3 * S, killed_ns=2 * S + 50)
        assert (found["takeover_first_ns"], found["takeover_last_ns"]) == (3, 7)
        assert found["takeover_missing"] == 0

    def test_an_early_takeover_is_less_than_nothing(self):
        adverts = [*sent(GROUPS[0], 2 * S), own(GROUPS[0], 5 * S - 9)]
        found = figures.takeover(adverts, GROUPS[:1], 3 * S, killed_ns=2 * S)
        assert found["takeover_first_ns"] == -9

    def test_a_group_that_nobody_takes_over_is_missing(self):
        adverts = [*sent(GROUPS[0], 2 * S), *sent(GROUPS[1], 2 * S), own(GROUPS[1], 5 * S)]
        assert figures.takeover(adverts, GROUPS, 3 * S, 2 * S)["takeover_missing"] == 1

    def test_a_hand_over_is_from_the_good_bye_on(self):
        adverts = sent(GROUPS[0], S) + sent(GROUPS[0], 2 * S, priority=0)
        adverts += [own(GROUPS[0], 2 * S + 60 * MS), *sent(GROUPS[1], 2 * S)]
        found = figures.hand_over(adverts, GROUPS)
        assert found["hand_over_max_ns"] == 60 * MS
        assert found["hand_over_missing"] == 1  # the other never said good-bye

    def test_a_silence_reaches_to_the_ends_of_the_window(self):
        adverts = sent(GROUPS[0], 100, 200, 350)
        assert figures.largest_gap_ns(adverts, GROUPS[:1], (50, 400)) == 150
        assert figures.largest_gap_ns(adverts, GROUPS[:1], (50, 900)) == 550
        assert figures.largest_gap_ns(adverts, GROUPS, (50, 400)) == 350


class TestShapes:
    @pytest.mark.parametrize("name", SHAPES)
    def test_groups_differ_and_are_in_the_network_of_their_interface(self, name):
        shape = SHAPES[name]
        groups = shape.groups()
        assert len({(group.link, group.vrid) for group in groups}) == shape.count
        assert len({group.address for group in groups}) == shape.count
        real = set()
        for group in groups:
            assert 1 <= group.vrid <= 255
            for role in (MASTER, BACKUP):
                interface = ipaddress.IPv4Interface(shape.real_address(role, group.link))
                assert ipaddress.IPv4Address(group.address) in interface.network
                real.add(str(interface.ip))
        assert not real & {group.address for group in groups}

    def test_a_backup_waits_as_the_rfc_says(self):
        assert SHAPES["one-250"].master_down_ns(BACKUP) == 3_609_375_000
        assert SHAPES["one-250-fast"].skew_ns(BACKUP) == 60_937_500

    def test_an_order_has_every_round_of_both_side_by_side(self):
        options = argparse.Namespace(quick=False, rounds=None, seed=7, shapes=[*SHAPES, FORWARDING])
        order = Bench(options, ROOT)._order()
        for name in SHAPES:
            speakers = [turn.speaker for turn in order if turn.shape == name]
            assert len(speakers) == 2 * SHAPES[name].rounds
            pairs = zip(speakers[::2], speakers[1::2])
            assert all({*pair} == {OURS, KEEPALIVED} for pair in pairs)
        assert Bench(options, ROOT)._order() == order
        options.seed = 8
        assert Bench(options, ROOT)._order() != order


def samples(figure: str, ours: list[float], theirs: list[float], alone: list[float] = ()):
    def rounds(found):
        return [{figure: value} for value in found]

    return {"one-250": {OURS: rounds(ours), KEEPALIVED: rounds(theirs), NOBODY: rounds(alone)}}


class TestGoals:
    @pytest.mark.parametrize(
        ("kind", "limit", "ours", "theirs", "expected"),
        [
            (goals.RATIO, 0.5, [10, 4, 1], [8, 8, 9], True),
            (goals.RATIO, 0.5, [10, 5, 1], [8, 8, 9], False),
            (goals.RATIO, 0.5, [1], [], False),
            (goals.AT_MOST, 3, [3, 9, 1], [], True),
            (goals.AT_MOST, 3, [-4, -4, 1], [], False),
            (goals.AT_LEAST, 3, [3, 9, 1], [], True),
            (goals.AT_LEAST, 3.5, [3, 9, 1], [], False),
            (goals.BESIDE, 0, [3], [3], True),
            (goals.BESIDE, 0, [4], [3], False),
            (goals.AT_MOST, 3, [], [1], False),
        ],
    )
    def test_the_median_decides(self, kind, limit, ours, theirs, expected):
        goal = Goal("", "one-250", "stop_s", kind, limit)
        assert is_met(goal, samples("stop_s", ours, theirs)) is expected

    def test_or_the_worst(self):
        goal = Goal("", "one-250", "stop_leftovers", goals.AT_MOST, 0, goals.worst)
        assert is_met(goal, samples("stop_leftovers", [0, 0, 0], []))
        assert not is_met(goal, samples("stop_leftovers", [0, 1, 0], []))

    def test_a_cost_within_the_rounds_without_a_daemon_is_not_measurable(self):
        goal = Goal("", "one-250", "forwarded_ns", goals.NOTHING)
        assert is_met(goal, samples("forwarded_ns", [2100], [], [2000, 2150]))
        assert not is_met(goal, samples("forwarded_ns", [2200], [], [2000, 2150]))
        assert not is_met(goal, samples("forwarded_ns", [2200], [], []))

    def test_each_is_about_a_figure_of_a_shape(self):
        for goal in GOALS:
            assert goal.shape in (*SHAPES, FORWARDING), goal
            assert goal.figure in FIGURES, goal
        assert set(goals.WORST) <= set(FIGURES)

    def test_units_show_three_digits(self):
        assert goals.MS.show(1_234_567) == "1.23 ms"
        assert goals.MS.show(123_456) == "0.123 ms"
        assert goals.MS.show(12_345_678_901) == "12346 ms"
        assert goals.COUNT.show(0) == "0"
        assert goals.SHARE.show(0.12345) == "12.3 %"
        assert goals.MS.show(math.nan) == "-"


def record(measured) -> dict:
    keys = ("commit", "date", "machine", "kernel", "versions", "command", "order", "load")
    return {**dict.fromkeys(keys, "some"), "samples": measured, "failures": ["what broke"]}


class TestPage:
    def test_a_goal_that_is_not_met_is_called_so(self):
        good = page.render(record(samples("master_ns_per_advert", [4], [8])))
        bad = page.render(record(samples("master_ns_per_advert", [4.1], [8])))
        assert good.count("**not met**") == 0
        assert bad.count("**not met**") == 1

    def test_it_shows_the_spread_and_what_failed(self):
        shown = page.render(record(samples("stop_s", [1, 3, 2], [4])))
        assert "| stop of the master | 2.00 s [1.00 s - 3.00 s] | 4.00 s |" in shown
        assert "- what broke" in shown

    def test_a_busy_machine_is_told(self):
        assert "busy" not in page.render(record(samples("others_share", [0.1, 0.2, 1.9], [0.1])))
        assert "busy" in page.render(record(samples("others_share", [0.1, 0.3, 1.9], [0.4])))

    def test_the_committed_page_is_what_its_samples_are_written_as(self):
        run = json.loads(PAGE.with_suffix(".json").read_text())
        assert PAGE.read_text() == page.render(run)
        assert PAGE.with_suffix(".svg").read_text() == page.picture(run)

    def test_a_picture_rises_with_the_cost(self):
        drawn = picture.draw("title", {"some": [(10, 0.01), (100, 0.1)], "none": []})
        root = ElementTree.fromstring(drawn)
        circles = [each for each in root if each.tag.endswith("circle")]
        assert float(circles[0].get("cx")) < float(circles[1].get("cx"))
        assert float(circles[0].get("cy")) > float(circles[1].get("cy"))
        assert "some" in drawn and "none<" not in drawn
