# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts of a drill did and saw, as files on the controller, for the length of one run."""

from __future__ import annotations

import json
import os
import tempfile
import typing as t
from collections.abc import Mapping
from pathlib import Path

FIELDS = ("at", "until", "event", "began", "ended", "watched", "observed", "measured", "failure")


class Notes:
    """The notes of a drill; they lie beside its plan, which Ansible removes when the run ends."""

    def __init__(self, plan: str) -> None:
        self._directory = Path(plan + "-drill")

    def add(self, exercise: int, phase: str, host: str, note: Mapping[str, t.Any]) -> None:
        """Note something. Raises ValueError for fields that nobody reads."""
        unknown = sorted(set(note) - set(FIELDS))
        if unknown:
            raise ValueError("%s is none of %s" % (", ".join(unknown), ", ".join(FIELDS)))
        content = {"exercise": exercise, "phase": phase, "host": host, **note}
        self._directory.mkdir(mode=0o700, exist_ok=True)
        descriptor, path = tempfile.mkstemp(suffix=".new", dir=self._directory)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(content))
        os.rename(path, path[: -len(".new")] + ".json")

    def read(self) -> list[dict[str, t.Any]]:
        """All that is noted so far, in no order."""
        paths = self._directory.glob("*.json")
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]
