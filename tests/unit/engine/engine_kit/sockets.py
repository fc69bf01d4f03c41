# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A raw client of the control socket that never waits."""

import json
import socket
from typing import Any, Dict, List


class RawClient:
    """Sends octets, not requests. Use serve() of the server between sending and reading."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.socket.setblocking(False)
        self.unread = b""
        self.closed = False

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ask(self, **request: Any) -> None:
        """Send a whole request; v, id and params have ordinary values."""
        document = {"v": 1, "id": 1, "method": "echo", "params": {}, **request}
        self.send(json.dumps(document).encode() + b"\n")

    def lines(self) -> List[Dict[str, Any]]:
        """The documents that have come since the last call."""
        while not self.closed:
            try:
                data = self.socket.recv(1 << 20)
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            self.closed = not data
            self.unread += data
        *lines, self.unread = self.unread.split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        self.socket.close()
