# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N802 - the names begin with the row that they test
"""R and A rows: what is heard and what is discarded, through the whole router.

R7, R29, R30, R31 and R33 also with real sockets: tests/netns/test_rfc_receiving.py.
"""

import random
import struct

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import V2, V3, V3_IPV6, Packet, ones_complement_sum
from engine_kit.values import HIGHER, NS_PER_S, OURS, VIP, config, group, group6, ip, link

from vrrp.config.model import ProfileMode
from vrrp.config.parse import parse
from vrrp.discards import DiscardReason as Why
from vrrp.errors import ConfigError
from vrrp.facts import ReceivedPacket
from vrrp.fsm.states import State
from vrrp.router.events import PacketReceived
from vrrp.router.peers import MAXIMUM_PEERS
from vrrp.router.wires import MAXIMUM_KNOWN_PACKETS

NAMES = {reason.value for reason in Why}
OTHER_LIST = {"addresses": (ip("198.18.10.1"),)}
RIGHT = {"auth_type": 1, "auth_data": b"secret\0\0"}
EITHER = pytest.mark.parametrize(
    "made, packet",
    ((group(), V3), (group(version=2), V2), (group6("vlan10"), V3_IPV6)),
    ids=("v3", "v2", "v6"),
)


def listen(data, *groups, **more):
    """A router with these groups that heard one packet."""
    driver = Driver(config(*(groups or (group(),))), **more)
    octets = data if isinstance(data, bytes) else data.octets()
    driver.step(PacketReceived(ReceivedPacket(7, octets)))
    return driver


def discarded(data, *groups, **more):
    """The one reason that a packet is discarded for; fails when it is heard."""
    driver = listen(data, *groups, **more)
    counters = {**driver.router.counters, **driver.bound().counters}
    assert driver.count("advertisement-rcvd") == 0
    (reason,) = NAMES & set(counters)
    return Why(reason)


def heard(data, *groups, **more):
    """The router, once it has heard the packet; fails when it is discarded."""
    driver = listen(data, *groups, **more)
    assert driver.count("advertisement-rcvd") == 1, driver.router.counters
    return driver


@pytest.mark.rfc("R1", positive=True)
@EITHER
@pytest.mark.parametrize("ttl", (0, 1, 64, 254))
def test_R1_what_was_forwarded_is_discarded(made, packet, ttl):
    assert discarded(packet.but(ttl=ttl), made) is Why.IP_TTL


@pytest.mark.rfc("R1", positive=False)
@EITHER
def test_R1_255_is_heard(made, packet):
    heard(packet.but(ttl=255), made)


@pytest.mark.rfc("R2", positive=True)
@pytest.mark.parametrize("version", (0, 1, 3, 4, 15))
def test_R2_a_router_of_version_2_discards_others(version):
    packet = V3 if version == 3 else V2.but(version=version)
    assert discarded(packet, group(version=2)) is Why.VERSION


@pytest.mark.rfc("R2", positive=False)
def test_R2_it_hears_version_2():
    heard(V2, group(version=2))


@pytest.mark.rfc("R3", positive=True)
@pytest.mark.parametrize("version", (0, 1, 2, 4, 15))
def test_R3_a_router_of_version_3_discards_others(version):
    packet = V2 if version == 2 else V3.but(version=version)
    assert discarded(packet) is Why.VERSION
    assert discarded(V3_IPV6.but(version=version), group6("vlan10")) is Why.VERSION


@pytest.mark.rfc("R3", positive=False)
def test_R3_it_hears_version_3():
    heard(V3)
    heard(V3_IPV6, group6("vlan10"))


@pytest.mark.rfc("R4", positive=True)
@EITHER
@pytest.mark.parametrize("kind", (0, 2, 15))
def test_R4_unknown_types_are_discarded(made, packet, kind):
    assert discarded(packet.but(type=kind), made) is Why.INVALID_TYPE


