"""The automatic captions of a title: what they are made from, in which pieces, and how far they are.

They follow the encode, which stays published without them. Nothing that goes wrong here affects the title.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations when it decodes a stored job
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.captions.rule import base_of, spoken_in
from functions.encoding.languages import language_name

if TYPE_CHECKING:
    from functions.encoding.model import AudioPlan, EncodeJob

MOST_ATTEMPTS = 5
"""How many attempts at a piece may fail before the captions are given up."""

PIECE_S = 300
"""The nominal length of a piece: its samples take 19 MB, and tiny.en transcribes it in 20 CPU-seconds."""


class CaptionsStatus(StrEnum):
    """The state of automatic captions."""

    ENCODING = "encoding"
    COMPLETE = "complete"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class CaptionCue:
    """What is shown from `begin_ms` to `end_ms`: one or two lines."""

    begin_ms: int
    end_ms: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaptionsEncode:
    """The automatic captions of a job, made from the audio track `audio`, which is spoken in `language`.

    `track` is the name of the subtitle track. `done` has the indices of the finished pieces, `pieces` their cues until
    all of them are joined. `cues` and `size` are the number of cues and the bytes of the joined file; a film without
    speech has no cues, and no track. `reason` says why the captions were given up. `attempts` has the number of
    attempts at each piece that were begun and have not succeeded. `edition` grows whenever the manifests begin or cease
    to list the track. `ended_at` is None until the manifests say whether it is complete.
    """

    status: CaptionsStatus
    begun_at: datetime
    track: str
    audio: str
    language: str
    done: frozenset[int] = frozenset()
    pieces: Mapping[str, tuple[CaptionCue, ...]] = field(default_factory=dict)
    cues: int = 0
    size: int = 0
    cpu_s: float = 0.0
    reason: str | None = None
    attempts: Mapping[str, int] = field(default_factory=dict)
    ended_at: datetime | None = None
    edition: int = 0

    @property
    def is_complete(self) -> bool:
        """Return whether all pieces are finished; manifests list the track if it has cues."""
        return self.status is CaptionsStatus.COMPLETE

    @property
    def is_ending(self) -> bool:
        """Return whether the captions are complete or were given up, but the manifests may not say so yet."""
        return self.status is not CaptionsStatus.ENCODING and self.ended_at is None

    @property
    def label(self) -> str:
        """Return the name of the track, which says that nobody has checked it."""
        return f"{language_name(self.language)} (automatic)"

    @property
    def joined(self) -> tuple[CaptionCue, ...]:
        """Return the cues of all finished pieces, in order."""
        return tuple(cue for index in sorted(map(int, self.pieces)) for cue in self.pieces[str(index)])


def captions_step(piece: int) -> str:
    """Return the name of the step that transcribes a piece; claims are stored under it."""
    return f"captions {piece}"


def is_captions(step: str) -> bool:
    """Return whether a step transcribes a piece."""
    return step.startswith("captions ")


def piece_count(job: EncodeJob) -> int:
    """Return the number of pieces of the audio track from which captions are made; 0 if there is none."""
    audio = captioned_audio(job)
    if audio is None:
        return 0
    return max(1, round(job.tracks[audio.name].segments / _segments_of_piece(audio)))


def piece_segments(job: EncodeJob, piece: int) -> tuple[int, int]:
    """Return the first segment of a piece, and the one after its last; the last piece may be longer or shorter."""
    audio = captioned_audio(job)
    assert audio
    each, total = _segments_of_piece(audio), job.tracks[audio.name].segments
    return piece * each, total if piece == piece_count(job) - 1 else (piece + 1) * each


def captioned_audio(job: EncodeJob) -> AudioPlan | None:
    """Return the published audio track from which the captions of a job are made; None if there is none any more."""
    plan, name = job.current_plan, job.captions.audio if job.captions else None
    tracks = (track for track in plan.audio if track.name == name) if plan else iter(())
    return next((track for track in tracks if track.name in job.tracks and not job.tracks[track.name].left_out), None)


def missing_pieces(job: EncodeJob) -> tuple[int, ...]:
    """Return the indices of the pieces that unfinished captions lack, in order; none if there are no captions."""
    if job.captions is None or job.captions.status is not CaptionsStatus.ENCODING:
        return ()
    return tuple(index for index in range(piece_count(job)) if index not in job.captions.done)


def listed_captions(job: EncodeJob) -> CaptionsEncode | None:
    """Return the captions that manifests list: they are complete and have cues; otherwise None.

    They are not listed beside late subtitles in their language.
    """
    captions = job.captions
    if captions is None or not captions.is_complete or not captions.cues:
        return None
    return None if base_of(captions.language) in spoken_in(job.late.tracks) else captions


def _segments_of_piece(audio: AudioPlan) -> int:
    return max(1, round(PIECE_S / Fraction(audio.segment_ticks, audio.sample_rate)))
