# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Interfaces come late, go away, are renamed or changed, and join bridges and VRFs."""

from __future__ import annotations

import resource
import socket
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
from daemons import Daemon
from gateways import NAMES, Pair, all_are, document
from namespaces import LAN, Namespace, connect
from probing import Prober
from taps import Tap, advertised_priority

from tests.harness import stalls
from vrrp.control.schema import SOCKET_NAME

FAR4, FAR6, VIP4 = "198.51.100.2", "2001:db8:f::2", "10.0.0.254"
TARGETS = (FAR4, FAR6, VIP4)
_EVERY_MS = 200
# (256 - priority) / 256 of an interval, for the backup's 100.
SKEW_MS = 122
# Of 12 and 37 ms for `networkctl reload` and `networkctl reconfigure`, the longer one.
GAP_S = 0.04

Start = Callable[..., Daemon]
Lan = Tuple[Namespace, Namespace]


def give_addresses(router: Namespace) -> None:
    """What the three virtual routers of the fixture start() send from."""
    router.batch(
        "addr add 10.0.0.252/24 dev %s" % LAN,
        "addr add fe80::252/64 dev %s nodad" % LAN,
    )


def waits_for(daemon: Daemon, words: str) -> str:
    """All wait for something that has these words in its sentence, which is returned."""

    def waits(shown: Dict[str, Any]) -> bool:
        return all(words in (each["waiting"] or "") for each in shown["routers"])

    shown = daemon.wait_for(waits, "waiting: " + words)
    return str(shown["routers"][0]["waiting"])


def all_master(daemon: Daemon) -> None:
    daemon.wait_for_state(v4="master", v6="master", old="master")


def devices(router: Namespace) -> List[str]:
    """Ours."""
    return [line for line in router.ip("-o", "link").splitlines() if "vg-" in line]


# Alone


def test_an_interface_that_comes_late(start: Start, lan: Lan) -> None:
    router, other = lan
    router.ip("link", "del", LAN)
    daemon = start()
    waits_for(daemon, "%s does not exist" % LAN)
    connect(router, LAN, other, "eth0")
    waits_for(daemon, "to send from")
    give_addresses(router)
    all_master(daemon)


def test_an_interface_that_goes_and_comes_back_as_another(start: Start, lan: Lan) -> None:
    router, other = lan
    daemon = start()
    all_master(daemon)
    with router.inside():
        before = socket.if_nametoindex(LAN)
    router.ip("link", "del", LAN)
    waits_for(daemon, "does not exist")
    assert devices(router) == []
    router.ip("link", "add", "dummy-veth", "type", "veth", "peer", "name", "dummy-peer")
    connect(router, LAN, other, "eth0")
    give_addresses(router)
    with router.inside():
        assert socket.if_nametoindex(LAN) != before
    all_master(daemon)
    assert len(devices(router)) == 3


def test_a_port_of_a_bridge_waits_and_says_what_to_do(start: Start, lan: Lan) -> None:
    router, _other = lan
    router.batch("link add br0 up type bridge", "link set %s master br0" % LAN)
    daemon = start()
    print(waits_for(daemon, "%s is a port of the bridge br0" % LAN))
    router.ip("link", "set", LAN, "nomaster")
    all_master(daemon)
    # While devices of ours are on it, the kernel lets nobody make a port of it.
    with pytest.raises(AssertionError, match="busy"):
        router.ip("link", "set", LAN, "master", "br0")
    time.sleep(0.2)
    all_master(daemon)


def test_the_bridge_itself_carries_virtual_routers(start: Start, lan: Lan) -> None:
    """What the sentence above tells people to do."""
    router, _other = lan
    router.batch(
        "addr flush dev %s" % LAN,
        "link set %s down" % LAN,
        "link set %s name port0" % LAN,
        "link set port0 up",
        "link add %s up type bridge" % LAN,
        "link set port0 master %s" % LAN,
    )
    give_addresses(router)
    all_master(start())


