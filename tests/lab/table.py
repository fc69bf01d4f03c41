# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of somebody's own table: its routers, its VLANs, a host on each of them. Pure.

It begins with what the filter `vrrp_gateways` makes of the table, so the table is read in one place
only. Each VLAN interface is a cable of its own, also where the table has a trunk. What the gateways
watch is there: a target inside a VLAN is an address of its host, any other one the ISP's; a link
that is no VLAN has a carrier, and nothing at its end.
"""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Set, Tuple, Union

from .shell import LabError
from .topology import STATION_HOST, LabSpec, Lan, Network

# The lab's own addresses and interfaces, where no site has any.
UPLINK = ("100.127.255.", "fd76:6c61:6e67:1::")
MANAGEMENT = Network("lab-mgmt", "100.127.254.", "fd76:6c61:6e67:2::")
UPLINK_NAME = "lab-uplink"
MOST_ROUTERS = 200

Plan = Mapping[str, Mapping[str, Any]]
Interface = Union[IPv4Interface, IPv6Interface]


def lab_of_tables(prefix: str, rootfs: str, tables: Sequence[Mapping[str, Any]]) -> LabSpec:
    """The lab for one table, or for the one of today and the one of tomorrow.

    Each has its "plan", router -> config, interfaces and groups, as `vrrp_gateways` gives it, the
    "routers" that this was made with, which of them are "managed": there the roles set the real
    addresses, so the lab does not; and its "probe_hosts". The first table says what hosts believe
    of their gateways. Raises LabError for a site that the lab cannot be.
    """
    plans = [table["plan"] for table in tables]
    managed = {router for table in tables for router in table["managed"]}
    routers = tuple(dict.fromkeys(router for plan in plans for router in plan))
    rows = _rows(plans)
    trackers = [tracker for plan in plans for each in plan.values()
                for tracker in each["config"]["trackers"]]  # fmt: skip
    devices = {device for row in rows for device in row.devices.values()}
    uplink = Network(_uplink_name(trackers, devices), *UPLINK)
    targets = {str(ip_address(target)) for each in trackers for target in each["targets"]}
    _check(routers, rows, uplink)
    lans = [row.lan(targets, managed) for row in rows]
    links = {each["interface"] for each in trackers if each["interface"]}
    lans += [Lan(name, 0, dict.fromkeys(routers, name), {}, (), ())
             for name in sorted(links - {*devices, uplink.name})]  # fmt: skip
    inside = {str(ip_interface(address).ip) for lan in lans for address in lan.station}
    real = {str(each.ip) for row in rows for each in row.real_addresses()}
    virtual = {str(vip) for row in rows for vip in row.virtual}
    lab = {uplink.address(version, STATION_HOST) for version in (4, 6)}
    outside = tuple(sorted(targets - inside - real - virtual - lab))
    steady = tuple("h%d" % row.vlan for row in rows if len(row.tables) == len(plans))
    watching = tuple("h%d" % row.vlan for row in rows if len(plans) - 1 in row.tables)
    variables = tuple(_variables(table["routers"]) for table in tables)
    others = dict.fromkeys(name for table in tables for name in table["probe_hosts"])
    stand_ins = tuple(name for name in others if name not in routers)
    return LabSpec(prefix, routers, (), rootfs, tuple(lans), uplink, MANAGEMENT, outside, steady,
                   watching, stand_ins, variables)  # fmt: skip


class _Row:
    """A VLAN of the table, or several that share an interface."""

    def __init__(self, name: str, vlan: int) -> None:
        self.name, self.vlan = name, vlan
        self.devices: Dict[str, str] = {}
        self.real: Dict[str, List[str]] = {}
        self.virtual: List[str] = []
        self.gateways: Dict[str, str] = {}
        self.tables: Set[int] = set()

    def add_interface(self, router: str, interface: Mapping[str, Any]) -> None:
        self.devices[router] = interface["name"]
        real = self.real.setdefault(router, [])
        real += [address for address in interface["addresses"] if address not in real]

    def add_group(self, group: Mapping[str, Any]) -> None:
        self.virtual += [vip for vip in group["vips"] if vip not in self.virtual]
        self.gateways.setdefault(group["family"], group["vip"])

    def real_addresses(self) -> List[Interface]:
        return [ip_interface(address) for each in self.real.values() for address in each]

    def lan(self, targets: Set[str], managed: Set[str]) -> Lan:
        real = {name: tuple(each) for name, each in self.real.items() if name not in managed}
        station = tuple(self._station(targets))
        return Lan(self.name, self.vlan, self.devices, real, station, tuple(self.gateways.values()))

    def _station(self, targets: Set[str]) -> Iterator[str]:
        """A free address in each network, and the targets that nobody else has."""
        taken = {each.ip for each in self.real_addresses()} | set(map(ip_address, self.virtual))
        watched = set(map(ip_address, targets)) - taken
        for network in dict.fromkeys(each.network for each in self.real_addresses()):
            here = sorted(each for each in watched if each in network)
            yield from ("%s/%d" % (each, network.prefixlen) for each in here)
            free = (each for each in network.hosts() if each not in taken and each not in watched)
            if not here:
                try:
                    yield "%s/%d" % (next(free), network.prefixlen)
                except StopIteration:
                    raise LabError("%s has no address left for a host" % network) from None


def _rows(plans: Sequence[Plan]) -> List[_Row]:
    """The LANs of the tables: whoever shares an interface is on one."""
    rows: Dict[int, _Row] = {}
    at: Dict[Tuple[str, str], _Row] = {}
    for number, plan in enumerate(plans):
        for router, planned in plan.items():
            for interface in planned["interfaces"]:
                vlan = interface["vlan_id"]
                row = at.get((router, interface["name"])) or rows.get(vlan)
                row = row or _Row("vlan%d" % vlan, vlan)
                rows[vlan] = at[router, interface["name"]] = row
                row.add_interface(router, interface)
                row.tables.add(number)
            for group in planned["groups"]:
                rows[group["vlan"]].add_group(group)
    return list(dict.fromkeys(rows.values()))


def _variables(routers: Any) -> Dict[str, Any]:
    """The routers without their trunks: networkd cannot take a cable for a VLAN that it makes."""
    settings = list(routers.values()) if isinstance(routers, dict) else routers
    if not any(isinstance(each, dict) and each.get("parent") for each in settings):
        return {}
    bare = [dict(each, parent=None) if isinstance(each, dict) else each for each in settings]
    return {"vlangate_routers": dict(zip(routers, bare)) if isinstance(routers, dict) else bare}


def _uplink_name(trackers: Sequence[Mapping[str, Any]], devices: Set[str]) -> str:
    """The interface by which targets are pinged, if it is none of a VLAN."""
    named = {each["interface"] for each in trackers if each["targets"]} - devices
    named -= {None, ""}
    if len(named) > 1:
        raise LabError("the lab has one interface to its ISP on all routers, and the table pings "
                       "by several: %s" % ", ".join(sorted(named)))  # fmt: skip
    return named.pop() if named else UPLINK_NAME


def _check(routers: Sequence[str], rows: List[_Row], uplink: Network) -> None:
    """Refuse what would come out otherwise than on the real site."""
    problems = []
    if len(routers) > MOST_ROUTERS:
        problems.append("%d routers: the lab has room for %d" % (len(routers), MOST_ROUTERS))
    own = [ip_network(prefix) for each in (uplink, MANAGEMENT) for prefix in each.prefixes]
    for row in rows:
        for network in {each.network for each in row.real_addresses()}:
            if any(network.version == each.version and network.overlaps(each) for each in own):
                problems.append("%s of VLAN %d is used by the lab itself" % (network, row.vlan))
    for name in {MANAGEMENT.name, uplink.name} & {d for r in rows for d in r.devices.values()}:
        problems.append("the interface %s is one of the lab itself" % name)
    if problems:
        raise LabError("the lab cannot be this site: " + "; ".join(problems))
