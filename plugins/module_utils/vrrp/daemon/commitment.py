# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which configuration runs: the file's, one on probation, or the one before. Layer L5.

    reload          the file runs from now on, and is the last good one
    reload within   the file is on probation: unless confirmed in time it is taken back
    taken back      the one before runs again; the file, which we may not write, is refused at
                    starts until somebody changes it or reloads it on purpose

Three files tell it to the next start (beginning.py). last-good.json is a configuration and nothing
else, so that it can be copied over a bad one. probation.json is written before anything is applied.
To take back is to rename it to refused.json: that needs no room, so a full disk cannot keep a bad
change alive.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

from ..config.diff import Change
from ..config.model import RouterConfig
from ..config.render import document
from ..errors import ConfigError, ControlError, PlatformError
from ..ports import Clock
from ..units import NS_PER_S
from .beginning import (
    LAST_GOOD,
    PROBATION,
    REFUSED,
    SOURCE_FILE,
    SOURCE_LAST_GOOD,
    Beginning,
    Probation,
    Version,
    are_equal,
    read_config,
    refusal_of,
)
from .log import Log
from .state_files import StateFiles, boot_id

# A day: whoever has not confirmed by then has forgotten.
MAXIMUM_PROBATION_S = 86_400
# The disk may have room again.
RETRY_NS = 60 * NS_PER_S

Apply = Callable[[RouterConfig], Tuple[Change, ...]]
Tell = Callable[[str, Dict[str, Any]], None]


