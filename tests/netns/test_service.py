# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N802 - the names begin with the row that they test
"""One gateway's daemon as the LAN sees it: backup, master, killed, cleaned up, stopped."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
from daemons import Daemon
from frames import Wire, echo
from gateways import clean_up
from hosts import LINK_LOCAL_VIP, MAC4, MAC6, VIP4, VIP6, packed
from namespaces import LAN, WAN, Namespace, Site
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, ICMPv6TimeExceeded, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

CLIENT4, CLIENT6, CLIENT_LINK_LOCAL = "10.0.0.10", "2001:db8:a::10", "fe80::10"
REAL4, REAL6 = "10.0.0.252", "2001:db8:a::252"
FAR4, FAR6 = "198.51.100.2", "2001:db8:f::2"
EVERYBODY = "ff:ff:ff:ff:ff:ff"
# RTMGRP_IPV4_IFADDR of <linux/rtnetlink.h>.
ADDRESS_REPORTS = 0x10
WITH_FILTER = pytest.mark.kernel("nftables")


def document(**more: Any) -> Dict[str, Any]:
    """One virtual router of each family."""
    common = {"interface": LAN, "vrid": 10, "advertisement_interval_cs": 10, "accept": True}
    four = {"name": "v4", "family": "ipv4", "addresses": [VIP4], **common, **more}
    six = {"name": "v6", "family": "ipv6", "addresses": [LINK_LOCAL_VIP, VIP6], **common, **more}
    return {"format": 1, "virtual_routers": [four, six]}


def of_version_2(**more: Any) -> Dict[str, Any]:
    """One virtual router of version 2."""
    found = document(version=2, advertisement_interval_cs=100, **more)
    found["virtual_routers"].pop()
    return found


@pytest.fixture
def run(site: Site, program: Path, tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Starts daemons on the router; the test has to do with one at a time."""
    started: List[Daemon] = []

    def start(config: Dict[str, Any]) -> Daemon:
        started.append(Daemon(site.router, program, tmp_path, config))
        return started[-1]

    yield start
    for daemon in started:
        daemon.kill()


def is_announcement(frame: Packet) -> bool:
    """Gratuitous ARP, or a neighbour advertisement to all, for a virtual address."""
    if ARP in frame:
        return frame[ARP].psrc == VIP4 and frame[ARP].pdst == VIP4
    return (
        ICMPv6ND_NA in frame
        and frame[IPv6].dst == "ff02::1"
        and frame[ICMPv6ND_NA].tgt in (LINK_LOCAL_VIP, VIP6)
    )


def is_advert(frame: Packet) -> bool:
    return (IP in frame and frame[IP].proto == 112) or (IPv6 in frame and frame[IPv6].nh == 112)


def announced(wire: Wire, count: int = 3) -> List[Packet]:
    """The first announcements of all addresses."""
    end = time.monotonic() + 20
    while True:
        found = [frame for frame in wire.frames_now() if is_announcement(frame)]
        if len(found) >= count:
            return found
        assert time.monotonic() < end, "only %s was announced" % found
        wire.listen(0.05)


@pytest.mark.rfc("D9", "D12", positive=True)
def test_D9_a_new_master_announces_by_a_request_to_all(
    run: Callable[..., Daemon], wire: Wire
) -> None:
    run(document())
    frames = announced(wire)
    for frame in (frame for frame in frames if ARP in frame):
        assert (frame[Ether].src, frame[Ether].dst) == (MAC4, EVERYBODY)
        said = frame[ARP]
        assert (said.op, said.psrc, said.pdst) == (1, VIP4, VIP4)
        assert (said.hwsrc, said.hwdst) == (MAC4, MAC4)
    assert [frame for frame in frames if ARP in frame]
    # The advertisement, which stops other routers, is the first of all.
    ours = [frame for frame in wire.frames if frame.src == MAC4]
    assert is_advert(ours[0])


@pytest.mark.rfc("N3", positive=True)
def test_N3_a_new_master_tells_all_nodes_each_address(
    run: Callable[..., Daemon], wire: Wire
) -> None:
    run(document())
    frames = [frame for frame in announced(wire) if IPv6 in frame]
    assert {frame[ICMPv6ND_NA].tgt for frame in frames} == {LINK_LOCAL_VIP, VIP6}
    for frame in frames:
        assert (frame[Ether].src, frame[Ether].dst) == (MAC6, "33:33:00:00:00:01")
        said = frame[ICMPv6ND_NA]
        assert (said.R, said.S, said.O, frame[IPv6].hlim) == (1, 0, 1, 255)
        assert frame[ICMPv6NDOptDstLLAddr].lladdr == MAC6
    ours = [frame for frame in wire.frames if frame.src == MAC6]
    assert is_advert(ours[0])


