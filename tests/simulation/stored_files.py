"""What must be true of the files of titles once everything was swept: what is listed is stored, and nothing else is."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.audience import FRONT_MANIFEST, part_manifest
from functions.encoding.av1_encode import Av1Status
from functions.encoding.chapters import CHAPTERS
from functions.encoding.late_text import listed_texts
from functions.encoding.losses import strip_name
from functions.encoding.on_demand_encode import OnDemandStatus
from functions.encoding.publication.manifest_reader import playlists_in, read_mpd
from functions.encoding.publication.presentation import original_of, presentation_of
from functions.encoding.renditions import ORIGINAL
from functions.encoding.subtitles import text_of, webvtt_of
from functions.encoding.tracks import notes_of
from functions.platform.identifiers import UploadKind, companion, container_for, read_name
from tests.simulation.storage import UPLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.encoding.model import EncodeJob
    from functions.encoding.publication.presentation import Presentation
    from tests.simulation.storage import SimulatedStorage

MASTER = "master.m3u8"


def broken_files(storage: SimulatedStorage, job: EncodeJob, *, at: datetime) -> Iterator[str]:
    """Yield a sentence for each invariant about the files of a complete job that does not hold."""
    presentation = presentation_of(job, job.plan, at=at) if job.plan else None
    if presentation is None or not presentation.complete:
        yield f"{job.title_id} plays {job.id}, which is not complete"
        return
    container = container_for(job.title_id)
    names = {name.removeprefix(f"{job.id}/") for name in storage.names(container) if name.startswith(f"{job.id}/")}
    expected = {*_media_files(job, presentation), *_manifests(job, presentation)}
    if missing := expected - names:
        yield f"{job.title_id} plays {job.id}, which lacks {sorted(missing)}"
        return
    texts = {name: storage.blobs[container, f"{job.id}/{name}"].decode() for name in _manifests(job, presentation)}
    for name, text in texts.items():
        if name.endswith(".mpd") and 'type="static"' not in text:
            yield f"{job.title_id} is ready, but its {name} still grows"
            return
    yield from _wrongly_listed(job, presentation, texts)
    replaced = {f"{text.name}.{end}" for text in (job.plan.text if job.plan else ()) for end in ("vtt", "m3u8")}
    left = {name for name in names - expected - replaced if not name.startswith(_being_made(job))}
    if left:
        yield f"{job.title_id} still has {sorted(left)} of {job.id}, which belong to nothing"


def broken_subtitles(storage: SimulatedStorage, job: EncodeJob, title: Title) -> Iterator[str]:
    """Yield a sentence for each subtitle file beside a film that is not a track of its title in its newest version."""
    plan = job.current_plan
    listed = {text.blob: text for text in listed_texts(job, plan)} if plan else {}
    shown = {track.name for track in title.playback.subtitles} if title.playback else set()
    if shown != {text.name for text in listed.values()}:
        yield f"{title.id} shows the subtitles {sorted(shown)}, but {job.id} has {sorted(map(str, listed))}"
    for name in storage.names(UPLOADS):
        upload = companion(name, film=read_name(job.upload.blob).stem)
        if upload is None or upload.kind is not UploadKind.SUBTITLES:
            continue
        converted = webvtt_of(text_of(storage.blobs[UPLOADS, name]), shift=Fraction(0))
        text = listed.get(name)
        stored = storage.blobs.get((container_for(job.title_id), f"{job.id}/{text.name}.vtt")) if text else None
        if converted is None and not any("is empty" in note for note in notes_of(job)):
            yield f"{job.id} does not say that {name} cannot be read"
        if converted is not None and stored != converted.encode():
            yield f"{name} is beside {job.id}, but the title has {stored!r}"


def _media_files(job: EncodeJob, presentation: Presentation) -> Iterator[str]:
    """Yield the names of segments, subtitles and thumbnails."""
    counts = {
        track.name: len(presentation.video_segments.durations) for track in (*presentation.video, *presentation.av1)
    }
    counts |= {track.name: len(track.segments.durations) for track in presentation.audio}
    for track, count in counts.items():
        yield f"{track}/init.mp4"
        yield from (f"{track}/s{number:05d}.m4s" for number in range(count))
    yield from (f"{track.name}.vtt" for track in presentation.text)
    yield from (strip_name(chunk.index) for chunk in (job.plan.chunks if job.plan else ()))


def _manifests(job: EncodeJob, presentation: Presentation) -> list[str]:
    """Return the names of the manifests, and of other texts that are written with them."""
    names = [FRONT_MANIFEST, MASTER, "thumbnails.vtt", *(f"{track}.m3u8" for track in presentation.tracks)]
    names += [CHAPTERS] if job.plan and job.plan.chapters else []
    names += [ORIGINAL] if original_of(job, presentation) else []
    return names + [part_manifest(int(chunk)) for chunk, part in job.audience.parts.items() if part.until_s]


def _wrongly_listed(job: EncodeJob, presentation: Presentation, texts: dict[str, str]) -> Iterator[str]:
    """Yield a sentence for each manifest that lists other tracks than those of current, complete encodes."""
    timed = {track.name for kind in (presentation.video, presentation.av1, presentation.audio) for track in kind}
    for name, text in texts.items():
        listed = set(read_mpd(text)) if name.endswith(".mpd") else set()
        if (name == FRONT_MANIFEST and listed != timed) or listed - timed:
            yield f"{name} of {job.id} lists {sorted(listed)}, not {sorted(timed)}"
    playlists = {f"{name}.m3u8" for name in presentation.tracks}
    if (listed := playlists_in(texts[MASTER])) != playlists:
        yield f"{MASTER} of {job.id} lists {sorted(listed)}, not {sorted(playlists)}"


def _being_made(job: EncodeJob) -> tuple[str, ...]:
    """Return how the names of the files begin that an unfinished encode may have stored."""
    made: list[str] = []
    if job.av1 and job.av1.status is Av1Status.ENCODING:
        made.append("av")
    if job.plan and job.on_demand and job.on_demand.status is OnDemandStatus.ENCODING:
        made += [f"{each.name}/" for each in job.plan.on_demand]
    return tuple(made)
