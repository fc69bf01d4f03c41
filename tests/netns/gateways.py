# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two gateways with real daemons between a LAN and a far network, and traffic through them."""

from __future__ import annotations

import re
import select
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from daemons import Daemon
from namespaces import LAN, LAN_VLAN, WAN, WAN_VLAN, Namespace, Switch

INTERVAL_CS = 20
NAMES = ("lan4", "lan6", "wan4", "wan6")
LAN_VIPS = {"lan4": ["10.0.0.254"], "lan6": ["fe80::254", "2001:db8:a::254"]}
WAN_VIPS = {"wan4": ["198.51.100.254"], "wan6": ["fe80::254", "2001:db8:f::254"]}
_PORT = 7777
_EVERY_S = 0.01
_LATE_S = 0.5


def document(priority: int, **more: Any) -> Dict[str, Any]:
    """A virtual router for each family on each side."""
    routers = []
    for name, addresses in {**LAN_VIPS, **WAN_VIPS}.items():
        router = {
            "name": name,
            "interface": LAN if name in LAN_VIPS else WAN,
            "family": "ipv4" if name.endswith("4") else "ipv6",
            "vrid": LAN_VLAN if name in LAN_VIPS else WAN_VLAN,
            "addresses": addresses,
            "priority": priority,
            "advertisement_interval_cs": INTERVAL_CS,
            "accept": True,
        }
        routers.append({**router, **more})
    return {"format": 1, "virtual_routers": routers}


class Gateway:
    """One router of two, with its daemon."""

    def __init__(
        self, namespace: Namespace, switch: Switch, number: int, program: Path, directory: Path
    ) -> None:
        self.namespace = namespace
        self.daemon: Optional[Daemon] = None
        self._program = program
        self._directory = directory
        directory.mkdir()
        switch.add_router(namespace)
        namespace.batch(
            "addr add 10.0.0.%d/24 dev %s" % (number, LAN),
            "addr add 198.51.100.%d/24 dev %s" % (number, WAN),
            "addr add 2001:db8:a::%d/64 dev %s nodad" % (number, LAN),
            "addr add 2001:db8:f::%d/64 dev %s nodad" % (number, WAN),
            "addr add fe80::%d/64 dev %s nodad" % (number, LAN),
            "addr add fe80::%d/64 dev %s nodad" % (number, WAN),
        )
        namespace.sysctl("net/ipv4/ip_forward", "1")
        namespace.sysctl("net/ipv6/conf/all/forwarding", "1")

    def start(self, config: Dict[str, Any]) -> Daemon:
        """Start the daemon, as after a boot."""
        self.daemon = Daemon(self.namespace, self._program, self._directory, config)
        return self.daemon

    def kill(self) -> None:
        """SIGKILL for the daemon; the kernel keeps what it has."""
        if self.daemon is not None:
            self.daemon.kill()

    def clean_up(self, *more: str) -> "subprocess.Popen[bytes]":
        """What systemd runs when a daemon has ended, however it did (ExecStopPost); started."""
        return clean_up(self.namespace, self._program, self._directory, *more)


def clean_up(
    namespace: Namespace, program: Path, directory: Path, *more: str
) -> "subprocess.Popen[bytes]":
    """`vlangate cleanup` for a daemon that ran in that directory; started."""
    words = [str(program), "cleanup", "--runtime-dir", str(directory / "run"), *more]
    with namespace.inside():
        return subprocess.Popen(words)


class Pair:
    """client 10.0.0.10 -- LAN -- gateways .252 (first) and .253 -- WAN -- far 198.51.100.2.

    In IPv6 the same host numbers in 2001:db8:a::/64 and 2001:db8:f::/64. The hosts' routes lead to
    the virtual addresses, .254, as those of users do.
    """

    def __init__(
        self, namespace: Callable[[str], Namespace], program: Path, directory: Path
    ) -> None:
        self.switch = Switch(namespace("switch"))
        self.first, self.second = (
            Gateway(namespace(name), self.switch, number, program, directory / name)
            for name, number in (("gw1", 252), ("gw2", 253))
        )
        self.client, self.far = namespace("client"), namespace("far")
        for host, vlan in ((self.client, LAN_VLAN), (self.far, WAN_VLAN)):
            self.switch.add_host(host, vlan)
        self.client.batch(
            "addr add 10.0.0.10/24 dev eth0",
            "addr add 2001:db8:a::10/64 dev eth0 nodad",
            "addr add fe80::10/64 dev eth0 nodad",
            "route add default via 10.0.0.254",
            "route add default via fe80::254 dev eth0",
        )
        self.far.batch(
            "addr add 198.51.100.2/24 dev eth0",
            "addr add 2001:db8:f::2/64 dev eth0 nodad",
            "addr add fe80::2/64 dev eth0 nodad",
            "route add default via 198.51.100.254",
            "route add default via fe80::254 dev eth0",
        )

    def shape(self, netem: str) -> None:
        """Make the gateways' cables bad ones."""
        for gateway in (self.first, self.second):
            self.switch.shape(gateway.namespace, netem)

    def close(self) -> None:
        """End the daemons."""
        self.first.kill()
        self.second.kill()


