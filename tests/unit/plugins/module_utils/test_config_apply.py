# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration arrives whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils.config_apply import (
    ConfigApply,
    packed,
    unpacked,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.parse import parse
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.render import canonical_json
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.errors import (
    ConfigError,
    ControlError,
)


def router(vrid, **fields):
    return {
        "name": "vlan%d-v4" % vrid,
        "interface": "vlan%d" % vrid,
        "family": "ipv4",
        "vrid": vrid,
        "addresses": ["198.18.%d.254" % vrid],
        **fields,
    }


def config(*routers):
    return {"virtual_routers": list(routers)}


def text(document):
    return canonical_json(parse(document))


def digest(document):
    return hashlib.sha256(text(document).encode()).hexdigest()


OLD = config(router(10), router(20))
NEW = config(router(10), router(20, priority=150))


def as_nothing(_document):
    """Without a configuration."""
    return {"config": None, "digest": None, "document": None}


def as_document(document):
    """As the action brings it to a router that has asked for it."""
    if document is None:
        return as_nothing(None)
    try:
        whole = text(document)
    except ConfigError:
        whole = json.dumps(document)
    sha256 = hashlib.sha256(whole.encode()).hexdigest()
    return {"config": None, "digest": sha256, "document": packed(whole)}


def as_digest(document):
    """As the action asks first."""
    return {**as_document(document), "document": None}


@pytest.fixture
def apply_for(tmp_path, runtime_dir, module_for):
    """ConfigApply for a document, beside an engine that finds nothing to say."""
    (tmp_path / "lib" / "current").mkdir(parents=True)

    def make(document, brought=as_document, **options):
        module = module_for(
            **brought(document),
            config_file=str(tmp_path / "etc" / "config.json"),
            runtime_dir=runtime_dir,
            directory=str(tmp_path / "lib"),
            python="/usr/bin/python3",
            timeout=5,
            **{"state": "overridden", "confirm": False, "confirm_within": None, **options},
        )
        module.answers["check --host"] = (0, '{"problems": [], "warnings": []}', "")
        return ConfigApply(module)

    return make


@pytest.fixture
def file(tmp_path):
    """The configuration file, with OLD in it."""
    path = tmp_path / "etc" / "config.json"
    path.parent.mkdir()
    path.write_text(text(OLD))
    return path


PROBATION = {"sha256": "x", "previous_sha256": "y", "confirm_within_s": 60, "remaining_ns": 1}
REFUSED = [{"path": "f", "code": "refused", "message": "m", "hint": "h"}]


def running(daemon, document, state_dir=None, **more):
    """The daemon runs this, until it is told to reload the file."""
    engine = {"config_sha256": digest(document), "probation": None, "config_problems": []}
    engine.update(state_dir=state_dir and str(state_dir), **more)
    daemon.answers["show.status"] = {"engine": engine}
    daemon.answers["do.reload"] = {"changes": []}
    daemon.answers["config.check"] = {"problems": [], "changes": []}


def test_the_same_again_changes_nothing_and_asks_once(apply_for, file, daemon):
    running(daemon, OLD)
    apply = apply_for(OLD)
    facts = apply.run()
    assert (facts["changed"], facts["changes"], facts["reloaded"]) == (False, [], False)
    assert daemon.asked == ["show.status"]
    assert apply.module.commands == []


def told_the_digest(apply_for):
    apply = apply_for(OLD, as_digest)
    facts = apply.run()
    assert (facts["changed"], facts["changes"], facts["hitless"]) == (False, [], True)
    assert (facts["diff"]["before"], facts["diff"]["after"]) == ("", "")
    assert apply.module.commands == []
    return facts["config_warnings"]


def test_a_digest_is_enough_where_file_and_daemon_have_it(apply_for, file, daemon):
    running(daemon, OLD)
    assert told_the_digest(apply_for) == []
    assert daemon.asked == ["show.status"]


def test_a_digest_is_enough_where_the_file_has_it_and_no_daemon_runs(apply_for, file):
    assert told_the_digest(apply_for) == [
        "the daemon does not run, so the configuration waits for it"
    ]


@pytest.mark.parametrize("in_file, in_daemon", [(OLD, NEW), (NEW, OLD), (OLD, OLD), (None, NEW)])
def test_the_document_is_asked_for_where_one_of_them_differs(
    apply_for, file, daemon, in_file, in_daemon
):
    running(daemon, in_daemon)
    file.unlink()
    if in_file is not None:
        file.write_text(text(in_file))
    for check_mode in (True, False):
        apply = apply_for(NEW, as_digest, check_mode=check_mode)
        assert apply.run() == {"changed": False, "needs_document": True}
    assert in_file is None or file.read_text() == text(in_file)
    assert set(daemon.asked) == {"show.status"}


