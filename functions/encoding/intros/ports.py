"""The interfaces that the comparison of episodes needs: its store, its worker, and the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from functions.encoding.intros.fingerprint import EpisodeSound
    from functions.encoding.model import EncodeJob


@dataclass(frozen=True, slots=True)
class DueJob:
    """A ready job that may have to be compared with others."""

    job_id: str
    title_id: str


class Comparisons(Protocol):
    """What is stored in ready jobs about comparisons; each method raises StoreUnavailable."""

    def take_due(self, *, now: datetime, again_at: datetime, limit: int) -> list[DueJob]:
        """Return ready jobs that are due, longest due first; they are due again at `again_at`."""

    def drop_job(self, job_id: str) -> None:
        """Record that a job is never due again, because nothing plays its files."""

    def compared_with(self, job_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the digests with which these jobs were compared last; jobs that never were are left out."""

    def note_compared(self, job_id: str, digest: str) -> None:
        """Record with what a job was compared; see `season.Neighbourhood`."""


class SoundReader(Protocol):
    """Makes the fingerprints of episodes."""

    def sound_of(self, job: EncodeJob) -> EpisodeSound:
        """Return the fingerprints of a ready job. Raises EncodeFault if its sound cannot be read."""
