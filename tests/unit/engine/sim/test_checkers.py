# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each checker can fail: its own sentence comes up for an engine that breaks its promise."""

import pytest
from broken_engines import BROKEN_ENGINES

from vrrp.sim.run import run_history

SENTENCES = {
    "never yields": ("are both master of", "after healing", "after a better one"),
    "yields to a lower priority": ("after a worse one",),
    "a lower priority than configured is advertised": ("advertises with",),
    "addresses kept in backup": ("is backup, and its kernel holds",),
    "addresses never claimed": (
        "is master, and its kernel holds 0 addresses",
        "frames of hosts to",
        "without announcing it in good order",
    ),
    "master down interval without skew": ("before its time", "which is better"),
    "priority 0 ignored by backups": ("after its time",),
    "priority 0 not answered by a master": ("did not answer priority 0",),
    "priority 0 not sent on a stop": ("left not with priority 0",),
    "advertises only each second interval": ("too late",),
    "advertises after three quarters of each interval": ("too early",),
    "a crowd advertises after half of its interval": ("too early",),
    "answers everything three times": ("storms",),
    "straight to master at startup": ("became master at its start",),
    "a backup advertises": ("sends as backup",),
    "adverts leave with the real MAC": ("sends from",),
    "the simulated loop believes timers before packets": ("unread packets",),
    "forwards for ever after a stop": ("lingered",),
    "falls when it is told to stop": ("the engine fell",),
    "changes its mind each ten seconds": ("during peace",),
    "deaf to Stop": ("has not left at Stop",),
    "answers ARP while it leaves": ("answers ARP while it leaves",),
    "stops forwarding when it has said priority 0": (
        "stopped forwarding before a successor was there",
        "nobody forwarded for",
    ),
    "the rest of a sync group stays master": ("of its sync group is backup",),
    "a drained master keeps its role": ("was drained, and stays master",),
    "takes its role back at once": ("took its role back before a successor had its time",),
    "hands over whenever the configuration changes": ("gave its role away for no reason",),
    "a new release begins anew": ("did not go on as master",),
    "adopts however long it was dead": ("goes on as master after",),
    "renews no lease": ("let the lease of its addresses end",),
    "renews leases whatever it sends": ("renews a lease without an advertisement",),
    "leases of an hour": ("is halted for longer than the lease, and owns addresses",),
    "goes on after a stall as if nothing had happened": ("is master after a worse one",),
    "the simulated loop does not put back what was taken": ("has not put back what was taken",),
    "another name is another virtual router": ("stopped being master for no reason",),
}
SEEDS = 30


@pytest.mark.parametrize("name", SENTENCES)
def test_a_checker_can_fail(name):
    wanted = set(SENTENCES[name])
    with BROKEN_ENGINES[name].apply():
        for seed in range(SEEDS):
            said = "\n".join(run_history(seed).violations)
            wanted = {sentence for sentence in wanted if sentence not in said}
            if not wanted:
                return
    pytest.fail("no checker said %s of the engine %r" % (sorted(wanted), name))
