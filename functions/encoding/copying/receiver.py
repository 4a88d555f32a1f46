"""Publish what has arrived of an upload that is still running: its own pictures and sound, copied.

The final names are used, and the bytes that the encoder will write for the whole file, so the encoder continues after
them. Only segments that no later part of the file can change are stored.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

from functions.encoding.copying.instant import MOST_SAMPLES_HERE, front_plan
from functions.encoding.copying.partial_media import PartialMedia
from functions.encoding.copying.passthrough import LONGEST_S, SHORTEST_S, Unsuitable, segment_samples
from functions.encoding.copying.reception import CANNOT_READ, UploadChanged, identity_of
from functions.encoding.copying.track_copier import CannotCopy, TrackCopier, index_of_front
from functions.encoding.formats.matroska_elements import is_matroska
from functions.encoding.listing import JobEnded
from functions.encoding.model import AAC_FRAME_SAMPLES, JobStatus
from functions.encoding.track_state import TrackState
from functions.encoding.work_folders import work_folder
from functions.platform.errors import EncodeFault, SourceRefused
from functions.platform.film_keys import NO_KEYS
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from functions.encoding.copying.passthrough import CopyLimits
    from functions.encoding.copying.reception import Reception
    from functions.encoding.formats.mp4_index import IndexedTrack
    from functions.encoding.formats.segments import InitInfo, SegmentInfo
    from functions.encoding.frame_grid import FrameGrid
    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.model import AudioPlan, EncodeJob, EncodePlan
    from functions.encoding.ports import EncodeJobs, MediaStore
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.platform.film_keys import FilmKeys

log = logging.getLogger(__name__)

SETTLED_S = LONGEST_S + SHORTEST_S
"""A segment is final once the film is known for this many seconds after its beginning: it ends at a key frame at most
LONGEST_S later, unless less than SHORTEST_S of the film would be left."""

LISTED_EVERY_S = 1
"""Minimum time between two manifests while much has arrived, in seconds."""


class UploadReceiver:
    """Publishes the front of uploads that are still running."""

    def __init__(
        self,
        jobs: EncodeJobs,
        media: MediaStore,
        publisher: ManifestPublisher,
        lifecycle: JobLifecycle,
        *,
        limits: CopyLimits,
        work_dir: str,
        keys: FilmKeys = NO_KEYS,
    ) -> None:
        self._jobs = jobs
        self._media = media
        self._publisher = publisher
        self._lifecycle = lifecycle
        self._limits = limits
        self._work_dir = work_dir
        self._keys = keys

    def receive(
        self, job: EncodeJob, *, most_segments: int | None = None, proceed: Callable[[], None] = lambda: None
    ) -> EncodeJob:
        """Publish what has arrived, up to `most_segments` segments of the pictures; return the updated job.

        Repeated while the upload is committed again in the meantime. With `most_segments`, files that would have to be
        read as a whole are left to a caller without it. Raises any exception of `proceed`.
        """
        etag = None
        while job.status is JobStatus.RECEIVING and job.reception and job.reception.etag != etag:
            if job.reception.waits_because:
                break
            etag = job.reception.etag
            try:
                self._receive(job, job.reception, most_segments, proceed)
            except (UploadChanged, JobEnded):
                log.info("job %s: its upload was committed again, or has ended", job.id)
            except Unsuitable as error:
                self._wait(job, error.reason)
            except (CannotCopy, EncodeFault, SourceRefused) as error:
                log.warning("job %s: what has arrived of it could not be copied: %s", job.id, error)
                self._wait(job, CANNOT_READ)
            job = self._jobs.get_job(job.id)
        return job

    def _wait(self, job: EncodeJob, reason: str) -> None:
        if not job.tracks:
            self._jobs.note_front(job.id, published=None, waits_because=reason)

    def _receive(
        self, job: EncodeJob, reception: Reception, most_segments: int | None, proceed: Callable[[], None]
    ) -> None:
        media = PartialMedia(self._media, job, reception)
        if most_segments and is_matroska(media.read_head(job.upload, length=4)):
            return
        tracks, is_whole = index_of_front(media, job, until=reception.front, most_samples=MOST_SAMPLES_HERE)
        if not any(len(track.sizes) > 1 for track in tracks):
            return  # the description of the tracks, or the first pictures, have not arrived
        plan = front_plan(job, tracks, limits=self._limits)
        assert plan.copied
        identity = identity_of(plan)
        if reception.published not in (None, identity):
            raise Unsuitable("its first seconds were not like what follows")
        picture = tracks[plan.picture.stream]
        segments = arrived_segments(picture, plan.grid, until=reception.front, is_whole=is_whole)
        segments = min(segments, most_segments or segments)
        if min(segments, plan.grid.segments - 1) < 1:  # the last segment of a film is listed once all of it is stored
            return
        if reception.published is None:
            self._jobs.note_front(job.id, published=identity, waits_because=None)
        self._media.create_container(container_for(job.title_id))
        name = plan.copied.rendition.name
        # The first segment is listed before any other is copied.
        for count in (segments,) if self._stored(job, name) else (1, segments):
            is_first = count < segments
            with work_folder("received", self._work_dir) as folder:
                copier = TrackCopier(media, job, job.upload, folder, self._keys)
                for audio in plan.audio:
                    heard = tracks[audio.stream]
                    most = arrived_sounds(heard, audio, until=reception.front)
                    if most_segments or is_first:
                        most = min(most, _sounds_until(plan.grid, count, audio))
                    first = self._stored(job, audio.name)
                    if first < most:
                        copied = copier.copy_sound(heard, audio, segments=most, first=first)
                        job = self._record(job, plan, audio.name, copied, first, proceed)
                first = self._stored(job, name)
                if first < count:
                    copied = copier.copy_picture(picture, plan.grid, plan.copied, segments=count, first=first)
                    job = self._record(job, plan, name, copied, first, proceed)

    def _stored(self, job: EncodeJob, name: str) -> int:
        return job.tracks.get(name, TrackState()).segments

    def _record(
        self,
        job: EncodeJob,
        plan: EncodePlan,
        name: str,
        copied: Iterator[tuple[InitInfo, SegmentInfo]],
        first: int,
        proceed: Callable[[], None],
    ) -> EncodeJob:
        """Record segments from `first` on as they are stored, and publish them; raises JobEnded at the upload's end."""
        noted_at, last = time.monotonic(), None
        for number, (init, segment) in enumerate(copied, first):
            last = TrackState(number + 1, segment.end), init.codec
            if time.monotonic() - noted_at >= LISTED_EVERY_S:
                proceed()
                job, noted_at = self._note(job, plan, name, *last), time.monotonic()
        return self._note(job, plan, name, *last) if last else job

    def _note(self, job: EncodeJob, plan: EncodePlan, name: str, state: TrackState, codec: str) -> EncodeJob:
        job = self._jobs.advance_track(job, name, state, codec=codec)
        if job.status is not JobStatus.RECEIVING:
            raise JobEnded(job)
        presentation = self._publisher.publish(replace(job, plan=plan))
        if presentation:
            front_s = float(presentation.video_segments.end)
            job = replace(self._lifecycle.note_published(job, front_s=front_s), plan=None)
        return job


