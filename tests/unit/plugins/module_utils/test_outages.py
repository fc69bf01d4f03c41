# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is lost and what is an outage, by probes at times that the test chooses."""

from __future__ import annotations

import random

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils.outages import (
    MOST_SAMPLES,
    NS_PER_S,
    TIMEOUT_NS,
    Outage,
    Probes,
    figures,
    together,
)

MS = 1_000_000


def probes_of(pattern, period_ns=MS):
    """A probe each period from 0 on; a dot is one that was answered, anything else is lost."""
    probes = Probes()
    for number, mark in enumerate(pattern):
        probes.sent(number * period_ns)
        if mark == ".":
            probes.answer(number, number * period_ns + 1)
    return probes


def test_an_outage_lasts_until_the_next_answer():
    probes = probes_of("..xxx..x.")
    assert probes.outages(0, 9) == [Outage(2 * MS, 5 * MS, 3), Outage(7 * MS, 8 * MS, 1)]
    assert probes.lost(0, 9) == 4
    assert [each.seconds for each in probes.outages(0, 9)] == [0.003, 0.001]


def test_one_without_an_end_lasts_to_the_last_probe():
    assert probes_of("..xxx").outages(0, 5) == [Outage(2 * MS, 4 * MS, 3)]
    assert probes_of("x").outages(0, 1) == [Outage(0, 0, 1)]
    assert probes_of("").outages(0, 0) == []


def test_an_outage_belongs_to_the_time_in_which_it_begins():
    probes = probes_of("..xxx...")
    first, end = probes.span(MS, 4 * MS)
    assert (first, end) == (1, 4)
    assert probes.outages(first, end) == [Outage(2 * MS, 5 * MS, 3)]
    assert probes.lost(first, end) == 2
    assert probes.outages(0, 2) == []


def test_a_late_answer_is_none_and_a_foreign_one_too():
    probes = Probes()
    for _number in range(3):
        probes.sent(0)
    probes.answer(0, TIMEOUT_NS)
    probes.answer(1, TIMEOUT_NS + 1)
    probes.answer(7, 1)
    probes.answer(-1, 1)
    assert probes.lost(0, 3) == 2
    assert not probes.all_answered()
    probes.answer(1, 1)
    probes.answer(2, 1)
    assert probes.all_answered()


def test_steady_is_since_the_last_loss():
    probes = probes_of("x" + "." * 999)
    assert probes.steady_seconds(1000 * MS) == pytest.approx(0.999)
    assert probes.steady_seconds(50 * MS) == 0.0, "all of them may still be under way"
    assert Probes().steady_seconds(NS_PER_S) == 0.0


def test_samples_tell_when_it_was_lost():
    probes = probes_of("." * 150 + "x" * 100 + "." * 50)
    assert probes.samples(0, 300) == [
        (0, 100 * MS, 100, 0),
        (100 * MS, 100 * MS, 100, 50),
        (200 * MS, 100 * MS, 100, 50),
    ]
    assert probes.samples(0, 0) == []


@pytest.mark.parametrize("minutes", [1, 2, 10, 300, 10000])
def test_there_are_never_too_many_samples(minutes):
    probes = probes_of("." * (6 * minutes + 1), period_ns=10 * NS_PER_S)
    samples = probes.samples(0, len(probes))
    assert len(samples) <= MOST_SAMPLES + 1
    assert sum(sent for _start, _length, sent, _lost in samples) == len(probes)
    assert len({length for _start, length, _sent, _lost in samples}) == 1


def test_random_patterns_add_up():
    seed = random.randrange(1 << 32)
    print("seed", seed)
    draw = random.Random(seed)
    for _turn in range(200):
        pattern = "".join(draw.choice("..x") for _number in range(draw.randrange(1, 400)))
        probes = probes_of(pattern)
        outages = probes.outages(0, len(probes))
        assert sum(each.lost for each in outages) == pattern.count("x")
        assert len(outages) == len([run for run in pattern.split(".") if run])
        assert sum(each[3] for each in probes.samples(0, len(probes))) == pattern.count("x")


def test_figures_have_times_of_day():
    epoch_ns = 1_700_000_000 * NS_PER_S
    found = figures("198.18.10.254", probes_of("x.xx."), MS, epoch_ns)
    assert found == {
        "target": "198.18.10.254",
        "sent": 4,
        "received": 2,
        "lost": 2,
        "longest": 0.002,
        "outages": [
            {
                "target": "198.18.10.254",
                "start": 1_700_000_000.002,
                "end": 1_700_000_000.004,
                "seconds": 0.002,
                "lost": 2,
            }
        ],
        "samples": [
            {
                "target": "198.18.10.254",
                "start": 1_700_000_000.001,
                "seconds": 0.1,
                "sent": 4,
                "lost": 2,
            }
        ],
    }


def test_targets_are_summed_and_keep_their_names():
    one = figures("a", probes_of(".x."), 0, 0)
    other = figures("b", probes_of("xx."), 0, 0)
    both = together([one, other])
    assert (both["sent"], both["received"], both["lost"], both["longest"]) == (6, 3, 3, 0.002)
    assert [each["target"] for each in both["outages"]] == ["b", "a"]
    assert [each["lost"] for each in both["targets"]] == [1, 2]
    assert together([one])["outages"] == one["outages"]
