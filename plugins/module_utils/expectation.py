# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a router is expected to be, compared with what it is: the judgement of vrrp_assert.

Pure, so that controller and router can use it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

NS_PER_S = 1000000000
NS_PER_CS = NS_PER_S // 100

#: What vrrp_assert returns of a virtual router.
OBSERVED = (
    "name",
    "interface",
    "family",
    "vrid",
    "state",
    "state_age_ns",
    "waiting",
    "addresses",
    "virtual_mac",
    "effective_priority",
    "primary_address",
    "master_address",
    "master_priority",
)

Router = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Expectation:
    """Which virtual router is meant, and its state; without one: backup, or a settled master.

    A master is settled when it is older than one master down interval: by then it has heard
    every router that is connected and would be preferred (RFC 9568 section 6.4.3).

    stable_for: for so many advertisement intervals it has kept its state, and heard no master but
    the one it names.
    """

    name: t.Optional[str] = None
    interface: t.Optional[str] = None
    family: t.Optional[str] = None
    vrid: t.Optional[int] = None
    state: t.Optional[str] = None
    stable_for: t.Optional[int] = None

    @classmethod
    def of(cls, entry: t.Mapping[str, t.Any]) -> Expectation:
        """From module options; active is RFC 9568's word for master."""
        known = {name: entry.get(name) for name in cls.__dataclass_fields__}
        if known["state"] == "active":
            known["state"] = "master"
        return cls(**known)

    def __str__(self) -> str:
        parts = [
            (self.name, "%s"),
            (self.interface, "interface %s"),
            (self.family, "%s"),
            (self.vrid, "VRID %d"),
        ]
        return " ".join(form % value for value, form in parts if value is not None)

    def means(self, router: Router) -> bool:
        """True when everything that is stated about the identity fits."""
        return all(
            getattr(self, field) in (None, router[field])
            for field in ("name", "interface", "family", "vrid")
        )

    def complaint(self, routers: t.Sequence[Router]) -> t.Optional[str]:
        """What is seen instead, in a sentence; None when it is so."""
        found = [router for router in routers if self.means(router)]
        if not found:
            known = ", ".join(router["name"] for router in routers) or "none"
            return "%s: there is no such virtual router here; there are: %s" % (self, known)
        if len(found) > 1:
            names = ", ".join(router["name"] for router in found)
            return "%s: could be any of %s; name one" % (self, names)
        router = found[0]
        if self.state is None:
            if router["state"] != "backup" and not _is_settled(router):
                wanted = "backup or a settled master"
                return "%s: expected %s, but it %s" % (self, wanted, described(router))
        elif router["state"] != self.state:
            return "%s: expected %s, but it %s" % (self, self.state, described(router))
        unrest = _unrest(router, self.stable_for or 0)
        return "%s: %s" % (self, unrest) if unrest else None


def complaints(expectations: t.Sequence[Expectation], routers: t.Sequence[Router]) -> t.List[str]:
    """What is not as expected, a sentence each. The time it takes grows with the sum, not the
    product: a name is looked up."""
    named: t.Dict[str, t.List[Router]] = {}
    for router in routers:
        named.setdefault(router["name"], []).append(router)
    found = [each.complaint(named.get(each.name or "", routers)) for each in expectations]
    return [sentence for sentence in found if sentence is not None]


def meant(expectations: t.Sequence[Expectation], routers: t.Sequence[Router]) -> t.List[Router]:
    """The virtual routers that anything is stated about, each once."""
    names = {each.name for each in expectations}
    others = [each for each in expectations if each.name is None]
    return [
        router
        for router in routers
        if router["name"] in names or any(each.means(router) for each in others)
    ]


def described(router: Router) -> str:
    """The state of a virtual router with what explains it, as the end of a sentence."""
    state = router["state"]
    text = "is %s" % state
    if state == "initialize":
        return "%s: %s" % (text, router["waiting"] or "just started")
    text += " for %.1f s" % (router["state_age_ns"] / NS_PER_S)
    if state == "backup" and router["master_address"]:
        text += " and hears master %s with priority %s" % (
            router["master_address"],
            router["master_priority"],
        )
    return text


def observed(routers: t.Sequence[Router]) -> t.List[t.Dict[str, t.Any]]:
    """The fields worth returning, of each virtual router."""
    return [{name: router[name] for name in OBSERVED} for router in routers]


def _unrest(router: Router, intervals: int) -> t.Optional[str]:
    """Why it has not been stable for so many intervals, in words; None when it has.

    One look is enough: the daemon remembers when it took its state, and when it heard whom.
    """
    if intervals == 0:
        return None
    learned_cs = router["master_adver_interval_cs"] or router["advertisement_interval_cs"]
    wanted_ns = intervals * learned_cs * NS_PER_CS
    wanted = "%d intervals (%g s)" % (intervals, wanted_ns / NS_PER_S)
    if (router["state_age_ns"] or 0) < wanted_ns:
        return "it %s, which is less than %s" % (described(router), wanted)
    others = [
        "%s %.1f s ago" % (peer["address"], peer["last_heard_age_ns"] / NS_PER_S)
        for peer in router["peers"]
        if peer["last_heard_age_ns"] < wanted_ns
        and (router["state"] == "master" or peer["address"] != router["master_address"])
    ]
    if others:
        told = (described(router), ", ".join(others), wanted)
        return "it %s, but heard %s: there was more than one master within %s" % told
    return None


def _is_settled(router: Router) -> bool:
    if router["state"] != "master":
        return False
    settled: bool = router["state_age_ns"] >= (router["master_down_interval_ns"] or 0)
    return settled
