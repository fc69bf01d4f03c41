# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against a real unix socket: the daemon's server in a thread, or canned answers."""

import contextlib
import json
import os
import select
import socket
import threading

import pytest

from vrrp.control import client
from vrrp.control.client import ControlClient, RefusedRequest
from vrrp.control.schema import SOCKET_NAME
from vrrp.daemon.control_server import ControlServer
from vrrp.errors import ConfigError, ControlError, Problem

PROBLEM = Problem("virtual_routers[a].vrid", "range", "0 is too small", "write 1 to 255")


def answer(request):
    """A daemon's handler."""
    if request.method == "echo":
        return {"params": dict(request.params)}
    if request.method == "large":
        return {"text": "x" * 3_000_000}
    if request.method == "config":
        raise ConfigError((PROBLEM,))
    raise ControlError("unknown-method", "no method %r" % request.method)


@pytest.fixture(name="events")
def served_in_a_thread(tmp_path):
    """A daemon's control socket in tmp_path; what is put in here goes to the first who watches."""
    events = []

    server = ControlServer(str(tmp_path), None, answer)
    stop_reader, stop_writer = os.pipe()

    def serve():
        while True:
            ready, _writable, _failed = select.select((server, stop_reader), (), ())
            if stop_reader in ready:
                return
            server.serve()
            if any(client.watches for client in server._clients.values()):
                while events:
                    server.publish(events.pop(0))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield events
    os.close(stop_writer)
    thread.join(10)
    assert not thread.is_alive()
    server.close()
    os.close(stop_reader)


def test_calls_give_results(events, tmp_path):
    with ControlClient.in_directory(str(tmp_path)) as client:
        for count in range(3):
            assert client.call("echo", count=count) == {"params": {"count": count}}


def test_an_answer_may_be_large(events, tmp_path):
    with ControlClient.in_directory(str(tmp_path)) as client:
        assert len(client.call("large")["text"]) == 3_000_000
        assert client.call("echo") == {"params": {}}


def test_a_request_may_be_large(events, tmp_path):
    with ControlClient.in_directory(str(tmp_path)) as client:
        text = "y" * 3_000_000
        assert client.call("echo", text=text)["params"]["text"] == text


def test_a_refusal_has_the_daemons_code(events, tmp_path):
    with ControlClient.in_directory(str(tmp_path)) as client:
        with pytest.raises(RefusedRequest) as caught:
            client.call("nonsense")
        assert (caught.value.code, caught.value.problems) == ("unknown-method", ())
        assert "nonsense" in caught.value.message
        assert client.call("echo") == {"params": {}}, "and the connection goes on"


def test_a_refused_configuration_tells_its_problems(events, tmp_path):
    with ControlClient.in_directory(str(tmp_path)) as client:
        with pytest.raises(RefusedRequest) as caught:
            client.call("config")
    assert caught.value.code == "config"
    assert list(caught.value.problems) == [vars(PROBLEM)]


def test_events_come_until_the_daemon_goes_away(tmp_path):
    with Canned(tmp_path) as canned:
        client = ControlClient(canned.path)
        canned.send({"v": 1, "id": 1, "result": {}}, {"v": 1, "event": {"kind": "a"}})
        canned.send({"v": 1, "id": 9, "result": {}}, {"v": 1, "event": {"kind": "b"}})
        canned.hang_up()
        assert [event["kind"] for event in client.events()] == ["a", "b"]
        client.close()


def test_events_of_a_real_daemon(events, tmp_path):
    events += [{"kind": "transition", "name": "vlan10"}, {"kind": "waiting", "name": "vlan20"}]
    with ControlClient.in_directory(str(tmp_path)) as client:
        heard = client.events()
        assert next(heard) == {"kind": "transition", "name": "vlan10"}
        assert next(heard) == {"kind": "waiting", "name": "vlan20"}


class Canned:
    """A daemon that has said everything before it was asked."""

    def __init__(self, tmp_path):
        self.path = str(tmp_path / SOCKET_NAME)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.connection = None

    def send(self, *documents):
        if self.connection is None:
            self.connection, _address = self.listener.accept()
        for document in documents:
            line = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.connection.sendall(line + b"\n")

    def hang_up(self):
        self.connection.shutdown(socket.SHUT_WR)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.listener.close()
        if self.connection:
            self.connection.close()


