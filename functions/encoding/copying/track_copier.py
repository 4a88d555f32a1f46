"""Copy tracks of a source into final segments: read by ranges, checked, and stored without decoding anything.

The encoder copies whole tracks with it, and the API app the first segments of an upload. Both write the same bytes.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from functions.encoding.copying.matroska_outline import read_outline
from functions.encoding.copying.passthrough import PICTURE_ENTRY, Unsuitable, nearest_frames, segment_samples
from functions.encoding.copying.sound_copy import specific_config
from functions.encoding.ffmpeg_commands import INIT, SEGMENT
from functions.encoding.formats.cmaf_writer import CopiedSample, media_segment, picture_init, sound_init
from functions.encoding.formats.common_encryption import CannotEncrypt
from functions.encoding.formats.fragment_index import read_any_tracks, read_fragments
from functions.encoding.formats.h264 import (
    IDR,
    PICTURE,
    SEQUENCE,
    SLICES,
    MalformedStream,
    read_configuration,
    unit_type,
    units_of,
)
from functions.encoding.formats.iso_bmff import MalformedSegment, box_size
from functions.encoding.formats.matroska_elements import is_matroska
from functions.encoding.formats.matroska_index import read_matroska
from functions.encoding.formats.mp4_index import MOST_BOXES, MOST_SAMPLES, Fragmented, NoIndex, Samples, read_tracks
from functions.encoding.formats.range_reader import RangeReader
from functions.encoding.model import AAC_FRAME_SAMPLES
from functions.encoding.track_store import TrackStore
from functions.platform.errors import EncodeFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from fractions import Fraction
    from pathlib import Path

    from functions.encoding.formats.h264 import AvcConfiguration
    from functions.encoding.formats.matroska_index import BitrateBound
    from functions.encoding.formats.mp4_index import IndexedTrack
    from functions.encoding.formats.segments import InitInfo, SegmentInfo
    from functions.encoding.frame_grid import FrameGrid
    from functions.encoding.model import AudioPlan, EncodeJob, EncodePlan, SourceRef
    from functions.encoding.ports import CopyMedia, MediaStore
    from functions.encoding.renditions import CopiedPicture
    from functions.platform.film_keys import FilmKeys

MOST_WASTE = 1 << 20
"""Up to this many bytes between two samples are read with them, because another request would take longer."""

LARGEST_READ = 96 << 20
"""The largest range that is read at once. A segment of 12 s at the highest bitrate is a fifth of this."""


SCANNED_OVER = 3
"""To find its pictures, a file is read as a whole only if it is at most this many times as large as its pictures may
be."""

CHECKED = 8
"""How many key frames, or segments of an outline, are read before a film is planned; all of them are checked while they
are copied."""

AT_ONCE_BYTES = 64 << 20
"""The largest upload that is read as a whole while plans of other films wait; this takes about a second."""


class FragmentedSource(Unsuitable):
    """The index of a source is spread over the file."""


class CannotCopy(Exception):
    """The content of a track turned out to be unsuitable, so it has to be encoded."""


def index_of(
    media: CopyMedia, source: SourceRef, *, size: int, most_samples: int = MOST_SAMPLES
) -> tuple[IndexedTrack, ...]:
    """Return the tracks of a source of `size` bytes. Raises Unsuitable unless it is an MP4 with an intact index."""
    return _indexed(media, source, partial(read_tracks, size=size, most_samples=most_samples))


def index_of_any(
    media: MediaStore, job: EncodeJob, source: SourceRef, *, bound: BitrateBound | None = None
) -> tuple[IndexedTrack, ...]:
    """Return the tracks of a job's source. Raises Unsuitable if it is neither an intact MP4 nor Matroska.

    A Matroska file is read as a whole, unless it is far too large for the bound, or its first clusters show that the
    bitrate of its pictures exceeds the bound.
    """
    size = _size_of(media, job, source)
    if not is_matroska(media.read_head(source, length=4)):
        return _indexed(media, source, partial(read_any_tracks, size=size))
    if bound and size > SCANNED_OVER * bound.most_bps * bound.lasts_s / 8:
        raise Unsuitable(f"the file is far larger than {bound.setting} allows")
    return _indexed(media, source, partial(read_matroska, size=size, bound=bound))


def is_large(job: EncodeJob) -> bool:
    """Return whether reading an upload as a whole takes so long that the plans of other films must not wait."""
    return job.size > AT_ONCE_BYTES


def needs_whole(media: MediaStore, job: EncodeJob, source: SourceRef) -> bool:
    """Return whether a large source has to be read as a whole to find all of its pictures."""
    return is_large(job) and is_matroska(media.read_head(source, length=4))


def outline_of(
    media: MediaStore, job: EncodeJob, source: SourceRef, *, rate: Fraction, most_frames: int
) -> tuple[IndexedTrack, ...]:
    """Return the tracks of a large Matroska file of a constant frame rate, with estimates of its pictures.

    Raises Unsuitable if the file has to be read as a whole.
    """
    if not needs_whole(media, job, source):
        raise Unsuitable("its index is read at once")
    size = _size_of(media, job, source)
    return _indexed(media, source, partial(read_outline, size=size, rate=rate, most_frames=most_frames))


def index_of_planned(media: MediaStore, job: EncodeJob, plan: EncodePlan) -> tuple[IndexedTrack, ...]:
    """Return the tracks of a source of which pictures or sound are copied. Raises Unsuitable."""
    try:
        tracks = outline_of(media, job, plan.source, rate=plan.grid.rate, most_frames=plan.grid.frames)
        picture = tracks[plan.picture.stream]
        bounds = segment_samples(picture, plan.grid)
        _, on_grid = nearest_frames(
            picture.shown_at, first=picture.shown_at[0], scale=plan.grid.rate / picture.timescale
        )
        if plan.copied and plan.copied.regular == on_grid and bounds[-1] == plan.grid.frames:
            return tracks
    except Unsuitable:
        pass
    return index_of_any(media, job, plan.source)


def index_of_front(
    media: CopyMedia, job: EncodeJob, *, until: int, most_samples: int = MOST_SAMPLES
) -> tuple[tuple[IndexedTrack, ...], bool]:
    """Return the tracks of an upload of which `until` bytes have arrived, and whether they have all samples.

    Raises Unsuitable if it is neither MP4 nor Matroska, or its index has not arrived.
    """
    if is_matroska(media.read_head(job.upload, length=4)):
        return _indexed(media, job.upload, partial(read_matroska, size=job.size, until=until)), False
    if not _has_index(media, job):
        raise Unsuitable("the index is at the end of the file")
    try:
        return _indexed(media, job.upload, partial(read_tracks, size=job.size, most_samples=most_samples)), True
    except FragmentedSource:
        fragments = partial(read_fragments, size=job.size, most_samples=most_samples, until=until)
        return _indexed(media, job.upload, fragments), False


def _size_of(media: MediaStore, job: EncodeJob, source: SourceRef) -> int:
    """Return the size of a job's upload, or of its remuxed copy."""
    return job.size if source == job.upload else media.list_sizes(source.container, source.blob).get("", 0)


