"""Verify published titles: every file is stored, manifests list the stored segments, and a sample can be decoded."""

from __future__ import annotations

import random
from collections import ChainMap
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

from functions.encoding.audience import FRONT_MANIFEST, listed_parts, part_manifest
from functions.encoding.chapters import CHAPTERS, write_chapters
from functions.encoding.ffmpeg_commands import INIT, SEGMENT, decode_arguments
from functions.encoding.formats.iso_bmff import MalformedSegment
from functions.encoding.formats.segments import read_init, read_segment
from functions.encoding.losses import (
    Loss,
    chunk_containing,
    expected_files,
    lost_av1,
    lost_captions,
    lost_late,
    lost_on_demand,
    lost_parts,
    strip_name,
)
from functions.encoding.model import SourceRef
from functions.encoding.on_demand_encode import listed_on_demand
from functions.encoding.publication.manifest_reader import (
    ListedTrack,
    MalformedManifest,
    playlists_in,
    read_mpd,
    read_playlist,
    strips_in,
    texts_in,
)
from functions.encoding.publication.presentation import original_of, part_of, presentation_of
from functions.encoding.renditions import ORIGINAL
from functions.encoding.steps import is_copy
from functions.encoding.text_plan import TrackRole
from functions.encoding.upkeep.verification import Verification
from functions.encoding.work_folders import work_folder
from functions.platform.film_keys import NO_KEYS
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.ports import MediaStore
    from functions.encoding.publication.presentation import Presentation, TimedSegments
    from functions.platform.film_keys import FilmKeys

WEBVTT = "WEBVTT"
"""What every file of subtitles begins with."""

SAMPLE = 2
"""How many segments of each track a verification decodes; each verification chooses others."""

MOST_EXAMPLES = 20
DECODE_LIMIT_S = 120
ROUNDED_S = 0.001
"""Tolerated error of a duration in a playlist, in seconds; playlists round durations to six decimals."""


class TitleVerifier:
    """Compares jobs with what storage holds."""

    def __init__(
        self,
        media: MediaStore,
        ffmpeg: FFmpeg,
        *,
        work_dir: str,
        now: Callable[[], datetime],
        keys: FilmKeys = NO_KEYS,
    ) -> None:
        self._keys = keys
        self._media = media
        self._ffmpeg = ffmpeg
        self._work_dir = work_dir
        self._now = now

    def find_lost(self, job: EncodeJob) -> Loss:
        """Return the finished parts of a job in which a file is missing or has another size; lists the folder once."""
        return lost_parts(job, self._stored(job))

    def find_lost_av1(self, job: EncodeJob) -> Loss:
        """Return the finished chunks in AV1 in which a file is missing or has another size; lists the folder once."""
        return lost_av1(job, self._stored(job))

    def find_lost_on_demand(self, job: EncodeJob) -> Loss:
        """Return the finished chunks on demand in which a file is missing or has another size."""
        return lost_on_demand(job, self._stored(job))

    def inspect(self, job: EncodeJob) -> tuple[Verification, Loss]:
        """Verify a published job; return the result, and the parts and files that must be made again."""
        now = self._now()
        stored = self._stored(job)
        plan = job.plan
        presentation = presentation_of(job, plan, at=now) if plan and job.all_done else None
        if plan is None or presentation is None:
            # An interrupted repair has already undone the lost parts; the manifests still list them.
            listing = frozenset({FRONT_MANIFEST})
            loss = Loss(manifests=listing, files=listing)
            return Verification(now, len(expected_files(job)), sum(stored.values()), 1, tuple(listing)), loss
        others = dict(_other_manifests(job, presentation))
        manifests = _manifest_names(plan, presentation, others)
        faulty = frozenset(_faulty_names(partial(self._read, job), plan, presentation, others))
        loss = lost_parts(job, stored) | Loss(manifests=faulty, files=faulty)
        if presentation.av1:
            loss |= lost_av1(job, stored)
        if listed_on_demand(job):
            loss |= lost_on_demand(job, stored)
        loss |= lost_captions(job, stored) | lost_late(job, stored)
        loss |= self._undecodable(job, plan, presentation, loss) | self._unreadable(job, presentation, loss)
        return (
            Verification(
                at=now,
                files=len(expected_files(job)) + len(manifests),
                size=sum(stored.values()),
                damaged=len(loss.files),
                examples=tuple(sorted(loss.files)[:MOST_EXAMPLES]),
            ),
            loss,
        )

    def _stored(self, job: EncodeJob) -> Mapping[str, int]:
        return self._media.list_sizes(container_for(job.title_id), f"{job.id}/")

    def _read(self, job: EncodeJob, name: str) -> str:
        return self._media.read_text(container_for(job.title_id), f"{job.id}/{name}") or ""

    def _unreadable(self, job: EncodeJob, presentation: Presentation, known: Loss) -> Loss:
        """Return the subtitles that are stored but are not WebVTT."""
        stored = (text for text in presentation.text if f"{text.name}.vtt" not in known.files)
        faulty = [text for text in stored if not self._read(job, f"{text.name}.vtt").startswith(WEBVTT)]
        automatic = {text.name for text in faulty if TrackRole.AUTOMATIC in text.roles}
        names = frozenset(text.name for text in faulty)
        late = names.intersection(track.name for track in job.late.tracks)
        files = frozenset(f"{name}.vtt" for name in names)
        return Loss(tracks=names - automatic - late, captions=bool(automatic), late=late, files=files)

    def _undecodable(self, job: EncodeJob, plan: EncodePlan, presentation: Presentation, known: Loss) -> Loss:
        """Decode a sample of each track, except parts that are known to be lost; return what cannot be decoded."""
        chance = random.Random(f"{job.id} {presentation.published_at}")
        found = Loss()
        pictures = {video.name for video in presentation.video if not is_copy(video.name)}
        second = {video.name for video in presentation.av1}
        on_demand = {rendition.name for rendition in plan.on_demand}
        for track, segments in _timelines(presentation).items():
            count = len(segments.durations)
            for number in sorted(chance.sample(range(count), min(SAMPLE, count))):
                chunk = frozenset({chunk_containing(plan, number)})
                if track in on_demand:
                    lost = Loss(on_demand=chunk)
                elif track in pictures:
                    lost = Loss(chunks=chunk)
                elif track in second:
                    lost = Loss(av1=chunk)
                else:
                    lost = Loss(tracks=frozenset({track}))
                is_known = (known | lost) == known or f"{track}/{INIT}" in known.files
                if not is_known and not self._decodes(job, track, segments, number):
                    found |= lost | Loss(files=frozenset({f"{track}/{SEGMENT % number}"}))
        return found

    def _decodes(self, job: EncodeJob, track: str, segments: TimedSegments, number: int) -> bool:
        """Return whether a segment has the listed start and duration, and ffmpeg decodes it without an error."""
        with work_folder("verify", self._work_dir) as folder:
            init, segment, joined = (folder / name for name in ("init", "segment", "joined.mp4"))
            self._fetch(job, f"{track}/{INIT}", init)
            self._fetch(job, f"{track}/{SEGMENT % number}", segment)
            try:
                described = read_init(init)
                info = read_segment(segment, described)
            except MalformedSegment:
                return False
            starts = list(accumulate(segments.durations, initial=0))
            listed = (starts[number], segments.durations[number])
            followed = (encode.codecs for encode in (job.av1, job.on_demand) if encode)
            codecs = dict(ChainMap(*map(dict, followed), dict(job.codecs)))
            if (info.start, info.duration) != listed or described.codec != codecs[track]:
                return False
            if described.key_id != job.key_id:
                return False
            key = self._keys.key_of(job.id, job.key_id).key if job.key_id else None
            joined.write_bytes(init.read_bytes() + segment.read_bytes())
            result = self._ffmpeg.run(decode_arguments(joined, key=key), folder=folder, limit_s=DECODE_LIMIT_S)
            return not result.status and not result.is_damaged

    def _fetch(self, job: EncodeJob, name: str, target: Path) -> None:
        self._media.download_file(SourceRef(container_for(job.title_id), f"{job.id}/{name}"), target)