def test_nobody_there_is_unreachable(tmp_path):
    with pytest.raises(ControlError) as caught:
        ControlClient.in_directory(str(tmp_path))
    assert caught.value.code == "unreachable"
    assert str(tmp_path) in caught.value.message


def test_a_socket_without_a_daemon_is_unreachable(tmp_path):
    with Canned(tmp_path):
        pass
    with pytest.raises(ControlError) as caught:
        ControlClient.in_directory(str(tmp_path))
    assert caught.value.code == "unreachable"


def test_a_daemon_that_hangs_is_a_timeout(tmp_path):
    with Canned(tmp_path) as canned, ControlClient(canned.path, timeout_s=0.01) as client:
        with pytest.raises(ControlError) as caught:
            client.call("echo")
    assert caught.value.code == "timeout"


def test_a_daemon_that_leaves_is_unreachable(tmp_path):
    with Canned(tmp_path) as canned, ControlClient(canned.path) as client:
        canned.send({"v": 1, "event": {}})
        canned.connection.sendall(b'{"v":1,"id":1,')
        canned.hang_up()
        with pytest.raises(ControlError) as caught:
            client.call("echo")
    assert caught.value.code == "unreachable"


@pytest.mark.parametrize("line", (b"nonsense", b"[]", b"\xff"))
def test_what_is_no_answer_is_told(tmp_path, line):
    with Canned(tmp_path) as canned, ControlClient(canned.path) as client:
        canned.send(line)
        with pytest.raises(ControlError) as caught:
            client.call("echo")
    assert caught.value.code == "bad-answer"


def test_answers_to_others_and_events_are_passed_over(tmp_path):
    with Canned(tmp_path) as canned, ControlClient(canned.path) as client:
        canned.send({"v": 1, "event": {}}, {"v": 1, "id": 99, "result": {}})
        canned.send({"v": 1, "id": 1, "result": {"mine": True}})
        assert client.call("echo") == {"mine": True}


# Upgrades


class Upgraded:
    """What daemons answer, one after the other; a string is the code of a refusal."""

    def __init__(self, monkeypatch, *answers):
        self.answers = list(answers)
        self.asked = []
        monkeypatch.setattr(client.ControlClient, "in_directory", self._connect)
        monkeypatch.setattr(client, "_LOOK_S", 0)

    def _connect(self, _directory):
        if self.answers[0] == "unreachable":
            raise ControlError(self.answers.pop(0), "nothing answers")
        return contextlib.nullcontext(self)

    def call(self, method):
        self.asked.append(method)
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            raise RefusedRequest({"code": answer, "message": "no"})
        return answer


def status(pid, **upgrade):
    return {"engine": {"pid": pid, "release": "1-b", "upgrade": upgrade or None}}


def test_an_upgrade_ends_when_the_new_process_answers(monkeypatch):
    running = status(1, state="running", why=None)
    said = Upgraded(monkeypatch, status(1), {}, running, "unreachable", running, status(2))
    assert client.upgrade("/r", 60) == status(2)["engine"]
    assert said.answers == [] and said.asked == ["show.status", "do.upgrade"] + ["show.status"] * 3


def test_an_upgrade_that_failed_says_why(monkeypatch):
    Upgraded(monkeypatch, status(1), {}, status(1, state="failed", why="no luck"))
    with pytest.raises(ControlError, match="no luck") as caught:
        client.upgrade("/r", 60)
    assert caught.value.code == "upgrade-failed"


@pytest.mark.parametrize("code", ("unknown-method", "busy", "unreachable"))
def test_an_upgrade_that_cannot_begin(monkeypatch, code):
    Upgraded(monkeypatch, *(() if code == "unreachable" else (status(1),)), code)
    with pytest.raises(ControlError) as caught:
        client.upgrade("/r", 60)
    assert caught.value.code == code


def test_an_upgrade_is_not_waited_for_without_end(monkeypatch):
    Upgraded(monkeypatch, status(1), {}, "unreachable")
    with pytest.raises(ControlError) as caught:
        client.upgrade("/r", 0)
    assert caught.value.code == "timeout"
