# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of vrrp_probe: the gateways of a plan become what is expected."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils.planned_gateways import planned_gateways

MODULE = "vlangate.vrrp.vrrp_probe"


class ActionModule(ActionBase):
    """Without a plan there is nothing to do here."""

    _supports_async = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Ask on the host."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        plan = args.pop("plan", None)
        if plan is not None:
            for name in ("gateway", "expected"):
                if name in args:
                    raise AnsibleActionFail("plan has the gateways: leave out %s" % name)
            args["expected"] = [
                {"address": vip, "virtual_mac": gateway.virtual_mac, "name": gateway.name}
                for gateway in planned_gateways(plan)
                for vip in gateway.addresses
            ]
        return self._execute_module(
            MODULE, args, task_vars=task_vars, wrap_async=bool(self._task.async_val)
        )
