# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel that runs the tests can do, for the marker kernel(...). To add one: HAS."""

from __future__ import annotations

from typing import Callable, Dict

import cages
from namespaces import Namespace

from vrrp.linux import nftables


def has_netem() -> bool:
    """True when cables can be made bad."""
    namespace = Namespace("try")
    try:
        namespace.run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
    except AssertionError:
        return False
    finally:
        namespace.remove()
    return True


def has_vrf() -> bool:
    """True when links can be put into VRFs."""
    return _takes("link add try type vrf table 100")


def has_live_rename() -> bool:
    """True when links that are up can be renamed (since Linux 6.2)."""
    return _takes("link add try up type bridge", "link set try name again")


def _takes(*lines: str) -> bool:
    namespace = Namespace("try")
    try:
        namespace.batch(*lines)
    except AssertionError:
        return False
    finally:
        namespace.remove()
    return True


HAS: Dict[str, Callable[[], bool]] = {
    "netem": has_netem,
    "vrf": has_vrf,
    "live_rename": has_live_rename,
    "memory_limits": cages.is_possible,
    "nftables": lambda: nftables.can_filter_inet() and nftables.can_filter_arp(),
}
