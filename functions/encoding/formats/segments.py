"""Read timescale, codec, start and duration of CMAF init and media segments.

Box names and section numbers are those of ISO/IEC 14496-12. Any damaged input raises `MalformedSegment`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from functions.encoding.formats.iso_bmff import IsoBox, MalformedSegment, top_boxes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SAMPLE_IS_NON_SYNC = 0x10000
"""Bit of the sample flags (8.8.3.1)."""

_DURATION, _SIZE, _FLAGS, _OFFSET = 0x100, 0x200, 0x400, 0x800
"""Flags for the fields that a trun contains per sample, in the order of the fields (8.8.8.1)."""


@dataclass(frozen=True, slots=True)
class SampleDefaults:
    """Default duration, in ticks, and default flags of samples."""

    duration: int
    flags: int


@dataclass(frozen=True, slots=True)
class InitInfo:
    """An init segment: `codec` as in RFC 6381; `edit_start` is the media tick that is shown at time 0.

    For video, `width` and `height` are in pixels; for audio, `channels` and `sample_rate` are set. Other fields are 0.
    If the track is encrypted, `codec` is that of its content, and `key_id` the id of its key in hexadecimal.
    """

    timescale: int
    codec: str
    kind: Literal["video", "audio"]
    track_id: int
    edit_start: int
    defaults: SampleDefaults
    width: int = 0
    height: int = 0
    channels: int = 0
    sample_rate: int = 0
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """A media segment, in ticks of its track; the next one is contiguous if its `start` equals `start + duration`.

    `start` is the decode time of its first sample (tfdt). `shown_at` is the earliest presentation time of its samples,
    after the edit list; it differs from `start` because of audio priming or reordered pictures. `size` is in bytes.
    """

    start: int
    shown_at: int
    duration: int
    samples: int
    size: int
    starts_with_sync: bool

    @property
    def end(self) -> int:
        """Return the tick at which the next segment must start."""
        return self.start + self.duration


class EmptySegment(MalformedSegment):
    """A segment holds no sample, because the track has none."""


def read_init(path: Path) -> InitInfo:
    """Read the init segment of one track. Raises MalformedSegment if the file is not an init segment."""
    for moov in top_boxes(path, b"moov"):
        return _init(IsoBox(path, "moov", moov))
    raise MalformedSegment(f"{path.name} is not an init segment: it has no moov box.")


def read_segment(path: Path, init: InitInfo) -> SegmentInfo:
    """Read a media segment of the track of `init`. Raises MalformedSegment if it is truncated, empty or has a gap."""
    fragments = [_fragment(IsoBox(path, "moof", moof), init) for moof in top_boxes(path, b"moof")]
    samples = sum(fragment.count for fragment in fragments)
    if not samples:
        raise EmptySegment(f"{path.name} holds no sample.")
    first = fragments[0]
    clock = first.start
    for fragment in fragments:
        if fragment.start != clock:
            raise MalformedSegment(
                f"{path.name} has a fragment at tick {fragment.start}; the one before ends at {clock}."
            )
        clock += fragment.duration
    return SegmentInfo(
        start=first.start,
        shown_at=min(fragment.shown_at for fragment in fragments if fragment.count) - init.edit_start,
        duration=clock - first.start,
        samples=samples,
        size=path.stat().st_size,
        starts_with_sync=first.start_with_sync,
    )


def _init(moov: IsoBox) -> InitInfo:
    track = moov.one("trak")
    defaults = moov.one("mvex", "trex")
    defaults.take(4)
    track_id = defaults.number(4)
    defaults.take(4)
    default_duration = defaults.number(4)
    defaults.take(4)
    sample_defaults = SampleDefaults(default_duration, defaults.number(4))

    header = track.one("mdia", "mdhd")
    version, _ = header.version_and_flags()
    header.take(16 if version == 1 else 8)
    timescale = header.number(4)
    if timescale == 0:
        raise header.fault("has timescale 0")

    description = track.one("mdia", "minf", "stbl", "stsd")
    description.take(8)
    entries = [(*_clear_format(name, entry), entry) for name, entry in description.children()]
    if len(entries) != 1 or entries[0][0] not in _CODECS:
        raise description.fault(
            f"describes {', '.join(kind for kind, *_ in entries) or 'nothing'}, which is not published"
        )
    format_name, key_id, entry = entries[0]
    kind, codec_of = _CODECS[format_name]
    width = height = channels = sample_rate = 0
    entry.take(16)
    if kind == "video":
        entry.take(8)
        width, height = entry.number(2), entry.number(2)
        entry.take(50)
    else:
        channels = entry.number(2)
        entry.take(6)
        sample_rate = entry.number(4) >> 16
    return InitInfo(
        timescale=timescale,
        codec=codec_of(format_name, entry),
        kind=kind,
        track_id=track_id,
        edit_start=_edit_start(track),
        defaults=sample_defaults,
        width=width,
        height=height,
        channels=channels,
        sample_rate=sample_rate,
        key_id=key_id,
    )


def _clear_format(name: str, entry: IsoBox) -> tuple[str, str | None]:
    """Return the format of a sample entry without its encryption, and the id of its key (ISO/IEC 23001-7, 8.2)."""
    if name not in _ENCRYPTED:
        return name, None
    protection = IsoBox(entry.path, entry.name, entry.body[_ENCRYPTED[name] :]).one("sinf")
    content = protection.one("frma").body.decode("latin-1")
    defaults = protection.one("schi", "tenc")
    defaults.take(8)
    return content, defaults.take(16).hex()


def _edit_start(track: IsoBox) -> int:
    """Return the media time at which the only edit starts; 0 without an edit list."""
    if not track.all("edts"):
        return 0
    edits = track.one("edts", "elst")
    version, _ = edits.version_and_flags()
    count = edits.number(4)
    width = 8 if version == 1 else 4
    edits.take(width)
    media_time = int.from_bytes(edits.take(width), signed=True)
    if count != 1 or media_time < 0:
        raise edits.fault("does not hold exactly one edit that shows media")
    return media_time


def _avc_codec(format_name: str, entry: IsoBox) -> str:
    """Return the codec string with profile, constraints and level (RFC 6381, section 3.3)."""
    configuration = entry.one("avcC")
    configuration.take(1)
    return f"{format_name}.{configuration.take(3).hex()}"


def _av1_codec(format_name: str, entry: IsoBox) -> str:
    """Return the codec string with profile, level, tier and bit depth (AV1 in ISO base media files, section 5).

    It also states the colours if they are those of pictures in HDR.
    """
    configuration = entry.one("av1C")
    configuration.take(1)
    profile_and_level, features = configuration.number(1), configuration.number(1)
    tier = "H" if features & 0x80 else "M"
    depth = 8 if not features & 0x40 else 12 if features & 0x20 else 10
    codec = f"{format_name}.{profile_and_level >> 5}.{profile_and_level & 0x1F:02d}{tier}.{depth:02d}"
    return f"{codec}{_hdr_colours(entry, features)}"


def _hdr_colours(entry: IsoBox, features: int) -> str:
    """Return the fields of a codec string that state the colours: "" unless the pictures are in HDR.

    They are: monochrome, subsampling, primaries, transfer function, matrix, full range.
    """
    for colours in entry.all("colr"):
        if colours.take(4) == b"nclx":
            primaries, transfer, matrix = (colours.number(2) for _ in range(3))
            if transfer in HDR_TRANSFERS:
                subsampling = f"{features >> 3 & 1}{features >> 2 & 1}{features & 3}"
                full = colours.number(1) >> 7
                return f".{features >> 4 & 1}.{subsampling}.{primaries:02d}.{transfer:02d}.{matrix:02d}.{full}"
    return ""


def _aac_codec(format_name: str, entry: IsoBox) -> str:
    """Return the codec string with object type indication and audio object type (ISO/IEC 14496-1, 7.2.6)."""
    descriptors = entry.one("esds")
    descriptors.take(4)
    _enter_descriptor(descriptors, 3)
    descriptors.take(2)
    flags = descriptors.number(1)
    descriptors.take(2 if flags & 0x80 else 0)
    descriptors.take(descriptors.number(1) if flags & 0x40 else 0)
    descriptors.take(2 if flags & 0x20 else 0)
    _enter_descriptor(descriptors, 4)
    object_type = descriptors.number(1)
    descriptors.take(12)
    _enter_descriptor(descriptors, 5)
    specific = descriptors.number(2)
    audio_type = specific >> 11
    if audio_type == 31:
        audio_type = 32 + (specific >> 5 & 0x3F)
    return f"{format_name}.{object_type:02x}.{audio_type}"


def _enter_descriptor(box: IsoBox, tag: int) -> None:
    """Read the tag and length of a descriptor; the length is encoded with seven bits per byte."""
    found = box.number(1)
    if found != tag:
        raise box.fault(f"has descriptor {found} where {tag} belongs")
    while box.number(1) & 0x80:
        pass


_CODECS: dict[str, tuple[Literal["video", "audio"], Callable[[str, IsoBox], str]]] = {
    "avc1": ("video", _avc_codec),
    "av01": ("video", _av1_codec),
    "mp4a": ("audio", _aac_codec),
}
"""Supported sample entries, with their kind of media and the function that returns the codec string."""


HDR_TRANSFERS = {16, 18}
"""The code points of the transfer functions PQ and HLG (ITU-T H.273, table 3)."""

_ENCRYPTED = {"encv": 78, "enca": 28}
"""Sample entries of encrypted tracks, with the number of bytes before their boxes."""


@dataclass(frozen=True, slots=True)
class _Samples:
    """Consecutive samples; `shown_at` is their earliest presentation time, before the edit list is applied."""

    start: int
    shown_at: int
    duration: int
    count: int
    start_with_sync: bool


def _fragment(moof: IsoBox, init: InitInfo) -> _Samples:
    track = moof.one("traf")
    defaults = _fragment_defaults(track.one("tfhd"), init)
    time = track.one("tfdt")
    version, _ = time.version_and_flags()
    start = clock = time.number(8 if version == 1 else 4)
    runs = []
    for box in track.all("trun"):
        run = _run(box, defaults, clock)
        clock += run.duration
        if run.count:
            runs.append(run)
    return _Samples(
        start,
        min((run.shown_at for run in runs), default=start),
        clock - start,
        sum(run.count for run in runs),
        bool(runs) and runs[0].start_with_sync,
    )


def _fragment_defaults(header: IsoBox, init: InitInfo) -> SampleDefaults:
    _, flags = header.version_and_flags()
    track_id = header.number(4)
    if track_id != init.track_id:
        raise header.fault(f"belongs to track {track_id}, its init segment to track {init.track_id}")
    header.take((8 if flags & 0x01 else 0) + (4 if flags & 0x02 else 0))
    duration = header.number(4) if flags & 0x08 else init.defaults.duration
    header.take(4 if flags & 0x10 else 0)
    return SampleDefaults(duration, header.number(4) if flags & 0x20 else init.defaults.flags)


def _run(box: IsoBox, defaults: SampleDefaults, start: int) -> _Samples:
    """Read a trun whose first sample is decoded at `start`."""
    version, flags = box.version_and_flags()
    count = box.number(4)
    box.take(4 if flags & 0x001 else 0)
    first_flags = box.number(4) if flags & 0x004 else None
    fields = [field for field in (_DURATION, _SIZE, _FLAGS, _OFFSET) if flags & field]
    clock, shown_at = start, start
    if fields:
        layout = struct.Struct(">" + "".join("i" if field == _OFFSET and version else "I" for field in fields))
        samples = [
            dict(zip(fields, values, strict=True)) for values in layout.iter_unpack(box.take(count * layout.size))
        ]
        shown: list[int] = []
        for sample in samples:
            shown.append(clock + sample.get(_OFFSET, 0))
            clock += sample.get(_DURATION, defaults.duration)
        shown_at = min(shown, default=start)
        if first_flags is None and samples:
            first_flags = samples[0].get(_FLAGS)
    else:
        clock += count * defaults.duration
    first_flags = defaults.flags if first_flags is None else first_flags
    return _Samples(start, shown_at, clock - start, count, not first_flags & SAMPLE_IS_NON_SYNC)
