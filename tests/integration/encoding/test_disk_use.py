"""The work folders of a step do not grow with the length of the film."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from functions.encoding.model import JobStatus
from tests.support.encoder import Encoder
from tests.support.media import Film, Sound, make_film
from tests.support.published import Published

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 24


class LocalFiles:
    """Counts, whenever a segment of a track is stored, how many of its segments are on the disk."""

    def __init__(self, encoder: Encoder) -> None:
        self.counts: dict[str, list[int]] = defaultdict(list)
        self._store = encoder.media.store_file
        encoder.media.store_file = self._store_file  # type: ignore[method-assign]

    def _store_file(self, container: str, name: str, path: Path) -> None:
        if path.suffix == ".m4s":
            self.counts[path.parent.name].append(len(list(path.parent.glob("s*.m4s"))))
        self._store(container, name, path)


def test_copied_pictures_and_encoded_sound_are_deleted_once_they_are_stored(tmp_path: Path) -> None:
    """A film of four hours at 20 Mbit/s would otherwise need 36 GB."""
    mux = ("-g", "48", "-sc_threshold", "0")
    film = Film(frames=24 * SECONDS, width=640, height=360, sounds=(Sound(codec="ac3"),), mux=mux)
    encoder = Encoder(tmp_path / "storage", passthrough_percent=10_000)
    local = LocalFiles(encoder)
    progress = encoder.encode(make_film(film, tmp_path))
    assert progress.status is JobStatus.READY, progress.reason
    published = Published(encoder.published(progress))
    assert published.faults() == []
    assert [track.name for track in published.tracks] == ["c360", "v234", "a0"]
    assert len(local.counts["c360"]) >= SECONDS // 4
    assert set(local.counts["c360"]) == {1}
    assert local.counts["a0"][-1] == 1, "those before it were deleted"


def test_copied_sound_is_whole_although_it_is_checked_at_the_end(tmp_path: Path) -> None:
    mux = ("-g", "48", "-sc_threshold", "0")
    encoder = Encoder(tmp_path / "storage", passthrough_percent=10_000)
    film = Film(frames=24 * SECONDS, width=640, height=360, mux=mux)
    progress = encoder.encode(make_film(film, tmp_path))
    assert progress.status is JobStatus.READY, progress.reason
    published = Published(encoder.published(progress))
    assert published.faults() == []
    assert [track.name for track in published.of("audio")] == ["c0"]
    assert [round(at) for at in published.decode_audio("c0").tones_s] == list(range(SECONDS))
