# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release is the same bytes for the same content, and another release for any other content."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from importlib import metadata

import pytest
from ansible_collections.vlangate.vrrp.plugins.plugin_utils import engine_archive
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.engine_archive import (
    EngineArchiveError,
    build_archive,
    find_pyroute2,
    read_archive,
    write_release,
)

CLI = "def main():\n    print('hello from the release')\n    return 7\n"


@pytest.fixture
def trees(tmp_path):
    """An engine of one command, and a pyroute2 with every file that is shipped."""
    engine, pyroute2 = tmp_path / "engine", tmp_path / "lib" / "pyroute2"
    files = {
        engine / "version.py": 'VERSION = "1.2.3"\n',
        engine / "__init__.py": "",
        engine / "cli" / "__init__.py": "",
        engine / "cli" / "main.py": CLI,
        engine / "cli" / "main.pyc": "compiled",
        pyroute2 / "__init__.py": "raise ImportError('all of pyroute2')",
        pyroute2 / "unused.py": "",
        tmp_path / "lib" / "pyroute2-0.8.1.dist-info" / "LICENSE": "free",
    }
    for name in engine_archive.PYROUTE2_FILES:
        files[pyroute2 / name.replace("**/*", "plugins/vlan")] = "# " + name
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return engine, pyroute2


def test_the_same_content_is_the_same_release_and_the_same_bytes(trees):
    first, second = build_archive(*trees), build_archive(*trees)
    assert first.data() == second.data()
    assert first.release == second.release == "1.2.3-" + first.sha256[:12]


def test_times_and_modes_of_the_source_do_not_count(trees):
    before = build_archive(*trees).data()
    os.chmod(trees[0] / "version.py", 0o755)
    os.utime(trees[0] / "version.py", (1, 1))
    assert build_archive(*trees).data() == before


@pytest.mark.parametrize("name", ["cli/main.py", "version.py"])
def test_any_other_content_is_another_release(trees, name):
    before = build_archive(*trees).release
    path = trees[0] / name
    path.write_text(path.read_text().replace("1.2.3", "1.2.4") + "#\n")
    assert build_archive(*trees).release != before


def test_a_renamed_file_is_another_release(trees):
    before = build_archive(*trees).sha256
    (trees[0] / "cli" / "main.py").rename(trees[0] / "cli" / "other.py")
    assert build_archive(*trees).sha256 != before


def test_the_tar_is_sorted_timeless_and_owned_by_root(trees):
    archive = build_archive(*trees)
    data = archive.data()
    assert data[4:8] == b"\0\0\0\0"  # no time in the gzip header
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as tar:
        entries = tar.getmembers()
        manifest = json.load(tar.extractfile("manifest.json"))
    names = [entry.name for entry in entries]
    assert names == sorted(names)
    assert {(e.mtime, e.uid, e.gid, e.mode) for e in entries} == {(0, 0, 0, 0o644)}
    assert manifest == archive.manifest
    assert set(manifest["files"]) == set(names) - {"manifest.json"}


def test_only_what_is_needed_of_pyroute2_is_shipped_with_its_licence(trees):
    files = build_archive(*trees).files
    assert files["pyroute2/__init__.py"] == b""
    assert files["pyroute2/LICENSE"] == b"free"
    assert "pyroute2/unused.py" not in files
    assert not [name for name in files if name.endswith(".pyc")]


def test_a_damaged_pyroute2_is_named(trees):
    (trees[1] / "common.py").unlink()
    with pytest.raises(EngineArchiveError, match=r"has no common\.py.*install it again"):
        build_archive(*trees)


def test_without_its_licence_pyroute2_is_not_passed_on(trees):
    (trees[1].parent / "pyroute2-0.8.1.dist-info" / "LICENSE").unlink()
    with pytest.raises(EngineArchiveError, match="no licence"):
        build_archive(*trees)


def test_an_engine_without_a_version_is_refused(trees):
    (trees[0] / "version.py").write_text("")
    with pytest.raises(EngineArchiveError, match="names no VERSION"):
        build_archive(*trees)


def test_a_missing_pyroute2_names_the_command(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(engine_archive.metadata, "distribution", missing)
    with pytest.raises(EngineArchiveError, match=r"pip install 'pyroute2==0\.8\.1'"):
        find_pyroute2()


def test_another_pyroute2_names_both_versions(monkeypatch):
    class Other:
        version = "0.9.7"

    monkeypatch.setattr(engine_archive.metadata, "distribution", lambda name: Other())
    with pytest.raises(EngineArchiveError, match=r"0\.8\.1.*has 0\.9\.7.*pip install"):
        find_pyroute2()


def test_what_was_packed_is_read_again(trees, tmp_path):
    archive = build_archive(*trees)
    write_release(tmp_path / "build", archive)
    assert read_archive(str(tmp_path / "build" / "vlangate.tar.gz")) == archive


def _packed(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, data in files:
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda files: [*files[:-1], (files[-1][0], b"else")], "is damaged"),
        (lambda files: files[:-1], "is damaged"),
        (lambda files: [*files, ("more", b"")], "is damaged"),
        (lambda files: [each for each in files if each[0] != "manifest.json"], "is no release"),
        (lambda files: [("manifest.json", b"[]")], "is no release"),
    ],
)
def test_a_damaged_archive_is_refused(trees, tmp_path, damage, words):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(_packed(damage(build_archive(*trees).contents())))
    with pytest.raises(EngineArchiveError, match=words):
        read_archive(str(path))


@pytest.mark.parametrize("data", [None, b"", b"x", gzip.compress(b"x", mtime=0)])
def test_what_is_no_archive_is_refused(tmp_path, data):
    if data is not None:
        (tmp_path / "x").write_bytes(data)
    with pytest.raises(EngineArchiveError, match="build one with make engine"):
        read_archive(str(tmp_path / "x"))


def test_a_written_release_runs_and_loses_what_it_no_longer_has(trees, tmp_path):
    build = tmp_path / "build"
    write_release(build, build_archive(*trees))
    stale = build / "release" / "vrrp" / "old" / "gone.py"
    stale.parent.mkdir()
    stale.write_text("")
    write_release(build, build_archive(*trees))
    assert not stale.parent.exists()
    environment = dict(os.environ, PATH=os.path.dirname(sys.executable) + ":" + os.environ["PATH"])
    done = subprocess.run(
        [str(build / "vlangate"), "x"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (7, "hello from the release\n")
