"""A ready title gets automatic captions piece by piece; whatever goes wrong, the title stays as it is."""

from __future__ import annotations

import pytest

from functions.encoding import captions_encode
from functions.encoding.captions.rule import CaptionsMode
from functions.encoding.captions.service import DECIDE_AGAIN_AFTER
from functions.encoding.captions_encode import MOST_ATTEMPTS, CaptionsStatus, captions_step
from functions.encoding.claims import LEASE_S
from functions.encoding.later_pipeline import STOPPED
from functions.encoding.model import JobStatus, SourceRef
from functions.platform.errors import EncodeFault, StoreUnavailable
from functions.platform.messages import MakeCaptions
from tests.support.captions_world import SIZE, CaptionsWorld
from tests.support.encoding_plans import make_job

FAULT = "The sound could not be transcribed."


@pytest.fixture(autouse=True)
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide the film into three pieces."""
    monkeypatch.setattr(captions_encode, "PIECE_S", 16)


@pytest.fixture
def world() -> CaptionsWorld:
    return CaptionsWorld()


def test_a_ready_title_gets_captions_that_are_listed_once_all_pieces_are_made(world: CaptionsWorld) -> None:
    begun = world.begin()
    assert (begun.status, begun.language, begun.track) == (CaptionsStatus.ENCODING, "en", "t0")
    assert world.waiting == 3
    made = world.run_all()
    assert world.worker.made == [0, 1, 2]
    assert [[cue.lines for cue in file] for file in world.worker.files] == [
        [("Piece 0.",), ("Piece 1.",), ("Piece 2.",)]
    ]
    assert (made.status, made.cues, made.size, made.cpu_s, made.edition) == (CaptionsStatus.COMPLETE, 3, SIZE, 9.0, 1)
    assert made.pieces == {}
    assert world.crew.listed_captions
    assert world.crew.listed_captions.is_complete
    assert world.jobs.get_job(world.job_id).status is JobStatus.READY
    progress = world.service.progress(world.job_id)
    assert progress
    assert progress.captions
    assert progress.captions.cues == 3
    assert progress.captions.file == f"title-{world.title_id}/{world.job_id}/t0.vtt"
    world.clock.forward(seconds=DECIDE_AGAIN_AFTER.total_seconds())
    assert world.captions_service.start_due() == 0


def test_the_upload_is_not_needed(world: CaptionsWorld) -> None:
    world.crew.copied = False
    world.begin()
    assert world.run_all().status is CaptionsStatus.COMPLETE
    assert world.crew.restored == []


def test_never_means_never_even_for_captions_that_were_begun(world: CaptionsWorld) -> None:
    assert CaptionsWorld(CaptionsMode.NEVER).captions_service.start_due() == 0
    world.begin()
    world.captions_pipeline_with(CaptionsMode.NEVER).run_next()
    assert world.worker.made == []


def test_a_title_in_another_language_gets_none_and_is_considered_again_a_day_later() -> None:
    world = CaptionsWorld(language="de")
    assert world.captions_service.start_due() == 0
    assert world.found is None
    assert world.captions_service.start_due() == 0
    world.clock.forward(seconds=DECIDE_AGAIN_AFTER.total_seconds())
    assert world.captions.take_undecided(now=world.clock(), again_at=world.clock(), limit=9) == [world.job_id]


def test_a_film_in_silence_gets_no_track_and_is_not_tried_again(world: CaptionsWorld) -> None:
    world.worker.silent = True
    world.begin()
    made = world.run_all()
    assert (made.status, made.cues, made.size) == (CaptionsStatus.COMPLETE, 0, 0)
    assert made.ended_at
    assert world.worker.files == []
    assert captions_encode.listed_captions(world.jobs.get_job(world.job_id)) is None
    world.clock.forward(seconds=DECIDE_AGAIN_AFTER.total_seconds())
    assert world.captions_service.start_due() == 0


def test_films_come_first(world: CaptionsWorld) -> None:
    world.begin()
    world.jobs.add_job(make_job("fedcba987654", upload=SourceRef("uploads", "other.mkv"), title_id="other-1a2b3c"))
    world.captions_pipeline.run_next()
    assert world.worker.made == []
    world.queues.sent.clear()
    assert world.captions_service.start_due() == 0
    world.jobs.set_status("fedcba987654", JobStatus.FAILED)
    assert world.captions_service.start_due() == 3
    assert world.run_all().status is CaptionsStatus.COMPLETE


def test_an_encoder_without_the_packages_says_so_and_another_continues(world: CaptionsWorld) -> None:
    world.begin()
    world.worker.missing = "The encoder lacks the packages."
    waiting = world.run_all()
    assert (waiting.status, waiting.reason, waiting.attempts) == (
        CaptionsStatus.ENCODING,
        "The encoder lacks the packages.",
        {},
    )
    world.worker.missing = None
    assert world.captions_service.start_due() == 3
    done = world.run_all()
    assert (done.status, done.reason) == (CaptionsStatus.COMPLETE, None)


def test_lost_messages_are_sent_again_for_pieces_that_nobody_makes(world: CaptionsWorld) -> None:
    world.begin()
    world.queues.sent.clear()
    world.queues.waiting = {MakeCaptions.QUEUE}
    assert world.captions_service.start_due() == 0
    world.queues.waiting = set()
    world.encoder().take(world.job_id, captions_step(0))
    assert world.captions_service.start_due() == 2
    world.queues.sent.pop()
    world.captions_pipeline.run_next()
    assert world.worker.made == [1]


def test_the_piece_of_a_killed_encoder_is_made_by_another(world: CaptionsWorld) -> None:
    world.begin()
    world.worker.troubles = [SystemExit()]
    with pytest.raises(SystemExit):
        world.captions_pipeline.run_next()
    world.clock.forward(seconds=LEASE_S + 1)
    world.service.repair_jobs()
    made = world.run_all()
    assert (made.status, made.cues, made.attempts) == (CaptionsStatus.COMPLETE, 3, {})
    assert len(world.worker.files) == 1


def test_a_piece_that_keeps_failing_ends_the_captions_and_not_the_title(world: CaptionsWorld) -> None:
    world.begin()
    for _ in range(MOST_ATTEMPTS - 1):
        world.worker.troubles = [EncodeFault(FAULT)]
        with pytest.raises(EncodeFault):
            world.captions_pipeline.run_next()
    world.worker.troubles = [EncodeFault(FAULT)]
    world.captions_pipeline.run_next()
    assert world.found
    assert (world.found.status, world.found.reason) == (CaptionsStatus.ABANDONED, FAULT)
    assert world.jobs.get_job(world.job_id).status is JobStatus.READY
    assert world.title.watchable
    assert world.captions_service.start_due() == 0


def test_a_piece_that_kills_its_encoder_each_time_ends_the_captions(world: CaptionsWorld) -> None:
    world.begin()
    for _ in range(MOST_ATTEMPTS):
        world.worker.troubles = [SystemExit()]
        with pytest.raises(SystemExit):
            world.captions_pipeline.run_next()
    world.captions_pipeline.run_next()
    assert world.found
    assert (world.found.status, world.found.reason) == (CaptionsStatus.ABANDONED, STOPPED)


def test_a_store_that_is_away_does_not_count_as_an_attempt(world: CaptionsWorld) -> None:
    world.begin()
    world.worker.troubles = [StoreUnavailable("Storage is away.")]
    with pytest.raises(StoreUnavailable):
        world.captions_pipeline.run_next()
    assert world.found
    assert set(world.found.attempts.values()) <= {0}


def test_a_crash_while_the_captions_are_published_repeats_that_only(world: CaptionsWorld) -> None:
    world.begin()
    world.queues.sent.clear()
    for _ in range(2):
        world.captions_pipeline.run_next()
    world.crew.troubles = [StoreUnavailable("Storage is away.")]
    with pytest.raises(StoreUnavailable):
        world.captions_pipeline.run_next()
    assert world.found
    assert world.found.is_ending
    assert world.captions_service.start_due() == 1
    assert world.run_all().ended_at
    assert world.worker.made == [0, 1, 2]
    assert len(world.worker.files) == 1
