# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exactly one master per gateway group: the judgement over several routers, on the controller.

Each host's action knows its own router. The hosts of a play run in processes of their own, so they
share what they saw through a blackboard: a directory that Ansible removes when the run ends.
Whoever writes last sees all, so a group that is not as it should be cannot pass on every host.
"""

from __future__ import annotations

import json
import os
import time
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..module_utils.expectation import described

Observation = Mapping[str, t.Any]  # {"routers": [...]} or {"error": sentence}
Router = Mapping[str, t.Any]
Named = Mapping[str, Mapping[str, Router]]

ROW = "%-13s %-26s %-18s %-10s %s"


@dataclass(frozen=True)
class Group:
    """A gateway group: the name of its virtual routers, who should be master, who takes part.

    vip and virtual_mac are for people.
    """

    name: str
    master: str | None
    hosts: tuple[str, ...]
    vip: str = ""
    virtual_mac: str = ""

    def expectation(self, host: str) -> dict[str, t.Any]:
        """What this host's router can be held to by itself."""
        if self.master is None:
            return {"name": self.name}
        return {"name": self.name, "state": "master" if host == self.master else "backup"}

    def verdict(self, seen: Mapping[str, Observation]) -> str | None:
        """What is wrong as far as is seen, with what was seen instead; None when nothing is."""
        return self._verdict(seen, _named(seen))

    def _verdict(self, seen: Mapping[str, Observation], named: Named) -> str | None:
        states = self._states(seen, named)
        masters = [host for host, state in states.items() if state == "master"]
        complete = len(states) == len(self.hosts)
        if self.master is None:
            fine = len(masters) == 1 if complete else len(masters) <= 1
        else:
            intended = [self.master] if self.master in states else []
            fine = masters == intended
        if fine and all(state in ("master", "backup") for state in states.values()):
            return None
        wanted = "exactly one master" if self.master is None else "master %s" % self.master
        told = ["%s %s" % (host, self._told(seen[host], named[host])) for host in states]
        return "%s: expected %s; seen: %s" % (self.name, wanted, ", ".join(told))

    def stray(self, named: Named) -> str | None:
        """Which of its backups names another master than the one that is seen; None if none."""
        members = {
            host: named[host][self.name] for host in self.hosts if self.name in named.get(host, {})
        }
        masters = [host for host, router in members.items() if router["state"] == "master"]
        if len(masters) != 1:
            return None
        address = members[masters[0]]["primary_address"]
        told = [
            "%s %s" % (host, described(router))
            for host, router in members.items()
            if router["state"] == "backup" and router["master_address"] != address
        ]
        if not told:
            return None
        return "%s: %s is master by %s, but %s" % (self.name, masters[0], address, ", ".join(told))

    def _states(self, seen: Mapping[str, Observation], named: Named) -> dict[str, str | None]:
        hosts = [host for host in self.hosts if host in seen]
        return {host: named[host].get(self.name, {}).get("state") for host in hosts}

    def _told(self, observation: Observation, routers: Mapping[str, Router]) -> str:
        router = routers.get(self.name)
        if router is not None:
            return described(router)
        if "error" in observation:
            return "did not tell: %s" % observation["error"]
        return "has no such virtual router"

    def _row(self, seen: Mapping[str, Observation], named: Named) -> str:
        states = self._states(seen, named)
        cells = [
            ", ".join(host for host, state in states.items() if state == wanted) or "none"
            for wanted in ("master", "backup")
        ]
        return ROW % (self.name, self.vip, self.virtual_mac, *cells)


def _named(seen: Mapping[str, Observation]) -> Named:
    """The virtual routers of each host by their names: of 1,000 groups, each looks for its own."""
    return {
        host: {router["name"]: router for router in observation.get("routers", ())}
        for host, observation in seen.items()
    }


def verdicts(groups: Sequence[Group], seen: Mapping[str, Observation]) -> list[str]:
    """What is wrong with any of the groups, a sentence each."""
    named = _named(seen)
    return [text for text in (group._verdict(seen, named) for group in groups) if text]


def strays(groups: Sequence[Group], seen: Mapping[str, Observation]) -> list[str]:
    """Backups that hear somebody else than the master, a sentence for each group. Only to be asked
    of groups that are stable: who takes over is not heard by everybody at the same moment."""
    named = _named(seen)
    return [text for text in (group.stray(named) for group in groups) if text]


def table(groups: Sequence[Group], seen: Mapping[str, Observation]) -> list[str]:
    """Who is master and who is backup of each group, for people: a line each, under a headline."""
    named = _named(seen)
    head = ROW % ("GROUP", "VIRTUAL ADDRESS", "VIRTUAL MAC", "MASTER", "BACKUPS")
    return [head, *(group._row(seen, named) for group in groups)]


def read_groups(
    entries: t.Any, hosts: Sequence[str], planned: Sequence[Mapping[str, t.Any]] = ()
) -> list[Group]:
    """The option groups, each once; ValueError names what is wrong with it.

    The same group is listed by each of its routers in what vrrp_gateways returns. What entries do
    not say of their addresses is taken from the plan.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise ValueError("groups is a list of {name, master, members}, and has at least one")
    known = {entry["name"]: entry for entry in planned}
    groups: dict[str, Group] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            raise ValueError("groups[%d]: name is missing, that of its virtual routers" % number)
        name = entry["name"]
        members = entry.get("members") or hosts
        judged = tuple(host for host in hosts if host in members)
        master = entry["master"] if "master" in entry else entry.get("preferred")
        told = {**known.get(name, {}), **entry}
        vip, virtual_mac = (str(told.get(field, "")) for field in ("vip", "virtual_mac"))
        groups[name] = Group(name, master, judged, vip, virtual_mac)
    return [group for _name, group in sorted(groups.items())]


class Blackboard:
    """What each host saw, under one directory."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, host: str, observation: Observation) -> None:
        """Post what a host saw, in place of what it saw before."""
        path = self._directory / (host.replace(os.sep, "_") + ".json")
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps({"host": host, **observation}), encoding="utf-8")
        os.replace(temporary, path)

    def read(self) -> dict[str, Observation]:
        """What is posted so far."""
        posts = [
            json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(self._directory.glob("*.json"))
        ]
        return {post["host"]: post for post in posts}

    def read_all(self, hosts: Sequence[str], grace_s: float) -> dict[str, Observation]:
        """The same, after waiting a moment for the others: with few forks they come later."""
        deadline = time.monotonic() + grace_s
        while True:
            posts = self.read()
            if set(hosts) <= set(posts) or time.monotonic() >= deadline:
                return posts
            time.sleep(0.05)
