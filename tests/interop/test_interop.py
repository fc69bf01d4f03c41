# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With keepalived and FRR on one LAN: who is master, and every way to hand the role over.

All is judged by the frames that the switch shows to a third party, and by who answers a host.
"""

from __future__ import annotations

import time

import pytest

from tests.interop.lan import HOST_NUMBERS, PEER, US, VIRTUAL, VIRTUAL_MAC, VRID
from tests.interop.participants import Frr, Keepalived, Setting, Vlangate

PEERS = {"keepalived": Keepalived, "frr": Frr}
PREFERRED, OTHER = 200, 100
FAST_CS = 20
# VRRPv2 knows whole seconds only.
V2_CS = 100

# What a bound may be exceeded by: a tenth, and the time of a busy machine's scheduler.
TOLERANCE = 1.1
BUSY_SECONDS = 0.06
# An FRR that becomes master of an IPv6 group sends its first advertisement one interval late: its
# macvlan has no usable address yet when the timer expires.
LATE_ADVERTS = {("frr", 6): 1}

CASES = [
    pytest.param(peer, protocol, version, id="%s-v%d-ipv%d" % (peer, protocol, version))
    for peer in PEERS
    for protocol, version in ((2, 4), (3, 4), (3, 6))
]


@pytest.fixture
def match(request, lan, tmp_path):
    """Both sides in their namespaces, not started; both are ended after the test."""
    made = Match(lan, tmp_path, *request.param)
    yield made
    for participant in made.both.values():
        participant.kill()
    for participant in made.both.values():
        print("--- %s\n%s" % (participant.name, participant.log()[-4000:]))


class Match:
    """Us and a peer, with the words that the tests are written in."""

    def __init__(self, lan, directory, peer, protocol, version, preferred):
        self.lan, self.peer, self.version = lan, peer, version
        ours, theirs = (PREFERRED, OTHER) if preferred == US else (OTHER, PREFERRED)
        interval_cs = V2_CS if protocol == 2 else FAST_CS
        self.setting = Setting(peer, protocol, version, interval_cs, ours, theirs)
        self.both = {
            US: Vlangate(lan, self.setting, directory),
            PEER: PEERS[peer](lan, self.setting, directory),
        }

    @property
    def interval(self):
        return self.setting.interval_cs / 100

    def is_said_by(self, name):
        """Tests whether an advertisement comes from that name, be it a good-bye."""
        ours = {4: "198.18.30.%d", 6: "fe80::%d"}[self.version] % HOST_NUMBERS[US]
        # A peer may give its macvlan a link-local address of its own.
        return lambda advert: (advert.source == ours) == (name == US)

    def is_from(self, name):
        """Tests whether an advertisement is one of a living master of that name."""
        said = self.is_said_by(name)
        return lambda advert: said(advert) and advert.priority > 0

    def wait_for_master(self, name, since):
        """The first advertisement of that master; it has to be exactly as the RFCs want it."""
        seconds = 4 * self.setting.master_down_interval(name) + 5
        advert = self.lan.capture.wait_for(self.is_from(name), seconds, since)
        assert advert.vrid == VRID
        assert advert.version == self.setting.protocol
        assert advert.hops == 255
        assert advert.priority == self.setting.priority(name)
        assert advert.interval_cs == self.setting.interval_cs
        assert set(advert.addresses) == set(VIRTUAL[self.version])
        assert advert.source_mac == VIRTUAL_MAC[self.version]
        return advert

    def assert_only_master(self, name):
        """For a while nobody else advertises, and the host is answered from the virtual MAC."""
        time.sleep(self.interval)  # the other may have sent one while it learned
        since = time.time()
        self.wait_for_master(name, since)
        time.sleep(3 * self.interval)
        heard = self.lan.capture.adverts(since)
        assert heard
        assert all(self.is_from(name)(advert) for advert in heard), heard
        assert self.lan.answering_macs(self.version) == [VIRTUAL_MAC[self.version]]

    def assert_succession(self, last, successor, bound):
        """The successor's first advertisement came within a bound after the last of the old."""
        first = self.wait_for_master(successor, last.seconds)
        late = LATE_ADVERTS.get((self.peer, self.version), 0) if successor == PEER else 0
        allowed = (bound + late * self.interval) * TOLERANCE + BUSY_SECONDS
        assert first.seconds - last.seconds <= allowed
        return first.seconds - last.seconds

    def last_advert(self, name):
        return [a for a in self.lan.capture.adverts() if self.is_from(name)(a)][-1]

    def begin(self, first):
        """The one that is not preferred is alone on the LAN, and becomes master."""
        self.both[first].start()
        self.wait_for_master(first, 0.0)

    def crash(self, name, successor):
        """One dies without a word; the other takes over, not before and not after its time."""
        self.both[name].crash()
        took = self.assert_succession(
            self.last_advert(name), successor, self.setting.master_down_interval(successor)
        )
        assert took >= 3 * self.interval
        self.assert_only_master(successor)

    def resign(self, name, successor):
        """One is stopped in order: it says good-bye, and the other takes over at once."""
        since = time.time()
        self.both[name].stop()
        goodbye = self.lan.capture.wait_for(lambda a: a.priority == 0, 5, since)
        assert self.is_said_by(name)(goodbye)
        self.assert_succession(goodbye, successor, self.setting.skew_time(successor))
        self.assert_only_master(successor)

    def come_back(self, name):
        """The preferred one starts, now or again, and takes the role."""
        since = time.time()
        self.both[name].start()
        self.wait_for_master(name, since)
        self.assert_only_master(name)


@pytest.mark.parametrize(
    "match", [pytest.param((*c.values, US), id=c.id) for c in CASES], indirect=True
)
def test_we_are_preferred(match):
    match.begin(PEER)
    match.come_back(US)
    match.crash(US, successor=PEER)
    match.come_back(US)
    match.resign(US, successor=PEER)


@pytest.mark.parametrize(
    "match", [pytest.param((*c.values, PEER), id=c.id) for c in CASES], indirect=True
)
def test_the_peer_is_preferred(match):
    match.begin(US)
    match.come_back(PEER)
    match.crash(PEER, successor=US)
    match.come_back(PEER)
    match.resign(PEER, successor=US)
