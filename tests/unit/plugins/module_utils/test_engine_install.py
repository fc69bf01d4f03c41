# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install, switch, and go back in the same run."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils import engine_install, engine_removal
from ansible_collections.vlangate.vrrp.plugins.module_utils.engine_install import (
    EngineInstall,
    NotInstalled,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.errors import ControlError


def manifest(release):
    files = {"__main__.py": hashlib.sha256(release.encode()).hexdigest()}
    return {"release": release, "version": "1", "pyroute2": "0.8.1", "files": files}


def archive(path, release):
    files = {"__main__.py": release, "manifest.json": json.dumps(manifest(release))}
    with tarfile.open(str(path), "w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return str(path)


FIRST = {"release": "1-a", "previous": None, "upgraded": "restarted", "restarted": True}


class Host:
    """A router: where files go, and a systemd whose daemon is the current release."""

    def __init__(self, tmp_path, module_for, monkeypatch):
        self.root, self._module_for = tmp_path, module_for
        self.broken = set()
        # Releases that cannot take over, with the daemon's words; those that do and are not well.
        self.refused, self.unwell = {}, set()
        self.running = None
        self.enabled = False
        self.unit = tmp_path / "vlangated.service"
        self.lib = tmp_path / "lib"
        monkeypatch.setattr(engine_install, "UNIT_FILE", str(self.unit))
        monkeypatch.setattr(engine_install, "SYSTEMD_RUNS", str(tmp_path))
        monkeypatch.setattr(engine_install.grp, "getgrnam", lambda name: None)
        monkeypatch.setattr(engine_install, "running_release", lambda runtime_dir: self.running)
        monkeypatch.setattr(engine_install, "wait_until_well", self._wait)
        monkeypatch.setattr(engine_install, "upgrade", self._upgrade)

    def _upgrade(self, runtime_dir, timeout_s):
        assert timeout_s > 15, "the daemon gives up first"
        if self.running is None:
            raise ControlError("unreachable", "nothing answers")
        if self.current in self.refused:
            raise ControlError(*self.refused[self.current])
        self.running = self.current

    def _wait(self, runtime_dir, release, timeout_s):
        if self.running in self.unwell:
            return "groups still in initialize without a reason: v"
        return None if self.running == release else "%s answers" % self.running

    def _restart(self, argv):
        current = self.current
        self.running = None if current in self.broken else current
        return (1, "", "it died") if self.running is None else (0, "", "")

    def _state(self, argv):
        values = (
            "active" if self.running else "inactive",
            "enabled" if self.enabled else "disabled",
        )
        return 0, "ActiveState=%s\nUnitFileState=%s\nNeedDaemonReload=no\n" % values, ""

    def _disable(self, argv):
        self.running, self.enabled = None, False
        return 0, "", ""

    def _enable(self, argv):
        self.enabled = True
        return 0, "", ""

    @property
    def current(self):
        link = self.lib / "current"
        return os.path.basename(os.readlink(str(link))) if link.is_symlink() else None

    def install(self, release, check_mode=False, shipped=True, **options):
        params = {
            "state": "present",
            "source": None,
            "remote_src": False,
            "directory": str(self.lib),
            "config_file": str(self.root / "etc" / "config.json"),
            "runtime_dir": "/run/vlangate",
            "control_group": "vlangate",
            "python": "/bin/sh",
            "launcher": str(self.root / "vlangate"),
            "realtime_priority": 20,
            "manage_service": True,
            "timeout": 1,
            "manifest": manifest(release),
            "archive": archive(self.root / "a.tar.gz", release) if shipped else None,
            **options,
        }
        module = self._module_for(check_mode=check_mode, **params)
        module.answers = {
            "sys.version_info": (0, "3.9\n", ""),
            "features --json": (0, '{"features": {}, "missing": []}', ""),
            "systemctl restart": self._restart,
            "systemctl show": self._state,
            "systemctl disable": self._disable,
            "systemctl enable": self._enable,
            "journalctl": (0, "the last words\n", ""),
        }
        return EngineInstall(module)


@pytest.fixture
def host(tmp_path, module_for, monkeypatch):
    return Host(tmp_path, module_for, monkeypatch)


def test_the_archive_is_asked_for_before_anything_is_touched(host):
    install = host.install("1-a", shipped=False)
    assert install.present() == {"needs_archive": True}
    assert os.listdir(str(host.root)) == ["module-tmp"]


def test_a_first_install_starts_with_an_empty_configuration(host):
    facts = host.install("1-a").present()
    assert facts == FIRST
    assert (host.current, host.running, host.enabled) == ("1-a", "1-a", True)
    assert json.loads((host.root / "etc" / "config.json").read_text())["virtual_routers"] == []


def test_the_second_run_changes_nothing_and_needs_no_archive(host):
    host.install("1-a").present()
    again = host.install("1-a", shipped=False)
    facts = again.present()
    assert facts == {"release": "1-a", "previous": "1-a", "upgraded": None, "restarted": False}
    assert (again.changes, again.diff) == ([], [])
    assert again.module.ran("restart") == 0


def test_an_upgrade_keeps_the_release_before_and_the_configuration(host):
    host.install("1-a").present()
    (host.root / "etc" / "config.json").write_text("mine")
    install = host.install("1-b")
    facts = install.present()
    assert facts["previous"] == "1-a"
    assert (facts["upgraded"], facts["restarted"]) == ("in-place", False)
    assert install.module.ran("restart") == 0
    assert install.changes[-1] == "daemon upgraded in place"
    assert (host.current, host.running) == ("1-b", "1-b")
    assert os.readlink(str(host.lib / "previous")) == "releases/1-a"
    assert (host.root / "etc" / "config.json").read_text() == "mine"


def test_a_release_that_does_not_come_up_is_taken_back_in_the_same_run(host):
    host.install("1-a").present()
    host.install("1-b").present()
    unit = host.unit.read_text()
    host.broken.add("1-c")
    with pytest.raises(NotInstalled) as caught:
        host.install("1-c", realtime_priority=0).present()
    assert (host.current, host.running) == ("1-b", "1-b")
    assert os.readlink(str(host.lib / "previous")) == "releases/1-a"
    assert host.unit.read_text() == unit
    assert caught.value.facts == {"rolled_back": True}
    for words in ("1-c did not come up", "it died", "1-b runs again", "the last words"):
        assert words in str(caught.value)


def test_a_first_release_that_does_not_come_up_leaves_nothing_running(host):
    host.broken.add("1-a")
    with pytest.raises(NotInstalled, match="no release ran before") as caught:
        host.install("1-a").present()
    assert (host.current, host.running, host.enabled) == (None, None, False)
    assert caught.value.facts == {"rolled_back": False}


def test_going_back_that_fails_is_told(host):
    host.install("1-a").present()
    host.broken |= {"1-a", "1-b"}
    with pytest.raises(NotInstalled, match="going back failed as well"):
        host.install("1-b", realtime_priority=0).present()


def test_a_daemon_that_still_runs_another_release_is_upgraded(host):
    host.install("1-a").present()
    host.running = "1-0"
    assert host.install("1-a", shipped=False).present()["upgraded"] == "in-place"
    assert host.running == "1-a"


@pytest.mark.parametrize("code", ("unknown-method", "unreachable"))
def test_a_daemon_that_knows_no_upgrade_is_restarted(host, code):
    host.install("1-a").present()
    host.refused["1-b"] = (code, "no method 'do.upgrade'")
    facts = host.install("1-b").present()
    assert (facts["upgraded"], facts["restarted"]) == ("restarted", True)
    assert host.running == "1-b"


def test_a_changed_unit_needs_a_restart(host):
    host.install("1-a").present()
    install = host.install("1-b", realtime_priority=0)
    assert install.present()["upgraded"] == "restarted"
    assert install.module.ran("restart") == 1


def test_a_release_that_cannot_take_over_leaves_the_old_one_running(host):
    host.install("1-a").present()
    host.install("1-b").present()
    host.refused["1-c"] = ("upgrade-failed", "it was not ready within 15 s")
    install = host.install("1-c")
    with pytest.raises(NotInstalled) as caught:
        install.present()
    assert (host.current, host.running) == ("1-b", "1-b")
    assert os.readlink(str(host.lib / "previous")) == "releases/1-a"
    assert install.module.ran("restart") == 0
    for words in ("not ready within 15 s", "1-b has been running all the while"):
        assert words in str(caught.value)


def test_a_release_that_took_over_and_is_not_well_hands_back_in_place(host):
    host.install("1-a").present()
    host.unwell.add("1-b")
    install = host.install("1-b")
    with pytest.raises(NotInstalled, match=r"still in initialize.*1-a runs again"):
        install.present()
    assert (host.current, host.running) == ("1-a", "1-a")
    assert install.module.ran("restart") == 0


def test_check_mode_foretells_how(host):
    host.install("1-a").present()
    install = host.install("1-b", check_mode=True)
    assert install.present()["upgraded"] == "in-place"
    assert host.running == "1-a" and "daemon upgraded in place" in install.changes


def test_a_damaged_release_is_installed_again(host):
    host.install("1-a").present()
    (host.lib / "releases" / "1-a" / "__main__.py").write_text("else")
    assert host.install("1-a", shipped=False).present() == {"needs_archive": True}
    host.install("1-a").present()
    assert (host.lib / "releases" / "1-a" / "__main__.py").read_text() == "1-a"


def test_check_mode_tells_the_same_and_touches_nothing(host):
    install = host.install("1-a", check_mode=True, shipped=False)
    assert install.present() == FIRST
    assert "daemon restarted" in install.changes
    assert "release 1-a\n" in install.diff[0]["after"]
    assert os.listdir(str(host.root)) == ["module-tmp"]


def test_missing_kernel_features_are_listed_before_anything_is_switched(host):
    install = host.install("1-a")
    missing = ["no macvlan: load the module", "no raw sockets: run as root"]
    install.module.answers["features --json"] = (2, json.dumps({"missing": missing}), "")
    with pytest.raises(NotInstalled) as caught:
        install.present()
    assert caught.value.facts == {"missing": missing}
    assert all(sentence in str(caught.value) for sentence in missing)
    assert host.current is None and os.listdir(str(host.lib / "releases")) == []


def test_a_release_that_does_not_run_here_is_not_switched_to(host):
    install = host.install("1-a")
    install.module.answers["features --json"] = (1, "", "SyntaxError: invalid syntax")
    with pytest.raises(NotInstalled, match="SyntaxError"):
        install.present()
    assert host.current is None


@pytest.mark.parametrize(
    "version, words",
    [((0, "3.7\n", ""), "is 3.7"), ((1, "", "bad"), "does not work: bad")],
)
def test_an_unfit_python_is_named_before_anything_is_touched(host, version, words):
    install = host.install("1-a")
    install.module.answers["sys.version_info"] = version
    with pytest.raises(NotInstalled, match=words):
        install.present()
    assert not host.lib.exists()


def test_a_missing_python_is_named(host):
    with pytest.raises(NotInstalled, match="/nonexistent, which is not there"):
        host.install("1-a", python="/nonexistent").present()


def test_a_runtime_dir_elsewhere_is_refused(host):
    with pytest.raises(NotInstalled, match="below /run"):
        host.install("1-a", runtime_dir="/var/vlangate").present()


def test_a_host_without_systemd_is_told_what_to_do(host, monkeypatch):
    monkeypatch.setattr(engine_install, "SYSTEMD_RUNS", str(host.root / "none"))
    with pytest.raises(NotInstalled, match="manage_service to false"):
        host.install("1-a").present()
    assert not host.lib.exists()


def test_without_a_service_only_files_are_installed(host):
    install = host.install("1-a", manage_service=False, runtime_dir="/var/vlangate")
    assert install.present()["restarted"] is False
    assert host.current == "1-a"
    assert not host.unit.exists() and install.module.ran("systemctl") == 0


def test_three_releases_are_kept(host):
    for release in ("1-a", "1-b", "1-c", "1-d"):
        host.install(release).present()
    assert len(os.listdir(str(host.lib / "releases"))) == 3


def rolled_back(host, **options):
    return host.install("1-b", state="rollback", manifest=None, archive=None, **options)


def test_rollback_runs_the_release_before_in_place_once(host):
    host.install("1-a").present()
    host.install("1-b", realtime_priority=0).present()
    unit = host.unit.read_text()
    install = rolled_back(host)
    facts = install.run()
    assert (facts["release"], facts["previous"], facts["upgraded"]) == ("1-a", "1-b", "in-place")
    assert (host.current, host.running, host.unit.read_text()) == ("1-a", "1-a", unit)
    assert install.changes == ["current is 1-a", "daemon upgraded in place"]
    again = rolled_back(host)
    assert again.run()["release"] == "1-a"
    assert (again.changes, host.running) == ([], "1-a")


def test_after_a_rollback_it_goes_forth_and_back_again(host):
    host.install("1-a").present()
    host.install("1-b").present()
    rolled_back(host).run()
    assert host.install("1-b", shipped=False).present()["upgraded"] == "in-place"
    assert host.running == "1-b"
    assert rolled_back(host).run()["release"] == host.running == "1-a"


def test_rollback_in_check_mode_tells_the_same_and_touches_nothing(host):
    host.install("1-a").present()
    host.install("1-b").present()
    install = rolled_back(host, check_mode=True)
    assert install.run()["release"] == "1-a"
    assert install.changes == ["current is 1-a", "daemon upgraded in place"]
    assert (host.current, host.running) == ("1-b", "1-b")
    assert os.readlink(str(host.lib / "previous")) == "releases/1-a"


def test_a_release_before_that_cannot_take_over_is_started(host):
    """Whoever goes back wants to be rid of what runs, in place or not."""
    host.install("1-a").present()
    host.install("1-b").present()
    host.refused["1-a"] = ("upgrade-failed", "it does not know this form")
    install = rolled_back(host)
    assert install.run()["upgraded"] == "restarted"
    assert (host.current, host.running, install.module.ran("restart")) == ("1-a", "1-a", 1)


def test_a_release_before_that_does_not_come_up_leaves_what_ran(host):
    host.install("1-a").present()
    host.install("1-b").present()
    host.refused["1-a"] = ("upgrade-failed", "x")
    host.broken.add("1-a")
    with pytest.raises(NotInstalled, match=r"1-a did not come up.*1-b runs again"):
        rolled_back(host).run()
    assert (host.current, host.running) == ("1-b", "1-b")
    assert os.readlink(str(host.lib / "previous")) == "releases/1-a"


def test_without_a_sound_release_before_nothing_is_touched(host):
    with pytest.raises(NotInstalled, match="there was none before"):
        rolled_back(host).run()
    host.install("1-a").present()
    with pytest.raises(NotInstalled, match="there was none before"):
        rolled_back(host).run()
    host.install("1-b").present()
    (host.lib / "releases" / "1-a" / "__main__.py").write_text("else")
    with pytest.raises(NotInstalled, match="1-a is damaged"):
        rolled_back(host).run()
    assert (host.current, host.running) == ("1-b", "1-b")


def test_a_release_that_is_on_the_router_needs_no_controller(host):
    path = archive(host.root / "stick.tar.gz", "1-a")
    install = host.install("1-a", manifest=None, archive=None, source=path, remote_src=True)
    assert install.run()["release"] == host.running == "1-a"
    again = host.install("1-a", manifest=None, archive=None, source=path, remote_src=True)
    assert again.run()["upgraded"] is None and again.changes == []
    assert os.path.exists(path)


@pytest.mark.parametrize("content", [None, b"x", b""])
def test_what_is_no_release_is_refused(host, content):
    path = host.root / "stick.tar.gz"
    if content is not None:
        path.write_bytes(content)
    options = {"manifest": None, "archive": None, "source": str(path), "remote_src": True}
    with pytest.raises(NotInstalled, match="is no release of the engine"):
        host.install("1-a", **options).run()
    assert not host.lib.exists()


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "a/../../x"])
def test_a_release_that_reaches_out_of_its_directory_is_refused(host, name):
    path = host.root / "stick.tar.gz"
    text = json.dumps({**manifest("1-a"), "files": {name: "0"}})
    with tarfile.open(str(path), "w:gz") as tar:
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text.encode()))
    options = {"manifest": None, "archive": None, "source": str(path), "remote_src": True}
    with pytest.raises(NotInstalled, match="files elsewhere"):
        host.install("1-a", **options).run()
    assert not host.lib.exists()


