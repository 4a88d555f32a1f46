"""Every undamaged source is published with its pictures and its sound at their times, whatever container holds it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from functions.encoding import ladder
from functions.encoding.ladder import Rung
from functions.encoding.model import JobStatus
from functions.encoding.steps import is_copy
from tests.support.cases import always
from tests.support.encoder import Encoder
from tests.support.media import H264
from tests.support.published import Published
from tests.support.source_makers import ffmpeg
from tests.support.sources import SOURCES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.published import ManifestTrack
    from tests.support.source_makers import Source

SOUND_WITHIN_S = 0.04

QUICK = (
    "mp4 whose beginning an edit list cuts off",
    "mkv whose picture begins 1.5 s after its sound",
    "mp4 with a hole of 2 s in its picture",
    "transport stream with a hole of 2 s in picture and sound",
    "film looped by copying, in mp4",
    "transport stream whose clock wraps",
    "transport stream in which one picture states an impossible time",
    "mkv that states twice its duration",
    "webm of a browser's recorder, without duration and index",
    "phone clip whose frames are a few milliseconds early or late",
    "film that changes from 24 to 60 fps",
    "12 fps",
    "transport stream whose size changes",
    "transport stream that begins between two key frames",
    "film on NTSC television, telecined",
)
"""A source of each kind."""


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide films into chunks of one segment, so that even a short source has places where chunks meet."""
    monkeypatch.setattr(ladder, "CHUNK_SEGMENTS", 1)


SMALL_LADDER = (Rung(96, 54, 400), Rung(64, 36, 200))
"""Two sizes for the small pictures of the sources, so that pictures are copied and encoded too."""


@pytest.fixture
def two_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every source two renditions."""
    monkeypatch.setattr(ladder.renditions_for, "__kwdefaults__", {"ladder": SMALL_LADDER})


@pytest.mark.usefixtures("two_sizes")
@pytest.mark.parametrize("case", always(QUICK, SOURCES))
def test_source_is_published_with_its_own_times(case: str, tmp_path: Path) -> None:
    source = SOURCES[case]
    encoder = Encoder(tmp_path / "storage")
    progress = encoder.encode(source.make(tmp_path))
    assert progress.status is JobStatus.READY, progress.reason
    assert progress.damage is None
    plan = encoder.job(progress).plan
    assert plan
    assert plan.picture.deinterlace == source.deinterlaced
    published = Published(encoder.published(progress))
    assert published.faults() == []
    _check_picture(published, source)
    _check_sound(published, source)


@pytest.mark.parametrize(("mode", "order"), [("interleave_top", "tff"), ("interleave_bottom", "bff"), ("drop_odd", "")])
def test_interlaced_picture_is_found_although_nothing_says_so(mode: str, order: str, tmp_path: Path) -> None:
    path = tmp_path / "source.mp4"
    moving = f"testsrc2=size=320x240:rate=50:duration=4,tinterlace={mode},setfield=prog"
    ffmpeg("-f", "lavfi", "-i", moving, *H264, path)
    encoder = Encoder(tmp_path / "storage")
    progress = encoder.encode(path)
    plan = encoder.job(progress).plan
    assert plan
    assert (plan.picture.deinterlace, plan.picture.field_order) == (bool(order), order)
    assert progress.status is JobStatus.READY, progress.reason


def _check_picture(published: Published, source: Source) -> None:
    assert len(published.of("video")) == 2
    for rung in published.of("video"):
        _check_rung(published, source, rung)


def _check_rung(published: Published, source: Source, rung: ManifestTrack) -> None:
    if source.rate:
        assert rung.rate == source.rate
    # copied pictures of a source with a variable rate keep their own times
    numbers = published.numbers(rung.name, rate=rung.rate if is_copy(rung.name) else None)
    assert abs(len(numbers) / rung.rate - source.lasts) <= 1 / rung.rate
    frame = max(1 / rung.rate, *(1 / piece.rate for piece in source.pieces))
    wrong = []
    for place, number in enumerate(numbers):
        at = min((place + Fraction(1, 2)) / rung.rate, source.lasts)  # the last frame may end later than the source
        if number not in {source.number_at(at + frame * quarters / 4) for quarters in range(-4, 5)}:
            wrong.append((float(at), number, source.number_at(at)))
    assert wrong == [], f"{rung.name}: at these times, these numbers are shown instead of those"


def _check_sound(published: Published, source: Source) -> None:
    for track in published.of("audio"):
        heard = published.decode_audio(track.name).tones_s
        assert len(heard) == len(source.tones_s), f"{heard} instead of {source.tones_s}"
        assert all(abs(one - other) <= SOUND_WITHIN_S for one, other in zip(heard, source.tones_s, strict=True)), heard
