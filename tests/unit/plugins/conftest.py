# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for what a module meets on a router: AnsibleModule's services, and the daemon."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import threading

import pytest


class Failed(Exception):
    """fail_json was called; facts are what it was given."""

    def __init__(self, facts):
        super().__init__(facts["msg"])
        self.facts = facts


class StandInModule:
    """The services of AnsibleModule that our code uses. answers: command -> (code, out, error)."""

    def __init__(self, tmpdir, params, check_mode=False):
        self.tmpdir = str(tmpdir)
        self.params = params
        self.check_mode = check_mode
        self.no_log_values = set()
        self.commands = []
        self.answers = {}

    def run_command(self, argv, check_rc=False):
        self.commands.append(list(argv))
        for words, answer in self.answers.items():
            if words in " ".join(argv):
                code, output, error = answer(argv) if callable(answer) else answer
                break
        else:
            code, output, error = 0, "", ""
        if check_rc and code != 0:
            self.fail_json(msg=error)
        return code, output, error

    def atomic_move(self, source, destination):
        shutil.move(source, destination)

    def fail_json(self, **facts):
        raise Failed(facts)

    def ran(self, words):
        """How often a command with these words was run."""
        return len([argv for argv in self.commands if words in " ".join(argv)])


class StandInDaemon:
    """Answers on a control socket. answers: method -> result, or a function that gives it.

    A result with the key "error" is sent as one.
    """

    def __init__(self, directory):
        self.runtime_dir = str(directory)
        self.answers = {}
        self.asked = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(os.path.join(self.runtime_dir, "control.sock"))
        self._socket.listen(4)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()
        os.unlink(os.path.join(self.runtime_dir, "control.sock"))

    def _serve(self):
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                for line in stream:
                    request = json.loads(line.decode())
                    self.asked.append(request["method"])
                    answer = self.answers[request["method"]]
                    result = answer(request["params"]) if callable(answer) else answer
                    key = "error" if "error" in result else "result"
                    reply = {"v": 1, "id": request["id"], key: result.get("error", result)}
                    stream.write(json.dumps(reply).encode() + b"\n")
                    stream.flush()


@pytest.fixture
def module_for(tmp_path):
    """Make a StandInModule for parameters."""

    def make(check_mode=False, **params):
        tmpdir = tmp_path / "module-tmp"
        tmpdir.mkdir(exist_ok=True)
        return StandInModule(tmpdir, params, check_mode)

    return make


@pytest.fixture
def runtime_dir():
    """A directory whose path is short enough for a unix socket."""
    directory = tempfile.mkdtemp(prefix="vg-")
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def daemon(runtime_dir):
    """A StandInDaemon that runs."""
    stand_in = StandInDaemon(runtime_dir)
    yield stand_in
    stand_in.close()


@pytest.fixture
def survey():
    """What vrrp_survey returns of a router that needs nothing, and has no virtual router."""
    engine = {"release": "1-a", "wanted": "1-a", "is_wanted": True, "service": "active"}
    return {
        "in_order": True,
        "engine": {**engine, "upgraded": None, "changes": [], "error": None},
        "host_changes": [],
        "changes": [],
        "routers": [],
        "drained": [],
        "drained_all": False,
        "probation": None,
        "problems": [],
    }
