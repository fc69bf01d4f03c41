# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory is given back some seconds after the start and then once a minute."""

from vrrp.daemon.memory import SpareMemory, trimmer
from vrrp.units import NS_PER_S


def test_it_is_given_back_when_the_start_is_over_and_then_each_minute():
    calls = []
    spare = SpareMemory(5 * NS_PER_S, calls.append)
    assert spare.deadline_ns() == 7 * NS_PER_S
    spare.tick(7 * NS_PER_S - 1)
    assert calls == []
    spare.tick(8 * NS_PER_S)
    assert calls == [0]
    assert spare.deadline_ns() == 68 * NS_PER_S
    spare.tick(9 * NS_PER_S)
    assert calls == [0]
    spare.tick(68 * NS_PER_S)
    assert calls == [0, 0]


def test_a_c_library_that_cannot_is_not_asked():
    spare = SpareMemory(0, None)
    assert spare.deadline_ns() is None
    spare.tick(10**12)


def test_what_this_host_has_can_be_called():
    trim = trimmer()
    assert trim is None or trim(0) in (0, 1)
