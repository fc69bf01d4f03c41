# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N802 - the names begin with the row that they test
"""T rows: what leaves the router, octet by octet, and what it would be refused for.

The negative tests break our own frame in that one place: another router of ours discards it.
"""

from typing import List

import pytest
from engine_kit.driver import Driver, master
from engine_kit.packets import GROUP4, GROUP6, V2, V3, is_advert, ones_complement_sum, read_advert
from engine_kit.values import NS_PER_S, OURS, VIP, config, group, group6, ip, link, ping

from vrrp.config.model import ChecksumMode, TrackReference
from vrrp.config.parse import parse
from vrrp.discards import DiscardReason as Why
from vrrp.errors import ConfigError
from vrrp.facts import Family, ReceivedPacket
from vrrp.fsm.states import State
from vrrp.invariant import InvariantViolation
from vrrp.router.events import PacketReceived, Stop
from vrrp.wire.advertisement import Advertisement, encode_advertisement
from vrrp.wire.checksum import ChecksumForm
from vrrp.wire.constants import virtual_mac
from vrrp.wire.ip import IpHeader

LINK_LOCAL = ip("fe80::5")
KINDS = (group(), group(version=2), group6("vlan10"))
EACH_KIND = pytest.mark.parametrize("made", KINDS, ids=("v3", "v2", "v6"))
PEER = link(addresses=("198.18.10.9/24", "fe80::9/64"))


def frames_of(made, **more) -> List[bytes]:
    """A takeover, a steady advert, an answer to a losing one, an answer to a release, a release."""
    driver = Driver(config(made), **more)
    frames = list(driver.run_to_master().frames)
    frames += [frame for each in driver.run(driver.now_ns + 2 * NS_PER_S) for frame in each.frames]
    losing = V2 if made.version == 2 else V3
    for priority in (1, 0):
        if made.family is Family.IPV4:
            frames += driver.hear(losing.but(priority=priority)).frames
    frames += driver.step(Stop()).frames
    found = [frame for frame in frames if is_advert(frame)]
    assert {read_advert(frame).priority for frame in found} == {0, made.priority}
    return found


def refused(made, frame: bytes) -> str:
    """Why a peer of the same group discards this frame; empty when it does not."""
    driver = Driver(config(made), links=(PEER,))
    driver.step(PacketReceived(ReceivedPacket(7, frame[14:])))
    counters = {**driver.router.counters, **driver.bound().counters}
    names = {reason.value for reason in Why} & set(counters)
    return names.pop() if names else ""


def changed(frame: bytes, at: int, value: bytes) -> bytes:
    return frame[:at] + value + frame[at + len(value) :]


def ip_length(frame: bytes) -> int:
    return 20 if frame[12:14] == b"\x08\0" else 40


def message_of(frame: bytes) -> bytes:
    return frame[14 + ip_length(frame) :]


def is_v4(frame: bytes) -> bool:
    return ip_length(frame) == 20


def with_message(frame: bytes, message: bytes) -> bytes:
    """Another VRRP message, with its right checksum, in our frame of version 3."""
    ip_header = frame[14 : 14 + ip_length(frame)]
    addresses = ip_header[12:20] if is_v4(frame) else ip_header[8:40]
    length = len(message).to_bytes(4, "big")
    pseudo = addresses + (b"\0\x70" + length[2:] if is_v4(frame) else length + b"\0\0\0\x70")
    message = changed(message, 6, b"\0\0")
    checksum = ~ones_complement_sum(pseudo + message) & 0xFFFF
    return frame[: 14 + ip_length(frame)] + changed(message, 6, checksum.to_bytes(2, "big"))


@pytest.mark.rfc("T1", positive=True)
@EACH_KIND
def test_T1_the_protocol_is_112(made):
    for frame in frames_of(made):
        assert frame[14 + 9 if is_v4(frame) else 14 + 6] == 112
        assert refused(made, frame) == ""


@pytest.mark.rfc("T1", positive=False)
@EACH_KIND
def test_T1_another_protocol_would_be_refused(made):
    for frame in frames_of(made):
        at = 14 + 9 if is_v4(frame) else 14 + 6
        assert refused(made, changed(frame, at, b"\x11")) == Why.WRONG_PROTOCOL.value


@pytest.mark.rfc("T2", positive=True)
@EACH_KIND
def test_T2_the_ttl_is_255_whatever_is_said(made):
    assert {frame[14 + 8 if is_v4(frame) else 14 + 7] for frame in frames_of(made)} == {255}


