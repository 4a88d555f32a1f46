"""The content of a job's manifests at a given time: the finished chunks from the start, and their sound."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.av1_encode import av1_renditions, listed_av1
from functions.encoding.captions_encode import listed_captions
from functions.encoding.frame_grid import SEGMENT_S
from functions.encoding.late_text import listed_texts
from functions.encoding.model import AAC_FRAME_SAMPLES
from functions.encoding.on_demand_encode import listed_on_demand
from functions.encoding.text_plan import TrackRole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from functions.encoding.frame_grid import FrameGrid
    from functions.encoding.model import AudioPlan, EncodeJob, EncodePlan
    from functions.encoding.picture_plan import HdrTransfer
    from functions.encoding.renditions import Rendition
    from functions.encoding.track_state import TrackState

PEAK_OVER_CAP = Fraction(11, 10)
"""Ratio of the declared peak to a rung's maximum bitrate: a segment may use buffer space left by the previous one."""

MOST_EDITIONS = 1000
"""More than the number of times that the manifests of a title change because of AV1 or subtitles."""

SLACK_S = Fraction(1, 5)
"""How many seconds the listed picture may be ahead of the listed sound."""


@dataclass(frozen=True, slots=True)
class TimedSegments:
    """Consecutive segments: their durations in ticks of `timescale`, and the number and the begin of the first one."""

    timescale: int
    durations: tuple[int, ...]
    first: int = 0
    begin: int = 0

    @property
    def end(self) -> Fraction:
        """Return the end of the last segment, in seconds."""
        return Fraction(self.begin + sum(self.durations), self.timescale)


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """A published rendition: its rung, its RFC 6381 codec, and the peak bitrate that manifests declare.

    `hdr` is the transfer function of its pictures if they are in HDR.
    """

    rendition: Rendition
    codec: str
    bandwidth_bps: int
    hdr: HdrTransfer | None = None

    @property
    def name(self) -> str:
        """Return the name of the folder with the rendition's segments."""
        return self.rendition.name


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """A published audio track: `name` is its folder, `language` a BCP 47 tag or "und", `segments` the listed ones.

    `stereo` is the name of the stereo track with the same sound, if this one is in 5.1.
    """

    name: str
    language: str
    label: str
    channels: int
    sample_rate: int
    codec: str
    bandwidth_bps: int
    segments: TimedSegments
    roles: tuple[TrackRole, ...] = ()
    stereo: str | None = None


@dataclass(frozen=True, slots=True)
class TextTrack:
    """A published subtitle track: one WebVTT file `<name>.vtt`; `language` is a BCP 47 tag or "und"."""

    name: str
    language: str
    label: str
    roles: tuple[TrackRole, ...] = ()


@dataclass(frozen=True, slots=True)
class Presentation:
    """The content of the manifests of one encode job at a given time.

    Every segment counted here is stored, as `<track>/s%05d.m4s`, with `<track>/init.mp4`. All renditions share
    `video_segments`; none of these is longer than `longest_s`. While `complete` is false, `text` is empty. If pictures
    are copied, `video` then has only them, and `ended` says whether they and their sound are whole. Until the film is
    complete or `ended` is true, `duration` is the planned duration, and audio that begins after the end of the video is
    not listed; afterwards, `duration` is that of the longest track. `after_copy` is true if pictures were copied, but
    turned out to be unsuitable; the copy is then not listed any more. `av1` has the renditions in AV1, which are listed
    beside `video` once all of them are complete. `edition` grows whenever renditions on demand, AV1, automatic
    captions or late subtitles begin or cease to be listed. `key_id` is the id of the key with which pictures and sound
    are encrypted, in hexadecimal; None if they are not.
    """

    duration: Fraction
    complete: bool
    published_at: datetime
    rate: Fraction
    video: tuple[VideoTrack, ...]
    video_segments: TimedSegments
    audio: tuple[AudioTrack, ...]
    text: tuple[TextTrack, ...]
    longest_s: Fraction = Fraction(SEGMENT_S)
    ended: bool = False
    after_copy: bool = False
    av1: tuple[VideoTrack, ...] = ()
    edition: int = 0
    key_id: str | None = None

    @property
    def is_static(self) -> bool:
        """Return whether no segment will be added to any track."""
        return self.complete or self.ended

    @property
    def tracks(self) -> tuple[str, ...]:
        """Return the names of all tracks."""
        return tuple(track.name for kind in (self.video, self.audio, self.text, self.av1) for track in kind)


def presentation_of(job: EncodeJob, plan: EncodePlan, *, at: datetime) -> Presentation | None:
    """Return the presentation to publish, or None until the first picture and its sound are stored.

    It lists no sound that begins after the end of the listed picture, and no picture whose sound is not stored yet,
    because either makes a player stop without recovering.

    Copied pictures are stored long before the others are encoded. All renditions of a manifest must have the same
    segments, so the copied pictures are published alone until the film is complete.
    """
    plan = replace(job, plan=plan).current_plan or plan
    return _presentation(job, plan, at=at, alone=plan.copied is not None and not job.all_done)


