"""Sources, and makers that write a small film as a phone, a recorder, an editor or television would.

A source is described by its pieces and by the times at which a tone is heard. A piece gives the frames that are shown
from a certain time on.
"""

from __future__ import annotations

import re
import struct
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

from tests.support.edits import with_edits
from tests.support.media import H264, Film, Sound, make_film

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    type Maker = Callable[[Path], Path]

FRAMES = 144
RATE = Fraction(24)
TS_PACKET = 188
PICTURE_BEGINS = 0x4100
"""Unit start indicator and packet identifier of a transport packet with which a picture begins."""

CLOSED_GOPS = (*H264, "-g", "24", "-x264-params", "open-gop=0:scenecut=0")


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames that are shown from `begins` on: number `first` first, then the next one every 1 / `rate` seconds.

    The last of the `frames` stays until the next piece begins.
    """

    begins: Fraction
    first: int
    frames: int
    rate: Fraction = RATE


@dataclass(frozen=True, slots=True)
class Source:
    """A source, and what must be published: its pieces, its length in seconds, and when tones are heard.

    `rate` is the frame rate that must be published, or None if several are right. `deinterlaced` is true if fields must
    be made into frames.
    """

    make: Maker
    pieces: tuple[Piece, ...]
    lasts: Fraction
    tones_s: tuple[float, ...]
    rate: Fraction | None = RATE
    deinterlaced: bool = False

    def number_at(self, at: Fraction) -> int:
        """Return the number that the picture shows at a time in seconds."""
        piece = next((piece for piece in reversed(self.pieces) if piece.begins <= at), self.pieces[0])
        return piece.first + max(0, min(piece.frames - 1, floor((at - piece.begins) * piece.rate)))


def small(name: str = "film.mp4", **changes: Any) -> Film:
    """Return a small film of six seconds with a key frame in each second."""
    return Film(name, **{"frames": FRAMES, "width": 96, "height": 54, "video": CLOSED_GOPS, **changes})


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg; the last argument is the file that it writes."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()


def copied(*before: str, film: Film | None = None, target: str = "source.mp4", after: tuple[str, ...] = ()) -> Maker:
    """Return a maker that copies the streams of a film, with options before the input and after it."""

    def make(folder: Path) -> Path:
        source = make_film(film or small(), folder)
        ffmpeg(*before, "-i", source, "-map", "0", "-c", "copy", *after, folder / target)
        return folder / target

    return make


def delayed(stream: str, seconds: str, *, target: str) -> Maker:
    """Return a maker that delays one stream, "v" or "a", of a film."""
    other = "a" if stream == "v" else "v"

    def make(folder: Path) -> Path:
        source = make_film(small(), folder)
        inputs = ("-itsoffset", seconds, "-i", source, "-i", source)
        maps = ("-map", f"0:{stream}", "-map", f"1:{other}")
        ffmpeg(*inputs, *maps, "-c", "copy", folder / target)
        return folder / target

    return make


def chained(*films: Film, target: str, offsets_s: tuple[float, ...]) -> Maker:
    """Return a maker that writes transport streams one after the other into one file, each with its own start time."""

    def make(folder: Path) -> Path:
        path = folder / target
        with path.open("wb") as file:
            for number, (film, offset_s) in enumerate(zip(films, offsets_s, strict=True)):
                copy = folder / f"part{number}.ts"
                mux = ("-muxdelay", "0", "-output_ts_offset", str(offset_s))
                ffmpeg("-i", make_film(film, folder), "-map", "0", "-c", "copy", *mux, copy)
                file.write(copy.read_bytes())
        return path

    return make


def filtered(
    graph: str, *, film: Film, target: str, video: tuple[str, ...] = CLOSED_GOPS, clock: str = "1/90000"
) -> Maker:
    """Return a maker that passes the picture of a film through a filter graph, with exact times in units of `clock`."""

    def make(folder: Path) -> Path:
        source = make_film(film, folder)
        exact = ("-fps_mode", "passthrough", "-enc_time_base", clock)
        ffmpeg(
            "-i", source, "-map", "0", "-vf", f"settb={clock},{graph}", *exact, *video, "-c:a", "copy", folder / target
        )
        return folder / target

    return make


def edited(parts: tuple[tuple[Fraction, Fraction], ...]) -> Maker:
    """Return a maker of an MP4 whose edit lists show only parts of the media, each given as start and duration."""

    def make(folder: Path) -> Path:
        path = make_film(small("source.mov", sounds=(Sound(codec="pcm_s16le"),)), folder)
        path.write_bytes(with_edits(path.read_bytes(), parts))
        return path

    return make


def misdated(film: Film, number: int, *, states_time: bool = True) -> Maker:
    """Return a maker of a transport stream in which a picture is about fifty minutes late, or states no time."""

    def make(folder: Path) -> Path:
        path = make_film(film, folder)
        data = bytearray(path.read_bytes())
        begins = [
            at for at in range(0, len(data), TS_PACKET) if (data[at + 1] & 0x5F) << 8 | data[at + 2] == PICTURE_BEGINS
        ]
        at = data.index(b"\0\0\1", begins[number] + 4)  # the header of a PES packet (ISO/IEC 13818-1, 2.4.3.6)
        assert data[at + 7] & 0x80, "it states no time"
        if states_time:
            data[at + 10] ^= 0x40  # bit 28 of the time, in units of 1/90,000 s
        else:
            data[at + 7] &= 0x3F
        path.write_bytes(data)
        return path

    return make


def restated(factor: int | Fraction) -> Maker:
    """Return a maker of a Matroska file whose header states a wrong duration: the true one multiplied by `factor`."""

    def make(folder: Path) -> Path:
        path = folder / "source.mkv"
        ffmpeg("-i", make_film(small(), folder), "-map", "0", "-c", "copy", path)
        data = bytearray(path.read_bytes())
        for tag in re.finditer(rb"DURATIOND\x87\x94(\d\d:\d\d:\d\d\.\d{9})", data):  # the duration of each stream
            hours, minutes, seconds = (float(part) for part in tag[1].split(b":"))
            total = (hours * 3600 + minutes * 60 + seconds) * float(factor)
            data[tag.start(1) : tag.end(1)] = f"00:00:{total:012.9f}".encode()
        at = data.index(b"\x44\x89\x88") + 3  # the element Duration, a float of 8 bytes
        stated = struct.unpack(">d", data[at : at + 8])[0]
        data[at : at + 8] = struct.pack(">d", stated * float(factor))
        path.write_bytes(data)
        return path

    return make


def recorded(target: str) -> Maker:
    """Return a maker of a WebM as a browser's MediaRecorder writes it: streamed, in VP8 and Opus."""

    def make(folder: Path) -> Path:
        codecs = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", "-c:a", "libopus")
        ffmpeg("-i", make_film(small(), folder), *codecs, "-live", "1", folder / target)
        return folder / target

    return make


