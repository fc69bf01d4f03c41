# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control socket's transport on a real unix socket: lines, clients, limits, permissions."""

import grp
import json
import os
import resource
import select
import socket
import stat

import pytest
from engine_kit.sockets import RawClient

from vrrp.control.schema import MAXIMUM_CLIENTS, SOCKET_NAME, request_line
from vrrp.daemon import control_server
from vrrp.daemon.control_server import ControlServer
from vrrp.errors import ConfigError, ControlError, PlatformError, Problem


class Desk:
    """A server, its clients, and what the handler was asked."""

    def __init__(self, runtime_dir):
        self.path = os.path.join(runtime_dir, SOCKET_NAME)
        self.asked = []
        self.failure = None
        self.result = {"said": "yes"}
        self.server = ControlServer(runtime_dir, None, self.handle)
        self.clients = []

    def handle(self, request):
        self.asked.append((request.method, dict(request.params)))
        failure = self.failure
        if failure is not None:
            raise failure
        return self.result

    def client(self):
        client = RawClient(self.path)
        self.clients.append(client)
        self.server.serve()
        return client

    def exchange(self, client, data):
        client.send(data)
        self.server.serve()
        return client.lines()

    def close(self):
        for client in self.clients:
            client.close()
        self.server.close()


@pytest.fixture(name="desk")
def desk_in_a_directory(tmp_path):
    desk = Desk(str(tmp_path))
    yield desk
    desk.close()


def request(**more):
    return json.dumps({"v": 1, "id": 1, "method": "echo", **more}).encode() + b"\n"


# Lines


def test_a_request_is_answered(desk):
    (answer,) = desk.exchange(desk.client(), request(params={"a": 1}))
    assert answer == {"v": 1, "id": 1, "result": {"said": "yes"}}
    assert desk.asked == [("echo", {"a": 1})]


def test_a_request_may_come_in_pieces(desk):
    client = desk.client()
    for octet in request()[:-1]:
        assert desk.exchange(client, bytes((octet,))) == []
    assert desk.asked == []
    assert len(desk.exchange(client, b"\n")) == 1


def test_requests_in_one_send_are_answered_in_order_one_in_a_turn(desk):
    """Whoever sends a thousand at once does not hold up the advertisements."""
    client = desk.client()
    answers = desk.exchange(client, b"".join(request(id=number) for number in range(1000)))
    assert [each["id"] for each in answers] == [0]
    for number in range(1, 1000):
        # Its descriptor says that there is more to do, so the loop does not sleep over it.
        assert select.select([desk.server], (), (), 0)[0]
        desk.server.serve()
        assert [each["id"] for each in client.lines()] == [number]
    desk.server.serve()
    assert not select.select([desk.server], (), (), 0)[0]


def test_a_client_that_sends_faster_than_it_is_answered_has_to_wait(desk):
    client = desk.client()
    client.socket.setblocking(False)
    sent, line = 0, request()
    for _turn in range(50):
        try:
            while True:
                sent += client.socket.send(line * 100)
        except BlockingIOError:
            desk.server.serve()
    (served,) = vars(desk.server)["_clients"].values()
    assert len(served.received) <= 2 * 65536
    assert sent < 1024 * 1024


def test_one_and_a_half_requests(desk):
    client, second = desk.client(), request(id=2)
    assert [each["id"] for each in desk.exchange(client, request() + second[:9])] == [1]
    assert [each["id"] for each in desk.exchange(client, second[9:])] == [2]


def test_empty_lines_are_passed_over(desk):
    assert desk.exchange(desk.client(), b"\n \n\n") == []


@pytest.mark.parametrize(
    "line, code",
    (
        (b"nonsense\n", "bad-request"),
        (request(extra=1), "bad-request"),
        (request(v=2), "bad-version"),
        (request(params=3), "bad-request"),
    ),
)
def test_a_bad_line_is_refused_and_the_connection_goes_on(desk, line, code):
    client = desk.client()
    (answer,) = desk.exchange(client, line)
    assert (answer["id"], answer["error"]["code"]) == (None, code)
    assert desk.asked == []
    assert "result" in desk.exchange(client, request())[0]


def test_a_line_that_is_too_long_ends_the_connection(desk, monkeypatch):
    monkeypatch.setattr(control_server, "MAXIMUM_REQUEST", 1000)
    client, other = desk.client(), desk.client()
    answers = desk.exchange(client, b"x" * 1001)
    assert [each["error"]["code"] for each in answers] == ["too-long"]
    assert client.closed
    assert "result" in desk.exchange(other, request())[0]


