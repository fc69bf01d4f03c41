# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's half of vrrp_probe: ask about gateways, or measure what is lost."""

from __future__ import annotations

import ipaddress
import os
import select
import time
import typing as t

from .listen_speakers import Wire, is_advertisement
from .probe_frames import ICMP
from .probe_inquiry import Gateway, Inquiry
from .probe_measure import FASTEST, NeverSteady, measured
from .probe_places import HOW_TO_WRITE, Place, parse, places
from .probe_route import route_to
from .probe_socket import Tap, program
from .probe_verdict import verdict
from .vrrp.errors import ConfigError, Problem
from .vrrp.facts import Family, family_of
from .vrrp.units import NS_PER_S
from .vrrp.wire.constants import IP_PROTOCOL
from .vrrp.wire.ethernet import ETHERTYPE_ARP
from .vrrp.wire.ndp import ICMPV6
from .vrrp_module import fail_with

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

#: Addresses for documentation (RFC 5737, RFC 3849): nobody has them, and they are on no LAN.
BEYOND = {Family.IPV4: "192.0.2.1", Family.IPV6: "2001:db8::1"}
_ANSWERS = program(
    (ETHERTYPE_ARP,), {Family.IPV4: (IP_PROTOCOL, ICMP), Family.IPV6: (IP_PROTOCOL, ICMPV6)}
)
_FIRST_PORT, _PORTS = 33000, 32000
_TURN_MS = 20


def argument_spec() -> t.Dict[str, t.Any]:
    """The options of vrrp_probe."""
    return {
        "gateway": {"type": "list", "elements": "str"},
        "interface": {"type": "str"},
        "plan": {"type": "path"},
        "expected": {
            "type": "list",
            "elements": "dict",
            "options": {
                "address": {"type": "str", "required": True},
                "virtual_mac": {"type": "str"},
                "name": {"type": "str"},
            },
        },
        "beyond": {"type": "list", "elements": "str", "default": list(BEYOND.values())},
        "intervals": {"type": "int", "default": 3},
        "timeout": {"type": "float", "default": 5},
        "fail_on_problems": {"type": "bool", "default": False},
        "measure": {
            "type": "dict",
            "options": {
                "targets": {"type": "list", "elements": "str"},
                "seconds": {"type": "float", "default": 10},
                "rate": {"type": "int", "default": FASTEST},
                "marker": {"type": "path"},
            },
        },
    }


def run(module: AnsibleModule) -> None:
    """Ask or measure, then end the module."""
    try:
        if module.params["measure"] is not None:
            module.exit_json(changed=False, **measured(module.params))
        found = asked(module.params)
    except ConfigError as error:
        fail_with(module, error)
    except (NeverSteady, ValueError) as error:
        module.fail_json(msg=str(error))
    except PermissionError as error:
        module.fail_json(msg="%s: raw sockets are for root: say become: true" % error)
    except OSError as error:
        module.fail_json(msg="the network of this host refuses: %s" % error)
    problems = [problem for gateway in found for problem in gateway["problems"]]
    facts = {"gateways": found, "problems": problems}
    if problems and module.params["fail_on_problems"]:
        module.fail_json(msg="\n".join(problems), **facts)
    module.exit_json(changed=False, **facts)


def asked(params: t.Mapping[str, t.Any]) -> t.List[t.Dict[str, t.Any]]:
    """The verdict about each gateway."""
    beyond = _beyond(params["beyond"])
    found = places(params)
    taps: t.Dict[str, Tap] = {}
    try:
        for each in found:
            if each.interface not in taps:
                taps[each.interface] = Tap(each.interface, _ANSWERS)
                taps[each.interface].join()
        return _asked(found, taps, beyond, params)
    finally:
        for tap in taps.values():
            tap.close()


def _asked(
    found: t.Sequence[Place],
    taps: t.Mapping[str, Tap],
    beyond: t.Mapping[Family, bytes],
    params: t.Mapping[str, t.Any],
) -> t.List[t.Dict[str, t.Any]]:
    wires = {name: Wire() for name in taps}
    listeners = {tap.fileno(): tap for tap in taps.values()}
    poller = select.poll()
    for number in listeners:
        poller.register(number, select.POLLIN)
    # Ports that differ between the gateways, and from those of another run at the same time.
    port = int.from_bytes(os.urandom(2), "big")
    inquiries = []
    for number, place in enumerate(found):
        gateway = _gateway(place, taps[place.interface], beyond)
        own_port = _FIRST_PORT + (port + number) % _PORTS
        inquiries.append(
            Inquiry(
                gateway,
                wires[place.interface],
                beyond[gateway.family],
                own_port,
                params["intervals"],
            )
        )
    begun_ns = now_ns = time.monotonic_ns()
    end_ns = begun_ns + round(params["timeout"] * NS_PER_S)
    while now_ns < end_ns and not all(each.is_over(now_ns) for each in inquiries):
        for each in inquiries:
            for frame in each.due(now_ns):
                taps[each.gateway.interface].send(frame)
        for number, _event in poller.poll(_TURN_MS):
            tap = listeners[number]
            _hear(tap, wires[tap.interface], inquiries)
        now_ns = time.monotonic_ns()
    seconds = (now_ns - begun_ns) / NS_PER_S
    return [verdict(each, seconds) for each in inquiries]


def _gateway(place: Place, tap: Tap, beyond: t.Mapping[Family, bytes]) -> Gateway:
    source = place.source or bytes(len(place.address))
    try:
        wide_source = route_to(beyond[family_of(place.address)], place.interface).source
    except OSError:
        wide_source = source
    return Gateway(
        place.address,
        place.interface,
        tap.mac,
        source,
        wide_source,
        place.name,
        place.virtual_mac,
    )


def _hear(tap: Tap, wire: Wire, inquiries: t.Sequence[Inquiry]) -> None:
    for frame in tap.frames():
        if frame.vlan:
            continue  # another wire in the same cable
        if is_advertisement(frame.data):
            wire.hear(frame.time_ns, frame.data)
            continue
        for each in inquiries:
            if each.gateway.interface == tap.interface:
                each.hear(frame.data)


def _beyond(texts: t.Sequence[str]) -> t.Dict[Family, bytes]:
    problems = []
    found = {family: ipaddress.ip_address(text).packed for family, text in BEYOND.items()}
    for number, text in enumerate(texts):
        address, _scope = parse(text)
        if address:
            found[Family.IPV4 if len(address) == 4 else Family.IPV6] = address
        else:
            path = "beyond[%d]" % number
            problems.append(Problem(path, "address", "%r is no address" % text, HOW_TO_WRITE))
    if problems:
        raise ConfigError(tuple(problems))
    return found