def original_of(job: EncodeJob, presentation: Presentation) -> Presentation | None:
    """Return the presentation of the copied pictures alone, with the same sound, or None if no pictures are copied.

    A player that begins while only these are published plays them until the end of the film, because an update of a
    manifest may add segments to a period, but no renditions (DASH-IF, "Guidelines: the DASH timing model", "MPD
    updates").
    """
    plan = job.current_plan
    if plan is None or plan.copied is None:
        return None
    return _presentation(job, plan, at=presentation.published_at, alone=True)


def part_of(job: EncodeJob, chunk: int, *, at: datetime) -> Presentation | None:
    """Return the presentation of a film from the beginning of a chunk on, or None if nothing of it may be listed yet.

    It grows independently of the front of the film. A player that began with it can play it to the end of the film.
    """
    plan = job.current_plan
    return _presentation(job, plan, at=at, alone=False, chunk=chunk) if plan and not plan.copied else None


def _presentation(
    job: EncodeJob, plan: EncodePlan, *, at: datetime, alone: bool, chunk: int = 0
) -> Presentation | None:
    """Return what is published of a job's current plan; with `alone`, only the copied pictures and the sound.

    Nothing before `chunk` is listed, and no sound that ends before it.

    Until the copied pictures and the sound are whole, the last segment of each of them is not listed: it must be listed
    only by a manifest that also says that nothing follows.
    """
    complete = job.all_done and not alone
    ended = alone and all(name in job.tracks and job.tracks[name].complete for name in _heard_and_copied(plan))
    whole = complete or ended
    tracks = dict(job.tracks)
    if alone and not ended:
        tracks = {name: _without_last(plan, name, state) for name, state in tracks.items()}
    first = plan.chunks[chunk].first_segment if chunk else 0  # the API app plans no chunks
    count = front_segments(job, plan, alone=alone, chunk=chunk)
    if alone and not ended:
        count = min(count, plan.grid.segments - 1)
    if not whole:
        count = min([count, *(_with_sound(plan.grid, audio, tracks.get(audio.name)) for audio in plan.audio)])
    if count <= first:
        return None
    picture = video_segments(plan.grid, count, total_frames=job.tail_frames or plan.grid.frames, first=first)
    begin = Fraction(picture.begin, picture.timescale)
    audio = tuple(
        AudioTrack(
            name=track.name,
            language=track.language,
            label=track.label,
            channels=track.channels,
            sample_rate=track.sample_rate,
            codec=job.codecs[track.name],
            bandwidth_bps=int(track.bitrate_kbps * 1000 * PEAK_OVER_CAP),
            segments=_sound(track, tracks[track.name], begin=begin, until=None if whole else picture.end),
            roles=track.roles,
            stereo=track.stereo,
        )
        for track in plan.audio
        if not job.tracks[track.name].left_out and Fraction(tracks[track.name].ticks, track.sample_rate) > begin
    )
    text = listed_texts(job, plan) if complete else ()
    return Presentation(
        duration=max([picture.end, *(track.segments.end for track in audio)]) if whole else plan.duration,
        complete=complete,
        ended=ended,
        published_at=at,
        rate=plan.grid.rate,
        video=_video(plan, job, alone=alone, on_demand=complete and not chunk),
        video_segments=picture,
        longest_s=plan.grid.seconds(plan.grid.longest),
        audio=audio,
        text=(
            *(TextTrack(track.name, track.language, track.label, track.roles) for track in text),
            *(_captions(job) if complete and not chunk else ()),
        ),
        after_copy=plan.copied is None and job.plan is not None and job.plan.copied is not None,
        av1=tuple(_av1(plan, job)) if complete and not chunk else (),
        edition=_edition_of(job) if complete else 0,
        key_id=job.key_id,
    )


def front_s_of(job: EncodeJob) -> float:
    """Return how many seconds of the film, from its start, may be listed."""
    presentation = presentation_of(job, job.plan, at=job.updated_at) if job.plan else None
    return float(presentation.video_segments.end) if presentation else 0.0


def revision_of(presentation: Presentation) -> int:
    """Return a number that increases with the listed content, so that an older manifest never replaces a newer one.

    The first manifest after a copy was discarded replaces those of the copy, although it lists fewer segments.
    """
    listed = len(presentation.video_segments.durations) + sum(len(t.segments.durations) for t in presentation.audio)
    if presentation.complete:
        return listed + 1_000_000_000 * (1 + presentation.edition)
    return listed + (700_000_000 if presentation.after_copy else 500_000_000 if presentation.ended else 0)


def front_segments(job: EncodeJob, plan: EncodePlan, *, alone: bool = False, chunk: int = 0) -> int:
    """Return the number of the segment up to which those of the encoded renditions are stored, from a chunk on.

    With `alone`, return that of the copied rendition. `plan` is the current plan of the job.
    """
    if alone and plan.copied:
        return job.tracks[plan.copied.rendition.name].segments if plan.copied.rendition.name in job.tracks else 0
    for each in plan.chunks[chunk:]:
        if each.index not in job.chunks_done:
            # The length of the film's last segment is known only when the segment's chunk is done.
            certain = each.segments - (each.end_frame == plan.grid.frames)
            return each.first_segment + min(job.live.get(str(each.index), 0), certain)
    return plan.grid.segments_until(job.tail_frames or plan.grid.frames)


