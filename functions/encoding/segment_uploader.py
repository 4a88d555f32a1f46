"""Store segments while ffmpeg runs: each segment is checked and uploaded once ffmpeg lists it as complete."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from functions.encoding.ffmpeg_commands import INIT, PLAYLIST
from functions.encoding.segments import InitInfo, SegmentInfo, read_init, read_segment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from functions.encoding.ports import MediaStore

_LISTED = re.compile(r"^(s\d+\.m4s)$", re.MULTILINE)


class ClosingTrack:
    """One track of a running ffmpeg, stored from its local folder to `<job>/<track>/` in the title's container.

    `on_segment` is called after each segment has been stored.
    """

    def __init__(
        self,
        media: MediaStore,
        container: str,
        job_id: str,
        folder: Path,
        *,
        on_segment: Callable[[], None] = lambda: None,
    ) -> None:
        self._media = media
        self._container = container
        self._prefix = f"{job_id}/{folder.name}"
        self._folder = folder
        self._on_segment = on_segment
        self._stored: set[str] = set()
        self.init: InitInfo | None = None
        self.segments: list[SegmentInfo] = []
        folder.mkdir()

    def store_closed(self) -> None:
        """Check and store the segments that ffmpeg has listed since the last call."""
        playlist = self._folder / PLAYLIST
        if not playlist.exists():
            return
        for name in _LISTED.findall(playlist.read_text()):
            if name not in self._stored:
                self._store(name)

    def joined(self, target: Path) -> None:
        """Write the init segment and all segments stored so far into one playable file."""
        with target.open("wb") as file:
            for name in (INIT, *sorted(self._stored)):
                file.write((self._folder / name).read_bytes())

    def _store(self, name: str) -> None:
        if self.init is None:
            self.init = read_init(self._folder / INIT)
            self._media.store_file(self._container, f"{self._prefix}/{INIT}", self._folder / INIT)
        path = self._folder / name
        self.segments.append(read_segment(path, self.init))
        self._media.store_file(self._container, f"{self._prefix}/{name}", path)
        self._stored.add(name)
        self._on_segment()
