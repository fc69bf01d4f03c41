# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is wrong with a configuration, all at once. Layer L2.

RFC 9568 sections 5.2 and 6.1, RFC 3768 section 5.3. A rule is a generator of problems and stands in
a table beside the fields that it looks at; it is passed over where one of them could not be read.
Rules across hosts: hosts.py.
"""

from __future__ import annotations

import ipaddress
import re
from typing import (
    Any,
    Callable,
    Dict,
    FrozenSet,
    Generator,
    Iterator,
    Optional,
    Sequence,
    Set,
    Tuple,
    Union,
)

from ..errors import Problem
from ..facts import Family, family_of, is_link_local
from ..fsm.parameters import OWNER_PRIORITY, RouterKey
from ..units import CS_PER_S, MAXIMUM_INTERVAL_CS, MAXIMUM_V2_INTERVAL_S
from .drafts import RouterDraft, SyncGroupDraft, TrackerDraft
from .fields import (
    PREFIX_FIELDS,
    ROUTER_ADVERTISEMENT_FIELDS,
    SYNC_GROUP_FIELDS,
    TRACK_FIELDS,
    TRACKER_FIELDS,
    VIRTUAL_ROUTER_FIELDS,
    Field,
    Kind,
)
from .model import (
    PROFILES,
    ProfileMode,
    RouterAdvertisements,
    RouterConfig,
    TrackerConfig,
    TrackerKind,
    VirtualRouterConfig,
)
from .reading import Hints, in_order, repeated, shown, text_of
from .router_advertisements import conflicts, network_text
from .sync_groups import sync_group_conflicts


def problems(config: RouterConfig) -> Tuple[Problem, ...]:
    """All problems of one host's configuration, sorted by path; empty when it can be used."""
    routers = [RouterDraft("virtual_routers[%s]" % r.name, r) for r in config.virtual_routers]
    trackers = [TrackerDraft("trackers[%s]" % t.name, t) for t in config.trackers]
    groups = [SyncGroupDraft("sync_groups[%s]" % g.name, g) for g in config.sync_groups]
    return in_order(check(routers, trackers, groups))


def check(
    routers: Sequence[RouterDraft],
    trackers: Sequence[TrackerDraft],
    sync_groups: Sequence[SyncGroupDraft],
    *,
    all_trackers: bool = True,
    all_routers: bool = True,
) -> Iterator[Problem]:
    """Every rule on every entry, then those between entries.

    all_trackers is False when there are trackers that could not be read, all_routers when there
    are virtual routers.
    """
    for router in routers:
        broken = yield from _out_of_bounds(VIRTUAL_ROUTER_FIELDS, router)
        for reference in router.value.track:
            path = "%s.track[%s]" % (router.path, reference.tracker)
            yield from _bounds(TRACK_FIELDS, reference, path)
        is_sound = "router_advertisements" not in router.unsound
        yield from router_advertisement_problems(
            router.path + ".router_advertisements", router.value.router_advertisements, is_sound
        )
        for needs, rule in _ROUTER_RULES:
            if broken.isdisjoint(needs):
                yield from rule(router.path, router.value)
    for tracker in trackers:
        broken = yield from _out_of_bounds(TRACKER_FIELDS, tracker)
        for needs, tracker_rule in _TRACKER_RULES:
            if broken.isdisjoint(needs):
                yield from tracker_rule(tracker.path, tracker.value)
    for group in sync_groups:
        yield from _out_of_bounds(SYNC_GROUP_FIELDS, group)
    yield from _names_used_twice(routers)
    yield from _names_used_twice(trackers)
    yield from _names_used_twice(sync_groups)
    yield from _lan_used_twice(routers)
    if all_trackers and all("name" not in tracker.unsound for tracker in trackers):
        yield from _unknown_trackers(routers, {tracker.value.name for tracker in trackers})
    yield from sync_group_conflicts(sync_groups, routers, all_routers)


