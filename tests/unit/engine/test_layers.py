# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom: the layers of the engine as a table, and a walk over every import.

Imports inside functions and under TYPE_CHECKING count too: Ansible ships them with a module, so
only layering keeps a module small. To allow something new, add it to the table, with its reason.
"""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Tuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = ROOT / "plugins"
ENGINE = PLUGINS / "module_utils" / "vrrp"


def words(text: str) -> FrozenSet[str]:
    return frozenset(text.split())


L0 = words("errors discards invariant units facts version digest")
# No effect on the outside world, no input from it, and cheap to import.
COMMON = words("__future__ collections dataclasses enum functools itertools operator re typing")
# What a process on a host works with.
HOST = words(
    "argparse contextlib ctypes errno fcntl gc grp hashlib heapq io ipaddress json math os pathlib"
    " resource select selectors shutil signal socket stat struct sys tempfile textwrap time"
    " traceback types"
)


@dataclass(frozen=True)
class Layer:
    """What the modules of one part may import beyond COMMON and the part itself.

    late: of the engine too, but inside functions only.
    """

    level: int
    engine: FrozenSet[str] = L0
    outside: FrozenSet[str] = frozenset()
    late: FrozenSet[str] = frozenset()


# A module belongs to the longest key that begins its name; the empty key is L0.
LAYERS: Dict[str, Layer] = {
    "": Layer(0, outside=words("os ipaddress")),  # os.strerror; addresses in words
    "digest": Layer(0, outside=words("_sha2 _sha256 hashlib")),
    "wire": Layer(1, outside=words("struct")),
    "fsm": Layer(1),
    "config": Layer(
        2, L0 | words("fsm.parameters fsm.states fsm.timing"), words("difflib ipaddress json")
    ),
    "control": Layer(2, outside=words("json")),
    "control.client": Layer(2, L0 | words("control"), words("json socket errno os time")),
    "router": Layer(3, L0 | words("wire fsm config"), words("heapq ipaddress json")),
    "ports": Layer(3, L0 | words("router.desired router.actions router.events config.model")),
    "linux": Layer(4, L0 | words("wire ports router.desired config.model"), HOST),
    # Frames are handed out, and back, as the router made them.
    "linux.packet_socket": Layer(4, L0 | words("wire ports router.actions linux"), HOST),
    "linux.bursts": Layer(4, L0 | words("router.actions linux"), HOST | words("mmap")),
    "linux.templates": Layer(
        4, L0 | words("wire ports router.desired linux"), HOST | words("pyroute2 importlib")
    ),
    # The loop hands over what the kernel may let wait; order is kept by cancel().
    "linux.renewer": Layer(4, L0 | words("linux"), HOST | words("threading")),
    "linux.hooks": Layer(4, L0 | words("ports linux"), HOST | words("subprocess")),
    "sim": Layer(4, L0 | words("wire fsm config router ports"), words("random heapq hashlib json")),
    "daemon": Layer(
        5, L0 | words("wire fsm config control router ports linux"), HOST | words("selectors")
    ),
    # A disk may let a write wait, whatever open(2) was told; order is kept by the queue.
    "daemon.errands": Layer(5, L0, words("collections threading")),
    "daemon.heartbeat": Layer(
        5, L0 | words("fsm wire router.actions daemon"), HOST | words("array mmap")
    ),
    # Late, so that `show` does not load what only `run` and a few others need.
    "cli": Layer(5, L0 | words("config control sim"), HOST, late=words("daemon.main")),
    "cli.replay": Layer(5, L0 | words("router.replay cli"), HOST),
    "__main__": Layer(5, words("cli.main"), words("sys")),
}
# The other plugins of the collection: what a module imports travels to the router with each call.
# wire is for those who look at a LAN from outside: vrrp_probe and vrrp_listen.
ANSIBLE_SIDE = L0 | words("config control.client wire fsm.parameters")

_TIME = "time comes in as now_ns, so that every test and simulation is repeatable"
_HOST = "only linux/ and daemon/ touch the host; here values come in and values go out"
_LOOP = "one loop and one thread: the order of events must not depend on a scheduler"
PURE_BANS = {
    "time": _TIME,
    "datetime": _TIME,
    "random": "equal inputs have to give equal outputs; the simulator passes its own generator",
    "os": _HOST,
    "socket": _HOST,
    "select": _HOST,
    "selectors": _HOST,
    "subprocess": _HOST,
}
BANS = {
    "asyncio": _LOOP + "; it also costs 70 ms and 9 MB at start",
    "threading": _LOOP,
    "multiprocessing": _LOOP,
    "concurrent": _LOOP,
    "logging": "pure layers return what is worth telling, daemon/log.py writes it",
    "subprocess": "a process started on the advertisement path delays it: only linux/hooks.py",
    "random": "only the simulator draws, from random.Random(seed)",
    "importlib": "an import by name escapes this table: only linux/rtnl.py, for the guarded codec",
    "pyroute2": "only linux/rtnl.py, as a codec, guarded",
    "ansible": "the engine runs without Ansible",
    "ansible_collections": "inside the engine imports are relative: it has two names",
    "vrrp": "inside the engine imports are relative: it has two names",
}


class Import(NamedTuple):
    """One imported module: dotted from the engine's root if inside, else as written.

    late: it stands in a function.
    """

    target: str
    inside: bool
    late: bool = False


def belongs(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


def key_of(module: str) -> str:
    """The row of the table for a module."""
    keys = [key for key in LAYERS if key and belongs(module, key)]
    return max(keys, key=len, default="")


def module_name(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts)


def imports(source: str, module: str, root: Path) -> Iterator[Import]:
    """Every import of a module that lies so under root, wherever in the source it stands."""
    tree = ast.parse(source)
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    inner = {
        node
        for function in ast.walk(tree)
        if isinstance(function, functions)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield Import(node.module or "", False)
        elif isinstance(node, ast.ImportFrom):
            for target, inside in relative_targets(node, module, root):
                yield Import(target, inside, node in inner)


def relative_targets(node: ast.ImportFrom, module: str, root: Path) -> Iterator[Tuple[str, bool]]:
    """The modules that a relative import names, and whether each lies under root."""
    package = module.split(".")[:-1]
    above = node.level - 1
    if above > len(package):
        yield "." * node.level + (node.module or ""), False
        return
    below = node.module.split(".") if node.module else []
    base = package[: len(package) - above] + below
    for alias in node.names:
        path = root.joinpath(*base, alias.name)
        is_module = path.is_dir() or path.with_suffix(".py").is_file()
        yield ".".join([*base, alias.name] if is_module else base), True


def violation(module: str, found: Import) -> Optional[str]:
    """Why this module of the engine may not import that; None when it may."""
    key = key_of(module)
    layer = LAYERS[key]
    where = "%s (L%d)" % (module, layer.level)
    if found.inside:
        own = key.split(".")[0] if key else None
        allowed = layer.engine | ({own} if own else L0) | (layer.late if found.late else set())
        if any(belongs(found.target, prefix) for prefix in allowed):
            return None
        return "%s imports %s, which its layer may not know" % (where, found.target or ".")
    top = found.target.split(".")[0]
    if top in COMMON | layer.outside:
        return None
    pure = layer.level <= 3
    reason = (pure and PURE_BANS.get(top)) or BANS.get(top) or "not in the table of its layer"
    return "%s imports %s: %s" % (where, found.target, reason)


def violations_of_engine_source(source: str, module: str) -> List[str]:
    found = [violation(module, each) for each in imports(source, module, ENGINE)]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id == "__import__":
            found.append("%s calls __import__: %s" % (module, BANS["importlib"]))
    return [each for each in found if each]


def violations_of_ansible_source(source: str, module: str) -> List[str]:
    """For a plugin; module is its dotted name under plugins/."""
    prefix = "module_utils.vrrp"
    collection = "ansible_collections.vlangate.vrrp.plugins."
    result = []
    for found in imports(source, module, PLUGINS):
        target = found.target
        if not found.inside and target.startswith(collection):
            target = target[len(collection) :]
        if not belongs(target, prefix):
            continue
        inner = target[len(prefix) + 1 :]
        if not any(belongs(inner, allowed) for allowed in ANSIBLE_SIDE):
            result.append("%s imports %s of the engine" % (module, inner or "all"))
    return result


def engine_files() -> List[Path]:
    return sorted(ENGINE.rglob("*.py"))


def ansible_files() -> List[Path]:
    return sorted(path for path in PLUGINS.rglob("*.py") if ENGINE not in path.parents)


def each(files: List[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", files, ids=lambda path: str(path.relative_to(PLUGINS)))


@each(engine_files())
def test_engine_module_keeps_to_its_layer(path):
    source = path.read_text(encoding="utf-8")
    assert violations_of_engine_source(source, module_name(path, ENGINE)) == []


@each(ansible_files())
def test_plugin_knows_only_values_config_and_the_control_client(path):
    source = path.read_text(encoding="utf-8")
    assert violations_of_ansible_source(source, module_name(path, PLUGINS)) == []


@each([path for path in engine_files() if path.name != "__init__.py"])
def test_docstring_names_the_layer(path):
    level = LAYERS[key_of(module_name(path, ENGINE))].level
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert "Layer L%d" % level in docstring


def test_packages_of_the_engine_run_nothing():
    full = [path for path in ENGINE.rglob("__init__.py") if path.stat().st_size]
    assert full == []


@each(engine_files() + ansible_files())
def test_no_assert_statement(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert lines == [], "use require(), or an error class that says whose fault it is"


def test_no_layer_knows_a_higher_one():
    for key, layer in LAYERS.items():
        for target in layer.engine:
            assert LAYERS[key_of(target)].level <= layer.level, "%s -> %s" % (key, target)


# The test itself: each of these has to be found.

BAD_ENGINE_SOURCES: List[Tuple[str, str, str]] = [
    ("fsm.virtual_router", "from ..wire.constants import TTL", "may not know"),
    ("fsm.virtual_router", "from .. import wire", "may not know"),
    ("fsm.virtual_router", "import struct", "not in the table"),
    ("wire.ip", "def late():\n    from ..fsm import states", "may not know"),
    ("wire.ip", "if TYPE_CHECKING:\n    from ..router.desired import VirtualDevice", "not know"),
    ("wire.ip", "from ..... import far", "not in the table"),
    ("wire.ip", "from vrrp.facts import Family", "relative"),
    ("router.receive", "import time", "now_ns"),
    ("router.receive", "def late():\n    import os.path", "touch the host"),
    ("router.receive", "from ..linux import rtnl", "may not know"),
    ("router.receive", "import logging", "daemon/log.py"),
    ("config.parse", "from ..fsm.virtual_router import VirtualRouter", "may not know"),
    ("control.schema", "import socket", "touch the host"),
    ("facts", "from .wire import ip", "may not know"),
    ("facts", "from . import config", "may not know"),
    ("ports", "from .router.vrrp_router import VrrpRouter", "may not know"),
    ("linux.monitor", "import pyroute2", "linux/rtnl.py"),
    ("linux.monitor", "import subprocess", "linux/hooks.py"),
    ("linux.monitor", "from ..daemon import loop", "may not know"),
    ("linux.monitor", "name = __import__('pyroute2')", "__import__"),
    ("daemon.loop", "import asyncio", "one thread"),
    ("daemon.loop", "from ..cli.main import main", "may not know"),
    ("daemon.loop", "from ..sim import world", "may not know"),
    ("cli.main", "from ..daemon.main import run", "may not know"),
    ("cli.main", "def run():\n    from ..daemon.loop import Loop", "may not know"),
    ("cli.show", "from ..daemon.loop import Loop", "may not know"),
    ("cli.show", "from ..linux.clock import MonotonicClock", "may not know"),
    ("sim.world", "from ansible.errors import AnsibleError", "without Ansible"),
]


@pytest.mark.parametrize(("module", "source", "complaint"), BAD_ENGINE_SOURCES)
def test_a_bad_import_in_the_engine_is_found(module, source, complaint):
    (found,) = violations_of_engine_source(source, module)
    assert complaint in found


@pytest.mark.parametrize(
    "source",
    [
        "from ..module_utils.vrrp.router.desired import VirtualDevice",
        "from ..module_utils.vrrp import daemon",
        "from ..module_utils import vrrp",
        "def late():\n    from ..module_utils.vrrp.linux.clock import MonotonicClock",
        "import ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.sim.world",
        "from ..module_utils.vrrp.control.schema import Request",
    ],
)
def test_a_bad_import_in_a_plugin_is_found(source):
    assert len(violations_of_ansible_source(source, "modules.vrrp_config")) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from ..module_utils.vrrp.config.parse import parse",
        "from ..module_utils.vrrp.control.client import ControlClient",
        "from ..module_utils.vrrp_module import fail_with",
        "from ansible.module_utils.basic import AnsibleModule",
    ],
)
def test_a_good_import_in_a_plugin_is_left_alone(source):
    assert violations_of_ansible_source(source, "modules.vrrp_config") == []
