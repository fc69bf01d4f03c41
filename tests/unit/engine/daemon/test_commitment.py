# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which configuration runs: on probation, confirmed, taken back, over restarts and full disks."""

import json

import pytest
from engine_kit.ports import FakeClock, FakeLog
from engine_kit.values import NS_PER_S, config, group

from vrrp.config.diff import diff
from vrrp.config.parse import parse_json
from vrrp.config.render import canonical_json
from vrrp.daemon import beginning as beginning_module
from vrrp.daemon import commitment as commitment_module
from vrrp.daemon.beginning import begin
from vrrp.daemon.commitment import RETRY_NS, Commitment
from vrrp.daemon.state_files import StateFiles
from vrrp.errors import ConfigError, ControlError, PlatformError

OLD = config(group(), group("other", vrid=11, addresses=("198.18.10.9",)))
NEW = config(group(priority=120), group("other", vrid=11, addresses=("198.18.10.9",)))
NEWER = config(group(priority=130), group("other", vrid=11, addresses=("198.18.10.9",)))


class Disk(StateFiles):
    """A state directory that can be full, or refuse everything."""

    is_full = False
    is_read_only = False

    def write_text(self, name, text):
        self._resist("write", name, self.is_full or self.is_read_only)
        super().write_text(name, text)

    def rename(self, name, new_name):
        self._resist("rename", name, self.is_read_only)
        super().rename(name, new_name)

    def remove(self, name):
        self._resist("remove", name, self.is_read_only)
        super().remove(name)

    def _resist(self, operation, name, refuses):
        if refuses:
            self._problems[name] = operation
            raise PlatformError(operation, "the state", 28)


class Host:
    """A host with a configuration file, on which the daemon is started again and again."""

    def __init__(self, directory, monkeypatch):
        self.clock, self.journal, self.told = FakeClock(), [], []
        self.file, self.state = directory / "config.json", directory / "state"
        self.boot, self.dies = "first", False
        for module in (beginning_module, commitment_module):
            monkeypatch.setattr(module, "boot_id", lambda: self.boot)
        self.write(OLD)
        self.start()

    def write(self, wanted):
        text = wanted if isinstance(wanted, str) else canonical_json(wanted)
        self.file.write_text(text, encoding="utf-8")

    def start(self, turns=True):
        """A new process; turns: its loop turns at once."""
        log = FakeLog(self.journal)
        self.disk = Disk(str(self.state), log)
        beginning = begin(str(self.file), self.disk, self.clock.now_ns())
        self.applied = [beginning.version.config]
        self.commitment = Commitment(
            beginning, str(self.file), self.disk, self.clock, log, self.apply, self.tell
        )
        if turns:
            self.turn()

    def reboot(self):
        self.boot += " and another"
        self.clock.time_ns = 5 * NS_PER_S
        self.start()

    def apply(self, wanted):
        if self.dies:
            raise KeyboardInterrupt
        changes = diff(self.running, wanted)
        self.applied.append(wanted)
        return changes

    def tell(self, message, data):
        self.told.append((message, data["code"]))

    def turn(self, seconds=0):
        """The loop turns, so much later."""
        self.clock.time_ns += round(seconds * NS_PER_S)
        self.commitment.tick(self.clock.time_ns)

    def reload(self, wanted, within_s=None):
        self.write(wanted)
        return self.commitment.reload(within_s)

    def refusal(self, act, *arguments):
        with pytest.raises(ControlError) as caught:
            act(*arguments)
        return caught.value

    @property
    def running(self):
        return self.applied[-1]

    @property
    def source(self):
        return self.commitment.status()["config_source"]

    def stored(self, name="last-good.json"):
        return parse_json((self.state / name).read_text(encoding="utf-8"))

    def names(self):
        return sorted(path.name for path in self.state.iterdir())

    def warnings(self):
        return [entry[2] for entry in self.journal if entry[:2] == ("log", "warning")]


