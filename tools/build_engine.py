# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes build/vlangate and build/release: the engine as a router gets it (``make engine``)."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "plugins" / "plugin_utils"))

import engine_archive  # noqa: E402  (needs the path above)


def main() -> int:
    """Build into the directory given, or into build/ of this checkout."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build"
    try:
        archive = engine_archive.build_archive(
            ROOT / "plugins" / "module_utils" / "vrrp", engine_archive.find_pyroute2()
        )
    except engine_archive.EngineArchiveError as error:
        print("make engine: %s" % error, file=sys.stderr)
        return 1
    engine_archive.write_release(directory, archive)
    print("%s: release %s" % (directory / "vlangate", archive.release))
    return 0


if __name__ == "__main__":
    sys.exit(main())
