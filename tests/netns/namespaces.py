# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces for tests: made under unique names, entered for a while, always removed."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import subprocess
from typing import Dict, Iterator, List, Mapping, Sequence

# With VLANGATE_NETNS_TRUNK=1 the router's links are 802.1Q interfaces of one trunk to a switch that
# knows VLANs; otherwise each is a cable of its own. Their names then have dots, which file names of
# sysctls keep and names of sysctls do not.
TRUNKED = os.environ.get("VLANGATE_NETNS_TRUNK", "") not in ("", "0")
TRUNK = "va"
LAN_VLAN, WAN_VLAN = 10, 20
LAN, WAN = ("va.10", "va.20") if TRUNKED else ("lan0", "wan0")
SENTINEL_ADDRESS = "10.0.0.200"
SENTINEL_MAC = "02:00:00:00:00:99"
_CLONE_NEWNET = 0x40000000
_numbers = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """One network namespace. Sockets opened inside stay inside, so a test may hold many at once."""

    def __init__(self, role: str) -> None:
        self.name = "vgt-%d-%d-%s" % (os.getpid(), next(_numbers), role)
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """This thread is in the namespace; /proc/sys/net follows."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        target = os.open("/run/netns/" + self.name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _set_namespace(target)
            yield
        finally:
            _set_namespace(home)
            os.close(target)
            os.close(home)

    def ip(self, *words: str) -> str:
        """Run ip in this namespace; its output."""
        return run("ip", "-n", self.name, *words)

    def batch(self, *lines: str) -> None:
        """Several commands of ip in this namespace by one process."""
        run("ip", "-n", self.name, "-batch", "-", given="\n".join(lines))

    def run(self, *words: str) -> str:
        """Run a command in this namespace; its output. A failing command fails the test."""
        return run("ip", "netns", "exec", self.name, *words)

    def sysctl(self, key: str, value: str) -> None:
        """Set a sysctl, named by its path below /proc/sys."""
        with self.inside(), open("/proc/sys/" + key, "w", encoding="ascii") as file:
            file.write(value)

    def read_sysctl(self, key: str) -> str:
        """A sysctl, named by its path below /proc/sys."""
        with self.inside(), open("/proc/sys/" + key, encoding="ascii") as file:
            return file.read().strip()

    def mac(self, interface: str) -> str:
        """The MAC address of an interface."""
        with self.inside():
            return _read_address(self, interface)

    def remove(self) -> None:
        """Remove the namespace and everything in it."""
        subprocess.run(["ip", "netns", "del", self.name], check=False)


def _read_address(namespace: Namespace, interface: str) -> str:
    for line in namespace.ip("-o", "link", "show", "dev", interface).split("\\"):
        if "link/ether" in line:
            return line.split()[1]
    raise AssertionError("%s has no MAC address" % interface)


def _set_namespace(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, "setns: " + os.strerror(number))


def run(*words: str, given: str = "") -> str:
    """Run a command; its output. A failing command raises, with what it said."""
    done = subprocess.run(
        words,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError("%s failed:\n%s" % (" ".join(words), done.stdout))
    return done.stdout


def connect(left: Namespace, left_name: str, right: Namespace, right_name: str) -> None:
    """A cable (veth pair) between two namespaces, both ends up.

    Checksums are computed by software: frames that are captured or replayed have to be complete.
    """
    left.ip(
        "link", "add", left_name, "type", "veth", "peer", "name", right_name, "netns", right.name
    )
    for namespace, name in ((left, left_name), (right, right_name)):
        namespace.ip("link", "set", name, "up")


def tag(namespace: Namespace, trunk: str, name: str, vlan: int, *more: str) -> None:
    """A 802.1Q interface of a trunk."""
    kind = ("type", "vlan", "id", str(vlan))
    namespace.ip("link", "add", "link", trunk, "name", name, *more, *kind)
    namespace.ip("link", "set", name, "up")


def quiet(namespace: Namespace, *names: str) -> None:
    """Keep the kernel from talking IPv6 by itself on these interfaces."""
    for name in names:
        namespace.sysctl("net/ipv6/conf/%s/addr_gen_mode" % name, "1")
        namespace.sysctl("net/ipv6/conf/%s/accept_dad" % name, "0")


class Switch:
    """Two VLANs: routers are in both, each host in one.

    Trunked, it is a bridge that knows VLANs; otherwise a bridge for each.
    """

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self._ports: Dict[str, List[str]] = {}
        self._routers: List[str] = []
        namespace.sysctl("net/ipv6/conf/default/disable_ipv6", "1")
        kind = ["type", "bridge", "mcast_snooping", "0"]
        if TRUNKED:
            kind += ["vlan_filtering", "1", "vlan_default_pvid", "0"]
        for vlan in (LAN_VLAN, WAN_VLAN):
            if self._bridge(vlan) not in namespace.ip("-o", "link"):
                namespace.ip("link", "add", self._bridge(vlan), *kind)
                namespace.ip("link", "set", self._bridge(vlan), "up")

    @staticmethod
    def _bridge(vlan: int) -> str:
        return "bridge" if TRUNKED else "bridge%d" % vlan

    def add_router(self, router: Namespace) -> None:
        """Its links LAN and WAN."""
        self._routers.append(router.name)
        if TRUNKED:
            self._cable(router, TRUNK, {LAN_VLAN: False, WAN_VLAN: False})
            tag(router, TRUNK, LAN, LAN_VLAN)
            tag(router, TRUNK, WAN, WAN_VLAN)
        else:
            self._cable(router, LAN, {LAN_VLAN: True})
            self._cable(router, WAN, {WAN_VLAN: True})

    def add_host(self, host: Namespace, vlan: int) -> None:
        """Its link eth0."""
        self._cable(host, "eth0", {vlan: True})

    def router_ports(self) -> List[str]:
        """The ports that routers are at."""
        return [port for name in self._routers for port in self._ports[name]]

    def cut(self, namespace: Namespace) -> None:
        """Its cables have no carrier any more."""
        self._set_ports(namespace, "down")

    def mend(self, namespace: Namespace) -> None:
        """Its cables are as before."""
        self._set_ports(namespace, "up")

    def shape(self, namespace: Namespace, netem: str) -> None:
        """Delay, lose and reorder what the switch sends to it and what comes from it."""
        for port in self._ports[namespace.name]:
            run("tc", "-n", self.namespace.name, *_netem(port, netem))
        for name in (TRUNK,) if TRUNKED else ("lan0", "wan0"):
            run("tc", "-n", namespace.name, *_netem(name, netem))

    def _set_ports(self, namespace: Namespace, state: str) -> None:
        for port in self._ports[namespace.name]:
            self.namespace.ip("link", "set", port, state)

    def _cable(self, other: Namespace, name: str, untagged: Mapping[int, bool]) -> None:
        port = "port%d" % (sum(len(ports) for ports in self._ports.values()) + 1)
        connect(self.namespace, port, other, name)
        self._ports.setdefault(other.name, []).append(port)
        for vlan in untagged:
            self.namespace.ip("link", "set", port, "master", self._bridge(vlan))
        if TRUNKED:
            for vlan, is_untagged in untagged.items():
                how = ("pvid", "untagged") if is_untagged else ()
                words = ("vlan", "add", "dev", port, "vid", str(vlan), *how)
                run("bridge", "-n", self.namespace.name, *words)


def _netem(interface: str, netem: str) -> Sequence[str]:
    return ("qdisc", "replace", "dev", interface, "root", "netem", *netem.split())


class Site:
    """A router between a LAN with one client and a far network with one host.

    client 10.0.0.10 -- LAN 10.0.0.252 router WAN 198.51.100.1 -- far 198.51.100.2; in IPv6
    2001:db8:a::10, ::252 and 2001:db8:f::1, ::2. The client's interface is eth0. Trunked, there is
    a switch between them.
    """

    ROLES = ("router", "client", "far", *(("switch",) if TRUNKED else ()))

    def __init__(self, namespaces: Sequence[Namespace]) -> None:
        self.router, self.client, self.far = namespaces[:3]
        self._switch = Switch(namespaces[3]) if TRUNKED else None
        if self._switch is None:
            connect(self.router, LAN, self.client, "eth0")
            connect(self.router, WAN, self.far, "eth0")
        else:
            self._switch.add_router(self.router)
            self._switch.add_host(self.client, LAN_VLAN)
            self._switch.add_host(self.far, WAN_VLAN)
        for namespace, names in (
            (self.router, (LAN, WAN)),
            (self.client, ("eth0",)),
            (self.far, ("eth0",)),
        ):
            quiet(namespace, *names)
        self.router.batch(
            "addr add 10.0.0.252/24 dev %s" % LAN,
            "addr add 198.51.100.1/24 dev %s" % WAN,
            "addr add 2001:db8:a::252/64 dev %s nodad" % LAN,
            "addr add fe80::252/64 dev %s nodad" % LAN,
            "addr add 2001:db8:f::1/64 dev %s nodad" % WAN,
            "addr add fe80::1/64 dev %s nodad" % WAN,
        )
        self.client.batch(
            "addr add 10.0.0.10/24 dev eth0",
            "addr add 2001:db8:a::10/64 dev eth0 nodad",
            "addr add fe80::10/64 dev eth0 nodad",
        )
        self.far.batch(
            "addr add 198.51.100.2/24 dev eth0",
            "addr add 2001:db8:f::2/64 dev eth0 nodad",
            "addr add fe80::2/64 dev eth0 nodad",
            "route add 10.0.0.0/24 via 198.51.100.1",
            "route add 2001:db8:a::/64 via 2001:db8:f::1",
        )
        self._add_sentinel()
        self.router.sysctl("net/ipv4/ip_forward", "1")
        self.router.sysctl("net/ipv6/conf/all/forwarding", "1")

    def unplug_wan(self) -> None:
        """The router's link WAN has no carrier; trunked, LAN has none either."""
        if self._switch is None:
            self.far.ip("link", "set", "eth0", "down")
        else:
            self._switch.cut(self.router)

    def plug_wan(self) -> None:
        """It has again."""
        if self._switch is None:
            self.far.ip("link", "set", "eth0", "up")
        else:
            self._switch.mend(self.router)

    def remake_wan(self, index: int) -> None:
        """WAN, that was deleted, under the same name and index."""
        if self._switch is None:
            peer = ("peer", "name", "eth0", "netns", self.far.name)
            self.router.ip("link", "add", WAN, "index", str(index), "type", "veth", *peer)
            self.router.ip("link", "set", WAN, "up")
            self.far.ip("link", "set", "eth0", "up")
        else:
            tag(self.router, TRUNK, WAN, WAN_VLAN, "index", str(index))

    def _add_sentinel(self) -> None:
        """A macvlan beside ours, to know when broadcasts have been worked off: see frames.py."""
        kind = ("type", "macvlan", "mode", "bridge")
        where = ("link", LAN, "name", "sentinel", "address", SENTINEL_MAC)
        self.router.ip("link", "add", *where, *kind)
        self.router.sysctl("net/ipv6/conf/sentinel/disable_ipv6", "1")
        self.router.sysctl("net/ipv4/conf/sentinel/arp_ignore", "1")
        self.router.sysctl("net/ipv4/conf/sentinel/rp_filter", "2")
        self.router.ip("addr", "add", SENTINEL_ADDRESS + "/32", "dev", "sentinel")
        self.router.ip("link", "set", "sentinel", "up")
