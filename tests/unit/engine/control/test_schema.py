# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests are read strictly, answers are single lines of ASCII."""

import json

import pytest

from vrrp.control.schema import (
    EncodedList,
    Request,
    error_line,
    event_line,
    parse_request,
    request_line,
    result_line,
)
from vrrp.errors import ControlError


def test_a_request_survives_the_socket():
    line = request_line(7, "show.routers", {"name": "vlan10"})
    assert parse_request(line) == Request(7, "show.routers", {"name": "vlan10"})


def test_parameters_may_be_left_out_and_the_id_may_be_anything():
    assert parse_request(b'{"v":1,"id":"x","method":"a"}') == Request("x", "a", {})
    assert parse_request(b'{"v":1,"method":"a"}').id is None


@pytest.mark.parametrize(
    "line, code, said",
    (
        (b"", "bad-request", "not JSON"),
        (b"{", "bad-request", "not JSON"),
        (b"\xff", "bad-request", "not JSON"),
        (b"[" * 100_000, "bad-request", "not JSON"),
        (b"[]", "bad-request", "object"),
        (b"1", "bad-request", "object"),
        (b'{"v":1,"method":"a","extra":1,"also":2}', "bad-request", "also, extra"),
        (b'{"method":"a"}', "bad-version", "None"),
        (b'{"v":2,"method":"a"}', "bad-version", "2"),
        (b'{"v":1}', "bad-request", "method"),
        (b'{"v":1,"method":3}', "bad-request", "method"),
        (b'{"v":1,"method":"a","params":[]}', "bad-request", "params"),
    ),
)
def test_what_is_no_request_is_refused(line, code, said):
    with pytest.raises(ControlError) as caught:
        parse_request(line)
    assert caught.value.code == code
    assert said in caught.value.message


@pytest.mark.parametrize(
    "line, document",
    (
        (result_line(1, {"a": "\n\u00e9"}), {"v": 1, "id": 1, "result": {"a": "\n\u00e9"}}),
        (error_line(None, {"code": "c"}), {"v": 1, "id": None, "error": {"code": "c"}}),
        (event_line({"kind": "transition"}), {"v": 1, "event": {"kind": "transition"}}),
    ),
)
def test_an_answer_is_one_line(line, document):
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line.decode("ascii")) == document


@pytest.mark.parametrize("entries", [[], [{"a": 1}], [{"a": "}}"}, [], None, "\u00e4"]])
@pytest.mark.parametrize("others", [{}, {"x": {}}, {"x": 1, "y": "}}\n"}])
def test_a_list_that_is_encoded_already_is_like_any_other(entries, others):
    encoded = EncodedList()
    for entry in entries:
        encoded.append(entry)
    line = result_line(7, {**others, "routers": encoded, "more": encoded})
    assert line.count(b"\n") == 1
    expected = {**others, "routers": entries, "more": entries}
    assert json.loads(line) == {"v": 1, "id": 7, "result": expected}
