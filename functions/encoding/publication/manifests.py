"""Publish a job: write manifests that list the finished segments, and update the catalogue. No segment is changed.

Every step that finishes a part publishes, so steps may publish concurrently; a revision replaces only earlier
revisions.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions.catalogue.model import PlayableRendition, PlayableSubtitles, Playback
from functions.encoding.audience import FRONT_MANIFEST, part_manifest
from functions.encoding.chapters import CHAPTERS, write_chapters
from functions.encoding.ffmpeg_commands import INIT, SEGMENT, still_arguments
from functions.encoding.model import SourceRef, needs_copy
from functions.encoding.publication.dash import write_mpd
from functions.encoding.publication.hls import write_master, write_media
from functions.encoding.publication.presentation import original_of, part_of, presentation_of, revision_of
from functions.encoding.publication.thumbnails import write_thumbnails
from functions.encoding.renditions import ORIGINAL
from functions.encoding.text_plan import TrackRole
from functions.encoding.work_folders import work_folder
from functions.platform.film_keys import NO_KEYS
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from functions.catalogue.service import Catalogue
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.ports import MediaStore
    from functions.encoding.publication.presentation import Presentation
    from functions.platform.film_keys import FilmKeys

log = logging.getLogger(__name__)

STILL_HEIGHT = 720
STILL_AT = 0.35
"""Position of the still in the film: after the opening titles, before spoilers."""

EARLY_STILL_S = 600
"""Films longer than this, in seconds, get a still before their encode ends."""

STILL_LIMIT_S = 120


def manifest_names(job: EncodeJob) -> list[str]:
    """Return the names of the manifests that list the tracks of a job that have been stored so far."""
    return [FRONT_MANIFEST, ORIGINAL, "master.m3u8", *(f"{name}.m3u8" for name in job.tracks)]


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
        keys: FilmKeys = NO_KEYS,
    ) -> None:
        self._media = media
        self._catalogue = catalogue
        self._ffmpeg = ffmpeg
        self._work_dir = work_dir
        self._now = now
        self._keys = keys

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
            self._attach_chapters(job, plan, presentation)
            self._attach_still(job, presentation)
            self._catalogue.mark_playable(job.title_id, _playback(job, presentation), complete=True)
            log.info("job %s is published: %.1f CPU-s", job.id, job.cpu_s)
        elif job.playable_at is None:
            self._catalogue.mark_playable(job.title_id, _playback(job, presentation), complete=False)
        return presentation

    def publish_again(self, job: EncodeJob) -> None:
        """Write the manifests of a complete film again, because they list other renditions than before."""
        presentation = presentation_of(job, job.plan, at=self._now()) if job.plan and job.all_done else None
        if presentation:
            self._write(job, presentation)

    def publish_subtitles(self, job: EncodeJob) -> None:
        """Write the manifests of a complete film again, and update its title, because it has other subtitles."""
        presentation = presentation_of(job, job.plan, at=self._now()) if job.plan and job.all_done else None
        if presentation:
            self._write(job, presentation)
            self._catalogue.mark_playable(job.title_id, _playback(job, presentation), complete=True)

    def publish_parts(self, job: EncodeJob) -> dict[int, float]:
        """Write the manifests of those parts that have changed since; return their ends in seconds, by first chunk."""
        ends: dict[int, float] = {}
        for chunk, listed in ((int(name), part) for name, part in job.audience.parts.items()):
            part = part_of(job, chunk, at=self._now())
            if part is None:
                continue
            ends[chunk] = float(part.video_segments.end)
            if part.complete or ends[chunk] > listed.until_s:
                name = f"{job.id}/{part_manifest(chunk)}"
                self._media.store_text(container_for(job.title_id), name, write_mpd(part), revision=revision_of(part))
        return ends

    def attach_early_still(self, job: EncodeJob, presentation: Presentation) -> None:
        """Give a long film a still from its first segments, without waiting for the end of its encode."""
        if job.plan and job.plan.duration > EARLY_STILL_S:
            self._attach_still(job, presentation)

    def discard_intermediate(self, job: EncodeJob) -> None:
        """Delete the remuxed copy of the upload, if the job was encoded from one and nothing reads it any more."""
        if job.plan and job.plan.source != job.upload and not needs_copy(job):
            self._media.delete_blob(job.plan.source.container, job.plan.source.blob)

    def discard_manifests(self, job: EncodeJob, names: Iterable[str]) -> None:
        """Delete damaged manifests of a job, so that its next publication writes them again."""
        for name in names:
            self._media.delete_blob(container_for(job.title_id), f"{job.id}/{name}")

    def _write(self, job: EncodeJob, presentation: Presentation) -> None:
        """Write the manifests; each is written after those that it refers to.

        While a film with copied pictures grows, its manifest sends players to ORIGINAL for updates.
        """
        texts = {f"{name}.m3u8": write_media(presentation, name) for name in presentation.tracks}
        texts["master.m3u8"] = write_master(presentation)
        original = original_of(job, presentation)
        if original:
            names = {track.name for track in original.video}.difference(presentation.tracks)
            texts |= {f"{name}.m3u8": write_media(original, name) for name in names}
            texts[ORIGINAL] = write_mpd(original)
        grows_elsewhere = original is not None and not presentation.is_static
        texts[FRONT_MANIFEST] = write_mpd(presentation, reloaded_from=ORIGINAL if grows_elsewhere else None)
        for name, text in texts.items():
            self._media.store_text(
                container_for(job.title_id), f"{job.id}/{name}", text, revision=revision_of(presentation)
            )

    def _attach_thumbnails(self, job: EncodeJob, plan: EncodePlan, presentation: Presentation) -> None:
        thumbnails = write_thumbnails(plan, presentation)
        self._media.store_text(
            container_for(job.title_id), f"{job.id}/thumbnails.vtt", thumbnails, revision=revision_of(presentation)
        )

    def _attach_chapters(self, job: EncodeJob, plan: EncodePlan, presentation: Presentation) -> None:
        if plan.chapters:
            self._media.store_text(
                container_for(job.title_id),
                f"{job.id}/{CHAPTERS}",
                write_chapters(plan),
                revision=revision_of(presentation),
            )

    def _attach_still(self, job: EncodeJob, presentation: Presentation) -> None:
        """Extract a still from one finished segment and store it in the catalogue."""
        renditions = [track.rendition for track in presentation.video]
        rendition = next((r for r in renditions if r.height <= STILL_HEIGHT), renditions[-1])
        segment = int(len(presentation.video_segments.durations) * STILL_AT)
        with work_folder("still", self._work_dir) as folder:
            joined, still = folder / "joined.mp4", folder / "still.jpg"
            with joined.open("wb") as file:
                for part in (INIT, SEGMENT % segment):
                    piece = folder / "part"
                    blob = f"{job.id}/{rendition.name}/{part}"
                    self._media.download_file(SourceRef(container_for(job.title_id), blob), piece)
                    file.write(piece.read_bytes())
            key = self._keys.key_of(job.id, job.key_id).key if job.key_id else None
            result = self._ffmpeg.run(still_arguments(joined, still, key=key), folder=folder, limit_s=STILL_LIMIT_S)
            if still.exists():
                self._catalogue.attach_frame(job.title_id, still.read_bytes())
            else:  # a title without a still is shown with its name only
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
        audio=tuple(track.language for track in presentation.audio if track.stereo is None),
        subtitles=tuple(
            PlayableSubtitles(t.name, t.language, t.label, automatic=TrackRole.AUTOMATIC in t.roles)
            for t in presentation.text
        ),
        thumbnails=presentation.complete,
        chapters=presentation.complete and job.plan is not None and bool(job.plan.chapters),
        opened_at=job.created_at,
        key_id=job.key_id,
        on_demand=job.plan is not None and bool(job.plan.on_demand),
    )
