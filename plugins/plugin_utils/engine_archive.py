# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the engine's source tree into one release: what a router needs, in one archive.

Runs on the controller, from the action plugin and from ``make engine``; standard library only.

A release is named by its content, not by the bytes of the archive: compressors differ between
Python builds, the files do not. ``manifest.json`` lists every other file with its SHA-256, so the
router can check what it unpacked.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import typing as t
import zlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PYROUTE2_VERSION = "0.8.1"

#: What vrrp/linux uses of pyroute2: its rtnl message classes. The package's own __init__ would
#: import all of pyroute2 (20 MB more at run time), so a release has an empty one in its place.
PYROUTE2_FILES = (
    "common.py",
    "config/__init__.py",
    "netlink/__init__.py",
    "netlink/exceptions.py",
    "netlink/rtnl/__init__.py",
    "netlink/rtnl/fibmsg.py",
    "netlink/rtnl/ifaddrmsg.py",
    "netlink/rtnl/ifinfmsg/**/*.py",
    "netlink/rtnl/iw_event.py",
    "netlink/rtnl/ndmsg.py",
    "netlink/rtnl/rtmsg.py",
)

MANIFEST = "manifest.json"

#: The real path goes first on sys.path, so a process that outlives a switch of ``current`` never
#: imports from the other release.
MAIN = b'''\
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of a release: python3 -I DIRECTORY COMMAND..."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from vrrp.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
'''

LAUNCHER = b"""\
#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
exec python3 -I "$(dirname "$(readlink -f "$0")")/release" "$@"
"""


class EngineArchiveError(Exception):
    """The release cannot be built here; the message says what to do."""


@dataclass(frozen=True)
class EngineArchive:
    """A release before it is shipped: relative path -> content, without the manifest."""

    version: str
    files: t.Mapping[str, bytes]

    @property
    def sha256(self) -> str:
        """The digest of the content: of every path with the digest of its file."""
        lines = ["%s %s\n" % (digest, path) for path, digest in sorted(self.digests.items())]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each file."""
        return {path: hashlib.sha256(data).hexdigest() for path, data in self.files.items()}

    @property
    def release(self) -> str:
        """The name of the release, and of its directory on the router."""
        return "%s-%s" % (self.version, self.sha256[:12])

    @property
    def manifest(self) -> dict[str, t.Any]:
        """What the release says about itself."""
        return {
            "release": self.release,
            "version": self.version,
            "sha256": self.sha256,
            "pyroute2": PYROUTE2_VERSION,
            "files": dict(sorted(self.digests.items())),
        }

    def contents(self) -> list[tuple[str, bytes]]:
        """Every file, with the manifest, sorted by path."""
        manifest = json.dumps(self.manifest, indent=1, sort_keys=True).encode() + b"\n"
        return sorted({**self.files, MANIFEST: manifest}.items())

    def data(self) -> bytes:
        """The release as tar.gz: sorted names, no times, owned by root."""
        buffer = io.BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as packed:
            with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for path, data in self.contents():
                    entry = tarfile.TarInfo(path)
                    entry.size = len(data)
                    entry.mode = 0o644
                    tar.addfile(entry, io.BytesIO(data))
        return buffer.getvalue()


def read_archive(path: str) -> EngineArchive:
    """A release that was built earlier. Raises EngineArchiveError when it is none, or damaged."""
    try:
        with tarfile.open(path, "r:gz") as tar:
            members = [(entry.name, tar.extractfile(entry)) for entry in tar if entry.isfile()]
            files = {name: content.read() for name, content in members if content is not None}
        stated = json.loads(files.pop(MANIFEST))
        archive = EngineArchive(version=stated["version"], files=files)
    except (
        OSError,
        EOFError,
        tarfile.TarError,
        zlib.error,
        KeyError,
        ValueError,
        TypeError,
    ) as error:
        raise EngineArchiveError(
            "%s is no release of the engine (%r): build one with make engine" % (path, error)
        ) from None
    if archive.manifest != stated:
        raise EngineArchiveError("%s is damaged: its files are not those of its manifest" % path)
    return archive


def find_pyroute2() -> Path:
    """The directory of the pinned pyroute2 in this Python; EngineArchiveError names the remedy."""
    remedy = "install it beside ansible-core: python3 -m pip install 'pyroute2==%s'" % (
        PYROUTE2_VERSION
    )
    try:
        distribution = metadata.distribution("pyroute2")
    except metadata.PackageNotFoundError:
        raise EngineArchiveError(
            "pyroute2 %s is needed on the controller, to be shipped inside the engine; %s"
            % (PYROUTE2_VERSION, remedy)
        ) from None
    if distribution.version != PYROUTE2_VERSION:
        raise EngineArchiveError(
            "the engine is tested with pyroute2 %s and ships it, but the controller has %s; %s"
            % (PYROUTE2_VERSION, distribution.version, remedy)
        )
    return Path(str(distribution.locate_file("pyroute2")))


def build_archive(engine_root: Path, pyroute2_root: Path) -> EngineArchive:
    """Collect a release from the engine's tree and an installed, pinned pyroute2."""
    files = {"__main__.py": MAIN, "pyroute2/__init__.py": b""}
    for path in sorted(engine_root.rglob("*.py")):
        files["vrrp/" + path.relative_to(engine_root).as_posix()] = path.read_bytes()
    for pattern in PYROUTE2_FILES:
        found = sorted(pyroute2_root.glob(pattern))
        if not found:
            raise EngineArchiveError(
                "%s has no %s: the installation of pyroute2 %s is damaged, install it again"
                % (pyroute2_root, pattern, PYROUTE2_VERSION)
            )
        for path in found:
            name = path.relative_to(pyroute2_root).as_posix()
            files["pyroute2/" + name] = path.read_bytes()
    for path in _licences(pyroute2_root):
        files["pyroute2/" + path.name] = path.read_bytes()
    return EngineArchive(version=_version(engine_root), files=files)


def write_release(directory: Path, archive: EngineArchive) -> None:
    """What ``make engine`` leaves: a release laid out, with a launcher, and the same packed."""
    release = directory / "release"
    wanted = {name for name, _data in archive.contents()}
    for name, data in archive.contents():
        target = release / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    for path in sorted(release.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.suffix == ".pyc" or path.relative_to(release).as_posix() not in wanted:
            path.unlink()
    (directory / "vlangate.tar.gz").write_bytes(archive.data())
    launcher = directory / "vlangate"
    launcher.write_bytes(LAUNCHER)
    os.chmod(launcher, 0o755)


def _licences(pyroute2_root: Path) -> list[Path]:
    """pyroute2's licence texts, which have to travel with its files."""
    folder = pyroute2_root.parent / ("pyroute2-%s.dist-info" % PYROUTE2_VERSION)
    found = sorted(path for path in folder.rglob("LICENSE*") if path.is_file())
    if not found:
        raise EngineArchiveError(
            "no licence of pyroute2 in %s: it cannot be passed on without; install pyroute2 "
            "again from its wheel" % folder
        )
    return found


def _version(engine_root: Path) -> str:
    text = (engine_root / "version.py").read_text(encoding="utf-8")
    match = re.search(r'^VERSION = "([^"]+)"$', text, re.MULTILINE)
    if match is None:
        raise EngineArchiveError("%s/version.py names no VERSION" % engine_root)
    return match.group(1)
