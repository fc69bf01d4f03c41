# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sysctls: read, written, owned, and given back as they were. Layer L4.

A key is the path below /proc/sys ("net/ipv4/conf/eth0.10/arp_ignore"): interface names may have
dots, so the dotted form of sysctl(8) would be ambiguous.
"""

from __future__ import annotations

import errno
import json
import os
from typing import Dict, Iterable, Tuple

from ..errors import PlatformError

_ROOT = "/proc/sys/"
_LONGEST_VALUE = 4096


def exists(key: str) -> bool:
    """True when this kernel (and this interface) has the sysctl."""
    return os.path.exists(_ROOT + key)


def read(key: str) -> str:
    """The value as the kernel shows it. Raises PlatformError."""
    try:
        descriptor = os.open(_ROOT + key, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(descriptor, _LONGEST_VALUE).decode("ascii").strip()
        finally:
            os.close(descriptor)
    except OSError as error:
        raise PlatformError("read", key, error.errno) from error


def write(key: str, value: str) -> None:
    """Set a value and look whether it took. Raises PlatformError."""
    try:
        descriptor = os.open(_ROOT + key, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.write(descriptor, value.encode("ascii"))
            os.lseek(descriptor, 0, os.SEEK_SET)
            found = os.read(descriptor, _LONGEST_VALUE).decode("ascii").strip()
        finally:
            os.close(descriptor)
    except OSError as error:
        hint = "is /proc/sys read-only here?" if error.errno == errno.EROFS else ""
        raise PlatformError("write", key, error.errno, hint) from error
    if found != value:
        raise PlatformError("write", key, None, "wrote %s, the kernel has %s" % (value, found))


class OwnedSysctls:
    """Sysctls that are ours for a while; what they were is kept in a file and put back later.

    The file outlives a crash of this process but not a boot, exactly like the sysctls.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._originals = _load(path)

    def names(self) -> Tuple[str, ...]:
        """Everything that differs from what it was because of us, sorted."""
        return tuple(sorted(self._originals))

    def own(self, values: Dict[str, str]) -> None:
        """Set values; remembers what was there before the first time. Raises PlatformError."""
        found = {key: read(key) for key in values}
        changes = {key: value for key, value in values.items() if found[key] != value}
        new = {key: found[key] for key in changes if key not in self._originals}
        if new:
            self._originals.update(new)
            self._save()
        for key, value in changes.items():
            write(key, value)

    def release(self, keys: Iterable[str]) -> None:
        """Put values back; a sysctl that went away with its interface is forgotten."""
        released = [key for key in keys if key in self._originals]
        try:
            for key in released:
                if exists(key):
                    write(key, self._originals[key])
                del self._originals[key]
        finally:
            if released:
                self._save()

    def _save(self) -> None:
        """Replace the file in one step: a crash leaves the old one or the new one."""
        temporary = self._path + ".new"
        try:
            if not self._originals:
                _remove(self._path)
                return
            with open(temporary, "w", encoding="utf-8") as file:
                json.dump(self._originals, file, indent=1, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path)
        except OSError as error:
            hint = "sysctls could not be restored later without it"
            raise PlatformError("write", self._path, error.errno, hint) from error


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except FileNotFoundError:
        pass


def _load(path: str) -> Dict[str, str]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise PlatformError("read", path, error.errno) from error
    except ValueError as error:
        raise PlatformError("read", path, None, "no JSON in it: %s" % error) from error
    if not isinstance(found, dict):
        raise PlatformError("read", path, None, "it has to be one JSON object")
    return {str(key): str(value) for key, value in found.items()}
