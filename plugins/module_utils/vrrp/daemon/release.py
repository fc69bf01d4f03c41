# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release of the engine is running. Layer L5."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

# The manifest lies beside __main__.py of a release, two folders above this file.
_MANIFEST = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "manifest.json"
)


@dataclass(frozen=True)
class Release:
    """version: that of the collection; digest: of the release's files."""

    version: str
    digest: str

    @classmethod
    def of_this_engine(cls) -> Release:
        """Read the manifest; a source tree has none and calls itself so."""
        try:
            with open(_MANIFEST, encoding="utf-8") as file:
                manifest = json.load(file)
            return cls(str(manifest["version"]), str(manifest["release"]))
        except (OSError, ValueError, KeyError):
            return cls("source", "source")
