"""Encode a chunk of a title in AV1, and compare its segments with those of H.264."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from functions.encoding.av1.commands import av1_chunk_arguments
from functions.encoding.av1_encode import Av1Result, av1_renditions
from functions.encoding.chunk_check import frames_of
from functions.encoding.formats.common_encryption import CannotEncrypt
from functions.encoding.segment_uploader import ClosingTrack
from functions.encoding.work_folders import work_folder
from functions.encoding.worker import READ_FOR, RUN_LIMIT_S
from functions.platform.errors import EncodeFault, SourceRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.formats.segments import SegmentInfo
    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import MediaStore
    from functions.platform.film_keys import FilmKeys

log = logging.getLogger(__name__)


class Av1Chunk(NamedTuple):
    """A chunk that was encoded and stored: its result, the codec of each rendition, and the CPU-seconds."""

    result: Av1Result
    codecs: Mapping[str, str]
    cpu_s: float


class Av1Worker:
    """Encodes chunks in AV1, at a lower priority than everything else."""

    def __init__(self, media: MediaStore, ffmpeg: FFmpeg, *, work_dir: str, keys: FilmKeys) -> None:
        self._media = media
        self._ffmpeg = ffmpeg
        self._work_dir = work_dir
        self._keys = keys

    def encode_chunk(self, job: EncodeJob, index: int, *, proceed: Callable[[], None]) -> Av1Chunk:
        """Encode a chunk of a ready job and store its segments; `proceed` raises an exception if it must stop.

        Raises EncodeFault unless each rendition has the frames of H.264, SourceRefused if another version of ffmpeg
        has encoded the title, because it may place frames differently.
        """
        plan = job.current_plan
        if plan is None:
            raise EncodeFault("The film has not been analysed yet.")
        if self._ffmpeg.version() != plan.ffmpeg_version:
            raise SourceRefused(
                f"The encoder was updated after this film was encoded with version {plan.ffmpeg_version}. "
                "Encode it again."
            )
        chunk = plan.chunks[index]
        is_last = chunk.end_frame == plan.grid.frames
        end = (job.tail_frames or plan.grid.frames) if is_last else chunk.end_frame
        with work_folder("av1", self._work_dir) as folder:
            tracks = [ClosingTrack(self._media, job, folder / r.name, self._keys) for r in av1_renditions(plan)]

            def watch() -> None:
                proceed()
                for track in tracks:
                    track.store_closed()

            address = self._media.signed_address(plan.source, lasts=READ_FOR)
            arguments = av1_chunk_arguments(plan, chunk, address, in_hdr=plan.picture.hdr is not None)
            try:
                result = self._ffmpeg.run(arguments, folder=folder, limit_s=RUN_LIMIT_S, watch=watch, yields=True)
            except CannotEncrypt as error:
                log.warning("job %s chunk %d cannot be encrypted in AV1: %s", job.id, index, error.detail)
                raise EncodeFault(f"Chunk {index} could not be encrypted in AV1.") from None
        self._ffmpeg.raise_if_unreachable(result)
        if result.status:
            log.warning("job %s chunk %d failed in AV1: %s", job.id, index, result.last_words)
            raise EncodeFault(f"Chunk {index} could not be encoded in AV1.")
        damage = job.damage.get(str(index), ())
        if any(frames_of(plan, chunk, track, damage) != end - chunk.first_frame for track in tracks):
            raise EncodeFault(f"Chunk {index} has a different length in AV1 than in H.264.")
        log.info("job %s chunk %d in AV1: %.1f CPU-s, peak %d MB", job.id, index, result.cpu_s, result.peak_mb)
        renditions = dict(zip((r.name for r in av1_renditions(plan)), tracks, strict=True))
        size = sum(segment.size for track in tracks for segment in track.segments)
        peaks_bps = {name: max(map(_bitrate_of(track), track.segments)) for name, track in renditions.items()}
        codecs = {name: track.init.codec for name, track in renditions.items() if track.init}
        return Av1Chunk(Av1Result(size, peaks_bps), codecs, result.cpu_s)


def _bitrate_of(track: ClosingTrack) -> Callable[[SegmentInfo], int]:
    """Return a function that returns the bitrate of a segment of a track, in bits a second, rounded up."""
    timescale = track.init.timescale if track.init else 1
    return lambda segment: -(-segment.size * 8 * timescale // segment.duration)