class Flow:
    """Packets from the client to the far host and back, each 10 ms, in both families."""

    TARGETS = (("198.51.100.2", socket.AF_INET), ("2001:db8:f::2", socket.AF_INET6))

    def __init__(self, pair: Pair) -> None:
        self._clients = [_udp(pair.client, family) for _rest, family in self.TARGETS]
        self._servers = [_udp(pair.far, family, _PORT) for _rest, family in self.TARGETS]
        self._answered: List[Dict[int, float]] = [{}, {}]
        self._sent = 0
        self._first = 0

    def close(self) -> None:
        """Close all sockets."""
        for each in (*self._clients, *self._servers):
            each.close()

    def run(self, seconds: float) -> None:
        """Send for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step()

    def run_until(self, wanted: Callable[[], bool], what: str, patience_s: float = 30) -> None:
        """Send until it is as wanted."""
        end = time.monotonic() + patience_s
        while not wanted():
            assert time.monotonic() < end, "waited for " + what
            self.run(0.1)

    def step(self) -> None:
        """Send one packet each, and move what there is to move until the next one is due."""
        started = time.monotonic()
        number = b"%d" % self._sent
        self._sent += 1
        for client, (target, _rest) in zip(self._clients, self.TARGETS):
            try:
                client.sendto(number, (target, _PORT))
            except OSError:
                continue  # the client's kernel knows of no way just now
        self._move(started + _EVERY_S)

    def _move(self, until_s: float) -> None:
        everyone = (*self._clients, *self._servers)
        while True:
            left = until_s - time.monotonic()
            if left <= 0:
                return
            for ready in select.select(everyone, (), (), left)[0]:
                try:
                    data, sender = ready.recvfrom(64)
                except OSError:
                    continue  # an ICMP error for a packet of before
                if ready in self._clients:
                    self._answered[self._clients.index(ready)][int(data)] = time.monotonic()
                else:
                    _reply(ready, data, sender)

    def begin(self) -> None:
        """Count from here."""
        self._first = self._sent

    def outages_s(self) -> Tuple[float, float]:
        """The longest time without an answered packet since begin(), for IPv4 and IPv6."""
        self._move(time.monotonic() + _LATE_S)
        found = []
        for answered in self._answered:
            good = [n for n in sorted(answered) if n >= self._first]
            times = [self._first, *good, self._sent]
            found.append(max(b - a for a, b in zip(times, times[1:])) * _EVERY_S)
        return found[0], found[1]


def _udp(namespace: Namespace, family: int, port: int = 0) -> socket.socket:
    with namespace.inside():
        made = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind(("", port))
    made.setblocking(False)
    return made


def _reply(server: socket.socket, data: bytes, sender: Any) -> None:
    try:
        server.sendto(data, sender)
    except OSError:
        pass  # as lost as on the wire


def held(gateway: Gateway) -> List[str]:
    """The virtual addresses in its kernel."""
    shown = gateway.namespace.ip("-o", "addr", "show")
    return re.findall(r"vg-\S+ +inet6? (\S+)/(?:32|64|128) ", shown)


def states(daemon: Daemon) -> Dict[str, str]:
    """The states of its virtual routers."""
    return {each["name"]: each["state"] for each in daemon.show()["routers"]}


def all_are(state: str, *daemons: Daemon, names: Sequence[str] = NAMES) -> bool:
    """True when all virtual routers of all these daemons are in one state."""
    return all(states(daemon) == dict.fromkeys(names, state) for daemon in daemons)
