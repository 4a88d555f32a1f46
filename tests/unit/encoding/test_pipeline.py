"""Each step of a job may come twice, may fail, and may come too late: the job and its title end up right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.catalogue.model import Status
from functions.encoding.jobs import JobStatus, TrackState
from functions.encoding.pipeline import Pipeline
from functions.encoding.service import STALLED_AFTER, Encodes, Work
from functions.platform.errors import Conflict, EncodeFault, NotFound, SourceRefused, StoreUnavailable
from functions.platform.identifiers import job_id_for
from tests.support.catalogue import NOON, World, make_playback
from tests.support.encoding import MemoryJobs, make_job, make_plan

if TYPE_CHECKING:
    from functions.encoding.jobs import EncodeJob
    from functions.encoding.model import EncodePlan
    from functions.encoding.planner import Planner
    from functions.encoding.publisher import Publisher
    from functions.encoding.worker import Worker

TITLE = "film-1a2b3c"
BLOB = "film.mkv"


@dataclass
class Crew:
    """Planner, worker and publisher at once: does what it is asked at once, or meets what `troubles` says."""

    jobs: MemoryJobs
    troubles: list[Exception] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)

    def plan(self, job: EncodeJob) -> EncodePlan:
        self._take(f"plan {job.id}")
        return make_plan()

    def encode_chunk(self, job: EncodeJob, index: int) -> None:
        self._take(f"chunk {index}")
        self.jobs.finish_chunk(job.id, index, codecs={"v360": "avc1", "v234": "avc1"}, cpu_s=2.5, tail=None)

    def encode_track(self, job: EncodeJob, name: str) -> None:
        self._take(f"track {name}")
        self.jobs.advance_track(job.id, name, TrackState(11, 11 * 192_512, True), codec="mp4a")

    def publish(self, job_id: str) -> None:
        self._take(f"publish {job_id}")

    def _take(self, what: str) -> None:
        self.asked[what] += 1
        if self.troubles:
            raise self.troubles.pop(0)


class Studio:
    """A pipeline with a crew, and a catalogue in memory."""

    def __init__(self) -> None:
        self.world = World()
        self.clock = self.world.clock
        self.jobs = MemoryJobs(self.clock)
        self.crew = Crew(self.jobs)
        self.encodes = Encodes(self.jobs, self.world.catalogue, self.clock)
        self.pipeline = Pipeline(
            self.jobs,
            self.encodes,
            cast("Planner", self.crew),
            cast("Worker", self.crew),
            cast("Publisher", self.crew),
            self.clock,
        )

    def upload(self, etag: str = "0x1") -> str:
        """Open the job of a version of the film."""
        self.clock.forward(seconds=1)
        self.world.catalogue.open_title(TITLE, stem="film", status=Status.ENCODING)
        return self.encodes.open(BLOB, etag=etag, size=1000, title_id=TITLE, uploaded_at=self.clock())

    @property
    def status(self) -> Status:
        return self.world.catalogue.get(TITLE).status


@pytest.fixture
def studio() -> Studio:
    return Studio()


def test_plan_leaves_a_message_for_every_chunk_and_track_the_first_chunk_first(studio: Studio) -> None:
    job_id = studio.upload()
    assert studio.pipeline.plan(job_id) == Work(job_id, (0, 1, 2, 3), ("a0",), plan=False)
    job = studio.jobs.get(job_id)
    assert job.status is JobStatus.ENCODING
    assert job.plan == make_plan()
    assert job.planning_at
    assert job.planned_at


def test_plan_that_comes_again_plans_nothing_and_leaves_what_is_missing(studio: Studio) -> None:
    job_id = studio.upload()
    studio.pipeline.plan(job_id)
    studio.pipeline.encode_chunk(job_id, 1)
    studio.pipeline.encode_track(job_id, "a0")
    assert studio.pipeline.plan(job_id) == Work(job_id, (0, 2, 3))
    assert studio.crew.asked[f"plan {job_id}"] == 1


def test_plan_whose_planner_died_is_made_again(studio: Studio) -> None:
    job_id = studio.upload()
    studio.jobs.move(job_id, away_from=(JobStatus.QUEUED,), to=JobStatus.PLANNING)
    assert studio.pipeline.plan(job_id).chunks


@pytest.mark.parametrize("step", ["plan", "chunk", "track", "publish"])
def test_source_that_is_refused_fails_the_job_at_once(studio: Studio, step: str) -> None:
    job_id = studio.upload()
    if step != "plan":
        studio.pipeline.plan(job_id)
    studio.crew.troubles = [SourceRefused("film.mkv is text, not a film.")]
    _do(studio, step, job_id)
    job = studio.jobs.get(job_id)
    assert (job.status, job.reason) == (JobStatus.FAILED, "film.mkv is text, not a film.")
    assert job.ended_at
    title = studio.world.catalogue.get(TITLE)
    assert (title.status, title.failure) == (Status.FAILED, "film.mkv is text, not a film.")


@pytest.mark.parametrize("step", ["plan", "chunk", "track", "publish"])
def test_fault_is_noted_and_raised_for_the_queue_to_try_again(studio: Studio, step: str) -> None:
    job_id = studio.upload()
    if step != "plan":
        studio.pipeline.plan(job_id)
    studio.crew.troubles = [EncodeFault("ffmpeg could not encode 4 s to 16 s.")]
    with pytest.raises(EncodeFault):
        _do(studio, step, job_id)
    job = studio.jobs.get(job_id)
    assert (job.open, job.fault) == (True, "ffmpeg could not encode 4 s to 16 s.")
    progress = studio.encodes.progress(job.id)
    assert progress is not None
    assert progress.fault == job.fault
    _do(studio, step, job_id)
    assert studio.jobs.get(job_id).open


def test_giving_up_tells_the_last_fault(studio: Studio) -> None:
    job_id = studio.upload()
    studio.pipeline.plan(job_id)
    studio.crew.troubles = [EncodeFault("The first."), EncodeFault("The last.")]
    for _ in range(2):
        with pytest.raises(EncodeFault):
            studio.pipeline.encode_chunk(job_id, 0)
    studio.encodes.give_up(job_id)
    assert studio.jobs.get(job_id).reason == "The last."
    studio.encodes.give_up(job_id)
    assert studio.status is Status.FAILED


def test_giving_up_without_a_fault_says_where_to_look(studio: Studio) -> None:
    job_id = studio.upload()
    studio.encodes.give_up(job_id)
    assert "the encoder's log" in str(studio.jobs.get(job_id).reason)


def test_same_chunk_twice_is_counted_once(studio: Studio) -> None:
    job_id = studio.upload()
    studio.pipeline.plan(job_id)
    for _ in range(2):
        assert studio.pipeline.encode_chunk(job_id, 2), "what is done may be published again"
    job = studio.jobs.get(job_id)
    assert (set(job.chunks_done), job.cpu_s) == ({2}, 2.5)


@pytest.mark.parametrize("end", [JobStatus.READY, JobStatus.FAILED])
def test_message_that_comes_after_the_end_does_nothing(studio: Studio, end: JobStatus) -> None:
    job_id = studio.upload()
    studio.pipeline.plan(job_id)
    studio.jobs.move(job_id, away_from=(JobStatus.ENCODING,), to=end)
    before = studio.jobs.get(job_id), Counter(studio.crew.asked)
    assert studio.pipeline.plan(job_id) == Work(job_id)
    assert not studio.pipeline.encode_chunk(job_id, 0)
    assert not studio.pipeline.encode_track(job_id, "a0")
    studio.encodes.give_up(job_id)
    studio.encodes.fail(job_id, "Too late.")
    assert (studio.jobs.get(job_id), studio.crew.asked) == before
    assert studio.status is Status.ENCODING


def test_newer_upload_ends_the_older_job_and_its_messages_do_nothing(studio: Studio) -> None:
    older = studio.upload("0x1")
    studio.pipeline.plan(older)
    newer = studio.upload("0x2")
    job = studio.jobs.get(older)
    assert (job.status, job.reason) == (JobStatus.FAILED, "A newer upload of film.mkv has taken its place.")
    assert studio.status is Status.ENCODING
    assert not studio.pipeline.encode_chunk(older, 0)
    assert studio.pipeline.plan(newer).chunks
    with pytest.raises(Conflict, match=f"replaced by {newer}"):
        studio.encodes.retry(older)


def test_newer_upload_that_comes_while_the_older_is_planned_leaves_it_ended(studio: Studio) -> None:
    older = studio.upload("0x1")

    class Interrupted(Crew):
        def plan(self, job: EncodeJob) -> EncodePlan:
            studio.upload("0x2")
            return super().plan(job)

    crew = Interrupted(studio.jobs)
    pipeline = Pipeline(
        studio.jobs, studio.encodes, cast("Planner", crew), cast("Worker", crew), cast("Publisher", crew), studio.clock
    )
    assert pipeline.plan(older) == Work(older)
    job = studio.jobs.get(older)
    assert (job.status, job.plan) == (JobStatus.FAILED, None)


def test_failure_keeps_a_complete_earlier_version_on_line(studio: Studio) -> None:
    first = studio.upload("0x1")
    studio.world.catalogue.mark_playable(TITLE, make_playback(first), complete=True)
    studio.jobs.move(first, away_from=(JobStatus.QUEUED,), to=JobStatus.READY)
    second = studio.upload("0x2")
    studio.encodes.fail(second, "It is cut off.")
    title = studio.world.catalogue.get(TITLE)
    assert title.status is Status.READY
    assert title.playback
    assert (title.playback.job_id, title.failure) == (first, "It is cut off.")


def test_retry_gives_only_what_is_missing(studio: Studio) -> None:
    job_id = studio.upload()
    studio.pipeline.plan(job_id)
    studio.pipeline.encode_chunk(job_id, 0)
    studio.pipeline.encode_chunk(job_id, 2)
    studio.encodes.fail(job_id, "The encoder went away.")
    assert studio.encodes.retry(job_id) == Work(job_id, (1, 3), ("a0",))
    job = studio.jobs.get(job_id)
    assert (job.status, job.reason, job.fault, job.ended_at) == (JobStatus.ENCODING, None, None, None)
    assert studio.status is Status.ENCODING
    assert studio.pipeline.encode_chunk(job_id, 1)


def test_retry_of_a_job_that_was_never_planned_begins_with_the_plan(studio: Studio) -> None:
    job_id = studio.upload()
    studio.encodes.fail(job_id, "Storage did not answer.")
    assert studio.encodes.retry(job_id) == Work(job_id, plan=True)
    assert studio.pipeline.plan(job_id).chunks == (0, 1, 2, 3)


def test_retry_of_a_job_of_which_all_is_done_leaves_nothing_but_to_publish(studio: Studio) -> None:
    job_id = studio.upload()
    studio.pipeline.plan(job_id)
    for index in range(4):
        studio.pipeline.encode_chunk(job_id, index)
    studio.pipeline.encode_track(job_id, "a0")
    studio.encodes.fail(job_id, "The catalogue did not answer.")
    assert studio.encodes.retry(job_id) == Work(job_id)


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.ENCODING, JobStatus.READY])
def test_only_a_failed_job_can_be_retried(studio: Studio, status: JobStatus) -> None:
    job_id = studio.upload()
    studio.jobs.move(job_id, away_from=(JobStatus.QUEUED,), to=status)
    with pytest.raises(Conflict, match=f"is {status}; only a failed job"):
        studio.encodes.retry(job_id)


def test_failure_reaches_the_title_though_the_catalogue_did_not_answer_at_first(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = studio.upload()

    def away(*_: object) -> None:
        raise StoreUnavailable("Mongo does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(studio.world.catalogue, "mark_failed", away)
        studio.crew.troubles = [SourceRefused("It is text.")]
        with pytest.raises(StoreUnavailable):
            studio.pipeline.plan(job_id)
    studio.crew.troubles = [SourceRefused("It is text.")]
    studio.pipeline.plan(job_id)
    assert studio.jobs.get(job_id).reason == "It is text."
    assert studio.status is Status.FAILED


def test_message_of_an_unknown_job_is_an_error(studio: Studio) -> None:
    for step in (studio.pipeline.plan, studio.encodes.give_up, studio.encodes.retry):
        with pytest.raises(NotFound):
            step("nothing")
    assert studio.encodes.progress("nothing") is None
    assert studio.encodes.latest_for("nothing") is None
    assert not studio.encodes.is_over(job_id_for(BLOB, "0x9"))


def test_progress_counts_segments_and_never_says_all_before_the_end(studio: Studio) -> None:
    job_id = studio.upload()
    progress = studio.encodes.progress(job_id)
    assert progress
    assert (progress.status, progress.percent, progress.eta_s, progress.duration_s) == ("queued", 0.0, None, None)
    studio.pipeline.plan(job_id)
    studio.clock.forward(seconds=10)
    studio.pipeline.encode_chunk(job_id, 1)
    studio.jobs.advance_chunk(job_id, 2, 2, codecs={"v360": "avc1", "v234": "avc1"})
    progress = studio.encodes.progress(job_id)
    assert progress
    assert (progress.chunks_done, progress.chunks, progress.front_s) == (1, 4, 0.0)
    assert progress.percent == pytest.approx(5 / 11 * 99, abs=0.1)
    assert progress.eta_s == pytest.approx(10 * (1 - 0.45) / 0.45, abs=0.5)
    for index in (0, 2, 3):
        studio.pipeline.encode_chunk(job_id, index)
    studio.pipeline.encode_track(job_id, "a0")
    progress = studio.encodes.progress(job_id)
    assert progress
    assert progress.percent == 99.0
    assert progress.front_s == pytest.approx(1000 / 24)
    studio.clock.forward(seconds=2)
    studio.jobs.move(job_id, away_from=(JobStatus.ENCODING,), to=JobStatus.READY, ended_at=studio.clock())
    progress = studio.encodes.progress(job_id)
    assert progress
    assert (progress.status, progress.percent, progress.eta_s) == ("ready", 100.0, None)
    assert (progress.stages.planning_s, progress.stages.encoding_s, progress.stages.total_s) == (0.0, 12.0, 12.0)


def _do(studio: Studio, step: str, job_id: str) -> None:
    if step == "plan":
        studio.pipeline.plan(job_id)
    elif step == "chunk":
        studio.pipeline.encode_chunk(job_id, 0)
    elif step == "track":
        studio.pipeline.encode_track(job_id, "a0")
    else:
        studio.pipeline.publish(job_id)


def test_job_that_nothing_was_heard_of_gets_its_missing_work_again() -> None:
    jobs = MemoryJobs()
    encodes = Encodes(jobs, cast("Any", None), lambda: NOON + STALLED_AFTER + timedelta(seconds=1))
    jobs.open(make_job("0123456789ab", updated_at=NOON))
    assert encodes.stalled() == [Work("0123456789ab", plan=True)]
    encodes = Encodes(jobs, cast("Any", None), lambda: NOON + STALLED_AFTER - timedelta(seconds=1))
    assert encodes.stalled() == []
