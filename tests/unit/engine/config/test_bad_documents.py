# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each document in bad/ has exactly the problems that stand beside it.

UPDATE_GOLDEN=1 writes the problems anew; read the difference before you commit it.
"""

import json
import os
from pathlib import Path

import pytest

from vrrp.config.parse import parse, parse_json
from vrrp.errors import ConfigError

CORPUS = sorted(Path(__file__).with_name("bad").glob("*.json"))


def refusals(load, value):
    with pytest.raises(ConfigError) as caught:
        load(value)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return caught.value.problems


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_all_problems_are_named(path):
    case = json.loads(path.read_text())
    found = refusals(parse, case["document"])
    if os.environ.get("UPDATE_GOLDEN") == "1":
        case["problems"] = [str(problem) for problem in found]
        path.write_text(json.dumps(case, indent=2) + "\n")
    assert [str(problem) for problem in found] == case["problems"]
    assert all(problem.code and problem.message and problem.hint for problem in found)


def test_the_corpus_is_there():
    assert len(CORPUS) >= 80


@pytest.mark.parametrize("address", ["::ffff:198.18.10.254", "::ffff:0:1"])
def test_ipv4_mapped_address(address):
    router = {"name": "a", "interface": "e", "family": "ipv6", "vrid": 1, "addresses": [address]}
    (problem,) = refusals(parse, {"virtual_routers": [router]})
    assert problem.code == "unusable-address"
    assert problem.message.endswith("which is an IPv4-mapped address")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "line 1 column 1"),
        ('{"virtual_routers": [],}', "line 1 column 23"),
        ('{\n  "virtual_routers": [\n    {"name": "a" "vrid": 1}\n  ]\n}', "line 3 column 18"),
    ],
)
def test_syntax_errors_have_a_place(text, where):
    (problem,) = refusals(parse_json, text)
    assert (problem.path, problem.code) == ("document", "syntax")
    # Python 3.13 points at the comma, older ones at what follows it.
    if "," not in text[-3:]:
        assert problem.message.startswith(where)
    assert problem.message.startswith("line ")


@pytest.mark.parametrize(
    "text", ['{"virtual_routers": NaN}', "[" * 100_000, '{"format": %s}' % ("1" * 5000)]
)
def test_what_json_cannot_hold_is_refused_not_crashed_on(text):
    refusals(parse_json, text)


def test_duplicate_keys_are_refused_with_their_path():
    text = """{"format": 1, "format": 1, "virtual_routers": [
        {"name": "a", "interface": "e", "family": "ipv4", "vrid": 1, "vrid": 2, "vrid": 2,
         "addresses": ["198.18.10.254"]}]}"""
    assert [str(problem) for problem in refusals(parse_json, text)] == [
        "format: is written more than once (keep one of them)",
        "virtual_routers[a].vrid: is written more than once (keep one of them)",
    ]
