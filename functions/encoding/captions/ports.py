"""The interface that automatic captions need: their store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from functions.encoding.captions_encode import CaptionsEncode
from functions.encoding.ports import LaterEncodes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.encoding.captions.rule import Captioned
    from functions.encoding.captions_encode import CaptionCue


class Captions(LaterEncodes[CaptionsEncode], Protocol):
    """The automatic captions of jobs."""

    def take_undecided(self, *, now: datetime, again_at: datetime, limit: int) -> list[str]:
        """Return the ids of ready jobs that are due for a decision and have no captions; due then at `again_at`."""

    def begin_encode(self, job_id: str, *, at: datetime, captioned: Captioned) -> bool:
        """Begin the captions of a ready job; return False if it has some, or is not ready."""

    def finish_chunk(
        self, job_id: str, chunk: int, *, cues: Sequence[CaptionCue], cpu_s: float
    ) -> CaptionsEncode | None:
        """Store the cues of a piece, unless they are already."""

    def note_joined(self, job_id: str, *, cues: int, size: int) -> None:
        """Record that the cues of all pieces are stored in one file of `size` bytes; there is none without cues."""

    def note_hindrance(self, job_id: str, reason: str | None) -> None:
        """Record why unfinished captions cannot be made at the moment; None if they can."""
