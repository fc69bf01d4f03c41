# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes this host's kernel look like a DesiredDataplane. Layer L4.

plan.py says what to do, devices.py and this file do it: in batches, with a mirror of what the
kernel has, so that a change of one virtual router among a thousand costs one request. Whatever goes
wrong makes the mirror worthless: the next call reads the kernel again and tries what is left.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from typing import (
    AbstractSet,
    Any,
    Callable,
    Dict,
    FrozenSet,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from ..errors import PlatformError
from ..facts import Family, HeldDevice, KernelNews, Repair
from ..router.desired import DesiredDataplane, VirtualDevice
from . import actual, nftables, plan, repairs, rtnl, sysctl
from .constants import LEAVING_LINK_GROUP, SYSCTL_FILE_NAME
from .devices import ALREADY_GONE, Devices, Faults
from .drift import has_drifted, has_parent_drifted
from .filter_watch import FilterWatch
from .inspection import Holding, Inspector
from .links import LinkTable
from .muting import MutedSet
from .netlink import NetlinkSocket
from .renewer import Renewer
from .steps import (
    NO_FILTER,
    Filter,
    ReleaseParent,
    RenewAddress,
    SetFilter,
    SetParent,
    Step,
    device_of,
)


class LinuxDataplane:
    """Implements ports.Dataplane. Raises PlatformError."""

    def __init__(self, runtime_dir: str) -> None:
        self._netlink = NetlinkSocket(rtnl.NETLINK_ROUTE)
        self._sysctls = sysctl.OwnedSysctls(os.path.join(runtime_dir, SYSCTL_FILE_NAME))
        self._desired: Optional[DesiredDataplane] = None
        self._by_name: Optional[Dict[str, VirtualDevice]] = None
        self._actual: Optional[actual.Actual] = None
        self._inspector = Inspector()
        self._watch = FilterWatch()
        self._filter = NO_FILTER
        self._guardable: Optional[FrozenSet[Family]] = None
        self._can_mute: Optional[bool] = None
        # Its broken devices are unknown while the kernel was not read.
        self._faults = Faults()
        self._is_unsure = False
        self._muted = MutedSet()
        self._devices = Devices(self._netlink, self._muted, self._faults)
        self._renewer = Renewer()
        self._repairs: Tuple[Repair, ...] = ()
        self._handlers: Mapping[type, Callable[[Sequence[Any]], None]] = {
            SetParent: self._set_parents,
            ReleaseParent: self._release_parents,
            SetFilter: self._set_filter,
            **self._devices.handlers,
        }

    def apply(self, desired: DesiredDataplane) -> None:
        """Idempotent: compare with what is, apply the difference.

        A failure on one device does not stop the others; PlatformError names the first.
        """
        self._is_unsure = True
        only = self._changed_devices(desired)
        self._desired = desired
        self._by_name = None
        if self._actual is None or only is None:
            self._actual = self._read(desired)
        self._carry_out(plan.plan(self._actual, desired, only))

    def rehearse(self, desired: DesiredDataplane) -> None:
        """See ports.Dataplane. Nothing to do while the kernel has to be read again."""
        if self._actual is not None and self._desired is not None:
            only = frozenset(device.name for device in desired.devices)
            # Nothing is given up because so few are in there.
            wanted = dataclasses.replace(self._desired, devices=desired.devices)
            self._devices.rehearse(plan.plan(self._actual, wanted, only))

    def names(self) -> Tuple[str, ...]:
        """What reconcile can look at: the names of all devices, and "" for the packet filter."""
        if self._desired is None:
            return ()
        return ("", *(device.name for device in self._desired.devices))

    def suspects(self, news: KernelNews) -> FrozenSet[str]:
        """Those of names() that are not as the mirror says: our own changes are in there."""
        if self._desired is None:
            return frozenset()
        if news.is_lost:
            return frozenset(self.names())
        found = set()
        if news.packet_filter and self._filter != NO_FILTER:
            found.add("")
        if news.touched or news.addresses:
            mirror = self._devices.mirror
            by_ifindex = {device.ifindex: name for name, device in mirror.items()}
            found |= {by_ifindex[each] for each in news.touched if each in by_ifindex}
            for device in self._desired.devices:
                if device.parent_ifindex in news.touched:
                    found.add(device.name)
            for each in news.addresses:
                name = by_ifindex.get(each.ifindex, "")
                if name and (each.address in mirror[name].addresses) != each.is_there:
                    found.add(name)
        return frozenset(found)

    def drifted(self, names: AbstractSet[str]) -> FrozenSet[str]:
        """Those of them of which something was changed that the kernel tells no news of. Never
        waits for who changes links meanwhile."""
        known = self._actual
        if known is None or self._desired is None:
            return frozenset(names)
        mirror = self._devices.mirror
        wanted = [device for device in self._desired.devices if device.name in names]
        suspects = {each.name for each in wanted if each.name not in mirror}
        here = [device for device in wanted if device.name in mirror]
        suspects |= {each.name for each in here if has_drifted(mirror[each.name])}
        parents = {device.parent_ifindex for device in here} & set(known.parents)
        moved = {each for each in parents if has_parent_drifted(known.parents[each])}
        suspects |= {each.name for each in here if each.parent_ifindex in moved}
        unrouted = {ifindex for ifindex, _one in self._inspector.unrouted(_holdings(mirror, here))}
        suspects |= {each.name for each in here if mirror[each.name].ifindex in unrouted}
        if "" in names and self._known_filter() is None:
            suspects.add("")
        return frozenset(suspects)

    def reconcile(self, names: Optional[AbstractSet[str]] = None) -> Tuple[Repair, ...]:
        """Compare these (None: everything) with the last desired value; put right what differs.

        What failed before and is only tried again is no repair. What was repaired in a call that
        raised PlatformError for something else is told by the next.
        """
        if self._desired is None:
            return ()
        failed_before = frozenset(self._faults.broken)
        self._is_unsure = True
        if self._actual is None or names is None:
            names = None
            found = self._read(self._desired)
        else:
            found = self._look(self._actual, self._desired, names)
        self._actual = found
        # The steps change the mirror.
        before = dict(found.devices)
        steps = plan.plan(found, self._desired, names)
        self._devices.forget_unrouted()
        told = repairs.explain(dataclasses.replace(found, devices=before), steps)
        try:
            self._carry_out(steps)
        finally:
            failed = failed_before | self._faults.broken
            self._repairs += tuple(repair for repair in told if repair.device not in failed)
        told, self._repairs = self._repairs, ()
        return told

    def renew(self, devices: Sequence[str]) -> None:
        """Let the leases of these devices' addresses begin anew (VirtualDevice.lease_s).

        Only of addresses that are desired and that the kernel was given.
        """
        if self._desired is None:
            return
        if self._by_name is None:
            self._by_name = {device.name: device for device in self._desired.devices}
        steps = []
        for name in devices:
            device, have = self._by_name.get(name), self._devices.mirror.get(name)
            if device is not None and have is not None:
                steps += [
                    RenewAddress(name, address, device.lease_s)
                    for address in device.addresses
                    if address in have.addresses
                ]
        others, usual = [], {}
        for step in steps:
            have = self._devices.mirror[step.name]
            if have.lifetimes_s.get(step.address, 0) == step.lease_s:
                request = rtnl.renew_address(have.ifindex, step.address, step.lease_s)
                usual[step.name, step.address] = request
            else:
                others.append(step)
        if usual:
            self._renewer.submit(usual)
        if others:
            self._devices.renew(others)
        for (name, _address), outcome in self._renewer.refused():
            self._faults.note("renew address of", name, outcome, ALREADY_GONE)
        self._raise_faults()

    def held(self) -> Tuple[HeldDevice, ...]:
        """What an earlier process left; before the first apply, which keeps what is desired."""
        table = rtnl.read_our_links(self._netlink)
        found = [
            HeldDevice(
                link.name,
                link.parent_ifindex,
                link.mac,
                tuple(address.value for address in table.addresses_of(link.ifindex)),
            )
            for link in table.ours()
            if link.group != LEAVING_LINK_GROUP
        ]
        return tuple(sorted(found, key=lambda device: device.name))

    def expire(self, lifetime_s: int) -> None:
        """Let the kernel take all our addresses away so much later, unless somebody renews them;
        needs no earlier apply. One that has less time left keeps that; 0 counts as 1."""
        self._renewer.cancel()
        lifetime_s = max(1, lifetime_s)
        table = rtnl.read_table(self._netlink)
        self._devices.mirror = actual.observe_devices(table, self._muted.read())
        self._actual = None
        steps = [
            RenewAddress(device.name, address, lifetime_s)
            for device in self._devices.mirror.values()
            for address in device.addresses
            if not 0 < device.lifetimes_s.get(address, 0) <= lifetime_s
        ]
        self._devices.renew(steps)
        self._raise_faults()

    def lacks(self, ifindex: int, mac: bytes) -> bool:
        """See ports.Dataplane."""
        broken = self._faults.broken
        if self._is_unsure or not broken or self._desired is None:
            return self._is_unsure
        return any(
            device.name in broken and (device.parent_ifindex, device.mac) == (ifindex, mac)
            for device in self._desired.devices
        )

    def cleanup(self) -> None:
        """Remove all that is ours and restore what was changed; needs no earlier apply."""
        self._renewer.cancel()
        self._desired = None
        self._by_name = None
        self._actual = None
        self._filter = NO_FILTER
        self._devices.mirror = {}
        table = rtnl.read_our_links(self._netlink, with_addresses=False)
        self._devices.delete_links([link.ifindex for link in table.ours()])
        for undo in (nftables.remove, self._release_all_sysctls):
            try:
                undo()
            except PlatformError as error:
                self._faults.add(error)
        self._raise_faults()

    def close(self) -> None:
        """Give the netlink sockets back; what is in the kernel stays."""
        self._renewer.close()
        for each in (self._netlink, self._inspector, self._watch, self._muted):
            each.close()

    # Knowing

    def _changed_devices(self, desired: DesiredDataplane) -> Optional[FrozenSet[str]]:
        """Names of the devices that differ from the last desired value; None: look at all."""
        last = self._desired
        if self._actual is None or last is None or last.parents != desired.parents:
            return None
        if [device.name for device in last.devices] != [d.name for d in desired.devices]:
            return None
        pairs = zip(last.devices, desired.devices)
        return frozenset(new.name for old, new in pairs if old is not new and old != new)

    def _read(self, desired: DesiredDataplane) -> actual.Actual:
        table = rtnl.read_table(self._netlink)
        self._devices.mirror = actual.observe_devices(table, self._muted.read())
        return actual.Actual(
            devices=self._devices.mirror,
            parents=self._parents(table, desired),
            owned=tuple(sorted({key.split("/")[3] for key in self._sysctls.names()})),
            packet_filter=self._known_filter(),
            guardable=self._guardable_families(desired),
            can_mute=self._can_mute_devices(desired),
        )

    def _look(
        self, known: actual.Actual, desired: DesiredDataplane, names: AbstractSet[str]
    ) -> actual.Actual:
        """What is known, with these devices and their parents as they are now."""
        wanted = [device for device in desired.devices if device.name in names]
        parents = {device.parent_ifindex for device in wanted}
        mirror = self._devices.mirror
        seen = [mirror[name].ifindex for name in names if name in mirror]
        table = self._inspector.read_links([*seen, *parents])
        for name in names:
            mirror.pop(name, None)
        found = actual.observe_devices(table, self._muted.read())
        mirror.update(found)
        self._find_unrouted(found, wanted)
        others = {key: one for key, one in known.parents.items() if key not in parents}
        return dataclasses.replace(
            known,
            devices=mirror,
            parents={**others, **actual.observe_parents(table, sorted(parents))},
            packet_filter=self._known_filter() if "" in names else known.packet_filter,
        )

    def _find_unrouted(
        self, found: Mapping[str, actual.ActualDevice], wanted: Sequence[VirtualDevice]
    ) -> None:
        """Note in the mirror which of their addresses lack a route."""
        unrouted = self._inspector.unrouted(_holdings(found, wanted))
        for name, device in found.items():
            addresses = frozenset(one for ifindex, one in unrouted if ifindex == device.ifindex)
            if addresses:
                self._devices.mirror[name] = dataclasses.replace(device, unrouted=addresses)

    @staticmethod
    def _parents(table: LinkTable, desired: DesiredDataplane) -> Dict[int, actual.ActualParent]:
        return actual.observe_parents(table, [parent.ifindex for parent in desired.parents])

    def _known_filter(self) -> Optional[Filter]:
        """What is installed, or None when it was changed or stems from another process."""
        is_known = nftables.is_installed(self._filter, self._muted.has_table)
        if is_known and not nftables.is_empty(self._filter):
            is_known = self._watch.is_intact()
        return self._filter if is_known else None

    def _guardable_families(self, desired: DesiredDataplane) -> FrozenSet[Family]:
        """Asked once, and only for an address owner: nobody else has something to guard."""
        if self._guardable is None and any(parent.owns_address for parent in desired.parents):
            able = {Family.IPV4: nftables.can_filter_arp(), Family.IPV6: nftables.can_filter_inet()}
            self._guardable = frozenset(family for family in Family if able[family])
        return frozenset(Family) if self._guardable is None else self._guardable

    def _can_mute_devices(self, desired: DesiredDataplane) -> bool:
        """Asked once, and only for IPv6."""
        if self._can_mute is None:
            if all(device.family is not Family.IPV6 for device in desired.devices):
                return True
            self._can_mute = nftables.can_filter_inet()
        return self._can_mute

    # Doing

    def _carry_out(self, steps: Sequence[Step]) -> None:
        self._faults.broken = set()
        if steps:
            self._renewer.cancel()
        for kind, steps_of_kind in itertools.groupby(steps, type):
            group: List[Step] = list(steps_of_kind)
            try:
                self._handlers[kind](group)
            except PlatformError as error:
                self._faults.add(error, *filter(None, map(device_of, group)))
        self._is_unsure = False
        self._raise_faults()

    def _raise_faults(self) -> None:
        try:
            self._faults.raise_first()
        finally:
            if self._faults.mirror_is_wrong:
                self._faults.mirror_is_wrong = False
                self._actual = None

    def _set_parents(self, steps: Sequence[SetParent]) -> None:
        values = {}
        for step in steps:
            base = "net/ipv4/conf/%s/" % step.name
            values[base + "arp_ignore"] = str(step.arp_ignore)
            values[base + "arp_announce"] = str(step.arp_announce)
        self._sysctls.own(values)
        if self._actual is not None:
            settings = {step.name: step for step in steps}
            parents = {
                ifindex: dataclasses.replace(
                    parent,
                    arp_ignore=settings[parent.name].arp_ignore,
                    arp_announce=settings[parent.name].arp_announce,
                )
                if parent.name in settings
                else parent
                for ifindex, parent in self._actual.parents.items()
            }
            self._actual = dataclasses.replace(self._actual, parents=parents)

    def _release_parents(self, steps: Sequence[ReleaseParent]) -> None:
        bases = tuple("net/ipv4/conf/%s/" % step.name for step in steps)
        self._sysctls.release([key for key in self._sysctls.names() if key.startswith(bases)])
        self._forget_parents()

    def _forget_parents(self) -> None:
        """Parents change with the configuration only: reading them again is cheap enough."""
        self._faults.mirror_is_wrong = True

    def _release_all_sysctls(self) -> None:
        self._sysctls.release(self._sysctls.names())

    def _set_filter(self, steps: Sequence[SetFilter]) -> None:
        for step in steps:
            self._install(step.packet_filter)
            self._filter = step.packet_filter
            if self._actual is not None:
                self._actual = dataclasses.replace(self._actual, packet_filter=self._filter)

    def _install(self, packet_filter: Filter) -> None:
        devices = self._devices.mirror.values()
        muted = [device.ifindex for device in devices if device.is_muted and packet_filter.mutes]
        with self._watch.installing():
            nftables.install(packet_filter, sorted(muted))


def _holdings(
    found: Mapping[str, actual.ActualDevice], wanted: Sequence[VirtualDevice]
) -> List[Holding]:
    """Of the desired addresses those that the kernel has, with their links."""
    return [
        (found[device.name].ifindex, address)
        for device in wanted
        if device.name in found
        for address in device.addresses
        if address in found[device.name].addresses
    ]
