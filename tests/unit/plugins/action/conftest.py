# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions without a connection: _execute_module answers from a list."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


@pytest.fixture
def action_for(monkeypatch):
    """Make an action for arguments; its modules answer with `results` and note what they got."""

    def make(plugin, args, results=(), uuid="task"):
        task = SimpleNamespace(args=args, _uuid=uuid, async_val=0, check_mode=False, diff=False)
        action = object.__new__(plugin.ActionModule)
        action._task = task
        action.calls = []
        answers = list(results)

        def execute(name, module_args, task_vars=None):
            action.calls.append((name, dict(module_args)))
            return answers.pop(0)

        monkeypatch.setattr(plugin.ActionBase, "run", lambda self, tmp=None, task_vars=None: {})
        action._execute_module = execute
        return action

    return make