PROBLEM = Problem("virtual_routers[a].vrid", "range", "0 is too small", "write 1 to 255")


@pytest.mark.parametrize(
    "failure, error",
    (
        (ControlError("why-not", "because"), {"code": "why-not", "message": "because"}),
        (
            ConfigError((PROBLEM,)),
            {"code": "config", "message": str(PROBLEM), "problems": [vars(PROBLEM)]},
        ),
        (
            PlatformError("open", "raw socket", 1),
            {
                "code": "platform",
                "message": "open raw socket failed: Operation not permitted (errno 1)",
            },
        ),
    ),
)
def test_errors_of_the_handler_are_answers(desk, failure, error):
    desk.failure = failure
    assert desk.exchange(desk.client(), request(id=5)) == [{"v": 1, "id": 5, "error": error}]


def test_our_own_mistakes_are_not_hidden(desk):
    desk.failure = KeyError("a bug")
    client = desk.client()
    client.send(request())
    with pytest.raises(KeyError):
        desk.server.serve()


# Clients


def test_the_seventeenth_client_is_refused_until_one_leaves(desk):
    clients = [desk.client() for _count in range(MAXIMUM_CLIENTS)]
    extra = desk.client()
    assert (extra.lines(), extra.closed) == ([], True)
    for client in clients:
        assert "result" in desk.exchange(client, request())[0]
    clients[3].close()
    desk.server.serve()
    assert "result" in desk.exchange(desk.client(), request())[0]


def test_a_client_that_leaves_in_the_middle_is_forgotten(desk):
    client, other = desk.client(), desk.client()
    client.send(request()[:5])
    client.close()
    desk.server.serve()
    assert "result" in desk.exchange(other, request())[0]
    assert desk.asked == [("echo", {})]


def test_a_client_that_leaves_before_its_answer_is_forgotten(desk):
    client = desk.client()
    client.send(request())
    client.close()
    desk.server.serve()
    desk.server.serve()
    assert "result" in desk.exchange(desk.client(), request())[0]


def test_a_large_answer_is_sent_as_fast_as_it_is_read(desk):
    desk.result = {"text": "x" * 3_000_000}
    client = desk.client()
    client.send(request())
    for _turn in range(10_000):
        desk.server.serve()
        answers = client.lines()
        if answers:
            break
    assert answers[0]["result"] == desk.result


def test_serving_without_work_returns_at_once(desk):
    desk.server.serve()
    desk.client()
    desk.server.serve()


def test_the_descriptor_tells_when_there_is_work(desk):
    import select

    def ready():
        return bool(select.select((desk.server,), (), (), 0)[0])

    assert not ready()
    client = desk.client()
    assert not ready()
    client.send(request())
    assert ready()
    desk.server.serve()
    assert not ready()


# Watching


def test_who_watches_gets_events_and_nobody_else(desk):
    watcher, other = desk.client(), desk.client()
    answers = desk.exchange(watcher, request(id=8, method="watch"))
    assert answers == [{"v": 1, "id": 8, "result": {}}]
    desk.server.publish({"kind": "transition", "name": "vlan10"})
    assert watcher.lines() == [{"v": 1, "event": {"kind": "transition", "name": "vlan10"}}]
    assert other.lines() == []
    assert desk.asked == [], "watching is the transport's own"


def test_who_watches_may_still_ask(desk):
    client = desk.client()
    desk.exchange(client, request(method="watch"))
    assert "result" in desk.exchange(client, request())[0]


def watching_but_deaf(desk, monkeypatch):
    """Publish until the client that never reads is dropped."""
    monkeypatch.setattr(control_server, "MAXIMUM_BACKLOG", 100_000)
    deaf, awake = desk.client(), desk.client()
    for client in (deaf, awake):
        desk.exchange(client, request(method="watch"))
    heard = 0
    for _count in range(100):
        desk.server.publish({"text": "x" * 20_000})
        desk.server.serve()
        heard += len(awake.lines())
    return deaf, awake, heard


def test_who_does_not_read_an_answer_gets_no_other_one(desk):
    desk.result = {"said": "x" * 1_000_000}
    client = desk.client()
    for number in range(20):
        client.send(request_line(number, "show.status", {}))
        desk.server.serve()
    assert len(desk.asked) == 1
    desk.result = {"said": "no"}
    answers = []
    for _turn in range(100):
        answers += client.lines()
        desk.server.serve()
    assert [answer["id"] for answer in answers] == list(range(20))


