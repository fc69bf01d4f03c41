# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a RouterConfig back to its document, the same bytes every time. Layer L2.

All fields are written, defaults too (but an object of defaults alone is {}): equal intents give
equal text, which is what idempotence and the digest of a configuration rest on.
"""

from __future__ import annotations

import enum
import functools
import ipaddress
import json
from json.encoder import encode_basestring_ascii
from typing import Any, Dict, Iterable, List, Tuple

from .fields import (
    FORMAT,
    SYNC_GROUP_FIELDS,
    TRACKER_FIELDS,
    VIRTUAL_ROUTER_FIELDS,
    Field,
    Kind,
)
from .model import LeaseMode, RouterConfig
from .router_advertisements import network_text

# Stands for a secret; too long for one, so nobody can write it back by mistake.
HIDDEN = "*" * 12


def document(config: RouterConfig, secrets: bool = True) -> Dict[str, Any]:
    """The document of a configuration, entries sorted by name: parse() of it gives config.

    Without secrets it is for people: what a secret field holds is then HIDDEN.
    """
    found = {
        "format": FORMAT,
        "virtual_routers": _entries(VIRTUAL_ROUTER_FIELDS, config.virtual_routers, secrets),
        "trackers": _entries(TRACKER_FIELDS, config.trackers, secrets),
    }
    # Only where they say something: an engine that is older can then be put back.
    if config.sync_groups:
        found["sync_groups"] = _entries(SYNC_GROUP_FIELDS, config.sync_groups, secrets)
    if config.leases is not LeaseMode.AUTO:
        found["leases"] = config.leases.value
    return found


def canonical_json(config: RouterConfig, secrets: bool = True) -> str:
    """The document as text: fields in the order of the table, indented by 2, newline at the end."""
    return indented(document(config, secrets)) + "\n"


def indented(value: Any, margin: str = "\n") -> str:
    """JSON as json.dumps(value, indent=2) writes it, but for its list of all words, which would be
    ten times the text: memory that a daemon would keep."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    inner = margin + "  "
    if isinstance(value, dict):
        words = [_key(key) + indented(value[key], inner) for key in value]
        brackets = "{}"
    elif isinstance(value, list):
        words = [indented(each, inner) for each in value]
        brackets = "[]"
    else:
        return json.dumps(value)
    if not words:
        return brackets
    return brackets[0] + inner + ("," + inner).join(words) + margin + brackets[1]


@functools.lru_cache(maxsize=256)
def _key(name: str) -> str:
    return json.dumps(name) + ": "


def _entries(fields: Tuple[Field, ...], values: Iterable[Any], secrets: bool) -> List[Any]:
    ordered = sorted(values, key=lambda each: str(each.name))
    return [_object(fields, each, secrets) for each in ordered]


def _object(fields: Tuple[Field, ...], value: Any, secrets: bool) -> Dict[str, Any]:
    return {field.name: _written(field, getattr(value, field.name), secrets) for field in fields}


def _written(field: Field, value: Any, secrets: bool) -> Any:
    if field.secret and value and not secrets:
        return HIDDEN
    if field.kind is Kind.OBJECT:
        return {} if value == field.default else _object(field.fields, value, secrets)
    if field.kind is Kind.NETWORK:
        return network_text(value)
    if field.kind is Kind.NAMES:
        return list(value)
    if field.kind is Kind.ADDRESSES:
        return [str(ipaddress.ip_address(address)) for address in value]
    if field.kind is Kind.OBJECTS:
        return [_object(field.fields, entry, secrets) for entry in value]
    return value.value if isinstance(value, enum.Enum) else value