def test_a_digest_confirms_what_is_on_probation_and_nothing_else(apply_for, file, daemon):
    running(daemon, OLD, probation={**PROBATION, "sha256": digest(OLD)})
    daemon.answers["do.confirm"] = {}
    facts = apply_for(OLD, as_digest, confirm=True).run()
    assert (facts["changed"], facts["confirmed"]) == (True, True)
    assert apply_for(NEW, as_digest, confirm=True).run()["needs_document"]
    assert daemon.asked.count("do.confirm") == 1


def test_a_document_comes_out_as_it_went_in_but_smaller():
    whole = text(config(*(router(vrid) for vrid in range(1, 200))))
    assert unpacked(packed(whole)) == whole
    assert len(packed(whole)) < len(whole) / 10


def test_a_password_that_was_brought_is_masked_as_one_in_the_options(apply_for, file):
    secret = config(router(10, version=2, password="verysec1"))
    apply = apply_for(secret, as_document)
    apply.run()
    assert apply.module.no_log_values == {"verysec1"}


def test_another_form_of_the_same_intent_is_the_same(apply_for, file, daemon):
    running(daemon, OLD)
    assert not apply_for(config(router(20), router(10, priority=100))).run()["changed"]


def test_a_change_is_checked_written_and_reloaded(apply_for, file, daemon):
    running(daemon, OLD)
    apply = apply_for(NEW)
    facts = apply.run()
    (change,) = facts["changes"]
    assert change.pop("cost").startswith("priority: told with the next advertisement")
    assert change == {
        "kind": "changed",
        "name": "vlan20-v4",
        "fields": ["priority"],
        "hitless": True,
    }
    assert (facts["changed"], facts["hitless"], facts["reloaded"]) == (True, True, True)
    assert file.read_text() == text(NEW)
    assert os.stat(str(file)).st_mode & 0o777 == 0o600
    assert apply.module.ran("check --host --json") == 1
    assert daemon.asked == ["show.status", "do.reload", "show.status"]


def test_the_diff_shows_only_what_changes(apply_for, file):
    facts = apply_for(NEW).run()
    for side, priority in (("before", 100), ("after", 150)):
        shown = json.loads(facts["diff"][side])["virtual_routers"]
        assert [(each["name"], each["priority"]) for each in shown] == [("vlan20-v4", priority)]


def test_the_diff_shows_sync_groups_and_leases_that_change(apply_for, file):
    both = {"name": "lan", "members": ["vlan10-v4", "vlan20-v4"]}
    facts = apply_for({**OLD, "sync_groups": [both], "leases": "on"}).run()
    assert [change["name"] for change in facts["changes"]] == ["sync group lan", "leases"]
    assert facts["hitless"]
    sides = [json.loads(facts["diff"][side]) for side in ("before", "after")]
    assert [side.get("sync_groups") for side in sides] == [None, [both]]
    assert [side.get("leases") for side in sides] == [None, "on"]
    assert [side["virtual_routers"] for side in sides] == [[], []]


@pytest.mark.parametrize("priority", [100, 150])
def test_no_diff_shows_a_password(apply_for, file, priority):
    old = config(router(10, version=2, password="s3cret"))
    file.write_text(json.dumps(old))
    facts = apply_for(config(router(10, version=2, password="s3cret", priority=priority))).run()
    assert facts["changed"]
    assert "s3cret" not in json.dumps(facts)
    for side in ("before", "after"):
        (shown,) = json.loads(facts["diff"][side])["virtual_routers"]
        assert shown["password"] == "*" * 12
    assert json.loads(file.read_text())["virtual_routers"][0]["password"] == "s3cret"


def test_check_mode_checks_and_stops_before_writing(apply_for, file, daemon):
    running(daemon, OLD)
    apply = apply_for(NEW, check_mode=True)
    facts = apply.run()
    assert (facts["changed"], facts["reloaded"]) == (True, False)
    assert file.read_text() == text(OLD)
    assert daemon.asked == ["show.status"]
    assert apply.module.ran("check --host --json") == 1


