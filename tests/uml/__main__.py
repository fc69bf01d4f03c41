# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``tests/uml/run``: a command as root in a Linux kernel of its own.

The kernel is Debian's user-mode Linux: an ordinary process. It sees this machine's files, changes
them in memory only, and has a network of its own with 802.1Q, netem, vrf and bonding, which the
kernel of a container host may lack. Nobody has to be root for it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .machine import FAILED, Machine, MachineError


def main() -> int:
    """Run the command; its exit status is ours."""
    parser = argparse.ArgumentParser(prog="tests/uml/run", description=__doc__)
    parser.add_argument("--memory", type=int, default=512, metavar="MIB", help="of the kernel")
    parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS")
    parser.add_argument(
        "--share",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a directory whose changes are real; give it as often as needed",
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND ...")
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("name a command to run, for example: tests/uml/run ip link")
    try:
        return Machine(options.memory, options.timeout, options.share).run(command)
    except MachineError as error:
        print("tests/uml/run: %s" % error, file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
