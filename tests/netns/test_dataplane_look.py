# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data plane looks at one device among many, and at what comes with its addresses."""

from __future__ import annotations

import dataclasses
import time
from typing import AbstractSet, Callable, List, Tuple

import pytest
from address_news import Addresses
from hosts import LINK_LOCAL_VIP, VIP4, VIP6, Host
from namespaces import LAN, Site

from vrrp.facts import Family, KernelNews, Repair

FOUR, SIX = "vg-lan-ipv4", "vg-lan-ipv6"


@pytest.fixture(name="masters")
def master_of_both_families(host: Host) -> Host:
    host.apply(
        host.desired(
            host.device(Family.IPV4, [VIP4]), host.device(Family.IPV6, [LINK_LOCAL_VIP, VIP6])
        )
    )
    return host


def look(host: Host, *names: str) -> Tuple[Repair, ...]:
    """Reconcile these."""
    wanted: AbstractSet[str] = frozenset(names)
    with host.namespace.inside():
        return host.dataplane.reconcile(wanted)


def test_a_look_finds_nothing_where_nothing_is_wrong(masters: Host) -> None:
    assert masters.dataplane.names() == ("", FOUR, SIX)
    assert look(masters, *masters.dataplane.names()) == ()


def test_a_look_repairs_what_it_is_about_and_nothing_else(masters: Host, site: Site) -> None:
    site.router.batch(
        "addr del %s/32 dev %s" % (VIP4, FOUR), "addr del %s/128 dev %s" % (VIP6, SIX)
    )
    assert look(masters, FOUR) == (Repair(FOUR, VIP4 + " was missing"),)
    assert VIP4 in site.router.ip("addr", "show", "dev", FOUR)
    assert VIP6 not in site.router.ip("addr", "show", "dev", SIX)
    assert look(masters, SIX) == (Repair(SIX, VIP6 + " was missing"),)
    assert look(masters, FOUR, SIX) == ()


def test_a_device_that_was_renamed_is_found_by_its_number(masters: Host, site: Site) -> None:
    site.router.batch("link set %s down" % FOUR, "link set %s name stolen" % FOUR)
    told = look(masters, FOUR)
    assert Repair(FOUR, "the device was called stolen") in told
    assert look(masters, FOUR) == ()
    assert VIP4 in site.router.ip("addr", "show", "dev", FOUR)


def test_a_parents_setting_is_put_right_with_its_devices(masters: Host, site: Site) -> None:
    key = "net/ipv4/conf/%s/arp_ignore"
    site.router.sysctl(key % LAN, "0")
    assert look(masters, FOUR) == (Repair("", "arp_ignore of %s was 0 instead of 1" % LAN),)
    assert site.router.read_sysctl(key % LAN) == "1"
    assert look(masters, FOUR, "") == ()


@pytest.mark.parametrize(
    ("words", "name", "address"),
    [
        (("route", "del", "local", VIP4, "table", "local"), FOUR, VIP4),
        (("-6", "route", "del", "local", VIP6, "table", "local", "dev", SIX), SIX, VIP6),
        (("-6", "route", "del", "fe80::/64", "dev", SIX), SIX, LINK_LOCAL_VIP),
    ],
)
def test_an_address_without_its_route_gets_it_back_once(
    masters: Host, site: Site, words: Tuple[str, ...], name: str, address: str
) -> None:
    wait_for_routes(site, lambda found: "multicast" in "".join(found) or name == FOUR)
    before = _routes(site)
    site.router.ip(*words)
    if "local" in words and name == SIX:
        # And the one that has bridged the time until the kernel made it.
        site.router.ip(*words)
    assert _routes(site) != before
    assert look(masters, name) == (Repair(name, address + " had no route"),)
    wait_for_routes(site, lambda found: found == before)
    addresses = Addresses(site.router)
    addresses.start()
    try:
        # A later change of the device has nothing to do with it.
        desired = masters.desired(
            masters.device(Family.IPV4, [VIP4]), masters.device(Family.IPV6, [LINK_LOCAL_VIP, VIP6])
        )
        called = tuple(dataclasses.replace(one, alias="other") for one in desired.devices)
        masters.apply(dataclasses.replace(desired, devices=called))
        assert look(masters, name) == ()
        time.sleep(0.1)
    finally:
        addresses.close()
    assert addresses.gone() == 0


def wait_for_routes(site: Site, wanted: Callable[[Tuple[str, ...]], bool]) -> None:
    """The kernel makes those of IPv6 addresses by a queue."""
    end = time.monotonic() + 2
    while not wanted(_routes(site)):
        assert time.monotonic() < end, _routes(site)
        time.sleep(0.005)


def _routes(site: Site) -> Tuple[str, ...]:
    """Those of our devices, without those that end by themselves."""
    found: List[str] = []
    for family in ("-4", "-6"):
        found += site.router.ip(family, "route", "show", "table", "all").splitlines()
    return tuple(
        sorted(line.strip() for line in found if "vg-" in line and " expires " not in line)
    )


def test_rules_that_lead_elsewhere_are_no_missing_route(masters: Host, site: Site) -> None:
    """A look-up then ends elsewhere, though the route is there."""
    site.router.batch(
        "route add unreachable default table 77",
        "rule add pref 30000 lookup local",
        "rule add pref 100 lookup 77",
        "rule del pref 0",
    )
    with pytest.raises(AssertionError, match="No route to host"):
        site.router.ip("route", "get", VIP4)
    assert look(masters, FOUR) == ()


@pytest.mark.kernel("nftables")
def test_the_filter_is_looked_at_by_itself(host: Host, site: Site) -> None:
    host.apply(host.master(Family.IPV4, refused=True))
    assert look(host, "") == ()
    site.router.run("nft", "flush", "set", "inet", "vlangate", "refused4")
    assert look(host, FOUR) == (), "that is not its matter"
    assert look(host, "") == (Repair("", "the packet filter had been changed"),)
    assert look(host, "") == ()
    assert host.reconcile() == ()


def test_after_lost_events_everything_is_in_doubt(masters: Host) -> None:
    found = masters.dataplane.suspects(KernelNews(links=True, is_lost=True))
    assert found == {"", FOUR, SIX}
