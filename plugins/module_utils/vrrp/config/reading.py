# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read objects field by field, and note what cannot be read instead of stopping. Layer L2.

Types and spelling only: ranges and everything about two fields are in validate.py.
"""

from __future__ import annotations

import functools
import ipaddress
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Mapping, Sequence, Tuple

from ..errors import Problem
from ..facts import InterfaceAddress
from ..units import parse_interval_cs
from .fields import Field, Kind

_SHOWN = 60
# A comparison takes 20 microseconds for each candidate.
_MOST_COMPARED = 256
_MOST_LISTED = 20
_MOST_HINTS = 3
# YAML 1.1, which Ansible reads, takes a bare on or off for a truth value.
_SWITCH = {True: "on", False: "off"}
# What other software has and we have not: the beginning of the key, and what to do without it.
_NOT_HERE = {
    "unicast": "leave it out: advertisements go to the multicast group, so put the routers of a "
    "gateway on one LAN that carries multicast",
    "notify": "leave it out: `vlangate watch` tells each transition to a program of yours",
    "track_script": "leave it out: trackers watch links and ping",
    "virtual_routes": "leave it out: routes belong to the network configuration of the host",
}


class Unreadable(Exception):
    """A value is not what its field takes; carries a problem's code, and its hint."""

    def __init__(self, code: str, hint: str) -> None:
        super().__init__(hint)
        self.code = code
        self.hint = hint


class JsonObject(Dict[str, Any]):
    """An object of a JSON text that remembers the keys that were written more than once."""

    duplicates: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """An object as far as it could be read.

    values has every field: what was written, else the default, else something neutral. unsound
    names the fields that could not be read or are missing: no rule may judge those.
    """

    path: str
    values: Mapping[str, Any]
    unsound: FrozenSet[str] = field(default_factory=frozenset)


