# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which configuration a start of the daemon runs, and why. Layer L5. Changes nothing.

    one on probation    while its time runs in this boot: a restart changes nothing
    the file            unless it is bad, or was taken back
    the last good one   else

See commitment.py for what is in the files, and who writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Tuple

from ..config.model import RouterConfig
from ..config.parse import parse, parse_json
from ..config.render import canonical_json, document
from ..digest import sha256
from ..errors import ConfigError, Problem
from ..units import NS_PER_S
from .state_files import StateFiles, boot_id

LAST_GOOD = "last-good.json"
PROBATION = "probation.json"
REFUSED = "refused.json"
SOURCE_FILE = "file"
SOURCE_LAST_GOOD = "last-good"


class Version:
    """A configuration; its digest is made once, when somebody asks for it. Its canonical text, of
    a kilobyte for each virtual router, is needed for a moment only."""

    def __init__(self, config: RouterConfig) -> None:
        self.config = config
        self._sha256: Optional[str] = None

    def render(self) -> None:
        """Make the digest now, for it takes a while."""
        _made = self.sha256

    @property
    def text(self) -> str:
        """Canonical, with secrets."""
        return canonical_json(self.config)

    @property
    def sha256(self) -> str:
        """Of the canonical text: equal for equal intents, however they are written."""
        if self._sha256 is None:
            self._sha256 = sha256(self.text.encode("utf-8")).hexdigest()
        return self._sha256


@dataclass(frozen=True)
class Probation:
    """A configuration that runs until deadline_ns, of this boot, unless it is confirmed."""

    version: Version
    previous: Version
    window_s: int
    deadline_ns: int
    boot: str

    def document(self) -> Dict[str, Any]:
        """For the file."""
        return {
            "boot_id": self.boot,
            "deadline_ns": self.deadline_ns,
            "confirm_within_s": self.window_s,
            "configuration": document(self.version.config),
            "previous": document(self.previous.config),
        }


@dataclass(frozen=True)
class Beginning:
    """What a start runs, and why. problems: of the file that is not used.

    probation: still running. is_overdue: the file of one is there whose time is up.
    is_settled: one is there that was confirmed.
    """

    version: Version
    source: str
    problems: Tuple[Problem, ...] = ()
    probation: Optional[Probation] = None
    refused: Optional[Version] = None
    last_good: Optional[Version] = None
    is_overdue: bool = False
    is_settled: bool = False


class _Stored:
    """What the files of an earlier daemon say."""

    def __init__(self, files: StateFiles, now_ns: int) -> None:
        self.last_good = _read_last_good(files)
        found = _read_probation(files, PROBATION)
        # It was confirmed, and the daemon ended before it could say so in the other file.
        self.is_settled = found is not None and are_equal(found.version, self.last_good)
        is_pending = found is not None and not self.is_settled
        self.is_overdue = is_pending and not _is_running(found, now_ns)
        self.probation = found if is_pending and not self.is_overdue else None
        self.refusal = found if self.is_overdue else _read_probation(files, REFUSED)

    @property
    def refused(self) -> Optional[Version]:
        """What was taken back last."""
        return self.refusal.version if self.refusal else None

    @property
    def fallback(self) -> Optional[Version]:
        """What to run when the file cannot be used."""
        return self.last_good or (self.refusal.previous if self.refusal else None)

    def beginning(
        self, version: Version, source: str, problems: Tuple[Problem, ...] = ()
    ) -> Beginning:
        """Of a daemon that runs this version."""
        is_tried = self.probation is not None and are_equal(self.probation.version, version)
        return Beginning(
            version,
            source,
            problems,
            self.probation if is_tried else None,
            self.refused,
            self.last_good,
            self.is_overdue,
            self.is_settled,
        )


