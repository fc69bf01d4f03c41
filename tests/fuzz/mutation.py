# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutation that keeps JSON to be JSON: else nearly all of it would die in the JSON parser."""

import json
import random
from typing import Any, List, Tuple

# What tends to be forgotten in a decoder.
_ODD = (None, True, 0, -1, 1, 255, 256, 4096, 1 << 63, 0.5, "", "a", "\ud800", "é", "1s", "::")
_ODD += (float("nan"), 10**90, [], {}, [[]], "fe80::1")
_ODD += ({"x": "00"}, {"l": []}, {"r": 0}, {"State": "master"})


def mutate_lines(data: bytes, seed: int) -> bytes:
    """One line of JSON, chosen by the seed, with one value replaced, doubled, moved or gone."""
    choose = random.Random(seed)
    lines = data.split(b"\n")
    at = choose.randrange(len(lines))
    # The first octet of a request for the control target is no JSON.
    prefix = lines[0][:1] if at == 0 and not lines[0].startswith((b"{", b"[")) else b""
    try:
        document = json.loads(lines[at][len(prefix) :])
    except (ValueError, RecursionError):
        choose.shuffle(lines)
        return b"\n".join(lines)
    lines[at] = prefix + json.dumps(_mutated(document, choose)).encode("ascii")
    return b"\n".join(lines)


def _mutated(document: Any, choose: random.Random) -> Any:
    places = _places(document)
    if not places:
        return choose.choice(_ODD)
    container, key = choose.choice(places)
    kind = choose.randrange(5)
    if kind == 0:
        container[key] = choose.choice(_ODD)
    elif kind == 1:
        other, other_key = choose.choice(places)
        container[key] = json.loads(json.dumps(other[other_key]))
    elif kind == 2:
        del container[key]
    elif kind == 3 and isinstance(container, list):
        container.insert(key, json.loads(json.dumps(container[key])))
    elif isinstance(container, dict):
        container[key + choose.choice(("", "s", "_cs"))] = container.pop(key)
    return document


def _places(document: Any) -> List[Tuple[Any, Any]]:
    """Every container with every key or index in it."""
    found: List[Tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        container = waiting.pop()
        keys = range(len(container)) if isinstance(container, list) else ()
        for key in container if isinstance(container, dict) else keys:
            found.append((container, key))
            waiting.append(container[key])
    return found