@pytest.mark.rfc("D9", "N3", positive=False)
def test_D9_a_backup_announces_nothing(run: Callable[..., Daemon], site: Site, wire: Wire) -> None:
    daemon = run(document(advertisement_interval_cs=200))
    wire.listen(2.5)
    assert set(states(daemon).values()) == {"backup"}
    assert wire.from_mac(MAC4) == [] and wire.from_mac(MAC6) == []


def states(daemon: Daemon) -> Dict[str, str]:
    return {each["name"]: each["state"] for each in daemon.show()["routers"]}


@pytest.mark.rfc("D11", "N9", positive=True)
def test_D11_what_is_announced_is_there(run: Callable[..., Daemon], site: Site, wire: Wire) -> None:
    """The kernel has had the addresses before anybody heard of them."""
    with site.router.inside():
        reports = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        reports.bind((0, ADDRESS_REPORTS))
    run(document())
    reported = b""
    wire.wait_for(lambda frame: ARP in frame and is_announcement(frame), "gratuitous ARP")
    while select.select([reports], (), (), 0)[0]:
        reported += reports.recv(65536)
    reports.close()
    assert packed(VIP4) in reported
    wire.wait_for(lambda frame: IPv6 in frame and is_announcement(frame), "advertisement")
    with site.router.inside():
        # IPv6 reports later, by a queue.
        held = Path("/proc/thread-self/net/if_inet6").read_text(encoding="ascii")
    assert packed(VIP6).hex() in held
    assert [answer[ARP].hwsrc for answer in wire.ask_arp(VIP4)] == [MAC4]
    assert wire.ask_neighbour(VIP6)


@pytest.mark.rfc("D11", "N9", positive=False)
def test_D11_what_is_not_there_is_not_announced(
    run: Callable[..., Daemon], site: Site, wire: Wire
) -> None:
    """Another program holds the virtual MACs, so that the devices cannot be made."""
    for name, mac in (("theirs4", MAC4), ("theirs6", MAC6)):
        where = ("link", LAN, "name", name, "address", mac)
        site.router.ip("link", "add", *where, "type", "macvlan", "mode", "bridge")
        site.router.sysctl("net/ipv6/conf/%s/disable_ipv6" % name, "1")
        site.router.ip("link", "set", name, "up")
    daemon = run(document())
    daemon.wait_for_state(v4="master", v6="master")
    wire.listen(1.5)
    assert [frame for frame in wire.frames if is_announcement(frame)] == []
    assert "another device there has its MAC" in daemon.log()
    site.router.ip("link", "del", "theirs4")
    site.router.ip("link", "del", "theirs6")
    announced(wire)
    assert [answer[ARP].hwsrc for answer in wire.ask_arp(VIP4)] == [MAC4]


@pytest.mark.rfc("D12", positive=True)
def test_D12_it_is_announced_again_after_a_second(run: Callable[..., Daemon], wire: Wire) -> None:
    """Also when an address is added, and only that one."""
    daemon = run(document())
    announced(wire)
    wire.forget()
    wire.wait_for(lambda frame: ARP in frame and is_announcement(frame), "repetition")
    changed = document()
    changed["virtual_routers"][0]["addresses"] = [VIP4, "10.0.0.199"]
    daemon.reload(changed)
    found = wire.wait_for(lambda frame: ARP in frame and frame[ARP].psrc == "10.0.0.199", "new one")
    assert (found.src, found[ARP].hwsrc, found[ARP].pdst) == (MAC4, MAC4, "10.0.0.199")


@pytest.mark.rfc("D7", positive=True)
@pytest.mark.parametrize("accepts", [True, pytest.param(False, marks=WITH_FILTER)])
def test_D7_version_2_accepts_when_it_is_told_to(
    run: Callable[..., Daemon], wire: Wire, accepts: bool
) -> None:
    daemon = run(of_version_2(accept=accepts))
    daemon.wait_for_state(v4="master")
    answers = wire.ask_echo(echo(wire, MAC4, CLIENT4, VIP4))
    assert len(answers) == accepts
    assert len(wire.ask_echo(echo(wire, MAC4, CLIENT4, FAR4))) == 1


