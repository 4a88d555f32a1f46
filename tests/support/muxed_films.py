"""Films that differ only in their container are encoded once; their packets are copied into the other containers.

ffmpeg then writes the same packets, at the same times, as it writes when it encodes into the container itself. Only
Matroska is different: there, a copy of the sound would begin a frame later.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from tests.support.media import make_film
from tests.support.source_makers import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.media import Film

COPIED_INTO = (".mp4", ".mov", ".ts", ".flv")


class MuxedFilms:
    """Makes films in a folder, which keeps the encoded ones for as long as the tests of a module run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._encoded: dict[Film, Path] = {}

    def make(self, film: Film, folder: Path) -> Path:
        """Make a film in `folder`; return its path."""
        is_copied = PurePath(film.name).suffix in COPIED_INTO and not film.rotated
        plain = replace(film, name="film.mp4", mux=()) if is_copied else film
        if plain not in self._encoded:
            own = self._folder / f"{len(self._encoded)}"
            own.mkdir()
            self._encoded[plain] = make_film(plain, own)
        target = folder / film.name
        if plain == film:
            shutil.copyfile(self._encoded[plain], target)
        else:
            ffmpeg("-i", self._encoded[plain], "-map", "0", "-c", "copy", *film.mux, target)
        return target
