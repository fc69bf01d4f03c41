# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who encodes the templates: a child, so that pyroute2 is never in the daemon; else the daemon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest

from vrrp.linux import templates

ROOT = Path(__file__).resolve().parents[4]
# What a process needs that encodes for itself, and what a daemon has no other use for.
HEAVY = {"pyroute2", "logging", "multiprocessing", "subprocess", "hashlib", "asyncio"}
BEGINNING = """
import json, os, sys
sys.path[:0] = [%(engine)r]
from vrrp.cli import main as cli
from vrrp.daemon import main as daemon
from vrrp.linux import rtnl
%(before)s
sys.path.append(%(pyroute2)r)
rtnl.prepare()
problem = rtnl.codec_problem()
try:
    os.waitpid(-1, 0)
    children = "left"
except ChildProcessError:
    children = "none"
heavy = {name.split(".")[0] for name in sys.modules} & set(%(heavy)r)
print(json.dumps([problem, children, sorted(heavy), rtnl.set_link_up(7).hex()]))
"""


def in_a_new_process(before: str = "", pyroute2: str = "") -> Any:
    import pyroute2 as installed

    where = pyroute2 or str(Path(installed.__path__[0]).parent)
    program = BEGINNING % {
        "engine": str(ROOT / "plugins" / "module_utils"),
        "before": before,
        "pyroute2": where,
        "heavy": sorted(HEAVY),
    }
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    return json.loads(done.stdout)


@pytest.fixture(name="expected", scope="module")
def encoded_here() -> Dict[str, bytes]:
    return templates.encode_all()


def test_a_daemon_has_none_of_what_encodes() -> None:
    problem, children, heavy, up = in_a_new_process()
    assert (problem, children, heavy) == (None, "none", [])
    assert len(up) > 2 * 16


def test_without_a_child_it_encodes_itself() -> None:
    refuse = "def refuse(): raise BlockingIOError(11, 'no room')\nos.fork = refuse"
    problem, children, heavy, up = in_a_new_process(refuse)
    assert (problem, children) == (None, "none")
    assert "pyroute2" in heavy
    assert up == in_a_new_process()[3]


def test_a_process_that_ignores_the_end_of_children() -> None:
    """As one does that the running daemon has started in an upgrade."""
    ignore = "import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    problem, _children, heavy, up = in_a_new_process(ignore)
    assert (problem, heavy) == (None, [])
    assert up == in_a_new_process()[3]


def test_a_child_that_dies_is_no_problem() -> None:
    dies = "from vrrp.linux import templates\ntemplates._be_the_child = lambda pipe: os._exit(1)"
    problem, children, heavy, up = in_a_new_process(dies)
    assert (problem, children) == (None, "none")
    assert "pyroute2" in heavy
    assert up == in_a_new_process()[3]


def test_the_child_tells_what_would_be_encoded_here(expected: Dict[str, bytes]) -> None:
    readable, writable = os.pipe()
    told = json.dumps({name: message.hex() for name, message in expected.items()})
    os.write(writable, told.encode())
    os.close(writable)
    pid = os.spawnv(os.P_NOWAIT, "/bin/true", ["true"])
    assert templates.Templates._collected(pid, readable) == expected


@pytest.mark.parametrize("said", [b"", b"{", b'{"change": "x"}'])
def test_what_is_broken_is_not_believed(said: bytes) -> None:
    readable, writable = os.pipe()
    os.write(writable, said)
    os.close(writable)
    pid = os.spawnv(os.P_NOWAIT, "/bin/true", ["true"])
    assert templates.Templates._collected(pid, readable) is None
