"""Each episode is compared with the nearest of its season, and gets the parts on which most comparisons agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.catalogue.model import PartKind
from functions.encoding.intros.fingerprint import POINT_S, STEP_S, EpisodeSound, Fingerprint
from functions.encoding.intros.season import (
    NEIGHBOURS,
    beginning_s,
    ending_s,
    find_parts,
    job_of,
    neighbourhoods,
)
from tests.support.catalogue import make_playback, make_title
from tests.unit.encoding.intros.test_comparison import sound

if TYPE_CHECKING:
    from functions.catalogue.model import Title

DURATION_S = 1800.0
INTRO, SONG, END = sound(1, 40), sound(2, 30), sound(3, 100)


def season(count: int, *, jobs: str = "j") -> list[Title]:
    return [make_title(f"e{number}", playback=make_playback(f"{jobs}{number}")) for number in range(count)]


def episode(seed: int, *stretches: tuple[float, tuple[int, ...]], credits_at: float = 20) -> EpisodeSound:
    """Return an episode whose beginning has stretches at these seconds; its credits begin in its last quarter."""
    points = list(sound(seed, 450))
    for at_s, stretch in stretches:
        place = round(at_s / STEP_S)
        points[place : place + len(stretch)] = stretch
    ending = sound(seed + 1, credits_at) + END + sound(seed + 2, 100)
    return EpisodeSound(DURATION_S, Fingerprint(0.0, tuple(points)), Fingerprint(1440.0, ending))


def test_an_episode_alone_is_compared_with_none_and_others_with_the_nearest() -> None:
    assert neighbourhoods(season(1)) == []
    found = neighbourhoods(season(24))
    assert [[job_of(other) for other in each.others] for each in (found[0], found[10])] == [
        [f"j{number}" for number in (1, 2, 3, 4, 5, 6)],
        [f"j{number}" for number in (9, 11, 8, 12, 7, 13)],
    ]
    assert {len(each.others) for each in found} == {NEIGHBOURS}


def test_the_digest_changes_if_and_only_if_an_episode_must_be_compared_again() -> None:
    before = {job_of(each.episode): each.digest for each in neighbourhoods(season(20))}
    again = {job_of(each.episode): each.digest for each in neighbourhoods(season(20))}
    assert again == before
    longer = {job_of(each.episode): each.digest for each in neighbourhoods(season(21))}
    changed = {job_id for job_id in before if longer[job_id] != before[job_id]}
    assert changed == {f"j{number}" for number in (17, 18, 19)}
    assert len(set(before.values())) > len(before) - 8  # episodes at the ends share their neighbours


def test_intro_and_credits_of_an_episode_are_found() -> None:
    parts = find_parts(episode(10, (5, INTRO)), [episode(20, (70, INTRO), credits_at=60), episode(30, (0, INTRO))])
    assert [part.kind for part in parts] == [PartKind.INTRO, PartKind.CREDITS]
    intro, end = parts
    assert [intro.start_s, intro.end_s] == pytest.approx([5, 45], abs=1.2)
    assert [end.start_s, end.end_s] == pytest.approx([1460, 1560], abs=1.2)


def test_music_that_only_two_episodes_share_is_not_the_intro() -> None:
    own = episode(10, (5, INTRO), (100, sound(4, 90)))
    others = [episode(20, (200, sound(4, 90))), episode(30, (70, INTRO)), episode(40, (0, INTRO))]
    intro = find_parts(own, others)[0]
    assert [intro.start_s, intro.end_s] == pytest.approx([5, 45], abs=1.2)


def test_parts_at_the_very_beginning_or_end_of_a_film_include_it() -> None:
    own = episode(10, (0, INTRO))
    end = own.ending.points[: round(120 / STEP_S)]  # the film ends with its credits
    duration_s = own.ending.begin_s + len(end) * STEP_S + POINT_S
    cut = EpisodeSound(duration_s, own.beginning, Fingerprint(own.ending.begin_s, end))
    intro, last = find_parts(cut, [episode(20, (70, INTRO), credits_at=60)])
    assert (intro.start_s, last.end_s) == (0.0, round(duration_s, 2))


def test_nothing_is_found_without_sound_or_without_others() -> None:
    silent = EpisodeSound(0.0, Fingerprint(0.0), Fingerprint(0.0))
    assert find_parts(silent, [silent, episode(10)]) == ()
    assert find_parts(episode(10), []) == ()


def test_only_the_beginning_and_the_end_of_an_episode_are_compared() -> None:
    assert (beginning_s(1200), beginning_s(7200)) == (300, 600)
    assert (ending_s(1200), ending_s(7200)) == (300, 360)
