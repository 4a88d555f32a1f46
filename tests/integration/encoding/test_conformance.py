"""A conformance checker finds nothing in any manifest that is published while a film is encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.encoding import ladder
from functions.encoding.copying import copy_worker
from functions.encoding.model import JobStatus
from tests.support.conformance import findings, needs_checker
from tests.support.encoder import Encoder
from tests.support.media import H264, Film, Sound, make_film

if TYPE_CHECKING:
    from pathlib import Path

COPIED = Film(frames=24 * 14, width=640, height=360, subtitles=("eng",))
ENCODED = Film(
    frames=24 * 14,
    width=640,
    height=360,
    sounds=(Sound(channels=6),),
    video=(*H264, "-profile:v", "high444", "-pix_fmt", "yuv444p"),
)


@needs_checker
@pytest.mark.parametrize("film", [COPIED, ENCODED], ids=["copied", "encoded"])
def test_manifests_conform_from_the_first_to_the_last(
    film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "CHUNK_SEGMENTS", 1)
    monkeypatch.setattr(copy_worker, "SHORT_S", 0)
    encoder = Encoder(tmp_path / "storage")
    source = make_film(film, tmp_path)
    (tmp_path / "film.de.forced.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHallo.\n", encoding="utf-8")
    encoder.upload_beside(tmp_path / "film.de.forced.srt")
    progress = encoder.encode(source)
    assert progress.status is JobStatus.READY, progress.reason
    versions = [(path.name, text) for path, text in encoder.media.versions if path.suffix == ".mpd"]
    growing = [name for name, text in versions if 'type="dynamic"' in text]
    assert set(growing) >= ({"manifest.mpd", "original.mpd"} if film is COPIED else {"manifest.mpd"})
    assert any(name == "original.mpd" for name, _ in versions) == (film is COPIED)
    assert all('value="6"' in text for _, text in versions) == (film is ENCODED)
    assert "t1.vtt" in versions[-1][1] or "t0.vtt" in versions[-1][1]
    checked = []
    for number, (name, text) in enumerate(versions):
        path = tmp_path / f"{number:03d}-{name}"
        path.write_text(text, encoding="utf-8")
        checked.append(path.name)
    assert findings(*checked, folder=tmp_path) == ""
    assert findings("--segments", ".", folder=encoder.published(progress)) == ""
