"""Measure the loudness of an audio track, and choose the gain with which it is encoded."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.encoding.loudness import Gain, Measured, TrackLoudness, gain_db, read_measured
from functions.encoding.sound_commands import loudness_arguments, sampled_loudness_arguments
from functions.platform.errors import EncodeFault

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction
    from pathlib import Path

    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.model import AudioPlan, EncodePlan

log = logging.getLogger(__name__)

LIMIT_S = 1500
"""Time limit of one ffmpeg run, in seconds."""

GLIDE_S = 15
"""Seconds after the beginning of a long track in which the gain changes to that of the whole track."""

SAMPLES, SAMPLE_S = 6, 4
"""How many samples of a long track determine the gain of its beginning, and how many seconds each sample lasts."""


@dataclass(frozen=True, slots=True)
class ChosenGain:
    """The gain of a track, and its loudness, None if the track was not measured as a whole."""

    gain: Gain
    loudness: TrackLoudness | None = None


@dataclass(frozen=True, slots=True)
class LoudnessProbe:
    """Measures an audio track of a film with ffmpeg, which runs in `folder`, and calls `watch` meanwhile.

    An exception that `watch` raises ends the run. With `yields`, it runs at a lower priority.
    """

    ffmpeg: FFmpeg
    plan: EncodePlan
    audio: AudioPlan
    address: str
    folder: Path
    watch: Callable[[], None]
    yields: bool = False

    def choose(self, *, beginning_s: Fraction, alone: bool) -> ChosenGain:
        """Return the gain of the track; with `alone`, that of its first `beginning_s` seconds.

        The same source always gives the same gain. `beginning_s` is 0 for a track that is encoded as a whole. Otherwise
        the gain of the beginning is that of samples, as far as the peaks up to the end of the glide allow, because the
        beginning is published before the whole track can be measured. Raises if the source cannot be read.
        """
        target = self.plan.target_lufs
        if not target:
            return ChosenGain(Gain(0.0))
        first_db = gain_db(self._typical(beginning_s), target_lufs=target) if beginning_s else 0.0
        if alone:
            return ChosenGain(Gain(first_db))
        measured = self._measured()
        db = gain_db(measured, target_lufs=target) if measured else first_db
        begin_s = float(beginning_s)
        gain = Gain(db, first_db, begin_s, begin_s + GLIDE_S) if beginning_s else Gain(db)
        log.info("sound %s: %s, gain %s", self.audio.name, measured, gain)
        found = TrackLoudness(measured.lufs, measured.peak_dbtp, target, db) if measured else None
        return ChosenGain(gain, found)

    def _typical(self, beginning_s: Fraction) -> Measured | None:
        """Return the loudness of samples of the track, and the highest peak of these and of the beginning."""
        step_s = (self.audio.lasts or self.plan.duration) / SAMPLES
        begins_s = [step_s * number + step_s / 2 for number in range(SAMPLES)]
        sampled = self._run(sampled_loudness_arguments(self.audio, self.address, begins_s=begins_s, lasts_s=SAMPLE_S))
        head = self._measured(samples=int((beginning_s + GLIDE_S) * self.audio.sample_rate))
        if sampled is None or head is None:
            return None
        return Measured(sampled.lufs, max(sampled.peak_dbtp, head.peak_dbtp))

    def _measured(self, *, samples: int | None = None) -> Measured | None:
        shift = self.plan.picture.shift
        return self._run(loudness_arguments(self.audio, self.address, shift=shift, samples=samples))

    def _run(self, arguments: list[str]) -> Measured | None:
        """Return what ffmpeg has measured, or None if the track cannot be decoded, which its encode then finds out."""
        result = self.ffmpeg.run(arguments, folder=self.folder, limit_s=LIMIT_S, watch=self.watch, yields=self.yields)
        self.ffmpeg.raise_if_unreachable(result)
        if not result.is_verdict:
            raise EncodeFault(f"The loudness of “{self.audio.label}” could not be measured.")
        return None if result.status else read_measured(result.errors)
