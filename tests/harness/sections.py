# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections of ``make test``, in order. To add one, write a function, name it in SECTIONS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import ansible_tree
from .environment import CACHE, HOME, ROOT, TARGET_PYTHONS, pythons, scratch, unit_environment
from .section import Section
from .stalls import Watch

MAIN_PYTHON = str(ROOT / ".venv" / "bin" / "python")
MAIN_VERSION = "%d.%d" % sys.version_info[:2]
WORKERS = ("-n", "2")
# A command that is not done after so long hangs. It says nothing of how long anything should take:
# the slowest takes ten minutes, on a machine that does nothing else.
HANGS_S = 2400
# For tests that wait most of their time.
WAITERS = ("-n", "4", "--dist", "worksteal")
# Tests in namespaces that would measure each other.
ALONE = (
    "accidents",
    "adoption",
    "commitment",
    "dataplane_adoption",
    "dataplane_cost",
    "dataplane_names",
    "flood",
    "gaps",
    "gateways",
    "hand_over",
    "interfaces",
    "monitor",
    "reconcile",
    "reconcile_many",
    "reload",
    "slow",
    "upgrade",
    "vrrp_probe",
)
# Tests of the lab that take minutes each: `make lab-all` runs them, too.
SELDOM = ("drill", "examples", "probe", "rollout_faults")
# Simulated histories of a whole run, and what takes its time in their section only.
HISTORIES = "2000"
IN_SIM = tuple(
    f"--ignore=tests/unit/engine/sim/test_{name}.py" for name in ("broken_engines", "checkers")
)
# These read the sources, or start every Python themselves to compare them.
ON_ONE_PYTHON = (
    "--ignore=tests/unit/engine/sim",
    *(f"--ignore=tests/unit/engine/test_{n}.py" for n in ("isolated_import", "layers", "tidy")),
)
ALL_PYTHONS = (
    "--ignore=tests/unit/engine/test_isolated_import.py",
    "--ignore=tests/unit/harness/test_simulation.py",
)
# Versions of ansible-core beside the pinned one, and the Python that each wants.
OTHER_CORES = (("2.20.10", "3.12"), ("2.21.5", "3.13"))

# The scenarios of extensions/molecule, and the releases of Debian that routers may have.
SCENARIOS = ("default", "change", "upgrade", "rollback", "drill", "mine")
DEBIANS = ("11", "12", "13")
# In each run; the section "lab" has drills, and releases that are taken back.
FREQUENT = {"default": "12", "change": "13", "upgrade": "11", "mine": "12"}


@dataclass(frozen=True)
class Entry:
    """One section: what it proves, and whether it makes namespaces."""

    run: Callable[[Section], None]
    purpose: str
    needs_root: bool = False


def lint(section: Section) -> None:
    section.command("ruff check", ["ruff", "check", "."])
    section.command("ruff format", ["ruff", "format", "--check", "."])
    section.command("mypy", ["mypy"])
    section.command("mypy of the test driver", ["mypy", "--strict", "tests/harness"])
    section.command("yamllint", ["yamllint", "--strict", "."])
    section.command("shellcheck", ["shellcheck", "-x", "-P", "SCRIPTDIR", *_shell_scripts()])
    section.command("reuse", ["reuse", "lint", "--lines"])
    section.command("changelog", ["antsibull-changelog", "lint"])
    section.command(
        "documentation", ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "."]
    )


def unit_main(section: Section) -> None:
    """For `make check`: without the tests that start every Python themselves."""
    arguments = [*WORKERS, *IN_SIM, *ALL_PYTHONS, "tests/unit/engine", "tests/unit/harness"]
    section.pytest("unit tests", MAIN_PYTHON, arguments, timeout_s=HANGS_S)


def unit(section: Section) -> None:
    arguments = [*WORKERS, *IN_SIM, "tests/unit/engine", "tests/unit/harness"]
    section.pytest(f"unit tests on {MAIN_VERSION}", MAIN_PYTHON, arguments, timeout_s=HANGS_S)
    for version in TARGET_PYTHONS:
        if version == MAIN_VERSION:
            continue
        if version not in pythons():
            print(f"    Python {version} is not here: its unit tests are not run", flush=True)
            continue
        try:
            python = unit_environment(version)
        except subprocess.CalledProcessError as error:
            section.require(False, f"unit tests on {version}: no environment ({error})")
            continue
        arguments = [*WORKERS, *ON_ONE_PYTHON, "tests/unit/engine"]
        section.pytest(f"unit tests on {version}", python, arguments, timeout_s=HANGS_S)


