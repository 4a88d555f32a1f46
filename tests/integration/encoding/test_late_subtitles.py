"""Subtitles that are uploaded once a real film is ready: they are published without another encode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.encoding.model import JobStatus
from functions.encoding.publication.manifest_reader import playlists_in, texts_in
from functions.platform.errors import StoreUnavailable
from functions.platform.identifiers import title_id_of
from functions.platform.messages import PublishTitle
from tests.support.conformance import findings, needs_checker
from tests.support.encoder import Encoder
from tests.support.media import Film, Sound, make_film
from tests.support.published import Published

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.progress import JobProgress

TINY = Film(frames=48, width=64, height=36, sounds=(Sound(language="eng"),))
SRT = "1\n00:00:00,000 --> 00:00:01,000\n{}\n"
ASS = "[Script Info]\n[Events]\nFormat: Start, End, Text\nDialogue: 0:00:00.00,0:00:01.00,{\\i1}Hallo\n"


class Owner:
    """Somebody whose film is ready, and who uploads subtitles."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.encoder = Encoder(folder / "storage", **settings)
        self.encoder.world.title_id = title_id_of("film")
        self.film = make_film(TINY, folder)
        self.film = self.film.rename(folder / "film.mkv")
        self.progress: JobProgress = self.encoder.encode(self.film)
        assert self.progress.status is JobStatus.READY, self.progress.reason
        self.verify()

    @property
    def folder(self) -> Path:
        return self.encoder.published(self.progress)

    def put(self, name: str, content: str | bytes) -> None:
        """Upload a file, and handle the event of its arrival."""
        raw = content.encode() if isinstance(content, str) else content
        self.encoder.media.path_of("uploads", name).write_bytes(raw)
        world = self.encoder.world
        assert world.service.subtitles.note_arrival(name) == 1

    def verify(self) -> None:
        """Let the encoder handle the message."""
        job_id, world = self.progress.job_id, self.encoder.world
        if world.jobs.get_job(job_id).verify_at:
            world.run(PublishTitle(job_id, verify=True), self.encoder.pipeline)

    @property
    def said(self) -> dict[str, str]:
        """Return the text of each published subtitle track by its label; DASH, HLS and the catalogue have the same."""
        playback = self.encoder.world.world.catalogue.get(self.progress.title_id).playback
        assert playback
        assert playback.complete
        names = {track.name for track in playback.subtitles}
        assert texts_in((self.folder / "manifest.mpd").read_text()) == {f"{name}.vtt" for name in names}
        listed = playlists_in((self.folder / "master.m3u8").read_text())
        assert {f"{name}.m3u8" for name in names} <= listed
        assert Published(self.folder).faults() == []
        texts = {track.label: (self.folder / f"{track.name}.vtt").read_text() for track in playback.subtitles}
        assert all(text.startswith("WEBVTT\n") for text in texts.values())
        return {label: text.strip().rpartition("\n")[2] for label, text in texts.items()}

    def segments(self) -> dict[str, int]:
        """Return when each segment was written."""
        found = self.folder.rglob("*.m4s")
        return {str(path): path.stat().st_mtime_ns for path in found}


ENCRYPTED = {"encrypt_films": "always", "film_keys": "k" * 32}


@pytest.fixture(scope="module", params=[{}, ENCRYPTED], ids=["plain", "encrypted"])
def owner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Owner:
    return Owner(tmp_path_factory.mktemp("late"), **request.param)


def test_subtitles_of_a_ready_film_are_published_corrected_and_kept(owner: Owner) -> None:
    before, segments = owner.encoder.job(owner.progress), owner.segments()
    owner.put("film.de.srt", SRT.format("Nien."))
    owner.verify()
    assert owner.said == {"German": "Nien."}
    owner.put("film.de.srt", SRT.format("Nein."))
    owner.put("film.fr.forced.ass", ASS)
    owner.verify()
    assert owner.said == {"German": "Nein.", "French (forced)": "<i>Hallo</i>"}
    owner.put("film.de.srt", b"\x00\xff" * 300)
    owner.put("film.it.srt", b"")
    owner.verify()
    assert owner.said == {"German": "Nein.", "French (forced)": "<i>Hallo</i>"}
    shown = owner.encoder.world.service.progress(owner.progress.job_id)
    assert shown
    assert (shown.status, set(shown.notes)) == (
        JobStatus.READY,
        {
            "The new file of the subtitle track “German” is empty, so the earlier one is kept.",
            "The subtitle track “Italian” is empty and was left out.",
        },
    )
    after = owner.encoder.job(owner.progress)
    assert (after.plan, after.tracks, after.chunks_done) == (before.plan, before.tracks, before.chunks_done)
    assert owner.segments() == segments
    assert (after.verified.damaged, after.verify_at) == (0, None)  # type: ignore[union-attr]


@needs_checker
def test_a_manifest_with_late_subtitles_conforms(owner: Owner) -> None:
    owner.put("film.es.srt", SRT.format("No."))
    owner.verify()
    assert owner.said["Spanish"] == "No."
    assert findings("manifest.mpd", folder=owner.folder) == ""


def test_an_encoder_that_is_stopped_between_conversion_and_publication_is_followed_by_one_that_publishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = Owner(tmp_path)
    owner.put("film.de.srt", SRT.format("Nein."))
    with monkeypatch.context() as patch:

        def stopped(*_: object, **__: object) -> None:
            raise StoreUnavailable("The encoder was stopped.")

        patch.setattr(owner.encoder.media, "store_text", stopped)
        with pytest.raises(StoreUnavailable):
            owner.verify()
    assert owner.said == {}
    world = owner.encoder.world
    world.clock.forward(seconds=600)
    world.queues.sent.clear()
    assert world.service.verify_due() == 1, "the timer requests it again, even if the message was lost"
    owner.verify()
    assert owner.said == {"German": "Nein."}
    owner.verify()
    assert owner.encoder.job(owner.progress).late.edition == 1


def test_subtitles_that_arrive_during_the_encode_are_published_once_the_film_is_ready(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    world, encoder = owner.encoder.world, owner.encoder
    job_id = world.upload("0x2", blob=owner.film.name, size=owner.film.stat().st_size)
    planned = encoder.planned(job_id)
    encoder.media.path_of("uploads", "film.en.srt").write_text(SRT.format("No."))
    assert world.service.subtitles.note_arrival("film.en.srt") == 1, "the film that is replaced is played meanwhile"
    owner.verify()
    assert owner.said == {"English": "No."}
    owner.progress = encoder.continue_job(job_id, [*planned.messages])
    assert owner.said == {}
    world.clock.forward(seconds=60)
    assert world.service.verify_due() == 1
    owner.verify()
    assert owner.said == {"English": "No."}


def test_lost_late_subtitles_are_made_again_while_the_title_is_played(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    owner.put("film.de.srt", SRT.format("Nein."))
    owner.verify()
    (track,) = owner.encoder.job(owner.progress).late.tracks
    (owner.folder / f"{track.name}.vtt").unlink()
    owner.encoder.world.jobs.schedule_verification(owner.progress.job_id, at=owner.encoder.world.clock(), repair=True)
    owner.verify()
    assert owner.said == {"German": "Nein."}
    job = owner.encoder.job(owner.progress)
    assert (job.status, job.remakes, job.verified.damaged) == (JobStatus.READY, 0, 0)  # type: ignore[union-attr]
