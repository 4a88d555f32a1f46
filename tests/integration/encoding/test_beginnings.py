"""The step that plans a film also stores the beginning of its copied tracks, so that its first picture waits for no
other film."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from functions.encoding.copying import copy_worker
from functions.encoding.copying.track_copier import CannotCopy, TrackCopier
from functions.encoding.model import JobStatus
from functions.platform.messages import EncodeAudio, EncodeFront, PlanEncode, PublishTitle
from tests.support.encoder import Encoder
from tests.support.media import H264, Film, make_film
from tests.support.published import Published

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.model import EncodeJob
    from functions.encoding.outcomes import StepMessage

FILM = Film(frames=24 * 20, width=640, height=360, video=(*H264, "-g", "48"))
"""A film whose pictures and sound are copied."""


def planned(encoder: Encoder, film: Film, folder: Path) -> tuple[EncodeJob, list[StepMessage]]:
    """Upload and plan a film; return its job, and the messages for the steps that are left."""
    job_id = encoder.upload(make_film(film, folder))
    outcome = encoder.world.run(PlanEncode(job_id), encoder.pipeline)
    assert outcome
    assert outcome.job.plan
    assert outcome.job.plan.copied
    assert EncodeFront(job_id) in outcome.messages
    return encoder.world.jobs.get_job(job_id), [*outcome.messages]


def tracks_of(messages: list[StepMessage]) -> list[str]:
    """Return the tracks for which there are messages."""
    return sorted(message.track for message in messages if isinstance(message, EncodeAudio))


def published(encoder: Encoder, job: EncodeJob) -> Published:
    return Published(encoder.media.path_of(f"title-{job.title_id}", f"{job.id}/manifest.mpd").parent)


@pytest.mark.parametrize("group", ["48", "480"], ids=["ten groups of pictures", "one group of pictures"])
def test_short_film_can_be_watched_to_its_end_once_it_is_planned(group: str, tmp_path: Path) -> None:
    encoder = Encoder(tmp_path / "storage")
    film = replace(FILM, frames=24 * 10, video=(*H264, "-g", group))
    job, left = planned(encoder, film, tmp_path)
    assert tracks_of(left) == []
    assert job.playable_at
    found = published(encoder, job)
    assert not found.is_growing
    assert {track.name for track in found.tracks} == {"c360", "c0"}
    assert found.faults() == []
    assert found.numbers("c360") == list(range(film.frames))


def test_first_seconds_of_a_long_film_can_be_watched_once_it_is_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_worker, "SHORT_S", 19)
    monkeypatch.setattr(copy_worker, "BEGINNING_S", 8)
    encoder = Encoder(tmp_path / "storage")
    job, left = planned(encoder, FILM, tmp_path)
    assert tracks_of(left) == ["c0", "c360"]
    assert job.playable_at
    found = published(encoder, job)
    assert found.is_growing
    assert found.faults() == []
    ends = [sum(track.spans[-1]) / track.timescale for track in found.tracks]
    assert all(4 <= end <= 12 for end in ends), ends
    progress = encoder.continue_job(job.id, left)
    assert progress.status is JobStatus.READY, progress.reason
    assert published(encoder, job).faults() == []


def test_film_whose_sound_is_encoded_can_be_watched_once_its_first_chunk_is_encoded(tmp_path: Path) -> None:
    encoder = Encoder(tmp_path / "storage")
    job, left = planned(encoder, replace(FILM, name="film.mkv"), tmp_path)
    assert tracks_of(left) == []
    assert not job.playable_at
    for message in (EncodeFront(job.id), PublishTitle(job.id)):
        encoder.world.run(message, encoder.pipeline)
    assert encoder.world.jobs.get_job(job.id).playable_at
    assert published(encoder, job).faults() == []


def test_copy_that_turns_out_to_be_unsuitable_is_left_to_its_own_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Encoder(tmp_path / "storage")

    def damaged(*arguments: object, **named: object) -> None:
        raise CannotCopy("The film's own pictures are damaged.")

    with monkeypatch.context() as broken:
        broken.setattr(TrackCopier, "copy_picture", damaged)
        job, left = planned(encoder, FILM, tmp_path)
        assert tracks_of(left) == ["c360"]
    progress = encoder.continue_job(job.id, left)
    assert progress.status is JobStatus.READY, progress.reason
    assert published(encoder, job).faults() == []