def sim(section: Section) -> None:
    env = dict(os.environ, SIM_COUNT=HISTORIES)
    arguments = [*WORKERS, "-rP", "tests/unit/engine/sim"]
    section.pytest("histories", MAIN_PYTHON, arguments, env=env, timeout_s=HANGS_S)


def netns(section: Section) -> None:
    """What counts packets or milliseconds has the machine for itself."""
    alone = [f"tests/netns/test_{name}.py" for name in ALONE]
    others = [f"--ignore={path}" for path in alone]
    arguments = [*WAITERS, *others, "tests/netns"]
    section.pytest("real sockets", MAIN_PYTHON, arguments, timeout_s=HANGS_S)
    section.pytest("under traffic", MAIN_PYTHON, alone, timeout_s=HANGS_S)


def uml(section: Section) -> None:
    """What the wire shows, over 802.1Q: rules, transitions, two gateways on good and bad cables.

    The rest of tests/netns does the same there as in the section netns, and takes ten minutes, for
    starting a process is slow in user-mode Linux; `make uml` runs it all.
    """
    section.pytest("user-mode Linux itself", MAIN_PYTHON, ["tests/uml"], timeout_s=HANGS_S)
    # VRFs are to be had here only.
    names = ("rfc_ipv4", "rfc_ipv6", "transitions", "gateways", "dataplane_parents")
    tests = [f"tests/netns/test_{name}.py" for name in names]
    _in_user_mode_linux(section, "802.1Q", tests, trunk=True, timeout_s=HANGS_S)


def uml_all(section: Section) -> None:
    # A flood at a steady rate needs a faster machine.
    tests = ["tests/netns", "--ignore=tests/netns/test_flood.py"]
    _in_user_mode_linux(section, "802.1Q", tests, trunk=True, timeout_s=1800)
    _in_user_mode_linux(section, "untagged", tests, trunk=False, timeout_s=1800)


