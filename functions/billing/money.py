"""Amounts of money: whole numbers of a currency's smallest unit here, decimal texts at PayPal, never floats."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from functions.platform.errors import Malformed

_WITH_CENTS = (
    *("AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS"),
    *("MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"),
)
DECIMALS = dict.fromkeys(_WITH_CENTS, 2) | {"JPY": 0}
"""PayPal's currencies and how many digits their smallest unit stands behind the point (ISO 4217)."""

WHOLE_ONLY = frozenset({"HUF", "TWD"})
"""PayPal takes no fractions of these, though ISO 4217 has them."""


def minor_of(value: str, currency: str) -> int:
    """Return an amount such as "7.99" in the currency's smallest unit; raise Malformed."""
    try:
        amount = Decimal(value).scaleb(DECIMALS[currency])
    except KeyError:
        raise Malformed(f"PayPal has no currency {currency!r}; it has {', '.join(sorted(DECIMALS))}.") from None
    except InvalidOperation:
        raise Malformed(f"{value!r} is not an amount such as 7.99.") from None
    if not amount.is_finite() or amount != amount.to_integral_value() or abs(amount) >= 10**12:
        raise Malformed(f"{value!r} is not an amount of {currency}.")
    return int(amount)


def value_of(minor: int, currency: str) -> str:
    """Return an amount as PayPal writes it, such as "7.99"."""
    decimals = 0 if currency in WHOLE_ONLY else DECIMALS[currency]
    amount = Decimal(minor).scaleb(-DECIMALS[currency])
    return f"{amount:.{decimals}f}"
