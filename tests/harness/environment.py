# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tests run: directories of our own, the Pythons found, one environment for all."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
# What each command of the last run said.
LOGS = ROOT / "build" / "logs"
# Tools keep their caches here and leave the home of whoever runs the tests alone.
HOME = CACHE / "home"
# Tests make sockets below it, whose paths end at 107 characters.
LONGEST_TEMPORARY = 14
# The targets that ansible-core manages and that the engine promises to run on.
TARGET_PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")


@functools.cache
def scratch() -> Path:
    """Everything temporary of this run; what a command forgets there is found and reported."""
    directory = tempfile.gettempdir()
    if len(directory) > LONGEST_TEMPORARY:
        directory = "/tmp"
    return Path(tempfile.mkdtemp(prefix="vgt-", dir=directory))


def prepare() -> dict[str, str]:
    """Make the directories and set this process's environment, which all commands inherit."""
    HOME.mkdir(parents=True, exist_ok=True)
    # The lab's root file systems and pip's downloads stay where every checkout finds them.
    os.environ.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    _keep_pip_settings()
    # What tests write and compare has the usual modes, whoever runs them.
    os.umask(0o022)
    (scratch() / "tmp").mkdir()
    directories = [str(ROOT / ".venv" / "bin")]
    directories += sorted({str(Path(python).parent) for python in pythons().values()})
    directories += [d for d in _path() if d not in directories]
    os.environ.update(
        ANSIBLE_NOCOLOR="1",
        COLUMNS="140",
        HOME=str(HOME),
        MOLECULE_EPHEMERAL_DIRECTORY=str(scratch() / "molecule"),
        LC_ALL="C.UTF-8",
        NO_COLOR="1",
        PATH=os.pathsep.join(directories),
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONPATH="",
        TMPDIR=str(scratch() / "tmp"),
    )
    return dict(os.environ)


@functools.cache
def pythons(versions: tuple[str, ...] = TARGET_PYTHONS) -> dict[str, str]:
    """Version to real interpreter (no version manager's stub) for every one that is found."""
    found = {}
    for version in versions:
        for candidate in _candidates(version):
            if _runs(candidate, version):
                found[version] = str(candidate)
                break
    return found


def unit_environment(version: str) -> str:
    """The Python of a small environment with what the unit tests need; made on first use."""
    wanted = (ROOT / "tests" / "unit" / "engine" / "requirements.txt").read_text()
    interpreter = pythons()[version]
    directory = CACHE / "units" / version
    stamp = directory / "stamp"
    python = directory / "bin" / "python"
    current = f"{interpreter}\n{wanted}"
    if not (stamp.exists() and stamp.read_text() == current and python.exists()):
        subprocess.run([interpreter, "-m", "venv", "--clear", directory], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["-r", "tests/unit/engine/requirements.txt"]
        subprocess.run(command, cwd=ROOT, check=True)
        stamp.write_text(current)
    return str(python)


def remove_scratch() -> list[str]:
    """Remove what is temporary; the answer names what commands have left there."""
    kept = sorted(path.name for path in (scratch() / "tmp").glob("*"))
    shutil.rmtree(scratch(), ignore_errors=True)
    # An old pip forgets a copy of its certificates.
    return [name for name in kept if "cacert" not in name]


def _path() -> list[str]:
    return [d for d in os.environ["PATH"].split(os.pathsep) if d and not d.endswith("/shims")]


def _candidates(version: str) -> list[Path]:
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    managed = sorted(pyenv.glob(f"versions/{version}.*/bin/{name}"), key=_patch_level, reverse=True)
    return [Path(d) / name for d in _path() if "/.venv/" not in d + "/"] + managed


def _patch_level(path: Path) -> int:
    match = re.search(r"versions/\d+\.\d+\.(\d+)/", str(path))
    return int(match.group(1)) if match else -1


def _runs(candidate: Path, version: str) -> bool:
    if not candidate.exists():
        return False
    program = "import ensurepip, sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([candidate, "-c", program], capture_output=True, text=True, check=False)
    return answer.stdout.strip() == version


def _keep_pip_settings() -> None:
    """A mirror in the user's pip.conf stays in force though HOME is another."""
    for name in (".config/pip/pip.conf", ".pip/pip.conf"):
        settings = Path.home() / name
        if settings.exists():
            os.environ.setdefault("PIP_CONFIG_FILE", str(settings))
