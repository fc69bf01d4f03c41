# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data plane over its life: what it makes, adopts, repairs, survives and gives back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import List, Tuple

import pytest
from frames import Wire, echo
from hosts import LINK_LOCAL_VIP, MAC4, VIP4, VIP6, Host, packed, vips
from namespaces import LAN, Site

from vrrp.errors import PlatformError
from vrrp.facts import Family
from vrrp.linux import nftables
from vrrp.linux.steps import Filter
from vrrp.router.desired import DesiredDataplane

WITH_FILTER = pytest.mark.kernel("nftables")
PARENT_SYSCTLS = tuple(
    "net/ipv4/conf/%s/%s" % (LAN, name) for name in ("arp_ignore", "arp_announce")
)


def both(host: Host, *addresses: str) -> DesiredDataplane:
    """An IPv4 and an IPv6 virtual router; addresses: of the masters among them."""
    four = [address for address in addresses if ":" not in address]
    six = [address for address in addresses if ":" in address]
    return host.desired(host.device(Family.IPV4, four), host.device(Family.IPV6, six))


def links(site: Site) -> List[Tuple[str, str, str]]:
    """All links: name, MAC and addresses."""
    found = json.loads(site.router.ip("-j", "addr", "show"))
    return [(one["ifname"], one["address"], repr(one["addr_info"])) for one in found]


def device_names(site: Site) -> List[str]:
    """The links that look like ours."""
    return [name for name, _mac, _addresses in links(site) if name.startswith("vg-")]


def test_devices_are_marked_as_ours(host: Host, site: Site) -> None:
    host.apply(both(host))
    shown = site.router.ip("-d", "link", "show", "dev", "vg-lan-ipv4")
    for part in ("macvlan mode bridge", "alias vlangate:lan-ipv4", "group 1987211888", ",UP"):
        assert part in shown
    assert "addrgenmode none" in shown


@pytest.mark.parametrize("refused", [(), pytest.param((VIP4,), marks=WITH_FILTER)])
def test_everything_is_given_back(
    host: Host, site: Site, tmp_path: Path, refused: Tuple[str, ...]
) -> None:
    site.router.sysctl(PARENT_SYSCTLS[0], "2")
    before = links(site)
    values = [site.router.read_sysctl(key) for key in PARENT_SYSCTLS]
    desired = host.desired(host.device(Family.IPV4, [VIP4]), refused=refused)
    host.apply(desired)
    assert [site.router.read_sysctl(key) for key in PARENT_SYSCTLS] == ["1", "2"]
    assert "filter: %s" % bool(refused) in state(site)
    host.cleanup()
    assert links(site) == before
    assert [site.router.read_sysctl(key) for key in PARENT_SYSCTLS] == values
    assert "filter: False" in state(site)
    assert list(tmp_path.iterdir()) == []
    # The same process may begin again.
    host.apply(desired)
    assert "filter: %s" % bool(refused) in state(site)


@pytest.mark.parametrize("family", list(Family))
def test_what_is_rehearsed_changes_neither_the_kernel_nor_what_is_known(
    host: Host, site: Site, family: Family
) -> None:
    host.apply(host.backup(family))
    before, names = links(site), host.dataplane.names()
    for _time in range(2):
        with site.router.inside():
            host.dataplane.rehearse(host.master(family))
        assert links(site) == before
        assert host.dataplane.names() == names
    assert host.reconcile() == ()
    # And it may become true.
    host.apply(host.master(family))
    held = [addresses for name, _mac, addresses in links(site) if name.startswith("vg-")]
    assert len(held) == 1 and all(address in held[0] for address in vips(family))
    with site.router.inside():
        host.dataplane.rehearse(host.backup(family))
    assert host.reconcile() == ()


def test_cleanup_needs_no_earlier_apply(host: Host, site: Site) -> None:
    """After a crash another process cleans up, and leaves alone what only looks like ours."""
    site.router.ip("link", "add", "vg-foreign", "type", "bridge")
    before = links(site)
    values = [site.router.read_sysctl(key) for key in PARENT_SYSCTLS]
    host.apply(both(host, VIP4))
    host.restart()
    host.cleanup()
    assert links(site) == before
    assert [site.router.read_sysctl(key) for key in PARENT_SYSCTLS] == values
    host.cleanup()


