# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ladder: every rung by a packet made by hand, and their order by every pair of them."""

from itertools import combinations
from typing import Any, Dict, NamedTuple, Optional

import pytest
from engine_kit.packets import V2, V3, V3_IPV6
from engine_kit.values import HIGHER, OURS, VIP, VIP6, ip, parameters

from vrrp.discards import DiscardReason as Why
from vrrp.facts import Family, ReceivedPacket
from vrrp.fsm.events import AdvertisementReceived
from vrrp.fsm.parameters import Profile
from vrrp.fsm.states import State
from vrrp.router.receive import Accepted, Discard, Listener, accept
from vrrp.wire.checksum import ChecksumForm

OWN = frozenset((OURS, ip("fe80::5")))
V6 = {
    "family": Family.IPV6,
    "primary_address": ip("fe80::5"),
    "addresses": V3_IPV6.addresses,
}


class Rung(NamedTuple):
    """One thing wrong: in the packet, or in the listener (state, ours)."""

    name: str
    reason: Why
    packet: Dict[str, Any]
    listener: Dict[str, Any] = {}


# From the bottom up, against a virtual router of version 2, which has them all.
LADDER = (
    Rung("1 IP fragment", Why.FRAGMENT, {"fragment": 0x2000}),
    Rung("1 IP protocol", Why.WRONG_PROTOCOL, {"protocol": 17}),
    Rung("2 destination", Why.WRONG_DESTINATION, {"destination": ip("224.0.0.22")}),
    Rung("3 source is no router", Why.WRONG_SOURCE, {"source": ip("0.0.0.0")}),
    Rung("3 source is ours", Why.OWN_SOURCE, {"source": OURS}),
    Rung("4 TTL", Why.IP_TTL, {"ttl": 254}),
    Rung("5 version", Why.VERSION, {"version": 4}),
    Rung("5 type", Why.INVALID_TYPE, {"type": 2}),
    Rung("5 length", Why.PACKET_LENGTH, {"tail": b"\0\0\0\0"}),
    Rung("5 checksum", Why.CHECKSUM, {"checksum_error": 1}),
    Rung("5 address count", Why.NO_ADDRESSES, {"addresses": ()}),
    Rung("5 interval 0", Why.INTERVAL_ZERO, {"interval": 0}),
    Rung("6 VRID", Why.VRID, {"vrid": 11}),
    Rung("7 version", Why.VERSION, {}, {"version": 3}),
    Rung("8 not running", Why.NOT_RUNNING, {}, {"state": State.INITIALIZE}),
    Rung("9 authentication", Why.AUTH_TYPE, {"auth_type": 1}),
    Rung(
        "9 password",
        Why.AUTH_DATA,
        {"auth_type": 1, "auth_data": b"secret\0x"},
        {"password": b"secret"},
    ),
    Rung("10 owner", Why.OWNER, {}, {"priority": 255}),
    Rung("11 interval", Why.INTERVAL_MISMATCH, {"interval": 2}),
)
# Counted for a virtual router: the VRID is known by then, or RFC 8347 says so.
CHARGED = ("5 type", "5 length", "5 address count", "5 interval 0")


def listener(state: State = State.BACKUP, **changes: Any) -> Listener:
    return Listener("vlan10", state, parameters(**changes))


def climb(packet, ours: Optional[Listener]):
    def lookup(ifindex, family, vrid):
        found = ours is not None and (ifindex, family, vrid) == (7, ours.parameters.family, 10)
        return ours if found else None

    return accept(packet.received(), OWN, lookup)


def broken(*rungs: Rung):
    """The outcome for a packet with all these things wrong; earlier ones prevail."""
    packet, ours = V2, {"version": 2}
    for rung in reversed(rungs):
        packet = packet.but(**rung.packet)
        ours.update(rung.listener)
    return climb(packet, listener(**ours))


