# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keepalived.conf of all routers of a site become one VLAN table.

The table is turned into configurations again, and each of them is held against what it came from:
what a router would say on the wire is what keepalived says there, or the table is refused.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..module_utils.vrrp.config.gateways import gateway_configs
from ..module_utils.vrrp.config.parse import parse
from ..module_utils.vrrp.config.reading import text_of
from ..module_utils.vrrp.config.resolve import virtual_addresses
from ..module_utils.vrrp.errors import ConfigError, Problem
from .keepalived_instances import OWNER, Address, Found, Instance, read_instances

#: Names of interfaces that tell the VLAN: vlan10, eth0.10.
VLAN_ID = re.compile(r"(?:^vlan|\.)0*(\d{1,4})$")
HIGHEST_VLAN_ID = 4094
NAME = re.compile(r"[A-Za-z0-9_-]{1,9}")

Row = dict[str, t.Any]
Links = Sequence[Mapping[str, t.Any]]  # what `ip -j address` says


@dataclass
class Gateway:
    """The instances of one family and VRID on one LAN, by router."""

    networks: list[t.Any]
    members: dict[str, Instance] = field(default_factory=dict)
    places: dict[str, list[Address]] = field(default_factory=dict)

    @property
    def first(self) -> Instance:
        return next(iter(self.members.values()))

    def policy(self) -> Row:
        """What the table has for a whole VLAN, as far as it is not the table's own default."""
        one = self.first
        policy: Row = {}
        priorities = {name: each.priority for name, each in self.members.items()}
        without_owner = {name: each for name, each in priorities.items() if each != OWNER}
        if without_owner:
            policy["priorities"] = without_owner
        if one.interval_cs != 100:
            policy["advertisement_interval_cs"] = one.interval_cs
        # One that does not preempt is enough: its peer never has a reason to.
        if not all(each.preempt for each in self.members.values()):
            policy["preempt"] = False
        delay_s = max(each.preempt_delay_s for each in self.members.values())
        if policy.get("preempt", True):
            policy["preempt_delay"] = "%ds" % delay_s
        if not one.accept:
            policy["accept"] = False
        if one.penalties:
            policy["track"] = [
                {"tracker": _tracker(name), "penalty": penalty}
                for name, penalty in sorted(one.penalties.items())
            ]
        return policy


def keepalived_site(files: Mapping[str, str], links: Mapping[str, Links]) -> dict[str, t.Any]:
    """The table of a site, and lines about what is not in it.

    Raises ConfigError with everything that stands in the way, each with router and line.
    """
    problems: list[Problem] = []
    found = [read_instances(router, text, problems) for router, text in files.items()]
    gateways = _gateways(found, links, problems)
    if not gateways and not problems:
        hint = "is it the file that keepalived reads?"
        problems.append(Problem("keepalived.conf", "empty", "has no vrrp_instance", hint))
    for gateway in gateways:
        problems.extend(_unlike(gateway))
    if problems:
        raise ConfigError(tuple(problems))
    chosen: list[str] = []
    rows = _rows(gateways, chosen)
    table = _table(list(files), rows, gateways, _sync_groups(found, rows, chosen))
    _require_the_same_wire(table, gateways)
    return {
        "table": {name: value for name, value in table.items() if value},
        "left": [line for each in found for line in each.left] + chosen,
        "not_needed": [line for each in found for line in each.not_needed],
    }


def _gateways(
    found: Sequence[Found], links: Mapping[str, Links], problems: list[Problem]
) -> list[Gateway]:
    """Instances of several routers belong together by family, VRID and network."""
    gateways: dict[t.Any, Gateway] = {}
    for instance in (instance for each in found for instance in each.instances):
        places = _places(instance, links.get(instance.router, ()))
        if not places:
            message = "%s has no address in the network of %s"
            message %= (instance.interface, instance.addresses[0])
            hint = "give the interface its real address first, or is it another interface?"
            problems.append(Problem(instance.path, "no-address", message, hint))
            continue
        if instance.priority == OWNER and set(places.values()) != set(instance.addresses):
            message = "has priority 255, and %s is not its own address" % instance.addresses[0]
            hint = "write at most 254 (state MASTER alone means 255), or make it the real address"
            problems.append(Problem(instance.path, "owner", message, hint))
            continue
        key = instance.family, instance.vrid, min(map(str, places))
        gateway = gateways.setdefault(key, Gateway(list(places)))
        if instance.router in gateway.members:
            hint = "keepalived does not run both: remove one"
            message = "has family, VRID and network of %s" % gateway.members[instance.router].name
            problems.append(Problem(instance.path, "duplicate", message, hint))
            continue
        gateway.members[instance.router] = instance
        gateway.places[instance.router] = list(places.values())
    return list(gateways.values())


