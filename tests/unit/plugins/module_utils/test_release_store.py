# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases side by side, one of them current, and never a half one."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils.release_store import (
    DamagedArchive,
    ReleaseStore,
)

FILES = {"__main__.py": b"print('hello')\n", "vrrp/cli/main.py": b"x = 1\n"}


def digests(files):
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


@pytest.fixture
def store(tmp_path):
    return ReleaseStore(str(tmp_path / "vlangate"))


def archive(path, files):
    with tarfile.open(str(path), "w:gz") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return str(path)


def install(store, tmp_path, release, files=None):
    files = dict(files or FILES)
    shipped = {**files, "manifest.json": json.dumps({"release": release}).encode()}
    path = archive(tmp_path / "archive.tar.gz", shipped)
    store.adopt(store.unpack(path, release, digests(files)), release)


def test_what_is_unpacked_is_intact_and_says_what_it_is(store, tmp_path):
    install(store, tmp_path, "1-a")
    assert store.is_intact("1-a", digests(FILES))
    assert store.manifest("1-a") == {"release": "1-a"}
    assert os.listdir(store.releases) == ["1-a"]


def test_a_changed_or_missing_file_is_noticed(store, tmp_path):
    install(store, tmp_path, "1-a")
    path = os.path.join(store.path("1-a"), "vrrp", "cli", "main.py")
    with open(path, "wb") as stream:
        stream.write(b"x = 2\n")
    assert not store.is_intact("1-a", digests(FILES))
    os.unlink(path)
    assert not store.is_intact("1-a", digests(FILES))
    install(store, tmp_path, "1-a")
    assert store.is_intact("1-a", digests(FILES))


def test_a_damaged_archive_leaves_nothing(store, tmp_path):
    path = archive(tmp_path / "archive.tar.gz", {**FILES, "__main__.py": b"else"})
    with pytest.raises(DamagedArchive, match="1-a"):
        store.unpack(path, "1-a", digests(FILES))
    assert os.listdir(store.releases) == []


def test_an_archive_cannot_write_elsewhere(store, tmp_path):
    path = archive(tmp_path / "archive.tar.gz", {**FILES, "../../evil": b"x", "/tmp/evil": b"x"})
    unpacked = store.unpack(path, "1-a", digests(FILES))
    found = [name for _folder, _names, files in os.walk(str(tmp_path)) for name in files]
    assert "evil" not in found
    assert os.path.dirname(unpacked) == store.releases


def test_links_are_relative_and_replaced(store, tmp_path):
    assert store.linked("current") is None
    for release in ("1-a", "1-b"):
        install(store, tmp_path, release)
        store.link("current", release)
    assert store.linked("current") == "1-b"
    assert os.readlink(os.path.join(store.directory, "current")) == "releases/1-b"
    store.link("current", None)
    assert store.linked("current") is None


def test_an_absent_or_unreadable_manifest_is_empty(store, tmp_path):
    assert store.manifest(None) == store.manifest("1-a") == {}
    install(store, tmp_path, "1-a")
    with open(os.path.join(store.path("1-a"), "manifest.json"), "w") as stream:
        stream.write("{")
    assert store.manifest("1-a") == {}


def test_the_oldest_go_but_never_a_linked_one(store, tmp_path):
    for age, release in enumerate(("1-a", "1-b", "1-c", "1-d", "1-e")):
        install(store, tmp_path, release)
        os.utime(store.path(release), (age, age))
    store.link("current", "1-e")
    store.link("previous", "1-a")
    assert store.prune(3) == ["1-c", "1-b"]
    assert sorted(os.listdir(store.releases)) == ["1-a", "1-d", "1-e"]
    assert store.prune(3) == []