def resized(target: str, **changes: Any) -> Maker:
    """Return a maker of a film whose picture size changes in its second half."""

    def make(folder: Path) -> Path:
        suffix = "webm" if target.endswith(".webm") else "ts"
        halves = [
            make_film(small(f"one.{suffix}", width=96, height=60, **changes), folder),
            make_film(small(f"other.{suffix}", width=160, height=100, **changes), folder),
        ]
        script = folder / "script.txt"
        script.write_text("".join(f"file '{half}'\n" for half in halves))
        ffmpeg("-f", "concat", "-safe", "0", "-i", script, "-map", "0", "-c", "copy", folder / target)
        return folder / target

    return make


def beheaded(target: str) -> Maker:
    """Return a maker of a transport stream without the packets of its first half second."""

    def make(folder: Path) -> Path:
        drop = ("-bsf:v", "noise=drop='lt(n,12)'", "-bsf:a", "noise=drop='lt(n,40)'")
        ffmpeg("-i", make_film(small(), folder), "-map", "0", "-c", "copy", *drop, "-muxdelay", "0", folder / target)
        return folder / target

    return make


def tones(*seconds: float) -> tuple[float, ...]:
    """Return the times of tones, in seconds, as a tuple."""
    return seconds


def whole(rate: Fraction = RATE, frames: int = FRAMES, begins: Fraction = Fraction(0)) -> tuple[Piece, ...]:
    """Return the pieces of a film that is shown as it is."""
    return (Piece(begins, 0, frames, rate),)
