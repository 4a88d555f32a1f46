"""Read a published title from a folder: its manifest, its segments, and their decoded video and audio."""

from __future__ import annotations

import subprocess
from array import array
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from functions.encoding.formats.segments import read_init, read_segment
from tests.support.media import COUNTER_BITS, TONE_S

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.formats.segments import InitInfo, SegmentInfo

_MPD = "{urn:mpeg:dash:schema:mpd:2011}"
_AUDIO_SAMPLE_RATE = 48_000


@dataclass(frozen=True, slots=True)
class ManifestTrack:
    """A track in the manifest; `spans` are the start and duration of each segment in ticks."""

    name: str
    kind: str
    language: str
    codec: str
    rate: Fraction
    width: int
    height: int
    timescale: int
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class DecodedAudio:
    """The decoded audio of a track: samples at its own rate, the start of each tone, the pitch of the first tone."""

    samples: int
    sample_rate: int
    tones_s: tuple[float, ...]
    pitch_hz: float


class Published:
    """A published title in a folder with the same layout as the title's container."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mpd = ElementTree.parse(folder / "manifest.mpd").getroot()
        self.tracks = [
            _manifest_track(adaptation_set, representation)
            for adaptation_set in self.mpd.iter(f"{_MPD}AdaptationSet")
            for representation in adaptation_set.findall(f"{_MPD}Representation")
            if representation.find(f"{_MPD}SegmentTemplate") is not None
        ]

    @property
    def is_growing(self) -> bool:
        """Return whether more segments can be stored than the manifest lists."""
        return self.mpd.get("type") == "dynamic"

    def of(self, kind: str) -> list[ManifestTrack]:
        """Return the tracks of `kind`, "video" or "audio", in the order of the manifest."""
        return [track for track in self.tracks if track.kind == kind]

    def faults(self) -> list[str]:
        """Return a sentence for each difference between segments and manifest."""
        faults = []
        for track in self.tracks:
            init = read_init(self.folder / track.name / "init.mp4")
            if (init.codec, init.timescale) != (track.codec, track.timescale):
                faults.append(f"{track.name}: the init segment says {init.codec} at {init.timescale}")
            if track.kind == "video" and (init.width, init.height) != (track.width, track.height):
                faults.append(f"{track.name}: the init segment says {init.width}x{init.height}")
            files = sorted(path.name for path in (self.folder / track.name).glob("s*.m4s"))
            listed = [f"s{number:05d}.m4s" for number in range(len(track.spans))]
            if files != listed and (not self.is_growing or files[: len(listed)] != listed):
                faults.append(f"{track.name}: {len(track.spans)} segments are listed, there are {files}")
            for number, span in enumerate(track.spans):
                segment = read_segment(self.folder / track.name / f"s{number:05d}.m4s", init)
                faults += [f"{track.name}: segment {number} {fault}" for fault in _differences(segment, span, init)]
        first, *others = self.of("video")
        faults += [
            f"{other.name} has other segment boundaries than {first.name}"
            for other in others
            if other.spans != first.spans
        ]
        return faults

    def numbers(self, name: str, *, rate: Fraction | None = None) -> list[int]:
        """Decode a rung; return the number shown in each frame; raise ValueError if one is unreadable.

        With `rate`, return the number shown at each tick of this rate; frames may have any times.
        """
        return numbers_in(self._joined(name), filters=f"fps={rate}" if rate else "null")

    def readable_numbers(self, name: str) -> list[int | None]:
        """Decode a rung; return the number shown in each frame, or None for a frame in which it cannot be read."""
        return readable_numbers_in(self._joined(name))

    def decode_audio(self, name: str) -> DecodedAudio:
        """Decode an audio track and detect its tones."""
        init = read_init(self.folder / name / "init.mp4")
        joined = self._joined(name)
        samples_48k = array("h", decode(joined, "-f", "s16le", "-ac", "1", "-ar", str(_AUDIO_SAMPLE_RATE)))
        is_resampled = init.sample_rate != _AUDIO_SAMPLE_RATE
        samples = len(decode(joined, "-f", "s16le", "-ac", "1")) // 2 if is_resampled else len(samples_48k)
        tones = _tones(samples_48k)
        pitch = _pitch(samples_48k[tones[0] :]) if tones else 0.0
        return DecodedAudio(samples, init.sample_rate, tuple(at / _AUDIO_SAMPLE_RATE for at in tones), pitch)

    def _joined(self, name: str) -> Path:
        track = self.folder / name
        joined = self.folder / f"{name}-joined.mp4"
        parts = [track / "init.mp4", *sorted(track.glob("s*.m4s"))]
        joined.write_bytes(b"".join(path.read_bytes() for path in parts))
        return joined


def decode(path: Path, *arguments: str) -> bytes:
    """Decode a film with ffmpeg; raise ValueError if ffmpeg reports any error."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-xerror", "-i", str(path), *arguments]
    done = subprocess.run([*command, "pipe:1"], capture_output=True, check=False, timeout=120)
    if done.returncode or done.stderr:
        raise ValueError(f"{path} does not decode: {done.stderr.decode()[:1000]}")
    return done.stdout


