"""The interfaces that encoding needs: the store of its jobs, and the blobs of uploads and titles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime, timedelta
    from pathlib import Path

    from functions.encoding.audience import ChunkWait
    from functions.encoding.changed_fields import ChangedFields
    from functions.encoding.copying.reception import Reception
    from functions.encoding.damage import DamagedRun
    from functions.encoding.losses import Loss
    from functions.encoding.model import EncodeJob, JobSummary, SourceRef, StepFault, Transition
    from functions.encoding.spending.receipts import ChunkResult
    from functions.encoding.spending.reports import JobRecord
    from functions.encoding.steps import JobWork, StepKey, StepRequest, Taken
    from functions.encoding.track_state import TrackState
    from functions.encoding.upkeep.verification import Verification


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
        """Return the summaries after the position `below` (see `job_documents.position_of`), newest first.

        Dismissed jobs are left out.
        """

    def open_summaries(self) -> list[JobSummary]:
        """Return the summaries of all open jobs, in any order."""

    def list_work(self) -> list[JobWork]:
        """Return the work of all open jobs, in any order."""

    def next_works(self, *, fronts: bool, skip: int, limit: int) -> list[JobWork]:
        """Return the work of jobs that are being encoded and lack chunks, in the order of their turns.

        With `fronts`, only jobs that lack their first chunk are returned, by age; otherwise, the job that was served
        least recently comes first.
        """

    def note_requests(self, job_id: str, requests: Mapping[str, StepRequest]) -> None:
        """Record when the timer found steps due while messages waited in their queues."""

    def take_turn(self, job_id: str, *, at: datetime) -> EncodeJob | None:
        """Record the turn of a job whose chunk an encoder takes; return the job, or None if it is not encoding."""

    def dismiss_job(self, job_id: str, *, at: datetime) -> bool:
        """Leave a failed job out of lists; return False if there is no such job or it has not failed."""

    def supersede_jobs(self, by: EncodeJob | JobSummary, *, reason: str, at: datetime) -> None:
        """Fail the open jobs of the same title that were opened before `by`.

        Those that are receiving change as with GIVE_UP: their uploads may continue.
        """

    def change_status(self, job_id: str, transition: Transition, **fields: Unpack[ChangedFields]) -> EncodeJob | None:
        """Change the status and set fields atomically; return the job, or None if its status forbids the transition.

        `reception` changes as in RECEPTION_CHANGES; RESUME requires that it has stopped. With new `tracks`, nothing
        counts as published any more.
        """

    def note_received(self, job_id: str, reception: Reception, *, size: int) -> None:
        """Record a commit of an upload that will have `size` bytes, unless a later one is recorded or it is whole.

        A commit is later if its time is, or if the time is the same, but its front is longer. What was published before
        is kept.
        """

    def note_front(self, job_id: str, *, published: str | None, waits_because: str | None) -> None:
        """Record what is published of an upload before it is whole, or why nothing is; see `Reception`."""

    def finish_chunk(
        self,
        job: EncodeJob,
        index: int,
        *,
        codecs: Mapping[str, str],
        cpu_s: float,
        tail: int | None,
        damage: tuple[DamagedRun, ...] = (),
        size: int = 0,
        result: ChunkResult | None = None,
    ) -> EncodeJob:
        """Record that a chunk of `size` bytes (0: unknown) is stored, its damaged frames, and its results.

        `tail` is the film's number of frames, passed only with the last chunk.
        """

    def advance_chunk(self, job: EncodeJob, index: int, segments: int, *, codecs: Mapping[str, str]) -> EncodeJob:
        """Record how many segments of a running chunk are stored; never decreases on retry."""

    def advance_track(self, job: EncodeJob, track: str, state: TrackState, *, codec: str | None) -> EncodeJob:
        """Record how much of a track is stored; never decreases on retry.

        A job that was read as `receiving` is changed only while it still is.
        """

    def note_fault(self, job_id: str, step: str, fault: StepFault) -> None:
        """Record the error of the last attempt at a step; `step` is its name, such as "chunk 3"."""

    def clear_fault(self, job_id: str, step: str) -> None:
        """Remove the error of a step, because it has succeeded."""

    def note_published(self, job: EncodeJob, *, front_s: float, at: datetime) -> EncodeJob:
        """Record how many seconds the published manifests list (never decreases) and when the first was published."""

    def undo_parts(self, job: EncodeJob, loss: Loss) -> EncodeJob:
        """Record that parts of a job are no longer stored, and count one more remake; parts not stored are ignored."""

    def schedule_verification(self, job_id: str, *, at: datetime | None, repair: bool) -> None:
        """Set the time from which a job is due to be verified, None for never; `repair` encodes damaged files again.

        If a verification with repair is already due, it still repairs.
        """

    def note_verified(self, job: EncodeJob, verification: Verification) -> EncodeJob:
        """Record the result of a verification; the job is then no longer due to be verified.

        It stays due if subtitles have arrived since `job` was read: if its `late_asked` has grown.
        If nothing was damaged, its remakes are counted from 0 again.
        """


class AudienceStore(Protocol):
    """The viewers who wait for parts of films that are being encoded; each method raises StoreUnavailable."""

    def add_wait(self, job: EncodeJob, viewer: str, wait: ChunkWait, *, begins_part: bool) -> bool:
        """Record for which chunk a viewer waits, in place of any other; return False if the job is not encoding.

        With `begins_part`, the film is also listed from this chunk on.
        """

    def awaited_works(self, *, since: datetime) -> list[JobWork]:
        """Return the work of jobs that are being encoded and for which a viewer has waited since a time."""

    def note_listed(self, job_id: str, ends: Mapping[int, float]) -> None:
        """Record up to which second each part is listed, by the chunk with which it begins; never decreases."""


class LaterEncode(Protocol):
    """The state of an encode of a title that is published already.

    `edition` grows whenever the manifests begin or cease to list the encode.
    """

    @property
    def edition(self) -> int:
        """The number of times that the manifests began or ceased to list the encode."""

    @property
    def is_complete(self) -> bool:
        """Whether manifests list the encode."""

    @property
    def is_ending(self) -> bool:
        """Whether the encode is complete or was given up, but the manifests may not say so yet."""

    @property
    def done(self) -> Collection[int]:
        """The indices of the stored chunks."""

    @property
    def attempts(self) -> Mapping[str, int]:
        """The number of attempts at each chunk that were begun and have not succeeded."""


class LaterEncodes[Encode](Protocol):
    """Encodes of one kind, which are stored in their jobs; each method raises StoreUnavailable.

    Methods that change an encode return its new state; None if there is no encode that is being made. An encode that is
    completed or given up is unfinished until `end_encode`, because the manifests have to be written first.
    """

    def list_unfinished(self, *, limit: int) -> list[str]:
        """Return the ids of the ready jobs whose encodes are unfinished; the one to continue with comes first."""

    def count_attempt(self, job_id: str, chunk: int, *, by: int) -> Encode | None:
        """Change the number of attempts at a chunk: 1 before an attempt, -1 if its failure was not the chunk's."""

    def undo_chunks(self, job_id: str, chunks: Collection[int]) -> Encode | None:
        """Record that chunks are no longer stored; a complete encode is then being made again."""

    def complete_encode(self, job_id: str, *, chunks: int) -> Encode | None:
        """Complete an encode that has this number of chunks, all of which are stored; its edition grows."""

    def abandon_encode(self, job_id: str, *, reason: str) -> Encode | None:
        """Give up an encode; its edition grows, because manifests that were written earlier may list it."""

    def end_encode(self, job_id: str, *, edition: int, at: datetime) -> None:
        """Record that manifests list a complete encode, or list one no more that was given up.

        Ignored if the encode has another edition by now.
        """