def _has_index(media: CopyMedia, job: EncodeJob) -> bool:
    """Return whether the index of an MP4 has arrived, or is not missing because it is at the end of the file."""
    position = 0
    for _ in range(MOST_BOXES):
        head = media.read_range(job.upload, offset=position, length=16)
        if len(head) < 16 or head[4:8] == b"moov":
            break
        header, length = box_size(head, job.size - position)
        if length < header:
            break
        position += length
    return len(head) >= 8 or position >= job.size


def _indexed(
    media: CopyMedia, source: SourceRef, read_index: Callable[..., tuple[IndexedTrack, ...]]
) -> tuple[IndexedTrack, ...]:
    def read(offset: int, length: int) -> bytes:
        return media.read_range(source, offset=offset, length=length)

    try:
        return read_index(read, name=source.blob.rpartition("/")[2])
    except Fragmented as fragmented:
        raise FragmentedSource(fragmented.reason) from None
    except NoIndex as none:
        raise Unsuitable(none.reason) from None
    except MalformedSegment:
        raise Unsuitable("the index of the file is damaged") from None


def check_key_frames(media: MediaStore, source: SourceRef, track: IndexedTrack, grid: FrameGrid) -> None:
    """Read some of the pictures at which segments begin. Raises CannotCopy if decoding cannot start there."""
    try:
        configuration = read_configuration(track.described_by("avcC", after=PICTURE_ENTRY) or b"")
    except MalformedStream:
        raise CannotCopy("The description of the film's own pictures is damaged.") from None
    parts = list(pairwise(segment_samples(track, grid)))
    for first, end in parts[:: -(-len(parts) // CHECKED)]:
        if track.read_samples:
            content = _samples_of(track, first, end).contents[0]
        else:
            content = media.read_range(source, offset=track.positions[first], length=track.sizes[first])
        if not _is_key(content, configuration):
            raise CannotCopy("A segment of the film's own pictures does not begin with a key frame.")


class TrackCopier:
    """Copies tracks of one job into the job's folder; local files are written to `folder`.

    Those of pictures are deleted once they are stored: a film of four hours would need tens of gigabytes.

    If sound is copied after the pictures that it belongs to, it is not read again: in most files, it is between them.
    """

    def __init__(self, media: CopyMedia, job: EncodeJob, source: SourceRef, folder: Path, keys: FilmKeys) -> None:
        self._media = media
        self._job = job
        self._keys = keys
        self._stores: dict[str, TrackStore] = {}
        self._file = RangeReader(
            lambda position, length: media.read_range(source, offset=position, length=length), at_once=0
        )
        self._folder = folder

    def copy_picture(
        self, track: IndexedTrack, grid: FrameGrid, copied: CopiedPicture, *, segments: int, first: int = 0
    ) -> Iterator[tuple[InitInfo, SegmentInfo]]:
        """Store the segments of the picture from `first` to before `segments`, and yield each after it was stored.

        Raises CannotCopy if a segment does not begin with a picture from which decoding can start, or if the picture is
        damaged.
        """
        record = track.described_by("avcC", after=PICTURE_ENTRY) or b""
        size = copied.rendition
        init = self._store_init(
            size.name,
            picture_init(record, timescale=grid.timescale, width=size.width, height=size.height),
        )
        configuration = read_configuration(record)
        bounds = segment_samples(track, grid)
        for number, (begin, end) in enumerate(pairwise(bounds[first : segments + 1]), first):
            if track.read_samples:
                part = _samples_of(track, begin, end)
            else:
                part = Samples(track.shown_at[begin:end], self._read(track, begin, end))
            keys = [_is_key(content, configuration) for content in part.contents]
            if not keys[0]:
                raise CannotCopy("A segment of the film's own pictures does not begin with a key frame.")
            ends = [grid.first_frame(at) * grid.frame_ticks for at in (number, number + 1)]
            samples = _retimed(_ticks_of(track, part, grid, copied), part.contents, keys, ends)
            segment = self._store(size.name, init, number, samples, ends[0], ends[1])
            (self._folder / size.name / (SEGMENT % number)).unlink()
            yield init, segment

    def copy_sound(
        self, track: IndexedTrack, audio: AudioPlan, *, segments: int | None = None, first: int = 0
    ) -> Iterator[tuple[InitInfo, SegmentInfo]]:
        """Store the segments of a track from `first` to before `segments`, by default all; yield each when stored."""
        specific = specific_config(track)
        if audio.copied is None or specific is None:
            raise CannotCopy("The sound has no description.")
        init = self._store_init(
            audio.name,
            sound_init(specific, sample_rate=audio.sample_rate, channels=audio.channels, priming=audio.copied.priming),
        )
        a_segment = audio.segment_ticks // AAC_FRAME_SAMPLES
        bounds = [*range(audio.copied.first, len(track.sizes), a_segment), len(track.sizes)]
        for number, (begin, end) in enumerate(pairwise(bounds[first:]), first):
            if number == segments:
                return
            samples = [CopiedSample(AAC_FRAME_SAMPLES, 0, content, True) for content in self._read(track, begin, end)]
            start = number * audio.segment_ticks
            yield init, self._store(audio.name, init, number, samples, start, start + len(samples) * AAC_FRAME_SAMPLES)

    def _read(self, track: IndexedTrack, first: int, end: int) -> list[bytes]:
        """Return the content of samples; those that are close to each other are read together."""
        places = list(zip(track.positions[first:end], track.sizes[first:end], strict=True))
        blocks = _merged(places)
        contents: dict[tuple[int, int], bytes] = {}
        for begin, stop in blocks:
            block = self._file.read(begin, stop - begin)
            if len(block) < stop - begin:
                raise EncodeFault("The upload could not be read from storage.")
            contents |= {
                place: block[place[0] - begin : sum(place) - begin]
                for place in places
                if begin <= place[0] and sum(place) <= stop
            }
        return [contents[place] for place in places]

    def _store_init(self, name: str, content: bytes) -> InitInfo:
        (self._folder / name).mkdir()
        path = self._folder / name / INIT
        path.write_bytes(content)
        self._stores[name] = TrackStore(self._media, self._job, name, self._keys)
        try:
            return self._stores[name].store_init(path)
        except CannotEncrypt as error:
            raise CannotCopy(error.detail) from None

    def _store(
        self, name: str, init: InitInfo, number: int, samples: Sequence[CopiedSample], start: int, end: int
    ) -> SegmentInfo:
        path = self._folder / name / (SEGMENT % number)
        path.write_bytes(media_segment(number, start, samples))
        try:
            segment = self._stores[name].store_segment(path, init)
        except CannotEncrypt as error:
            raise CannotCopy(error.detail) from None
        if (segment.start, segment.end) != (start, end):
            raise EncodeFault("A copied part of the film came out in the wrong place or with the wrong length.")
        return segment


def _samples_of(track: IndexedTrack, first: int, end: int) -> Samples:
    """Return the samples of a part of a track of which only estimates are known."""
    assert track.read_samples
    try:
        return track.read_samples(first, end)
    except NoIndex as none:
        raise CannotCopy(f"The film's own pictures are not as its index says: {none.reason}.") from None


def _ticks_of(track: IndexedTrack, part: Samples, grid: FrameGrid, copied: CopiedPicture) -> list[int]:
    """Return when each sample of a part is shown, in ticks of the grid."""
    first = track.shown_at[0]
    if copied.regular:
        frames, _ = nearest_frames(part.shown_at, first=first, scale=grid.rate / track.timescale)
        return [frame * grid.frame_ticks for frame in frames]
    return [(at - first) * grid.timescale // track.timescale for at in part.shown_at]


def _retimed(
    times: Sequence[int], contents: Sequence[bytes], keys: Sequence[bool], ends: Sequence[int]
) -> list[CopiedSample]:
    """Return the samples of a segment; their decode times are the times at which its pictures are shown, in order.

    So each sample lasts until the next picture is shown, and the first one is decoded when it is shown.
    """
    begin, end = ends
    shown = [begin, *(max(begin + 1, min(at, end - 1)) for at in times[1:])]
    decoded = sorted(shown)
    if len(set(decoded)) != len(decoded):
        raise CannotCopy("Several of the film's own pictures have the same time.")
    lengths = [late - early for early, late in pairwise((*decoded, end))]
    return [
        CopiedSample(length, at - decode, content, is_key)
        for length, at, decode, content, is_key in zip(lengths, shown, decoded, contents, keys, strict=True)
    ]


def _is_key(content: bytes, configuration: AvcConfiguration) -> bool:
    """Return whether decoding can start at a picture. Raises CannotCopy if it is damaged or has other parameters."""
    try:
        units = units_of(content, configuration.length_size)
        kinds = [unit_type(unit) for unit in units]
    except MalformedStream:
        raise CannotCopy("The film's own pictures are damaged.") from None
    known = {SEQUENCE: configuration.sequences, PICTURE: configuration.pictures}
    if any(kind in known and unit not in known[kind] for kind, unit in zip(kinds, units, strict=True)):
        raise CannotCopy("The film's own pictures change their form.")
    slices = [kind for kind in kinds if kind in SLICES]
    if not slices:
        raise CannotCopy("The film's own pictures are damaged.")
    return all(kind == IDR for kind in slices)


def _merged(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranges to read, as start and end, for samples at these positions and with these lengths."""
    blocks: list[tuple[int, int]] = []
    for position, length in sorted(places):
        begin, end = blocks[-1] if blocks else (0, -MOST_WASTE - 1)
        if position - end <= MOST_WASTE and position + length - begin <= LARGEST_READ:
            blocks[-1] = begin, max(end, position + length)
        else:
            blocks.append((position, position + length))
    return blocks
