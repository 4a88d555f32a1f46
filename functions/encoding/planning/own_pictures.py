"""Plan the use of an upload's own pictures and sound: the rule of `passthrough`, checked against what ffprobe found."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.copying.passthrough import Unsuitable, check_largest, copy_of_picture
from functions.encoding.copying.sound_copy import copy_of_sound
from functions.encoding.copying.track_copier import CannotCopy, check_key_frames, index_of_any, needs_whole, outline_of
from functions.encoding.formats.matroska_index import BitrateBound
from functions.encoding.ladder import renditions_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.encoding.copying.passthrough import CopyLimits, PictureCopy
    from functions.encoding.formats.mp4_index import IndexedTrack
    from functions.encoding.model import AudioPlan, EncodeJob, SourceRef
    from functions.encoding.planning.probe import ProbedSource
    from functions.encoding.ports import MediaStore

log = logging.getLogger(__name__)

SEEKABLE = "mov"
"""ffmpeg's demuxer for MP4 and QuickTime, which seeks by the times at which pictures are shown, and never too far."""

TOLERATED_FRAMES = 2
"""The lengths that ffprobe and the index state may differ by this many frames."""


@dataclass(frozen=True, slots=True)
class OwnPictures:
    """Whether and how the pictures of an upload are used, the sentence that tells the owner so, and the tracks."""

    sentence: str
    copy: PictureCopy | None = None
    tracks: tuple[IndexedTrack, ...] = ()
    copies_sound: bool = True

    @property
    def kept(self) -> int:
        """Return how many renditions are copied and stay published: one or none."""
        return 1 if self.copy and self.copy.copied.replaces else 0

    def sounds(self, planned: Sequence[AudioPlan]) -> tuple[AudioPlan, ...]:
        """Return the plans of the sound; every track that can be copied is copied, if `copies_sound`."""
        if self.copy is None or not self.copies_sound:
            return tuple(planned)
        return tuple(self._sound(audio, self.copy.copied.start) for audio in planned)

    def _sound(self, audio: AudioPlan, start: Fraction) -> AudioPlan:
        """Return the plan of an audio track, copied if possible."""
        track = self.tracks[audio.stream] if audio.stream < len(self.tracks) else None
        return (copy_of_sound(audio, track, start=start) if track else None) or audio


def own_pictures(
    media: MediaStore,
    job: EncodeJob,
    ref: SourceRef,
    source: ProbedSource,
    *,
    limits: CopyLimits,
    at_once: bool = False,
) -> OwnPictures | None:
    """Return how the pictures of an upload, or of its remuxed copy `ref`, are used. Raises Unsuitable.

    With `at_once`, None if a large file has to be read as a whole to find out.
    """
    picture = source.picture
    if picture.codec != "h264":
        raise Unsuitable("they are not H.264")
    if picture.deinterlace or picture.telecine or picture.field_order:
        raise Unsuitable("they may be interlaced")
    if picture.tone_map:
        raise Unsuitable("they are in HDR")
    check_largest(source.width, source.height)  # first: it takes long to read the index of a large file
    try:
        if job.reception and job.reception.published:  # from all of its key frames, so the plan needs all of them
            raise Unsuitable("the first seconds of the film were already published")
        most_frames = source.grid.frames + source.missing + TOLERATED_FRAMES
        tracks = outline_of(media, job, ref, rate=source.grid.rate, most_frames=most_frames)
        return _used(media, ref, source, tracks, limits)
    except Unsuitable as error:
        log.info("job %s: its cues are not used: %s", job.id, error.reason)
        if at_once and needs_whole(media, job, ref):
            return None
    most_bps = renditions_for(source.width, source.height)[0].maxrate_kbps * 10 * limits.most
    bound = BitrateBound(most_bps, source.grid.seconds(source.grid.frames), limits.setting)
    return _used(media, ref, source, index_of_any(media, job, ref, bound=bound), limits)


def _used(
    media: MediaStore, ref: SourceRef, source: ProbedSource, tracks: tuple[IndexedTrack, ...], limits: CopyLimits
) -> OwnPictures:
    """Return how the pictures are used that are indexed in `tracks`. Raises Unsuitable."""
    picture, rate = source.picture, source.grid.rate
    if picture.stream >= len(tracks) or tracks[picture.stream].kind != "vide":
        raise Unsuitable("the index of the file is unusual")
    copy = copy_of_picture(tracks[picture.stream], rate=rate, limits=limits)
    start_differs = abs(copy.copied.start - picture.origin - picture.shift) > Fraction(1, 2) / rate
    if start_differs or abs(copy.grid.frames - source.grid.frames - source.missing) > TOLERATED_FRAMES:
        raise Unsuitable("the times in the file contradict each other")
    try:
        check_key_frames(media, ref, tracks[picture.stream], copy.grid)
    except CannotCopy:
        raise Unsuitable("decoding cannot start at each of their key frames") from None
    seekable = copy.copied.regular and SEEKABLE in source.container.split(",")
    copy = replace(copy, copied=replace(copy.copied, seekable=seekable))
    return OwnPictures(copy.sentence, copy, tracks, copies_sound=limits.sound)