@pytest.mark.rfc("R4", positive=False)
@EITHER
def test_R4_type_1_is_heard(made, packet):
    heard(packet.but(type=1), made)


def cut(packet: Packet, octets: int) -> bytes:
    """The packet without so many octets at its end, with IP lengths to match."""
    data = packet.octets()[:-octets]
    if len(packet.source) == 4:
        return data[:2] + struct.pack("!H", len(data)) + data[4:]
    return data[:4] + struct.pack("!H", len(data) - 40) + data[6:]


@pytest.mark.rfc("R5", positive=True)
@pytest.mark.parametrize("octets", range(1, 21))
def test_R5_an_incomplete_message_of_version_2_is_discarded(octets):
    assert discarded(cut(V2, octets), group(version=2)) is Why.PACKET_LENGTH


@pytest.mark.rfc("R5", positive=False)
@pytest.mark.parametrize("count", (1, 2, 255))
def test_R5_a_complete_one_is_heard(count):
    addresses = tuple(ip("198.18.%d.%d" % divmod(n, 200)) for n in range(1, count + 1))
    heard(V2.but(addresses=addresses, priority=255), group(version=2))


@pytest.mark.rfc("R6", positive=True)
@pytest.mark.parametrize("octets", range(1, 13))
def test_R6_an_incomplete_message_of_version_3_is_discarded(octets):
    assert discarded(cut(V3, octets)) is Why.PACKET_LENGTH
    assert discarded(cut(V3_IPV6, octets), group6("vlan10")) is Why.PACKET_LENGTH


@pytest.mark.rfc("R6", positive=False)
@pytest.mark.parametrize("count", (1, 2, 255))
def test_R6_a_complete_one_is_heard(count):
    heard(V3.but(addresses=(VIP,) * count))
    heard(V3_IPV6.but(addresses=(ip("fe80::10"),) * count), group6("vlan10"))


@pytest.mark.rfc("R7", positive=True)
@EITHER
@pytest.mark.parametrize("padding", (1, 2, 14, 26))
def test_R7_the_padding_of_a_frame_is_no_part_of_the_message(made, packet, padding):
    heard(packet.octets() + b"\xff" * padding, made)


@pytest.mark.rfc("R7", positive=False)
@EITHER
def test_R7_octets_that_the_ip_length_counts_are(made, packet):
    assert discarded(packet.but(tail=b"\xff"), made) is Why.PACKET_LENGTH
    assert discarded(packet.octets()[:-1], made) is Why.IP_HEADER, "and there is no more than that"


@pytest.mark.rfc("R8", positive=True)
@EITHER
@pytest.mark.parametrize("tail", (b"\0", b"\0\0\0\0", b"\0" * 16, b"\0" * 64))
def test_R8_octets_behind_the_message_make_it_another_one(made, packet, tail):
    assert discarded(packet.but(tail=tail), made) is Why.PACKET_LENGTH


@pytest.mark.rfc("R9", positive=True)
@EITHER
@pytest.mark.parametrize("error", (1, 0x8000, 0x00FF))
def test_R9_a_wrong_checksum_is_discarded(made, packet, error):
    assert discarded(packet.but(checksum_error=error), made) is Why.CHECKSUM


@pytest.mark.rfc("R9", positive=False)
@EITHER
def test_R9_a_right_one_is_heard_and_zero_is_not_absent(made, packet):
    heard(packet, made)
    right = int.from_bytes(packet.message()[6:8], "big")
    assert discarded(packet.but(checksum_error=right), made) is Why.CHECKSUM


@pytest.mark.rfc("R10", positive=True)
def test_R10_both_zeros_pass():
    # The last address makes the sum that of a message whose checksum is zero.
    message = V3.but(message_only=True, addresses=(VIP, bytes(4))).message()
    missing = 0xFFFF - ones_complement_sum(message[:6] + message[8:])
    last = b"\0\0" + missing.to_bytes(2, "big")
    packet = V3.but(message_only=True, addresses=(VIP, last))
    assert packet.message()[6:8] == b"\0\0"
    heard(packet)
    heard(packet.but(checksum_error=0xFFFF))


