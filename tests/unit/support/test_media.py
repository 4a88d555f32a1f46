"""The helper of the media tests detects frames that are missing, repeated, out of order or unreadable."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from tests.support.media import Film, make_film
from tests.support.published import numbers_in

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a film of 300 frames, so that frame numbers need more than eight bits."""
    return make_film(Film(frames=300, sounds=()), tmp_path_factory.mktemp("film"))


def test_numbers_of_all_frames_are_read_back(film: Path) -> None:
    assert numbers_in(film) == list(range(300))


@pytest.mark.parametrize("size", ["96:54", "416:234", "54:96"])
def test_numbers_survive_scaling_and_compression(film: Path, size: str) -> None:
    assert numbers_in(film, filters=f"scale={size},noise=alls=12:allf=t") == list(range(300))


def test_frame_left_out_or_shown_twice_is_seen(film: Path) -> None:
    assert numbers_in(film, filters="select='not(eq(n,7))'") == [*range(7), *range(8, 300)]
    assert numbers_in(film, filters="shuffleframes='1 0'")[:4] == [1, 0, 3, 2]


def test_picture_without_numbers_is_not_read_as_zero(film: Path) -> None:
    with pytest.raises(ValueError, match="frame 0 cannot be read"):
        numbers_in(film, filters="drawbox=color=gray:t=fill")


def test_grid_shows_each_frame_of_a_steady_film_once() -> None:
    film = Film(rate=Fraction(24), frames=100)
    assert film.shown_on(Fraction(24), 100) == list(range(100))


def test_grid_holds_a_frame_until_the_next_is_due() -> None:
    film = Film(rate=Fraction(30), frames=7, keep=(3, (0, 1)))
    assert film.shown_on(Fraction(30), 8) == [0, 1, 1, 3, 4, 4, 6, 6]
    assert film.shown_on(Fraction(15), 4) == [0, 1, 4, 6], "of two frames due at once the later is shown"
