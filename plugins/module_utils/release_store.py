# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases of the engine on a router: unpacked side by side, one of them current.

Runs on the router inside a module; standard library only, no AnsibleModule. Layout::

    DIRECTORY/releases/<version>-<12 digits>/   manifest.json __main__.py vrrp/ pyroute2/
    DIRECTORY/current -> releases/...           replaced by one rename()
    DIRECTORY/previous -> releases/...          what current was before
    DIRECTORY/abandoned -> releases/...         what was left by going back, without previous
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import typing as t
import zlib

MANIFEST = "manifest.json"
LINKS = ("current", "previous")
ABANDONED = "abandoned"


class DamagedArchive(Exception):
    """What was unpacked is not what the manifest promises."""


def manifest_in(archive: str) -> t.Dict[str, t.Any]:
    """What an archive says about itself. Raises DamagedArchive."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            content = tar.extractfile(MANIFEST)
            manifest: t.Dict[str, t.Any] = json.loads(content.read()) if content else {}
        names = [manifest["release"], *manifest["files"]]
    except (
        OSError,
        EOFError,
        tarfile.TarError,
        zlib.error,
        ValueError,
        KeyError,
        TypeError,
    ) as error:
        raise DamagedArchive("%s is no release of the engine: %r" % (archive, error)) from None
    if "/" in names[0] or any(name[:1] == "/" or ".." in name.split("/") for name in names):
        raise DamagedArchive("%s is no release of the engine: it names files elsewhere" % archive)
    return manifest


class ReleaseStore:
    """Releases below one directory; nothing is cached, every answer is read from disk."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.releases = os.path.join(directory, "releases")

    def path(self, release: str) -> str:
        """Where a release is or would be."""
        return os.path.join(self.releases, release)

    def linked(self, link: str) -> t.Optional[str]:
        """The release that current, previous or abandoned points to; None without one."""
        try:
            return os.path.basename(os.readlink(os.path.join(self.directory, link)))
        except OSError:
            return None

    def manifest(self, release: t.Optional[str]) -> t.Dict[str, t.Any]:
        """What a release says about itself; empty when it is absent or unreadable."""
        if release is None:
            return {}
        try:
            with open(os.path.join(self.path(release), MANIFEST), "rb") as stream:
                return json.load(stream)
        except (OSError, ValueError):
            return {}

    def is_intact(self, release: str, files: t.Mapping[str, str]) -> bool:
        """True when every file of the release is there with the SHA-256 given."""
        try:
            return all(
                _sha256(os.path.join(self.path(release), name)) == digest
                for name, digest in files.items()
            )
        except OSError:
            return False

    def unpack(self, archive: str, release: str, files: t.Mapping[str, str]) -> str:
        """Unpack beside the releases and check every file; returns the temporary directory.

        Only files that the manifest names are written. Raises DamagedArchive.
        """
        os.makedirs(self.releases, mode=0o755, exist_ok=True)
        target = tempfile.mkdtemp(prefix=".new-", dir=self.releases)
        try:
            with tarfile.open(archive, "r:gz") as tar:
                for entry in tar:
                    content = tar.extractfile(entry)
                    if content is not None and (entry.name in files or entry.name == MANIFEST):
                        _write(os.path.join(target, entry.name), content.read())
            if not self.is_intact(os.path.basename(target), files):
                raise DamagedArchive("the archive of release %s was damaged on its way" % release)
            for folder, _names, _files in os.walk(target):
                os.chmod(folder, 0o755)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
        return target

    def adopt(self, unpacked: str, release: str) -> None:
        """Give an unpacked release its name, in place of a damaged one of that name."""
        shutil.rmtree(self.path(release), ignore_errors=True)
        os.rename(unpacked, self.path(release))

    def link(self, link: str, release: t.Optional[str]) -> None:
        """Point current, previous or abandoned to a release, atomically; None removes the link."""
        path = os.path.join(self.directory, link)
        if release is None:
            if os.path.islink(path):
                os.unlink(path)
            return
        temporary = path + ".new"
        if os.path.islink(temporary):
            os.unlink(temporary)
        os.symlink(os.path.join("releases", release), temporary)
        os.replace(temporary, path)

    def remove(self) -> None:
        """All releases; and the directory, unless somebody else has put something there."""
        for link in (*LINKS, ABANDONED):
            self.link(link, None)
        shutil.rmtree(self.releases, ignore_errors=True)
        if not os.listdir(self.directory):
            os.rmdir(self.directory)

    def prune(self, keep: int) -> t.List[str]:
        """Remove all but the newest releases (never a linked one); returns the names removed."""
        linked = {self.linked(link) for link in LINKS}
        names = [name for name in os.listdir(self.releases) if not name.startswith(".new-")]
        by_age = sorted(names, key=lambda name: os.stat(self.path(name)).st_mtime, reverse=True)
        spare = [name for name in by_age if name not in linked]
        room = max(keep - len(linked & set(names)), 0)
        for name in spare[room:]:
            shutil.rmtree(self.path(name))
        return spare[room:]


def _sha256(path: str) -> str:
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(data)
    os.chmod(path, 0o644)