def _heard_and_copied(plan: EncodePlan) -> Iterator[str]:
    """Yield the names of the copied rendition and of the audio tracks."""
    if plan.copied:
        yield plan.copied.rendition.name
    yield from (track.name for track in plan.audio)


def _without_last(plan: EncodePlan, name: str, state: TrackState) -> TrackState:
    """Return the state of an audio track without its last segment, if that may be stored; other states are unchanged.

    How many segments an encoded track has is not known until it is complete.
    """
    audio = next((track for track in plan.audio if track.name == name), None)
    if audio is None or state.left_out or not state.segments:
        return state
    planned = audio.copied.frames * AAC_FRAME_SAMPLES if audio.copied else 0
    if state.segments * audio.segment_ticks < planned:
        return state
    segments = state.segments - 1
    return replace(state, segments=segments, ticks=min(state.ticks, segments * audio.segment_ticks), complete=False)


def _video(plan: EncodePlan, job: EncodeJob, *, alone: bool, on_demand: bool) -> tuple[VideoTrack, ...]:
    """Return the published renditions, best first; with `on_demand`, also those that are made on demand."""
    copied = plan.copied
    own: tuple[VideoTrack, ...] = ()
    if copied and (alone or copied.replaces is not None):
        rendition = copied.rendition
        own = (VideoTrack(rendition, job.codecs[rendition.name], rendition.maxrate_kbps * 1000),)
    if alone:
        return own
    encoded = [(each, job.codecs[each.name]) for each in plan.renditions]
    if on_demand and (encode := listed_on_demand(job)):
        encoded += [(each, encode.codecs[each.name]) for each in plan.on_demand]
        encoded.sort(key=lambda each: each[0].maxrate_kbps, reverse=True)
    bound = 1000 * PEAK_OVER_CAP
    return own + tuple(VideoTrack(each, codec, int(each.maxrate_kbps * bound)) for each, codec in encoded)


def _edition_of(job: EncodeJob) -> int:
    """Return a number that grows with the editions of the encodes that follow, of automatic and of late subtitles.

    A manifest that ceases to list renditions on demand replaces all earlier ones, whatever these list in AV1: files are
    deleted afterwards.
    """
    on_demand = job.on_demand.edition if job.on_demand else 0
    others = (job.av1.edition if job.av1 else 0) + (job.captions.edition if job.captions else 0)
    return on_demand * MOST_EDITIONS + others + job.late.edition


def _av1(plan: EncodePlan, job: EncodeJob) -> Iterator[VideoTrack]:
    """Yield the renditions in AV1, best first, if they are complete; their bitrates are those of the largest segment.

    Renditions that are complete when they are first listed need no bitrate that holds for segments to come.
    """
    if encode := listed_av1(job):
        for rendition in av1_renditions(plan):
            peak_bps = max(result.peaks_bps[rendition.name] for result in encode.results.values())
            yield VideoTrack(rendition, encode.codecs[rendition.name], peak_bps, plan.picture.hdr)


def _captions(job: EncodeJob) -> Iterator[TextTrack]:
    """Yield the automatic captions, if they are complete and the film has speech."""
    if captions := listed_captions(job):
        yield TextTrack(captions.track, captions.language, captions.label, (TrackRole.AUTOMATIC,))


def video_segments(grid: FrameGrid, end: int, *, total_frames: int, first: int = 0) -> TimedSegments:
    """Return the times of the segments from `first` to before `end` of a film of `total_frames`."""
    ticks = grid.frame_ticks  # outside the loop: exact fractions are slow to compute
    durations = tuple(length * ticks for length in grid.lengths(first, end, total=total_frames))
    return TimedSegments(grid.timescale, durations, first, grid.first_frame(first) * ticks)


def _with_sound(grid: FrameGrid, audio: AudioPlan, state: TrackState | None) -> int:
    """Return how many video segments have all of their sound stored."""
    if state is None:
        return 0
    if state.complete:
        return grid.segments + 1
    heard = int((Fraction(state.ticks, audio.sample_rate) + SLACK_S) * grid.rate)
    return bisect_right(grid.cuts, heard) - 1 if grid.cuts else heard // grid.gop


def _sound(audio: AudioPlan, state: TrackState, *, begin: Fraction, until: Fraction | None) -> TimedSegments:
    """Return the times of the stored segments that end after `begin` and begin before `until` seconds."""
    whole = audio.segment_ticks
    first = int(begin * audio.sample_rate // whole)
    durations = [min(whole, state.ticks - number * whole) for number in range(state.segments)]
    if until is not None:
        durations = durations[: -int(-until * audio.sample_rate // whole)]
    return TimedSegments(audio.sample_rate, tuple(durations[first:]), first, first * whole)
