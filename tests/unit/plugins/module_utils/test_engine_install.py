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
from ansible_collections.vlangate.vrrp.plugins.module_utils import engine_install
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


def test_absent_removes_all_but_the_configuration_once(host):
    host.install("1-a").present()
    gone = host.install("1-a")
    assert gone.absent()["release"] is None
    assert len(gone.changes) == 3 and host.running is None
    assert not host.lib.exists() and not host.unit.exists()
    assert (host.root / "etc" / "config.json").exists()
    again = host.install("1-a")
    again.absent()
    assert again.changes == []


def test_absent_in_check_mode_removes_nothing(host):
    host.install("1-a").present()
    install = host.install("1-a", check_mode=True)
    install.absent()
    assert len(install.changes) == 3 and host.running == "1-a" and host.lib.exists()
