# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fuzzing begins with: golden packets, good and bad documents, requests, a short journal, and
the inputs that were found and kept in corpus/TARGET/, as hexadecimal text."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, List

import fuzz_targets  # first: it sets the path
from engine_kit.bad_files import bad_files
from engine_kit.histories import configurations, first_links, history
from engine_kit.packets import V2, V3, V3_IPV6, solicitation
from engine_kit.values import T0, config, group

from vrrp.config.model import LeaseMode, RouterConfig, SyncGroupConfig
from vrrp.config.render import canonical_json
from vrrp.router.journal import Recorder
from vrrp.router.masks import Masks
from vrrp.router.vrrp_router import VrrpRouter

_RECEIVED = b'"event":{"PacketReceived":{"packet":{'
CORPUS = Path(__file__).resolve().parent / "corpus"
# Longer ones are about a length, and mutation would take all its time for them.
_LONGEST_DOCUMENT = 16384
ENGINE_TESTS = fuzz_targets.ROOT / "tests" / "unit" / "engine"


def _packets() -> List[bytes]:
    golden = []
    for path in sorted((ENGINE_TESTS / "golden" / "packets").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        golden.append(bytes.fromhex(text.split("packet:\n")[1].split("\n\n")[0]))
    password = V2.but(vrid=20, auth_type=1, auth_data=b"hunter2\0")
    good = [V3, V3_IPV6, V2.but(vrid=21), password, V3.but(vrid=30), V3.but(vrid=40)]
    made = golden + [each.octets() for each in good]
    return [first + each for each in made for first in (b"\0", b"\x01")]


def _solicitations() -> List[bytes]:
    address = b"\x01\x01\x02\0\0\0\0\x09"  # option 1: source link-layer address
    made = [
        solicitation(),
        solicitation(options=address),
        solicitation(options=address * 2 + b"\xff\0"),
        solicitation(source=bytes(16)),
        solicitation(source=bytes(16), options=address),
        solicitation(hop_limit=64),
        solicitation(cut=2),
    ]
    return [first + each for each in made for first in (b"\0", b"\x01")]


def _config() -> List[bytes]:
    bad = [each.octets for each in bad_files() if len(each.octets) <= _LONGEST_DOCUMENT]
    good = [*configurations(), _in_sync()]
    return bad + [canonical_json(each).encode() for each in good]


def _in_sync() -> RouterConfig:
    """Two virtual routers that move together."""
    members = config(group("a"), group("b", interface="lan1"))
    together = SyncGroupConfig("both", ("a", "b"))
    return replace(members, sync_groups=(together,), leases=LeaseMode.ON)


def _control() -> List[bytes]:
    first = configurations()[0]
    requests = [
        {"v": 1, "id": 1, "method": "show.routers", "params": {}},
        {"v": 1, "id": "a", "method": "show.routers", "params": {"name": "vlan10"}},
        {"v": 1, "id": None, "method": "show.status"},
        {"v": 1, "method": "config.get"},
        {"v": 1, "id": 2, "method": "config.check", "params": json.loads(canonical_json(first))},
        {
            "v": 1,
            "id": 2,
            "method": "config.check",
            "params": {"document": json.loads(canonical_json(first))},
        },
        {"v": 1, "id": [1], "method": "do.reload"},
        {"v": 1, "id": 3, "method": "do.reload", "params": {"confirm_within_s": 5}},
        {"v": 1, "id": 3, "method": "do.confirm", "params": {"sha256": "00"}},
        {"v": 1, "id": 3, "method": "do.rollback", "params": {}},
        {"v": 1, "id": 3, "method": "do.drain", "params": {"names": ["vlan10"], "force": True}},
        {"v": 1, "id": 3, "method": "do.undrain", "params": {"all": True}},
        {"v": 1, "id": 4, "method": "watch"},
        {"v": 2, "id": 4, "method": "show.status"},
    ]
    lines = [json.dumps(each).encode() + b"\n" for each in requests]
    return [b"\xff" + line for line in lines] + [b"\x01" + b"".join(lines[:4])]


def _journal() -> List[bytes]:
    journals = []
    for seed, wanted in enumerate(configurations()):
        router = VrrpRouter(wanted, first_links(), T0)
        recorder = Recorder(router, Masks())
        lines = list(recorder.beginning(T0))
        for event, now_ns in history(seed, 8):
            lines.append(recorder.step(event, now_ns, router.step(event, now_ns)))
        journals.append("".join(lines).encode("ascii"))
    return [*journals, without_its_packet(journals[0])]


def without_its_packet(journal: bytes) -> bytes:
    """Broke a promise once. Not kept in the corpus: it has to be a journal of this very engine, for
    one of another ends before the event."""
    lines = journal.splitlines(keepends=True)
    (number, *_later) = (at for at, line in enumerate(lines) if _RECEIVED in line)
    record = json.loads(lines[number])
    record["event"]["PacketReceived"]["packet"] = 7
    lines[number] = json.dumps(record).encode("ascii") + b"\n"
    return b"".join(lines)


_MADE: Dict[str, Callable[[], List[bytes]]] = {
    "packets": _packets,
    "solicitations": _solicitations,
    "config": _config,
    "control": _control,
    "journal": _journal,
}


def kept(target: str) -> Dict[str, bytes]:
    """The inputs of corpus/TARGET/, by file name."""
    paths = sorted((CORPUS / target).glob("*.hex"))
    return {path.name: bytes.fromhex(path.read_text(encoding="ascii")) for path in paths}


def seeds(target: str) -> List[bytes]:
    """All that fuzzing a target begins with."""
    return _MADE[target]() + list(kept(target).values())


def as_text(data: bytes) -> str:
    """The form in which an input is kept."""
    text = data.hex()
    return "".join(text[at : at + 96] + "\n" for at in range(0, len(text), 96)) or "\n"