@pytest.mark.rfc("T2", positive=False)
@EACH_KIND
def test_T2_a_frame_that_was_forwarded_would_be_refused(made):
    for frame in frames_of(made):
        at = 14 + 8 if is_v4(frame) else 14 + 7
        assert refused(made, changed(frame, at, b"\xfe")) == Why.IP_TTL.value


@pytest.mark.rfc("T3", positive=True)
@pytest.mark.parametrize("made", KINDS[:2], ids=("v3", "v2"))
def test_T3_ipv4_goes_to_its_group(made):
    for frame in frames_of(made):
        assert (frame[:6].hex(), frame[12:14].hex()) == ("01005e000012", "0800")
        assert frame[14 + 16 : 14 + 20] == GROUP4


@pytest.mark.rfc("T3", positive=False)
@pytest.mark.parametrize("made", KINDS[:2], ids=("v3", "v2"))
def test_T3_elsewhere_it_would_be_refused(made):
    for frame in frames_of(made):
        elsewhere = changed(frame, 14 + 16, ip("224.0.0.1"))
        assert refused(made, elsewhere) == Why.WRONG_DESTINATION.value


@pytest.mark.rfc("T4", positive=True)
def test_T4_ipv6_goes_to_its_group():
    for frame in frames_of(KINDS[2]):
        assert (frame[:6].hex(), frame[12:14].hex()) == ("333300000012", "86dd")
        assert frame[14 + 24 : 14 + 40] == GROUP6


@pytest.mark.rfc("T4", positive=False)
@pytest.mark.parametrize("elsewhere", ("ff05::12", "ff02::1", "fe80::9"))
def test_T4_elsewhere_it_would_be_refused(elsewhere):
    for frame in frames_of(KINDS[2]):
        sent = changed(frame, 14 + 24, ip(elsewhere))
        assert refused(KINDS[2], sent) == Why.WRONG_DESTINATION.value


@pytest.mark.rfc("T5", positive=True)
@pytest.mark.parametrize("made", KINDS[:2], ids=("v3", "v2"))
def test_T5_the_ipv4_source_is_the_primary_address(made):
    links = (link(addresses=("10.0.0.1/8", "198.18.10.5/24", "198.18.10.7/24")),)
    assert {read_advert(frame).source for frame in frames_of(made, links=links)} == {OURS}


@pytest.mark.rfc("T5", positive=False)
def test_T5_it_is_never_the_virtual_one_but_as_owner():
    both = (link(addresses=("198.18.10.254/24", "198.18.10.5/24")),)
    driver = master(config(group()), links=both)
    assert driver.state() is State.INITIALIZE, "a real address of somebody who is no owner"
    owner = master(config(group(priority=255)), links=both)
    (advert,) = owner.run(owner.now_ns + NS_PER_S)[-1].adverts
    assert advert.source == VIP


@pytest.mark.rfc("T6", positive=True)
def test_T6_the_ipv6_source_is_the_link_local_address():
    links = (link(addresses=("2001:db8:10::5/64", "fe80::5/64")),)
    assert {read_advert(frame).source for frame in frames_of(KINDS[2], links=links)} == {LINK_LOCAL}


@pytest.mark.rfc("T6", positive=False)
def test_T6_without_one_nothing_is_sent():
    driver = Driver(config(KINDS[2]), links=(link(addresses=("2001:db8:10::5/64",)),))
    assert driver.run(driver.now_ns + 60 * NS_PER_S) == []
    assert driver.state() is State.INITIALIZE


@pytest.mark.rfc("T7", positive=True)
@EACH_KIND
def test_T7_the_ethernet_source_is_the_virtual_mac_of_releases_too(made):
    mac = virtual_mac(made.family, made.vrid)
    assert {frame[6:12] for frame in frames_of(made)} == {mac}


@pytest.mark.rfc("T7", positive=False)
@EACH_KIND
def test_T7_never_that_of_the_interface(made):
    physical = link().mac
    assert not [frame for frame in frames_of(made) if physical in frame[:14]]
    lonely = Driver(config(made))
    assert lonely.step(Stop()).frames == [], "and a backup has nothing to release"


@pytest.mark.rfc("T8", positive=True)
@pytest.mark.parametrize("vrid", (1, 10, 254, 255))
def test_T8_the_virtual_mac_ends_in_the_vrid(vrid):
    assert virtual_mac(Family.IPV4, vrid) == bytes.fromhex("00005e0001") + bytes((vrid,))
    assert virtual_mac(Family.IPV6, vrid) == bytes.fromhex("00005e0002") + bytes((vrid,))


@pytest.mark.rfc("T8", positive=False)
@pytest.mark.parametrize("vrid", (-1, 0, 256))
def test_T8_there_is_none_without_a_vrid(vrid):
    with pytest.raises(InvariantViolation):
        virtual_mac(Family.IPV4, vrid)