def numbers_in(path: Path, *, filters: str = "null") -> list[int]:
    """Decode a film; return the number shown in each frame; raise ValueError if one is unreadable."""
    numbers = readable_numbers_in(path, filters=filters)
    if None in numbers:
        raise ValueError(f"The number in frame {numbers.index(None)} cannot be read.")
    return [number for number in numbers if number is not None]


def readable_numbers_in(path: Path, *, filters: str = "null") -> list[int | None]:
    """Decode a film; return the number shown in each frame, or None for a frame in which it cannot be read."""
    rows = 6  # two rows of averages per third of the picture; the first and last row are completely inside the numbers
    gauge = f"{filters},scale={COUNTER_BITS}:{rows}:flags=area,format=gray"
    raw = decode(
        path,
        *("-map", "0:v:0", "-fps_mode", "passthrough", "-enc_time_base", "1/90000"),
        *("-vf", gauge, "-f", "rawvideo"),
    )
    size = COUNTER_BITS * rows
    return [_number(raw[at : at + size]) for at in range(0, len(raw), size)]


def _number(picture: bytes) -> int | None:
    above, below = picture[:COUNTER_BITS], picture[-COUNTER_BITS:]
    number = 0
    for one, other in zip(above, below, strict=True):
        if abs(one - other) < 60:
            return None
        number = number << 1 | (one > other)
    return number


def _tones(samples_48k: array[int]) -> list[int]:
    """Return the index of each tone's first sample: a loud sample at least half a pause after the previous index."""
    threshold = max(max(samples_48k, default=0) // 4, 300)
    pause = int(_AUDIO_SAMPLE_RATE * (1 - TONE_S) / 2)
    tones = []
    quiet_until = 0
    for at, level in enumerate(samples_48k):
        if level > threshold and at >= quiet_until:
            tones.append(at)
            quiet_until = at + pause
    return tones


def _pitch(tone: array[int]) -> float:
    """Return the frequency in Hz: upward zero crossings per second, measured inside the tone."""
    inside = tone[_AUDIO_SAMPLE_RATE // 100 : int(_AUDIO_SAMPLE_RATE * TONE_S * 4 / 5)]
    return sum(1 for one, two in pairwise(inside) if one < 0 <= two) * _AUDIO_SAMPLE_RATE / len(inside)


def _manifest_track(adaptation_set: ElementTree.Element, representation: ElementTree.Element) -> ManifestTrack:
    template = representation.find(f"{_MPD}SegmentTemplate")
    assert template is not None
    spans: list[tuple[int, int]] = []
    clock = 0
    for entry in template.iter(f"{_MPD}S"):
        clock = int(entry.get("t", clock))
        for _ in range(int(entry.get("r", 0)) + 1):
            spans.append((clock, int(entry.attrib["d"])))
            clock += int(entry.attrib["d"])
    return ManifestTrack(
        name=representation.attrib["id"],
        kind=adaptation_set.attrib["contentType"],
        language=adaptation_set.get("lang", ""),
        codec=representation.attrib["codecs"],
        rate=Fraction(adaptation_set.get("frameRate", "0")),
        width=int(representation.get("width", 0)),
        height=int(representation.get("height", 0)),
        timescale=int(template.attrib["timescale"]),
        spans=tuple(spans),
    )


def _differences(segment: SegmentInfo, span: tuple[int, int], init: InitInfo) -> list[str]:
    start, duration = span
    faults = []
    if segment.start != start:
        faults.append(f"starts at {segment.start}, the manifest says {start}")
    if segment.shown_at != start - init.edit_start:
        faults.append(f"is shown at {segment.shown_at}, the manifest says {start}")
    if segment.duration != duration:
        faults.append(f"lasts {segment.duration} ticks, the manifest says {duration}")
    if not segment.starts_with_sync:
        faults.append("does not begin with a key frame")
    return faults