class LaterWorker[Chunk](Protocol):
    """Encodes one chunk of a published title and stores its segments."""

    def encode_chunk(self, job: EncodeJob, index: int, *, proceed: Callable[[], None]) -> Chunk:
        """Encode a chunk of a ready job; `proceed` raises an exception if it must stop.

        Raises EncodeFault if the chunk cannot be encoded, SourceRefused if no chunk can.
        """


class JobUpkeep(Protocol):
    """Finds the jobs that are due to be verified or swept; each method raises StoreUnavailable.

    A due time is stored in each job, so a query finds only the jobs that are due, however many there are.
    """

    def take_unverified(self, *, now: datetime, again_at: datetime, limit: int) -> list[str]:
        """Return the ids of ready jobs that are due to be verified, and make them due again at `again_at`."""

    def take_unswept(self, *, now: datetime, again_at: datetime, limit: int) -> list[JobSummary]:
        """Return ended jobs whose titles are due to be swept, and make them due again at `again_at`."""

    def note_swept(self, job_id: str, *, taken_until: datetime, sweep_at: datetime | None) -> None:
        """Record when a job taken with `again_at=taken_until` is due next, unless it has ended again since."""

    def schedule_sweep(self, job_id: str, *, at: datetime) -> None:
        """Schedule the sweep of a job for a time, unless it is scheduled for an earlier one.

        A sweep that is running then cannot set a later time (see `note_swept`).
        """

    def summaries_of_title(self, title_id: str) -> list[JobSummary]:
        """Return the summaries of all jobs of a title, newest first."""


class ClaimStore(Protocol):
    """The claims of encoders on steps, keyed by the id of the job and the name of the step.

    `at` is the current time; a claim has expired if it was last renewed before `expired`. Each method raises
    StoreUnavailable while the store does not answer.
    """

    def take_claim(self, job_id: str, step: str, *, owner: str, at: datetime, expired: datetime) -> Taken:
        """Claim a step for the encoder `owner`, unless there is a claim that has not expired."""

    def renew_claims(self, owner: str, steps: Collection[StepKey], *, at: datetime) -> int:
        """Renew those claims that still belong to an encoder; return their number."""

    def release_claim(self, job_id: str, step: str, *, owner: str) -> None:
        """Delete a claim if it still belongs to an encoder."""

    def held_claims(self, *, since: datetime) -> AbstractSet[StepKey]:
        """Return the steps whose claim was taken or renewed since a time."""

    def drop_claims(self, *, before: datetime) -> list[StepKey]:
        """Delete the claims that were last renewed before a time; return each to only one caller."""