def _other_manifests(job: EncodeJob, presentation: Presentation) -> Iterator[tuple[str, Presentation]]:
    """Yield the names and contents of the manifests with which players began before the film was complete."""
    if original := original_of(job, presentation):
        yield ORIGINAL, original
    for part in listed_parts(job):
        if content := part_of(job, part, at=presentation.published_at):
            yield part_manifest(part), content


def _manifest_names(plan: EncodePlan, presentation: Presentation, others: Mapping[str, Presentation]) -> list[str]:
    chapters = [CHAPTERS] if plan.chapters else []
    playlists = (f"{name}.m3u8" for name in presentation.tracks)
    return [FRONT_MANIFEST, *others, "master.m3u8", "thumbnails.vtt", *chapters, *playlists]


def _faulty_names(
    read: Callable[[str], str], plan: EncodePlan, presentation: Presentation, others: Mapping[str, Presentation]
) -> Iterator[str]:
    """Yield the names of the manifests that are missing, or do not list exactly the tracks of the presentation."""
    for name, content in {FRONT_MANIFEST: presentation, **others}.items():
        if not _mpd_fits(read(name), content):
            yield name
    if {f"{name}.m3u8" for name in presentation.tracks} != playlists_in(read("master.m3u8")):
        yield "master.m3u8"
    for track, segments in _timelines(presentation).items():
        if not _playlist_fits(read(f"{track}.m3u8"), track, segments):
            yield f"{track}.m3u8"
    for text in presentation.text:
        if f"{text.name}.vtt" not in read(f"{text.name}.m3u8"):
            yield f"{text.name}.m3u8"
    if strips_in(read("thumbnails.vtt")) != {strip_name(chunk.index) for chunk in plan.chunks}:
        yield "thumbnails.vtt"
    if plan.chapters and read(CHAPTERS) != write_chapters(plan):
        yield CHAPTERS


def _mpd_fits(text: str, presentation: Presentation) -> bool:
    try:
        listed, texts = read_mpd(text), texts_in(text)
    except MalformedManifest:
        return False
    expected = {
        track: ListedTrack(segments.timescale, segments.durations, segments.first, segments.begin)
        for track, segments in _timelines(presentation).items()
    }
    return listed == expected and texts == {f"{each.name}.vtt" for each in presentation.text}


def _playlist_fits(text: str, track: str, segments: TimedSegments) -> bool:
    try:
        listed = read_playlist(text)
    except MalformedManifest:
        return False
    names = tuple(f"{track}/{SEGMENT % number}" for number in range(len(segments.durations)))
    if not listed.ended or listed.init != f"{track}/{INIT}" or listed.segments != names:
        return False
    durations = (duration / segments.timescale for duration in segments.durations)
    return all(abs(one - other) < ROUNDED_S for one, other in zip(listed.durations_s, durations, strict=True))


def _timelines(presentation: Presentation) -> dict[str, TimedSegments]:
    """Return the segments of each video and audio track, keyed by its name."""
    pictures = {video.name: presentation.video_segments for video in (*presentation.video, *presentation.av1)}
    return pictures | {audio.name: audio.segments for audio in presentation.audio}
