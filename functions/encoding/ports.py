"""The interfaces that encoding needs: the store of its jobs, and the blobs of uploads and titles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypedDict, Unpack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta
    from pathlib import Path

    from functions.encoding.model import (
        EncodeJob,
        EncodePlan,
        JobSummary,
        SourceRef,
        StepFault,
        TrackState,
        Transition,
    )


class ChangedFields(TypedDict, total=False):
    """The fields of a job that may change together with its status."""

    plan: EncodePlan
    reason: str | None
    fault: str | None
    faults: Mapping[str, StepFault]
    planning_at: datetime
    planned_at: datetime
    ended_at: datetime | None


class EncodeJobs(Protocol):
    """The store of encode jobs; each method raises StoreUnavailable while the store does not answer.

    Finished work is recorded by adding to a set or increasing a number, so repeating a step changes nothing. Methods
    that take and return a job return its new state, with the plan of the job that was passed.
    """

    def add_job(self, job: EncodeJob) -> bool:
        """Store a new job; return False if a job with its id already exists."""

    def get_job(self, job_id: str) -> EncodeJob:
        """Return a job. Raises NotFound."""

    def find_summary(self, job_id: str) -> JobSummary | None:
        """Return the summary of a job, or None if there is no such job."""

    def latest_summary(self, title_id: str) -> JobSummary | None:
        """Return the summary of the newest job of a title, or None if it has none."""

    def list_summaries(self, *, below: str | None, limit: int) -> list[JobSummary]:
        """Return the summaries after the position `below` (see `model.position_of`), newest first."""

    def take_stalled(self, *, since: datetime) -> list[EncodeJob]:
        """Return the open jobs that have not changed since a time, and mark them as changed now."""

    def supersede_jobs(self, by: EncodeJob, *, reason: str, at: datetime) -> None:
        """Fail the open jobs of the same title that were opened before `by`."""

    def change_status(self, job_id: str, transition: Transition, **fields: Unpack[ChangedFields]) -> EncodeJob | None:
        """Change the status and set fields atomically; return the job, or None if its status forbids the transition."""

    def finish_chunk(
        self, job: EncodeJob, index: int, *, codecs: Mapping[str, str], cpu_s: float, tail: int | None
    ) -> EncodeJob:
        """Record that a chunk is stored; `tail` is the film's number of frames, passed only with the last chunk."""

    def advance_chunk(self, job: EncodeJob, index: int, segments: int, *, codecs: Mapping[str, str]) -> EncodeJob:
        """Record how many segments of a running chunk are stored; never decreases on retry."""

    def advance_track(self, job: EncodeJob, track: str, state: TrackState, *, codec: str | None) -> EncodeJob:
        """Record how much of a track is stored; never decreases on retry."""

    def note_fault(self, job_id: str, step: str, fault: StepFault) -> None:
        """Record the error of the last attempt at a step; `step` is its name, such as "chunk 3"."""

    def note_published(self, job: EncodeJob, *, front_s: float, at: datetime) -> EncodeJob:
        """Record how many seconds the published manifests list (never decreases) and when the first was published."""


class MediaStore(Protocol):
    """The blobs of uploads and titles.

    Each method raises StoreUnavailable while the store does not answer, and EncodeFault if it refuses a request.
    """

    def signed_address(self, source: SourceRef, *, lasts: timedelta) -> str:
        """Return an address from which a blob can be read by range requests for the time `lasts`."""

    def read_head(self, source: SourceRef, *, length: int) -> bytes:
        """Return the first bytes of a blob. Raises SourceRefused if there is no such blob."""

    def download_file(self, source: SourceRef, target: Path) -> None:
        """Download a blob to a file, piece by piece."""

    def list_names(self, container: str, prefix: str) -> list[str]:
        """Return the names of the blobs that begin with `prefix`."""

    def create_container(self, container: str) -> None:
        """Create a private container unless it exists."""

    def store_file(self, container: str, name: str, path: Path) -> None:
        """Store a file that never changes; storing it again writes the same bytes."""

    def store_text(self, container: str, name: str, text: str, *, revision: int) -> None:
        """Store a string unless the same or a later revision is already stored."""

    def delete_blob(self, container: str, name: str) -> None:
        """Delete a blob if it exists."""
