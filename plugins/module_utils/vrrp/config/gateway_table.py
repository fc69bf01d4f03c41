# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the VLAN table: who serves which VLAN with which addresses. Layer L2.

Problems are found here under the names that the operator used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..errors import ConfigError, Problem
from ..facts import Family
from .gateway_addresses import Address, Network, Places, place, read_networks
from .gateway_advertisements import read_advertisements
from .gateway_fields import (
    DEFAULT_ACCEPT,
    DEFAULT_PREEMPT_DELAY_CS,
    DEFAULT_VIRTUAL,
    DEFAULTS_FIELDS,
    MAXIMUM_MEMBERS,
    PRIORITY_FIELD,
    VLAN_FIELDS,
)
from .gateway_fleet import Router, interface_is_sound, read_routers, read_row, read_watch
from .gateway_inventory import Inventory, inventory_problems
from .gateway_rules import rule_problems
from .gateway_sync import SyncedVlans, read_synced_vlans
from .gateway_vlan import Bound, Policy, Seat, Vlan, real_addresses
from .lans import Port, lans
from .model import ChecksumMode, LeaseMode, ProfileMode, RouterAdvertisements, TrackReference
from .parse import tracker_draft
from .reading import Reading, in_order, nearest, repeated, shown
from .validate import field_problem, interval_problem, profile_problem


@dataclass(frozen=True)
class Table:
    """The whole table: routers by name, VLANs in order, and what counts for all of them."""

    fleet: Mapping[str, Router]
    vlans: Tuple[Vlan, ...]
    sync_groups: Tuple[SyncedVlans, ...]
    leases: LeaseMode


def read_table(
    vlans: Any, routers: Any, defaults: Any, inventory: Optional[Inventory] = None
) -> Table:
    """The table as it was understood. Raises ConfigError with every problem of it."""
    problems: List[Problem] = []
    common = read_row(DEFAULTS_FIELDS, defaults, "defaults", problems)
    problems.extend(_policy_conflicts(common))
    virtual = common.values["virtual"]
    if virtual is not None and (isinstance(virtual, bool) or not isinstance(virtual, int)):
        hint = "write a host number; an address belongs to its VLAN"
        problems.append(Problem("defaults.virtual", "type", "is %s" % shown(virtual), hint))
        virtual = None
    number = DEFAULT_VIRTUAL if virtual is None else virtual
    watch = read_watch(common, problems)
    trackers = tuple(tracker_draft(each).value for each in common.values["trackers"])
    fleet = read_routers(routers, watch, trackers, number, problems)
    rows: List[Vlan] = []
    if isinstance(vlans, (list, tuple)):
        for index, row in enumerate(vlans):
            rows.append(_Row(row, index, fleet, common, number, problems).vlan())
    else:
        hint = "write a list of VLANs, each with id and networks"
        problems.append(Problem("vlans", "type", "is %s" % shown(vlans), hint))
    problems.extend(_between_vlans(rows))
    sync_groups = read_synced_vlans(common.values["sync_groups"], rows, problems)
    broken = {problem.path.partition(".")[0] for problem in problems}
    if "defaults" not in broken:
        problems.extend(rule_problems([row for row in rows if row.path not in broken], sync_groups))
    if inventory is not None:
        problems.extend(inventory_problems(inventory, list(fleet), rows))
    if problems:
        # One value of the defaults may be wrong for many VLANs.
        raise ConfigError(in_order(dict.fromkeys(problems)))
    leases = LeaseMode(common.values["leases"] or LeaseMode.AUTO.value)
    return Table(fleet, tuple(rows), sync_groups, leases)


