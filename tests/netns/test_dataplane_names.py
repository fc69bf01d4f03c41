# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual routers that are renamed while they work."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from typing import Dict, Iterator, List, Sequence

import pytest
from hosts import LINK_LOCAL_VIP, VIP4, VIP6, Host
from namespaces import LAN, Site
from probing import Prober

from vrrp.errors import PlatformError
from vrrp.facts import Family, Repair
from vrrp.linux.netlink import NetlinkSocket, Outcome
from vrrp.router.desired import DesiredDataplane, VirtualDevice

FAR, FAR6 = "198.51.100.2", "2001:db8:f::2"
ROUNDS = 20


def named(device: VirtualDevice, name: str) -> VirtualDevice:
    """The same virtual router by another name."""
    return replace(device, name="vg-" + name, alias=name)


def masters(host: Host, *names: str) -> DesiredDataplane:
    """An IPv4 and an IPv6 master by these names."""
    four = host.device(Family.IPV4, [VIP4])
    six = host.device(Family.IPV6, [LINK_LOCAL_VIP, VIP6])
    return host.desired(named(four, names[0]), named(six, names[1]))


def ours(site: Site) -> Dict[str, List[object]]:
    """Index, alias, flag UP and addresses of each device of ours, by name."""
    found = {}
    for link in json.loads(site.router.ip("-j", "addr", "show")):
        if not link["ifname"].startswith("vg-"):
            continue
        shown = json.loads(site.router.ip("-j", "link", "show", "dev", link["ifname"]))[0]
        addresses = sorted(str(address["local"]) for address in link["addr_info"])
        found[str(link["ifname"])] = [
            link["ifindex"], shown["ifalias"], "UP" in link["flags"], *addresses,
        ]  # fmt: skip
    return found


def assert_named(site: Site, indexes: Sequence[int], *names: str) -> None:
    """The two masters are there under these names, with all that they had."""
    four, six = ("vg-" + name for name in names)
    assert ours(site) == {
        four: [indexes[0], "vlangate:" + names[0], True, VIP4],
        six: [indexes[1], "vlangate:" + names[1], True, *sorted((LINK_LOCAL_VIP, VIP6))],
    }


@pytest.fixture
def prober(host: Host, site: Site) -> Iterator[Prober]:
    """1 kHz from the client to the virtual addresses, and through them to the far host."""
    site.client.batch("route add 198.51.100.0/24 via " + VIP4)
    site.client.batch("route add 2001:db8:f::/64 via " + VIP6)
    host.apply(masters(host, "a", "b"))
    made = Prober(site.client, VIP4, VIP6, FAR, FAR6)
    yield made
    made.close()


@pytest.mark.kernel("live_rename")
def test_a_rename_loses_nothing(host: Host, site: Site, prober: Prober) -> None:
    prober.wait_until_steady()
    before = (host.ifindex("vg-a"), host.ifindex("vg-b"))
    prober.begin()
    names = ["a", "b"]
    for number in range(ROUNDS):
        if number % 2:
            names = names[::-1]
        else:
            names = ["a%d" % number, "b%d" % number]
        host.apply(masters(host, *names))
        assert_named(site, before, *names)
    lost = prober.lost()
    print("lost probes in %d renames: %s" % (ROUNDS, lost))
    assert not any(lost.values())
    assert host.reconcile() == ()


@pytest.mark.kernel("live_rename")
def test_a_name_that_somebody_gave_is_taken_back(host: Host, site: Site) -> None:
    host.apply(masters(host, "a", "b"))
    before = (host.ifindex("vg-a"), host.ifindex("vg-b"))
    site.router.ip("link", "set", "vg-a", "name", "vg-theirs")
    assert host.reconcile() == (Repair("vg-a", "the device was called vg-theirs"),)
    assert_named(site, before, "a", "b")


@pytest.mark.kernel("live_rename")
def test_a_process_that_died_between_two_names_is_no_problem(host: Host, site: Site) -> None:
    host.apply(masters(host, "a", "b"))
    before = (host.ifindex("vg-a"), host.ifindex("vg-b"))
    site.router.ip("link", "set", "vg-a", "name", "vg-~%d" % before[0])
    site.router.ip("link", "set", "vg-b", "name", "vg-a")
    host.restart()
    host.apply(masters(host, "a", "b"))
    assert_named(site, before, "a", "b")


def test_a_name_of_another_link_is_refused_and_the_rest_done(host: Host, site: Site) -> None:
    host.apply(masters(host, "a", "b"))
    before = (host.ifindex("vg-a"), host.ifindex("vg-b"))
    site.router.ip("link", "add", "vg-c", "type", "bridge")
    with pytest.raises(PlatformError) as caught:
        host.apply(masters(host, "c", "d"))
    assert "another link has that name" in str(caught.value)
    assert VIP4 in site.router.ip("addr", "show", "dev", "vg-a")
    assert VIP6 in site.router.ip("addr", "show", "dev", "vg-d")
    site.router.ip("link", "del", "vg-c")
    host.apply(masters(host, "c", "d"))
    assert_named(site, before, "c", "d")


def test_a_kernel_that_renames_no_link_that_is_up(
    host: Host, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before 6.2: down, rename, up, and the addresses are there again."""
    host.apply(masters(host, "a", "b"))
    before = (host.ifindex("vg-a"), host.ifindex("vg-b"))
    up: List[bool] = []

    def transact(self: NetlinkSocket, requests: Sequence[bytes]) -> List[Outcome]:
        if len(requests) == 1 and b"vlangate:" in requests[0] and b"vg-" in requests[0]:
            up.append(True)
            return [Outcome(errno.EBUSY, "")]
        return real(self, requests)

    real = NetlinkSocket.transact
    monkeypatch.setattr(NetlinkSocket, "transact", transact)
    host.apply(masters(host, "b", "a"))
    assert len(up) == 3
    monkeypatch.undo()
    assert_named(site, before, "b", "a")
    assert host.reconcile() == ()
    assert site.router.read_sysctl("net/ipv4/conf/vg-a/rp_filter") == "2"
    assert LAN not in ours(site)
