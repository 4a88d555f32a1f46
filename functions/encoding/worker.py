"""Encode a chunk or a track, and verify that the result matches the plan.

ffmpeg exits 0 on cut connections, expired addresses, and truncated or damaged files. The result is therefore judged
only by the segments: their number, and the start and duration of each.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from functions.encoding.audience import part_with
from functions.encoding.chunk_check import codecs_of, frames_of, whole_segments
from functions.encoding.copying.copy_worker import CopyWorker
from functions.encoding.damage import DamageLimits
from functions.encoding.damage_search import find_damage
from functions.encoding.ffmpeg_commands import (
    chunk_arguments,
    default_crf,
    strip_arguments,
    subtitle_arguments,
)
from functions.encoding.listing import Listing, still_open
from functions.encoding.model import SourceRef
from functions.encoding.quality_probe import QualityProbe
from functions.encoding.segment_uploader import ClosingTrack
from functions.encoding.sound_worker import SoundWorker
from functions.encoding.spending.receipts import ChunkResult, RenditionResult
from functions.encoding.steps import chunk_step, is_copy, track_step
from functions.encoding.subtitles import SIDECAR_BYTES, convert_subtitles, fault_of_extracted, subtitle_cpu_s
from functions.encoding.track_state import TrackFault, TrackState
from functions.encoding.work_folders import work_folder
from functions.platform.errors import EncodeFault, SourceRefused, StoreUnavailable
from functions.platform.film_keys import NO_KEYS
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from functions.encoding.claims import Claims
    from functions.encoding.damage import DamagedRun
    from functions.encoding.ffmpeg import FFmpeg, Finished
    from functions.encoding.formats.mp4_index import IndexedTrack
    from functions.encoding.listing import Publish
    from functions.encoding.model import Chunk, EncodeJob, EncodePlan
    from functions.encoding.ports import EncodeJobs, MediaStore
    from functions.encoding.text_plan import TextPlan
    from functions.platform.film_keys import FilmKeys

log = logging.getLogger(__name__)

RUN_LIMIT_S = 1500
"""Time limit of one ffmpeg run, in seconds; below the host's functionTimeout, so that the fault can be recorded."""

READ_FOR = timedelta(hours=2)


class PicturesFailed(Exception):
    """The first pictures of a film could not be encoded, so the encode of its first sound was stopped."""


