# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units: what people write becomes whole centiseconds or a sentence that says what to write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.units import cs_from_v2_seconds, format_ns, ns_from_cs, parse_interval_cs


def test_conversions():
    assert ns_from_cs(100) == 1_000_000_000
    assert cs_from_v2_seconds(3) == 300


@pytest.mark.parametrize(
    ("value", "interval_cs"),
    [
        (100, 100),
        (0, 0),
        ("100", 100),
        ("50cs", 50),
        ("1s", 100),
        ("0.5s", 50),
        ("40.95s", 4095),
        ("100ms", 10),
        ("10 ms", 1),
        (" 1 s ", 100),
        ("1.0cs", 1),
    ],
)
def test_intervals_that_the_wire_can_carry(value, interval_cs):
    assert parse_interval_cs(value) == interval_cs


@pytest.mark.parametrize(
    "value", ["", "s", "-1s", "1m", "1h", "one", "1.s", ".5s", "1e2", True, False]
)
def test_what_is_no_interval(value):
    with pytest.raises(ValueError, match="write a number of centiseconds"):
        parse_interval_cs(value)


@pytest.mark.parametrize("value", ["5ms", "0.001s", "0.5cs", "1.005s"])
def test_fractions_of_a_centisecond(value):
    with pytest.raises(ValueError, match="multiple of 10 ms"):
        parse_interval_cs(value)


@given(st.integers(0, 10**6))
def test_the_same_interval_in_every_unit(interval_cs):
    seconds = "%d.%02ds" % divmod(interval_cs, 100)
    for text in ("%dcs" % interval_cs, "%d0ms" % interval_cs, seconds):
        assert parse_interval_cs(text) == interval_cs


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (1_500_000_000, "1.5s"),
        (609_375_000, "609.375ms"),
        (80_000, "80us"),
        (7, "7ns"),
        (0, "0ns"),
        (-2_000_000_000, "-2s"),
        (10_000_000_000, "10s"),
    ],
)
def test_durations_for_people(duration_ns, text):
    assert format_ns(duration_ns) == text
