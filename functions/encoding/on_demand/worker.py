"""Encode a chunk of the renditions of a title that are made on demand, and compare its segments with the others."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from functions.encoding.chunk_check import codecs_of, frames_of
from functions.encoding.ffmpeg_commands import chunk_arguments
from functions.encoding.on_demand_encode import on_demand_plan
from functions.encoding.quality_probe import QualityProbe
from functions.encoding.segment_uploader import ClosingTrack
from functions.encoding.work_folders import work_folder
from functions.encoding.worker import READ_FOR, RUN_LIMIT_S
from functions.platform.errors import EncodeFault, SourceRefused
from functions.platform.film_keys import NO_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import MediaStore
    from functions.platform.film_keys import FilmKeys

log = logging.getLogger(__name__)


class OnDemandChunk(NamedTuple):
    """A chunk that was encoded and stored: its bytes, the codec of each rendition, and the CPU-seconds."""

    size: int
    codecs: Mapping[str, str]
    cpu_s: float


class OnDemandWorker:
    """Encodes chunks of renditions on demand, with a lower priority than films that cannot be watched yet."""

    def __init__(
        self,
        media: MediaStore,
        ffmpeg: FFmpeg,
        *,
        work_dir: str,
        vmaf: FFmpeg | None = None,
        keys: FilmKeys = NO_KEYS,
    ) -> None:
        self._media = media
        self._ffmpeg = ffmpeg
        self._work_dir = work_dir
        self._quality = QualityProbe(ffmpeg, vmaf)
        self._keys = keys

    def encode_chunk(self, job: EncodeJob, index: int, *, proceed: Callable[[], None]) -> OnDemandChunk:
        """Encode a chunk of a ready job and store its segments; `proceed` raises an exception if it must stop.

        Raises EncodeFault unless each rendition has the frames of the others, SourceRefused if another version of
        ffmpeg has encoded the title, because it may place frames differently.
        """
        if job.current_plan is None:
            raise EncodeFault("The film has not been analysed yet.")
        plan = on_demand_plan(job.current_plan)
        if self._ffmpeg.version() != plan.ffmpeg_version:
            raise SourceRefused(
                f"The encoder was updated after this film was encoded with version {plan.ffmpeg_version}. "
                "Encode it again."
            )
        chunk = plan.chunks[index]
        is_last = chunk.end_frame == plan.grid.frames
        end = (job.tail_frames or plan.grid.frames) if is_last else chunk.end_frame
        with work_folder("demand", self._work_dir) as folder:
            tracks = [ClosingTrack(self._media, job, folder / r.name, self._keys) for r in plan.renditions]

            def watch() -> None:
                proceed()
                for track in tracks:
                    track.store_closed()

            address = self._media.signed_address(plan.source, lasts=READ_FOR)
            chosen = self._quality.choose(plan, chunk, address, folder=folder, watch=proceed)
            arguments = chunk_arguments(plan, chunk, address, chosen.crfs)
            result = self._ffmpeg.run(arguments, folder=folder, limit_s=RUN_LIMIT_S, watch=watch, yields=True)
        self._ffmpeg.raise_if_unreachable(result)
        if result.status:
            log.warning("job %s chunk %d failed on demand: %s", job.id, index, result.last_words)
            raise EncodeFault(f"Chunk {index} could not be encoded.")
        damage = job.damage.get(str(index), ())
        if any(frames_of(plan, chunk, track, damage) != end - chunk.first_frame for track in tracks):
            raise EncodeFault(f"Chunk {index} is not as long as in the other picture sizes.")
        log.info("job %s chunk %d on demand: %.1f CPU-s, peak %d MB", job.id, index, result.cpu_s, result.peak_mb)
        size = sum(segment.size for track in tracks for segment in track.segments)
        return OnDemandChunk(size, codecs_of(plan, tracks), result.cpu_s + chosen.cpu_s)
