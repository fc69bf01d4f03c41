# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The field table as Ansible's argument spec. Layer L2. Knows the form, imports no Ansible."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from .fields import DOCUMENT_FIELDS, Field, Kind

_TYPES = {
    Kind.TEXT: "str",
    Kind.CHOICE: "str",
    Kind.NETWORK: "str",
    Kind.INTEGER: "int",
    Kind.BOOLEAN: "bool",
    # A number or a text: "raw" keeps which of the two it is.
    Kind.INTERVAL: "raw",
}


def argument_spec() -> Dict[str, Any]:
    """The suboptions of a module's option `config`, for {"type": "dict", "options": ...}.

    Types, defaults and choices only: parse() checks the rest, all at once. Required is only what an
    entry is called by, for a part of a configuration may leave the rest as it is.
    """
    return _options(DOCUMENT_FIELDS)


def _options(fields: Tuple[Field, ...]) -> Dict[str, Any]:
    return {field.name: _option(field, field is fields[0]) for field in fields}


def _option(field: Field, is_name: bool) -> Dict[str, Any]:
    option: Dict[str, Any] = {}
    if field.kind is Kind.OBJECTS:
        option.update(type="list", elements="dict", options=_options(field.fields))
    elif field.kind is Kind.OBJECT:
        option.update(type="dict", options=_options(field.fields))
    elif field.kind in (Kind.ADDRESSES, Kind.NAMES):
        option.update(type="list", elements="str")
    else:
        option["type"] = _TYPES[field.kind]
    if field.secret:
        option["no_log"] = True
    if field.choices:
        option["choices"] = list(field.choices)
    if field.required:
        if is_name:
            option["required"] = True
    elif field.kind is Kind.OBJECT:
        option["default"] = {}
    elif field.kind in (Kind.OBJECTS, Kind.ADDRESSES, Kind.NAMES):
        option["default"] = []
    else:
        option["default"] = field.default
    return option
