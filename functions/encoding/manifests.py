"""Publish a job: write manifests that list the finished segments, and update the catalogue. No segment is changed.

Every step that finishes a part publishes, so steps may publish concurrently; a revision replaces only earlier
revisions.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions.catalogue.model import PlayableRendition, PlayableSubtitles, Playback
from functions.encoding.dash import write_mpd
from functions.encoding.ffmpeg_commands import INIT, SEGMENT, still_arguments
from functions.encoding.hls import write_master, write_media
from functions.encoding.model import SourceRef
from functions.encoding.presentation import presentation_of, revision_of
from functions.encoding.thumbnails import write_thumbnails
from functions.encoding.work_folders import work_folder
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.catalogue.service import Catalogue
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.ports import MediaStore
    from functions.encoding.presentation import Presentation

log = logging.getLogger(__name__)

STILL_HEIGHT = 720
STILL_AT = 0.35
"""Position of the still in the film: after the opening titles, before spoilers."""

EARLY_STILL_S = 600
"""Films longer than this, in seconds, get a still before their encode ends."""

STILL_LIMIT_S = 120


class ManifestPublisher:
    """Writes the manifests of jobs and updates the catalogue."""

    def __init__(
        self,
        media: MediaStore,
        catalogue: Catalogue,
        ffmpeg: FFmpeg,
        *,
        work_dir: str,
        now: Callable[[], datetime],
    ) -> None:
        self._media = media
        self._catalogue = catalogue
        self._ffmpeg = ffmpeg
        self._work_dir = work_dir
        self._now = now

    def publish(self, job: EncodeJob) -> Presentation | None:
        """Write manifests of all segments that may be listed; return their content, or None if there are none yet.

        The title becomes playable with its first manifest and complete with its last.
        """
        plan = job.plan
        presentation = presentation_of(job, plan, at=self._now()) if plan else None
        if plan is None or presentation is None:
            return None
        self._write(job, presentation)
        if presentation.complete:
            self._attach_thumbnails(job, plan, presentation)
            self._attach_still(job, plan, presentation)
            self._catalogue.mark_playable(job.title_id, _playback(job, presentation), complete=True)
            log.info("job %s is published: %.1f CPU-s", job.id, job.cpu_s)
        elif job.playable_at is None:
            self._catalogue.mark_playable(job.title_id, _playback(job, presentation), complete=False)
        return presentation

    def attach_early_still(self, job: EncodeJob, presentation: Presentation) -> None:
        """Give a long film a still from its first segments, without waiting for the end of its encode."""
        if job.plan and job.plan.duration > EARLY_STILL_S:
            self._attach_still(job, job.plan, presentation)

    def discard_intermediate(self, job: EncodeJob) -> None:
        """Delete the remuxed copy of the upload, if the job was encoded from one."""
        if job.plan and job.plan.source != job.upload:
            self._media.delete_blob(job.plan.source.container, job.plan.source.blob)

    def _write(self, job: EncodeJob, presentation: Presentation) -> None:
        """Write the manifests; playlists are written before the manifests that refer to them."""
        container, revision = container_for(job.title_id), revision_of(presentation)
        for name in presentation.tracks:
            playlist = write_media(presentation, name)
            self._media.store_text(container, f"{job.id}/{name}.m3u8", playlist, revision=revision)
        self._media.store_text(container, f"{job.id}/master.m3u8", write_master(presentation), revision=revision)
        self._media.store_text(container, f"{job.id}/manifest.mpd", write_mpd(presentation), revision=revision)

    def _attach_thumbnails(self, job: EncodeJob, plan: EncodePlan, presentation: Presentation) -> None:
        thumbnails = write_thumbnails(plan, presentation)
        self._media.store_text(
            container_for(job.title_id), f"{job.id}/thumbnails.vtt", thumbnails, revision=revision_of(presentation)
        )

    def _attach_still(self, job: EncodeJob, plan: EncodePlan, presentation: Presentation) -> None:
        """Extract a still from one finished segment and store it in the catalogue."""
        rendition = next((r for r in plan.renditions if r.height <= STILL_HEIGHT), plan.renditions[-1])
        segment = int(len(presentation.video_segments.durations) * STILL_AT)
        with work_folder("still", self._work_dir) as folder:
            joined, still = folder / "joined.mp4", folder / "still.jpg"
            with joined.open("wb") as file:
                for part in (INIT, SEGMENT % segment):
                    piece = folder / "part"
                    blob = f"{job.id}/{rendition.name}/{part}"
                    self._media.download_file(SourceRef(container_for(job.title_id), blob), piece)
                    file.write(piece.read_bytes())
            result = self._ffmpeg.run(still_arguments(joined, still), folder=folder, limit_s=STILL_LIMIT_S)
            if still.exists():
                self._catalogue.attach_frame(job.title_id, still.read_bytes())
            else:  # a title without a still is shown by its name
                log.warning("job %s: no still could be made: %s", job.id, result.last_words)


def _playback(job: EncodeJob, presentation: Presentation) -> Playback:
    """Return the catalogue entry of the published film."""
    best = presentation.video[0].rendition
    return Playback(
        job_id=job.id,
        duration_s=float(presentation.duration),
        width=best.width,
        height=best.height,
        renditions=tuple(
            PlayableRendition(t.name, t.rendition.width, t.rendition.height, t.rendition.maxrate_kbps)
            for t in presentation.video
        ),
        audio=tuple(track.language for track in presentation.audio),
        subtitles=tuple(PlayableSubtitles(t.name, t.language, t.label) for t in presentation.text),
        thumbnails=presentation.complete,
    )