class _Row:
    """Reads one VLAN; knows the fleet and the defaults, and notes the problems."""

    def __init__(
        self,
        document: Any,
        index: int,
        fleet: Mapping[str, Router],
        common: Reading,
        number: int,
        problems: List[Problem],
    ) -> None:
        label = document.get("id") if isinstance(document, Mapping) else None
        is_id = isinstance(label, int) and not isinstance(label, bool)
        self.path = "vlans[%s]" % (label if is_id else "#%d" % index)
        self.fleet = fleet
        self.common = common
        self.number = number
        self.problems = problems
        self.reading = read_row(VLAN_FIELDS, document, self.path, problems)

    def vlan(self) -> Vlan:
        """The row as far as it could be read."""
        values = self.reading.values
        vlan_id = values["id"]
        networks: Tuple[Network, ...] = ()
        placeable: Tuple[Network, ...] = ()
        if "networks" not in self.reading.unsound:
            found = len(self.problems)
            networks = read_networks(values["networks"], self.path + ".networks", self.problems)
            # Where a network is missing, no address can be said to be outside.
            placeable = networks if len(self.problems) == found else ()
        members = self._members()
        interfaces = self._interfaces()
        vlan = Vlan(
            path=self.path,
            vlan_id=vlan_id,
            name=values["name"] or "vlan%d" % vlan_id,
            vrid=values["vrid"] or (vlan_id - 1) % 255 + 1,
            networks=networks,
            virtual=self._virtual(placeable),
            seats=tuple(
                Seat(
                    name,
                    interfaces.get(name, "vlan%d" % vlan_id),
                    self._real_places(name, written, placeable),
                )
                for name, written in members.items()
            ),
            policy=self._policy(networks),
            preferred=values["preferred"],
            priorities=self._priorities(members),
        )
        self.problems.extend(_address_conflicts(vlan))
        self.problems.extend(_preference_conflicts(vlan))
        return vlan

    def _note(self, key: str, code: str, message: str, hint: str) -> None:
        self.problems.append(Problem("%s.%s" % (self.path, key), code, message, hint))

    def _known(self, name: Any, key: str) -> bool:
        """True for a router of the fleet; otherwise a problem is noted under the key."""
        if isinstance(name, str) and name in self.fleet:
            return True
        hint = nearest(str(name), list(self.fleet))
        self._note(key, "unknown-router", "%s is not one of the routers" % shown(name), hint)
        return False

    def _members(self) -> Dict[str, Any]:
        """The routers of this VLAN and what is written about their addresses."""
        written = self.reading.values["routers"]
        if written is None:
            written = list(self.fleet)
        if not isinstance(written, (list, tuple, Mapping)) or (self.fleet and not written):
            hint = "write a list of routers, or a mapping of routers to host numbers or addresses"
            self._note("routers", "type", "is %s" % shown(written), hint)
            return {}
        members: Dict[str, Any] = {}
        for name in written:
            if self._known(name, "routers"):
                members[name] = written[name] if isinstance(written, Mapping) else None
        if len(members) > MAXIMUM_MEMBERS:
            message = "has %d routers" % len(members)
            hint = "write at most %d" % MAXIMUM_MEMBERS
            self._note("routers", "too-many", message, hint)
        return members

    def _interfaces(self) -> Dict[str, str]:
        """The interface of each router that is told one."""
        written = self.reading.values["interface"]
        if written is None:
            return {}
        if not isinstance(written, Mapping):
            is_sound = interface_is_sound(written, self.path + ".interface", self.problems)
            return dict.fromkeys(self.fleet, written) if is_sound else {}
        found = {}
        for name, interface in written.items():
            where = "%s.interface[%s]" % (self.path, name)
            is_sound = interface_is_sound(interface, where, self.problems)
            if self._known(name, "interface") and is_sound:
                found[name] = interface
        return found

    def _virtual(self, networks: Tuple[Network, ...]) -> Places:
        """The virtual addresses in each network; the default number where none is written."""
        written = self.reading.values["virtual"]
        written = self.number if written is None else written
        return self._complete(written, self.number, networks, "virtual")

    def _real_places(self, name: str, written: Any, networks: Tuple[Network, ...]) -> Places:
        """The real address of a router in each network."""
        number = self.fleet[name].host_number
        key = "routers[%s]" % name
        places = self._complete(number if written is None else written, number, networks, key)
        for network, addresses in places.items():
            if len(addresses) > 1:
                message = "has %d addresses in %s" % (len(addresses), network)
                self._note(key, "too-many", message, "write one for each network")
        return places

    def _complete(
        self, written: Any, number: int, networks: Tuple[Network, ...], key: str
    ) -> Places:
        """The places of what is written, and of the default number where that leaves a gap."""
        where = "%s.%s" % (self.path, key)
        if not networks:
            return {}
        found = len(self.problems)
        places = place(written, networks, where, self.problems, link_local=key == "virtual")
        gaps = [network for network in networks if not places[network]]
        if gaps and len(self.problems) == found:
            places = {**places, **place(number, gaps, where, self.problems)}
        return places

    def _chosen(self, name: str, builtin: Any) -> Tuple[Any, str]:
        """A value of this VLAN, of the defaults or built in, with where it was written."""
        for reading in (self.reading, self.common):
            for key in (name, name[: -len("_cs")]):
                if reading.values.get(key) is not None:
                    return reading.values[key], "%s.%s" % (reading.path, key)
        return builtin, "%s.%s" % (self.path, name)

    def _policy(self, networks: Tuple[Network, ...]) -> Policy:
        """How the groups behave, with a check that the wire can carry the interval."""
        ip_versions = {network.version for network in networks}
        self.problems.extend(_policy_conflicts(self.reading))
        if self.reading.values["version"] == 2 and 4 not in ip_versions:
            hint = "leave it out: VRRPv2 knows no IPv6"
            self._note("version", "v2-ipv6", "is 2 and there is no IPv4 network", hint)
        version, _where = self._chosen("version", 3)
        interval_cs, where = self._chosen("advertisement_interval_cs", 100)
        versions = {3} if 6 in ip_versions else set()
        if 4 in ip_versions:
            versions.add(version)
        for each in sorted(versions):
            problem = interval_problem(each, interval_cs, where)
            if problem is not None:
                self.problems.append(problem)
        profile, where = self._chosen("profile", ProfileMode.AUTO.value)
        problem = profile_problem(ProfileMode(profile), sorted(versions), where)
        if problem is not None:
            self.problems.append(problem)
        password, where = self._chosen("password", "")
        if password and 2 not in versions:
            hint = "leave it out, or write version 2: VRRPv3 has no authentication"
            self.problems.append(Problem(where, "v3-password", "is used with version 3", hint))
        preempt, _where = self._chosen("preempt", True)
        delay_cs, _where = self._chosen("preempt_delay_cs", DEFAULT_PREEMPT_DELAY_CS)
        track, _where = self._chosen("track", ())
        return Policy(
            version=version,
            advertisement_interval_cs=interval_cs,
            preempt=preempt,
            preempt_delay_cs=delay_cs if preempt else 0,
            accept=self._chosen("accept", DEFAULT_ACCEPT)[0],
            checksum=ChecksumMode(self._chosen("checksum", ChecksumMode.AUTO.value)[0]),
            profile=ProfileMode(profile),
            password=password,
            track=tuple(TrackReference(**each.values) for each in track if not each.unsound),
            router_advertisements=self._router_advertisements(networks),
            minimum_routers=Bound(*self._chosen("minimum_routers", 1)),
            detect_within_cs=Bound(*self._chosen("detect_within_cs", 0)),
        )

    def _router_advertisements(self, networks: Tuple[Network, ...]) -> RouterAdvertisements:
        """What hosts are told; the VLAN's IPv6 networks are the prefixes unless some are named."""
        ipv6 = [network for network in networks if network.version == 6]
        written, where = self._chosen("router_advertisements", False)
        if networks and not ipv6:
            if self.reading.values["router_advertisements"]:
                hint = "leave it out, or add an IPv6 network: it is the IPv6 gateway's to tell"
                self._note("router_advertisements", "no-ipv6", "is used without IPv6", hint)
            return RouterAdvertisements()
        return read_advertisements(written, ipv6, where, self.problems)

    def _priorities(self, members: Mapping[str, Any]) -> Dict[str, int]:
        """The priorities that are written; none when some of them are unsound."""
        written = self.reading.values["priorities"]
        if written is None:
            return {}
        if not isinstance(written, Mapping):
            hint = "write a mapping of all routers of the VLAN to priorities"
            self._note("priorities", "type", "is %s" % shown(written), hint)
            return {}
        found = len(self.problems)
        sound = {}
        for name, priority in written.items():
            key = "priorities[%s]" % name
            where = "%s.%s" % (self.path, key)
            if isinstance(priority, bool) or not isinstance(priority, int):
                self._note(key, "type", "is %s" % shown(priority), "write a number")
                continue
            problem = field_problem(PRIORITY_FIELD, priority, where)
            if problem is not None:
                self.problems.append(problem)
            elif name not in members:
                hint = nearest(str(name), list(members))
                self._note(key, "unknown-router", "is no router of this VLAN", hint)
            else:
                sound[name] = priority
        return sound if len(self.problems) == found else {}