@pytest.mark.rfc("T9", positive=True)
@pytest.mark.parametrize("made, first", list(zip(KINDS, (0x31, 0x21, 0x31))))
def test_T9_version_and_type(made, first):
    assert {message_of(frame)[0] for frame in frames_of(made)} == {first}


@pytest.mark.rfc("T9", positive=False)
@pytest.mark.parametrize("first, why", ((0x41, Why.VERSION), (0x21, Why.PACKET_LENGTH)))
def test_T9_another_version_would_be_refused(first, why):
    frame = frames_of(KINDS[0])[0]
    wrong = changed(frame, 14 + 20, bytes((first,)))
    assert refused(KINDS[0], wrong) == why.value
    wrong_type = changed(frame, 14 + 20, b"\x32")
    assert refused(KINDS[0], wrong_type) == Why.INVALID_TYPE.value


@pytest.mark.rfc("T10", positive=True)
def test_T10_a_vrid_may_be_used_again_elsewhere():
    links = (link(), link("lan1", 8, addresses=("198.18.11.5/24",)))
    other = group("other", interface="lan1", addresses=("198.18.11.254",))
    driver = master(config(group(), group6(), other), links=links)
    assert [bound.state for bound in driver.router.bound_routers()] == [State.MASTER] * 3


@pytest.mark.rfc("T10", positive=False)
@pytest.mark.parametrize("vrids", ((0,), (256,), (7, 7)))
def test_T10_not_0_nor_256_nor_twice_on_a_lan(vrids):
    row = {"interface": "lan0", "family": "ipv4"}
    routers = [
        dict(row, name="r%d" % number, vrid=vrid, addresses=["198.18.10.%d" % (number + 1)])
        for number, vrid in enumerate(vrids)
    ]
    with pytest.raises(ConfigError, match="vrid"):
        parse({"virtual_routers": routers})


@pytest.mark.rfc("T11", positive=True)
@pytest.mark.parametrize("priority", (1, 100, 254, 255))
def test_T11_the_priority_is_the_configured_one(priority):
    driver = master(config(group(priority=priority)))
    said = [advert.priority for advert in driver.step(Stop()).adverts]
    assert said == [0], "only to give the role away"
    driver = master(config(group(priority=priority)))
    (advert,) = driver.run(driver.now_ns + NS_PER_S)[-1].adverts
    assert advert.priority == priority


@pytest.mark.rfc("T11", positive=False)
def test_T11_nothing_else_brings_it_to_0_or_255():
    for priority in (0, 256):
        with pytest.raises(ConfigError, match="priority"):
            row = {"name": "a", "interface": "lan0", "family": "ipv4", "vrid": 1}
            parse({"virtual_routers": [dict(row, addresses=["10.0.0.1"], priority=priority)]})
    tracked = group(priority=100, track=(TrackReference("uplink", 254),))
    driver = master(config(tracked, trackers=(ping(),)))
    driver.report("uplink", False)
    assert driver.bound().parameters.priority == 1


@pytest.mark.rfc("T12", "T13", positive=True)
@EACH_KIND
def test_T12_all_addresses_are_counted_and_listed_in_their_order(made):
    more = ("198.18.10.253", "198.18.10.77") if made.family is Family.IPV4 else ("2001:db8::1",)
    addresses = (*made.addresses, *map(ip, more))
    many = type(made)(**{**vars(made), "addresses": addresses})
    for frame in frames_of(many):
        assert message_of(frame)[3] == len(addresses)
        assert read_advert(frame).addresses == addresses


@pytest.mark.rfc("T12", positive=False)
@EACH_KIND
def test_T12_a_wrong_count_would_be_refused(made):
    for frame in frames_of(made):
        for count in (0, len(made.addresses) + 1):
            wrong = changed(frame, 14 + ip_length(frame) + 3, bytes((count,)))
            assert refused(made, wrong) == Why.PACKET_LENGTH.value


@pytest.mark.rfc("T14", positive=True)
@pytest.mark.parametrize("written", (("2001:db8:10::254",), ("fe80::10", "2001:db8:10::254")))
def test_T14_the_link_local_address_comes_first(written):
    for frame in frames_of(group6("vlan10", addresses=written)):
        first, second = read_advert(frame).addresses
        assert first[:2] == b"\xfe\x80"
        assert second == ip("2001:db8:10::254")


