# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every inventory in inventories/ is refused before the first connection, with the line to mend.

In an inventory, "# says: " is the beginning of a problem that has to be told, and "# mend" stands
in the lines that have to be named: those and no others.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
SAYS = re.compile(r"^# says: (.*)$", re.MULTILINE)
LEAST = 20


def play(inventory: Path) -> tuple[int, str, bool]:
    """The roll-out of an inventory: exit status, what it said, and whether it went to a host."""
    with tempfile.TemporaryDirectory() as directory:
        tripwire = Path(directory) / "tripwire"
        done = subprocess.run(
            ["ansible-playbook", "-i", str(inventory), "vlangate.vrrp.site"]
            + ["-e", "ansible_connection=tripwire"],
            env={
                **os.environ,
                "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "connection_plugins"),
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
                "TRIPWIRE": str(tripwire),
            },
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, tripwire.exists()


def complaints(inventory: Path) -> list[str]:
    """What is not as this inventory wants it."""
    status, said, connected = play(inventory)
    text = inventory.read_text(encoding="utf-8")
    lines = text.splitlines()
    wanted = SAYS.findall(text)
    told = re.findall(r"^- (.*)$", said, re.MULTILINE)
    mend = {number for number, line in enumerate(lines, 1) if line.endswith("# mend")}
    pattern = r"^  %s:(\d+):\d+$" % re.escape(str(inventory))
    places = {int(number) for number in re.findall(pattern, said, re.MULTILINE)}
    found = []
    if status == 0:
        found.append("it was not refused")
    if connected:
        found.append("somebody connected to a host")
    found += ["not said: %s" % each for each in wanted if not any(map(_begins(each), told))]
    if len(told) != len(wanted):
        found.append("%d problems were told, not %d" % (len(told), len(wanted)))
    if places != mend:
        found.append("lines %s were named, not %s" % (sorted(places), sorted(mend)))
    return [*found, said] if found else []


def _begins(words: str):
    return lambda sentence: sentence.startswith(words)


def main() -> int:
    """All inventories, and one that shows that the tripwire works."""
    inventories = sorted((HERE / "inventories").glob("*.yml"))
    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(inventories, pool.map(complaints, inventories)))
    failed = {path: found for path, found in results.items() if found}
    for path, found in failed.items():
        print("%s: %s" % (path.stem, "\n  ".join(found)))
    status, said, connected = play(HERE / "sound.yml")
    if not connected:
        print("the sound inventory got nowhere (status %d):\n%s" % (status, said))
    print(
        "%d of %d inventories were refused as they should"
        % (len(results) - len(failed), len(results))
    )
    return int(bool(failed) or not connected or len(results) < LEAST)


if __name__ == "__main__":
    sys.exit(main())