class EncodeWorker:
    """Encodes chunks and tracks, and records in the job which parts are stored.

    While an encode runs, `publish` is called with the job whenever there may be more to list. Methods raise JobEnded if
    the job is no longer open when a segment is recorded, ClaimLost if another encoder has taken over the step.
    """

    def __init__(
        self,
        jobs: EncodeJobs,
        claims: Claims,
        media: MediaStore,
        ffmpeg: FFmpeg,
        *,
        work_dir: str,
        limits: DamageLimits | None = None,
        vmaf: FFmpeg | None = None,
        measured_s: int = 0,
        keys: FilmKeys = NO_KEYS,
    ) -> None:
        self._jobs = jobs
        self._claims = claims
        self._media = media
        self._ffmpeg = ffmpeg
        self._work_dir = work_dir
        self._limits = limits or DamageLimits()
        self._quality = QualityProbe(ffmpeg, vmaf, measured_s=measured_s)
        self._keys = keys
        self._copies = CopyWorker(jobs, media, ffmpeg, work_dir=work_dir, keys=keys)
        self._sounds = SoundWorker(jobs, media, ffmpeg, work_dir=work_dir, keys=keys)

    def copies_pause(self) -> AbstractContextManager[None]:
        """Return a context in which the copies of this process pause, because a first picture waits for its body."""
        return self._copies.copies_pause()

    def copy_beginnings(self, job: EncodeJob, tracks: Sequence[IndexedTrack], *, publish: Publish) -> EncodeJob:
        """Store the beginnings of what a newly planned job copies of the indexed `tracks`; return the updated job."""
        return self._copies.copy_beginnings(job, tracks, publish=publish)

    def encode_chunk(self, job: EncodeJob, index: int, *, publish: Publish) -> EncodeJob:
        """Encode one chunk of the plan unless it is done; return the updated job.

        If the source is damaged, its pictures must not be published as they are. They are then no longer copied, and
        the chunk, like all others, has to be encoded again with the rendition that they replaced. Raises EncodeFault
        unless every rendition matches the plan, SourceRefused if more of the film is damaged than the limits allow.
        """
        plan = self._plan_of(job)
        if index in job.chunks_done:
            return job
        chunk = plan.chunks[index]
        proceed = partial(self._claims.confirm, job.id, chunk_step(index))
        with work_folder("chunk", self._work_dir) as folder:
            tracks = [self._closing(job, folder / r.name) for r in plan.renditions]
            listing = Listing(publish)
            stored = 0

            def watch() -> None:
                nonlocal stored
                proceed()
                for track in tracks:
                    track.store_closed()
                whole = min(whole_segments(plan, chunk, track) for track in tracks)
                if whole > stored:
                    stored = whole
                    try:
                        after = self._jobs.advance_chunk(job, index, whole, codecs=codecs_of(plan, tracks))
                    except StoreUnavailable:
                        return  # a busy store costs no encode: the next segment, or the end, records this one too
                    now = still_open(after)
                    if part_with(now, index) is not None:
                        listing.grew(now)

            address = self._media.signed_address(plan.source, lasts=READ_FOR)
            chosen = self._quality.choose(plan, chunk, address, folder=folder, watch=proceed)
            arguments = chunk_arguments(plan, chunk, address, chosen.crfs)
            # The first picture of any film is more urgent than the other chunks of all films.
            yields = index > 0 or job.playable_at is not None
            result = self._ffmpeg.run(arguments, folder=folder, limit_s=RUN_LIMIT_S, watch=watch, yields=yields)
            self._ffmpeg.raise_if_unreachable(result)
            damage: tuple[DamagedRun, ...] = ()
            if result.is_damaged or result.has_losses:
                damage = find_damage(self._ffmpeg, address, plan, chunk, has_losses=result.has_losses)
            self._judge(job, plan, chunk, result, damage)
            if damage and plan.copied:
                job = self._copies.give_up(job, plan.copied.rendition.name)
                if not plan.copied.is_provisional:
                    return job
                plan = plan.without_failed_copies(job.tracks)
            frames = {frames_of(plan, chunk, track, damage) for track in tracks}
            if len(frames) != 1:
                raise EncodeFault("The film is not equally long in all picture sizes.")
            strip_s = self._store_strip(job, chunk, tracks[-1], folder)
            strip_size = (folder / "strip.jpg").stat().st_size
            measured = self._quality.measure(plan, chunk, address, folder=folder, watch=proceed)
        tail = chunk.first_frame + frames.pop() if chunk.end_frame == plan.grid.frames else None
        proceed()
        log.info("job %s chunk %d: %.1f CPU-s, peak %d MB", job.id, index, result.cpu_s, result.peak_mb)
        made = {
            rendition.name: RenditionResult(
                chosen.crfs.get(rendition.name, default_crf(rendition)),
                sum(segment.size for segment in track.segments),
                measured.vmafs.get(rendition.name, ()),
            )
            for rendition, track in zip(plan.renditions, tracks, strict=True)
        }
        return self._jobs.finish_chunk(
            job,
            index,
            codecs=codecs_of(plan, tracks),
            cpu_s=result.cpu_s + strip_s + chosen.cpu_s + measured.cpu_s,
            tail=tail,
            damage=damage,
            size=strip_size + sum(each.size for each in made.values()),
            result=ChunkResult(made, measured.at, round(chosen.cpu_s, 2), round(measured.cpu_s, 2)),
        )

    def encode_front(self, job: EncodeJob, index: int, *, publish: Publish) -> EncodeJob:
        """Encode the first chunk and, at the same time, the beginning of each audio track; return the updated job.

        Raises the errors of `encode_chunk` and `encode_track`. If the pictures fail, the sound is stopped.
        """
        plan = self._plan_of(job)
        failed = Event()

        def proceed() -> None:
            if failed.is_set():
                raise PicturesFailed(job.id)
            self._claims.confirm(job.id, chunk_step(index))

        with self.copies_pause(), ThreadPoolExecutor(1, "sound") as pool:
            sounds = pool.submit(self._sounds.encode_beginnings, job, plan, publish, proceed)
            try:
                after = self.encode_chunk(job, index, publish=publish)
            except BaseException:
                failed.set()
                raise
            encoded = {track.name for track in plan.audio if not track.copied}
            heard = {name: state for name, state in sounds.result().tracks.items() if name in encoded}
            return replace(after, tracks={**after.tracks, **heard})

    def encode_track(self, job: EncodeJob, name: str, *, publish: Publish) -> EncodeJob:
        """Encode or copy one track of the plan, unless it is done; return the updated job."""
        plan = self._plan_of(job)
        state = job.tracks.get(name)
        if name not in plan.tracks or (state and state.complete):
            return job
        audio = next((track for track in plan.audio if track.name == name), None)
        if is_copy(name):
            proceed = partial(self._claims.confirm, job.id, track_step(name))
            return self._copies.copy_track(job, plan, name, publish=publish, proceed=proceed)
        if audio:
            proceed = partial(self._claims.confirm, job.id, track_step(name))
            return self._sounds.encode(job, plan, audio, publish, proceed)
        return self._convert_text(job, plan, next(track for track in plan.text if track.name == name))

    def leave_out(self, job: EncodeJob, name: str) -> EncodeJob:
        """Record that a track can be encoded only up to its stored segments, or not at all; return the updated job.

        A track that cannot be copied is encoded.
        """
        if is_copy(name):
            return self._copies.give_up(job, name)
        state = job.tracks.get(name, TrackState())
        fault = TrackFault.CUT if state.segments else TrackFault.DAMAGED
        return self._jobs.advance_track(job, name, replace(state, complete=True, fault=fault), codec=None)

    def _plan_of(self, job: EncodeJob) -> EncodePlan:
        if job.plan is None:
            raise EncodeFault("The film has not been analysed yet.")
        if (version := self._ffmpeg.version()) != job.plan.ffmpeg_version:
            raise EncodeFault(
                f"The encode was started with version {job.plan.ffmpeg_version} of the encoder, which is now "
                f"{version}. Upload the film again."
            )
        return job.plan.without_failed_copies(job.tracks)

    def _closing(self, job: EncodeJob, folder: Path) -> ClosingTrack:
        return ClosingTrack(self._media, job, folder, self._keys)

    def _judge(
        self, job: EncodeJob, plan: EncodePlan, chunk: Chunk, result: Finished, damage: tuple[DamagedRun, ...]
    ) -> None:
        """Raise EncodeFault if another attempt may help, SourceRefused if too much of the film is damaged."""
        report = job.damage_with({str(chunk.index): damage})
        if damage and report and self._limits.exceeded_by(report):
            raise SourceRefused(report.refusal(job.name))
        if result.status:
            begin, end = (float(plan.grid.seconds(frame)) for frame in (chunk.first_frame, chunk.end_frame))
            log.warning("job %s chunk %d failed: %s", job.id, chunk.index, result.last_words)
            raise EncodeFault(f"The video from {begin:.0f} s to {end:.0f} s could not be encoded.")

    def _store_strip(self, job: EncodeJob, chunk: Chunk, lowest: ClosingTrack, folder: Path) -> float:
        """Store the chunk's thumbnails, one per segment; return the CPU-seconds used."""
        joined, strip = folder / "joined.mp4", folder / "strip.jpg"
        lowest.joined(joined)
        pictures = len(lowest.segments)
        result = self._ffmpeg.run(strip_arguments(joined, strip, pictures=pictures), folder=folder, limit_s=RUN_LIMIT_S)
        if result.status or not strip.exists():
            log.warning("job %s chunk %d has no thumbnails: %s", job.id, chunk.index, result.last_words)
            raise EncodeFault("The thumbnails could not be made.")
        self._media.store_file(container_for(job.title_id), f"{job.id}/thumbnails/c{chunk.index:05d}.jpg", strip)
        return result.cpu_s

    def _convert_text(self, job: EncodeJob, plan: EncodePlan, text: TextPlan) -> EncodeJob:
        with work_folder("text", self._work_dir) as folder:
            source, target = folder / "source", folder / "track.vtt"
            if text.blob:
                try:
                    raw = self._media.read_head(SourceRef(job.upload.container, text.blob), length=SIDECAR_BYTES)
                except SourceRefused:  # deleted since the film was planned; this must not make the film fail
                    raw = b""
                source.write_bytes(raw)
                fault, shift = None, Fraction(0)
            else:
                fault, shift = self._extract_text(job, plan, text, source), plan.picture.shift
            fault = fault or convert_subtitles(source, target, shift=shift)
            if fault:
                log.warning("job %s: subtitles %s are %s", job.id, text.name, fault)
            else:
                self._media.store_file(container_for(job.title_id), f"{job.id}/{text.name}.vtt", target)
            stored = TrackState(complete=True, size=0 if fault else target.stat().st_size, fault=fault)
        return self._jobs.advance_track(job, text.name, stored, codec=None)

    def _extract_text(self, job: EncodeJob, plan: EncodePlan, text: TextPlan, target: Path) -> TrackFault | None:
        """Write the subtitles of a stream of the film to `target`; return why they cannot be converted, or None."""
        address = self._media.signed_address(plan.source, lasts=READ_FOR)
        arguments = subtitle_arguments(address, stream=text.stream or 0, codec=text.codec, target=target)
        cpu_s = subtitle_cpu_s(job.size)
        result = self._ffmpeg.run(arguments, folder=target.parent, limit_s=RUN_LIMIT_S, cpu_s=cpu_s)
        self._ffmpeg.raise_if_unreachable(result)
        if not result.is_verdict and not result.ran_out:
            raise EncodeFault(f"The subtitles “{text.label}” could not be converted.")
        if fault := fault_of_extracted(result, target):
            log.warning("job %s: subtitles %s: %s", job.id, text.name, result.last_words)
        return fault
