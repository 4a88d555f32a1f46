"""Transcribe a piece of a published title, and store the captions of all its pieces.

The sound is read from the published segments: they exist as long as the title, and their times are those of the film.
"""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, NamedTuple

from functions.encoding.captions.commands import samples_arguments, transcriber_command
from functions.encoding.captions.cues import SpokenWord, cues_of, write_captions
from functions.encoding.captions.pieces import quietest_s, read_samples
from functions.encoding.captions_encode import captioned_audio, piece_count, piece_segments
from functions.encoding.ffmpeg_commands import INIT, SEGMENT
from functions.encoding.model import SourceRef
from functions.encoding.spending.costs import CORES
from functions.encoding.work_folders import work_folder
from functions.encoding.worker import RUN_LIMIT_S
from functions.platform.errors import EncodeFault
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from functions.encoding.captions_encode import CaptionCue
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.model import AudioPlan, EncodeJob
    from functions.encoding.ports import MediaStore
    from functions.platform.film_keys import FilmKeys

log = logging.getLogger(__name__)

MISSING = (
    "The encoder lacks what automatic captions need: set CAPTIONS_PYTHON to a Python with the packages of "
    "infra/captions/requirements.txt, and CAPTIONS_MODEL to the folder of a model or to nothing."
)
CHECK_LIMIT_S = 120
THREADS = min(CORES, os.cpu_count() or 1)
"""At its low priority, the transcriber takes what others leave."""

BESIDE = 1
"""How many segments before and after the end of a piece may contain the quiet moment at which it is divided."""


class CaptionedPiece(NamedTuple):
    """A piece that was transcribed: its cues with their times in the film, and the CPU-seconds."""

    cues: tuple[CaptionCue, ...]
    cpu_s: float


class CaptionsWorker:
    """Makes captions, at a lower priority than everything else, in a process of its own."""

    def __init__(
        self, media: MediaStore, ffmpeg: FFmpeg, *, python: str, model: str, work_dir: str, keys: FilmKeys
    ) -> None:
        self._media = media
        self._ffmpeg = ffmpeg
        self._python = python
        self._model = model
        self._work_dir = work_dir
        self._keys = keys
        self._is_known_to_work = False

    def hindrance(self) -> str | None:
        """Return the sentence that says why no captions can be made here, or None if they can."""
        if self._is_known_to_work:
            return None
        if not os.access(self._python, os.X_OK):
            return MISSING
        with work_folder("captions", self._work_dir) as folder:
            command = transcriber_command(self._python, "--check", model=self._model)
            result = self._ffmpeg.run_beside(command, folder=folder, limit_s=CHECK_LIMIT_S)
        self._is_known_to_work = result.status == 0
        if not self._is_known_to_work:
            log.warning("captions cannot be made: %s", result.last_words)
        return None if self._is_known_to_work else MISSING

    def encode_chunk(self, job: EncodeJob, index: int, *, proceed: Callable[[], None]) -> CaptionedPiece:
        """Return the cues of a piece; `proceed` raises an exception if it must stop.

        Raises EncodeFault if the sound cannot be read or transcribed.
        """
        audio = captioned_audio(job)
        if audio is None or job.captions is None:
            raise EncodeFault("The sound from which captions are made is no longer there.")
        first, end = piece_segments(job, index)
        total, cpu_s = job.tracks[audio.name].segments, 0.0
        begin_at, end_at = 0.0, float(job.tracks[audio.name].ticks) / audio.sample_rate
        segment_s = audio.segment_ticks / audio.sample_rate
        with work_folder("captions", self._work_dir) as folder:
            if index:
                begin_at = self._division_s(job, audio, first, folder=folder, proceed=proceed)
            if index < piece_count(job) - 1:
                end_at = self._division_s(job, audio, end, folder=folder, proceed=proceed)
            first, end = max(0, first - BESIDE), min(total, end + BESIDE)
            samples = self._decode(job, audio, range(first, end), folder=folder, proceed=proceed)
            offset_s = first * segment_s
            command = transcriber_command(
                self._python,
                *("--samples", str(samples), "--language", job.captions.language.partition("-")[0]),
                *("--from-s", f"{begin_at - offset_s:.3f}", "--to-s", f"{end_at - offset_s:.3f}"),
                *("--threads", str(THREADS)),
                model=self._model,
            )
            result = self._ffmpeg.run_beside(command, folder=folder, limit_s=RUN_LIMIT_S, watch=proceed)
        if result.status:
            log.warning("job %s: piece %d could not be transcribed: %s", job.id, index, result.last_words)
            raise EncodeFault("The sound could not be transcribed.")
        cpu_s += result.cpu_s
        log.info("job %s: piece %d transcribed: %.1f CPU-s, peak %d MB", job.id, index, cpu_s, result.peak_mb)
        words = [
            SpokenWord(begin_at + word["begin_s"], begin_at + word["end_s"], word["text"])
            for word in json.loads(result.output)
        ]
        return CaptionedPiece(tuple(cues_of(words)), cpu_s)

    def store(self, job: EncodeJob, cues: Sequence[CaptionCue]) -> int:
        """Store the cues of a whole title as its subtitle track; return the size of the file."""
        assert job.captions
        with work_folder("captions", self._work_dir) as folder:
            target = folder / "track.vtt"
            target.write_text(write_captions(cues), encoding="utf-8")
            self._media.store_file(container_for(job.title_id), f"{job.id}/{job.captions.track}.vtt", target)
            return target.stat().st_size

    def _division_s(
        self, job: EncodeJob, audio: AudioPlan, segment: int, *, folder: Path, proceed: Callable[[], None]
    ) -> float:
        """Return the quietest moment near the beginning of a segment, in seconds of the film."""
        total = job.tracks[audio.name].segments
        near = range(segment - BESIDE, min(total, segment + BESIDE))
        samples = self._decode(job, audio, near, folder=folder, proceed=proceed)
        return near.start * audio.segment_ticks / audio.sample_rate + quietest_s(read_samples(samples))

    def _decode(
        self, job: EncodeJob, audio: AudioPlan, segments: range, *, folder: Path, proceed: Callable[[], None]
    ) -> Path:
        """Return a file with the samples of published segments."""
        joined, target = folder / "joined.mp4", folder / "samples.f32"
        with joined.open("wb") as file:
            for name in (INIT, *(SEGMENT % number for number in segments)):
                piece = folder / "segment"
                source = SourceRef(container_for(job.title_id), f"{job.id}/{audio.name}/{name}")
                self._media.download_file(source, piece)
                file.write(piece.read_bytes())
                proceed()
        key = self._keys.key_of(job.id, job.key_id).key if job.key_id else None
        arguments = samples_arguments(joined, target, key=key)
        result = self._ffmpeg.run(arguments, folder=folder, limit_s=RUN_LIMIT_S, watch=proceed, yields=True)
        if result.status or not target.exists():
            log.warning("job %s: sound %s could not be decoded: %s", job.id, audio.name, result.last_words)
            raise EncodeFault("The sound from which captions are made cannot be decoded.")
        return target