@pytest.mark.rfc("D7", positive=False)
@WITH_FILTER
def test_D7_an_owner_accepts_whatever_it_is_told(run: Callable[..., Daemon], wire: Wire) -> None:
    config = of_version_2(accept=False, priority=255)
    config["virtual_routers"][0]["addresses"] = [REAL4]
    daemon = run(config)
    daemon.wait_for_state(v4="master")
    assert len(wire.ask_echo(echo(wire, MAC4, CLIENT4, REAL4))) == 1


@pytest.mark.rfc("D10", positive=True)
@WITH_FILTER
def test_D10_a_restarted_owner_never_tells_its_address_with_the_physical_mac(
    run: Callable[..., Daemon], site: Site, wire: Wire
) -> None:
    config = document(priority=255)
    config["virtual_routers"].pop()
    config["virtual_routers"][0]["addresses"] = [REAL4]
    daemon = run(config)
    for _turn in range(2):
        daemon.wait_for_state(v4="master")
        wire.forget()
        site.router.ip("neigh", "flush", "dev", LAN)
        site.router.run("ping", "-c1", "-W2", CLIENT4)
        assert [answer[ARP].hwsrc for answer in wire.ask_arp(REAL4)] == [MAC4]
        told = [f[ARP].hwsrc for f in wire.frames_now() if ARP in f and f[ARP].psrc == REAL4]
        assert told and set(told) == {MAC4}
        daemon.kill()
        daemon = run(config)


@pytest.mark.rfc("D15", positive=True)
@pytest.mark.parametrize("accepts", [True, pytest.param(False, marks=WITH_FILTER)])
def test_D15_a_master_forwards_nothing_for_the_virtual_addresses(
    run: Callable[..., Daemon], site: Site, wire: Wire, accepts: bool
) -> None:
    run(document(accept=accepts)).wait_for_state(v4="master", v6="master")
    far = Wire(site.far, "eth0")
    wire.forget()
    for mac in (MAC4, wire.router_mac):
        wire.ask_echo(echo(wire, mac, CLIENT4, VIP4))
    for mac in (MAC6, wire.router_mac):
        wire.ask_echo(echo(wire, mac, CLIENT6, VIP6))
    wire.ask_echo(echo(wire, MAC4, CLIENT4, FAR4))
    far.wait_for(lambda frame: IP in frame and frame[IP].dst == FAR4, "packet behind them")
    for frame in (*far.frames_now(), *wire.frames_now()):
        assert not (IP in frame and frame[IP].dst == VIP4)
        assert not (IPv6 in frame and frame[IPv6].dst == VIP6)
    far.close()


@pytest.mark.rfc("D15", positive=False)
def test_D15_a_backup_passes_them_on_to_the_master(
    run: Callable[..., Daemon], site: Site, wire: Wire
) -> None:
    """Packets from elsewhere for a virtual address find the router that has it."""
    run(document(advertisement_interval_cs=4000))
    site.router.ip("neigh", "add", VIP4, "lladdr", wire.mac, "dev", LAN)
    far = Wire(site.far, "eth0")
    far.send(echo(far, site.router.mac(WAN), FAR4, VIP4))
    wire.wait_for(lambda frame: ICMP in frame and frame[IP].dst == VIP4, "the packet, forwarded")
    far.close()


@pytest.mark.rfc("N15", positive=True)
def test_N15_the_link_local_address_is_of_the_virtual_router(
    run: Callable[..., Daemon], site: Site
) -> None:
    """Generated: the same after a restart, and another one for another virtual router."""
    config = document()
    config["virtual_routers"][0].update(config["virtual_routers"][1])
    config["virtual_routers"][0].update(name="other", vrid=11, addresses=["2001:db8:a::253"])
    config["virtual_routers"][1]["addresses"] = [VIP6]
    found = []
    for _turn in range(2):
        daemon = run(config)
        daemon.wait_for_state(other="master", v6="master")
        held = site.router.ip("-6", "-o", "addr", "show", "scope", "link").splitlines()
        found.append({line.split()[1]: line.split()[3] for line in held if "vg-" in line})
        assert daemon.stop() == 0
    assert found[0] == found[1]
    assert len(set(found[0].values())) == 2


@pytest.mark.rfc("D16", positive=True)
def test_D16_the_real_address_is_reached_in_every_state(
    run: Callable[..., Daemon], site: Site, wire: Wire
) -> None:
    daemon = run(document(advertisement_interval_cs=50))
    for state in ("backup", "master"):
        daemon.wait_for_state(v4=state, v6=state)
        site.client.run("ping", "-c1", "-W2", REAL4)
        site.client.run("ping", "-6", "-c1", "-W2", REAL6)
        assert [answer[ARP].hwsrc for answer in wire.ask_arp(REAL4)] == [wire.router_mac]


