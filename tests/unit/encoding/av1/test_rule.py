"""A title is encoded in AV1 once the egress that it saves exceeds what encoding and storing it cost."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.encoding.av1.rule import KEPT_MONTHS, Av1Case, av1_case, av1_estimated_s
from functions.encoding.frame_grid import FrameGrid
from functions.encoding.ladder import chunks_for, renditions_for
from functions.encoding.renditions import CopiedPicture, Rendition
from functions.encoding.spending.costs import estimated_s, replica_microusd
from functions.encoding.spending.receipts import RenditionReceipt, TitleReceipt
from functions.encoding.track_state import TrackState
from tests.support.encoding_plans import make_job, make_plan

if TYPE_CHECKING:
    from functions.encoding.model import EncodePlan

HOUR = 24 * 3600
"""Frames."""


def hour_of_1080p() -> EncodePlan:
    grid = FrameGrid(make_plan().grid.rate, HOUR)
    return replace(make_plan(renditions=renditions_for(1920, 1080), audio=()), grid=grid, chunks=chunks_for(grid))


def receipt(size: int) -> TitleReceipt:
    return TitleReceipt((RenditionReceipt("v1080", 1920, 1080, size, size, 23, 23),))


def case(*, watched_h: float = 0.0, egress_usd: float = 0.08) -> Av1Case:
    plan = hour_of_1080p()
    job = make_job(plan=plan, receipt=receipt(1_500_000_000))
    return av1_case(job, plan, watched_h=watched_h, egress_usd=egress_usd)


def test_an_hour_of_1080p_pays_from_the_hours_in_the_decision() -> None:
    """Decision 54 has these figures."""
    found = case()
    assert found.encode_usd == pytest.approx(0.79, abs=0.01)
    assert found.saved_per_h_usd == pytest.approx(0.048)
    assert found.size_gb * found.storage_usd * KEPT_MONTHS == pytest.approx(0.75, abs=0.01)
    assert found.break_even_h == pytest.approx(32, abs=0.5)
    assert not found.pays
    assert not case(watched_h=31).pays
    assert case(watched_h=33).pays


def test_cheap_egress_makes_it_pay_later() -> None:
    assert case(egress_usd=0.01).break_even_h == pytest.approx(8 * case(egress_usd=0.08).break_even_h)
    assert case(egress_usd=0).break_even_h == inf
    assert not case(watched_h=1e9, egress_usd=0).pays


amounts = st.floats(0.0, 1e4)


@given(amounts, amounts, amounts, amounts, amounts, amounts)
def test_pays_exactly_if_the_saving_of_as_many_hours_again_covers_the_price(
    watched_h: float, gb_per_h: float, egress_usd: float, encode_usd: float, size_gb: float, storage_usd: float
) -> None:
    found = Av1Case(watched_h, gb_per_h, egress_usd, encode_usd, size_gb, storage_usd)
    if found.saved_per_h_usd:
        saved = watched_h * found.saved_per_h_usd
        if saved != pytest.approx(found.price_usd):
            assert found.pays == (saved > found.price_usd)
    else:
        assert not found.pays


def test_a_copied_rendition_counts_with_its_own_size_and_is_encoded_too() -> None:
    plan = hour_of_1080p()
    best, *others = plan.renditions
    copied = CopiedPicture(replace(best, name="c1080"), best, plan.duration * 0, True)
    copying = replace(plan, renditions=tuple(others), copied=copied)
    job = make_job(plan=copying, tracks={"c1080": TrackState(900, 1, True, size=3_000_000_000)}, receipt=receipt(7))
    found = av1_case(job, copying, watched_h=1, egress_usd=0.08)
    assert found.gb_per_h == 3
    assert av1_estimated_s(copying) == av1_estimated_s(plan) > estimated_s(copying)
    assert found.encode_usd == pytest.approx(replica_microusd(av1_estimated_s(plan)) / 1e6)


def test_a_title_of_an_earlier_version_without_a_receipt_counts_with_its_bitrate() -> None:
    plan = make_plan(frames=HOUR, renditions=(Rendition("v360", 640, 360, 800),), audio=())
    found = av1_case(make_job(plan=plan), plan, watched_h=1, egress_usd=0.08)
    assert found.gb_per_h == pytest.approx(800 * 0.84 * 125 * 3600 / 1e9, rel=0.01)
