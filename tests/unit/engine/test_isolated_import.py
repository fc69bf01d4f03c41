# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module of the engine loads alone, isolated, on every Python that may run it.

As on a router: no site-packages, no Ansible, no pyroute2 beside it; the name is just `vrrp`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest

MODULE_UTILS = Path(__file__).resolve().parents[3] / "plugins" / "module_utils"
VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")

# Each module in a fresh interpreter's state would take minutes; forgetting all of ours between two
# imports shows the same: whether a module can be the first to be loaded.
PROGRAM = """
import importlib, json, sys
root, names = sys.argv[1], sys.argv[2:]
sys.path.insert(0, root)
sys.dont_write_bytecode = True
failures = {}
for name in names:
    for loaded in [key for key in sys.modules if key.split(".")[0] == "vrrp"]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except BaseException as error:
        failures[name] = repr(error)
foreign = sorted({"ansible", "ansible_collections", "pyroute2", "asyncio"} & set(sys.modules))
print(json.dumps({"failures": failures, "foreign": foreign, "version": sys.version_info[:2]}))
"""


def module_names(root: Path) -> list:
    return [
        ".".join(path.relative_to(root).with_suffix("").parts).replace(".__init__", "")
        for path in sorted((root / "vrrp").rglob("*.py"))
    ]


def interpreters() -> Dict[str, str]:
    """The Pythons of this host, by version."""
    directories = os.environ.get("PATH", "").split(os.pathsep)
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    directories += [str(path / "bin") for path in sorted(pyenv.glob("versions/*"))]
    present = {}
    for version in VERSIONS:
        for directory in directories:
            program = Path(directory, "python" + version)
            if version not in present and answers(program, version):
                present[version] = str(program)
    return present


def answers(program: Path, version: str) -> bool:
    """Whether it runs as that version: a shim may stand for a Python that is not chosen."""
    if not os.access(program, os.X_OK):
        return False
    command = [str(program), "-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout.strip() == version


def load(program: str, root: Path) -> dict:
    command = [program, "-I", "-S", "-c", PROGRAM, str(root), *module_names(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


FOUND = interpreters()


@pytest.mark.parametrize("version", sorted(FOUND, key=VERSIONS.index))
def test_every_module_loads_alone(version):
    result = load(FOUND[version], MODULE_UTILS)
    assert result["failures"] == {}
    assert result["foreign"] == []
    assert ".".join(map(str, result["version"])) == version


def test_the_python_that_runs_the_tests_is_among_them():
    assert "%d.%d" % sys.version_info[:2] in FOUND


def test_a_module_that_does_not_load_is_found(tmp_path):
    package = tmp_path / "vrrp"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "needs_more.py").write_text("import pyroute2\n", encoding="utf-8")
    (package / "fine.py").write_text("import os\n", encoding="utf-8")
    assert list(load(sys.executable, tmp_path)["failures"]) == ["vrrp.needs_more"]
