"""Telecine is undone only where it is certain, and unmarked interlaced pictures are recognised."""

from __future__ import annotations

from fractions import Fraction

import pytest

from functions.encoding.planning.scan import Scan, ScanSample, scan_of

NTSC, PAL = Fraction(30_000, 1001), Fraction(25)
TELECINED = ScanSample(neither=54, top=18, bottom=18, tff=90, bff=0, progressive=0)
INTERLACED = ScanSample(neither=90, top=0, bottom=0, tff=88, bff=0, progressive=2)
BOTTOM_FIRST = ScanSample(neither=90, top=0, bottom=0, tff=0, bff=90, progressive=0)
PROGRESSIVE = ScanSample(neither=90, top=0, bottom=0, tff=0, bff=0, progressive=90)
STILL = ScanSample(neither=4, top=43, bottom=43, tff=0, bff=0, progressive=90)


def test_film_on_television_is_telecine_if_every_sample_says_so() -> None:
    assert scan_of([TELECINED] * 3, "tff", NTSC) == Scan("tff", telecine=True)
    assert scan_of([TELECINED], "", NTSC) == Scan("tff", telecine=True)


@pytest.mark.parametrize("other", [INTERLACED, PROGRESSIVE])
def test_mixture_of_film_and_video_is_deinterlaced_only(other: ScanSample) -> None:
    assert scan_of([TELECINED, other, TELECINED], "tff", NTSC) == Scan("tff")


def test_telecine_exists_only_at_the_rate_of_ntsc() -> None:
    assert scan_of([TELECINED] * 3, "tff", PAL) == Scan("tff")


@pytest.mark.parametrize(("sample", "order"), [(INTERLACED, "tff"), (BOTTOM_FIRST, "bff"), (PROGRESSIVE, "")])
def test_order_of_fields_that_the_stream_does_not_state_is_found(sample: ScanSample, order: str) -> None:
    assert scan_of([sample] * 3, "", PAL) == Scan(order)


def test_stream_is_believed_if_it_states_its_fields() -> None:
    assert scan_of([PROGRESSIVE], "bff", PAL) == Scan("bff")
    assert scan_of([], "bff", NTSC) == Scan("bff")


def test_samples_that_disagree_show_nothing() -> None:
    assert scan_of([INTERLACED, BOTTOM_FIRST], "", PAL) == Scan()
    assert scan_of([INTERLACED, PROGRESSIVE], "", PAL) == Scan()


def test_still_picture_does_not_tell() -> None:
    assert not STILL.is_telling
    assert not ScanSample(neither=3, top=0, bottom=0, tff=3, bff=0, progressive=0).is_telling
    assert TELECINED.is_telling
