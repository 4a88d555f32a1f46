"""Chapters of real files are published at the times of the film."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from functions.encoding.model import JobStatus
from functions.platform.messages import PublishTitle
from tests.support.encoder import Encoder
from tests.support.media import Film, make_film

if TYPE_CHECKING:
    from pathlib import Path

METADATA = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=2500
title=The harbour
[CHAPTER]
TIMEBASE=1/1000
START=2500
END=6000
title=Fish & chips
"""


@pytest.mark.parametrize(("name", "at"), [("film.mkv", "00:00:02.479"), ("film.mp4", "00:00:02.500")])
def test_chapters_are_published_and_verified(tmp_path: Path, name: str, at: str) -> None:
    """In this Matroska file, the picture begins 21 ms after the time 0 from which its chapters are counted."""
    plain, metadata, film = make_film(Film(frames=144), tmp_path), tmp_path / "chapters.txt", tmp_path / f"with-{name}"
    metadata.write_text(METADATA)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(plain), "-i", str(metadata)]
    subprocess.run([*command, "-map_chapters", "1", "-c", "copy", str(film)], check=True)
    encoder = Encoder(tmp_path / "encoder")
    progress = encoder.encode(film)
    assert progress.status is JobStatus.READY, progress.reason
    published = encoder.published(progress) / "chapters.vtt"
    assert published.read_text() == (
        f"WEBVTT\n\n00:00:00.000 --> {at}\nThe harbour\n\n{at} --> 00:00:06.000\nFish &amp; chips\n"
    )
    playback = encoder.world.title.playback
    assert playback
    assert playback.chapters

    published.write_text("WEBVTT\n")
    encoder.world.service.retry_job(progress.job_id)
    repaired = encoder.continue_job(progress.job_id, [PublishTitle(progress.job_id, verify=True)])
    assert repaired.status is JobStatus.READY
    assert "The harbour" in published.read_text()
