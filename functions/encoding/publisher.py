"""Publishing: the manifests of what is done and, when all is, the end of the job. No segment is touched.

Whoever finishes something publishes, so several may at once: each writes only over an earlier revision.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from functions.catalogue.model import PlayableRendition, PlayableSubtitles, Playback
from functions.encoding.dash import write_mpd
from functions.encoding.ffmpeg_commands import INIT, SEGMENT, still_arguments
from functions.encoding.hls import write_master, write_media
from functions.encoding.jobs import JobStatus
from functions.encoding.model import SourceRef
from functions.encoding.presentation import presentation_of, revision_of
from functions.encoding.thumbnails import write_thumbnails
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.catalogue.service import Catalogue
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.jobs import EncodeJob, Jobs
    from functions.encoding.model import EncodePlan, Presentation
    from functions.encoding.storage import MediaStore

log = logging.getLogger(__name__)

STILL_HEIGHT = 720
STILL_AT = 0.35
"""Where in the film its still is taken: past the opening titles, before anything is given away."""

EARLY_STILL_S = 600
"""Length of a film, seconds, from which its title is not left without a picture until the encode ends."""

STILL_LIMIT_S = 120


class Publisher:
    """Writes manifests and tells the catalogue."""

    def __init__(
        self,
        jobs: Jobs,
        media: MediaStore,
        catalogue: Catalogue,
        ffmpeg: FFmpeg,
        *,
        work_dir: str,
        now: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._media = media
        self._catalogue = catalogue
        self._ffmpeg = ffmpeg
        self._work_dir = work_dir or None
        self._now = now

    def publish(self, job_id: str) -> None:
        """List all of a job that may be listed; a job that failed or was replaced keeps what it has."""
        job = self._jobs.get(job_id)
        plan = job.plan
        if plan is None or not job.open:
            return
        presentation = presentation_of(job, plan, at=self._now())
        if presentation is None:
            return
        self._write(job, presentation)
        if presentation.complete:
            self._finish(job, plan, presentation)
        elif job.playable_at is None:
            self._catalogue.mark_playable(job.title_id, _playback(job, presentation), complete=False)
            self._jobs.note_playable(job.id, self._now())
            if plan.duration > EARLY_STILL_S:
                self._attach_still(job, plan, presentation)

    def _write(self, job: EncodeJob, presentation: Presentation) -> None:
        """Write the playlists before the manifests that name them."""
        container, revision = container_for(job.title_id), revision_of(presentation)
        for name in presentation.tracks:
            playlist = write_media(presentation, name)
            self._media.put_text(container, f"{job.id}/{name}.m3u8", playlist, revision=revision)
        self._media.put_text(container, f"{job.id}/master.m3u8", write_master(presentation), revision=revision)
        self._media.put_text(container, f"{job.id}/manifest.mpd", write_mpd(presentation), revision=revision)

    def _finish(self, job: EncodeJob, plan: EncodePlan, presentation: Presentation) -> None:
        thumbnails = write_thumbnails(plan, presentation)
        self._media.put_text(
            container_for(job.title_id), f"{job.id}/thumbnails.vtt", thumbnails, revision=revision_of(presentation)
        )
        self._attach_still(job, plan, presentation)
        self._catalogue.mark_playable(job.title_id, _playback(job, presentation), complete=True)
        now = self._now()
        self._jobs.note_playable(job.id, now)
        self._jobs.move(
            job.id, away_from=(JobStatus.ENCODING,), to=JobStatus.READY, ended_at=now, fault=None, reason=None
        )
        if plan.source != job.upload:
            self._media.remove(plan.source.container, plan.source.blob)
        log.info("job %s is ready: %.1f CPU-s", job.id, job.cpu_s)

    def _attach_still(self, job: EncodeJob, plan: EncodePlan, presentation: Presentation) -> None:
        """Give the catalogue a still of the film, out of one finished segment."""
        rendition = next((r for r in plan.renditions if r.height <= STILL_HEIGHT), plan.renditions[-1])
        segment = int(len(presentation.video_segments.durations) * STILL_AT)
        with tempfile.TemporaryDirectory(prefix="still-", dir=self._work_dir) as name:
            folder = Path(name)
            joined, still = folder / "joined.mp4", folder / "still.jpg"
            with joined.open("wb") as file:
                for part in (INIT, SEGMENT % segment):
                    piece = folder / "part"
                    blob = f"{job.id}/{rendition.name}/{part}"
                    self._media.fetch(SourceRef(container_for(job.title_id), blob), piece)
                    file.write(piece.read_bytes())
            result = self._ffmpeg.run(still_arguments(joined, still), folder=folder, limit_s=STILL_LIMIT_S)
            if still.exists():
                self._catalogue.attach_frame(job.title_id, still.read_bytes())
            else:  # a title without a still is shown with its name
                log.warning("job %s: no still could be made: %s", job.id, result.last_words)


def _playback(job: EncodeJob, presentation: Presentation) -> Playback:
    """Return what the catalogue says of the published film."""
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
