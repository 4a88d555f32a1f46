"""Sources with damage at known frames, and whether a film with this damage may be published.

Each is a film of six seconds whose frames show their numbers (see `media`), with some of its bytes changed or lost.
"""

from __future__ import annotations

import json
import random
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.media import H264, Film, Sound, make_film
from tests.support.source_makers import TS_PACKET, ffmpeg, small

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.source_makers import Maker

GROUP = 24
"""Frames from one key frame to the next."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A source with damage in frames from `first` to before `end`; at most `pictures` may be counted as damaged.

    `tolerated` is false if the source must be refused with a sentence that contains `reason`.
    """

    make: Maker
    first: int
    end: int
    pictures: int
    tolerated: bool = True
    reason: str = "is damaged"


def packets_of(path: Path, stream: str = "v:0") -> list[tuple[int, int]]:
    """Return position and size of each packet of a stream, in the order of the file."""
    command = ["ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "packet=pos,size", "-of", "json"]
    found = json.loads(subprocess.run([*command, str(path)], capture_output=True, check=True).stdout)["packets"]
    return [(int(packet["pos"]), int(packet["size"])) for packet in found if "pos" in packet]


def flipped(film: Film, *numbers: int) -> Maker:
    """Return a maker that changes some bits in the middle of the given packets."""

    def make(folder: Path) -> Path:
        path = make_film(film, folder)
        data = bytearray(path.read_bytes())
        packets = packets_of(path)
        for number in numbers:
            at, size = packets[number]
            for offset in range(size // 3, size // 3 + 6):
                data[at + offset] ^= 0x55
        path.write_bytes(data)
        return path

    return make


def zeroed(film: Film, *numbers: int, stream: str = "v:0") -> Maker:
    """Return a maker that overwrites the given packets with zeros, as a lost block of a disk does."""

    def make(folder: Path) -> Path:
        path = make_film(film, folder)
        data = bytearray(path.read_bytes())
        packets = packets_of(path, stream)
        for number in numbers:
            at, size = packets[number]
            data[at : at + size] = bytes(size)
        path.write_bytes(data)
        return path

    return make


def dropped(film: Film, *numbers: int) -> Maker:
    """Return a maker that leaves out the given packets of the picture, as a recorder under load does."""

    def make(folder: Path) -> Path:
        path = folder / f"source{film.name[film.name.rindex('.') :]}"
        which = "+".join(f"eq(n,{number})" for number in numbers)
        ffmpeg("-i", make_film(film, folder), "-map", "0", "-c", "copy", "-bsf:v", f"noise=drop='{which}'", path)
        return path

    return make


def scattered(film: Film, *, seed: int) -> Maker:
    """Return a maker that changes one random byte in each of one to forty random packets of the picture."""

    def make(folder: Path) -> Path:
        path = make_film(film, folder)
        data, chance = bytearray(path.read_bytes()), random.Random(seed)
        for at, size in chance.sample(packets_of(path), chance.randint(1, 40)):
            data[at + chance.randrange(size)] = chance.randrange(256)
        path.write_bytes(data)
        return path

    return make


def lossy(film: Film, *, count: int, after: int = 1, at: float = 0.5) -> Maker:
    """Return a maker of a transport stream that lacks every `after`th packet of the picture, `count` in all.

    `at` is the place of the first missing packet, from 0 (the start of the film) to 1 (its end).
    """

    def make(folder: Path) -> Path:
        data = make_film(film, folder).read_bytes()
        packets = [data[start : start + TS_PACKET] for start in range(0, len(data), TS_PACKET)]
        picture = [n for n, packet in enumerate(packets) if (packet[1] & 0x1F) << 8 | packet[2] == 0x100]
        inside = [n for n in picture if not packets[n][1] & 0x40]  # not the first of a picture
        begin = int(len(inside) * at)
        lost = set(inside[begin : begin + count * after : after])
        path = folder / "source.ts"
        path.write_bytes(b"".join(packet for n, packet in enumerate(packets) if n not in lost))
        return path

    return make


def cut(film: Film, *, lost: float) -> Maker:
    """Return a maker that cuts off a share of the file at its end."""

    def make(folder: Path) -> Path:
        path = make_film(film, folder)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * (1 - lost))])
        return path

    return make


