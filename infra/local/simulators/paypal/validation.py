"""PayPal's errors, and the validation of a request's fields against PayPal's specifications."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from infra.local.simulators.paypal.formats import AMOUNT, CURRENCIES, new_debug_id, parse_time, rounded

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from infra.local.simulators.paypal.formats import Document

_MESSAGES = {
    "INVALID_REQUEST": "Request is not well-formed, syntactically incorrect, or violates schema.",
    "AUTHENTICATION_FAILURE": (
        "Authentication failed due to missing authorization header, or invalid authentication credentials."
    ),
    "RESOURCE_NOT_FOUND": "The specified resource does not exist.",
    "UNSUPPORTED_MEDIA_TYPE": "The server does not support the request payload's media type.",
    "UNPROCESSABLE_ENTITY": (
        "The requested action could not be performed, semantically incorrect, or failed business validation."
    ),
    "RATE_LIMIT_REACHED": "Too many requests. Blocked due to rate limiting.",
    "INTERNAL_SERVER_ERROR": "An internal server error occurred.",
    "SERVICE_UNAVAILABLE": "Service Unavailable.",
    "WEBHOOK_URL_ALREADY_EXISTS": "Webhook URL already exists",
    "TRANSACTION_ALREADY_REFUNDED": "Refund transaction refused - this transaction has already been refunded.",
    "REFUND_EXCEEDED_TRANSACTION_AMOUNT": (
        "Refund refused - the requested refund amount would exceed the amount of transaction being refunded."
    ),
}

FAULT_NAMES = {429: "RATE_LIMIT_REACHED", 500: "INTERNAL_SERVER_ERROR", 503: "SERVICE_UNAVAILABLE"}
"""The names of errors that are not caused by the content of a request, by status."""

_SYNTAX = "The value of a field does not conform to the expected format."


class PayPalError(Exception):
    """An error in the form in which PayPal returns it."""

    def __init__(self, status: int, name: str, *details: Document) -> None:
        super().__init__(name)
        self.status = status
        self.name = name
        self.details = details

    def body(self) -> Document:
        """Return the body of the response."""
        about = f"https://developer.paypal.com/docs/api/v1/billing/subscriptions#{self.name}"
        body: Document = {"name": self.name, "message": _MESSAGES[self.name], "debug_id": new_debug_id()}
        if self.details:
            body["details"] = list(self.details)
        return {**body, "links": [{"href": about, "rel": "information_link", "method": "GET"}]}


def invalid(field: str, issue: str, description: str, *, value: object = "", location: str = "body") -> PayPalError:
    """Return the error for a malformed request."""
    detail = {"field": field, "value": str(value), "location": location, "issue": issue, "description": description}
    return PayPalError(400, "INVALID_REQUEST", detail)


def malformed(field: str, value: object, *, location: str = "body") -> PayPalError:
    """Return the error for a field whose value has the wrong form."""
    return invalid(field, "INVALID_PARAMETER_SYNTAX", _SYNTAX, value=value, location=location)


def missing(field: str, *, location: str = "body") -> PayPalError:
    """Return the error for a required field that is absent."""
    return invalid(field, "MISSING_REQUIRED_PARAMETER", "A required field is missing.", location=location)


def unprocessable(issue: str, description: str) -> PayPalError:
    """Return the error for a well-formed request that cannot be carried out."""
    return PayPalError(422, "UNPROCESSABLE_ENTITY", {"issue": issue, "description": description})


def not_simulated(what: str) -> PayPalError:
    """Return the error for a feature that PayPal has and the simulator does not."""
    return unprocessable("NOT_SIMULATED", f"The simulator does not have this part of PayPal: {what}.")


def not_found() -> PayPalError:
    """Return the error for an unknown id."""
    description = "Requested resource ID was not found."
    return PayPalError(404, "RESOURCE_NOT_FOUND", {"issue": "INVALID_RESOURCE_ID", "description": description})


class RequestFields:
    """A JSON object in a request and its JSON pointer; only the fields in `known` are accepted."""

    def __init__(self, value: object, known: Collection[str], pointer: str = "") -> None:
        if not isinstance(value, dict):
            raise malformed(pointer or "/", value)
        if unknown := sorted(value.keys() - set(known)):
            raise not_simulated(f"{pointer}/{unknown[0]}")
        self._value: dict[str, Any] = value
        self._pointer = pointer

    def __contains__(self, name: str) -> bool:
        return self._value.get(name) is not None

    def at(self, name: str) -> str:
        """Return the JSON pointer of a field."""
        return f"{self._pointer}/{name}"

    def text(self, name: str, *, longest: int, shortest: int = 1) -> str:
        """Return a required string."""
        value = self._required(name)
        if not isinstance(value, str):
            raise malformed(self.at(name), value)
        self._check_range(name, len(value), shortest, longest, "STRING_{}_LENGTH", value)
        return value

    def optional_text(self, name: str, *, longest: int) -> str | None:
        """Return a string, or None if it is absent."""
        return self.text(name, longest=longest) if name in self else None

    def choice(self, name: str, options: Collection[str], default: str | None = None) -> str:
        """Return one of the options; the field is required unless there is a default."""
        if default is not None and name not in self:
            return default
        value = self._required(name)
        if value not in options:
            raise invalid(self.at(name), "INVALID_PARAMETER_VALUE", "The value of a field is invalid.", value=value)
        return str(value)

    def number(self, name: str, *, least: int, most: int, default: int | None = None) -> int:
        """Return an integer within bounds; the field is required unless there is a default."""
        if default is not None and name not in self:
            return default
        value = self._required(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise malformed(self.at(name), value)
        self._check_range(name, value, least, most, "INTEGER_{}_VALUE", value)
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a Boolean."""
        value = self._value.get(name, default)
        if not isinstance(value, bool):
            raise malformed(self.at(name), value)
        return value

    def time(self, name: str) -> datetime | None:
        """Return a time, or None if it is absent."""
        if name not in self:
            return None
        text = self.text(name, longest=64)
        try:
            return parse_time(text)
        except ValueError:
            raise malformed(self.at(name), text) from None

    def url(self, name: str) -> str:
        """Return a required web address."""
        text = self.text(name, longest=4000, shortest=10)
        if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname:
            raise malformed(self.at(name), text)
        return text

    def money(self, name: str) -> tuple[Decimal, str]:
        """Return a required amount and its currency."""
        given = self.child(name, {"currency_code", "value"})
        currency, text = given.text("currency_code", longest=3, shortest=3), given.text("value", longest=32)
        if currency not in CURRENCIES:
            raise unprocessable("CURRENCY_NOT_SUPPORTED", "Currency is not supported.")
        if not AMOUNT.fullmatch(text) or Decimal(text) != rounded(Decimal(text), currency):
            raise malformed(given.at("value"), text)
        return Decimal(text), currency

    def child(self, name: str, known: Collection[str]) -> RequestFields:
        """Return a required object."""
        return RequestFields(self._required(name), known, self.at(name))

    def children(self, name: str, known: Collection[str], *, most: int) -> list[RequestFields]:
        """Return the objects of a required array that must not be empty."""
        value = self._required(name)
        if not isinstance(value, list):
            raise malformed(self.at(name), value)
        self._check_range(name, len(value), 1, most, "ARRAY_{}_ITEMS", "")
        return [RequestFields(item, known, f"{self.at(name)}/{index}") for index, item in enumerate(value)]

    def _check_range(self, name: str, size: int, least: int, most: int, issue: str, value: object) -> None:
        if not least <= size <= most:
            bound, description = ("MIN", "too short or too small") if size < least else ("MAX", "too long or too large")
            raise invalid(
                self.at(name), f"INVALID_{issue.format(bound)}", f"The value of a field is {description}.", value=value
            )

    def _required(self, name: str) -> object:
        if name not in self:
            raise missing(self.at(name))
        found: object = self._value[name]
        return found
