# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden packets, three ways: octets to fields, fields to octets, and all reasons to discard."""

from ipaddress import ip_address

import pytest

from vrrp.discards import DiscardReason
from vrrp.wire.advertisement import encode_advertisement
from vrrp.wire.arp import gratuitous_arp
from vrrp.wire.checksum import ChecksumForm
from vrrp.wire.ip import build_ipv4, build_ipv6, split_packet
from vrrp.wire.ndp import read_solicitation, unsolicited_na
from vrrp.wire.router_advertisement import (
    PrefixInformation,
    RouterAdvertisement,
    router_advertisement,
)

# The reasons that the codec itself can find; the others need to know what is configured.
OF_THE_CODEC = {
    DiscardReason.IP_HEADER,
    DiscardReason.FRAGMENT,
    DiscardReason.WRONG_PROTOCOL,
    DiscardReason.PACKET_LENGTH,
    DiscardReason.VERSION,
    DiscardReason.INVALID_TYPE,
    DiscardReason.CHECKSUM,
    DiscardReason.NO_ADDRESSES,
    DiscardReason.INTERVAL_ZERO,
}

# Frames that are made and not read.
MADE = ("gratuitous-arp", "unsolicited-na", "router-advertisement")


def test_octets_mean_the_fields(golden, read_fields):
    if golden.kind in ("advertisement", "discard"):
        assert read_fields(golden) == golden.fields
    else:
        assert golden.kind in MADE or golden.kind == "router-solicitation"


def test_a_solicitation_is_read(golden_packets):
    (golden,) = (each for each in golden_packets if each.kind == "router-solicitation")
    assert read_solicitation(golden.packet) == packed(golden, "source")


def test_fields_make_the_octets(golden):
    if golden.kind in ("discard", "router-solicitation"):
        return
    if golden.kind == "advertisement":
        make_advertisement(golden)
        return
    mac = bytes.fromhex(golden.fields["mac"].replace(":", ""))
    if golden.kind == "gratuitous-arp":
        assert gratuitous_arp(mac, packed(golden, "address")) == golden.packet
    elif golden.kind == "router-advertisement":
        frame = router_advertisement(mac, packed(golden, "source"), told_to_hosts(golden.fields))
        assert frame == golden.packet
    else:
        frame = unsolicited_na(mac, packed(golden, "source"), packed(golden, "target"))
        assert frame == golden.packet


def make_advertisement(golden) -> None:
    advert, header = golden.advertisement, golden.header
    message = encode_advertisement(advert, header, advert.checksum_form or ChecksumForm.MESSAGE)
    extent = golden.fields["encodes"]
    if extent == "nothing":
        assert message != split_packet(golden.packet)[1]
        return
    assert message == split_packet(golden.packet)[1]
    if extent == "packet" and header.family.address_length == 4:
        identification = int(golden.fields["identification"])
        assert build_ipv4(header, message, identification) == golden.packet
    elif extent == "packet":
        assert build_ipv6(header, message) == golden.packet
    else:
        assert extent == "message"


def told_to_hosts(fields) -> RouterAdvertisement:
    """The content of a router advertisement with one prefix."""
    network, _slash, length = fields["prefixes"].partition("/")
    prefix = PrefixInformation(
        prefix=ip_address(network).packed,
        length=int(length),
        on_link=fields["on_link"] == "1",
        autonomous=fields["autonomous"] == "1",
        valid_lifetime_s=int(fields["valid_lifetime_s"]),
        preferred_lifetime_s=int(fields["preferred_lifetime_s"]),
    )
    return RouterAdvertisement(
        lifetime_s=int(fields["lifetime_s"]),
        hop_limit=int(fields["hop_limit"]),
        managed=fields["managed"] == "1",
        other=fields["other"] == "1",
        preference=fields["preference"],
        mtu=int(fields["mtu"]),
        prefixes=(prefix,),
        dns_servers=tuple(ip_address(text).packed for text in fields["dns_servers"].split()),
        search_domains=tuple(fields["search_domains"].split()),
        dns_lifetime_s=int(fields["dns_lifetime_s"]),
    )


def packed(golden, name: str) -> bytes:
    return ip_address(golden.fields[name]).packed


def test_file_is_written_as_an_update_would_write_it(golden):
    assert golden.path.read_text(encoding="utf-8") == golden.text()


def test_every_reason_of_the_codec_has_a_packet(golden_packets):
    seen = {golden.fields["discard"] for golden in golden_packets if golden.kind == "discard"}
    assert seen == {reason.value for reason in OF_THE_CODEC}


@pytest.mark.parametrize("kind", ["advertisement", "discard", "router-solicitation", *MADE])
def test_every_kind_has_a_packet(golden_packets, kind):
    assert kind in {golden.kind for golden in golden_packets}
