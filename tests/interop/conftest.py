# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the interop tests. Without root they fail: a test that did not run shows nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.interop.lan import Lan
from tests.interop.participants import ForeignPeer, Vlangate
from tests.lab.rootfs import rootfs
from tests.lab.shell import REPOSITORY


@pytest.fixture(scope="session", autouse=True)
def programs(tmp_path_factory):
    """Our release, built from this checkout, and the peers' root file system."""
    if os.geteuid() != 0:
        pytest.fail("these tests make network namespaces: run them as root")
    build = tmp_path_factory.mktemp("release")
    subprocess.run(
        [sys.executable, str(REPOSITORY / "tools/build_engine.py"), str(build)], check=True
    )
    Vlangate.program = build / "vlangate"
    ForeignPeer.rootfs = rootfs("peers", print)


@pytest.fixture
def lan():
    """A LAN that is gone after the test."""
    made = Lan()
    yield made
    made.remove()