@pytest.mark.rfc("R11", positive=True)
def test_R11_another_vrid_interface_or_family_is_discarded():
    assert discarded(V3.but(vrid=11)) is Why.VRID
    assert discarded(V3.but(vrid=0)) is Why.VRID
    assert discarded(V3, group6("vlan10")) is Why.VRID
    assert discarded(V3_IPV6) is Why.VRID
    elsewhere = group(interface="lan1", addresses=("198.18.11.254",))
    assert discarded(V3, elsewhere, links=(link(), link("lan1", 8))) is Why.VRID


@pytest.mark.rfc("R11", positive=False)
def test_R11_the_configured_ones_are_heard():
    heard(V3, group(), group6())
    heard(V3.but(vrid=11), group(vrid=11))


OWNERS = (
    (group(priority=255, version=2), V2),
    (group(priority=255, profile=ProfileMode.RFC5798), V3),
    (group6("vlan10", priority=255, profile=ProfileMode.RFC5798), V3_IPV6),
)


@pytest.mark.rfc("R12", positive=True)
@pytest.mark.parametrize("made, packet", OWNERS)
@pytest.mark.parametrize("priority", (0, 100, 255))
def test_R12_an_owner_of_the_older_rfcs_hears_nobody(made, packet, priority):
    assert discarded(packet.but(priority=priority), made) is Why.OWNER


@pytest.mark.rfc("R12", positive=False)
@pytest.mark.parametrize("made, packet", OWNERS)
def test_R12_who_is_no_owner_hears_an_owner(made, packet):
    other = type(made)(**{**vars(made), "priority": 254})
    heard(packet.but(priority=255), other)


@pytest.mark.rfc("R13", positive=True)
def test_R13_an_owner_of_rfc_9568_goes_on_and_logs():
    driver = master(config(group(priority=255)))
    outcome = driver.hear(V3.but(priority=255, source=HIGHER))
    assert driver.state() is State.BACKUP
    assert [note.data["reason"] for note in outcome.notes if note.kind == "discard"] == [
        "owner-conflict-packets"
    ]


@pytest.mark.rfc("R13", positive=False)
def test_R13_an_owner_gives_way_to_no_lower_address_nor_priority():
    driver = master(config(group(priority=255)))
    driver.hear(V3.but(priority=255, source=ip("198.18.10.1")))
    driver.hear(V3.but(priority=254, source=HIGHER))
    assert driver.state() is State.MASTER


@pytest.mark.rfc("R14", positive=True)
@EITHER
def test_R14_an_advert_without_addresses_is_discarded(made, packet):
    assert discarded(packet.but(addresses=()), made) is Why.NO_ADDRESSES


@pytest.mark.rfc("R14", positive=False)
@EITHER
def test_R14_one_address_is_enough(made, packet):
    heard(packet.but(addresses=made.addresses[:1], priority=255), made)


@pytest.mark.rfc("R15", positive=True)
@EITHER
def test_R15_interval_0_is_discarded(made, packet):
    assert discarded(packet.but(interval=0), made) is Why.INTERVAL_ZERO
    if packet.version == 3:
        reserved_only = packet.but(interval=0xF000)
        assert discarded(reserved_only, made) is Why.INTERVAL_ZERO


@pytest.mark.rfc("R15", positive=False)
@pytest.mark.parametrize("interval", (1, 4095))
def test_R15_the_shortest_and_the_longest_are_heard(interval):
    heard(V3.but(interval=interval, priority=200))


@pytest.mark.rfc("R16", positive=True)
@pytest.mark.parametrize("reserved", (0x1000, 0x8000, 0xF000))
def test_R16_reserved_bits_are_no_part_of_the_interval(reserved):
    driver = heard(V3.but(interval=reserved | 70, priority=200))
    assert driver.bound().machine.snapshot(driver.now_ns).master_adver_interval_cs == 70


