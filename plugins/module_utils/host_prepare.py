# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a host ready to be a gateway: what vrrp_host does, step by step."""

from __future__ import annotations

import glob
import json
import os
import typing as t

from . import host_files
from .vrrp_module import read_text, write_text

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

NETWORKD = ("/usr/lib/systemd/systemd-networkd", "/lib/systemd/systemd-networkd")
NETWORKMANAGER = ("/usr/sbin/NetworkManager",)
PROC_SYS = "/proc/sys"


class CannotPrepare(Exception):
    """The host does not have what was asked for; the message says what to do."""


class HostPrepare:
    """One run of vrrp_host."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: t.Dict[str, t.Any] = module.params
        self.interfaces: t.List[t.Dict[str, t.Any]] = module.params["interfaces"]
        self.changes: t.List[str] = []
        self.diff: t.List[t.Dict[str, str]] = []

    def run(self) -> t.Dict[str, t.Any]:
        """Write, apply; the facts to return."""
        has_networkd = any(map(os.path.exists, NETWORKD))
        manage = self.params["manage_interfaces"] == "networkd"
        if manage and not (has_networkd and self._is_active("systemd-networkd.service")):
            raise CannotPrepare(
                "manage_interfaces is networkd, but systemd-networkd does not run here: start it "
                "(systemctl enable --now systemd-networkd), or set manage_interfaces to none and "
                "make the interfaces yourself"
            )
        self._sysctls()
        has_networkmanager = any(map(os.path.exists, NETWORKMANAGER))
        if has_networkmanager and self._files(host_files.networkmanager_files()):
            self._apply("NetworkManager.service", ["nmcli", "general", "reload", "conf"])
        if has_networkd:
            self._networkd(manage)
        return {"changed": bool(self.changes), "changes": self.changes, "diff": self.diff}

    def _sysctls(self) -> None:
        wanted = host_files.sysctls(self.interfaces, self.params["forwarding"])
        self._files({host_files.SYSCTL_FILE: host_files.sysctl_file(wanted)})
        for key, value in wanted.items():
            path = os.path.join(PROC_SYS, key)
            now = read_text(path)
            if now is None or now.strip() == value:
                continue
            self.changes.append("%s set to %s" % (key, value))
            if not self.module.check_mode:
                with open(path, "w", encoding="ascii") as stream:
                    stream.write(value)

    def _networkd(self, manage: bool) -> None:
        files = host_files.networkd_files()
        conf = {host_files.NETWORKD_CONF: files.pop(host_files.NETWORKD_CONF)}
        gone: t.List[str] = []
        conf_changed = self._files(conf)
        if manage:
            files.update(host_files.interface_files(self.interfaces, self._network_file))
            # A survey has no such option: it tells all that there is to do.
            gone = [] if self.params.get("keep_interfaces") else self._remove_stale(files)
        files_changed = self._files(files) or bool(gone)
        if conf_changed:
            # networkd reads its own configuration only when it starts; links stay as they are.
            self._apply("systemd-networkd.service", ["systemctl", "restart", "systemd-networkd"])
        elif files_changed:
            self._apply("systemd-networkd.service", ["networkctl", "reload"])
        for name in gone:
            if name.endswith(".netdev"):
                device = os.path.splitext(name)[0].replace("80-vlangate-", "", 1)
                self._apply("systemd-networkd.service", ["networkctl", "delete", device])

    def _remove_stale(self, wanted: t.Mapping[str, str]) -> t.List[str]:
        """Remove what an earlier run wrote and this one does not want; the names of the files."""
        pattern = os.path.join(host_files.NETWORK_DIRECTORY, "%s80-vlangate%s")
        ours = glob.glob(pattern % ("", "-*")) + glob.glob(pattern % ("*.d/", ".conf"))
        stale = sorted(path for path in ours if path not in wanted)
        for path in stale:
            self.changes.append("%s removed" % path)
            self._show(path, read_text(path) or "", "")
            if not self.module.check_mode:
                os.unlink(path)
        return [os.path.basename(path) for path in stale]

    def _network_file(self, interface: str) -> t.Optional[str]:
        """The name of the .network file that configures an interface now."""
        code, output, _error = self.module.run_command(
            ["networkctl", "--json=short", "status", interface]
        )
        if code != 0:
            return None
        try:
            path = json.loads(output).get("NetworkFile")
        except ValueError:
            return None
        return os.path.basename(path) if path else None

    def _files(self, files: t.Mapping[str, str]) -> bool:
        """Write what differs; True when something did."""
        changed = False
        for path, text in sorted(files.items()):
            old = read_text(path)
            if old == text:
                continue
            changed = True
            self.changes.append("%s written" % path)
            self._show(path, old or "", text)
            if not self.module.check_mode:
                write_text(self.module, path, text, 0o644)
        return changed

    def _show(self, path: str, before: str, after: str) -> None:
        self.diff.append(
            {"before_header": path, "after_header": path, "before": before, "after": after}
        )

    def _apply(self, unit: str, command: t.List[str]) -> None:
        """Tell a service that runs; one that does not will read the files when it starts."""
        if not self.module.check_mode and self._is_active(unit):
            code, output, error = self.module.run_command(command)
            if code != 0:
                raise CannotPrepare("%s: %s" % (" ".join(command), (error or output).strip()))

    def _is_active(self, unit: str) -> bool:
        return self.module.run_command(["systemctl", "is-active", "--quiet", unit])[0] == 0
