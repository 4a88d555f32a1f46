"""The rules by which the sweep deletes files: when those of a job, and of each of its tracks, are needed no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.catalogue.model import Status
from functions.encoding.av1_encode import Av1Status, av1_renditions
from functions.encoding.model import OPEN, JobStatus, needs_copy
from functions.encoding.on_demand_encode import OnDemandStatus
from functions.encoding.renditions import ORIGINAL
from functions.encoding.upkeep.retention import FAILED_KEPT, MANIFESTS_KEPT, REPLACED_KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.encoding.model import EncodeJob, JobSummary

MANIFESTS = (".mpd", ".m3u8")
EVERYTHING = ("",)
THUMBNAILS = "thumbnails"
"""The folder of the thumbnails, in the folder of a job."""

COPY = ("/source.mkv",)
"""The copy of an upload where versions before 0.3 stored it; nothing reads it there any more."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """From `at` on, the files of a folder, or in its folder `within`, may be deleted if they have one of `endings`."""

    at: datetime
    endings: tuple[str, ...] = EVERYTHING
    within: str = ""


def expiries_of(folder: str, jobs: Sequence[JobSummary], title: Title | None) -> list[Expiry]:
    """Return when the files in the folder of a job may be deleted; an empty list means never.

    `jobs` are all jobs of the title, newest first; there is at least one.
    """
    job = next((each for each in jobs if each.id == folder), None)
    if (job or jobs[0]).status in OPEN:
        return []
    if _is_withdrawn(title):
        return [Expiry(_ended(job or jobs[0]))]
    if is_kept(folder, jobs, title):
        return [Expiry(_ended(job), COPY), *_on_demand_expiries(job)] if job else []
    if job and job is jobs[0]:
        at = _ended(job)
        return [Expiry(at, COPY), Expiry(at + MANIFESTS_KEPT, MANIFESTS), Expiry(at + FAILED_KEPT)]
    ended = (_ended(each) for each in jobs if each.id in (folder, _played(title)) or each is jobs[0])
    return [Expiry(_ended(job or jobs[0]), COPY), Expiry(max(ended) + REPLACED_KEPT)]


def is_kept(folder: str, jobs: Sequence[JobSummary], title: Title | None) -> bool:
    """Return whether a title plays what is in the folder of a job, or will."""
    if _is_withdrawn(title):
        return False
    return folder == _played(title) or (folder == jobs[0].id and jobs[0].status is JobStatus.READY)


def track_expiries(job: EncodeJob, tracks: Iterable[str]) -> list[Expiry]:
    """Return when the files of those tracks of a ready job may be deleted that its manifests do not list.

    These are a provisional rendition, copies in which damage was found, what was published of an upload before it was
    whole and does not fit its plan, an encode in AV1 that was given up, and late subtitles that were replaced. `tracks`
    are the folders in the folder of the job; a copy that failed at its beginning may have a playlist only. Renditions
    on demand are not considered, nor is AV1 before it is given up: they may be made meanwhile.
    """
    plan = job.current_plan
    if job.status is not JobStatus.READY or plan is None or job.ended_at is None:
        return []
    listed = {THUMBNAILS, *plan.tracks, *(each.name for each in (*plan.renditions, *plan.on_demand))}
    av1 = {each.name for each in av1_renditions(plan)}
    given_up = job.av1.ended_at if job.av1 and job.av1.status is Av1Status.ABANDONED else None
    left = {*tracks, *job.tracks} - listed
    ends = {name: given_up if name in av1 else job.ended_at for name in sorted(left)}
    found = [each for name, end in ends.items() if end for each in _of_track(name, at=end + REPLACED_KEPT)]
    found += [Expiry(at + REPLACED_KEPT, (f"/{name}.vtt", f"/{name}.m3u8")) for name, at in job.late.removed.items()]
    if plan.copied is None and (job.reception or (job.plan and job.plan.copied)):  # the copies were listed in it
        found.append(Expiry(job.ended_at + REPLACED_KEPT, (f"/{ORIGINAL}",)))
    return found


def copy_expiry(job: JobSummary, jobs: Sequence[JobSummary], title: Title | None) -> Expiry | None:
    """Return when the copy of the upload of a job may be deleted; None while it is needed.

    That of a failed job is kept as long as its parts, so that a retry continues with it.
    """
    if job.status in OPEN:
        return None
    if job.status is JobStatus.READY and not _is_withdrawn(title) and needs_copy(job):
        return None
    may_be_retried = job is jobs[0] and job.status is JobStatus.FAILED and not _is_withdrawn(title)
    return Expiry(_ended(job) + (FAILED_KEPT if may_be_retried else timedelta()))


def _played(title: Title | None) -> str | None:
    """Return the id of the job whose files a title plays, also while it is replaced; None if it plays none."""
    return title.playback.job_id if title and title.playback and title.watchable else None


def _is_withdrawn(title: Title | None) -> bool:
    return title is not None and title.status is Status.WITHDRAWN


def _on_demand_expiries(job: JobSummary) -> list[Expiry]:
    """Return when the renditions on demand may be deleted, if no manifest lists them any more."""
    at = job.on_demand.expires_at if job.on_demand else None
    names = [each.name for each in job.renditions_on_demand] if at else []
    return [expiry for name in names if at for expiry in _of_track(name, at=at)]


def late_expiry(jobs: Sequence[JobSummary], title: Title | None) -> Expiry | None:
    """Return when a withdrawn title is swept again, because its last encoder may still store something; None if never.

    A job that was open when its title was withdrawn ended at that moment.
    """
    return Expiry(max(map(_ended, jobs)) + MANIFESTS_KEPT) if _is_withdrawn(title) and jobs else None


def is_changing(job: JobSummary) -> bool:
    """Return whether an encode that follows a ready job is unfinished, or its renditions are leaving.

    What expires then is known only later.
    """
    leaves = job.on_demand is not None and job.on_demand.status is OnDemandStatus.LEAVING
    return job.status is JobStatus.READY and (leaves or needs_copy(job))


def _of_track(name: str, *, at: datetime) -> list[Expiry]:
    """Return the expiries of the segments of a track and of its playlist."""
    return [Expiry(at, within=name), Expiry(at, (f"/{name}.m3u8",))]


def _ended(job: JobSummary) -> datetime:
    return job.ended_at or job.updated_at
