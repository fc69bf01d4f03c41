# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ssh into the routers of a lab: keys, one ssh configuration, and the way into its network.

The configuration works from everywhere on this machine: ssh's ProxyCommand runs `relay.py` inside
the lab's controller namespace and hands the connected socket over.

    ssh -F /run/vlangate-lab/PREFIX/ssh_config gw1
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import List

from .shell import in_namespace, run
from .topology import CONTROLLER, LabSpec

RELAY = Path(__file__).with_name("relay.py")


def write_access(directory: Path, spec: LabSpec) -> None:
    """Make the keys, and the configuration that knows the routers by name and by key."""
    for name in ("id", "host_key"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", spec.prefix, "-f",
             str(directory / name)])  # fmt: skip
    key = " ".join((directory / "host_key.pub").read_text().split()[:2])
    (directory / "cp").mkdir(mode=0o700)
    known: List[str] = []
    lines: List[str] = []
    for router in spec.routers:
        address = spec.management_address(router)
        known.append("%s,%s %s\n" % (router, address, key))
        lines += ["Host %s %s" % (router, address), "  HostName " + address]
    proxy = in_namespace(spec.namespace(CONTROLLER), [sys.executable, "-ISE", str(RELAY)])
    lines += [
        "Host *", "  User root", "  IdentityFile %s/id" % directory, "  IdentitiesOnly yes",
        "  UserKnownHostsFile %s/known_hosts" % directory, "  GlobalKnownHostsFile /dev/null",
        "  ProxyUseFdpass yes", "  ProxyCommand %s %%h %%p" % " ".join(proxy),
        "  ServerAliveInterval 2", "  ServerAliveCountMax 3", "  LogLevel ERROR",
    ]  # fmt: skip
    (directory / "known_hosts").write_text("".join(known))
    (directory / "ssh_config").write_text("\n".join(lines) + "\n")
