# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes another release of the engine: this one, with one more file. Prints its name."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import replace
from pathlib import Path

# ansible-test copies the targets away from the collection, and says where it is.
ROOTS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)
COLLECTIONS = [Path(root, "ansible_collections/vlangate/vrrp") for root in ROOTS if root]
COLLECTIONS.append(Path(__file__).resolve().parents[4])
PLUGINS = next(each / "plugins" for each in COLLECTIONS if (each / "plugins").is_dir())
sys.path.insert(0, str(PLUGINS / "plugin_utils"))

engine_archive = importlib.import_module("engine_archive")

archive = engine_archive.build_archive(
    PLUGINS / "module_utils" / "vrrp", engine_archive.find_pyroute2()
)
other = replace(archive, files={**archive.files, "NOTE": b"another release\n"})
Path(sys.argv[1]).write_bytes(other.data())
sys.stdout.write(other.release)
