# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a host ready to be a gateway: what vrrp_host does, step by step."""

from __future__ import annotations

import glob
import json
import os
import socket
import typing as t

from . import host_files
from .vrrp.config.devices import DEVICE_PREFIX
from .vrrp_module import read_text, write_text

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

NETWORKD = ("/usr/lib/systemd/systemd-networkd", "/lib/systemd/systemd-networkd")
NETWORKMANAGER = ("/usr/sbin/NetworkManager",)
PROC_SYS = "/proc/sys"
# What ip says of an address, or an interface, that is not there.
GONE = ("Cannot assign requested address", "Cannot find device", "Address not found")


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
        """Do what the state says; the facts to return."""
        if self.params["state"] == "absent":
            return self._absent()
        self._present()
        return self._facts()

    def _facts(self, **more: t.Any) -> t.Dict[str, t.Any]:
        changed = bool(self.changes)
        return {"changed": changed, "changes": self.changes, "diff": self.diff, **more}

    def _present(self) -> None:
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

    def _absent(self) -> t.Dict[str, t.Any]:
        """Put back and remove; with networkd, the interfaces that earlier runs wrote, too."""
        devices = [name for _index, name in socket.if_nameindex() if name.startswith(DEVICE_PREFIX)]
        if devices and not self.module.check_mode:
            raise CannotPrepare(
                "the engine still has devices here (%s): remove it first (vrrp_engine, state: "
                "absent)" % ", ".join(devices)
            )
        _wanted, before = host_files.read_sysctl_file(read_text(host_files.SYSCTL_FILE) or "")
        self._remove([host_files.SYSCTL_FILE])
        self._set(before)
        if self._remove([host_files.NETWORKMANAGER_CONF]):
            self._apply("NetworkManager.service", ["nmcli", "general", "reload", "conf"])
        conf_changed = self._remove([host_files.NETWORKD_CONF])
        files = [host_files.UNMANAGED_FILE] if os.path.exists(host_files.UNMANAGED_FILE) else []
        if self.params["manage_interfaces"] == "networkd":
            files += self._written_interfaces()
        given = [] if self.module.check_mode else list(filter(None, map(self._given, files)))
        self._remove(files)
        self._reload_networkd(conf_changed, files)
        for interface, addresses in given:
            self._take(interface, addresses)
        if self.module.check_mode:
            return self._facts()
        ours = (host_files.SYSCTL_FILE, host_files.NETWORKMANAGER_CONF, host_files.NETWORKD_CONF)
        found = [path for path in (*ours, host_files.UNMANAGED_FILE) if os.path.exists(path)]
        return self._facts(left=found + self._written_interfaces())

    def _sysctls(self) -> None:
        wanted = host_files.sysctls(self.interfaces, self.params["forwarding"])
        there, before = host_files.read_sysctl_file(read_text(host_files.SYSCTL_FILE) or "")
        for key in set(wanted) - set(there):
            now = read_text(os.path.join(PROC_SYS, key))
            if now is not None:
                before[key] = now.strip()
        self._files({host_files.SYSCTL_FILE: host_files.sysctl_file(wanted, before)})
        self._set(wanted)

    def _set(self, values: t.Mapping[str, str]) -> None:
        """Sysctls; one that is not there has gone with its interface, or did not come yet."""
        for key, value in values.items():
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
            if not self.params.get("keep_interfaces"):
                gone = [path for path in self._written_interfaces() if path not in files]
            self._remove(gone)
        written = self._files(files)
        self._reload_networkd(conf_changed, gone, written)

    def _reload_networkd(
        self, conf_changed: bool, gone: t.Sequence[str], written: bool = False
    ) -> None:
        """Let networkd read what changed, and take away the devices whose files are gone."""
        if conf_changed:
            # networkd reads its own configuration only when it starts; links stay as they are.
            self._apply("systemd-networkd.service", ["systemctl", "restart", "systemd-networkd"])
        elif gone or written:
            self._apply("systemd-networkd.service", ["networkctl", "reload"])
        for name in map(os.path.basename, gone):
            if name.endswith(".netdev"):
                device = os.path.splitext(name)[0].replace("80-vlangate-", "", 1)
                self._apply("systemd-networkd.service", ["networkctl", "delete", device])

    def _given(self, path: str) -> t.Optional[t.Tuple[str, t.List[str]]]:
        """The interface that has its addresses by this file of ours, and which; None if a file of
        the operator's comes before it, or it is of another kind."""
        settings = [line.partition("=") for line in (read_text(path) or "").splitlines()]
        names = [value for key, _equals, value in settings if key == "Name"]
        addresses = [value for key, _equals, value in settings if key == "Address"]
        if not names or not addresses or self._network_file(names[0]) != os.path.basename(path):
            return None
        return names[0], addresses

    def _take(self, interface: str, addresses: t.Sequence[str]) -> None:
        """networkd leaves an interface alone of which it has no file any more, as it is."""
        for address in addresses:
            command = ["ip", "address", "del", address, "dev", interface]
            code, _output, error = self.module.run_command(command)
            if code != 0 and not any(words in error for words in GONE):
                raise CannotPrepare("%s: %s" % (" ".join(command), error.strip()))

    def _written_interfaces(self) -> t.List[str]:
        """The files of interfaces that a run of ours wrote."""
        pattern = os.path.join(host_files.NETWORK_DIRECTORY, "%s80-vlangate%s")
        return sorted(glob.glob(pattern % ("", "-*")) + glob.glob(pattern % ("*.d/", ".conf")))

    def _remove(self, paths: t.Sequence[str]) -> bool:
        """Remove files, and the directories of drop-ins that become empty; True when one was."""
        found = [path for path in paths if os.path.exists(path)]
        for path in found:
            self.changes.append("%s removed" % path)
            self._show(path, read_text(path) or "", "")
            if self.module.check_mode:
                continue
            os.unlink(path)
            directory = os.path.dirname(path)
            if directory.endswith(".d") and not os.listdir(directory):
                os.rmdir(directory)
        return bool(found)

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
