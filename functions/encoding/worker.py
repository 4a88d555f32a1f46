"""Encode a chunk or a track, and verify that the result matches the plan.

ffmpeg exits 0 on cut connections, expired addresses, and truncated or damaged files. The result is therefore judged
only by the segments: their number, and the start and duration of each.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from functions.encoding.ffmpeg_commands import audio_arguments, chunk_arguments, strip_arguments, subtitle_arguments
from functions.encoding.model import AudioPlan, SourceRef, TextPlan, TrackState
from functions.encoding.segment_uploader import ClosingTrack
from functions.encoding.work_folders import work_folder
from functions.platform.errors import EncodeFault, SourceRefused
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.encoding.ffmpeg import FFmpeg, Finished
    from functions.encoding.model import Chunk, EncodeJob, EncodePlan
    from functions.encoding.ports import EncodeJobs, MediaStore

    type Publish = Callable[[EncodeJob], object]

log = logging.getLogger(__name__)

RUN_LIMIT_S = 1500
"""Time limit of one ffmpeg run, in seconds; below the host's functionTimeout, so that the fault can be recorded."""

READ_FOR = timedelta(hours=2)
LISTING_S = 4
"""Minimum time between two publications of a running encode, in seconds; equal to the length of a segment."""

TAIL_TOLERANCE_S = 0.5
AUDIO_TOLERANCE_S = 2
SUBTITLE_BYTES = 8 << 20


class JobEnded(Exception):
    """The job was ended during an encode, for instance by a newer upload, so the encode was stopped."""

    def __init__(self, job: EncodeJob) -> None:
        super().__init__(job.id)
        self.job = job


