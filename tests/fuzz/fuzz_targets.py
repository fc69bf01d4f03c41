# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fuzzed: one function for each decoder, given any octets. It raises when a promise breaks.

No fuzzer is needed to call them: tests/unit/engine/fuzz/ gives each the whole corpus, on every
Python. Only what an engine promises anybody is checked: no exception but the documented ones, and
what was decoded can be encoded to the same again.
"""

import atexit
import io
import json
import select
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Callable, Dict, Optional

ROOT = Path(__file__).resolve().parents[2]
for directory in (ROOT / "tests" / "unit" / "engine", ROOT / "plugins" / "module_utils"):
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))

from engine_kit.ports import (  # noqa: E402
    FakeClock,
    FakeDataplane,
    FakeIO,
    FakeLog,
    FakeProber,
)
from engine_kit.sockets import RawClient  # noqa: E402
from engine_kit.values import OURS, T0, config, group, ip, link, parameters  # noqa: E402

from vrrp.config.parse import parse, parse_json  # noqa: E402
from vrrp.config.render import canonical_json, document  # noqa: E402
from vrrp.control.schema import SOCKET_NAME  # noqa: E402
from vrrp.daemon.applier import Applier  # noqa: E402
from vrrp.daemon.beginning import SOURCE_FILE, Beginning, Version  # noqa: E402
from vrrp.daemon.commitment import Commitment  # noqa: E402
from vrrp.daemon.control_server import ControlServer  # noqa: E402
from vrrp.daemon.drains import Drains  # noqa: E402
from vrrp.daemon.requests import Requests  # noqa: E402
from vrrp.daemon.shell import Shell  # noqa: E402
from vrrp.daemon.state_files import StateFiles  # noqa: E402
from vrrp.discards import DiscardReason  # noqa: E402
from vrrp.errors import ConfigError, DecodeError, JournalError  # noqa: E402
from vrrp.facts import Family, ReceivedPacket  # noqa: E402
from vrrp.fsm.states import State  # noqa: E402
from vrrp.router.events import Stop, Tick  # noqa: E402
from vrrp.router.masks import Masks  # noqa: E402
from vrrp.router.receive import Accepted, Discard, Listener, accept  # noqa: E402
from vrrp.router.replay import replay  # noqa: E402
from vrrp.router.vrrp_router import VrrpRouter  # noqa: E402
from vrrp.wire.advertisement import decode_advertisement, encode_advertisement  # noqa: E402
from vrrp.wire.checksum import ChecksumForm, internet_checksum, pseudo_header  # noqa: E402
from vrrp.wire.ip import split_packet  # noqa: E402
from vrrp.wire.ndp import read_solicitation  # noqa: E402

PASSWORD = b"hunter2"
_ICMPV6 = 58


def _listener(family: Family, vrid: int, state: State = State.BACKUP, **more: object) -> Listener:
    return Listener("g%d" % vrid, state, parameters(family=family, vrid=vrid, **more))


LISTENERS = {
    (each.parameters.family, each.parameters.vrid): each
    for each in (
        _listener(Family.IPV4, 10),
        _listener(Family.IPV4, 20, version=2, password=PASSWORD),
        _listener(Family.IPV4, 21, State.MASTER, version=2),
        _listener(Family.IPV4, 30, State.MASTER, priority=255),
        _listener(Family.IPV4, 40, State.INITIALIZE),
        _listener(Family.IPV6, 10, addresses=(ip("fe80::10"),), primary_address=ip("fe80::5")),
    )
}
OWN_ADDRESSES = frozenset((OURS, ip("fe80::5")))


# Packets


def packets(data: bytes) -> None:
    """The receive ladder. An odd first octet asks for lengths and checksums that are right, which
    mutation alone would hardly ever find."""
    if not data:
        return
    packet = _completed(data[1:]) if data[0] & 1 else data[1:]
    verdict = _accept(packet)
    if isinstance(verdict, Accepted):
        assert 0 <= verdict.event.priority <= 255
        assert 1 <= verdict.event.interval_cs <= 25500
        assert verdict.event.source not in OWN_ADDRESSES
        _check_round_trip(packet)
    else:
        assert isinstance(verdict, Discard)
        assert isinstance(verdict.reason, DiscardReason) and verdict.detail
    if getattr(verdict, "reason", None) is not DiscardReason.IP_HEADER:
        assert _accept(packet + bytes(7)) == verdict, "Ethernet padding changed the verdict"
    masked = Masks().packet(packet)
    assert len(masked) == len(packet)


def _accept(packet: bytes) -> object:
    def lookup(_ifindex: int, family: Family, vrid: int) -> Optional[Listener]:
        return LISTENERS.get((family, vrid))

    return accept(ReceivedPacket(7, packet), OWN_ADDRESSES, lookup)


def _check_round_trip(packet: bytes) -> None:
    header, message = split_packet(packet)
    advert = decode_advertisement(message, header)
    form = advert.checksum_form or ChecksumForm.MESSAGE
    again = encode_advertisement(advert, header, form)
    assert decode_advertisement(again, header) == advert
    assert len(again) == len(message)


def _completed(packet: bytes) -> bytes:
    """The packet with its lengths, group, TTL, protocol and checksum as they should be."""
    if len(packet) < 48 or packet[0] >> 4 not in (4, 6):
        return packet
    if packet[0] >> 4 == 6:
        head, message = bytearray(packet[:40]), bytearray(packet[40:])
        head[4:6] = (len(message) & 0xFFFF).to_bytes(2, "big")
        head[6:8] = b"\x70\xff"
        head[24:40] = ip("ff02::12")
    else:
        end = max(5, packet[0] & 15) * 4
        head, message = bytearray(packet[:end]), bytearray(packet[end:])
        head[2:4] = (len(packet) & 0xFFFF).to_bytes(2, "big")
        head[6:10] = b"\0\0\xff\x70"
        head[16:20] = ip("224.0.0.18")
    if len(message) >= 8:
        message[6:8] = b"\0\0"
        pseudo = b""
        if message[0] >> 4 == 3:
            split = (24, 40) if packet[0] >> 4 == 6 else (16, 20)
            source = bytes(head[split[0] - (split[1] - split[0]) : split[0]])
            pseudo = pseudo_header(source, bytes(head[split[0] : split[1]]), len(message))
        message[6:8] = internet_checksum(pseudo, bytes(message)).to_bytes(2, "big")
    return bytes(head + message)


def solicitations(data: bytes) -> None:
    """Router solicitations: refused, or the address of a host. An odd first octet asks for a
    checksum that is right."""
    packet = bytearray(data[1:])
    if data[:1] and data[0] & 1 and len(packet) >= 44 and packet[0] >> 4 == 6:
        packet[42:44] = b"\0\0"
        end = 40 + int.from_bytes(packet[4:6], "big")
        source, target, message = bytes(packet[8:24]), bytes(packet[24:40]), bytes(packet[40:end])
        pseudo = pseudo_header(source, target, len(message), _ICMPV6)
        packet[42:44] = internet_checksum(pseudo, message).to_bytes(2, "big")
    try:
        source = read_solicitation(bytes(packet))
    except DecodeError as error:
        assert isinstance(error.reason, DiscardReason) and error.detail
        return
    assert len(source) == 16


# Configuration


def configuration(data: bytes) -> None:
    """A document: refused with every problem explained, or one that a router can run."""
    try:
        parsed = parse_json(data.decode("utf-8", "replace"))
    except ConfigError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.path and problem.code and problem.message and problem.hint, problem
        str(error).encode("utf-8")  # people get to see it
        return
    assert parse(document(parsed)) == parsed
    assert parse_json(canonical_json(parsed)) == parsed
    router = VrrpRouter(parsed, (link(), link("lan1", 8)), T0)
    router.step(Tick(), T0)
    if router.deadline_ns is not None:
        assert router.deadline_ns >= T0
        router.step(Tick(), router.deadline_ns)
    router.step(Stop(), T0 * 2)


# Control socket


class _Desk:
    """A control server with the real requests behind it, over a host that is not there."""

    def __init__(self) -> None:
        self.directory = tempfile.mkdtemp(prefix="vgt-fuzz-")
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)
        running = config(group(), group("other", vrid=11))
        file = Path(self.directory, "config.json")
        file.write_text(canonical_json(running), encoding="utf-8")
        self.done: list = []
        log, clock, prober = FakeLog(self.done), FakeClock(), FakeProber()
        router = VrrpRouter(running, (link(),), T0)
        shell = Shell(router, FakeIO(self.done), FakeDataplane(self.done), log)
        files = StateFiles(str(Path(self.directory, "state")), log)
        drains = Drains(shell, files, clock, log)
        commitment = Commitment(
            Beginning(Version(running), SOURCE_FILE),
            str(file),
            files,
            clock,
            log,
            Applier(shell, prober, drains, clock),
            lambda *_told: None,
        )
        requests = Requests(shell, commitment, drains, files, clock, {"nftables": True})
        self.server = ControlServer(self.directory, None, requests.handle)
        shell.watch(self.server.publish)

    def client(self) -> RawClient:
        client = RawClient(str(Path(self.directory, SOCKET_NAME)))
        self.server.serve()
        return client

    def work(self) -> None:
        """As the loop does: as long as there is something to do."""
        while select.select([self.server], (), (), 0)[0]:
            self.server.serve()
        self.done.clear()


_desk: Optional[_Desk] = None


def control(data: bytes) -> None:
    """Lines on the control socket; the first octet says in pieces of which size they come."""
    global _desk
    if _desk is None:
        _desk = _Desk()
    if not data:
        return
    desk, size, sent = _desk, data[0] * 16 + 1, data[1:]
    client = desk.client()
    for at in range(0, len(sent), size):
        client.send(sent[at : at + size])
        desk.work()
    said, more = [], client.lines()
    while more:  # who does not read is not answered any further
        said += more
        desk.work()
        more = client.lines()
    answers = [each for each in said if "event" not in each]
    asked = [line for line in sent.split(b"\n")[:-1] if line.strip()]
    assert len(answers) == len(asked)
    for answer in answers:
        json.dumps(answer, allow_nan=False)
        assert answer["v"] == 1 and ("result" in answer) != ("error" in answer)
        if "error" in answer:
            assert answer["error"]["code"] and answer["error"]["message"]
    client.close()
    desk.work()
    other = desk.client()
    other.ask(method="show.status")
    desk.work()
    (answer,) = other.lines()
    assert "result" in answer
    other.close()
    desk.work()


# Journal


def journal(data: bytes) -> None:
    """A file for `vlangate replay`: refused, or replayed."""
    try:
        result = replay(io.StringIO(data.decode("ascii", "replace"), newline="\n"))
    except JournalError as error:
        assert str(error)
        return
    if result.difference is not None:
        assert all(isinstance(line, str) for line in result.difference.expected)
        assert all(isinstance(line, str) for line in result.difference.got)


TARGETS: Dict[str, Callable[[bytes], None]] = {
    "packets": packets,
    "solicitations": solicitations,
    "config": configuration,
    "control": control,
    "journal": journal,
}