# What does not fit together -----------------------------------------------------------------------


def _policy_conflicts(reading: Reading) -> Iterator[Problem]:
    """One thing said twice, or one that cancels another, in one place."""
    values = reading.values
    for name in ("advertisement_interval", "preempt_delay", "detect_within"):
        if values[name] is not None and values[name + "_cs"] is not None:
            message = "is written beside %s_cs" % name
            where = "%s.%s" % (reading.path, name)
            yield Problem(where, "written-twice", message, "keep one of them")
    for name in repeated(each.values["tracker"] for each in values["track"] or ()):
        where = "%s.track[%s]" % (reading.path, name)
        yield Problem(where, "duplicate-tracker", "is written twice", "keep one of them")
    if values["preempt"] is False:
        for name in ("preempt_delay", "preempt_delay_cs"):
            if values[name]:
                hint = "leave it out: without preemption there is nothing to delay"
                where = "%s.%s" % (reading.path, name)
                message = "is written beside preempt: false"
                yield Problem(where, "delay-without-preempt", message, hint)


def _address_conflicts(vlan: Vlan) -> Iterator[Problem]:
    """A real address belongs to one router, and an owner owns all virtual addresses."""
    for address in repeated(a for addresses in vlan.virtual.values() for a in addresses):
        message = "has %s twice" % address
        yield Problem(vlan.path + ".virtual", "duplicate-address", message, "keep one of them")
    first: Dict[Address, str] = {}
    for seat in vlan.seats:
        where = "%s.routers[%s]" % (vlan.path, seat.router)
        for address in sorted(real_addresses(seat), key=str):
            other = first.setdefault(address, seat.router)
            if other != seat.router:
                message = "has %s, which is also that of %s" % (address, other)
                hint = "give each router a real address of its own"
                yield Problem(where, "duplicate-address", message, hint)
        for family in vlan.families:
            virtual = set(vlan.virtual_addresses(family))
            owned = virtual & real_addresses(seat)
            if owned and owned != virtual:
                message = "has %s, only one of the virtual addresses" % min(owned, key=str)
                hint = "give the router another real address, or all of the virtual ones"
                yield Problem(where, "part-owner", message, hint)