def test_traceroute_and_errors_name_the_real_router(run: Callable[..., Daemon], wire: Wire) -> None:
    """RFC 9568 says nothing; people look there to learn which router they have."""
    run(document()).wait_for_state(v4="master", v6="master")
    wire.send(echo(wire, MAC4, CLIENT4, FAR4, hops=1))
    error = wire.wait_for(lambda frame: ICMP in frame and frame[ICMP].type == 11, "time exceeded")
    assert error[IP].src == REAL4
    wire.send(echo(wire, MAC6, CLIENT6, FAR6, hops=1))
    error = wire.wait_for(lambda frame: ICMPv6TimeExceeded in frame, "time exceeded")
    assert error[IPv6].src == REAL6
    wire.send(echo(wire, MAC4, CLIENT4, "203.0.113.1"))
    error = wire.wait_for(lambda frame: ICMP in frame and frame[ICMP].type == 3, "unreachable")
    assert error[IP].src == REAL4


def settings(namespace: Namespace) -> Dict[str, str]:
    """Every sysctl of every interface, of "all" and of "default"."""
    found = {}
    with namespace.inside():
        for family in ("ipv4", "ipv6"):
            for folder, _rest, names in os.walk("/proc/sys/net/%s/conf" % family):
                for name in names:
                    path = os.path.join(folder, name)
                    found[path] = _content(path)
    return found


def _content(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError as error:
        return str(error)  # some cannot be read, before as after


def picture(namespace: Namespace) -> Dict[str, str]:
    """All that a daemon could leave behind, piece by piece: a failure shows what differs."""
    found = settings(namespace)
    for link in json.loads(namespace.ip("-j", "-d", "addr")):
        link.pop("operstate")  # of a new link, it is known a moment later
        for key, value in link.items():
            found["%s %s" % (link["ifname"], key)] = repr(value)
    for number, line in enumerate(namespace.ip("-o", "maddr").splitlines()):
        found["group %d" % number] = line
    found["rules"] = namespace.ip("rule") + namespace.ip("-6", "rule")
    found["routes"] = namespace.ip("route") + namespace.ip("-6", "route")
    return found


@pytest.mark.parametrize("accepts", [True, pytest.param(False, marks=WITH_FILTER)])
def test_a_stop_leaves_everything_as_it_was(
    run: Callable[..., Daemon], site: Site, accepts: bool
) -> None:
    before = picture(site.router)
    assert len(before) > 100
    daemon = run(document(accept=accepts))
    daemon.wait_for_state(v4="master", v6="master")
    assert picture(site.router) != before
    assert daemon.stop() == 0
    assert picture(site.router) == before


@pytest.mark.parametrize("accepts", [True, pytest.param(False, marks=WITH_FILTER)])
def test_a_crash_is_cleaned_up(
    run: Callable[..., Daemon],
    site: Site,
    program: Path,
    tmp_path: Path,
    wire: Wire,
    accepts: bool,
) -> None:
    """The kernel goes on after SIGKILL; what systemd runs then ends it."""
    before = picture(site.router)
    daemon = run(document(accept=accepts))
    daemon.wait_for_state(v4="master", v6="master")
    daemon.kill()
    assert len(wire.ask_arp(VIP4)) == 1, "this is what has to be ended"
    assert clean_up(site.router, program, tmp_path).wait(60) == 0
    wire.listen(1.3)
    wire.forget()
    assert_silent(wire)
    assert picture(site.router) == before


def assert_silent(wire: Wire) -> None:
    """Nothing answers for the virtual addresses, accepts them or takes the virtual MACs."""
    assert wire.ask_arp(VIP4) == []
    assert wire.ask_neighbour(VIP6) == []
    assert wire.ask_neighbour(LINK_LOCAL_VIP, sender=CLIENT_LINK_LOCAL) == []
    for mac in (MAC4, wire.router_mac):
        assert wire.ask_echo(echo(wire, mac, CLIENT4, VIP4)) == []
    for mac in (MAC6, wire.router_mac):
        assert wire.ask_echo(echo(wire, mac, CLIENT6, VIP6)) == []
    assert wire.ask_echo(echo(wire, MAC4, CLIENT4, FAR4)) == []
    assert wire.ask_echo(echo(wire, MAC6, CLIENT6, FAR6)) == []
    assert wire.from_mac(MAC4) == [] and wire.from_mac(MAC6) == []