@pytest.fixture(name="host")
def host_that_runs_the_old_configuration(tmp_path, monkeypatch):
    return Host(tmp_path, monkeypatch)


# The last good one


def test_what_runs_is_the_last_good_one(host):
    assert host.stored() == OLD
    host.reload(NEW)
    assert host.stored() == OLD, "the advertisements that are due go out first"
    host.turn()
    assert (host.stored(), host.names()) == (NEW, ["last-good.json"])


def test_nothing_is_written_when_nothing_changed(host):
    path = host.state / "last-good.json"
    before = path.stat().st_ino
    host.start()
    host.reload(OLD)
    host.turn()
    assert path.stat().st_ino == before


@pytest.mark.parametrize("damage", ("{", None, '{"virtual_routers": [{}, {"vrid": 999}]}'))
def test_a_bad_file_at_boot_runs_the_last_good_one(host, damage):
    if damage is None:
        host.file.unlink()
    else:
        host.write(damage)
    host.reboot()
    assert (host.running, host.source) == (OLD, "last-good")
    problems = host.commitment.status()["config_problems"]
    with pytest.raises(ConfigError) as caught:
        beginning_module.read_config(str(host.file))
    assert problems == [vars(problem) for problem in caught.value.problems] != []
    (summary,) = host.commitment.summary()
    assert all(problem["message"] in summary for problem in problems)


def test_a_corrected_file_is_used_again(host):
    host.write("{")
    host.start()
    host.reload(NEW)
    assert (host.running, host.source) == (NEW, "file")
    assert host.commitment.status()["config_problems"] == []
    assert host.commitment.summary() == []


def test_without_a_last_good_one_there_is_nothing_to_run(host):
    (host.state / "last-good.json").unlink()
    host.write("{")
    with pytest.raises(ConfigError) as caught:
        host.start()
    assert caught.value.problems[0].code == "syntax"


@pytest.mark.parametrize("damage", ("", "{", "[]", canonical_json(OLD)[:500], "\0" * 4096))
def test_a_damaged_last_good_one_is_not_used_but_shown(host, damage):
    (host.state / "last-good.json").write_text(damage, encoding="utf-8")
    host.start(turns=False)
    assert host.running == OLD, "of the file"
    (problem,) = host.disk.problems
    assert "last-good.json is not used" in problem
    host.turn()
    assert (host.stored(), host.disk.problems) == (OLD, ())


# On probation


def test_what_is_not_confirmed_is_taken_back_at_the_deadline(host):
    host.reload(NEW, 60)
    deadline_ns = host.clock.time_ns + 60 * NS_PER_S
    host.turn()
    assert (host.running, host.commitment.deadline_ns()) == (NEW, deadline_ns)
    host.turn(59.999)
    assert host.running == NEW
    assert host.commitment.status()["probation"]["remaining_ns"] == 1_000_000
    host.turn(0.001)
    assert (host.running, host.source) == (OLD, "last-good")
    assert host.commitment.status()["probation"] is None
    assert host.told[-1][1] == "reverted"
    assert "was not confirmed within 60 s" in host.told[-1][0]
    assert host.names() == ["last-good.json", "refused.json"]
    host.turn(3600)
    assert host.applied == [OLD, NEW, OLD], "once"


def test_a_confirmed_one_stays(host):
    host.reload(NEW, 60)
    host.turn(59)
    assert host.stored() == OLD, "until it is confirmed it has not proved itself"
    host.commitment.confirm()
    assert (host.stored(), host.names()) == (NEW, ["last-good.json"])
    host.turn(3600)
    host.reboot()
    assert (host.running, host.source) == (NEW, "file")


def test_to_confirm_another_one_is_refused(host):
    host.reload(NEW, 60)
    sha256 = host.commitment.status()["config_sha256"]
    assert host.refusal(host.commitment.confirm, "0" * 64).code == "other-config"
    host.commitment.confirm(sha256)
    assert host.told[-1][1] == "confirmed"


