"""Amounts: integers in the product, decimal text in PayPal's API."""

from __future__ import annotations

import json

import azure.functions as func
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.billing.model import Interval, Offer
from functions.billing.money import DECIMALS, WHOLE_ONLY, minor_of, value_of
from functions.billing.schemas import NewPlan
from functions.platform.errors import Malformed
from functions.platform.http import read_body


@given(st.integers(0, 10**9), st.sampled_from(sorted(set(DECIMALS) - WHOLE_ONLY)))
def test_what_is_sent_comes_back_the_same(minor: int, currency: str) -> None:
    assert minor_of(value_of(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [("7.99", "EUR", 799), ("79.9", "EUR", 7990), ("10.0", "USD", 1000), ("800", "JPY", 800), ("-9.99", "EUR", -999)],
)
def test_amounts_as_paypal_writes_them_are_read(value: str, currency: str, minor: int) -> None:
    assert minor_of(value, currency) == minor


@pytest.mark.parametrize(
    ("value", "currency"),
    [
        *((value, "EUR") for value in ("7.999", "7,99", "", "NaN", "1e30", "1e999999999", "1_0.00", "9" * 400)),
        ("0.5", "JPY"),
        ("1", "XYZ"),
    ],
)
def test_what_is_no_amount_is_refused(value: str, currency: str) -> None:
    with pytest.raises(Malformed):
        minor_of(value, currency)


def test_a_currency_without_fractions_is_written_without_them() -> None:
    assert value_of(99_000, "HUF") == "990"


def test_an_offer_is_read() -> None:
    asked = {"name": " Monthly ", "price": "7.99", "currency": "eur", "interval": "month"}
    assert msgspec.convert(asked, NewPlan).offer() == Offer("Monthly", "", 799, "EUR", Interval.MONTH, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 128},
        {"name": 5},
        {"price": 7.99},
        {"price": "0"},
        {"price": "-1"},
        {"price": "dear"},
        {"price": "1e999999999"},
        {"price": "1_0.00"},
        {"price": "9" * 400},
        {"currency": "XYZ"},
        {"currency": None},
        {"currency": "HUF", "price": "7.50"},
        {"interval": "decade"},
        {"interval": None},
        {"interval_count": 0},
        {"interval_count": 13},
        {"interval_count": "2"},
        {"interval_count": True},
        {"interval_count": 10**400},
        {"description": 7},
        {"description": "x" * 128},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_an_offer_that_paypal_would_not_accept_is_refused_with_a_sentence(wrong: dict[str, object]) -> None:
    body = json.dumps({"name": "Monthly", "price": "7.99", "currency": "EUR", **wrong}).encode()
    request = func.HttpRequest(method="POST", url="/", headers={"Content-Type": "application/json"}, body=body)
    with pytest.raises(Malformed, match=r"\.$"):
        read_body(request, NewPlan, largest_bytes=10_000).offer()


@pytest.mark.parametrize(
    ("value", "currency", "sentence"),
    [
        ("1", "XYZ", r"PayPal has no currency “XYZ”; it has AUD, BRL, CAD, .+, TWD, USD\."),
        ("7,99", "EUR", r"“7,99” is not an amount such as 7\.99\."),
        ("9" * 400, "EUR", f"“{'9' * 60}” is not an amount such as 7\\.99\\."),
        ("0.5", "JPY", r"“0\.5” is not an amount of JPY\."),
    ],
    ids=["currency", "comma", "long", "fraction"],
)
def test_what_is_wrong_with_an_amount_is_said(value: str, currency: str, sentence: str) -> None:
    with pytest.raises(Malformed, match=f"^{sentence}$"):
        minor_of(value, currency)


@pytest.mark.parametrize(
    ("value", "minor"), [("9999999999", 999_999_999_900), ("99999999999", None), ("1.000000", 100)]
)
def test_an_amount_has_ten_digits_before_the_point_at_most(value: str, minor: int | None) -> None:
    if minor is None:
        with pytest.raises(Malformed):
            minor_of(value, "EUR")
    else:
        assert minor_of(value, "EUR") == minor


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "  "}, "`name`: A plan needs a name."),
        ({"interval_count": 13}, "`interval_count`: PayPal bills every 1 to 12 months."),
        ({"interval": "week", "interval_count": 53}, "`interval_count`: PayPal bills every 1 to 52 weeks."),
        ({"interval": "year", "interval_count": 2}, "`interval_count`: PayPal bills every 1 to 1 years."),
        ({"price": "0.00"}, "`price`: A plan's price must be more than zero."),
        ({"currency": "HUF", "price": "7.50"}, "`price`: PayPal accepts only whole amounts in HUF."),
    ],
    ids=["name", "months", "weeks", "years", "free", "fraction"],
)
def test_what_is_wrong_with_an_offer_is_said(wrong: dict[str, object], sentence: str) -> None:
    asked = {"name": "Monthly", "price": "7.99", "currency": "EUR", **wrong}
    with pytest.raises(Malformed) as refused:
        msgspec.convert(asked, NewPlan, strict=False).offer()
    assert refused.value.detail == sentence


@pytest.mark.parametrize(
    ("asked", "offer"),
    [
        ({"price": "0.01"}, Offer("Monthly", "", 1, "EUR", Interval.MONTH, 1)),
        ({"interval": "month", "interval_count": 12}, Offer("Monthly", "", 799, "EUR", Interval.MONTH, 12)),
        ({"currency": "HUF", "price": "990"}, Offer("Monthly", "", 99_000, "HUF", Interval.MONTH, 1)),
        ({"currency": "jpy", "price": "800"}, Offer("Monthly", "", 800, "JPY", Interval.MONTH, 1)),
        ({"description": " Every film. "}, Offer("Monthly", "Every film.", 799, "EUR", Interval.MONTH, 1)),
    ],
    ids=["cent", "year of months", "forint", "yen", "description"],
)
def test_an_offer_at_the_limits_is_read(asked: dict[str, object], offer: Offer) -> None:
    assert msgspec.convert({"name": "Monthly", "price": "7.99", "currency": "EUR", **asked}, NewPlan).offer() == offer
