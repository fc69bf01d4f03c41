# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that outlive the daemon, on a real file system: whole or not at all, and only ours."""

import os
import stat

import pytest
from engine_kit.ports import FakeLog

from vrrp.daemon import state_files
from vrrp.daemon.state_files import StateFiles, boot_id
from vrrp.errors import PlatformError


@pytest.fixture(name="files")
def files_in_a_directory_to_be_made(tmp_path):
    files = StateFiles(str(tmp_path / "state"), FakeLog([]))
    files.path = tmp_path / "state"
    return files


def test_what_was_written_is_read(files):
    assert (files.read("a.json"), files.problems) == (None, ())
    files.write("a.json", {"names": ["é"]})
    assert files.read("a.json") == {"format": 1, "names": ["é"]}
    files.write_text("b", "text\n")
    assert files.read_text("b") == "text\n"
    assert sorted(os.listdir(files.path)) == ["a.json", "b"]


def test_only_we_may_read_it(files):
    files.write("a.json", {})
    assert stat.S_IMODE(files.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((files.path / "a.json").stat().st_mode) == 0o600


def test_a_file_is_replaced_as_a_whole(files, monkeypatch):
    files.write("a.json", {"n": 1})
    with open(files.path / "a.json", encoding="utf-8") as reader:
        files.write("a.json", {"n": 2})
        assert '"n": 1' in reader.read()

    def refuse(*_names):
        raise OSError(28, "no room")

    monkeypatch.setattr(state_files.os, "replace", refuse)
    with pytest.raises(PlatformError) as caught:
        files.write("a.json", {"n": 3})
    assert "No space left" in str(caught.value)
    assert files.read("a.json") == {"format": 1, "n": 2}
    assert os.listdir(files.path) == ["a.json"], "half a file would only fill the disk"
    assert files.problems == (str(caught.value),)
    monkeypatch.undo()
    files.write("a.json", {"n": 4})
    assert files.problems == ()


def test_what_a_killed_writer_left_is_no_obstacle(files):
    files.write("a.json", {"n": 1})
    (files.path / "a.json.new").symlink_to(files.path / "elsewhere")
    files.write("a.json", {"n": 2})
    assert files.read("a.json") == {"format": 1, "n": 2}
    assert os.listdir(files.path) == ["a.json"]


def foreign(path, kind):
    if kind == "link":
        path.with_name("target").write_text('{"format": 1}', encoding="utf-8")
        path.symlink_to("target")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.write_text('{"format": 1}', encoding="utf-8")
        if kind == "open to all":
            path.chmod(0o666)
        if kind == "endless":
            os.truncate(path, 65 * 1024 * 1024)


@pytest.mark.parametrize(
    "kind", ("link", "pipe", "directory", "somebody else's", "open to all", "endless")
)
def test_what_is_not_ours_is_not_believed(files, kind, monkeypatch):
    files.path.mkdir()
    if kind == "somebody else's":
        us = os.geteuid()
        monkeypatch.setattr(state_files.os, "geteuid", lambda: us + 1)
    foreign(files.path / "a.json", kind)
    assert files.read("a.json") is None
    assert files.read_text("a.json") is None
    (problem,) = files.problems
    assert "a.json is not used: " in problem


@pytest.mark.parametrize("octets", (b"", b"{", b"\xff", b"[1]", b'{"format": 2}', b"[" * 100_000))
def test_what_cannot_be_read_is_not_believed(files, octets):
    files.path.mkdir()
    (files.path / "a.json").write_bytes(octets)
    assert files.read("a.json") is None
    assert "a.json is not used: " in files.problems[0]
    files.write("a.json", {})
    assert (files.read("a.json"), files.problems) == ({"format": 1}, ())


def test_a_problem_is_told_once(files):
    files.path.mkdir()
    (files.path / "a.json").write_bytes(b"{")
    for _time in range(3):
        files.read("a.json")
    assert len(files._log.journal) == 1


def test_renaming_and_removing(files):
    files.write("a.json", {"n": 1})
    files.rename("a.json", "b.json")
    assert files.read("b.json") == {"format": 1, "n": 1}
    files.remove("b.json")
    files.remove("b.json")
    assert os.listdir(files.path) == []
    with pytest.raises(PlatformError):
        files.rename("a.json", "b.json")


def test_where_no_directory_can_be(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    files = StateFiles(str(tmp_path / "file" / "state"), FakeLog([]))
    assert files.read("a.json") is None
    files.remove("a.json")
    with pytest.raises(PlatformError):
        files.write("a.json", {})
    assert len(files.problems) == 1


def test_a_boot_has_one_name():
    assert boot_id() == boot_id() != ""