def arrived_segments(track: IndexedTrack, grid: FrameGrid, *, until: int, is_whole: bool) -> int:
    """Return how many segments from the first on have arrived with `until` bytes, and are final.

    `is_whole` says whether the track has all samples of the film.
    """
    arrived = 0
    for first, end in pairwise(segment_samples(track, grid)):
        is_final = is_whole or grid.first_frame(arrived) + SETTLED_S * grid.rate <= grid.frames
        if not is_final or _end_of(track, first, end) > until:
            break
        arrived += 1
    return arrived


def arrived_sounds(track: IndexedTrack, audio: AudioPlan, *, until: int) -> int:
    """Return how many full segments of copied sound, from the first on, have arrived with `until` bytes."""
    assert audio.copied
    a_segment = audio.segment_ticks // AAC_FRAME_SAMPLES
    bounds: Sequence[int] = range(audio.copied.first, len(track.sizes) + 1, a_segment)
    missing = (number for number, (first, end) in enumerate(pairwise(bounds)) if _end_of(track, first, end) > until)
    return next(missing, max(0, len(bounds) - 1))


def _sounds_until(grid: FrameGrid, segments: int, audio: AudioPlan) -> int:
    """Return how many segments of sound begin before the end of the first `segments` segments of the pictures."""
    end_s = grid.first_frame(segments) / grid.rate
    return ceil(end_s * audio.sample_rate / audio.segment_ticks)


def _end_of(track: IndexedTrack, first: int, end: int) -> int:
    """Return up to which byte of the file some samples reach."""
    return max(at + length for at, length in zip(track.positions[first:end], track.sizes[first:end], strict=True))
