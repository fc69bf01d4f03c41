# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `vlangate`. Layer L5.

Exit status: 0 it is so, 1 with warnings or "no", 2 the configuration or the command line is wrong,
3 the host or the daemon does not answer.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from typing import Any, Callable, List, Optional

from ..config.model import RouterConfig
from ..config.parse import parse_json
from ..config.render import document
from ..config.schema import json_schema
from ..control.client import ControlClient, upgrade
from ..errors import ConfigError, ControlError, PlatformError, Problem
from . import changes, show
from .output import complain, say

RUNTIME_DIR = "/run/vlangate"
CONFIG_FILE = "/etc/vlangate/config.json"

JOURNAL_SIZE = 64 * 1024 * 1024
MINIMUM_JOURNAL_SIZE = 65536

# Longer than the daemon waits for a new one.
UPGRADE_S = 60.0

EXIT_OK = 0
EXIT_WARNING = 1
EXIT_CONFIG = 2
EXIT_UNREACHABLE = 3

# What the daemon answers to a request that is wrong, and to one that is right but not possible now.
_WRONG = frozenset(("unknown-name", "unknown-method", "bad-parameters", "config"))
_REFUSED = frozenset(("on-probation", "no-probation", "other-config", "owner", "state", "busy"))
# A check of a file asks the daemon too, but waits for none that is busy.
_CHECK_PATIENCE_S = 2.0


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
        code = error.code if isinstance(error, ControlError) else ""
        if code in _WRONG:
            return EXIT_CONFIG
        return EXIT_WARNING if code in _REFUSED else EXIT_UNREACHABLE
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
    run.add_argument("--inherit", type=int, metavar="DESCRIPTOR", help=argparse.SUPPRESS)
    check = add("check", _check, "check a configuration; 0: good, 1: with warnings, 2: wrong")
    check.add_argument("file", metavar="FILE")
    check.add_argument("--host", action="store_true", help="also against this host")
    check.add_argument("--json", action="store_true", help="print a JSON document")
    shown = add("show", _show, "show the virtual routers of the running daemon")
    shown.add_argument("name", nargs="?", metavar="NAME")
    shown.add_argument("--json", action="store_true", help="print a JSON document")
    why = add("why", _why, "explain what happened to a virtual router, the latest first")
    why.add_argument("name", metavar="NAME")
    why.add_argument("--json", action="store_true", help="print a JSON document")
    measured = add("metrics", _metrics, "print metrics of the running daemon for Prometheus")
    measured.add_argument(
        "--output", metavar="FILE", help="replace FILE by them, for the textfile collector"
    )
    watch = add("watch", _watch, "show the virtual routers live; without a terminal: their events")
    asking = _add_changes(add)
    simulate = add("simulate", _simulate, "run random histories of whole sites in virtual time")
    simulate.add_argument("--seed", type=int, default=0, help="of the first history")
    simulate.add_argument("--count", type=int, default=1, help="how many, with seeds that follow")
    simulate.add_argument("--commit", default="?", metavar="ID", help="of the source, to print")
    replayed = add("replay", _replay, "run the engine over a journal; 0: it does the same again")
    replayed.add_argument("file", metavar="FILE")
    add("schema", _schema, "print the JSON schema of the configuration")
    features = add("features", _features, "print what this host offers to the engine")
    features.add_argument("--json", action="store_true", help="print a JSON document")
    upgraded = add("upgrade", _upgrade, "let the daemon be replaced by the release that is current")
    cleanup = add("cleanup", _cleanup, "remove all that a killed daemon left in the kernel")
    cleanup.add_argument(
        "--after-crash",
        action="store_true",
        help="leave addresses until their leases end, for a daemon that is started at once",
    )
    for command in (run, check, shown, why, measured, watch, upgraded, cleanup, *asking):
        command.add_argument("--runtime-dir", default=RUNTIME_DIR, metavar="DIR")
    return parser


