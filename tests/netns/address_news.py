# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When addresses come and go in a namespace, by the kernel's own news."""

from __future__ import annotations

import socket
import struct
import threading
import time
from typing import List, Tuple

from hosts import packed
from namespaces import Namespace

_RTMGRP_ADDRESSES = 0x10 | 0x100
_NEW, _GONE = 20, 21


class Addresses(threading.Thread):
    """Hears, with the time, which addresses come and go in a namespace."""

    def __init__(self, namespace: Namespace) -> None:
        super().__init__(daemon=True)
        with namespace.inside():
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            self._socket.bind((0, _RTMGRP_ADDRESSES))
        self._socket.settimeout(0.05)
        self._ended = threading.Event()
        self._seen: List[Tuple[int, int, bytes]] = []

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                data = self._socket.recv(65536)
            except socket.timeout:
                continue
            now_ns, offset = time.monotonic_ns(), 0
            while offset < len(data):
                length, kind = struct.unpack_from("=IH", data, offset)
                self._seen.append((now_ns, kind, data[offset : offset + length]))
                offset += (length + 3) & ~3

    def close(self) -> None:
        self._ended.set()
        self.join()
        self._socket.close()

    def absences_ms(self, address: str) -> List[float]:
        """How long it was away, each time that it came back. Too short, by as much as this thread
        had to wait for a processor."""
        found: List[float] = []
        gone_ns = 0
        for at_ns, kind, message in list(self._seen):
            if packed(address) not in message:
                continue
            if kind == _GONE:
                gone_ns = at_ns
            elif kind == _NEW and gone_ns:
                found.append((at_ns - gone_ns) / 1e6)
                gone_ns = 0
        return found

    def back_ns(self, address: str) -> int:
        """When it came for the last time, by the monotonic clock."""
        return max(at_ns for at_ns, kind, message in list(self._seen)
                   if kind == _NEW and packed(address) in message)  # fmt: skip

    def gone(self) -> int:
        """How many went away."""
        return sum(kind == _GONE for _at_ns, kind, _message in list(self._seen))