def _in_user_mode_linux(
    section: Section, title: str, tests: list[str], *, trunk: bool, timeout_s: int
) -> None:
    report = scratch() / f"junit-uml-{title}.xml"
    argv = ["tests/uml/run", "--timeout", str(timeout_s), "--share", str(scratch())]
    argv += [MAIN_PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    # Debian's kernel for it has no families of nftables: the tests' summary names what that costs.
    env = dict(os.environ, VLANGATE_NETNS_MAY_LACK="nftables live_rename")
    if trunk:
        env["VLANGATE_NETNS_TRUNK"] = "1"
    done = Section(section.name)
    passed = done.command(
        f"user-mode Linux, {title}", [*argv, *tests], env=env, timeout_s=timeout_s + 30
    )
    section.junit(f"user-mode Linux, {title}", 0 if passed else 1, [report])


def fuzz(section: Section) -> None:
    section.pytest("no square", MAIN_PYTHON, [*WORKERS, "tests/fuzz"], timeout_s=HANGS_S)
    for target in ("packets", "solicitations", "config", "control", "journal"):
        # The same seed each time: what is found by chance is for `make fuzz`, and a change is not
        # to be refused for what was there before. Whichever limit comes first ends a run.
        seed = os.environ.get("SEED", "1")
        argv = [MAIN_PYTHON, "-m", "tests.fuzz", "--target", target, "--seed", seed]
        argv += ["--seconds", "20", "--runs", "20000"]
        section.command(f"fuzz {target}", argv, timeout_s=HANGS_S)


def interop(section: Section) -> None:
    """Some hand-overs; the rest of the matrix takes minutes."""
    files = [f"tests/interop/test_{name}.py" for name in ("interop", "looking", "page")]
    arguments = [*WAITERS, *files]
    section.pytest("keepalived and FRR", MAIN_PYTHON, arguments, timeout_s=HANGS_S)


def interop_all(section: Section) -> None:
    section.pytest("interop matrix", MAIN_PYTHON, [*WAITERS, "tests/interop"], timeout_s=3600)


def lab(section: Section) -> None:
    """What a roll-out, a guide and an accident show; the rest takes as long again."""
    others = [f"--ignore=tests/lab/test_{name}.py" for name in SELDOM]
    arguments = [*others, "tests/lab"]
    section.pytest("site on systemd routers", MAIN_PYTHON, arguments, timeout_s=HANGS_S)


def lab_all(section: Section) -> None:
    section.pytest("systemd routers, all of it", MAIN_PYTHON, ["tests/lab"], timeout_s=7200)


def sanity(section: Section) -> None:
    tree = _tree("sanity")
    ignores = [
        f"{path.name}: {line}"
        for path in tree.glob("tests/sanity/ignore-*.txt")
        for line in path.read_text().splitlines()
        if line.strip() and not line.startswith("#")
    ]
    section.require(not ignores, f"sanity tests are switched off: {ignores}")
    argv = ["ansible-test", "sanity", "--local", "--color", "no"]
    section.command("ansible-test sanity", argv, cwd=tree, timeout_s=HANGS_S)


def units(section: Section) -> None:
    tree = _tree("units")
    argv = [
        "ansible-test",
        "units",
        "--venv",
        "--requirements",
        "--color",
        "no",
        "tests/unit/plugins/",
    ]
    done = Section(section.name)
    passed = done.command("ansible-test units", argv, cwd=tree, timeout_s=HANGS_S)
    section.junit("ansible-test units", 0 if passed else 1, ansible_tree.junit_reports(tree))


def integration(section: Section) -> None:
    """One call for each target: then a target is a check, and one failure hides no other."""
    tree = _tree("integration")
    argv = ["ansible-test", "integration", "--local", "--allow-root", "--color", "no"]
    targets = sorted(path.name for path in tree.glob("tests/integration/targets/vrrp_*"))
    section.require(bool(targets), "no integration target was found")
    for target in targets:
        _measured(section, f"integration {target}", [*argv, target], cwd=tree)


def ansible_lint(section: Section) -> None:
    # It keeps a copy of the collection there, and would go on to look at that of an earlier run.
    shutil.rmtree(HOME / ".ansible/collections/ansible_collections/vlangate", ignore_errors=True)
    argv = ["ansible-lint", "--offline", "--strict", "--profile", "production"]
    section.command("ansible-lint", argv, timeout_s=HANGS_S)


def molecule(section: Section) -> None:
    for scenario, debian in FREQUENT.items():
        _molecule(section, scenario, debian)


def molecule_all(section: Section) -> None:
    for debian in DEBIANS:
        for scenario in SCENARIOS:
            _molecule(section, scenario, debian)


def _molecule(section: Section, scenario: str, debian: str) -> None:
    # A lab of our own: who else runs a scenario keeps theirs.
    env = dict(os.environ, VLANGATE_DEBIAN=debian, VLANGATE_LAB=f"m{os.getpid()}")
    argv = ["molecule", "test", "-s", scenario]
    _measured(section, f"molecule {scenario} on Debian {debian}", argv, env=env)


def _measured(
    section: Section,
    title: str,
    argv: list[str],
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
) -> None:
    """A command that measures. If it fails while the machine stood still, it has measured that, and
    does it once more; see stalls.py."""
    first, since_ns, watch = Section(section.name), time.monotonic_ns(), Watch()
    try:
        why = ""
        if not first.command(title, argv, cwd=cwd, env=env, timeout_s=HANGS_S):
            why = watch.stalls(since_ns)
    finally:
        watch.close()
    if why:
        section.tally.measured_again.append(f"{title}: {why}")
        section.command(title, argv, cwd=cwd, env=env, timeout_s=HANGS_S)
    else:
        section.tally.add(first.tally)


def package(section: Section) -> None:
    """Build the collection, install it without network, and use it from there."""
    galaxy = ["ansible-galaxy", "collection"]
    built = scratch() / "built"
    section.command(
        "galaxy build", [*galaxy, "build", "--output-path", str(built)], cwd=_tree("package")
    )
    archives = [str(path) for path in built.glob("*.tar.gz")]
    if not section.require(len(archives) == 1, f"one archive expected, built: {archives}"):
        return
    installed = scratch() / "installed"
    env = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(installed))
    argv = [*galaxy, "install", "--offline", "-p", str(installed), *archives]
    section.command("galaxy install", argv, cwd=scratch(), env=env)
    argv = [*galaxy, "verify", "--offline", "-p", str(installed), "vlangate.vrrp"]
    section.command("galaxy verify", argv, cwd=scratch(), env=env)
    documents = subprocess.run(
        ["ansible-doc", "--json", "--list", "vlangate.vrrp"],
        cwd=scratch(),
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    listed = sorted(json.loads(documents.stdout or "{}"))
    modules = sorted(f"vlangate.vrrp.{path.stem}" for path in ROOT.glob("plugins/modules/*.py"))
    problem = f"ansible-doc lists {listed}, plugins/modules has {modules}: {documents.stderr}"
    section.require(listed == modules, problem)
    playbooks = sorted(f"vlangate.vrrp.{path.stem}" for path in ROOT.glob("playbooks/*.yml"))
    argv = ["ansible-playbook", "--syntax-check", *playbooks]
    section.command("playbooks of the installed collection", argv, cwd=scratch(), env=env)


def matrix(section: Section) -> None:
    for core, version in OTHER_CORES:
        if version not in pythons():
            print(f"    Python {version} is not here: ansible-core {core} is not tried", flush=True)
            continue
        directory = CACHE / "cores" / core
        if not (directory / "bin" / "ansible-test").exists():
            subprocess.run([pythons()[version], "-m", "venv", "--clear", directory], check=True)
            pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            subprocess.run([*pip, f"ansible-core=={core}"], check=True)
        env = dict(os.environ, PATH=f"{directory / 'bin'}{os.pathsep}{os.environ['PATH']}")
        argv = [str(directory / "bin" / "ansible-test"), "sanity", "--local", "--color", "no"]
        section.command(
            f"sanity on ansible-core {core}",
            argv,
            cwd=_tree(f"core-{core}"),
            env=env,
            timeout_s=1800,
        )


SECTIONS = {
    "lint": Entry(lint, "format, types, licences, documentation"),
    "unit": Entry(unit, "unit tests of the engine on every Python found"),
    "sim": Entry(sim, "simulated histories, and that broken engines are caught"),
    "fuzz": Entry(fuzz, "every decoder under a fuzzer, for a while"),
    "package": Entry(package, "the collection builds, and installs without a network"),
    "sanity": Entry(sanity, "ansible-test sanity, with nothing switched off"),
    "units": Entry(units, "unit tests of the plugins on every Python found"),
    "ansible-lint": Entry(ansible_lint, "roles and playbooks, production profile"),
    "netns": Entry(netns, "real sockets and netlink in namespaces", needs_root=True),
    "uml": Entry(uml, "the same over 802.1Q and on bad cables, in user-mode Linux"),
    "integration": Entry(integration, "modules against a real daemon", needs_root=True),
    "molecule": Entry(molecule, "scenarios on systemd routers, under traffic", needs_root=True),
    "lab": Entry(lab, "roll-outs, guides and accidents on systemd routers", needs_root=True),
    "interop": Entry(interop, "hand-overs with keepalived and FRR", needs_root=True),
}
# Run on request only.
EXTRA_SECTIONS = {
    "uml-all": Entry(uml_all, "all of netns in user-mode Linux, tagged and untagged"),
    "unit-main": Entry(unit_main, "unit tests of the engine on one Python"),
    "lab-all": Entry(lab_all, "all tests on systemd routers", needs_root=True),
    "interop-all": Entry(interop_all, "the whole matrix of docs/interop.md", needs_root=True),
    "molecule-all": Entry(molecule_all, "every scenario on Debian 11, 12 and 13", needs_root=True),
    "matrix": Entry(matrix, "sanity on newer ansible-core"),
}
GROUPS = {"check": ("lint", "unit-main")}


def _tree(name: str) -> Path:
    ansible_tree.install_pip_installer()
    return ansible_tree.make_tree(name)


def _shell_scripts() -> list[str]:
    """Committed files that a shell runs, by their first line."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    scripts = []
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            with path.open("rb") as stream:
                first = stream.readline(64)
            if first.startswith(b"#!") and first.rstrip().endswith((b"bash", b"/sh")):
                scripts.append(name)
    return scripts
