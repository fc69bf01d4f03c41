# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection works as it is installed: built, installed without a network, away from here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List

import pytest

from tests.lab.control import temporary_lab
from tests.lab.shell import REPOSITORY
from tests.lab.topology import LabSpec

PLAY_S = 900


@pytest.fixture(scope="module", autouse=True)
def _able() -> None:
    if os.geteuid() != 0:
        pytest.fail("the lab makes namespaces and boots routers: run its tests as root")


def run(argv: List[str], cwd: Path, env: Dict[str, str]) -> str:
    done = subprocess.run(
        argv, cwd=str(cwd), env=env, text=True, timeout=PLAY_S, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def test_a_site_by_the_installed_collection(tmp_path: Path) -> None:
    with temporary_lab(LabSpec("i%d" % os.getpid())) as lab:
        env = dict(lab.environment(), ANSIBLE_COLLECTIONS_PATH=str(tmp_path / "installed"))
        env.update(ANSIBLE_NOCOLOR="1", ANSIBLE_LOCAL_TEMP=str(tmp_path / "tmp"))
        galaxy = ["ansible-galaxy", "collection"]
        # Without the site of the tests: whatever it needs besides has to be in the archive.
        run([*galaxy, "build", "--output-path", str(tmp_path)], REPOSITORY, env)
        archive = next(tmp_path.glob("*.tar.gz"))
        installed = ["-p", str(tmp_path / "installed"), str(archive)]
        run([*galaxy, "install", "--offline", *installed], tmp_path, env)
        shutil.copytree(REPOSITORY / "tests/lab/site", tmp_path / "site")
        hosts = str(lab.directory / "inventory/hosts.json")
        play = ["ansible-playbook", "-i", "site/inventory.yml", "-i", hosts, "vlangate.vrrp.site"]
        assert "failed=0" in run([*play, "--check", "--diff"], tmp_path, env)
        assert lab.execute("gw1", ["sh", "-c", "ls /usr/lib/vlangate || true"]) == ""
        run(play, tmp_path, env)
        assert "changed=0" in run(play, tmp_path, env)
        release = lab.execute("gw1", ["readlink", "/usr/lib/vlangate/current"])
        assert release.startswith("releases/")
