"""The chunk for which a viewer waits is encoded next, and the film can then be watched from that chunk on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree

import pytest

from functions.encoding.audience import MOST_PARTS, WAIT_LASTS, chunk_at, part_manifest, part_with
from functions.encoding.audience_service import EncodeAudience
from functions.encoding.model import JobStatus, Transition
from functions.encoding.publication.dash import write_mpd
from functions.encoding.publication.presentation import part_of, presentation_of, revision_of
from functions.encoding.renditions import CopiedPicture, Rendition
from functions.encoding.track_state import TrackState
from functions.platform.errors import NotFound
from functions.platform.messages import EncodeChunk, PublishTitle
from tests.support.clock import NOON
from tests.support.encoding_plans import make_job, make_plan
from tests.support.encoding_world import EncodeWorld

if TYPE_CHECKING:
    from functions.encoding.audience import WatchablePart
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.platform.queues import Queues

JOB = "0123456789ab"
CODECS = {"v360": "avc1", "v234": "avc1"}
CHUNKS = 8
MPD = "{urn:mpeg:dash:schema:mpd:2011}"


def long_plan(**changes: Any) -> EncodePlan:
    """Return the plan of a film in chunks of 8 s."""
    return make_plan(frames=CHUNKS * 192, runs=(2,) * CHUNKS, **changes)


class Viewers:
    """A film in chunks of 8 s whose first chunk and whole sound are encoded, and viewers who go to positions in it."""

    def __init__(self, plan: EncodePlan | None = None, *job_ids: str) -> None:
        self.encode = EncodeWorld()
        self.jobs = self.encode.jobs
        self.queues = self.encode.queues
        for job_id in job_ids or (JOB,):
            planned = {"plan": plan or long_plan(), "planned_at": NOON}
            job = make_job(job_id, title_id=self.encode.title_id, status=JobStatus.ENCODING, **planned)
            self.jobs.add_job(job)
            job = self.jobs.advance_track(job, "a0", TrackState(16, 16 * 192_512, complete=True), codec="mp4a")
            self.jobs.finish_chunk(job, 0, codecs=CODECS, cpu_s=1, tail=None)
            self.jobs.note_published(job, front_s=8.0, at=NOON)
        queues = cast("Queues", self.queues)
        self.audience = EncodeAudience(self.jobs, self.jobs, lambda: queues, self.encode.clock)

    def ask(self, position_s: float, viewer: str = "ada", job_id: str = JOB) -> tuple[WatchablePart, ...]:
        self.encode.clock.forward(seconds=1)
        title_id = self.encode.title_id
        return self.audience.request_position(job_id, title_id=title_id, position_s=position_s, viewer=viewer)

    def job(self, job_id: str = JOB) -> EncodeJob:
        return self.jobs.get_job(job_id)

    def encode_one(self) -> tuple[str, int | None]:
        """Encode the chunk whose turn it is, and publish what follows from it; return it."""
        step = self.encode.pipeline.choose_step(EncodeChunk())
        assert step
        outcome = self.encode.pipeline.run_step(step)
        for message in outcome.messages:
            if isinstance(message, PublishTitle):
                self.encode.run(message)
        return step.job.id, step.chunk


def test_the_chunk_at_a_position_is_encoded_next_and_the_film_can_be_watched_from_it() -> None:
    viewers = Viewers()
    assert [(part.from_s, part.until_s) for part in viewers.ask(50)] == [(0, 8)]
    assert viewers.encode_one() == (JOB, 6)
    front, part = viewers.ask(50)
    assert (front.manifest, part.manifest) == ("manifest.mpd", part_manifest(6))
    assert (part.from_s, part.until_s) == (48, 56)
    assert viewers.encode_one() == (JOB, 1), "nobody waits any more"


def test_other_requests_for_the_same_chunk_change_nothing() -> None:
    viewers = Viewers()
    viewers.ask(50)
    before = viewers.job()
    for position_s in (50, 48, 55.9):
        viewers.ask(position_s)
    assert viewers.job() == before
    assert viewers.jobs.calls["add_wait"] == 1
    assert viewers.jobs.calls["get_job"] == 3, "a repeated request reads only the summary"


def test_a_viewer_waits_for_one_chunk_and_is_not_delayed_by_those_that_they_left() -> None:
    viewers = Viewers()
    for position_s in (17, 25, 33, 41, 57):
        viewers.ask(position_s)
    assert viewers.encode_one() == (JOB, 7)
    assert viewers.encode_one() == (JOB, 1)


def test_viewers_are_served_in_the_order_in_which_they_asked_across_films() -> None:
    viewers = Viewers(None, "aa", "bb")
    viewers.ask(57, "ada", "bb")
    viewers.ask(41, "bob", "aa")
    viewers.ask(25, "eve", "bb")
    viewers.ask(57, "ada", "bb")
    assert [viewers.encode_one() for _ in range(3)] == [("bb", 7), ("aa", 5), ("bb", 3)]


def test_the_first_chunk_of_another_film_comes_before() -> None:
    viewers = Viewers()
    viewers.ask(50)
    viewers.jobs.add_job(make_job("ff", status=JobStatus.ENCODING, plan=long_plan(), planned_at=NOON))
    assert viewers.encode_one() == ("ff", 0)
    assert viewers.encode_one() == (JOB, 6)


def test_a_viewer_who_does_not_ask_again_has_left() -> None:
    viewers = Viewers()
    viewers.ask(50)
    viewers.encode.clock.now += WAIT_LASTS
    assert viewers.encode_one() == (JOB, 1)
    viewers.ask(50)
    assert viewers.encode_one() == (JOB, 6)


def test_what_follows_the_part_of_a_viewer_extends_it() -> None:
    viewers = Viewers()
    viewers.ask(33)
    viewers.encode_one()
    viewers.ask(40)
    assert viewers.encode_one() == (JOB, 5)
    _, part = viewers.ask(33)
    assert (part.from_s, part.until_s) == (32, 48)
    viewers.ask(8)
    assert viewers.encode_one() == (JOB, 1)
    assert set(viewers.job().audience.parts) == {"4"}, "the front and the part grow; nothing else is listed"


def test_a_part_that_the_front_has_reached_still_grows_until_the_film_is_complete() -> None:
    viewers = Viewers()
    viewers.ask(17)
    while viewers.job().missing_chunks:
        viewers.encode_one()
    assert viewers.job().status is JobStatus.READY
    (listed,) = viewers.job().audience.parts.values()
    assert (listed.from_s, listed.until_s) == (16, CHUNKS * 8)


def test_a_chunk_that_is_done_already_is_only_published() -> None:
    viewers = Viewers()
    viewers.encode.finish(JOB, 5)
    viewers.queues.sent.clear()
    viewers.ask(41)
    assert viewers.queues.sent == [(PublishTitle(JOB), 0)]
    viewers.encode.run(PublishTitle(JOB))
    assert [part.from_s for part in viewers.ask(41)] == [0, 40]
    assert viewers.encode_one() == (JOB, 1)


def test_nothing_is_listed_before_its_sound_is_stored() -> None:
    viewers = Viewers()
    job = viewers.job()
    viewers.jobs.put_job(make_job(JOB, title_id=job.title_id, status=job.status, plan=job.plan, codecs=job.codecs))
    job = viewers.jobs.advance_track(viewers.job(), "a0", TrackState(8, 8 * 192_512), codec="mp4a")
    viewers.jobs.finish_chunk(job, 0, codecs=CODECS, cpu_s=1, tail=None)
    viewers.ask(50)
    assert viewers.encode_one() == (JOB, 6)
    assert len(viewers.ask(50)) == 1
    viewers.jobs.advance_track(viewers.job(), "a0", TrackState(13, 13 * 192_512), codec="mp4a")
    viewers.encode.run(PublishTitle(JOB))
    assert [(part.from_s, part.until_s) for part in viewers.ask(50)[1:]] == [(48, 52)]


def test_nobody_waits_for_encoded_pictures_of_a_film_whose_own_are_shown() -> None:
    rung = Rendition("v360", 640, 360, 800)
    own = CopiedPicture(replace(rung, name="c360"), rung, Fraction(0), regular=True)
    viewers = Viewers(replace(long_plan(), copied=own))
    viewers.ask(50)
    assert viewers.jobs.calls["add_wait"] == 0


@pytest.mark.parametrize("status", [JobStatus.READY, JobStatus.FAILED, JobStatus.QUEUED])
def test_nobody_waits_for_a_film_that_is_not_being_encoded(status: JobStatus) -> None:
    viewers = Viewers()
    viewers.jobs.set_status(JOB, status)
    assert [part.manifest for part in viewers.ask(50)] == ["manifest.mpd"]
    assert viewers.jobs.calls["add_wait"] == 0


def test_a_job_that_ends_during_the_request_is_not_changed() -> None:
    viewers = Viewers()
    job = viewers.job()
    viewers.ask(50)
    wait = next(iter(viewers.job().audience.waits.values()))
    viewers.jobs.change_status(JOB, Transition.FAIL, reason="It failed.")
    assert not viewers.jobs.add_wait(job, "other", wait, begins_part=True)


def test_a_job_of_another_title_is_unknown() -> None:
    viewers = Viewers()
    with pytest.raises(NotFound):
        viewers.audience.request_position(JOB, title_id="other", position_s=9, viewer="ada")
    with pytest.raises(NotFound):
        viewers.ask(9, job_id="ff")


def test_the_end_of_a_film_and_everything_after_it_are_in_its_last_chunk() -> None:
    viewers = Viewers()
    viewers.ask(CHUNKS * 8 - 0.01)
    viewers.ask(900_000)
    assert viewers.jobs.calls["add_wait"] == 1
    assert viewers.encode_one() == (JOB, CHUNKS - 1)
    assert chunk_at(long_plan(), 900_000).index == CHUNKS - 1


def test_the_number_of_parts_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_PARTS > 10
    monkeypatch.setattr("functions.encoding.audience_service.MOST_PARTS", 2)
    viewers = Viewers()
    for viewer, position_s in (("ada", 17), ("bob", 33), ("eve", 49)):
        viewers.ask(position_s, viewer)
    assert set(viewers.job().audience.parts) == {"2", "4"}
    assert [viewers.encode_one()[1] for _ in range(3)] == [2, 4, 6], "the chunk is encoded all the same"


def test_waits_of_viewers_who_left_are_forgotten() -> None:
    viewers = Viewers()
    viewers.ask(50)
    viewers.encode.clock.now += timedelta(hours=1)
    viewers.ask(25, "bob")
    assert len(viewers.job().audience.waits) == 1
    assert "bob" not in viewers.job().audience.waits, "what a store knows of a viewer does not name the viewer"


def test_the_manifest_of_a_part_has_the_times_and_names_of_its_segments() -> None:
    viewers = Viewers()
    viewers.encode.finish(JOB, 4, 5)
    part = part_of(viewers.job(), 4, at=NOON)
    assert part and not part.complete
    mpd = ElementTree.fromstring(write_mpd(part))
    assert (mpd.get("type"), mpd.get("mediaPresentationDuration")) == ("dynamic", "PT64S")
    starts: dict[str, tuple[int, Fraction]] = {}
    for representation in mpd.iter(f"{MPD}Representation"):
        template = representation.find(f"{MPD}SegmentTemplate")
        assert template is not None
        first, *_ = template.iter(f"{MPD}S")
        begin_s = Fraction(int(first.attrib["t"]), int(template.attrib["timescale"]))
        starts[representation.attrib["id"]] = (int(template.attrib["startNumber"]), begin_s)
    assert starts["v360"] == starts["v234"] == (8, Fraction(32))
    assert starts["a0"] == (7, Fraction(7 * 192_512, 48_000))
    assert part.video_segments.end == 48


def test_sound_that_has_ended_before_a_part_is_not_in_it() -> None:
    viewers = Viewers()
    job = viewers.job()
    viewers.jobs.put_job(make_job(JOB, title_id=job.title_id, status=job.status, plan=job.plan, codecs=job.codecs))
    viewers.jobs.advance_track(viewers.job(), "a0", TrackState(3, 3 * 192_512, complete=True), codec="mp4a")
    viewers.encode.finish(JOB, 0, 4)
    part, whole = part_of(viewers.job(), 4, at=NOON), presentation_of(viewers.job(), long_plan(), at=NOON)
    assert part and whole
    assert (part.audio, len(whole.audio)) == ((), 1)
    write_mpd(part)


def test_a_later_manifest_of_a_part_has_a_higher_revision() -> None:
    viewers = Viewers()
    revisions = []
    for chunk in (4, 5, 6, 7, 1, 2, 3):
        viewers.encode.finish(JOB, chunk)
        part = part_of(viewers.job(), 4, at=NOON)
        assert part
        revisions.append(revision_of(part))
    assert revisions == sorted(revisions)
    assert revisions[0] < revisions[3] < revisions[-1]


def test_a_chunk_extends_the_front_or_a_part_or_neither() -> None:
    viewers = Viewers()
    viewers.ask(33)
    viewers.encode.finish(JOB, 4)
    assert [part_with(viewers.job(), chunk) for chunk in range(CHUNKS)] == [0, 0, None, None, 4, 4, None, None]
