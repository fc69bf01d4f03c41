# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guide as something to be done: the files and the commands of its fenced blocks, in order.

A block is a file when its first line is a comment with a path. In a block of language `console`, a
line with a prompt is a command: `$` on the controller, `gw1#` on a router, `h10$` on a host. What
follows it has to be in its output, line by line; `...` stands for anything, and neither spaces nor
what YAML and JSON put around a line count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import List, Union

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (?P<path>/?(?:[\w.-]+/)*[\w-]+\.\w+)(?: of (?P<place>\w+))?\n")
PROMPT = re.compile(r"(?P<place>\w*)[$#] (?P<command>.+)")
CONTROLLER = ""
# Blocks that show something and are not done.
SHOWN = ("text", "")


@dataclass(frozen=True)
class File:
    """A file that the guide has written, on the controller unless it says of whom."""

    path: str
    text: str
    place: str = CONTROLLER


@dataclass
class Command:
    """A command, and the lines that its output has to have."""

    place: str
    command: str
    output: List[str] = field(default_factory=list)

    def missing(self, said: str) -> List[str]:
        """The expected lines that are not there, in their order."""
        lines = [_plain(line) for line in said.splitlines()]
        absent = []
        for expected in self.output:
            parts = [re.escape(part) for part in _plain(expected).split("...")]
            pattern = re.compile(".*".join(parts))
            place = next((n for n, line in enumerate(lines) if pattern.fullmatch(line)), None)
            if place is None:
                absent.append(expected)
            else:
                lines = lines[place + 1 :]
        return absent


def _plain(line: str) -> str:
    return " ".join(line.split()).strip('", ')


Step = Union[File, Command]


def steps(text: str) -> List[Step]:
    """Everything that a guide has its reader do; ValueError for a block that is neither."""
    found: List[Step] = []
    for fence in FENCE.finditer(text):
        block = fence["text"]
        named = FILE.match(block)
        if named:
            found.append(File(named["path"], block, named["place"] or CONTROLLER))
        elif fence["language"] == "console":
            found += _commands(block)
        elif fence["language"] not in SHOWN:
            raise ValueError("neither a file nor a console: %s" % block[:60])
    return found


def _commands(block: str) -> List[Command]:
    commands: List[Command] = []
    for line in block.splitlines():
        prompt = PROMPT.fullmatch(line)
        if prompt:
            commands.append(Command(prompt["place"], prompt["command"]))
        elif not commands:
            raise ValueError("a console begins with a prompt, not with %r" % line)
        elif commands[-1].command.endswith("\\"):
            commands[-1].command = commands[-1].command[:-1] + line.strip()
        elif line.strip() not in ("", "..."):
            commands[-1].output.append(line)
    return commands
