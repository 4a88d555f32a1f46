"""Argument lists for ffmpeg that encode sound, and that measure its loudness; nothing is run here."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import ffmpeg

from functions.encoding.ffmpeg import input_options
from functions.encoding.ffmpeg_commands import PLAYLIST, hls_options, joined_arguments, moved, seconds_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.encoding.model import AudioPlan

_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
"""ffmpeg's names of the layouts that are published."""

_AS_SPOKEN = "ebur128=peak=true:framelog=quiet:dualmono=true"
"""The filter that measures. Players play mono from both speakers, which is 3 LU louder than from one (`dualmono`)."""


def audio_arguments(
    track: AudioPlan, address: str, *, shift: Fraction = Fraction(0), samples: int | None = None, gain: str = ""
) -> list[str]:
    """Return the arguments that encode one audio track into `<track>/`, in segments of equal length.

    The whole track is encoded, or its first `samples` samples. A gap in the source becomes silence. `shift` is the
    picture's shift, applied to keep sound and picture in sync. `gain` is that of `Gain.expression`.
    """
    options = {
        **_encoder_options(track),
        # frag_discont would make the decode time of audio wrap around
        **hls_options(track.name, cmaf="+cmaf"),
        # rounded down; if rounded up, every segment would lack its last frame
        "hls_time": f"{track.segment_ticks * 1_000_000 // track.sample_rate / 1_000_000:.6f}",
    }
    length = {"t": seconds_text(Fraction(samples, track.sample_rate))} if samples else {}
    volume = f",volume='{gain}':eval=frame:precision=float" if gain else ""
    return [
        *_uniform_arguments(track, address, shift, length),
        *_loopback("0:0", f"aresample={track.sample_rate}:async=1:first_pts=0{volume}"),
        *_words({**options, **length}),
        f"{track.name}/{PLAYLIST}",
    ]


def loudness_arguments(
    track: AudioPlan, address: str, *, shift: Fraction = Fraction(0), samples: int | None = None
) -> list[str]:
    """Return the arguments that print the loudness of an audio track, or of its first `samples` samples.

    The sound is encoded and decoded before it is measured, because AAC changes loud peaks by several decibels.
    """
    length = {"t": seconds_text(Fraction(samples, track.sample_rate))} if samples else {}
    return [
        *_uniform_arguments(track, address, shift, length),
        *_loopback("0:0", f"aresample={track.sample_rate}:async=1:first_pts=0"),
        *_measured(track, length),
    ]


def sampled_loudness_arguments(
    track: AudioPlan, address: str, *, begins_s: Sequence[Fraction], lasts_s: int
) -> list[str]:
    """Return the arguments that print the loudness of samples of a track, which begin at these seconds."""
    sources = [ffmpeg.input(address, ss=seconds_text(begin), t=lasts_s, **input_options(address)) for begin in begins_s]
    layout = _LAYOUTS[track.channels]
    uniform = [
        source[str(track.stream)].filter("aformat", sample_rates=track.sample_rate, channel_layouts=layout)
        for source in sources
    ]
    joined = ffmpeg.concat(*uniform, v=0, a=1)
    options = {"c:a": "pcm_f32le", "f": "null"}
    return [*joined_arguments(ffmpeg.output(joined, "-", **options)), *_loopback("0:0", "anull"), *_measured(track, {})]


def _uniform_arguments(track: AudioPlan, address: str, shift: Fraction, length: dict[str, str]) -> list[str]:
    """Return the arguments that decode a track into samples of one form.

    Television changes between stereo and 5.1, and ffmpeg then rebuilds the filter graph. The filter that fills gaps
    would then count from 0 again, and so would the one that measures. So a first graph makes the samples uniform, and
    a second one, which never changes, receives them by a loopback decoder (`-dec`). The first graph may begin later
    than the second, which fills the gap.
    """
    source = ffmpeg.input(address, copyts=None, start_at_zero=None, **moved(shift), **input_options(address))
    uniform = {"c:a": "pcm_f32le", "ac": track.channels, "ar": track.sample_rate, "f": "null", **length}
    return joined_arguments(ffmpeg.output(source[str(track.stream)], "-", **uniform))


def _measured(track: AudioPlan, length: dict[str, str]) -> list[str]:
    """Return the arguments that encode the last graph and measure the result, printing it at the end."""
    encoded = _words({**_encoder_options(track), **length, "f": "null"})
    return [*encoded, "-", *_loopback("1:0", _AS_SPOKEN), "-f", "null", "-loglevel", "info", "-"]


def _loopback(output: str, filters: str) -> list[str]:
    """Return the arguments with which the encoded `output` is decoded and filtered."""
    number = output.partition(":")[0]
    return [
        *("-dec", output, "-filter_complex", f"[dec:{number}]{filters}[sound{number}]"),
        *("-map", f"[sound{number}]"),
    ]


def _encoder_options(track: AudioPlan) -> dict[str, Any]:
    return {"c:a": "aac", "b:a": f"{track.bitrate_kbps}k"}


def _words(options: dict[str, Any]) -> list[str]:
    return [word for name, value in options.items() for word in (f"-{name}", str(value))]
