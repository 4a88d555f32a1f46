"""Convert the subtitle files that the plan of a ready job does not have, and publish them as tracks of its title."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.copying.reception import UploadChanged
from functions.encoding.late_text import LATE, LateSubtitles, LateText, late_name, late_names, listed_texts
from functions.encoding.model import JobStatus, SourceRef
from functions.encoding.planning.sidecars import sidecar_versions
from functions.encoding.subtitles import SIDECAR_BYTES, convert_subtitles
from functions.encoding.text_plan import plan_of_sidecar
from functions.encoding.track_labels import TrackLabels
from functions.encoding.track_state import TrackFault
from functions.encoding.tracks import MOST_TEXT
from functions.encoding.upkeep.retention import REPLACED_KEPT
from functions.encoding.work_folders import work_folder
from functions.platform.errors import ContainerMissing, SourceRefused
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime
    from pathlib import Path

    from functions.encoding.late_subtitles.ports import LateSubtitleStore
    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import EncodeJobs, JobUpkeep, MediaStore
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.text_plan import TextPlan

log = logging.getLogger(__name__)


class LateSubtitlesWorker:
    """Adds late subtitles to ready jobs. It is idempotent, and several may run at once."""

    def __init__(
        self,
        media: MediaStore,
        jobs: EncodeJobs,
        late: LateSubtitleStore,
        upkeep: JobUpkeep,
        publisher: ManifestPublisher,
        now: Callable[[], datetime],
        *,
        work_dir: str,
    ) -> None:
        self._media = media
        self._jobs = jobs
        self._late = late
        self._upkeep = upkeep
        self._publisher = publisher
        self._now = now
        self._work_dir = work_dir

    def add_arrived(self, job: EncodeJob, *, lost: Collection[str] = ()) -> EncodeJob:
        """Add the subtitle files that arrived since a published job was planned, and return it.

        The files of the tracks `lost` are converted again; if a file of these is gone, so is its track. A file that
        cannot be read leaves the version before it as it is. The sweep deletes the files of tracks that are not listed
        any more, and those of attempts that were interrupted. Manifests and catalogue are written in any case, because
        an earlier attempt may have been interrupted before that.
        """
        while (late := self._with_arrived(job, lost)) != job.late:
            stored = self._late.store_late(job, late)
            job = stored or self._jobs.get_job(job.id)
            if stored:
                log.info("job %s has %d late subtitle files", job.id, len(late.texts))
                break
        if job.late.removed:
            self._upkeep.schedule_sweep(job.id, at=max(job.late.removed.values()) + REPLACED_KEPT)
        if job.late.edition:
            with suppress(ContainerMissing):  # everything is lost; the repair creates the container
                self._publisher.publish_subtitles(job)
        return job

    def _with_arrived(self, job: EncodeJob, lost: Collection[str]) -> LateSubtitles:
        """Return the late subtitles of a job with those that have arrived, which are then stored."""
        if job.plan is None or job.status is not JobStatus.READY or not job.all_done:
            return job.late
        known = {text.blob: text for text in job.late.texts if text.track.name not in lost}
        planned = {text.blob: text for text in job.plan.text if text.blob}
        left_out = 0
        for upload, etag in sidecar_versions(self._media, job).items():
            before, plan = known.get(upload.blob), planned.get(upload.blob)
            if etag == (before.etag if before else plan.etag if plan else None):
                continue
            so_far = replace(job, late=LateSubtitles(tuple(known.values())))
            listed = listed_texts(so_far, job.plan)
            if not (before or plan) and max(len(listed), len(known)) >= MOST_TEXT:
                left_out += 1
                continue
            published = before.track if before and before.size else plan
            track = published or _labelled(plan_of_sidecar(upload), listed)
            with suppress(UploadChanged, SourceRefused, ContainerMissing):  # replaced or deleted: another event says so
                known[upload.blob] = self._converted(job, track, etag, before)
        late = LateSubtitles(tuple(known.values()), job.late.edition + 1, left_out)
        files = self._media.list_sizes(container_for(job.title_id), f"{job.id}/{LATE}")
        stored = late_names(f"{LATE}{rest}" for rest in files).union(track.name for track in job.late.tracks)
        unlisted = stored.difference(track.name for track in late.tracks)
        if (late.texts, left_out) == (job.late.texts, job.late.left_out) and unlisted <= job.late.removed.keys():
            return job.late
        return replace(late, removed={name: job.late.removed.get(name, self._now()) for name in sorted(unlisted)})

    def _converted(self, job: EncodeJob, track: TextPlan, etag: str, before: LateText | None) -> LateText:
        """Convert and store one version of a subtitle file; return its entry."""
        assert track.blob
        name = late_name(track.blob, etag)
        source = SourceRef(job.upload.container, track.blob)
        raw = self._media.read_range(source, offset=0, length=SIDECAR_BYTES, etag=etag)
        with work_folder("text", self._work_dir) as folder:
            read, target = folder / "source", folder / "track.vtt"
            read.write_bytes(raw)
            if fault := _fault_of(read, target):
                log.warning("job %s: the subtitle file %s is %s", job.id, track.blob, fault)
                return LateText(track, etag, before.size if before else 0, fault)
            self._media.store_file(container_for(job.title_id), f"{job.id}/{name}.vtt", target)
            return LateText(replace(track, name=name), etag, target.stat().st_size)


def _fault_of(source: Path, target: Path) -> TrackFault | None:
    """Convert a file; return why it cannot be published, or None if it can."""
    try:
        return convert_subtitles(source, target, shift=Fraction(0))
    except OSError:
        raise
    except Exception:  # the owner sees that the file is damaged, and its title is verified all the same
        log.exception("a subtitle file cannot be converted")
        return TrackFault.DAMAGED


def _labelled(track: TextPlan, listed: Iterable[TextPlan]) -> TextPlan:
    """Return a track with a label that none of the listed ones has."""
    labels = TrackLabels("Subtitles", (each.label for each in listed))
    return replace(track, label=labels.next(track.language, "", track.roles))