class JobRecords(Protocol):
    """The jobs for reports."""

    def list_records(self) -> list[JobRecord]:
        """Return the facts of all jobs, in any order. Raises StoreUnavailable."""


class SpendingStore(Protocol):
    """What encodes have cost, in replica-seconds; each method raises StoreUnavailable. `month` is like 2026-11."""

    def spent_s(self, month: str) -> float:
        """Return how much the encodes of a month have used."""

    def spent_since(self, month: str) -> dict[str, float]:
        """Return how much each month from `month` on has used; months without encodes are left out."""

    def add_below(self, month: str, seconds: float, *, limit_s: float) -> bool:
        """Add to a month, unless it would then be above the limit; return whether it was added. Atomic."""

    def add(self, month: str, seconds: float) -> None:
        """Add to a month; `seconds` may be negative."""

    def add_to_job(self, job_id: str, seconds: float) -> None:
        """Add to the cost of a job."""

    def is_announced(self, month: str, limit_s: float) -> bool:
        """Return whether the owner was told that this limit of a month is reached."""

    def note_announced(self, month: str, limit_s: float) -> None:
        """Record that the owner was told that this limit of a month is reached."""


class LimitStore(Protocol):
    """The monthly limit on encoding that an owner has set; each method raises StoreUnavailable."""

    def find_limit_usd(self) -> int | None:
        """Return the limit in whole US dollars, 0 for none; None if no owner has set one."""

    def store_limit_usd(self, usd: int | None) -> None:
        """Set the limit; None removes it."""


class MediaStore(Protocol):
    """The blobs of uploads and titles.

    Each method raises StoreUnavailable while the store does not answer, and EncodeFault if it refuses a request.
    Methods that store a blob raise ContainerMissing if the container does not exist.
    """

    def signed_address(self, source: SourceRef, *, lasts: timedelta) -> str:
        """Return an address from which a blob can be read by range requests for the time `lasts`."""

    def read_head(self, source: SourceRef, *, length: int) -> bytes:
        """Return the first bytes of a blob. Raises SourceRefused if there is no such blob."""

    def read_range(self, source: SourceRef, *, offset: int, length: int, etag: str = "") -> bytes:
        """Return `length` bytes of a blob, or fewer at its end. Raises SourceRefused if there is no such blob.

        Raises UploadChanged if the blob does not have the ETag `etag`, if there is one.
        """

    def download_file(self, source: SourceRef, target: Path) -> None:
        """Download a blob to a file, piece by piece."""

    def list_names(self, container: str, prefix: str) -> list[str]:
        """Return all blob names that begin with `prefix`."""

    def list_versions(self, container: str, prefix: str) -> dict[str, str]:
        """Return the ETags of all blobs whose names begin with `prefix`, by name."""

    def list_sizes(self, container: str, prefix: str) -> dict[str, int]:
        """Return the sizes in bytes of the blobs whose names begin with `prefix`; the keys are the rest of the names.

        A container that does not exist has no blobs.
        """

    def read_text(self, container: str, name: str) -> str | None:
        """Return the content of a text, or None if there is no such blob."""

    def create_container(self, container: str) -> None:
        """Create a private container unless it exists."""

    def store_file(self, container: str, name: str, path: Path) -> None:
        """Store a file; it replaces the file that an earlier attempt at the same step has stored."""

    def store_text(self, container: str, name: str, text: str, *, revision: int) -> None:
        """Store a string unless the same or a later revision is already stored."""

    def delete_blob(self, container: str, name: str) -> None:
        """Delete a blob if it exists."""


class CopyMedia(Protocol):
    """What copying tracks needs of the media store; see there."""

    def read_head(self, source: SourceRef, *, length: int) -> bytes:
        """Return the first bytes of a blob. Raises SourceRefused if there is no such blob."""

    def read_range(self, source: SourceRef, *, offset: int, length: int) -> bytes:
        """Return `length` bytes of a blob, or fewer at its end. Raises SourceRefused if there is no such blob."""

    def store_file(self, container: str, name: str, path: Path) -> None:
        """Store a file; it replaces the file that an earlier attempt at the same step has stored."""


class TitleFolders(Protocol):
    """The folders of a title's container: one for each job. Raises StoreUnavailable while storage does not answer."""

    def list_folders(self, container: str, *, within: str = "") -> list[str]:
        """Return the names of the folders, or of those in the folder `within`; none if there is no such container."""

    def delete_files(self, container: str, folder: str, *, endings: tuple[str, ...] = ("",)) -> int:
        """Delete the blobs in a folder whose names end with one of `endings`; return their number.

        A blob that is written again after it was listed is kept.
        """