def test_without_anything_to_install_nothing_is_touched(host):
    with pytest.raises(NotInstalled, match="nothing to install"):
        host.install("1-a", manifest=None).run()


@pytest.fixture
def gone(host, monkeypatch):
    """Removes what was installed."""
    monkeypatch.setattr(engine_removal, "UNIT_FILE", str(host.unit))
    monkeypatch.setattr(engine_removal, "STATE_DIRECTORIES", str(host.root / "var"))
    monkeypatch.setattr(engine_removal, "running_release", lambda runtime_dir: host.running)
    monkeypatch.setattr(engine_removal, "_is_group", lambda name: "vlangate" in host.groups)
    monkeypatch.setattr(engine_removal.socket, "if_nameindex", lambda: host.devices)
    host.groups, host.devices = {"vlangate"}, [(1, "lo")]
    runtime_dir = host.root / "run" / "vlangate"

    def remove(check_mode=False, **options):
        module = host.install(
            "1-a",
            check_mode=check_mode,
            **{"state": "absent", "purge": False, "runtime_dir": str(runtime_dir), **options},
        ).module
        module.answers["groupdel"] = lambda argv: (host.groups.clear(), (0, "", ""))[1]
        return engine_removal.EngineRemoval(module)

    return remove


def test_absent_removes_all_but_what_makes_this_router_this_one(host, gone):
    host.install("1-a").present()
    removal = gone()
    facts = removal.run()
    config = str(host.root / "etc" / "config.json")
    assert (facts["release"], facts["previous"]) == (None, "1-a")
    assert (len(removal.changes), host.running) == (3, None)
    assert not host.lib.exists() and not host.unit.exists()
    assert facts["left"] == [config, "group vlangate"]
    assert removal.module.ran("current cleanup --runtime-dir") == 1
    again = gone()
    assert again.run()["left"] == facts["left"]
    assert (again.changes, again.module.commands) == ([], [])


