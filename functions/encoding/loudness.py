"""The loudness of a track by EBU R 128, and the gain that brings it to a target without clipping.

Gain is linear: it changes how loud the track is, but not its dynamics. A track has one gain. Only at the beginning of a
long track, which is published before the whole of it is measured, the gain is that of samples; it then glides to the
gain of the whole track.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from functions.platform.errors import SettingMissing

SILENT_LUFS = -70.0
"""The absolute gate of the measurement (ITU-R BS.1770): what is not louder than this is silence, and gets no gain."""

HIGHEST_PEAK_DBTP = -1.0
"""The maximum true peak of published sound (EBU R 128, recommendation h)."""

PEAK_MARGIN_DB = 0.3
"""AAC changes the peaks of a louder or quieter copy by up to this much more than those of the measured one."""

MOST_GAIN_DB = 20.0
"""Sound that needs more than this is hardly more than noise."""

QUIETEST_LUFS, LOUDEST_LUFS = -40, -10
"""The range of targets."""

TOLERATED_LU = 0.5
"""A track counts as quieter than the target if its gain is limited by more than this."""

_LOUDNESS = re.compile(r"^ +I: +(-?[\d.]+|-?inf|-?nan) LUFS$", re.MULTILINE)
_PEAK = re.compile(r"^ +Peak: +(-?[\d.]+|-?inf|-?nan) dBFS$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Measured:
    """Integrated loudness and maximum true peak of sound as it is published: after AAC, but without gain."""

    lufs: float
    peak_dbtp: float


@dataclass(frozen=True, slots=True)
class TrackLoudness:
    """The measured loudness and true peak of a track, and the gain in decibels that was applied to reach a target."""

    lufs: float
    peak_dbtp: float
    target_lufs: int
    gain_db: float

    @property
    def missing_lu(self) -> float:
        """Return by how many loudness units the track is quieter than the target, because its gain is limited."""
        silent = self.lufs <= SILENT_LUFS
        return 0.0 if silent else max(0.0, round(self.target_lufs - self.lufs - self.gain_db, 1))


@dataclass(frozen=True, slots=True)
class Gain:
    """The gain of a track in decibels: `first_db` until `from_s`, `db` after `until_s`, and a glide in between."""

    db: float
    first_db: float = 0.0
    from_s: float = 0.0
    until_s: float = 0.0

    @property
    def expression(self) -> str:
        """Return the factor for the amplitude, in the language of the filter `volume`; empty if it is always 1.

        Until `from_s`, it has exactly the value that it has without a glide.
        """
        first, last = (self.first_db, self.db) if self.until_s else (self.db, self.db)
        if not first and not last:
            return ""
        factor, ratio = _factor(first), _factor(last - first)
        if first == last:
            return factor
        return f"{factor}*pow({ratio},clip((t-{self.from_s:.6f})/{self.until_s - self.from_s:.6f},0,1))"


def check_target(lufs: int) -> None:
    """Raise SettingMissing if sound cannot be brought to a loudness, which is negative; 0 leaves it unchanged."""
    if lufs and not QUIETEST_LUFS <= lufs <= LOUDEST_LUFS:
        raise SettingMissing(f"LOUDNESS_LUFS must be 0, or from {QUIETEST_LUFS} to {LOUDEST_LUFS}, not {lufs}.")


def gain_db(measured: Measured | None, *, target_lufs: int) -> float:
    """Return the gain that brings sound to a target, as far as its peaks allow; 0 for silence, or if unknown."""
    if measured is None or measured.lufs <= SILENT_LUFS:
        return 0.0
    wanted = target_lufs - measured.lufs
    allowed = HIGHEST_PEAK_DBTP - PEAK_MARGIN_DB - measured.peak_dbtp
    return round(min(wanted, allowed, MOST_GAIN_DB), 1)


def read_measured(report: str) -> Measured | None:
    """Return what the filter `ebur128` has printed, or None if it has measured nothing."""
    loudness, peak = _LOUDNESS.findall(report), _PEAK.findall(report)
    if not loudness or not peak:
        return None
    return Measured(_level(loudness[-1]), _level(peak[-1]))


def _level(text: str) -> float:
    """Return a level in LUFS; for silence, which has none, return SILENT_LUFS."""
    return SILENT_LUFS if text.endswith(("inf", "nan")) else max(SILENT_LUFS, float(text))


def _factor(db: float) -> str:
    return f"{10 ** (db / 20):.9f}"
