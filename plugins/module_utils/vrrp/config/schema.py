# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The field table as a JSON schema, draft 2020-12. Layer L2.

For editors and other programs. It knows single fields; the rules between fields and entries are
those of validate.py.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Tuple

from .fields import DOCUMENT_FIELDS, Field, Kind

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NETWORK_TEXT = r"^\s*[0-9A-Fa-f:.]+/[0-9]+\s*$"
_INTERVAL_TEXT = r"^\s*[0-9]+(\.[0-9]+)?\s*(cs|ms|s)?\s*$"


def json_schema() -> Dict[str, Any]:
    """The schema of the configuration document."""
    schema: Dict[str, Any] = {"$schema": DIALECT, "title": "Configuration of vlangate"}
    schema.update(_object(DOCUMENT_FIELDS))
    return schema


def _object(fields: Tuple[Field, ...]) -> Dict[str, Any]:
    return {
        "type": "object",
        "properties": {field.name: _property(field) for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def _property(field: Field) -> Dict[str, Any]:
    schema: Dict[str, Any] = {"description": field.summary}
    schema.update(_FORMS[field.kind](field))
    if not field.required:
        schema["default"] = _default(field)
    return schema


def _default(field: Field) -> Any:
    if field.kind is Kind.OBJECT:
        return {}
    if field.kind in (Kind.ADDRESSES, Kind.NAMES, Kind.OBJECTS):
        return list(field.default)
    return field.default


def _number(field: Field) -> Dict[str, Any]:
    return {"type": "integer", "minimum": field.minimum, "maximum": field.maximum}


def _interval(field: Field) -> Dict[str, Any]:
    return {"oneOf": [_number(field), {"type": "string", "pattern": _INTERVAL_TEXT}]}


def _text(field: Field) -> Dict[str, Any]:
    schema: Dict[str, Any] = {"type": "string"}
    if field.minimum is not None:
        schema["minLength"] = field.minimum
    if field.maximum is not None:
        schema["maxLength"] = field.maximum
    if field.pattern:
        # What is left out may be written as an empty text too.
        schema["pattern"] = ("^(?:%s)$" if field.required else "^(?:%s)?$") % field.pattern
    if field.secret:
        schema["writeOnly"] = True
    return schema


def _list(field: Field, items: Dict[str, Any]) -> Dict[str, Any]:
    schema: Dict[str, Any] = {"type": "array", "items": items}
    if field.minimum is not None:
        schema["minItems"] = field.minimum
    if field.maximum is not None:
        schema["maxItems"] = field.maximum
    return schema


def _addresses(field: Field) -> Dict[str, Any]:
    items = {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
    return dict(_list(field, items), uniqueItems=True)


_FORMS: Dict[Kind, Callable[[Field], Dict[str, Any]]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _number,
    Kind.INTERVAL: _interval,
    Kind.BOOLEAN: lambda field: {"type": "boolean"},
    Kind.CHOICE: lambda field: {"type": "string", "enum": list(field.choices)},
    Kind.ADDRESSES: _addresses,
    Kind.NETWORK: lambda field: {"type": "string", "pattern": _NETWORK_TEXT},
    Kind.NAMES: lambda field: dict(_list(field, {"type": "string"}), uniqueItems=True),
    Kind.OBJECT: lambda field: _object(field.fields),
    Kind.OBJECTS: lambda field: _list(field, _object(field.fields)),
}
