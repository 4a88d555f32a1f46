"""A receipt as PDF: one page, in a font that has the letters of all European languages."""

from __future__ import annotations

from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from babel.dates import format_date
from babel.numbers import format_currency
from fpdf import FPDF

from functions.billing.money import DECIMALS
from functions.billing.receipt_texts import RECEIPT_TEXTS

if TYPE_CHECKING:
    from functions.billing.service import PaidReceipt

PRODUCT = "Notflix"
FONT = files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf"
QUIET, INK, RULE = (95, 95, 105), (20, 20, 24), (215, 215, 222)
LABEL_MM, LINE_MM, MARGIN_MM = 42, 9, 25


def receipt_pdf(receipt: PaidReceipt, *, site: str, language: str = "en") -> bytes:
    """Return the receipt of a payment to the service at the address `site`."""
    texts = RECEIPT_TEXTS[language]
    pdf = FPDF(format="A4")
    pdf.set_margin(MARGIN_MM)
    pdf.set_lang(language)
    pdf.set_title(texts.title.format(product=PRODUCT, payment=receipt.payment.charge.payment_id))
    pdf.set_creation_date(receipt.payment.charge.at)  # so that the same receipt is the same file
    pdf.add_font("Noto Sans", fname=str(FONT))
    pdf.add_page()
    pdf.set_font("Noto Sans", size=26)
    pdf.set_text_color(*INK)
    pdf.cell(0, 16, texts.heading, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(size=11)
    for label, text in _lines(receipt, site, language):
        pdf.set_draw_color(*RULE)
        pdf.line(MARGIN_MM, pdf.y, pdf.w - MARGIN_MM, pdf.y)
        pdf.set_text_color(*QUIET)
        pdf.cell(LABEL_MM, LINE_MM, label)
        pdf.set_text_color(*INK)
        pdf.multi_cell(0, LINE_MM, text, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _lines(receipt: PaidReceipt, site: str, language: str) -> list[tuple[str, str]]:
    texts, charge, plan = RECEIPT_TEXTS[language], receipt.payment.charge, receipt.plan
    lines = [
        (texts.paid_to, f"{PRODUCT}, {urlsplit(site).netloc}" if site else PRODUCT),
        (texts.paid_by, receipt.email),
        (texts.date, str(format_date(charge.at, texts.day, locale=language))),
        (texts.what_for, texts.plan.format(plan=plan.offer.name) if plan else texts.no_plan),
        (texts.amount, amount_text(charge.amount_minor, charge.currency, language)),
        (texts.paid_with, "PayPal"),
        (texts.transaction, charge.payment_id),
        (texts.subscription, receipt.payment.subscription_id),
    ]
    refunded = charge.amount_minor if charge.refunded else charge.refunded_minor
    return [*lines, (texts.refunded, amount_text(refunded, charge.currency, language))] if refunded else lines


def amount_text(minor: int, currency: str, language: str) -> str:
    """Return an amount in a language, such as "€7.99"."""
    return str(format_currency(Decimal(minor).scaleb(-DECIMALS[currency]), currency, locale=language))