def test_the_packet_that_is_broken_below_is_accepted_whole():
    assert isinstance(broken(), Accepted)


@pytest.mark.parametrize("rung", LADDER, ids=lambda rung: rung.name)
def test_rung(rung: Rung):
    outcome = broken(rung)
    assert isinstance(outcome, Discard)
    assert outcome.reason is rung.reason
    assert outcome.detail, "people are told what was wrong"
    found = int(rung.name.split()[0]) >= 7 or rung.name in CHARGED
    assert outcome.id == ("vlan10" if found else ""), "counted where it was found"
    header_was_read = not rung.name.startswith("1 ")
    assert outcome.source == ((rung.packet.get("source") or HIGHER) if header_was_read else b"")


def independent_pairs():
    for low, high in combinations(LADDER, 2):
        if not set(low.packet) & set(high.packet):
            yield pytest.param(low, high, id="%s, %s" % (low.name, high.name))


@pytest.mark.parametrize("low, high", list(independent_pairs()))
def test_of_two_wrong_things_the_lower_rung_is_told(low: Rung, high: Rung):
    assert broken(low, high).reason is low.reason


def test_the_pairs_leave_out_only_what_cannot_be_wrong_twice():
    left_out = len(list(combinations(LADDER, 2))) - len(list(independent_pairs()))
    assert left_out == 3, "two sources, intervals, and two authentications"


@pytest.mark.parametrize("data", (b"", b"\x45", b"\0" * 40, b"\x45" + bytes(19), b"\x60" * 39))
def test_what_is_no_ip_packet_is_the_first_rung(data):
    packet = V3.received()
    outcome = accept(type(packet)(7, data), OWN, lambda *_key: listener())
    assert (outcome.reason, outcome.source) == (Why.IP_HEADER, b"")


@pytest.mark.parametrize(
    "source", ("0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.1.1.1", "255.255.255.255")
)
def test_no_router_has_that_ipv4_address(source):
    assert climb(V3.but(source=ip(source)), listener()).reason is Why.WRONG_SOURCE


@pytest.mark.parametrize("source", ("::", "::1", "2001:db8::1", "ff02::1", "fec0::1"))
def test_no_router_has_that_ipv6_address(source):
    assert climb(V3_IPV6.but(source=ip(source)), listener(**V6)).reason is Why.WRONG_SOURCE


def test_the_group_of_the_other_scope_is_another_destination():
    packet = V3_IPV6.but(destination=ip("ff05::12"))
    assert climb(packet, listener(**V6)).reason is Why.WRONG_DESTINATION
    assert climb(V3.but(destination=OURS), listener()).reason is Why.WRONG_DESTINATION


@pytest.mark.parametrize("ttl", (0, 1, 254))
def test_a_forwarded_packet_is_refused_in_both_families(ttl):
    assert climb(V3.but(ttl=ttl), listener()).reason is Why.IP_TTL
    assert climb(V3_IPV6.but(ttl=ttl), listener(**V6)).reason is Why.IP_TTL


def test_version_2_over_ipv6_does_not_exist():
    assert climb(V3_IPV6.but(version=2), listener(**V6)).reason is Why.VERSION


def test_another_family_is_another_virtual_router():
    assert climb(V3, listener(**V6)).reason is Why.VRID
    assert climb(V3_IPV6, listener()).reason is Why.VRID


def test_a_version_2_router_refuses_version_3():
    assert climb(V3, listener(version=2)).reason is Why.VERSION


# What is accepted


def test_an_accepted_advert_of_version_3():
    outcome = climb(V3.but(priority=77, interval=33), listener())
    assert outcome.id == "vlan10"
    assert outcome.event == AdvertisementReceived(HIGHER, 77, 33)
    assert outcome.checksum_form is ChecksumForm.PSEUDO_HEADER
    assert climb(V3.but(message_only=True), listener()).checksum_form is ChecksumForm.MESSAGE