_NO_ADVERTISEMENTS = RouterAdvertisements()

# Bounds and patterns of the field table -----------------------------------------------------------


_Draft = Union[RouterDraft, TrackerDraft, SyncGroupDraft]


def _out_of_bounds(fields: Tuple[Field, ...], draft: _Draft) -> Generator[Problem, None, Set[str]]:
    """Yields the problems of single fields; returns the names that other rules must pass over."""
    prefix = len(draft.path) + 1
    broken = set(draft.unsound)
    for problem in _bounds(fields, draft.value, draft.path, draft.unsound):
        broken.add(problem.path[prefix:])
        yield problem
    return broken


def _bounds(
    fields: Tuple[Field, ...], value: Any, path: str, unsound: FrozenSet[str] = frozenset()
) -> Iterator[Problem]:
    """What the table forbids a single field, whatever the others say."""
    for field in fields:
        if field.name not in unsound:
            problem = field_problem(field, getattr(value, field.name), "%s.%s" % (path, field.name))
            if problem is not None:
                yield problem


def router_advertisement_problems(
    path: str, settings: RouterAdvertisements, is_sound: bool = True
) -> Iterator[Problem]:
    """What is wrong with router advertisements; is_sound: all of them could be read."""
    if settings == _NO_ADVERTISEMENTS:
        return  # what most virtual routers have, and nothing is wrong with it
    found = list(_bounds(ROUTER_ADVERTISEMENT_FIELDS, settings, path))
    for each in settings.prefixes:
        where = "%s.prefixes[%s]" % (path, network_text(each.prefix))
        found += _bounds(PREFIX_FIELDS, each, where)
    yield from found
    if is_sound and not found:
        yield from conflicts(path, settings)


def field_problem(field: Field, value: Any, path: str) -> Optional[Problem]:
    """The first thing that the field table has against a value of the right type, if any."""
    if value is None:
        return None
    if field.kind in (Kind.INTEGER, Kind.INTERVAL, Kind.DURATION):
        return _number_problem(field, value, path)
    if field.kind in (Kind.ADDRESSES, Kind.OBJECTS, Kind.NAMES):
        return _list_problem(field, value, path)
    if field.kind is not Kind.TEXT or value == field.default:
        return None
    if not value:
        return Problem(path, "empty", "is empty", field.remedy or field.summary)
    if field.maximum is not None and len(value) > field.maximum:
        message = "has %d characters, %d too many" % (len(value), len(value) - field.maximum)
        if not field.secret:
            message = "%s %s" % (shown(value), message)
        return Problem(path, "too-long", message, field.remedy)
    if field.pattern and re.fullmatch(field.pattern, value) is None:
        message = "has other characters" if field.secret else "is %s" % shown(value)
        return Problem(path, "characters", message, field.remedy)
    return None


def _number_problem(field: Field, value: int, path: str) -> Optional[Problem]:
    low, high = field.minimum, field.maximum
    if low is None or high is None or low <= value <= high:
        return None
    hint = "write %d" % low if low == high else "write %d to %d %s" % (low, high, field.unit)
    if field.remedy:
        hint = "%s: %s" % (hint.strip(), field.remedy)
    return Problem(path, "range", "is %d" % value, hint.strip())


def _list_problem(field: Field, value: Sequence[Any], path: str) -> Optional[Problem]:
    if len(value) < (field.minimum or 0):
        message = "has one entry" if value else "is an empty list"
        return Problem(path, "too-few", message, field.remedy or field.summary)
    if field.maximum is not None and len(value) > field.maximum:
        hint = field.remedy or "write at most %d" % field.maximum
        return Problem(path, "too-many", "has %d entries" % len(value), hint)
    return None


# One virtual router -------------------------------------------------------------------------------


