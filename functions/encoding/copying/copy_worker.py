"""Copy pictures and sound of a source into final segments; discard a copy that turns out to be unsuitable."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from functions.encoding.copying.passthrough import Unsuitable
from functions.encoding.copying.precedence import Precedence
from functions.encoding.copying.track_copier import CannotCopy, TrackCopier, index_of_planned
from functions.encoding.ffmpeg_commands import INIT, decode_arguments
from functions.encoding.frame_grid import SEGMENT_S
from functions.encoding.listing import Listing, still_open
from functions.encoding.losses import Loss
from functions.encoding.track_state import TrackFault, TrackState
from functions.encoding.work_folders import work_folder
from functions.platform.errors import EncodeFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.formats.mp4_index import IndexedTrack
    from functions.encoding.formats.segments import InitInfo, SegmentInfo
    from functions.encoding.listing import Publish
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.ports import EncodeJobs, MediaStore
    from functions.platform.film_keys import FilmKeys

log = logging.getLogger(__name__)

NOTED_S = 1
"""Minimum time between two updates of the job while a track is copied, in seconds."""

CHECK_LIMIT_S = 900

BEGINNING_S = 32
"""How many seconds of a film are copied by the step that plans it; the rest may wait for the copies of other films."""

SHORT_S = 60
"""A film of at most this many seconds is copied as a whole by that step."""


class CopyWorker:
    """Copies tracks, and records in the job which parts are stored."""

    def __init__(self, jobs: EncodeJobs, media: MediaStore, ffmpeg: FFmpeg, *, work_dir: str, keys: FilmKeys) -> None:
        self._keys = keys
        self._jobs = jobs
        self._media = media
        self._ffmpeg = ffmpeg
        self._work_dir = work_dir
        self._precedence = Precedence()
        self._last: tuple[str, Sequence[IndexedTrack]] = "", ()

    def copies_pause(self) -> AbstractContextManager[None]:
        """Return a context in which the copies of this process pause, because a first picture waits for its body."""
        return self._precedence.taken()

    def copy_beginnings(self, job: EncodeJob, tracks: Sequence[IndexedTrack], *, publish: Publish) -> EncodeJob:
        """Copy the beginnings of pictures and sound of a job that has just been planned; return the updated job.

        Its first picture then waits for no other film. A short film is copied as a whole. A film whose beginning can
        be watched already is left to the steps of its tracks, and so are tracks that cannot be copied. Raises JobEnded
        if the job is no longer open.
        """
        plan = job.plan
        if plan is None or plan.copied is None:
            return job
        is_short = plan.duration <= SHORT_S
        self._last = job.id, tracks
        if job.playable_at and not is_short:
            return job
        grid = plan.grid
        pictures = grid.segments if is_short else min(grid.segments, grid.segments_until(int(BEGINNING_S * grid.rate)))
        sounds = None if is_short else BEGINNING_S // SEGMENT_S + 1
        try:
            with work_folder("copy", self._work_dir) as folder:
                copier = TrackCopier(self._media, job, plan.source, folder, self._keys)
                for audio in (each for each in plan.audio if each.copied):
                    copied = copier.copy_sound(tracks[audio.stream], audio, segments=sounds)
                    checked = folder if is_short else None
                    job = self._record(job, audio.name, copied, _ignore, checked=checked, is_whole=is_short)
                copied = copier.copy_picture(tracks[plan.picture.stream], grid, plan.copied, segments=pictures)
                job = self._record(job, plan.copied.rendition.name, copied, _ignore, is_whole=is_short)
            publish(job)
        except (CannotCopy, EncodeFault) as error:
            log.warning("job %s: its beginning could not be copied: %s", job.id, error)
        return job

    def copy_track(
        self, job: EncodeJob, plan: EncodePlan, name: str, *, publish: Publish, proceed: Callable[[], None]
    ) -> EncodeJob:
        """Copy the pictures or an audio track; return the updated job, which leaves out a track that cannot be copied.

        Raises JobEnded if the job is no longer open when a part is recorded, EncodeFault if the upload is no longer the
        one that was planned, and any exception of `proceed`.
        """
        try:
            return self._copied(job, plan, name, publish, proceed)
        except Unsuitable as error:  # the upload was replaced or damaged since it was planned
            log.warning("job %s: %s no longer fits its plan: %s", job.id, name, error)
            raise EncodeFault(
                f"{job.name} was changed or damaged while it was being encoded. Upload the film again."
            ) from error

    def _copied(
        self, job: EncodeJob, plan: EncodePlan, name: str, publish: Publish, proceed: Callable[[], None]
    ) -> EncodeJob:
        known, tracks = self._last  # of the film that was planned last; to read the index again can take long
        if known != job.id:
            tracks = index_of_planned(self._media, job, plan)
        audio = next((each for each in plan.audio if each.name == name), None)
        if (stream := audio.stream if audio else plan.picture.stream) >= len(tracks):
            raise Unsuitable(f"it has no stream {stream}")
        with work_folder("copy", self._work_dir) as folder:
            copier = TrackCopier(self._media, job, plan.source, folder, self._keys)
            try:
                if audio:
                    copied = copier.copy_sound(tracks[stream], audio)
                    return self._record(job, name, copied, publish, checked=folder, proceed=proceed)
                assert plan.copied
                copied = copier.copy_picture(tracks[stream], plan.grid, plan.copied, segments=plan.grid.segments)
                return self._record(job, name, copied, publish, proceed=proceed)
            except CannotCopy as error:
                log.warning("job %s: %s cannot be copied: %s", job.id, name, error)
                return self.give_up(job, name)

    def give_up(self, job: EncodeJob, name: str) -> EncodeJob:
        """Record that a track cannot be copied, so that it is encoded instead; return the updated job.

        If it is the picture, and not only a provisional rendition, all chunks are encoded again, because each of them
        lacks a rendition.
        """
        plan = job.plan
        replaced = plan and plan.copied and plan.copied.rendition.name == name and not plan.copied.is_provisional
        chunks = frozenset(chunk.index for chunk in plan.chunks) if plan and replaced else frozenset()
        left_out = TrackState(complete=True, fault=TrackFault.DAMAGED)
        for _ in range(2):  # another encoder may complete the track in between
            self._jobs.undo_parts(job, Loss(chunks=chunks, tracks=frozenset({name}), files=frozenset({name})))
            job = self._jobs.advance_track(job, name, left_out, codec=None)
            if job.tracks[name].left_out:
                return job
        raise EncodeFault("The film's own pictures are damaged.")

    def _record(
        self,
        job: EncodeJob,
        name: str,
        copied: Iterator[tuple[InitInfo, SegmentInfo]],
        publish: Publish,
        *,
        checked: Path | None = None,
        is_whole: bool = True,
        proceed: Callable[[], None] | None = None,
    ) -> EncodeJob:
        """Record segments as they are stored; then decode the sound track in the folder `checked` to find damage.

        The track is complete afterwards if `is_whole`. With `proceed`, which may raise an exception to stop it, the
        copy pauses for more urgent steps.
        """
        listing, noted_at = Listing(publish), 0.0
        count = size = ticks = 0
        codec = None
        for init, segment in copied:
            count, size, ticks, codec = count + 1, size + segment.size, segment.end, init.codec
            if proceed:
                self._precedence.give_way()
            if time.monotonic() - noted_at >= NOTED_S:
                noted_at = time.monotonic()
                if proceed:
                    proceed()
                job = still_open(self._jobs.advance_track(job, name, TrackState(count, ticks), codec=codec))
                listing.grew(job)
        if not count:
            raise CannotCopy("There is nothing to copy.")
        job = still_open(self._jobs.advance_track(job, name, TrackState(count, ticks), codec=codec))
        publish(job)
        if not is_whole:
            return job
        if checked and not self._decodes(checked, name):
            raise CannotCopy("The sound is damaged.")
        if proceed:
            proceed()
        return self._jobs.advance_track(job, name, TrackState(count, ticks, complete=True, size=size), codec=codec)

    def _decodes(self, folder: Path, name: str) -> bool:
        joined = folder / "joined.mp4"
        with joined.open("wb") as file:
            for path in (folder / name / INIT, *sorted((folder / name).glob("s*.m4s"))):
                file.write(path.read_bytes())
                path.unlink()  # otherwise the sound would be on the disk twice
        result = self._ffmpeg.run(decode_arguments(joined), folder=folder, limit_s=CHECK_LIMIT_S, yields=True)
        if not result.is_verdict:
            raise EncodeFault("The sound could not be checked.")
        return not result.status and not result.is_sound_damaged


def _ignore(job: EncodeJob) -> None:
    """Publish nothing: what is stored is listed when all of it is."""
