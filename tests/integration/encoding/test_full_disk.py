"""While the encoder's disk is full, ffmpeg reports success but writes empty files.

No track may be left out because of this.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from functions.encoding.model import JobStatus
from functions.encoding.steps import ATTEMPTS, RETRY_S
from functions.encoding.text_plan import TextPlan
from functions.encoding.work_folders import DISK_FULL
from functions.platform.errors import DiskUnavailable
from functions.platform.messages import EncodeAudio, EncodeFront
from tests.support.disks import Disk
from tests.support.encoding_plans import make_audio_plan
from tests.support.machine import FILM, JOB, Machine
from tests.support.media import Sound, make_film

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUBTITLED = replace(FILM, sounds=(Sound(), Sound()), subtitles=("en",))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Mount a disk at `tmp_path`/disk."""
    (tmp_path / "disk").mkdir()
    with Disk.mounted(tmp_path / "disk") as mounted:
        if mounted is None:
            pytest.skip("only root can mount a disk")
        yield mounted


@pytest.fixture
def machine(disk: Disk, tmp_path: Path) -> Machine:
    """Return an encoder that works on the disk, and has a film with two sound tracks and subtitles to encode."""
    del disk
    made = Machine(make_film(SUBTITLED, tmp_path), tmp_path / "disk")
    plan = made.jobs.get_job(JOB).plan
    assert plan
    text = TextPlan("t0", "en", "English", 3, None)
    plan = replace(plan, audio=(make_audio_plan(), make_audio_plan("a1", stream=2)), text=(text,))
    made.jobs.set_status(JOB, JobStatus.ENCODING, plan=plan)
    return made


@pytest.mark.parametrize("track", ["a0", "a1", "t0"])
def test_track_is_encoded_once_the_disk_has_room_again(machine: Machine, disk: Disk, track: str) -> None:
    with disk.full():
        for _ in range(ATTEMPTS - 1):
            with pytest.raises(DiskUnavailable, match=DISK_FULL):
                machine.run(EncodeAudio(JOB, track))
            machine.encode.clock.forward(seconds=RETRY_S)
        last = machine.run(EncodeAudio(JOB, track))
        assert last.messages == (EncodeAudio(JOB, track),), "it is tried again later"
        assert last.delay_s
    job = machine.jobs.get_job(JOB)
    assert (job.status, job.tracks.get(track), job.faults[f"track {track}"].passing) == (
        JobStatus.ENCODING,
        None,
        True,
    )
    machine.encode.clock.forward(seconds=last.delay_s)
    machine.run(EncodeAudio(JOB, track))
    state = machine.jobs.get_job(JOB).tracks[track]
    assert (state.complete, state.fault) == (True, None)
    assert state.size > 0


def test_chunk_is_encoded_once_the_disk_has_room_again(machine: Machine, disk: Disk) -> None:
    with disk.full(), pytest.raises(DiskUnavailable, match=DISK_FULL):
        machine.run(EncodeFront(JOB))
    assert machine.jobs.get_job(JOB).faults["chunk 0"].passing
    machine.encode.clock.forward(seconds=RETRY_S)
    machine.run(EncodeFront(JOB))
    assert machine.jobs.get_job(JOB).chunks_done == {0}
