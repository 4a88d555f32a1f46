"""Reads the fields of a request as PayPal's specifications want them, refusing the first that is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from infra.local.simulators.paypal.errors import invalid, missing, unprocessable
from infra.local.simulators.paypal.shapes import AMOUNT, CURRENCIES, moment_of, rounded

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

_TOO_LONG = "The value of a field is too long."
_TOO_SHORT = "The value of a field is too short."
_SYNTAX = "The value of a field does not conform to the expected format."
_VALUE = "The value of a field is invalid."


class Fields:
    """A JSON object of a request, and where in the body it stands."""

    def __init__(self, value: object, pointer: str = "") -> None:
        if not isinstance(value, dict):
            raise invalid(pointer or "/", "INVALID_PARAMETER_SYNTAX", _SYNTAX, value=value)
        self.value: dict[str, Any] = value
        self._pointer = pointer

    def __contains__(self, name: str) -> bool:
        return self.value.get(name) is not None

    def at(self, name: str) -> str:
        """Return the JSON pointer of a field."""
        return f"{self._pointer}/{name}"

    def text(self, name: str, *, longest: int, shortest: int = 1) -> str:
        """Return a text that must be there."""
        value = self._required(name)
        if not isinstance(value, str):
            raise invalid(self.at(name), "INVALID_PARAMETER_SYNTAX", _SYNTAX, value=value)
        if len(value) > longest:
            raise invalid(self.at(name), "INVALID_STRING_MAX_LENGTH", _TOO_LONG, value=value)
        if len(value) < shortest:
            raise invalid(self.at(name), "INVALID_STRING_MIN_LENGTH", _TOO_SHORT, value=value)
        return value

    def optional_text(self, name: str, *, longest: int) -> str | None:
        """Return a text, None if it is absent."""
        return self.text(name, longest=longest) if name in self else None

    def choice(self, name: str, options: Collection[str], default: str | None = None) -> str:
        """Return one of the options; without a default it must be there."""
        if default is not None and name not in self:
            return default
        value = self._required(name)
        if value not in options:
            raise invalid(self.at(name), "INVALID_PARAMETER_VALUE", _VALUE, value=value)
        return str(value)

    def number(self, name: str, *, least: int, most: int, default: int | None = None) -> int:
        """Return a whole number within bounds; without a default it must be there."""
        if default is not None and name not in self:
            return default
        value = self._required(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise invalid(self.at(name), "INVALID_PARAMETER_SYNTAX", _SYNTAX, value=value)
        if value < least:
            raise invalid(
                self.at(name), "INVALID_INTEGER_MIN_VALUE", "The integer value of a field is too small.", value=value
            )
        if value > most:
            raise invalid(
                self.at(name), "INVALID_INTEGER_MAX_VALUE", "The integer value of a field is too large.", value=value
            )
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.value.get(name, default)
        if not isinstance(value, bool):
            raise invalid(self.at(name), "INVALID_PARAMETER_SYNTAX", _SYNTAX, value=value)
        return value

    def moment(self, name: str) -> datetime | None:
        """Return a time, None if it is absent."""
        if name not in self:
            return None
        text = self.text(name, longest=64)
        try:
            return moment_of(text)
        except ValueError:
            raise invalid(self.at(name), "INVALID_PARAMETER_SYNTAX", _SYNTAX, value=text) from None

    def address(self, name: str) -> str:
        """Return a web address that must be there."""
        text = self.text(name, longest=4000, shortest=10)
        if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname:
            raise invalid(self.at(name), "INVALID_PARAMETER_SYNTAX", _SYNTAX, value=text)
        return text

    def money(self, name: str, value_name: str = "value", currency_name: str = "currency_code") -> tuple[Decimal, str]:
        """Return an amount and its currency."""
        given = self.child(name)
        currency, text = given.text(currency_name, longest=3, shortest=3), given.text(value_name, longest=32)
        if currency not in CURRENCIES:
            raise unprocessable("CURRENCY_NOT_SUPPORTED", "Currency is not supported.")
        if not AMOUNT.fullmatch(text) or Decimal(text) != rounded(Decimal(text), currency):
            raise invalid(given.at(value_name), "INVALID_PARAMETER_SYNTAX", _SYNTAX, value=text)
        return Decimal(text), currency

    def child(self, name: str) -> Fields:
        """Return an object that must be there."""
        return Fields(self._required(name), self.at(name))

    def children(self, name: str, *, most: int) -> list[Fields]:
        """Return the objects of an array that must be there and not be empty."""
        value = self._required(name)
        if not isinstance(value, list):
            raise invalid(self.at(name), "INVALID_PARAMETER_SYNTAX", _SYNTAX, value=value)
        if not value:
            raise invalid(self.at(name), "INVALID_ARRAY_MIN_ITEMS", "The number of items in an array is too small.")
        if len(value) > most:
            raise invalid(self.at(name), "INVALID_ARRAY_MAX_ITEMS", "The number of items in an array is too large.")
        return [Fields(item, f"{self.at(name)}/{index}") for index, item in enumerate(value)]

    def _required(self, name: str) -> object:
        if name not in self:
            raise missing(self.at(name))
        found: object = self.value[name]
        return found
