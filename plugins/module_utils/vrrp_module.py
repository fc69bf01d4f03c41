# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of this collection shares: paths, errors, files. The one meeting point of
AnsibleModule and the engine.
"""

from __future__ import annotations

import os
import tempfile
import typing as t

from .vrrp.errors import ConfigError, ControlError, VrrpError

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

DIRECTORY = "/usr/lib/vlangate"
CONFIG_FILE = "/etc/vlangate/config.json"
RUNTIME_DIR = "/run/vlangate"
PYTHON = "/usr/bin/python3"


def fail_with(module: AnsibleModule, error: VrrpError, **facts: t.Any) -> t.NoReturn:
    """End the module with an error of the engine; every problem of a ConfigError is listed."""
    if isinstance(error, ConfigError):
        facts["problems"] = [vars(problem) for problem in error.problems]
    if isinstance(error, ControlError):
        facts["code"] = error.code
    module.fail_json(msg=str(error), **facts)
    raise AssertionError("fail_json returned")


def read_text(path: str) -> t.Optional[str]:
    """The content of a file; None when there is none."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def write_text(module: AnsibleModule, path: str, text: str, mode: int) -> None:
    """Replace a file atomically, with its directory made and its owner root."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=module.tmpdir)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.chmod(temporary, mode)
    module.atomic_move(temporary, path)
    os.chmod(path, mode)
