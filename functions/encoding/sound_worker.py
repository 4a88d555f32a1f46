"""Encode audio tracks: the beginnings of all of them with the first pictures, then each of them as a whole."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.listing import Listing, still_open
from functions.encoding.loudness_probe import LoudnessProbe
from functions.encoding.segment_uploader import ClosingTrack
from functions.encoding.sound_commands import audio_arguments
from functions.encoding.track_state import TrackFault, TrackState
from functions.encoding.tracks import is_main
from functions.encoding.work_folders import work_folder
from functions.platform.errors import EncodeFault, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.listing import Publish
    from functions.encoding.model import AudioPlan, EncodeJob, EncodePlan
    from functions.encoding.ports import EncodeJobs, MediaStore
    from functions.platform.film_keys import FilmKeys

    type Proceed = Callable[[], None]
    """Raises an exception if an encode must stop."""

log = logging.getLogger(__name__)

RUN_LIMIT_S = 1500
"""Time limit of one ffmpeg run, in seconds."""

READ_FOR = timedelta(hours=2)
AUDIO_TOLERANCE_S = 2

FIRST_SOUNDS = 8
"""How many segments of 4 s of a long audio track are encoded together with the first chunk."""

ENCODED_FIRST = FIRST_SOUNDS + 2
"""How many segments are encoded for them, because the end of the input affects the bytes of the segments before it."""

WHOLE_SOUND_S = 60
"""Length in seconds up to which a track is encoded as a whole together with the first chunk."""


class SoundWorker:
    """Encodes audio tracks, and records in the job which parts are stored."""

    def __init__(self, jobs: EncodeJobs, media: MediaStore, ffmpeg: FFmpeg, *, work_dir: str, keys: FilmKeys) -> None:
        self._jobs = jobs
        self._media = media
        self._ffmpeg = ffmpeg
        self._work_dir = work_dir
        self._keys = keys

    def encode_beginnings(self, job: EncodeJob, plan: EncodePlan, publish: Publish, proceed: Proceed) -> EncodeJob:
        """Encode the first FIRST_SOUNDS segments of each audio track, or a short track as a whole."""
        for audio in (each for each in plan.audio if not each.copied):
            state = job.tracks.get(audio.name, TrackState())
            whole = not _beginning_s(plan, audio)
            if state.complete or (state.segments >= FIRST_SOUNDS and not whole):
                continue
            try:
                job = self.encode(job, plan, audio, publish, proceed, first=None if whole else FIRST_SOUNDS)
            except EncodeFault as fault:
                if is_main(plan, audio.name):
                    raise
                log.warning("job %s: sound %s is left to its own step: %s", job.id, audio.name, fault.detail)
        return job

    def encode(
        self,
        job: EncodeJob,
        plan: EncodePlan,
        audio: AudioPlan,
        publish: Publish,
        proceed: Proceed,
        *,
        first: int | None = None,
    ) -> EncodeJob:
        """Encode an audio track, or only its first `first` segments, with the same bytes as in the whole track."""
        listing = Listing(publish)
        now = job
        with work_folder("audio", self._work_dir) as folder:

            def state(*, complete: bool) -> TrackState:
                ticks = track.segments[-1].end if track.segments else 0
                size = sum(segment.size for segment in track.segments) if complete else 0
                return TrackState(len(track.segments), ticks, complete, size)

            def on_segment() -> None:
                nonlocal now
                codec = track.init.codec if track.init else None
                whole = all(segment.duration == audio.segment_ticks for segment in track.segments)
                if whole:  # the last, shorter segment is listed only once the track is known to be complete
                    try:
                        now = self._jobs.advance_track(job, audio.name, state(complete=False), codec=codec)
                    except StoreUnavailable:
                        if first:  # nothing would record these segments later
                            raise
                        return
                    listing.grew(still_open(now))

            def watch() -> None:
                proceed()
                track.store_closed()

            address = self._media.signed_address(plan.source, lasts=READ_FOR)
            probe = LoudnessProbe(self._ffmpeg, plan, audio, address, folder, proceed, yields=first is None)
            chosen = probe.choose(beginning_s=_beginning_s(plan, audio), alone=first is not None)
            track = ClosingTrack(
                self._media, job, folder / audio.name, self._keys, on_segment=on_segment, most=first, keeps=False
            )
            last = ENCODED_FIRST * audio.segment_ticks if first else None
            arguments = audio_arguments(
                audio, address, shift=plan.picture.shift, samples=last, gain=chosen.gain.expression
            )
            result = self._ffmpeg.run(arguments, folder=folder, limit_s=RUN_LIMIT_S, watch=watch, yields=first is None)
            self._ffmpeg.raise_if_unreachable(result)
            track.check_end(result)
        if result.status or track.init is None:
            log.warning("job %s: sound %s could not be encoded: %s", job.id, audio.name, result.last_words)
        if first:  # the step that encodes the whole track finds out what is wrong with it
            return now
        if track.init is None and result.is_verdict:
            fault = TrackFault.EMPTY if result.is_empty and not result.is_sound_damaged else TrackFault.DAMAGED
            return self._jobs.advance_track(job, audio.name, TrackState(complete=True, fault=fault), codec=None)
        if result.status or track.init is None:
            raise EncodeFault(f"The sound of {job.name} could not be encoded.")
        _check_audio(audio, track)
        gaps = TrackFault.GAPS if result.is_sound_damaged else None
        complete = replace(state(complete=True), fault=gaps, loudness=chosen.loudness)
        return self._jobs.advance_track(job, audio.name, complete, codec=track.init.codec)


def _beginning_s(plan: EncodePlan, audio: AudioPlan) -> Fraction:
    """Return how many seconds of a track are encoded with the first chunk; 0 if the track is encoded as a whole."""
    if (audio.lasts or plan.duration) <= WHOLE_SOUND_S:
        return Fraction(0)
    return Fraction(ENCODED_FIRST * audio.segment_ticks, audio.sample_rate)


def _check_audio(audio: AudioPlan, track: ClosingTrack) -> None:
    """Raise EncodeFault unless the segments of a track follow each other, and reach its end."""
    at = 0
    for number, segment in enumerate(track.segments):
        final = number == len(track.segments) - 1
        if segment.start != at or (segment.duration != audio.segment_ticks and not final):
            raise EncodeFault("A part of the sound came out in the wrong place or with the wrong length.")
        at = segment.end
    if audio.lasts and at < (audio.lasts - AUDIO_TOLERANCE_S) * audio.sample_rate:
        raise EncodeFault(
            f"The sound ends at {at / audio.sample_rate:.0f} s of {float(audio.lasts):.0f} s. If this happens again, "
            f"the file is cut off or damaged: upload it again."
        )
