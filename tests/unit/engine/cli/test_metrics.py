# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics in the text format of Prometheus: read back by the rules of the format."""

import os
import re
import stat
from itertools import groupby

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V3
from engine_kit.values import NS_PER_MS, NS_PER_S, T0, config, group, ping

from vrrp.cli.metrics import metrics, replace_file, unreachable
from vrrp.errors import PlatformError
from vrrp.router.bound_router import Longest
from vrrp.router.gaps import Lateness
from vrrp.router.snapshot import snapshot

_COMMENT = re.compile(r"# (HELP|TYPE) ([a-z_]+) (.+)")
_SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (-?[0-9.e+-]+)')
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"')
_SUFFIXES = ("_bucket", "_sum", "_count")


def lateness():
    found = Lateness()
    for late_ns in (0, 200_000, 200_000, 9 * NS_PER_S):
        found.add(late_ns, T0)
    return found


def document(driver, **more):
    engine = {
        "version": "0.1.0",
        "release": 'a"b\\c\nd',
        "uptime_ns": 1500 * NS_PER_MS,
        "config_source": "file",
        "last_reload_error": None,
        "probation": None,
        "state_problems": [],
        "lateness": lateness().document(T0),
        **more,
    }
    return {**snapshot(driver.router, driver.now_ns), "engine": engine}


def two_routers():
    """One master and one that waits for its interface."""
    groups = (group(priority=200), group("other", interface="lan9", vrid=11))
    driver = master(config(*groups, trackers=(ping(), ping("unknown"))), now_ns=T0)
    driver.report("uplink", ok=False)
    driver.hear(V3.but(ttl=3))
    driver.hear(V3.but(checksum_error=1))
    driver.bound().sent_gap = Longest(1250 * NS_PER_MS, T0)
    return document(driver)


def read(text):
    """{(name, labels): value}, and the type of each family; refuses what the format forbids."""
    samples, types, families = {}, {}, []
    for line in text.split("\n"):
        comment = _COMMENT.fullmatch(line)
        if comment:
            word, family, rest = comment.groups()
            if word == "TYPE":
                assert family not in types, "one family in two places"
                types[family] = rest
            families.append(family)
            continue
        found = _SAMPLE.fullmatch(line)
        assert found, line
        name, labels, value = found.groups()
        family = families[-1]
        suffixes = _SUFFIXES if types[family] == "histogram" else ("",)
        assert name in {family + suffix for suffix in suffixes}, line
        key = (name, frozenset(_LABEL.findall(labels or "")))
        assert key not in samples, "the same sample twice"
        samples[key] = float(value)
    assert all(len(list(same)) == 2 for _family, same in groupby(families)), "HELP and TYPE"
    return samples, types


def value(samples, metric, **labels):
    return samples.get(("vlangate_" + metric, frozenset(labels.items())))


def test_a_daemon_that_does_not_answer_is_down_and_that_is_all():
    samples, types = read(unreachable())
    assert samples == {("vlangate_up", frozenset()): 0}
    assert types == {"vlangate_up": "gauge"}


def test_states_are_told_one_by_one():
    samples, _types = read(metrics(two_routers()))
    assert value(samples, "up") == 1
    found = {
        dict(labels)["name"] + " " + dict(labels)["state"]: number
        for (name, labels), number in samples.items()
        if name == "vlangate_vrrp_state"
    }
    assert {key for key, number in found.items() if number} == {"vlan10 master", "other initialize"}
    assert len(found) == 6


def test_times_are_in_seconds():
    samples, _types = read(metrics(two_routers()))
    assert value(samples, "uptime_seconds") == 1.5
    assert value(samples, "vrrp_advertisement_interval_seconds", name="vlan10") == 1
    assert value(samples, "vrrp_longest_gap_sent_seconds", name="vlan10") == 1.25


def test_what_is_not_known_is_left_out():
    samples, _types = read(metrics(two_routers()))
    assert value(samples, "vrrp_longest_gap_heard_seconds", name="vlan10") is None
    assert value(samples, "vrrp_effective_priority", name="other") is None
    assert value(samples, "vrrp_state_age_seconds", name="other") is None
    assert value(samples, "tracker_ok", name="uplink", kind="ping") == 0
    assert value(samples, "tracker_ok", name="unknown", kind="ping") is None


def test_counters_keep_their_names_and_discards_have_a_reason():
    samples, types = read(metrics(two_routers()))
    assert types["vlangate_vrrp_master_transitions_total"] == "counter"
    assert value(samples, "vrrp_master_transitions_total", name="vlan10") == 1
    assert value(samples, "vrrp_master_transitions_total", name="other") == 0
    assert value(samples, "discarded_packets_total", reason="ip-ttl-errors") == 1
    assert value(samples, "discarded_packets_total", reason="checksum-errors") == 1
    refused = master(config(group(version=2)))
    refused.hear(V3)
    samples, _types = read(metrics(document(refused)))
    discarded = "vrrp_discarded_packets_total"
    assert value(samples, discarded, name="vlan10", reason="version-errors") == 1


def test_the_histogram_is_cumulative():
    samples, types = read(metrics(two_routers()).replace("+Inf", "9e9"))
    assert types["vlangate_lateness_seconds"] == "histogram"
    buckets = {
        float(dict(labels)["le"]): count
        for (name, labels), count in samples.items()
        if name == "vlangate_lateness_seconds_bucket"
    }
    assert list(buckets) == sorted(buckets)
    assert (buckets[0.000125], buckets[0.00025], buckets[4.096], buckets[9e9]) == (1, 3, 3, 4)
    assert value(samples, "lateness_seconds_count") == 4
    assert value(samples, "lateness_seconds_sum") == 9.0004
    assert value(samples, "lateness_longest_seconds") == 9


def test_the_configuration_that_runs():
    samples, _types = read(metrics(two_routers()))
    names = ("config_last_good", "config_last_reload_successful", "config_on_probation")
    assert [value(samples, name) for name in names] == [0, 1, 0]
    bad = document(
        Driver(config()),
        config_source="last-good",
        last_reload_error="line 1: nonsense",
        probation={"remaining_ns": 1},
        state_problems=["no room"],
    )
    samples, _types = read(metrics(bad))
    assert [value(samples, name) for name in names] == [1, 0, 1]
    assert value(samples, "state_problems") == 1


def test_labels_are_escaped():
    samples, _types = read(metrics(two_routers()))
    assert value(samples, "info", version="0.1.0", release='a\\"b\\\\c\\nd') == 1


def test_every_name_is_documented():
    path = os.path.join(os.path.dirname(__file__), *[".."] * 4, "docs", "control.md")
    with open(path, encoding="utf-8") as file:
        told = file.read()
    _samples, types = read(metrics(two_routers()))
    for family in types:
        if not family.endswith("_total"):
            assert "`%s`" % family in told or "`_%s`" % family[len("vlangate_vrrp_") :] in told


# --output


def test_a_file_is_replaced_and_readable_by_others(tmp_path):
    path = tmp_path / "vlangate.prom"
    path.write_text("old", encoding="utf-8")
    replace_file(str(path), "new 1")
    assert path.read_text(encoding="utf-8") == "new 1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["vlangate.prom"]


def test_a_file_that_cannot_be_replaced_leaves_nothing(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(PlatformError, match="write"):
        replace_file(str(path), "new")
    assert os.listdir(tmp_path) == ["folder"]
    with pytest.raises(PlatformError, match="write"):
        replace_file(str(tmp_path / "missing" / "file"), "new")
