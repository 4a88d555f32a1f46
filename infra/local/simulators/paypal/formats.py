"""Times, amounts, links and ids as PayPal writes them, and the simulator's clock."""

from __future__ import annotations

import calendar
import re
import secrets
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]

CURRENCIES = frozenset(
    {"AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY", "MXN", "MYR", "NOK"}
    | {"NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"}
)
CURRENCIES_WITHOUT_DECIMALS = frozenset({"HUF", "JPY", "TWD"})
AMOUNT = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
INTERVAL_UNITS = {"DAY": 365, "WEEK": 52, "MONTH": 12, "YEAR": 1}
"""Units of a billing interval, and the largest count of each that PayPal accepts."""

_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_LETTERS_AND_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class SimulatedClock:
    """The real time plus `offset`; the clock is stopped inside `at`."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset
        self._fixed: datetime | None = None

    def now(self) -> datetime:
        """Return the simulated time."""
        return self._fixed or datetime.now(UTC) + self.offset

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Stop the clock at `moment` inside the context."""
        before, self._fixed = self._fixed, moment
        try:
            yield
        finally:
            self._fixed = before


def add_interval(moment: datetime, unit: str, count: int) -> datetime:
    """Return `moment` plus `count` units; the 31st becomes the last day of a shorter month."""
    if unit in ("DAY", "WEEK"):
        return moment + timedelta(days=count * (7 if unit == "WEEK" else 1))
    months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "YEAR" else 1)
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def format_time(moment: datetime) -> str:
    """Return a time in the format used in resources: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_time_ms(moment: datetime) -> str:
    """Return a time in the format used in events and transactions: UTC, milliseconds."""
    at = moment.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def parse_time(text: str) -> datetime:
    """Return the moment of an ISO 8601 time; raise ValueError if it is malformed or has no time zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment.astimezone(UTC)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return the amount with the number of decimals that the currency has."""
    decimals = 0 if currency in CURRENCIES_WITHOUT_DECIMALS else 2
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def money(amount: Decimal, currency: str) -> Document:
    """Return an amount of the subscriptions API, which shortens it: "7.99", but also "79.9" and "10.0"."""
    text = f"{amount.normalize():f}"
    return {"currency_code": currency, "value": text if "." in text else f"{text}.0"}


def money_of_transaction(amount: Decimal, currency: str) -> Document:
    """Return an amount of a transaction, with all its decimals."""
    return {"currency_code": currency, "value": str(rounded(amount, currency))}


def total(amount: Decimal, currency: str) -> Document:
    """Return the amount of a sale or a refund (Payments v1)."""
    return {"total": str(rounded(amount, currency)), "currency": currency}


def money_v1(amount: Decimal, currency: str) -> Document:
    """Return a fee or a sum (Payments v1)."""
    return {"value": str(rounded(amount, currency)), "currency": currency}


def link(href: str, rel: str, method: str) -> Document:
    """Return a HATEOAS link."""
    return {"href": href, "rel": rel, "method": method, "encType": "application/json"}


def new_id(prefix: str, length: int) -> str:
    """Return a random id in PayPal's form; the last character is a letter, since no id has only digits."""
    return prefix + "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(length - 1)) + secrets.choice(_LETTERS)


def new_debug_id() -> str:
    """Return a debug id, by which PayPal would find a call in its logs."""
    return secrets.token_hex(7)[:13]
