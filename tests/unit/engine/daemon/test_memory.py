# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory is given back some seconds after the start and then once a minute."""

import gc
import resource
import weakref

import pytest

from vrrp.daemon import memory
from vrrp.daemon.memory import MemoryLock, SpareMemory, trimmer
from vrrp.units import NS_PER_S


@pytest.fixture(name="unfrozen")
def the_collector_of_the_tests():
    """Afterwards as it was; and not in the middle of a test."""
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


def test_it_is_given_back_when_the_start_is_over_and_then_each_minute(unfrozen):
    calls = []
    spare = SpareMemory(5 * NS_PER_S, calls.append, MemoryLock())
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


def test_a_c_library_that_cannot_is_not_asked(unfrozen):
    spare = SpareMemory(0, None, MemoryLock())
    spare.tick(10**12)
    assert spare.deadline_ns() == 10**12 + 60 * NS_PER_S


class Ring:
    def __init__(self):
        self.itself = self


def test_rings_are_collected_then_too(unfrozen):
    spare = SpareMemory(0, None, MemoryLock())
    for now_ns in (10**12, 2 * 10**12):
        ring = weakref.ref(Ring())
        assert ring() is not None
        spare.tick(now_ns)
        assert ring() is None


def test_what_the_start_made_is_not_looked_at_again(unfrozen):
    spare = SpareMemory(0, None, MemoryLock())
    spare.tick(10**12)
    frozen = gc.get_freeze_count()
    assert frozen > 0
    kept = Ring()
    spare.tick(2 * 10**12)
    assert gc.get_freeze_count() <= frozen
    assert kept.itself is kept


class Calls(list):
    """libc: which of its functions were called, with what."""

    def __getattr__(self, name):
        return lambda *words: self.append((name, *words))


@pytest.mark.parametrize("limit", (0, 8 << 20, resource.RLIM_INFINITY))
def test_memory_is_locked_when_it_has_been_given_back_where_there_is_no_limit(
    unfrozen, monkeypatch, limit
):
    libc = Calls()
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _name: libc)
    monkeypatch.setattr(memory.resource, "getrlimit", lambda _which: (limit, limit))
    SpareMemory(0, libc.malloc_trim, MemoryLock()).tick(10**12)
    locked = [("munlockall",), ("malloc_trim", 0), ("mlockall", 7)]
    assert libc == (locked if limit == resource.RLIM_INFINITY else locked[1:2])


def test_what_this_host_has_can_be_called():
    trim = trimmer()
    assert trim is None or trim(0) in (0, 1)
