# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control socket's transport: clients, lines, limits. Layer L5.

Never blocks: a client that does not read is dropped, a client that floods gets one answer a turn.
What a request means is decided in requests.py.
"""

from __future__ import annotations

import grp
import os
import select
import socket
from typing import Any, Callable, Dict, Mapping, Optional

from ..control.schema import (
    MAXIMUM_CLIENTS,
    MAXIMUM_REQUEST,
    SOCKET_NAME,
    Request,
    error_line,
    event_line,
    parse_request,
    result_line,
)
from ..errors import ConfigError, ControlError, PlatformError

SOCKET_MODE = 0o660
# Enough for `show` of 4,000 virtual routers; a client that lets more pile up does not read.
MAXIMUM_BACKLOG = 16 * 1024 * 1024
_CHUNK = 65536

Handler = Callable[[Request], Mapping[str, Any]]


class _Client:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received = bytearray()
        self.unsent = bytearray()
        self.watches = False
        # Where the first line ends, or how far there is certainly none: nothing is searched twice.
        self._line_end = -1
        self._searched = 0

    def find_line(self) -> bool:
        """Whether a whole line has come."""
        if self._line_end < 0:
            self._line_end = self.received.find(b"\n", self._searched)
            self._searched = len(self.received)
        return self._line_end >= 0

    def take_line(self) -> bytes:
        """The first line; there has to be one."""
        line = bytes(self.received[: self._line_end])
        del self.received[: self._line_end + 1]
        self._line_end, self._searched = -1, 0
        return line


class ControlServer:
    """Serves `handler` on a unix socket; its epoll descriptor tells when to call serve()."""

    def __init__(
        self,
        runtime_dir: str,
        group: Optional[str],
        handler: Handler,
        inherited: Optional[int] = None,
    ) -> None:
        """inherited: the listening socket of the process before this one, as a descriptor."""
        self._path = os.path.join(runtime_dir, SOCKET_NAME)
        self._handler = handler
        self._clients: Dict[int, _Client] = {}
        self._is_full = False
        self._poll = select.epoll()
        if inherited is not None:
            self._listener = socket.socket(fileno=inherited)
        else:
            self._listen(group)
        self._poll.register(self._listener, select.EPOLLIN)

    def _listen(self, group: Optional[str]) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            self._bind(group)
        except (OSError, KeyError) as error:
            self._listener.close()
            hint = "choose an existing group" if isinstance(error, KeyError) else str(error)
            raise PlatformError("open the control socket", self._path, hint=hint) from None
        self._listener.listen(MAXIMUM_CLIENTS)

    def _bind(self, group: Optional[str]) -> None:
        if os.path.lexists(self._path):
            os.unlink(self._path)  # of a daemon that died: the lock says that none is alive
        previous = os.umask(0o777 & ~SOCKET_MODE)
        try:
            self._listener.bind(self._path)
        finally:
            os.umask(previous)
        if group is not None:
            os.chown(self._path, -1, grp.getgrnam(group).gr_gid)

    def fileno(self) -> int:
        """Readable when serve() has something to do."""
        return self._poll.fileno()

    def serve(self) -> None:
        """Do what can be done without waiting."""
        if self._is_full:
            self._is_full = False
            self._poll.register(self._listener, select.EPOLLIN)
        for descriptor, events in self._poll.poll(0):
            if descriptor == self._listener.fileno():
                self._accept()
                continue
            client = self._clients.get(descriptor)
            if client is None:
                continue
            try:
                if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                    self._read(client)
                self._work(client)
                self._flush(client)
            except (OSError, ConnectionError):
                self._drop(client)

    def publish(self, event: Mapping[str, Any]) -> None:
        """Send an event to every client that watches."""
        watching = [client for client in self._clients.values() if client.watches]
        line = event_line(event) if watching else b""
        for client in watching:
            try:
                self._send(client, line)
            except (OSError, ConnectionError):
                self._drop(client)

    def listener_fileno(self) -> int:
        """Of the socket that takes connections, for the process after this one."""
        return self._listener.fileno()

    def abandon(self) -> None:
        """Close all connections; the socket is another process's."""
        for client in list(self._clients.values()):
            self._drop(client)
        self._listener.close()
        self._poll.close()

    def close(self) -> None:
        """Close all connections and remove the socket."""
        self.abandon()
        if os.path.lexists(self._path):
            os.unlink(self._path)

    def _accept(self) -> None:
        try:
            connection, _address = self._listener.accept()
        except BlockingIOError:
            return  # who knocked has gone
        except OSError:
            # No descriptor is left, most likely. Whoever knocks waits for the next turn: asking for
            # it at once, and again at once, would leave no time for anything else.
            self._poll.unregister(self._listener)
            self._is_full = True
            return
        if len(self._clients) >= MAXIMUM_CLIENTS:
            connection.close()
            return
        connection.setblocking(False)
        self._clients[connection.fileno()] = _Client(connection)
        self._poll.register(connection, select.EPOLLIN)

    def _read(self, client: _Client) -> None:
        data = client.connection.recv(_CHUNK)
        if not data:
            raise ConnectionResetError
        client.received += data
        if not client.find_line() and len(client.received) > MAXIMUM_REQUEST:
            self._send(client, error_line(None, {"code": "too-long", "message": "line too long"}))
            raise ConnectionResetError

    def _work(self, client: _Client) -> None:
        """Answer one request, if a whole one has come, and the answer before has been read."""
        while not client.unsent and client.find_line():
            line = client.take_line()
            if line.strip():
                self._send(client, self._answer(client, line))
                return

    def _answer(self, client: _Client, line: bytes) -> bytes:
        request_id: Any = None
        try:
            request = parse_request(line)
            request_id = request.id
            if request.method == "watch":
                client.watches = True
                return result_line(request_id, {})
            return result_line(request_id, self._handler(request))
        except ConfigError as error:
            problems = [vars(problem) for problem in error.problems]
            refusal = {"code": "config", "message": str(error), "problems": problems}
        except ControlError as error:
            refusal = {"code": error.code, "message": error.message}
        except PlatformError as error:
            refusal = {"code": "platform", "message": str(error)}
        return error_line(request_id, refusal)

    def _send(self, client: _Client, line: bytes) -> None:
        if len(client.unsent) + len(line) > MAXIMUM_BACKLOG:
            raise ConnectionResetError
        is_waiting = bool(client.unsent)
        client.unsent += line
        if not is_waiting:  # else the poll tells when there is room
            self._flush(client)

    def _flush(self, client: _Client) -> None:
        while client.unsent:
            try:
                sent = client.connection.send(client.unsent)
            except BlockingIOError:
                break
            del client.unsent[:sent]
        # What has come already is answered first, in the next turns: a client that can be written
        # to is ready at once, and one that sends faster than that has to wait.
        wanted = 0 if client.unsent or client.find_line() else select.EPOLLIN
        if client.unsent or client.find_line():
            wanted |= select.EPOLLOUT
        self._poll.modify(client.connection, wanted)

    def _drop(self, client: _Client) -> None:
        descriptor = client.connection.fileno()
        if self._clients.pop(descriptor, None) is not None:
            self._poll.unregister(client.connection)
            client.connection.close()