def begin(config_file: str, files: StateFiles, now_ns: int) -> Beginning:
    """What to run at a start. Changes nothing. Raises ConfigError when there is nothing to run."""
    stored = _Stored(files, now_ns)
    if stored.probation is not None:
        # A restart changes nothing, whatever the file says meanwhile.
        return stored.beginning(stored.probation.version, SOURCE_FILE)
    # What is the last good one was reloaded on purpose after it had been taken back.
    is_pardoned = are_equal(stored.refused, stored.last_good)
    version, problems = _read_file(config_file, None if is_pardoned else stored.refused)
    if version is not None:
        return stored.beginning(version, SOURCE_FILE)
    version = stored.fallback
    if version is None:
        raise ConfigError(problems)
    return stored.beginning(version, SOURCE_LAST_GOOD, problems)


def inherited_beginning(
    told: Mapping[str, Any], config_file: str, files: StateFiles, now_ns: int
) -> Beginning:
    """The same for a process that takes the place of a running one: it runs what that one runs,
    whatever the file says meanwhile. told: Commitment.inheritance(). Raises ConfigError."""
    version = Version(parse(told.get("configuration", {})))
    source = SOURCE_LAST_GOOD if told.get("config_source") == SOURCE_LAST_GOOD else SOURCE_FILE
    problems = tuple(
        Problem(*(str(problem.get(key, "")) for key in ("path", "code", "message", "hint")))
        for problem in told.get("config_problems", ())
    )
    if source == SOURCE_LAST_GOOD and not problems:
        problems = _read_file(config_file, None)[1]
    return _Stored(files, now_ns).beginning(version, source, problems)


def are_equal(one: Optional[Version], other: Optional[Version]) -> bool:
    """Whether both are there and mean the same."""
    return one is not None and other is not None and one.sha256 == other.sha256


def _is_running(probation: Optional[Probation], now_ns: int) -> bool:
    """Whether its time is not over. In another boot nobody can have looked at it in between."""
    if probation is None:
        return False
    left_ns = probation.deadline_ns - now_ns
    is_same_boot = probation.boot != "" and probation.boot == boot_id()
    return is_same_boot and 0 < left_ns <= probation.window_s * NS_PER_S


def read_config(path: str) -> RouterConfig:
    """The configuration in a file. Raises ConfigError, also when it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        hint = "it has to be a readable JSON file in UTF-8"
        raise ConfigError((Problem(path, "unreadable", str(error), hint),)) from None
    return parse_json(text)


def _read_file(
    path: str, refused: Optional[Version]
) -> Tuple[Optional[Version], Tuple[Problem, ...]]:
    try:
        version = Version(read_config(path))
    except ConfigError as error:
        return None, error.problems
    if refused is None or refused.sha256 != version.sha256:
        return version, ()
    return None, (refusal_of(path),)


def refusal_of(path: str) -> Problem:
    """Why a file that is good is not used."""
    message = "was on probation and not confirmed, so it was taken back"
    hint = "correct it and reload, or reload it as it is to use it after all"
    return Problem(path, "refused", message, hint)


def _read_last_good(files: StateFiles) -> Optional[Version]:
    text = files.read_text(LAST_GOOD)
    if text is None:
        return None
    try:
        return Version(parse_json(text))
    except ConfigError as error:
        files.disbelieve(LAST_GOOD, str(error))
        return None


def _read_probation(files: StateFiles, name: str) -> Optional[Probation]:
    document = files.read(name)
    if document is None:
        return None
    window_s, deadline_ns = document.get("confirm_within_s"), document.get("deadline_ns")
    boot = document.get("boot_id")
    if not (isinstance(window_s, int) and isinstance(deadline_ns, int) and isinstance(boot, str)):
        files.disbelieve(name, "it does not say until when, or of which boot")
        return None
    try:
        version, previous = (
            Version(parse(document.get(key, {}))) for key in ("configuration", "previous")
        )
    except ConfigError as error:
        files.disbelieve(name, str(error))
        return None
    return Probation(version, previous, window_s, deadline_ns, boot)