def test_rolled_back_on_request(host):
    host.reload(NEW, 60)
    (change,) = host.commitment.rollback()
    assert change.fields == ("priority",)
    assert (host.running, host.source) == (OLD, "last-good")
    host.turn(61)
    assert host.applied == [OLD, NEW, OLD]


@pytest.mark.parametrize("act", ("confirm", "rollback"))
def test_without_probation_there_is_nothing_to_do(host, act):
    assert host.refusal(getattr(host.commitment, act)).code == "no-probation"
    host.reload(NEW, 60)
    host.turn(60)
    late = host.refusal(getattr(host.commitment, act))
    assert (late.code, "taken back" in late.message) == ("no-probation", True)


def test_a_reload_does_not_confirm_by_accident(host):
    host.reload(NEW, 60)
    host.turn(20)
    refusal = host.refusal(host.reload, NEWER)
    assert refusal.code == "on-probation"
    assert "another 40 s" in refusal.message
    assert "confirm it or roll it back" in refusal.message
    assert host.running == NEW
    assert host.commitment.status()["last_reload_error"] == refusal.message
    host.turn(40)
    assert host.running == OLD
    assert host.commitment.status()["last_reload_error"] is None


def test_another_trial_goes_back_to_what_was_confirmed(host):
    host.reload(NEW, 60)
    host.turn(50)
    host.reload(NEWER, 30)
    host.turn(29)
    assert host.running == NEWER
    host.turn(1)
    assert host.running == OLD


def test_what_differs_in_nothing_needs_no_confirmation(host):
    assert host.reload(OLD, 60) == ()
    assert host.commitment.status()["probation"] is None
    host.reload(NEW, 60)
    host.reload(OLD, 60)
    assert host.commitment.status()["probation"] is None
    host.turn(100)
    assert (host.running, host.names()) == (OLD, ["last-good.json"])


def test_a_bad_file_does_not_end_the_trial(host):
    host.reload(NEW, 60)
    with pytest.raises(ConfigError):
        host.reload("{", 60)
    assert host.running == NEW
    host.turn(60)
    assert host.running == OLD


# Restarts in between


def test_in_the_same_boot_the_time_goes_on(host):
    host.reload(NEW, 60)
    host.clock.time_ns += 20 * NS_PER_S
    host.start()
    assert (host.running, host.source) == (NEW, "file")
    assert host.commitment.status()["probation"]["remaining_ns"] == 40 * NS_PER_S
    host.turn(39)
    assert host.running == NEW
    host.turn(1)
    assert host.running == OLD


def test_a_restart_does_not_take_up_what_the_file_says_meanwhile(host):
    host.reload(NEW, 60)
    host.write(NEWER)
    host.start()
    assert host.running == NEW
    host.write("{")
    host.start()
    assert host.running == NEW


def test_the_time_ran_out_while_it_was_down(host):
    host.reload(NEW, 60)
    host.clock.time_ns += 61 * NS_PER_S
    host.start()
    assert (host.applied, host.source) == ([OLD], "last-good")
    assert host.commitment.status()["config_problems"][0]["code"] == "refused"
    assert host.names() == ["last-good.json", "refused.json"]


def test_another_boot_goes_back_at_once(host):
    host.reload(NEW, 60)
    host.reboot()
    assert (host.applied, host.source) == ([OLD], "last-good")


def test_a_boot_without_a_name_is_another_one(host):
    host.boot = ""
    host.reload(NEW, 60)
    host.start()
    assert host.running == OLD


def test_confirmed_after_a_restart(host):
    host.reload(NEW, 60)
    host.start()
    host.commitment.confirm()
    host.reboot()
    assert (host.running, host.source) == (NEW, "file")


