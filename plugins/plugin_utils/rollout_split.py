# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which groups would be split by a roll-out: a router that has changed and one that has not do not
hear each other there, or answer for one address under two virtual MACs.

Both would be master. So such a group is withheld from all of its routers but one until that one has
changed. Pure.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

Document = Mapping[str, t.Any]
Change = Mapping[str, t.Any]


def split_groups(
    wanted: Mapping[str, Document],
    changes: Mapping[str, Sequence[Change]],
    running: Mapping[str, Document | None],
) -> dict[str, str]:
    """Each group that would be split, and what of it changes, in words. All by router.

    A member of a sync group takes the others along: they are master together.
    """
    found: dict[str, str] = {}
    for router, document in wanted.items():
        for change in changes.get(router, ()):
            if _splits(change):
                found.setdefault(change["name"], change["cost"])
        found.update(_moved(document, changes.get(router, ()), running.get(router)))
    for document in wanted.values():
        for group in document.get("sync_groups", ()):
            torn = [name for name in group["members"] if name in found]
            for name in group["members"] if torn else ():
                found.setdefault(name, "it is in sync group %s with %s" % (group["name"], torn[0]))
    return found


def without(document: Document, names: Iterable[str]) -> dict[str, t.Any]:
    """A configuration without some of its virtual routers; names has whole sync groups."""
    left_out = set(names)
    routers = [each for each in document["virtual_routers"] if each["name"] not in left_out]
    found = {**document, "virtual_routers": routers}
    syncs = [each for each in found.pop("sync_groups", ()) if left_out.isdisjoint(each["members"])]
    # The canonical form has the key only where it says something, behind the trackers.
    leases = {"leases": found.pop("leases")} if "leases" in found else {}
    return {**found, **({"sync_groups": syncs} if syncs else {}), **leases}


def _splits(change: Change) -> bool:
    """Version, password, the interval of VRRPv2, or another identity under the same name."""
    return change["kind"] in ("added", "changed") and not change["hitless"]


def _moved(
    wanted: Document, changes: Sequence[Change], running: Document | None
) -> Iterable[tuple[str, str]]:
    """Groups that come with an address of one that goes, under another name."""
    goes = {each["name"] for each in changes if each["kind"] == "removed"}
    comes = {each["name"] for each in changes if each["kind"] == "added"}
    held = {
        (each["interface"], address): each["name"]
        for each in (running or {}).get("virtual_routers", ())
        if each["name"] in goes
        for address in each["addresses"]
    }
    for router in wanted["virtual_routers"]:
        for address in router["addresses"] if router["name"] in comes else ():
            before = held.get((router["interface"], address))
            if before is not None:
                yield router["name"], "it takes %s over from %s" % (address, before)