@pytest.mark.rfc("R16", positive=False)
def test_R16_all_other_bits_are():
    driver = heard(V3.but(interval=0x0FFF, priority=200))
    assert driver.bound().machine.snapshot(driver.now_ns).master_adver_interval_cs == 4095


@pytest.mark.rfc("R17", positive=True)
@pytest.mark.parametrize("interval", (1, 3, 255))
def test_R17_version_2_discards_another_interval(interval):
    made = group(version=2, advertisement_interval_cs=200)
    assert discarded(V2.but(interval=interval, priority=255), made) is Why.INTERVAL_MISMATCH


@pytest.mark.rfc("R17", positive=False)
def test_R17_it_hears_its_own():
    heard(V2.but(interval=2), group(version=2, advertisement_interval_cs=200))


@pytest.mark.rfc("R18", positive=True)
def test_R18_version_3_logs_another_interval_and_learns_it():
    driver = Driver(config(group()))
    outcome = driver.hear(V3.but(interval=300, priority=200))
    assert [note.data["reason"] for note in outcome.notes] == ["interval-errors"]
    assert driver.count("interval-errors") == driver.count("advertisement-rcvd") == 1
    assert driver.bound().machine.snapshot(driver.now_ns).master_adver_interval_cs == 300


@pytest.mark.rfc("R19", positive=True)
@pytest.mark.parametrize("addresses", ((OURS,), (VIP, OURS)))
@pytest.mark.parametrize("priority", (0, 100, 254))
def test_R19_version_2_logs_another_list_and_goes_on(addresses, priority):
    driver = heard(V2.but(addresses=addresses, priority=priority), group(version=2))
    assert driver.count("address-list-errors") == 1


@pytest.mark.rfc("R19", positive=False)
def test_R19_another_order_is_no_other_list():
    two = group(version=2, addresses=("198.18.10.254", "198.18.10.253"))
    driver = heard(V2.but(addresses=(ip("198.18.10.253"), VIP)), two)
    assert driver.count("address-list-errors") == 0


@pytest.mark.rfc("R20", positive=True)
@pytest.mark.parametrize("priority", (0, 100, 255))
def test_R20_version_3_logs_another_list_and_goes_on(priority):
    driver = Driver(config(group()))
    outcome = driver.hear(V3.but(priority=priority, **OTHER_LIST))
    assert driver.count("advertisement-rcvd") == driver.count("address-list-errors") == 1
    assert [note.data["reason"] for note in outcome.notes] == ["address-list-errors"]


@pytest.mark.rfc("R21", positive=True)
def test_R21_an_ipv6_list_without_its_link_local_address_first_is_heard():
    turned = tuple(reversed(V3_IPV6.addresses))
    driver = heard(V3_IPV6.but(addresses=turned), group6("vlan10"))
    assert driver.count("address-list-errors") == 0
    driver = heard(V3_IPV6.but(addresses=turned[:1]), group6("vlan10"))
    assert driver.count("address-list-errors") == 1


@pytest.mark.rfc("R22", "A1", positive=True)
@pytest.mark.parametrize(
    "kind, password", ((1, ""), (2, ""), (3, ""), (255, ""), (0, "secret"), (2, "secret"))
)
def test_R22_another_authentication_type_is_discarded(kind, password):
    packet = V2.but(priority=255, auth_type=kind, auth_data=b"secret\0\0")
    assert discarded(packet, group(version=2, password=password)) is Why.AUTH_TYPE


@pytest.mark.rfc("R22", "A1", positive=False)
def test_R22_the_configured_type_is_heard():
    heard(V2, group(version=2))
    heard(V2.but(**RIGHT), group(version=2, password="secret"))


