"""Amounts of money: integers in a currency's smallest unit here, decimal text in PayPal's API, never floats."""

from __future__ import annotations

import re
from decimal import Decimal

from functions.platform.errors import Malformed

_WITH_CENTS = (
    *("AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS"),
    *("MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"),
)
DECIMALS = dict.fromkeys(_WITH_CENTS, 2) | {"JPY": 0}
"""The currencies that PayPal supports, with their number of decimals (ISO 4217)."""

WHOLE_ONLY = frozenset({"HUF", "TWD"})
"""Currencies for which PayPal accepts no fractions, although ISO 4217 defines them."""


_AMOUNT = re.compile(r"-?[0-9]{1,10}(?:\.[0-9]{1,6})?", re.ASCII)
"""At most ten digits before the point, so no intermediate result can overflow and every amount fits into a BIGINT."""


def minor_of(value: str, currency: str) -> int:
    """Convert an amount such as "7.99" to the currency's smallest unit. Raises Malformed."""
    if currency not in DECIMALS:
        raise Malformed(f"PayPal has no currency “{currency}”; it has {', '.join(sorted(DECIMALS))}.")
    if not _AMOUNT.fullmatch(value):
        raise Malformed(f"“{value[:60]}” is not an amount such as 7.99.")
    amount = Decimal(value).scaleb(DECIMALS[currency])
    if amount != amount.to_integral_value():
        raise Malformed(f"“{value}” is not an amount of {currency}.")
    return int(amount)


def value_of(minor: int, currency: str) -> str:
    """Return an amount in PayPal's format, such as "7.99"."""
    decimals = 0 if currency in WHOLE_ONLY else DECIMALS[currency]
    amount = Decimal(minor).scaleb(-DECIMALS[currency])
    return f"{amount:.{decimals}f}"
