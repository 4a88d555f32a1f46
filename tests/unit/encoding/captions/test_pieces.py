"""Where long sound is divided."""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

from functions.encoding.captions.pieces import RATE, quietest_s, read_samples
from functions.encoding.captions_encode import (
    PIECE_S,
    CaptionsEncode,
    CaptionsStatus,
    missing_pieces,
    piece_count,
    piece_segments,
)
from functions.encoding.track_state import TrackState
from tests.support.clock import NOON
from tests.support.encoding_plans import make_job, make_plan

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.model import EncodeJob


def loud(seconds: float) -> list[float]:
    return [0.5, -0.5] * round(seconds * RATE / 2)


def with_sound(segments: int) -> EncodeJob:
    """Return a job whose sound has this number of segments, and whose captions have been begun."""
    plan = make_plan()
    audio = plan.audio[0]
    captions = CaptionsEncode(CaptionsStatus.ENCODING, NOON, "t0", audio.name, "en")
    states = {audio.name: TrackState(segments, segments * audio.segment_ticks, complete=True)}
    return replace(make_job(plan=plan, tracks=states), captions=captions)


def test_sound_is_divided_in_its_longest_pause() -> None:
    samples = array("f", [*loud(3), *[0.001] * (RATE // 2), *loud(2), *[0.001] * (RATE // 10), *loud(1)])
    assert 3.1 < quietest_s(samples) < 3.4


def test_sound_without_a_pause_is_divided_anyway() -> None:
    assert 0 <= quietest_s(array("f", loud(4))) <= 4
    assert quietest_s(array("f", [0.5] * 100)) == 50 / RATE
    assert quietest_s(array("f")) == 0


def test_samples_that_were_cut_off_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "samples").write_bytes(array("f", [0.5, 0.25]).tobytes() + b"\0")
    assert read_samples(tmp_path / "samples") == array("f", [0.5, 0.25])


def test_pieces_cover_the_sound_once_and_have_about_the_nominal_length() -> None:
    segments_of_piece = piece_segments(with_sound(1000), 0)[1]
    for segments in (1, 10, segments_of_piece, segments_of_piece + 1, 400, 1000, 3600):
        job = with_sound(segments)
        ranges = [piece_segments(job, piece) for piece in range(piece_count(job))]
        covered = [number for first, end in ranges for number in range(first, end)]
        assert covered == list(range(segments))
        assert all((end - first) * 4 <= 1.6 * PIECE_S for first, end in ranges)


def test_finished_pieces_are_not_missing() -> None:
    job = with_sound(300)
    assert job.captions
    assert missing_pieces(job) == (0, 1, 2, 3)
    assert missing_pieces(replace(job, captions=replace(job.captions, done=frozenset({0, 2})))) == (1, 3)
    assert missing_pieces(replace(job, captions=replace(job.captions, status=CaptionsStatus.COMPLETE))) == ()
    assert missing_pieces(replace(job, captions=None)) == ()
