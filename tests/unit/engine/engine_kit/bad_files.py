# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The corpus of configuration files that must change nothing: tests/unit/engine/config/bad/.

Each case is a JSON file with what is in the bad file, and every problem that it has to be refused
with. What is in it is written in one of three ways:

    "document": {...}                a document, JSON by itself
    "text": "...", "times": 3        a text, repeated so often (once when left out)
    "octets": "7bff"                 anything at all, in hexadecimal

    for bad in bad_files():
        bad.write(path)              # the file of the daemon
        ...                          # reload
        assert bad.unnamed(error_text, path) == []

A problem that ends with "..." is the beginning of one: how json words its errors depends on the
version of Python. FILE stands for the path of the file.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

DIRECTORY = Path(__file__).resolve().parents[1] / "config" / "bad"
_OPEN_END = "..."


@dataclass(frozen=True)
class BadFile:
    """A bad configuration file. octets: what is in it; problems: why it is refused, in order.

    document: the same as a value; None where the file is no JSON by itself.
    """

    path: Path
    octets: bytes = field(repr=False)
    document: Any = field(repr=False)
    problems: Tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What is wrong, in a few words with hyphens."""
        return self.path.stem

    def write(self, path: Any) -> None:
        """Make this the file at path."""
        Path(path).write_bytes(self.octets)

    def expected(self, path: Any) -> List[str]:
        """The problems that a file at path has, in order; see "..." above."""
        return [problem.replace("FILE", str(path), 1) for problem in self.problems]

    def explains(self, found: Sequence[str], path: Any) -> bool:
        """Whether exactly the expected problems were found, in their order."""
        expected = self.expected(path)
        return len(found) == len(expected) and all(map(_is, found, expected))

    def unnamed(self, text: str, path: Any) -> List[str]:
        """The expected problems that a text, such as an error or a line of a log, leaves out."""
        expected = [_without_open_end(problem) for problem in self.expected(path)]
        return [problem for problem in expected if problem not in text]

    def renew(self, found: Sequence[str], path: Any) -> None:
        """Write down what was found as what is expected, with UPDATE_GOLDEN=1."""
        if os.environ.get("UPDATE_GOLDEN") == "1" and not self.explains(found, path):
            case = json.loads(self.path.read_text(encoding="utf-8"))
            case["problems"] = [each.replace(str(path), "FILE") for each in found]
            self.path.write_text(json.dumps(case, indent=2) + "\n", encoding="utf-8")


def bad_files() -> Tuple[BadFile, ...]:
    """The whole corpus, by name."""
    return tuple(_read(path) for path in sorted(DIRECTORY.glob("*.json")))


def _read(path: Path) -> BadFile:
    case = json.loads(path.read_text(encoding="utf-8"))
    return BadFile(path, _octets(case), case.get("document"), tuple(case["problems"]))


def _octets(case: Dict[str, Any]) -> bytes:
    if "octets" in case:
        return bytes.fromhex(case["octets"])
    if "text" in case:
        text: str = case["text"] * case.get("times", 1)
        return text.encode("utf-8")
    return json.dumps(case["document"], indent=2).encode("utf-8")


def _is(found: str, expected: str) -> bool:
    if expected.endswith(_OPEN_END):
        return found.startswith(_without_open_end(expected))
    return found == expected


def _without_open_end(problem: str) -> str:
    return problem[: -len(_OPEN_END)] if problem.endswith(_OPEN_END) else problem
