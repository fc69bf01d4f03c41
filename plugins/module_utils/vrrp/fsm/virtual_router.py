# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One virtual router: the state machine. Layer L1. RFC 9568 section 6.4, RFC 3768 section 6.4.

Pure: no socket, clock, log or lock. The shell calls step() with what happened and the time, carries
out the actions in their order, and comes back with Tick at deadline_ns. Versions 2 and 3 differ
only where `version` is asked (the timers), the RFCs only where `profile` is asked.

    state       event                                   then
    initialize  Startup, owner                          advertise, claim, announce -> master
    initialize  Startup                                 -> backup
    backup      advertisement, priority 0               wait no longer than Skew_Time
    backup      advertisement, as good or no preempt    wait a new Master_Down_Interval
    backup      advertisement, lower                    let the timer run on (or hold, see below)
    backup      deadline                                advertise, claim, announce -> master
    backup      deadline, in a sync group               want mastership, wait for Takeover
    master      deadline                                advertise
    master      advertisement, priority 0               advertise
    master      advertisement, better                   release -> backup
    master      advertisement, worse                    advertise (RFC 9568), announce
    master      the same, after a stall                 release -> backup
    master      HandOver                                advertise priority 0, release -> backup
    backup      Takeover                                advertise, claim, announce -> master
    initialize  Resume                                  -> backup, or claim, announce -> master
    backup      Shutdown                                -> initialize
    master      Shutdown                                advertise priority 0, release -> initialize
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from ..invariant import InvariantViolation, require
from ..units import ns_from_cs
from .actions import (
    Action,
    AnnounceAddresses,
    ClaimAddresses,
    Reason,
    ReleaseAddresses,
    SendAdvertisement,
    Transition,
)
from .events import (
    AdvertisementReceived,
    Event,
    HandOver,
    Memory,
    ParametersChanged,
    Resume,
    Shutdown,
    Startup,
    Takeover,
    Tick,
)
from .parameters import RELEASE_PRIORITY, Profile, RouterKey, RouterParameters
from .states import State
from .timing import master_down_interval_ns, skew_time_ns, slot_ns, slotted_ns, spread_ns

Actions = Tuple[Action, ...]


@dataclass(frozen=True)
class VirtualRouterSnapshot:
    """What an operator may want to know of the machine at one instant."""

    state: State
    state_age_ns: int
    master: bytes
    master_priority: Optional[int]
    master_adver_interval_cs: int
    skew_time_ns: int
    master_down_interval_ns: int


