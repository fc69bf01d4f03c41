# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of vrrp_listen: the gateways of a plan become what is expected."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils.planned_gateways import PlannedGateway, planned_gateways

MODULE = "vlangate.vrrp.vrrp_listen"


class ActionModule(ActionBase):
    """Without a plan there is nothing to do here."""

    _supports_async = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Listen on the host."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        plan, groups = args.pop("plan", None), args.pop("groups", None)
        if plan is not None:
            for name in ("expected", "on_link"):
                if name in args:
                    raise AnsibleActionFail("plan says what is expected: leave out %s" % name)
            args["expected"] = [_expected(each) for each in _chosen(plan, groups)]
            args["on_link"] = groups is None
        elif groups is not None:
            raise AnsibleActionFail("groups are those of a plan: give that, too")
        return self._execute_module(
            MODULE, args, task_vars=task_vars, wrap_async=bool(self._task.async_val)
        )


def _chosen(plan: str, groups: t.Any) -> list[PlannedGateway]:
    gateways = planned_gateways(plan)
    if groups is None:
        return gateways
    names = [groups] if isinstance(groups, str) else list(groups)
    unknown = sorted(set(names) - {each.name for each in gateways})
    if unknown:
        raise AnsibleActionFail(
            "groups: the plan has no %s; name one of: %s"
            % (", ".join(unknown), ", ".join(each.name for each in gateways))
        )
    return [each for each in gateways if each.name in names]


def _expected(gateway: PlannedGateway) -> dict[str, t.Any]:
    return {
        "vrid": gateway.vrid,
        "family": gateway.family,
        "addresses": gateway.addresses,
        "routers": gateway.routers,
    }
