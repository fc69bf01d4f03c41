# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renewals in a thread: the loop never waits for them, and nothing is renewed after cancel()."""

import errno
import threading

import pytest

from vrrp.errors import PlatformError
from vrrp.facts import InterfaceAddress
from vrrp.linux import renewer
from vrrp.linux.netlink import Outcome

ONE = ("vg-one", InterfaceAddress(bytes((192, 0, 2, 1)), 32))
TWO = ("vg-two", InterfaceAddress(bytes((192, 0, 2, 2)), 32))
PATIENCE_S = 60


class Kernel:
    """Answers when it is let."""

    def __init__(self):
        self.sent = []
        self.outcome = Outcome(0, "")
        self.asked = threading.Semaphore(0)
        self.lock = threading.Semaphore(0)

    def transact(self, requests):
        self.asked.release()
        assert self.lock.acquire(timeout=PATIENCE_S)
        self.sent += requests
        if isinstance(self.outcome, PlatformError):
            raise self.outcome
        return [self.outcome] * len(requests)

    def close(self):
        self.asked.release()


@pytest.fixture
def kernel(monkeypatch):
    made = Kernel()
    monkeypatch.setattr(renewer, "NetlinkSocket", lambda _protocol: made)
    return made


@pytest.fixture
def renewing(kernel):
    made = renewer.Renewer()
    yield made
    for _each in range(100):
        kernel.lock.release()
    made.close()


def answer(kernel):
    """The kernel gets around to what it was asked."""
    assert kernel.asked.acquire(timeout=PATIENCE_S)
    kernel.lock.release()


def test_a_kernel_that_is_busy_keeps_nobody_waiting(kernel, renewing):
    renewing.submit({ONE: b"first"})
    assert kernel.asked.acquire(timeout=PATIENCE_S)
    renewing.submit({ONE: b"second"})
    renewing.submit({ONE: b"third", TWO: b"other"})
    assert kernel.sent == [], "and we are here"
    kernel.lock.release()
    answer(kernel)
    renewing.cancel()
    assert kernel.sent == [b"first", b"third", b"other"], "of each the newest one"


def test_after_cancel_nothing_is_renewed(kernel, renewing):
    renewing.submit({ONE: b"under way"})
    assert kernel.asked.acquire(timeout=PATIENCE_S)
    renewing.submit({TWO: b"waiting"})
    cancelled = threading.Thread(target=renewing.cancel)
    cancelled.start()
    cancelled.join(0.05)
    assert cancelled.is_alive(), "one is under way"
    kernel.lock.release()
    cancelled.join(PATIENCE_S)
    assert not cancelled.is_alive()
    assert kernel.sent == [b"under way"]


def test_who_cancels_waits_for_few(kernel, renewing):
    many = {("vg-%d" % number, ONE[1]): b"%d" % number for number in range(1000)}
    renewing.submit(many)
    answer(kernel)
    assert kernel.asked.acquire(timeout=PATIENCE_S)
    kernel.lock.release()
    renewing.cancel()
    assert len(kernel.sent) <= 3 * 32


def test_nothing_to_cancel(renewing):
    renewing.cancel()


def test_refusals_are_told_once(kernel, renewing):
    kernel.outcome = Outcome(errno.ENODEV, "gone")
    renewing.submit({ONE: b"request"})
    answer(kernel)
    renewing.cancel()
    assert renewing.refused() == [(ONE, kernel.outcome)]
    assert renewing.refused() == []


def test_a_socket_that_fails_is_a_refusal_of_all(kernel, renewing):
    kernel.outcome = PlatformError("send", "netlink requests", errno.ENOBUFS)
    renewing.submit({ONE: b"request", TWO: b"other"})
    answer(kernel)
    renewing.cancel()
    assert [(key, each.errno) for key, each in renewing.refused()] == [
        (ONE, errno.ENOBUFS),
        (TWO, errno.ENOBUFS),
    ]


def test_it_ends(kernel):
    renewing = renewer.Renewer()
    renewing.submit({ONE: b"request"})
    answer(kernel)
    renewing.close()
    assert not [each for each in threading.enumerate() if each.name == "renewer"]
    renewer.Renewer().close()
