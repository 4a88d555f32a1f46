"""Create small films with ffmpeg in which every frame shows its number.

The top third of a frame shows its number as sixteen blocks, white for 1, and the bottom third shows the inverse. A
reader compares the two and needs no threshold, so the number survives compression, scaling and any other conversion
that keeps the picture recognisable. Sound is a short tone at every whole second, so that its delay can be measured.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COUNTER_BITS = 16
TONE_S = Fraction(1, 10)

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-bf", "2", "-pix_fmt", "yuv420p")
MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
HDR10 = (
    *("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-g", "48"),
    *("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"),
    "-x265-params",
    f"log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:max-cll=1000,400:master-display={MASTERING}",
)
"""Pictures in HDR10: PQ in BT.2020, with the metadata of the display on which they were mastered."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound track: a tone of `pitch_hz` in the first tenth of every second, or silence if `silent`.

    It is as long as the picture, unless it ends after `lasts_s` seconds.
    """

    pitch_hz: int = 1000
    channels: int = 2
    sample_rate: int = 48_000
    language: str = ""
    codec: str = "aac"
    silent: bool = False
    lasts_s: int | None = None


@dataclass(frozen=True, slots=True)
class Film:
    """A film to create; `width` and `height` are those of the displayed picture, after rotation.

    Only frames whose number modulo `keep[0]` is in `keep[1]` are kept, at their own times, so the frame rate varies.
    With `interlaced`, a frame consists of two fields from different times, which both show its number.
    """

    name: str = "film.mp4"
    rate: Fraction = Fraction(24)
    frames: int = 315
    width: int = 320
    height: int = 180
    sar: str = "1"
    sounds: tuple[Sound, ...] = (Sound(),)
    subtitles: tuple[str, ...] = ()
    video: tuple[str, ...] = H264
    mux: tuple[str, ...] = ()
    keep: tuple[int, tuple[int, ...]] = (1, (0,))
    interlaced: bool = False
    rotated: bool = False

    @property
    def seconds(self) -> Fraction:
        """Return the length of the picture in seconds."""
        return self.frames / self.rate

    def shown_on(self, rate: Fraction, frames: int) -> list[int]:
        """Return the number shown in each frame of a grid: the number of the film's latest frame at that time."""
        modulus, remainders = self.keep
        numbers = [number for number in range(self.frames) if number % modulus in remainders]
        due = [floor(number / self.rate * rate + Fraction(1, 2)) for number in numbers]
        shown: list[int] = []
        for number, replaced in zip(numbers, [*due[1:], frames], strict=True):
            shown += [number] * (replaced - len(shown))
        return shown[:frames]


def make_film(film: Film, folder: Path) -> Path:
    """Encode the film into `folder` and return its path."""
    path = folder / film.name
    made = folder / f"upright-{film.name}" if film.rotated else path
    _ffmpeg(_arguments(film, folder, made), counters(range(film.frames)))
    if film.rotated:
        _ffmpeg(["-display_rotation", "90", "-i", str(made), "-map", "0", "-c", "copy", str(path)])
        made.unlink()
    return path


def counters(numbers: range) -> bytes:
    """Return the frames, each with 16x2 gray pixels: the bits of the number, and below them their inverses."""
    frames = bytearray()
    for number in numbers:
        bits = bytes(255 if number >> bit & 1 else 0 for bit in reversed(range(COUNTER_BITS)))
        frames += bits + bytes(255 - bit for bit in bits)
    return bytes(frames)


def _arguments(film: Film, folder: Path, path: Path) -> list[str]:
    third = film.height // 3
    fields = film.rate * 2 if film.interlaced else film.rate
    seconds = f"{float(film.seconds):.6f}"
    arguments = [
        *("-f", "rawvideo", "-pixel_format", "gray", "-video_size", f"{COUNTER_BITS}x2"),
        *("-framerate", str(film.rate), "-i", "pipe:0"),
        *("-f", "lavfi", "-i", f"testsrc2=size=160x90:rate={fields}"),
    ]
    for sound in film.sounds:
        tone = "0" if sound.silent else f"if(lt(mod(t,1),{float(TONE_S)}),0.6*sin(2*PI*{sound.pitch_hz}*t),0)"
        lasts = seconds if sound.lasts_s is None else sound.lasts_s
        arguments += ["-f", "lavfi", "-i", f"aevalsrc='{tone}':sample_rate={sound.sample_rate}:duration={lasts}"]
    for language in film.subtitles:
        arguments += ["-i", str(_make_subtitles(folder, language, floor(film.seconds)))]
    modulus, remainders = film.keep
    kept = "+".join(f"eq(mod(n,{modulus}),{remainder})" for remainder in remainders)
    # The pixels are turned by 90 degrees, and the rotation that the container declares turns them back.
    turn = "transpose=clock" if film.rotated else "null"
    weave = "tinterlace=interleave_top" if film.interlaced else "null"
    graph = (
        f"[0:v]fps={fields},split[c0][c1];"
        f"[c0]crop=16:1:0:0,scale={film.width}:{third}:flags=neighbor,format=yuv444p[top];"
        f"[c1]crop=16:1:0:1,scale={film.width}:{third}:flags=neighbor,format=yuv444p[bottom];"
        f"[1:v]scale={film.width}:{film.height - 2 * third},format=yuv444p[middle];"
        f"[top][middle][bottom]vstack=inputs=3:shortest=1,select='{kept}',{weave},{turn},setsar={film.sar}[v]"
    )
    arguments += ["-filter_complex", graph, "-map", "[v]", "-fps_mode", "passthrough", *film.video]
    for number, sound in enumerate(film.sounds):
        arguments += ["-map", f"{number + 2}:a", f"-c:a:{number}", sound.codec, f"-ac:a:{number}", str(sound.channels)]
        if sound.language:
            arguments += [f"-metadata:s:a:{number}", f"language={sound.language}"]
    for number, language in enumerate(film.subtitles):
        codec = {".mp4": "mov_text", ".webm": "webvtt"}.get(path.suffix, "srt")
        arguments += ["-map", f"{number + 2 + len(film.sounds)}:s", f"-c:s:{number}", codec]
        arguments += [f"-metadata:s:s:{number}", f"language={language}"]
    return [*arguments, *film.mux, str(path)]


def _make_subtitles(folder: Path, language: str, seconds: int) -> Path:
    path = folder / f"{language}.srt"
    cues = [
        f"{second + 1}\n00:00:{second:02d},000 --> 00:00:{second:02d},900\n{language} {second}\n"
        for second in range(seconds)
    ]
    path.write_text("\n".join(cues), encoding="utf-8")
    return path


def _ffmpeg(arguments: list[str], stdin: bytes = b"") -> None:
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
