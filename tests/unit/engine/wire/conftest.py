# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden packets: text files that hold what was on the wire and what it means.

A file is prose, then ``packet:`` with hexadecimal octets, then ``fields:`` with a ``name = value``
on each line. ``advertisement``, ``discard`` and ``router-solicitation`` begin at the IP header,
``gratuitous-arp``, ``unsolicited-na`` and ``router-advertisement`` at the Ethernet header.
``encodes`` says how much of it this engine would send: the whole packet, the message, or nothing.

A test that asks for ``golden`` runs once for every file.
"""

import os
import re
import textwrap
import warnings
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Dict, List

import pytest

from vrrp.errors import DecodeError
from vrrp.facts import Family
from vrrp.wire.advertisement import Advertisement, decode_advertisement
from vrrp.wire.checksum import ChecksumForm
from vrrp.wire.ip import IpHeader, split_packet

PACKETS = Path(__file__).resolve().parents[1] / "golden" / "packets"
FORM = re.compile(r"(?P<prose>.+?)\n\npacket:\n(?P<hex>.+?)\n\nfields:\n(?P<fields>.+)", re.DOTALL)


@dataclass
class GoldenPacket:
    """One file, parsed."""

    path: Path
    prose: str
    packet: bytes
    fields: Dict[str, str]

    @property
    def kind(self) -> str:
        return self.fields["kind"]

    @property
    def header(self) -> IpHeader:
        """The IP header that the fields describe."""
        source = ip_address(self.fields["source"])
        family = Family.IPV4 if source.version == 4 else Family.IPV6
        destination = ip_address(self.fields["destination"]).packed
        return IpHeader(source.packed, destination, int(self.fields["ttl"]), family)

    @property
    def advertisement(self) -> Advertisement:
        """The advertisement that the fields describe."""
        fields = self.fields
        form = fields.get("checksum_form")
        return Advertisement(
            version=int(fields["version"]),
            vrid=int(fields["vrid"]),
            priority=int(fields["priority"]),
            interval_cs=int(fields["interval_cs"]),
            addresses=tuple(ip_address(text).packed for text in fields["addresses"].split()),
            auth_type=int(fields.get("auth_type", "0")),
            auth_data=bytes.fromhex(fields.get("auth_data", "")),
            checksum_form=ChecksumForm(form) if form else None,
        )

    def text(self) -> str:
        """The file's text as it should be."""
        octets = "\n".join(textwrap.wrap(self.packet.hex(" "), 16 * 3 - 1))
        fields = "".join("%s = %s\n" % item for item in self.fields.items())
        return "%s\n\npacket:\n%s\n\nfields:\n%s" % (self.prose, octets, fields)


def parse_golden(path: Path) -> GoldenPacket:
    match = FORM.fullmatch(path.read_text(encoding="utf-8"))
    assert match, "%s: prose, 'packet:' and 'fields:', separated by blank lines" % path.name
    fields = dict(line.split(" = ", 1) for line in match["fields"].splitlines())
    return GoldenPacket(path, match["prose"], bytes.fromhex(match["hex"]), fields)


def decoded_fields(golden: GoldenPacket) -> Dict[str, str]:
    """What the engine reads in an IP packet, in the words of a golden file."""
    try:
        header, message = split_packet(golden.packet)
        advert = decode_advertisement(message, header)
    except DecodeError as error:
        return {"kind": "discard", "discard": error.reason.value, "detail": error.detail}
    fields = {
        "kind": "advertisement",
        "encodes": golden.fields.get("encodes", "packet"),
        "source": str(ip_address(header.source)),
        "destination": str(ip_address(header.destination)),
        "ttl": str(header.ttl),
        "version": str(advert.version),
        "vrid": str(advert.vrid),
        "priority": str(advert.priority),
        "interval_cs": str(advert.interval_cs),
        "addresses": " ".join(str(ip_address(address)) for address in advert.addresses),
    }
    if advert.version == 2:
        fields["auth_type"] = str(advert.auth_type)
        fields["auth_data"] = advert.auth_data.hex()
    if advert.checksum_form:
        fields["checksum_form"] = advert.checksum_form.value
    if header.family is Family.IPV4 and fields["encodes"] == "packet":
        fields["identification"] = str(int.from_bytes(golden.packet[4:6], "big"))
    return fields


def golden_packets() -> List[GoldenPacket]:
    return [parse_golden(path) for path in sorted(PACKETS.glob("*.txt"))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "golden" in metafunc.fixturenames:
        packets = golden_packets()
        metafunc.parametrize("golden", packets, ids=[golden.path.stem for golden in packets])


def pytest_configure(config: pytest.Config) -> None:
    """UPDATE_GOLDEN=1: write anew what the octets mean. The octets themselves never change."""
    if os.environ.get("UPDATE_GOLDEN") != "1":
        return
    for golden in golden_packets():
        if golden.kind in ("advertisement", "discard"):
            golden.fields = decoded_fields(golden)
        golden.path.write_text(golden.text(), encoding="utf-8")
    warnings.warn(
        "golden packets were rewritten: read `git diff tests/unit/engine/golden`, and commit it "
        "only when you can explain every line",
        stacklevel=1,
    )


@pytest.fixture(name="golden_packets")
def golden_packets_fixture() -> List[GoldenPacket]:
    """All golden packets at once."""
    return golden_packets()


@pytest.fixture
def read_fields():
    """decoded_fields, for tests that compare a golden file with the decoder."""
    return decoded_fields