def test_a_daemon_that_runs_something_else_is_reloaded(apply_for, file, daemon):
    running(daemon, NEW)
    change = {"kind": "changed", "name": "vlan20-v4", "fields": [], "hitless": False, "cost": "x"}
    asked = []
    daemon.answers["config.check"] = lambda params: asked.append(params) or {"changes": [change]}
    facts = apply_for(OLD).run()
    assert (facts["changed"], facts["reloaded"], facts["changes"]) == (True, True, [change])
    assert not facts["hitless"]
    assert asked == [{"document": json.loads(text(OLD))}]


def test_without_a_daemon_the_file_waits(apply_for, file):
    apply = apply_for(NEW)
    facts = apply.run()
    assert (facts["changed"], facts["reloaded"]) == (True, False)
    assert apply.warnings == ["the daemon does not run, so the configuration waits for it"]
    assert file.read_text() == text(NEW)


def test_a_refused_reload_takes_the_file_back(apply_for, file, daemon):
    running(daemon, OLD)
    problem = {"path": "virtual_routers[0].vrid", "code": "x", "message": "is bad", "hint": "fix"}
    refusal = {"code": "config", "message": "no", "problems": [problem]}
    daemon.answers["do.reload"] = {"error": refusal}
    with pytest.raises(ControlError) as caught:
        apply_for(NEW).run()
    assert caught.value.problems == (problem,)
    assert file.read_text() == text(OLD)


def test_a_refused_first_reload_leaves_no_file(apply_for, tmp_path, daemon):
    running(daemon, OLD)
    daemon.answers["do.reload"] = {"error": {"code": "config", "message": "no"}}
    with pytest.raises(ControlError):
        apply_for(NEW).run()
    assert not (tmp_path / "etc" / "config.json").exists()


def test_what_the_router_refuses_is_not_written(apply_for, file):
    apply = apply_for(NEW)
    report = {
        "problems": [{"path": "host", "code": "missing", "message": "no macvlan", "hint": ""}],
        "warnings": [],
    }
    apply.module.answers["check --host"] = (2, json.dumps(report), "")
    with pytest.raises(ConfigError, match="no macvlan"):
        apply.run()
    assert file.read_text() == text(OLD)


def test_what_the_router_warns_of_is_handed_on(apply_for, file):
    apply = apply_for(NEW)
    report = {"problems": [], "warnings": ["vlan20-v4: interface vlan20 does not exist"]}
    apply.module.answers["check --host"] = (1, json.dumps(report), "")
    assert "vlan20-v4: interface vlan20 does not exist" in apply.run()["config_warnings"]


def test_a_check_that_breaks_is_no_yes(apply_for, file):
    apply = apply_for(NEW)
    apply.module.answers["check --host"] = (1, "", "Traceback")
    with pytest.raises(ControlError, match="Traceback"):
        apply.run()
    assert file.read_text() == text(OLD)


def test_an_unusable_file_is_replaced_with_a_warning(apply_for, file):
    file.write_text("{")
    apply = apply_for(NEW)
    assert len(apply.run()["changes"]) == 2
    assert "was not usable and is replaced" in apply.warnings[0]
    assert file.read_text() == text(NEW)


def test_problems_come_all_at_once_and_before_everything(apply_for, daemon):
    running(daemon, OLD)
    bad = config(router(10, priority=0, colour="red"), router(20, version=4))
    with pytest.raises(ConfigError) as caught:
        apply_for(bad).run()
    assert len(caught.value.problems) == 3
    assert daemon.asked == ["show.status"]


def test_a_password_is_in_the_file_and_nowhere_else(apply_for, file):
    secret = router(20, version=2, password="open-you")
    facts = apply_for(config(router(10), secret)).run()
    assert "open-you" in file.read_text()
    assert "open-you" not in json.dumps(facts)
    assert facts["changes"][0]["fields"] == ["version", "password"]


def on_probation(daemon):
    """The daemon puts on probation whatever is reloaded; what it was asked with is returned."""
    asked = []

    def reload(params):
        asked.append(params)
        daemon.answers["show.status"]["engine"]["probation"] = PROBATION
        return {"changes": []}

    daemon.answers["do.reload"] = reload
    return asked


def test_on_probation_the_daemon_gets_the_time(apply_for, file, daemon, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "probation.json").write_text("{}")
    running(daemon, OLD, state_dir=tmp_path / "state")
    asked = on_probation(daemon)
    facts = apply_for(NEW, confirm_within=60).run()
    assert asked == [{"confirm_within_s": 60}]
    assert (facts["changed"], facts["probation"]) == (True, PROBATION)
    assert file.read_text() == text(NEW)