@pytest.mark.rfc("T14", positive=False)
def test_T14_behind_another_one_it_is_refused():
    row = {"name": "a", "interface": "lan0", "family": "ipv6", "vrid": 1}
    with pytest.raises(ConfigError, match="put it first"):
        parse({"virtual_routers": [dict(row, addresses=["2001:db8::1", "fe80::1"])]})


@pytest.mark.rfc("T15", positive=True)
@EACH_KIND
def test_T15_all_addresses_are_of_the_family_of_the_packet(made):
    for frame in frames_of(made):
        advert = read_advert(frame)
        assert {len(each) for each in (*advert.addresses, advert.source)} == {
            made.family.address_length
        }


@pytest.mark.rfc("T15", positive=False)
def test_T15_families_cannot_be_mixed():
    header = IpHeader(OURS, GROUP4, 255, Family.IPV4)
    with pytest.raises(InvariantViolation):
        mixed = Advertisement(3, 10, 100, 100, (VIP, LINK_LOCAL))
        encode_advertisement(mixed, header, ChecksumForm.MESSAGE)
    row = {"name": "a", "interface": "lan0", "family": "ipv4", "vrid": 1}
    with pytest.raises(ConfigError, match="virtual router of its own"):
        parse({"virtual_routers": [dict(row, addresses=["10.0.0.1", "2001:db8::1"])]})


@pytest.mark.rfc("T16", positive=True)
@pytest.mark.parametrize("seconds", (1, 3, 255))
def test_T16_version_2_carries_whole_seconds(seconds):
    driver = Driver(config(group(version=2, advertisement_interval_cs=seconds * 100)))
    (frame,) = (frame for frame in driver.run_to_master().frames if is_advert(frame))
    assert message_of(frame)[5] == seconds


@pytest.mark.rfc("T16", positive=False)
@pytest.mark.parametrize("interval_cs", (50, 150, 25_600))
def test_T16_what_is_no_whole_second_is_refused(interval_cs):
    row = {"name": "a", "interface": "lan0", "family": "ipv4", "vrid": 1, "version": 2}
    row.update(addresses=["10.0.0.1"], advertisement_interval_cs=interval_cs)
    with pytest.raises(ConfigError, match="advertisement_interval_cs"):
        parse({"virtual_routers": [row]})


@pytest.mark.rfc("T17", positive=True)
@pytest.mark.parametrize("interval_cs", (1, 100, 4095))
def test_T17_version_3_carries_the_configured_interval_not_a_learned_one(interval_cs):
    driver = Driver(config(group(advertisement_interval_cs=interval_cs)))
    driver.hear(V3.but(priority=200, interval=77))
    (frame,) = (frame for frame in driver.run_to_master().frames if is_advert(frame))
    assert int.from_bytes(message_of(frame)[4:6], "big") == interval_cs


@pytest.mark.rfc("T17", positive=False)
@pytest.mark.parametrize("interval_cs", (0, 4096))
def test_T17_what_12_bits_cannot_carry_is_refused(interval_cs):
    row = {"name": "a", "interface": "lan0", "family": "ipv4", "vrid": 1}
    row.update(addresses=["10.0.0.1"], advertisement_interval_cs=interval_cs)
    with pytest.raises(ConfigError, match="advertisement_interval_cs"):
        parse({"virtual_routers": [row]})


@pytest.mark.rfc("T18", positive=True)
@pytest.mark.parametrize("made", (KINDS[0], KINDS[2]), ids=("v3", "v6"))
def test_T18_the_reserved_bits_are_zero(made):
    longest = type(made)(**{**vars(made), "advertisement_interval_cs": 4095})
    driver = Driver(config(longest))
    (frame,) = (frame for frame in driver.run_to_master().frames if is_advert(frame))
    assert message_of(frame)[4] == 0x0F


@pytest.mark.rfc("T18", positive=False)
def test_T18_no_interval_reaches_into_them():
    header = IpHeader(OURS, GROUP4, 255, Family.IPV4)
    with pytest.raises(InvariantViolation):
        advert = Advertisement(3, 10, 100, 0x1064, (VIP,))
        encode_advertisement(advert, header, ChecksumForm.MESSAGE)


@pytest.mark.rfc("T19", positive=True)
@pytest.mark.parametrize("password", ("", "secret"))
def test_T19_version_2_sums_the_message_with_its_authentication_data(password):
    for frame in frames_of_version_2(password):
        assert ones_complement_sum(message_of(frame)) == 0xFFFF


@pytest.mark.rfc("T19", positive=False)
def test_T19_with_a_pseudo_header_it_would_be_refused():
    made = group(version=2)
    for frame in frames_of_version_2(""):
        wrong = with_message(frame, message_of(frame))
        assert refused(made, wrong) == Why.CHECKSUM.value


