# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ssh's ProxyCommand: connect from inside the lab's network and hand the socket over.

python3 relay.py HOST PORT
"""

from __future__ import annotations

import array
import socket
import sys

CONNECT_SECONDS = 10
STANDARD_OUTPUT = 1


def main(host: str, port: str) -> None:
    """Connect, and pass the socket to ssh over our standard output (ProxyUseFdpass)."""
    with socket.create_connection((host, int(port)), CONNECT_SECONDS) as connection:
        connection.settimeout(None)
        with socket.socket(fileno=STANDARD_OUTPUT) as ssh:
            descriptor = array.array("i", [connection.fileno()])
            ssh.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptor)])
            ssh.detach()


if __name__ == "__main__":
    main(*sys.argv[1:])