def test_an_accepted_advert_of_version_2_speaks_centiseconds():
    outcome = climb(V2.but(interval=3), listener(version=2, advertisement_interval_cs=300))
    assert outcome.event == AdvertisementReceived(HIGHER, 100, 300)
    assert (outcome.checksum_form, outcome.remarks) == (None, ())


def test_an_accepted_advert_over_ipv6():
    outcome = climb(V3_IPV6, listener(**V6))
    assert outcome.event == AdvertisementReceived(ip("fe80::6"), 100, 100)
    assert (outcome.checksum_form, outcome.remarks) == (None, ())


def test_a_release_is_accepted():
    assert climb(V3.but(priority=0), listener()).event.priority == 0


def test_an_owner_goes_on_by_rfc_9568_alone():
    outcome = climb(V3, listener(priority=255))
    assert (type(outcome), outcome.remarks) == (Accepted, ())
    outcome = climb(V3, listener(priority=255, profile=Profile.RFC5798))
    assert outcome.reason is Why.OWNER


REMARKS = (
    ("nothing differs", {}, {}, ()),
    ("interval", {"interval": 200}, {}, (Why.INTERVAL_MISMATCH,)),
    ("another address", {"addresses": (ip("198.18.10.1"),)}, {}, (Why.ADDRESS_LIST,)),
    ("one address more", {"addresses": (VIP, ip("198.18.10.1"))}, {}, (Why.ADDRESS_LIST,)),
    ("another owner", {"priority": 255}, {"priority": 255}, (Why.OWNER,)),
    ("an owner", {"priority": 255}, {}, ()),
    (
        "all of it",
        {"interval": 1, "addresses": (OURS,), "priority": 255},
        {"priority": 255},
        (Why.INTERVAL_MISMATCH, Why.ADDRESS_LIST, Why.OWNER),
    ),
)


@pytest.mark.parametrize("_name, packet, ours, remarks", REMARKS, ids=lambda value: str(value)[:20])
def test_remarks_discard_nothing(_name, packet, ours, remarks):
    outcome = climb(V3.but(**packet), listener(**ours))
    assert isinstance(outcome, Accepted)
    assert outcome.remarks == remarks


@pytest.mark.parametrize("priority", (1, 100, 255))
def test_version_2_never_drops_for_the_address_list(priority):
    packet = V2.but(addresses=(VIP, ip("198.18.10.1")), priority=priority)
    assert climb(packet, listener(version=2)).remarks == (Why.ADDRESS_LIST,)


def test_a_password_is_needed_and_enough():
    ours = listener(version=2, password=b"secret")
    assert climb(V2, ours).reason is Why.AUTH_TYPE
    packet = V2.but(auth_type=1, auth_data=b"secret\0\0")
    assert isinstance(climb(packet, ours), Accepted)
    assert climb(packet, listener(version=2)).reason is Why.AUTH_TYPE
    assert climb(packet.but(auth_type=2), ours).reason is Why.AUTH_TYPE


def test_without_a_password_the_authentication_data_is_ignored():
    outcome = climb(V2.but(auth_data=b"anything"), listener(version=2))
    assert isinstance(outcome, Accepted)


def test_what_cannot_be_read_is_charged_to_nobody_without_its_vrid():
    outcome = climb(V3.but(tail=b"more", vrid=11), listener())
    assert (outcome.reason, outcome.id) == (Why.PACKET_LENGTH, "")
    short = V3.octets()[:2] + b"\0\x15" + V3.octets()[4:20] + b"\x31"
    outcome = accept(ReceivedPacket(7, short), OWN, lambda *_key: listener())
    assert (outcome.reason, outcome.id) == (Why.PACKET_LENGTH, "")


def test_the_order_of_the_addresses_is_no_difference():
    turned = tuple(reversed(V3_IPV6.addresses))
    assert VIP6 in turned
    assert climb(V3_IPV6.but(addresses=turned), listener(**V6)).remarks == ()
