# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`vlangate replay`: its three exit statuses and its words."""

import pytest
from engine_kit.histories import configurations, first_links, history
from engine_kit.values import T0

from vrrp.cli.main import main
from vrrp.fsm.actions import Reason
from vrrp.fsm.virtual_router import VirtualRouter
from vrrp.router.journal import Recorder
from vrrp.router.vrrp_router import VrrpRouter


@pytest.fixture
def journal(tmp_path):
    """A journal of 200 steps."""
    router = VrrpRouter(configurations()[0], first_links(), T0)
    recorder = Recorder(router)
    lines = list(recorder.beginning(T0))
    for event, now_ns in history(1, 200):
        lines.append(recorder.step(event, now_ns, router.step(event, now_ns)))
    path = tmp_path / "journal"
    path.write_text("".join(lines), encoding="ascii")
    return path


def test_the_same_again_is_0(journal, capsys):
    assert main(["replay", str(journal)]) == 0
    assert "200 steps in " in capsys.readouterr().out


def test_an_engine_that_does_otherwise_is_1(journal, capsys, monkeypatch):
    monkeypatch.setattr(VirtualRouter, "_takeover_reason", lambda self: Reason.OWNER)
    assert main(["replay", str(journal)]) == 1
    out = capsys.readouterr().out
    assert "differs (" in out and "  event     " in out
    assert "  expected  " in out and "  got       " in out


def test_another_version_is_named(journal, capsys):
    text = journal.read_text().replace('"engine":"', '"engine":"0.0.', 1)
    journal.write_text(text)
    assert main(["replay", str(journal)]) == 0
    assert "recorded by engine 0.0." in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", [b"", b"no journal\n", b"{}\n", b"\xff\xfe\n", b"\0" * 50 + b"\n"]
)
def test_what_is_no_journal_is_2(tmp_path, capsys, content):
    path = tmp_path / "journal"
    path.write_bytes(content)
    assert main(["replay", str(path)]) == 2
    assert str(path) in capsys.readouterr().err


def test_a_file_that_is_not_there_is_2(tmp_path, capsys):
    assert main(["replay", str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err