def interval_problem(version: int, interval_cs: int, path: str) -> Optional[Problem]:
    """An advertisement interval that a packet of this version has no bits for.

    RFC 9568 section 5.2.7: 12 bits of centiseconds. RFC 3768 section 5.3.7: 8 bits of seconds.
    """
    if version == 2:
        seconds, rest = divmod(interval_cs, CS_PER_S)
        if rest or not 1 <= seconds <= MAXIMUM_V2_INTERVAL_S:
            message = "is %d cs, and VRRPv2 carries whole seconds only" % interval_cs
            return Problem(
                path, "interval-wire", message, "write 100, 200 ... 25500 cs, or version 3"
            )
    elif not 1 <= interval_cs <= MAXIMUM_INTERVAL_CS:
        message = "is %d cs, and VRRPv3 carries 1 to %d cs" % (interval_cs, MAXIMUM_INTERVAL_CS)
        return Problem(path, "interval-wire", message, "write at most 40.95s")
    return None


def profile_problem(profile: ProfileMode, versions: Sequence[int], path: str) -> Optional[Problem]:
    """A profile that is about none of these versions."""
    known = {each.value for version in versions for each in PROFILES.get(version, ())}
    if profile is ProfileMode.AUTO or not known or profile.value in known:
        return None
    about = " and ".join(str(version) for version in versions)
    message = "is %s, which is not about version %s" % (profile.value, about)
    hint = "leave it out, or write one of %s" % ", ".join(sorted(known, reverse=True))
    return Problem(path, "profile-version", message, hint)


def unusable_because(address: bytes) -> str:
    """Why no router can have this address as a gateway address; empty when it can."""
    if len(address) == 4:
        ipv4 = ipaddress.IPv4Address(address)
        if ipv4 == ipaddress.IPv4Address("255.255.255.255"):
            return "the broadcast address"
        # Not is_reserved alone: 0.0.0.0/8 means "this network".
        reserved = ipv4.is_reserved or address[0] == 0
        return _special(ipv4) or ("reserved" if reserved else "")
    ipv6 = ipaddress.IPv6Address(address)
    return _special(ipv6) or ("an IPv4-mapped address" if ipv6.ipv4_mapped else "")


def _special(address: Any) -> str:
    if address.is_unspecified:
        return "the unspecified address"
    if address.is_loopback:
        return "a loopback address"
    return "a multicast address" if address.is_multicast else ""


def _interval_fits_the_wire(path: str, router: VirtualRouterConfig) -> Iterator[Problem]:
    where = path + ".advertisement_interval_cs"
    problem = interval_problem(router.version, router.advertisement_interval_cs, where)
    if problem is not None:
        yield problem


def _version_fits_the_family(path: str, router: VirtualRouterConfig) -> Iterator[Problem]:
    if router.version == 2 and router.family is Family.IPV6:
        message = "is 2, and VRRPv2 knows no IPv6"
        yield Problem(path + ".version", "v2-ipv6", message, "write 3, or leave it out")


def _addresses_fit_the_family(path: str, router: VirtualRouterConfig) -> Iterator[Problem]:
    for address in router.addresses:
        if family_of(address) is not router.family:
            message = "has %s, and family is %s" % (text_of(address), router.family.value)
            hint = "give the other family a virtual router of its own"
            yield Problem(path + ".addresses", "family-mismatch", message, hint)


def _addresses_are_usable(path: str, router: VirtualRouterConfig) -> Iterator[Problem]:
    for address in router.addresses:
        reason = unusable_because(address)
        if reason:
            message = "has %s, which is %s" % (text_of(address), reason)
            hint = "write an address of a host of this LAN"
            yield Problem(path + ".addresses", "unusable-address", message, hint)


def _addresses_differ(path: str, router: VirtualRouterConfig) -> Iterator[Problem]:
    for address in repeated(router.addresses):
        message = "has %s twice" % text_of(address)
        yield Problem(path + ".addresses", "duplicate-address", message, "keep one of them")


