# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renews leases in a thread of its own. Layer L4.

The kernel has one lock for all changes of links and addresses, in all namespaces. Whoever asks for
one waits while somebody else makes or removes a thousand devices, and a renewal goes with nearly
every advertisement: so the loop hands it over here and goes on.
"""

from __future__ import annotations

import itertools
import threading
from typing import Dict, List, Mapping, Optional, Tuple

from ..errors import PlatformError
from ..facts import InterfaceAddress
from . import rtnl
from .netlink import NetlinkSocket, Outcome

# An address of the device with this name.
Key = Tuple[str, InterfaceAddress]

# So many are under way together: who cancels waits for those.
_AT_ONCE = 32
# The kernel answers in microseconds, or lets us wait for its lock.
_PATIENCE_S = 30.0


class Renewer:
    """Sends requests, for each address the newest one only. The kernel adds an address that is not
    there: so cancel() before one is taken away."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: Dict[Key, bytes] = {}
        self._refused: List[Tuple[Key, Outcome]] = []
        self._is_busy = False
        self._is_closed = False
        self._thread: Optional[threading.Thread] = None

    def submit(self, requests: Mapping[Key, bytes]) -> None:
        """Send these soon. Never waits."""
        with self._changed:
            self._waiting.update(requests)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="renewer", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def refused(self) -> List[Tuple[Key, Outcome]]:
        """What the kernel refused since the last call."""
        with self._changed:
            refused, self._refused = self._refused, []
        return refused

    def cancel(self) -> None:
        """What has not been sent is forgotten, and nothing is under way when this returns."""
        with self._changed:
            self._waiting.clear()
            self._changed.wait_for(lambda: not self._is_busy, _PATIENCE_S)

    def close(self) -> None:
        """Cancel, and end the thread."""
        self.cancel()
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        netlink = NetlinkSocket(rtnl.NETLINK_ROUTE)
        while True:
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if self._is_closed:
                    break
                keys = list(itertools.islice(self._waiting, _AT_ONCE))
                taken = {key: self._waiting.pop(key) for key in keys}
                self._is_busy = True
            outcomes = self._send(netlink, list(taken.values()))
            with self._changed:
                self._refused += [
                    (key, outcome) for key, outcome in zip(taken, outcomes) if outcome.errno
                ]
        netlink.close()

    @staticmethod
    def _send(netlink: NetlinkSocket, requests: List[bytes]) -> List[Outcome]:
        try:
            return netlink.transact(requests)
        except PlatformError as error:
            return [Outcome(error.errno or -1, str(error))] * len(requests)
