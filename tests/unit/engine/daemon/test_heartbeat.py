# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The heartbeat: what is written with each advertisement, and what a later process reads."""

import os

import pytest
from engine_kit.driver import master
from engine_kit.ports import FakeLog
from engine_kit.values import NS_PER_MS, NS_PER_S, T0, config, group, group6

from vrrp.config.model import ChecksumMode
from vrrp.daemon.heartbeat import (
    FILE_NAME,
    Beat,
    Heartbeat,
    NoHeartbeat,
    beats_of,
    open_heartbeat,
    remaining_lease_s,
)
from vrrp.errors import PlatformError
from vrrp.router.actions import RenewLeases, TransmitFrame
from vrrp.wire.checksum import ChecksumForm

MAC = bytes.fromhex("00005e00010a")


def frame_of(wanted, priority=None):
    """The advertisement of a master with this configuration."""
    (bound,) = master(config(wanted)).router.bound_routers()
    own = bound.parameters
    chosen = own.priority if priority is None else priority
    return bound.advertisement(chosen, own.advertisement_interval_cs).frame


@pytest.fixture(name="heartbeat")
def in_a_directory(tmp_path):
    heartbeat = Heartbeat(str(tmp_path))
    yield heartbeat
    heartbeat.close()


def test_an_advertisement_is_written_for_whoever_comes_later(heartbeat, tmp_path):
    heartbeat.beat(7, frame_of(group()), T0)
    expected = {(7, MAC): Beat(T0, 100, ChecksumForm.PSEUDO_HEADER)}
    assert heartbeat.beats() == beats_of(str(tmp_path)) == expected
    assert os.stat(str(tmp_path / FILE_NAME)).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "wanted, interval_cs",
    (
        (group(advertisement_interval_cs=1), 1),
        (group(advertisement_interval_cs=4095), 4095),
        (group6(advertisement_interval_cs=37), 37),
        (group(version=2, advertisement_interval_cs=300), 300),
        (group(version=2, advertisement_interval_cs=25500), 25500),
    ),
)
def test_the_interval_is_the_one_that_the_others_heard(heartbeat, wanted, interval_cs):
    heartbeat.beat(7, frame_of(wanted), T0)
    (beat,) = heartbeat.beats().values()
    assert beat.interval_cs == interval_cs


def test_the_same_frame_again_only_moves_the_time(heartbeat):
    frame = frame_of(group())
    for second in range(3):
        heartbeat.beat(7, frame, T0 + second * NS_PER_S)
    heartbeat.beat(8, frame, T0)
    times = {wire: beat.sent_ns for wire, beat in heartbeat.beats().items()}
    assert times == {(7, MAC): T0 + 2 * NS_PER_S, (8, MAC): T0}


def steady_burst(heartbeat, *wanted):
    """Their advertisements, which beat already."""
    burst = tuple(TransmitFrame(7, frame_of(each)) for each in wanted)
    for each in burst:
        heartbeat.beat(each.ifindex, each.frame, T0)
    return burst


def sent_ns(heartbeat):
    return [beat.sent_ns for _wire, beat in sorted(heartbeat.beats().items())]


def test_a_burst_that_is_steady_is_known_as_a_whole(heartbeat):
    burst = steady_burst(heartbeat, group(), group(vrid=11), group(vrid=12))
    for later in range(1, 4):
        assert heartbeat.steady(burst) is burst
        heartbeat.beat_again(burst, T0 + later)
        assert sent_ns(heartbeat) == [T0 + later] * 3
    heartbeat.beat_again(burst[1:], T0 + 9)
    assert sent_ns(heartbeat) == [T0 + 3, T0 + 9, T0 + 9]


@pytest.mark.parametrize("priority", (0, 50))
def test_a_burst_is_steady_up_to_who_says_something_else(heartbeat, priority):
    burst = steady_burst(heartbeat, group(), group(vrid=11), group(vrid=12))
    assert heartbeat.steady(burst) is burst
    heartbeat.beat(7, frame_of(group(vrid=11), priority), T0 + 1)
    assert list(heartbeat.steady(burst)) == [burst[0]]
    heartbeat.beat(7, burst[1].frame, T0 + 2)
    assert heartbeat.steady(burst) is burst


def test_of_other_actions_only_the_advertisements_before_them_are_steady(heartbeat):
    burst = steady_burst(heartbeat, group(), group(vrid=11))
    actions = (*burst, RenewLeases(("vg-vlan10",)))
    for _time in range(2):
        assert tuple(heartbeat.steady(actions)) == burst
    assert list(heartbeat.steady(())) == []


