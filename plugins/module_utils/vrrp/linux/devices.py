# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the steps of a plan on our devices, and keeps a mirror of what they are then. Layer L4.

In batches: a thousand devices are changed by five calls. What goes wrong on one device stops none
of the others; it is kept in Faults, and so is the doubt whether the mirror is right.
"""

from __future__ import annotations

import dataclasses
import errno
import socket
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ..errors import PlatformError
from ..facts import InterfaceAddress, is_link_local
from . import routes, rtnl, sysctl
from .actual import IPV4_ARP_IGNORE, IPV6_SYSCTLS, ActualDevice
from .constants import LEAVING_LINK_GROUP, LINK_GROUP
from .muting import MutedSet
from .netlink import NetlinkSocket, Outcome
from .plan import only_ipv4
from .steps import (
    AddAddress,
    CreateDevice,
    DeleteDevice,
    FenceDevice,
    JoinVrf,
    MuteDevice,
    RemoveAddress,
    RenameDevice,
    RenewAddress,
    SettleDevice,
    SettleIpv6,
    Step,
    SwitchArp,
    UnfenceDevice,
    UnmuteDevice,
    alias_of,
)

# No errors: the kernel, or a link that went away, was there before us.
_ALREADY_THERE = (errno.EEXIST,)
ALREADY_GONE = (errno.ENODEV, errno.ENXIO, errno.EADDRNOTAVAIL, errno.ENOENT)
_HINTS = {
    errno.EPERM: "run as root or with CAP_NET_ADMIN",
    errno.EOPNOTSUPP: "this kernel has no macvlan",
    errno.EADDRINUSE: "another device there has its MAC: is another VRRP daemon running?",
}
_CREATE_HINTS = {
    errno.EBUSY: "its interface is a port of a bridge, a bond or the like, where the kernel takes "
    "no macvlan: use the bridge itself as interface",
    errno.EEXIST: "another link has that name",
}
_RENAME_HINTS = {errno.EEXIST: "another link has that name"}


class Faults:
    """What went wrong since it was last asked.

    broken: names of the devices that are not as they should be. mirror_is_wrong: the kernel was
    found to be other than it was thought to be.
    """

    def __init__(self) -> None:
        self.broken: Set[str] = set()
        self.mirror_is_wrong = False
        self._failures: List[PlatformError] = []

    def add(self, error: PlatformError, *devices: str) -> None:
        """Keep an error for the end."""
        self._failures.append(error)
        self.broken.update(devices)

    def note(
        self,
        operation: str,
        target: str,
        outcome: Outcome,
        harmless: Tuple[int, ...] = (),
        hints: Optional[Mapping[int, str]] = None,
    ) -> bool:
        """True when the kernel did it; a failure is kept for the end unless harmless."""
        if not outcome.errno:
            return True
        if outcome.errno in harmless:
            self.mirror_is_wrong = True
        else:
            hint = (hints or {}).get(outcome.errno) or _HINTS.get(outcome.errno) or outcome.words
            self.add(PlatformError(operation, target, outcome.errno, hint), target)
        return False

    def raise_first(self) -> None:
        """Raise PlatformError if anything went wrong; it tells how much more did."""
        failures, self._failures = self._failures, []
        if not failures:
            return
        self.mirror_is_wrong = True
        first = failures[0]
        more = len(failures) - 1
        hint = "; ".join(filter(None, (first.hint, "and %d more failures" % more if more else "")))
        raise PlatformError(first.operation, first.target, first.errno, hint) from first


class Devices:
    """Our devices in the kernel; mirror is what they are by name."""

    def __init__(self, netlink: NetlinkSocket, muted: MutedSet, faults: Faults) -> None:
        self.mirror: Dict[str, ActualDevice] = {}
        self._muted = muted
        self._netlink = netlink
        self._faults = faults
        self.handlers: Mapping[type, Callable[[Sequence[Any]], None]] = {
            CreateDevice: self._create,
            SettleDevice: self._settle,
            SettleIpv6: self._settle_ipv6,
            SwitchArp: self._switch_arp,
            MuteDevice: self._mute,
            UnmuteDevice: self._unmute,
            RenameDevice: self._rename,
            JoinVrf: self._join,
            DeleteDevice: self._delete,
            FenceDevice: self._fence,
            UnfenceDevice: self._unfence,
            AddAddress: self._add_addresses,
            RenewAddress: self.renew,
            RemoveAddress: self._remove_addresses,
        }

    def forget_unrouted(self) -> None:
        """The steps of a plan give addresses their routes again: another plan need not."""
        for name, device in self.mirror.items():
            if device.unrouted:
                self._change(name, unrouted=frozenset())

    def delete_links(self, ifindexes: Sequence[int]) -> None:
        """Together, whatever their number: each by itself would wait for a grace period."""
        if not ifindexes:
            return
        requests = [rtnl.set_link_group(ifindex, LEAVING_LINK_GROUP) for ifindex in ifindexes]
        requests.append(rtnl.delete_link_group(LEAVING_LINK_GROUP))
        for outcome in self._netlink.transact(requests):
            self._faults.note("delete", "%d devices" % len(ifindexes), outcome, ALREADY_GONE)

    def renew(self, steps: Sequence[RenewAddress]) -> None:
        """Let leases begin anew; those of devices that are not there are left out."""
        works = [work for step in self._of_known(steps) for work in self._renewals(step)]
        outcomes = self._netlink.transact([request for request, _step in works])
        for (_request, step), outcome in zip(works, outcomes):
            if step is None:
                continue
            if self._faults.note("renew address of", step.name, outcome, ALREADY_GONE):
                lifetimes = self.mirror[step.name].lifetimes_s
                if lifetimes.get(step.address, 0) != step.lease_s:
                    self._set_lifetime(step.name, step.address, step.lease_s)

    def _renewals(self, step: RenewAddress) -> Iterator[Tuple[bytes, Optional[RenewAddress]]]:
        """The requests, and of those whose outcome counts the step."""
        device = self.mirror[step.name]
        request = rtnl.renew_address(device.ifindex, step.address, step.lease_s)
        gets_an_end = step.lease_s and not device.lifetimes_s.get(step.address)
        if gets_an_end and is_link_local(step.address.address):
            # The kernel ends the route to its prefix in the past (modify_prefix_route() reads the
            # time from now on as a time), and only when it is asked again as it should be.
            if not device.master_ifindex:
                yield routes.bridge_prefix_route(device.ifindex, step.address), None
            yield request, step
        yield request, step

    def _of_known(self, steps: Sequence[Any]) -> List[Any]:
        return [step for step in steps if step.name in self.mirror]

    def _change(self, name: str, **fields: object) -> None:
        device = self.mirror.get(name)
        if device is not None:
            self.mirror[name] = dataclasses.replace(device, **fields)  # type: ignore[arg-type]

    def _keep(self, name: str, addresses: Tuple[InterfaceAddress, ...]) -> None:
        """The device has these left of its addresses."""
        known = self.mirror[name].lifetimes_s
        lifetimes = {one: known[one] for one in addresses if one in known} if known else known
        self._change(name, addresses=addresses, lifetimes_s=lifetimes)

    def _set_lifetime(self, name: str, address: InterfaceAddress, lease_s: int) -> None:
        lifetimes = {**self.mirror[name].lifetimes_s, address: lease_s}
        if not lease_s:
            del lifetimes[address]
        self._change(name, lifetimes_s=lifetimes)

    def _create(self, steps: Sequence[CreateDevice]) -> None:
        requests = [
            rtnl.create_macvlan(
                step.device.name, step.device.parent_ifindex, step.device.mac, step.vrf_ifindex
            )
            for step in steps
        ]
        created = []
        for step, outcome in zip(steps, self._netlink.transact(requests)):
            # A parent that went away meanwhile takes its virtual routers along.
            if self._faults.note(
                "create", step.device.name, outcome, (errno.ENODEV,), _CREATE_HINTS
            ):
                created.append(step)
                self._learn_created(step)
        self._settle([SettleDevice(step.device, step.settings) for step in created])

    def _learn_created(self, step: CreateDevice) -> None:
        device = step.device
        try:
            ifindex = socket.if_nametoindex(device.name)
        except OSError:
            self._faults.mirror_is_wrong = True
            return
        self.mirror[device.name] = ActualDevice(
            name=device.name,
            ifindex=ifindex,
            parent_ifindex=device.parent_ifindex,
            mac=device.mac,
            alias="",
            group=LINK_GROUP,
            is_up=False,
            has_ipv6=False,
            settings={},
            addresses=(),
            ipv6_settings=step.ipv6_settings,
            master_ifindex=step.vrf_ifindex,
        )
        self._write_ipv6(device.name, {**_named(step.ipv6_settings), "disable_ipv6": "1"})

    def _write_ipv6(self, name: str, values: Mapping[str, str]) -> bool:
        """The IPv6 sysctls that netlink cannot set; nothing without IPv6."""
        base = "net/ipv6/conf/%s/" % name
        if not sysctl.exists(base):
            return True
        try:
            for key in sorted(values):
                if sysctl.read(base + key) != values[key]:
                    sysctl.write(base + key, values[key])
        except PlatformError as error:
            outcome = Outcome(error.errno or errno.EIO, error.hint)
            self._faults.broken.add(name)
            return self._faults.note(error.operation, error.target, outcome, ALREADY_GONE)
        return True

    def _settle(self, steps: Sequence[SettleDevice]) -> None:
        with_ipv6 = sysctl.exists("net/ipv6")
        # A name that is not ours in the end (its creation or renaming failed) may be another's.
        steps = [step for step in steps if step.device.name in self.mirror]
        requests = [
            rtnl.settle_link(
                self.mirror[step.device.name].ifindex,
                alias_of(step.device),
                step.settings,
                with_ipv6,
            )
            for step in steps
        ]
        for step, outcome in zip(steps, self._netlink.transact(requests)):
            name = step.device.name
            if self._faults.note("settle", name, outcome, ALREADY_GONE):
                self._change(name, alias=alias_of(step.device), settings=step.settings)
        self._raise([step.device.name for step in steps])

    def _settle_ipv6(self, steps: Sequence[SettleIpv6]) -> None:
        for step in self._of_known(steps):
            if self._write_ipv6(step.name, _named(step.settings)):
                known = self.mirror[step.name].ipv6_settings
                self._change(step.name, ipv6_settings={**known, **step.settings})

    def _raise(self, names: Sequence[str]) -> None:
        requests = [rtnl.set_link_up(self.mirror[name].ifindex) for name in names]
        for name, outcome in zip(names, self._netlink.transact(requests)):
            if self._faults.note("raise", name, outcome, ALREADY_GONE):
                self._change(name, is_up=True)

    def _switch_arp(self, steps: Sequence[SwitchArp]) -> None:
        steps = self._of_known(steps)
        requests = [
            rtnl.set_arp_ignore(self.mirror[step.name].ifindex, step.arp_ignore) for step in steps
        ]
        for step, outcome in zip(steps, self._netlink.transact(requests)):
            if self._faults.note("set arp_ignore of", step.name, outcome, ALREADY_GONE):
                known = self.mirror[step.name].settings
                self._change(step.name, settings={**known, IPV4_ARP_IGNORE: step.arp_ignore})

    def _mute(self, steps: Sequence[MuteDevice]) -> None:
        steps = self._of_known(steps)
        self._muted.change([self.mirror[step.name].ifindex for step in steps], ())
        for step in steps:
            self._change(step.name, is_muted=True)

    def _unmute(self, steps: Sequence[UnmuteDevice]) -> None:
        steps = self._of_known(steps)
        self._muted.change((), [self.mirror[step.name].ifindex for step in steps])
        for step in steps:
            self._change(step.name, is_muted=False)

    def _rename(self, steps: Sequence[RenameDevice]) -> None:
        """In their order: the new name of one may be the old name of another."""
        for step in steps:
            device = self.mirror.get(step.name)
            if device is None:
                continue
            request = rtnl.rename_link(device.ifindex, step.new_name, step.alias)
            (outcome,) = self._netlink.transact([request])
            if outcome.errno == errno.EBUSY:
                outcome = self._rename_while_down(device, request)
            done = self._faults.note(
                "rename %s to" % step.name, step.new_name, outcome, ALREADY_GONE, _RENAME_HINTS
            )
            if done:
                del self.mirror[step.name]
                self.mirror[step.new_name] = dataclasses.replace(
                    device, name=step.new_name, alias=step.alias
                )

    def _rename_while_down(self, device: ActualDevice, request: bytes) -> Outcome:
        """Kernels before 6.2 rename no link that is up. Going down costs it its IPv6 addresses."""
        ifindex = device.ifindex
        six = [address for address in device.addresses if len(address.address) == 16]
        outcomes = self._netlink.transact(
            [
                rtnl.set_link_down(ifindex),
                request,
                rtnl.set_link_up(ifindex),
                *(
                    rtnl.add_address(ifindex, address, device.lifetimes_s.get(address, 0))
                    for address in six
                ),
            ]
        )
        for outcome in (outcomes[0], *outcomes[2:]):
            self._faults.note("put back", device.name, outcome, _ALREADY_THERE + ALREADY_GONE)
        return outcomes[1]

    def _join(self, steps: Sequence[JoinVrf]) -> None:
        """The kernel lowers and raises a link that joins or leaves a VRF: its routes move along."""
        steps = self._of_known(steps)
        requests = [
            rtnl.set_link_master(self.mirror[step.name].ifindex, step.vrf_ifindex) for step in steps
        ]
        for step, outcome in zip(steps, self._netlink.transact(requests)):
            if self._faults.note("set the VRF of", step.name, outcome, ALREADY_GONE):
                self._change(step.name, master_ifindex=step.vrf_ifindex)
                self._keep(step.name, only_ipv4(self.mirror[step.name].addresses))

    def _delete(self, steps: Sequence[DeleteDevice]) -> None:
        devices = [self.mirror.pop(step.name) for step in steps if step.name in self.mirror]
        self.delete_links([device.ifindex for device in devices])
        self._muted.change((), [device.ifindex for device in devices if device.is_muted])

    def _fence(self, steps: Sequence[FenceDevice]) -> None:
        for step in self._of_known(steps):
            if self._switch_ipv6(step.name, "1"):
                self._change(step.name, has_ipv6=False)
                self._keep(step.name, only_ipv4(self.mirror[step.name].addresses))

    def _unfence(self, steps: Sequence[UnfenceDevice]) -> None:
        for step in self._of_known(steps):
            if self._switch_ipv6(step.name, "0"):
                self._change(step.name, has_ipv6=True)

    def _switch_ipv6(self, name: str, value: str) -> bool:
        try:
            sysctl.write("net/ipv6/conf/%s/disable_ipv6" % name, value)
        except PlatformError as error:
            outcome = Outcome(error.errno or errno.EIO, error.hint)
            self._faults.broken.add(name)
            return self._faults.note(error.operation, error.target, outcome, ALREADY_GONE)
        return True

    def _add_addresses(self, steps: Sequence[AddAddress]) -> None:
        steps = self._of_known(steps)
        requests = [
            rtnl.add_address(self.mirror[step.name].ifindex, step.address, step.lease_s)
            for step in steps
        ]
        # Only a bridge: without it the kernel is as it always was, so nobody looks at the answers.
        requests += [
            routes.bridge_route(self.mirror[step.name].ifindex, step.address)
            for step in steps
            if len(step.address.address) == 16 and not self.mirror[step.name].master_ifindex
        ]
        harmless = _ALREADY_THERE + ALREADY_GONE
        for step, outcome in zip(steps, self._netlink.transact(requests)):
            if self._faults.note("add address to", step.name, outcome, harmless):
                device = self.mirror[step.name]
                lifetimes = device.lifetimes_s
                if step.lease_s:
                    lifetimes = {**lifetimes, step.address: step.lease_s}
                held = (*device.addresses, step.address)
                self._change(step.name, addresses=held, lifetimes_s=lifetimes)

    def rehearse(self, steps: Sequence[Step]) -> None:
        """As when these are taken, but the kernel is asked for nothing."""
        adding = [step for step in steps if isinstance(step, AddAddress)]
        for step in self._of_known(adding):
            rtnl.add_address(self.mirror[step.name].ifindex, step.address, step.lease_s)
        self._netlink.rehearse()

    def _remove_addresses(self, steps: Sequence[RemoveAddress]) -> None:
        steps = self._of_known(steps)
        requests = [
            rtnl.delete_address(self.mirror[step.name].ifindex, step.address) for step in steps
        ]
        for step, outcome in zip(steps, self._netlink.transact(requests)):
            if self._faults.note("remove address from", step.name, outcome, ALREADY_GONE):
                held = self.mirror[step.name].addresses
                self._keep(step.name, tuple(one for one in held if one != step.address))


def _named(settings: Mapping[int, int]) -> Dict[str, str]:
    return {IPV6_SYSCTLS[key]: str(value) for key, value in settings.items()}
