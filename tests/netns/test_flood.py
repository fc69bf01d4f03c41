# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A master that is flooded with what nobody should send goes on as if nothing were."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

from daemons import Daemon
from floods import MALFORMED, Capture, Sender, fuzzed_frames, malformed_frames
from namespaces import LAN, Namespace

from tests.harness import stalls

RATE = 1000
WARM_UP_S = 2.0
SECONDS = 10.0
INTERVAL_S = 0.2
# This machine does other things, too: the bounds tell a daemon that is held up, not its precision.
LONGEST_GAP_S = 1.5 * INTERVAL_S
MEAN_ERROR = 0.05
GROWTH = 2 * 1024 * 1024
VIRTUAL_MAC = bytes.fromhex("00005e00010a")


def discarded(shown: Dict[str, Any]) -> Dict[str, int]:
    """How many packets were refused for each reason, over the host and its virtual routers."""
    reasons = {reason.value for reason in MALFORMED}
    total = dict.fromkeys(reasons, 0)
    for counters in (shown["counters"], *(router["counters"] for router in shown["routers"])):
        for name, count in counters.items():
            if name in reasons:
                total[name] += count
    return total


def transitions(shown: Dict[str, Any]) -> Dict[str, Tuple[str, int]]:
    return {each["name"]: (each["state"], len(each["transitions"])) for each in shown["routers"]}


def test_adverts_stay_on_time_under_every_malformed_packet(
    start: Callable[..., Daemon], lan: Tuple[Namespace, Namespace], tmp_path: Path
) -> None:
    router, other = lan
    seed = random.randrange(1 << 32)
    print("seed", seed)
    daemon = start("--journal", str(tmp_path / "journal"), interval_cs=round(INTERVAL_S * 100))
    daemon.wait_for_state(v4="master", v6="master", old="master")
    mac = bytes.fromhex(router.mac(LAN).replace(":", ""))
    frames = malformed_frames(mac) + fuzzed_frames(seed, 200, mac)
    capture, sender = Capture(other, "eth0", VIRTUAL_MAC), Sender(other, "eth0")
    try:
        # Buffers, caches and the log's first lines of each kind: before memory is compared.
        sender.flood(frames, RATE, WARM_UP_S, capture.listen)
        before, logged, resident = daemon.show(), len(daemon.log()), daemon.resident_octets()
        capture.times_s.clear()
        begun_ns = time.monotonic_ns()
        sent = sender.flood(frames, RATE, SECONDS, capture.listen)
        capture.listen(INTERVAL_S)
    finally:
        capture.close()
        sender.close()
    after = daemon.show()
    times_s = capture.times_s
    gaps_s = [later - earlier for earlier, later in zip(times_s, times_s[1:])]
    mean_s = sum(gaps_s) / len(gaps_s)
    grown = daemon.resident_octets() - resident
    print(
        "%d packets, %d adverts, gaps %.1f to %.1f ms, mean %.2f ms, %+d octets resident"
        % (sent, len(times_s), min(gaps_s) * 1e3, max(gaps_s) * 1e3, mean_s * 1e3, grown)
    )
    machine_s = stalls.late_ns(begun_ns) / 1e9
    # Who sends waits for its turn on a busy machine; half of it is a flood, too.
    assert sent > RATE * SECONDS * 0.5
    assert max(gaps_s) < LONGEST_GAP_S + machine_s
    assert abs(mean_s - INTERVAL_S) < INTERVAL_S * MEAN_ERROR + machine_s / len(gaps_s)
    assert abs(len(times_s) - SECONDS / INTERVAL_S) < 4 + machine_s / INTERVAL_S
    assert transitions(after) == transitions(before)
    counted = {name: count - discarded(before)[name] for name, count in discarded(after).items()}
    assert all(counted.values()), counted
    assert sum(counted.values()) > sent * 0.95
    # Each reason has one line a minute for each virtual router, and one for what belongs to none.
    new_lines = daemon.log()[logged:].splitlines()
    assert len(new_lines) <= len(MALFORMED) * 4, "\n".join(new_lines)
    assert grown < GROWTH
    assert daemon.stop() == 0