@pytest.mark.parametrize("end", ("deadline", "rollback"))
def test_what_was_taken_back_is_refused_at_boot(host, end):
    host.reload(NEW, 60)
    if end == "deadline":
        host.turn(60)
    else:
        host.commitment.rollback()
    for _time in range(2):
        host.reboot()
        assert (host.running, host.source) == (OLD, "last-good")
    host.write(json.dumps(json.loads(canonical_json(NEW)), indent=7))
    host.reboot()
    assert host.running == OLD, "written in another way it is the same"
    host.write(NEWER)
    host.reboot()
    assert (host.running, host.source) == (NEWER, "file")


def test_what_was_taken_back_can_be_reloaded_on_purpose(host):
    host.reload(NEW, 60)
    host.turn(60)
    host.reload(NEW)
    host.turn()
    assert host.names() == ["last-good.json"]
    host.reboot()
    assert (host.running, host.source) == (NEW, "file")


def test_killed_before_the_refusal_was_lifted(host):
    host.reload(NEW, 60)
    host.turn(60)
    refused = (host.state / "refused.json").read_text(encoding="utf-8")
    host.reload(NEW)
    host.turn()
    (host.state / "refused.json").write_text(refused, encoding="utf-8")
    host.reboot()
    assert (host.running, host.names()) == (NEW, ["last-good.json"])


def test_killed_in_the_middle_of_confirming(host):
    host.reload(NEW, 60)
    (host.state / "last-good.json").write_text(canonical_json(NEW), encoding="utf-8")
    host.reboot()
    assert (host.running, host.source) == (NEW, "file")
    assert host.names() == ["last-good.json"]


def test_killed_before_it_was_applied(host):
    host.dies = True
    with pytest.raises(KeyboardInterrupt):
        host.reload(NEW, 60)
    host.dies = False
    host.start()
    assert host.running == NEW
    host.turn(60)
    assert host.running == OLD


@pytest.mark.parametrize(
    "damage",
    (
        "",
        "{",
        "7",
        '{"format": 1}',
        '{"format": 2, "deadline_ns": 1}',
        '{"format": 1, "boot_id": "first", "deadline_ns": "x", "confirm_within_s": 1}',
        '{"format": 1, "boot_id": "a", "deadline_ns": 9, "confirm_within_s": 9, "previous": 7}',
    ),
)
@pytest.mark.parametrize("name", ("probation.json", "refused.json"))
def test_a_damaged_file_is_as_good_as_absent(host, name, damage):
    (host.state / name).write_text(damage, encoding="utf-8")
    host.start()
    assert (host.running, host.source) == (OLD, "file")
    (problem,) = host.disk.problems
    assert "%s is not used" % name in problem


def test_a_deadline_that_cannot_be_is_over(host):
    host.reload(NEW, 60)
    path = host.state / "probation.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored["deadline_ns"] = host.clock.time_ns + 61 * NS_PER_S
    path.write_text(json.dumps(stored), encoding="utf-8")
    host.start()
    assert host.running == OLD


# Disks


def test_a_full_disk_does_not_keep_a_reload_from_happening(host):
    host.disk.is_full = True
    host.reload(NEW)
    host.turn()
    assert host.running == NEW
    (warning,) = host.warnings()
    assert "a restart would not know" in warning
    host.turn(59)
    assert len(host.warnings()) == 1
    host.turn(61)
    assert len(host.warnings()) == 1, "told once"
    host.disk.is_full = False
    assert host.commitment.deadline_ns() <= host.clock.time_ns + RETRY_NS
    host.turn(61)
    assert host.stored() == NEW
    assert host.commitment.deadline_ns() is None


def test_a_full_disk_refuses_a_trial_before_anything_is_applied(host):
    host.disk.is_full = True
    refusal = host.refusal(host.reload, NEW, 60)
    assert refusal.code == "state"
    assert "nothing was applied" in refusal.message
    assert host.disk.problems == (), "nothing is amiss: it was never begun"
    assert host.applied == [OLD]
    assert host.commitment.status()["probation"] is None
    host.turn(100)
    host.start()
    assert host.running == NEW, "the file says so, and nothing was ever taken back"


