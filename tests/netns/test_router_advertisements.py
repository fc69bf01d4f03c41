# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Router advertisements of real gateways, as hosts with SLAAC and a switch see them."""

from __future__ import annotations

import contextlib
import errno
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest
from daemons import Daemon
from frames import Wire
from gateways import Pair, document
from hosts import MAC6
from namespaces import LAN_VLAN, Namespace
from scapy.layers.inet6 import (
    ICMPv6ND_RA,
    ICMPv6ND_RS,
    ICMPv6NDOptDNSSL,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRDNSS,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet

GATEWAY = "fe80::254"
FAR = "2001:db8:f::2"
# A cable that is cut, a takeover, and whatever else this machine does.
PATIENCE_S = 15.0
RARELY = {"enabled": True, "prefixes": [{"prefix": "2001:db8:a::/64"}]}
OFTEN = {
    **RARELY,
    "max_interval_cs": "4s",
    "lifetime_s": 1234,
    "hop_limit": 57,
    "other": True,
    "preference": "high",
    "mtu": 1400,
    "prefixes": [
        {"prefix": "2001:db8:a::/64", "valid_lifetime_s": 7200, "preferred_lifetime_s": 3600},
        {"prefix": "2001:db8:aa::/48", "autonomous": False},
    ],
    "rdnss": ["2001:db8:f::53", "fe80::254"],
    "dnssl": ["example.com", "lab.example.com"],
    "rdnss_lifetime_s": 900,
}


def advertising(priority: int, told: Optional[Dict[str, Any]]) -> Dict[str, Any]:
    """The configuration of a gateway that tells the hosts of the LAN so."""
    made = document(priority)
    for router in made["virtual_routers"]:
        if told is not None and router["name"] == "lan6":
            router["router_advertisements"] = told
    return made


class Talk:
    """What comes out of each gateway: their cables are tapped, for their frames are alike."""

    def __init__(self, pair: Pair) -> None:
        ports = pair.switch.router_ports()
        self._wires = [
            [Wire(pair.switch.namespace, port) for port in half]
            for half in (ports[: len(ports) // 2], ports[len(ports) // 2 :])
        ]

    def of_first(self) -> List[Packet]:
        """Router advertisements that the first gateway has sent."""
        return self._told(0)

    def of_second(self) -> List[Packet]:
        """Router advertisements that the second gateway has sent."""
        return self._told(1)

    def _told(self, number: int) -> List[Packet]:
        frames = [frame for wire in self._wires[number] for frame in _frames(wire)]
        return [frame for frame in frames if ICMPv6ND_RA in frame]

    def close(self) -> None:
        """Tap them no longer."""
        for wire in (*self._wires[0], *self._wires[1]):
            wire.close()


def _frames(wire: Wire) -> List[Packet]:
    """What came by a cable. That it was cut is said once, in place of a frame."""
    try:
        return wire.frames_now()
    except OSError as error:
        if error.errno != errno.ENETDOWN:
            raise
        return wire.frames_now()


class SlaacHost:
    """A host of the LAN as it comes: it knows nothing but what routers tell."""

    def __init__(self, pair: Pair, namespace: Namespace, directory: Path) -> None:
        self.namespace = namespace
        pair.switch.add_host(namespace, LAN_VLAN, is_quiet=False)
        self._log = directory / "routes"
        with namespace.inside(), self._log.open("wb") as log:
            self._monitor = subprocess.Popen(["ip", "-6", "monitor", "route"], stdout=log)

    def address(self) -> str:
        """The address that it made itself, once it is no longer tentative."""
        for line in self.namespace.ip("-6", "-o", "addr", "show", "dev", "eth0").splitlines():
            if "2001:db8:a:" in line and "tentative" not in line:
                return line.split()[3]
        return ""

    def default_routes(self) -> List[str]:
        """As the kernel lists them, without what is counted down."""
        shown = self.namespace.ip("-6", "route", "show", "default").splitlines()
        return [line.split(" expires ")[0] for line in shown]

    def lost_routes(self) -> List[str]:
        """Default routes that went away, even if they came back."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.startswith("Deleted default")]

    def reaches(self, address: str) -> bool:
        """One echo."""
        words = ["ip", "netns", "exec", self.namespace.name]
        words += ["ping", "-6", "-c1", "-W1", address]
        return subprocess.run(words, stdout=subprocess.DEVNULL, check=False).returncode == 0

    def close(self) -> None:
        """End the listener."""
        self._monitor.kill()
        self._monitor.wait()


def eventually(wanted: Callable[[], Any], what: str) -> None:
    """Until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not wanted():
        assert time.monotonic() < end, "waited for " + what
        time.sleep(0.05)


@pytest.fixture
def talk(pair: Pair) -> Iterator[Talk]:
    made = Talk(pair)
    yield made
    made.close()


@pytest.fixture
def slaac(
    pair: Pair, namespace: Callable[[str], Namespace], tmp_path: Path
) -> Iterator[Callable[[], SlaacHost]]:
    """Plugs a new host in."""
    with contextlib.ExitStack() as stack:

        def plug() -> SlaacHost:
            made = SlaacHost(pair, namespace("slaac"), tmp_path)
            stack.callback(made.close)
            return made

        yield plug


def start(pair: Pair, told: Optional[Dict[str, Any]]) -> List[Daemon]:
    """Both run, the first one is master."""
    daemons = [pair.first.start(advertising(200, told)), pair.second.start(advertising(100, told))]
    daemons[0].wait_for_state(lan4="master", lan6="master", wan4="master", wan6="master")
    daemons[1].wait_for_state(lan4="backup", lan6="backup", wan4="backup", wan6="backup")
    return daemons


def count(daemon: Daemon, counter: str) -> int:
    """Of the IPv6 virtual router of the LAN."""
    return int(daemon.router("lan6")["counters"].get(counter, 0))


def solicitation(wire: Wire, hops: int = 255) -> Packet:
    """As a host asks that just came up."""
    ethernet = Ether(dst="33:33:00:00:00:02", src=wire.mac)
    header = IPv6(src="fe80::10", dst="ff02::2", hlim=hops)
    return ethernet / header / ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=wire.mac)


def assert_served(host: SlaacHost) -> None:
    """It has an address of its own making, one default route, and the world behind that."""
    eventually(host.address, "an address by SLAAC")
    (route,) = host.default_routes()
    assert route.startswith("default via %s dev eth0 proto ra" % GATEWAY)
    eventually(lambda: host.reaches(FAR), "an answer from the far host")


def assert_from_the_virtual_router(frames: List[Packet]) -> None:
    """RFC 9568 sections 6.4.3 and 7.2, RFC 4861 section 6.1.2: hosts would ignore others."""
    for frame in frames:
        assert (frame[Ether].src, frame[Ether].dst) == (MAC6, "33:33:00:00:00:01")
        assert (frame[IPv6].src, frame[IPv6].dst, frame[IPv6].hlim) == (GATEWAY, "ff02::1", 255)
        assert frame[ICMPv6NDOptSrcLLAddr].lladdr == MAC6
    assert len({bytes(frame) for frame in frames}) == 1


@pytest.mark.rfc("N2", positive=True)
def test_hosts_keep_their_default_route_when_a_master_dies(
    pair: Pair, talk: Talk, slaac: Callable[[], SlaacHost]
) -> None:
    _first, second = start(pair, OFTEN)
    host = slaac()
    assert_served(host)
    before = host.default_routes()
    assert talk.of_first() and talk.of_second() == [], "a backup is silent"
    pair.first.kill()
    pair.switch.cut(pair.first.namespace)
    of_first = talk.of_first()
    second.wait_for_state(lan6="master", wan6="master")
    eventually(lambda: host.reaches(FAR), "the far host after the takeover")
    eventually(talk.of_second, "router advertisements of the new master")
    assert talk.of_first() == of_first
    assert_from_the_virtual_router(of_first + talk.of_second())
    assert (host.default_routes(), host.lost_routes()) == (before, [])
    assert host.reaches(FAR)


def test_hosts_keep_their_default_route_when_a_master_stops_in_good_order(
    pair: Pair, talk: Talk, slaac: Callable[[], SlaacHost]
) -> None:
    first, second = start(pair, OFTEN)
    host = slaac()
    assert_served(host)
    before = host.default_routes()
    assert first.stop() == 0
    second.wait_for_state(lan6="master", wan6="master")
    of_first = talk.of_first()
    eventually(talk.of_second, "router advertisements of the new master")
    assert host.reaches(FAR)
    # It comes back, and takes its role back: the backup falls silent again.
    again = pair.first.start(advertising(200, OFTEN))
    again.wait_for_state(lan6="master", wan6="master")
    eventually(lambda: talk.of_first() != of_first, "the first gateway's router advertisements")
    of_second = talk.of_second()
    eventually(lambda: len(talk.of_first()) > len(of_first) + 1, "another one")
    assert talk.of_second() == of_second
    # One of them would be enough to lose the route: no lifetime was ever 0.
    assert_from_the_virtual_router(talk.of_first() + talk.of_second())
    assert (host.default_routes(), host.lost_routes()) == (before, [])
    assert host.reaches(FAR)


@pytest.mark.rfc("N6", positive=True)
def test_hosts_are_told_what_is_configured(pair: Pair, talk: Talk) -> None:
    start(pair, OFTEN)
    eventually(talk.of_first, "a router advertisement")
    told = talk.of_first()[0]
    said = told[ICMPv6ND_RA]
    assert (said.routerlifetime, said.chlim, said.M, said.O, said.prf) == (1234, 57, 0, 1, 1)
    assert told[ICMPv6NDOptMTU].mtu == 1400
    prefix = told[ICMPv6NDOptPrefixInfo]
    assert (prefix.prefix, prefix.prefixlen, prefix.L, prefix.A) == ("2001:db8:a::", 64, 1, 1)
    assert (prefix.validlifetime, prefix.preferredlifetime) == (7200, 3600)
    other = prefix.payload[ICMPv6NDOptPrefixInfo]
    assert (other.prefix, other.prefixlen, other.L, other.A) == ("2001:db8:aa::", 48, 1, 0)
    servers, domains = told[ICMPv6NDOptRDNSS], told[ICMPv6NDOptDNSSL]
    assert (servers.dns, servers.lifetime) == (["2001:db8:f::53", "fe80::254"], 900)
    assert domains.searchlist == ["example.com.", "lab.example.com."]
    checksum = said.cksum
    del said.cksum
    assert Ether(bytes(told))[ICMPv6ND_RA].cksum == checksum


def test_the_master_answers_hosts_at_once_and_the_backup_never(pair: Pair, talk: Talk) -> None:
    first, second = start(pair, RARELY)
    eventually(talk.of_first, "the first router advertisement")
    wire = Wire(pair.client, "eth0")
    # RFC 4861 section 6.2.6: not within three seconds of the last.
    wire.listen(3.2)
    before = len(talk.of_first())
    wire.forget()
    wire.send(solicitation(wire, hops=64))
    first.wait_for(
        lambda shown: shown["counters"].get("router-solicitation-errors") == 1,
        "the refusal of what a router forwarded",
    )
    assert len(talk.of_first()) == before
    asked_at = time.monotonic()
    wire.send(solicitation(wire))
    wire.wait_for(lambda frame: ICMPv6ND_RA in frame, "answer to the solicitation")
    waited_s = time.monotonic() - asked_at
    print("answered after %.3f s" % waited_s)
    assert waited_s < 0.5 + 0.3
    assert len(talk.of_first()) == before + 1
    assert count(first, "router-solicitations-rcvd") == 1
    second.wait_for(
        lambda shown: shown["counters"].get("router-solicitation-errors") == 1,
        "the refusal by the backup",
    )
    assert count(second, "router-solicitations-rcvd") == 1
    assert talk.of_second() == []
    wire.close()


@pytest.mark.rfc("N6", positive=False)
def test_an_operator_may_begin_and_end(
    pair: Pair, talk: Talk, slaac: Callable[[], SlaacHost]
) -> None:
    """Off, nothing is sent and nothing is open; a reload is enough for both."""
    first, second = start(pair, None)
    host = slaac()
    eventually(lambda: " link " in host.namespace.ip("-6", "-o", "addr"), "its link-local address")
    assert open_icmpv6(pair.first.namespace) == 0
    assert host.default_routes() == []
    for daemon, priority in ((first, 200), (second, 100)):
        daemon.reload(advertising(priority, OFTEN))
    assert_served(host)
    assert open_icmpv6(pair.first.namespace) == 1
    for daemon, priority in ((first, 200), (second, 100)):
        daemon.reload(advertising(priority, None))
    eventually(lambda: host.default_routes() == [], "the end of the default route")
    assert open_icmpv6(pair.first.namespace) == 0
    assert [frame[ICMPv6ND_RA].routerlifetime for frame in talk.of_first()][-1] == 0
    assert first.router("lan6")["router_advertisements"] is None
    assert talk.of_second() == []


def open_icmpv6(namespace: Namespace) -> int:
    """How many raw sockets for ICMPv6 (58) somebody has there."""
    with namespace.inside(), open("/proc/thread-self/net/raw6", encoding="ascii") as file:
        return sum(line.split()[1].endswith(":003A") for line in file if ":" in line.split()[1])
