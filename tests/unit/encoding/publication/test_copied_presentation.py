"""What is listed while pictures are copied: the copy alone until the film is complete, and nothing of a failed copy."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from functions.encoding.frame_grid import FrameGrid
from functions.encoding.ladder import chunks_for
from functions.encoding.losses import expected_files, lost_parts
from functions.encoding.model import EncodeJob, EncodePlan, JobStatus
from functions.encoding.outcomes import missing_work
from functions.encoding.publication.dash import write_mpd
from functions.encoding.publication.hls import write_media
from functions.encoding.publication.presentation import Presentation, original_of, presentation_of, revision_of
from functions.encoding.renditions import CopiedPicture, CopiedSound, Rendition
from functions.encoding.spending.receipts import TitleReceipt
from functions.encoding.steps import track_shares
from functions.encoding.track_state import TrackFault, TrackState
from functions.encoding.tracks import notes_of
from functions.platform.messages import EncodeAudio, EncodeChunk, EncodeFront
from tests.support.clock import NOON
from tests.support.encoding_plans import make_audio_plan, make_job, make_plan

CUTS = (0, 250, 330, 580, 700, 800)
LEFT_OUT = TrackState(complete=True, fault=TrackFault.DAMAGED)


def make_copying_plan(**changes: object) -> EncodePlan:
    """Return the plan of a film of a thousand frames, whose pictures and sound are copied."""
    grid = FrameGrid(Fraction(24), 1000, CUTS)
    own, replaced = Rendition("c360", 640, 360, 900), Rendition("v360", 640, 360, 800)
    sound = make_audio_plan("c0", copied=CopiedSound(0, 1024, "a0"))
    plan = make_plan(renditions=(Rendition("v234", 416, 234, 400),), audio=(sound,))
    plan = replace(plan, grid=grid, chunks=chunks_for(grid), copied=CopiedPicture(own, replaced, Fraction(0), True))
    return replace(plan, **changes)  # type: ignore[arg-type]


PLAN = make_copying_plan()
TICKS = PLAN.grid.frame_ticks
CODECS = {"c360": "avc1.640028", "v360": "avc1.64001e", "v234": "avc1.64000d", "c0": "mp4a.40.2", "a0": "mp4a.40.2"}
SOUND = TrackState(11, 11 * 192_512, complete=True, size=1)


def make_copying_job(plan: EncodePlan = PLAN, **changes: object) -> EncodeJob:
    """Return a job with that plan."""
    return replace(make_job(plan=plan, status=JobStatus.ENCODING, codecs=CODECS), **changes)  # type: ignore[arg-type]


def shown(job: EncodeJob) -> Presentation | None:
    """Return what may be published of a job."""
    assert job.plan
    return presentation_of(job, job.plan, at=NOON)


def test_copied_pictures_are_listed_alone_while_the_others_are_encoded() -> None:
    copied = {"c360": TrackState(4, 700 * TICKS), "c0": SOUND}
    for job in (make_copying_job(tracks=copied), make_copying_job(tracks=copied, chunks_done=frozenset({0}))):
        listed = shown(job)
        assert listed
        assert [track.name for track in listed.video] == ["c360"]
        assert [frames // TICKS for frames in listed.video_segments.durations] == [250, 80, 250, 120]
        assert not listed.is_static


def test_last_segment_of_the_picture_is_listed_once_the_copy_is_whole() -> None:
    """Players take the end of a track from the manifest that they knew when they fetched its last segment."""
    stored = TrackState(6, 1000 * TICKS)
    for state, listed_s in ((stored, 800), (replace(stored, complete=True), 1000)):
        listed = shown(make_copying_job(tracks={"c360": state, "c0": SOUND}))
        assert listed
        assert sum(listed.video_segments.durations) == listed_s * TICKS
        assert listed.is_static == state.complete


def test_segment_of_copied_sound_is_listed_unless_it_may_be_the_last() -> None:
    frames = 4 * 188  # four segments
    for known, stored, listed_segments in ((frames, 3, 3), (frames, 4, 3), (frames - 187, 4, 3), (0, 3, 2)):
        sound = make_audio_plan("c0", copied=CopiedSound(0, 1024, "a0", known))
        heard = TrackState(stored, stored * sound.segment_ticks)
        plan = make_copying_plan(audio=(sound,), grid=FrameGrid(Fraction(24), 1000, (0, 50, 96, 180, 288)))
        listed = shown(make_copying_job(plan, tracks={"c360": TrackState(4, 288 * TICKS), "c0": heard}))
        assert listed
        assert [len(track.segments.durations) for track in listed.audio] == [listed_segments]


def test_copied_pictures_are_static_once_they_and_their_sound_are_whole() -> None:
    """Players take the end of a track from the manifest that they knew when they fetched its last segment."""
    whole = TrackState(6, 1000 * TICKS, complete=True)
    short = TrackState(2, 2 * 192_512, complete=True)
    for sound in (SOUND, short, LEFT_OUT):
        listed = shown(make_copying_job(tracks={"c360": whole, "c0": sound, "a0": SOUND}))
        assert listed
        assert (listed.is_static, listed.complete) == (True, False)
        assert sum(listed.video_segments.durations) == 1000 * TICKS
        assert listed.duration == max([listed.video_segments.end, *(track.segments.end for track in listed.audio)])
        assert all(track.segments.durations for track in listed.audio)
        assert revision_of(listed) < 1_000_000_000


def test_last_segment_of_sound_is_listed_in_the_end() -> None:
    short = TrackState(4, 4 * 192_512, complete=True)
    listed = shown(make_copying_job(tracks={"c360": TrackState(4, 700 * TICKS), "c0": short}))
    assert listed
    assert [len(track.segments.durations) for track in listed.audio] == [3]
    assert listed.duration == PLAN.duration
    assert len(listed.video_segments.durations) == 1, "there is sound for twelve seconds"


def test_picture_waits_for_its_sound() -> None:
    heard = TrackState(4, 4 * 192_512)
    listed = shown(make_copying_job(tracks={"c360": TrackState(6, 1000 * TICKS), "c0": heard}))
    assert listed
    assert len(listed.video_segments.durations) == 1, "twelve seconds of sound cover the first segment only"


def test_all_renditions_have_the_same_segments_in_the_end() -> None:
    tracks = {"c360": TrackState(6, 1000 * TICKS, complete=True), "c0": SOUND}
    job = make_copying_job(tracks=tracks, chunks_done=frozenset(range(len(PLAN.chunks))), tail_frames=1000)
    listed = shown(job)
    assert listed
    assert listed.complete
    assert [track.name for track in listed.video] == ["c360", "v234"]
    assert sum(listed.video_segments.durations) == 1000 * TICKS


def test_player_that_began_with_the_copy_keeps_it() -> None:
    growing = make_copying_job(tracks={"c360": TrackState(4, 700 * TICKS), "c0": SOUND})
    tracks = {"c360": TrackState(6, 1000 * TICKS, complete=True), "c0": SOUND}
    done = make_copying_job(tracks=tracks, chunks_done=frozenset(range(len(PLAN.chunks))), tail_frames=1000)
    for job, complete in ((growing, False), (done, True)):
        listed = shown(job)
        assert listed
        alone = original_of(job, listed)
        assert alone
        assert [track.name for track in alone.video] == ["c360"]
        assert (alone.is_static, alone.video_segments, alone.audio) == (complete, listed.video_segments, listed.audio)


def test_without_a_copy_there_is_no_other_manifest() -> None:
    failed = make_copying_job(tracks={"c360": LEFT_OUT, "c0": SOUND}, chunks_done=frozenset({0}))
    listed = shown(failed)
    assert listed
    assert original_of(failed, listed) is None


def test_longest_segment_is_announced_from_the_start() -> None:
    early = shown(make_copying_job(tracks={"c360": TrackState(3, 580 * TICKS), "c0": SOUND}))
    assert early
    assert early.longest_s == Fraction(250, 24)
    assert "#EXT-X-TARGETDURATION:10\n" in write_media(early, "c360")
    assert 'maxSegmentDuration="PT10.416667S"' in write_mpd(early)
    assert "#EXT-X-TARGETDURATION:4\n" in write_media(early, "c0")


def test_copies_are_requested_at_once_and_other_tracks_after_the_front() -> None:
    plan = make_copying_plan(audio=(*PLAN.audio, make_audio_plan("a1", stream=2)))
    job = make_copying_job(plan)
    assert missing_work(job) == (
        EncodeFront(job.id),
        EncodeAudio(job.id, "c360"),
        EncodeAudio(job.id, "c0"),
        *[EncodeChunk()] * (len(plan.chunks) - 1),
    )


def test_failed_copy_of_the_picture_is_encoded() -> None:
    job = make_copying_job(tracks={"c360": LEFT_OUT, "c0": SOUND}, chunks_done=frozenset({0}))
    plan = job.current_plan
    assert plan
    assert [rendition.name for rendition in plan.renditions] == ["v360", "v234"]
    assert (plan.copied, plan.grid) == (None, PLAN.grid)
    assert plan.tracks == ("c0",)
    assert notes_of(job) == ("The film's own pictures could not be used as they are, so all of them were encoded.",)
    listed = shown(job)
    assert listed
    assert [track.name for track in listed.video] == ["v360", "v234"]
    assert len(listed.video_segments.durations) == 1
    assert {"v360/init.mp4", "v360/s00000.m4s"} <= set(expected_files(job))
    assert not [name for name in expected_files(job) if name.startswith("c360")]


def test_failed_copy_of_the_sound_is_encoded() -> None:
    job = make_copying_job(tracks={"c0": LEFT_OUT})
    assert job.current_plan
    assert [track.name for track in job.current_plan.audio] == ["a0"]
    assert job.missing_tracks == ("c360", "a0")
    assert track_shares(PLAN, job.tracks) == {"c0": 1.0, "c360": 0.0, "a0": 0.0}
    assert notes_of(job) == ()


def test_lost_segment_of_a_copy_is_noticed() -> None:
    job = make_copying_job(tracks={"c360": TrackState(6, 1000 * TICKS, complete=True, size=60), "c0": TrackState()})
    stored = {f"c360/s{number:05d}.m4s": 10 for number in range(6)} | {"c360/init.mp4": 5}
    assert not lost_parts(job, {**stored, "c0/init.mp4": 1})
    assert lost_parts(job, {**stored, "c0/init.mp4": 1, "c360/s00003.m4s": 9}).tracks == {"c360"}
    del stored["c360/init.mp4"]
    assert lost_parts(job, {**stored, "c0/init.mp4": 1}).tracks == {"c360"}


def test_manifests_after_a_discarded_copy_replace_those_of_the_copy_although_they_list_less() -> None:
    whole = {"c360": TrackState(6, 1000 * TICKS, complete=True), "c0": SOUND}
    copy = shown(make_copying_job(tracks=whole))
    job = make_copying_job(tracks={**whole, "c360": LEFT_OUT}, tail_frames=1000)
    first, later, last = (
        shown(replace(job, chunks_done=frozenset(range(done)))) for done in (1, len(PLAN.chunks) - 1, len(PLAN.chunks))
    )
    assert copy and first and later and last
    assert copy.ended and last.complete
    assert [track.name for track in first.video] == ["v360", "v234"]
    assert len(first.video_segments.durations) < len(copy.video_segments.durations)
    revisions = [revision_of(each) for each in (copy, first, later, last)]
    assert revisions == sorted(set(revisions))


PROVISIONAL = make_copying_plan(
    copied=CopiedPicture(Rendition("c360", 640, 360, 9000), None, Fraction(0), True),
    renditions=(Rendition("v360", 640, 360, 800), Rendition("v234", 416, 234, 400)),
)
WHOLE = {"c360": TrackState(6, 1000 * TICKS, complete=True, size=1), "c0": SOUND}
ENCODED = frozenset(range(len(PLAN.chunks)))


def test_provisional_rendition_is_listed_alone_until_all_others_are_encoded() -> None:
    """The manifest for who begins now loses it in the end; the one that players reload keeps it."""
    early = make_copying_job(PROVISIONAL, tracks={"c360": TrackState(4, 700 * TICKS), "c0": SOUND})
    copied = make_copying_job(PROVISIONAL, tracks=WHOLE, chunks_done=ENCODED - {1}, tail_frames=1000)
    done = replace(copied, chunks_done=ENCODED)
    names, revisions = [], []
    for job in (early, copied, done):
        listed = shown(job)
        assert listed
        alone = original_of(job, listed)
        assert alone
        assert [track.name for track in alone.video] == ["c360"]
        assert alone.is_static == (job is not early)
        names.append([track.name for track in listed.video])
        revisions.append(revision_of(listed))
    assert names == [["c360"], ["c360"], ["v360", "v234"]]
    assert revisions == sorted(revisions)


def test_nothing_of_a_provisional_rendition_is_expected_once_the_film_was_ready() -> None:
    """It is deleted later; a repair of the other renditions must neither miss it nor list it again."""
    ready = make_copying_job(PROVISIONAL, tracks=WHOLE, chunks_done=ENCODED, tail_frames=1000)
    assert any(name.startswith("c360/") for name in expected_files(ready)), "until then, it must be stored"
    ready = replace(ready, receipt=TitleReceipt(()))
    stored = dict.fromkeys(expected_files(ready), 1)
    assert not any(name.startswith("c360/") for name in stored)
    assert not lost_parts(replace(ready, tracks={**WHOLE, "c0": replace(SOUND, size=0)}), stored)
    assert ready.all_done
    listed = shown(ready)
    assert listed
    assert original_of(ready, listed) is None
    repaired = shown(replace(ready, chunks_done=ENCODED - {1}))
    assert repaired
    assert [track.name for track in repaired.video] == ["v360", "v234"]
    assert revision_of(repaired) < revision_of(listed), "the complete manifest stays"


def test_provisional_rendition_that_fails_costs_nothing() -> None:
    job = make_copying_job(PROVISIONAL, tracks={"c360": LEFT_OUT, "c0": SOUND}, chunks_done=frozenset({0}))
    plan = job.current_plan
    assert plan
    assert (plan.renditions, plan.copied, plan.tracks) == (PROVISIONAL.renditions, None, ("c0",))
    listed = shown(job)
    assert listed
    assert [track.name for track in listed.video] == ["v360", "v234"]
    assert listed.after_copy
