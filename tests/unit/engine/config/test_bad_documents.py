# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each file of the corpus in bad/ has exactly the problems that stand beside it.

UPDATE_GOLDEN=1 writes the problems anew; read the difference before you commit it.
"""

import ast
from pathlib import Path

import pytest
from engine_kit.bad_files import bad_files

import vrrp.config
from vrrp.config.parse import parse, parse_json
from vrrp.config.reading import nearest
from vrrp.daemon.beginning import read_config
from vrrp.errors import ConfigError

CORPUS = bad_files()
# The files that read one host's configuration, and judge it.
JUDGES = ("parse", "reading", "validate", "router_advertisements", "sync_groups")


def refusals(load, value):
    with pytest.raises(ConfigError) as caught:
        load(value)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return caught.value.problems


@pytest.mark.parametrize("bad", CORPUS, ids=str)
def test_all_problems_are_named(bad, tmp_path):
    file = tmp_path / "config.json"
    bad.write(file)
    problems = refusals(read_config, str(file))
    found = [str(problem) for problem in problems]
    bad.renew(found, file)
    assert bad.problems, "nothing is expected"
    assert bad.explains(found, file), found
    assert bad.unnamed("\n".join(found), file) == []
    assert all(problem.code and problem.message and problem.hint for problem in problems)


@pytest.mark.parametrize("bad", [each for each in CORPUS if each.document is not None], ids=str)
def test_a_document_has_the_problems_of_its_file(bad):
    assert [str(each) for each in refusals(parse, bad.document)] == list(bad.problems)


def test_the_corpus_is_there():
    assert len(CORPUS) >= 150
    assert len({bad.octets for bad in CORPUS}) == len(CORPUS), "one of them is there twice"


def _codes_of(name):
    """The codes that a file gives to problems: texts in the place of the code in a call."""
    source = Path(vrrp.config.__file__).with_name(name + ".py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            place = {"Problem": 1, "Unreadable": 0}.get(node.func.id)
            if place is not None and isinstance(node.args[place], ast.Constant):
                yield node.args[place].value


def test_every_kind_of_refusal_is_in_the_corpus(tmp_path):
    file = tmp_path / "config.json"
    seen = set()
    for bad in CORPUS:
        bad.write(file)
        seen.update(problem.code for problem in refusals(read_config, str(file)))
    known = {code for name in JUDGES for code in _codes_of(name)} | {"unreadable"}
    assert len(known) > 40
    assert known - seen == set(), "no file of the corpus is refused for these"


@pytest.mark.parametrize(
    ("found", "is_explained"),
    [(["a: b (c)"], True), (["a: b"], False), ([], False), (["a: b (c)", "a: b (c)"], False)],
)
def test_the_corpus_takes_nothing_else_for_its_problems(found, is_explained):
    (bad,) = [each for each in CORPUS if each.name == "vrid-zero"]
    expected = bad.expected("/x")
    told = [each.replace("a: b (c)", expected[0]) for each in found]
    assert bad.explains(told, "/x") is is_explained
    assert bad.unnamed("\n".join(told), "/x") == ([] if expected[0] in told else expected)


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


def test_of_many_unknown_names_only_the_first_few_are_looked_for():
    """A search takes milliseconds where many names are known, and a daemon has no time for it."""
    routers = [
        {"name": "v%d" % n, "interface": "e%d" % n, "family": "ipv4", "vrid": 1, "addresses": [a]}
        for n, a in ((n, "10.0.0.%d" % n) for n in range(1, 31))
    ]
    wrong = {"name": "lan", "members": ["%d-v" % n for n in range(10, 40)]}
    found = refusals(parse, {"virtual_routers": routers, "sync_groups": [wrong]})
    hints = [problem.hint for problem in found]
    assert len(hints) == 30, "each of them is named"
    assert set(hints[3:]) == {"name a virtual router of this configuration"}
    assert hints[0].startswith("known here: v1, v10, v11") and hints[0].endswith("and 10 more")
    assert nearest("v1", ["v%d" % n for n in range(10, 1000)]).startswith("known here: ")
    assert nearest("v99", ["v%d" % n for n in range(10, 1000)]) == "did you mean 'v99'?"


def test_the_same_unknown_name_has_the_same_hint_everywhere():
    track = [{"tracker": "uplnk"}]
    routers = [
        {
            "name": "v%d" % n,
            "interface": "e%d" % n,
            "family": "ipv4",
            "vrid": 1,
            "addresses": ["10.0.0.%d" % n],
            "track": track,
        }
        for n in range(1, 31)
    ]
    tracker = {"name": "uplink", "kind": "link", "interface": "wan"}
    found = refusals(parse, {"virtual_routers": routers, "trackers": [tracker]})
    assert {problem.hint for problem in found} == {"did you mean 'uplink'?"}
    assert len(found) == 30
