# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes this host's kernel look like a DesiredDataplane. Layer L4.

plan.py says what to do, this file does it: in batches, with a mirror of what the kernel has, so
that a change of one virtual router among a thousand costs one request. Whatever goes wrong makes
the mirror worthless: the next call reads the kernel again and tries what is left.
"""

from __future__ import annotations

import dataclasses
import errno
import itertools
import os
import socket
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from ..errors import PlatformError
from ..facts import Family
from ..router.desired import DesiredDataplane, VirtualDevice
from . import nftables, plan, rtnl, sysctl
from .constants import LEAVING_LINK_GROUP, LINK_GROUP, SYSCTL_FILE_NAME
from .netlink import NetlinkSocket, Outcome

# No errors: the kernel, or a link that went away, was there before us.
_ALREADY_THERE = (errno.EEXIST,)
_ALREADY_GONE = (errno.ENODEV, errno.ENXIO, errno.EADDRNOTAVAIL, errno.ENOENT)
_HINTS = {
    errno.EPERM: "run as root or with CAP_NET_ADMIN",
    errno.EOPNOTSUPP: "this kernel has no macvlan",
    errno.EADDRINUSE: "another device there has its MAC: is another VRRP daemon running?",
}


class LinuxDataplane:
    """Implements ports.Dataplane. Raises PlatformError."""

    def __init__(self, runtime_dir: str) -> None:
        self._netlink = NetlinkSocket(rtnl.NETLINK_ROUTE)
        self._sysctls = sysctl.OwnedSysctls(os.path.join(runtime_dir, SYSCTL_FILE_NAME))
        self._desired: Optional[DesiredDataplane] = None
        self._actual: Optional[plan.Actual] = None
        self._devices: Dict[str, plan.ActualDevice] = {}
        self._filter = plan.Filter()
        self._guardable: Optional[FrozenSet[Family]] = None
        self._failures: List[PlatformError] = []
        # Names of devices that are not as they should be; unknown while the kernel was not read.
        self._broken: Set[str] = set()
        self._is_unsure = False
        self._handlers: Mapping[type, Callable[[Sequence[Any]], None]] = {
            plan.SetParent: self._set_parents,
            plan.ReleaseParent: self._release_parents,
            plan.SetFilter: self._set_filter,
            plan.CreateDevice: self._create,
            plan.SettleDevice: self._settle,
            plan.DeleteDevice: self._delete,
            plan.FenceDevice: self._fence,
            plan.UnfenceDevice: self._unfence,
            plan.AddAddress: self._add_addresses,
            plan.RemoveAddress: self._remove_addresses,
        }

    def apply(self, desired: DesiredDataplane) -> None:
        """Idempotent: compare with what is, apply the difference.

        A failure on one device does not stop the others; PlatformError names the first.
        """
        self._is_unsure = True
        only = self._changed_devices(desired)
        self._desired = desired
        if self._actual is None or only is None:
            self._actual = self._read(desired)
        self._carry_out(plan.plan(self._actual, desired, only))

    def reconcile(self) -> bool:
        """Compare the kernel anew with the last desired value; True when something was repaired."""
        if self._desired is None:
            return False
        self._is_unsure = True
        self._actual = self._read(self._desired)
        steps = plan.plan(self._actual, self._desired)
        self._carry_out(steps)
        return bool(steps)

    def lacks(self, ifindex: int, mac: bytes) -> bool:
        """See ports.Dataplane."""
        if self._is_unsure or not self._broken or self._desired is None:
            return self._is_unsure
        return any(
            device.name in self._broken and (device.parent_ifindex, device.mac) == (ifindex, mac)
            for device in self._desired.devices
        )

    def cleanup(self) -> None:
        """Remove all that is ours and restore what was changed; needs no earlier apply."""
        self._desired = None
        self._actual = None
        self._filter = plan.Filter()
        table = rtnl.read_table(self._netlink)
        self._delete_links([link.ifindex for link in table.ours()])
        for undo in (nftables.remove, self._release_all_sysctls):
            try:
                undo()
            except PlatformError as error:
                self._failures.append(error)
        self._raise_failures()

    def close(self) -> None:
        """Give the netlink socket back; what is in the kernel stays."""
        self._netlink.close()

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

    def _read(self, desired: DesiredDataplane) -> plan.Actual:
        table = rtnl.read_table(self._netlink)
        self._devices, parents = plan.observe(table, desired)
        return plan.Actual(
            devices=self._devices,
            parents=parents,
            owned=tuple(sorted({key.split("/")[3] for key in self._sysctls.names()})),
            packet_filter=self._known_filter(),
            guardable=self._guardable_families(desired),
        )

    def _known_filter(self) -> Optional[plan.Filter]:
        """What is installed, or None when a table went missing or stems from another process."""
        return self._filter if nftables.is_installed(self._filter) else None

    def _guardable_families(self, desired: DesiredDataplane) -> FrozenSet[Family]:
        """Asked once, and only for an address owner: nobody else has something to guard."""
        if self._guardable is None and any(parent.owns_address for parent in desired.parents):
            able = {Family.IPV4: nftables.can_filter_arp(), Family.IPV6: nftables.can_filter_inet()}
            self._guardable = frozenset(family for family in Family if able[family])
        return frozenset(Family) if self._guardable is None else self._guardable

    # Doing

    def _carry_out(self, steps: Sequence[plan.Step]) -> None:
        self._broken = set()
        for kind, steps_of_kind in itertools.groupby(steps, type):
            group = list(steps_of_kind)
            try:
                self._handlers[kind](group)
            except PlatformError as error:
                self._failures.append(error)
                self._broken.update(filter(None, map(plan.device_of, group)))
        self._is_unsure = False
        self._raise_failures()

    def _raise_failures(self) -> None:
        failures, self._failures = self._failures, []
        if not failures:
            return
        self._actual = None
        first = failures[0]
        more = len(failures) - 1
        hint = "; ".join(filter(None, (first.hint, "and %d more failures" % more if more else "")))
        raise PlatformError(first.operation, first.target, first.errno, hint) from first

    def _note(
        self, operation: str, target: str, outcome: Outcome, harmless: Tuple[int, ...] = ()
    ) -> bool:
        """True when the kernel did it; a failure is kept for the end unless harmless."""
        if not outcome.errno:
            return True
        if outcome.errno in harmless:
            # The mirror was wrong somewhere.
            self._actual = None
        else:
            hint = _HINTS.get(outcome.errno) or outcome.words
            self._failures.append(PlatformError(operation, target, outcome.errno, hint))
            self._broken.add(target)
        return False

    def _change(self, name: str, **fields: object) -> None:
        device = self._devices.get(name)
        if device is not None:
            self._devices[name] = dataclasses.replace(device, **fields)  # type: ignore[arg-type]

    def _set_parents(self, steps: Sequence[plan.SetParent]) -> None:
        values = {}
        for step in steps:
            base = "net/ipv4/conf/%s/" % step.name
            values[base + "arp_ignore"] = str(step.arp_ignore)
            values[base + "arp_announce"] = str(step.arp_announce)
        self._sysctls.own(values)
        self._forget_parents()

    def _release_parents(self, steps: Sequence[plan.ReleaseParent]) -> None:
        bases = tuple("net/ipv4/conf/%s/" % step.name for step in steps)
        self._sysctls.release([key for key in self._sysctls.names() if key.startswith(bases)])
        self._forget_parents()

    def _forget_parents(self) -> None:
        """Parents change with the configuration only: reading them again is cheap enough."""
        self._actual = None

    def _release_all_sysctls(self) -> None:
        self._sysctls.release(self._sysctls.names())

    def _set_filter(self, steps: Sequence[plan.SetFilter]) -> None:
        for step in steps:
            nftables.install(step.packet_filter)
            self._filter = step.packet_filter
            if self._actual is not None:
                self._actual = dataclasses.replace(self._actual, packet_filter=self._filter)

    def _create(self, steps: Sequence[plan.CreateDevice]) -> None:
        with_ipv6 = sysctl.exists("net/ipv6")
        requests = []
        for step in steps:
            device = step.device
            requests += [
                rtnl.create_macvlan(device.name, device.parent_ifindex, device.mac),
                rtnl.settle_link(device.name, plan.alias_of(device), step.settings, with_ipv6),
            ]
        outcomes = self._netlink.transact(requests)
        created = []
        for step, made, settled in zip(steps, outcomes[::2], outcomes[1::2]):
            # A parent that went away meanwhile takes its virtual routers along.
            if self._note("create", step.device.name, made, (errno.ENODEV,)):
                self._note("settle", step.device.name, settled)
                created.append(step)
        for step in created:
            self._learn_created(step)
        self._raise_devices([step.device for step in created if step.device.name in self._devices])

    def _learn_created(self, step: plan.CreateDevice) -> None:
        device = step.device
        try:
            ifindex = socket.if_nametoindex(device.name)
        except OSError:
            self._actual = None
            return
        self._devices[device.name] = plan.ActualDevice(
            name=device.name,
            ifindex=ifindex,
            parent_ifindex=device.parent_ifindex,
            mac=device.mac,
            alias=plan.alias_of(device),
            group=LINK_GROUP,
            is_up=True,
            has_ipv6=False,
            settings=step.settings,
            addresses=(),
        )
        self._write_ipv6(device)

    def _write_ipv6(self, device: VirtualDevice) -> None:
        """The IPv6 sysctls that netlink cannot set; the device starts fenced."""
        base = "net/ipv6/conf/%s/" % device.name
        if not sysctl.exists(base):
            return
        values = {"disable_ipv6": "1"}
        if device.family is Family.IPV6:
            # Nothing by itself: no address from router advertisements, no probing for duplicates.
            values.update({"accept_ra": "0", "autoconf": "0", "accept_dad": "0"})
            values["forwarding"] = self._parent_forwarding(device)
        try:
            for key, value in values.items():
                if sysctl.read(base + key) != value:
                    sysctl.write(base + key, value)
        except PlatformError as error:
            self._failures.append(error)
            self._broken.add(device.name)

    def _parent_forwarding(self, device: VirtualDevice) -> str:
        parent = socket.if_indextoname(device.parent_ifindex)
        return sysctl.read("net/ipv6/conf/%s/forwarding" % parent)

    def _settle(self, steps: Sequence[plan.SettleDevice]) -> None:
        with_ipv6 = sysctl.exists("net/ipv6")
        requests = [
            rtnl.settle_link(s.device.name, plan.alias_of(s.device), s.settings, with_ipv6)
            for s in steps
        ]
        for step, outcome in zip(steps, self._netlink.transact(requests)):
            if self._note("settle", step.device.name, outcome, _ALREADY_GONE):
                self._change(
                    step.device.name, alias=plan.alias_of(step.device), settings=step.settings
                )
        self._raise_devices([step.device for step in steps])

    def _raise_devices(self, devices: Sequence[VirtualDevice]) -> None:
        requests = [rtnl.set_link_up(self._devices[device.name].ifindex) for device in devices]
        for device, outcome in zip(devices, self._netlink.transact(requests)):
            if self._note("raise", device.name, outcome, _ALREADY_GONE):
                self._change(device.name, is_up=True)

    def _delete(self, steps: Sequence[plan.DeleteDevice]) -> None:
        devices = [self._devices.pop(step.name) for step in steps if step.name in self._devices]
        self._delete_links([device.ifindex for device in devices])

    def _delete_links(self, ifindexes: Sequence[int]) -> None:
        """Together, whatever their number: each by itself would wait for a grace period."""
        if not ifindexes:
            return
        requests = [rtnl.set_link_group(ifindex, LEAVING_LINK_GROUP) for ifindex in ifindexes]
        requests.append(rtnl.delete_link_group(LEAVING_LINK_GROUP))
        for outcome in self._netlink.transact(requests):
            self._note("delete", "%d devices" % len(ifindexes), outcome, _ALREADY_GONE)

    def _fence(self, steps: Sequence[plan.FenceDevice]) -> None:
        for step in steps:
            if self._switch_ipv6(step.name, "1"):
                held = self._devices[step.name].addresses
                kept = tuple(address for address in held if len(address.address) == 4)
                self._change(step.name, has_ipv6=False, addresses=kept)

    def _unfence(self, steps: Sequence[plan.UnfenceDevice]) -> None:
        for step in steps:
            if self._switch_ipv6(step.name, "0"):
                self._change(step.name, has_ipv6=True)

    def _switch_ipv6(self, name: str, value: str) -> bool:
        key = "net/ipv6/conf/%s/disable_ipv6" % name
        if name not in self._devices:
            return False
        try:
            sysctl.write(key, value)
        except PlatformError as error:
            outcome = Outcome(error.errno or errno.EIO, error.hint)
            self._broken.add(name)
            return self._note(error.operation, error.target, outcome, _ALREADY_GONE)
        return True

    def _add_addresses(self, steps: Sequence[plan.AddAddress]) -> None:
        steps = [step for step in steps if step.name in self._devices]
        requests = [
            rtnl.add_address(self._devices[step.name].ifindex, step.address) for step in steps
        ]
        harmless = _ALREADY_THERE + _ALREADY_GONE
        for step, outcome in zip(steps, self._netlink.transact(requests)):
            if self._note("add address to", step.name, outcome, harmless):
                held = self._devices[step.name].addresses
                self._change(step.name, addresses=(*held, step.address))

    def _remove_addresses(self, steps: Sequence[plan.RemoveAddress]) -> None:
        steps = [step for step in steps if step.name in self._devices]
        requests = [
            rtnl.delete_address(self._devices[step.name].ifindex, step.address) for step in steps
        ]
        for step, outcome in zip(steps, self._netlink.transact(requests)):
            if self._note("remove address from", step.name, outcome, _ALREADY_GONE):
                held = self._devices[step.name].addresses
                kept = tuple(address for address in held if address != step.address)
                self._change(step.name, addresses=kept)
