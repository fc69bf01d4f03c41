# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for get-pip.py in ansible-test's cache: pip comes from the interpreter's ensurepip."""

from __future__ import annotations

import subprocess
import sys

# Packages that ansible-test names for old interpreters only; ensurepip brings what is needed.
UNWANTED = ("--no-setuptools", "--no-wheel")


def main() -> int:
    """Make pip appear, then let it install what was asked for."""
    subprocess.check_call(
        [sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL
    )
    wanted = [argument for argument in sys.argv[1:] if argument not in UNWANTED]
    return subprocess.call([sys.executable, "-m", "pip", "install", *wanted])


if __name__ == "__main__":
    sys.exit(main())
