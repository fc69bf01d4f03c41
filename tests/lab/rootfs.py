# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root file systems of the lab, built once by mmdebstrap and cached outside the checkout.

A root file system is named by the digest of its recipe, so a changed recipe builds a new one and
an unchanged one is never touched: the routers' own changes go to overlays above it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Callable, List, Tuple

from .shell import STATE, LabError, locked, run

BUILD_SECONDS = 1800
REPORT_EVERY_LINES = 40
POCKETS = ("", "-updates", "-security")

# What a small Debian router has. udev is absent: the lab makes the interfaces.
ROUTER_PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "python3", "openssh-server", "iproute2", "iputils-ping",
    "nftables", "procps",
)  # fmt: skip
PEER_PACKAGES = ("keepalived", "frr", "tcpdump")
# What a router has on which keepalived is replaced.
KEEPALIVED_PACKAGES = ("keepalived",)
# Masked until a test hands the interfaces of a router over to it.
MANAGER_PACKAGES = ("network-manager",)
MANAGER_UNITS = ("NetworkManager.service", "NetworkManager-wait-online.service")

MASKED_UNITS = (
    "systemd-udevd.service", "systemd-udevd-control.socket", "systemd-udevd-kernel.socket",
    "systemd-udev-trigger.service", "systemd-logind.service", "systemd-resolved.service",
    "systemd-timesyncd.service", "systemd-networkd-wait-online.service", "e2scrub_reap.service",
    "e2scrub_all.timer", "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
    "fstrim.timer", "console-getty.service", "getty@.service", "modprobe@.service",
    "systemd-firstboot.service", "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service", "systemd-pcrphase.service",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
)  # fmt: skip


