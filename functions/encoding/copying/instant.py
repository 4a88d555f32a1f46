"""Publish the first seconds of an upload before any encoder has seen it: its own pictures and sound, copied.

The API app does this when it handles the upload's event. The app decodes nothing, and reads only the index and the
first seconds of the file. It writes what the encoder would write, so the encoder continues after these seconds. If
anything about the upload is unusual, nothing is published, and the encoder begins as usual.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from functions.encoding.copying.passthrough import Unsuitable, copy_of_picture
from functions.encoding.copying.sound_copy import copy_of_sound, described_channels
from functions.encoding.copying.track_copier import CannotCopy, TrackCopier, index_of
from functions.encoding.model import EncodePlan
from functions.encoding.picture_plan import PicturePlan
from functions.encoding.track_state import TrackState
from functions.encoding.tracks import AudioStream, select_tracks
from functions.encoding.work_folders import work_folder
from functions.platform.errors import EncodeFault, SourceRefused
from functions.platform.film_keys import NO_KEYS
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from functions.encoding.copying.passthrough import CopyLimits, PictureCopy
    from functions.encoding.formats.mp4_index import IndexedTrack
    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.model import AudioPlan, EncodeJob
    from functions.encoding.ports import EncodeJobs, MediaStore
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.platform.film_keys import FilmKeys

log = logging.getLogger(__name__)

FRONT_S = 12
"""About how many seconds are published in all; before they have been watched, the encoder has copied more."""

MOST_SAMPLES_HERE = 1_000_000
"""Maximum number of pictures and AAC frames of an upload, so that its index takes little memory: four hours have
920,000."""


class InstantFront:
    """Publishes the first seconds of uploads."""

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

    def publish(self, job_id: str) -> bool:
        """Publish the first seconds of a job's upload; return False if the encoder has to do it."""
        if not self._limits.most:
            return False
        job = self._jobs.get_job(job_id)
        if not job.is_open or job.plan or job.playable_at:
            return False
        try:
            tracks = index_of(self._media, job.upload, size=job.size, most_samples=MOST_SAMPLES_HERE)
            plan = front_plan(job, tracks, limits=self._limits)
            with work_folder("front", self._work_dir) as folder:
                for states in self._copy(job, plan, tracks, folder):
                    job = self._list(job, plan, states)
                    if not job.is_open:
                        break
        except Unsuitable as error:
            log.info("job %s: the encoder publishes its first picture: %s", job.id, error.reason)
        except (CannotCopy, EncodeFault, SourceRefused) as error:
            log.warning("job %s: its first seconds could not be copied: %s", job.id, error)
        return job.playable_at is not None

    def _copy(
        self, job: EncodeJob, plan: EncodePlan, tracks: Sequence[IndexedTrack], folder: Path
    ) -> Iterator[dict[str, tuple[TrackState, str]]]:
        """Store the first segments; yield what is stored of each track, and its codec, whenever it is to be listed.

        That is after the first segment, and in the end.
        """
        assert plan.copied
        grid, name = plan.grid, plan.copied.rendition.name
        segments = min(grid.segments, grid.segments_until(int(FRONT_S * grid.rate)))
        self._media.create_container(container_for(job.title_id))
        copier = TrackCopier(self._media, job, job.upload, folder, self._keys)
        sounds = [(audio, copier.copy_sound(tracks[audio.stream], audio)) for audio in plan.audio]
        stored = {audio.name: (TrackState(), "") for audio in plan.audio}
        pictures = copier.copy_picture(tracks[plan.picture.stream], grid, plan.copied, segments=segments)
        for number, (init, picture) in enumerate(pictures, 1):
            stored[name] = TrackState(number, picture.end), init.codec
            for audio, heard in sounds:
                state, codec = stored[audio.name]
                while state.ticks * grid.timescale < picture.end * audio.sample_rate and (copied := next(heard, None)):
                    state, codec = TrackState(state.segments + 1, copied[1].end), copied[0].codec
                if not state.segments:
                    raise CannotCopy("There is no sound.")
                stored[audio.name] = state, codec
            if number in (1, segments):
                yield dict(stored)

    def _list(self, job: EncodeJob, plan: EncodePlan, stored: Mapping[str, tuple[TrackState, str]]) -> EncodeJob:
        """Record and publish what is stored; return the updated job.

        If an encoder has planned the job meanwhile, that plan counts.
        """
        for name, (state, codec) in stored.items():
            job = self._jobs.advance_track(job, name, state, codec=codec)
        planned = job if job.plan else replace(job, plan=plan)
        presentation = self._publisher.publish(planned) if job.is_open else None
        if presentation is None:
            return job
        return self._lifecycle.note_published(job, front_s=float(presentation.video_segments.end))


def front_plan(job: EncodeJob, tracks: Sequence[IndexedTrack], *, limits: CopyLimits) -> EncodePlan:
    """Return the part of a plan that the first manifests are made from. Raises Unsuitable."""
    pictures = [number for number, track in enumerate(tracks) if track.kind == "vide"]
    if len(pictures) != 1:
        raise Unsuitable("the file does not have exactly one video track")
    copy = copy_of_picture(tracks[pictures[0]], rate=None, limits=limits)
    picture = PicturePlan(
        stream=pictures[0],
        codec="h264",
        shift=copy.copied.start,
        variable_rate=False,
        deinterlace=False,
        tone_map=False,
    )
    return EncodePlan(
        source=job.upload,
        grid=copy.grid,
        picture=picture,
        renditions=copy.encoded,
        chunks=(),
        audio=_sounds(job, tracks, copy, limits),
        text=(),
        preset="",
        ffmpeg_version="",
        copied=copy.copied,
    )


def _sounds(
    job: EncodeJob, tracks: Sequence[IndexedTrack], copy: PictureCopy, limits: CopyLimits
) -> tuple[AudioPlan, ...]:
    """Return the only sound of a file, as the encoder will plan it. Raises Unsuitable if it has to be encoded."""
    found = [(number, track) for number, track in enumerate(tracks) if track.kind == "soun"]
    if len(found) > 1:
        raise Unsuitable("the file has several audio tracks")
    if found and not limits.sound:
        raise Unsuitable("the loudness of its sound is changed")
    plans = []
    for number, track in found:
        stream = AudioStream(
            index=number,
            channels=described_channels(track),
            sample_rate=track.timescale,
            language=track.language,
            title=track.title,
            lasts=None,
        )
        (audio,) = select_tracks(job.name, [stream], [], []).audio
        copied = copy_of_sound(audio, track, start=copy.copied.start)
        if copied is None:
            raise Unsuitable("its sound has to be encoded")
        plans.append(copied)
    return tuple(plans)
