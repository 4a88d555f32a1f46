"""The real model makes captions of a ready title: the words, their times, and how they are published."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from functions.encoding import captions_encode
from functions.encoding.captions.rule import CaptionsMode
from functions.encoding.captions.worker import MISSING
from functions.encoding.captions_encode import CaptionsStatus
from functions.encoding.model import EncodeJob, JobStatus
from functions.encoding.publication.dash import AUTOMATIC_SCHEME
from functions.platform.messages import PublishTitle
from tests.support.cases import extended
from tests.support.conformance import findings, needs_checker
from tests.support.encoder import Encoder
from tests.support.published import Published
from tests.support.speech import (
    LASTS_S,
    PYTHON,
    SPOKEN,
    WORD_ERROR_RATE,
    make_spoken_film,
    needs_transcriber,
    word_error_rate,
)

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.progress import JobProgress

BEGINS_S = (1.0, 22.0)
FILM_S = 42.0
TIME = r"(\d\d):(\d\d):(\d\d\.\d{3})"


@dataclass(frozen=True)
class Captioned:
    """A title with automatic captions: its job, the folder with its files, and its captions as a text."""

    encoder: Encoder
    progress: JobProgress
    job: EncodeJob
    folder: Path

    @property
    def text(self) -> str:
        assert self.job.captions
        return (self.folder / f"{self.job.captions.track}.vtt").read_text()


def cues_in(text: str) -> list[tuple[float, float, list[str]]]:
    """Return the begin, the end and the lines of each cue."""
    cues = []
    for block in text.split("\n\n"):
        if times := re.search(f"{TIME} --> {TIME}\n", block):
            parts = times.groups()
            begin, end = (int(h) * 3600 + int(m) * 60 + float(s) for h, m, s in (parts[:3], parts[3:]))
            cues.append((begin, end, block[times.end() :].strip().split("\n")))
    return cues


@pytest.fixture(
    scope="module",
    params=[{}, extended({"encrypt_films": "always", "film_keys": "k" * 32})],
    ids=["plain", "encrypted"],
)
def title(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Captioned:
    """Encode a film in which the same is said twice, and make its captions in pieces that divide the second time."""
    folder = tmp_path_factory.mktemp("captions")
    encoder = Encoder(folder / "storage", captions_python=PYTHON, **request.param)
    progress = encoder.encode(make_spoken_film(folder, begins_s=BEGINS_S, lasts_s=FILM_S))
    assert progress.status is JobStatus.READY, progress.reason
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(captions_encode, "PIECE_S", 28)
        job = encoder.make_captions(progress)
    return Captioned(encoder, progress, job, encoder.published(progress))


@needs_transcriber
def test_captions_say_what_is_said_when_it_is_said(title: Captioned) -> None:
    captions = title.job.captions
    assert captions
    assert (captions.status, captions.language, captions.reason) == (CaptionsStatus.COMPLETE, "en", None)
    assert len(captions.done) == 2
    cues = cues_in(title.text)
    assert captions.cues == len(cues) > 8
    said = [
        " ".join(" ".join(lines) for begin, _, lines in cues if part[0] <= begin < part[1])
        for part in ((0, 21), (21, 99))
    ]
    for heard in said:
        assert word_error_rate(SPOKEN, heard) <= WORD_ERROR_RATE, heard
    assert abs(cues[0][0] - BEGINS_S[0]) < 0.5
    assert abs(cues[-1][1] - BEGINS_S[1] - LASTS_S) < 1.5
    assert all(end - begin <= 7 and len(lines) <= 2 and max(map(len, lines)) <= 42 for begin, end, lines in cues)
    assert all(one[1] <= other[0] for one, other in pairwise(cues))


@needs_transcriber
def test_captions_are_a_subtitle_track_that_says_that_it_is_automatic(title: Captioned) -> None:
    assert Published(title.folder).faults() == []
    track = title.job.captions.track if title.job.captions else ""
    mpd, hls = ((title.folder / name).read_text() for name in ("manifest.mpd", "master.m3u8"))
    assert "<Label>English (automatic)</Label>" in mpd
    assert f'<SupplementalProperty schemeIdUri="{AUTOMATIC_SCHEME}" value="true"' in mpd
    assert f"<BaseURL>{track}.vtt</BaseURL>" in mpd
    assert 'NAME="English (automatic)",LANGUAGE="en"' in hls
    assert 'CHARACTERISTICS="public.machine-generated"' in hls
    playback = title.encoder.world.world.catalogue.get(title.progress.title_id).playback
    assert playback
    assert [(each.name, each.label, each.automatic) for each in playback.subtitles] == [
        (track, "English (automatic)", True)
    ]
    assert playback.complete


@needs_transcriber
@needs_checker
def test_manifest_with_automatic_captions_conforms(title: Captioned) -> None:
    assert findings("manifest.mpd", folder=title.folder) == ""


@needs_transcriber
def test_captions_that_storage_has_lost_are_made_again_and_not_listed_meanwhile(title: Captioned) -> None:
    encoder, before = title.encoder, title.text
    assert title.job.captions
    name = f"{title.job.id}/{title.job.captions.track}.vtt"
    encoder.media.delete_blob(title.folder.parent.name, name)
    encoder.world.jobs.schedule_verification(title.job.id, at=encoder.world.clock(), repair=True)
    encoder.world.run(PublishTitle(title.job.id, verify=True), encoder.pipeline)
    lost = encoder.job(title.progress)
    assert lost.status is JobStatus.READY
    assert lost.captions
    assert lost.captions.status is CaptionsStatus.ENCODING
    assert "automatic" not in (title.folder / "manifest.mpd").read_text()
    assert encoder.world.world.catalogue.get(title.progress.title_id).playback.subtitles == ()  # type: ignore[union-attr]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(captions_encode, "PIECE_S", 28)
        while encoder.world.captions.list_unfinished(limit=1):
            encoder.captions_pipeline.run_next()
    assert title.text == before
    assert "automatic" in (title.folder / "manifest.mpd").read_text()
    assert encoder.job(title.progress).remakes == 0


@needs_transcriber
def test_a_film_in_silence_gets_no_track_and_is_not_tried_again(tmp_path: Path) -> None:
    encoder = Encoder(tmp_path / "storage", captions_python=PYTHON)
    progress = encoder.encode(make_spoken_film(tmp_path, begins_s=(), lasts_s=6))
    captions = encoder.make_captions(progress).captions
    assert captions
    assert (captions.status, captions.cues) == (CaptionsStatus.COMPLETE, 0)
    assert captions.ended_at
    assert "text/vtt" not in (encoder.published(progress) / "manifest.mpd").read_text()
    assert not (encoder.published(progress) / "t0.vtt").exists()
    assert encoder.world.captions.list_unfinished(limit=9) == []


def test_without_the_packages_the_job_says_what_is_missing_and_the_title_stays(tmp_path: Path) -> None:
    encoder = Encoder(tmp_path / "storage", captions_python=str(tmp_path / "missing" / "python"))
    progress = encoder.encode(make_spoken_film(tmp_path, begins_s=(0.0,), lasts_s=6, language="und"))
    assert encoder.make_captions_once(progress, CaptionsMode.ASSUMED).captions
    captions = encoder.job(progress).captions
    assert captions
    assert (captions.status, captions.reason, captions.attempts) == (CaptionsStatus.ENCODING, MISSING, {})
    shown = encoder.world.service.progress(progress.job_id)
    assert shown
    assert shown.captions
    assert shown.captions.reason == MISSING
    assert shown.status is JobStatus.READY