@pytest.mark.kernel("vrf")
def test_an_interface_that_joins_a_vrf_and_leaves_it(start: Start, lan: Lan) -> None:
    router, other = lan
    daemon = start()
    all_master(daemon)
    router.batch("link add red up type vrf table 100")
    other.ip("addr", "add", "10.0.0.10/24", "dev", "eth0")
    for words in (("master", "red"), ("nomaster",)):
        router.ip("link", "set", LAN, *words)
        # The kernel takes IPv6 addresses away from an interface that changes its VRF.
        router.ip("addr", "replace", "fe80::252/64", "dev", LAN, "nodad")
        daemon.wait_for_state(v4="master", v6="master", old="master")
        table = "100" if words[0] == "master" else "local"
        deadline = time.monotonic() + 5
        while "local 10.0.0.254 dev vg-v4" not in router.ip("route", "show", "table", table):
            assert time.monotonic() < deadline, daemon.log()
            time.sleep(0.02)
        other.run("ping", "-c", "2", "-W", "2", "10.0.0.254")


# Under traffic


class Scene:
    """A master and a backup under traffic."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.router = pair.first.namespace
        self.master = pair.first.start(document(200))
        self.master.wait_for_state(**dict.fromkeys(NAMES, "master"))
        self.backup = pair.second.start(document(100))
        self.backup.wait_for_state(**dict.fromkeys(NAMES, "backup"))
        self.taps = [Tap(pair.switch.namespace, port) for port in pair.switch.router_ports()]
        self.prober = Prober(pair.client, *TARGETS)
        self.prober.wait_until_steady()
        self.prober.begin()
        self._begun_ns = time.monotonic_ns()

    def machine_ms(self) -> float:
        """By how much the machine alone may have made anybody late."""
        return stalls.late_ns(self._begun_ns) / 1e6

    def close(self) -> None:
        self.prober.close()
        for tap in self.taps:
            tap.close()

    def nobody_noticed(self, most_lost: int = 2) -> None:
        lost = self.prober.lost()
        print("lost of 1,000 a second: %s" % lost)
        assert max(lost.values()) <= most_lost
        assert all_are("master", self.master) and all_are("backup", self.backup)
        assert [tap.releases() for tap in self.taps] == [0] * len(self.taps)


@pytest.fixture(name="scene")
def master_under_traffic(pair: Pair) -> Iterator[Scene]:
    made = Scene(pair)
    yield made
    made.close()


def test_another_mac_address_of_the_interface(scene: Scene) -> None:
    scene.router.ip("link", "set", LAN, "address", "02:00:00:00:07:07")
    time.sleep(0.5)
    scene.nobody_noticed(most_lost=5)
    late_ms = lateness_ms(scene.taps[0])
    print("adverts late by %.1f ms at most" % late_ms)
    assert late_ms <= 40 + scene.machine_ms()


def test_an_interface_that_is_configured_anew(scene: Scene) -> None:
    """As network managers do: its addresses are taken away, and given back a moment later. What is
    sent meanwhile has no way; the role stays where it is."""
    begun_s = time.monotonic()
    scene.router.batch("addr del 10.0.0.252/24 dev %s" % LAN, "addr del fe80::252/64 dev %s" % LAN)
    time.sleep(GAP_S)
    scene.router.batch(
        "addr add 10.0.0.252/24 dev %s" % LAN, "addr add fe80::252/64 dev %s nodad" % LAN
    )
    # GAP_S, and what it took to begin and to end it.
    gap_s = time.monotonic() - begun_s
    time.sleep(0.5)
    scene.nobody_noticed(most_lost=int(1000 * gap_s) + 50)


def test_a_lower_and_again_a_higher_mtu(scene: Scene) -> None:
    client = scene.pair.client
    for mtu in ("1400", "1500"):
        scene.router.ip("link", "set", LAN, "mtu", mtu)
        time.sleep(0.4)
    scene.nobody_noticed()
    # Whole packets pass the device that followed the lower one.
    client.run("ping", "-c", "2", "-W", "1", "-M", "do", "-s", "1472", FAR4)
    client.run("ping", "-c", "2", "-W", "1", "-M", "do", "-s", "1452", FAR6)


@pytest.mark.kernel("live_rename")
def test_a_renamed_interface_is_given_up_and_taken_again(scene: Scene) -> None:
    """Its virtual routers have lost their interface; the other router needs its Skew_Time."""
    scene.router.ip("link", "set", LAN, "name", "elsewhere")
    scene.backup.wait_for_state(lan4="master", lan6="master")
    time.sleep(0.5)
    away = max(scene.prober.lost().values())
    scene.prober.begin()
    scene.router.ip("link", "set", "elsewhere", "name", LAN)
    scene.master.wait_for_state(lan4="master", lan6="master")
    time.sleep(0.5)
    back = max(scene.prober.lost().values())
    print("lost of 1,000 a second: %d when it went, %d when it came back" % (away, back))
    assert away <= SKEW_MS + 20 + scene.machine_ms()
    assert back <= 5 + scene.machine_ms()
    assert all_are("master", scene.master)


def lateness_ms(tap: Tap) -> float:
    """Of adverts that come each 200 ms, by virtual MAC, the longest interval beyond that."""
    last: Dict[bytes, int] = {}
    worst = 0.0
    for at_ns, frame in tap.frames():
        if advertised_priority(frame) >= 0:
            worst = max(worst, (at_ns - last.get(frame[6:12], at_ns)) / 1e6 - _EVERY_MS)
            last[frame[6:12]] = at_ns
    assert last, "no adverts were heard"
    return worst


# Descriptors


def test_without_descriptors_it_goes_on_advertising_and_rests_in_between(scene: Scene) -> None:
    pid = scene.master.process.pid
    path = str(Path(scene.master.directory) / "run" / SOCKET_NAME)
    used = max(int(each.name) for each in Path("/proc/%d/fd" % pid).iterdir()) + 1
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, limits[1]))
    knocking = []
    try:
        for _client in range(8):
            knocking.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            knocking[-1].settimeout(0.1)
            try:
                knocking[-1].connect(path)
            except socket.timeout:
                break  # so many may wait
        assert len(knocking) > 1
        scene.prober.begin()
        before_s = cpu_s(pid)
        time.sleep(2)
        spent_s = cpu_s(pid) - before_s
        late_ms = lateness_ms(scene.taps[0])
        # What is put back by netlink needs no new descriptor.
        scene.router.ip("addr", "del", VIP4 + "/32", "dev", "vg-lan4")
        time.sleep(0.3)
        assert VIP4 in scene.router.ip("addr", "show", "dev", "vg-lan4")
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        for each in knocking:
            each.close()
    print(
        "adverts late by %.1f ms at most, %.0f ms of processor time in 2 s"
        % (late_ms, 1e3 * spent_s)
    )
    assert late_ms <= 40 + scene.machine_ms()
    assert spent_s <= 0.4, "it turns without rest"
    scene.nobody_noticed()


def test_sockets_that_could_not_be_opened_are_opened_later(start: Start, lan: Lan) -> None:
    router, other = lan
    router.ip("link", "del", LAN)
    daemon = start()
    waits_for(daemon, "does not exist")
    pid = daemon.process.pid
    used = max(int(each.name) for each in Path("/proc/%d/fd" % pid).iterdir()) + 1
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, limits[1]))
    try:
        connect(router, LAN, other, "eth0")
        give_addresses(router)
        time.sleep(1)
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    all_master(daemon)
    tap = Tap(other, "eth0")
    try:
        time.sleep(0.5)
        assert [each for each in tap.frames() if advertised_priority(each[1]) == 100]
    finally:
        tap.close()


def cpu_s(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path("/proc/%d/stat" % pid).read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100
