"""The published grid has the frame rate of the film, regardless of how the container rounds timestamps."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.encoding.frame_rates import STANDARD_RATES, frame_rate

NTSC_FILM, NTSC = Fraction(24_000, 1001), Fraction(30_000, 1001)


def times(rate: Fraction, numbers: range, *, clock: int | None = None) -> list[Fraction]:
    """Return the times of the frames, rounded to a clock with the given ticks per second, if any."""
    exact = [number / rate for number in numbers]
    return exact if clock is None else [Fraction(round(at * clock), clock) for at in exact]


def head_and_tail(rate: Fraction, *, clock: int | None = None) -> list[Fraction]:
    """Return the samples of a film of ten minutes: the first 150 frames, and the last 12 s."""
    last = int(600 * rate)
    return times(rate, range(150), clock=clock) + times(rate, range(last - int(12 * rate), last), clock=clock)


@pytest.mark.parametrize("rate", STANDARD_RATES)
@pytest.mark.parametrize("clock", [None, 90_000, 1000])
def test_even_film_keeps_its_rate_by_any_clock(rate: Fraction, clock: int | None) -> None:
    # With timestamps in milliseconds, ffprobe has to guess the real rate, and the average rate is inexact because the
    # duration is rounded.
    average = rate if clock is None else rate * Fraction(599_993, 600_000)
    assert frame_rate(rate, average, head_and_tail(rate, clock=clock)) == (rate, False)


@pytest.mark.parametrize("rate", [NTSC_FILM, NTSC, Fraction(60_000, 1001)])
def test_matroska_of_which_ffprobe_knows_no_better_than_a_thousandth(rate: Fraction) -> None:
    assert frame_rate(Fraction(1000), rate, head_and_tail(rate, clock=1000)) == (rate, False)


def test_packets_in_decode_order_lack_neighbours_at_the_end_of_the_sample() -> None:
    sampled = times(Fraction(24), range(150))
    missing = [at for at in sampled if at not in (sampled[144], sampled[146], sampled[147])]
    assert frame_rate(Fraction(24), Fraction(24), missing[::-1]) == (Fraction(24), False)


def test_fast_films_are_halved_until_they_can_be_published() -> None:
    assert frame_rate(Fraction(120), Fraction(120), head_and_tail(Fraction(120))) == (Fraction(60), False)
    high = Fraction(120_000, 1001)
    assert frame_rate(high, high, head_and_tail(high)) == (Fraction(60_000, 1001), False)
    assert frame_rate(Fraction(240), Fraction(240), head_and_tail(Fraction(240))) == (Fraction(60), False)


def test_uncommon_even_rate_is_kept() -> None:
    rate = Fraction(917_425, 30_618)
    found, varies = frame_rate(rate, rate, head_and_tail(rate))
    assert not varies
    assert abs(found / rate - 1) < Fraction(1, 1000)
    assert frame_rate(Fraction(12), Fraction(12), head_and_tail(Fraction(12))) == (Fraction(12), False)


@pytest.mark.parametrize("clock", [None, 1000])
def test_film_with_frames_left_out_gets_the_rate_of_its_clock_and_loses_none(clock: int | None) -> None:
    kept = [at for n, at in enumerate(times(Fraction(30), range(180), clock=clock)) if n % 6 != 3]
    assert frame_rate(Fraction(30), Fraction(25), kept) == (Fraction(30), True)


def test_film_that_changes_between_two_rates_gets_the_higher() -> None:
    for fastest, clock in ((Fraction(60), 90_000), (Fraction(60), 1000), (Fraction(60_000, 1001), 90_000)):
        slow, fast = times(Fraction(24), range(72)), times(fastest, range(180), clock=clock)
        mixed = slow + [at + 3 for at in fast]
        assert frame_rate(Fraction(clock), Fraction(42), mixed) == (fastest, True)


def test_of_two_rates_that_a_clock_of_milliseconds_cannot_tell_apart_the_one_that_loses_no_frame() -> None:
    for rate in (Fraction(24), NTSC_FILM):
        kept = [at for n, at in enumerate(times(rate, range(300), clock=1000)) if n % 3]
        assert frame_rate(Fraction(1000), Fraction(16), kept) == (Fraction(24), True)


@pytest.mark.parametrize("clock", [None, 1000])
def test_hole_does_not_change_the_rate(clock: int | None) -> None:
    # 3 s are missing in 95 s at 24 fps, so the container states 23.23 fps.
    sampled = times(Fraction(24), range(150), clock=clock) + times(Fraction(24), range(1920, 2207), clock=clock)
    assert frame_rate(Fraction(24), Fraction(2207, 95), sampled) == (Fraction(24), False)
    assert frame_rate(Fraction(1000), Fraction(2207, 95), sampled) == (Fraction(24), False)


def test_hole_in_the_sample_itself_does_not_change_the_rate() -> None:
    sampled = [at for at in times(Fraction(24), range(150)) if not 2 <= at < 5]
    assert frame_rate(Fraction(24), Fraction(12), sampled) == (Fraction(24), False)


def test_small_hole_does_not_turn_24_fps_into_the_rate_of_television() -> None:
    assert frame_rate(Fraction(24), NTSC_FILM, head_and_tail(Fraction(24))) == (Fraction(24), False)


def test_copies_in_a_loop_keep_their_rate() -> None:
    assert frame_rate(Fraction(24), Fraction(13_795, 576), head_and_tail(Fraction(24))) == (Fraction(24), False)


def test_irregular_times_get_the_standard_rate_above_so_that_no_frame_is_lost() -> None:
    jitter = [Fraction(-1, 1000), Fraction(1, 1200), Fraction(0), Fraction(1, 900), Fraction(-1, 1100)]
    sampled = [at + jitter[n % 5] for n, at in enumerate(times(Fraction(298, 10), range(300)))]
    assert frame_rate(Fraction(90_000), Fraction(297, 10), sampled) == (NTSC, False)


@pytest.mark.parametrize("clock", [None, 90_000, 1000])
def test_frames_shown_for_two_and_three_fields_are_film(clock: int | None) -> None:
    fields = [(5 * n + 1) // 2 for n in range(150)]
    shown = [Fraction(count * 1001, 60_000) for count in fields]
    sampled = shown if clock is None else [Fraction(round(at * clock), clock) for at in shown]
    assert frame_rate(Fraction(60_000, 1001), NTSC_FILM, sampled) == (NTSC_FILM, False)
    mixed = [*sampled[:100], *(sampled[99] + at for at in times(NTSC, range(1, 100)))]
    assert frame_rate(Fraction(60_000, 1001), Fraction(27), mixed) != (NTSC_FILM, False)


def test_single_frame_has_the_rate_that_is_stated_or_a_common_one() -> None:
    assert frame_rate(Fraction(25), Fraction(25), [Fraction(0)]) == (Fraction(25), False)
    assert frame_rate(Fraction(0), Fraction(0), []) == (Fraction(25), False)
    assert frame_rate(Fraction(0), Fraction(0), [Fraction(0), Fraction(1, 24)]) == (Fraction(24), False)


@given(
    st.sets(st.integers(0, 100_000), max_size=200),
    st.fractions(0, 1000, max_denominator=1001),
    st.fractions(0, 1000, max_denominator=1001),
)
def test_any_sample_gives_a_rate_that_can_be_published(ticks: set[int], real: Fraction, average: Fraction) -> None:
    rate, varies = frame_rate(real, average, [Fraction(tick, 1000) for tick in ticks])
    assert 0 < rate <= 60
    assert not varies or rate in STANDARD_RATES