def _add_changes(add: Callable[..., argparse.ArgumentParser]) -> List[argparse.ArgumentParser]:
    """The commands that change a running daemon."""
    drain = add("handover", _handover, "drain virtual routers: each gives its role away, for good")
    drain.add_argument("--force", action="store_true", help="also when nobody takes over")
    undrain = add("undrain", _undrain, "let drained virtual routers take part again")
    for command in (drain, undrain):
        command.add_argument("names", nargs="*", default=[], metavar="NAME")
        command.add_argument("--all", action="store_true", help="the whole router")
    reload = add("reload", _reload, "read the configuration again; what differs is changed")
    reload.add_argument(
        "--confirm-within",
        type=changes.seconds,
        metavar="TIME",
        help="go back after TIME (90s, 10m) unless it is confirmed",
    )
    confirm = add("confirm", _confirm, "keep the configuration that is on probation")
    rollback = add("rollback", _rollback, "take back the configuration that is on probation")
    for command in (reload, rollback):
        command.add_argument("--json", action="store_true", help="print a JSON document")
    return [drain, undrain, reload, confirm, rollback]


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
            options.inherit,
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
    told = None if problems else _changes_to(config, options.runtime_dir)
    if options.json:
        say(json.dumps({"problems": problems, "warnings": warnings, "changes": told}, indent=2))
    else:
        _print_check(options.file, problems, warnings)
        if told is not None:
            lines = changes.change_lines(told) or ["nothing"]
            say("\n".join(["a reload would change, in the running daemon:", *lines]))
    if problems:
        return EXIT_CONFIG
    return EXIT_WARNING if warnings else EXIT_OK


def _changes_to(config: Optional[RouterConfig], runtime_dir: str) -> Optional[List[Any]]:
    """What would change in the daemon that runs here; None when none answers."""
    if config is None:
        return None
    try:
        with ControlClient.in_directory(runtime_dir, _CHECK_PATIENCE_S) as client:
            answer = client.call("config.check", document=document(config))
    except ControlError:
        return None
    found: List[Any] = answer["changes"]
    return found


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
        shown = client.call("show.routers", **params)
    if options.json:
        say(json.dumps(shown, indent=2))
    else:
        say("\n".join(show.table(shown)))
    return EXIT_OK


def _why(options: argparse.Namespace) -> int:
    with ControlClient.in_directory(options.runtime_dir) as client:
        (router,) = client.call("show.routers", name=options.name)["routers"]
    if options.json:
        keys = ("name", "state", "waiting", "occurrences")
        say(json.dumps({key: router[key] for key in keys}, indent=2))
    else:
        say("\n".join(show.explanation(router)))
    return EXIT_OK


def _metrics(options: argparse.Namespace) -> int:
    from .metrics import metrics, replace_file, unreachable

    write = say if options.output is None else functools.partial(replace_file, options.output)
    try:
        with ControlClient.in_directory(options.runtime_dir) as client:
            shown = client.call("show.routers")
    except ControlError:
        write(unreachable())
        raise
    write(metrics(shown))
    return EXIT_OK


def _handover(options: argparse.Namespace) -> int:
    if _names_nobody(options):
        return EXIT_CONFIG
    with ControlClient.in_directory(options.runtime_dir) as client:
        came_about = changes.handover(client, options.names, options.force)
    return EXIT_OK if came_about else EXIT_WARNING


def _undrain(options: argparse.Namespace) -> int:
    if _names_nobody(options):
        return EXIT_CONFIG
    with ControlClient.in_directory(options.runtime_dir) as client:
        changes.undrain(client, options.names)
    return EXIT_OK


def _names_nobody(options: argparse.Namespace) -> bool:
    if bool(options.names) is not options.all:
        return False
    complain("vlangate: name virtual routers, or write --all")
    return True


def _reload(options: argparse.Namespace) -> int:
    within_s = options.confirm_within
    params = {} if within_s is None else {"confirm_within_s": within_s}
    with ControlClient.in_directory(options.runtime_dir) as client:
        answer = client.call("do.reload", **params)
        if answer["probation"] is not None:
            changes.force_to_disk(client.call("show.status")["engine"]["state_dir"])
    _print_answer(options, answer)
    return EXIT_OK


def _confirm(options: argparse.Namespace) -> int:
    with ControlClient.in_directory(options.runtime_dir) as client:
        client.call("do.confirm")
    say("confirmed")
    return EXIT_OK


def _rollback(options: argparse.Namespace) -> int:
    with ControlClient.in_directory(options.runtime_dir) as client:
        answer = client.call("do.rollback")
    _print_answer(options, answer)
    return EXIT_OK


def _print_answer(options: argparse.Namespace, answer: Any) -> None:
    if options.json:
        say(json.dumps(answer, indent=2))
    else:
        changes.print_reload(answer)


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

    # systemd.exec(5): "success" is a service that ended in good order.
    has_crashed = options.after_crash and os.environ.get("SERVICE_RESULT") != "success"
    cleanup(options.runtime_dir, has_crashed)
    return EXIT_OK


def _upgrade(options: argparse.Namespace) -> int:
    engine = upgrade(options.runtime_dir, UPGRADE_S)
    say("release %s goes on as process %d" % (engine["release"], engine["pid"]))
    return EXIT_OK
