# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who takes part: our engine, keepalived and FRR, each a process in a namespace of the LAN.

The peers are the distribution's: they run chrooted in an overlay of the `peers` root file system,
in mount and process namespaces of their own, so one SIGKILL ends all of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Tuple

from tests.interop.lan import ADDITIONAL, PEER, US, VIRTUAL, VIRTUAL_MAC, VRID, Lan
from tests.lab.shell import children, in_namespace, ip, run, wait_for

# Makes the overlay on a tmpfs that vanishes with the mount namespace, then becomes the daemon.
CHROOT_SCRIPT = """
set -e
mount -t tmpfs tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
mount --rbind /dev "$2/root/dev"
cp "$3" "$2/root/etc/peer.conf"
exec chroot "$2/root" sh -c "$4"
"""


LENGTHS = {4: "/24", 6: "/64"}


@dataclass(frozen=True)
class Side:
    """How one of the two is configured. Only we can choose the form of a checksum."""

    priority: int
    interval_cs: int
    preempt: bool = True
    password: str = ""
    has_additional_address: bool = False
    checksum: str = "auto"


@dataclass(frozen=True)
class Setting:
    """Both sides of a test, and how the peer's host is prepared.

    virtual_mac: whether the peer uses one. quiet: whether sysctls beyond the peer's documentation
    keep its physical MAC from answering for the virtual address.
    """

    peer: str
    protocol: int
    version: int  # of IP
    us: Side
    them: Side
    virtual_mac: bool = True
    quiet: bool = True

    def side(self, name: str) -> Side:
        return self.us if name == US else self.them

    def addresses(self, name: str) -> Tuple[str, ...]:
        more = (ADDITIONAL[self.version],) if self.side(name).has_additional_address else ()
        return VIRTUAL[self.version] + more

    def skew_time(self, name: str) -> float:
        """RFC 3768 section 6.1 and RFC 9568 section 6.1, in seconds."""
        side = self.side(name)
        interval = 1.0 if self.protocol == 2 else side.interval_cs / 100
        return (256 - side.priority) / 256 * interval

    def master_down_interval(self, name: str) -> float:
        return 3 * self.side(name).interval_cs / 100 + self.skew_time(name)


class Participant:
    """A speaker in its namespace: started, stopped in order, or killed with its cable cut."""

    name = ""

    def __init__(self, lan: Lan, setting: Setting, directory: Path) -> None:
        self._lan, self.setting, self.directory = lan, setting, directory
        self._child: Optional[subprocess.Popen[bytes]] = None

    def start(self) -> None:
        """Start with the cable in."""
        self._lan.plug(self.name, up=True)
        with open(self.directory / (self.name + ".log"), "ab") as log:
            self._child = subprocess.Popen(
                in_namespace(self._lan.namespace(self.name), self._command()),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        assert self._child is not None
        os.kill(self._daemon(), signal.SIGTERM)
        self._child.wait(20)

    def crash(self) -> None:
        """End it without a word, like a machine without power: the cable is cut too."""
        self._lan.plug(self.name, up=False)
        self.kill()

    def kill(self) -> None:
        if self._child is not None and self._child.poll() is None:
            os.kill(self._daemon(), signal.SIGKILL)
            self._child.wait(20)

    def log(self) -> str:
        path = self.directory / (self.name + ".log")
        return path.read_text(errors="replace") if path.exists() else ""

    def _command(self) -> List[str]:
        raise NotImplementedError

    def _daemon(self) -> int:
        assert self._child is not None
        return self._child.pid


class Vlangate(Participant):
    """Our engine, from its release."""

    name = US
    program = Path()

    def _command(self) -> List[str]:
        setting, side = self.setting, self.setting.us
        router = {
            "name": "lan", "interface": "eth0", "family": "ipv%d" % setting.version, "vrid": VRID,
            "version": setting.protocol, "priority": side.priority, "preempt": side.preempt,
            "advertisement_interval_cs": side.interval_cs, "accept": True,
            "checksum": side.checksum, "addresses": list(setting.addresses(US)),
        }  # fmt: skip
        if side.password:
            router["password"] = side.password
        path = self.directory / "vlangate.json"
        path.write_text(json.dumps({"virtual_routers": [router]}))
        runtime = self.directory / "run"
        return [str(self.program), "run", "--config", str(path), "--runtime-dir", str(runtime)]


class ForeignPeer(Participant):
    """A daemon of the distribution in its root file system."""

    name = PEER
    rootfs = Path()

    def configuration(self) -> str:
        raise NotImplementedError

    def shell_command(self) -> str:
        raise NotImplementedError

    def prepare(self) -> None:
        """What its documentation asks of the host."""

    def start(self) -> None:
        if self._child is None:
            self.prepare()
        super().start()

    def _command(self) -> List[str]:
        path = self.directory / "peer.conf"
        path.write_text(self.configuration())
        mount_point = self.directory / "root"
        mount_point.mkdir(exist_ok=True)
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", CHROOT_SCRIPT,
                "peer", str(self.rootfs), str(mount_point), str(path),
                self.shell_command()]  # fmt: skip

    def _daemon(self) -> int:
        """Process 1 of its process namespace, which is the daemon."""
        child = self._child
        assert child is not None
        return int(wait_for(lambda: (children(child.pid) or [0])[0], 5, "the peer's process", 0.01))


