"""The parts of an encode job that storage has lost: what the job says is stored, compared with a listing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.encoding.av1_encode import av1_renditions, listed_av1
from functions.encoding.captions_encode import listed_captions
from functions.encoding.ffmpeg_commands import INIT, SEGMENT
from functions.encoding.on_demand_encode import listed_on_demand
from functions.encoding.track_state import TrackState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from functions.encoding.model import Chunk, EncodeJob, EncodePlan
    from functions.encoding.renditions import Rendition


@dataclass(frozen=True, slots=True)
class Loss:
    """Parts of a job to encode again, manifests to write again, and the names of the lost or damaged files.

    `av1` and `on_demand` have the chunks to encode again in AV1, and in the renditions on demand; `captions` says
    whether the automatic captions must be made again, `late` which tracks of late subtitles. Names are relative to the
    job's folder.
    """

    chunks: frozenset[int] = frozenset()
    tracks: frozenset[str] = frozenset()
    manifests: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    av1: frozenset[int] = frozenset()
    on_demand: frozenset[int] = frozenset()
    captions: bool = False
    late: frozenset[str] = frozenset()

    def __or__(self, other: Loss) -> Loss:
        """Return both losses combined."""
        return Loss(
            self.chunks | other.chunks,
            self.tracks | other.tracks,
            self.manifests | other.manifests,
            self.files | other.files,
            self.av1 | other.av1,
            self.on_demand | other.on_demand,
            self.captions or other.captions,
            self.late | other.late,
        )

    def __bool__(self) -> bool:
        """Return whether anything is lost."""
        planned = self.chunks or self.tracks or self.manifests
        return bool(planned or self.av1 or self.on_demand or self.captions or self.late)


def strip_name(chunk: int) -> str:
    """Return the name of the thumbnails of a chunk."""
    return f"thumbnails/c{chunk:05d}.jpg"


def segment_names(track: str, first: int, end: int) -> list[str]:
    """Return the names of the segments `first` to `end` (exclusive) of a track."""
    return [f"{track}/{SEGMENT % number}" for number in range(first, end)]


def chunk_containing(plan: EncodePlan, segment: int) -> int:
    """Return the index of the chunk that a segment of the picture belongs to."""
    return next(chunk.index for chunk in reversed(plan.chunks) if chunk.first_segment <= segment)


def lost_parts(job: EncodeJob, stored: Mapping[str, int]) -> Loss:
    """Return the parts that the job says are stored, but in which a file is missing, empty or of another size.

    `stored` has the size in bytes of each file in the job's folder. It must be listed after the job was read, so that
    parts which are stored in the meantime cannot look lost. A part without a recorded size (of a version before 0.3) is
    compared by names only.
    """
    plan = job.current_plan
    if plan is None:
        return Loss()
    return _lost_picture(job, plan, stored) | _lost_tracks(job, plan, stored)


def lost_av1(job: EncodeJob, stored: Mapping[str, int]) -> Loss:
    """Return the chunks in AV1 that the job says are stored, but in which a file is missing or of another size."""
    plan, encode = job.current_plan, job.av1
    if plan is None or encode is None:
        return Loss()
    sizes = {chunk: encode.results[str(chunk)].size for chunk in encode.done}
    lost, files = _lost_chunks(job, plan, stored, renditions=av1_renditions(plan), sizes=sizes)
    return Loss(av1=lost, files=files)


def lost_on_demand(job: EncodeJob, stored: Mapping[str, int]) -> Loss:
    """Return the chunks on demand that the job says are stored, but in which a file is missing or of another size."""
    plan, encode = job.current_plan, job.on_demand
    if plan is None or encode is None:
        return Loss()
    sizes = {chunk: encode.sizes[str(chunk)] for chunk in encode.done}
    lost, files = _lost_chunks(job, plan, stored, renditions=plan.on_demand, sizes=sizes)
    return Loss(on_demand=lost, files=files)


def lost_captions(job: EncodeJob, stored: Mapping[str, int]) -> Loss:
    """Return whether the file of automatic captions is missing or of another size."""
    captions = listed_captions(job)
    if captions is None or stored.get(f"{captions.track}.vtt") == captions.size:
        return Loss()
    return Loss(captions=True, files=frozenset({f"{captions.track}.vtt"}))


def lost_late(job: EncodeJob, stored: Mapping[str, int]) -> Loss:
    """Return the tracks of late subtitles whose file is missing or of another size."""
    sizes = {text.track.name: text.size for text in job.late.texts if text.size}
    lost = frozenset(name for name, size in sizes.items() if stored.get(f"{name}.vtt") != size)
    return Loss(late=lost, files=frozenset(f"{name}.vtt" for name in lost))


def expected_files(job: EncodeJob) -> list[str]:
    """Return the names of all files of finished parts, without manifests."""
    plan = job.current_plan
    if plan is None:
        return []
    sounds = [audio.name for audio in plan.audio if not job.tracks.get(audio.name, TrackState()).left_out]
    copied = [plan.copied.rendition.name] if plan.copied else []
    folders = [*copied, *(rendition.name for rendition in plan.renditions), *sounds]
    inits = [f"{folder}/{INIT}" for folder in folders]
    chunks = [
        name for chunk in plan.chunks if chunk.index in job.chunks_done for name in _chunk_files(job, plan, chunk)
    ]
    files = [*inits, *chunks, *(name for track in job.tracks for name in _track_files(job, plan, track))]
    if listed_av1(job):
        files += [*_av1_inits(plan), *(name for chunk in plan.chunks for name in av1_files(job, plan, chunk))]
    if listed_on_demand(job):
        files += [f"{rendition.name}/{INIT}" for rendition in plan.on_demand]
        files += [name for chunk in plan.chunks for name in _segments(job, plan, chunk, plan.on_demand)]
    if captions := listed_captions(job):
        files.append(f"{captions.track}.vtt")
    return [*files, *(f"{track.name}.vtt" for track in job.late.tracks)]


def _lost_chunks(
    job: EncodeJob,
    plan: EncodePlan,
    stored: Mapping[str, int],
    *,
    renditions: Sequence[Rendition],
    sizes: Mapping[int, int],
) -> tuple[frozenset[int], frozenset[str]]:
    """Return the chunks of an encode that followed, of which files are lost, and the names of these.

    `sizes` has the bytes of each stored chunk in the `renditions` of that encode.
    """
    lost: set[int] = set()
    files: set[str] = set()
    for chunk in (plan.chunks[index] for index in sorted(sizes)):
        if damaged := _damaged(_segments(job, plan, chunk, renditions), stored, sizes[chunk.index]):
            lost.add(chunk.index)
            files |= damaged
    inits = {f"{rendition.name}/{INIT}" for rendition in renditions}
    if sizes and (missing := {name for name in inits if not stored.get(name)}):
        lost.add(min(sizes))  # every chunk stores the init segments
        files |= missing
    return frozenset(lost), frozenset(files)


def _lost_picture(job: EncodeJob, plan: EncodePlan, stored: Mapping[str, int]) -> Loss:
    lost: set[int] = set()
    files: set[str] = set()
    begun: int | None = None
    for chunk in plan.chunks:
        done = chunk.index in job.chunks_done
        running = job.live.get(str(chunk.index), 0)
        if not done and not running:
            continue
        begun = chunk.index if begun is None else begun
        if done:
            names = _chunk_files(job, plan, chunk)
            recorded = job.chunk_sizes.get(str(chunk.index), 0)
        else:
            end = chunk.first_segment + running
            names = [name for r in plan.renditions for name in segment_names(r.name, chunk.first_segment, end)]
            recorded = 0
        if damaged := _damaged(names, stored, recorded):
            lost.add(chunk.index)
            files |= damaged
    if begun is not None:
        inits = {f"{rendition.name}/{INIT}" for rendition in plan.renditions}
        if missing := {name for name in inits if not stored.get(name)}:
            lost.add(begun)  # every chunk stores the init segments
            files |= missing
    return Loss(chunks=frozenset(lost), files=frozenset(files))


def _lost_tracks(job: EncodeJob, plan: EncodePlan, stored: Mapping[str, int]) -> Loss:
    lost: set[str] = set()
    files: set[str] = set()
    for name, state in job.tracks.items():
        if state.left_out or name not in plan.tracks:
            continue
        names = _track_files(job, plan, name)
        if damaged := _damaged(names, stored, state.size if state.complete else 0):
            lost.add(name)
            files |= damaged
        elif _is_segmented(plan, name) and not stored.get(init := f"{name}/{INIT}"):
            lost.add(name)
            files.add(init)
    return Loss(tracks=frozenset(lost), files=frozenset(files))


def _damaged(names: Iterable[str], stored: Mapping[str, int], recorded: int) -> set[str]:
    """Return the missing and empty files; all files if their total size is not the recorded one (0: unknown)."""
    names = set(names)
    missing = {name for name in names if not stored.get(name)}
    if not missing and recorded and sum(stored[name] for name in names) != recorded:
        return names
    return missing


def _chunk_files(job: EncodeJob, plan: EncodePlan, chunk: Chunk) -> list[str]:
    return [*_segments(job, plan, chunk, plan.renditions), strip_name(chunk.index)]


def av1_files(job: EncodeJob, plan: EncodePlan, chunk: Chunk) -> list[str]:
    """Return the names of the segments of a chunk in AV1."""
    return _segments(job, plan, chunk, av1_renditions(plan))


def _av1_inits(plan: EncodePlan) -> list[str]:
    return [f"{rendition.name}/{INIT}" for rendition in av1_renditions(plan)]


def _segments(job: EncodeJob, plan: EncodePlan, chunk: Chunk, renditions: Iterable[Rendition]) -> list[str]:
    end = chunk.first_segment + chunk.segments
    if chunk.end_frame == plan.grid.frames:  # the film may have turned out longer or shorter than planned
        end = plan.grid.segments_until(job.tail_frames or plan.grid.frames)
    return [name for r in renditions for name in segment_names(r.name, chunk.first_segment, end)]


def _track_files(job: EncodeJob, plan: EncodePlan, name: str) -> list[str]:
    state = job.tracks[name]
    if state.left_out or name not in plan.tracks:
        return []
    if _is_segmented(plan, name):
        return segment_names(name, 0, state.segments)
    return [f"{name}.vtt"] if state.complete else []


def _is_segmented(plan: EncodePlan, name: str) -> bool:
    """Return whether a track consists of segments; subtitles are single files."""
    copied = plan.copied is not None and plan.copied.rendition.name == name
    return copied or any(track.name == name for track in plan.audio)