def _link_local_is_first(path: str, router: VirtualRouterConfig) -> Iterator[Problem]:
    # RFC 9568 section 5.2.9: the first IPv6 address has to be the link-local one.
    local = [address for address in router.addresses if is_link_local(address)]
    if local and router.addresses[0] != local[0]:
        message = "has the link-local address %s behind another one" % text_of(local[0])
        hint = "put it first, or leave it out: one is generated"
        yield Problem(path + ".addresses", "link-local-order", message, hint)


def _profile_fits_the_version(path: str, router: VirtualRouterConfig) -> Iterator[Problem]:
    problem = profile_problem(router.profile, (router.version,), path + ".profile")
    if problem is not None:
        yield problem


def _password_is_for_version_2(path: str, router: VirtualRouterConfig) -> Iterator[Problem]:
    # RFC 9568 section 9: VRRPv3 has no authentication.
    if router.password and router.version != 2:
        message = "is used with version %d" % router.version
        hint = "leave it out, or write version 2: VRRPv3 has no authentication"
        yield Problem(path + ".password", "v3-password", message, hint)


def _delay_is_used(path: str, router: VirtualRouterConfig) -> Iterator[Problem]:
    where = path + ".preempt_delay_cs"
    message = "is %d" % router.preempt_delay_cs
    if router.preempt_delay_cs and not router.preempt:
        hint = "leave it out, or set preempt: without preemption there is nothing to delay"
        yield Problem(where, "delay-without-preempt", message, hint)
    elif router.preempt_delay_cs and router.priority == OWNER_PRIORITY:
        hint = "leave it out: the owner of the addresses (priority 255) takes the role at once"
        yield Problem(where, "owner-delay", message, hint)


def _owner_preempts(path: str, router: VirtualRouterConfig) -> Iterator[Problem]:
    # RFC 9568 section 6.1: the address owner always preempts.
    if router.priority == OWNER_PRIORITY and not router.preempt:
        hint = "leave it out, or choose a priority below 255: an address owner always preempts"
        yield Problem(path + ".preempt", "owner-preempt", "is false with priority 255", hint)


def _owner_is_not_tracked(path: str, router: VirtualRouterConfig) -> Iterator[Problem]:
    if router.priority == OWNER_PRIORITY and router.track:
        hint = "leave it out, or choose a priority below 255: an owner keeps its priority"
        yield Problem(path + ".track", "owner-track", "is used with priority 255", hint)


def _router_advertisements_are_for_ipv6(
    path: str, router: VirtualRouterConfig
) -> Iterator[Problem]:
    if router.router_advertisements.enabled and router.family is Family.IPV4:
        hint = "leave it out: they belong to the virtual router of family ipv6"
        where = path + ".router_advertisements.enabled"
        yield Problem(where, "family-mismatch", "is true, and family is ipv4", hint)


def _trackers_differ(path: str, router: VirtualRouterConfig) -> Iterator[Problem]:
    for name in repeated(reference.tracker for reference in router.track):
        message = "has tracker %s twice" % shown(name)
        yield Problem(path + ".track", "duplicate-tracker", message, "keep one of them")


_RouterRule = Callable[[str, VirtualRouterConfig], Iterator[Problem]]
_ROUTER_RULES: Tuple[Tuple[Tuple[str, ...], _RouterRule], ...] = (
    (("version", "advertisement_interval_cs"), _interval_fits_the_wire),
    (("version", "family"), _version_fits_the_family),
    (("family", "addresses"), _addresses_fit_the_family),
    (("addresses",), _addresses_are_usable),
    (("addresses",), _addresses_differ),
    (("addresses",), _link_local_is_first),
    (("version", "profile"), _profile_fits_the_version),
    (("version", "password"), _password_is_for_version_2),
    (("preempt", "preempt_delay_cs", "priority"), _delay_is_used),
    (("preempt", "priority"), _owner_preempts),
    (("priority", "track"), _owner_is_not_tracked),
    (("track",), _trackers_differ),
    (("family", "router_advertisements"), _router_advertisements_are_for_ipv6),
)


