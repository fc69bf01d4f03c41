# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `vlangate`. Layer L5.

Exit status: 0 it is so, 1 with warnings or "no", 2 the configuration or the command line is wrong,
3 the host or the daemon does not answer.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, List, Optional

from ..config.parse import parse_json
from ..config.schema import json_schema
from ..control.client import ControlClient
from ..errors import ConfigError, ControlError, PlatformError, Problem
from . import show
from .output import complain, say

RUNTIME_DIR = "/run/vlangate"
CONFIG_FILE = "/etc/vlangate/config.json"

JOURNAL_SIZE = 64 * 1024 * 1024
MINIMUM_JOURNAL_SIZE = 65536

EXIT_OK = 0
EXIT_WARNING = 1
EXIT_CONFIG = 2
EXIT_UNREACHABLE = 3


def main(arguments: Optional[List[str]] = None) -> int:
    """Run one command; the exit status is returned."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
        return status
    except ConfigError as error:
        complain(str(error))
        return EXIT_CONFIG
    except (ControlError, PlatformError, OSError) as error:
        complain("vlangate: %s" % error)
        asked_wrongly = isinstance(error, ControlError) and error.code == "unknown-name"
        return EXIT_CONFIG if asked_wrongly else EXIT_UNREACHABLE
    except KeyboardInterrupt:
        return EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vlangate", description="Highly available VLAN gateways: VRRP for Linux."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, command: Any, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=command)
        return added

    run = add("run", _run, "run the daemon in the foreground, in this network namespace")
    run.add_argument("--config", default=CONFIG_FILE, metavar="FILE")
    run.add_argument("--control-group", metavar="GROUP", help="may use the control socket")
    run.add_argument("--journal", metavar="FILE", help="remember every event there, for replay")
    run.add_argument(
        "--journal-size",
        type=_journal_size,
        default=JOURNAL_SIZE,
        metavar="BYTES",
        help="of FILE and FILE.1 together (default: %(default)s)",
    )
    run.add_argument(
        "--state-dir", metavar="DIR", help="outlives restarts (default: state in the runtime DIR)"
    )
    check = add("check", _check, "check a configuration; 0: good, 1: with warnings, 2: wrong")
    check.add_argument("file", metavar="FILE")
    check.add_argument("--host", action="store_true", help="also against this host")
    check.add_argument("--json", action="store_true", help="print a JSON document")
    shown = add("show", _show, "show the virtual routers of the running daemon")
    shown.add_argument("name", nargs="?", metavar="NAME")
    shown.add_argument("--json", action="store_true", help="print a JSON document")
    why = add("why", _why, "explain the last transitions of a virtual router")
    why.add_argument("name", metavar="NAME")
    watch = add("watch", _watch, "show the virtual routers live; without a terminal: their events")
    simulate = add("simulate", _simulate, "run random histories of whole sites in virtual time")
    simulate.add_argument("--seed", type=int, default=0, help="of the first history")
    simulate.add_argument("--count", type=int, default=1, help="how many, with seeds that follow")
    simulate.add_argument("--commit", default="?", metavar="ID", help="of the source, to print")
    replayed = add("replay", _replay, "run the engine over a journal; 0: it does the same again")
    replayed.add_argument("file", metavar="FILE")
    add("schema", _schema, "print the JSON schema of the configuration")
    features = add("features", _features, "print what this host offers to the engine")
    features.add_argument("--json", action="store_true", help="print a JSON document")
    cleanup = add("cleanup", _cleanup, "remove all that a killed daemon left in the kernel")
    for command in (run, shown, why, watch, cleanup):
        command.add_argument("--runtime-dir", default=RUNTIME_DIR, metavar="DIR")
    return parser


def _run(options: argparse.Namespace) -> int:
    from ..daemon.main import Options, run

    return run(
        Options(
            options.config,
            options.runtime_dir,
            options.control_group,
            options.journal,
            options.journal_size,
            options.state_dir,
        )
    )


def _journal_size(text: str) -> int:
    if not text.isdecimal() or int(text) < MINIMUM_JOURNAL_SIZE:
        message = "write a number of bytes, %d or more" % MINIMUM_JOURNAL_SIZE
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _check(options: argparse.Namespace) -> int:
    problems: List[Any] = []
    config = None
    try:
        with open(options.file, encoding="utf-8") as file:
            config = parse_json(file.read())
    except ConfigError as error:
        problems = [vars(problem) for problem in error.problems]
    except (OSError, UnicodeDecodeError) as error:
        hint = "it has to be a readable JSON file in UTF-8"
        problems = [vars(Problem(options.file, "unreadable", str(error), hint))]
    warnings: List[str] = []
    if options.host:
        from ..daemon.main import host_report

        report = host_report(config)
        warnings = report["warnings"]
        problems += [
            {"path": "host", "code": "missing", "message": sentence, "hint": ""}
            for sentence in report["missing"]
        ]
    if options.json:
        say(json.dumps({"problems": problems, "warnings": warnings}, indent=2))
    else:
        _print_check(options.file, problems, warnings)
    if problems:
        return EXIT_CONFIG
    return EXIT_WARNING if warnings else EXIT_OK


def _print_check(file: str, problems: List[Any], warnings: List[str]) -> None:
    for problem in problems:
        hint = " (%s)" % problem["hint"] if problem["hint"] else ""
        say("error: %s: %s%s" % (problem["path"], problem["message"], hint))
    for warning in warnings:
        say("warning: %s" % warning)
    if not problems:
        say("%s: configuration OK" % file)


def _show(options: argparse.Namespace) -> int:
    params = {"name": options.name} if options.name else {}
    with ControlClient.in_directory(options.runtime_dir) as client:
        document = client.call("show.routers", **params)
    if options.json:
        say(json.dumps(document, indent=2))
    else:
        say("\n".join(show.table(document)))
    return EXIT_OK


def _why(options: argparse.Namespace) -> int:
    with ControlClient.in_directory(options.runtime_dir) as client:
        document = client.call("show.routers", name=options.name)
    say("\n".join(show.explanation(document["routers"][0])))
    return EXIT_OK


def _watch(options: argparse.Namespace) -> int:
    with ControlClient.in_directory(options.runtime_dir) as client:
        if sys.stdout.isatty():
            show.watch_table(client)
        else:
            show.watch_events(client)
    return EXIT_UNREACHABLE


def _simulate(options: argparse.Namespace) -> int:
    from .simulate import simulate

    broken = simulate(options.seed, options.count, options.commit)
    return EXIT_WARNING if broken else EXIT_OK


def _replay(options: argparse.Namespace) -> int:
    from .replay import replay_file

    return replay_file(options.file)


def _schema(_options: argparse.Namespace) -> int:
    say(json.dumps(json_schema(), indent=2))
    return EXIT_OK


def _features(options: argparse.Namespace) -> int:
    from ..daemon.main import host_report

    report = host_report(None)
    if options.json:
        say(json.dumps(report, indent=2))
    else:
        for name, present in sorted(report["features"].items()):
            say("%-12s %s" % (name, "yes" if present else "no"))
        for sentence in report["missing"]:
            say("missing: %s" % sentence)
    return EXIT_CONFIG if report["missing"] else EXIT_OK


def _cleanup(options: argparse.Namespace) -> int:
    from ..daemon.main import cleanup

    cleanup(options.runtime_dir)
    return EXIT_OK