def shown(value: Any) -> str:
    """A value for a message: short, on one line."""
    if isinstance(value, str):
        text = "'%s'" % value.replace("\n", "\\n")
    elif value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    else:
        text = str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def repeated(items: Iterable[Any]) -> List[Any]:
    """What occurs more than once, each once, in order."""
    counts: Dict[Any, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    return [item for item, count in counts.items() if count > 1]


def text_of(address: bytes) -> str:
    """An address as people write it."""
    return str(ipaddress.ip_address(address))


def in_order(found: Iterable[Problem]) -> Tuple[Problem, ...]:
    """Problems as they are shown: by path."""
    return tuple(sorted(found, key=lambda problem: (problem.path, problem.code)))


def nearest(word: str, candidates: Sequence[str]) -> str:
    """The hint for a name that is not known."""
    return _nearest(word, tuple(candidates))


@functools.lru_cache(maxsize=64)  # a mistake in a template is there a thousand times
def _nearest(word: str, candidates: Tuple[str, ...]) -> str:
    close = [each for each in candidates if len(word) > 2 and word in each]
    if not close and len(candidates) <= _MOST_COMPARED:
        import difflib  # only for a mistake: a daemon has no use for it

        close = difflib.get_close_matches(word, candidates, n=1)
    if close:
        return "did you mean '%s'?" % close[0]
    listed = ", ".join(candidates[:_MOST_LISTED]) or "nothing"
    more = len(candidates) - _MOST_LISTED
    return "known here: %s" % (listed if more <= 0 else "%s and %d more" % (listed, more))


class Hints:
    """Hints for names that are not known, of which there may be thousands. Only the first few names
    are compared with what is known: the daemon reads its configuration between advertisements."""

    def __init__(self, candidates: Iterable[str]) -> None:
        self._candidates = tuple(sorted(candidates))
        self._given: Dict[str, str] = {}

    def hint(self, word: str, otherwise: str) -> str:
        """The hint for a name; otherwise: what is said of all but the first few."""
        if word not in self._given and len(self._given) < _MOST_HINTS:
            self._given[word] = nearest(word, self._candidates)
        return self._given.get(word, otherwise)


def read(fields: Tuple[Field, ...], document: Any, path: str, problems: List[Problem]) -> Reading:
    """Read one object; what is wrong with it is appended to problems.

    path is empty for the whole document. An object comes back as Reading, where it was written, and
    a list of objects as a tuple of them.
    """
    if not isinstance(document, Mapping):
        hint = "write an object with the fields %s" % ", ".join(each.name for each in fields)
        problems.append(Problem(path or "document", "type", "is %s" % shown(document), hint))
        stand_ins = {each.name: stand_in(each) for each in fields}
        return Reading(path, stand_ins, frozenset(stand_ins))
    values: Dict[str, Any] = {}
    prefix = path + "." if path else ""
    _note_odd_keys(fields, document, prefix, problems)
    unsound = set()
    for each in fields:
        if each.name not in document:
            values[each.name] = stand_in(each)
            if each.required:
                hint = "%s: %s" % (_what(each), each.summary.rstrip("."))
                problems.append(Problem(prefix + each.name, "missing", "is missing", hint))
                unsound.add(each.name)
            continue
        found = len(problems)
        try:
            values[each.name] = _value(each, document[each.name], prefix + each.name, problems)
        except Unreadable as error:
            message = "is unreadable" if each.secret else "is %s" % shown(document[each.name])
            problems.append(Problem(prefix + each.name, error.code, message, error.hint))
            values[each.name] = stand_in(each)
            unsound.add(each.name)
        if len(problems) > found and each.kind not in (Kind.OBJECT, Kind.OBJECTS):
            unsound.add(each.name)
    return Reading(path, values, frozenset(unsound))


def _note_odd_keys(
    fields: Tuple[Field, ...], document: Mapping[str, Any], prefix: str, problems: List[Problem]
) -> None:
    """Unknown keys, and keys that a JSON text has twice."""
    known = [each.name for each in fields]
    for key in document:
        if key not in known:
            code, message, hint = _odd(str(key), known)
            problems.append(Problem(prefix + (str(key) or '""'), code, message, hint))
    for key in document.duplicates if isinstance(document, JsonObject) else ():
        problems.append(
            Problem(prefix + key, "duplicate-key", "is written more than once", "keep one of them")
        )


def _odd(key: str, known: Sequence[str]) -> Tuple[str, str, str]:
    """What to say of an unknown key: code, message, hint."""
    for word, hint in _NOT_HERE.items():
        if key.startswith(word):
            return "not-here", "is nothing that this release can do", hint
    return "unknown-key", "is not a known field", nearest(key, known)


def stand_in(each: Field) -> Any:
    """The default, or for a required field something of its type that no rule will look at."""
    if not each.required:
        return each.default
    neutral: Dict[Kind, Any] = {Kind.INTEGER: 0, Kind.INTERVAL: 0, Kind.BOOLEAN: False}
    neutral.update({Kind.ADDRESSES: (), Kind.OBJECTS: (), Kind.NAMES: ()})
    neutral[Kind.NETWORK] = InterfaceAddress(bytes(16), 64)
    return each.choices[0] if each.choices else neutral.get(each.kind, "")


def _what(each: Field) -> str:
    """What to write for a field."""
    if each.choices:
        return "write one of %s" % ", ".join(each.choices)
    return {
        Kind.TEXT: "write a text",
        Kind.INTEGER: "write a whole number, without quotes",
        Kind.BOOLEAN: "write true or false",
        Kind.INTERVAL: "write a number of centiseconds, or text such as '1s' or '100ms'",
        Kind.DURATION: "write a text with its unit, such as '15s' or '500ms'",
        Kind.ADDRESSES: "write a list of addresses such as 198.51.100.254 or 2001:db8::fe",
        Kind.NETWORK: "write an IPv6 network such as 2001:db8:10::/64",
        Kind.NAMES: "write a list of texts",
        Kind.OBJECT: "write an object",
        Kind.OBJECTS: "write a list of objects",
        Kind.ANY: "write it",
    }[each.kind]


def _value(each: Field, value: Any, path: str, problems: List[Problem]) -> Any:
    """The value that a field has; raises Unreadable."""
    if each.kind is Kind.OBJECT:
        return read(each.fields, value, path, problems)
    if each.kind is Kind.OBJECTS:
        return _objects(each, value, path, problems)
    if each.kind is Kind.ADDRESSES:
        return _addresses(each, value, path, problems)
    return _SCALARS[each.kind](each, value)


def _objects(each: Field, value: Any, path: str, problems: List[Problem]) -> Tuple[Reading, ...]:
    """A list of objects, each called by its first field where that is a text, else by number."""
    if not isinstance(value, (list, tuple)):
        raise Unreadable("type", _what(each))
    readings = []
    for index, item in enumerate(value):
        label = item.get(each.fields[0].name) if isinstance(item, Mapping) else None
        if not isinstance(label, str) or not label:
            label = str(index)
        readings.append(read(each.fields, item, "%s[%s]" % (path, label), problems))
    return tuple(readings)


def _addresses(each: Field, value: Any, path: str, problems: List[Problem]) -> Tuple[bytes, ...]:
    """A list of addresses; each bad one is a problem of its own."""
    if not isinstance(value, (list, tuple)):
        raise Unreadable("type", _what(each))
    addresses = []
    for index, item in enumerate(value):
        try:
            addresses.append(read_address(item))
        except Unreadable as error:
            where = "%s[%d]" % (path, index)
            problems.append(Problem(where, error.code, "is %s" % shown(item), error.hint))
    return tuple(addresses)


def read_address(value: Any) -> bytes:
    """An address in network order; raises Unreadable with the remedy."""
    if not isinstance(value, str):
        raise Unreadable("type", "write an address such as 198.51.100.254 or 2001:db8::fe")
    bare, slash, _length = value.partition("/")
    if "%" in bare:
        raise Unreadable("address", "leave the zone out: the interface is a field of its own")
    try:
        address = ipaddress.ip_address(bare.strip())
    except ValueError:
        hint = "write an address such as 198.51.100.254 or 2001:db8::fe, no host name"
        raise Unreadable("address", hint) from None
    if slash:
        raise Unreadable("address", "leave the prefix length out: write %s" % address)
    return address.packed


def _network(each: Field, value: Any) -> InterfaceAddress:
    if not isinstance(value, str) or "/" not in value:
        raise Unreadable("type", _what(each))
    try:
        network = ipaddress.IPv6Network(value.strip(), strict=False)
    except ValueError:
        raise Unreadable("network", _what(each)) from None
    if str(network.network_address) != str(ipaddress.ip_address(value.partition("/")[0].strip())):
        raise Unreadable("network", "write the network without host bits: %s" % network)
    return InterfaceAddress(network.network_address.packed, network.prefixlen)


def _names(each: Field, value: Any) -> Tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise Unreadable("type", _what(each))
    return tuple(value)


def _text(each: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise Unreadable("type", _what(each))
    return value


def _integer(each: Field, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable("type", _what(each))
    return value


def _boolean(each: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unreadable("type", _what(each))
    return value


def _choice(each: Field, value: Any) -> str:
    if isinstance(value, bool) and set(_SWITCH.values()) <= set(each.choices):
        return _SWITCH[value]
    if value not in each.choices:
        raise Unreadable("choice", "write one of %s" % ", ".join(each.choices))
    return str(value)


def _interval(each: Field, value: Any) -> int:
    if not isinstance(value, (int, str)):
        raise Unreadable("type", _what(each))
    try:
        return parse_interval_cs(value)
    except ValueError as error:
        raise Unreadable("interval", str(error)) from None


def _duration(each: Field, value: Any) -> int:
    if not isinstance(value, str) or not value.strip().endswith("s"):
        hint = "%s; or use %s_cs for centiseconds" % (_what(each), each.name)
        raise Unreadable("interval", hint)
    return _interval(each, value)


_SCALARS: Dict[Kind, Callable[[Field, Any], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.CHOICE: _choice,
    Kind.INTERVAL: _interval,
    Kind.DURATION: _duration,
    Kind.NETWORK: _network,
    Kind.NAMES: _names,
    Kind.ANY: lambda each, value: value,
}