def _preference_conflicts(vlan: Vlan) -> Iterator[Problem]:
    """preferred and priorities name the members, and agree with each other and the owner."""
    members = [seat.router for seat in vlan.seats]
    owners = {vlan.owner(family) for family in vlan.families} - {None}
    where = vlan.path + ".preferred"
    if vlan.preferred is not None and vlan.preferred not in members:
        message = "%s is no router of this VLAN" % shown(vlan.preferred)
        yield Problem(where, "unknown-router", message, nearest(vlan.preferred, members))
    elif vlan.preferred is not None and owners and vlan.preferred not in owners:
        owner = ", ".join(sorted(str(name) for name in owners))
        message = "is %s, and %s has the virtual address as its real one"
        hint = "leave it out: the address owner is always preferred; or choose another address"
        yield Problem(where, "not-owner", message % (vlan.preferred, owner), hint)
    if not vlan.priorities:
        return
    where = vlan.path + ".priorities"
    first: Dict[int, str] = {}
    for name, priority in vlan.priorities.items():
        if first.setdefault(priority, name) != name:
            message = "%d is that of %s and of %s" % (priority, first[priority], name)
            hint = "give each router a priority of its own"
            yield Problem(where, "equal-priorities", message, hint)
    missing = [
        name
        for name in members
        if name not in vlan.priorities and any(vlan.owner(each) != name for each in vlan.families)
    ]
    if missing:
        message = "has none for %s" % ", ".join(missing)
        yield Problem(where, "missing", message, "name every router of the VLAN")
    highest = max(vlan.priorities, key=lambda name: vlan.priorities[name])
    if vlan.preferred is not None and not owners and highest != vlan.preferred:
        message = "prefer %s, and preferred is %s" % (highest, vlan.preferred)
        yield Problem(where, "not-preferred", message, "leave one of the two out")