def memory(host):
    directory = host.root / "var" / "vlangate"
    directory.mkdir(parents=True)
    for name in ("last-good.json", "drained.json", "probation.json.new"):
        (directory / name).write_text("{}")
    return directory


def test_a_purge_leaves_nothing(host, gone):
    host.install("1-a").present()
    directory = memory(host)
    asked = gone(check_mode=True, purge=True)
    asked.run()
    assert directory.is_dir() and host.running == "1-a"
    removal = gone(purge=True)
    assert removal.run()["left"] == []
    assert removal.changes == asked.changes
    assert not directory.exists() and not (host.root / "etc").exists()
    again = gone(purge=True)
    again.run()
    assert again.changes == []


def test_what_others_put_beside_our_files_stays_and_is_told(host, gone):
    host.install("1-a").present()
    directory = memory(host)
    for path in (directory, host.lib, host.root / "etc"):
        (path / "mine").write_text("x")
    host.devices.append((9, "vg-vlan10-v4"))
    left = gone(purge=True).run()["left"]
    assert left == [str(host.lib), str(directory), "device vg-vlan10-v4"]
    for path in (directory, host.lib, host.root / "etc"):
        assert os.listdir(str(path)) == ["mine"]


def test_a_group_of_another_name_is_not_ours_to_remove(host, gone):
    host.install("1-a").present()
    removal = gone(purge=True, control_group="root")
    removal.run()
    assert removal.module.ran("groupdel") == 0


def test_a_daemon_that_nobody_stops_keeps_its_files(host, gone):
    host.install("1-a").present()
    with pytest.raises(NotInstalled, match="1-a still answers"):
        gone(manage_service=False).run()
    assert host.current == "1-a"


def test_absent_in_check_mode_removes_nothing(host, gone):
    host.install("1-a").present()
    removal = gone(check_mode=True)
    assert "left" not in removal.run()
    assert len(removal.changes) == 3 and host.running == "1-a" and host.lib.exists()
