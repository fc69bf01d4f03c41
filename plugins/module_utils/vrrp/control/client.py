# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a running daemon. Layer L2, and the only file of its layers with a socket.

Used by the command line and by the Ansible modules.
"""

from __future__ import annotations

import json
import os
import socket
import time
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

from ..errors import ControlError
from .schema import SOCKET_NAME, request_line

_CHUNK = 65536
# Between two looks at a daemon that is being replaced.
_LOOK_S = 0.05


class RefusedRequest(ControlError):
    """The daemon said no. problems: those of a configuration, as objects."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(str(error.get("code")), str(error.get("message")))
        self.problems: Tuple[Mapping[str, Any], ...] = tuple(error.get("problems", ()))


class ControlClient:
    """A connection to the control socket; use it as a context manager.

    Raises ControlError: code "unreachable" when nobody answers there, "timeout", or the daemon's
    own code (RefusedRequest).
    """

    def __init__(self, path: str, timeout_s: float = 5.0) -> None:
        self._path = path
        self._buffer = b""
        self._next_id = 1
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            message = "nothing answers at %s: %s" % (path, error.strerror or error)
            raise ControlError("unreachable", message) from None

    @classmethod
    def in_directory(cls, runtime_dir: str, timeout_s: float = 5.0) -> ControlClient:
        """Connect to the daemon with that runtime directory."""
        return cls(os.path.join(runtime_dir, SOCKET_NAME), timeout_s)

    def __enter__(self) -> ControlClient:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def call(self, method: str, **params: Any) -> Dict[str, Any]:
        """The result of a method."""
        request_id, self._next_id = self._next_id, self._next_id + 1
        try:
            self._socket.sendall(request_line(request_id, method, params))
        except OSError as error:
            raise ControlError("unreachable", "%s: %s" % (self._path, error)) from None
        while True:
            answer = self._read()
            if answer.get("id") == request_id:
                break
        if "error" in answer:
            raise RefusedRequest(answer["error"])
        result: Dict[str, Any] = answer["result"]
        return result

    def events(self) -> Iterator[Dict[str, Any]]:
        """Watch: yields each event until the daemon goes away."""
        self.call("watch")
        self._socket.settimeout(None)
        while True:
            try:
                answer = self._read()
            except ControlError:
                return
            if "event" in answer:
                yield answer["event"]

    def _read(self) -> Dict[str, Any]:
        line: Optional[bytes] = None
        while line is None:
            head, newline, rest = self._buffer.partition(b"\n")
            if newline:
                line, self._buffer = head, rest
                break
            self._buffer += self._receive()
        try:
            answer = json.loads(line.decode("ascii"))
        except ValueError as error:
            raise ControlError("bad-answer", "%s: %s" % (self._path, error)) from None
        if not isinstance(answer, dict):
            raise ControlError("bad-answer", "%s: not an object" % self._path)
        return answer

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(_CHUNK)
        except socket.timeout:
            raise ControlError("timeout", "no answer from %s in time" % self._path) from None
        except OSError as error:
            raise ControlError("unreachable", "%s: %s" % (self._path, error)) from None
        if not data:
            raise ControlError("unreachable", "%s was closed by the daemon" % self._path)
        return data


def upgrade(runtime_dir: str, timeout_s: float) -> Dict[str, Any]:
    """Have the daemon replaced by the release that its command line leads to now, in place; what
    `show.status` says of the new one. Raises ControlError: the old one goes on, or nobody can tell.
    """
    with ControlClient.in_directory(runtime_dir) as client:
        before: int = client.call("show.status")["engine"]["pid"]
        client.call("do.upgrade")
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        time.sleep(_LOOK_S)
        try:
            with ControlClient.in_directory(runtime_dir) as client:
                engine: Dict[str, Any] = client.call("show.status")["engine"]
        except RefusedRequest:
            raise
        except ControlError:
            continue  # asked in the moment between the two
        if engine["pid"] != before:
            return engine
        told = engine["upgrade"] or {}
        if told.get("state") == "failed":
            raise ControlError("upgrade-failed", str(told.get("why")))
    raise ControlError("timeout", "the upgrade did not end within %d s" % timeout_s)
