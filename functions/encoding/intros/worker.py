"""Make the fingerprints of an episode from its published sound, and store them with its files.

The published sound has the times that players see, can be read in pieces, and is there as long as the title. The
fingerprints are stored in the folder of the job, so they are deleted together with the other files.
"""

from __future__ import annotations

import logging
import shutil
from math import ceil
from typing import TYPE_CHECKING

from functions.encoding.ffmpeg_commands import INIT, SEGMENT
from functions.encoding.intros.commands import fingerprint_arguments
from functions.encoding.intros.fingerprint import POINT_S, EpisodeSound, Fingerprint, read_points, to_bytes
from functions.encoding.intros.season import RULES, beginning_s, ending_s
from functions.encoding.model import SourceRef
from functions.encoding.text_plan import TrackRole
from functions.encoding.work_folders import work_folder
from functions.platform.errors import EncodeFault
from functions.platform.film_keys import NO_KEYS
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.model import AudioPlan, EncodeJob
    from functions.encoding.ports import MediaStore
    from functions.platform.film_keys import FilmKeys

log = logging.getLogger(__name__)

LIMIT_S = 300
"""Time limit of one ffmpeg run, in seconds; it takes about one on an idle core."""

BEGINNING, ENDING = f"beginning-{RULES}.fingerprint", f"ending-{RULES}.fingerprint"
"""The names of the stored files."""

MOST_BYTES = 1 << 16
"""The largest fingerprint that is read: that of ten minutes has 19,000 bytes."""


class FingerprintWorker:
    """Makes the fingerprints of episodes, at a lower priority than everything else."""

    def __init__(self, media: MediaStore, ffmpeg: FFmpeg, *, work_dir: str, keys: FilmKeys = NO_KEYS) -> None:
        self._media = media
        self._ffmpeg = ffmpeg
        self._work_dir = work_dir
        self._keys = keys

    def sound_of(self, job: EncodeJob) -> EpisodeSound:
        """Return the fingerprints of a ready job, making those that are not stored; without sound, they are empty.

        Raises EncodeFault if the sound cannot be read.
        """
        plan, track = job.current_plan, _compared_track(job)
        if plan is None or track is None:
            return EpisodeSound(0.0, Fingerprint(0.0), Fingerprint(0.0))
        duration_s = float(plan.duration)
        state = job.tracks[track.name]
        segment_s = track.segment_ticks / track.sample_rate
        count = min(state.segments, ceil((beginning_s(duration_s) + POINT_S) / segment_s))
        first = min(state.segments - 1, max(0, int((duration_s - ending_s(duration_s)) / segment_s)))
        return EpisodeSound(
            duration_s,
            Fingerprint(0.0, self._points(job, track, BEGINNING, range(count))),
            Fingerprint(first * segment_s, self._points(job, track, ENDING, range(first, state.segments))),
        )

    def _points(self, job: EncodeJob, track: AudioPlan, name: str, segments: range) -> tuple[int, ...]:
        """Return the points of segments of a track; they are read if they are stored, and otherwise made."""
        container, blob = container_for(job.title_id), f"{job.id}/{name}"
        if blob in self._media.list_names(container, blob):
            return read_points(self._media.read_head(SourceRef(container, blob), length=MOST_BYTES))
        with work_folder("sound", self._work_dir) as folder:
            joined, made = folder / "joined.mp4", folder / "points"
            with joined.open("wb") as file:
                for part in (INIT, *(SEGMENT % number for number in segments)):
                    piece = folder / "part"
                    self._media.download_file(SourceRef(container, f"{job.id}/{track.name}/{part}"), piece)
                    with piece.open("rb") as content:
                        shutil.copyfileobj(content, file)
            points = self._made(job, joined, made)
            made.write_bytes(to_bytes(points))
            self._media.store_file(container, blob, made)
        return points

    def _made(self, job: EncodeJob, joined: Path, target: Path) -> tuple[int, ...]:
        """Return the points that ffmpeg makes; none if the sound is too short or cannot be decoded."""
        key = self._keys.key_of(job.id, job.key_id).key if job.key_id else None
        arguments = fingerprint_arguments(joined, target, key=key)
        result = self._ffmpeg.run(arguments, folder=target.parent, limit_s=LIMIT_S, yields=True)
        if not result.is_verdict:
            raise EncodeFault("The sound of an episode could not be compared.")
        if result.status:
            log.warning("job %s: its sound has no fingerprint: %s", job.id, result.last_words)
        log.info("job %s: fingerprint in %.1f CPU-s, peak %d MB", job.id, result.cpu_s, result.peak_mb)
        return read_points(target.read_bytes()) if target.exists() and not result.status else ()


def _compared_track(job: EncodeJob) -> AudioPlan | None:
    """Return the first complete track in stereo or mono, or None; a commentary only if there is no other."""
    plan = job.current_plan
    stored = {name for name, state in job.tracks.items() if state.complete and state.segments and not state.left_out}
    tracks = [each for each in plan.audio if each.name in stored and each.stereo is None] if plan else []
    return min(
        tracks, key=lambda each: bool({TrackRole.COMMENTARY, TrackRole.DESCRIPTION} & {*each.roles}), default=None
    )