def test_a_disk_that_fills_up_does_not_keep_a_bad_change_alive(host):
    host.reload(NEW, 60)
    host.disk.is_full = True
    host.turn(60)
    assert host.running == OLD
    host.reboot()
    assert (host.running, host.source) == (OLD, "last-good")


def test_a_disk_that_fills_up_does_not_keep_a_good_change_from_being_confirmed(host):
    host.reload(NEW, 60)
    host.disk.is_full = True
    host.commitment.confirm()
    host.turn(60)
    assert host.running == NEW
    host.reboot()
    assert (host.running, host.source) == (NEW, "file")


def test_a_disk_that_refuses_everything_cannot_confirm_and_can_go_back(host):
    host.reload(NEW, 60)
    host.disk.is_read_only = True
    refusal = host.refusal(host.commitment.confirm)
    assert (refusal.code, host.commitment.status()["probation"] is None) == ("state", False)
    host.turn(60)
    assert host.running == OLD
    host.disk.is_read_only = False
    host.turn(61)
    assert host.names() == ["last-good.json", "refused.json"]


def test_a_failed_confirmation_is_not_one_after_a_restart_either(host):
    host.reload(NEW, 60)
    host.disk.is_read_only = True
    host.refusal(host.commitment.confirm)
    host.reboot()
    assert host.running == OLD


def test_confirmed_by_one_file_when_the_other_one_is_stuck(host, monkeypatch):
    host.reload(NEW, 60)

    def stuck(_name):
        raise PlatformError("remove", "probation.json", 1)

    monkeypatch.setattr(host.disk, "remove", stuck)
    host.commitment.confirm()
    assert "probation.json" in host.names()
    host.start()
    assert (host.running, host.names()) == (NEW, ["last-good.json"])


# Time


def test_a_reload_breathes_between_what_takes_long_and_before_it_changes_anything(host):
    """Parsing, rendering and applying a large configuration takes milliseconds each."""
    seen = []
    host.commitment.breathe = lambda: seen.append(host.running)
    host.reload(NEW)
    host.reload(NEWER, 60)
    assert seen == [OLD, OLD, NEW, NEW]


# In the place of a running process


def heir(host):
    """What a process would begin with that goes on in this one's place."""
    told = json.loads(json.dumps(host.commitment.inheritance()))
    files = StateFiles(str(host.state), FakeLog([]))
    now_ns = host.clock.now_ns()
    return beginning_module.inherited_beginning(told, str(host.file), files, now_ns)


def test_an_heir_runs_what_runs_and_not_the_file(host):
    host.reload(NEW)
    host.write(NEWER)
    begun = heir(host)
    assert (begun.version.config, begun.source, begun.probation) == (NEW, "file", None)
    assert begun.last_good.config == NEW, "what waited to be written was written"


def test_an_heir_goes_on_with_the_probation(host):
    host.reload(NEW, 60)
    begun = heir(host)
    assert begun.version.config == NEW
    assert begun.probation.deadline_ns == host.clock.time_ns + 60 * NS_PER_S
    assert begun.probation.previous.config == OLD


def test_an_heir_knows_why_the_file_is_not_used(host):
    host.reload(NEW, 60)
    host.turn(60)
    begun = heir(host)
    assert (begun.version.config, begun.source) == (OLD, "last-good")
    assert [problem.code for problem in begun.problems] == ["refused"]
    assert begun.refused.config == NEW


def test_an_heir_of_nonsense_does_not_begin(host):
    for told in ({"configuration": 7}, {"configuration": {"virtual_routers": 7}}):
        with pytest.raises(ConfigError):
            beginning_module.inherited_beginning(told, "x", host.disk, 0)
