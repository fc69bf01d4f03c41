# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another release of this collection, to upgrade from and to go back to; or one that is broken.

    python3 -m tests.lab.other_release DIRECTORY VERSION [--broken]

Copies the collection as users install it to DIRECTORY, which is then one for
ANSIBLE_COLLECTIONS_PATH, under another version. The daemon of a broken one starts, and ends before
it is healthy.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path
from typing import List

from .shell import REPOSITORY, LabError

PARTS = ("galaxy.yml", "meta", "playbooks", "plugins", "roles")
VERSION = re.compile(r'^VERSION = ".*"$', re.MULTILINE)
# The last definition of a name counts: this daemon never runs.
BROKEN = """

def run(options: Options) -> int:  # type: ignore[no-redef]
    raise SystemExit("this release is broken on purpose")
"""


def make(directory: Path, version: str, broken: bool) -> Path:
    """Make it anew; the directory of the collection."""
    collection = directory / "ansible_collections/vlangate/vrrp"
    shutil.rmtree(collection, ignore_errors=True)
    collection.mkdir(parents=True)
    for part in PARTS:
        source = REPOSITORY / part
        if source.is_dir():
            shutil.copytree(source, collection / part, ignore=shutil.ignore_patterns("*.pyc"))
        else:
            shutil.copy(source, collection / part)
    engine = collection / "plugins/module_utils/vrrp"
    text, count = VERSION.subn('VERSION = "%s"' % version, (engine / "version.py").read_text())
    if count != 1:
        raise LabError("version.py does not say its version as it used to")
    (engine / "version.py").write_text(text)
    if broken:
        with open(engine / "daemon/main.py", "a", encoding="utf-8") as stream:
            stream.write(BROKEN)
    return collection


def main(arguments: List[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tests.lab.other_release")
    parser.add_argument("directory", type=Path)
    parser.add_argument("version")
    parser.add_argument("--broken", action="store_true")
    options = parser.parse_args(arguments)
    print(make(options.directory, options.version, options.broken))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
