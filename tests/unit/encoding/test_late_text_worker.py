"""Subtitle files that arrive after their film was planned become tracks: once, in their newest readable version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from functions.catalogue.model import Status
from functions.encoding.captions_encode import CaptionsEncode, CaptionsStatus, listed_captions
from functions.encoding.ffmpeg import FFmpeg
from functions.encoding.late_text import late_name
from functions.encoding.model import JobStatus
from functions.encoding.publication.manifest_reader import playlists_in, texts_in
from functions.encoding.publication.manifests import ManifestPublisher
from functions.encoding.text_plan import TextPlan, TrackRole
from functions.encoding.track_state import TrackFault, TrackState
from functions.encoding.tracks import MOST_TEXT, notes_of
from functions.encoding.upkeep.expiries import track_expiries
from functions.encoding.upkeep.retention import REPLACED_KEPT
from functions.platform.errors import StoreUnavailable
from functions.platform.identifiers import container_for
from tests.support.catalogue import make_playback
from tests.support.encoding_plans import make_job, make_plan
from tests.support.encoding_storage import MemoryMedia
from tests.support.encoding_world import EncodeWorld

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.late_text_worker import LateSubtitlesWorker
    from functions.encoding.model import EncodeJob

SRT = b"1\n00:00:01,000 --> 00:00:02,000\n%s\n"
ASS = b"[Script Info]\n[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,{\\i1}Bonjour\n"
NO_FFMPEG = FFmpeg("/nonexistent", "/nonexistent", 100)


class ReadyTitle:
    """A ready film, planned with English subtitles beside it and German ones in it, and an encoder."""

    def __init__(self, folder: Path) -> None:
        self.encode = EncodeWorld()
        self.media = MemoryMedia()
        self.title_id = self.encode.title_id
        self.folder = folder
        self.put("film.en.srt", "Hello.")
        etag = self.media.etag_of("uploads", "film.en.srt")
        english = TextPlan("t0", "en", "English", None, "film.en.srt", etag=etag)
        plan = make_plan(text=(english, TextPlan("t1", "de", "German", 3, None, codec="subrip")))
        tracks = {"a0": TrackState(11, 11 * 192_512, complete=True), "t0": TrackState(complete=True, size=9)}
        job = make_job(
            status=JobStatus.READY,
            title_id=self.title_id,
            plan=plan,
            chunks_done=frozenset(chunk.index for chunk in plan.chunks),
            tracks={**tracks, "t1": TrackState(complete=True, size=9)},
            codecs={"v360": "avc1.4d401e", "v234": "avc1.4d400d", "a0": "mp4a.40.2"},
            ended_at=self.encode.clock(),
        )
        self.encode.jobs.add_job(job)
        self.job_id = job.id
        self.encode.world.catalogue.open_title(self.title_id, stem="film", status=Status.ENCODING)
        self.encode.world.catalogue.mark_playable(self.title_id, make_playback(job.id), complete=True)

    def put(self, blob: str, said: str) -> None:
        """Upload a subtitle file in which one thing is said."""
        self.media.blobs["uploads", blob] = SRT % said.encode()

    def encoder(self) -> LateSubtitlesWorker:
        """Return the worker of another encoder."""
        catalogue, clock = self.encode.world.catalogue, self.encode.clock
        publisher = ManifestPublisher(self.media, catalogue, NO_FFMPEG, work_dir=str(self.folder), now=clock)
        return self.encode.late_worker(self.media, publisher, work_dir=str(self.folder))

    def add(self) -> EncodeJob:
        """Add what has arrived; return the job as it is stored."""
        self.encoder().add_arrived(self.job)
        return self.job

    @property
    def job(self) -> EncodeJob:
        return self.encode.jobs.get_job(self.job_id)

    def text(self, name: str) -> str:
        """Return a text in the folder of the job."""
        return self.media.read_text(container_for(self.title_id), f"{self.job_id}/{name}") or ""

    @property
    def listed(self) -> list[tuple[str, str]]:
        """Return the label and the text of each subtitle track; they are the same in DASH, HLS and the catalogue."""
        playback = self.encode.world.catalogue.get(self.title_id).playback
        assert playback
        names = {f"{each.name}.vtt" for each in playback.subtitles}
        assert texts_in(self.text("manifest.mpd")) == names
        assert {name for name in playlists_in(self.text("master.m3u8")) if name[0] in "st"} == {
            name.replace(".vtt", ".m3u8") for name in names
        }
        said = {each.name: self.text(f"{each.name}.vtt").strip().rpartition("\n")[2] for each in playback.subtitles}
        return [(each.label, said[each.name]) for each in playback.subtitles]


@pytest.fixture
def title(tmp_path: Path) -> ReadyTitle:
    return ReadyTitle(tmp_path)


def test_a_file_that_arrives_late_is_a_track_like_a_planned_one(title: ReadyTitle) -> None:
    title.put("film.fr.forced.srt", "Panneau.")
    title.put("film.de.sdh.srt", "Tür knallt.")
    title.media.blobs["uploads", "film.fr.ass"] = ASS
    title.put("film-trailer.fr.srt", "Not this.")
    title.put("film.notes.srt", "Nor this.")
    job = title.add()
    assert title.listed == [
        ("German (SDH)", "Tür knallt."),
        ("English", ""),
        ("French", "<i>Bonjour</i>"),
        ("German", ""),
        ("French (forced)", "Panneau."),
    ]
    assert 'value="forced-subtitle"' in title.text("manifest.mpd") or "FORCED=YES" in title.text("master.m3u8")
    assert {track.roles for track in job.late.tracks} == {(TrackRole.FORCED,), (TrackRole.HEARING_IMPAIRED,), ()}
    assert (job.status, job.late.edition, notes_of(job)) == (JobStatus.READY, 1, ())


def test_what_the_plan_has_is_not_converted_again(title: ReadyTitle) -> None:
    before = dict(title.media.blobs)
    assert title.add().late.edition == 0
    assert title.media.blobs == before


def test_repeating_changes_nothing(title: ReadyTitle) -> None:
    title.put("film.de.srt", "Nein.")
    first = title.add()
    files = dict(title.media.blobs)
    assert title.add() == first
    assert title.media.blobs == files


def test_a_newer_version_replaces_the_earlier_one_whose_file_is_deleted_a_day_later(title: ReadyTitle) -> None:
    title.put("film.fr.srt", "Nom.")
    first = title.add().late.texts[0].track.name
    title.encode.clock.forward(seconds=60)
    title.put("film.fr.srt", "Non.")
    job = title.add()
    assert [text for text in title.listed if text[0] == "French"] == [("French", "Non.")]
    assert job.late.texts[0].track.name != first
    assert job.late.removed == {first: title.encode.clock()}
    (expiry,) = [each for each in track_expiries(job, ()) if f"/{first}.vtt" in each.endings]
    assert expiry.at == title.encode.clock() + REPLACED_KEPT == title.encode.jobs.sweeps[job.id]
    assert title.text(f"{first}.vtt")


def test_a_newer_version_of_a_planned_file_replaces_its_track(title: ReadyTitle) -> None:
    title.put("film.en.srt", "Hello again.")
    title.add()
    assert title.listed == [("English", "Hello again."), ("German", "")]


@pytest.mark.parametrize(
    ("content", "fault", "note"),
    [
        (b"", TrackFault.EMPTY, "The subtitle track “French” is empty and was left out."),
        (b"PK\x03\x04\x00\xff" * 400, TrackFault.EMPTY, "The subtitle track “French” is empty and was left out."),
    ],
    ids=["empty", "binary"],
)
def test_a_file_that_cannot_be_read_is_a_note_until_it_is_corrected(
    title: ReadyTitle, content: bytes, fault: TrackFault, note: str
) -> None:
    title.media.blobs["uploads", "film.fr.srt"] = content
    job = title.add()
    assert job.status is JobStatus.READY
    assert (job.late.texts[0].fault, notes_of(job)) == (fault, (note,))
    summary = title.encode.jobs.find_summary(job.id)
    assert summary
    assert summary.notes == (note,)
    assert title.listed == [("English", ""), ("German", "")]
    title.put("film.fr.srt", "Non.")
    assert notes_of(title.add()) == ()
    assert ("French", "Non.") in title.listed


@pytest.mark.parametrize("blob", ["film.en.srt", "film.fr.srt"], ids=["planned", "late"])
def test_a_damaged_new_version_leaves_the_earlier_one(title: ReadyTitle, blob: str) -> None:
    title.put("film.fr.srt", "Non.")
    title.add()
    before = title.listed
    title.media.blobs["uploads", blob] = b"no cue"
    job = title.add()
    label = {"film.en.srt": "English", "film.fr.srt": "French"}[blob]
    assert title.listed == before
    assert notes_of(job) == (f"The new file of the subtitle track “{label}” is empty, so the earlier one is kept.",)


def test_an_unexpected_error_in_a_file_is_damage_and_stops_nothing(
    title: ReadyTitle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr("functions.encoding.late_text_worker.convert_subtitles", broken)
    title.put("film.fr.srt", "Non.")
    job = title.add()
    assert notes_of(job) == ("The subtitle track “French” is damaged and was left out.",)


def test_a_deleted_file_changes_nothing(title: ReadyTitle) -> None:
    title.put("film.fr.srt", "Non.")
    before = title.add()
    for blob in ("film.fr.srt", "film.en.srt"):
        title.media.delete_blob("uploads", blob)
    assert title.add() == before
    assert ("French", "Non.") in title.listed


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_a_file_that_changes_while_it_is_read_waits_for_its_next_event(
    title: ReadyTitle, monkeypatch: pytest.MonkeyPatch, *, replaced: bool
) -> None:
    title.put("film.fr.srt", "Nom.")
    listed = title.media.list_versions("uploads", "film.")
    monkeypatch.setattr(title.media, "list_versions", lambda *_: listed)
    if replaced:
        title.put("film.fr.srt", "Non.")
    else:
        title.media.delete_blob("uploads", "film.fr.srt")
    assert title.add().late.texts == ()
    monkeypatch.undo()
    assert ("French", "Non.") in (title.add(), title.listed)[1] if replaced else True


def test_two_encoders_at_once_make_one_track(title: ReadyTitle) -> None:
    """The second encoder adds another version while the first one is about to record the one it has read."""
    title.put("film.fr.srt", "Nom.")
    stale = title.job
    store = title.encode.late.store_late

    def later(job: EncodeJob, late: object) -> EncodeJob | None:
        title.encode.late.store_late = store  # type: ignore[method-assign]
        title.put("film.fr.srt", "Non.")
        title.add()
        return store(job, late)  # type: ignore[arg-type]

    title.encode.late.store_late = later  # type: ignore[method-assign]
    title.encoder().add_arrived(stale)
    assert [text for text in title.listed if text[0] == "French"] == [("French", "Non.")]
    assert len(title.job.late.texts) == 1
    assert set(title.job.late.removed) == {late_name("film.fr.srt", f'"{_hash(SRT % b"Nom.")}"')}


def _hash(content: bytes) -> str:
    media = MemoryMedia()
    media.blobs["uploads", "any"] = content
    return media.etag_of("uploads", "any").strip('"')


@pytest.mark.parametrize("broken", ["store_file", "store_late", "store_text", "mark_playable"])
def test_an_interruption_at_any_step_is_repaired_by_the_next_attempt(
    title: ReadyTitle, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("The store does not answer.")

    targets = {"store_late": title.encode.late, "mark_playable": title.encode.world.catalogue}
    title.put("film.fr.srt", "Non.")
    with monkeypatch.context() as patch:
        patch.setattr(targets.get(broken, title.media), broken, away)
        with pytest.raises(StoreUnavailable):
            title.add()
    title.add()
    assert [text for text in title.listed if text[0] == "French"] == [("French", "Non.")]
    assert title.job.late.removed == {}


def test_the_file_of_an_interrupted_attempt_is_deleted_once_its_version_is_gone(
    title: ReadyTitle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("The store does not answer.")

    title.put("film.fr.srt", "Nom.")
    with monkeypatch.context() as patch:
        patch.setattr(title.encode.late, "store_late", away)
        with pytest.raises(StoreUnavailable):
            title.add()
    title.put("film.fr.srt", "Non.")
    job = title.add()
    (left,) = job.late.removed
    assert title.text(f"{left}.vtt")
    assert any(f"/{left}.vtt" in each.endings for each in track_expiries(job, ()))


def test_a_lost_file_is_converted_again_and_without_its_upload_the_planned_track_returns(title: ReadyTitle) -> None:
    title.put("film.en.srt", "Hello again.")
    job = title.add()
    name = job.late.texts[0].track.name
    title.media.delete_blob(container_for(title.title_id), f"{job.id}/{name}.vtt")
    title.encoder().add_arrived(job, lost={name})
    assert title.listed == [("English", "Hello again."), ("German", "")]
    assert (title.job.late.edition, title.job.late.removed) == (1, {})
    title.media.delete_blob(container_for(title.title_id), f"{job.id}/{name}.vtt")
    title.media.delete_blob("uploads", "film.en.srt")
    title.encoder().add_arrived(title.job, lost={name})
    assert title.listed == [("English", ""), ("German", "")]
    assert set(title.job.late.removed) == {name}, "its playlist is still stored"


@pytest.mark.parametrize(
    ("blob", "hidden"),
    [("film.fr.srt", False), ("film.en-GB.srt", True), ("film.en.forced.srt", False), ("film.en.sdh.srt", True)],
)
def test_subtitles_of_the_owner_replace_automatic_ones_in_their_language(
    title: ReadyTitle, blob: str, *, hidden: bool
) -> None:
    job = title.job
    assert job.plan
    now = title.encode.clock()
    captions = CaptionsEncode(CaptionsStatus.COMPLETE, now, "t9", "a0", "en", cues=3, size=9, edition=1)
    german = tuple(text for text in job.plan.text if text.language == "de")
    title.encode.jobs.put_job(replace(job, captions=captions, plan=replace(job.plan, text=german)))
    title.media.delete_blob("uploads", "film.en.srt")
    title.put(blob, "Yes.")
    assert (listed_captions(title.add()) is None) == hidden
    assert ("English (automatic)" in [label for label, _ in title.listed]) != hidden


def test_a_title_has_at_most_so_many_subtitle_tracks_and_the_job_says_how_many_were_left_out(title: ReadyTitle) -> None:
    for number in range(MOST_TEXT):
        title.put(f"film.{chr(97 + number // 26)}{chr(97 + number % 26)}.srt", "Yes.")
    job = title.add()
    assert len(title.listed) == MOST_TEXT
    assert notes_of(job) == (f"2 subtitle tracks were left out, because a title can have at most {MOST_TEXT}.",)
    assert title.add() == job


@pytest.mark.parametrize("status", [JobStatus.ENCODING, JobStatus.FAILED])
def test_a_job_that_is_not_ready_is_left_as_it_is(title: ReadyTitle, status: JobStatus) -> None:
    title.put("film.fr.srt", "Non.")
    title.encode.jobs.set_status(title.job_id, status)
    assert title.add().late.texts == ()
