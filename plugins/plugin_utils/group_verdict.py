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


@dataclass(frozen=True)
class Group:
    """A gateway group: the name of its virtual routers, who should be master, who takes part."""

    name: str
    master: str | None
    hosts: tuple[str, ...]

    def expectation(self, host: str) -> dict[str, t.Any]:
        """What this host's router can be held to by itself."""
        if self.master is None:
            return {"name": self.name}
        return {"name": self.name, "state": "master" if host == self.master else "backup"}

    def verdict(self, seen: Mapping[str, Observation]) -> str | None:
        """What is wrong as far as is seen, with what was seen instead; None when nothing is."""
        states = {host: self._state(seen[host]) for host in self.hosts if host in seen}
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
        told = ["%s %s" % (host, self._told(seen[host])) for host in states]
        return "%s: expected %s; seen: %s" % (self.name, wanted, ", ".join(told))

    def _router(self, observation: Observation) -> Mapping[str, t.Any] | None:
        for router in observation.get("routers", ()):
            if router["name"] == self.name:
                return t.cast("Mapping[str, t.Any]", router)
        return None

    def _state(self, observation: Observation) -> str | None:
        router = self._router(observation)
        return None if router is None else t.cast(str, router["state"])

    def _told(self, observation: Observation) -> str:
        router = self._router(observation)
        if router is not None:
            return described(router)
        if "error" in observation:
            return "did not tell: %s" % observation["error"]
        return "has no such virtual router"


def read_groups(entries: t.Any, hosts: Sequence[str]) -> list[Group]:
    """The option groups, each once; ValueError names what is wrong with it.

    The same group is listed by each of its routers in what vrrp_gateways returns.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise ValueError("groups is a list of {name, master, members}, and has at least one")
    groups: dict[str, Group] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            raise ValueError("groups[%d]: name is missing, that of its virtual routers" % number)
        members = entry.get("members") or hosts
        judged = tuple(host for host in hosts if host in members)
        master = entry["master"] if "master" in entry else entry.get("preferred")
        groups[entry["name"]] = Group(entry["name"], master, judged)
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
