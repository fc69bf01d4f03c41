# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order the routers of a fleet are changed: backups first, never two of one group at once.

Routers that share no group, directly or by others, do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def waves(
    groups: Mapping[str, Collection[str]],
    masters_now: Mapping[str, str | None],
    touched: Sequence[str],
) -> list[list[str]]:
    """The touched routers as waves, one after the other; those of one wave are changed together.

    groups: each gateway group and its members; masters_now: who is master of it. A master comes
    after the backups of its groups. Where that is impossible, as when two routers share the VLANs
    between them, the one that is master of fewest goes first, then the one that is named first.
    """
    left = list(touched)
    order = {router: number for number, router in enumerate(left)}
    together = [set(members) & set(left) for members in groups.values()]
    neighbours = {
        router: set().union(*(each for each in together if router in each)) - {router}
        for router in left
    }
    backups = {
        router: [set(groups[name]) - {router} for name, master in masters_now.items()
                 if master == router and name in groups]
        for router in left
    }  # fmt: skip
    found = []
    while left:
        # Of how many groups each is master whose backups have not been changed yet.
        waits = {each: sum(not others.isdisjoint(left) for others in backups[each])
                 for each in left}  # fmt: skip
        wave = []
        for island in _islands(left, neighbours):
            free = {router for router in island if not waits[router]}
            for router in sorted(free or island, key=lambda each: (waits[each], order[each])):
                if neighbours[router].isdisjoint(wave):
                    wave.append(router)
        found.append(sorted(wave, key=order.__getitem__))
        left = [router for router in left if router not in wave]
    return found


def _islands(routers: Sequence[str], neighbours: Mapping[str, Collection[str]]) -> list[set[str]]:
    """The routers in sets that share no group with each other."""
    left, islands = set(routers), []
    for router in routers:
        reached, coming = set(), {router} & left
        while coming:
            reached |= coming
            coming = set().union(*(neighbours[each] for each in coming)) & left - reached
        if reached:
            islands.append(reached)
            left -= reached
    return islands
