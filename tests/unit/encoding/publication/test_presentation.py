"""In any order of events, all listed segments are stored, the list is consistent, and it only grows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.encoding.publication.presentation import (
    SLACK_S,
    Presentation,
    front_segments,
    presentation_of,
    revision_of,
)
from functions.encoding.text_plan import TextPlan
from functions.encoding.track_state import TrackState
from tests.support.clock import NOON
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_audio_plan, make_job, make_plan

if TYPE_CHECKING:
    from functions.encoding.model import EncodeJob, EncodePlan

SUBTITLES = TextPlan("t0", "en", "English", 3, None)


class Encode:
    """A planned job whose parts are finished one by one."""

    def __init__(self, plan: EncodePlan) -> None:
        self.plan = plan
        self.jobs = MemoryEncodeJobs()
        self.job_id = "0123456789ab"
        self.jobs.add_job(make_job(self.job_id, plan=plan))

    @property
    def job(self) -> EncodeJob:
        """Return the job as it is stored now."""
        return self.jobs.get_job(self.job_id)

    def chunk(self, index: int, *, tail: int | None = None) -> None:
        """Finish a chunk; the last chunk determines how many frames the film really has."""
        last = index == len(self.plan.chunks) - 1
        codecs = {rendition.name: "avc1.64001f" for rendition in self.plan.renditions}
        found = (tail or self.plan.grid.frames) if last else None
        self.jobs.finish_chunk(self.job, index, codecs=codecs, cpu_s=1.0, tail=found)

    def live(self, index: int, segments: int) -> None:
        """Store whole segments of an unfinished chunk."""
        codecs = {rendition.name: "avc1.64001f" for rendition in self.plan.renditions}
        self.jobs.advance_chunk(self.job, index, segments, codecs=codecs)

    def sound(self, segments: int, *, complete: bool = False, rest: int = 0, name: str = "a0") -> None:
        """Store whole segments of a track, followed by a last segment of `rest` samples if `rest` is not 0."""
        whole = next(track for track in self.plan.audio if track.name == name).segment_ticks
        state = TrackState(segments + (rest > 0), segments * whole + rest, complete)
        self.jobs.advance_track(self.job, name, state, codec="mp4a.40.2")

    def text(self) -> None:
        """Finish the subtitles."""
        self.jobs.advance_track(self.job, "t0", TrackState(complete=True), codec=None)

    @property
    def shown(self) -> Presentation | None:
        """Return the presentation that may be published now."""
        return presentation_of(self.job, self.plan, at=NOON)

    @property
    def listed(self) -> tuple[int, int]:
        """Return how many segments of the video and of the first audio track are listed."""
        shown = self.shown
        return (len(shown.video_segments.durations), len(shown.audio[0].segments.durations)) if shown else (0, 0)


@pytest.fixture
def encode() -> Encode:
    return Encode(make_plan())


def test_nothing_is_listed_before_there_are_picture_and_sound(encode: Encode) -> None:
    assert encode.shown is None
    encode.chunk(0)
    assert encode.shown is None
    encode.sound(1)
    assert encode.listed == (1, 1)


def test_picture_alone_is_enough_for_a_silent_film() -> None:
    encode = Encode(make_plan(audio=()))
    encode.chunk(0)
    assert encode.shown
    assert len(encode.shown.video_segments.durations) == 1


def test_front_ends_at_the_first_chunk_that_is_missing(encode: Encode) -> None:
    encode.sound(11)
    for index, front in ((3, 0), (1, 0), (0, 4), (2, 11)):
        encode.chunk(index)
        assert front_segments(encode.job, encode.plan) == front
        assert encode.listed[0] == front


def test_segments_of_the_chunk_at_the_front_are_listed_while_it_goes_on(encode: Encode) -> None:
    encode.sound(11)
    encode.live(2, 2)
    encode.live(0, 1)
    assert encode.listed[0] == 1
    encode.chunk(0)
    for segments, listed in ((2, 3), (1, 3), (3, 4)):
        encode.live(1, segments)
        assert encode.listed[0] == listed
    encode.chunk(1)
    assert encode.listed[0] == 6


def test_last_segment_of_the_film_is_listed_when_it_is_known_how_long_it_is() -> None:
    encode = Encode(make_plan(audio=(), frames=96 * 3, runs=(3,)))
    encode.live(0, 3)
    assert encode.shown
    assert len(encode.shown.video_segments.durations) == 2
    encode.chunk(0)
    assert encode.shown.video_segments.end == 12


def test_picture_waits_for_its_sound(encode: Encode) -> None:
    for chunk in encode.plan.chunks:
        encode.chunk(chunk.index)
    assert encode.shown is None
    encode.sound(3)
    assert encode.listed == (3, 3)
    encode.sound(11, complete=True)
    assert encode.listed[0] == 11


def test_every_language_has_to_be_there() -> None:
    encode = Encode(make_plan(audio=(make_audio_plan("a0"), make_audio_plan("a1", stream=2))))
    encode.chunk(0)
    encode.chunk(1)
    encode.sound(4)
    assert encode.shown is None
    encode.sound(2, name="a1")
    assert encode.listed == (2, 2)


def test_sound_waits_for_its_picture(encode: Encode) -> None:
    encode.sound(10, complete=True, rest=1000)
    encode.chunk(0)
    assert encode.listed == (1, 1)


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30_000, 1001), Fraction(60)])
@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_sound_and_picture_stay_together_however_long_the_film(rate: Fraction, sample_rate: int) -> None:
    audio = make_audio_plan(sample_rate=sample_rate)
    encode = Encode(make_plan(frames=int(7200 * rate), rate=rate, audio=(audio,), runs=(1799, 1)))
    encode.live(0, 1799)
    for stored in range(1, 1797, 7):
        encode.sound(stored)
        shown = encode.shown
        assert shown
        _holds_together(encode, shown)
        assert shown.video_segments.end > shown.audio[0].segments.end - 9, "more is there than is listed"


def test_sound_shorter_than_the_film_holds_nothing_up(encode: Encode) -> None:
    encode.sound(2, complete=True, rest=5000)
    for chunk in encode.plan.chunks:
        encode.chunk(chunk.index)
    shown = encode.shown
    assert shown
    assert shown.complete
    assert encode.listed == (11, 3)
    assert shown.duration == shown.video_segments.end == Fraction(1000, 24)


def test_whole_film_lasts_as_long_as_its_longest_track_and_lists_all_of_it(encode: Encode) -> None:
    for chunk in encode.plan.chunks:
        encode.chunk(chunk.index)
    encode.sound(12, complete=True, rest=1024)
    shown = encode.shown
    assert shown
    assert shown.complete
    assert encode.listed == (11, 13)
    assert shown.duration == shown.audio[0].segments.end > shown.video_segments.end


@pytest.mark.parametrize(("tail", "segments", "last"), [(997, 11, 37), (960, 10, 96), (1057, 12, 1)])
def test_film_that_ends_a_little_before_or_after_its_plan_is_listed_as_it_is(
    tail: int, segments: int, last: int
) -> None:
    encode = Encode(make_plan(audio=()))
    for chunk in encode.plan.chunks:
        encode.chunk(chunk.index, tail=tail)
    shown = encode.shown
    assert shown
    durations = shown.video_segments.durations
    assert len(durations) == segments
    assert durations[-1] == last * encode.plan.grid.frame_ticks
    assert shown.video_segments.end == Fraction(tail, 24)


def test_subtitles_are_listed_at_the_end_and_hold_nothing_else_up() -> None:
    encode = Encode(make_plan(audio=(), text=(SUBTITLES,)))
    for chunk in encode.plan.chunks:
        encode.chunk(chunk.index)
    shown = encode.shown
    assert shown
    assert (shown.complete, shown.text) == (False, ())
    assert len(shown.video_segments.durations) == 11
    encode.text()
    shown = encode.shown
    assert shown
    assert [(track.name, track.language) for track in shown.text] == [("t0", "en")]


@dataclass(frozen=True)
class Done:
    """One event of an audio track, of "text", or, if `chunk` is given, of a chunk.

    `amount` is the number of whole segments stored. At the end of a chunk it is -1; at the end of an audio track it is
    -1 minus the number of whole segments.
    """

    track: str
    amount: int
    chunk: int = -1


@st.composite
def histories(draw: st.DrawFn) -> tuple[EncodePlan, list[Done], int]:
    """Draw a plan, all events of its job in any order and some of them twice, and the film's real number of frames."""
    rate = draw(st.sampled_from([Fraction(24), Fraction(30_000, 1001), Fraction(60), Fraction(25)]))
    frames = draw(st.integers(2, int(60 * rate)))
    rates = draw(st.lists(st.sampled_from([44_100, 48_000]), max_size=2))
    audio = tuple(make_audio_plan(f"a{number}", sample_rate=sample_rate) for number, sample_rate in enumerate(rates))
    plan = make_plan(
        frames=frames,
        rate=rate,
        audio=audio,
        text=draw(st.sampled_from([(), (SUBTITLES,)])),
        runs=tuple(draw(st.lists(st.integers(1, 7), min_size=1, max_size=5))),
    )
    tail = max(1, frames + draw(st.integers(-1, 2)) * draw(st.integers(0, int(rate / 2))))
    tail = max(tail, plan.chunks[-1].first_frame + 1)
    events = []
    for chunk in plan.chunks:
        whole = min(chunk.segments, tail // plan.grid.gop - chunk.first_segment)
        events += [Done("video", stored, chunk.index) for stored in range(1, whole + 1)]
        events.append(Done("video", -1, chunk.index))
    for track in audio:
        longest = int(frames / rate * track.sample_rate / track.segment_ticks) + 1
        count = draw(st.integers(0, longest))
        events += [Done(track.name, stored) for stored in range(1, count + 1)]
        events.append(Done(track.name, -1 - count))  # the end: a short segment after `count` whole ones
    events += [Done("text", 0)] * len(plan.text)
    repeated = draw(st.lists(st.sampled_from(events), max_size=6))
    return plan, draw(st.permutations(events + repeated)), tail


@settings(deadline=None)
@given(histories())
def test_what_is_listed_holds_together_and_only_grows(history: tuple[EncodePlan, list[Done], int]) -> None:
    plan, events, tail = history
    encode = Encode(plan)
    revision, before = -1, None
    for event in events:
        if event.track == "video":
            if event.amount < 0:
                encode.chunk(event.chunk, tail=tail)
            else:
                encode.live(event.chunk, event.amount)
        elif event.track == "text":
            encode.text()
        elif event.amount > 0:
            encode.sound(event.amount, name=event.track)
        else:
            encode.sound(-event.amount - 1, complete=True, rest=777, name=event.track)
        shown = encode.shown
        assert shown or not before, "what was listed is listed no longer"
        if shown is None:
            continue
        assert revision_of(shown) >= revision
        assert (revision_of(shown) == revision) == (shown == before), "two manifests have one revision"
        _holds_together(encode, shown)
        revision, before = revision_of(shown), shown
    assert before
    assert before.complete
    assert before.video_segments.end == tail / plan.grid.rate


def _holds_together(encode: Encode, shown: Presentation) -> None:
    job, picture = encode.job, shown.video_segments
    assert picture.durations
    assert len(picture.durations) <= front_segments(job, encode.plan)
    whole = encode.plan.grid.gop * encode.plan.grid.frame_ticks
    assert set(picture.durations[:-1]) <= {whole}
    assert 0 < picture.durations[-1] <= whole
    for planned, track in zip(encode.plan.audio, shown.audio, strict=True):
        state = job.tracks[planned.name]
        listed = track.segments.durations
        assert listed
        assert len(listed) <= state.segments
        assert all(duration > 0 for duration in listed)
        if not shown.complete:
            begins = Fraction(sum(listed[:-1]), planned.sample_rate)
            assert begins < picture.end, "sound is listed past the picture"
            all_of_it = state.complete and len(listed) == state.segments
            assert all_of_it or picture.end <= track.segments.end + SLACK_S, "picture is listed past its sound"
