# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the control socket: requests, answers, events, limits. Layer L2.

Documented for users in docs/control.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, NoReturn

from ..errors import ControlError

VERSION = 1
SOCKET_NAME = "control.sock"
# A configuration of 4,000 virtual routers and the answer about them fit; a runaway client does not.
MAXIMUM_REQUEST = 4 * 1024 * 1024
MAXIMUM_CLIENTS = 16
MAXIMUM_DIGITS = 100


@dataclass(frozen=True)
class Request:
    """One request. id is the client's and comes back with the answer."""

    id: Any
    method: str
    params: Mapping[str, Any]


def parse_request(line: bytes) -> Request:
    """The request in a line. Raises ControlError for anything else."""
    try:
        text = line.decode("utf-8")
        document = json.loads(
            text, parse_constant=_no_constant, parse_int=_short_integer, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise ControlError("bad-request", "the line is not JSON: %s" % error) from None
    if not isinstance(document, dict):
        raise ControlError("bad-request", "a request is a JSON object")
    unknown = sorted(set(document) - {"v", "id", "method", "params"})
    if unknown:
        raise ControlError("bad-request", "unknown keys: %s" % ", ".join(unknown))
    if document.get("v") != VERSION:
        message = "version %r is not spoken here, only %d" % (document.get("v"), VERSION)
        raise ControlError("bad-version", message)
    method, params = document.get("method"), document.get("params", {})
    if not isinstance(method, str) or not isinstance(params, dict):
        raise ControlError("bad-request", "method is a string and params an object")
    return Request(document.get("id"), method, params)


def _no_constant(text: str) -> NoReturn:
    raise ValueError("%s is no JSON" % text)


def _finite(text: str) -> float:
    """1e999 would come back as Infinity, which is no JSON."""
    value = float(text)
    if value - value != 0:
        raise ValueError("a number beyond all bounds")
    return value


def _short_integer(text: str) -> int:
    """Python takes time with the square of the digits."""
    if len(text) > MAXIMUM_DIGITS:
        raise ValueError("a number of %d digits" % len(text))
    return int(text)


class EncodedList:
    """A list in an answer that is too long to be encoded in one go."""

    def __init__(self) -> None:
        self.entries: List[bytes] = []

    def append(self, entry: Any) -> None:
        """Encode one more entry."""
        self.entries.append(_line(entry)[:-1])


def request_line(request_id: int, method: str, params: Mapping[str, Any]) -> bytes:
    """A request as it goes over the socket."""
    return _line({"v": VERSION, "id": request_id, "method": method, "params": dict(params)})


def result_line(request_id: Any, result: Mapping[str, Any]) -> bytes:
    """The answer to a request that was carried out."""
    encoded = {key: value for key, value in result.items() if isinstance(value, EncodedList)}
    plain = {key: value for key, value in result.items() if key not in encoded}
    line = _line({"v": VERSION, "id": request_id, "result": plain})
    for key, value in encoded.items():
        # The result comes last, so that it can be continued.
        more = b"%s:[%s]" % (json.dumps(key).encode("ascii"), b",".join(value.entries))
        line = b"%s%s%s%s" % (line[: -len(_END)], b"," if plain else b"", more, _END)
        plain[key] = value
    return line


def error_line(request_id: Any, error: Mapping[str, Any]) -> bytes:
    """The answer to a request that was refused: code, message and, for configurations, problems."""
    return _line({"v": VERSION, "id": request_id, "error": dict(error)})


def event_line(event: Mapping[str, Any]) -> bytes:
    """What a client that watches gets for each event."""
    return _line({"v": VERSION, "event": dict(event)})


# Of a line with a result.
_END = b"}}\n"


def _line(document: Dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"
