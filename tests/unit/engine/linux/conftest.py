# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts engine_kit, what these tests are built from, within reach."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
