# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With keepalived and FRR on one LAN: who is master, and every way to hand the role over.

This is what `make test` plays of the matrix; test_matrix.py has the rest.
"""

from __future__ import annotations

import pytest

from tests.interop.scenarios import PLAYS, is_representative


@pytest.mark.parametrize(
    "cell, scenario",
    [pytest.param(*p, id="%s-%s" % (p[0].name, p[1].name)) for p in PLAYS if is_representative(*p)],
)
def test_hand_over(play, cell, scenario):
    play(cell, scenario)
