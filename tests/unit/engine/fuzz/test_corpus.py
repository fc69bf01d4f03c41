# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every seed, and every input that once broke a promise, on every Python, without a fuzzer."""

import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "fuzz"))

import mutation
import seeds
from fuzz_targets import TARGETS

from vrrp.errors import VrrpError


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_seed(target):
    found = seeds.seeds(target)
    assert len(found) >= 6
    assert found[len(found) - len(seeds.kept(target)) :] == list(seeds.kept(target).values())
    for data in found:
        TARGETS[target](data)


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_a_little_mutation(target):
    """What the fuzzer does for long, for a moment and without its guidance. Another seed is for
    whoever looks for faults: a change is not refused for what was there before."""
    seed = int(os.environ.get("SEED", "1"))
    print("SEED=%d pytest %s" % (seed, __file__))
    choose = random.Random(seed)
    found = seeds.seeds(target)
    for _count in range(150):
        data = bytearray(choose.choice(found))
        for _change in range(choose.randrange(4)):
            if data:
                data[choose.randrange(len(data))] = choose.randrange(256)
        TARGETS[target](bytes(data[: choose.choice((len(data), choose.randrange(len(data) + 1)))]))
        TARGETS[target](mutation.mutate_lines(choose.choice(found), choose.randrange(1 << 32)))


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_seeds_get_beyond_the_first_check(target):
    """A corpus that is refused at the door would test the door only."""
    accepted = {
        "packets": lambda data: seeds.fuzz_targets._accept(data[1:]),
        "solicitations": lambda data: seeds.fuzz_targets.read_solicitation(data[1:]),
        "config": lambda data: seeds.fuzz_targets.parse_json(data.decode("utf-8", "replace")),
        "control": lambda data: None,
        "journal": lambda data: seeds.fuzz_targets.replay(
            seeds.fuzz_targets.io.StringIO(data.decode("ascii", "replace"), newline="\n")
        ),
    }[target]
    results = []
    for data in seeds.seeds(target):
        try:
            results.append(type(accepted(data)).__name__)
        except VrrpError:
            results.append("refused")
    wanted = {
        "packets": "Accepted",
        "solicitations": "bytes",
        "config": "RouterConfig",
        "journal": "Replay",
    }
    assert target == "control" or wanted[target] in results


def test_a_journal_without_a_packet_is_replayed_up_to_that_event():
    """Beyond it everything would be refused, whatever becomes of the event."""
    first = seeds.seeds("journal")[0]
    broken = seeds.without_its_packet(first)
    assert broken in seeds.seeds("journal")
    for data, event in ((first, None), (broken, "PacketReceived(packet=7)")):
        lines = seeds.fuzz_targets.io.StringIO(data.decode("ascii"), newline="\n")
        difference = seeds.fuzz_targets.replay(lines).difference
        assert (difference and difference.event) == event