# One tracker --------------------------------------------------------------------------------------


def _link_tracker_is_complete(path: str, tracker: TrackerConfig) -> Iterator[Problem]:
    if tracker.kind is TrackerKind.LINK and not tracker.interface:
        hint = "name the interface that this tracker watches"
        yield Problem(path + ".interface", "missing", "is missing", hint)
    if tracker.kind is TrackerKind.LINK and tracker.targets:
        hint = "leave it out, or write kind: ping"
        yield Problem(path + ".targets", "unused", "is used with kind: link", hint)


def _ping_tracker_is_complete(path: str, tracker: TrackerConfig) -> Iterator[Problem]:
    if tracker.kind is not TrackerKind.PING:
        return
    if not tracker.targets:
        hint = "list one or more addresses to ping, one answer is enough"
        yield Problem(path + ".targets", "missing", "is missing", hint)
    for address in tracker.targets:
        reason = unusable_because(address)
        if reason:
            message = "has %s, which is %s" % (text_of(address), reason)
            yield Problem(path + ".targets", "unusable-address", message, "ping a host's address")
        elif is_link_local(address) and not tracker.interface:
            message = "has the link-local address %s" % text_of(address)
            hint = "name the interface by which it is reached"
            yield Problem(path + ".targets", "link-local-interface", message, hint)
    for address in repeated(tracker.targets):
        message = "has %s twice" % text_of(address)
        yield Problem(path + ".targets", "duplicate-address", message, "keep one of them")


_TrackerRule = Callable[[str, TrackerConfig], Iterator[Problem]]
_TRACKER_RULES: Tuple[Tuple[Tuple[str, ...], _TrackerRule], ...] = (
    (("kind", "interface", "targets"), _link_tracker_is_complete),
    (("kind", "interface", "targets"), _ping_tracker_is_complete),
)


# Between entries ----------------------------------------------------------------------------------


def _names_used_twice(drafts: Sequence[_Draft]) -> Iterator[Problem]:
    first: Dict[str, _Draft] = {}
    for draft in drafts:
        name = draft.value.name
        if "name" not in draft.unsound and first.setdefault(name, draft) is not draft:
            message = "%s is used before" % shown(name)
            yield Problem(draft.path + ".name", "duplicate-name", message, "rename one of them")


def _lan_used_twice(routers: Sequence[RouterDraft]) -> Iterator[Problem]:
    """On one interface a VRID (per family) and an address belong to one virtual router."""
    by_key: Dict[RouterKey, RouterDraft] = {}
    by_address: Dict[Tuple[str, bytes], RouterDraft] = {}
    for draft in routers:
        router, unsound = draft.value, draft.unsound
        if "interface" in unsound:
            continue
        if unsound.isdisjoint(("family", "vrid")):
            other = by_key.setdefault(router.key, draft)
            if other is not draft:
                message = "%d is also that of %s on %s"
                message %= (router.vrid, other.path, router.interface)
                hint = "choose a VRID that no other virtual router of this LAN uses"
                yield Problem(draft.path + ".vrid", "duplicate-vrid", message, hint)
        for address in router.addresses:
            other = by_address.setdefault((router.interface, address), draft)
            if other is not draft:
                message = "has %s, which %s has on %s too"
                message %= (text_of(address), other.path, router.interface)
                hint = "give each virtual router addresses of its own"
                yield Problem(draft.path + ".addresses", "shared-address", message, hint)


def _unknown_trackers(routers: Sequence[RouterDraft], known: Set[str]) -> Iterator[Problem]:
    define = "define it there"
    hints = Hints(known)
    for draft in routers:
        for reference in draft.value.track:
            if reference.tracker not in known:
                path = "%s.track[%s].tracker" % (draft.path, reference.tracker)
                hint = hints.hint(reference.tracker, define) if known else define
                message = "is %s, and trackers has none of that name" % shown(reference.tracker)
                yield Problem(path, "unknown-tracker", message, hint)
