"""The API app publishes the first seconds of a film before an encoder has seen it, and the encoder continues them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from functions.encoding.formats import mp4_index
from functions.encoding.model import JobStatus, Transition
from functions.platform.messages import PlanEncode
from tests.support.copied_films import LONG, MPD, front_of, shape
from tests.support.encoder import Encoder
from tests.support.encoding_plans import make_plan
from tests.support.media import Film, Sound, make_film
from tests.support.published import Published

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.model import EncodeJob, SourceRef
    from functions.encoding.track_state import TrackState


def test_manifest_that_a_player_reloads_keeps_its_renditions(tmp_path: Path) -> None:
    """A player reloads what `Location` names, or else the manifest with which it began."""
    encoder = Encoder(tmp_path / "storage")
    film = shape(mux=("-movflags", "+faststart")).film
    job_id = encoder.upload(make_film(film, tmp_path))
    assert front_of(encoder).publish(job_id)
    progress = encoder.continue_job(job_id, [PlanEncode(job_id)])
    assert progress.status is JobStatus.READY, progress.reason
    listed: dict[str, list[dict[str, int]]] = {}
    last_at: dict[str, str | None] = {}
    for path, text in encoder.media.versions:
        if path.suffix != ".mpd":
            continue
        mpd = ElementTree.fromstring(text)
        is_growing = mpd.get("type") == "dynamic"
        location = mpd.findtext(f"{MPD}Location")
        counts = {track.get("id", ""): len(list(track.iter(f"{MPD}S"))) for track in mpd.iter(f"{MPD}Representation")}
        assert location == ("original.mpd" if is_growing and path.name == "manifest.mpd" else None)
        if location:
            assert listed[location][-1] == counts, "what a manifest refers to is written first"
        listed.setdefault(path.name, []).append(counts)
        last_at[path.name] = mpd.get("type")
    assert {tuple(counts) for counts in listed["original.mpd"]} == {("c360", "c0")}
    assert len(listed["original.mpd"]) > 2
    assert tuple(listed["manifest.mpd"][-1]) == ("c360", "v234", "c0")
    assert last_at == {"original.mpd": "static", "manifest.mpd": "static"}


def test_first_seconds_are_published_before_an_encoder_begins(tmp_path: Path) -> None:
    """Files that the API app has stored do not change: the encoder writes equal bytes, and its manifests list more."""
    film = make_film(shape(mux=("-movflags", "+faststart")).film, tmp_path)
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.upload(film)
    front = front_of(encoder)
    assert front.publish(job_id)
    progress = encoder.world.service.progress(job_id)
    assert progress
    assert (progress.status, progress.manifest) == (
        JobStatus.QUEUED,
        f"title-{progress.title_id}/{job_id}/manifest.mpd",
    )
    assert 2 <= progress.front_s <= 24
    folder = encoder.published(progress)
    early = Published(folder)
    assert early.is_growing
    assert [track.name for track in early.tracks] == ["c360", "c0"]
    assert early.faults() == []
    assert early.numbers("c360") == list(range(round(progress.front_s * 24)))
    first = next(text for path, text in encoder.media.versions if path.name == "manifest.mpd")
    picture = next(ElementTree.fromstring(first).iter(f"{MPD}SegmentTimeline"))
    assert len(picture) == 1, "the first segment is published before the second one is copied"
    stored = {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in (".m4s", ".mp4") and "c" in path.parent.name
    }

    ready = encoder.continue_job(job_id, [PlanEncode(job_id)])
    assert ready.status is JobStatus.READY, ready.reason
    assert {path: path.read_bytes() for path in stored} == stored
    whole = Published(folder)
    assert [track.name for track in whole.tracks] == ["c360", "v234", "c0"]
    assert whole.faults() == []
    assert whole.numbers("c360") == list(range(LONG))
    assert not front.publish(job_id), "the job has ended"


def test_nothing_is_read_twice_for_the_first_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sound is between the pictures, and is taken from what was read for them."""
    encoder = Encoder(tmp_path / "storage")
    film = make_film(shape(mux=("-movflags", "+faststart")).film, tmp_path)
    job_id = encoder.upload(film)
    read: list[range] = []
    read_range = encoder.media.read_range

    def counted(source: SourceRef, *, offset: int, length: int) -> bytes:
        content = read_range(source, offset=offset, length=length)
        read.append(range(offset, offset + len(content)))
        return content

    monkeypatch.setattr(encoder.media, "read_range", counted)
    monkeypatch.setattr(mp4_index, "READ_AT_ONCE", 16)
    assert front_of(encoder).publish(job_id)
    media = [each for each in read if len(each) > 16 and each.start > read[0].start][1:]
    assert sum(map(len, media)) == len(set().union(*media))


def test_plan_that_an_encoder_has_made_meanwhile_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here, the encoder has found a reason to encode all pictures, so the copied ones must not be listed."""
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.upload(make_film(shape().film, tmp_path))
    jobs = encoder.world.jobs
    advance = jobs.advance_track

    def planned_meanwhile(job: EncodeJob, track: str, state: TrackState, *, codec: str | None) -> EncodeJob:
        if jobs.change_status(job_id, Transition.START_PLANNING):
            jobs.change_status(job_id, Transition.FINISH_PLANNING, plan=make_plan())
        return advance(job, track, state, codec=codec)

    monkeypatch.setattr(jobs, "advance_track", planned_meanwhile)
    assert not front_of(encoder).publish(job_id)
    assert jobs.get_job(job_id).tracks
    assert encoder.media.versions == []


@pytest.mark.parametrize(
    "film",
    [
        shape(name="film.mkv").film,
        shape(sounds=(Sound(codec="libmp3lame"),)).film,
        shape(sounds=(Sound(), Sound(440))).film,
    ],
    ids=["no MP4", "sound to encode", "two sounds"],
)
def test_encoder_publishes_the_first_seconds_of_other_films(film: Film, tmp_path: Path) -> None:
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.upload(make_film(replace(film, frames=120), tmp_path))
    assert not front_of(encoder).publish(job_id)
    job = encoder.world.jobs.get_job(job_id)
    assert (job.tracks, job.playable_at) == ({}, None)
