# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sysctls that are ours for a while, on a directory instead of /proc/sys."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from vrrp.errors import PlatformError
from vrrp.linux import sysctl
from vrrp.linux.sysctl import OwnedSysctls

# An interface name with a dot: as a dotted key it would be ambiguous.
IGNORE = "net/ipv4/conf/eth0.10/arp_ignore"
ANNOUNCE = "net/ipv4/conf/eth0.10/arp_announce"


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for /proc/sys with two sysctls."""
    root = tmp_path / "sys"
    for key in (IGNORE, ANNOUNCE):
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_text("0\n")
    monkeypatch.setattr(sysctl, "_ROOT", "%s/" % root)
    return root


def value(kernel: Path, key: str) -> str:
    """What the kernel has now."""
    return (kernel / key).read_text().strip()


def test_originals_come_back_and_the_file_goes(kernel: Path, tmp_path: Path) -> None:
    file = tmp_path / "sysctls.json"
    owned = OwnedSysctls(str(file))
    (kernel / ANNOUNCE).write_text("1\n")
    owned.own({IGNORE: "1", ANNOUNCE: "2"})
    assert (value(kernel, IGNORE), value(kernel, ANNOUNCE)) == ("1", "2")
    assert json.loads(file.read_text()) == {IGNORE: "0", ANNOUNCE: "1"}
    owned.release([IGNORE])
    assert json.loads(file.read_text()) == {ANNOUNCE: "1"}
    owned.release(owned.names())
    assert (value(kernel, IGNORE), value(kernel, ANNOUNCE)) == ("0", "1")
    assert not file.exists()


def test_the_first_original_is_the_one_that_counts(kernel: Path, tmp_path: Path) -> None:
    """Also when another process goes on after a crash."""
    file = str(tmp_path / "sysctls.json")
    OwnedSysctls(file).own({IGNORE: "1"})
    successor = OwnedSysctls(file)
    successor.own({IGNORE: "8"})
    successor.release(successor.names())
    assert value(kernel, IGNORE) == "0"


def test_what_is_right_already_is_not_ours(kernel: Path, tmp_path: Path) -> None:
    (kernel / IGNORE).write_text("1\n")
    owned = OwnedSysctls(str(tmp_path / "sysctls.json"))
    owned.own({IGNORE: "1"})
    assert owned.names() == ()


def test_a_sysctl_that_went_with_its_interface_is_forgotten(kernel: Path, tmp_path: Path) -> None:
    owned = OwnedSysctls(str(tmp_path / "sysctls.json"))
    owned.own({IGNORE: "1", ANNOUNCE: "2"})
    (kernel / IGNORE).unlink()
    owned.release(owned.names())
    assert owned.names() == ()
    assert value(kernel, ANNOUNCE) == "0"


def test_a_value_that_does_not_take_is_an_error(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel takes a write and keeps another value."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, _data: write(descriptor, b"7"))
    with pytest.raises(PlatformError, match=r"arp_ignore failed: wrote 1, the kernel has 7"):
        sysctl.write(IGNORE, "1")


def test_a_missing_sysctl_is_named(kernel: Path) -> None:
    with pytest.raises(PlatformError, match=r"read net/ipv4/nothing failed: No such file"):
        sysctl.read("net/ipv4/nothing")


@pytest.mark.parametrize(("content", "words"), [("{", "no JSON"), ("[]", "one JSON object")])
def test_a_damaged_file_is_named(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "sysctls.json"
    file.write_text(content)
    with pytest.raises(PlatformError, match=words) as caught:
        OwnedSysctls(str(file))
    assert caught.value.target == str(file)


def test_a_file_that_cannot_be_written_changes_nothing(kernel: Path, tmp_path: Path) -> None:
    owned = OwnedSysctls(str(tmp_path / "missing" / "sysctls.json"))
    with pytest.raises(PlatformError, match="could not be restored later"):
        owned.own({IGNORE: "1"})
    assert value(kernel, IGNORE) == "0"
