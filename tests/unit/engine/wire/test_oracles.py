# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two strangers read what we send: scapy and tshark have to agree with us on every field.

They also read the golden packets, so a golden file cannot be wrong the way our code is wrong.
Both are needed: without one the tests fail and say how to install it. SEED=n draws other packets.
"""

import os
import random
import shutil
import struct
import subprocess
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Dict, List

import pytest

from vrrp.facts import Family
from vrrp.wire.advertisement import Advertisement, encode_advertisement
from vrrp.wire.arp import gratuitous_arp
from vrrp.wire.checksum import ChecksumForm
from vrrp.wire.constants import MULTICAST_GROUP, TTL, virtual_mac
from vrrp.wire.ethernet import ETHERTYPE, ethernet_frame, vrrp_frame
from vrrp.wire.ip import IpHeader, build_ipv4, build_ipv6
from vrrp.wire.ndp import read_solicitation, unsolicited_na
from vrrp.wire.router_advertisement import (
    PREFERENCE_BITS,
    PrefixInformation,
    RouterAdvertisement,
    router_advertisement,
)

SEED = int(os.environ.get("SEED", "112"))
DRAWN = 40
LOCAL_MAC = b"\x02" + bytes(4) + b"\x01"
CORRECT = "1"  # how tshark spells a checksum status


@dataclass
class Sent:
    """A frame, and what we meant by it."""

    frame: bytes
    header: IpHeader
    advertisement: Advertisement
    form: ChecksumForm


def draw_addresses(rng: random.Random, family: Family, count: int) -> List[bytes]:
    prefix = b"\x0a\x14" if family is Family.IPV4 else b"\xfe\x80" + bytes(6)
    width = family.address_length - len(prefix)
    return [prefix + bytes(rng.choices(range(256), k=width)) for _address in range(count)]


def draw(rng: random.Random, version: int, family: Family, form: ChecksumForm) -> Sent:
    source, *addresses = draw_addresses(rng, family, 1 + rng.choice((1, 2, 3, 20)))
    seconds = rng.randint(1, 255)
    password = rng.choice(((0, b""), (1, b"secret\0\0"))) if version == 2 else (0, b"")
    advert = Advertisement(
        version,
        rng.randint(1, 255),
        rng.choice((0, 1, 100, 254, 255)),
        seconds * 100 if version == 2 else rng.randint(1, 4095),
        tuple(addresses),
        *password,
    )
    header = IpHeader(source, MULTICAST_GROUP[family], TTL, family)
    message = encode_advertisement(advert, header, form)
    if family is Family.IPV4:
        packet = build_ipv4(header, message, rng.randrange(65536))
    else:
        packet = build_ipv6(header, message)
    return Sent(vrrp_frame(virtual_mac(family, advert.vrid), family, packet), header, advert, form)


def draw_all(form: ChecksumForm) -> List[Sent]:
    """Packets of each kind. A failing assertion shows the seed in the name of its test."""
    rng = random.Random(SEED)
    kinds = ((2, Family.IPV4), (3, Family.IPV4), (3, Family.IPV6))
    return [draw(rng, *kinds[number % 3], form) for number in range(DRAWN)]


def text(address: bytes) -> str:
    return str(ip_address(address))


@pytest.fixture(params=list(ChecksumForm), ids=lambda form: "%s-seed-%d" % (form.value, SEED))
def drawn(request) -> List[Sent]:
    return draw_all(request.param)


# scapy


@pytest.fixture(name="scapy", scope="module")
def load_scapy():
    """The layers that are needed, as one namespace."""
    try:
        from scapy.layers import inet, inet6, l2, vrrp
    except ImportError:
        pytest.fail("scapy is missing: run `make setup`, or `pip install scapy`")

    class Layers:
        Ether, ARP, IP, IPv6 = l2.Ether, l2.ARP, inet.IP, inet6.IPv6
        NA, TargetAddress = inet6.ICMPv6ND_NA, inet6.ICMPv6NDOptDstLLAddr
        RA, RS, SourceAddress = inet6.ICMPv6ND_RA, inet6.ICMPv6ND_RS, inet6.ICMPv6NDOptSrcLLAddr
        Mtu, Prefix = inet6.ICMPv6NDOptMTU, inet6.ICMPv6NDOptPrefixInfo
        Servers, Domains = inet6.ICMPv6NDOptRDNSS, inet6.ICMPv6NDOptDNSSL
        VRRP, VRRPv3 = vrrp.VRRP, vrrp.VRRPv3

    return Layers


def built_by_scapy(scapy, sent: Sent) -> bytes:
    """The same frame made by scapy, which computes all lengths and checksums by itself."""
    advert, header = sent.advertisement, sent.header
    family = header.family
    mac = "00:00:5e:00:0%d:%02x" % (1 if family is Family.IPV4 else 2, advert.vrid)
    listed = [text(address) for address in advert.addresses]
    common = {"vrid": advert.vrid, "priority": advert.priority, "addrlist": listed}
    if family is Family.IPV4:
        identification = int.from_bytes(sent.frame[18:20], "big")
        ip = scapy.IP(src=text(header.source), dst="224.0.0.18", ttl=255, tos=0xC0)
        ip.id = identification
        destination = "01:00:5e:00:00:12"
    else:
        ip = scapy.IPv6(src=text(header.source), dst="ff02::12", hlim=255, tc=0xC0)
        destination = "33:33:00:00:00:12"
    if advert.version == 2:
        auth1, auth2 = struct.unpack("!II", advert.auth_data.ljust(8, b"\0"))
        seconds = advert.interval_cs // 100
        message = scapy.VRRP(
            adv=seconds, authtype=advert.auth_type, auth1=auth1, auth2=auth2, **common
        )
    else:
        message = scapy.VRRPv3(adv=advert.interval_cs, **common)
    return bytes(scapy.Ether(src=mac, dst=destination) / ip / message)


def test_scapy_builds_the_same_frames(scapy):
    for sent in draw_all(ChecksumForm.PSEUDO_HEADER):
        assert built_by_scapy(scapy, sent) == sent.frame, "SEED=%d" % SEED


def test_scapy_differs_from_the_checksum_form_that_it_does_not_know(scapy):
    for sent in draw_all(ChecksumForm.MESSAGE):
        ambiguous = sent.advertisement.version == 3 and sent.header.family is Family.IPV4
        assert (built_by_scapy(scapy, sent) != sent.frame) is ambiguous, "SEED=%d" % SEED


def test_scapy_reads_the_same_fields(scapy, drawn):
    for sent in drawn:
        ether = scapy.Ether(sent.frame)
        advert = sent.advertisement
        message = ether[scapy.VRRP if advert.version == 2 else scapy.VRRPv3]
        unit_cs = 100 if advert.version == 2 else 1
        assert (message.version, message.type) == (advert.version, 1)
        assert (message.vrid, message.priority) == (advert.vrid, advert.priority)
        assert message.adv * unit_cs == advert.interval_cs
        assert message.addrlist == [text(address) for address in advert.addresses]


def test_scapy_builds_the_same_gratuitous_arp(scapy):
    mac = "00:00:5e:00:01:0a"
    arp = scapy.ARP(op="who-has", hwsrc=mac, psrc="192.0.2.254", hwdst=mac, pdst="192.0.2.254")
    frame = bytes(scapy.Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / arp)
    assert gratuitous_arp(virtual_mac(Family.IPV4, 10), ip_address("192.0.2.254").packed) == frame


def test_scapy_builds_the_same_neighbour_advertisement(scapy):
    mac, source, target = "00:00:5e:00:02:0a", "fe80::10", "2001:db8::254"
    ip = scapy.IPv6(src=source, dst="ff02::1", hlim=255, tc=0xC0)
    na = scapy.NA(R=1, S=0, O=1, tgt=target) / scapy.TargetAddress(lladdr=mac)
    frame = bytes(scapy.Ether(src=mac, dst="33:33:00:00:00:01") / ip / na)
    source_octets, target_octets = ip_address(source).packed, ip_address(target).packed
    assert unsolicited_na(virtual_mac(Family.IPV6, 10), source_octets, target_octets) == frame


def draw_to_hosts(rng: random.Random) -> RouterAdvertisement:
    """A router advertisement, with or without each of its options."""
    prefixes = tuple(
        PrefixInformation(
            bytes(rng.choices(range(256), k=8)) + bytes(8),
            rng.choice((48, 56, 64)),
            rng.random() < 0.5,
            rng.random() < 0.5,
            rng.choice((0, 7200, 0xFFFFFFFF)),
            rng.choice((0, 3600, 0xFFFFFFFF)),
        )
        for _count in range(rng.choice((0, 1, 3)))
    )
    domains = ("example.com", "a.b.c.example.org", "x" * 63 + ".example")
    return RouterAdvertisement(
        lifetime_s=rng.choice((0, 1800, 9000)),
        hop_limit=rng.choice((0, 64, 255)),
        managed=rng.random() < 0.5,
        other=rng.random() < 0.5,
        preference=rng.choice(sorted(PREFERENCE_BITS)),
        mtu=rng.choice((0, 1280, 9000)),
        prefixes=prefixes,
        dns_servers=tuple(draw_addresses(rng, Family.IPV6, rng.choice((0, 1, 3)))),
        search_domains=domains[: rng.choice((0, 1, 2, 3))],
        dns_lifetime_s=rng.choice((0, 1800, 0xFFFFFFFF)),
    )


TOLD = [draw_to_hosts(random.Random(SEED + number)) for number in range(DRAWN)]
TELLER = "fe80::7672:7270:0:a"


def sent_to_hosts(told: RouterAdvertisement) -> bytes:
    return router_advertisement(virtual_mac(Family.IPV6, 10), ip_address(TELLER).packed, told)


def test_scapy_builds_the_same_router_advertisements(scapy):
    mac = "00:00:5e:00:02:0a"
    for told in TOLD:
        frame = scapy.Ether(src=mac, dst="33:33:00:00:00:01")
        frame /= scapy.IPv6(src=TELLER, dst="ff02::1", hlim=255, tc=0xC0)
        frame /= scapy.RA(
            chlim=told.hop_limit,
            M=told.managed,
            O=told.other,
            prf={"low": 3, "medium": 0, "high": 1}[told.preference],
            routerlifetime=told.lifetime_s,
        )
        frame /= scapy.SourceAddress(lladdr=mac)
        if told.mtu:
            frame /= scapy.Mtu(mtu=told.mtu)
        for each in told.prefixes:
            frame /= scapy.Prefix(
                prefix=text(each.prefix),
                prefixlen=each.length,
                L=each.on_link,
                A=each.autonomous,
                R=0,
                validlifetime=each.valid_lifetime_s,
                preferredlifetime=each.preferred_lifetime_s,
            )
        if told.dns_servers:
            listed = [text(address) for address in told.dns_servers]
            frame /= scapy.Servers(dns=listed, lifetime=told.dns_lifetime_s)
        if told.search_domains:
            listed = list(told.search_domains)
            frame /= scapy.Domains(searchlist=listed, lifetime=told.dns_lifetime_s)
        assert bytes(frame) == sent_to_hosts(told), "SEED=%d" % SEED


def test_a_solicitation_of_scapy_is_read(scapy):
    for source, options in (
        ("fe80::5", scapy.SourceAddress(lladdr="02:00:00:00:00:05")),
        ("::", b""),
    ):
        packet = scapy.IPv6(src=source, dst="ff02::2", hlim=255) / scapy.RS() / options
        assert read_solicitation(bytes(packet)) == ip_address(source).packed


# tshark


@pytest.fixture(name="tshark")
def tshark_reader(tmp_path):
    """A function: frames, names of fields -> one dictionary for each frame."""
    program = shutil.which("tshark")
    if program is None:
        pytest.fail("tshark is missing: run `make setup`, or `apt-get install -y tshark`")

    def read(frames: List[bytes], fields: List[str], *preferences: str) -> List[Dict[str, str]]:
        capture = tmp_path / "frames.pcap"
        capture.write_bytes(pcap(frames))
        command = [program, "-n", "-r", str(capture), "-T", "fields", "-E", "separator=;"]
        for preference in ("ip.check_checksum:TRUE", *preferences):
            command += ["-o", preference]
        for name in fields:
            command += ["-e", name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr
        return [dict(zip(fields, line.split(";"))) for line in done.stdout.splitlines()]

    return read


def pcap(frames: List[bytes]) -> bytes:
    """A capture file of Ethernet frames, all at time 0."""
    records = [struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame for frame in frames]
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(records)


def checksum_preference(form: ChecksumForm) -> str:
    message_alone = form is ChecksumForm.MESSAGE
    return "vrrp.v3_checksum_as_in_v2:%s" % ("TRUE" if message_alone else "FALSE")


VRRP_FIELDS = [
    "eth.src",
    "eth.dst",
    "ip.checksum.status",
    "ip.ttl",
    "ip.dsfield",
    "ip.flags.df",
    "ipv6.hlim",
    "ipv6.tclass",
    "vrrp.version",
    "vrrp.type",
    "vrrp.virt_rtr_id",
    "vrrp.prio",
    "vrrp.addr_count",
    "vrrp.adver_int",
    "vrrp.short_adver_int",
    "vrrp.checksum.status",
    "vrrp.ip_addr",
    "vrrp.ipv6_addr",
    "vrrp.auth_type",
    "_ws.malformed",
]

ARP_FIELDS = [
    "eth.dst",
    "eth.src",
    "arp.opcode",
    "arp.isgratuitous",
    "arp.src.hw_mac",
    "arp.src.proto_ipv4",
    "arp.dst.hw_mac",
    "arp.dst.proto_ipv4",
]
NA_FIELDS = [
    "eth.dst",
    "eth.src",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.hlim",
    "icmpv6.type",
    "icmpv6.checksum.status",
    "icmpv6.nd.na.flag.r",
    "icmpv6.nd.na.flag.s",
    "icmpv6.nd.na.flag.o",
    "icmpv6.nd.na.target_address",
    "icmpv6.opt.linkaddr",
]


def expected_of_tshark(sent: Sent) -> Dict[str, str]:
    advert, family = sent.advertisement, sent.header.family
    listed = ",".join(text(address) for address in advert.addresses)
    expected = dict.fromkeys(VRRP_FIELDS, "")
    expected.update(
        {
            "vrrp.version": str(advert.version),
            "vrrp.type": "1",
            "vrrp.virt_rtr_id": str(advert.vrid),
            "vrrp.prio": str(advert.priority),
            "vrrp.addr_count": str(len(advert.addresses)),
            "vrrp.checksum.status": CORRECT,
        }
    )
    if family is Family.IPV4:
        expected.update({"eth.src": "00:00:5e:00:01:%02x" % advert.vrid})
        expected.update({"eth.dst": "01:00:5e:00:00:12", "vrrp.ip_addr": listed})
        expected.update({"ip.ttl": "255", "ip.dsfield": "0xc0", "ip.flags.df": "0"})
        expected.update({"ip.checksum.status": CORRECT})
    else:
        expected.update({"eth.src": "00:00:5e:00:02:%02x" % advert.vrid})
        expected.update({"eth.dst": "33:33:00:00:00:12", "vrrp.ipv6_addr": listed})
        expected.update({"ipv6.hlim": "255", "ipv6.tclass": "0x000000c0"})
    if advert.version == 2:
        expected["vrrp.adver_int"] = str(advert.interval_cs // 100)
        expected["vrrp.auth_type"] = str(advert.auth_type)
    else:
        expected["vrrp.short_adver_int"] = str(advert.interval_cs)
    return expected


def test_tshark_reads_the_same_fields(tshark, drawn):
    frames = [sent.frame for sent in drawn]
    seen = tshark(frames, VRRP_FIELDS, checksum_preference(drawn[0].form))
    assert seen == [expected_of_tshark(sent) for sent in drawn]


def test_tshark_reads_the_golden_advertisements(tshark, golden_packets):
    for form in ChecksumForm:
        chosen = [
            golden
            for golden in golden_packets
            if golden.kind == "advertisement"
            and golden.fields.get("checksum_form", form.value) == form.value
        ]
        frames = [
            ethernet_frame(bytes(6), LOCAL_MAC, ETHERTYPE[golden.header.family], golden.packet)
            for golden in chosen
        ]
        seen = tshark(frames, VRRP_FIELDS, checksum_preference(form))
        for golden, fields in zip(chosen, seen):
            assert fields["vrrp.checksum.status"] == CORRECT, golden.path.stem
            assert fields["ip.checksum.status"] in (CORRECT, ""), golden.path.stem
            assert fields["vrrp.virt_rtr_id"] == golden.fields["vrid"]
            assert fields["vrrp.prio"] == golden.fields["priority"]
            listed = fields["vrrp.ip_addr"] or fields["vrrp.ipv6_addr"]
            assert listed.split(",") == golden.fields["addresses"].split()
        assert len(seen) == len(chosen) > 5


def family_of_packet(packet: bytes) -> Family:
    return Family.IPV4 if packet[0] >> 4 == 4 else Family.IPV6


def test_tshark_sees_a_wrong_checksum_as_we_do(tshark, golden_packets):
    """The oracle itself can say no."""
    wrong = [
        golden
        for golden in golden_packets
        if golden.kind == "discard" and golden.fields["discard"] == "checksum-errors"
    ]
    frames = [
        ethernet_frame(
            bytes(6), LOCAL_MAC, ETHERTYPE[family_of_packet(golden.packet)], golden.packet
        )
        for golden in wrong
    ]
    for form in ChecksumForm:
        seen = tshark(frames, VRRP_FIELDS, checksum_preference(form))
        assert [fields["vrrp.checksum.status"] for fields in seen] == ["0"] * len(wrong)


def test_tshark_reads_the_golden_announcements(tshark, golden_packets):
    golden = {golden.kind: golden for golden in golden_packets}
    arp, na = golden["gratuitous-arp"], golden["unsolicited-na"]
    (seen,) = tshark(
        [arp.packet],
        ARP_FIELDS,
    )
    mac, address = arp.fields["mac"], arp.fields["address"]
    assert list(seen.values()) == [
        *("ff:ff:ff:ff:ff:ff", mac, "1", "1"),
        *(mac, address, mac, address),
    ]
    (seen,) = tshark(
        [na.packet],
        NA_FIELDS,
    )
    mac, source, target = (na.fields[name] for name in ("mac", "source", "target"))
    assert list(seen.values()) == [
        *("33:33:00:00:00:01", mac, source, "ff02::1", "255", "136"),
        *(CORRECT, "1", "0", "1", target, mac),
    ]


TOLD_FIELDS = [
    "eth.dst",
    "eth.src",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.hlim",
    "icmpv6.type",
    "icmpv6.checksum.status",
    "icmpv6.nd.ra.cur_hop_limit",
    "icmpv6.nd.ra.flag.m",
    "icmpv6.nd.ra.flag.o",
    "icmpv6.nd.ra.flag.prf",
    "icmpv6.nd.ra.router_lifetime",
    "icmpv6.opt.linkaddr",
    "icmpv6.opt.mtu",
    "icmpv6.opt.prefix",
    "icmpv6.opt.prefix.length",
    "icmpv6.opt.prefix.flag.l",
    "icmpv6.opt.prefix.flag.a",
    "icmpv6.opt.prefix.valid_lifetime",
    "icmpv6.opt.prefix.preferred_lifetime",
    "icmpv6.opt.rdnss",
    "icmpv6.opt.dnssl",
    "_ws.malformed",
]


def expected_to_hosts(told: RouterAdvertisement) -> Dict[str, str]:
    def each(attribute: str) -> str:
        return ",".join(str(int(getattr(prefix, attribute))) for prefix in told.prefixes)

    return {
        "eth.dst": "33:33:00:00:00:01",
        "eth.src": "00:00:5e:00:02:0a",
        "ipv6.src": TELLER,
        "ipv6.dst": "ff02::1",
        "ipv6.hlim": "255",
        "icmpv6.type": "134",
        "icmpv6.checksum.status": CORRECT,
        "icmpv6.nd.ra.cur_hop_limit": str(told.hop_limit),
        "icmpv6.nd.ra.flag.m": str(int(told.managed)),
        "icmpv6.nd.ra.flag.o": str(int(told.other)),
        "icmpv6.nd.ra.flag.prf": str({"low": 3, "medium": 0, "high": 1}[told.preference]),
        "icmpv6.nd.ra.router_lifetime": str(told.lifetime_s),
        "icmpv6.opt.linkaddr": "00:00:5e:00:02:0a",
        "icmpv6.opt.mtu": str(told.mtu) if told.mtu else "",
        "icmpv6.opt.prefix": ",".join(text(prefix.prefix) for prefix in told.prefixes),
        "icmpv6.opt.prefix.length": each("length"),
        "icmpv6.opt.prefix.flag.l": each("on_link"),
        "icmpv6.opt.prefix.flag.a": each("autonomous"),
        "icmpv6.opt.prefix.valid_lifetime": each("valid_lifetime_s"),
        "icmpv6.opt.prefix.preferred_lifetime": each("preferred_lifetime_s"),
        "icmpv6.opt.rdnss": ",".join(text(address) for address in told.dns_servers),
        "icmpv6.opt.dnssl": ",".join(told.search_domains),
        "_ws.malformed": "",
    }


def test_tshark_reads_the_same_router_advertisements(tshark):
    seen = tshark([sent_to_hosts(told) for told in TOLD], TOLD_FIELDS)
    assert seen == [expected_to_hosts(told) for told in TOLD], "SEED=%d" % SEED