def _places(instance: Instance, links: Links) -> dict[t.Any, Address]:
    """The networks of an instance with the router's real address in each of them."""
    usual = [each for each in instance.addresses if not each.is_link_local]
    found = [
        ipaddress.ip_interface("%s/%d" % (entry["local"], entry["prefixlen"]))
        for link in links
        if link["ifname"] == instance.interface
        for entry in link.get("addr_info", ())
    ]
    places: dict[t.Any, Address] = {}
    # A master holds the virtual addresses, too: real are the others, or an owner has no others.
    for is_virtual in (False, True) if instance.priority == OWNER else (False,):
        for each in found:
            if each.version != instance.family or each.is_link_local:
                continue
            is_meant = not usual or any(address in each.network for address in usual)
            if is_meant and (each.ip in instance.addresses) == is_virtual:
                places.setdefault(each.network, each.ip)
    covered = all(any(address in network for network in places) for address in usual)
    return places if covered else {}


def _unlike(gateway: Gateway) -> Iterator[Problem]:
    """What keepalived itself would not forgive: its members have to say the same."""
    first = gateway.first
    for other in list(gateway.members.values())[1:]:
        for name, ours, theirs in (
            ("virtual_ipaddress", set(other.addresses), set(first.addresses)),
            ("version", other.version, first.version),
            ("advert_int", other.interval_cs, first.interval_cs),
            ("auth_pass", other.password, first.password),
            ("accept", other.accept, first.accept),
            ("track_interface", other.penalties, first.penalties),
        ):
            if ours != theirs:
                message = "%s is not that of %s" % (name, first.path)
                hint = "write the same on all routers of the group"
                yield Problem(other.path, "unlike", message, hint)


def _rows(gateways: Sequence[Gateway], chosen: list[str]) -> list[tuple[Row, list[Gateway]]]:
    """One row for the families of a LAN that have everything in common."""
    rows: list[tuple[Row, list[Gateway]]] = []
    ids: set[int] = set()
    for gateway in gateways:
        interfaces = {name: each.interface for name, each in gateway.members.items()}
        for row, gathered in rows:
            alike = [
                {name: each.interface for name, each in other.members.items()} == interfaces
                and other.first.family != gateway.first.family
                and other.first.vrid == gateway.first.vrid
                and other.policy() == gateway.policy()
                for other in gathered
            ]
            if all(alike):
                _add(row, gateway)
                gathered.append(gateway)
                break
        else:
            rows.append((_row(gateway, interfaces, ids, chosen), [gateway]))
    return rows


def _row(gateway: Gateway, interfaces: Mapping[str, str], ids: set[int], chosen: list[str]) -> Row:
    first = gateway.first
    told = {match[1] for match in map(VLAN_ID.search, interfaces.values()) if match}
    vlan_id = int(told.pop()) if len(told) == 1 else 0
    row: Row = {"id": vlan_id}
    if not 1 <= vlan_id <= HIGHEST_VLAN_ID or vlan_id in ids:
        row["id"] = next(each for each in range(HIGHEST_VLAN_ID, 0, -1) if each not in ids)
        is_free = NAME.fullmatch(first.interface) and not VLAN_ID.search(first.interface)
        row["name"] = first.interface if is_free else "vrid%d" % first.vrid
        line = "%s: its VLAN is not told by the name of %s: %d is only a number of ours"
        chosen.append(line % (first.path, first.interface, row["id"]))
    ids.add(row["id"])
    if set(interfaces.values()) != {"vlan%d" % row["id"]}:
        alike = len(set(interfaces.values())) == 1
        row["interface"] = first.interface if alike else dict(interfaces)
    if first.vrid != (row["id"] - 1) % 255 + 1:
        row["vrid"] = first.vrid
    row.update(networks=[], virtual=[], routers={name: [] for name in interfaces})
    _add(row, gateway)
    row.update(gateway.policy())
    return row