def test_a_new_process_adopts_what_it_finds(host: Host, site: Site) -> None:
    desired = both(host, VIP4, LINK_LOCAL_VIP, VIP6)
    host.apply(desired)
    before = host.ifindex("vg-lan-ipv4")
    host.restart()
    host.apply(both(host))
    assert host.ifindex("vg-lan-ipv4") == before
    assert VIP4 not in site.router.ip("addr")
    assert VIP6 not in site.router.ip("addr")
    # The first process remembered the sysctls for the second.
    host.cleanup()
    assert site.router.read_sysctl(PARENT_SYSCTLS[0]) == "0"


def test_parents_that_are_left_get_their_sysctls_back(
    host: Host, site: Site, tmp_path: Path
) -> None:
    host.apply(both(host))
    (remembered,) = tmp_path.iterdir()
    assert json.loads(remembered.read_text()) == dict.fromkeys(sorted(PARENT_SYSCTLS), "0")
    host.apply(DesiredDataplane())
    assert [site.router.read_sysctl(key) for key in PARENT_SYSCTLS] == ["0", "0"]
    assert device_names(site) == []


@pytest.mark.parametrize(
    "damage",
    [
        "ip addr del 10.0.0.254/32 dev vg-lan-ipv4",
        "ip addr del 2001:db8:a::254/128 dev vg-lan-ipv6",
        "ip addr add 10.0.0.77/32 dev vg-lan-ipv4",
        "ip link del vg-lan-ipv4",
        "ip link set vg-lan-ipv6 down",
        "ip link set vg-lan-ipv4 alias mine",
        "sysctl -q net.ipv4.conf.vg-lan-ipv4.rp_filter=0",
        "sysctl -q net/ipv4/conf/%s/arp_ignore=0" % LAN,
        "sysctl -q net.ipv6.conf.vg-lan-ipv4.disable_ipv6=0",
        "sysctl -q net.ipv6.conf.vg-lan-ipv6.disable_ipv6=1",
        pytest.param("flush", marks=WITH_FILTER),
    ],
)
def test_reconcile_repairs(host: Host, site: Site, damage: str) -> None:
    addresses = (VIP4, LINK_LOCAL_VIP, VIP6)
    refused = (packed(VIP4),) if damage == "flush" else ()
    desired = replace(both(host, *addresses), refused=refused)
    host.apply(desired)
    assert not host.reconcile()
    before = state(site)
    if damage == "flush":
        with site.router.inside():
            nftables.remove()
    else:
        site.router.run(*damage.split())
    assert state(site) != before
    assert host.reconcile()
    assert state(site) == before
    assert not host.reconcile()


def state(site: Site) -> List[str]:
    """Everything of the data plane, without ifindexes and the like."""
    shown = [site.router.read_sysctl(key) for key in PARENT_SYSCTLS]
    found = json.loads(site.router.ip("-j", "addr", "show"))
    aliases = json.loads(site.router.ip("-j", "link", "show"))
    for link, same in sorted(zip(found, aliases), key=lambda pair: str(pair[0]["ifname"])):
        name = link["ifname"]
        if not name.startswith("vg-"):
            continue
        shown += [name, link["address"], link["group"], same["ifalias"], *link["flags"]]
        shown += sorted("%(local)s/%(prefixlen)d" % found for found in link["addr_info"])
        for key in ("net/ipv4/conf/%s/rp_filter", "net/ipv6/conf/%s/disable_ipv6"):
            shown.append(site.router.read_sysctl(key % name))
    with site.router.inside():
        shown.append("filter: %s" % nftables.is_installed(Filter(refused=(packed(VIP4),))))
    return shown


