# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files that outlive the daemon. Layer L5. What is in them is decided by their owners.

A file is replaced as a whole, by renaming. Nothing waits for the disk (fsync): that can take
seconds, and the one thread that would wait is the one that advertises. After a power cut a file is
the new one, the old one or, on some file systems, damaged, which is as good as absent: whoever
reads has an answer to that. Nor is a file believed that is not ours, or no file at all.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from typing import Any, Dict, Mapping, Optional, Tuple

from ..errors import PlatformError
from .log import Log

FORMAT = 1
# Passwords are in a configuration.
_FILE_MODE = 0o600
_DIRECTORY_MODE = 0o700
# Of a configuration twice, with 4,000 virtual routers: some megabytes.
_MAXIMUM_OCTETS = 64 * 1024 * 1024


class StateFiles:
    """The files of one directory, by name. Reading never raises; writing raises PlatformError."""

    def __init__(self, directory: str, log: Log) -> None:
        self.directory = directory
        self._log = log
        self._problems: Dict[str, str] = {}

    @property
    def problems(self) -> Tuple[str, ...]:
        """What is wrong now, a sentence for each file."""
        return tuple(self._problems[name] for name in sorted(self._problems))

    def read_text(self, name: str) -> Optional[str]:
        """What is in a file; None when it is absent, or nothing that we would have written."""
        path = self._path(name)
        try:
            # Not through a link, and without waiting for whoever writes into a pipe.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.disbelieve(name, error.strerror or str(error))
            return None
        text = ""
        try:
            wrong = _not_ours(os.fstat(descriptor))
            if not wrong:
                with open(descriptor, "rb", closefd=False) as file:
                    text = file.read().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            wrong = str(error)
        finally:
            os.close(descriptor)
        if wrong:
            self.disbelieve(name, wrong)
            return None
        return text

    def read(self, name: str) -> Optional[Dict[str, Any]]:
        """The document in a file of our format; None as above."""
        text = self.read_text(name)
        if text is None:
            return None
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            self.disbelieve(name, "it is no JSON: %s" % error)
            return None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            self.disbelieve(name, "it is no document of format %d" % FORMAT)
            return None
        return document

    def disbelieve(self, name: str, reason: str) -> None:
        """Whoever reads found out that a file cannot be used: tell it, and go on without."""
        sentence = "%s is not used: %s" % (self._path(name), reason)
        if self._problems.get(name) != sentence:
            self._problems[name] = sentence
            self._log.write("warning", sentence)

    def forget(self, name: str) -> None:
        """Whoever asked was told, and nothing is amiss: what is wrong with this file is no news."""
        self._problems.pop(name, None)

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Replace a file by a document; the format is added. Raises PlatformError."""
        self.write_text(name, json.dumps({"format": FORMAT, **document}) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Replace a file. Raises PlatformError, and the old one stays."""
        path = self._path(name)
        unfinished = path + ".new"
        try:
            os.makedirs(self.directory, mode=_DIRECTORY_MODE, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(unfinished)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(unfinished, flags, _FILE_MODE), "wb") as file:
                file.write(text.encode("utf-8"))
            os.replace(unfinished, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(unfinished)  # half a file would only fill the disk
            raise self._refused("write", name, error) from None
        self._problems.pop(name, None)

    def rename(self, name: str, new_name: str) -> None:
        """Replace another file by this one, which needs no room on the disk. Raises
        PlatformError."""
        try:
            os.replace(self._path(name), self._path(new_name))
        except OSError as error:
            raise self._refused("rename", name, error) from None
        self._problems.pop(name, None)
        self._problems.pop(new_name, None)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there. Raises PlatformError."""
        try:
            os.unlink(self._path(name))
        except (FileNotFoundError, NotADirectoryError):
            pass  # that is what was wanted
        except OSError as error:
            raise self._refused("remove", name, error) from None
        self._problems.pop(name, None)

    def _refused(self, operation: str, name: str, error: OSError) -> PlatformError:
        refused = PlatformError(operation, self._path(name), error.errno)
        self._problems[name] = str(refused)
        return refused

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)


def _not_ours(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "it is no file"
    if status.st_uid != os.geteuid():
        return "it belongs to user %d" % status.st_uid
    if status.st_mode & 0o022:
        return "others may write it"
    return "it is too long" if status.st_size > _MAXIMUM_OCTETS else ""


def boot_id() -> str:
    """Of the running kernel: what was counted in monotonic time is worth nothing in another."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
