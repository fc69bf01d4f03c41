# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A router with hundreds of virtual routers: one is put back as soon as ever, all of them soon, and
looking at them costs next to nothing and holds up no advertisement.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
from address_news import Addresses
from daemons import Daemon
from namespaces import Namespace, connect
from taps import Tap, advertised_priority

from tests.harness import stalls

# VLANGATE_MANY=4 makes 1,000 of them.
LINKS = int(os.environ.get("VLANGATE_MANY", "1"))
PER_LINK = 250
_EVERY_MS = 1000
_SLOT_MS = 20


def document() -> Dict[str, Any]:
    """As many virtual routers as a link has VRIDs, nearly, on each link."""
    routers = []
    for link in range(LINKS):
        for vrid in range(1, PER_LINK + 1):
            routers.append(
                {
                    "name": "g%d-%d" % (link, vrid),
                    "interface": "lan%d" % link,
                    "family": "ipv4",
                    "vrid": vrid,
                    "addresses": [vip(link, vrid)],
                    "advertisement_interval_cs": _EVERY_MS // 10,
                    "accept": True,
                }
            )
    return {"format": 1, "virtual_routers": routers}


def vip(link: int, vrid: int) -> str:
    return "10.%d.1.%d" % (link, vrid)


class Crowd:
    """A router that is master of them all."""

    def __init__(self, router: Namespace, other: Namespace, program: Path, directory: Path) -> None:
        self.router = router
        for link in range(LINKS):
            connect(router, "lan%d" % link, other, "eth%d" % link)
            router.ip("addr", "add", "10.%d.0.252/16" % link, "dev", "lan%d" % link)
        self.tap = Tap(other, "eth0")
        self.daemon = Daemon(router, program, directory, document())
        self.daemon.wait_for(
            lambda shown: all(each["state"] == "master" for each in shown["routers"]), "masters"
        )
        # Announcements after the takeover.
        time.sleep(6)

    def held(self) -> int:
        """How many virtual addresses are there."""
        listed = self.router.ip("-o", "-4", "addr", "show", "up")
        return sum("vg-" in line for line in listed.splitlines())

    def cpu_s(self) -> float:
        """Processor time of the daemon so far."""
        path = Path("/proc/%d/schedstat" % self.daemon.process.pid)
        return int(path.read_text(encoding="ascii").split()[0]) / 1e9

    def lateness_ms(self, since: int) -> float:
        """The longest interval between adverts of one virtual router, beyond a second."""
        last: Dict[bytes, int] = {}
        worst = 0.0
        for at_ns, frame in self.tap.frames()[since:]:
            if advertised_priority(frame) >= 0:
                worst = max(worst, (at_ns - last.get(frame[6:12], at_ns)) / 1e6 - _EVERY_MS)
                last[frame[6:12]] = at_ns
        assert len(last) == PER_LINK
        return worst


@pytest.fixture(name="crowd")
def router_with_many(
    namespace: Callable[[str], Namespace], program: Path, tmp_path: Path
) -> Iterator[Crowd]:
    made = Crowd(namespace("router"), namespace("other"), program, tmp_path)
    yield made
    made.daemon.kill()
    made.tap.close()


def test_among_many(crowd: Crowd) -> None:
    assert crowd.held() == LINKS * PER_LINK
    quiet_s = cost_of_ten_seconds(crowd)
    begun_ns = time.monotonic_ns()
    one_ms = deleted_one(crowd)
    # The command and the thread that looks wait for their turn like anybody else.
    turn_ms = stalls.late_ns(begun_ns, stalls.ORDINARY) / 1e6
    all_ms, late_ms = deleted_all(crowd)
    print(
        "%d virtual routers: one is back after %.1f ms, all after %.0f ms, adverts late by "
        "%.1f ms at most; %.1f %% of a processor at rest"
        % (LINKS * PER_LINK, one_ms, all_ms, late_ms, quiet_s * 10)
    )
    assert one_ms <= 20 + turn_ms
    assert all_ms <= 10 * LINKS * PER_LINK
    assert late_ms <= 2 * _SLOT_MS + stalls.late_ns(begun_ns) / 1e6
    shown = crowd.daemon.show()["routers"]
    assert {each["state"] for each in shown} == {"master"}
    assert sum(each["counters"].get("repairs", 0) for each in shown) >= LINKS * PER_LINK + 1


def cost_of_ten_seconds(crowd: Crowd) -> float:
    first, before_s, begun_ns = len(crowd.tap.frames()), crowd.cpu_s(), time.monotonic_ns()
    time.sleep(10)
    spent_s = crowd.cpu_s() - before_s
    late_ms = crowd.lateness_ms(first)
    print("at rest adverts are late by %.1f ms at most" % late_ms)
    assert late_ms <= _SLOT_MS + stalls.late_ns(begun_ns) / 1e6
    return spent_s


def deleted_one(crowd: Crowd) -> float:
    """From the start of the command that deletes it, which takes some ms itself."""
    addresses = Addresses(crowd.router)
    addresses.start()
    try:
        begun_ns = time.monotonic_ns()
        crowd.router.ip("addr", "del", vip(0, 7) + "/32", "dev", "vg-g0-7")
        time.sleep(0.5)
        assert len(addresses.absences_ms(vip(0, 7))) == 1
        return (addresses.back_ns(vip(0, 7)) - begun_ns) / 1e6
    finally:
        addresses.close()


def deleted_all(crowd: Crowd) -> Tuple[float, float]:
    lines: List[str] = []
    for link in range(LINKS):
        for vrid in range(1, PER_LINK + 1):
            lines.append("addr del %s/32 dev vg-g%d-%d" % (vip(link, vrid), link, vrid))
    first, begun = len(crowd.tap.frames()), time.monotonic()
    crowd.router.batch(*lines)
    while crowd.held() < LINKS * PER_LINK:
        assert time.monotonic() < begun + 30, "not put back: %d" % crowd.held()
        time.sleep(0.01)
    took_ms = (time.monotonic() - begun) * 1e3
    time.sleep(1.2)
    return took_ms, crowd.lateness_ms(first)
