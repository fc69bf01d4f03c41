# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A problem of the table is shown where it was written."""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.errors import Problem
from ansible_collections.vlangate.vrrp.plugins.plugin_utils import table_places
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.table_places import (
    lines,
    place,
    with_places,
)

TABLE = """vlans:
  - id: 10
    networks:
      - 198.18.10.0/24
      - 198.18.11.0/24
    interface: {gw1: eth1}
  - name: second
    track:
      - tracker: uplink
        penalty: 7
routers: [gw1, gw2]
defaults:
  sync_groups:
    - name: inside
      vlans: [10, 20]
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.yml"
    path.write_text(TABLE)
    return DataLoader().load_from_file(str(path))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("vlans", 1),
        ("vlans[10]", 2),
        ("vlans[10].networks", 3),
        ("vlans[10].networks[1]", 5),
        ("vlans[10].interface[gw1]", 6),
        ("vlans[10].vrid", 2),
        ("vlans[#1].id", 7),
        ("vlans[#1].track[uplink].penalty", 10),
        ("routers[gw2]", 11),
        ("routers", 11),
        ("defaults.sync_groups[inside].vlans[1]", 15),
        ("defaults.detect_within", 12),
    ],
)
def test_the_line_of_what_is_named_or_of_what_it_is_missing_in(table, tmp_path, path, line):
    found, _colon, _column = place(path, table).rpartition(":")
    assert found == "%s:%d" % (tmp_path / "table.yml", line)


@pytest.mark.parametrize("path", ["gw1: virtual_routers[vlan10-v4].vrid", "somewhere", ""])
def test_what_is_not_in_the_table_has_no_place(table, path):
    assert place(path, table) == ""


def test_plain_data_has_no_places():
    assert place("vlans[10].vrid", {"vlans": [{"id": 10, "vrid": 300}], "routers": None}) == ""


def test_an_ansible_that_does_not_tell_costs_the_place_only(table, monkeypatch):
    monkeypatch.setattr(table_places, "Origin", None)
    assert place("vlans[10]", table) == ""
    monkeypatch.setattr(table_places, "Origin", object())
    assert place("vlans[10]", table) == ""


def test_problems_are_told_with_their_places(table):
    found = [
        Problem("vlans[10].vrid", "range", "is 0", "write 1"),
        Problem("gw1: x", "odd", "is odd", "mend it"),
    ]
    problems = with_places(found, table)
    assert problems[0]["place"].endswith("table.yml:2:5") and problems[1]["place"] == ""
    first, where, second = lines(problems).splitlines()
    assert first == "- vlans[10].vrid: is 0 (write 1)" and where == "  " + problems[0]["place"]
    assert second == "- gw1: x: is odd (mend it)"
