"""Store segments while ffmpeg runs: each segment is checked and uploaded once ffmpeg lists it as complete."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from functions.encoding.ffmpeg_commands import INIT, PLAYLIST
from functions.encoding.formats.segments import EmptySegment, read_init, read_segment
from functions.encoding.track_store import TrackStore
from functions.encoding.work_folders import DISK_FAILS
from functions.platform.errors import DiskUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from functions.encoding.ffmpeg import Finished
    from functions.encoding.formats.segments import InitInfo, SegmentInfo
    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import MediaStore
    from functions.platform.film_keys import FilmKeys

_LISTED = re.compile(r"^(s\d+\.m4s)$", re.MULTILINE)
_ENDED = re.compile(r"^#EXT-X-ENDLIST$", re.MULTILINE)


class ClosingTrack:
    """One track of a running ffmpeg, stored from its local folder to `<job>/<track>/` in the title's container.

    `on_segment` is called after each segment has been stored. No more than `most` segments are stored. A segment
    without a sample, which ffmpeg writes for a track without content, is not stored. Without `keeps`, the local file of
    a segment is deleted once it is stored, because the sound of a long film would need much room on the disk.
    """

    def __init__(
        self,
        media: MediaStore,
        job: EncodeJob,
        folder: Path,
        keys: FilmKeys,
        *,
        on_segment: Callable[[], None] = lambda: None,
        most: int | None = None,
        keeps: bool = True,
    ) -> None:
        self._store = TrackStore(media, job, folder.name, keys)
        self._folder = folder
        self._on_segment = on_segment
        self._most = most
        self._keeps = keeps
        self._stored: set[str] = set()
        self.init: InitInfo | None = None
        self.segments: list[SegmentInfo] = []
        folder.mkdir()

    def store_closed(self) -> None:
        """Check and store the segments that ffmpeg has listed since the last call."""
        playlist = self._folder / PLAYLIST
        if not playlist.exists():
            return
        for name in _LISTED.findall(playlist.read_text())[: self._most]:
            if name not in self._stored:
                self._store_next(name)

    def check_end(self, result: Finished) -> None:
        """Raise DiskUnavailable if ffmpeg reports success, but has not listed its last segment: it could not write."""
        if self._most or result.status or result.is_empty:
            return
        playlist = self._folder / PLAYLIST
        if not playlist.exists() or not _ENDED.search(playlist.read_text()):
            raise DiskUnavailable(DISK_FAILS)

    def joined(self, target: Path) -> None:
        """Write the init segment and all segments stored so far, without encryption, into one playable file."""
        with target.open("wb") as file:
            for name in (INIT, *sorted(self._stored)):
                file.write((self._folder / name).read_bytes())

    def _store_next(self, name: str) -> None:
        path = self._folder / name
        try:
            if self.init is None:
                read_segment(path, read_init(self._folder / INIT))
                self.init = self._store.store_init(self._folder / INIT)
            segment = self._store.store_segment(path, self.init)
        except EmptySegment:
            return
        self.segments.append(segment)
        if not self._keeps:
            path.unlink()
        self._stored.add(name)
        self._on_segment()