def detailed(name: str = "film.mp4", **changes: Any) -> Film:
    """Return a film whose pictures have several transport packets each."""
    return small(name, **{"width": 320, "height": 180, **changes})


MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3", "-bf", "2", "-g", "12")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "3", "-g", "24")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=24:scenecut=0")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", "-g", "24")
MP3 = Sound(codec="libmp3lame")
ONE_GROUP = (*H264, "-g", "9999")

DAMAGED: dict[str, Damaged] = {
    "mp4 with flipped bits in one picture": Damaged(flipped(detailed(), 60), 57, 64, 3),
    "mkv with flipped bits in two pictures": Damaged(flipped(detailed("film.mkv"), 60, 110), 57, 114, 6),
    "mov with a picture of zeros": Damaged(zeroed(detailed("film.mov"), 61), 57, 72, 6),
    "mp4 whose key frame is zeros": Damaged(zeroed(detailed(), 72), 70, 97, 26),
    "mp4 without a picture that others need": Damaged(dropped(detailed(), 61), 57, 72, 12),
    "mpeg-2 transport stream with three lost packets": Damaged(
        lossy(detailed("film.ts", video=MPEG2), count=3, after=200), 0, 144, 12
    ),
    "transport stream with three lost packets": Damaged(lossy(detailed("film.ts"), count=3, after=150), 0, 144, 30),
    "transport stream with twenty lost packets in a row": Damaged(lossy(detailed("film.ts"), count=20), 50, 100, 30),
    "mkv that lacks its last half second": Damaged(cut(small("film.mkv"), lost=0.09), 130, 145, 14),
    "hevc with a picture of zeros": Damaged(zeroed(detailed("film.mkv", video=HEVC), 61), 50, 73, 24),
    "mp4 whose first picture is damaged": Damaged(flipped(detailed(), 0), 0, 24, 24),
    "mp4 whose last picture is zeros": Damaged(zeroed(detailed(), 143), 140, 145, 4),
    "fragmented mp4 with flipped bits in one picture": Damaged(
        flipped(detailed(mux=("-movflags", "+frag_keyframe+empty_moov+default_base_moof")), 60), 57, 64, 3
    ),
    "fragmented mp4 that lacks its last half second": Damaged(
        cut(small(mux=("-movflags", "+frag_keyframe+empty_moov+default_base_moof")), lost=0.08), 120, 145, 24
    ),
    "avi with flipped bits in a picture": Damaged(
        flipped(detailed("film.avi", video=MPEG4, sounds=(MP3,), mux=("-avoid_negative_ts", "disabled")), 60, 61),
        57,
        73,
        16,
    ),
    "mkv in mpeg-2 with flipped bits in a picture": Damaged(flipped(detailed("film.mkv", video=MPEG2), 60), 56, 65, 4),
    "mpeg-2 program stream with a lost sector": Damaged(
        zeroed(detailed("film.mpg", video=MPEG2, sounds=(Sound(codec="mp2"),)), 60), 40, 80, 16
    ),
    "prores with flipped bits in a picture": Damaged(
        flipped(detailed("film.mov", video=("-c:v", "prores_ks", "-profile:v", "0"), sounds=()), 60), 59, 62, 1
    ),
    "vp9 with a picture of zeros": Damaged(
        zeroed(detailed("film.webm", video=VP9, sounds=(Sound(codec="libopus"),)), 60), 58, 73, 24
    ),
    "flash video with a picture of zeros": Damaged(zeroed(detailed("film.flv"), 61), 57, 73, 16),
    "mkv with two damaged pictures where chunks meet": Damaged(flipped(detailed("film.mkv"), 95, 96), 92, 120, 26),
    "mp4 with flipped bits all over": Damaged(
        flipped(detailed(video=ONE_GROUP), *range(5, 140, 2)), 0, 144, 144, tolerated=False
    ),
    "mp4 with zeros for three seconds": Damaged(zeroed(detailed(), *range(48, 120)), 0, 144, 144, tolerated=False),
    "mp4 that lacks its second half": Damaged(
        cut(small(mux=("-movflags", "+faststart")), lost=0.5), 0, 144, 144, tolerated=False, reason="is cut off"
    ),
}
"""Damaged sources by description; those that are tolerated may have damage in a quarter of their pictures."""
