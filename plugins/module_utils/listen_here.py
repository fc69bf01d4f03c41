# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's half of vrrp_listen: hear who speaks VRRP on a wire, and send nothing."""

from __future__ import annotations

import os
import select
import socket
import tempfile
import time
import typing as t

from . import pcap
from .listen_expected import read_expected
from .listen_findings import CODES, Expected, findings
from .listen_speakers import Wire
from .probe_places import on_link
from .probe_socket import ADVERTISEMENTS, Frame, Tap
from .vrrp.errors import ConfigError, Problem
from .vrrp_module import fail_with

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

#: Longer than the longest interval of VRRPv2 several times.
LONGEST_S = 3600.0
_TURN_MS = 100


def argument_spec() -> t.Dict[str, t.Any]:
    """The options of vrrp_listen."""
    expected: t.Dict[str, t.Any] = {
        "vrid": {"type": "int", "required": True},
        "family": {"type": "str", "choices": ["ipv4", "ipv6"]},
        "vlan": {"type": "int"},
        "routers": {"type": "list", "elements": "str"},
        "addresses": {"type": "list", "elements": "str"},
    }
    return {
        "interface": {"type": "str", "required": True},
        "seconds": {"type": "float", "default": 10},
        "expected": {"type": "list", "elements": "dict", "options": expected},
        "on_link": {"type": "bool", "default": False},
        "plan": {"type": "path"},
        "groups": {"type": "list", "elements": "str"},
        "ignore": {"type": "list", "elements": "str", "choices": list(CODES), "default": []},
        "fail_on_findings": {"type": "bool", "default": False},
        "promiscuous": {"type": "bool", "default": False},
        "pcap": {"type": "path"},
    }


def run(module: AnsibleModule) -> None:
    """Listen, then end the module."""
    try:
        facts = listen(module)
    except ConfigError as error:
        fail_with(module, error)
    except ValueError as error:
        module.fail_json(msg=str(error))
    except PermissionError as error:
        module.fail_json(msg="%s: listening is for root: say become: true" % error)
    except OSError as error:
        module.fail_json(msg="%s: %s" % (module.params["interface"], error))
    facts["changed"] = facts["pcap"] is not None
    if facts["findings"] and module.params["fail_on_findings"]:
        module.fail_json(msg="\n".join(each["message"] for each in facts["findings"]), **facts)
    module.exit_json(**facts)


def listen(module: AnsibleModule) -> t.Dict[str, t.Any]:
    """What is heard. Raises ConfigError, ValueError and OSError."""
    params = module.params
    expected = _expected(params)
    wire = Wire()
    capture = None
    if params["pcap"] and not module.check_mode:
        capture = Capture(module.tmpdir)
    tap = Tap(params["interface"], ADVERTISEMENTS, params["promiscuous"])
    try:
        _hear(tap, wire, params["seconds"], capture)
        dropped = tap.dropped()
        if capture is not None:
            capture.move(module, params["pcap"])
    finally:
        tap.close()
        if capture is not None:
            capture.close()
    ignored = params["ignore"]
    return {
        "speakers": [speaker.as_dict() for speaker in wire.speakers],
        "findings": [each for each in findings(wire, expected) if each["code"] not in ignored],
        "frames": wire.frames,
        "dropped": dropped,
        "pcap": params["pcap"] if capture else None,
    }


def _hear(tap: Tap, wire: Wire, seconds: float, capture: t.Optional[Capture]) -> None:
    end = time.monotonic() + seconds
    poller = select.poll()
    poller.register(tap.fileno(), select.POLLIN)
    while time.monotonic() < end:
        poller.poll(min(_TURN_MS, max(1, int(1000 * (end - time.monotonic())))))
        for frame in tap.frames():
            wire.hear(*frame)
            if capture is not None:
                capture.write(frame)


class Capture:
    """A capture file in the making: complete, or not there."""

    def __init__(self, directory: str) -> None:
        descriptor, self._path = tempfile.mkstemp(dir=directory)
        self._stream = os.fdopen(descriptor, "wb")
        self._stream.write(pcap.HEADER)

    def write(self, frame: Frame) -> None:
        """One more frame."""
        self._stream.write(pcap.record(*frame))

    def move(self, module: AnsibleModule, path: str) -> None:
        """To where it was asked for; root's alone, for it tells much of a network."""
        self._stream.close()
        module.atomic_move(self._path, path)
        os.chmod(path, 0o600)

    def close(self) -> None:
        """Leave nothing behind."""
        self._stream.close()
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            pass  # it was moved


def _expected(params: t.Mapping[str, t.Any]) -> t.Optional[t.List[Expected]]:
    """What should be on the wire, or None; raises ConfigError with all that is wrong."""
    problems = []
    interface, seconds = params["interface"], params["seconds"]
    if interface not in (name for _index, name in socket.if_nameindex()):
        message = "there is no interface %s on this host" % interface
        problems.append(Problem("interface", "unknown", message, "name another one"))
    if not 0 < seconds <= LONGEST_S:
        hint = "choose more than 0, up to %d" % LONGEST_S
        problems.append(Problem("seconds", "range", "is %g" % seconds, hint))
    found = None
    try:
        if params["expected"] is not None:
            found = read_expected(params["expected"])
    except ConfigError as error:
        problems += error.problems
    if params["on_link"] and found and not problems:
        found = [each for each in found if _is_on_link(each, interface)]
        if not found:
            message = "none of these gateways is on a network of %s" % interface
            hint = "listen on an interface with an address, or name the groups"
            problems.append(Problem("expected", "route", message, hint))
    if problems:
        raise ConfigError(tuple(problems))
    return found


def _is_on_link(expected: Expected, interface: str) -> bool:
    return any(on_link(address, interface) is not None for address in expected.addresses)