def test_bursts_that_are_due_no_more_do_not_fill_memory(heartbeat):
    burst = steady_burst(heartbeat, group(), group(vrid=11))
    for _time in range(1000):
        heartbeat.steady((*burst,))
        assert len(heartbeat._bursts) <= 128


def test_another_interval_of_the_same_virtual_router_is_noticed(heartbeat):
    heartbeat.beat(7, frame_of(group()), T0)
    heartbeat.beat(7, frame_of(group(advertisement_interval_cs=20)), T0 + 1)
    assert [each.interval_cs for each in heartbeat.beats().values()] == [20]


def test_who_releases_its_mastership_has_no_record(heartbeat):
    heartbeat.beat(7, frame_of(group()), T0)
    heartbeat.beat(8, frame_of(group()), T0)
    heartbeat.beat(7, frame_of(group(), priority=0), T0 + 1)
    heartbeat.beat(9, frame_of(group(), priority=0), T0 + 1)
    assert list(heartbeat.beats()) == [(8, MAC)]
    heartbeat.beat(7, frame_of(group()), T0 + 2)
    assert heartbeat.beats()[7, MAC].sent_ns == T0 + 2


def test_the_form_of_the_checksum_is_kept(heartbeat):
    heartbeat.beat(7, frame_of(group(checksum=ChecksumMode.RFC9568)), T0)
    assert [each.checksum for each in heartbeat.beats().values()] == [ChecksumForm.MESSAGE]


def test_records_of_another_process_are_taken_over(heartbeat, tmp_path):
    heartbeat.beat(7, frame_of(group()), T0)
    other = Heartbeat(str(tmp_path))
    heartbeat.beat(8, frame_of(group()), T0)
    other.learn()
    other.beat(9, frame_of(group()), T0)
    other.beat(8, frame_of(group()), T0 + 1)
    assert {wire[0]: beat.sent_ns - T0 for wire, beat in other.beats().items()} == {
        7: 0,
        8: 1,
        9: 0,
    }
    other.close()


def test_when_all_records_are_taken_the_oldest_goes(heartbeat):
    frame = frame_of(group())
    for ifindex in range(1, 8193):
        heartbeat.beat(ifindex, frame, T0 + ifindex)
    heartbeat.beat(9000, frame, T0 + 9000)
    beats = heartbeat.beats()
    assert len(beats) == 8192 and (1, MAC) not in beats and (9000, MAC) in beats


@pytest.mark.parametrize("content", (b"", b"vgbeat-0" + bytes(262144), b"vgbeat-1", b"x" * 99))
def test_a_file_of_somebody_else_is_begun_anew(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    heartbeat = Heartbeat(str(tmp_path))
    assert heartbeat.beats() == {}
    heartbeat.beat(7, frame_of(group()), T0)
    heartbeat.close()
    assert list(beats_of(str(tmp_path))) == [(7, MAC)]


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_bytes(b"precious")
    (tmp_path / FILE_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PlatformError):
        Heartbeat(str(tmp_path))
    assert (tmp_path / "elsewhere").read_bytes() == b"precious"


def test_without_room_it_goes_on_without(tmp_path):
    journal = []
    found = open_heartbeat(str(tmp_path / "missing"), FakeLog(journal))
    assert isinstance(found, NoHeartbeat)
    assert "a restart will not go on as master" in journal[0][2]
    found.beat(7, frame_of(group()), T0)
    assert found.beats() == beats_of(str(tmp_path / "missing")) == {}


@pytest.mark.parametrize("sent_ns", (0, T0 + 1))
def test_a_time_of_another_boot_is_none(sent_ns):
    assert Beat(sent_ns, 100, ChecksumForm.MESSAGE).silence_ns(T0) is None


@pytest.mark.parametrize(
    "silences_ms, interval_cs, lease_s",
    (
        ((), 100, 0),
        ((0,), 100, 3),
        ((1,), 100, 3),
        ((1_000,), 100, 2),
        ((2_001,), 100, 1),
        ((3_000,), 100, 0),
        ((90_000,), 100, 0),
        ((500,), 10, 1),
        ((1_000,), 10, 0),
        ((90_000, 2_500, 1_500), 100, 2),
    ),
)
def test_addresses_stay_until_the_last_lease_is_over(silences_ms, interval_cs, lease_s):
    beats = {
        (number, MAC): Beat(T0 - silence_ms * NS_PER_MS, interval_cs, ChecksumForm.MESSAGE)
        for number, silence_ms in enumerate(silences_ms)
    }
    assert remaining_lease_s(beats, T0) == lease_s
