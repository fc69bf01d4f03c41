# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts broken_engines within reach, here and in the processes that the tests start."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
