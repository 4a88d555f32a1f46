"""A film that was enlarged is published without the sizes that would show no more than a smaller one."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from functions.encoding.av1_encode import Av1Status
from functions.encoding.model import JobStatus
from functions.encoding.planning import detail
from tests.support.encoder import Encoder
from tests.support.published import Published

if TYPE_CHECKING:
    from pathlib import Path

ENLARGED = "testsrc2=s=320x180:r=24:d=4,gblur=1.5,scale=960:540:flags=spline"
SHARP = "testsrc2=s=960x540:r=24:d=4"
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-g", "48", "-pix_fmt", "yuv420p")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the comparison take as long as a busy machine needs."""
    monkeypatch.setattr(detail, "LIMIT_S", 300)


def make(picture: str, path: Path) -> Path:
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, *X264, str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return path


def sizes(encoder: Encoder, source: Path) -> list[str]:
    plan = encoder.plan_only(encoder.upload(source))
    return [rendition.name for rendition in plan.renditions]


def test_sizes_that_add_nothing_are_left_out_of_everything(tmp_path: Path) -> None:
    encoder = Encoder(tmp_path / "storage", encode_renditions="needed", passthrough_percent=0)
    progress = encoder.encode(make(ENLARGED, tmp_path / "film.mp4"))
    assert progress.status is JobStatus.READY, progress.reason
    assert progress.notes == ("540p was left out, because the film has no more detail than 360p shows.",)
    assert progress.receipt
    assert progress.receipt.left_out == ("v540",)
    folder = encoder.published(progress)
    published = Published(folder)
    assert [track.name for track in published.of("video")] == ["v360", "v234"]
    assert published.faults() == []
    assert (folder / "master.m3u8").read_text().count("#EXT-X-STREAM-INF") == 2
    av1 = encoder.encode_av1(progress).av1
    assert av1
    assert av1.status is Av1Status.COMPLETE
    published = Published(folder)
    assert [track.name for track in published.of("video")] == ["v360", "v234", "av360", "av234"]
    assert published.faults() == []


def test_copied_pictures_stay_and_the_size_between_is_left_out(tmp_path: Path) -> None:
    encoder = Encoder(tmp_path / "storage", encode_renditions="needed", passthrough_percent=1000)
    progress = encoder.encode(make(ENLARGED, tmp_path / "film.mp4"))
    assert progress.status is JobStatus.READY, progress.reason
    published = Published(encoder.published(progress))
    assert [track.name for track in published.of("video")] == ["c540", "v234"]
    assert published.faults() == []


def test_sharp_pictures_keep_all_sizes_and_so_does_the_default(tmp_path: Path) -> None:
    sharp, enlarged = make(SHARP, tmp_path / "sharp.mp4"), make(ENLARGED, tmp_path / "enlarged.mp4")
    needed = Encoder(tmp_path / "needed", encode_renditions="needed", passthrough_percent=0)
    assert sizes(needed, sharp) == ["v540", "v360", "v234"]
    default = Encoder(tmp_path / "all", passthrough_percent=0)
    assert sizes(default, enlarged) == ["v540", "v360", "v234"]
