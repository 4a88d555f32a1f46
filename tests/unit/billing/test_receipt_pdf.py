"""Receipts as PDF: they state every fact, and can show the letters of any plan and address."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfReader

from functions.billing.model import Charge, Payment, PaymentState, Plan
from functions.billing.receipt_pdf import amount_text, receipt_pdf
from functions.billing.receipt_texts import RECEIPT_TEXTS
from functions.billing.service import PaidReceipt
from functions.platform.languages import LANGUAGES
from tests.support.billing import MONTHLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypdf import PageObject

PAID = datetime(2026, 11, 24, 15, 51, tzinfo=UTC)
CHARGE = Charge("3H2190452L", PaymentState.COMPLETED, 799, "EUR", PAID)
PLAN = Plan("P-1", "PROD-1", replace(MONTHLY, name="Miesięczny Месяц"), PAID)
SITE = "https://films.example.org"


def page_of(charge: Charge = CHARGE, plan: Plan | None = PLAN, site: str = SITE, language: str = "en") -> PageObject:
    """Return a receipt's only page."""
    receipt = PaidReceipt(Payment(charge, "I-BW452GLLEP1G", "a" * 32), plan, "zoë@example.org")
    (page,) = PdfReader(io.BytesIO(receipt_pdf(receipt, site=site, language=language))).pages
    return page


def texts_of(page: PageObject) -> list[tuple[str, float, float, float]]:
    """Return the texts of a page with their distances from its left and bottom edges and their sizes, in points."""
    found: list[tuple[str, float, float, float]] = []

    def visit(text: str, transformation: object, matrix: Sequence[float], font: object, size: float) -> None:
        if text.strip():
            found.append((text.strip(), round(matrix[4]), round(matrix[5]), size))

    page.extract_text(visitor_text=visit)
    return found


def facts_of(
    charge: Charge = CHARGE, plan: Plan | None = PLAN, site: str = SITE, language: str = "en"
) -> dict[str, str]:
    """Return what a receipt says below its heading, by label."""
    (heading, *_), *rest = texts_of(page_of(charge, plan, site, language))
    assert heading == RECEIPT_TEXTS[language].heading
    labels, values = rest[::2], rest[1::2]
    assert [bottom for _, _, bottom, _ in labels] == [bottom for _, _, bottom, _ in values], "a value beside each label"
    return {label: value for (label, *_), (value, *_) in zip(labels, values, strict=True)}


def test_a_receipt_says_who_paid_what_to_whom_when_and_how() -> None:
    assert facts_of() == {
        "Paid to": "Notflix, films.example.org",
        "Paid by": "zoë@example.org",
        "Date": "24 November 2026",
        "For": "Miesięczny Месяц subscription",
        "Amount": "€7.99",
        "Paid with": "PayPal",
        "Transaction": "3H2190452L",
        "Subscription": "I-BW452GLLEP1G",
    }


def test_a_receipt_is_written_in_every_language() -> None:
    assert tuple(RECEIPT_TEXTS) == LANGUAGES
    refunded = replace(CHARGE, state=PaymentState.PARTIALLY_REFUNDED, refunded_minor=300)
    assert facts_of(refunded, language="de") == {
        "Bezahlt an": "Notflix, films.example.org",
        "Bezahlt von": "zoë@example.org",
        "Datum": "24. November 2026",
        "Wofür": "Abo „Miesięczny Месяц“",
        "Betrag": "7,99 €",
        "Bezahlt mit": "PayPal",
        "Transaktion": "3H2190452L",
        "Abonnement": "I-BW452GLLEP1G",
        "Erstattet": "3,00 €",
    }


def test_a_receipt_is_one_sheet_with_two_columns() -> None:
    page = page_of()
    width, height = page.mediabox[2:]
    assert (round(width), round(height)) == (595, 842), "A4"
    (_, left, top, size), *rest = texts_of(page)
    labels, values = rest[::2], rest[1::2]
    assert {at for _, at, _, _ in labels} == {left}
    assert len({at for _, at, _, _ in values}) == 1 and values[0][1] > left
    distances = {above - below for (_, _, above, _), (_, _, below, _) in pairwise(labels)}
    assert min(distances) > 11 and max(distances) - min(distances) <= 1, "lines at equal distances"
    assert left >= 72 and top < height - 72 and labels[-1][2] > 72, "an inch of margin"
    assert {each for *_, each in rest} == {11} and size > 2 * 11, "the heading is large"


def test_a_receipt_has_a_title_a_language_and_the_date_of_the_payment() -> None:
    receipt = PaidReceipt(Payment(CHARGE, "I-1", "a" * 32), PLAN, "ada@example.org")
    reader = PdfReader(io.BytesIO(receipt_pdf(receipt, site=SITE)))
    assert reader.metadata and reader.metadata.title == "Notflix receipt 3H2190452L"
    assert reader.metadata.creation_date == PAID
    assert str(reader.root_object["/Lang"]) == "en"


def test_a_refund_is_on_the_receipt() -> None:
    assert "Refunded" not in facts_of()
    assert facts_of(replace(CHARGE, state=PaymentState.REFUNDED))["Refunded"] == "€7.99"
    part = replace(CHARGE, state=PaymentState.PARTIALLY_REFUNDED, refunded_minor=300)
    assert facts_of(part)["Refunded"] == "€3.00"


def test_a_plan_or_an_address_that_is_not_known_is_left_out() -> None:
    assert facts_of(plan=None)["For"] == "Subscription"
    assert facts_of(site="")["Paid to"] == "Notflix"


def test_the_same_receipt_is_the_same_file() -> None:
    receipt = PaidReceipt(Payment(CHARGE, "I-1", "a" * 32), PLAN, "ada@example.org")
    assert receipt_pdf(receipt, site=SITE) == receipt_pdf(receipt, site="https://films.example.org/")


@pytest.mark.parametrize(
    ("minor", "currency", "language", "text"),
    [
        (799, "EUR", "en", "€7.99"),
        (800, "JPY", "en", "¥800"),
        (120000, "USD", "en", "$1,200.00"),
        (120000, "EUR", "de", "1.200,00\xa0€"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(minor: int, currency: str, language: str, text: str) -> None:
    assert amount_text(minor, currency, language) == text