class VirtualRouter:
    """The state machine of one virtual router on one interface for one family."""

    def __init__(self, key: RouterKey, parameters: RouterParameters) -> None:
        self.key = key
        self.parameters = parameters
        self.state = State.INITIALIZE
        self.deadline_ns: Optional[int] = None
        self._since_ns = 0
        # RFC 9568 section 6.1: starts as our own interval, is learned from the master.
        self._master_adver_interval_cs = parameters.advertisement_interval_cs
        self._peer: Optional[AdvertisementReceived] = None
        # When the master that a backup follows was heard last.
        self.peer_heard_ns = 0
        self._preempt_from_ns: Optional[int] = None
        self._preempting = False
        self._advertised_ns = 0
        self._said: Tuple[SendAdvertisement] = (SendAdvertisement(0, 0),)
        self._announce_from_ns = 0
        # What hear() has been told last, when all that it led to is another wait.
        self._steady: Optional[AdvertisementReceived] = None
        self._steady_wait_ns = 0
        # Its timer has expired, and nobody better was heard since; its sync group decides.
        self.wants_mastership = False

    def step(self, event: Event, now_ns: int) -> Actions:
        """Everything to do because of the event, in order. Unknown combinations do nothing."""
        if isinstance(event, Tick):
            return self.tick(now_ns)
        if isinstance(event, AdvertisementReceived):
            return self.hear(event, now_ns)
        self._steady = None
        if isinstance(event, ParametersChanged):
            return self._change_parameters(event.parameters, now_ns)
        if self.state is State.INITIALIZE:
            return self._initialize(event, now_ns)
        if self.state is State.BACKUP:
            return self._backup(event, now_ns)
        return self._master(event, now_ns)

    def tick(self, now_ns: int) -> Actions:
        """As step(Tick()): what a master does most."""
        if self.state is State.MASTER:
            return self._advertise_when_due(now_ns)
        self._steady = None
        if self.state is State.BACKUP:
            return self._take_over_when_due(now_ns)
        return ()

    def advertise_with(self, other: VirtualRouter) -> None:
        """As tick(), for a master with the deadline and the interval of another master that has
        just advertised because of it; what to send is what the last tick() said."""
        self.deadline_ns = other.deadline_ns
        self._advertised_ns = other._advertised_ns

    def hear(self, advert: AdvertisementReceived, now_ns: int) -> Actions:
        """As step() with it: what a backup does most."""
        if self.hears_again(advert, now_ns):
            return ()
        self._steady = None
        if self.state is State.MASTER:
            return self._master_hears(advert, now_ns)
        if self.state is State.BACKUP:
            self._backup_hears(advert, now_ns)
        return ()

    def hears_again(self, advert: AdvertisementReceived, now_ns: int) -> bool:
        """As hear() when it is the very one that made a backup wait, and nothing has happened
        since: it waits anew. False: hear() it."""
        if advert is not self._steady:
            return False
        self.peer_heard_ns = now_ns
        self.deadline_ns = now_ns + self._steady_wait_ns
        return True

    def advertise_at(self, deadline_ns: int, now_ns: int) -> None:
        """A master that advertises now does so again then, one of spread_ns(), and in its interval
        from there. Beyond the RFC: others who do it at its deadline are too many."""
        may_ns = spread_ns(now_ns, self.parameters.advertisement_interval_cs)
        require(self.state is State.MASTER, "only a master advertises")
        require(deadline_ns in may_ns, "a master advertises within its interval, and not at will")
        self.deadline_ns = deadline_ns

    def snapshot(self, now_ns: int) -> VirtualRouterSnapshot:
        """The values that the machine works with now."""
        ours = self.state is State.MASTER
        peer = self._peer
        return VirtualRouterSnapshot(
            state=self.state,
            state_age_ns=now_ns - self._since_ns,
            master=self.parameters.primary_address if ours else peer.source if peer else b"",
            master_priority=self.parameters.priority if ours else peer.priority if peer else None,
            master_adver_interval_cs=self._master_adver_interval_cs,
            skew_time_ns=self._skew_time_ns(),
            master_down_interval_ns=self._master_down_interval_ns(),
        )

    def unadvertised_ns(self, now_ns: int) -> Optional[int]:
        """A master: since its last advertisement; None while this process has not sent one."""
        is_known = self.state is State.MASTER and self._advertised_ns > 0
        return now_ns - self._advertised_ns if is_known else None

    def unheard_ns(self, advert: AdvertisementReceived, now_ns: int) -> Optional[int]:
        """A backup that hears this: since the one before of the same master, who meant to send one
        in each interval; None when there is no such one."""
        peer = self._peer
        if peer is None or self.state is not State.BACKUP or peer.source != advert.source:
            return None
        if self._preempting and advert.priority < self.parameters.priority:
            return None  # it was heard since, but is no longer waited for
        is_leaving = RELEASE_PRIORITY in (peer.priority, advert.priority)
        if is_leaving or peer.interval_cs != advert.interval_cs:
            return None
        return now_ns - self.peer_heard_ns

    def memory(self) -> Optional[Memory]:
        """For the process that goes on after this one; None while there is nothing to remember."""
        if self.deadline_ns is None:
            return None
        return Memory(
            state=self.state,
            deadline_ns=self.deadline_ns,
            master_adver_interval_cs=self._master_adver_interval_cs,
            since_ns=self._since_ns,
            peer=self._peer,
            peer_heard_ns=self.peer_heard_ns,
        )

    # RFC 9568 section 6.4.1

    def _initialize(self, event: Event, now_ns: int) -> Actions:
        if isinstance(event, Resume) and event.memory.state is not State.INITIALIZE:
            return self._resume(event.memory, now_ns)
        if not isinstance(event, (Startup, Resume)):
            return ()
        self._master_adver_interval_cs = self.parameters.advertisement_interval_cs
        self._peer = None
        if self.parameters.is_owner:
            return self._become_master(Reason.OWNER, now_ns)
        return self._become_backup(Reason.STARTUP, now_ns)

    def _resume(self, memory: Memory, now_ns: int) -> Actions:
        """Beyond the RFC: the others see one router all the time, whatever process it is."""
        is_master = memory.state is State.MASTER
        if self.parameters.is_owner and not is_master:  # it has become the owner meanwhile
            return self._become_master(Reason.OWNER, now_ns)
        ours_cs = self.parameters.advertisement_interval_cs
        self._master_adver_interval_cs = ours_cs if is_master else memory.master_adver_interval_cs
        self._peer, self.peer_heard_ns = memory.peer, memory.peer_heard_ns
        # Never later than if it began now: intervals may have become shorter meanwhile.
        longest_ns = ns_from_cs(ours_cs) if is_master else self._master_down_interval_ns()
        self.deadline_ns = min(memory.deadline_ns, now_ns + longest_ns)
        transition = self._enter(memory.state, Reason.RESUMED, now_ns)
        self._since_ns = memory.since_ns
        if is_master:
            # Announced, for else nothing would be until somebody else was master.
            return (ClaimAddresses(), AnnounceAddresses(), transition)
        return (transition,)

    # RFC 9568 section 6.4.2

    def _backup(self, event: Event, now_ns: int) -> Actions:
        if isinstance(event, Shutdown):
            return self._become_initialize(event, now_ns)
        if isinstance(event, Takeover):
            return self._become_master(event.reason, now_ns)
        return ()

    def _take_over_when_due(self, now_ns: int) -> Actions:
        if self.deadline_ns is None or now_ns < self.deadline_ns:
            return ()
        if not self.parameters.waits_for_group:
            return self._become_master(self._takeover_reason(), now_ns)
        self.wants_mastership = True
        self.deadline_ns = now_ns + self._master_down_interval_ns()
        return ()

    def _backup_hears(self, advert: AdvertisementReceived, now_ns: int) -> None:
        if advert.priority == RELEASE_PRIORITY:
            self._remember(advert, now_ns)
            self.deadline_ns = now_ns + self._skew_time_ns()
        elif self._must_respect(advert, now_ns):
            self._remember(advert, now_ns)
            # RFC 9568 section 6.4.2: Skew_Time follows, too. The same section of RFC 5798 names the
            # Master_Down_Interval only, but its section 6.1 defines Skew_Time by this interval.
            self._master_adver_interval_cs = advert.interval_cs
            wait_ns = self._master_down_interval_ns()
            self.deadline_ns = now_ns + wait_ns
            self._preempting = self.wants_mastership = False
            if self._preempt_from_ns is None:  # else it is respected for a while only
                self._steady, self._steady_wait_ns = advert, wait_ns
        else:  # a lower priority: discarded, so the timer runs on
            self._preempting = True

    def _must_respect(self, advert: AdvertisementReceived, now_ns: int) -> bool:
        """Whether this advertisement keeps us in backup."""
        if advert.priority >= self.parameters.priority:
            self._preempt_from_ns = None
            return True
        if self.parameters.is_owner:  # RFC 9568 section 6.1: the owner always preempts
            return False
        if not self.parameters.preempt:
            return True
        # Beyond the RFC (hold-time of RFC 8347): a live master of lower priority is left alone for
        # preempt_delay. It counts as alive meanwhile, so a dead one is replaced without delay.
        if self._preempt_from_ns is None:
            self._preempt_from_ns = now_ns + self.parameters.preempt_delay_ns
        return now_ns < self._preempt_from_ns

    def _takeover_reason(self) -> Reason:
        if self._peer is not None and self._peer.priority == RELEASE_PRIORITY:
            return Reason.PRIORITY_ZERO
        return Reason.PREEMPTED_LOWER if self._preempting else Reason.NO_RESPONSE

    # RFC 9568 section 6.4.3

    def _master(self, event: Event, now_ns: int) -> Actions:
        if isinstance(event, Shutdown):
            return self._become_initialize(event, now_ns)
        if isinstance(event, HandOver):
            return self._hand_over(event, now_ns)
        return ()

    def _advertise_when_due(self, now_ns: int) -> Actions:
        due_ns = self.deadline_ns
        if due_ns is None:
            raise InvariantViolation("a master has an advertisement timer")
        if now_ns < due_ns:
            return ()
        # Absolute: the next deadline follows from the last one, so the interval never drifts.
        # Advertisements missed in a stall are not made up for.
        interval_ns = ns_from_cs(self.parameters.advertisement_interval_cs)
        self.deadline_ns = due_ns + ((now_ns - due_ns) // interval_ns + 1) * interval_ns
        return self._advertisement(now_ns)

    def _master_hears(self, advert: AdvertisementReceived, now_ns: int) -> Actions:
        if advert.priority == RELEASE_PRIORITY:
            self._arm_advertisement(now_ns)
            return self._advertisement(now_ns)
        ours = (self.parameters.priority, self.parameters.primary_address)
        if (advert.priority, advert.source) > ours:  # addresses compare in network order
            self._remember(advert, now_ns)
            self._master_adver_interval_cs = advert.interval_cs
            higher = advert.priority > self.parameters.priority
            reason = Reason.HIGHER_PRIORITY if higher else Reason.HIGHER_ADDRESS
            return (ReleaseAddresses(), *self._become_backup(reason, now_ns))
        if self._was_stalled(now_ns) and not self.parameters.is_owner:
            # Beyond the RFC: it took over rightly while we were silent. It may keep the role until
            # we would preempt any other master, so a stall does not flap twice.
            self._remember(advert, now_ns)
            self._master_adver_interval_cs = advert.interval_cs
            return (ReleaseAddresses(), *self._become_backup(Reason.STALLED, now_ns))
        return self._assert_mastership(now_ns)

    def _was_stalled(self, now_ns: int) -> bool:
        """No advertisement for the three intervals after which a backup takes over. The shell
        reads what has arrived before it lets time pass, so this is seen before we advertise."""
        interval_ns = ns_from_cs(self.parameters.advertisement_interval_cs)
        return self.deadline_ns is not None and now_ns - self.deadline_ns >= 2 * interval_ns

    def _hand_over(self, event: HandOver, now_ns: int) -> Actions:
        """Beyond the RFC: as Shutdown, but it listens on and is there when it is needed."""
        release = SendAdvertisement(RELEASE_PRIORITY, self.parameters.advertisement_interval_cs)
        transition = self._become_backup(Reason.HAND_OVER, now_ns, event.cause)
        self.wants_mastership = event.still_wants
        return (release, ReleaseAddresses(), *transition)

    def _assert_mastership(self, now_ns: int) -> Actions:
        """Somebody worse thinks that it is master."""
        interval_cs = self.parameters.advertisement_interval_cs
        actions: Actions = ()
        # RFC 9568 section 6.4.3: advertise at once. RFC 5798 and RFC 3768 section 6.4.3: discard.
        # One that has just left answers this one too; else a queue of them after a stall would be
        # a storm.
        asserts = self.parameters.profile is Profile.RFC9568
        if asserts and now_ns - self._advertised_ns >= slot_ns(interval_cs):
            actions = self._advertisement(now_ns)
        if now_ns >= self._announce_from_ns:
            # Beyond the RFC: it has drawn the hosts to itself, so call them back, but not faster
            # than once in an interval.
            self._announce_from_ns = now_ns + ns_from_cs(interval_cs)
            actions += (AnnounceAddresses(),)
        return actions

    # Every state

    def _change_parameters(self, new: RouterParameters, now_ns: int) -> Actions:
        """Same virtual router, other values. Beyond the RFC, which has no reconfiguration."""
        skew_ns = self._skew_time_ns()
        old, self.parameters = self.parameters, new
        require(old.version == new.version, "another version is another virtual router")
        if self.state is State.MASTER:
            return self._change_master(old, now_ns)
        if self.state is State.INITIALIZE:
            self._master_adver_interval_cs = new.advertisement_interval_cs
            return ()
        if new.is_owner:
            return self._become_master(Reason.OWNER, now_ns)
        # The interval in use stays until an advertisement brings another one. A new priority means
        # another skew for the timer that is running.
        if self.deadline_ns is not None:
            self.deadline_ns += self._skew_time_ns() - skew_ns
        if self.wants_mastership and not new.waits_for_group:
            self.deadline_ns = now_ns  # it has waited long enough already, and waits for nobody now
        return ()

    def _change_master(self, old: RouterParameters, now_ns: int) -> Actions:
        new = self.parameters
        actions: Actions = ()
        if new.advertisement_interval_cs != old.advertisement_interval_cs:
            self._master_adver_interval_cs = new.advertisement_interval_cs
            self._arm_advertisement(now_ns)
        if new.addresses != old.addresses:
            actions = (ClaimAddresses(), AnnounceAddresses())
        said = ("priority", "advertisement_interval_cs", "primary_address", "addresses")
        if any(getattr(new, name) != getattr(old, name) for name in said):
            actions = (*self._advertisement(now_ns), *actions)
        return actions

    def _become_initialize(self, event: Shutdown, now_ns: int) -> Actions:
        actions: Actions = ()
        if self.state is State.MASTER:
            interval_cs = self.parameters.advertisement_interval_cs
            actions = (SendAdvertisement(RELEASE_PRIORITY, interval_cs), ReleaseAddresses())
        self.deadline_ns = None
        transition = self._enter(State.INITIALIZE, Reason.SHUTDOWN, now_ns, event.cause)
        self._peer = None
        return (*actions, transition)

    def _become_backup(self, reason: Reason, now_ns: int, cause: str = "") -> Actions:
        self.deadline_ns = now_ns + self._master_down_interval_ns()
        return (self._enter(State.BACKUP, reason, now_ns, cause),)

    def _become_master(self, reason: Reason, now_ns: int) -> Actions:
        # The order is the RFC's: the advertisement stops the others before anything else is done.
        self._master_adver_interval_cs = self.parameters.advertisement_interval_cs
        self._arm_advertisement(now_ns)
        transition = self._enter(State.MASTER, reason, now_ns)
        self._peer = None
        advertisement = self._advertisement(now_ns)
        return (*advertisement, ClaimAddresses(), AnnounceAddresses(), transition)

    def _enter(self, state: State, reason: Reason, now_ns: int, cause: str = "") -> Transition:
        peer = self._peer
        transition = Transition(
            previous=self.state,
            current=state,
            reason=reason,
            peer=peer.source if peer else b"",
            peer_priority=peer.priority if peer else None,
            silence_ns=now_ns - self.peer_heard_ns if peer else None,
            cause=cause,
        )
        self.state = state
        self._since_ns = now_ns
        self._preempt_from_ns = None
        self._preempting = self.wants_mastership = False
        return transition

    def _advertisement(self, now_ns: int) -> Tuple[SendAdvertisement]:
        """The very same tuple as the last time, as long as it says the same."""
        self._advertised_ns = now_ns
        said, parameters = self._said[0], self.parameters
        interval_cs = parameters.advertisement_interval_cs
        if said.priority != parameters.priority or said.interval_cs != interval_cs:
            self._said = (SendAdvertisement(parameters.priority, interval_cs),)
        return self._said

    def _arm_advertisement(self, now_ns: int) -> None:
        interval_cs = self.parameters.advertisement_interval_cs
        self.deadline_ns = slotted_ns(now_ns + ns_from_cs(interval_cs), interval_cs)

    def _remember(self, advert: AdvertisementReceived, now_ns: int) -> None:
        self._peer = advert
        self.peer_heard_ns = now_ns

    def _skew_time_ns(self) -> int:
        parameters = self.parameters
        return skew_time_ns(parameters.version, parameters.priority, self._master_adver_interval_cs)

    def _master_down_interval_ns(self) -> int:
        parameters = self.parameters
        return master_down_interval_ns(
            parameters.version, parameters.priority, self._master_adver_interval_cs
        )