def test_what_runs_already_is_not_put_on_probation_again(apply_for, file, daemon):
    running(daemon, OLD, probation=PROBATION)
    facts = apply_for(OLD, confirm_within=60).run()
    assert (facts["changed"], facts["probation"]) == (False, PROBATION)
    assert daemon.asked == ["show.status"]


def test_a_probation_that_is_refused_takes_the_file_back(apply_for, file, daemon):
    running(daemon, OLD)
    daemon.answers["do.reload"] = {"error": {"code": "state", "message": "no room"}}
    with pytest.raises(ControlError, match="no room"):
        apply_for(NEW, confirm_within=60).run()
    assert file.read_text() == text(OLD)


def test_after_a_reversal_it_is_told_and_applied_anew(apply_for, file, daemon):
    file.write_text(text(NEW))
    running(daemon, OLD, config_problems=REFUSED)
    apply = apply_for(NEW, confirm_within=60)
    facts = apply.run()
    assert (facts["changed"], facts["reloaded"]) == (True, True)
    assert "was not confirmed in time or was rolled back" in apply.warnings[0]
    assert "config.check" in daemon.asked


def test_to_confirm_asks_for_what_is_on_probation(apply_for, file, daemon):
    running(daemon, OLD, probation=PROBATION)
    asked = []
    daemon.answers["do.confirm"] = lambda params: asked.append(params) or {}
    facts = apply_for(None, confirm=True).run()
    assert (facts["changed"], facts["confirmed"], facts["probation"]) == (True, True, None)
    assert asked == [{"sha256": "x"}]


def test_to_confirm_a_configuration_asks_for_no_other(apply_for, file, daemon):
    running(daemon, OLD, probation=PROBATION)
    asked = []
    daemon.answers["do.confirm"] = lambda params: asked.append(params) or {}
    facts = apply_for(OLD, confirm=True).run()
    assert (facts["changed"], facts["confirmed"], facts["changes"]) == (True, True, [])
    assert asked == [{"sha256": digest(OLD)}]


@pytest.mark.parametrize("document", [None, OLD])
def test_to_confirm_twice_changes_nothing(apply_for, file, daemon, document):
    running(daemon, OLD)
    facts = apply_for(document, confirm=True).run()
    assert (facts["changed"], facts["confirmed"]) == (False, False)
    assert daemon.asked == ["show.status"]


def test_to_confirm_in_check_mode_confirms_nothing(apply_for, file, daemon):
    running(daemon, OLD, probation=PROBATION)
    facts = apply_for(None, confirm=True, check_mode=True).run()
    assert (facts["changed"], facts["confirmed"], facts["probation"]) == (True, False, PROBATION)
    assert daemon.asked == ["show.status"]


@pytest.mark.parametrize(
    "document, more, words",
    [
        (None, {"config_problems": REFUSED}, "was taken back: apply it again"),
        (NEW, {"config_problems": REFUSED}, "was taken back: apply it again"),
        (NEW, {"probation": PROBATION}, "does not run, so it cannot be confirmed"),
    ],
)
def test_what_does_not_run_is_not_confirmed(apply_for, file, daemon, document, more, words):
    running(daemon, OLD, **more)
    with pytest.raises(ControlError, match=words):
        apply_for(document, confirm=True).run()
    assert daemon.asked == ["show.status"]
    assert file.read_text() == text(OLD)


@pytest.mark.parametrize("document", [None, OLD])
def test_without_a_daemon_nothing_is_confirmed(apply_for, file, document):
    with pytest.raises(ControlError, match="the daemon does not run"):
        apply_for(document, confirm=True).run()


def test_an_engine_that_knows_no_probation_is_reloaded_as_ever(apply_for, file, daemon):
    daemon.answers["show.status"] = {"engine": {"config_sha256": digest(OLD)}}
    daemon.answers["do.reload"] = {"changes": []}
    facts = apply_for(NEW).run()
    assert (facts["changed"], facts["reloaded"], facts["probation"]) == (True, True, None)


def as_part(document):
    """As the action brings a part, with its state."""
    return {"config": None, "digest": None, "document": packed(json.dumps(document))}


def test_without_anything_to_apply_nothing_is_confirmed_either(apply_for, file, daemon):
    running(daemon, OLD, probation=PROBATION)
    with pytest.raises(ControlError, match="nothing to apply"):
        apply_for(None).run()
    assert daemon.asked == ["show.status"]


