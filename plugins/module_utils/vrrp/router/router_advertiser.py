# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a master sends router advertisements. Layer L3. RFC 4861 sections 6.2.4 and 6.2.6.

What they say is made in transmit.py. Chance is a hash of the sender and a counter: the routers of
a LAN differ, and a replay does not.
"""

from __future__ import annotations

from typing import Optional

from ..config.model import RouterAdvertisements
from ..config.router_advertisements import minimum_interval_cs
from ..units import NS_PER_S, ns_from_cs

# RFC 4861 section 10, in its own words: MAX_INITIAL_RTR_ADVERT_INTERVAL, the advertisements after
# the first of MAX_INITIAL_RTR_ADVERTISEMENTS, MIN_DELAY_BETWEEN_RAS, MAX_RA_DELAY_TIME.
INITIAL_INTERVAL_NS = 16 * NS_PER_S
INITIAL_REPEATS = 2
MINIMUM_SPACING_NS = 3 * NS_PER_S
ANSWER_DELAY_NS = NS_PER_S // 2


class RouterAdvertiser:
    """The timer of one virtual router. seed: octets that no other router of the LAN has."""

    def __init__(self) -> None:
        self.deadline_ns: Optional[int] = None
        self._initial_repeats = 0
        self._sent_ns: Optional[int] = None
        self._draws = 0

    def start(self, now_ns: int) -> None:
        """There is something new to tell: at once, and a few times soon after."""
        self._initial_repeats = INITIAL_REPEATS
        self.deadline_ns = self._earliest_ns(now_ns)

    def stop(self) -> None:
        """Nothing is sent any more."""
        self.deadline_ns = None

    def solicited(self, seed: bytes, now_ns: int) -> None:
        """A host asks: answer all that ask within half a second, unless the next one is as near."""
        if self.deadline_ns is not None:
            answer_ns = self._earliest_ns(now_ns) + self._draw(seed, 0, ANSWER_DELAY_NS)
            self.deadline_ns = min(self.deadline_ns, answer_ns)

    def take(self, settings: RouterAdvertisements, seed: bytes, now_ns: int) -> bool:
        """True when one has to be sent now; the next one is planned then."""
        if self.deadline_ns is None or now_ns < self.deadline_ns:
            return False
        shortest_ns = ns_from_cs(minimum_interval_cs(settings))
        interval_ns = self._draw(seed, shortest_ns, ns_from_cs(settings.max_interval_cs))
        if self._initial_repeats:
            self._initial_repeats -= 1
            interval_ns = min(interval_ns, INITIAL_INTERVAL_NS)
        self._sent_ns = now_ns
        self.deadline_ns = now_ns + interval_ns
        return True

    def _earliest_ns(self, now_ns: int) -> int:
        """Whatever happens, hosts are not flooded."""
        if self._sent_ns is None:
            return now_ns
        return max(now_ns, self._sent_ns + MINIMUM_SPACING_NS)

    def _draw(self, seed: bytes, low_ns: int, high_ns: int) -> int:
        """A time between the two, evenly spread."""
        self._draws += 1
        number = 0xCBF29CE484222325  # FNV-1a, 64 bits
        for octet in seed + self._draws.to_bytes(8, "big"):
            number = (number ^ octet) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
        # Its high bits hardly know the last octets: a multiplication more mixes them in.
        number = (number ^ number >> 29) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        return low_ns + (number >> 16) % (high_ns - low_ns + 1)
