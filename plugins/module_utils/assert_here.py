# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router's half of vrrp_assert: look at the daemon until every statement is true."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .expectation import Expectation, Router, complaints, meant, observed
from .vrrp.control.client import ControlClient
from .vrrp.errors import ControlError
from .vrrp_module import RUNTIME_DIR
from .who_answers import Question, who_answers

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

ANSWER_S = 5.0
#: How many times the length of an answer passes before the next question.
PATIENCE = 4
LONGEST_PAUSE_S = 1.0
#: Seconds that a virtual address may take to answer before it is asked again.
ASK_S = 1.0


def argument_spec() -> t.Dict[str, t.Any]:
    """The options of vrrp_assert."""
    statement: t.Dict[str, t.Any] = {
        "name": {"type": "str"},
        "interface": {"type": "str"},
        "family": {"type": "str", "choices": ["ipv4", "ipv6"]},
        "vrid": {"type": "int"},
        "state": {"type": "str", "choices": ["initialize", "backup", "master", "active"]},
    }
    return {
        "scope": {"type": "str", "choices": ["router", "group"], "default": "router"},
        **statement,
        "stable_for": {"type": "int", "default": 0},
        "probe": {"type": "bool"},
        "expect": {"type": "list", "elements": "dict", "options": statement},
        "groups": {"type": "list", "elements": "dict"},
        "plan": {"type": "path"},
        "anyone": {"type": "bool", "default": False},
        "hosts": {"type": "list", "elements": "str"},
        "timeout": {"type": "float", "default": 10},
        "poll": {"type": "float", "default": 0.2},
        "runtime_dir": {"type": "path", "default": RUNTIME_DIR},
    }


def run(module: AnsibleModule) -> None:
    """Wait, then end the module."""
    stable_for = module.params["stable_for"]
    if stable_for < 0:
        module.fail_json(msg="stable_for is %d: give a number of intervals" % stable_for)
    expectations = stated(module.params)
    if not expectations:
        module.fail_json(msg="state what is expected: name (or interface, family, vrid), or expect")
    look = wait(expectations, module.params)
    facts = {"observed": observed(look.routers), "answers": look.answers}
    if look.unmet:
        module.fail_json(msg="\n".join(look.unmet), unmet=look.unmet, **facts)
    module.exit_json(changed=False, **facts)


def stated(params: t.Mapping[str, t.Any]) -> t.List[Expectation]:
    """The expectations in the options."""
    entries = list(params["expect"] or [])
    if any(params[key] is not None for key in ("name", "interface", "family", "vrid")):
        entries.append(params)
    stable_for = params["stable_for"]
    return [Expectation.of({**entry, "stable_for": stable_for}) for entry in entries]


@dataclass
class Look:
    """The virtual routers, who answered for their addresses, and what is not as stated."""

    routers: t.List[Router] = field(default_factory=list)
    answers: t.List[t.Dict[str, t.Any]] = field(default_factory=list)
    unmet: t.List[str] = field(default_factory=list)


def wait(expectations: t.Sequence[Expectation], params: t.Mapping[str, t.Any]) -> Look:
    """What was seen last; with complaints when they were left after the timeout."""
    deadline = time.monotonic() + params["timeout"]
    while True:
        asked = time.monotonic()
        look = Look()
        try:
            with ControlClient.in_directory(params["runtime_dir"], ANSWER_S) as client:
                look.routers = client.call("show.routers")["routers"]
            look.unmet = complaints(expectations, look.routers)
        except ControlError as error:
            look.unmet = ["the engine does not answer: %s" % error.message]
        now = time.monotonic()
        if not look.unmet and params["probe"]:
            probe(expectations, look)
        if not look.unmet or now >= deadline:
            return look
        # A daemon with many virtual routers has other things to do than to answer us.
        pause_s = max(params["poll"], min(PATIENCE * (now - asked), LONGEST_PAUSE_S))
        time.sleep(max(min(pause_s, deadline - time.monotonic()), 0))


def probe(expectations: t.Sequence[Expectation], look: Look) -> None:
    """Ask on the LAN for the addresses of those that are backup here: what a host would be told.

    A master cannot ask for its own."""
    named = {router["name"]: router for router in meant(expectations, look.routers)}
    asked = {
        Question(router["interface"], address, router["primary_address"]): router
        for router in named.values()
        if router["state"] == "backup"
        for address in router["addresses"]
    }
    try:
        heard = who_answers(list(asked), ASK_S)
    except OSError as error:
        look.unmet.append("the virtual addresses cannot be asked for: %s" % error)
        return
    for question, router in asked.items():
        macs = sorted(heard[question])
        look.answers.append({"name": router["name"], "address": question.address, "macs": macs})
        if macs != [router["virtual_mac"]]:
            told = (router["name"], question.address, ", ".join(macs) or "nobody")
            text = "%s: %s is answered for by %s" % told
            look.unmet.append("%s, expected the virtual MAC %s" % (text, router["virtual_mac"]))