class Keepalived(ForeignPeer):
    """keepalived as its manual shows it, with a virtual MAC or without."""

    def configuration(self) -> str:
        setting, side = self.setting, self.setting.them
        lines = [
            "global_defs {", "  vrrp_version %d" % setting.protocol, "}",
            "vrrp_instance lan {", "  interface eth0", "  state BACKUP",
            "  virtual_router_id %d" % VRID, "  priority %d" % side.priority,
            "  advert_int %.2f" % (side.interval_cs / 100), "  accept",
        ]  # fmt: skip
        if setting.virtual_mac:
            lines.append("  use_vmac vmac")
        if setting.version == 6:
            lines.append("  native_ipv6")
        if not side.preempt:
            lines.append("  nopreempt")
        if side.password:
            lines += ["  authentication {", "  auth_type PASS", "  auth_pass " + side.password, "}"]
        length = LENGTHS[setting.version]
        addresses = ["    " + address + length for address in setting.addresses(PEER)]
        return "\n".join([*lines, "  virtual_ipaddress {", *addresses, "  }", "}"]) + "\n"

    def shell_command(self) -> str:
        return "exec keepalived --dont-fork --log-console --log-detail --vrrp -f /etc/peer.conf"


class Frr(ForeignPeer):
    """FRR's vrrpd, with the macvlan that its documentation asks for."""

    def prepare(self) -> None:
        if self.setting.quiet:
            # Beyond its documentation: else its physical MAC answers for the VIP, also as backup.
            settings = ["net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2"]
            run(in_namespace(self._lan.namespace(PEER), ["sysctl", "-qw", *settings]))
        version = self.setting.version
        lines = [
            "link add vrrp link eth0 type macvlan mode bridge",
            "link set vrrp addrgenmode random",
            "link set vrrp address %s" % VIRTUAL_MAC[version],
        ]
        addresses = self.setting.addresses(PEER)
        lines += ["addr add %s%s dev vrrp" % (a, LENGTHS[version]) for a in addresses]
        ip(self._lan.namespace(PEER), [*lines, "link set vrrp up"])

    def configuration(self) -> str:
        setting, side = self.setting, self.setting.them
        prefix = " vrrp %d" % VRID
        lines = [
            "interface eth0", "%s version %d" % (prefix, setting.protocol),
            "%s priority %d" % (prefix, side.priority),
            "%s advertisement-interval %d" % (prefix, side.interval_cs * 10),
        ]  # fmt: skip
        if not side.preempt:
            lines.append(" no%s preempt" % prefix)
        word = "ip" if setting.version == 4 else "ipv6"
        lines += ["%s %s %s" % (prefix, word, address) for address in setting.addresses(PEER)]
        return "\n".join(lines) + "\n"

    def shell_command(self) -> str:
        return (
            "mkdir -p /run/frr && chown frr:frr /run/frr /etc/peer.conf && : > /etc/zebra.conf && "
            "/usr/lib/frr/zebra -d -f /etc/zebra.conf -P 0 --log stdout && "
            "exec /usr/lib/frr/vrrpd -f /etc/peer.conf -P 0 --log stdout"
        )
