# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router's half of vrrp_assert: look at the daemon until every statement is true."""

from __future__ import annotations

import time
import typing as t

from .expectation import Expectation, complaints, observed
from .vrrp.control.client import ControlClient
from .vrrp.errors import ControlError
from .vrrp_module import RUNTIME_DIR

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

ANSWER_S = 5.0
#: How many times the length of an answer passes before the next question.
PATIENCE = 4
LONGEST_PAUSE_S = 1.0


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
        "expect": {"type": "list", "elements": "dict", "options": statement},
        "groups": {"type": "list", "elements": "dict"},
        "plan": {"type": "path"},
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
    routers, unmet = wait(expectations, module.params)
    if unmet:
        module.fail_json(msg="\n".join(unmet), unmet=unmet, observed=observed(routers))
    module.exit_json(changed=False, observed=observed(routers))


def stated(params: t.Mapping[str, t.Any]) -> t.List[Expectation]:
    """The expectations in the options."""
    entries = list(params["expect"] or [])
    if any(params[key] is not None for key in ("name", "interface", "family", "vrid")):
        entries.append(params)
    stable_for = params["stable_for"]
    return [Expectation.of({**entry, "stable_for": stable_for}) for entry in entries]


def wait(
    expectations: t.Sequence[Expectation], params: t.Mapping[str, t.Any]
) -> t.Tuple[t.List[t.Dict[str, t.Any]], t.List[str]]:
    """The virtual routers as seen last, and the complaints that were left after the timeout."""
    deadline = time.monotonic() + params["timeout"]
    while True:
        asked = time.monotonic()
        try:
            with ControlClient.in_directory(params["runtime_dir"], ANSWER_S) as client:
                routers = client.call("show.routers")["routers"]
            unmet = complaints(expectations, routers)
        except ControlError as error:
            routers = []
            unmet = ["the engine does not answer: %s" % error.message]
        now = time.monotonic()
        if not unmet or now >= deadline:
            return routers, unmet
        # A daemon with many virtual routers has other things to do than to answer us.
        pause_s = max(params["poll"], min(PATIENCE * (now - asked), LONGEST_PAUSE_S))
        time.sleep(min(pause_s, deadline - now))