def test_a_vanished_parent_is_no_error(host: Host, site: Site) -> None:
    desired = both(host, VIP4)
    host.apply(desired)
    site.router.ip("link", "del", LAN)
    host.reconcile()
    host.apply(desired)
    host.apply(replace(desired, refused=()))
    assert device_names(site) == []
    host.cleanup()


def test_a_parent_that_comes_back_is_served_again(host: Host, site: Site) -> None:
    host.apply(both(host, VIP4))
    site.router.ip("link", "del", LAN)
    site.router.ip("link", "add", LAN, "type", "bridge")
    site.router.ip("link", "set", LAN, "up")
    host.apply(both(host, VIP4))
    assert VIP4 in site.router.ip("addr", "show", "dev", "vg-lan-ipv4")
    assert site.router.read_sysctl(PARENT_SYSCTLS[0]) == "1"


def test_a_failing_device_does_not_stop_the_others(host: Host, site: Site) -> None:
    """Somebody else has the virtual MAC on this link already."""
    mac = "00:00:5e:00:01:14"
    where = ("link", LAN, "name", "theirs", "address", mac)
    site.router.ip("link", "add", *where, "type", "macvlan", "mode", "bridge")
    site.router.ip("link", "set", "theirs", "up")
    desired = host.desired(
        host.device(Family.IPV4, ["10.0.0.253"], name="a", mac=mac),
        host.device(Family.IPV4, [VIP4], name="b"),
    )
    with pytest.raises(PlatformError) as caught:
        host.apply(desired)
    assert caught.value.target == "vg-a"
    assert "another VRRP daemon" in str(caught.value)
    assert VIP4 in site.router.ip("addr", "show", "dev", "vg-b")
    # Once they are gone, the next call succeeds.
    site.router.ip("link", "del", "theirs")
    host.apply(desired)
    assert "10.0.0.253" in site.router.ip("addr", "show", "dev", "vg-a")


def test_a_device_forwards_exactly_if_its_parent_does(host: Host, site: Site) -> None:
    site.router.sysctl("net/ipv4/conf/default/forwarding", "0")
    host.apply(both(host))
    assert site.router.read_sysctl("net/ipv4/conf/vg-lan-ipv4/forwarding") == "1"
    host.cleanup()
    site.router.sysctl("net/ipv4/conf/%s/forwarding" % LAN, "0")
    site.router.sysctl("net/ipv4/conf/default/forwarding", "1")
    host.apply(both(host))
    assert site.router.read_sysctl("net/ipv4/conf/vg-lan-ipv4/forwarding") == "0"


def test_an_ipv6_device_forwards_exactly_if_its_parent_does(host: Host, site: Site) -> None:
    site.router.sysctl("net/ipv6/conf/default/forwarding", "0")
    host.apply(both(host))
    assert site.router.read_sysctl("net/ipv6/conf/vg-lan-ipv6/forwarding") == "1"


def test_many_change_together(host: Host, site: Site) -> None:
    def many(addresses: bool) -> DesiredDataplane:
        return host.desired(
            *(
                host.device(
                    Family.IPV4,
                    ["10.1.0.%d" % number] if addresses else (),
                    name="n%03d" % number,
                    mac="00:00:5e:00:01:%02x" % number,
                )
                for number in range(1, 251)
            )
        )

    host.apply(many(False))
    assert "10.1.0." not in site.router.ip("addr")
    host.apply(many(True))
    assert site.router.ip("addr").count("inet 10.1.0.") == 250
    host.apply(DesiredDataplane())
    assert device_names(site) == []


@pytest.mark.kernel("nftables")
def test_thousands_of_refused_addresses(host: Host, site: Site, wire: Wire) -> None:
    many = ["10.%d.%d.1" % (high, low) for high in range(20, 32) for low in range(250)]
    host.apply(host.desired(host.device(Family.IPV4, [VIP4]), refused=[*many, VIP4]))
    assert wire.ask_echo(echo(wire, MAC4, "10.0.0.10", VIP4)) == []
    host.apply(host.desired(host.device(Family.IPV4, [VIP4]), refused=many))
    assert len(wire.ask_echo(echo(wire, MAC4, "10.0.0.10", VIP4))) == 1
