# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router's half of vrrp_handover: drain, and stay until somebody else has the role.

The daemon answers a drain at once and hands over in the time after it, so we look on until each
role is given away, taken back because nobody wanted it, or the time is up.
"""

from __future__ import annotations

import time
import typing as t

from .vrrp.control.client import ControlClient
from .vrrp.errors import ControlError
from .vrrp_module import RUNTIME_DIR

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

ANSWER_S = 5.0
#: Seconds between two looks: a hand-over takes a millisecond or two where the network is well.
POLL_S = 0.05

REMEDY = (
    "bring another router of the group back to life, or use force=true to give the role up, "
    "with which the virtual addresses have nobody"
)

Router = t.Dict[str, t.Any]


class HandoverFailed(Exception):
    """Not every role was given away. lines: a sentence for each; facts: what is so now."""

    def __init__(self, lines: t.Sequence[str], facts: t.Dict[str, t.Any]) -> None:
        super().__init__("\n".join(lines))
        self.facts = facts


def argument_spec() -> t.Dict[str, t.Any]:
    """The options of vrrp_handover."""
    return {
        "state": {"type": "str", "choices": ["drained", "undrained"], "default": "drained"},
        "names": {"type": "list", "elements": "str"},
        "force": {"type": "bool", "default": False},
        "timeout": {"type": "float", "default": 15},
        "scope": {"type": "str", "choices": ["router", "group"], "default": "router"},
        "groups": {"type": "list", "elements": "dict"},
        "plan": {"type": "path"},
        "hosts": {"type": "list", "elements": "str"},
        "routers": {"type": "list", "elements": "str"},
        "runtime_dir": {"type": "path", "default": RUNTIME_DIR},
    }


class Handover:
    """One run of vrrp_handover."""

    def __init__(self, module: AnsibleModule) -> None:
        self.params: t.Dict[str, t.Any] = module.params
        self.check_mode: bool = module.check_mode
        self.drains: bool = self.params["state"] == "drained"

    def run(self) -> t.Dict[str, t.Any]:
        """Drain or undrain; the facts to return. Raises ControlError and HandoverFailed."""
        started_s = time.monotonic()
        shown = self._ask("show.routers")
        before = self._meant(shown)
        changed = self._is_change(shown, before)
        facts = {
            "changed": changed,
            "changes": [self._told(router) for router in before if self._moves(router)],
            "diff": {
                "before": _lines(before, None),
                "after": _lines(before, self.drains),
            },
        }
        after = before
        if changed and not self.check_mode:
            self._ask("do.drain" if self.drains else "do.undrain", **self._request())
        if not self.check_mode and (changed or not self.params["force"]):
            names = {router["name"] for router in before}
            after, unmet = self._wait(names, started_s + self.params["timeout"])
            facts["seconds"] = round(time.monotonic() - started_s, 3)
            if unmet:
                facts["unmet"] = unmet
                raise HandoverFailed(unmet, {**facts, "groups": _groups(before, after)})
        return {**facts, "groups": _groups(before, after)}

    def _request(self) -> t.Dict[str, t.Any]:
        names = self.params["names"]
        request: t.Dict[str, t.Any] = {"all": True} if names is None else {"names": names}
        if self.drains and self.params["force"]:
            request["force"] = True
        return request

    def _ask(self, method: str, **params: t.Any) -> t.Dict[str, t.Any]:
        with ControlClient.in_directory(self.params["runtime_dir"], ANSWER_S) as client:
            return client.call(method, **params)

    def _meant(self, shown: t.Mapping[str, t.Any]) -> t.List[Router]:
        """The virtual routers that are named, with their whole sync groups; all without names."""
        routers: t.List[Router] = shown["routers"]
        names = self.params["names"]
        if names is None:
            return routers
        known = {router["name"] for router in routers}
        unknown = [name for name in names if name not in known]
        if unknown:
            message = "no virtual router %s here; there are: %s"
            words = (", ".join(sorted(unknown)), ", ".join(sorted(known)) or "none")
            raise ControlError("unknown-name", message % words)
        groups = {router["sync_group"] for router in routers if router["name"] in names} - {None}
        return [each for each in routers if each["name"] in names or each["sync_group"] in groups]

    def _is_change(self, shown: t.Mapping[str, t.Any], meant: t.Sequence[Router]) -> bool:
        """Whether there is something to ask for. The whole router is more than all of its parts:
        it includes what will be configured later."""
        if any(self._moves(router) for router in meant):
            return True
        return self.params["names"] is None and shown["engine"]["drained_all"] is not self.drains

    def _moves(self, router: Router) -> bool:
        """Whether it is not as asked. Drained and yet master it was the last resort; perhaps there
        is somebody now. Forced, that is what was asked for."""
        if router["owner"]:
            return False
        if self.drains and router["drained"] and not self.params["force"]:
            return bool(router["state"] == "master")
        return router["drained"] is not self.drains

    def _told(self, router: Router) -> str:
        """What a change means for one virtual router."""
        if not self.drains:
            text = "takes part again with priority %d" % router["priority"]
            delay_s = router["preempt_delay_cs"] / 100
            return "%s: %s, after a preempt delay of %g s" % (router["name"], text, delay_s)
        if router["state"] == "master":
            return "%s: gives its role as master away" % router["name"]
        return "%s: stays %s, and is master only if nobody else is" % (
            router["name"],
            router["state"],
        )

    def _wait(
        self, names: t.Collection[str], deadline_s: float
    ) -> t.Tuple[t.List[Router], t.List[str]]:
        """What is seen when all is settled or the time is up, and what is wrong then."""
        while True:
            shown = self._ask("show.routers")["routers"]
            routers = [router for router in shown if router["name"] in names]
            is_late = time.monotonic() >= deadline_s
            if is_late or not any(self._is_under_way(router) for router in routers):
                unmet = [self._complaint(router) for router in routers]
                return routers, [sentence for sentence in unmet if sentence is not None]
            time.sleep(POLL_S)

    def _is_under_way(self, router: Router) -> bool:
        """Whether time can still change the answer."""
        if not self.drains:
            return bool(router["drained"])
        if not router["drained"]:
            return False  # it was refused, or it is an address owner
        if router["leaving"] or router["state"] == "master":
            return True
        return self._misses_master(router)

    def _misses_master(self, router: Router) -> bool:
        """A backup that hears no master; forced, there need not be one."""
        is_silent = router["state"] == "backup" and not router["master_address"]
        return is_silent and not self.params["force"]

    def _complaint(self, router: Router) -> t.Optional[str]:
        """What is not as asked, with what to do; None when it is as asked."""
        name = router["name"]
        if not self.drains:
            text = "%s: is still drained; vlangate why %s tells the reason" % (name, name)
            return text if router["drained"] else None
        if router["owner"]:
            if router["state"] != "master":
                return None
            text = "%s: owns its addresses (priority 255), so it stays master: stop the daemon"
            return text % name
        if not router["drained"]:
            text = "%s: no healthy router took over, so this one is master again: %s"
            return text % (name, REMEDY)
        if router["state"] == "master" or router["leaving"]:
            text = "%s: is drained but still %s after %g s: %s"
            word = "leaving" if router["leaving"] else "master"
            return text % (name, word, self.params["timeout"], REMEDY)
        if self._misses_master(router):
            text = "%s: has given its role away, but hears no master after %g s: %s"
            return text % (name, self.params["timeout"], REMEDY)
        return None


def _lines(routers: t.Sequence[Router], drained: t.Optional[bool]) -> str:
    """One side of the diff; drained: what all of them are then, None: what each is now."""
    lines = []
    for router in routers:
        is_drained = router["drained"] if drained is None or router["owner"] else drained
        lines.append("%s: %s\n" % (router["name"], "drained" if is_drained else "not drained"))
    return "".join(lines)


def _groups(before: t.Sequence[Router], after: t.Sequence[Router]) -> t.List[t.Dict[str, t.Any]]:
    """Each virtual router before and after."""
    states = {router["name"]: router["state"] for router in before}
    return [
        {
            "name": router["name"],
            "previous": states[router["name"]],
            "current": router["state"],
            "drained": router["drained"],
            "master_address": router["master_address"],
        }
        for router in after
    ]
