"""The sound that two episodes share is found at any offset, and nothing is found where they share none."""

from __future__ import annotations

import random

import pytest

from functions.encoding.intros.comparison import SharedSound, find_shared
from functions.encoding.intros.fingerprint import CENTRE_S, STEP_S, Fingerprint, read_points, to_bytes

SILENCE = 0x256DF977
"""The point of digital silence."""

TYPICAL = [random.Random(bit).choice((0.25, 0.4, 0.6, 0.75)) for bit in range(32)]
"""How often each bit is set in any sound: bits are not evenly distributed, so unrelated sound is a little alike."""


def sound(seed: int, seconds: float) -> tuple[int, ...]:
    """Return points like those of real sound: each differs from the one before in few bits."""
    chance = random.Random(seed)
    bits = [chance.random() < share for share in TYPICAL]
    points = []
    for _ in range(round(seconds / STEP_S)):
        bits = [
            chance.random() < share if chance.random() < 0.25 else bit for bit, share in zip(bits, TYPICAL, strict=True)
        ]
        points.append(sum(1 << place for place, bit in enumerate(bits) if bit))
    return tuple(points)


def compressed(points: tuple[int, ...], share: float, seed: int = 7) -> tuple[int, ...]:
    """Return points in which a share of all bits is wrong, as after lossy compression."""
    chance = random.Random(seed)
    return tuple(point ^ sum(1 << bit for bit in range(32) if chance.random() < share) for point in points)


def found(first: tuple[int, ...], second: tuple[int, ...], *, most_s: float = 120) -> SharedSound | None:
    return find_shared(Fingerprint(0.0, first), Fingerprint(0.0, second), least_s=15, most_s=most_s)


TUNE = sound(1, 40)


@pytest.mark.parametrize(("before_s", "other_s"), [(0, 90), (90, 0), (30, 30), (200, 14)])
@pytest.mark.parametrize("wrong", [0.0, 0.05, 0.08])
def test_shared_sound_is_found_at_any_offset_and_after_compression(before_s: int, other_s: int, wrong: float) -> None:
    one = sound(2, before_s) + TUNE + sound(3, 300)
    other = sound(4, other_s) + compressed(TUNE, wrong) + sound(5, 200)
    shared = found(one, other)
    assert shared
    assert shared.first_s == pytest.approx(before_s + CENTRE_S, abs=0.5)
    assert shared.second_s == pytest.approx(other_s + CENTRE_S, abs=0.5)
    assert shared.lasts_s == pytest.approx(40, abs=0.7)


def test_the_result_is_the_same_from_the_other_side() -> None:
    one, other = sound(2, 10) + TUNE + sound(3, 100), sound(4, 60) + compressed(TUNE, 0.05) + sound(5, 50)
    shared, turned = found(one, other), found(other, one)
    assert shared
    assert turned
    assert (turned.first_s, turned.second_s, turned.lasts_s) == (shared.second_s, shared.first_s, shared.lasts_s)


def test_a_short_disturbance_is_passed_over() -> None:
    half = len(TUNE) // 2
    disturbed = TUNE[:half] + sound(6, 1.5) + TUNE[half + round(1.5 / STEP_S) :]
    shared = found(sound(2, 20) + TUNE + sound(3, 60), sound(4, 35) + disturbed + sound(5, 60))
    assert shared
    assert shared.lasts_s == pytest.approx(40, abs=0.7)


def test_positions_count_from_the_beginning_of_the_film() -> None:
    one = Fingerprint(1000.0, sound(2, 20) + TUNE)
    other = Fingerprint(2000.0, sound(4, 5) + TUNE)
    shared = find_shared(one, other, least_s=15, most_s=120)
    assert shared
    assert shared.first_s == pytest.approx(1020 + CENTRE_S, abs=0.5)
    assert shared.second_s == pytest.approx(2005 + CENTRE_S, abs=0.5)


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_nothing_is_found_in_unrelated_sound(seed: int) -> None:
    assert found(sound(100 + seed, 200), sound(101 + seed, 200)) is None


@pytest.mark.parametrize("steady", [SILENCE, 0, 0xFFFFFFFF, 0x214DF977])
def test_silence_and_unchanging_tones_are_not_shared_sound(steady: int) -> None:
    quiet = (steady,) * round(60 / STEP_S)
    assert found(quiet, quiet) is None
    assert found(sound(2, 30) + quiet + sound(3, 30), quiet + sound(4, 60)) is None
    assert found(compressed(quiet, 0.01), compressed(quiet, 0.01, seed=8)) is None


@pytest.mark.parametrize("share", [0.03, 0.06, 0.1])
def test_noise_such_as_rain_or_applause_is_not_shared_sound(share: float) -> None:
    """White noise differs from itself, and from any other white noise, in about 6 bits."""
    hiss = (SILENCE,) * round(60 / STEP_S)
    assert found(compressed(hiss, share), compressed(hiss, share, seed=8)) is None
    rain, other_rain = compressed(hiss, share), compressed(hiss, share, seed=8)
    shared = found(rain + TUNE + sound(3, 60), sound(4, 20) + other_rain + TUNE + sound(5, 60))
    assert shared
    assert shared.first_s == pytest.approx(60 + CENTRE_S, abs=1)


def test_a_rhythm_that_repeats_is_not_taken_for_noise() -> None:
    for bar_s in (4.0, 5.5, 8.0):
        bar = sound(9, bar_s)
        beat = bar * round(40 / bar_s)
        shared = found(sound(2, 20) + beat + sound(3, 60), sound(4, 35) + compressed(beat, 0.03) + sound(5, 60))
        assert shared, bar_s
        assert shared.lasts_s == pytest.approx(40, abs=2 * bar_s), bar_s


def test_silence_around_shared_sound_does_not_belong_to_it() -> None:
    quiet = (SILENCE,) * round(30 / STEP_S)
    shared = found(quiet + TUNE + quiet, sound(2, 12) + quiet + TUNE + quiet)
    assert shared
    assert shared.first_s == pytest.approx(30 + CENTRE_S, abs=1)
    assert shared.lasts_s == pytest.approx(40, abs=1.5)


def test_a_jingle_is_too_short_and_equal_episodes_share_too_much() -> None:
    jingle = TUNE[: round(9 / STEP_S)]
    assert found(sound(2, 20) + jingle + sound(3, 60), sound(4, 35) + jingle + sound(5, 60)) is None
    whole = sound(6, 200)
    assert found(whole, whole) is None
    assert found(whole, whole, most_s=300)


@pytest.mark.parametrize("points", [(), (SILENCE,), TUNE[:5]])
def test_an_episode_with_little_or_no_sound_shares_nothing(points: tuple[int, ...]) -> None:
    assert found(points, TUNE) is None
    assert found(TUNE, points) is None
    assert found(points, points) is None


def test_stored_points_are_read_as_they_were() -> None:
    assert read_points(to_bytes(TUNE)) == TUNE
    assert read_points(to_bytes(TUNE) + b"\x01\x02") == TUNE, "an incomplete point is left out"
    assert read_points(b"") == ()
