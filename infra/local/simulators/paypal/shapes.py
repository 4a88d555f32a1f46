"""How PayPal writes times, amounts, links and ids."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Document = dict[str, Any]

CURRENCIES = frozenset(
    {"AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY", "MXN", "MYR", "NOK"}
    | {"NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"}
)
WHOLE_CURRENCIES = frozenset({"HUF", "JPY", "TWD"})
"""Currencies that PayPal takes without decimals."""

AMOUNT = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)

_LETTERS_AND_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PAYER = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def stamp(moment: datetime) -> str:
    """Return a time as resources carry it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fine_stamp(moment: datetime) -> str:
    """Return a time as events carry it: UTC, milliseconds."""
    at = moment.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def moment_of(text: str) -> datetime:
    """Return the moment that a time with its zone means; raise ValueError if it is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} says no zone")
    return moment.astimezone(UTC)


def decimals_of(currency: str) -> int:
    """Return how many decimals an amount has."""
    return 0 if currency in WHOLE_CURRENCIES else 2


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return the amount in whole minor units."""
    return amount.quantize(Decimal(1).scaleb(-decimals_of(currency)), ROUND_HALF_UP)


def short(amount: Decimal) -> str:
    """Return an amount as the subscriptions API writes it: "7.99", but also "79.9" and "10.0"."""
    text = f"{amount.normalize():f}"
    return text if "." in text else f"{text}.0"


def money(amount: Decimal, currency: str) -> Document:
    """Return an amount of the subscriptions API."""
    return {"currency_code": currency, "value": short(amount)}


def full_money(amount: Decimal, currency: str) -> Document:
    """Return an amount of a transaction, with all its decimals."""
    return {"currency_code": currency, "value": str(rounded(amount, currency))}


def total(amount: Decimal, currency: str) -> Document:
    """Return an amount of the payments API v1."""
    return {"total": str(rounded(amount, currency)), "currency": currency}


def old_money(amount: Decimal, currency: str) -> Document:
    """Return a fee or a sum of the payments API v1."""
    return {"value": str(rounded(amount, currency)), "currency": currency}


def link(href: str, rel: str, method: str) -> Document:
    """Return a HATEOAS link."""
    return {"href": href, "rel": rel, "method": method, "encType": "application/json"}


def product_id() -> str:
    """Make the id of a product."""
    return f"PROD-{_random(17)}"


def plan_id() -> str:
    """Make the id of a plan."""
    return f"P-{_random(24)}"


def subscription_id() -> str:
    """Make the id of a subscription."""
    return f"I-{_random(12)}"


def approval_token() -> str:
    """Make the token of an approval page."""
    return f"BA-{_random(17)}"


def transaction_id() -> str:
    """Make the id of a sale or a refund."""
    return _random(17)


def webhook_id() -> str:
    """Make the id of a webhook."""
    return _random(17)


def event_id() -> str:
    """Make the id of an event."""
    return f"WH-{_random(17)}-{_random(17)}"


def certificate_id() -> str:
    """Make the id of a certificate."""
    return f"CERT-{secrets.token_hex(4)}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"


def payer_id() -> str:
    """Make the id of a payer."""
    return "".join(secrets.choice(_PAYER) for _ in range(13))


def debug_id() -> str:
    """Make the id under which PayPal would find a call in its logs."""
    return secrets.token_hex(7)[:13]


def _random(length: int) -> str:
    # a leading digit in most ids, and never digits alone, as PayPal's patterns want it
    return "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(length - 1)) + secrets.choice(
        "ABCDEFGHJKLMNPRSTUVWXYZ"
    )
