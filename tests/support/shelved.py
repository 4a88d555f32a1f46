"""A small encoded film with its playlists in blob storage."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.formats.segments import read_init, read_segment
from functions.encoding.frame_grid import FrameGrid
from functions.encoding.publication.hls import write_master, write_media
from functions.encoding.publication.presentation import AudioTrack, Presentation, TextTrack, TimedSegments, VideoTrack
from functions.encoding.storage import BlobMedia
from functions.encoding.track_store import TrackStore
from functions.platform.blob_signing import Signer
from functions.platform.film_keys import NO_KEYS
from functions.platform.identifiers import container_for
from tests.support.encoding_plans import make_job
from tests.support.presentations import growing
from tests.support.titles import TINY_RENDITIONS, make_tiny_title

if TYPE_CHECKING:
    from pathlib import Path

    from azure.storage.blob import BlobServiceClient

    from functions.platform.film_keys import FilmKeys

GRID = FrameGrid(Fraction(24), 315)
JOB = "0123456789ab"
CUE = "WEBVTT\n\n00:00:00.500 --> 00:00:12.000\nGood evening.\n"


def make_film(folder: Path) -> Presentation:
    """Encode thirteen seconds in three rungs with audio and subtitles; return the presentation."""
    make_tiny_title(folder, GRID, segments_a_chunk=2)
    video = []
    for rung in TINY_RENDITIONS:
        track = folder / rung.name
        (track / "init-0.mp4").rename(track / "init.mp4")
        init = read_init(track / "init.mp4")
        video.append(VideoTrack(rung, init.codec, rung.maxrate_kbps * 1000))
    pictures = _timed(folder / TINY_RENDITIONS[0].name)
    sound = _timed(folder / "a0")
    (folder / "t0.vtt").write_text(CUE)
    return Presentation(
        duration=max(pictures.end, sound.end),
        complete=True,
        published_at=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
        rate=GRID.rate,
        video=tuple(video),
        video_segments=pictures,
        audio=(AudioTrack("a0", "en", "English", 2, 48_000, "mp4a.40.2", 130_000, sound),),
        text=(TextTrack("t0", "en", "English"),),
    )


def _timed(track: Path) -> TimedSegments:
    init = read_init(track / "init.mp4")
    durations = tuple(read_segment(path, init).duration for path in sorted(track.glob("s*.m4s")))
    return TimedSegments(init.timescale, durations)


class Shelf:
    """Stores the film in the containers of titles."""

    def __init__(self, service: BlobServiceClient, folder: Path, film: Presentation) -> None:
        self._media = BlobMedia(service, Signer(service))
        self._folder = folder
        self._film = film

    def put(self, title_id: str, *, segments: int | None = None, keys: FilmKeys = NO_KEYS) -> None:
        """Store the film's segments, and playlists that list all segments or only the first `segments`.

        They are encrypted if `keys` says so.
        """
        container = container_for(title_id)
        self._media.create_container(container)
        self._media.store_file(container, f"{JOB}/t0.vtt", self._folder / "t0.vtt")
        job = make_job(JOB, title_id=title_id, key_id=keys.new_key_id(JOB))
        for name in (*(track.name for track in self._film.video), *(track.name for track in self._film.audio)):
            store = TrackStore(self._media, job, name, keys)
            init = store.store_init(self._folder / name / "init.mp4")
            for path in sorted((self._folder / name).glob("s*.m4s")):
                store.store_segment(path, init)
        film = replace(self._film, key_id=job.key_id)
        film = film if segments is None else growing(film, segments)
        revision = len(film.video_segments.durations) + film.complete
        for name in film.tracks:
            text = write_media(film, name)
            self._media.store_text(container, f"{JOB}/{name}.m3u8", text, revision=revision)
        self._media.store_text(container, f"{JOB}/master.m3u8", write_master(film), revision=revision)
