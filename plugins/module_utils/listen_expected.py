# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option `expected` of vrrp_listen, read as a whole. Pure."""

from __future__ import annotations

import ipaddress
import typing as t

from .listen_findings import Expected
from .vrrp.errors import ConfigError, Problem
from .vrrp.facts import Family, is_link_local


def read_expected(entries: t.Sequence[t.Mapping[str, t.Any]]) -> t.List[Expected]:
    """The virtual routers that are expected. Raises ConfigError with all that is wrong."""
    problems: t.List[Problem] = []
    found = [
        _read(entry, "expected[%d]" % number, problems) for number, entry in enumerate(entries)
    ]
    if problems:
        raise ConfigError(tuple(problems))
    return found


def _read(entry: t.Mapping[str, t.Any], path: str, problems: t.List[Problem]) -> Expected:
    for name, least, most in (("vrid", 1, 255), ("vlan", 1, 4094)):
        number = entry.get(name)
        if number is not None and not least <= number <= most:
            hint = "choose %d to %d" % (least, most)
            problems.append(Problem("%s.%s" % (path, name), "range", "is %d" % number, hint))
    addresses = tuple(_addresses(entry, "addresses", path, problems))
    routers = tuple(_addresses(entry, "routers", path, problems, is_router=True))
    family = Family(entry["family"]) if entry.get("family") else None
    return Expected(entry["vrid"], family, entry.get("vlan") or 0, routers, addresses)


def _addresses(
    entry: t.Mapping[str, t.Any],
    name: str,
    path: str,
    problems: t.List[Problem],
    is_router: bool = False,
) -> t.Iterator[bytes]:
    for position, text in enumerate(entry.get(name) or ()):
        where = "%s.%s[%d]" % (path, name, position)
        try:
            address = ipaddress.ip_address(text).packed
        except ValueError:
            hint = "write an address such as 198.18.10.252"
            problems.append(Problem(where, "address", "%r is no address" % text, hint))
            continue
        if is_router and len(address) == 16 and not is_link_local(address):
            hint = "IPv6 advertisements come from a link-local address: write that of the router"
            problems.append(Problem(where, "address", "%s is not link-local" % text, hint))
        yield address
