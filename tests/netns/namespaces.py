# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces for tests: made under unique names, entered for a while, always removed."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import itertools
import os
import socket
import struct
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
_MNT_DETACH = 2
_MS_BIND = 4096
# Of <linux/sockios.h> and <linux/if.h>.
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_SIOCGIFHWADDR = 0x8927
_IFF_UP = 1
_numbers = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """One network namespace. Sockets opened inside stay inside, so a test may hold many at once."""

    def __init__(self, role: str) -> None:
        self.name = "vgt-%d-%d-%s" % (os.getpid(), next(_numbers), role)
        _make_directory()
        _make_namespace("/run/netns/" + self.name)
        self.raise_link("lo")

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

    def raise_link(self, name: str) -> None:
        """Set a link up."""
        with self.inside():
            answer = _interface_request(_SIOCGIFFLAGS, name, b"")
            (flags,) = struct.unpack_from("H", answer, 16)
            _interface_request(_SIOCSIFFLAGS, name, struct.pack("H", flags | _IFF_UP))

    def mac(self, interface: str) -> str:
        """The MAC address of an interface."""
        with self.inside():
            answer = _interface_request(_SIOCGIFHWADDR, interface, b"")
        return answer[18:24].hex(":")

    def remove(self) -> None:
        """Remove the namespace and everything in it."""
        path = "/run/netns/" + self.name
        _libc.umount2(path.encode(), _MNT_DETACH)
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass  # somebody was quicker


def _interface_request(number: int, interface: str, value: bytes) -> bytes:
    """Ask the kernel about an interface: without a process of its own, for there are many."""
    request = struct.pack("16s24s", interface.encode(), value)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        return fcntl.ioctl(asker, number, request)


# What follows does the work of `ip netns`, without a process for each step: user-mode Linux takes
# a tenth of a second to start one, and each test has a handful of namespaces.


@functools.lru_cache(maxsize=None)
def _make_directory() -> None:
    """/run/netns, a mount of its own, as ip makes it."""
    name = "vgt-%d-0-first" % os.getpid()
    run("ip", "netns", "add", name)
    run("ip", "netns", "del", name)


def _make_namespace(path: str) -> None:
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o444))
    try:
        _check(_libc.unshare(_CLONE_NEWNET), "unshare")
        try:
            own = b"/proc/thread-self/ns/net"
            _check(_libc.mount(own, path.encode(), b"none", _MS_BIND, None), "mount")
        finally:
            _set_namespace(home)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(home)


def _check(status: int, what: str) -> None:
    if status:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (what, os.strerror(number)))


def _set_namespace(descriptor: int) -> None:
    _check(_libc.setns(descriptor, _CLONE_NEWNET), "setns")


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


def connect(
    left: Namespace, left_name: str, right: Namespace, right_name: str, is_quiet: bool = True
) -> None:
    """A cable (veth pair) between two namespaces, both ends up.

    is_quiet: the right end, as the left one, does not talk IPv6 by itself.
    """
    peer = ("peer", "name", right_name, "netns", right.name)
    left.ip("link", "add", left_name, "type", "veth", *peer)
    quiet(left, left_name)
    if is_quiet:
        quiet(right, right_name)
    left.raise_link(left_name)
    right.raise_link(right_name)


def tag(namespace: Namespace, trunk: str, vlans: Mapping[str, int], more: str = "") -> None:
    """802.1Q interfaces of a trunk, by name."""
    lines = []
    for name, vlan in vlans.items():
        lines.append("link add link %s name %s %s type vlan id %d" % (trunk, name, more, vlan))
    namespace.batch(*lines)
    quiet(namespace, *vlans)
    for name in vlans:
        namespace.raise_link(name)


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
        kind = "type bridge mcast_snooping 0"
        if TRUNKED:
            kind += " vlan_filtering 1 vlan_default_pvid 0"
        names = sorted({_bridge(vlan) for vlan in (LAN_VLAN, WAN_VLAN)})
        namespace.batch(*("link add %s up %s" % (name, kind) for name in names))

    def add_router(self, router: Namespace) -> None:
        """Its links LAN and WAN."""
        self._routers.append(router.name)
        if TRUNKED:
            self._cable(router, TRUNK, LAN_VLAN, WAN_VLAN)
            # Only its VLANs carry IP.
            router.sysctl("net/ipv6/conf/%s/disable_ipv6" % TRUNK, "1")
            tag(router, TRUNK, {LAN: LAN_VLAN, WAN: WAN_VLAN})
        else:
            self._cable(router, LAN, LAN_VLAN)
            self._cable(router, WAN, WAN_VLAN)

    def add_host(self, host: Namespace, vlan: int, is_quiet: bool = True) -> None:
        """Its link eth0."""
        self._cable(host, "eth0", vlan, is_quiet=is_quiet)

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
        for name in (TRUNK,) if TRUNKED else (LAN, WAN):
            run("tc", "-n", namespace.name, *_netem(name, netem))

    def _set_ports(self, namespace: Namespace, state: str) -> None:
        for port in self._ports[namespace.name]:
            self.namespace.ip("link", "set", port, state)

    def _cable(self, other: Namespace, name: str, *vlans: int, is_quiet: bool = True) -> None:
        """Of more than one VLAN: with tags."""
        port = "port%d" % (sum(len(ports) for ports in self._ports.values()) + 1)
        connect(self.namespace, port, other, name, is_quiet)
        self.namespace.ip("link", "set", port, "master", _bridge(vlans[0]))
        self._ports.setdefault(other.name, []).append(port)
        if TRUNKED:
            how = "pvid untagged" if len(vlans) == 1 else ""
            lines = ("vlan add dev %s vid %d %s" % (port, vlan, how) for vlan in vlans)
            run("bridge", "-n", self.namespace.name, "-batch", "-", given="\n".join(lines))


def _bridge(vlan: int) -> str:
    return "bridge" if TRUNKED else "bridge%d" % vlan


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
        self.router.batch(
            "addr add 10.0.0.252/24 dev %s" % LAN,
            "addr add 198.51.100.1/24 dev %s" % WAN,
            "addr add 2001:db8:a::252/64 dev %s nodad" % LAN,
            "addr add fe80::252/64 dev %s nodad" % LAN,
            "addr add 2001:db8:f::1/64 dev %s nodad" % WAN,
            "addr add fe80::1/64 dev %s nodad" % WAN,
            "link add link %s name sentinel address %s type macvlan mode bridge"
            % (LAN, SENTINEL_MAC),
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
        self._raise_sentinel()
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
            tag(self.router, TRUNK, {WAN: WAN_VLAN}, "index %d" % index)

    def _raise_sentinel(self) -> None:
        """A macvlan beside ours, to know when broadcasts have been worked off: see frames.py."""
        self.router.sysctl("net/ipv6/conf/sentinel/disable_ipv6", "1")
        self.router.sysctl("net/ipv4/conf/sentinel/arp_ignore", "1")
        self.router.sysctl("net/ipv4/conf/sentinel/rp_filter", "2")
        self.router.batch("addr add %s/32 dev sentinel" % SENTINEL_ADDRESS, "link set sentinel up")