class Commitment:
    """The configuration that runs. apply carries out another one, tell publishes what happened.

    Everything that can wait is written by tick(), when the advertisements that were due are out.
    """

    def __init__(
        self,
        beginning: Beginning,
        config_file: str,
        files: StateFiles,
        clock: Clock,
        log: Log,
        apply: Apply,
        tell: Tell,
    ) -> None:
        self.running = beginning.version
        self.source = beginning.source
        self.problems = beginning.problems
        self.config_file = config_file
        self.last_error: Optional[str] = None
        # Called between the steps of a reload that take long: adverts that are due go out.
        self.breathe: Callable[[], None] = lambda: None
        self._probation = beginning.probation
        self._refused = beginning.refused
        self._last_good = beginning.last_good
        self._is_overdue, self._is_settled = beginning.is_overdue, beginning.is_settled
        self._files = files
        self._clock = clock
        self._log = log
        self._apply = apply
        self._tell = tell
        self._write_ns: Optional[int] = clock.now_ns()
        self._complaint = ""

    def reload(self, within_s: Optional[int] = None) -> Tuple[Change, ...]:
        """Run what is in the file; within_s: on probation for so long.

        Raises ConfigError or ControlError, and nothing has changed.
        """
        try:
            version = Version(read_config(self.config_file))
            self.breathe()
            version.render()
            self.breathe()
            changes = self._try(version, within_s) if within_s else self._adopt(version)
        except (ConfigError, ControlError) as error:
            self.last_error = str(error)
            self._log.write("error", "the running configuration stays: %s" % error)
            raise
        self.last_error = None
        text = "reloaded %s: %d changes" % (self.config_file, len(changes))
        if self._probation is None:
            self._say("notice", text, "reloaded")
        else:
            text += ", to be confirmed within %d s" % self._probation.window_s
            self._say("notice", text, "on-probation")
        return changes

    def confirm(self, sha256: Optional[str] = None) -> None:
        """What is on probation stays. sha256: only if it is this. Raises ControlError."""
        probation = self._on_probation()
        if sha256 is not None and sha256 != probation.version.sha256:
            message = "another configuration is on probation: %s" % probation.version.sha256
            raise ControlError("other-config", message)
        self._probation, self._is_settled = None, True
        self._remember()
        # Either file tells the next start: the one that is there, or the one that is not.
        if self._is_settled and not are_equal(self._last_good, probation.version):
            self._probation, self._is_settled = probation, False
            message = "cannot be confirmed, because the next start would not know: %s"
            raise ControlError("state", message % self._complaint)
        self.last_error = None
        self._say("notice", "the configuration is confirmed", "confirmed")

    def rollback(self) -> Tuple[Change, ...]:
        """Take back what is on probation. Raises ControlError."""
        self._on_probation()
        return self._take_back("was taken back on request")

    def deadline_ns(self) -> Optional[int]:
        """When tick() wants to be called at the latest."""
        deadlines = [self._write_ns, self._probation.deadline_ns if self._probation else None]
        return min((each for each in deadlines if each is not None), default=None)

    def tick(self, now_ns: int) -> None:
        """Take back what was not confirmed in time; write what is to be remembered."""
        probation = self._probation
        if probation is not None and now_ns >= probation.deadline_ns:
            self._take_back("was not confirmed within %d s" % probation.window_s)
        if self._write_ns is not None and now_ns >= self._write_ns:
            self._remember()

    def status(self) -> Dict[str, Any]:
        """The part of `show.status` about the configuration."""
        now_ns, probation = self._clock.now_ns(), self._probation
        return {
            "config_file": self.config_file,
            "config_sha256": self.running.sha256,
            "config_source": self.source,
            "config_problems": [vars(problem) for problem in self.problems],
            "last_reload_error": self.last_error,
            "probation": probation
            and {
                "sha256": probation.version.sha256,
                "previous_sha256": probation.previous.sha256,
                "confirm_within_s": probation.window_s,
                "remaining_ns": max(0, probation.deadline_ns - now_ns),
            },
        }

    def inheritance(self) -> Dict[str, Any]:
        """For inherited_beginning() of a process that takes our place; secrets are in it. The rest
        it reads from our files, so everything that waits to be written is written now."""
        self._remember()
        status = self.status()
        told = {key: status[key] for key in ("config_source", "config_problems")}
        return {"configuration": document(self.running.config), **told}

    def summary(self) -> List[str]:
        """What is out of the ordinary, in a few words each."""
        words = []
        if self._probation is not None:
            words.append("configuration on probation")
        if self.source == SOURCE_LAST_GOOD:
            words.append("last good configuration, because %s" % "; ".join(map(str, self.problems)))
        return words

    def _on_probation(self) -> Probation:
        if self._probation is None:
            message = "nothing is on probation"
            if self.problems and self.problems[0].code == "refused":
                message += ": the last configuration was taken back"
            raise ControlError("no-probation", message)
        return self._probation

    def _adopt(self, version: Version) -> Tuple[Change, ...]:
        if self._probation is not None:
            left_s = (self._probation.deadline_ns - self._clock.now_ns()) // NS_PER_S
            message = (
                "a configuration is on probation for another %d s: confirm it or roll it back "
                "first, or reload on probation too" % max(0, left_s)
            )
            raise ControlError("on-probation", message)
        return self._run(version)

    def _try(self, version: Version, within_s: int) -> Tuple[Change, ...]:
        now_ns = self._clock.now_ns()
        previous = self._probation.previous if self._probation else self.running
        if version.config == previous.config:
            return self._run_again(version)
        deadline_ns = now_ns + within_s * NS_PER_S
        probation = Probation(version, previous, within_s, deadline_ns, boot_id())
        try:
            self._write_last_good(previous)
            self._files.write(PROBATION, probation.document())
        except PlatformError as error:
            self._files.forget(PROBATION)
            message = "nothing was applied, because the next start would not know: %s" % error
            raise ControlError("state", message) from None
        self._is_overdue = self._is_settled = False
        changes = self._run(version)
        self._probation = probation
        return changes

    def _run_again(self, version: Version) -> Tuple[Change, ...]:
        """What runs already, or ran before what is on probation, has proved itself."""
        try:
            self._files.remove(PROBATION)
        except PlatformError as error:
            raise ControlError("state", str(error)) from None
        self._probation = None
        return self._run(version)

    def _run(self, version: Version) -> Tuple[Change, ...]:
        changes = self._apply(version.config)
        self.running, self.source, self.problems = version, SOURCE_FILE, ()
        self._write_ns = self._clock.now_ns()
        return changes

    def _take_back(self, cause: str) -> Tuple[Change, ...]:
        probation = self._on_probation()
        self._probation = None
        self._refused = probation.version
        self._is_overdue = True
        self._works(self._refuse_overdue)
        changes = self._apply(probation.previous.config)
        self.running, self.source = probation.previous, SOURCE_LAST_GOOD
        self.problems = (refusal_of(self.config_file),)
        self.last_error = None
        self._say("warning", "the configuration %s: the one before runs again" % cause, "reverted")
        return changes

    def _say(self, level: str, message: str, code: str) -> None:
        self._log.write(level, message)
        self._tell(message, {"code": code, "sha256": self.running.sha256})

    # Files

    def _remember(self) -> None:
        """Bring the files up to date; what fails is tried again later."""
        self._write_ns = None
        proved = self._probation.previous if self._probation else self.running
        works = [
            self._settle,
            self._refuse_overdue,
            lambda: self._write_last_good(proved),
            lambda: self._pardon(proved),
        ]
        worked = [self._works(work) for work in works]  # each, whatever became of the others
        if all(worked):
            self._complaint = ""

    def _works(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except PlatformError as error:
            # Once for each reason: it is tried again and again.
            if self._complaint != str(error):
                self._complaint = str(error)
                self._log.write("warning", "a restart would not know of this: %s" % error)
            self._write_ns = self._clock.now_ns() + RETRY_NS
            return False
        return True

    def _settle(self) -> None:
        if self._is_settled:
            self._files.remove(PROBATION)
            self._is_settled = False

    def _refuse_overdue(self) -> None:
        if self._is_overdue:
            self._files.rename(PROBATION, REFUSED)
            self._is_overdue = False

    def _write_last_good(self, version: Version) -> None:
        if not are_equal(self._last_good, version):
            self._files.write_text(LAST_GOOD, version.text)
            self._last_good = version

    def _pardon(self, proved: Version) -> None:
        """What was refused once runs now because somebody reloaded it on purpose."""
        if are_equal(self._refused, proved):
            self._files.remove(REFUSED)
            self._refused = None
