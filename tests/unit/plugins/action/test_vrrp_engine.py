# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Digest first; the archive travels only when the router asks for it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.vlangate.vrrp.plugins.action import vrrp_engine as plugin
from ansible_collections.vlangate.vrrp.plugins.plugin_utils.engine_archive import EngineArchiveError

MODULE = "vlangate.vrrp.vrrp_engine"


@pytest.fixture
def engine_for(action_for, monkeypatch):
    """An action whose archive is known and whose transfers are noted."""
    archive = SimpleNamespace(manifest={"release": "1-a"}, data=lambda: b"packed")
    monkeypatch.setattr(plugin, "find_pyroute2", lambda: None)
    monkeypatch.setattr(plugin, "build_archive", lambda engine, pyroute2: archive)

    def make(args, results):
        action = action_for(plugin, args, results)
        action.transfers, action.removed = [], []
        shell = SimpleNamespace(join_path=lambda *parts: "/".join(parts))
        action._connection = SimpleNamespace(_shell=shell)
        action._make_tmp_path = lambda: "/tmp/x"
        action._transfer_data = lambda path, data: action.transfers.append((path, data))
        action._fixup_perms2 = lambda paths: None
        action._remove_tmp_path = action.removed.append
        return action

    return make


def test_an_installed_release_is_one_round_trip(engine_for):
    action = engine_for({"timeout": 5}, [{"changed": False}])
    assert action.run(task_vars={}) == {"changed": False}
    assert action.calls == [(MODULE, {"timeout": 5, "manifest": {"release": "1-a"}})]
    assert action.transfers == []


def test_a_missing_release_is_sent_and_cleaned_up(engine_for):
    action = engine_for({}, [{"needs_archive": True}, {"changed": True}])
    assert action.run(task_vars={}) == {"changed": True}
    assert action.transfers == [("/tmp/x/release.tar.gz", b"packed")]
    assert action.calls[1][1]["archive"] == "/tmp/x/release.tar.gz"
    assert action.removed == ["/tmp/x"]


def test_absent_builds_nothing(engine_for, monkeypatch):
    monkeypatch.setattr(plugin, "build_archive", None)
    action = engine_for({"state": "absent"}, [{"changed": True}])
    assert action.run(task_vars={})["changed"]
    assert action.calls == [(MODULE, {"state": "absent"})]


def test_a_release_from_a_file_needs_no_pyroute2(engine_for, monkeypatch):
    monkeypatch.setattr(plugin, "build_archive", None)
    read = []
    packed = SimpleNamespace(manifest={"release": "2-b"}, data=lambda: b"other")
    monkeypatch.setattr(plugin, "read_archive", lambda path: read.append(path) or packed)
    action = engine_for({"source": "x.tar.gz"}, [{"needs_archive": True}, {"changed": True}])
    action._find_needle = lambda folder, name: "/play/%s/%s" % (folder, name)
    assert action.run(task_vars={}) == {"changed": True}
    assert read == ["/play/files/x.tar.gz"]
    assert action.calls[0][1] == {"manifest": {"release": "2-b"}}
    assert action.transfers == [("/tmp/x/release.tar.gz", b"other")]


@pytest.mark.parametrize(
    "args", [{"state": "rollback"}, {"source": "/x.tar.gz", "remote_src": "yes"}]
)
def test_what_is_on_the_router_already_is_one_round_trip(engine_for, monkeypatch, args):
    monkeypatch.setattr(plugin, "build_archive", None)
    action = engine_for(args, [{"changed": True}])
    assert action.run(task_vars={}) == {"changed": True}
    assert action.calls == [(MODULE, args)]


@pytest.mark.parametrize("name", ["manifest", "archive"])
def test_internal_options_are_refused(engine_for, name):
    with pytest.raises(AnsibleActionFail, match=name):
        engine_for({name: "x"}, []).run(task_vars={})


def test_a_release_that_cannot_be_built_is_the_operators_to_solve(engine_for, monkeypatch):
    def missing():
        raise EngineArchiveError("pip install it")

    monkeypatch.setattr(plugin, "find_pyroute2", missing)
    with pytest.raises(AnsibleActionFail, match="pip install it"):
        engine_for({}, []).run(task_vars={})


def test_the_engine_that_is_shipped_is_the_collections_own():
    assert (plugin.ENGINE_ROOT / "version.py").is_file()
    assert (plugin.ENGINE_ROOT / "cli" / "main.py").is_file()
