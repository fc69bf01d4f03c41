# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the modules are run as they are written, and return what is documented.

On the demo's site, in an order in which each finds what it speaks of: at the end the engine and
its host settings are removed. The modules for hosts of a VLAN and for drills have tests of their
own.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import yaml

from tests.lab.control import Lab, temporary_lab
from tests.lab.demo import INVENTORY
from tests.lab.shell import REPOSITORY, run
from tests.lab.test_accidents import play
from tests.lab.topology import CONTROLLER, LabSpec

MODULES = ("info", "assert", "plan", "survey", "handover", "config", "engine", "host")
PREFIX = "vlangate.vrrp."
# What Ansible itself may put into a result.
COMMON = {"changed", "failed", "msg", "diff", "invocation", "warnings", "deprecations", "exception"}
COMMON |= {"skipped", "skip_reason", "false_condition"}
TYPES = {"str": str, "int": int, "float": (int, float), "bool": bool, "list": list, "dict": dict}
# Another release, to be installed from a file: this engine with one more file.
BUILD = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, "plugins/plugin_utils")
from engine_archive import build_archive, find_pyroute2
built = build_archive(Path("plugins/module_utils/vrrp"), find_pyroute2())
other = replace(built, files={**built.files, "NOTE": b"another release"})
Path(sys.argv[1]).write_bytes(other.data())
"""


def texts(module: str) -> Dict[str, Any]:
    """DOCUMENTATION, EXAMPLES and RETURN of a module, as data."""
    tree = ast.parse((REPOSITORY / "plugins" / "modules" / ("vrrp_%s.py" % module)).read_text())
    return {
        node.targets[0].id: yaml.safe_load(node.value.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def tasks(module: str) -> List[Dict[str, Any]]:
    """The examples of a module: of routers together on all of them, else on the first one."""
    found = []
    for task in texts(module)["EXAMPLES"]:
        arguments = task.get("%svrrp_%s" % (PREFIX, module)) or {}
        together = module in ("plan", "survey") or arguments.get("scope") == "group"
        found.append(task if together else {**task, "when": "inventory_hostname == 'gw1'"})
    return found


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[List[Dict[str, Any]]]:
    """What all examples returned."""
    if os.geteuid() != 0:
        pytest.fail("the lab makes namespaces and boots routers: run its tests as root")
    directory = tmp_path_factory.mktemp("examples")
    (directory / "build").mkdir()
    python = str(REPOSITORY / ".venv" / "bin" / "python")
    run([python, "-c", BUILD, str(directory / "build" / "vlangate.tar.gz")])
    plan = {"ansible.builtin.import_role": {"name": PREFIX + "gateways", "tasks_from": "plan"}}
    playbook = [
        {
            "name": "The examples of vrrp_" + module,
            "hosts": "gateways",
            "gather_facts": False,
            "tasks": [{"name": "Plan", **plan}, *tasks(module)],
        }
        for module in MODULES
    ]
    (directory / "examples.yml").write_text(yaml.safe_dump(playbook, sort_keys=False))
    with temporary_lab(LabSpec("e%d" % os.getpid())) as lab:
        play(lab, "site", vlangate_manage_interfaces="networkd")
        yield run_examples(lab, directory)


def run_examples(lab: Lab, directory: Path) -> List[Dict[str, Any]]:
    argv = ["ansible-playbook", "-i", INVENTORY, str(directory / "examples.yml")]
    told = directory / "results"
    environment = {
        **lab.environment(),
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "results",
        "RESULTS_FILE": str(told),
    }
    done = subprocess.run(
        lab.enter_command(CONTROLLER, argv), cwd=str(REPOSITORY), env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    return [json.loads(line) for line in told.read_text().splitlines()]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_do_what_they_say(results: List[Dict[str, Any]], module: str) -> None:
    mine = {each["task"] for each in results if each["module"] == "%svrrp_%s" % (PREFIX, module)}
    wanted = [each["name"] for each in texts(module)["EXAMPLES"] if any(map(named(module), each))]
    assert wanted and set(wanted) <= mine
    assert all(each["outcome"] == "ok" for each in results)


def named(module: str) -> Any:
    return lambda key: key == "%svrrp_%s" % (PREFIX, module)


@pytest.mark.parametrize("module", MODULES)
def test_what_is_returned_is_documented_and_the_other_way_round(
    results: List[Dict[str, Any]], module: str
) -> None:
    documented = texts(module)["RETURN"]
    problems = []
    for each in results:
        result = {key: value for key, value in each["result"].items() if key[0] != "_"}
        if list(result.get("ansible_facts", ())) == ["discovered_interpreter_python"]:
            del result["ansible_facts"]  # by Ansible, where it asked for the first time
        if each["module"] != "%svrrp_%s" % (PREFIX, module) or result.get("skipped"):
            continue
        always = {
            k for k, entry in documented.items() if entry["returned"] in ("success", "always")
        }
        for key in sorted(set(result) - COMMON - set(documented)):
            problems.append("%s: %s is not documented" % (each["task"], key))
        for key in sorted(always - set(result)):
            problems.append("%s: %s is missing" % (each["task"], key))
        for key in set(result) & set(documented):
            kind = documented[key]["type"]
            if result[key] is not None and not isinstance(result[key], TYPES[kind]):
                problems.append("%s: %s is no %s: %r" % (each["task"], key, kind, result[key]))
    assert not problems, "\n".join(problems)