# The releases that routers are tried on, and what `router` is the same as.
DEBIAN = {"11": "bullseye", "12": "bookworm", "13": "trixie"}


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is in a root file system."""

    kind: str
    packages: Tuple[str, ...]
    enabled: Tuple[str, ...]
    masked: Tuple[str, ...] = MASKED_UNITS
    suite: str = DEBIAN["12"]

    @property
    def digest(self) -> str:
        text = json.dumps([asdict(self), _options(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


ROUTER_UNITS = ("systemd-networkd.service", "ssh.service")
RECIPES = {
    "router": Recipe("router", ROUTER_PACKAGES, ROUTER_UNITS),
    "debian11": Recipe("debian11", ROUTER_PACKAGES, ROUTER_UNITS, suite=DEBIAN["11"]),
    "debian13": Recipe("debian13", ROUTER_PACKAGES, ROUTER_UNITS, suite=DEBIAN["13"]),
    "peers": Recipe("peers", ROUTER_PACKAGES + PEER_PACKAGES, ()),
    "keepalived": Recipe("keepalived", ROUTER_PACKAGES + KEEPALIVED_PACKAGES, ROUTER_UNITS),
    "manager": Recipe(
        "manager",
        ROUTER_PACKAGES + MANAGER_PACKAGES,
        ROUTER_UNITS,
        MASKED_UNITS + MANAGER_UNITS,
    ),
}
# The routers of each release.
ROUTERS = {"11": "debian11", "12": "router", "13": "debian13"}


def cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "vlangate"


def rootfs(kind: str, progress: Callable[[str], None]) -> Path:
    """The root file system of a kind, built first when its recipe has not been built yet."""
    recipe = RECIPES[kind]
    target = cache_directory() / ("rootfs-%s-%s" % (kind, recipe.digest))
    if target.is_dir():
        return target
    lock = target.with_suffix(".lock")
    if lock.exists():
        progress("another run is building the %s root file system: waiting for it" % kind)
    with locked(lock, wait=True):
        if not target.is_dir():
            _build(recipe, target, progress)
            _forget_older(target, progress)
    return target


def _build(recipe: Recipe, target: Path, progress: Callable[[str], None]) -> None:
    """Build beside the target and rename, so that a half-built tree never has its name."""
    progress(
        "building the %s root file system (once; about a minute, %d packages and what they need)"
        % (recipe.kind, len(recipe.packages))
    )
    for leftover in target.parent.glob("rootfs-%s-*.building" % recipe.kind):
        shutil.rmtree(leftover)
    building = target.with_suffix(".building")
    with tempfile.TemporaryDirectory(prefix="vlangate-rootfs-") as scratch:
        sources, settings = Path(scratch) / "sources.list", Path(scratch) / "apt.conf"
        settings.write_text(_apt_settings())
        argv = ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory",
                "--include=" + ",".join(recipe.packages), "--aptopt=" + str(settings),
                *_options(recipe), recipe.suite, str(building)]  # fmt: skip
        mirrors = _mirrors(recipe.suite)
        if mirrors:
            sources.write_text(mirrors)
            argv.append(str(sources))
        try:
            _run_visibly(argv, progress)
            os.rename(building, target)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    progress("built %s (%s MB)" % (target, run(["du", "-smx", str(target)]).split()[0]))


def _options(recipe: Recipe) -> List[str]:
    """Keep the tree small, and make it boot fast and without anything of this machine."""
    options = ["--aptopt=APT::Install-Recommends false", "--aptopt=Acquire::Languages none"]
    for pattern in ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"):
        options.append("--dpkgopt=path-exclude=" + pattern)
    hooks = [
        # Empty, not missing: missing means first boot, and that resets which units are enabled.
        ': > "$1/etc/machine-id"',
        'echo router > "$1/etc/hostname"',
        # Each lab gives its routers a key of its own.
        'rm -f "$1"/etc/ssh/ssh_host_*',
        # Names are not looked up in a lab without a name server.
        'printf "UseDNS no\\nMaxStartups 100\\n" > "$1/etc/ssh/sshd_config.d/lab.conf"',
        'chroot "$1" systemctl mask --quiet ' + " ".join(recipe.masked),
        'chroot "$1" systemctl set-default --quiet multi-user.target',
    ]
    if recipe.enabled:
        hooks.append('chroot "$1" systemctl enable --quiet ' + " ".join(recipe.enabled))
    options += ["--customize-hook=" + hook for hook in hooks]
    return options


def _mirrors(suite: str) -> str:
    """Lines for this machine's own package sources of the suite; empty when it has none.

    A Debian machine's mirror has the other releases, too.
    """
    form = "$(TYPE)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
    own = _own_suite() or suite
    lines = []
    for line in run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
                    check=False).splitlines():  # fmt: skip
        _kind, uri, release, component = line.split("|")
        for pocket in POCKETS:
            if release == own + pocket:
                lines.append("deb %s %s %s" % (uri, suite + pocket, component))
    return "".join(line + "\n" for line in dict.fromkeys(lines))


def _own_suite() -> str:
    """The code name of this machine's Debian; empty when it is something else."""
    words = dict(
        line.replace('"', "").split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    return words.get("VERSION_CODENAME", "") if words.get("ID") == "debian" else ""


def _apt_settings() -> str:
    """How this machine reaches its package sources (proxies, dates), to be used in the same way."""
    wanted = ("Acquire::http", "Acquire::Check-", "Acquire::Retries", "Acquire::AllowInsecure")
    lines = run(["apt-config", "dump"]).splitlines()
    return "".join(line + "\n" for line in lines if line.startswith(wanted))


def _run_visibly(argv: List[str], progress: Callable[[str], None]) -> None:
    """Run a long command, reporting its stages; its last words go into the error."""
    child = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        text=True, errors="replace", start_new_session=True,
    )  # fmt: skip
    overdue = threading.Timer(BUILD_SECONDS, child.terminate)
    overdue.daemon = True
    overdue.start()
    last: List[str] = []
    count = 0
    try:
        assert child.stdout is not None
        for line in child.stdout:
            line = line.strip()
            last = [*last[-15:], line]
            count += line.startswith(("Get:", "Unpacking", "Setting up"))
            stage = line.startswith("I: ") and "hook" not in line
            if stage or count == REPORT_EVERY_LINES:
                progress("  " + line.replace("I: ", "")[:90])
                count = 0
        if child.wait() != 0:
            raise LabError("mmdebstrap failed (%d):\n  %s" % (child.returncode, "\n  ".join(last)))
    finally:
        overdue.cancel()
        if child.poll() is None:
            child.terminate()  # it unmounts what it mounted
            child.wait()


def _forget_older(target: Path, progress: Callable[[str], None]) -> None:
    """Remove the trees of earlier recipes of the same kind, unless a lab stands on one."""
    kind = target.name.rpartition("-")[0]
    in_use = "".join(state.read_text() for state in STATE.glob("*/lab.json"))
    for other in target.parent.glob(kind + "-????????????"):
        if other != target and str(other) not in in_use:
            progress("removing %s, built from an earlier recipe" % other.name)
            shutil.rmtree(other)
