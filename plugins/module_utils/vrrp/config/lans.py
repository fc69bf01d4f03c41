# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which interfaces of which hosts are on one LAN, as far as a configuration tells. Layer L2.

The members of a gateway group hear each other, whatever their interfaces are called; and what one
interface hears is one LAN. So groups that meet on an interface of one host are on one LAN with all
of their members, also those that have no host in common. A VRID is used once there (RFC 9568
section 3: the scope of a virtual router is a single LAN).
"""

from __future__ import annotations

from typing import Dict, Iterable, Sequence, Tuple

#: Host and interface.
Port = Tuple[str, str]


def lans(groups: Iterable[Sequence[Port]]) -> Dict[Port, Port]:
    """For each port of these groups the one that stands for its LAN."""
    parent: Dict[Port, Port] = {}

    def root(port: Port) -> Port:
        while parent.setdefault(port, port) != port:
            parent[port] = parent[parent[port]]
            port = parent[port]
        return port

    for ports in groups:
        for port in ports:
            parent[root(port)] = root(ports[0])
    return {port: root(port) for port in parent}