def _add(row: Row, gateway: Gateway) -> None:
    """Another family: its networks, addresses and what only it has."""
    first = gateway.first
    row["networks"] += map(str, gateway.networks)
    row["virtual"] += map(str, first.addresses)
    for name, addresses in gateway.places.items():
        row["routers"][name] += map(str, addresses)
    if first.version == 2:
        row["version"] = 2
        if first.password:
            row["password"] = first.password


def _sync_groups(
    found: Sequence[Found], rows: Sequence[tuple[Row, list[Gateway]]], chosen: list[str]
) -> list[Row]:
    """Sync groups by their VLANs: ours hold all families of a VLAN together."""
    groups: dict[str, Row] = {}
    for each in found:
        for name, members in each.sync_groups.items():
            vlans = []
            for row, gathered in rows:
                mine = [g.members[each.router] for g in gathered if each.router in g.members]
                inside = [instance for instance in mine if instance.name in members]
                if inside:
                    vlans.append(row["id"])
                for other in mine if inside else ():
                    if other not in inside:
                        line = "%s: joins vrrp_sync_group %s, with the other family of its VLAN"
                        chosen.append(line % (other.path, name))
            wanted = groups.setdefault(name, {"name": name, "vlans": vlans})
            if wanted["vlans"] != vlans:
                line = "%s: vrrp_sync_group %s has other members elsewhere: those of %s count"
                chosen.append(line % (each.router, name, found[0].router))
    return list(groups.values())


def _table(
    routers: list[str],
    rows: Sequence[tuple[Row, list[Gateway]]],
    gateways: Sequence[Gateway],
    sync_groups: list[Row],
) -> dict[str, t.Any]:
    """The variables of the roles. What all rows have is written once."""
    vlans = [
        {
            **row,
            "virtual": _short(row["virtual"]),
            "routers": {name: _short(each) for name, each in row["routers"].items()},
        }
        for row, _gateways in rows
    ]
    defaults: Row = {}
    delays = {row.get("preempt_delay") for row in vlans} - {None}
    if len(delays) == 1:
        defaults["preempt_delay"] = delays.pop()
        vlans = [{k: v for k, v in row.items() if k != "preempt_delay"} for row in vlans]
    watched = sorted({name for each in gateways for name in each.first.penalties})
    if watched:
        defaults["trackers"] = [
            {"name": _tracker(name), "kind": "link", "interface": name} for name in watched
        ]
    if sync_groups:
        defaults["sync_groups"] = sync_groups
    return {"vlangate_routers": routers, "vlangate_vlans": vlans, "vlangate_defaults": defaults}


def _short(values: list[str]) -> t.Any:
    """A list of one as people write it."""
    return values[0] if len(values) == 1 else values


def _tracker(interface: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", "link-" + interface)


def _require_the_same_wire(table: Mapping[str, t.Any], gateways: Sequence[Gateway]) -> None:
    """ConfigError unless each router would say what its keepalived says."""
    planned = gateway_configs(
        table["vlangate_vlans"], table["vlangate_routers"], table["vlangate_defaults"]
    )
    ours: dict[t.Any, t.Any] = {}
    for router, plan in planned.items():
        for each in parse(plan["config"]).virtual_routers:
            ours[router, each.interface, int(each.family.value[-1]), each.vrid] = each
    problems = []
    for instance in (each for gateway in gateways for each in gateway.members.values()):
        made = ours[instance.router, instance.interface, instance.family, instance.vrid]
        theirs = {str(address) for address in instance.addresses}
        added = [text for text in map(text_of, virtual_addresses(made)) if text not in theirs]
        if added:
            message = "does not have %s, which this engine advertises" % ", ".join(added)
            hint = "put it first into virtual_ipaddress on all routers, before anything else"
            problems.append(Problem(instance.path, "addresses", message, hint))
        said = made.priority, made.version, made.advertisement_interval_cs, made.password
        wanted = instance.priority, instance.version, instance.interval_cs, instance.password
        if said != wanted or len(virtual_addresses(made)) - len(added) != len(theirs):
            message = "cannot be said by the table"
            hint = "write this VLAN yourself; the rest is found without it"
            problems.append(Problem(instance.path, "table", message, hint))
    if problems:
        raise ConfigError(tuple(problems))
