# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last few of many, in their order."""

import sys
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from vrrp.router.latest import Latest


@given(st.lists(st.one_of(st.integers(), st.lists(st.integers()))))
def test_it_keeps_what_a_deque_would_keep(story):
    ours, reference = Latest(4), deque(maxlen=4)
    for each in story:
        for kept in (ours, reference):
            if isinstance(each, list):
                kept.extend(each)
            else:
                kept.append(each)
        assert list(ours) == list(reference)


def test_it_is_small_while_there_is_little_in_it():
    assert sys.getsizeof(Latest(20)) < sys.getsizeof(deque(maxlen=20)) / 4
