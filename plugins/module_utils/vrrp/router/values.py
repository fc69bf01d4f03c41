# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the engine as JSON-ready documents, and back. Layer L3.

Exact: read(write(value)) == value, with the same types. No pickle: only the classes named here are
ever made, and making one runs nothing but its constructor.

    null true 7 "text"     themselves          {"x": "c0a8"}          octets
    [..]                   tuple               {"l": [..]}            list
    {"d": [[key, value]]}  mapping             {"s": [..]}            frozen set
    {"State": "master"}    member of an enumeration
    {"LinkFacts": {..}}    object of a class with its attributes
"""

from __future__ import annotations

import dataclasses
import enum
import json
from typing import Any, Dict, List, Tuple

from .. import discards, facts
from ..config import model, resolve
from ..errors import JournalError
from ..fsm import actions as fsm_actions
from ..fsm import events as fsm_events
from ..fsm import parameters, states
from ..wire import checksum
from . import actions, bound_router, desired, events, peers, receive
from .masks import Masks, NoMasks

_MODULES = (
    (facts, discards, states, parameters, fsm_actions, checksum, model, resolve)
    + (desired, events, actions, receive, peers, bound_router)
)  # fmt: skip
_PLAIN = (type(None), bool, int, str)
# What constructors and look-ups say of a document that write() never made.
_REFUSALS = (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError)
# What holds a password, by class and attribute: which method of Masks covers it.
_SECRETS = {("ReceivedPacket", "data"): "packet", ("TransmitFrame", "frame"): "frame"}


def _is_value(kind: Any) -> bool:
    return isinstance(kind, type) and (
        dataclasses.is_dataclass(kind) or issubclass(kind, enum.Enum)
    )


# A new class in one of these modules is known by itself.
KINDS: Dict[str, Any] = {
    name: kind
    for each in _MODULES
    for name, kind in vars(each).items()
    if _is_value(kind) and kind is not enum.Enum
}
KINDS["AdvertisementReceived"] = fsm_events.AdvertisementReceived
_ATTRIBUTES: Dict[Any, Tuple[Tuple[str, str], ...]] = {
    kind: tuple(
        (
            field.name,
            "password" if field.name == "password" else _SECRETS.get((name, field.name), ""),
        )
        for field in dataclasses.fields(kind)
    )
    for name, kind in KINDS.items()
    if dataclasses.is_dataclass(kind)
}
# A number that is none would be multiplied into as many octets, and octets are looked into.
_SIMPLE = {"int": int, "bytes": bytes, "str": str}
_SIMPLE_ATTRIBUTES: Dict[Any, Tuple[Tuple[str, type], ...]] = {
    kind: tuple(
        (field.name, _SIMPLE[str(field.type)])
        for field in dataclasses.fields(kind)
        if field.type in _SIMPLE
    )
    for kind in _ATTRIBUTES
}


class Notation:
    """Writes values down, with words for passwords, and reads them again."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks

    def write(self, value: Any) -> Any:
        """The document of a value. A value of another kind is a bug: TypeError."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is bytes:
            return {"x": value.hex()}
        if kind is tuple:
            return [self.write(each) for each in value]
        if kind is list:
            return {"l": [self.write(each) for each in value]}
        if isinstance(value, dict):
            return {"d": [[self.write(key), self.write(each)] for key, each in value.items()]}
        if kind is frozenset:
            return {"s": sorted((self.write(each) for each in value), key=json.dumps)}
        if isinstance(value, enum.Enum) and kind.__name__ in KINDS:
            return {kind.__name__: value.value}
        return self._write_object(value, kind)

    def _write_object(self, value: Any, kind: Any) -> Any:
        attributes = _ATTRIBUTES.get(kind)
        if attributes is None:
            raise TypeError("%s has no notation: see values.py, state.py" % kind.__name__)
        written = {}
        for name, secret in attributes:
            attribute = getattr(value, name)
            if secret:
                attribute = getattr(self._masks, secret)(attribute)
            written[name] = self.write(attribute)
        return {kind.__name__: written}

    def read(self, document: Any) -> Any:
        """The value of a document. Raises JournalError."""
        try:
            return self._read(document)
        except _REFUSALS as error:
            raise JournalError("unreadable value: %s" % error) from None

    def _read(self, document: Any) -> Any:
        if type(document) in _PLAIN:
            return document
        if isinstance(document, list):
            return tuple(self._read(each) for each in document)
        if not isinstance(document, dict) or len(document) != 1:
            raise ValueError("%.60r is no value" % (document,))
        ((tag, content),) = document.items()
        return self._read_tagged(tag, content)

    def _read_tagged(self, tag: str, content: Any) -> Any:
        if tag == "x":
            return bytes.fromhex(content)
        if tag == "l":
            return self._read_all(content)
        if tag == "d":
            return {self._read(key): self._read(each) for key, each in content}
        if tag == "s":
            return frozenset(self._read_all(content))
        kind = KINDS[tag]
        if issubclass(kind, enum.Enum):
            return kind(content)
        return self._read_object(kind, self._read_attributes(content))

    def _read_object(self, kind: Any, attributes: Dict[str, Any]) -> Any:
        for name, wanted in _SIMPLE_ATTRIBUTES.get(kind, ()):
            if name in attributes and not isinstance(attributes[name], wanted):
                raise ValueError("%s of a %s is no %s" % (name, kind.__name__, wanted.__name__))
        return kind(**attributes)

    def _read_attributes(self, content: Any) -> Dict[str, Any]:
        if not isinstance(content, dict):
            raise ValueError("%.60r are no attributes" % (content,))
        return {name: self._read(each) for name, each in content.items()}

    def _read_all(self, content: Any) -> List[Any]:
        if not isinstance(content, list):
            raise ValueError("%.60r is no list" % (content,))
        return [self._read(each) for each in content]


PLAIN_NOTATION = Notation(NoMasks())
