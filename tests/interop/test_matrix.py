# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rest of the matrix, which `make interop` plays."""

from __future__ import annotations

import pytest

from tests.interop.scenarios import PLAYS, is_representative

REST = [play for play in PLAYS if not is_representative(*play)]


@pytest.mark.parametrize(
    "cell, scenario", [pytest.param(*p, id="%s-%s" % (p[0].name, p[1].name)) for p in REST]
)
def test_outcome(play, cell, scenario):
    play(cell, scenario)
