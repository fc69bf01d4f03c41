# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A match: us and a peer on one LAN, and what a third party sees of it, told in fixed words.

Nothing here judges: each measuring method returns a word of those below. All is seen from the
frames that the switch shows to the host, and from who answers the host.
"""

from __future__ import annotations

import ipaddress
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional

from tests.harness import stalls
from tests.interop.lan import (
    HOST_NUMBERS,
    PEER,
    US,
    VIRTUAL_MAC,
    VRID,
    Advert,
    Lan,
)
from tests.interop.participants import Frr, Keepalived, Participant, Setting, Vlangate

PEERS = {"keepalived": Keepalived, "frr": Frr}

# Who advertises.
MASTER = {US: "we are master", PEER: "the peer is master"}
BOTH, NOBODY = "both are master", "nobody is master"
MUTE = "both are master, the peer is mute"
# When a successor spoke, after the last or the good-bye of the one before.
IN_TIME, EARLY, ONE_LATE, LATE = "in time", "too early", "one interval late", "too late"
NO_GOODBYE, NO_TAKEOVER = "no good-bye", "no takeover"
# Which MAC answers for the virtual address.
VIRTUAL_ONLY, PHYSICAL_ONLY, TWO_MACS = "virtual MAC", "physical MAC", "two MACs"
SILENCE = "no answer"
# What an advertisement is like.
AS_WRITTEN = "as written"

# What a bound may be exceeded by: a tenth, and the time of a busy machine's scheduler.
TOLERANCE = 1.1
BUSY_SECONDS = 0.1
# How long a daemon may need until it listens.
START_SECONDS = 5.0
# How long a new master's address may be tentative (RFC 4862: a delay of up to a second, and one).
ANSWER_SECONDS = 3.0


class Match:
    """Both sides in their namespaces, not started."""

    def __init__(self, lan: Lan, directory: Path, setting: Setting) -> None:
        self.lan, self.setting = lan, setting
        self.both: Dict[str, Participant] = {
            US: Vlangate(lan, setting, directory),
            PEER: PEERS[setting.peer](lan, setting, directory),
        }

    @property
    def interval(self) -> float:
        """The longer one, where the two differ."""
        return max(self.setting.us.interval_cs, self.setting.them.interval_cs) / 100

    def end(self) -> None:
        """End both, and show what they logged."""
        for participant in self.both.values():
            participant.kill()
        for participant in self.both.values():
            print("--- %s\n%s" % (participant.name, participant.log()[-4000:]))

    def is_said_by(self, name: str) -> Callable[[Advert], bool]:
        """Tests whether an advertisement comes from that name, be it a good-bye."""
        ours = {4: "198.18.30.%d", 6: "fe80::%d"}[self.setting.version] % HOST_NUMBERS[US]
        # A peer may give its macvlan a link-local address of its own.
        return lambda advert: (advert.source == ours) == (name == US)

    def is_from(self, name: str) -> Callable[[Advert], bool]:
        """Tests whether an advertisement is one of a living master of that name."""
        said = self.is_said_by(name)
        return lambda advert: said(advert) and advert.priority > 0

    def start(self, name: str) -> Optional[Advert]:
        """Start one side; its first advertisement as master, or None when there is none."""
        since = time.time()
        self.both[name].start()
        return self.first_advert(name, since)

    def first_advert(self, name: str, since: float) -> Optional[Advert]:
        """Its first advertisement as master after a time."""
        seconds = 4 * self.setting.master_down_interval(name) + 5
        try:
            return self.lan.capture.wait_for(self.is_from(name), seconds, since)
        except AssertionError:
            return None

    def likeness(self, advert: Advert, name: str) -> str:
        """AS_WRITTEN, or what differs from configuration and RFC."""
        setting = self.setting
        side = setting.side(name)
        seen = (advert.vrid, advert.version, advert.hops, advert.priority, advert.interval_cs)
        if seen != (VRID, setting.protocol, 255, side.priority, side.interval_cs):
            return "other fields: %s" % (seen,)
        if set(advert.addresses) != set(setting.addresses(name)):
            return "other addresses: " + ", ".join(advert.addresses)
        if advert.source_mac != VIRTUAL_MAC[setting.version]:
            return "from the physical MAC"
        return AS_WRITTEN

    def masters(self, seconds: float = 0.0) -> str:
        """Who advertises in the time that now begins, three of the longest intervals at least."""
        since = time.time()
        time.sleep(max(3.2 * self.interval, seconds))
        heard = [a for a in self.lan.capture.adverts(since) if a.priority > 0]
        speaking = [name for name in (US, PEER) if any(map(self.is_from(name), heard))]
        if not speaking:
            return NOBODY
        return BOTH if len(speaking) == 2 else MASTER[speaking[0]]

    def settled_masters(self) -> str:
        """Who advertises after the one that has to yield has had time to."""
        time.sleep(1.5 * self.interval)
        return self.masters()

    def answer(self) -> str:
        """Which MAC the host is told for the virtual address."""
        version = self.setting.version
        deadline = time.monotonic() + ANSWER_SECONDS
        macs: List[str] = []
        while not macs and time.monotonic() < deadline:
            macs = self.lan.answering_macs(version)
        if not macs:
            return SILENCE
        if len(macs) > 1:
            return TWO_MACS
        return VIRTUAL_ONLY if macs == [VIRTUAL_MAC[version]] else PHYSICAL_ONLY

    def taken_over(self, last: Advert, successor: str, bound: float, least: float = 0.0) -> str:
        """When the successor's first advertisement came after the last one of the old master."""
        first = self.first_advert(successor, last.seconds)
        if first is None:
            return NO_TAKEOVER
        took = first.seconds - last.seconds
        if took < least:
            return EARLY
        # By so much the machine may have held up either side; the peers are ordinary processes.
        since_ns = time.monotonic_ns() - round((time.time() - last.seconds) * 1e9)
        machine = stalls.late_ns(since_ns, stalls.ORDINARY) / 1e9
        for late, word in enumerate((IN_TIME, ONE_LATE)):
            if took <= (bound + late * self.interval) * TOLERANCE + BUSY_SECONDS + machine:
                return word
        return "%s (%.2f s, bound %.2f s)" % (LATE, took, bound)

    def crash(self, name: str, successor: str) -> str:
        """One dies without a word; the other takes over, not before and not after its time."""
        self.both[name].crash()
        last = [a for a in self.lan.capture.adverts() if self.is_from(name)(a)][-1]
        bound = self.setting.master_down_interval(successor)
        return self.taken_over(last, successor, bound, 3 * self.interval)

    def resign(self, name: str, successor: str) -> str:
        """One is stopped in order: it says good-bye, and the other takes over at once."""
        goodbye = self.stop(name)
        if goodbye is None:
            return NO_GOODBYE
        return self.taken_over(goodbye, successor, self.setting.skew_time(successor))

    def stop(self, name: str) -> Optional[Advert]:
        """Stop one in order; its good-bye, which only a master says."""
        since = time.time()
        self.both[name].stop()
        is_said = self.is_said_by(name)
        try:
            return self.lan.capture.wait_for(
                lambda advert: advert.priority == 0 and is_said(advert), 1, since
            )
        except AssertionError:
            return None


def greater_source(one: Advert, other: Advert) -> bool:
    """RFC 9568 section 6.4.3: unsigned, in network byte order."""
    return int(ipaddress.ip_address(one.source)) > int(ipaddress.ip_address(other.source))
