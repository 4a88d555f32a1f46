"""A small encoded film with its playlists in blob storage."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.hls import write_master, write_media
from functions.encoding.model import FrameGrid
from functions.encoding.presentation import AudioTrack, Presentation, TextTrack, TimedSegments, VideoTrack
from functions.encoding.segments import read_init, read_segment
from functions.encoding.storage import BlobMedia
from functions.platform.blob_signing import Signer
from functions.platform.identifiers import container_for
from tests.support.presentations import growing
from tests.support.titles import TINY_RENDITIONS, make_tiny_title

if TYPE_CHECKING:
    from pathlib import Path

    from azure.storage.blob import BlobServiceClient

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

    def put(self, title_id: str, *, segments: int | None = None) -> None:
        """Store the film's segments, and playlists that list all segments or only the first `segments`."""
        container = container_for(title_id)
        self._media.create_container(container)
        for path in self._folder.rglob("*"):
            name = path.relative_to(self._folder)
            if path.name in ("init.mp4", "t0.vtt") or path.suffix == ".m4s":
                self._media.store_file(container, f"{JOB}/{name}", path)
        film = self._film if segments is None else growing(self._film, segments)
        revision = len(film.video_segments.durations) + film.complete
        for track in film.tracks:
            text = write_media(film, track)
            self._media.store_text(container, f"{JOB}/{track}.m3u8", text, revision=revision)
        self._media.store_text(container, f"{JOB}/master.m3u8", write_master(film), revision=revision)
