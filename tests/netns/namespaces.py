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
from typing import Iterator, List

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


def run(*words: str) -> str:
    """Run a command; its output. A failing command raises, with what it said."""
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
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


def quiet(namespace: Namespace, *names: str) -> None:
    """Keep the kernel from talking IPv6 by itself on these interfaces."""
    for name in names:
        namespace.sysctl("net/ipv6/conf/%s/addr_gen_mode" % name, "1")
        namespace.sysctl("net/ipv6/conf/%s/accept_dad" % name, "0")


class Site:
    """A router between a LAN with one client and a far network with one host.

    client 10.0.0.10 -- lan0 10.0.0.252 router wan0 198.51.100.1 -- far 198.51.100.2; in IPv6
    2001:db8:a::10, ::252 and 2001:db8:f::1, ::2. The client's interface is eth0.
    """

    def __init__(self, namespaces: List[Namespace]) -> None:
        self.router, self.client, self.far = namespaces
        connect(self.router, "lan0", self.client, "eth0")
        connect(self.router, "wan0", self.far, "eth0")
        for namespace, names in (
            (self.router, ("lan0", "wan0")),
            (self.client, ("eth0",)),
            (self.far, ("eth0",)),
        ):
            quiet(namespace, *names)
        add = ("addr", "add")
        self.router.ip(*add, "10.0.0.252/24", "dev", "lan0")
        self.router.ip(*add, "198.51.100.1/24", "dev", "wan0")
        self.router.ip(*add, "2001:db8:a::252/64", "dev", "lan0", "nodad")
        self.router.ip(*add, "fe80::252/64", "dev", "lan0", "nodad")
        self.router.ip(*add, "2001:db8:f::1/64", "dev", "wan0", "nodad")
        self.router.ip(*add, "fe80::1/64", "dev", "wan0", "nodad")
        self.client.ip(*add, "10.0.0.10/24", "dev", "eth0")
        self.client.ip(*add, "2001:db8:a::10/64", "dev", "eth0", "nodad")
        self.client.ip(*add, "fe80::10/64", "dev", "eth0", "nodad")
        self.far.ip(*add, "198.51.100.2/24", "dev", "eth0")
        self.far.ip(*add, "2001:db8:f::2/64", "dev", "eth0", "nodad")
        self.far.ip(*add, "fe80::2/64", "dev", "eth0", "nodad")
        self.far.ip("route", "add", "10.0.0.0/24", "via", "198.51.100.1")
        self.far.ip("route", "add", "2001:db8:a::/64", "via", "2001:db8:f::1")
        self._add_sentinel()
        self.router.sysctl("net/ipv4/ip_forward", "1")
        self.router.sysctl("net/ipv6/conf/all/forwarding", "1")

    def _add_sentinel(self) -> None:
        """A macvlan beside ours, to know when broadcasts have been worked off: see frames.py."""
        kind = ("type", "macvlan", "mode", "bridge")
        where = ("link", "lan0", "name", "sentinel", "address", SENTINEL_MAC)
        self.router.ip("link", "add", *where, *kind)
        self.router.sysctl("net/ipv6/conf/sentinel/disable_ipv6", "1")
        self.router.sysctl("net/ipv4/conf/sentinel/arp_ignore", "1")
        self.router.sysctl("net/ipv4/conf/sentinel/rp_filter", "2")
        self.router.ip("addr", "add", SENTINEL_ADDRESS + "/32", "dev", "sentinel")
        self.router.ip("link", "set", "sentinel", "up")
