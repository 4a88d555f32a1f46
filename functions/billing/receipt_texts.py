"""The texts of receipts in each language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReceiptTexts:
    """The labels of a receipt, and the patterns of its texts; `day` is a date pattern of CLDR."""

    title: str
    heading: str
    paid_to: str
    paid_by: str
    date: str
    what_for: str
    plan: str
    no_plan: str
    amount: str
    paid_with: str
    transaction: str
    subscription: str
    refunded: str
    day: str


RECEIPT_TEXTS = {
    "en": ReceiptTexts(
        title="{product} receipt {payment}",
        heading="Receipt",
        paid_to="Paid to",
        paid_by="Paid by",
        date="Date",
        what_for="For",
        plan="{plan} subscription",
        no_plan="Subscription",
        amount="Amount",
        paid_with="Paid with",
        transaction="Transaction",
        subscription="Subscription",
        refunded="Refunded",
        day="d MMMM y",
    ),
    "de": ReceiptTexts(
        title="{product}: Beleg {payment}",
        heading="Beleg",
        paid_to="Bezahlt an",
        paid_by="Bezahlt von",
        date="Datum",
        what_for="Wofür",
        plan="Abo „{plan}“",
        no_plan="Abo",
        amount="Betrag",
        paid_with="Bezahlt mit",
        transaction="Transaktion",
        subscription="Abonnement",
        refunded="Erstattet",
        day="d. MMMM y",
    ),
}
"""The texts of each language in `functions/platform/languages.py`."""