def test_merged_changes_what_it_names_and_nothing_else(apply_for, file, daemon):
    running(daemon, OLD)
    part = config({"name": "vlan20-v4", "priority": 150})
    facts = apply_for(part, as_part, state="merged").run()
    assert (facts["changed"], [each["fields"] for each in facts["changes"]]) == (
        True,
        [["priority"]],
    )
    assert file.read_text() == text(NEW)
    for side, priority in (("before", 100), ("after", 150)):
        (shown,) = facts[side]["virtual_routers"]
        assert (shown["name"], shown["priority"]) == ("vlan20-v4", priority)


def test_a_part_that_is_there_changes_nothing_and_asks_once(apply_for, file, daemon):
    running(daemon, NEW)
    file.write_text(text(NEW))
    part = config({"name": "vlan20-v4", "priority": 150})
    apply = apply_for(part, as_part, state="merged")
    facts = apply.run()
    assert (facts["changed"], facts["changes"], facts["diff"]["after"]) == (False, [], "")
    assert "before" not in facts and "after" not in facts
    assert (daemon.asked, apply.module.commands) == (["show.status"], [])


def test_replaced_gives_defaults_and_deleted_removes(apply_for, file):
    file.write_text(text(config(router(10, priority=7), router(20, priority=7))))
    apply_for(config(router(10)), as_part, state="replaced").run()
    assert file.read_text() == text(config(router(10), router(20, priority=7)))
    part = config({"name": "vlan20-v4"}, {"name": "vlan99-v4"})
    assert apply_for(part, as_part, state="deleted").run()["changed"]
    assert not apply_for(part, as_part, state="deleted").run()["changed"]
    assert file.read_text() == text(config(router(10)))


def test_a_part_that_breaks_the_rest_is_refused_before_anything_is_touched(apply_for, file):
    both = {"name": "lan", "members": ["vlan10-v4", "vlan20-v4"]}
    grouped = text({**OLD, "sync_groups": [both]})
    file.write_text(grouped)
    with pytest.raises(ConfigError, match="vlan20-v4"):
        apply_for(config({"name": "vlan20-v4"}), as_part, state="deleted").run()
    assert file.read_text() == grouped


def test_a_part_that_was_merged_can_be_confirmed(apply_for, file, daemon):
    running(daemon, NEW, probation=PROBATION)
    file.write_text(text(NEW))
    asked = []
    daemon.answers["do.confirm"] = lambda params: asked.append(params) or {}
    part = config({"name": "vlan20-v4", "priority": 150})
    assert apply_for(part, as_part, state="merged", confirm=True).run()["confirmed"]
    assert asked == [{"sha256": digest(NEW)}]


def test_a_part_goes_into_what_runs_not_into_what_was_taken_back(apply_for, file, daemon, tmp_path):
    file.write_text(text(config(router(10, priority=1))))
    running(daemon, OLD, state_dir=tmp_path, config_problems=REFUSED)
    (tmp_path / "last-good.json").write_text(text(OLD))
    part = config({"name": "vlan20-v4", "priority": 150})
    assert apply_for(part, as_part, state="merged").run()["changed"]
    assert file.read_text() == text(NEW)


@pytest.mark.parametrize("runs, words", [(NEW, "the daemon runs another"), (None, "is not usable")])
def test_without_anything_to_put_a_part_into_it_is_refused(apply_for, file, daemon, runs, words):
    if runs is None:
        file.write_text("{")
        daemon.answers["show.status"] = {"error": {"code": "unreachable", "message": "x"}}
    else:
        running(daemon, runs)
    was = file.read_text()
    part = config({"name": "vlan20-v4", "priority": 150})
    with pytest.raises(ControlError, match=words) as caught:
        apply_for(part, as_part, state="merged").run()
    assert "state: overridden" in str(caught.value)
    assert file.read_text() == was


def test_gathered_is_what_runs_and_touches_nothing(apply_for, file, daemon):
    running(daemon, NEW)
    daemon.answers["config.get"] = {"document": {"virtual_routers": []}}
    facts = apply_for(None, as_nothing, state="gathered").run()
    assert (facts["changed"], facts["gathered"]) == (False, {"virtual_routers": []})
    assert daemon.asked == ["show.status", "config.get"]


def test_gathered_without_a_daemon_is_the_file_without_its_secrets(apply_for, file):
    file.write_text(text(config(router(10, version=2, password="s3cret"))))
    gathered = apply_for(None, as_nothing, state="gathered").run()["gathered"]
    assert gathered["virtual_routers"][0]["password"] == "*" * 12
    file.unlink()
    assert apply_for(None, as_nothing, state="gathered").run()["gathered"]["virtual_routers"] == []
