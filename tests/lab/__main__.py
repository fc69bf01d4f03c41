# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command line; `tests/lab/lab --help` lists it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import List

from .control import Lab, greeting, temporary_lab
from .rootfs import RECIPES, ROUTERS, rootfs
from .shell import (
    REPOSITORY,
    STATE,
    LabError,
    Progress,
    complain,
    locked,
    require_root,
    terminate_as_interrupt,
)
from .table import lab_of_tables
from .topology import CONTROLLER, LabSpec
from .traffic import begin, default_path, end

INTERRUPTED = 130


def main(arguments: List[str]) -> int:
    options = _parser().parse_args(arguments)
    options.prefix = options.prefix or ("demo" if options.run is _demo else "lab")
    terminate_as_interrupt()
    try:
        require_root()
        return options.run(options) or 0
    except LabError as error:
        complain(error)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads any more
        return 1


def _up(options: argparse.Namespace) -> None:
    kind = ROUTERS[options.debian] if options.debian else options.rootfs
    if options.table:
        tables = [json.loads(path.read_text()) for path in options.table]
        spec = lab_of_tables(options.prefix, kind, tables)
    else:
        spec = LabSpec(options.prefix, tuple(options.routers), tuple(options.vlans), kind)
    with locked(_lock(options), busy="another run is working on the lab %r" % options.prefix):
        lab = Lab(spec)
        if lab.is_up():
            raise LabError("the lab %r is up already; `down` removes it" % options.prefix)
        lab.up(Progress())
    print(greeting(lab))


def _down(options: argparse.Namespace) -> None:
    with locked(_lock(options), busy="another run is working on the lab %r" % options.prefix):
        Lab.known(options.prefix).down()


def _lock(options: argparse.Namespace) -> Path:
    return STATE / (".%s.lock" % options.prefix)


def _enter(options: argparse.Namespace) -> None:
    lab = Lab.standing(options.prefix)
    command = lab.enter_command(options.name, options.command or ["bash"])
    os.chdir(REPOSITORY)
    os.execvpe(command[0], command, lab.environment())


def _status(options: argparse.Namespace) -> None:
    lab = Lab.standing(options.prefix)
    for router in lab.spec.routers:
        state = lab.state(router)
        word = "off" if state.get("is_off") else lab.boot_word(router) or "booting"
        print("%-8s %-9s %s" % (router, word, lab.spec.management_address(router)))
    for name, network in lab.spec.stations.items():
        print("%-8s %-9s %s" % (name, network.name, ", ".join(network.prefixes)))


def _traffic(options: argparse.Namespace) -> int:
    lab = Lab.standing(options.prefix)
    if options.what == "begin":
        begin(lab, *(options.stations or default_path(lab)))
        return 0
    return end(lab, options.at_most)


def _demo(options: argparse.Namespace) -> int:
    from .demo import demo

    progress = Progress()
    with temporary_lab(LabSpec(options.prefix), progress) as lab:
        return demo(lab, progress)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests/lab/lab", description=__doc__)
    parser.add_argument("--prefix", help="keeps labs apart (default: lab; for the demo: demo)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="make a lab that stands until `down`")
    up.add_argument("--routers", nargs="+", default=["gw1", "gw2"], metavar="NAME")
    up.add_argument("--vlans", nargs="+", type=int, default=[10, 20], metavar="ID")
    up.add_argument("--rootfs", choices=sorted(RECIPES), default="router")
    up.add_argument("--debian", choices=sorted(ROUTERS), help="routers of this Debian release")
    up.add_argument("--table", type=Path, nargs="+", metavar="FILE", help="a site's, see table.py")
    up.set_defaults(run=_up)
    commands.add_parser("down", help="remove a lab, whole or not").set_defaults(run=_down)
    commands.add_parser("status", help="what is there").set_defaults(run=_status)
    commands.add_parser("demo", help="the whole story, in a lab of its own").set_defaults(run=_demo)
    enter = commands.add_parser("enter", help="a shell or a command in a router or namespace")
    enter.add_argument("name", nargs="?", default=CONTROLLER)
    enter.add_argument("command", nargs=argparse.REMAINDER)
    enter.set_defaults(run=_enter)
    traffic = commands.add_parser("traffic", help="1,000 probes a second while others work")
    traffic.add_argument("what", choices=["begin", "end"])
    traffic.add_argument("stations", nargs="*", metavar="STATION", help="from the first one")
    traffic.add_argument("--at-most", type=int, metavar="N", help="fail when a path lost more")
    traffic.set_defaults(run=_traffic)
    cached = commands.add_parser("rootfs", help="build a root file system if it is not cached")
    cached.add_argument("kind", choices=sorted(RECIPES))
    cached.set_defaults(run=lambda options: print(rootfs(options.kind, Progress())))
    for name, text in (
        ("power-cut", "end a router at once, as when its current fails"),
        ("power-on", "boot a router that is off"),
        ("reboot", "reboot a router in order"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("router")
        command.set_defaults(run=_on_router, method=name.replace("-", "_"))
    for name, text in (("link-cut", "pull a cable"), ("link-restore", "plug it in again")):
        command = commands.add_parser(name, help=text)
        command.add_argument("name")
        command.add_argument("network", help="vlan10, uplink, mgmt")
        command.set_defaults(run=_on_cable, method=name.replace("-", "_"))
    return parser


def _on_router(options: argparse.Namespace) -> None:
    getattr(Lab.standing(options.prefix), options.method)(options.router)


def _on_cable(options: argparse.Namespace) -> None:
    getattr(Lab.standing(options.prefix), options.method)(options.name, options.network)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
