# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step repairs, as a clause for people. Layer L4. Pure."""

from __future__ import annotations

from typing import Iterator, Optional, Sequence, Tuple

from ..facts import Repair
from .actual import (
    IPV4_ARP_IGNORE,
    IPV4_SYSCTLS,
    IPV6_FORWARDING,
    IPV6_SYSCTLS,
    Actual,
    ActualDevice,
)
from .steps import (
    AddAddress,
    CreateDevice,
    DeleteDevice,
    FenceDevice,
    JoinVrf,
    MuteDevice,
    ReleaseParent,
    RemoveAddress,
    RenameDevice,
    RenewAddress,
    SetFilter,
    SetParent,
    SettleDevice,
    SettleIpv6,
    Step,
    SwitchArp,
    UnfenceDevice,
    UnmuteDevice,
    alias_of,
    device_of,
    text_of,
    text_with_prefix,
)


def explain(actual: Actual, steps: Sequence[Step]) -> Tuple[Repair, ...]:
    """What was not as it should be, in the order of the steps. actual: before they are taken.

    What follows from another step tells nothing of its own.
    """
    created = {step.device.name for step in steps if isinstance(step, CreateDevice)}
    joined = {step.name for step in steps if isinstance(step, JoinVrf)}
    old_names = {step.new_name: step.name for step in steps if isinstance(step, RenameDevice)}
    again = {
        (step.name, step.address) for step in steps if isinstance(step, AddAddress)
    }.intersection((step.name, step.address) for step in steps if isinstance(step, RemoveAddress))
    found = []
    for step in steps:
        if isinstance(step, RemoveAddress) and (step.name, step.address) in again:
            found.append(Repair(step.name, "%s had no route" % text_of(step.address.address)))
        if isinstance(step, (AddAddress, RemoveAddress)) and (step.name, step.address) in again:
            continue
        name = device_of(step)
        if name in created and not isinstance(step, CreateDevice):
            continue
        if isinstance(step, AddAddress) and name in joined:
            continue
        have = actual.devices.get(name) or actual.devices.get(old_names.get(name, ""))
        found += [Repair(name, clause) for clause in _clauses(step, have, actual)]
    return tuple(found)


def _clauses(step: Step, have: Optional[ActualDevice], actual: Actual) -> Iterator[str]:
    if isinstance(step, AddAddress):
        yield "%s was missing" % text_of(step.address.address)
    elif isinstance(step, RemoveAddress):
        yield "%s did not belong there" % text_with_prefix(step.address)
    elif isinstance(step, CreateDevice):
        yield "the device was missing"
    elif isinstance(step, DeleteDevice):
        yield "the device did not belong there"
    elif isinstance(step, FenceDevice):
        yield "IPv6 was switched on"
    elif isinstance(step, UnfenceDevice):
        yield "IPv6 was switched off"
    elif isinstance(step, RenameDevice):
        yield "the device was called %s" % step.name
    elif have is not None:
        yield from _clauses_of_settings(step, have)
    else:
        yield from _common_clauses(step, actual)


def _clauses_of_settings(step: Step, have: ActualDevice) -> Iterator[str]:
    if isinstance(step, JoinVrf):
        yield "the device was not in the VRF of its interface"
    elif isinstance(step, RenewAddress):
        left_s = have.lifetimes_s.get(step.address, 0)
        # One that has run down was not touched by anybody: its renewal came late.
        if not left_s or left_s > step.lease_s:
            text = text_of(step.address.address)
            words = (text, _lifetime(left_s), _lifetime(step.lease_s))
            yield "the lifetime of %s was %s instead of %s" % words
    elif isinstance(step, (MuteDevice, UnmuteDevice)):
        yield "the packet filter %s neighbour advertisements" % (
            "dropped its" if have.is_muted else "passed its"
        )
    elif isinstance(step, SwitchArp):
        yield _setting("arp_ignore", have.settings.get(IPV4_ARP_IGNORE, 0), step.arp_ignore)
    elif isinstance(step, SettleIpv6):
        for key, value in sorted(step.settings.items()):
            kind = "IPv6 " if key == IPV6_FORWARDING else ""
            yield _setting(kind + IPV6_SYSCTLS[key], have.ipv6_settings.get(key, 0), value)
    elif isinstance(step, SettleDevice):
        if not have.is_up:
            yield "the device was down"
        if have.alias != alias_of(step.device):
            yield 'the alias of the device was "%s"' % have.alias
        for key, value in sorted(step.settings.items()):
            if have.settings.get(key, 0) != value:
                yield _setting(IPV4_SYSCTLS[key], have.settings.get(key, 0), value)


def _common_clauses(step: Step, actual: Actual) -> Iterator[str]:
    if isinstance(step, SetParent):
        for parent in actual.parents.values():
            if parent.name == step.name:
                pairs = (
                    ("arp_ignore", parent.arp_ignore, step.arp_ignore),
                    ("arp_announce", parent.arp_announce, step.arp_announce),
                )
                for key, found, value in pairs:
                    if found != value:
                        yield _setting("%s of %s" % (key, step.name), found, value)
    elif isinstance(step, ReleaseParent):
        yield "the sysctls of %s were still ours" % step.name
    elif isinstance(step, SetFilter):
        yield "the packet filter had been changed"


def _lifetime(seconds: int) -> str:
    return "%d s" % seconds if seconds else "unlimited"


def _setting(name: str, found: int, value: int) -> str:
    return "%s was %d instead of %d" % (name, found, value)