def test_a_client_that_never_reads_is_dropped(desk, monkeypatch):
    deaf, awake, heard = watching_but_deaf(desk, monkeypatch)
    assert heard == 100, "the other one missed nothing"
    deaf.lines()
    assert deaf.closed
    assert not awake.closed


def test_an_event_for_a_client_that_has_gone_is_no_matter(desk):
    gone, awake = desk.client(), desk.client()
    for client in (gone, awake):
        desk.exchange(client, request(method="watch"))
    gone.close()
    desk.server.publish({"kind": "a"})
    desk.server.serve()
    assert len(awake.lines()) == 1


def test_a_request_whose_events_drop_its_own_client(desk, monkeypatch):
    monkeypatch.setattr(control_server, "MAXIMUM_BACKLOG", 1000)
    client = desk.client()
    desk.exchange(client, request(method="watch"))

    def handle(_request):
        desk.server.publish({"text": "x" * 2000})
        return {}

    monkeypatch.setattr(desk.server, "_handler", handle)
    client.send(request())
    desk.server.serve()
    client.lines()
    assert client.closed
    desk.server.serve()
    assert desk.client().lines() == []


# The file


def test_the_socket_is_for_root_and_a_group(desk):
    assert stat.S_IMODE(os.stat(desk.path).st_mode) == 0o660


def test_the_mode_does_not_depend_on_the_umask(tmp_path):
    previous = os.umask(0)
    try:
        server = ControlServer(str(tmp_path), None, dict)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(os.stat(tmp_path / SOCKET_NAME).st_mode) == 0o660
    assert os.umask(previous) == previous, "and the umask is given back"
    server.close()


def test_the_group_is_given(tmp_path):
    group = grp.getgrgid(os.getgid())
    server = ControlServer(str(tmp_path), group.gr_name, dict)
    assert os.stat(tmp_path / SOCKET_NAME).st_gid == group.gr_gid
    server.close()


def test_an_unknown_group_is_an_error_with_its_remedy(tmp_path):
    with pytest.raises(PlatformError) as caught:
        ControlServer(str(tmp_path), "no-such-group", dict)
    assert "choose an existing group" in str(caught.value)
    assert SOCKET_NAME in str(caught.value)


def test_a_directory_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(PlatformError, match="control socket"):
        ControlServer(str(tmp_path / "nothing"), None, dict)


def test_the_socket_of_a_dead_daemon_is_replaced(tmp_path):
    stale = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stale.bind(str(tmp_path / SOCKET_NAME))
    stale.close()
    desk = Desk(str(tmp_path))
    assert "result" in desk.exchange(desk.client(), request())[0]
    desk.close()


def test_closing_removes_the_socket_and_the_connections(tmp_path):
    desk = Desk(str(tmp_path))
    client = desk.client()
    desk.server.close()
    client.lines()
    assert client.closed
    assert not os.path.lexists(desk.path)
    client.close()


# No descriptor left


def test_a_server_without_descriptors_lets_the_loop_sleep(desk):
    """Otherwise whoever knocks would be asked for without end, and adverts would wait."""
    first = desk.client()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    knocking = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    knocking.connect(desk.path)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
    try:
        desk.server.serve()
        for _turn in range(3):
            assert not select.select([desk.server], (), (), 0)[0], "it may sleep"
            (answer,) = desk.exchange(first, request(id=7))
            assert answer["id"] == 7, "who is inside is served"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    desk.server.serve()
    knocking.sendall(request(id=8))
    desk.server.serve()
    assert json.loads(knocking.recv(4096))["id"] == 8, "and who waited, when there is one again"
    knocking.close()


# Handed on to another process


def test_another_process_goes_on_with_the_same_socket(tmp_path):
    first, second = Desk(str(tmp_path)), None
    try:
        inode = os.stat(first.path).st_ino
        inherited = os.dup(first.server.listener_fileno())
        waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        waiting.connect(first.path)  # nobody has taken this one yet
        first.server.abandon()
        assert os.stat(first.path).st_ino == inode, "it is still there"
        second = ControlServer(str(tmp_path), None, lambda request: {"by": "second"}, inherited)
        assert second.listener_fileno() == inherited
        waiting.sendall(b'{"v": 1, "id": 1, "method": "who"}\n')
        for _turn in range(3):
            second.serve()
        assert json.loads(waiting.recv(4096))["result"] == {"by": "second"}
        waiting.close()
    finally:
        if second is not None:
            second.close()
    assert not os.path.exists(first.path), "the last one takes it away"
