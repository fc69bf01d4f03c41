# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that change a running daemon: hand over, reload, confirm, roll back. Layer L5.

Each returns whether it came about, and says in one sentence for each virtual router what did.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import time
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Set

from ..control.client import ControlClient
from .output import say

# The longest Skew_Time (intervals of 40 s) and a little: nobody leaves for longer.
LONGEST_LEAVE_S = 45
_LOOK_S = 0.05
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_MAXIMUM_S = 86_400

Router = Dict[str, Any]


def seconds(text: str) -> int:
    """An argument such as 90, 90s, 10m or 1h."""
    match = re.match(r"([0-9]{1,6})([smh]?)\Z", text)
    value = int(match.group(1)) * _SECONDS[match.group(2)] if match else 0
    if not 1 <= value <= _MAXIMUM_S:
        raise argparse.ArgumentTypeError("write 1s to 24h: 90s, say, or 10m")
    return value


# Drained virtual routers


def handover(client: ControlClient, names: Sequence[str], force: bool) -> bool:
    """Drain these, or all without names, and wait until the roles are given away."""
    before = _routers(client)
    params: Dict[str, Any] = {"names": list(names)} if names else {"all": True}
    answer = client.call("do.drain", force=force, **params)
    drained: Set[str] = set(answer["drained"])
    # Sync groups bring others along.
    moved = {name for name in drained if name not in before or not before[name]["drained"]}
    meant = (set(names) | moved | set(answer["leaving"])) if names else drained
    end_s = time.monotonic() + LONGEST_LEAVE_S
    while True:
        after = _routers(client)
        if time.monotonic() >= end_s or not any(
            router["leaving"] for name, router in after.items() if name in meant
        ):
            break
        time.sleep(_LOOK_S)
    if not meant:
        say("there is nothing to hand over")
    came_about = True
    for name in sorted(meant):
        is_good, sentence = _outcome(before.get(name), after.get(name))
        say("%s: %s" % (name, sentence))
        came_about = came_about and is_good
    for name, router in sorted(after.items()):
        if not names and router["owner"]:
            say("%s: owns its addresses, so it cannot hand them over" % name)
            came_about = came_about and router["state"] != "master"
    return came_about


def _outcome(before: Any, after: Any) -> Any:
    """Whether a drain came about, and a sentence."""
    if after is None:
        return True, "is no longer configured"
    if not after["drained"]:
        told = [each["sentence"] for each in after["occurrences"] if each["kind"] == "drain"]
        return False, told[-1] if told else "is not drained"
    if after["leaving"]:
        return False, "is still leaving after %d s" % LONGEST_LEAVE_S
    if after["state"] == "master":
        return False, "is drained, but master, because nobody else is"
    if before is None or before["state"] != "master":
        return True, "is drained, and %s as before" % after["state"]
    if not after["master_address"]:
        return True, "has given its role away, and nobody is heard who has it"
    successor = after["master_address"], after["master_priority"]
    return True, "has handed over to %s with priority %s" % successor


def undrain(client: ControlClient, names: Sequence[str]) -> bool:
    """Let these, or all without names, take part again."""
    before = _drained(_routers(client).values())
    answer = client.call("do.undrain", **({"names": list(names)} if names else {"all": True}))
    freed = sorted(before.difference(answer["drained"]))
    for name in freed:
        say("%s: is no longer drained" % name)
    for name in sorted(set(names).difference(freed)):
        say("%s: was not drained" % name)
    if not names and not freed:
        say("nobody was drained")
    return True


def _routers(client: ControlClient) -> Dict[str, Router]:
    return {router["name"]: router for router in client.call("show.routers")["routers"]}


def _drained(routers: Iterable[Router]) -> Set[str]:
    return {router["name"] for router in routers if router["drained"]}


# Configurations


def print_reload(answer: Mapping[str, Any]) -> None:
    """What do.reload or do.rollback did."""
    say("\n".join(change_lines(answer["changes"]) or ["nothing changed"]))
    probation = answer["probation"]
    if probation is not None:
        say(
            "on probation: unless `vlangate confirm` comes within %d s, the configuration before "
            "comes back" % probation["confirm_within_s"]
        )


def change_lines(changes: Iterable[Mapping[str, Any]]) -> List[str]:
    """A line for each change, and one for what it costs."""
    lines = []
    for change in changes:
        fields = ": " + ", ".join(change["fields"]) if change["fields"] else ""
        hitless = "" if change["hitless"] else " (not hitless)"
        lines.append("%s %s%s%s" % (change["kind"], change["name"], fields, hitless))
        lines.append("    " + change["cost"])
    return lines


def force_to_disk(directory: str) -> None:
    """The daemon cannot wait for a disk, we can: after a power cut now, it knows of the probation.

    What fails here is no failure: renaming has already told every start but that one.
    """
    with contextlib.suppress(OSError):
        for path in (os.path.join(directory, "probation.json"), directory):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
