"""The interface that encodes in AV1 need: the store of these encodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from functions.encoding.av1_encode import Av1Encode
from functions.encoding.ports import LaterEncodes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.encoding.av1_encode import Av1Result


class Av1Encodes(LaterEncodes[Av1Encode], Protocol):
    """The encodes in AV1."""

    def take_undecided(self, *, now: datetime, again_at: datetime, limit: int) -> list[str]:
        """Return the ids of ready jobs that are due for a decision and have no encode; due then at `again_at`."""

    def begin_encode(self, job_id: str, *, at: datetime, reason: str) -> bool:
        """Begin the encode of a ready job; return False if it has one, or is not ready."""

    def finish_chunk(
        self, job_id: str, chunk: int, *, result: Av1Result, codecs: Mapping[str, str], cpu_s: float
    ) -> Av1Encode | None:
        """Record that a chunk is stored, unless it is already."""