@pytest.mark.rfc("R23", "A2", positive=True)
@pytest.mark.parametrize(
    "data", (b"Secret\0\0", b"secret\0x", b"secret  ", b"secre\0\0\0", bytes(8), b"xsecret\0")
)
def test_R23_another_password_is_discarded(data):
    packet = V2.but(priority=255, auth_type=1, auth_data=data)
    assert discarded(packet, group(version=2, password="secret")) is Why.AUTH_DATA


@pytest.mark.rfc("R23", "A2", positive=False)
def test_R23_ours_is_heard_up_to_eight_octets():
    heard(V2.but(**RIGHT), group(version=2, password="secret"))
    longest = V2.but(auth_type=1, auth_data=b"12345678")
    heard(longest, group(version=2, password="12345678"))


@pytest.mark.rfc("R24", positive=True)
def test_R24_without_authentication_its_data_is_ignored():
    heard(V2.but(auth_data=b"whatever"), group(version=2))


@pytest.mark.rfc("R25", "G1", positive=True)
def test_R25_what_fails_a_check_is_discarded_counted_and_logged():
    driver = Driver(config(group()))
    told = []
    for _second in range(60):
        outcome = driver.hear(V3.but(checksum_error=1), now_ns=driver.now_ns + NS_PER_S // 100)
        told += [note for note in outcome.notes if note.kind == "discard"]
    assert driver.router.counters == {"checksum-errors": 60}
    assert [(note.data["reason"], note.data["source"]) for note in told] == [
        ("checksum-errors", "198.18.10.6")
    ], "one line, not sixty"


@pytest.mark.rfc("R25", positive=False)
def test_R25_what_passes_is_not():
    driver = Driver(config(group()))
    outcome = driver.hear(V3)
    assert outcome.notes == []
    assert not NAMES & ({*driver.router.counters, *driver.bound().counters})


@pytest.mark.rfc("R26", positive=True)
@EITHER
def test_R26_a_discarded_advert_changes_nothing(made, packet):
    for start in (Driver, master):
        driver = start(config(made))
        machine = driver.bound().machine
        before = (machine.deadline_ns, machine.snapshot(driver.now_ns), driver.router.desired())
        outcome = driver.hear(packet.but(priority=255, checksum_error=1))
        assert outcome.frames == []
        after = (machine.deadline_ns, machine.snapshot(driver.now_ns), driver.router.desired())
        assert after == before


@pytest.mark.rfc("R26", positive=False)
@EITHER
def test_R26_an_accepted_one_does(made, packet):
    for start in (Driver, master):
        driver = start(config(made))
        deadline_ns = driver.bound().machine.deadline_ns
        driver.hear(packet.but(priority=255), now_ns=driver.now_ns + NS_PER_S // 2)
        assert driver.bound().machine.deadline_ns != deadline_ns


@pytest.mark.rfc("R28", positive=True)
def test_R28_sources_and_destinations_that_cannot_be():
    assert discarded(V3.but(source=OURS)) is Why.OWN_SOURCE
    for source in ("0.0.0.0", "127.0.0.1", "224.0.0.18", "255.255.255.255"):
        assert discarded(V3.but(source=ip(source))) is Why.WRONG_SOURCE
    for source in ("::", "ff02::12", "2001:db8::1"):
        assert discarded(V3_IPV6.but(source=ip(source)), group6("vlan10")) is Why.WRONG_SOURCE
    assert discarded(V3_IPV6.but(source=ip("fe80::5")), group6("vlan10")) is Why.OWN_SOURCE
    for destination in (OURS, VIP, ip("224.0.0.1"), ip("255.255.255.255")):
        assert discarded(V3.but(destination=destination)) is Why.WRONG_DESTINATION
    wrong = V3_IPV6.but(destination=ip("ff05::12"))
    assert discarded(wrong, group6("vlan10")) is Why.WRONG_DESTINATION


@pytest.mark.rfc("R29", positive=True)
@pytest.mark.parametrize("fragment", (0x2000, 0x0001, 0x3FFF))
def test_R29_a_fragment_is_no_packet(fragment):
    assert discarded(V3.but(fragment=fragment)) is Why.FRAGMENT


@pytest.mark.rfc("R29", positive=False)
def test_R29_what_must_not_be_fragmented_is_no_fragment():
    heard(V3.but(fragment=0x4000))


def with_options(packet: Packet, words: int) -> bytes:
    """The packet with so many words of no-operation options behind its IP header."""
    data = packet.octets()
    length = struct.pack("!H", len(data) + 4 * words)
    return bytes((0x45 + words,)) + data[1:2] + length + data[4:20] + b"\1" * 4 * words + data[20:]


@pytest.mark.rfc("R30", positive=True)
@pytest.mark.parametrize("words", (1, 10))
def test_R30_options_are_skipped(words):
    heard(with_options(V3, words))
    heard(with_options(V2, words), group(version=2))


@pytest.mark.rfc("R30", positive=False)
@pytest.mark.parametrize("first", (0x40, 0x44, 0x4F))
def test_R30_a_header_length_that_cannot_be_is_discarded(first):
    assert discarded(bytes((first,)) + V3.octets()[1:]) is Why.IP_HEADER


@pytest.mark.rfc("R32", positive=True)
def test_R32_two_owners_are_logged():
    driver = master(config(group(priority=255)))
    first = driver.hear(V3.but(priority=255, source=ip("198.18.10.1")))
    assert "owner-conflict-packets" in [note.data["reason"] for note in first.notes]


@pytest.mark.rfc("R33", positive=True)
@pytest.mark.parametrize("seed", range(4))
def test_R33_nothing_that_comes_in_harms_or_grows(seed):
    print("seed", seed)
    draw = random.Random(seed)
    driver = master(config(group(), group("two", vrid=2, version=2), group6()))
    seeds = [each.octets() for each in (V3, V2.but(vrid=2), V3_IPV6)]
    lines = 0
    for _count in range(5000):
        data = bytearray(draw.choice(seeds))
        for _change in range(draw.randrange(4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        octets = bytes(data[: draw.randrange(len(data) + 1)] if draw.random() < 0.2 else data)
        event = PacketReceived(ReceivedPacket(7, octets))
        outcome = driver.step(event, driver.now_ns + 1_000_000)
        lines += len([note for note in outcome.notes if note.kind == "discard"])
    assert len(driver.router._wires.known) <= MAXIMUM_KNOWN_PACKETS
    assert all(len(each.peers.sorted()) <= MAXIMUM_PEERS for each in driver.router.bound_routers())
    assert set(driver.router.counters) <= NAMES
    assert lines <= len(NAMES) * 4, "in five seconds, one for each reason and router"


@pytest.mark.rfc("A3", positive=True)
def test_A3_version_3_has_no_password():
    row = {"name": "a", "interface": "lan0", "family": "ipv4", "vrid": 1}
    with pytest.raises(ConfigError, match="VRRPv3 has no authentication"):
        parse({"virtual_routers": [dict(row, addresses=["10.0.0.1"], password="secret")]})


ROW = {
    "name": "a",
    "interface": "lan0",
    "family": "ipv4",
    "vrid": 1,
    "version": 2,
    "addresses": ["10.0.0.1"],
}


@pytest.mark.rfc("A4", positive=True)
@pytest.mark.parametrize("password", ("123456789", "a password", "x" * 64))
def test_A4_more_than_eight_octets_are_refused(password):
    with pytest.raises(ConfigError, match="too many"):
        parse({"virtual_routers": [dict(ROW, password=password)]})


@pytest.mark.rfc("A4", positive=False)
@pytest.mark.parametrize("password", ("1", "12345678"))
def test_A4_eight_are_not(password):
    (made,) = parse({"virtual_routers": [dict(ROW, password=password)]}).virtual_routers
    assert made.password == password
