# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transcripts: what happens on a LAN, as text that a person can review. See golden/README.md.

A line is a comment, a command, or (indented) what must follow the command above it.
"""

import json
import os
from pathlib import Path
from typing import List

import pytest
from engine_kit.lan import Lan
from engine_kit.values import NS_PER_S, T0, config, group, group6

from vrrp.router.events import ALL, ConfigReplaced, DrainChanged

TRANSCRIPTS = sorted((Path(__file__).parents[1] / "golden" / "transcripts").glob("*.txt"))


class Player:
    """Carries out commands and tells each transition and drain, and who forwards no more long after
    it gave its role away."""

    def __init__(self) -> None:
        self.lan = Lan()
        self.lan.on_note = self._on_note
        self.lan.on_left = self._on_left
        self.told: List[str] = []

    def play(self, line: str) -> List[str]:
        """The lines that follow this command."""
        command, _space, rest = line.partition(" ")
        getattr(self, "_" + command)(*rest.split(" "))
        told, self.told = self.told, []
        return told

    def _on_note(self, at_ns, host, note):
        if note.kind in ("transition", "drain"):
            of = "" if note.name.startswith("vlan") else "%s: " % note.name
            self._tell(at_ns, host, of + note.message)

    def _on_left(self, at_ns, host):
        self._tell(at_ns, host, "forwards no more")

    def _tell(self, at_ns, host, message):
        self.told.append("  %8.3f %s %s" % ((at_ns - T0) / NS_PER_S, host, message))

    def _router(self, name, number, *settings):
        self.lan.add(name, self._config(*settings), int(number))

    def _config(self, *settings):
        chosen = json.loads(" ".join(settings) or "{}")
        make = group6 if chosen.pop("ipv6", False) else group
        members = chosen.pop("sync", None)
        if members is None:
            return config(make(**chosen))
        each = [make(name, vrid=vrid, **chosen) for vrid, name in enumerate(members, 10)]
        return config(*each, sync={"together": tuple(members)})

    def _reload(self, name, *settings):
        self.lan.step(name, ConfigReplaced(self._config(*settings)))

    def _drain(self, name, forced=""):
        self.lan.step(name, DrainChanged(frozenset({ALL}), bool(forced)))

    def _undrain(self, name):
        self.lan.step(name, DrainChanged(frozenset()))

    def _run(self, seconds):
        self.lan.run(float(seconds))

    def _kill(self, name):
        self.lan.kill(name)

    def _stop(self, name):
        self.lan.stop(name)

    def _cut(self, name):
        self.lan.cut.add(name)

    def _mend(self, name):
        self.lan.cut.discard(name)


def played(text: str) -> str:
    """The transcript as the engine of today writes it."""
    player = Player()
    lines = []
    for line in text.splitlines():
        if line.startswith("  "):
            continue
        lines.append(line)
        if line and not line.startswith("#"):
            lines += player.play(line)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path):
    text = path.read_text(encoding="utf-8")
    found = played(text)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(found, encoding="utf-8")
    assert found == text, "read the difference; UPDATE_GOLDEN=1 writes it down"


def test_there_are_transcripts():
    assert len(TRANSCRIPTS) >= 4


def test_a_wrong_line_is_seen():
    text = TRANSCRIPTS[0].read_text(encoding="utf-8")
    assert "-> master" in text
    assert played(text.replace("-> master", "-> backup")) != text.replace("-> master", "-> backup")