def _between_vlans(vlans: Sequence[Vlan]) -> Iterator[Problem]:
    """Ids, names, networks, and VRIDs on one LAN are used once."""
    ids: Dict[int, Vlan] = {}
    names: Dict[str, Vlan] = {}
    for vlan in vlans:
        # Zero stands for an id that could not be read.
        if vlan.vlan_id == 0:
            continue
        if ids.setdefault(vlan.vlan_id, vlan) is not vlan:
            message = "%d is the id of two VLANs" % vlan.vlan_id
            yield Problem(vlan.path + ".id", "duplicate-id", message, "keep one of them")
            continue
        other = names.setdefault(vlan.name, vlan)
        if other is not vlan:
            message = "%s is also that of %s" % (shown(vlan.name), other.path)
            yield Problem(vlan.path + ".name", "duplicate-name", message, "rename one of them")
    yield from _one_vrid_twice(list(ids.values()))
    yield from _overlaps(vlans)


def _one_vrid_twice(vlans: Sequence[Vlan]) -> Iterator[Problem]:
    """VLANs that share an interface of one router are one LAN on all of their routers."""
    ports = {vlan.path: [(seat.router, seat.interface) for seat in vlan.seats] for vlan in vlans}
    lan_of = lans(ports.values())
    first: Dict[Tuple[Port, Family, int], Vlan] = {}
    for vlan in vlans:
        mine = ports[vlan.path]
        clashes = {}
        for family in vlan.families if mine else ():
            other = first.setdefault((lan_of[mine[0]], family, vlan.vrid), vlan)
            if other is not vlan:
                clashes[other.path] = [port for port in mine if port in ports[other.path]]
        for path, shared in clashes.items():
            place = shared[0][1] if shared else "the LAN of %s's %s" % mine[0]
            message = "%d is also that of %s on %s" % (vlan.vrid, path, place)
            hint = "choose a VRID that no other VLAN of this LAN uses"
            yield Problem(vlan.path + ".vrid", "duplicate-vrid", message, hint)


def _overlaps(vlans: Sequence[Vlan]) -> Iterator[Problem]:
    """Networks nest or are apart, so each is compared with the widest that begins before it."""
    networks = [(network, vlan) for vlan in vlans for network in vlan.networks]
    networks.sort(key=lambda pair: (pair[0].version, pair[0].network_address, pair[0].prefixlen))
    widest: Optional[Tuple[Network, Vlan]] = None
    for network, vlan in networks:
        if (
            widest is not None
            and widest[0].version == network.version
            and network.network_address in widest[0]
        ):
            message = "%s overlaps %s of %s" % (network, widest[0], widest[1].path)
            hint = "give each VLAN networks of its own"
            yield Problem(vlan.path + ".networks", "overlap", message, hint)
        else:
            widest = (network, vlan)
