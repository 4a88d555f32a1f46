"""The gain of a track: what it is limited by, and how it changes in a long track."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.encoding.copying.passthrough import CopyLimits
from functions.encoding.ffmpeg import Finished
from functions.encoding.loudness import Gain, Measured, TrackLoudness, check_target, gain_db, read_measured
from functions.encoding.loudness_probe import GLIDE_S, LoudnessProbe
from functions.encoding.model import JobStatus
from functions.encoding.sound_commands import audio_arguments, loudness_arguments
from functions.encoding.track_state import TrackState
from functions.encoding.tracks import notes_of
from functions.platform.errors import EncodeFault, SettingMissing
from functions.platform.settings import Settings
from tests.support.encoding_plans import make_audio_plan, make_job, make_plan

if TYPE_CHECKING:
    from pathlib import Path

REPORT = """
[Parsed_ebur128_0 @ 0x1] Summary:

  Integrated loudness:
    I:         {lufs} LUFS
    Threshold: -40.5 LUFS

  Loudness range:
    LRA:         6.4 LU

  True peak:
    Peak:       {peak} dBFS
"""


def report(lufs: object, peak: object) -> str:
    return REPORT.format(lufs=lufs, peak=peak)


@pytest.mark.parametrize(
    ("lufs", "peak", "target", "gain"),
    [
        (-27.0, -10.0, -23, 4.0),
        (-10.4, 0.8, -23, -12.6),
        (-30.0, -4.0, -16, 2.7),
        (-16.0, 0.0, -16, -1.3),
        (-60.0, -50.0, -23, 20.0),
        (-70.0, -70.0, -16, 0.0),
    ],
)
def test_gain_reaches_the_target_as_far_as_peaks_allow(lufs: float, peak: float, target: int, gain: float) -> None:
    assert gain_db(Measured(lufs, peak), target_lufs=target) == gain


def test_sound_that_could_not_be_measured_keeps_its_loudness() -> None:
    assert gain_db(None, target_lufs=-23) == 0


@pytest.mark.parametrize(
    ("text", "measured"),
    [
        (report(-23.4, -1.2), Measured(-23.4, -1.2)),
        (report("-inf", "-inf"), Measured(-70.0, -70.0)),
        (report("-70.0", "-120.3"), Measured(-70.0, -70.0)),
        (report("nan", "nan"), Measured(-70.0, -70.0)),
        (report(-40.0, -30.0) + report(-12.0, 1.5), Measured(-12.0, 1.5)),
        ("Conversion failed!", None),
    ],
)
def test_report_of_the_measurement_is_read(text: str, measured: Measured | None) -> None:
    assert read_measured(text) == measured


def test_only_a_limited_gain_leaves_a_track_quieter_than_its_target() -> None:
    assert TrackLoudness(-30.0, -4.0, -16, 2.7).missing_lu == 11.3
    assert TrackLoudness(-27.0, -10.0, -23, 4.0).missing_lu == 0
    assert TrackLoudness(-70.0, -70.0, -23, 0.0).missing_lu == 0, "silence lacks nothing"


def factor_at(gain: Gain, t: float) -> float:
    """Return the value of the expression at a time, as ffmpeg computes it."""
    names: dict[str, Any] = {"pow": pow, "clip": lambda x, low, high: min(high, max(low, x)), "t": t}
    return float(eval(gain.expression, {"__builtins__": {}}, names))


def test_gain_glides_once_and_is_exactly_that_of_the_beginning_before() -> None:
    alone, whole = Gain(-3.5), Gain(2.5, -3.5, 40.0, 55.0)
    assert [factor_at(whole, t) for t in (0, 12.3, 40)] == [factor_at(alone, 0)] * 3, "published segments have it"
    assert factor_at(whole, 47.5) == pytest.approx(10 ** (-0.5 / 20))
    assert factor_at(whole, 55) == factor_at(whole, 7000) == pytest.approx(10 ** (2.5 / 20))


def test_sound_without_gain_is_encoded_as_without_a_target() -> None:
    assert Gain(0.0).expression == Gain(0.0, 0.0, 40.0, 55.0).expression == ""
    track = make_audio_plan()
    assert audio_arguments(track, "film.mkv", gain="") == audio_arguments(track, "film.mkv")


def test_measurement_encodes_as_the_track_is_encoded() -> None:
    track = make_audio_plan(channels=1, bitrate_kbps=80)
    arguments = loudness_arguments(track, "film.mkv", shift=Fraction(1, 48))
    encoded = audio_arguments(track, "film.mkv", shift=Fraction(1, 48))
    for option in ("-itsoffset", "-b:a", "-ac", "-ar"):
        at = [words[words.index(option) + 1] for words in (arguments, encoded)]
        assert at[0] == at[1], option
    assert any("dualmono=true" in word for word in arguments), "players play mono from both speakers"


class Metered:
    """An ffmpeg that reports these measurements, one for each run."""

    def __init__(self, *reports: str, status: int = 0) -> None:
        self.reports, self.status = list(reports), status
        self.runs: list[list[str]] = []

    def run(self, arguments: list[str], **_: object) -> Finished:
        self.runs.append(arguments)
        return Finished(self.status, "", self.reports.pop(0), 0.1, 10)

    def raise_if_unreachable(self, result: Finished) -> None:
        pass


def probe(ffmpeg: Metered, folder: Path, *, target: int = -23) -> LoudnessProbe:
    plan = make_plan(target_lufs=target)
    track = make_audio_plan(lasts=Fraction(600))
    return LoudnessProbe(cast("Any", ffmpeg), plan, track, "film.mkv", folder, lambda: None)


def test_beginning_of_a_long_track_is_as_loud_as_its_samples(tmp_path: Path) -> None:
    ffmpeg = Metered(report(-30.0, -20.0), report(-45.0, -6.0))
    chosen = probe(ffmpeg, tmp_path).choose(beginning_s=Fraction(40), alone=True)
    assert chosen.gain == Gain(4.7), "the peak of the beginning limits it"
    assert chosen.loudness is None
    assert [word for word in ffmpeg.runs[1] if word == f"{40 + GLIDE_S}.000000"], "the glide must not clip either"


def test_long_track_glides_to_the_gain_of_the_whole(tmp_path: Path) -> None:
    ffmpeg = Metered(report(-30.0, -20.0), report(-45.0, -12.0), report(-26.0, -10.0))
    chosen = probe(ffmpeg, tmp_path).choose(beginning_s=Fraction(40), alone=False)
    assert chosen.gain == Gain(3.0, 7.0, 40.0, 40.0 + GLIDE_S)
    assert chosen.loudness == TrackLoudness(-26.0, -10.0, -23, 3.0)


def test_short_track_is_measured_as_a_whole(tmp_path: Path) -> None:
    chosen = probe(Metered(report(-26.0, -10.0)), tmp_path).choose(beginning_s=Fraction(0), alone=False)
    assert chosen.gain == Gain(3.0)


def test_nothing_is_measured_without_a_target(tmp_path: Path) -> None:
    ffmpeg = Metered()
    assert probe(ffmpeg, tmp_path, target=0).choose(beginning_s=Fraction(40), alone=False).gain == Gain(0.0)
    assert ffmpeg.runs == []


def test_track_that_cannot_be_decoded_is_judged_by_its_encode(tmp_path: Path) -> None:
    ffmpeg = Metered("Conversion failed!", status=1)
    assert probe(ffmpeg, tmp_path).choose(beginning_s=Fraction(0), alone=False).gain == Gain(0.0)


def test_measurement_that_was_killed_is_repeated(tmp_path: Path) -> None:
    with pytest.raises(EncodeFault, match="could not be measured"):
        probe(Metered("", status=-9), tmp_path).choose(beginning_s=Fraction(0), alone=False)


def test_job_says_which_track_is_quieter_than_the_target() -> None:
    quiet = TrackState(10, 1000, complete=True, loudness=TrackLoudness(-30.0, -4.0, -16, 2.7))
    job = make_job(plan=make_plan(), status=JobStatus.ENCODING, tracks={"a0": quiet})
    note = "The audio track “English” is at -27 LUFS instead of -16, so that its peaks do not clip."
    assert notes_of(job) == (note,)


@pytest.mark.parametrize("lufs", [23, -9, -41])
def test_impossible_target_is_refused(lufs: int) -> None:
    with pytest.raises(SettingMissing, match="LOUDNESS_LUFS must be 0, or from -40 to -10"):
        check_target(lufs)
    for possible in (0, -10, -40):
        check_target(possible)


def test_no_sound_is_copied_if_its_loudness_is_changed() -> None:
    settings = Settings(storage="", mongo_url="", loudness_lufs=-23)
    assert not CopyLimits.of(settings).sound
    assert CopyLimits.of(Settings(storage="", mongo_url="")).sound
