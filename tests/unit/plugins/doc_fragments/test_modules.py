# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users read about each module: attributes, examples that the options allow, samples."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import ansible_collections.vlangate.vrrp.plugins.module_utils.config_states as neighbour
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

MODULES = sorted((Path(neighbour.__file__).parents[1] / "modules").glob("vrrp_*.py"))
KEYS = ("type", "elements", "choices", "required", "default")
TYPES = {
    "str": str,
    "path": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "list": list,
    "dict": dict,
    "raw": object,
}


@pytest.fixture(params=MODULES, ids=lambda path: path.stem)
def documented(request):
    """The name of a module, its documentation with fragments, its examples and its results."""
    texts = {
        node.targets[0].id: yaml.safe_load(node.value.value)
        for node in ast.parse(request.param.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    doc = texts["DOCUMENTATION"]
    for fragment in doc["extends_documentation_fragment"]:
        merge(doc, yaml.safe_load(fragment_text(fragment)))
    return "vlangate.vrrp." + request.param.stem, doc, texts["EXAMPLES"], texts["RETURN"]


def fragment_text(name):
    _namespace, _collection, file, *part = name.split(".")
    path = "ansible_collections.vlangate.vrrp.plugins.doc_fragments." + file
    found = importlib.import_module(path).ModuleDocFragment
    return getattr(found, part[0].upper() if part else "DOCUMENTATION")


def merge(doc, fragment):
    """What the module says itself comes first."""
    for kind in ("options", "attributes"):
        mine = doc.setdefault(kind, {})
        for name, entry in fragment.get(kind, {}).items():
            mine[name] = {**entry, **mine.get(name, {})}


def spec_of(options):
    """Documented options as an argument spec. What is required comes from the controller."""
    found = {}
    for name, option in options.items():
        found[name] = {key: option[key] for key in KEYS if key in option}
        if option.get("suboptions"):
            found[name]["options"] = spec_of(option["suboptions"])
    return found


def written_out(value):
    """Without what a template will give; only its name can be judged."""
    if isinstance(value, dict):
        return {key: written_out(each) for key, each in value.items() if not is_template(each)}
    if isinstance(value, list):
        return [written_out(each) for each in value if not is_template(each)]
    return value


def is_template(value):
    return isinstance(value, str) and "{{" in value


def test_it_says_what_check_mode_diff_and_a_second_run_do(documented):
    _name, doc, _examples, _returned = documented
    for attribute in ("check_mode", "diff_mode", "idempotent", "action_group"):
        support = doc["attributes"][attribute]["support"]
        assert support in ("full", "partial", "none", "N/A"), attribute
        if support == "partial":
            assert doc["attributes"][attribute].get("details"), attribute


def test_its_examples_are_tasks_that_its_options_allow(documented):
    name, doc, examples, _returned = documented
    spec = spec_of(doc["options"])
    tried = 0
    for task in examples:
        assert task.get("name"), task
        if name not in task:
            continue
        tried += 1
        arguments = task[name] or {}
        assert set(arguments) <= set(spec), task["name"]
        validator = ArgumentSpecValidator({key: {**spec[key], "required": False} for key in spec})
        assert validator.validate(written_out(arguments)).error_messages == [], task["name"]
    assert tried


def test_it_says_when_it_returns_what_with_a_sample(documented):
    _name, _doc, _examples, returned = documented
    assert returned
    for key, entry in returned.items():
        assert entry["description"] and entry["returned"] and entry["type"], key
        assert "sample" in entry, key
        sample = entry["sample"]
        assert sample is None or isinstance(sample, TYPES[entry["type"]]), key
        if entry["type"] == "list":
            assert entry["elements"], key
            assert all(isinstance(each, TYPES[entry["elements"]]) for each in sample), key
