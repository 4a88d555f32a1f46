"""A film with little damage is published with a note about it, and one with much damage is refused with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.encoding import ladder
from functions.encoding.model import JobStatus
from tests.support.cases import always
from tests.support.damaged import DAMAGED, GROUP, MPEG4, detailed, scattered, zeroed
from tests.support.encoder import Encoder
from tests.support.media import H264
from tests.support.published import Published
from tests.support.source_makers import small

if TYPE_CHECKING:
    from pathlib import Path

SOUND_WITHIN_S = 0.04
TOLERATED_PERCENT = 25

QUICK = (
    "mp4 with flipped bits in one picture",
    "mp4 whose key frame is zeros",
    "transport stream with three lost packets",
    "mkv that lacks its last half second",
    "hevc with a picture of zeros",
    "mkv with two damaged pictures where chunks meet",
    "mp4 with zeros for three seconds",
)
"""Damage of each kind."""
"""Sources are short, so the default share would be less than one picture."""


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide films into chunks of one segment, so that several chunks contain damage."""
    monkeypatch.setattr(ladder, "CHUNK_SEGMENTS", 1)


def test_sound_that_cannot_be_read_is_silent_and_noted(tmp_path: Path) -> None:
    encoder = Encoder(tmp_path / "storage")
    make = zeroed(small(), *range(90, 100), stream="a:0")
    progress = encoder.encode(make(tmp_path))
    assert progress.status is JobStatus.READY, progress.reason
    assert progress.notes == ("Parts of the audio track “Audio 1” could not be read and are silent.",)
    heard = Published(encoder.published(progress)).decode_audio("a0").tones_s
    assert [round(at) for at in heard] == [0, 1, 3, 4, 5]
    assert all(abs(at - round(at)) < SOUND_WITHIN_S for at in heard)


@pytest.mark.parametrize("case", always(QUICK, DAMAGED))
def test_damage_is_concealed_and_noted_or_refused(case: str, tmp_path: Path) -> None:
    source = DAMAGED[case]
    encoder = Encoder(tmp_path / "storage", max_damaged_percent=TOLERATED_PERCENT)
    progress = encoder.encode(source.make(tmp_path))
    if not source.tolerated:
        assert progress.status is JobStatus.FAILED
        assert progress.reason
        assert source.reason in progress.reason
        return
    assert progress.status is JobStatus.READY, progress.reason
    damage = progress.damage
    assert damage, "there is no note"
    assert damage.note
    assert 1 <= damage.pictures <= source.pictures
    rate = damage.rate
    assert source.first / rate <= damage.places[0].begin_s
    assert damage.places[-1].end_s <= source.end / rate
    published = Published(encoder.published(progress))
    assert published.faults() == []
    bad = {n for place in damage.places for n in range(int(place.begin_s * rate) - 4, int(place.end_s * rate) + GROUP)}
    for frame, number in enumerate(published.readable_numbers(published.of("video")[0].name)):
        assert frame in bad or number == frame, f"frame {frame} shows {number}, and no damage is noted there"


@pytest.mark.parametrize(("pictures", "tolerated"), [(13, True), (16, False)])
def test_one_percent_of_the_pictures_may_be_damaged_by_default(
    pictures: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, tolerated: bool
) -> None:
    """A minute has so many pictures that the percentage allows more than half a second."""
    monkeypatch.setattr(ladder, "CHUNK_SEGMENTS", 7)
    film = small(frames=24 * 60, sounds=(), video=(*H264, "-g", "1"))
    encoder = Encoder(tmp_path / "storage")
    progress = encoder.encode(zeroed(film, *range(40, 40 + 80 * pictures, 80))(tmp_path))
    if tolerated:
        assert progress.status is JobStatus.READY, progress.reason
        assert progress.damage
        assert progress.damage.pictures == pictures
    else:
        assert progress.status is JobStatus.FAILED
        assert f"{pictures} of 1440 frames (1.1 %) cannot be read" in (progress.reason or "")


def test_more_than_two_seconds_in_a_row_are_refused_whatever_the_percentage(tmp_path: Path) -> None:
    encoder = Encoder(tmp_path / "storage", max_damaged_percent=100)
    progress = encoder.encode(DAMAGED["mp4 with zeros for three seconds"].make(tmp_path))
    assert progress.status is JobStatus.FAILED
    assert "frames (50 %) cannot be read (0:02–0:05)" in (progress.reason or "")


def test_order_of_chunks_does_not_change_what_is_noted(tmp_path: Path) -> None:
    path = DAMAGED["mkv with two damaged pictures where chunks meet"].make(tmp_path)
    reports = []
    for last_first in (False, True):
        encoder = Encoder(tmp_path / f"storage {last_first}", max_damaged_percent=TOLERATED_PERCENT)
        reports.append(encoder.encode(path, last_first=last_first).damage)
    assert reports[0]
    assert reports[0] == reports[1]


@pytest.mark.extended
@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts", "film.avi"])
def test_random_damage_ends_as_a_film_or_with_a_reason(name: str, seed: int, tmp_path: Path) -> None:
    film = detailed(name, video=MPEG4) if name.endswith(".avi") else detailed(name)
    encoder = Encoder(tmp_path / "storage")
    progress = encoder.encode(scattered(film, seed=seed)(tmp_path))
    if progress.status is JobStatus.FAILED:
        assert progress.reason
        assert "is damaged" in progress.reason
        return
    assert progress.status is JobStatus.READY
    assert Published(encoder.published(progress)).faults() == []
