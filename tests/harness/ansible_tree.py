# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test's view of the collection: a real path ansible_collections/vlangate/vrrp.

ansible-test follows no links, so it works on a copy of what git knows. The copy lies outside of the
repository: inside, ansible-test would ask git, and git ignores it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .environment import HOME, ROOT, scratch

# Names under which ansible-core 2.19 to 2.21 keep the installer of pip that they would download.
PIP_INSTALLERS = ("get_pip_24_2.py", "get_pip_25_2.py")


def make_tree(name: str) -> Path:
    """A copy in this run's scratch directory."""
    return copy_tree(scratch() / name)


def copy_tree(directory: Path) -> Path:
    """Copy the checkout's files, committed or new, and say where in the directory they are."""
    tree = directory / "ansible_collections" / "vlangate" / "vrrp"
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-coz", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for relative in filter(None, listing.stdout.split("\0")):
        source = ROOT / relative
        if source.is_file() or source.is_symlink():
            target = tree / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return tree


def install_pip_installer() -> None:
    """Let ansible-test seed pip from the interpreter itself: always the same, no download."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in PIP_INSTALLERS:
        shutil.copyfile(Path(__file__).with_name("get_pip.py"), cache / name)


def junit_reports(tree: Path) -> list[Path]:
    """What ansible-test wrote about the tests it ran."""
    return sorted((tree / "tests" / "output" / "junit").glob("*.xml"))