class EncodeWorker:
    """Encodes chunks and tracks, and records in the job which parts are stored.

    While an encode runs, `publish` is called with the job whenever there may be more to list. Methods raise JobEnded if
    the job is no longer open when a segment is recorded.
    """

    def __init__(self, jobs: EncodeJobs, media: MediaStore, ffmpeg: FFmpeg, *, work_dir: str) -> None:
        self._jobs = jobs
        self._media = media
        self._ffmpeg = ffmpeg
        self._work_dir = work_dir

    def encode_chunk(self, job: EncodeJob, index: int, *, publish: Publish) -> EncodeJob:
        """Encode one chunk of the plan unless it is done; return the updated job.

        Raises EncodeFault unless every rendition matches the plan, SourceRefused if the film is damaged.
        """
        plan = self._plan_of(job)
        if index in job.chunks_done:
            return job
        chunk = plan.chunks[index]
        with work_folder("chunk", self._work_dir) as folder:
            tracks = [self._closing(job, folder / r.name) for r in plan.renditions]
            listing = _Listing(publish)
            stored = 0

            def watch() -> None:
                nonlocal stored
                for track in tracks:
                    track.store_closed()
                whole = min(_whole_segments(plan, chunk, track) for track in tracks)
                if whole > stored:
                    stored = whole
                    now = _still_open(self._jobs.advance_chunk(job, index, whole, codecs=_codecs(plan, tracks)))
                    # Only the first missing chunk can extend the listed part.
                    if now.missing_chunks[:1] == (index,):
                        listing.grew(now)

            arguments = chunk_arguments(plan, chunk, self._media.signed_address(plan.source, lasts=READ_FOR))
            result = self._ffmpeg.run(arguments, folder=folder, limit_s=RUN_LIMIT_S, watch=watch)
            self._judge(job, plan, chunk, result)
            frames = {self._frames_of(plan, chunk, track) for track in tracks}
            if len(frames) != 1:
                raise EncodeFault(f"The renditions of chunk {index} have different lengths: {sorted(frames)} frames.")
            strip_s = self._store_strip(job, chunk, tracks[-1], folder)
        tail = chunk.first_frame + frames.pop() if chunk.end_frame == plan.grid.frames else None
        log.info("job %s chunk %d: %.1f CPU-s, peak %d MB", job.id, index, result.cpu_s, result.peak_mb)
        return self._jobs.finish_chunk(
            job, index, codecs=_codecs(plan, tracks), cpu_s=result.cpu_s + strip_s, tail=tail
        )

    def encode_track(self, job: EncodeJob, name: str, *, publish: Publish) -> EncodeJob:
        """Encode one audio or subtitle track of the plan, unless it is done; return the updated job."""
        plan = self._plan_of(job)
        state = job.tracks.get(name)
        if state and state.complete:
            return job
        audio = next((track for track in plan.audio if track.name == name), None)
        if audio:
            return self._encode_audio(job, plan, audio, publish)
        return self._convert_text(job, plan, next(track for track in plan.text if track.name == name))

    def _plan_of(self, job: EncodeJob) -> EncodePlan:
        if job.plan is None:
            raise EncodeFault(f"Job {job.id} has not been planned yet.")
        if (version := self._ffmpeg.version()) != job.plan.ffmpeg_version:
            raise EncodeFault(
                f"The job was begun with ffmpeg {job.plan.ffmpeg_version}; this encoder has {version}. "
                f"Upload the film again."
            )
        return job.plan

    def _closing(self, job: EncodeJob, folder: Path, on_segment: Callable[[], None] = lambda: None) -> ClosingTrack:
        return ClosingTrack(self._media, container_for(job.title_id), job.id, folder, on_segment=on_segment)

    def _judge(self, job: EncodeJob, plan: EncodePlan, chunk: Chunk, result: Finished) -> None:
        """Raise EncodeFault if another attempt may help, SourceRefused if the film itself is damaged."""
        self._ffmpeg.raise_if_unreachable(result)
        begin, end = (float(plan.grid.seconds(frame)) for frame in (chunk.first_frame, chunk.end_frame))
        if result.damaged_frames:
            raise SourceRefused(
                f"{job.name} is damaged between {begin:.0f} s and {end:.0f} s: {result.damaged_frames} pictures "
                f"cannot be read. Upload the original again."
            )
        if result.status:
            raise EncodeFault(f"ffmpeg could not encode {begin:.0f} s to {end:.0f} s: {result.last_words}")

    def _frames_of(self, plan: EncodePlan, chunk: Chunk, track: ClosingTrack) -> int:
        """Return the number of frames of a track. Raises EncodeFault unless its segments match the plan."""
        grid = plan.grid
        begin, segments = chunk.first_frame * grid.frame_ticks, track.segments
        last = chunk.end_frame == grid.frames
        whole = _whole_segments(plan, chunk, track)
        at = segments[whole - 1].end if whole else begin
        if whole < len(segments):
            short = segments[whole]
            if whole + 1 < len(segments) or short.start != at or short.duration > grid.gop * grid.frame_ticks:
                raise EncodeFault(f"Segment {chunk.first_segment + whole} came out at the wrong place or length.")
            at = short.end
        frames = (at - begin) // grid.frame_ticks
        planned = chunk.end_frame - chunk.first_frame
        tolerated = max(2, round(TAIL_TOLERANCE_S * grid.rate)) if last else 0
        if not frames or abs(frames - planned) > tolerated:
            raise EncodeFault(
                f"The picture ends early: of frames {chunk.first_frame} to {chunk.end_frame} only {frames} came out "
                f"of {planned}. If it happens again, the file is cut off or damaged: upload it again."
            )
        return frames

    def _store_strip(self, job: EncodeJob, chunk: Chunk, lowest: ClosingTrack, folder: Path) -> float:
        """Store the chunk's thumbnails, one per segment; return the CPU-seconds used."""
        joined, strip = folder / "joined.mp4", folder / "strip.jpg"
        lowest.joined(joined)
        pictures = len(lowest.segments)
        result = self._ffmpeg.run(strip_arguments(joined, strip, pictures=pictures), folder=folder, limit_s=RUN_LIMIT_S)
        if result.status or not strip.exists():
            raise EncodeFault(f"The thumbnails of chunk {chunk.index} could not be made: {result.last_words}")
        self._media.store_file(container_for(job.title_id), f"{job.id}/thumbnails/c{chunk.index:05d}.jpg", strip)
        return result.cpu_s

    def _encode_audio(self, job: EncodeJob, plan: EncodePlan, audio: AudioPlan, publish: Publish) -> EncodeJob:
        listing = _Listing(publish)
        with work_folder("audio", self._work_dir) as folder:

            def state(*, complete: bool) -> TrackState:
                return TrackState(len(track.segments), track.segments[-1].end if track.segments else 0, complete)

            def on_segment() -> None:
                codec = track.init.codec if track.init else None
                whole = all(segment.duration == audio.segment_ticks for segment in track.segments)
                if whole:  # the last, shorter segment is listed only once the track is known to be complete
                    now = self._jobs.advance_track(job, audio.name, state(complete=False), codec=codec)
                    listing.grew(_still_open(now))

            track = self._closing(job, folder / audio.name, on_segment)
            address = self._media.signed_address(plan.source, lasts=READ_FOR)
            arguments = audio_arguments(audio, address, shift=plan.picture.shift)
            # Audio encodes many times faster than video; its lower priority avoids delaying the first picture.
            result = self._ffmpeg.run(
                arguments, folder=folder, limit_s=RUN_LIMIT_S, watch=track.store_closed, yields=True
            )
        self._ffmpeg.raise_if_unreachable(result)
        if result.status or track.init is None:
            raise EncodeFault(f"The sound of {job.name} could not be encoded: {result.last_words}")
        self._check_audio(audio, track)
        return self._jobs.advance_track(job, audio.name, state(complete=True), codec=track.init.codec)

    def _check_audio(self, audio: AudioPlan, track: ClosingTrack) -> None:
        at = 0
        for number, segment in enumerate(track.segments):
            final = number == len(track.segments) - 1
            if segment.start != at or (segment.duration != audio.segment_ticks and not final):
                raise EncodeFault(f"Segment {number} of the sound came out at the wrong place or length.")
            at = segment.end
        if audio.lasts and at < (audio.lasts - AUDIO_TOLERANCE_S) * audio.sample_rate:
            raise EncodeFault(
                f"The sound ends at {at / audio.sample_rate:.0f} s of {float(audio.lasts):.0f} s. If it happens again, "
                f"the file is cut off or damaged: upload it again."
            )

    def _convert_text(self, job: EncodeJob, plan: EncodePlan, text: TextPlan) -> EncodeJob:
        with work_folder("text", self._work_dir) as folder:
            target = folder / "track.vtt"
            if text.blob:
                address, stream, shift = str(self._sidecar(job, text.blob, folder)), 0, Fraction(0)
            else:
                address, stream = self._media.signed_address(plan.source, lasts=READ_FOR), text.stream or 0
                shift = plan.picture.shift
            arguments = subtitle_arguments(address, stream=stream, target=target, shift=shift)
            result = self._ffmpeg.run(arguments, folder=folder, limit_s=RUN_LIMIT_S)
            self._ffmpeg.raise_if_unreachable(result)
            if result.status or not target.exists():
                log.warning("job %s: subtitles %s could not be converted: %s", job.id, text.name, result.last_words)
                target.write_text("WEBVTT\n\n")  # unusable subtitles must not make a film fail
            self._media.store_file(container_for(job.title_id), f"{job.id}/{text.name}.vtt", target)
        return self._jobs.advance_track(job, text.name, TrackState(complete=True), codec=None)

    def _sidecar(self, job: EncodeJob, blob: str, folder: Path) -> Path:
        """Write a subtitle sidecar to a file in UTF-8, which ffmpeg expects, and return the path."""
        raw = self._media.read_head(SourceRef(job.upload.container, blob), length=SUBTITLE_BYTES)
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", "replace")
        path = folder / f"sidecar{Path(blob).suffix.lower()}"
        path.write_text(text, encoding="utf-8")
        return path


class _Listing:
    """Publishes the progress of a running encode: at once the first time, then at most once per LISTING_S."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._published_at: float | None = None

    def grew(self, job: EncodeJob) -> None:
        """Publish, unless the last publication was less than LISTING_S ago."""
        now = time.monotonic()
        if self._published_at is None or now - self._published_at >= LISTING_S:
            self._published_at = now
            self._publish(job)


def _still_open(job: EncodeJob) -> EncodeJob:
    if not job.is_open:
        raise JobEnded(job)
    return job


def _whole_segments(plan: EncodePlan, chunk: Chunk, track: ClosingTrack) -> int:
    """Return how many segments, from the first, have the planned start and length and start with a key frame."""
    at, whole = chunk.first_frame * plan.grid.frame_ticks, plan.grid.gop * plan.grid.frame_ticks
    for number, segment in enumerate(track.segments):
        if segment.start != at or segment.duration != whole or not segment.starts_with_sync:
            return number
        at = segment.end
    return len(track.segments)


def _codecs(plan: EncodePlan, tracks: list[ClosingTrack]) -> dict[str, str]:
    """Return the codec of each rendition whose init segment exists."""
    return {r.name: track.init.codec for r, track in zip(plan.renditions, tracks, strict=True) if track.init}
