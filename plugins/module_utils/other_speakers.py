# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else speaks VRRP on this host: beside keepalived or its like, the engine is a second master.

Runs on the router inside a module, and only reads. The certain sign is a raw socket of protocol 112
that is not the engine's: all speakers receive by one. What is known by its name is a sign, too: it
may have no socket only because its interface is not there yet.
"""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass

#: RFC 9568 section 5.1.1.4.
PROTOCOL = 112
#: Processes by name; vrrpd is that of FRR, too.
PROGRAMS = ("keepalived", "vrrpd", "uvrrpd")
#: Their units. FRR's is not among them: it may be enabled for another daemon.
UNITS = tuple(program + ".service" for program in PROGRAMS)
FRR = "frr.service"
#: States of a unit in which systemd is about to run it.
COMING = ("activating", "reloading")
#: Where a line of /proc/net/raw has its protocol, as a port, and its inode.
LOCAL_COLUMN, INODE_COLUMN = 1, 9
#: The program of a socket whose process is out of sight.
UNSEEN = "unseen"
#: So many processes are named in a sentence.
MOST_PROCESSES = 4

_UNIT = re.compile(r"([^/\n]+\.service)$", re.MULTILINE)

RunCommand = t.Callable[[t.List[str]], t.Tuple[int, str, str]]


@dataclass(frozen=True)
class Speaker:
    """A program beside the engine. state: running; starting, when systemd is about to start it;
    or enabled, when it does not run and would at the next boot. sockets: those of protocol 112.
    """

    program: str
    state: str
    unit: t.Optional[str] = None
    pids: t.Tuple[int, ...] = ()
    sockets: int = 0

    def sentence(self) -> str:
        """What is the matter, and what to do."""
        return "%s: %s" % (self._finding(), self._remedy())

    def _finding(self) -> str:
        if self.state == "enabled":
            return "%s does not run, but is enabled: it would start at the next boot" % self.unit
        if self.state == "starting":
            return "systemd is about to start %s, which would be master beside the engine" % (
                self.unit
            )
        sockets = _count(self.sockets, "VRRP socket") if self.sockets else "no VRRP socket yet"
        if not self.pids:
            who = "a process that cannot be seen here, in a container perhaps (%s)" % sockets
        else:
            processes = "process" if len(self.pids) == 1 else "processes"
            who = "%s (%s %s%s; %s)" % (
                self.program,
                processes,
                _listed(self.pids),
                " of " + self.unit if self.unit else "",
                sockets,
            )
        return who + " would be master beside the engine"

    def _remedy(self) -> str:
        if self.unit == FRR:
            remedy = "take vrrpd out of /etc/frr/daemons and restart " + FRR
        elif self.state == "enabled":
            remedy = "disable %s" % self.unit
        else:
            remedy = "stop it" + (" and disable " + self.unit if self.unit else "")
        if self.program == "keepalived":
            remedy = "run vlangate.vrrp.replace_keepalived for this router, or " + remedy
        if self.state == "enabled":
            return remedy
        allowed = "if it serves no LAN of the table, name %s in vlangate_tolerated_speakers"
        return remedy + "; or, " + allowed % self.program


@dataclass(frozen=True)
class Process:
    """A process as /proc has it. is_ours: it is the engine."""

    proc: str
    pid: int
    program: str
    is_ours: bool

    @property
    def is_suspect(self) -> bool:
        """Whether its name is that of a speaker."""
        return self.program in PROGRAMS

    def network(self) -> t.Optional[str]:
        """Its network namespace; None when it cannot be told."""
        return _link(os.path.join(self.proc, str(self.pid), "ns/net"))

    def unit(self) -> t.Optional[str]:
        """The service that it belongs to."""
        found = _UNIT.search(_text(os.path.join(self.proc, str(self.pid), "cgroup")))
        return found.group(1) if found else None

    def inodes(self) -> t.Set[str]:
        """Those of its sockets. Raises OSError."""
        directory = os.path.join(self.proc, str(self.pid), "fd")
        links = (_link(os.path.join(directory, name)) or "" for name in os.listdir(directory))
        return {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}


def speakers(
    directory: str, daemon_pid: t.Optional[int] = None, proc: str = "/proc"
) -> t.List[Speaker]:
    """Those that run in this network namespace, by program and unit, but for the engine.

    That is daemon_pid, or what runs from directory, where vrrp_engine has put it.
    """
    sockets = _sockets(proc)
    processes = list(_processes(proc, directory, daemon_pid))
    held, is_complete = _held(processes, sockets)
    # A socket that is gone by now was that of a short test, say.
    sockets = sockets & _sockets(proc)
    nobodys = sockets.difference(*held.values())
    here = _link(os.path.join(proc, "self/ns/net"))
    found: t.Dict[t.Tuple[str, t.Optional[str]], t.List[Process]] = {}
    for process in processes:
        mine = held.get(process.pid, set()) & sockets
        if process.is_ours or not (mine or (process.is_suspect and process.network() == here)):
            continue
        found.setdefault((process.program, process.unit()), []).append(process)
    told = [
        Speaker(
            program,
            "running",
            unit,
            tuple(sorted(each.pid for each in members)),
            sum(len(held.get(each.pid, set()) & sockets) for each in members),
        )
        for (program, unit), members in found.items()
    ]
    if nobodys and is_complete:
        told.append(Speaker(UNSEEN, "running", sockets=len(nobodys)))
    return told


def waiting_units(run: RunCommand, running: t.Sequence[Speaker]) -> t.List[Speaker]:
    """Those that systemd is about to start, or would at the next boot; not those that run."""
    properties = "--property=Id,ActiveState,UnitFileState"
    code, output, _error = run(["systemctl", "show", properties, *UNITS])
    if code != 0:
        return []
    told = []
    for block in output.split("\n\n"):
        unit = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        name, active = unit.get("Id", ""), unit.get("ActiveState")
        if name not in UNITS or any(each.unit == name for each in running):
            continue
        program = name[: -len(".service")]
        if active in COMING:
            told.append(Speaker(program, "starting", name))
        # One that is active without a process here serves another network namespace.
        elif active != "active" and unit.get("UnitFileState", "").startswith("enabled"):
            told.append(Speaker(program, "enabled", name))
    return told


def _sockets(proc: str) -> t.Set[str]:
    """The inodes of all sockets of VRRP in this network namespace."""
    inodes = set()
    for name in ("raw", "raw6"):
        for line in _text(os.path.join(proc, "self/net", name)).splitlines()[1:]:
            columns = line.split()
            if int(columns[LOCAL_COLUMN].rpartition(":")[2], 16) == PROTOCOL:
                inodes.add(columns[INODE_COLUMN])
    return inodes


def _processes(proc: str, directory: str, daemon_pid: t.Optional[int]) -> t.Iterator[Process]:
    """All that can be seen here."""
    inside = os.path.join(directory, "")
    for name in os.listdir(proc):
        if not name.isdigit():
            continue
        words = _text(os.path.join(proc, name, "cmdline")).split("\0")
        program = os.path.basename(words[0])
        if program not in PROGRAMS:
            program = _text(os.path.join(proc, name, "comm")).strip() or program
        is_ours = int(name) == daemon_pid or any(word.startswith(inside) for word in words)
        yield Process(proc, int(name), program, is_ours)


def _held(
    processes: t.Iterable[Process], sockets: t.Set[str]
) -> t.Tuple[t.Dict[int, t.Set[str]], bool]:
    """Who has which of the sockets, and whether all who were asked could be looked at.

    First those that are likely to have them, so that nobody else is asked as a rule.
    """
    held: t.Dict[int, t.Set[str]] = {}
    left, is_complete = set(sockets), True
    for process in sorted(processes, key=lambda each: not (each.is_ours or each.is_suspect)):
        if not left:
            break
        try:
            mine = left & process.inodes()
        except PermissionError:
            is_complete = False
            continue
        except OSError:  # it has just ended
            continue
        if mine:
            held[process.pid] = mine
            left -= mine
    return held, is_complete


def _text(path: str) -> str:
    """A file of /proc; empty when it is not there, or not any more."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _link(path: str) -> t.Optional[str]:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _listed(pids: t.Sequence[int]) -> str:
    more = len(pids) - MOST_PROCESSES
    text = ", ".join(map(str, pids[:MOST_PROCESSES]))
    return text if more <= 0 else "%s and %d more" % (text, more)


def _count(number: int, what: str) -> str:
    return "%d %s%s" % (number, what, "" if number == 1 else "s")
