# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host asks about a gateway, by a clock of the test, and routers of the test answer."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils.listen_speakers import Wire
from ansible_collections.vlangate.vrrp.plugins.module_utils.probe_inquiry import (
    ASK_AGAIN_NS,
    TIMES_ASKED,
    TIMES_TRACED,
    TRACE_AGAIN_NS,
    Gateway,
    Inquiry,
    vrid_of,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.probe_verdict import verdict
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.facts import Family
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.wire.ethernet import ethernet_frame

S = 1_000_000_000
PORT = 40000
HOST_MAC, REAL_MAC, OTHER_MAC = (
    b"\x02\x00\x00\x00\x00\x01",
    b"\x02" + bytes(4) + b"\xfc",
    b"\x02" * 6,
)
VIRTUAL_MAC = bytes.fromhex("00005e00010a")
FIRST, SECOND, VIP = "198.18.10.252", "198.18.10.253", "198.18.10.254"


def packed(text):
    return ipaddress.ip_address(text).packed


def gateway(**more):
    given = {"address": packed(VIP), "interface": "eth0", "mac": HOST_MAC}
    source = packed("198.18.10.1")
    return Gateway(**{**given, "source": source, "wide_source": source, **more})


def inquiry(**more):
    return Inquiry(gateway(**more), Wire(), packed("192.0.2.1"), PORT, 3)


def arp_reply(address, mac, sent_from=None):
    message = bytes.fromhex("0001080006040002") + mac + packed(address) + HOST_MAC + bytes(4)
    return ethernet_frame(HOST_MAC, sent_from or mac, 0x0806, message)


def time_exceeded(datagram, address, mac):
    """The error for a frame with IPv4 in it."""
    quoted = datagram[14:42]
    length = (28 + len(quoted)).to_bytes(2, "big")
    header = b"\x45\x00" + length + bytes(4) + b"\x40\x01" + bytes(2) + packed(address) + bytes(4)
    return ethernet_frame(HOST_MAC, mac, 0x0800, header + b"\x0b\x00" + bytes(6) + quoted)


def sent(asked, now_ns):
    """What is sent now, by kind."""
    frames = list(asked.due(now_ns))
    arps = [frame[38:42] for frame in frames if frame[12:14] == b"\x08\x06"]
    return arps, [frame for frame in frames if frame[12:14] == b"\x08\x00"]


def answered(asked, advert, source=FIRST, mac=VIRTUAL_MAC, real_mac=REAL_MAC):
    """A gateway that is well answers everything."""
    sent(asked, 0)
    asked.hear(arp_reply(VIP, mac))
    for second in range(4):
        asked.wire.hear(second * S, advert(source=source))
    _arps, (datagram,) = sent(asked, 1)
    asked.hear(arp_reply(source, real_mac))
    asked.hear(time_exceeded(datagram, source, real_mac))
    return asked


def test_a_gateway_that_is_well(advert):
    asked = answered(inquiry(name="vlan10-v4", virtual_mac=VIRTUAL_MAC), advert)
    found = verdict(asked, 3.0)
    assert found.pop("speakers") == [
        {**asked.speakers()[0].as_dict(), "real_mac": "02:00:00:00:00:fc"}
    ]
    assert found == {
        "address": VIP,
        "name": "vlan10-v4",
        "family": "ipv4",
        "interface": "eth0",
        "is_vrrp": True,
        "vrid": 10,
        "version": 3,
        "macs": ["00:00:5e:00:01:0a"],
        "router": FIRST,
        "router_mac": "02:00:00:00:00:fc",
        "problems": [],
    }


def test_it_asks_again_and_ends_by_itself(advert):
    asked = inquiry()
    times = [now for now in range(0, 5 * S, S // 100) if sent(asked, now)[0]]
    assert times == [number * ASK_AGAIN_NS for number in range(TIMES_ASKED)]
    assert not asked.is_over(99 * S), "there was no advertisement: the timeout ends it"


def test_it_traces_slowly_until_it_knows():
    asked = inquiry()
    asked.hear(arp_reply(VIP, VIRTUAL_MAC))
    times = [now for now in range(0, 9 * S, S // 100) if sent(asked, now)[1]]
    assert times == [number * TRACE_AGAIN_NS for number in range(TIMES_TRACED)]
    known = inquiry()
    known.hear(arp_reply(VIP, VIRTUAL_MAC))
    _arps, (datagram,) = sent(known, 0)
    assert datagram[:6] == VIRTUAL_MAC and datagram[22] == 1, "to the gateway, and no further"
    known.hear(time_exceeded(datagram, FIRST, REAL_MAC))
    assert sent(known, TRACE_AGAIN_NS)[1] == []


def test_it_is_over_when_everything_is_known(advert):
    asked = answered(inquiry(), advert)
    assert not asked.is_over(1), "a second one may answer still"
    for now in range(0, 2 * S, ASK_AGAIN_NS):
        sent(asked, now)
    assert asked.is_over(2 * S)


def test_it_asks_where_the_advertiser_is_but_not_an_owner(advert):
    asked = inquiry()
    asked.wire.hear(0, advert())
    assert packed(FIRST) in sent(asked, 0)[0]
    owner = inquiry()
    owner.wire.hear(0, advert(source=VIP, priority=255))
    assert sent(owner, 0)[0] == [packed(VIP)]
    assert verdict(owner, 1.0)["speakers"][0]["real_mac"] is None


def test_frames_of_others_and_broken_ones_are_no_answers(advert):
    asked = inquiry()
    asked.hear(arp_reply(VIP, VIRTUAL_MAC))
    _arps, (datagram,) = sent(asked, 0)
    asked.asking.answers.clear()
    error = time_exceeded(datagram, FIRST, REAL_MAC)
    for frame in (
        arp_reply(FIRST, REAL_MAC),
        arp_reply(VIP, VIRTUAL_MAC)[:41],
        arp_reply(VIP, VIRTUAL_MAC).replace(bytes.fromhex("06040002"), bytes.fromhex("06040001")),
        error[:34] + b"\x08" + error[35:],
        error.replace(PORT.to_bytes(2, "big"), b"\0\1"),
        error.replace(packed("192.0.2.1"), packed("192.0.2.2")),
        *(error[:length] for length in range(len(error))),
    ):
        asked.hear(frame)
    assert not asked.asking.answers and asked.tracing.router is None
    asked.hear(error)
    assert asked.tracing.router.address == packed(FIRST)


def problems(asked):
    found = verdict(asked, 5.0)["problems"]
    prefix = VIP + " on eth0: "
    assert all(each.startswith(prefix) for each in found)
    return [each[len(prefix) :] for each in found]


def test_nobody_answers():
    assert problems(inquiry()) == ["nobody answers for it"]
    assert verdict(inquiry(), 5.0)["is_vrrp"] is False


def test_two_answer(advert):
    asked = answered(inquiry(), advert)
    asked.hear(arp_reply(VIP, OTHER_MAC))
    assert problems(asked) == [
        "2 MAC addresses answer for it: 00:00:5e:00:01:0a, 02:02:02:02:02:02",
        "advertised by VRRP, but answered from the real MAC 02:02:02:02:02:02",
    ]


def test_it_is_no_vrrp():
    asked = inquiry()
    asked.hear(arp_reply(VIP, REAL_MAC))
    assert problems(asked) == [
        "no VRRP: answered from the real MAC 02:00:00:00:00:fc, and no advertisement"
    ]


def test_the_plan_wants_another_mac(advert):
    asked = answered(inquiry(virtual_mac=bytes.fromhex("00005e00010b")), advert)
    assert problems(asked) == [
        "answered from 00:00:5e:00:01:0a, not from the virtual MAC 00:00:5e:00:01:0b",
        "no advertisement of VRID 11 was heard within 5.0 s",
        FIRST + " advertises VRID 10, not the expected 11",
    ]


def test_an_answer_from_elsewhere_than_it_says(advert):
    asked = answered(inquiry(), advert)
    asked.asking.answers.clear()
    asked.hear(arp_reply(VIP, VIRTUAL_MAC, REAL_MAC))
    (problem,) = problems(asked)
    assert problem.startswith("answers that it is at 00:00:5e:00:01:0a, but from 02:00:00:00:00:fc")


def test_the_virtual_router_has_other_addresses(advert):
    asked = inquiry()
    asked.hear(arp_reply(VIP, VIRTUAL_MAC))
    asked.wire.hear(0, advert(addresses=["198.18.10.1"]))
    assert problems(asked) == [FIRST + " advertises VRID 10 with 198.18.10.1 instead"]


def test_another_router_forwards_than_the_one_that_advertises(advert):
    asked = inquiry()
    sent(asked, 0)
    asked.hear(arp_reply(VIP, VIRTUAL_MAC))
    asked.wire.hear(0, advert())
    _arps, (datagram,) = sent(asked, 1)
    asked.hear(arp_reply(FIRST, REAL_MAC))
    asked.hear(time_exceeded(datagram, SECOND, OTHER_MAC))
    assert problems(asked) == [
        "%s (02:02:02:02:02:02) forwards, but %s advertises" % (SECOND, FIRST)
    ]


def test_what_listening_finds_serious_is_a_problem_here(advert):
    asked = answered(inquiry(), advert)
    for number in range(8, 16):
        asked.wire.hear(number * S // 2, advert(source=SECOND if number % 2 else FIRST))
    asked.wire.hear(9 * S, advert(vrid=11, ttl=1, addresses=["198.18.10.1"]))
    (problem,) = problems(asked)
    assert "%s and %s advertise by turns" % (FIRST, SECOND) in problem


@pytest.mark.parametrize(
    "mac, vrid",
    [
        ("00005e00010a", 10),
        ("00005e0001ff", 255),
        ("00005e000100", 0),
        ("00005e00020a", 0),
        ("02005e00010a", 0),
        ("", 0),
    ],
)
def test_a_virtual_mac_tells_the_vrid_of_its_family(mac, vrid):
    assert vrid_of(bytes.fromhex(mac), Family.IPV4) == vrid
