# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syntax of keepalived.conf: words on lines, blocks in braces. What they mean is not here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..module_utils.vrrp.errors import Problem

TOKEN = re.compile(r'"(?P<quoted>[^"]*)"|(?P<brace>[{}])|(?P<word>[^\s{}"]+)')
#: What makes one file mean different things: it would have to be worked out by keepalived itself.
MACROS = ("$", "@", "~SEQ", "~LST")


@dataclass
class Statement:
    """A line with its keyword first, and the lines of its block if it has one."""

    line: int
    words: list[str]
    block: list[Statement] = field(default_factory=list)
    has_block: bool = False

    @property
    def keyword(self) -> str:
        return self.words[0]

    def text(self) -> str:
        """For people: the line, and that there is more."""
        secret = self.keyword in ("auth_pass", "key")
        shown = [self.keyword, "..."] if secret else self.words
        return " ".join([*shown, "{ ... }"] if self.has_block else shown)

    def inner_words(self) -> Iterator[tuple[int, str]]:
        """All words of the block with their lines, where they are a mere list."""
        for each in self.block:
            for word in each.words:
                yield each.line, word


def read_statements(text: str, name: str, problems: list[Problem]) -> list[Statement]:
    """The statements of a file; what cannot be read is added to the problems."""
    top = Statement(0, [name], has_block=True)
    stack = [top]
    for number, raw in enumerate(text.splitlines(), 1):
        _read_line(number, _without_comment(raw), stack, name, problems)
    if len(stack) > 1:
        message = "the block of %s is not closed" % stack[-1].keyword
        hint = "the file is cut off, or a closing brace is missing"
        problems.append(Problem("%s:%d" % (name, stack[-1].line), "syntax", message, hint))
    return top.block


def _read_line(
    number: int, text: str, stack: list[Statement], name: str, problems: list[Problem]
) -> None:
    where = "%s:%d" % (name, number)
    statement: Statement | None = None
    for match in TOKEN.finditer(text):
        if match["brace"] == "{":
            opened = statement or (stack[-1].block[-1] if stack[-1].block else None)
            if opened is None:
                problems.append(Problem(where, "syntax", "{ has no keyword before it", "remove it"))
                return
            opened.has_block = True
            stack.append(opened)
            statement = None
        elif match["brace"] == "}":
            if len(stack) == 1:
                problems.append(Problem(where, "syntax", "} closes nothing", "remove it"))
                return
            stack.pop()
            statement = None
        else:
            word = match["quoted"] if match["quoted"] is not None else match["word"]
            if match["word"] and word.startswith(MACROS):
                hint = "write out what keepalived makes of it"
                problems.append(Problem(where, "macro", "%s is a macro" % word, hint))
            if statement is None:
                statement = Statement(number, [])
                stack[-1].block.append(statement)
            statement.words.append(word)
            if len(statement.words) == 1 and word.startswith("include"):
                hint = "put what it includes in its place"
                problems.append(Problem(where, "include", "another file is included", hint))


def _without_comment(line: str) -> str:
    """What stands before the first ! or # that is not in quotes."""
    quoted = False
    for place, letter in enumerate(line):
        if letter == '"':
            quoted = not quoted
        elif letter in "!#" and not quoted:
            return line[:place]
    return line