def frames_of_version_2(password: str) -> List[bytes]:
    driver = Driver(config(group(version=2, password=password)))
    frames = [*driver.run_to_master().frames, *driver.step(Stop()).frames]
    return [frame for frame in frames if is_advert(frame)]


@pytest.mark.rfc("T20", positive=True)
def test_T20_version_3_over_ipv4_sums_the_message_alone():
    for frame in frames_of(group(checksum=ChecksumMode.RFC9568)):
        assert ones_complement_sum(message_of(frame)) == 0xFFFF


@pytest.mark.rfc("T20", positive=False)
def test_T20_a_pseudo_header_is_sent_only_for_peers_of_rfc_5798():
    for frame in frames_of(group(checksum=ChecksumMode.RFC5798)):
        assert ones_complement_sum(message_of(frame)) != 0xFFFF
        assert with_message(frame, message_of(frame)) == frame
    driver = master(config(group()))
    driver.hear(V3.but(priority=0, message_only=True))
    (frame,) = driver.run(driver.now_ns + NS_PER_S)[-1].frames
    assert ones_complement_sum(message_of(frame)) == 0xFFFF, "auto follows the peer"


@pytest.mark.rfc("T21", positive=True)
@pytest.mark.parametrize("mode", ChecksumMode)
def test_T21_version_3_over_ipv6_sums_the_pseudo_header(mode):
    for frame in frames_of(group6("vlan10", checksum=mode)):
        assert with_message(frame, message_of(frame)) == frame


@pytest.mark.rfc("T21", positive=False)
def test_T21_without_it_the_frame_would_be_refused():
    for frame in frames_of(KINDS[2]):
        message = changed(message_of(frame), 6, b"\0\0")
        alone = ~ones_complement_sum(message) & 0xFFFF
        wrong = changed(frame, 14 + 40 + 6, alone.to_bytes(2, "big"))
        assert refused(KINDS[2], wrong) == Why.CHECKSUM.value


@pytest.mark.rfc("T22", positive=True)
def test_T22_without_a_password_type_and_data_are_zero():
    for frame in frames_of_version_2(""):
        message = message_of(frame)
        assert (len(message), message[4], message[-8:]) == (20, 0, bytes(8))


@pytest.mark.rfc("T23", positive=True)
@pytest.mark.parametrize("password", ("x", "secret", "12345678"))
def test_T23_a_password_is_sent_filled_with_zeros(password):
    for frame in frames_of_version_2(password):
        message = message_of(frame)
        assert (len(message), message[4]) == (20, 1)
        assert message[-8:] == password.encode() + bytes(8 - len(password))


@pytest.mark.rfc("T23", positive=False)
def test_T23_a_frame_with_another_filling_would_be_refused():
    made = group(version=2, password="secret")
    packet = V2.but(source=OURS, auth_type=1, auth_data=b"secret  ")
    assert refused(made, bytes(14) + packet.octets()) == Why.AUTH_DATA.value
    right = packet.but(auth_data=b"secret\0\0")
    assert refused(made, bytes(14) + right.octets()) == ""


@pytest.mark.rfc("T24", positive=True)
@pytest.mark.parametrize("interval_cs", (1, 10, 100))
def test_T24_a_master_advertises_once_in_each_interval(interval_cs):
    driver = master(config(group(advertisement_interval_cs=interval_cs)))
    interval_ns = interval_cs * 10_000_000
    steps = [each for each in driver.run(driver.now_ns + 100 * interval_ns) if each.adverts]
    assert [len(each.adverts) for each in steps] == [1] * 100
    times = [each.at_ns for each in steps]
    assert {later - earlier for earlier, later in zip(times, times[1:])} == {interval_ns}


@pytest.mark.rfc("T24", positive=False)
def test_T24_a_backup_never_does():
    driver = Driver(config(group()))
    for _count in range(100):
        outcome = driver.hear(V3.but(priority=200), now_ns=driver.now_ns + NS_PER_S)
        assert not outcome.adverts
        assert not any(each.adverts for each in driver.run(driver.now_ns + NS_PER_S // 2))


@pytest.mark.rfc("T26", positive=True)
@EACH_KIND
def test_T26_the_traffic_class_is_cs6_and_not_looked_at(made):
    for frame in frames_of(made):
        traffic_class = frame[15] if is_v4(frame) else (frame[14] & 15) << 4 | frame[15] >> 4
        assert traffic_class == 0xC0
        plain = changed(frame, 15 if is_v4(frame) else 14, b"\0" if is_v4(frame) else b"\x60\0")
        assert refused(made, plain) == ""
