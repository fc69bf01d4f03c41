# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the RFCs let one virtual router on one host do next, told from what it read. Layer L4.

RFC 9568 section 6.4, RFC 3768 section 6.4. A second opinion beside fsm/: it knows frames, the
host's configuration and its clock, and asks the engine nothing. All times are of the host's clock.
"""

from __future__ import annotations

from typing import Callable, Optional, Tuple

from ..config.model import ProfileMode, VirtualRouterConfig
from ..fsm.parameters import OWNER_PRIORITY
from ..fsm.states import State
from ..units import format_ns, ns_from_cs
from .frames import Advert, down_ns, skew_ns
from .host import SimHost
from .kernel import Identity
from .segment import Segment

# Beside the RFC's time: a late wake-up, and what a clock gains meanwhile.
MARGIN_NS = 5_000_000
# What a successor may be late, for one that leaves.
_LEAVE_NS = 100_000_000
# An answer to a bad rival at most so often, so that two routers cannot keep each other talking.
_ANSWER_EACH_NS = 20_000_000
# Advertisements and rounds of announcements in an interval that need no reason from outside: one
# is due, and a takeover, a change of configuration and a repetition may fall in the same one.
_UNPROVOKED = 6

Complain = Callable[[str], None]


class Expectation:
    """Follows one virtual router. complain is called with a sentence for each broken promise."""

    def __init__(
        self,
        host: SimHost,
        segment: Segment,
        device: Identity,
        config: VirtualRouterConfig,
        complain: Complain,
    ) -> None:
        self.host = host
        self.segment = segment
        self.device = device
        self.config = config
        self.id = str(config.key)
        # Of its configuration it is no part any more: it only leaves.
        self.is_removed = False
        self.has_carrier = True
        # The rest of its sync group on this host.
        self.companions: Tuple[Expectation, ...] = ()
        # What it has to be when another process has taken its place; None: nothing is expected.
        self.resumes: Optional[State] = None
        self.state = State.INITIALIZE
        self.priority = config.priority
        self.source = b""
        # The advertisement that set the timer.
        self.armed_by: Optional[Advert] = None
        # While it only forwards until a successor is heard: when it gives up. None: it does not.
        self.leaves_ns: Optional[int] = None
        # Nobody is there who is not drained as well.
        self.heard_a_drained_one = False
        self.sent_ns = 0
        # The same, but for what only a change of configuration made it say.
        self.asked_ns = 0
        # When its timer made it advertise, or its phase began; None: its host was held up then.
        self._beat_ns: Optional[int] = None
        self._is_new_phase = False
        self._complain = complain
        self._earliest_ns = self._latest_ns = self._armed_ns = 0
        # That of the master; until one was heard, its own of when it began to listen.
        self._interval_cs = 0
        self._hold_until_ns: Optional[int] = None
        # It gave its role away, and nobody better was heard since.
        self._wants = False
        self._slowest_cs = config.advertisement_interval_cs
        self._window = -1
        self._allowed = 0
        self._last_answer_ns = 0

    def configure(
        self, config: VirtualRouterConfig, priority: int, source: bytes, has_carrier: bool
    ) -> None:
        """What holds from now on. priority: less the penalties of trackers; 1 when drained."""
        now_ns = self.host.local_ns()
        old_cs, new_cs = self.config.advertisement_interval_cs, config.advertisement_interval_cs
        self.config, self.priority, self.source = config, priority, source
        self.has_carrier = has_carrier
        if not has_carrier:
            self.leaves_ns = None
        self.is_removed = False
        self._slowest_cs = max(old_cs, new_cs)
        self._allow(_UNPROVOKED, now_ns)
        if old_cs != new_cs:
            self._begin_phase(now_ns)
        if self.state is State.BACKUP:
            self._move_timer(self._set_timer, now_ns)
            # What is over already by the new values is due now.
            self._latest_ns = max(self._latest_ns, now_ns)

    @property
    def is_owner(self) -> bool:
        """Whether the virtual address is its own."""
        return self.priority == OWNER_PRIORITY

    def skew_ns(self) -> int:
        """The Skew_Time that it works with now."""
        return skew_ns(self.config.version, self.priority, self._interval_cs)

    def is_held_up(self) -> bool:
        """Whether its host cannot run, or could not until just now."""
        return self.host.local_ns() - self._resumed_ns() < MARGIN_NS

    def waited_ns(self) -> int:
        """How long its timer has run."""
        return self.host.local_ns() - self._armed_ns

    # What it reads

    def understands(self, advert: Advert) -> bool:
        """Whether this is an advertisement for it: RFC 9568 and RFC 3768 section 7.1."""
        ours = self.config
        if advert.source == self.source or advert.version != ours.version:
            return False
        if self.is_owner and (ours.version == 2 or ours.profile is ProfileMode.RFC5798):
            return False
        if ours.version == 3:
            return True
        return advert.interval_cs == ours.advertisement_interval_cs

    def better(self, advert: Advert) -> bool:
        """Whether a master gives way to it."""
        return (advert.priority, advert.source) > (self.priority, self.source)

    def hear(self, advert: Advert, now_ns: int) -> None:
        """A backup reads an advertisement that it understands."""
        self.must_not_be_late(now_ns)
        if advert.priority == 0:
            self._move_timer(lambda: self._arm(advert, now_ns, self._interval_cs), now_ns)
        elif self._respects(advert, now_ns):
            self._wants = False
            self._arm(advert, now_ns, advert.interval_cs)

    def _respects(self, advert: Advert, now_ns: int) -> bool:
        if advert.priority >= self.priority:
            self._hold_until_ns = None
            return True
        if self.is_owner or not self.config.preempt:
            return not self.is_owner
        if self._hold_until_ns is None:
            self._hold_until_ns = now_ns + ns_from_cs(self.config.preempt_delay_cs)
        return now_ns < self._hold_until_ns

    # What it does

    def enter(
        self, state: State, reason: str, now_ns: int, yielded_to: Optional[Advert], joins: bool
    ) -> None:
        """It changed its state. yielded_to: what a master read just now. joins: the rest of its
        sync group was master already."""
        if self.state is State.BACKUP:
            self._leaves_backup(state, reason, now_ns, joins)
        elif self.state is State.MASTER:
            self.must_not_be_silent(now_ns)
        elif state is State.MASTER and not self.is_owner:
            self._complain("became master at its start")
        if state is State.MASTER:
            self._allow(_UNPROVOKED, now_ns)
            self._begin_phase(now_ns)
            self.leaves_ns = None
        self.state = state
        self._hold_until_ns = None
        self._wants = False
        if state is State.BACKUP:
            own_cs = self.config.advertisement_interval_cs
            self._arm(yielded_to, now_ns, yielded_to.interval_cs if yielded_to else own_cs)

    def may_return(self) -> None:
        """It gave its role away for its sync group only: as far as it is concerned, that may be
        master again as soon as all others can."""
        self._wants = True

    def resume(self, state: State, now_ns: int) -> None:
        """Another process goes on here; a master announces its addresses again."""
        self.resumes = None
        self._allow(_UNPROVOKED, now_ns)
        self._begin_phase(None)  # it is the one of before, or begins with the first advertisement
        # What it does not remember: how long it has been holding back, and that it wants the role.
        self._hold_until_ns = None
        if self.companions and now_ns >= self._earliest_ns:
            down = down_ns(self.config.version, self.priority, self._interval_cs)
            self._latest_ns = max(self._latest_ns, now_ns + down)
        if self.state is State.INITIALIZE:
            self.state = state
            self.sent_ns = max(self.sent_ns, now_ns)

    def _leaves_backup(self, state: State, reason: str, now_ns: int, joins: bool) -> None:
        if state is not State.MASTER or self.is_owner:
            return
        if reason == "no-successor":
            heard = any(each.heard_a_drained_one for each in (self, *self.companions))
            if self.leaves_too_soon(now_ns) and not heard:
                self._complain("took its role back before a successor had its time")
            return
        if self.companions and reason != "sync-group":
            self._complain("became master and left its sync group behind")
        if self._wants or (joins and reason == "sync-group"):
            return
        if now_ns < self._earliest_ns:
            early = format_ns(self._earliest_ns - now_ns)
            self._complain("became master %s before its time" % early)
        if self.host.unread:
            self._complain("became master with unread packets")

    def send(self, now_ns: int, unasked: bool, timed: bool) -> None:
        """It sends an advertisement. unasked: neither a timer nor a neighbour is the cause. timed:
        a timer is."""
        if self.state is State.MASTER:
            self.must_not_be_silent(now_ns)
            if timed:
                self._must_not_be_early(now_ns)
        self.sent_ns = now_ns
        if not unasked or self.state is not State.MASTER:
            self.asked_ns = now_ns
        self._allow(-1, now_ns)

    def provoked(self, advert: Advert, now_ns: int) -> None:
        """A master reads an advertisement that it may answer."""
        if advert.priority == 0:
            self._begin_phase(now_ns)
        if advert.priority == 0 or now_ns - self._last_answer_ns >= _ANSWER_EACH_NS:
            self._last_answer_ns = now_ns
            self._allow(2, now_ns)

    def announce(self, now_ns: int) -> None:
        """It sends announcements, one for each address."""
        self._allow(-1, now_ns)

    def _allow(self, frames: int, now_ns: int) -> None:
        """In each interval it may send so many more; less than none is a storm."""
        window = now_ns // ns_from_cs(self.config.advertisement_interval_cs)
        if window != self._window:
            self._window, self._allowed = window, _UNPROVOKED
        self._allowed += frames
        if self._allowed == -1:
            self._complain("storms: too many frames in one interval")

    # What must not be

    def must_not_be_late(self, now_ns: int) -> None:
        """A backup whose time was up has become master; of a sync group, when it was for all."""
        due_ns = max(self._latest_ns, self._resumed_ns())
        for other in self.companions:
            if other.state is State.INITIALIZE:
                return
            if other.state is State.BACKUP:
                due_ns = max(due_ns, other._latest_ns)
        late_ns = now_ns - due_ns
        if late_ns > MARGIN_NS:
            self._complain("was still backup %s after its time" % format_ns(late_ns))

    def leave(self, now_ns: int) -> None:
        """A master gives its role away: the slowest successor of its sync group has its time."""
        longest_ns = max(
            skew_ns(each.version, 1, each.advertisement_interval_cs)
            for each in (self.config, *(other.config for other in self.companions))
        )
        self.leaves_ns = now_ns + longest_ns + _LEAVE_NS
        self.heard_a_drained_one = False

    def leaves_too_soon(self, now_ns: int) -> bool:
        """Whether it still has to forward: nobody has come."""
        return self.leaves_ns is not None and now_ns < self.leaves_ns - MARGIN_NS

    def left(self, now_ns: int) -> None:
        """It has gone, and not too late."""
        if self.leaves_ns is not None:
            late_ns = now_ns - max(self.leaves_ns, self._resumed_ns())
            if late_ns > MARGIN_NS:
                self._complain("lingered for %s too long" % format_ns(late_ns))
        self.leaves_ns = None

    def must_not_be_silent(self, now_ns: int) -> None:
        """A master advertises in each interval."""
        due_ns = self.sent_ns + ns_from_cs(self._slowest_cs)
        late_ns = now_ns - max(due_ns, self._resumed_ns())
        if late_ns > MARGIN_NS:
            self._complain("advertised %s too late" % format_ns(late_ns))
        self._slowest_cs = self.config.advertisement_interval_cs

    def _begin_phase(self, now_ns: Optional[int]) -> None:
        self._beat_ns, self._is_new_phase = now_ns, True

    def _must_not_be_early(self, now_ns: int) -> None:
        """A master advertises once in an interval. The first time may be earlier, by a quarter: it
        is cut to a slot, and a crowd is spread."""
        interval_ns = ns_from_cs(self.config.advertisement_interval_cs)
        if self._beat_ns is not None:
            least_ns = interval_ns * 3 // 4 if self._is_new_phase else interval_ns
            early_ns = self._beat_ns + least_ns - now_ns
            if early_ns > MARGIN_NS:
                self._complain("advertised %s too early" % format_ns(early_ns))
            self._is_new_phase = False
        # Who is late advertises the next time as if it had not been.
        self._beat_ns = None if self.is_held_up() else now_ns

    def _resumed_ns(self) -> int:
        """When the host could run again after it was last held up."""
        return self.host.local_ns_at(self.host.stalled_until_ns)

    # Its timer

    def _arm(self, advert: Optional[Advert], now_ns: int, interval_cs: int) -> None:
        self.armed_by = advert
        self._armed_ns = now_ns
        self._interval_cs = interval_cs
        self._set_timer()

    def _move_timer(self, move: Callable[[], None], now_ns: int) -> None:
        """In a sync group, one that wants to be master goes on wanting it until a good one is
        heard; it may not have noticed yet that its time has just come."""
        earliest_ns, latest_ns = self._earliest_ns, self._latest_ns
        move()
        if self.companions and now_ns >= earliest_ns:
            self._earliest_ns = min(earliest_ns, self._earliest_ns)
            knows = now_ns - max(earliest_ns, self._resumed_ns()) > MARGIN_NS
            self._latest_ns = latest_ns if knows else max(latest_ns, self._latest_ns)

    def _set_timer(self) -> None:
        released = self.armed_by is not None and self.armed_by.priority == 0
        formula = skew_ns if released else down_ns
        wait_ns = formula(self.config.version, self.priority, self._interval_cs)
        self._earliest_ns = self._latest_ns = self._armed_ns + wait_ns
